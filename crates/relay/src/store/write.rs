//! Batches into groups: what a batch means, room for it, the sync, and the index afterwards.
//!
//! This layer does not know why something is written.

use std::collections::HashMap;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::{fs, io};

use estoile_hub::store::{LogMeta, NewRecord, StoreError, Write};
use estoile_wire::frame::Ticket;
use estoile_wire::{Cursor, LogId};

use super::error::failed;
use super::frame::{self, Sealer};
use super::hours::hour_of;
use super::index::{Arrival, Held, Place, Removal};
use super::open::{SPARE, SPARE_BYTES};
use super::segment::{self, GROUP_HEAD, HEADER, Segment};
use super::{RecordStore, Shared};

/// The segment that is being written.
#[derive(Debug)]
pub(super) struct Active {
    segment: Arc<Segment>,
    at: u64,
    length: u64,
    pub(super) sealer: Sealer,
}

impl Active {
    #[cfg(test)]
    pub(super) const fn at(&self) -> u64 {
        self.at
    }

    /// From now on writing fails, and so does what follows from it.
    #[cfg(test)]
    pub(super) fn fail(&mut self, read_only: std::fs::File) {
        let Segment { number, salt, .. } = *self.segment;
        self.segment = Arc::new(Segment { number, salt, file: read_only });
    }

    /// Gives back what was preallocated and not used.
    pub(super) fn cut(&self) -> io::Result<()> {
        self.segment.cut(self.at)
    }
}

/// Who asks for room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// A batch from outside: refused when the disk is full.
    Appends,
    /// What forgetting needs: it may take what is held back.
    Upkeep,
}

/// One change, decided.
#[derive(Debug)]
pub(super) enum Change<'a> {
    Put(u64, Box<LogMeta>),
    Drop(u64),
    Tickets(u64, Arc<[Ticket]>),
    /// With the segment that the record lies in, if that is known only here: the index has forgotten it.
    Remove(u64, Cursor, Option<u32>),
    Append(u64, &'a NewRecord),
    Move(u64, NewRecord),
}

impl Change<'_> {
    fn size(&self) -> usize {
        match self {
            Self::Put(_, meta) => frame::put_size(meta),
            Self::Drop(_) => frame::DROP_SIZE,
            Self::Tickets(_, tickets) => frame::tickets_frame_size(tickets.len()),
            Self::Remove(..) => frame::REMOVE_SIZE,
            Self::Append(_, record) => frame::record_size(record.body.len(), record.advance.is_some()),
            Self::Move(_, record) => frame::record_size(record.body.len(), record.advance.is_some()),
        }
    }

    fn record(&self) -> Option<frame::Source<'_>> {
        match self {
            Self::Put(..) | Self::Drop(_) | Self::Tickets(..) | Self::Remove(..) => None,
            Self::Append(number, record) => Some(frame::Source { number: *number, record, moved: false }),
            Self::Move(number, record) => Some(frame::Source { number: *number, record, moved: true }),
        }
    }
}

/// What a batch has made of a log so far: its number and last cursor, or nothing once it is dropped.
type Sofar = HashMap<LogId, Option<(u64, Cursor)>>;

impl RecordStore {
    /// An error as long as nothing may be written: what a failed write left must be gone first, and that is tried again
    /// each time, so that the store heals when its disk does.
    pub(super) fn working(&mut self) -> Result<(), StoreError> {
        let Some((number, end)) = self.uncut else { return Ok(()) };
        let file = self.shared.index().segments.get(&number).map(|held| Arc::clone(&held.file));
        if let Some(segment) = file {
            segment.cut(end).map_err(|e| failed(&e))?;
            self.sealed(number, end);
        }
        self.uncut = None;
        Ok(())
    }

