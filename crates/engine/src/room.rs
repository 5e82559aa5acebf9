//! One room: what is known of it, and what it does with frames, commands and time.
//!
//! It knows its log and its keys, and nothing of other rooms, of sockets or of the vault's seal. Each concern has its file:
//! attaching and reading, receiving, holding back, sending, who is here, questions, ends of life.

mod ask;
mod attach;
mod commits;
mod end;
mod enter;
mod faces;
mod follow;
mod group;
mod hold;
mod lock;
mod outbox;
mod past;
mod people;
mod presence;
mod receive;
mod sealed;
mod send;
mod stall;
mod timeline;
mod views;

pub(crate) use attach::refusal_in_words;
pub(crate) use enter::NewPrivate;
pub(crate) use people::hex;
pub(crate) use receive::duration;
pub(crate) use send::SendJob;
pub(crate) use timeline::{AT_HAND, Letter};
pub(crate) use views::exchange_views;

use std::collections::{BTreeMap, VecDeque};

use estoile_seal::SenderKey;
use estoile_seal::quick::{RoomKeys, RoomSecret};
use estoile_seal::transcript::{Hash, Transcript};
use estoile_wire::{LogId, Millis, PublicKey};

use crate::command::{CommandError, RelayAddress};
use crate::link::LinkView;
use crate::names::{self, Tag};
use crate::out::Cx;
use crate::patience::Patience;
use crate::private::{AccountId, KeptGroup, Private};
use crate::stored::{Progress, StoredBrought, StoredEnd, StoredHeld, StoredRoom, StoredSealed};
use crate::view::{Event, RelayId, RoomId, RoomView};

use ask::Answers;
use attach::Attach;
use commits::Commits;
use faces::Known;
use hold::Hold;
use lock::Lock;
use outbox::Outbox;
use people::People;
use presence::Presence;
use sealed::Sealed;
use timeline::Timeline;
use views::Views;

/// A room.
pub(crate) struct Room {
    pub(crate) id: RoomId,
    pub(crate) relay: RelayId,
    pub(crate) stored: StoredRoom,
    lock: Lock,
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
    patience: Patience,
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
    /// In a private room: what was sealed in this epoch, …
    sealed: Sealed,
    /// … the commit on its way, …
    commits: Commits,
    /// … what is said of other rooms here, …
    views: Views,
    /// … what faces are told of its people, …
    known: Known,
    /// … whose device a sender is, or was, …
    devices: BTreeMap<PublicKey, AccountId>,
    /// … and who has a leaf.
    leaves: BTreeMap<PublicKey, AccountId>,
    /// Letters that another device of ours brought along, with their local numbers.
    brought: BTreeMap<Hash, u64>,
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
    /// A private room's group.
    pub(crate) group: KeptGroup,
    /// Sealings of this epoch.
    pub(crate) sealed: Vec<(u64, StoredSealed)>,
    /// Letters that another device of ours brought along.
    pub(crate) brought: Vec<(u64, StoredBrought)>,
}

/// How a room is opened, as the vault has it; and as whom.
fn open_lock(id: RoomId, stored: &StoredRoom, progress: &Progress, group: KeptGroup) -> Option<(Lock, PublicKey)> {
    let Some(private) = &stored.private else {
        let keys = Box::new(RoomKeys::derive(&RoomSecret::from_bytes(stored.secret)));
        let sender = SenderKey::from_seed(&stored.sender_seed);
        let own = sender.public();
        return Some((Lock::Quick { keys, sender }, own));
    };
    let own = private.own.unwrap_or(PublicKey([0; 32]));
    let lock = match Private::restore(id, group) {
        Some(group) => Lock::Private(Box::new(group)),
        // Not in yet, or no more.
        None if private.own.is_none() || progress.is_out() => Lock::Outside(private.log),
        None => return None,
    };
    Some((lock, own))
}

