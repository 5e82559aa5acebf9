//! The link to one relay: attempts and their waiting times, the greeting, signs of life.
//!
//! It knows no rooms beyond the routes of their requests, and opens no body.

pub(crate) mod greeting;

pub(crate) use greeting::GreetError;

use std::collections::{BTreeMap, BTreeSet};

use estoile_wire::frame::{Hello, Ping, Welcome};
use estoile_wire::id::{CertificateHash, Nonce};
use estoile_wire::{ClientFrame, Limits, Millis, PublicKey, RelayKeyHash, VERSION};

use crate::channel::ChannelId;
use crate::channel::job::JobId;
use crate::command::RelayAddress;
use crate::out::Cx;
use crate::turn::{Effect, Lost};
use crate::view::{RelayId, RoomId};

/// The first wait after a connection was lost.
pub(crate) const FIRST_WAIT_MS: u64 = 250;
/// The longest wait between two attempts.
pub(crate) const LONGEST_WAIT_MS: u64 = 30_000;
/// The shortest wait when somebody answered who is no relay of ours: a captive portal does not go away in a second.
const REFUSED_WAIT_MS: u64 = 5_000;
/// An attempt that neither succeeds nor fails within this time is given up.
const ATTEMPT_MS: u64 = 20_000;
/// The relay is pinged this often, so that a pulled cable is noticed without a word from the system.
const PING_EVERY_MS: u64 = 25_000;
/// A relay that says nothing for this long after a ping is gone.
const PONG_WITHIN_MS: u64 = 15_000;
/// Requests of one session that wait for an answer; more would be our own bug.
const MAX_ROUTES: usize = 100_000;

/// Whose an answer or a log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Route {
    /// A room's.
    Room(RoomId),
    /// A channel's: a log or shelf that is no room.
    Channel(ChannelId),
    /// A job's: what is done at another's log or shelf.
    Job(JobId),
}

impl From<RoomId> for Route {
    fn from(room: RoomId) -> Self {
        Self::Room(room)
    }
}

impl From<JobId> for Route {
    fn from(job: JobId) -> Self {
        Self::Job(job)
    }
}

impl From<ChannelId> for Route {
    fn from(channel: ChannelId) -> Self {
        Self::Channel(channel)
    }
}

/// A session with a relay that has proven its key.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) relay: RelayId,
    pub(crate) relay_key: PublicKey,
    pub(crate) nonce: Nonce,
    pub(crate) limits: Limits,
    /// How far this clock is behind the relay's (negative: ahead), milliseconds.
    pub(crate) clock_off: i64,
    next_request: u64,
    routes: BTreeMap<u64, Route>,
    /// Requests without an answer.
    open: BTreeSet<u64>,
    /// Requests below were made before the last ping.
    pinged_at: u64,
    next_ping: Millis,
    pong_by: Option<Millis>,
}

impl Session {
    /// A number for a request of a room or channel, by which its answer finds back.
    pub(crate) fn request(&mut self, whose: impl Into<Route>) -> u64 {
        let request = self.next_request;
        self.next_request = self.next_request.saturating_add(1);
        if self.routes.len() >= MAX_ROUTES
            && let Some((oldest, _)) = self.routes.pop_first()
        {
            self.open.remove(&oldest);
        }
        self.routes.insert(request, whose.into());
        self.open.insert(request);
        request
    }

    /// Whose request this was; it is answered now.
    pub(crate) fn answered(&mut self, request: u64) -> Option<Route> {
        self.open.remove(&request);
        self.routes.remove(&request)
    }

    /// Whose request this is, which is answered by more than one frame.
    pub(crate) fn route(&mut self, request: u64) -> Option<Route> {
        let route = self.routes.get(&request).copied()?;
        self.open.remove(&request);
        Some(route)
    }

    /// Whether a request that was made before the last ping has no answer: whoever answers pings and nothing else makes
    /// every wait endless.
    fn is_ignored(&self) -> bool {
        self.open.first().is_some_and(|oldest| *oldest < self.pinged_at)
    }

    /// Sends a frame.
    pub(crate) fn say(&self, frame: &ClientFrame<'_>, cx: &mut Cx<'_>) {
        cx.send(self.relay, frame.encode());
    }
}

#[derive(Debug)]
enum State {
    /// No room wants it.
    Idle,
    /// Asked the driver to connect at that time.
    Waiting { at: Millis },
    /// Connected; the hello is out.
    Greeting { challenge: Nonce, certificate: Option<CertificateHash>, trusted: bool, said_at: Millis },
    /// The relay is who it should be.
    Up(Box<Session>),
    /// Not tried again on its own.
    Refused,
}

