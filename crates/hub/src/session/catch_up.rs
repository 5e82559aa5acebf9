//! How a session that attached catches up: pages from the store, then live without a gap. What a page is read from, and
//! on which thread, it does not know.

use bytes::Bytes;
use estoile_wire::frame::{Record, RelayFrame};
use estoile_wire::{Cursor, LogId, Millis, Refusal};

use super::{Session, Shards};
use crate::log::Caught;
use crate::queue::{Class, Outbox};
use crate::rules::Rules;
use crate::shard::No;
use crate::store::{Page, Reader, StoreError, StoredRecord};

/// A page to read from the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadRequest {
    log: LogId,
    after: Cursor,
    newest: Option<u64>,
    target: Cursor,
    serial: u32,
    max_records: usize,
    max_bytes: usize,
}

/// What came of a [`ReadRequest`].
#[derive(Debug)]
pub struct ReadAnswer {
    request: ReadRequest,
    result: Result<Page, StoreError>,
}

impl ReadRequest {
    /// Reads. May block on the disk.
    pub fn run<R: Reader>(self, reader: &R, now: Millis) -> ReadAnswer {
        let page = || {
            let after = match self.newest {
                Some(count) => reader.newest(&self.log, self.after, count, now)?,
                None => self.after,
            };
            reader.read(&self.log, after, now, self.max_records, self.max_bytes)
        };
        ReadAnswer { request: self, result: page() }
    }
}

impl ReadAnswer {
    /// Whether the store failed: the driver may want to log it.
    #[must_use]
    pub fn error(&self) -> Option<&StoreError> {
        self.result.as_ref().err()
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct CatchUp {
    pub(super) log: LogId,
    pub(super) after: Cursor,
    pub(super) newest: Option<u64>,
    pub(super) serial: u32,
    /// Whose key was proven: nothing behind its end is sent.
    pub(super) epoch: u64,
}

impl<Q: Outbox> Session<Q> {
    /// Whether a page waits to be read.
    #[must_use]
    pub fn catching_up(&self) -> bool {
        !self.catching.is_empty()
    }

    /// The next page to read; its answer belongs into [`Session::page`] before the next is taken.
    pub fn next_read<S: Shards<Q>>(&mut self, rules: &Rules, shards: &S) -> Option<ReadRequest> {
        loop {
            let CatchUp { log, after, newest, serial, .. } = *self.catching.first()?;
            let Some(target) = shards.with(&log, |shard| shard.target(self.id, &log)) else {
                self.catching.remove(0);
                continue;
            };
            let (max_records, max_bytes) = (rules.config.page_records, rules.config.page_bytes);
            return Some(ReadRequest { log, after, newest, target, serial, max_records, max_bytes });
        }
    }

    /// Sends a page that was read, and goes live when nothing lies behind it.
    pub fn page<S: Shards<Q>>(&mut self, now: Millis, answer: ReadAnswer, shards: &S) {
        let ReadAnswer { request, result } = answer;
        let same = |c: &CatchUp| c.log == request.log && c.serial == request.serial;
        // It may have been detached, or attached anew, while the page was read.
        let Some(at) = self.catching.iter().position(same) else { return };
        let mut catch_up = self.catching.remove(at);
        let page = match result {
            Ok(page) => page,
            Err(_) => {
                self.refuse(None, Some(request.log), No::because(Refusal::StoreFailed));
                self.detach(now, &request.log, shards);
                return;
            }
        };
        let whole = !page.more;
        for record in &page.records {
            if record.epoch > catch_up.epoch {
                // What ended its epoch is gone, or lies before what was asked for.
                return self.epoch_over(now, &request.log, shards);
            }
            if !self.outbox.push(encode(&request.log, record), Class::Delivery) {
                // The queue filled up with other logs' records: the rest is read again when it has room.
                self.catching.push(catch_up);
                return;
            }
            // Only now: if nothing got through, the newest are asked for again.
            (catch_up.after, catch_up.newest) = (record.cursor, None);
            if record.epoch == catch_up.epoch && record.advance.is_some() {
                // The record itself tells the client.
                return self.detach(now, &request.log, shards);
            }
        }
        catch_up.newest = None;
        let through = catch_up.after.max(request.target);
        if whole {
            match shards.with(&request.log, |shard| shard.caught_up(self.id, &request.log, through)) {
                Caught::Live => return,
                Caught::Over(_) => return self.epoch_over(now, &request.log, shards),
                Caught::Behind => catch_up.after = through,
            }
        }
        // To the end of the line: each log gets its turn. If the log is gone, the next read finds out.
        self.catching.push(catch_up);
    }

    /// An attachment's epoch has ended, and no record says so: the relay does.
    fn epoch_over<S: Shards<Q>>(&mut self, now: Millis, log: &LogId, shards: &S) {
        let current = shards.with(log, |shard| shard.door(log)).map_or(0, |door| door.epoch);
        self.refuse(None, Some(*log), No::above(Refusal::StaleEpoch, current));
        self.detach(now, log, shards);
    }
}

fn encode(log: &LogId, record: &StoredRecord) -> Bytes {
    let StoredRecord { cursor, time, expires, epoch, id16, ref body, advance } = *record;
    let frame = Record { log: *log, cursor, time, expires, epoch, id16, body, advance: advance.map(|a| a.next) };
    RelayFrame::Record(frame).encode().into()
}
