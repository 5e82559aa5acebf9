//! A part of a relay's logs, under one lock of the driver's: create, attach, append, signal, commit, expire.
//!
//! A shard knows no sockets and no disk. What must become durable is *staged*; the driver takes the staged writes of all
//! shards, makes them durable in one commit, and hands the outcome back, and only then is anything acknowledged or pushed:
//!
//! 1. [`Session::receive`](crate::session::Session::receive) validates and stages;
//! 2. [`Shard::take_staged`] gives a [`Batch`], in order, whose `writes` go into one [`Store::commit`](crate::store::Store::commit);
//! 3. [`Shard::committed`] publishes to live attachments and answers the senders, or tells them that nothing was kept.
//!
//! Batches of one shard are committed and handed back in the order they were taken.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use estoile_wire::frame::{Append, Record, Refused, RelayFrame, Signal, Signalled};
use estoile_wire::id::LogKind;
use estoile_wire::limits::{MAX_BODY, MAX_SIGNAL};
use estoile_wire::{Cursor, Id16, LogId, Millis, PublicKey, Refusal};

use crate::codes::Codes;
use crate::config::Config;
use crate::log::{Asker, Life, Log, Seen, SessionId, Standing, answer_kept};
use crate::queue::{Class, Outbox};
use crate::store::{EntryTag, Expired, LiveId, LogMeta, LogState, NewRecord, StoreError, Write, charge};

/// How long the ids of a log that nobody is attached to stay in memory.
const KEEP_INDEX_MS: u64 = 60_000;
/// What a client is told to wait when staging is full or a log is being removed: some commits later there is room.
const BUSY_WAIT_MS: u64 = 50;

/// A refusal with the numbers that explain it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct No {
    /// Why.
    pub code: Refusal,
    /// The limit exceeded, or the current epoch.
    pub limit: Option<u64>,
    /// When trying again makes sense.
    pub wait_ms: Option<u64>,
}

impl No {
    /// Without numbers.
    #[must_use]
    pub const fn because(code: Refusal) -> Self {
        Self { code, limit: None, wait_ms: None }
    }

    /// With the limit that was exceeded.
    #[must_use]
    pub const fn above(code: Refusal, limit: u64) -> Self {
        Self { code, limit: Some(limit), wait_ms: None }
    }

    /// With the time to wait.
    #[must_use]
    pub const fn wait(code: Refusal, wait_ms: u64) -> Self {
        Self { code, limit: None, wait_ms: Some(wait_ms) }
    }

    /// The frame that tells it.
    #[must_use]
    pub fn frame(self, request: Option<u64>, log: Option<LogId>) -> Bytes {
        let Self { code, limit, wait_ms } = self;
        RelayFrame::Refused(Refused { request, code, limit, wait_ms, log }).encode().into()
    }
}

/// Why a commit failed, as the clients are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No room.
    DiskFull,
    /// Anything else.
    StoreFailed,
}

impl From<&StoreError> for Failure {
    fn from(error: &StoreError) -> Self {
        if *error == StoreError::Full { Self::DiskFull } else { Self::StoreFailed }
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::DiskFull => Self::DiskFull,
            Failure::StoreFailed => Self::StoreFailed,
        }
    }
}

#[derive(Debug)]
enum Pending {
    Create(LogId),
    Drop(LogId),
    Append { log: LogId, id16: Id16, cost: u64, frame: Bytes },
}

/// Writes on their way to the disk, in order. It must come back through [`Shard::committed`], or its senders wait for ever.
#[derive(Debug, Default)]
#[must_use = "hand it back through `Shard::committed`"]
pub struct Batch {
    /// What to commit. The driver may take it out (and put several shards' writes into one commit).
    pub writes: Vec<Write>,
    pending: Vec<Pending>,
}

impl Batch {
    /// Nothing to commit.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }
}

/// What a signature must be checked against before a session is attached.
#[derive(Clone, Copy, Debug)]
pub struct Door {
    /// The current epoch's access key.
    pub access_key: PublicKey,
    /// The current epoch.
    pub epoch: u64,
    /// The ids of the log's live records must be read and handed to [`Shard::warm`] before somebody appends; they count
    /// if this is still the highest cursor.
    pub cold: Option<Cursor>,
}

