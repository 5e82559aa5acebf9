//! Blobs: sealed files beside the store, put and got over HTTP by their hash.
//!
//! - Who may put one was decided by the hub, which counts it in its log's quota; here it has a *grant*, a token that is
//!   good for ten minutes, and its place on the disk is kept free from then on.
//! - Bytes come in order. An upload that breaks off goes on where it stopped; one that nobody goes on with is thrown away,
//!   and so are all unfinished ones when the relay starts. A blob counts when it is whole, has the hash that it was
//!   granted for, and is durable.
//! - A blob lies sealed under the key of its hour of expiry (as records do), in a file whose name is random.
//!
//! This layer does not know what a blob holds, nor who asks.

mod body;
mod disk;
mod expire;
mod grant;
mod route;
mod upload;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use estoile_hub::blobs::blob_charge;
use estoile_hub::store::ExpiredFrom;
use estoile_wire::{LogId, Millis};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use crate::config::BlobBounds;
use crate::metrics::Metrics;
use crate::store::OpenError;
use crate::store::hours::{FILE as KEYS, Hours};

pub(crate) use body::Body;
pub(crate) use route::{Visit, answer, is_blob};
use upload::Upload;

/// SHA-256 of a blob's bytes: its address.
pub(crate) type Hash = [u8; 32];

/// A blob outlives the time asked for by this much: the record that names it is written after it was put, and must not
/// outlive it.
const LONGER_MS: u64 = 3_600_000;

/// A blob that is here.
#[derive(Debug)]
struct Whole {
    log: LogId,
    size: u64,
    expires: Millis,
    path: PathBuf,
}

impl Whole {
    const fn charge(&self) -> u64 {
        blob_charge(self.size)
    }
}

/// What a token opens, and until when.
#[derive(Clone, Copy, Debug)]
struct Grant {
    log: LogId,
    hash: Hash,
    until: Millis,
}

#[derive(Debug, Default)]
struct State {
    /// By address; more than one only where several logs have the same.
    whole: BTreeMap<Hash, Vec<Arc<Whole>>>,
    count: usize,
    uploads: BTreeMap<(LogId, Hash), Arc<Upload>>,
    /// By the hash of the token, so that looking one up tells nothing by its time.
    grants: BTreeMap<Hash, Grant>,
    /// What logs have got back since that was told last.
    freed: Vec<ExpiredFrom>,
    /// Logs that are no more since then.
    dropped: BTreeSet<LogId>,
}

/// All blobs of a relay.
#[derive(Debug)]
pub(crate) struct Blobs {
    folder: PathBuf,
    /// Written by one at a time, as it asks for.
    hours: Mutex<Hours>,
    state: Mutex<State>,
    /// Bytes of all blobs, unfinished ones by their whole size.
    held: AtomicU64,
    /// Bytes of the store beside them, as it said last.
    beside: AtomicU64,
    max_disk: u64,
    closed: AtomicBool,
    closing: tokio::sync::Notify,
    transfers: Arc<Semaphore>,
    pub(crate) bounds: BlobBounds,
    pub(crate) metrics: Arc<Metrics>,
}

fn digest(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}

impl Blobs {
    /// Opens the folder of the blobs, and makes it if there is none; throws away what was not finished.
    pub(crate) fn open(
        folder: &Path,
        bounds: BlobBounds,
        max_disk: u64,
        metrics: Arc<Metrics>,
    ) -> Result<Self, OpenError> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        if !folder.join(KEYS).exists() {
            // Without keys nothing that may lie here opens.
            Hours::create(folder)?;
        }
        let hours = Hours::open(folder)?;
        let mut state = State::default();
        let mut held = 0_u64;
        for (hash, whole) in disk::found(folder, &hours)? {
            held = held.saturating_add(whole.charge());
            state.count = state.count.saturating_add(1);
            state.whole.entry(hash).or_default().push(Arc::new(whole));
        }
        let blobs = Self {
            folder: folder.to_path_buf(),
            hours: Mutex::new(hours),
            state: Mutex::new(state),
            held: AtomicU64::new(held),
            beside: AtomicU64::new(0),
            max_disk,
            closed: AtomicBool::new(false),
            closing: tokio::sync::Notify::new(),
            transfers: Arc::new(Semaphore::new(bounds.max_transfers)),
            bounds,
            metrics,
        };
        blobs.tell(&blobs.state());
        Ok(blobs)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it changes the state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hours(&self) -> MutexGuard<'_, Hours> {
        self.hours.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes that the blobs take, or may take as soon as they are finished.
    pub(crate) fn bytes(&self) -> u64 {
        self.held.load(Ordering::Relaxed)
    }

    /// Says how many bytes the store takes beside the blobs.
    pub(crate) fn set_beside(&self, bytes: u64) {
        self.beside.store(bytes, Ordering::Relaxed);
    }

    /// What each log's blobs count, for its quota.
    pub(crate) fn charges(&self) -> BTreeMap<LogId, u64> {
        let mut charges = BTreeMap::<LogId, u64>::new();
        for whole in self.state().whole.values().flatten() {
            let sum = charges.entry(whole.log).or_default();
            *sum = sum.saturating_add(whole.charge());
        }
        charges
    }

    /// A blob that is here and not over, the one that lives longest.
    fn find(&self, hash: &Hash, now: Millis) -> Option<Arc<Whole>> {
        let state = self.state();
        let living = state.whole.get(hash)?.iter().filter(|whole| now < whole.expires);
        living.max_by_key(|whole| whole.expires).cloned()
    }

    /// Whether the relay is about to end.
    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// Ends all transfers: what is not finished is thrown away at the next start.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.closing.notify_waiters();
    }

    /// Waits until the relay ends.
    pub(crate) async fn closing(&self) {
        let closing = self.closing.notified();
        if !self.is_closed() {
            closing.await;
        }
    }

    /// Waits until no transfer is left; to be called after [`Blobs::close`].
    pub(crate) async fn all_gone(&self) {
        let all = u32::try_from(self.bounds.max_transfers).unwrap_or(u32::MAX);
        let _ = self.transfers.acquire_many(all).await;
    }

    fn tell(&self, state: &State) {
        self.metrics.blobs.set(state.count as u64);
        self.metrics.blob_uploads.set(state.uploads.len() as u64);
        self.metrics.blob_bytes.set(self.bytes());
    }
}

#[cfg(test)]
mod tests;
