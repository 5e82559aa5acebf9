//! What all tasks of a relay share: the shards behind their locks, the rules, the reader, the counts.
//!
//! There is no global lock on the way of a message: a session locks the one shard that has its log, and the committer is
//! told by one bit which shards have something to commit.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::thread::Thread;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use estoile_hub::config::Config;
use estoile_hub::queue::{Class, Outbox};
use estoile_hub::rules::Rules;
use estoile_hub::session::Shards;
use estoile_hub::shard::{Batch, Shard};
use estoile_wire::frame::{Closing, RelayFrame};
use estoile_wire::{LogId, Millis, Refusal};
use tokio::sync::{Notify, Semaphore};

use crate::blobs::Blobs;
use crate::config::SocketBounds;
use crate::metrics::{Held, Metrics};
use crate::outgoing::Outgoing;
use crate::reading::Offload;
use crate::ws::CloseCode;

/// How many locks the logs are spread over: far more than there are threads to wait for one, and one bit each.
const SHARDS: usize = 64;
/// Pages of catching up that are read from the disk at once.
const READS: usize = 8;

/// The clock on the wall. The relay's times are for people's ttls; a jump of it costs at worst a reconnection.
pub(crate) fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No code of ours panics while it holds one of these; if a bug does, one log is wrong, and all others go on.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A shard, and when the appends that wait in it came.
struct Stall {
    shard: Shard<Outgoing>,
    arrivals: Vec<Instant>,
}

/// What was taken out of one shard to be committed.
pub(crate) struct Taken {
    at: usize,
    pub(crate) batch: Batch<Outgoing>,
    pub(crate) arrivals: Vec<Instant>,
}

/// What all tasks share.
pub(crate) struct Core {
    stalls: Vec<Mutex<Stall>>,
    dirty: AtomicU64,
    committer: OnceLock<Thread>,
    rules: RwLock<Arc<Rules>>,
    sessions: Mutex<HashMap<u64, Outgoing>>,
    next_session: AtomicU64,
    closing: AtomicBool,
    empty: Notify,
    pub(crate) broken: Notify,
    pub(crate) max_sessions: u64,
    pub(crate) sockets: SocketBounds,
    pub(crate) reader: Offload,
    pub(crate) reads: Arc<Semaphore>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) blobs: Arc<Blobs>,
}

impl Core {
    pub(crate) fn new(
        rules: Rules,
        shard: impl Fn(Arc<Config>) -> Shard<Outgoing>,
        sockets: SocketBounds,
        max_sessions: u64,
        reader: Offload,
        blobs: Arc<Blobs>,
    ) -> Self {
        let config = Arc::new(rules.config.clone());
        let stall = || Mutex::new(Stall { shard: shard(config.clone()), arrivals: Vec::new() });
        Self {
            stalls: std::iter::repeat_with(stall).take(SHARDS).collect(),
            dirty: AtomicU64::new(0),
            committer: OnceLock::new(),
            rules: RwLock::new(Arc::new(rules)),
            sessions: Mutex::default(),
            next_session: AtomicU64::new(0),
            closing: AtomicBool::new(false),
            empty: Notify::new(),
            broken: Notify::new(),
            max_sessions,
            sockets,
            reader,
            reads: Arc::new(Semaphore::new(READS)),
            metrics: Arc::clone(&blobs.metrics),
            blobs,
        }
    }