/// A creation whose signature and entry code were checked: [`Session`](crate::session::Session) makes these.
#[derive(Clone, Debug)]
pub(crate) struct Admitted {
    pub(crate) id: LogId,
    pub(crate) kind: LogKind,
    pub(crate) access_key: PublicKey,
    pub(crate) max_ttl: u64,
    pub(crate) quota: u64,
    pub(crate) entry: Option<EntryTag>,
}

/// Some of a relay's logs. See the module for the order of calls.
#[derive(Debug)]
pub struct Shard<Q> {
    config: Arc<Config>,
    codes: Codes,
    logs: BTreeMap<LogId, Log<Q>>,
    batch: Batch,
    /// Bytes staged and not yet handed back.
    staged: usize,
    disk_full: bool,
    loaded: Millis,
}

impl<Q: Outbox> Shard<Q> {
    /// An empty shard. All shards of a relay share their `codes`.
    #[must_use]
    pub fn new(config: Arc<Config>, codes: Codes) -> Self {
        let batch = Batch::default();
        Self { config, codes, logs: BTreeMap::new(), batch, staged: 0, disk_full: false, loaded: 0 }
    }

    /// Takes the logs that the store had when the relay started.
    pub fn load(&mut self, now: Millis, states: impl IntoIterator<Item = LogState>) {
        self.loaded = now;
        for LogState { meta, bytes, .. } in states {
            let share = self.codes.reopen(meta.entry, bytes);
            self.logs.insert(meta.id, Log::new(meta, Life::Here, bytes, share, now));
        }
    }

    /// Says whether the store holds as much as it may: then nothing new is staged until it is told otherwise.
    pub fn set_disk_full(&mut self, full: bool) {
        self.disk_full = full;
    }

    fn here(&mut self, log: &LogId) -> Option<&mut Log<Q>> {
        self.logs.get_mut(log).filter(|l| l.is_here())
    }

    // ── Creating ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Makes a log, or answers a repeat.
    pub(crate) fn create(&mut self, now: Millis, asker: Asker<Q>, new: &Admitted) {
        let request = asker.request;
        let outbox = asker.outbox.clone();
        if let Err(no) = self.try_create(now, asker, new) {
            outbox.push(no.frame(Some(request), Some(new.id)), Class::Answer);
        }
    }

    fn try_create(&mut self, now: Millis, asker: Asker<Q>, new: &Admitted) -> Result<(), No> {
        if let Some(log) = self.logs.get_mut(&new.id) {
            if log.meta.max_ttl != new.max_ttl || log.meta.quota != new.quota {
                return Err(No::because(Refusal::Exists));
            }
            match &mut log.life {
                Life::Here => {
                    asker.outbox.push(log.created(asker.request), Class::Answer);
                }
                Life::Creating(waiting) if waiting.len() < self.config.max_waiting_repeats => waiting.push(asker),
                Life::Creating(_) | Life::Ending => return Err(No::wait(Refusal::Busy, BUSY_WAIT_MS)),
            }
            return Ok(());
        }
        if self.disk_full {
            return Err(No::above(Refusal::DiskFull, self.config.max_disk));
        }
        if self.staged >= self.config.staged_bytes {
            return Err(No::wait(Refusal::Busy, BUSY_WAIT_MS));
        }
        let share = self.codes.open(new.entry, &self.config).map_err(|(code, limit)| No::above(code, limit))?;
        let meta = LogMeta {
            id: new.id,
            kind: new.kind,
            epoch: 0,
            access_key: new.access_key,
            max_ttl: new.max_ttl,
            quota: new.quota,
            last: 0,
            created: now,
            last_write: None,
            last_expiry: 0,
            entry: new.entry,
        };
        self.batch.writes.push(Write::PutLog(meta.clone()));
        self.batch.pending.push(Pending::Create(new.id));
        self.staged = self.staged.saturating_add(size_of::<LogMeta>());
        self.logs.insert(new.id, Log::new(meta, Life::Creating(vec![asker]), 0, share, now));
        Ok(())
    }

