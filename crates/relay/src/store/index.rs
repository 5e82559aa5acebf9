//! What is where: the logs, their records' places, and when which is over. All in memory, rebuilt when the store opens.
//!
//! A live record costs about 60 bytes here. This layer does not know files; it takes what was made durable.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::sync::Arc;

use estoile_hub::store::{Advance, Expired, ExpiredFrom, LogMeta, charge};
use estoile_wire::frame::Ticket;
use estoile_wire::id::LogKind;
use estoile_wire::{Cursor, LogId, Millis, PublicKey};

use super::frame;
use super::hours::hour_of;
use super::segment::Segment;

/// Where a record's frame lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) segment: u32,
    pub(super) offset: u32,
    /// Of the frame. 0 for a record that was taken.
    pub(super) length: u32,
}

/// One record of a log.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) cursor: Cursor,
    pub(super) expires: Millis,
    pub(super) place: Place,
    /// It ended its epoch.
    commit: bool,
}

impl Entry {
    pub(super) fn body(&self) -> usize {
        frame::body_size(usize::try_from(self.place.length).unwrap_or(0), self.commit)
    }

    fn is_taken(&self) -> bool {
        self.place.length == 0
    }

    /// Still in the store, and its time is not over.
    pub(super) fn lives(&self, now: Millis) -> bool {
        !self.is_taken() && now < self.expires
    }
}

/// Which record a part of a log's state follows from, beside its last `Put`: the segment it lies in and its hour.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source {
    pub(super) segment: u32,
    pub(super) hour: u32,
}

/// One log.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) meta: LogMeta,
    /// The segment of its newest `Put`; nothing while recovery has not met it.
    pub(super) put_in: Option<u32>,
    /// What `last` and `last_write` follow from, if not from the `Put`.
    pub(super) last_from: Option<Source>,
    /// What `last_expiry` follows from, if not from the `Put`.
    pub(super) expiry_from: Option<Source>,
    /// What `epoch` and `access_key` follow from, if not from the `Put`.
    pub(super) epoch_from: Option<Source>,
    /// The segment that its tickets stand in, if not the `Put`'s.
    pub(super) tickets_in: Option<u32>,
    /// Where epochs ended, as far as those records are here.
    pub(super) ends: BTreeMap<u64, Cursor>,
    /// By cursor; taken ones are swept out when they are more than half.
    pub(super) entries: Vec<Entry>,
    taken: usize,
    pub(super) bytes: u64,
}

/// One segment.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) file: Arc<Segment>,
    /// Bytes of the file.
    pub(super) length: u64,
    /// Bytes of frames of records that were not taken.
    pub(super) live: u64,
    /// Logs whose end stands in it.
    pub(super) drops: Vec<u64>,
    /// Records whose end stands in it.
    pub(super) removals: Vec<Removal>,
}

/// The end of a record, to be known as long as the record lies on the disk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Removal {
    pub(super) number: u64,
    pub(super) cursor: Cursor,
    /// The segment that the record lies in.
    pub(super) of: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    expires: Millis,
    number: u64,
    cursor: Cursor,
}

/// A record on its way into the index.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    pub(super) cursor: Cursor,
    pub(super) time: Millis,
    pub(super) expires: Millis,
    pub(super) moved: bool,
    pub(super) epoch: u64,
    pub(super) advance: Option<Advance>,
}

/// Everything.
#[derive(Debug, Default)]
pub(super) struct Index {
    pub(super) numbers: HashMap<LogId, u64>,
    pub(super) logs: HashMap<u64, Log>,
    pub(super) segments: BTreeMap<u32, Held>,
    pub(super) records: u64,
    /// Records by their hour of expiry; unsorted until the hour comes.
    later: BTreeMap<u32, Vec<Due>>,
    /// Records of hours that have begun.
    soon: BinaryHeap<Reverse<Due>>,
    /// The first hour that has not begun, by the latest `take`.
    begun: u32,
}