impl Room {
    /// A room as the vault has it; a fresh one has nothing kept. None if what was kept can't be read.
    pub(crate) fn new(id: RoomId, relay: RelayId, stored: StoredRoom, progress: Progress, kept: Kept) -> Option<Self> {
        let (lock, own) = open_lock(id, &stored, &progress, kept.group)?;
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
        let mut outbox = Outbox::default();
        if let Some(log) = lock.log() {
            for letter in &kept.outbox {
                outbox.restore(letter, &log, own)?;
            }
        }
        let sealed = Sealed::restore(kept.sealed, lock.epoch(), &mut outbox);
        let mut room = Self {
            people,
            outbox,
            sealed,
            future: kept.future.into_iter().collect(),
            brought: kept.brought.into_iter().map(|(seq, brought)| (brought.hash, seq)).collect(),
            ends: kept.ends.into_iter().map(|(seq, end)| ((end.at, seq), end.hash)).collect(),
            ..Self::with(id, relay, stored, progress, lock, transcript, own)
        };
        for letter in kept.letters.into_iter().chain(kept.outbox) {
            let unread = room.is_unread(&letter);
            room.devices.extend(letter.stored.account.map(|account| (letter.stored.sender, account)));
            room.timeline.insert(letter, unread);
        }
        room.leaves = room.lock.private().into_iter().flat_map(Private::devices).collect();
        room.devices.extend(room.leaves.clone());
        Some(room)
    }

    /// A room with an empty past.
    fn with(
        id: RoomId,
        relay: RelayId,
        stored: StoredRoom,
        progress: Progress,
        lock: Lock,
        transcript: Transcript,
        own: PublicKey,
    ) -> Self {
        Self {
            id,
            relay,
            stored,
            lock,
            own,
            progress_kept: progress.clone(),
            progress,
            transcript,
            timeline: Timeline::default(),
            people: People::default(),
            outbox: Outbox::default(),
            waiting: VecDeque::new(),
            attach: Attach::Out,
            hold: Hold::default(),
            future: BTreeMap::new(),
            ends: BTreeMap::new(),
            presence: Presence::default(),
            answers: Answers::default(),
            rescan: None,
            patience: Patience::default(),
            last_view: None,
            unseen_told: false,
            read_up: false,
            sealed: Sealed::default(),
            commits: Commits::default(),
            views: Views::default(),
            known: Known::default(),
            devices: BTreeMap::new(),
            leaves: BTreeMap::new(),
            brought: BTreeMap::new(),
        }
    }

    /// The room's log; none while we wait to be let in.
    pub(crate) fn log(&self) -> Option<LogId> {
        self.lock.log()
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

    /// Sets the name used here; in a private room the account's name counts.
    pub(crate) fn set_name(&mut self, name: String, cx: &mut Cx<'_>) {
        if self.is_private() {
            return;
        }
        self.stored.own_name = name;
        self.keep_opening(cx);
    }

    /// This clock was set back: what waits must not wait longer than it would have.
    pub(crate) fn clock_went_back(&mut self, by: u64) {
        self.attach.clock_went_back(by);
        self.patience.clock_went_back(by);
        self.outbox.clock_went_back(by);
        self.presence.clock_went_back(by);
        self.hold.clock_went_back(by);
        self.people.clock_went_back(by);
        self.answers.clock_went_back(by);
        self.commits.clock_went_back(by);
        if let Some(private) = self.lock.private_mut() {
            private.clock_went_back(by);
        }
        self.rescan = self.rescan.map(|at| at.saturating_sub(by));
    }

    /// Ends the turn for this room: what changed goes to the vault and to the faces.
    pub(crate) fn flush(&mut self, link: &LinkView<'_>, cx: &mut Cx<'_>) {
        if let Some(private) = self.lock.private_mut() {
            private.flush(cx);
        }
        self.learn_known(cx.book);
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
            self.stalls_at(),
            self.hold.next_timeout(),
            self.next_release(),
            self.next_end(),
            self.people.next_timeout(),
            self.outbox.next_timeout().filter(|_| sends),
            self.presence.next_timeout().filter(|_| live),
            self.answers.next_timeout(live),
            self.rescan.filter(|_| live),
            self.transcript.next_timeout().filter(|_| !self.attach.asking()),
            self.next_commit(),
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
        self.group_due(cx);
        if let Some(session) = session.as_deref_mut() {
            self.attach_due(session, cx);
        }
        self.ask(session.as_deref_mut(), cx);
        if let Some(session) = session {
            self.presence_due(session, cx);
            self.pump(session, cx);
            self.pump_commit(session, cx);
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

#[cfg(test)]
mod tests;
