//! The relay's embedded store: a log of segments on the disk, an index in memory, and a key for each hour of expiry.
//!
//! - A batch is one group of frames, written behind the last one into preallocated space and made durable by one sync.
//! - A record's body, times, log and letter's id are sealed under the key of its hour of expiry (`hours`). When the hour
//!   is over the key is overwritten; what is left of the record, wherever, is noise.
//! - Segments are never changed; those that hold nothing live are removed whole, sparse ones are moved together first
//!   (`clean`), so that the disk holds at most about twice what lives.
//! - A full disk is met when a segment is made, never in the middle of a group; a little is held back so that expiry can
//!   go on.
//!
//! Why it is our own: `docs/decisions/0001-store.md`. It knows nothing of sessions, proofs, quotas or duplicates.

mod clean;
mod error;
mod frame;
pub(crate) mod hours;
mod index;
mod open;
mod reader;
mod segment;
mod write;

use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use estoile_hub::store::{Expired, Store, StoreError, Usage, Write};
use estoile_wire::Millis;

pub use error::OpenError;
pub use open::FORMAT;
pub use reader::RecordReader;
pub(crate) use segment::LARGEST as LARGEST_FILE;

use hours::Hours;
use index::Index;
use write::{Active, Room};

/// How a store is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreOptions {
    /// Bytes that its files may take. Appends that would need more are refused as full; expiry goes on.
    pub max_disk: u64,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { max_disk: 10 << 30 }
    }
}

/// What writer and readers share.
#[derive(Debug)]
struct Shared {
    index: RwLock<Index>,
    hours: Hours,
}

impl Shared {
    fn index(&self) -> RwLockReadGuard<'_, Index> {
        // Nothing panics while it changes the index; if it did, what is durable would still be told right.
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn index_mut(&self) -> RwLockWriteGuard<'_, Index> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The embedded store, and its writer. Made by [`RecordStore::open`].
#[derive(Debug)]
pub struct RecordStore {
    folder: PathBuf,
    options: StoreOptions,
    shared: Arc<Shared>,
    /// The segment that is being written; nothing before the first commit of this process.
    active: Option<Active>,
    next_segment: u32,
    next_log: u64,
    /// The next segment is preallocated this long.
    next_length: u64,
    /// Bytes of all segments' files.
    disk: u64,
    /// Bytes that something else takes of what the store may.
    beside: u64,
    /// How far records were taken, as long as no group tells it.
    taken_through: Option<Millis>,
    /// Space for the group that is being made.
    group: Vec<u8>,
    /// A segment, and where its last whole group ends, that could not be cut there after a failed write. Before it is,
    /// nothing more may be written.
    uncut: Option<(u32, u64)>,
    /// Held for its lock; the system frees it with the process, however that ends.
    _lock: File,
}

impl RecordStore {
    /// Says how many bytes of [`StoreOptions::max_disk`] something beside the store takes.
    pub fn set_beside(&mut self, bytes: u64) {
        self.beside = bytes;
    }
}

impl Store for RecordStore {
    type Reader = RecordReader;

    fn reader(&self) -> RecordReader {
        RecordReader::new(Arc::clone(&self.shared))
    }

    fn commit(&mut self, writes: &[Write]) -> Result<(), StoreError> {
        if writes.is_empty() {
            return self.working();
        }
        let (changes, next_log) = self.plan(writes)?;
        self.write(&changes, Room::Appends)?;
        self.next_log = next_log;
        Ok(())
    }

    fn expire(&mut self, now: Millis, limit: usize) -> Result<Expired, StoreError> {
        self.working()?;
        match self.forget(now) {
            // Not even the little that was held back: removing segments below makes room for the next time.
            Ok(()) | Err(StoreError::Full) => {}
            Err(error) => return Err(error),
        }
        let expired = self.shared.index_mut().take(now, limit);
        if !expired.more {
            if !expired.logs.is_empty() {
                self.taken_through = Some(self.taken_through.map_or(now, |before| before.max(now)));
            }
            // What could not be cleaned now is cleaned the next time; a failure that matters stays in `uncut`.
            self.clean().ok();
        }
        Ok(expired)
    }

    fn usage(&self) -> Usage {
        let index = self.shared.index();
        Usage { logs: index.numbers.len() as u64, records: index.records, bytes: self.disk + self.shared.hours.bytes() }
    }
}

impl Drop for RecordStore {
    fn drop(&mut self) {
        if self.uncut.is_none() && self.taken_through.is_some() {
            // Lost, it would only make the next process take the same records again.
            self.write(&[], Room::Upkeep).ok();
        }
        if let Some(active) = self.active.take() {
            active.cut().ok();
        }
    }
}

#[cfg(test)]
mod tests;