    // ── Attaching ───────────────────────────────────────────────────────────────────────────────────────────────────

    /// What a session needs to know to check a proof; `None`: no such log.
    #[must_use]
    pub fn door(&self, log: &LogId) -> Option<Door> {
        let log = self.logs.get(log).filter(|l| l.is_here())?;
        let cold = (!log.is_warm()).then_some(log.assigned);
        Some(Door { access_key: log.access_key(), epoch: log.meta.epoch, cold })
    }

    /// Takes the ids of a log's live records, read after [`Shard::door`] gave the cursor `at`.
    pub(crate) fn warm(&mut self, log: &LogId, at: Cursor, ids: Vec<LiveId>) {
        if let Some(log) = self.here(log) {
            log.warm(at, ids);
        }
    }

    /// Attaches a session whose proof was checked against the door. `Some(true)`: it must catch up from the store;
    /// `Some(false)`: it is live; `None`: the log has ended meanwhile, or its ids must be read again.
    pub(crate) fn attach(
        &mut self,
        now: Millis,
        asker: &Asker<Q>,
        log: &LogId,
        after: Cursor,
        newest: Option<u64>,
    ) -> Option<bool> {
        let config = Arc::clone(&self.config);
        let log = self.here(log).filter(|l| l.is_warm())?;
        log.attach(now, asker, after, newest, &config);
        Some(log.standing(asker.session) == Some(Standing::CatchingUp))
    }

    /// Where a session stands in a log; `None` if it is not attached.
    #[must_use]
    pub fn standing(&self, session: SessionId, log: &LogId) -> Option<Standing> {
        self.logs.get(log)?.standing(session)
    }

    /// The newest published cursor of a log, as long as this session catches up in it: what a page that is read after
    /// this call, and has no more behind it, reaches at least.
    #[must_use]
    pub fn target(&self, session: SessionId, log: &LogId) -> Option<Cursor> {
        let log = self.logs.get(log).filter(|l| l.is_here())?;
        (log.standing(session)? == Standing::CatchingUp).then_some(log.meta.last)
    }

    /// Makes a session live that has read everything up to `through`. `false`: more was published meanwhile, or it is
    /// not attached any more.
    pub fn caught_up(&mut self, session: SessionId, log: &LogId, through: Cursor) -> bool {
        self.here(log).is_some_and(|log| log.caught_up(session, through))
    }

    /// Ends an attachment. Says whether the session still waits for answers from the log.
    pub fn detach(&mut self, now: Millis, session: SessionId, log: &LogId) -> bool {
        self.logs.get_mut(log).is_some_and(|log| log.detach(now, session))
    }

    /// Forgets all that a session which ended had in a log.
    pub fn release(&mut self, now: Millis, session: SessionId, log: &LogId) {
        if let Some(log) = self.logs.get_mut(log) {
            log.release(now, session);
        }
    }

    /// Whether a log has anything of a session.
    pub(crate) fn holds(&self, session: SessionId, log: &LogId) -> bool {
        self.logs.get(log).is_some_and(|log| log.knows(session))
    }

    /// Whether anything in this shard still speaks of a session.
    #[must_use]
    pub fn knows(&self, session: SessionId) -> bool {
        self.logs.values().any(|log| log.knows(session))
    }

    // ── Appending and signals ───────────────────────────────────────────────────────────────────────────────────────

    /// Stages a record, or answers a repeat.
    pub(crate) fn append(&mut self, now: Millis, asker: Asker<Q>, append: &Append<'_>) {
        let request = asker.request;
        let outbox = asker.outbox.clone();
        if let Err(no) = self.try_append(now, asker, append) {
            outbox.push(no.frame(Some(request), Some(append.log)), Class::Answer);
        }
    }