fn unknown() -> Log {
    let meta = LogMeta {
        id: LogId([0; 32]),
        kind: LogKind::Fixed,
        epoch: 0,
        access_key: PublicKey([0; 32]),
        max_ttl: 0,
        quota: 0,
        last: 0,
        created: 0,
        last_write: None,
        last_expiry: 0,
        entry: None,
        tickets: Arc::from([]),
    };
    Log {
        meta,
        put_in: None,
        last_from: None,
        expiry_from: None,
        epoch_from: None,
        tickets_in: None,
        ends: BTreeMap::new(),
        entries: Vec::new(),
        taken: 0,
        bytes: 0,
    }
}

impl Log {
    /// Records that were not taken.
    pub(super) fn records(&self) -> u64 {
        self.entries.len().saturating_sub(self.taken) as u64
    }
}

impl Index {
    pub(super) fn log(&self, id: &LogId) -> Option<&Log> {
        self.logs.get(self.numbers.get(id)?)
    }

    pub(super) fn put(&mut self, number: u64, meta: &LogMeta, segment: u32) {
        self.numbers.insert(meta.id, number);
        let log = self.logs.entry(number).or_insert_with(unknown);
        // Written with the highest `last` that was known, so that nothing before it is needed any more.
        log.meta = meta.clone();
        log.put_in = Some(segment);
        log.last_from = None;
        log.expiry_from = None;
        log.epoch_from = None;
        log.tickets_in = None;
    }

    pub(super) fn tickets(&mut self, number: u64, tickets: &Arc<[Ticket]>, segment: u32) {
        let log = self.logs.entry(number).or_insert_with(unknown);
        log.meta.tickets = Arc::clone(tickets);
        log.tickets_in = Some(segment);
    }

    /// Adds a record, or tells where a known one lies now.
    pub(super) fn append(&mut self, number: u64, arrival: Arrival, place: Place) {
        let Arrival { cursor, time, expires, moved, epoch, advance } = arrival;
        let log = self.logs.entry(number).or_insert_with(unknown);
        let source = Source { segment: place.segment, hour: hour_of(expires) };
        if !moved && cursor > log.meta.last {
            log.meta.last = cursor;
            log.meta.last_write = Some(time);
            log.last_from = Some(source);
        }
        if !moved && expires > log.meta.last_expiry {
            log.meta.last_expiry = expires;
            log.expiry_from = Some(source);
        }
        if let Some(advance) = advance {
            log.ends.insert(epoch, cursor);
            if !moved && epoch >= log.meta.epoch {
                log.meta.epoch = epoch.saturating_add(1);
                log.meta.access_key = advance.next;
                log.epoch_from = Some(source);
            }
        }
        let entry = Entry { cursor, expires, place, commit: advance.is_some() };
        if let Some(held) = self.segments.get_mut(&place.segment) {
            held.live += u64::from(place.length);
        }
        let at = match log.entries.last() {
            Some(last) if last.cursor >= cursor => log.entries.binary_search_by_key(&cursor, |e| e.cursor),
            _ => Err(log.entries.len()),
        };
        match at {
            Ok(at) => {
                let Some(known) = log.entries.get_mut(at) else { return };
                let before = std::mem::replace(known, entry).place;
                if let Some(held) = self.segments.get_mut(&before.segment) {
                    held.live = held.live.saturating_sub(u64::from(before.length));
                }
                return;
            }
            Err(at) => log.entries.insert(at, entry),
        }
        log.bytes += charge(entry.body());
        self.records += 1;
        let due = Due { expires, number, cursor };
        if source.hour < self.begun {
            self.soon.push(Reverse(due));
        } else {
            self.later.entry(source.hour).or_default().push(due);
        }
    }

