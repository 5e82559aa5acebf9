//! Creating the log where we may, attaching to it, reading what waits, and reading it again when something is missing.
//!
//! It knows cursors and the relay's answers, not letters.

use estoile_wire::frame::{Attach as AttachFrame, Attached, Create, Detach, Lagged, Live, Refused};
use estoile_wire::refusal::Retry;
use estoile_wire::{ClientFrame, Cursor, Millis, Refusal};

use super::{Room, duration};
use crate::board::Draft;
use crate::link::Session;
use crate::notice::NoticeKind;
use crate::out::Cx;
use crate::view::Event;

/// When the relay says "later" and not when.
const LATER_MS: u64 = 2_000;
/// A relay can't make us wait longer than this before we ask again.
const LONGEST_LATER_MS: u64 = 60_000;
/// A log is read again at most this many records back: what is missing is young, and a log may hold a gigabyte.
const RESCAN_RECORDS: u64 = 5_000;
/// Between two readings of the same log for what is missing.
const RESCAN_PAUSE_MS: u64 = 5_000;

/// A private room's log can't be made anew under a group that has moved on.
pub(super) const LOG_IS_OLD: &str = "the relay's log of this room is older than what it gave us before: it was restored from an old copy, or made anew, and this room can't go on in it";
const LOG_IS_GONE: &str = "the relay does not have this room's log (any more), and this room can't go on without it";

/// Where the attachment stands.
#[derive(Debug)]
pub(super) enum Attach {
    /// No session, or the room is stopped.
    Out,
    /// `Create` is out.
    Creating { request: u64 },
    /// `Attach` is out.
    Attaching { request: u64, rescan: bool },
    /// Records come that were waiting.
    Reading { rescan: bool },
    /// Records come as they are appended.
    Live,
    /// The relay said "later".
    Waiting { until: Millis, why: String },
    /// A commit ended the epoch, and the next one's key is here: to be attached to at once.
    Next,
    /// A commit can't be merged yet: nothing is read until then.
    Held,
}

impl Attach {
    pub(super) const fn next_timeout(&self) -> Option<Millis> {
        match self {
            Self::Waiting { until, .. } => Some(*until),
            _ => None,
        }
    }

    pub(super) const fn clock_went_back(&mut self, by: u64) {
        if let Self::Waiting { until, .. } = self {
            *until = until.saturating_sub(by);
        }
    }

    /// Appends and signals are taken.
    pub(super) const fn open(&self) -> bool {
        matches!(self, Self::Reading { .. } | Self::Live)
    }

    /// The log is about to be read again, or is.
    pub(super) const fn asking(&self) -> bool {
        matches!(self, Self::Attaching { rescan: true, .. } | Self::Reading { rescan: true })
    }

    /// What comes is the answer to our own reading again.
    pub(super) const fn rescanning(&self) -> bool {
        matches!(self, Self::Reading { rescan: true })
    }
}

impl Room {
    /// A session is there: create or attach.
    pub(crate) fn begin(&mut self, session: &mut Session, cx: &mut Cx<'_>) {
        if self.progress.stopped.is_some() || self.lock.log().is_none() {
            return;
        }
        if self.stored.create.is_some() && self.progress.floor.is_none() {
            self.create(session, cx);
        } else {
            self.attach(session, false, cx);
        }
    }

    fn create(&mut self, session: &mut Session, cx: &mut Cx<'_>) {
        let Some(create) = &self.stored.create else { return };
        let Some(making) = self.lock.make(&session.relay_key, &session.nonce, create.max_ttl) else { return };
        let request = session.request(self.id);
        let frame = ClientFrame::Create(Create {
            request,
            kind: making.kind as u64,
            access_key: making.access_key,
            max_ttl: create.max_ttl,
            quota: 0,
            signature: making.signature,
            entry: create.entry.clone(),
        });
        self.attach = Attach::Creating { request };
        session.say(&frame, cx);
    }