/// The link to one relay.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) id: RelayId,
    pub(crate) address: RelayAddress,
    state: State,
    failures: u32,
    why: Option<String>,
    clock_told: Option<i64>,
}

/// How a link is, for faces.
pub(crate) enum LinkView<'a> {
    Connecting,
    Up,
    Offline { why: &'a str, retry_at: Option<Millis> },
}

impl LinkView<'_> {
    /// Why the relay is not tried again, if it isn't.
    pub(crate) fn given_up(&self) -> Option<String> {
        match self {
            Self::Offline { why, retry_at: None } => Some((*why).to_owned()),
            _ => None,
        }
    }
}

/// What a welcome has shown.
#[derive(Debug)]
pub(crate) struct Greeted {
    /// The hash of the relay's key, to be pinned where nothing was.
    pub(crate) key_hash: RelayKeyHash,
    /// How far this clock is behind the relay's (negative: ahead), milliseconds, if that is news to tell.
    pub(crate) clock: Option<i64>,
}

impl Link {
    pub(crate) const fn new(id: RelayId, address: RelayAddress) -> Self {
        Self { id, address, state: State::Idle, failures: 0, why: None, clock_told: None }
    }

    pub(crate) fn session(&mut self) -> Option<&mut Session> {
        match &mut self.state {
            State::Up(session) => Some(session),
            _ => None,
        }
    }