    pub(super) fn drop_log(&mut self, number: u64, segment: u32) {
        if let Some(held) = self.segments.get_mut(&segment) {
            held.drops.push(number);
        }
        let Some(log) = self.logs.remove(&number) else { return };
        if self.numbers.get(&log.meta.id) == Some(&number) {
            self.numbers.remove(&log.meta.id);
        }
        for entry in log.entries.iter().filter(|e| !e.is_taken()) {
            self.records = self.records.saturating_sub(1);
            if let Some(held) = self.segments.get_mut(&entry.place.segment) {
                held.live = held.live.saturating_sub(u64::from(entry.place.length));
            }
        }
    }

    /// Takes records whose time is over, oldest expiry first.
    pub(super) fn take(&mut self, now: Millis, limit: usize) -> Expired {
        let begun = hour_of(now).saturating_add(1);
        if begun > self.begun {
            let still_later = self.later.split_off(&begun);
            let come = std::mem::replace(&mut self.later, still_later);
            self.soon.extend(come.into_values().flatten().map(Reverse));
            self.begun = begun;
        }
        let mut sums: BTreeMap<LogId, ExpiredFrom> = BTreeMap::new();
        let mut taken = 0;
        let mut more = false;
        while let Some(Reverse(due)) = self.soon.peek().copied() {
            if due.expires > now {
                break;
            }
            if taken == limit {
                more = true;
                break;
            }
            self.soon.pop();
            if let Some((log, cost)) = self.take_one(due) {
                taken += 1;
                let sum = sums.entry(log).or_insert(ExpiredFrom { log, records: 0, bytes: 0 });
                sum.records += 1;
                sum.bytes += cost;
            }
        }
        Expired { logs: sums.into_values().collect(), more }
    }

    /// Nothing if its log was dropped meanwhile.
    fn take_one(&mut self, due: Due) -> Option<(LogId, u64)> {
        self.take_out(due.number, due.cursor).map(|(log, cost, _)| (log, cost))
    }

    /// Removes one record, whose end stands in this segment.
    pub(super) fn remove(&mut self, number: u64, cursor: Cursor, segment: u32) {
        let Some((_, _, of)) = self.take_out(number, cursor) else { return };
        if of != segment
            && let Some(held) = self.segments.get_mut(&segment)
        {
            held.removals.push(Removal { number, cursor, of });
        }
    }

    /// Takes a record out; gives its log, what it cost, and the segment that it lies in.
    fn take_out(&mut self, number: u64, cursor: Cursor) -> Option<(LogId, u64, u32)> {
        let log = self.logs.get_mut(&number)?;
        let at = log.entries.binary_search_by_key(&cursor, |e| e.cursor).ok()?;
        let entry = log.entries.get_mut(at).filter(|e| !e.is_taken())?;
        let (cost, of) = (charge(entry.body()), entry.place.segment);
        if let Some(held) = self.segments.get_mut(&of) {
            held.live = held.live.saturating_sub(u64::from(entry.place.length));
        }
        entry.place.length = 0;
        if entry.commit {
            // Commits live equally long: the first to end is the first to go.
            let epoch = log.ends.iter().find(|(_, end)| **end == cursor).map(|(epoch, _)| *epoch);
            epoch.and_then(|epoch| log.ends.remove(&epoch));
        }
        log.taken += 1;
        log.bytes = log.bytes.saturating_sub(cost);
        if log.taken * 2 > log.entries.len() {
            log.entries.retain(|e| !e.is_taken());
            log.entries.shrink_to(log.entries.len() * 2);
            log.taken = 0;
        }
        self.records = self.records.saturating_sub(1);
        Some((log.meta.id, cost, of))
    }

    /// Whether the record that this frame holds is the one that counts.
    pub(super) fn is_live(&self, number: u64, cursor: Cursor, segment: u32, offset: u32) -> bool {
        self.logs.get(&number).is_some_and(|log| {
            let found = log.entries.binary_search_by_key(&cursor, |e| e.cursor).ok().and_then(|at| log.entries.get(at));
            found.is_some_and(|e| !e.is_taken() && (e.place.segment, e.place.offset) == (segment, offset))
        })
    }
}
