//! One room: what is known of it, and what it does with frames, commands and time.
//!
//! It knows its log and its keys, and nothing of other rooms, of sockets or of the vault's seal. Each concern has its file:
//! attaching and reading, receiving, holding back, sending, who is here, questions, ends of life.

mod ask;
mod attach;
mod end;
mod hold;
mod outbox;
mod people;
mod presence;
mod receive;
mod send;
mod timeline;

pub(crate) use attach::refusal_in_words;
pub(crate) use people::hex;
pub(crate) use receive::duration;
pub(crate) use send::SendJob;
pub(crate) use timeline::{AT_HAND, Letter};

use std::collections::{BTreeMap, VecDeque};

use estoile_seal::SenderKey;
use estoile_seal::link::{Link as RoomLink, LinkKind};
use estoile_seal::quick::{RoomKeys, RoomSecret};
use estoile_seal::transcript::{Hash, Transcript};
use estoile_wire::{Millis, PublicKey};

use crate::command::{CommandError, RelayAddress};
use crate::link::LinkView;
use crate::names::{self, Tag};
use crate::out::Cx;
use crate::stored::{Progress, StoredEnd, StoredHeld, StoredRoom};
use crate::view::{ConnectionView, Event, MessageView, RelayId, RoomId, RoomView};

use ask::Answers;
use attach::Attach;
use hold::Hold;
use outbox::Outbox;
use people::People;
use presence::Presence;
use timeline::Timeline;

/// A room.
pub(crate) struct Room {
    pub(crate) id: RoomId,
    pub(crate) relay: RelayId,
    pub(crate) stored: StoredRoom,
    keys: RoomKeys,
    sender: SenderKey,
    own: PublicKey,
    progress: Progress,
    progress_kept: Progress,
    transcript: Transcript,
    timeline: Timeline,
    people: People,
    outbox: Outbox,
    /// Sends that wait for the first catch-up, because their letters need parents.
    waiting: VecDeque<SendJob>,
    attach: Attach,
    hold: Hold,
    /// Letters from the future, by local number.
    future: BTreeMap<u64, StoredHeld>,
    /// When each letter's life ends, with its local number: those in the vault too.
    ends: BTreeMap<(Millis, u64), Hash>,
    presence: Presence,
    answers: Answers,
    /// The transcript asked for the log to be read again.
    rescan: Option<Millis>,
    last_view: Option<RoomView>,
    unseen_told: bool,
    /// Everything was read since this connection was made: if this vault is a copy, we know it by now.
    read_up: bool,
}

impl core::fmt::Debug for Room {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Room(..)")
    }
}

/// What the vault kept of a room beside its opening and progress.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub(crate) transcript: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) people: Vec<(u64, crate::stored::StoredPerson)>,
    pub(crate) letters: Vec<Letter>,
    pub(crate) outbox: Vec<Letter>,
    pub(crate) future: Vec<(u64, StoredHeld)>,
    pub(crate) ends: Vec<(u64, StoredEnd)>,
}

impl Room {
    /// A room as the vault has it; a fresh one has nothing kept. None if what was kept can't be read.
    pub(crate) fn new(id: RoomId, relay: RelayId, stored: StoredRoom, progress: Progress, kept: Kept) -> Option<Self> {
        let keys = RoomKeys::derive(&RoomSecret::from_bytes(stored.secret));
        let sender = SenderKey::from_seed(&stored.sender_seed);
        let own = sender.public();
        // What was signed before a member of the newest only came is not theirs to miss.
        let joined = if stored.newest.is_some() { stored.joined } else { 0 };
        let entries = kept.transcript.iter().map(|(key, value)| (key.as_slice(), value.as_slice()));
        let mut transcript = Transcript::restore(own, joined, entries).ok()?;
        if let Some(max_ttl) = progress.longest_ttl.max(progress.max_ttl) {
            transcript.set_max_life(max_ttl.saturating_mul(1_000));
        }
        transcript.set_sociable(stored.sociable);
        let mut people = People::default();
        for (number, person) in kept.people {
            people.restore(number, person);
        }
        let mut timeline = Timeline::default();
        let mut outbox = Outbox::default();
        for letter in &kept.outbox {
            outbox.restore(letter, &keys.log_id())?;
        }
        for letter in kept.letters.into_iter().chain(kept.outbox) {
            let unread = letter.seq >= progress.read_seq && letter.stored.sender != own;
            timeline.insert(letter, unread);
        }
        Some(Self {
            id,
            relay,
            stored,
            keys,
            sender,
            own,
            progress_kept: progress.clone(),
            progress,
            transcript,
            timeline,
            people,
            outbox,
            waiting: VecDeque::new(),
            attach: Attach::Out,
            hold: Hold::default(),
            future: kept.future.into_iter().collect(),
            ends: kept.ends.into_iter().map(|(seq, end)| ((end.at, seq), end.hash)).collect(),
            presence: Presence::default(),
            answers: Answers::default(),
            rescan: None,
            last_view: None,
            unseen_told: false,
            read_up: false,
        })
    }

