//! One log's live state: who is attached and how far, which letters it knows, what is on its way to the disk.
//!
//! It holds no bodies (they are in the store) and checks no proofs (that was done before).

mod attach;
mod shelf;
mod tickets;

use std::collections::BTreeMap;

use bytes::Bytes;
use estoile_wire::frame::{Created, Kept, RelayFrame};
use estoile_wire::id::{LogKind, TicketHash};
use estoile_wire::{Cursor, Id16, Millis, PublicKey, Refusal};

pub(crate) use attach::{Attachment, Caught, Entrance};
pub(crate) use shelf::{Item, Place, Resorts, Shelf};
use tickets::Usage;

use crate::codes::Share;
use crate::config::Config;
use crate::queue::{Class, Outbox};
use crate::rate::Bucket;
use crate::shard::No;
use crate::store::{LiveId, LogMeta};

/// A session's number on this relay: random or counted, never told to anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

/// Who asks: a session, where its answers go, and which request of it this is.
#[derive(Clone, Debug)]
pub struct Asker<Q> {
    /// The session.
    pub session: SessionId,
    /// Where its answers go.
    pub outbox: Q,
    /// The request's number, chosen by the client.
    pub request: u64,
}

/// Where an attachment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It reads pages from the store and gets no pushes.
    CatchingUp,
    /// It has everything and gets each record as it becomes durable.
    Live,
}

#[derive(Debug)]
struct InFlight<Q> {
    cursor: Cursor,
    time: Millis,
    expires: Millis,
    waiting: Vec<Asker<Q>>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    cursor: Cursor,
    time: Millis,
    expires: Millis,
}

/// What a log knows about a letter's id.
pub(crate) enum Seen {
    New,
    /// It lives, here.
    Kept(Cursor, Millis),
    /// It is on its way to the disk; who asks will be answered with the first.
    Waits,
    /// It is on its way, and too many wait for it.
    Crowded,
}

/// The end of an epoch on its way to the disk. Until it is there, or not, nothing else is added to the log.
#[derive(Debug)]
pub(crate) struct Advancing<Q> {
    id16: Id16,
    next: PublicKey,
    /// Whose appends came too late if it gets there.
    waiting: Vec<Asker<Q>>,
}

/// A log's life: is it on the disk?
#[derive(Debug)]
pub(crate) enum Life<Q> {
    /// Its creation is on the way to the disk; these wait for it.
    Creating(Vec<Asker<Q>>),
    Here,
    /// Its removal is on the way to the disk.
    Ending,
}

#[derive(Debug)]
pub(crate) struct Log<Q> {
    pub(crate) meta: LogMeta,
    pub(crate) life: Life<Q>,
    /// The highest cursor given out, durable or not; one is never given twice.
    pub(crate) assigned: Cursor,
    /// What its durable records count, by `charge`.
    pub(crate) bytes: u64,
    /// What its records on the way to the disk count.
    pub(crate) staged: u64,
    /// What expired before its commit was handed back: a driver may hear of the one before the other.
    early: u64,
    share: Share,
    /// The ids of live records; absent while nobody needs them.
    index: Option<BTreeMap<Id16, Known>>,
    in_flight: BTreeMap<Id16, InFlight<Q>>,
    /// Sorted by session.
    attachments: Vec<Attachment<Q>>,
    /// Records that are durable and not yet pushed.
    fresh: Vec<(Cursor, Bytes)>,
    last_visit: Millis,
    touched: Millis,
    advancing: Option<Advancing<Q>>,
    /// The access key of the epoch before, if it ended since the relay has started.
    pub(crate) before: Option<PublicKey>,
    /// How often its epoch moves.
    pub(crate) advances: Bucket,
    /// What its tickets were used for today, or since the relay has started.
    usage: BTreeMap<TicketHash, Usage>,
    /// What it has to give, if it is a shelf; absent while nobody needs it.
    pub(crate) shelf: Option<Shelf>,
    /// How often slots' last resorts were taken.
    pub(crate) resorts: Resorts,
    /// A put is on its way to the disk.
    pub(crate) putting: bool,
    /// Puts and takes on their way to the disk.
    pub(crate) busy: usize,
}

impl<Q: Outbox> Log<Q> {
    pub(crate) fn new(meta: LogMeta, life: Life<Q>, bytes: u64, share: Share, now: Millis) -> Self {
        let assigned = meta.last;
        // A new log knows all its letters: none.
        let index = matches!(life, Life::Creating(_)).then(BTreeMap::new);
        let shelf = index.as_ref().map(|_| Shelf::default());
        let last_visit = meta.created;
        Self {
            meta,
            life,
            assigned,
            bytes,
            staged: 0,
            early: 0,
            share,
            index,
            in_flight: BTreeMap::new(),
            attachments: Vec::new(),
            fresh: Vec::new(),
            last_visit,
            touched: now,
            advancing: None,
            before: None,
            advances: Bucket::default(),
            usage: BTreeMap::new(),
            shelf,
            resorts: Resorts::default(),
            putting: false,
            busy: 0,
        }
    }