    pub(super) fn attach(&mut self, session: &mut Session, rescan: bool, cx: &mut Cx<'_>) {
        let Some(log) = self.lock.log() else { return };
        let Some((epoch, signature)) = self.lock.prove(&session.relay_key, &session.nonce) else { return };
        let request = session.request(self.id);
        // What lies before this epoch opens no more: reading it again would bring nothing.
        let floor = self.progress.floor.unwrap_or_default().max(self.progress.epoch_from.unwrap_or_default());
        let after = if rescan { floor } else { self.progress.cursor.max(floor) };
        let newest = match (rescan, self.progress.floor) {
            // A log that begins anew is read whole.
            (true, _) => (self.progress.cursor > 0).then_some(RESCAN_RECORDS),
            (false, None) => self.stored.newest,
            (false, Some(_)) => None,
        };
        self.attach = Attach::Attaching { request, rescan };
        self.commits.nothing_in_flight();
        let frame = AttachFrame { request, log, epoch, after, signature, newest };
        session.say(&ClientFrame::Attach(frame), cx);
    }

    /// Leaves the log and reads it again from as far back as makes sense.
    pub(super) fn attach_again(&mut self, session: &mut Session, rescan: bool, cx: &mut Cx<'_>) {
        let Some(log) = self.lock.log() else { return };
        session.say(&ClientFrame::Detach(Detach { log }), cx);
        self.outbox.nothing_in_flight();
        self.attach(session, rescan, cx);
    }

    pub(crate) fn created(&mut self, session: &mut Session, cx: &mut Cx<'_>) {
        if matches!(self.attach, Attach::Creating { .. }) {
            self.attach(session, false, cx);
        }
    }

    pub(crate) fn attached(&mut self, frame: &Attached, session: &mut Session, cx: &mut Cx<'_>) {
        let Attach::Attaching { request, rescan } = self.attach else { return };
        if frame.request != request {
            return;
        }
        self.learn_max_ttl(frame.max_ttl, session, cx);
        self.attach = Attach::Reading { rescan };
        self.patience.goes_on(cx.now);
        if self.progress.floor.is_none() {
            // With the newest only, the floor lies before the first record that comes.
            self.progress.floor = self.stored.newest.is_none().then_some(0);
        }
        if frame.last < self.progress.cursor && self.is_private() {
            self.stop(LOG_IS_OLD, cx);
            return;
        }
        if frame.last < self.progress.cursor {
            self.progress.cursor = 0;
            self.progress.floor = Some(0);
            cx.tell(Draft::new(
                Some(self.id),
                NoticeKind::Relay,
                "the relay's log of this room is older than what it gave us before: it was restored from an old copy, or made anew",
                "What you have here stays; ask the relay's owner what happened, and the others whether they miss messages.",
            ));
            self.attach_again(session, true, cx);
        }
    }

    /// How long the room keeps messages, as the relay says. What is missing is judged by the longest that it ever said: else
    /// a relay could make letters that it withholds look as if their time were over.
    fn learn_max_ttl(&mut self, said: u64, session: &Session, cx: &mut Cx<'_>) {
        let before = self.progress.longest_ttl.max(self.progress.max_ttl);
        if self.progress.max_ttl.is_some_and(|last| said < last) {
            let (said, last) =
                (said.saturating_mul(1_000), self.progress.max_ttl.unwrap_or_default().saturating_mul(1_000));
            cx.tell(Draft::new(
                Some(self.id),
                NoticeKind::Relay,
                format!(
                    "the relay says that this room keeps messages for {} now, and said {} before",
                    duration(said),
                    duration(last)
                ),
                "New messages can't live longer than it says now; what is missing is still judged by the longer time. Ask the relay's owner why.",
            ));
        }
        let longest = before.unwrap_or_default().max(said);
        self.progress.max_ttl = Some(said);
        self.progress.longest_ttl = Some(longest);
        self.progress.own_max = said < session.limits.max_ttl;
        self.transcript.set_max_life(longest.saturating_mul(1_000));
    }

    /// All that was asked for has come.
    pub(crate) fn live(&mut self, frame: &Live, session: &mut Session, cx: &mut Cx<'_>) {
        let Attach::Reading { rescan } = self.attach else { return };
        self.attach = Attach::Live;
        self.patience.over();
        self.read_up = true;
        self.saw_cursor(frame.cursor);
        if self.progress.floor.is_none() {
            self.progress.floor = Some(frame.cursor);
        }
        if rescan {
            self.transcript.relay_answered();
            self.rescan = None;
            self.show_ready(cx);
        }
        if !self.progress.caught_up {
            self.progress.caught_up = true;
            self.mark_context_read();
            self.write_waiting(cx);
        }
        cx.event(Event::CaughtUp(self.id));
        self.people.changed = true;
        self.presence_begins(session, cx);
        self.ask(Some(session), cx);
        self.pump(session, cx);
        self.pump_commit(session, cx);
    }

