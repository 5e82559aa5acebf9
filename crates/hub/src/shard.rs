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

mod append;
mod blob;
mod commit;
mod create;
mod no;
mod shelf;
mod tickets;

use std::collections::BTreeMap;
use std::sync::Arc;

use estoile_wire::id::LogKind;
use estoile_wire::{Cursor, LogId, Millis, PublicKey};

pub(crate) use commit::Pending;
pub use commit::{Batch, Failure};
pub(crate) use create::Admitted;
pub use no::No;

use crate::codes::Codes;
use crate::config::Config;
use crate::log::{Asker, Caught, Entrance, Life, Log, SessionId, Standing};
use crate::queue::Outbox;
use crate::store::{Expired, LiveId, LogMeta, LogState, Write};

/// How long the ids of a log that nobody is attached to stay in memory.
const KEEP_INDEX_MS: u64 = 60_000;
/// Of a log that holds more than so many bytes, one session at a time reads the ids: they are up to eight thousand a
/// megabyte, and each session that reads holds them all.
const LARGE_BYTES: u64 = 1 << 20;
/// A session that began to read ids and did not say how that went is passed over after so long.
const WARMING_MS: u64 = 60_000;
/// What a client is told to wait when staging is full or a log is being removed: some commits later there is room.
pub(crate) const BUSY_WAIT_MS: u64 = 50;

/// What a signature must be checked against before a session is attached.
#[derive(Clone, Copy, Debug)]
pub struct Door {
    /// The current epoch's access key.
    pub access_key: PublicKey,
    /// The current epoch.
    pub epoch: u64,
    /// The access key of the epoch before it, if that ended since the relay has started.
    pub before: Option<PublicKey>,
    /// Fixed, advancing, or a shelf.
    pub kind: LogKind,
    /// The ids of the log's live records must be read and handed to [`Shard::warm`] before somebody appends; they count
    /// if this is still the highest cursor.
    pub cold: Option<Cursor>,
}

/// Some of a relay's logs. See the module for the order of calls.
#[derive(Debug)]
pub struct Shard<Q> {
    config: Arc<Config>,
    codes: Codes,
    logs: BTreeMap<LogId, Log<Q>>,
    /// Large logs whose ids are being read, and since when.
    warming: BTreeMap<LogId, Millis>,
    batch: Batch<Q>,
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
        Self {
            config,
            codes,
            logs: BTreeMap::new(),
            warming: BTreeMap::new(),
            batch,
            staged: 0,
            disk_full: false,
            loaded: 0,
        }
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

    // ── Attaching ───────────────────────────────────────────────────────────────────────────────────────────────────

    /// What a session needs to know to check a proof; `None`: no such log.
    #[must_use]
    pub fn door(&self, log: &LogId) -> Option<Door> {
        let log = self.logs.get(log).filter(|l| l.is_here())?;
        let cold = (!log.is_warm()).then_some(log.assigned);
        let LogMeta { access_key, epoch, kind, .. } = log.meta;
        Some(Door { access_key, epoch, before: log.before, kind, cold })
    }

    /// Whether a session may read the ids of a log now. `true` must be followed by [`Shard::warm`] or [`Shard::not_warming`].
    pub(crate) fn may_warm(&mut self, now: Millis, id: &LogId) -> bool {
        if self.logs.get(id).is_none_or(|log| log.bytes <= LARGE_BYTES) {
            return true;
        }
        let since = self.warming.get(id).copied().filter(|since| now.abs_diff(*since) < WARMING_MS);
        if since.is_none() {
            self.warming.insert(*id, now);
        }
        since.is_none()
    }

    /// Nobody reads the ids of a log any more.
    pub(crate) fn not_warming(&mut self, log: &LogId) {
        self.warming.remove(log);
    }

    /// Takes the ids of a log's live records, read after [`Shard::door`] gave the cursor `at`.
    pub(crate) fn warm(&mut self, log: &LogId, at: Cursor, ids: Vec<LiveId>) {
        self.warming.remove(log);
        if let Some(log) = self.here(log) {
            log.warm(at, ids);
        }
    }

    /// Attaches a session whose proof was checked against the door. `Some(true)`: it must catch up from the store;
    /// `Some(false)`: it is live; `None`: the log has ended meanwhile, or its ids must be read again.
    pub(crate) fn attach(&mut self, now: Millis, asker: &Asker<Q>, log: &LogId, entrance: Entrance) -> Option<bool> {
        let config = Arc::clone(&self.config);
        let log = self.here(log).filter(|l| l.is_warm())?;
        log.attach(now, asker, entrance, &config);
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

    /// Makes a session live that has read everything up to `through`, or says why not.
    pub(crate) fn caught_up(&mut self, session: SessionId, log: &LogId, through: Cursor) -> Caught {
        self.here(log).map_or(Caught::Behind, |log| log.caught_up(session, through))
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

    // ── Time ────────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Takes what [`Store::expire`](crate::store::Store::expire) did to this shard's logs; others' are passed over. It may
    /// come before the outcome of the commit that wrote what expired.
    pub fn expired(&mut self, expired: &Expired) {
        for gone in &expired.logs {
            if let Some(log) = self.logs.get_mut(&gone.log) {
                log.expired(gone.bytes);
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

    /// What the durable records of all its logs count against quotas.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.logs.values().map(|log| log.bytes).sum()
    }

    /// Bytes staged and not yet handed back.
    #[must_use]
    pub fn staged_bytes(&self) -> usize {
        self.staged
    }
}

#[cfg(test)]
mod tests;