    fn try_append(&mut self, now: Millis, asker: Asker<Q>, append: &Append<'_>) -> Result<(), No> {
        let (config, staged, disk_full) = (Arc::clone(&self.config), self.staged, self.disk_full);
        let log = self.here(&append.log).filter(|l| l.standing(asker.session).is_some());
        let log = log.ok_or(No::because(Refusal::NotAttached))?;
        match log.seen(now, &append.id16, &asker, &config) {
            Seen::New => {}
            Seen::Waits => return Ok(()),
            Seen::Crowded => return Err(No::wait(Refusal::Busy, BUSY_WAIT_MS)),
            Seen::Kept(cursor, time) => {
                answer_kept(&asker, cursor, time);
                return Ok(());
            }
        }
        if append.epoch != log.meta.epoch {
            return Err(No::above(Refusal::StaleEpoch, log.meta.epoch));
        }
        let max_ttl = log.max_ttl(&config);
        let ttl = append.ttl.unwrap_or(max_ttl);
        if ttl == 0 || ttl > max_ttl {
            return Err(No::above(Refusal::BadTtl, max_ttl));
        }
        match append.body.len() {
            0 => return Err(No::because(Refusal::Malformed)),
            n if n > MAX_BODY => return Err(No::above(Refusal::BodyTooLarge, MAX_BODY as u64)),
            _ => {}
        }
        let cost = charge(append.body.len());
        let holds = log.bytes.saturating_add(log.staged).saturating_add(cost);
        if holds > log.meta.quota {
            return Err(No::above(Refusal::LogFull, log.meta.quota));
        }
        if !log.code_has_room(cost, &config) {
            return Err(No::above(Refusal::EntryUsedUp, config.bytes_per_code));
        }
        if disk_full {
            return Err(No::above(Refusal::DiskFull, config.max_disk));
        }
        if staged.saturating_add(append.body.len()) > config.staged_bytes {
            return Err(No::wait(Refusal::Busy, BUSY_WAIT_MS));
        }
        let expires = now.saturating_add(ttl.saturating_mul(1000));
        let cursor = log.start(append.id16, now, expires, asker);
        log.account(log.bytes, log.staged.saturating_add(cost));
        self.stage(now, expires, cursor, cost, append);
        Ok(())
    }

    /// Encodes the record once, for the disk and for everybody attached.
    fn stage(&mut self, now: Millis, expires: Millis, cursor: Cursor, cost: u64, append: &Append<'_>) {
        let Append { log, id16, epoch, body, .. } = *append;
        let frame = Record { log, cursor, time: now, expires, epoch, id16, body };
        let frame: Bytes = RelayFrame::Record(frame).encode().into();
        // The body is the last thing in the frame, so the disk's copy is a slice of the same bytes.
        let body = frame.slice(frame.len().saturating_sub(body.len())..);
        self.batch.writes.push(Write::Append(NewRecord { log, cursor, time: now, expires, epoch, id16, body }));
        self.batch.pending.push(Pending::Append { log, id16, cost, frame });
        self.staged = self.staged.saturating_add(usize::try_from(cost).unwrap_or(usize::MAX));
    }

    /// Forwards a signal to everybody else who is attached.
    pub(crate) fn signal(&self, session: SessionId, outbox: &Q, signal: &Signal<'_>) {
        let Signal { log: id, body } = *signal;
        let log = self.logs.get(&id).filter(|l| l.is_here() && l.standing(session).is_some());
        let refused = match (log, body.len()) {
            (None, _) => No::because(Refusal::NotAttached),
            (_, 0) => No::because(Refusal::Malformed),
            (_, n) if n > MAX_SIGNAL => No::above(Refusal::BodyTooLarge, MAX_SIGNAL as u64),
            (Some(log), _) => {
                log.forward(session, &RelayFrame::Signalled(Signalled { log: id, body }).encode().into());
                return;
            }
        };
        outbox.push(refused.frame(None, Some(id)), Class::Answer);
    }

    // ── Committing ──────────────────────────────────────────────────────────────────────────────────────────────────

    /// Whether anything waits to be committed.
    #[must_use]
    pub fn has_staged(&self) -> bool {
        !self.batch.is_empty()
    }