    /// A record's place in the log; the newest is where the next attachment goes on.
    pub(super) fn saw_cursor(&mut self, cursor: Cursor) {
        self.progress.cursor = self.progress.cursor.max(cursor);
    }

    /// We read too slowly, and the relay let go of us: go on after what we have.
    pub(crate) fn lagged(&mut self, _: &Lagged, session: &mut Session, cx: &mut Cx<'_>) {
        if !self.attach.open() {
            return;
        }
        let rescan = self.attach.rescanning();
        cx.tell(Draft::new(
            Some(self.id),
            NoticeKind::Lagged,
            "messages came faster than this client read them, so the relay stopped sending; the rest is read from its log now",
            "Nothing is lost; if it happens often, look at this machine's load or its network.",
        ));
        self.outbox.nothing_in_flight();
        self.attach(session, rescan, cx);
    }

    /// The relay said no to a request of this room's, or to a signal.
    pub(crate) fn refused(&mut self, frame: &Refused, session: &mut Session, cx: &mut Cx<'_>) {
        let ours = |request: u64| frame.request == Some(request);
        match self.attach {
            Attach::Creating { request } if ours(request) => self.create_refused(frame, session, cx),
            Attach::Attaching { request, .. } if ours(request) => self.attach_refused(frame, session, cx),
            _ => {
                if let Some(request) = frame.request
                    && !self.commit_refused(request, frame, cx)
                {
                    self.append_refused(request, frame, cx);
                }
                if frame.code == Refusal::NotAttached && self.attach.open() {
                    self.outbox.nothing_in_flight();
                    self.attach(session, false, cx);
                }
            }
        }
    }

    fn create_refused(&mut self, frame: &Refused, session: &mut Session, cx: &mut Cx<'_>) {
        match frame.code {
            // It is there already: that is all we wanted.
            Refusal::Exists => self.attach(session, false, cx),
            Refusal::EntryNeeded | Refusal::EntryWrong => self.stop(
                "this relay lets only those make rooms who have its entry code, and the code was missing or wrong: ask its owner for the relay's whole address (https://HOST/#e/CODE)",
                cx,
            ),
            _ => self.later_or_stop(frame, cx),
        }
    }

    fn attach_refused(&mut self, frame: &Refused, session: &mut Session, cx: &mut Cx<'_>) {
        match frame.code {
            Refusal::NoSuchLog if self.can_be_made() => self.create(session, cx),
            Refusal::NoSuchLog if self.is_private() => self.stop(LOG_IS_GONE, cx),
            Refusal::StaleEpoch if self.is_private() => self.left_behind(frame.limit, cx),
            Refusal::NoSuchLog => self.stop("no such room here: wrong link or passphrase, or it has ended", cx),
            _ => self.later_or_stop(frame, cx),
        }
    }

    /// Whether the log can be made by us: a group that has moved on can't begin anew in an empty one.
    fn can_be_made(&self) -> bool {
        self.stored.create.is_some() && (!self.is_private() || self.lock.epoch() == 0)
    }

    fn later_or_stop(&mut self, frame: &Refused, cx: &mut Cx<'_>) {
        let why = refusal_in_words(frame.code);
        // Too many rooms at once is nothing that ends this one.
        if frame.code.retry() == Retry::Never && frame.code != Refusal::TooManyAttachments {
            self.stop(&format!("the relay refused this room: {why}"), cx);
        } else {
            let until = cx.now.saturating_add(later(frame, cx));
            self.attach = Attach::Waiting { until, why: why.to_owned() };
        }
    }

