//! One thread that owns the store's writer: everything that waits, of all rooms, becomes durable in one commit. A task
//! beside it acknowledges and publishes what is durable, while the next commit is under way.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use estoile_hub::shard::Failure;
use estoile_hub::store::{Store, StoreError, Write};
use tokio::sync::{mpsc, oneshot};

use crate::core::{Core, Taken, now};
use crate::error::StartError;
use crate::folder::Folder;
use crate::log::{self, Count, Elapsed, Size, Word};
use crate::reading::Disk;

/// Between two looks for records whose time is over.
const EXPIRE_EVERY: Duration = Duration::from_secs(1);
/// Between two looks for logs that are over.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// Sessions that must have ended since their last peak before freed memory is given back: fewer leave less than a megabyte.
const TRIM_AFTER: usize = 256;
/// Records that expire at once: between two such steps appends get their turn.
const EXPIRE_STEP: usize = 4_096;
/// Commits that may be ahead of their publication: more would only let memory grow.
const AHEAD: usize = 2;

/// What the thread tells its task.
enum Done {
    /// What was committed, and how that went.
    Batch(Vec<Taken>, Result<(), Failure>),
    /// Somebody waits for all that came before.
    Flushed(oneshot::Sender<()>),
}

/// The thread and its task, until they have ended.
pub(crate) struct Committer {
    thread: JoinHandle<()>,
    publisher: tokio::task::JoinHandle<()>,
    stop: Arc<AtomicBool>,
    flush: Arc<Mutex<Option<oneshot::Sender<()>>>>,
}

impl Committer {
    /// Starts both. To be called inside a tokio runtime.
    pub(crate) fn start(core: &Arc<Core>, store: Disk, folder: Arc<Folder>) -> Result<Self, StartError> {
        let (publish, done) = mpsc::channel(AHEAD);
        let stop = Arc::new(AtomicBool::new(false));
        let flush = Arc::new(Mutex::new(None));
        let mut work = Work {
            core: core.clone(),
            store,
            publish,
            stop: stop.clone(),
            flush: flush.clone(),
            disk_full: false,
            peak: 0,
            _folder: folder,
        };
        // Before the first session: what is full takes nothing.
        work.look_at_disk();
        let thread = std::thread::Builder::new()
            .name("estoile-commit".to_owned())
            .spawn(move || work.run())
            .map_err(|e| StartError::Runtime(e.to_string()))?;
        core.set_committer(thread.thread().clone());
        let publisher = tokio::spawn(publish_all(core.clone(), done));
        Ok(Self { thread, publisher, stop, flush })
    }

    /// Waits until all that is staged now is durable and acknowledged.
    pub(crate) async fn flush(&self, core: &Core) {
        let (told, flushed) = oneshot::channel();
        *self.flush.lock().unwrap_or_else(PoisonError::into_inner) = Some(told);
        core.wake_committer();
        let _ = flushed.await;
    }

    /// As [`Committer::stop`], without waiting.
    pub(crate) fn abandon(&self, core: &Core) {
        self.stop.store(true, Ordering::SeqCst);
        core.wake_committer();
    }

    /// Commits what is staged, closes the store, and waits for both to end.
    pub(crate) async fn stop(self, core: &Core) {
        self.abandon(core);
        // The thread's last act is to close the channel, which ends the task.
        let _ = self.publisher.await;
        let _ = tokio::task::spawn_blocking(move || self.thread.join()).await;
    }
}

async fn publish_all(core: Arc<Core>, mut done: mpsc::Receiver<Done>) {
    while let Some(done) = done.recv().await {
        match done {
            Done::Batch(all, outcome) => all.into_iter().for_each(|taken| core.committed(taken, outcome)),
            Done::Flushed(told) => drop(told.send(())),
        }
        // A large room's wake-ups are queued now: let them run before the next batch.
        tokio::task::yield_now().await;
    }
}

struct Work {
    core: Arc<Core>,
    store: Disk,
    publish: mpsc::Sender<Done>,
    stop: Arc<AtomicBool>,
    flush: Arc<Mutex<Option<oneshot::Sender<()>>>>,
    disk_full: bool,
    /// The most sessions since memory was last given back.
    peak: usize,
    /// The store's folder is ours until the store is closed.
    _folder: Arc<Folder>,
}