    /// Takes all that waits to be committed.
    pub fn take_staged(&mut self) -> Batch {
        core::mem::take(&mut self.batch)
    }

    /// Takes a batch back with its outcome: publishes and answers, or says that nothing was kept.
    pub fn committed(&mut self, batch: Batch, outcome: Result<(), Failure>) {
        let mut fresh: Vec<LogId> = Vec::new();
        for pending in batch.pending {
            match (pending, outcome) {
                (Pending::Append { log, id16, cost, frame }, outcome) => {
                    self.staged = self.staged.saturating_sub(usize::try_from(cost).unwrap_or(usize::MAX));
                    if self.appended(&log, &id16, cost, frame, outcome) {
                        fresh.push(log);
                    }
                }
                (Pending::Create(log), outcome) => {
                    self.staged = self.staged.saturating_sub(size_of::<LogMeta>());
                    self.made(&log, outcome);
                }
                (Pending::Drop(log), Ok(())) => {
                    self.logs.remove(&log);
                }
                (Pending::Drop(log), Err(_)) => {
                    if let Some(log) = self.logs.get_mut(&log) {
                        log.life = Life::Here;
                    }
                }
            }
        }
        for log in fresh {
            if let Some(log) = self.logs.get_mut(&log) {
                log.publish();
            }
        }
    }

    /// Says whether the log has something to publish and had not before.
    fn appended(&mut self, id: &LogId, id16: &Id16, cost: u64, frame: Bytes, outcome: Result<(), Failure>) -> bool {
        let Some(log) = self.logs.get_mut(id) else { return false };
        let staged = log.staged.saturating_sub(cost);
        match outcome {
            Ok(()) => {
                log.account(log.bytes.saturating_add(cost), staged);
                log.kept(id16, frame)
            }
            Err(failure) => {
                log.account(log.bytes, staged);
                for asker in log.lost(id16) {
                    let no = No::because(failure.into());
                    asker.outbox.push(no.frame(Some(asker.request), Some(*id)), Class::Answer);
                }
                false
            }
        }
    }

    fn made(&mut self, id: &LogId, outcome: Result<(), Failure>) {
        let Some(log) = self.logs.get_mut(id) else { return };
        let Life::Creating(waiting) = core::mem::replace(&mut log.life, Life::Here) else { return };
        for asker in waiting {
            let frame = match outcome {
                Ok(()) => log.created(asker.request),
                Err(failure) => No::because(failure.into()).frame(Some(asker.request), Some(*id)),
            };
            asker.outbox.push(frame, Class::Answer);
        }
        if outcome.is_err() {
            self.logs.remove(id);
        }
    }

    // ── Time ────────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Takes what [`Store::expire`](crate::store::Store::expire) did to this shard's logs; others' are passed over.
    pub fn expired(&mut self, expired: &Expired) {
        for gone in &expired.logs {
            if let Some(log) = self.logs.get_mut(&gone.log) {
                log.account(log.bytes.saturating_sub(gone.bytes), log.staged);
            }
        }
    }

    /// Stages the removal of logs that are over, and lets go of ids that nobody needs. To be called every minute or so.
    pub fn sweep(&mut self, now: Millis) {
        let may_end = self.loaded.saturating_add(self.config.start_grace_ms) <= now;
        for (id, log) in &mut self.logs {
            if may_end && log.is_over(now, &self.config) {
                log.life = Life::Ending;
                self.batch.writes.push(Write::DropLog(*id));
                self.batch.pending.push(Pending::Drop(*id));
            } else {
                log.tidy(now, KEEP_INDEX_MS);
            }
        }
    }

    // ── Counting ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Logs in this shard.
    #[must_use]
    pub fn logs(&self) -> usize {
        self.logs.len()
    }

    /// Attachments in this shard.
    #[must_use]
    pub fn attachments(&self) -> usize {
        self.logs.values().map(Log::attached).sum()
    }

    /// Bytes staged and not yet handed back.
    #[must_use]
    pub fn staged_bytes(&self) -> usize {
        self.staged
    }
}
