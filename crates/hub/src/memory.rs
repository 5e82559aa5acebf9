//! A store in memory: for simulation, for tests, and for a relay that must leave nothing behind.
//!
//! It outlives a crash of the relay inside one process (`MemoryStore::reopen`), and fails on request.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use estoile_wire::{Cursor, LogId, Millis};

use crate::blobs::MemoryBlobs;
use crate::store::{
    Expired, ExpiredFrom, LiveId, LogMeta, LogState, NewRecord, Page, PastEpoch, Reader, Store, StoreError,
    StoredRecord, Usage, Write, charge,
};

#[derive(Clone, Debug)]
struct Held {
    meta: LogMeta,
    bytes: u64,
    records: BTreeMap<Cursor, StoredRecord>,
    /// Where epochs ended.
    ends: BTreeMap<u64, Cursor>,
}

#[derive(Clone, Debug, Default)]
struct Inner {
    logs: BTreeMap<LogId, Held>,
    by_expiry: BTreeSet<(Millis, LogId, Cursor)>,
    records: u64,
    bytes: u64,
    capacity: Option<u64>,
    failures: Vec<StoreError>,
}

/// The store, and its writer.
#[derive(Debug, Default)]
pub struct MemoryStore {
    inner: Arc<Mutex<Inner>>,
    blobs: MemoryBlobs,
}

/// Reads beside the writer.
#[derive(Clone, Debug)]
pub struct MemoryReader {
    inner: Arc<Mutex<Inner>>,
}

fn lock(inner: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
    // Every batch is checked before it is applied, so a panic elsewhere leaves the state whole.
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What a process finds that opens the same store after this writer is gone.
    #[must_use]
    pub fn reopen(self) -> Self {
        Self { inner: Arc::clone(&self.inner), blobs: self.blobs.clone() }
    }

    /// Another store with the same records, which goes on by itself (the blobs are shared, for nobody changes one): what a
    /// relay has that shows two histories.
    #[must_use]
    pub fn parted(&self) -> Self {
        let inner = lock(&self.inner).clone();
        Self { inner: Arc::new(Mutex::new(inner)), blobs: self.blobs.clone() }
    }

    /// The blobs that lie beside it.
    #[must_use]
    pub fn blobs(&self) -> MemoryBlobs {
        self.blobs.clone()
    }

    /// From now on commits that would hold more bytes than this fail as [`StoreError::Full`]; `None` for no bound.
    pub fn set_capacity(&mut self, bytes: Option<u64>) {
        lock(&self.inner).capacity = bytes;
    }

    /// The next commit fails with this; several queue up.
    pub fn fail_next(&mut self, error: StoreError) {
        lock(&self.inner).failures.insert(0, error);
    }
}

impl Inner {
    /// Checks a batch against the trait's rules and the capacity, without changing anything.
    fn check(&self, writes: &[Write]) -> Result<(), StoreError> {
        let mut lasts: BTreeMap<LogId, Option<Cursor>> = BTreeMap::new();
        let mut bytes = self.bytes;
        for write in writes {
            match write {
                Write::PutLog(meta) => {
                    let known = self.logs.get(&meta.id).map(|l| l.meta.last);
                    let last = lasts.get(&meta.id).copied().unwrap_or(known).unwrap_or(0);
                    lasts.insert(meta.id, Some(last.max(meta.last)));
                }
                Write::Append(record) => {
                    let known = self.logs.get(&record.log).map(|l| l.meta.last);
                    let last = lasts.get(&record.log).copied().unwrap_or(known);
                    let last = last.ok_or(StoreError::Misuse("an append into no log"))?;
                    if record.cursor <= last {
                        return Err(StoreError::Misuse("a cursor that does not rise"));
                    }
                    lasts.insert(record.log, Some(record.cursor));
                    bytes = bytes.saturating_add(charge(record.body.len()));
                }
                Write::DropLog(log) => {
                    lasts.insert(*log, None);
                }
                Write::Tickets { .. } | Write::Remove { .. } => {}
            }
        }
        if self.capacity.is_some_and(|most| bytes > most && bytes > self.bytes) {
            Err(StoreError::Full)
        } else {
            Ok(())
        }
    }

    fn put(&mut self, meta: &LogMeta) {
        match self.logs.get_mut(&meta.id) {
            Some(held) => {
                let last = held.meta.last.max(meta.last);
                held.meta = LogMeta { last, ..meta.clone() };
            }
            None => {
                let held = Held { meta: meta.clone(), bytes: 0, records: BTreeMap::new(), ends: BTreeMap::new() };
                self.logs.insert(meta.id, held);
            }
        }
    }

    fn append(&mut self, record: &NewRecord) {
        let Some(held) = self.logs.get_mut(&record.log) else { return };
        let cost = charge(record.body.len());
        held.meta.last = record.cursor;
        held.meta.last_write = Some(record.time);
        held.meta.last_expiry = held.meta.last_expiry.max(record.expires);
        held.bytes = held.bytes.saturating_add(cost);
        if let Some(advance) = record.advance {
            held.meta.epoch = record.epoch.saturating_add(1);
            held.meta.access_key = advance.next;
            held.ends.insert(record.epoch, record.cursor);
        }
        held.records.insert(
            record.cursor,
            StoredRecord {
                cursor: record.cursor,
                time: record.time,
                expires: record.expires,
                epoch: record.epoch,
                id16: record.id16,
                body: record.body.clone(),
                advance: record.advance,
            },
        );
        self.records = self.records.saturating_add(1);
        self.bytes = self.bytes.saturating_add(cost);
        self.by_expiry.insert((record.expires, record.log, record.cursor));
    }