    pub(crate) fn rules(&self) -> Arc<Rules> {
        self.rules.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_rules(&self, rules: Rules) {
        *self.rules.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
    }

    // ── Shards ──────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Ids are hashes: any byte of one spreads evenly.
    fn place(log: &LogId) -> usize {
        log.as_bytes().first().map_or(0, |byte| usize::from(*byte) % SHARDS)
    }

    /// Runs something on the shard of a log, and tells the committer when there is something to commit after it. With
    /// an arrival, an append that gets staged is counted from then.
    fn with_shard<T>(
        &self,
        at: usize,
        arrival: Option<Instant>,
        f: impl FnOnce(&mut Shard<Outgoing>) -> T,
    ) -> Option<T> {
        let mut stall = lock(self.stalls.get(at)?);
        let before = stall.shard.staged_bytes();
        let result = f(&mut stall.shard);
        if let Some(arrival) = arrival.filter(|_| stall.shard.staged_bytes() > before) {
            stall.arrivals.push(arrival);
        }
        if stall.shard.has_staged() {
            let bit = 1 << at;
            // Under the shard's lock, so that the committer, which clears the bit before it takes the lock, misses none.
            if self.dirty.fetch_or(bit, Ordering::AcqRel) & bit == 0 {
                self.wake_committer();
            }
        }
        Some(result)
    }

    /// Runs something on every shard, one after the other.
    pub(crate) fn each_shard(&self, mut f: impl FnMut(&mut Shard<Outgoing>)) {
        for at in 0..SHARDS {
            self.with_shard(at, None, &mut f);
        }
    }

    /// The shard of a log, before anybody uses it.
    pub(crate) fn load(&self, now: Millis, states: Vec<estoile_hub::store::LogState>) {
        let mut by_shard: Vec<Vec<_>> = std::iter::repeat_with(Vec::new).take(SHARDS).collect();
        for state in states {
            if let Some(list) = by_shard.get_mut(Self::place(&state.meta.id)) {
                list.push(state);
            }
        }
        for (at, list) in by_shard.into_iter().enumerate() {
            self.with_shard(at, None, |shard| shard.load(now, list));
        }
    }

    /// Takes what waits to be committed, of all shards.
    pub(crate) fn take_staged(&self) -> Vec<Taken> {
        let dirty = self.dirty.swap(0, Ordering::AcqRel);
        let mut taken = Vec::new();
        for (at, stall) in self.stalls.iter().enumerate().filter(|(at, _)| dirty & (1 << at) != 0) {
            let mut stall = lock(stall);
            let batch = stall.shard.take_staged();
            if !batch.is_empty() {
                taken.push(Taken { at, batch, arrivals: std::mem::take(&mut stall.arrivals) });
            }
        }
        taken
    }

    /// Hands a batch back with its outcome: acknowledges and publishes, or refuses.
    pub(crate) fn committed(&self, taken: Taken, outcome: Result<(), estoile_hub::shard::Failure>) {
        let Taken { at, batch, arrivals } = taken;
        self.with_shard(at, None, |shard| shard.committed(batch, outcome));
        if outcome.is_ok() {
            for arrival in arrivals {
                self.metrics.append_took(arrival.elapsed());
            }
        }
    }

    pub(crate) fn set_committer(&self, thread: Thread) {
        let _ = self.committer.set(thread);
    }

    pub(crate) fn wake_committer(&self) {
        if let Some(thread) = self.committer.get() {
            thread.unpark();
        }
    }

    // ── Sessions ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Lets a session in: it is known by its number until the presence is dropped.
    pub(crate) fn enrol(self: &Arc<Self>, outgoing: &Outgoing) -> Presence {
        let number = self.next_session.fetch_add(1, Ordering::Relaxed);
        lock(&self.sessions).insert(number, outgoing.clone());
        if self.is_closing() {
            dismiss(outgoing, Refusal::Closing, CloseCode::Away);
        }
        Presence { core: self.clone(), number, _held: self.metrics.sessions.hold() }
    }

    fn forget(&self, number: u64) {
        let mut sessions = lock(&self.sessions);
        sessions.remove(&number);
        // The room of the busiest moment is given back when most have left.
        if sessions.capacity() > 1024 && sessions.len() < sessions.capacity() / 4 {
            sessions.shrink_to_fit();
        }
        if sessions.is_empty() && self.is_closing() {
            self.empty.notify_one();
        }
    }

    /// How many sessions there are.
    pub(crate) fn sessions(&self) -> usize {
        lock(&self.sessions).len()
    }

    /// Waits until no session is left.
    pub(crate) async fn all_gone(&self) {
        while !lock(&self.sessions).is_empty() {
            self.empty.notified().await;
        }
    }

    /// Tells every session that the relay goes away. Who comes after it is told at once.
    pub(crate) fn dismiss_all(&self) {
        self.closing.store(true, Ordering::SeqCst);
        for outgoing in lock(&self.sessions).values() {
            dismiss(outgoing, Refusal::Closing, CloseCode::Away);
        }
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::SeqCst)
    }
}

/// Says goodbye on a session's queue: what waits is written first.
pub(crate) fn dismiss(outgoing: &Outgoing, code: Refusal, close: CloseCode) {
    outgoing.push(RelayFrame::Closing(Closing { code }).encode().into(), Class::Answer);
    outgoing.close(close);
}

/// A session that was let in.
pub(crate) struct Presence {
    core: Arc<Core>,
    pub(crate) number: u64,
    _held: Held,
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.core.forget(self.number);
    }
}

/// The way of one frame to its shard.
pub(crate) struct Way<'a> {
    pub(crate) core: &'a Core,
    /// When the frame came, if it is an append.
    pub(crate) append: Option<Instant>,
}

impl Shards<Outgoing> for Way<'_> {
    fn with<T>(&self, log: &LogId, f: impl FnOnce(&mut Shard<Outgoing>) -> T) -> T {
        let at = Core::place(log);
        match self.core.with_shard(at, self.append, f) {
            Some(result) => result,
            // `place` is below `SHARDS`, and so many there are.
            None => unreachable!("a shard for every place"),
        }
    }
}
