//! Reads beside the writer: places from the index, under its lock; then bytes from files, without.
//!
//! A segment that is removed meanwhile stays readable to who already found a place in it.

use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use chacha20poly1305::ChaCha20Poly1305;
use estoile_hub::store::{LiveId, LogState, Page, PastEpoch, Reader, StoreError, StoredRecord};
use estoile_wire::{Cursor, LogId, Millis};

use super::Shared;
use super::error::failed;
use super::frame::{self, Frame, Inner};
use super::index::{Entry, Index};
use super::segment::Segment;

/// Reads what is durable. Cheap to clone.
#[derive(Clone, Debug)]
pub struct RecordReader {
    shared: Arc<Shared>,
}

/// A record's place with the file that it is in.
type Found = (Entry, Arc<Segment>);

/// The cipher used last: neighbours mostly share it.
#[derive(Default)]
struct LastCipher(Option<(u32, u32, ChaCha20Poly1305)>);

fn find(index: &Index, entry: &Entry) -> Option<Found> {
    Some((*entry, Arc::clone(&index.segments.get(&entry.place.segment)?.file)))
}

impl RecordReader {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Nothing if its hour was over meanwhile.
    fn fetch(&self, (entry, segment): &Found, last: &mut LastCipher) -> Result<Option<Inner>, StoreError> {
        let damaged = || StoreError::Damaged("a record is not what was written".to_owned());
        let mut bytes = vec![0; usize::try_from(entry.place.length).unwrap_or(0)];
        segment.file.read_exact_at(&mut bytes, entry.place.offset.into()).map_err(|e| failed(&e))?;
        let Some((Frame::Record(sealed), _)) = frame::read(&bytes) else { return Err(damaged()) };
        let usable = last.0.as_ref().is_some_and(|(number, hour, _)| (*number, *hour) == (segment.number, sealed.hour));
        if !usable {
            let Some(cipher) = self.shared.hours.cipher(sealed.hour, &segment.salt) else { return Ok(None) };
            last.0 = Some((segment.number, sealed.hour, cipher));
        }
        let Some((_, _, cipher)) = &last.0 else { return Ok(None) };
        let inner = frame::open(sealed, cipher).filter(|inner| inner.cursor == entry.cursor).ok_or_else(damaged)?;
        Ok(Some(inner))
    }

    /// Places of a page, and whether there is more behind it.
    fn page(&self, log: &LogId, after: Cursor, now: Millis, most: (usize, usize)) -> (Vec<Found>, bool) {
        let index = self.shared.index();
        let (mut found, mut bytes) = (Vec::new(), 0_usize);
        let Some(log) = index.log(log) else { return (found, false) };
        let from = log.entries.partition_point(|e| e.cursor <= after);
        for entry in log.entries.iter().skip(from).filter(|e| e.lives(now)) {
            bytes = bytes.saturating_add(entry.body());
            if !found.is_empty() && (found.len() >= most.0 || bytes > most.1) {
                return (found, true);
            }
            found.extend(find(&index, entry));
        }
        (found, false)
    }
}

impl Reader for RecordReader {
    fn logs(&self) -> Result<Vec<LogState>, StoreError> {
        let index = self.shared.index();
        let state =
            |log: &super::index::Log| LogState { meta: log.meta.clone(), records: log.records(), bytes: log.bytes };
        Ok(index.logs.values().map(state).collect())
    }

    fn read(
        &self,
        log: &LogId,
        mut after: Cursor,
        now: Millis,
        max_records: usize,
        max_bytes: usize,
    ) -> Result<Page, StoreError> {
        let mut last = LastCipher::default();
        loop {
            let (found, more) = self.page(log, after, now, (max_records, max_bytes));
            let mut records = Vec::with_capacity(found.len());
            for found in &found {
                after = found.0.cursor;
                let Some(inner) = self.fetch(found, &mut last)? else { continue };
                let Inner { cursor, time, expires, epoch, id16, advance, .. } = inner;
                let body = Bytes::from(inner.body);
                records.push(StoredRecord { cursor, time, expires, epoch, id16, body, advance });
            }
            // A page whose hour has just ended is no page: what lives lies behind it.
            if !records.is_empty() || !more {
                return Ok(Page { records, more });
            }
        }
    }

    fn newest(&self, log: &LogId, after: Cursor, count: u64, now: Millis) -> Result<Cursor, StoreError> {
        let index = self.shared.index();
        let Some(log) = index.log(log) else { return Ok(after) };
        if count == 0 {
            return Ok(after.max(log.meta.last));
        }
        let mut left = count;
        for entry in log.entries.iter().rev().take_while(|e| e.cursor > after).filter(|e| e.lives(now)) {
            if left == 0 {
                return Ok(entry.cursor);
            }
            left -= 1;
        }
        Ok(after)
    }

    fn past(&self, log: &LogId, epoch: u64, now: Millis) -> Result<Option<PastEpoch>, StoreError> {
        let found = {
            let index = self.shared.index();
            let end = index.log(log).and_then(|log| {
                let cursor = log.ends.get(&epoch)?;
                let at = log.entries.binary_search_by_key(cursor, |e| e.cursor).ok()?;
                log.entries.get(at).filter(|e| e.lives(now))
            });
            end.and_then(|entry| find(&index, entry))
        };
        let Some(found) = found else { return Ok(None) };
        let inner = self.fetch(&found, &mut LastCipher::default())?;
        let past = |inner: Inner| Some(PastEpoch { access_key: inner.advance?.ended, end: inner.cursor });
        Ok(inner.and_then(past))
    }

    fn ids(&self, log: &LogId, now: Millis) -> Result<Vec<LiveId>, StoreError> {
        let found: Vec<Found> = {
            let index = self.shared.index();
            let Some(log) = index.log(log) else { return Ok(Vec::new()) };
            log.entries.iter().filter(|e| e.lives(now)).filter_map(|e| find(&index, e)).collect()
        };
        let mut last = LastCipher::default();
        let mut ids = Vec::with_capacity(found.len());
        for found in &found {
            let Some(inner) = self.fetch(found, &mut last)? else { continue };
            let Inner { cursor, time, expires, id16, .. } = inner;
            ids.push(LiveId { id16, cursor, time, expires });
        }
        Ok(ids)
    }
}
