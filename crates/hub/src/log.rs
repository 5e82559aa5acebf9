//! One log's live state: who is attached and how far, which letters it knows, what is on its way to the disk.
//!
//! It holds no bodies (they are in the store) and checks no proofs (that was done before).

use std::collections::BTreeMap;

use bytes::Bytes;
use estoile_wire::frame::{Attached, Created, Kept, Lagged, Live, RelayFrame};
use estoile_wire::{Cursor, Id16, LogId, Millis, PublicKey};

use crate::codes::Share;
use crate::config::Config;
use crate::queue::{Class, Outbox};
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
struct Attachment<Q> {
    session: SessionId,
    outbox: Q,
    standing: Standing,
    sent: Cursor,
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
}

impl<Q: Outbox> Log<Q> {
    pub(crate) fn new(meta: LogMeta, life: Life<Q>, bytes: u64, share: Share, now: Millis) -> Self {
        let assigned = meta.last;
        // A new log knows all its letters: none.
        let index = matches!(life, Life::Creating(_)).then(BTreeMap::new);
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
        }
    }

    pub(crate) fn is_here(&self) -> bool {
        matches!(self.life, Life::Here)
    }

    pub(crate) fn access_key(&self) -> PublicKey {
        self.meta.access_key
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
        self.index.is_some()
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
        for asker in waiting {
            answer_kept(&asker, cursor, time);
        }
        self.fresh.push((cursor, frame));
        self.fresh.len() == 1
    }

    /// A record did not become durable: who waited is given back.
    pub(crate) fn lost(&mut self, id16: &Id16) -> Vec<Asker<Q>> {
        self.in_flight.remove(id16).map(|first| first.waiting).unwrap_or_default()
    }

    /// Pushes all that became durable to every live attachment.
    pub(crate) fn publish(&mut self) {
        let fresh = core::mem::take(&mut self.fresh);
        let frames: Vec<Bytes> = fresh.iter().map(|(_, frame)| frame.clone()).collect();
        let first = fresh.first().map_or(0, |(cursor, _)| *cursor);
        let log = self.meta.id;
        self.attachments.retain_mut(|a| {
            if a.standing != Standing::Live {
                return true;
            }
            // Whoever went live with a page that the disk already had, has the first of these.
            let skip = if a.sent < first { 0 } else { fresh.partition_point(|(cursor, _)| *cursor <= a.sent) };
            let todo = frames.get(skip..).unwrap_or_default();
            let pushed = a.outbox.push_all(todo);
            if let Some((cursor, _)) = fresh.get(..skip.saturating_add(pushed)).and_then(<[_]>::last) {
                a.sent = a.sent.max(*cursor);
            }
            if pushed < todo.len() {
                let lagged = Lagged { log, cursor: a.sent };
                a.outbox.push(RelayFrame::Lagged(lagged).encode().into(), Class::Answer);
                return false;
            }
            true
        });
    }

    // ── Attachments ─────────────────────────────────────────────────────────────────────────────────────────────────

    fn find(&self, session: SessionId) -> Result<usize, usize> {
        self.attachments.binary_search_by_key(&session, |a| a.session)
    }

    pub(crate) fn standing(&self, session: SessionId) -> Option<Standing> {
        self.find(session).ok().and_then(|at| self.attachments.get(at)).map(|a| a.standing)
    }

    /// Attaches, anew if the session is attached already. Who needs nothing from the store is live at once.
    pub(crate) fn attach(
        &mut self,
        now: Millis,
        asker: &Asker<Q>,
        after: Cursor,
        newest: Option<u64>,
        config: &Config,
    ) {
        let last = self.meta.last;
        let standing = if after >= last || newest == Some(0) { Standing::Live } else { Standing::CatchingUp };
        let sent = if standing == Standing::Live { last } else { after };
        let attachment = Attachment { session: asker.session, outbox: asker.outbox.clone(), standing, sent };
        match self.find(asker.session) {
            Ok(at) => {
                if let Some(old) = self.attachments.get_mut(at) {
                    *old = attachment;
                }
            }
            Err(at) => self.attachments.insert(at, attachment),
        }
        self.touched = now;
        let Self { meta, .. } = self;
        let max_ttl = meta.max_ttl.min(config.limits().max_ttl);
        let attached = Attached { request: asker.request, log: meta.id, epoch: meta.epoch, last, max_ttl };
        asker.outbox.push(RelayFrame::Attached(attached).encode().into(), Class::Answer);
        if standing == Standing::Live {
            answer_live(&asker.outbox, meta.id, last);
        }
    }

    /// Makes an attachment live that has everything up to `through`, or says that there is more.
    pub(crate) fn caught_up(&mut self, session: SessionId, through: Cursor) -> bool {
        let (last, log) = (self.meta.last, self.meta.id);
        let Some(a) = self.find(session).ok().and_then(|at| self.attachments.get_mut(at)) else { return false };
        if last > through {
            return false;
        }
        a.standing = Standing::Live;
        a.sent = through;
        answer_live(&a.outbox, log, through);
        true
    }

    /// Ends an attachment. Says whether the session still waits for answers from this log.
    pub(crate) fn detach(&mut self, now: Millis, session: SessionId) -> bool {
        if let Ok(at) = self.find(session) {
            self.attachments.remove(at);
            self.last_visit = self.last_visit.max(now);
            self.touched = now;
            if self.attachments.is_empty() {
                self.attachments = Vec::new();
            }
        }
        self.in_flight.values().any(|first| first.waiting.iter().any(|w| w.session == session))
    }

    /// Forgets a session that has ended.
    pub(crate) fn release(&mut self, now: Millis, session: SessionId) {
        self.detach(now, session);
        let creating = if let Life::Creating(waiting) = &mut self.life { Some(waiting) } else { None };
        for waiting in self.in_flight.values_mut().map(|first| &mut first.waiting).chain(creating) {
            waiting.retain(|w| w.session != session);
        }
    }

    /// Forwards a frame to everybody attached but one.
    pub(crate) fn forward(&self, from: SessionId, frame: &Bytes) {
        for a in self.attachments.iter().filter(|a| a.session != from) {
            // No room: signals may be lost, they tell of a moment.
            let _ = a.outbox.push(frame.clone(), Class::Delivery);
        }
    }

    pub(crate) fn attached(&self) -> usize {
        self.attachments.len()
    }

    /// Whether any part of the log still speaks of a session.
    pub(crate) fn knows(&self, session: SessionId) -> bool {
        let creating = if let Life::Creating(waiting) = &self.life { waiting.as_slice() } else { &[] };
        let waiting = self.in_flight.values().flat_map(|first| &first.waiting).chain(creating);
        self.find(session).is_ok() || waiting.into_iter().any(|w| w.session == session)
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
        self.is_here() && self.attachments.is_empty() && self.in_flight.is_empty() && self.ends(config) <= now
    }

    /// Lets go of ids whose records are over, and of all of them when nobody was here for a while.
    pub(crate) fn tidy(&mut self, now: Millis, keep_ms: u64) {
        let idle = self.attachments.is_empty() && self.in_flight.is_empty() && self.is_here();
        if idle && self.touched.saturating_add(keep_ms) <= now {
            self.index = None;
        } else if let Some(index) = &mut self.index {
            index.retain(|_, known| now < known.expires);
        }
    }
}

pub(crate) fn answer_kept<Q: Outbox>(asker: &Asker<Q>, cursor: Cursor, time: Millis) {
    let kept = Kept { request: asker.request, cursor, time };
    asker.outbox.push(RelayFrame::Kept(kept).encode().into(), Class::Answer);
}

fn answer_live<Q: Outbox>(outbox: &Q, log: LogId, cursor: Cursor) {
    outbox.push(RelayFrame::Live(Live { log, cursor }).encode().into(), Class::Answer);
}