    pub(crate) fn is_here(&self) -> bool {
        matches!(self.life, Life::Here)
    }

    /// The relay's maximum bounds every ttl, even of a log that was made under a longer one.
    pub(crate) fn max_ttl(&self, config: &Config) -> u64 {
        self.meta.max_ttl.min(config.limits().max_ttl)
    }

    pub(crate) fn created(&self, request: u64) -> Bytes {
        let Self { meta, .. } = self;
        let frame = Created { request, log: meta.id, max_ttl: meta.max_ttl, quota: meta.quota };
        RelayFrame::Created(frame).encode().into()
    }

    // ── Duplicates ──────────────────────────────────────────────────────────────────────────────────────────────────

    pub(crate) fn is_warm(&self) -> bool {
        if self.is_shelf() { self.shelf.is_some() } else { self.index.is_some() }
    }

    pub(crate) fn is_shelf(&self) -> bool {
        self.meta.kind == LogKind::Shelf
    }

    /// Somebody needs it now.
    pub(crate) fn touch(&mut self, now: Millis) {
        self.touched = now;
    }

    /// Takes the ids of all live records, read when the log's newest cursor was `at`. Says whether they are still all.
    pub(crate) fn warm(&mut self, at: Cursor, ids: Vec<LiveId>) -> bool {
        if self.index.is_none() && self.assigned == at {
            let known = |id: LiveId| (id.id16, Known { cursor: id.cursor, time: id.time, expires: id.expires });
            self.index = Some(ids.into_iter().map(known).collect());
        }
        self.index.is_some()
    }

    /// Whether a letter is known; a repeat of one in flight waits for its answer.
    pub(crate) fn seen(&mut self, now: Millis, id16: &Id16, asker: &Asker<Q>, config: &Config) -> Seen {
        if let Some(first) = self.in_flight.get_mut(id16) {
            if first.waiting.len() >= config.max_waiting_repeats {
                return Seen::Crowded;
            }
            first.waiting.push(asker.clone());
            return Seen::Waits;
        }
        match self.index.as_ref().and_then(|index| index.get(id16)) {
            Some(known) if now < known.expires => Seen::Kept(known.cursor, known.time),
            _ => Seen::New,
        }
    }

    pub(crate) fn start(&mut self, id16: Id16, now: Millis, expires: Millis, asker: Asker<Q>) -> Cursor {
        self.assigned = self.assigned.saturating_add(1);
        let first = InFlight { cursor: self.assigned, time: now, expires, waiting: vec![asker] };
        self.in_flight.insert(id16, first);
        self.assigned
    }

    /// So much is on its way to the disk.
    pub(crate) fn staging(&mut self, cost: u64) {
        self.account(self.bytes, self.staged.saturating_add(cost));
    }

    /// So much has got there, or not.
    pub(crate) fn landed(&mut self, cost: u64, durable: bool) {
        let staged = self.staged.saturating_sub(cost);
        let known = if durable { cost } else { 0 };
        let paid = known.min(self.early);
        self.early -= paid;
        self.account(self.bytes.saturating_add(known - paid), staged);
    }

    /// So much has expired.
    pub(crate) fn expired(&mut self, bytes: u64) {
        self.early = self.early.saturating_add(bytes.saturating_sub(self.bytes));
        self.account(self.bytes.saturating_sub(bytes), self.staged);
    }

    /// Says what it holds to itself and to its entry code's count.
    fn account(&mut self, bytes: u64, staged: u64) {
        self.bytes = bytes;
        self.staged = staged;
        self.share.set(bytes.saturating_add(staged));
    }

    /// Room for so much more, by its quota and its entry code's.
    pub(crate) fn has_room(&self, cost: u64, config: &Config) -> Result<(), No> {
        if self.bytes.saturating_add(self.staged).saturating_add(cost) > self.meta.quota {
            return Err(No::above(Refusal::LogFull, self.meta.quota));
        }
        if self.code_has_room(cost, config) {
            Ok(())
        } else {
            Err(No::above(Refusal::EntryUsedUp, config.bytes_per_code))
        }
    }

    /// So much more is held, as if it had been durable already.
    pub(crate) fn hold(&mut self, bytes: u64) {
        self.account(self.bytes.saturating_add(bytes), self.staged);
    }

    // ── Epochs ──────────────────────────────────────────────────────────────────────────────────────────────────────

    /// The epoch's end is on its way to the disk, as the record with this id.
    pub(crate) fn advance(&mut self, id16: Id16, next: PublicKey) {
        self.advancing = Some(Advancing { id16, next, waiting: Vec::new() });
    }

    /// While the epoch's end is on its way, whoever appends waits for what comes of it: `None`. Else the asker is given
    /// back.
    pub(crate) fn overtaken(&mut self, asker: Asker<Q>, config: &Config) -> Result<Option<Asker<Q>>, No> {
        match &mut self.advancing {
            None => Ok(Some(asker)),
            Some(advancing) if advancing.waiting.len() < config.max_waiting_repeats => {
                advancing.waiting.push(asker);
                Ok(None)
            }
            Some(_) => Err(No::wait(Refusal::Busy, crate::shard::BUSY_WAIT_MS)),
        }
    }