    pub(crate) const fn log(&self) -> estoile_wire::LogId {
        self.keys.log_id()
    }

    pub(crate) fn address(&self) -> RelayAddress {
        let s = &self.stored;
        RelayAddress { host: s.host.clone(), port: s.port, tls: s.tls, pin: s.pin }
    }

    pub(crate) const fn stopped(&self) -> Option<&String> {
        self.progress.stopped.as_ref()
    }

    /// Writes down how the room is opened.
    pub(crate) fn keep_opening(&self, cx: &mut Cx<'_>) {
        cx.put(names::opening(self.id), &self.stored);
    }

    /// The link that opens the room; empty until the relay's key is known.
    fn link(&self) -> String {
        let s = &self.stored;
        let Some(relay) = s.pin else { return String::new() };
        let kind = if s.passphrase { LinkKind::Passphrase } else { LinkKind::Quick(RoomSecret::from_bytes(s.secret)) };
        RoomLink { tls: s.tls, host: s.host.clone(), port: s.port, name: s.name.clone(), relay, kind }.to_string()
    }

    fn host(&self) -> String {
        let s = &self.stored;
        if s.host.contains(':') { format!("[{}]:{}", s.host, s.port) } else { format!("{}:{}", s.host, s.port) }
    }

    fn connection(&self, link: &LinkView<'_>) -> ConnectionView {
        match (link, &self.attach) {
            (LinkView::Connecting, _) => ConnectionView::Connecting,
            (LinkView::Offline { why, retry_at }, _) => {
                ConnectionView::Offline { why: (*why).to_owned(), retry_at: *retry_at }
            }
            (
                LinkView::Up,
                Attach::Live | Attach::Attaching { rescan: true, .. } | Attach::Reading { rescan: true },
            ) => ConnectionView::Online,
            (LinkView::Up, Attach::Waiting { until, why }) => {
                ConnectionView::Offline { why: why.clone(), retry_at: Some(*until) }
            }
            (LinkView::Up, Attach::Out) => match &self.progress.stopped {
                Some(why) => ConnectionView::Offline { why: why.clone(), retry_at: None },
                None => ConnectionView::Connecting,
            },
            (LinkView::Up, _) => ConnectionView::CatchingUp,
        }
    }

    fn is_unread(&self, letter: &Letter) -> bool {
        letter.seq >= self.progress.read_seq && letter.stored.text.is_some() && !letter.own(&self.own)
    }

    /// The room as a list shows it.
    pub(crate) fn view(&self, link: &LinkView<'_>) -> RoomView {
        RoomView {
            id: self.id,
            name: self.stored.name.clone(),
            link: self.link(),
            host: self.host(),
            own_name: self.stored.own_name.clone(),
            unread: u32::try_from(self.timeline.unread()).unwrap_or(u32::MAX),
            connection: self.connection(link),
            ttl: self.default_ttl(),
            max_ttl: self.progress.max_ttl,
            stopped: self.progress.stopped.clone().or_else(|| link.given_up()),
            private: None,
        }
    }

    /// A letter as faces see it; none if it shows nothing.
    pub(crate) fn message(&self, letter: &Letter) -> Option<MessageView> {
        let s = &letter.stored;
        Some(MessageView {
            room: self.id,
            id: letter.id(),
            from: s.name.clone(),
            shown: self.people.shown(&s.name, &s.sender),
            key: hex(&s.sender.0),
            own: letter.own(&self.own),
            text: s.text.clone()?,
            sent_at: s.sent_at,
            ttl: s.ttl.map(u64::from),
            ends_at: letter.ends_at(),
            cursor: s.cursor,
            state: letter.state(),
            unread: self.is_unread(letter),
            account: None,
            verified: false,
        })
    }

    /// The newest messages, in timeline order, and whether older ones exist.
    pub(crate) fn newest(&self, newest: usize) -> (Vec<MessageView>, bool) {
        let visible = || self.timeline.shown().filter(|l| !self.hold.holds(&l.stored.hash));
        let mut messages: Vec<MessageView> = visible().take(newest).filter_map(|l| self.message(l)).collect();
        messages.reverse();
        let more = visible().nth(newest).is_some() || self.timeline.lowest_seq().is_some_and(|seq| seq > 0);
        (messages, more)
    }

    /// Messages at hand that stand before one, newest first; and the local number below which the vault has more.
    pub(crate) fn at_hand_before(&self, before: &[u8; 32], limit: usize) -> Option<Vec<&Letter>> {
        let place = self.timeline.get(before)?.place();
        Some(self.timeline.shown_before(place).take(limit).collect())
    }