impl Work {
    fn run(mut self) {
        let mut expire_at = Instant::now();
        let mut sweep_at = Instant::now() + SWEEP_EVERY;
        loop {
            let stopping = self.stop.load(Ordering::SeqCst);
            let told = self.flush.lock().unwrap_or_else(PoisonError::into_inner).take();
            let busy = self.commit();
            if let Some(told) = told {
                let _ = self.publish.blocking_send(Done::Flushed(told));
            }
            if stopping && !busy {
                return;
            }
            if Instant::now() >= expire_at {
                let more = self.expire();
                self.trim();
                expire_at = Instant::now() + if more { Duration::ZERO } else { EXPIRE_EVERY };
            }
            if Instant::now() >= sweep_at {
                self.core.each_shard(|shard| shard.sweep(now()));
                sweep_at = Instant::now() + SWEEP_EVERY;
            }
            if !busy && !stopping {
                std::thread::park_timeout(expire_at.min(sweep_at).saturating_duration_since(Instant::now()));
            }
        }
    }

    /// Makes durable what waits. Says whether anything did.
    fn commit(&mut self) -> bool {
        let mut taken = self.core.take_staged();
        if taken.is_empty() {
            return false;
        }
        let writes: Vec<Write> = taken.iter_mut().flat_map(|taken| std::mem::take(&mut taken.batch.writes)).collect();
        let started = Instant::now();
        self.store.set_beside(self.core.blobs.bytes());
        let result = self.store.commit(&writes);
        let metrics = &self.core.metrics;
        match &result {
            Ok(()) => {
                metrics.commits.add(1);
                metrics.committed_writes.add(writes.len() as u64);
                self.core
                    .blobs
                    .dropped(writes.iter().filter_map(|w| if let Write::DropLog(log) = w { Some(*log) } else { None }));
                let size = writes.iter().map(|w| if let Write::Append(r) = w { r.body.len() as u64 } else { 0 }).sum();
                log::committed(Count(writes.len() as u64), Size(size), Elapsed(started.elapsed()));
            }
            Err(error) => {
                metrics.failed_commits.add(1);
                log::commit_failed(word(error), Count(writes.len() as u64));
                self.judge(error);
            }
        }
        drop(writes);
        self.look_at_disk();
        let outcome = result.map_err(|error| Failure::from(&error));
        // The task ends only after this thread.
        let _ = self.publish.blocking_send(Done::Batch(taken, outcome));
        true
    }

    /// Deletes what is over. Says whether there is more.
    fn expire(&mut self) -> bool {
        let started = Instant::now();
        match self.store.expire(now(), EXPIRE_STEP) {
            Ok(expired) => {
                let records = expired.logs.iter().map(|gone| gone.records).sum();
                if records > 0 {
                    self.core.metrics.expired.add(records);
                    self.core.each_shard(|shard| shard.expired(&expired));
                    log::expired(Count(records), Elapsed(started.elapsed()));
                }
                self.look_at_disk();
                expired.more
            }
            Err(error) => {
                log::expire_failed(word(&error));
                self.judge(&error);
                false
            }
        }
    }

    /// After many sessions have ended, gives back to the system what they took.
    fn trim(&mut self) {
        let sessions = self.core.sessions();
        self.peak = self.peak.max(sessions);
        if self.peak - sessions >= TRIM_AFTER {
            estoile_trim::give_back();
            self.peak = sessions;
        }
    }

    /// Tells the shards whether the store holds as much as it may.
    fn look_at_disk(&mut self) {
        let usage = self.store.usage();
        let blobs = &self.core.blobs;
        self.core.metrics.set_usage(usage);
        blobs.set_beside(usage.bytes);
        let config = &self.core.rules().config;
        let full = usage.bytes.saturating_add(blobs.bytes()) >= config.max_disk || usage.records >= config.max_records;
        if full != self.disk_full {
            self.disk_full = full;
            self.core.each_shard(|shard| shard.set_disk_full(full));
        }
    }

    /// Some failures pass; after these nothing that is written can be trusted.
    fn judge(&self, error: &StoreError) {
        if matches!(error, StoreError::Damaged(_) | StoreError::Misuse(_)) {
            log::store_broken(word(error));
            self.core.broken.notify_one();
        }
    }
}

/// What a log line may say of a store's failure: never its text, which may name files.
pub(crate) const fn word(error: &StoreError) -> Word {
    Word(match error {
        StoreError::Full => "full",
        StoreError::Failed(_) => "failed",
        StoreError::Damaged(_) => "damaged",
        StoreError::Misuse(_) => "misuse",
    })
}
