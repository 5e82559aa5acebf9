//! What each entry code's logs hold together, over all shards, how many are made, and what is on its way to the disk. Counters only: no lock is held while a log works.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use estoile_wire::{Millis, Refusal};

use crate::config::Config;
use crate::rate::Bucket;
use crate::shard::No;
use crate::store::EntryTag;

#[derive(Debug, Default)]
struct Count {
    logs: AtomicU64,
    bytes: AtomicU64,
}

/// The relay's count of logs and bytes by entry code. A clone is the same count.
#[derive(Clone, Debug, Default)]
pub struct Codes {
    all: Arc<Count>,
    by_tag: Arc<Mutex<BTreeMap<EntryTag, Arc<Count>>>>,
    creations: Arc<Mutex<Bucket>>,
    staged: Arc<AtomicUsize>,
}

/// One log's share in the counts; gives it back when dropped.
#[derive(Debug)]
pub(crate) struct Share {
    all: Arc<Count>,
    code: Option<Arc<Count>>,
    bytes: u64,
}

impl Codes {
    fn count(&self, tag: Option<EntryTag>) -> Option<Arc<Count>> {
        let mut by_tag = self.by_tag.lock().unwrap_or_else(PoisonError::into_inner);
        // Only codes that this relay has handed out get here, so the map stays small.
        tag.map(|tag| Arc::clone(by_tag.entry(tag).or_default()))
    }

    /// A share for a log that the store already has: bounds that were lowered since do not remove logs.
    pub(crate) fn reopen(&self, tag: Option<EntryTag>, bytes: u64) -> Share {
        let share = Share { all: Arc::clone(&self.all), code: self.count(tag), bytes: 0 };
        share.all.logs.fetch_add(1, Ordering::Relaxed);
        if let Some(code) = &share.code {
            code.logs.fetch_add(1, Ordering::Relaxed);
        }
        let mut share = share;
        share.set(bytes);
        share
    }

    /// A share for a new log, or why there is none.
    pub(crate) fn open(&self, now: Millis, tag: Option<EntryTag>, config: &Config) -> Result<Share, No> {
        let full = |count: &Count, most: u64| count.logs.load(Ordering::Relaxed) >= most;
        if full(&self.all, config.max_logs) {
            return Err(No::above(Refusal::DiskFull, config.max_logs));
        }
        if let Some(code) = self.count(tag) {
            if full(&code, config.logs_per_code) {
                return Err(No::above(Refusal::EntryUsedUp, config.logs_per_code));
            }
            if code.bytes.load(Ordering::Relaxed) >= config.bytes_per_code {
                return Err(No::above(Refusal::EntryUsedUp, config.bytes_per_code));
            }
        }
        let mut creations = self.creations.lock().unwrap_or_else(PoisonError::into_inner);
        creations.take(now, config.creations_in_all).map_err(|wait| No::wait(Refusal::RateLimited, wait))?;
        drop(creations);
        Ok(self.reopen(tag, 0))
    }

    /// Whether so many bytes more may be on their way to the disk, in all shards.
    pub(crate) fn may_stage(&self, more: usize, config: &Config) -> bool {
        self.staged.load(Ordering::Relaxed).saturating_add(more) <= config.staged_bytes_in_all
    }

    /// So many are on their way.
    pub(crate) fn stage(&self, bytes: usize) {
        self.staged.fetch_add(bytes, Ordering::Relaxed);
    }

    /// So many have got there, or not.
    pub(crate) fn land(&self, bytes: usize) {
        self.staged.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Logs in all shards.
    #[must_use]
    pub fn logs(&self) -> u64 {
        self.all.logs.load(Ordering::Relaxed)
    }
}

impl Share {
    /// Says how many bytes the log holds now.
    pub(crate) fn set(&mut self, bytes: u64) {
        let counts = [Some(&self.all), self.code.as_ref()];
        for count in counts.into_iter().flatten() {
            // Wrapping sums of what was added and taken away: the total of all shares is exact.
            count.bytes.fetch_add(bytes.wrapping_sub(self.bytes), Ordering::Relaxed);
        }
        self.bytes = bytes;
    }

    /// Whether the code's logs may hold so many bytes more.
    pub(crate) fn has_room(&self, more: u64, config: &Config) -> bool {
        let Some(code) = &self.code else { return true };
        code.bytes.load(Ordering::Relaxed).saturating_add(more) <= config.bytes_per_code
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.set(0);
        for count in [Some(&self.all), self.code.as_ref()].into_iter().flatten() {
            count.logs.fetch_sub(1, Ordering::Relaxed);
        }
    }
}