    /// The lowest local number at hand, or the next one.
    pub(crate) fn lowest_seq(&self) -> u64 {
        self.timeline.lowest_seq().unwrap_or(self.progress.next_seq)
    }

    pub(crate) fn people(&self, link: &LinkView<'_>, now: Millis) -> Vec<crate::view::PersonView> {
        self.people.views(&self.own, matches!((link, &self.attach), (LinkView::Up, Attach::Live)), now)
    }

    /// Everything up to the newest message is read.
    pub(crate) fn mark_read(&mut self) {
        self.progress.read_seq = self.progress.next_seq;
        self.timeline.all_read();
    }

    /// Sets the time to live of letters sent from here.
    pub(crate) fn set_ttl(&mut self, ttl: Option<u64>, cx: &mut Cx<'_>) -> Result<(), CommandError> {
        if let (Some(ttl), Some(max)) = (ttl, self.progress.max_ttl)
            && ttl > max
        {
            return Err(CommandError::TtlTooLong { max });
        }
        self.stored.ttl = ttl;
        self.stored.ttl_chosen = true;
        self.keep_opening(cx);
        Ok(())
    }

    /// Whether beats and presence are sent.
    pub(crate) fn set_sociable(&mut self, sociable: bool) {
        self.stored.sociable = sociable;
        self.transcript.set_sociable(sociable);
    }

    /// Sets the name used here.
    pub(crate) fn set_name(&mut self, name: String, cx: &mut Cx<'_>) {
        self.stored.own_name = name;
        self.keep_opening(cx);
    }

    /// This clock was set back: what waits must not wait longer than it would have.
    pub(crate) fn clock_went_back(&mut self, by: u64) {
        self.attach.clock_went_back(by);
        self.outbox.clock_went_back(by);
        self.presence.clock_went_back(by);
        self.hold.clock_went_back(by);
        self.people.clock_went_back(by);
        self.answers.clock_went_back(by);
        self.rescan = self.rescan.map(|at| at.saturating_sub(by));
    }

    /// Ends the turn for this room: what changed goes to the vault and to the faces.
    pub(crate) fn flush(&mut self, link: &LinkView<'_>, cx: &mut Cx<'_>) {
        for change in self.transcript.take_changes() {
            let name = names::transcript(self.id, &change.key);
            match change.value {
                Some(value) => cx.out.changes.put(name, value),
                None => cx.delete(name),
            }
        }
        self.timeline.shrink(self.outbox.lowest_seq().unwrap_or(u64::MAX));
        if self.progress != self.progress_kept {
            cx.put(names::kind(self.id, Tag::Progress), &self.progress);
            self.progress_kept = self.progress.clone();
        }
        let view = self.view(link);
        if self.last_view.as_ref() != Some(&view) {
            cx.event(Event::Room(view.clone()));
            self.last_view = Some(view);
        }
        if core::mem::take(&mut self.people.changed) {
            let people = self.people(link, cx.now);
            cx.event(Event::People { room: self.id, people });
        }
    }

    /// When [`Self::due`] has something to do.
    pub(crate) fn next_timeout(&self) -> Option<Millis> {
        // Each only where the part that acts on it would act, or the timer would come again and again.
        let live = matches!(self.attach, Attach::Live);
        let sends = self.sends();
        [
            self.attach.next_timeout(),
            self.hold.next_timeout(),
            self.next_release(),
            self.next_end(),
            self.people.next_timeout(),
            self.outbox.next_timeout().filter(|_| sends),
            self.presence.next_timeout().filter(|_| live),
            self.answers.next_timeout(live),
            self.rescan.filter(|_| live),
            self.transcript.next_timeout().filter(|_| !self.attach.asking()),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Does what is due, without a relay or with one.
    pub(crate) fn due(&mut self, mut session: Option<&mut crate::link::Session>, cx: &mut Cx<'_>) {
        self.end_letters(cx);
        self.release_future(cx);
        self.show_held_back(cx);
        self.people.due(cx.now);
        self.look_for_unseen(cx);
        if let Some(session) = session.as_deref_mut() {
            self.attach_due(session, cx);
        }
        self.ask(session.as_deref_mut(), cx);
        if let Some(session) = session {
            self.presence_due(session, cx);
            self.pump(session, cx);
        }
        let moved = self.transcript.take_moved();
        self.re_place(&moved, cx);
    }

    /// Takes all of it out of the vault.
    pub(crate) fn forget(&mut self, cx: &mut Cx<'_>) {
        cx.out.changes.clear(names::room(self.id));
        cx.delete(names::opening(self.id));
        cx.event(Event::RoomGone(self.id));
    }
}