    pub(crate) fn view(&self) -> LinkView<'_> {
        match (&self.state, &self.why) {
            (State::Up(_), _) => LinkView::Up,
            (State::Waiting { at }, Some(why)) => LinkView::Offline { why, retry_at: Some(*at) },
            (State::Refused, Some(why)) => LinkView::Offline { why, retry_at: None },
            _ => LinkView::Connecting,
        }
    }

    /// A room wants this relay: connect, unless that is under way. `now` also cuts a wait short, and forgives a refusal.
    pub(crate) fn want(&mut self, at_once: bool, cx: &mut Cx<'_>) {
        match self.state {
            State::Idle => self.connect(cx.now, cx),
            State::Waiting { at } if at_once && at > cx.now => self.connect(cx.now, cx),
            State::Refused if at_once => self.connect(cx.now, cx),
            _ => {}
        }
    }

    /// It waits before it tries again.
    pub(crate) const fn waits(&self) -> bool {
        matches!(self.state, State::Waiting { .. })
    }

    /// No room wants it any more.
    pub(crate) fn leave(&mut self, cx: &mut Cx<'_>) {
        if !matches!(self.state, State::Idle) {
            cx.out.effects.push(Effect::Disconnect { relay: self.id });
        }
        self.state = State::Idle;
        self.why = None;
    }

    fn connect(&mut self, at: Millis, cx: &mut Cx<'_>) {
        self.state = State::Waiting { at };
        cx.out.effects.push(Effect::Connect { relay: self.id, address: self.address.clone(), at });
    }

    /// The driver has connected: greet. False if nobody had asked for it.
    pub(crate) fn connected(&mut self, certificate: Option<CertificateHash>, trusted: bool, cx: &mut Cx<'_>) -> bool {
        if !matches!(self.state, State::Waiting { .. }) {
            return false;
        }
        let mut challenge = [0; 32];
        cx.rng.fill_bytes(&mut challenge);
        let challenge = Nonce(challenge);
        self.state = State::Greeting { challenge, certificate, trusted, said_at: cx.now };
        let hello = ClientFrame::Hello(Hello { versions: vec![VERSION], challenge });
        cx.send(self.id, hello.encode());
        true
    }

    /// The relay's welcome: checked, and the session is up; or the link is down again, and why.
    pub(crate) fn welcome(&mut self, welcome: &Welcome, cx: &mut Cx<'_>) -> Result<Greeted, GreetError> {
        let State::Greeting { challenge, certificate, trusted, said_at } = &self.state else {
            return Err(GreetError::OutOfOrder);
        };
        let said_at = *said_at;
        let key_hash = greeting::check(welcome, challenge, certificate.as_ref(), *trusted, &self.address)?;
        let off = greeting::clock_error(welcome.time, said_at, cx.now);
        // Frames to come are answered within the relay's silence, whatever it says of it.
        self.state = State::Up(Box::new(Session {
            relay: self.id,
            relay_key: welcome.relay_key,
            nonce: welcome.nonce,
            limits: welcome.limits,
            clock_off: off,
            next_request: 1,
            routes: BTreeMap::new(),
            open: BTreeSet::new(),
            pinged_at: 0,
            next_ping: cx.now.saturating_add(PING_EVERY_MS),
            pong_by: None,
        }));
        self.why = None;
        self.address.pin = Some(key_hash);
        let clock = greeting::worth_telling(off, self.clock_told).then_some(off);
        if clock.is_some() {
            self.clock_told = Some(off);
        }
        Ok(Greeted { key_hash, clock })
    }

    /// A frame came: the relay lives.
    pub(crate) fn heard(&mut self) {
        if let State::Up(session) = &mut self.state {
            session.pong_by = None;
        }
    }

    /// A room is live: the next loss is a new one.
    pub(crate) const fn settled(&mut self) {
        self.failures = 0;
    }

    /// The connection is gone, or an attempt failed: try again later.
    pub(crate) fn lost(&mut self, why: &Lost, cx: &mut Cx<'_>) {
        if matches!(self.state, State::Idle | State::Refused) {
            return;
        }
        let (why, least) = match why {
            Lost::Closed => ("the relay closed the connection".to_owned(), 0),
            Lost::Unreachable(why) => (format!("the relay can't be reached: {why}"), 0),
            Lost::Refused(why) => (format!("what answers there is not the relay: {why}"), REFUSED_WAIT_MS),
        };
        self.retry(why, least, cx);
    }

    /// Ends the connection ourselves and tries again later.
    pub(crate) fn break_off(&mut self, why: String, cx: &mut Cx<'_>) {
        cx.out.effects.push(Effect::Disconnect { relay: self.id });
        self.retry(why, 0, cx);
    }

    /// Ends the connection and does not try again on its own.
    pub(crate) fn refuse(&mut self, why: String, cx: &mut Cx<'_>) {
        cx.out.effects.push(Effect::Disconnect { relay: self.id });
        self.state = State::Refused;
        self.why = Some(why);
    }

    fn retry(&mut self, why: String, least: u64, cx: &mut Cx<'_>) {
        let doubled = FIRST_WAIT_MS.saturating_mul(1 << self.failures.min(16));
        let wait = doubled.clamp(least, LONGEST_WAIT_MS);
        // Three to five quarters of it, so that a relay that comes back is not stormed.
        let wait = (wait.saturating_mul(3) / 4).saturating_add(cx.below(wait / 2));
        self.failures = self.failures.saturating_add(1);
        self.why = Some(why);
        self.connect(cx.now.saturating_add(wait), cx);
    }

    pub(crate) fn next_timeout(&self) -> Option<Millis> {
        match &self.state {
            State::Idle | State::Refused => None,
            State::Waiting { at } => Some(at.saturating_add(ATTEMPT_MS)),
            State::Greeting { said_at, .. } => Some(said_at.saturating_add(ATTEMPT_MS)),
            State::Up(session) => Some(session.pong_by.unwrap_or(session.next_ping)),
        }
    }

    /// Does what is due; true if the connection was given up.
    pub(crate) fn due(&mut self, cx: &mut Cx<'_>) -> bool {
        if self.next_timeout().is_none_or(|at| at > cx.now) {
            return false;
        }
        if let State::Up(session) = &mut self.state
            && session.pong_by.is_none()
        {
            if session.is_ignored() {
                self.break_off("the relay leaves unanswered what it was asked".to_owned(), cx);
                return true;
            }
            session.pinged_at = session.next_request;
            session.next_ping = cx.now.saturating_add(PING_EVERY_MS);
            session.pong_by = Some(cx.now.saturating_add(PONG_WITHIN_MS));
            let request = session.next_request;
            session.next_request = request.saturating_add(1);
            session.say(&ClientFrame::Ping(Ping { request }), cx);
            return false;
        }
        self.break_off("the relay does not answer".to_owned(), cx);
        true
    }

    /// This clock went back: what waits must not wait longer than it would have.
    pub(crate) fn clock_went_back(&mut self, by: u64) {
        match &mut self.state {
            State::Waiting { at } => *at = at.saturating_sub(by),
            State::Greeting { said_at, .. } => *said_at = said_at.saturating_sub(by),
            State::Up(session) => {
                session.next_ping = session.next_ping.saturating_sub(by);
                session.pong_by = session.pong_by.map(|at| at.saturating_sub(by));
            }
            State::Idle | State::Refused => {}
        }
    }
}