    fn take_advancing(&mut self, id16: &Id16) -> Option<Advancing<Q>> {
        self.advancing.take_if(|advancing| advancing.id16 == *id16)
    }

    /// A record became durable: if it ended the epoch, the next one begins.
    fn move_epoch(&mut self, id16: &Id16, cursor: Cursor) {
        let Some(Advancing { next, waiting, .. }) = self.take_advancing(id16) else { return };
        let ended = self.meta.epoch;
        self.meta.epoch = ended.saturating_add(1);
        self.before = Some(core::mem::replace(&mut self.meta.access_key, next));
        self.end_epoch(ended, cursor);
        let no = No::above(Refusal::StaleEpoch, self.meta.epoch);
        for asker in waiting {
            asker.outbox.push(no.frame(Some(asker.request), Some(self.meta.id)), Class::Answer);
        }
    }

    pub(crate) fn code_has_room(&self, more: u64, config: &Config) -> bool {
        self.share.has_room(more, config)
    }

    // ── After the commit ────────────────────────────────────────────────────────────────────────────────────────────

    /// A record became durable: who waited is answered, and it is ready to be pushed. Says whether it is the first one
    /// ready.
    pub(crate) fn kept(&mut self, id16: &Id16, frame: Bytes) -> bool {
        let Some(first) = self.in_flight.remove(id16) else { return false };
        let InFlight { cursor, time, expires, waiting } = first;
        if let Some(index) = &mut self.index {
            index.insert(*id16, Known { cursor, time, expires });
        }
        self.meta.last = self.meta.last.max(cursor);
        self.meta.last_write = Some(time);
        self.meta.last_expiry = self.meta.last_expiry.max(expires);
        self.move_epoch(id16, cursor);
        for asker in waiting {
            answer_kept(&asker, cursor, time);
        }
        self.fresh.push((cursor, frame));
        self.fresh.len() == 1
    }

    /// A record did not become durable: who waited is given back.
    pub(crate) fn lost(&mut self, id16: &Id16) -> Vec<Asker<Q>> {
        let mut waiting = self.in_flight.remove(id16).map(|first| first.waiting).unwrap_or_default();
        // Those who would have been too late were not.
        waiting.extend(self.take_advancing(id16).into_iter().flat_map(|advancing| advancing.waiting));
        waiting
    }

    // ── Attachments (see also `attach`) ─────────────────────────────────────────────────────────────────────────────

    pub(crate) fn attached(&self) -> usize {
        self.attachments.len()
    }

    /// Whether any part of the log still speaks of a session.
    pub(crate) fn knows(&self, session: SessionId) -> bool {
        let creating = if let Life::Creating(waiting) = &self.life { waiting.as_slice() } else { &[] };
        let overtaken = self.advancing.iter().flat_map(|advancing| &advancing.waiting);
        let waiting = self.in_flight.values().flat_map(|first| &first.waiting).chain(overtaken).chain(creating);
        self.attachment(session).is_some() || waiting.into_iter().any(|w| w.session == session)
    }

    // ── Time ────────────────────────────────────────────────────────────────────────────────────────────────────────

    /// When the log ends if nobody comes: a day after it was made or last visited; and one that was written to no sooner
    /// than `max_ttl`, and no sooner than a day, after its last record is over.
    fn ends(&self, config: &Config) -> Millis {
        let visited = self.last_visit.saturating_add(config.idle_log_ms);
        if self.meta.last_write.is_none() {
            return visited;
        }
        let outlives = self.meta.max_ttl.saturating_mul(1000).max(config.idle_log_ms);
        visited.max(self.meta.last_expiry.saturating_add(outlives))
    }

    pub(crate) fn is_over(&self, now: Millis, config: &Config) -> bool {
        let idle = self.attachments.is_empty() && self.in_flight.is_empty() && self.busy == 0;
        self.is_here() && idle && self.ends(config) <= now
    }

    /// Lets go of ids whose records are over, and of all of them when nobody was here for a while.
    pub(crate) fn tidy(&mut self, now: Millis, keep_ms: u64) {
        let idle = self.attachments.is_empty() && self.in_flight.is_empty() && self.busy == 0 && self.is_here();
        if idle && self.touched.saturating_add(keep_ms) <= now {
            self.index = None;
            self.shelf = None;
        } else if let Some(index) = &mut self.index {
            index.retain(|_, known| now < known.expires);
        }
    }
}

pub(crate) fn answer_kept<Q: Outbox>(asker: &Asker<Q>, cursor: Cursor, time: Millis) {
    let kept = Kept { request: asker.request, cursor, time };
    asker.outbox.push(RelayFrame::Kept(kept).encode().into(), Class::Answer);
}