    /// The room can't go on, and why.
    pub(crate) fn stop(&mut self, why: &str, cx: &mut Cx<'_>) {
        self.attach = Attach::Out;
        self.progress.stopped = Some(why.to_owned());
        let advice = if self.is_private() {
            "Ask the others in another way; an owner or admin can move the room to a new log (estoile room move), which takes everybody along."
        } else {
            "Ask whoever gave you the link for a fresh one, or open the room again to look once more."
        };
        cx.tell(Draft::new(Some(self.id), NoticeKind::NoRoom, why, advice));
        self.refuse_waiting(why, cx);
    }

    /// Somebody wants to look once more.
    pub(crate) fn forgive(&mut self) {
        if !self.progress.copied && !self.progress.is_out() {
            self.progress.stopped = self.lock.private().and_then(|p| p.stopped().map(str::to_owned));
        }
    }

    /// Nothing but this device's keys is wrong in a room that has stopped.
    pub(crate) fn can_come_back(&self) -> bool {
        let behind = self.progress.stopped.as_deref() == Some(super::commits::LEFT_BEHIND);
        !self.progress.is_out() && (behind || self.lock.private().is_some_and(crate::private::Private::can_come_back))
    }

    /// Says goodbye and leaves the log: the room is about to be forgotten.
    pub(crate) fn leave(&mut self, session: &mut Session, cx: &mut Cx<'_>) {
        self.detach(session, cx);
        self.refuse_waiting(
            "this room was forgotten before the message could be sent; open it again with its link",
            cx,
        );
    }

    /// Says goodbye to the log that was read until now.
    pub(crate) fn detach(&mut self, session: &Session, cx: &mut Cx<'_>) {
        self.goodbye(session, cx);
        if let Some(log) = self.lock.log().filter(|_| !matches!(self.attach, Attach::Out)) {
            session.say(&ClientFrame::Detach(Detach { log }), cx);
        }
    }

    /// The session is gone.
    pub(crate) fn offline(&mut self) {
        self.attach = Attach::Out;
        self.patience.rests();
        self.read_up = false;
        self.outbox.nothing_in_flight();
        self.commits.offline();
        self.people.nobody_here();
        self.presence.ends();
    }

    pub(super) fn attach_due(&mut self, session: &mut Session, cx: &mut Cx<'_>) {
        match &self.attach {
            Attach::Waiting { until, .. } if *until <= cx.now => self.begin(session, cx),
            Attach::Out => self.begin(session, cx),
            Attach::Next => self.attach(session, false, cx),
            Attach::Reading { rescan } if self.patience.ends(cx.now) => self.stalled(*rescan, session, cx),
            Attach::Live if self.commits.overdue(cx.now) => self.attach_again(session, false, cx),
            Attach::Live if self.rescan.is_some_and(|at| at <= cx.now) => {
                self.rescan = Some(cx.now.saturating_add(RESCAN_PAUSE_MS));
                self.attach_again(session, true, cx);
            }
            _ => {}
        }
    }
}

/// How long to wait after a refusal.
pub(super) fn later(frame: &Refused, cx: &mut Cx<'_>) -> u64 {
    let wait = frame.wait_ms.unwrap_or(LATER_MS).clamp(50, LONGEST_LATER_MS);
    wait.saturating_add(cx.below(wait / 4))
}

/// A refusal as a clause.
pub(crate) const fn refusal_in_words(code: Refusal) -> &'static str {
    match code {
        Refusal::UnsupportedVersion => "it speaks another version of the protocol; update this program, or the relay",
        Refusal::BadProof => "the room's key does not fit",
        Refusal::BadTtl => "the time to live is over, or longer than the room's",
        Refusal::BodyTooLarge | Refusal::FrameTooLarge => "it is longer than this relay takes",
        Refusal::LogFull => "the room holds as much as it may; there is room again when messages end",
        Refusal::DiskFull => "the relay's disk is full; its owner has to make room",
        Refusal::RateLimited => "too much, too quickly; it is tried again in a moment",
        Refusal::TooManyAttachments => "this client has as many rooms open at that relay as it may",
        Refusal::EntryUsedUp => "the relay's entry code has made as many rooms as it may",
        Refusal::StoreFailed => "the relay could not write to its disk",
        Refusal::Busy => "the relay is busy",
        Refusal::Closing => "the relay is shutting down",
        Refusal::TooManySessions => "the relay has as many sessions as it may",
        Refusal::Silent => "this client was silent for too long",
        _ => "it does not take this",
    }
}