    /// Checks a batch against the trait's rules and decides numbers; gives the next free number of a log.
    pub(super) fn plan<'a>(&self, writes: &'a [Write]) -> Result<(Vec<Change<'a>>, u64), StoreError> {
        let index = self.shared.index();
        let mut sofar = Sofar::new();
        let mut next_log = self.next_log;
        let mut changes = Vec::with_capacity(writes.len());
        let known = |sofar: &Sofar, log: &LogId| match sofar.get(log) {
            Some(known) => *known,
            None => index.numbers.get(log).map(|n| (*n, index.logs.get(n).map_or(0, |log| log.meta.last))),
        };
        for write in writes {
            match write {
                Write::PutLog(meta) => {
                    let (number, last) = known(&sofar, &meta.id).unwrap_or((next_log, 0));
                    next_log = next_log.max(number + 1);
                    let last = last.max(meta.last);
                    sofar.insert(meta.id, Some((number, last)));
                    changes.push(Change::Put(number, Box::new(LogMeta { last, ..meta.clone() })));
                }
                Write::Append(record) => {
                    let (number, last) =
                        known(&sofar, &record.log).ok_or(StoreError::Misuse("an append into no log"))?;
                    if record.cursor <= last {
                        return Err(StoreError::Misuse("a cursor that does not rise"));
                    }
                    sofar.insert(record.log, Some((number, record.cursor)));
                    changes.push(Change::Append(number, record));
                }
                Write::DropLog(log) => {
                    if let Some((number, _)) = known(&sofar, log) {
                        changes.push(Change::Drop(number));
                    }
                    sofar.insert(*log, None);
                }
                Write::Tickets { log, tickets } => {
                    let number = known(&sofar, log).map(|(number, _)| number);
                    changes.extend(number.map(|number| Change::Tickets(number, Arc::clone(tickets))));
                }
                Write::Remove { log, cursor } => {
                    let number = known(&sofar, log).map(|(number, _)| number);
                    changes.extend(number.map(|number| Change::Remove(number, *cursor, None)));
                }
            }
        }
        Ok((changes, next_log))
    }

    /// Makes changes durable as one group, and only then known.
    pub(super) fn write(&mut self, changes: &[Change<'_>], room: Room) -> Result<(), StoreError> {
        self.working()?;
        if changes.is_empty() && self.taken_through.is_none() {
            return Ok(());
        }
        let hours = changes.iter().filter_map(Change::record).map(|s| hour_of(s.record.expires));
        self.shared.hours.ensure(hours).map_err(|e| failed(&e))?;
        let size = changes.iter().map(Change::size).sum::<usize>() + frame::EXPIRED_SIZE;
        self.make_room(size as u64, room)?;
        let mut group = std::mem::take(&mut self.group);
        let written = self.write_group(changes, &mut group);
        if group.capacity() < 1 << 22 {
            self.group = group;
        }
        written
    }

    fn write_group(&mut self, changes: &[Change<'_>], group: &mut Vec<u8>) -> Result<(), StoreError> {
        let Some(active) = &mut self.active else { return Err(StoreError::Failed("no segment".to_owned())) };
        let places = encode(&self.shared, active, self.taken_through, changes, group)
            .ok_or_else(|| StoreError::Failed("a group could not be sealed".to_owned()))?;
        active.segment.finish_group(active.at, group);
        let durable = active.segment.file.write_all_at(group, active.at).and_then(|()| active.segment.file.sync_data());
        if let Err(error) = durable {
            self.abandon();
            return Err(failed(&error));
        }
        active.at += group.len() as u64;
        self.taken_through = None;
        apply(&self.shared, active.segment.number, changes, &places);
        Ok(())
    }

    /// A group could not be made durable: nobody knows how much of it lies on the disk. It is cut off, for good, and the
    /// segment ends here.
    fn abandon(&mut self) {
        let Some(active) = self.active.take() else { return };
        match active.cut() {
            Ok(()) => self.sealed(active.segment.number, active.at),
            Err(_) => self.uncut = Some((active.segment.number, active.at)),
        }
    }

    /// A segment has its last length.
    fn sealed(&mut self, number: u32, length: u64) {
        if let Some(held) = self.shared.index_mut().segments.get_mut(&number) {
            self.disk = self.disk.saturating_sub(held.length.saturating_sub(length));
            held.length = length;
        }
    }

    /// Makes sure that a group of this size fits behind the last one, in a new segment if it must be.
    fn make_room(&mut self, size: u64, room: Room) -> Result<(), StoreError> {
        let size = size + GROUP_HEAD;
        if self.active.as_ref().is_some_and(|active| active.at + size <= active.length) {
            return Ok(());
        }
        let share = (self.options.max_disk / 8).max(1 << 16);
        let mut length = self.next_length.min(share).max(HEADER + size);
        let taken = self.disk.saturating_add(self.beside);
        if room == Room::Appends && taken + length + share.min(SPARE_BYTES) > self.options.max_disk {
            return Err(StoreError::Full);
        }
        let number = self.next_segment;
        let made = Segment::create(&self.folder, number, self.next_log, length).or_else(|error| {
            if room == Room::Appends || fs::remove_file(self.folder.join(SPARE)).is_err() {
                return Err(error);
            }
            length = HEADER + size;
            Segment::create(&self.folder, number, self.next_log, length)
        });
        let segment = Arc::new(made.map_err(|e| failed(&e))?);
        if let Some(before) = self.active.take()
            && before.cut().is_ok()
        {
            self.sealed(before.segment.number, before.at);
        }
        self.next_segment += 1;
        self.next_length = (length * 2).clamp(segment::SMALLEST, segment::LARGEST);
        self.disk += length;
        let held = Held { file: Arc::clone(&segment), length, live: 0, drops: Vec::new(), removals: Vec::new() };
        self.shared.index_mut().segments.insert(number, held);
        self.active = Some(Active { sealer: Sealer::new(segment.salt), segment, at: HEADER, length });
        Ok(())
    }
}

/// Writes the frames of all changes; gives the places of their records, in order.
fn encode(
    shared: &Shared,
    active: &mut Active,
    taken_through: Option<u64>,
    changes: &[Change<'_>],
    group: &mut Vec<u8>,
) -> Option<Vec<Place>> {
    group.clear();
    group.resize(usize::try_from(GROUP_HEAD).ok()?, 0);
    if let Some(through) = taken_through {
        frame::write_expired(group, through);
    }
    let mut places = Vec::with_capacity(changes.len());
    for change in changes {
        let start = group.len();
        match change {
            Change::Put(number, meta) => frame::write_put(group, *number, meta),
            Change::Drop(number) => frame::write_drop(group, *number),
            Change::Tickets(number, tickets) => frame::write_tickets(group, *number, tickets),
            Change::Remove(number, cursor, _) => frame::write_remove(group, *number, *cursor),
            Change::Append(..) | Change::Move(..) => {
                let source = change.record()?;
                let hour = hour_of(source.record.expires);
                active.sealer.write(group, &shared.hours, hour, source)?;
            }
        }
        places.push(Place {
            segment: active.segment.number,
            offset: u32::try_from(active.at + start as u64).ok()?,
            length: u32::try_from(group.len() - start).ok()?,
        });
    }
    Some(places)
}

fn apply(shared: &Shared, segment: u32, changes: &[Change<'_>], places: &[Place]) {
    let mut index = shared.index_mut();
    for (change, place) in changes.iter().zip(places) {
        match change {
            Change::Put(number, meta) => index.put(*number, meta, segment),
            Change::Drop(number) => index.drop_log(*number, segment),
            Change::Tickets(number, tickets) => index.tickets(*number, tickets, segment),
            Change::Remove(number, cursor, None) => index.remove(*number, *cursor, segment),
            Change::Remove(number, cursor, Some(of)) => {
                let removal = Removal { number: *number, cursor: *cursor, of: *of };
                index.segments.entry(segment).and_modify(|held| held.removals.push(removal));
            }
            Change::Append(..) | Change::Move(..) => {
                let Some(frame::Source { number, record, moved }) = change.record() else { continue };
                let NewRecord { cursor, time, expires, epoch, advance, .. } = *record;
                index.append(number, Arrival { cursor, time, expires, moved, epoch, advance }, *place);
            }
        }
    }
}