    fn drop_log(&mut self, log: &LogId) {
        let Some(held) = self.logs.remove(log) else { return };
        for record in held.records.values() {
            self.by_expiry.remove(&(record.expires, *log, record.cursor));
        }
        self.records = self.records.saturating_sub(held.records.len() as u64);
        self.bytes = self.bytes.saturating_sub(held.bytes);
    }

    /// Takes one record; says what it cost.
    fn take(&mut self, log: &LogId, cursor: Cursor) -> Option<u64> {
        let held = self.logs.get_mut(log)?;
        let record = held.records.remove(&cursor)?;
        if held.ends.get(&record.epoch) == Some(&cursor) {
            held.ends.remove(&record.epoch);
        }
        self.by_expiry.remove(&(record.expires, *log, cursor));
        let cost = charge(record.body.len());
        held.bytes = held.bytes.saturating_sub(cost);
        self.records = self.records.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(cost);
        Some(cost)
    }
}

impl Store for MemoryStore {
    type Reader = MemoryReader;

    fn reader(&self) -> MemoryReader {
        MemoryReader { inner: Arc::clone(&self.inner) }
    }

    fn commit(&mut self, writes: &[Write]) -> Result<(), StoreError> {
        let mut inner = lock(&self.inner);
        if let Some(error) = inner.failures.pop() {
            return Err(error);
        }
        inner.check(writes)?;
        for write in writes {
            match write {
                Write::PutLog(meta) => inner.put(meta),
                Write::Append(record) => inner.append(record),
                Write::DropLog(log) => inner.drop_log(log),
                Write::Tickets { log, tickets } => {
                    if let Some(held) = inner.logs.get_mut(log) {
                        held.meta.tickets = Arc::clone(tickets);
                    }
                }
                Write::Remove { log, cursor } => drop(inner.take(log, *cursor)),
            }
        }
        Ok(())
    }

    fn expire(&mut self, now: Millis, limit: usize) -> Result<Expired, StoreError> {
        let mut inner = lock(&self.inner);
        let mut logs: BTreeMap<LogId, ExpiredFrom> = BTreeMap::new();
        let mut taken = 0;
        while let Some(&(expires, log, cursor)) = inner.by_expiry.first() {
            if expires > now {
                return Ok(Expired { logs: logs.into_values().collect(), more: false });
            }
            if taken == limit {
                return Ok(Expired { logs: logs.into_values().collect(), more: true });
            }
            if let Some(cost) = inner.take(&log, cursor) {
                taken += 1;
                let sum = logs.entry(log).or_insert(ExpiredFrom { log, records: 0, bytes: 0 });
                sum.records += 1;
                sum.bytes += cost;
            } else {
                inner.by_expiry.pop_first();
            }
        }
        Ok(Expired { logs: logs.into_values().collect(), more: false })
    }

    fn usage(&self) -> Usage {
        let inner = lock(&self.inner);
        Usage { logs: inner.logs.len() as u64, records: inner.records, bytes: inner.bytes }
    }
}

impl Reader for MemoryReader {
    fn logs(&self) -> Result<Vec<LogState>, StoreError> {
        let state =
            |held: &Held| LogState { meta: held.meta.clone(), records: held.records.len() as u64, bytes: held.bytes };
        Ok(lock(&self.inner).logs.values().map(state).collect())
    }

    fn read(
        &self,
        log: &LogId,
        after: Cursor,
        now: Millis,
        max_records: usize,
        max_bytes: usize,
    ) -> Result<Page, StoreError> {
        let inner = lock(&self.inner);
        let mut page = Page::default();
        let Some(held) = inner.logs.get(log) else { return Ok(page) };
        let mut bytes: usize = 0;
        let Some(from) = after.checked_add(1) else { return Ok(page) };
        for record in held.records.range(from..).map(|(_, r)| r).filter(|r| now < r.expires) {
            bytes = bytes.saturating_add(record.body.len());
            if !page.records.is_empty() && (page.records.len() >= max_records || bytes > max_bytes) {
                page.more = true;
                break;
            }
            page.records.push(record.clone());
        }
        Ok(page)
    }

    fn newest(&self, log: &LogId, after: Cursor, count: u64, now: Millis) -> Result<Cursor, StoreError> {
        let inner = lock(&self.inner);
        let Some(held) = inner.logs.get(log) else { return Ok(after) };
        if count == 0 {
            return Ok(after.max(held.meta.last));
        }
        let Some(from) = after.checked_add(1) else { return Ok(after) };
        let mut left = count;
        for record in held.records.range(from..).rev().map(|(_, r)| r).filter(|r| now < r.expires) {
            if left == 0 {
                return Ok(record.cursor);
            }
            left -= 1;
        }
        Ok(after)
    }

    fn past(&self, log: &LogId, epoch: u64, now: Millis) -> Result<Option<PastEpoch>, StoreError> {
        let inner = lock(&self.inner);
        let record = inner.logs.get(log).and_then(|held| held.records.get(held.ends.get(&epoch)?));
        let past = |r: &StoredRecord| Some(PastEpoch { access_key: r.advance?.ended, end: r.cursor });
        Ok(record.filter(|r| now < r.expires).and_then(past))
    }

    fn ids(&self, log: &LogId, now: Millis) -> Result<Vec<LiveId>, StoreError> {
        let inner = lock(&self.inner);
        let id = |r: &StoredRecord| LiveId { id16: r.id16, cursor: r.cursor, time: r.time, expires: r.expires };
        let held = inner.logs.get(log).into_iter().flat_map(|held| held.records.values());
        Ok(held.filter(|r| now < r.expires).map(id).collect())
    }
}
