//! Forgetting: keys of hours that are over, segments that hold nothing live, sparse segments moved together.
//!
//! A segment also tells the state of logs. Before it goes, and before an hour's key goes, what only it tells is written
//! again at the head of the log. The newest segment always stays: it knows which numbers of logs were used.

use std::collections::BTreeSet;
use std::os::unix::fs::FileExt;

use bytes::Bytes;
use estoile_hub::store::{NewRecord, StoreError};
use estoile_wire::Millis;

use super::RecordStore;
use super::error::failed;
use super::frame::{self, Frame};
use super::hours::hour_of;
use super::index::{Index, Log, Source};
use super::open::make_spare;
use super::segment::{self, Segment};
use super::write::{Change, Room};

/// Cleaning moves at most about this many bytes at a time, for commits wait meanwhile.
const MOST_MOVED: u64 = 8 << 20;
/// A sealed segment below this is small; restarts leave such.
const SMALL: u64 = 1 << 16;
/// This many small segments are moved into one.
const MANY_SMALL: usize = 32;

impl RecordStore {
    /// Wipes the keys of all hours that are over.
    pub(super) fn forget(&mut self, now: Millis) -> Result<(), StoreError> {
        if !self.shared.hours.any_before(now) {
            return Ok(());
        }
        let hour = hour_of(now);
        let over = |source: &Option<Source>| source.is_some_and(|s| s.hour < hour);
        let told_by_over = |log: &Log| [log.last_from, log.expiry_from, log.epoch_from].iter().any(over);
        let changes = states(&self.shared.index(), told_by_over);
        self.write(&changes, Room::Upkeep)?;
        if let Some(active) = &mut self.active {
            active.sealer.forget_before(hour);
        }
        self.shared.hours.wipe_before(now).map_err(|e| failed(&e))
    }

    /// Gives disk space back.
    pub(super) fn clean(&mut self) -> Result<(), StoreError> {
        let sparse = sparse(&self.shared.index());
        // Without room to move, the dead ones below make some.
        match self.move_records(&sparse) {
            Ok(()) | Err(StoreError::Full) => {}
            Err(error) => return Err(error),
        }
        let dead: BTreeSet<u32> = {
            let index = self.shared.index();
            let newest = index.segments.keys().next_back().copied();
            let dead = index.segments.iter().filter(|(n, held)| held.live == 0 && Some(**n) != newest);
            dead.map(|(n, _)| *n).collect()
        };
        if dead.is_empty() {
            return Ok(());
        }
        let changes = self.told_only_by(&dead);
        self.write(&changes, Room::Upkeep)?;
        for number in &dead {
            Segment::remove(&self.folder, *number).map_err(|e| failed(&e))?;
            if let Some(held) = self.shared.index_mut().segments.remove(number) {
                self.disk = self.disk.saturating_sub(held.length);
            }
        }
        // Where much ends soon, short segments end sooner.
        self.next_length = (self.next_length / 2).max(segment::SMALLEST);
        segment::sync_folder(&self.folder).map_err(|e| failed(&e))?;
        make_spare(&self.folder).map_err(|e| failed(&e))
    }

    /// The states and ends of logs that nothing would tell if these segments were gone.
    fn told_only_by(&self, gone: &BTreeSet<u32>) -> Vec<Change<'static>> {
        let index = self.shared.index();
        let in_gone = |source: &Option<Source>| source.is_some_and(|s| gone.contains(&s.segment));
        let mut changes = states(&index, |log| {
            let stands_in = [log.put_in, log.tickets_in].into_iter().flatten();
            stands_in.into_iter().any(|n| gone.contains(&n))
                || [log.last_from, log.expiry_from, log.epoch_from].iter().any(in_gone)
        });
        for (number, held) in index.segments.iter().filter(|(n, _)| gone.contains(n)) {
            // With nothing older left, there is nothing that the end of a log would have to end.
            if index.segments.range(..number).any(|(n, _)| !gone.contains(n)) {
                changes.extend(held.drops.iter().map(|n| Change::Drop(*n)));
            }
            // The same of a record, as long as what it lies in stays.
            let stays = |of: u32| !gone.contains(&of) && index.segments.contains_key(&of);
            let removals = held.removals.iter().filter(|removal| stays(removal.of));
            changes.extend(removals.map(|r| Change::Remove(r.number, r.cursor, Some(r.of))));
        }
        changes
    }

    fn move_records(&mut self, from: &[u32]) -> Result<(), StoreError> {
        let mut changes = Vec::new();
        for number in from {
            self.live_records(*number, &mut changes)?;
        }
        self.write(&changes, Room::Upkeep)
    }

    fn live_records(&self, number: u32, changes: &mut Vec<Change<'_>>) -> Result<(), StoreError> {
        let Some((file, length)) =
            self.shared.index().segments.get(&number).map(|held| (std::sync::Arc::clone(&held.file), held.length))
        else {
            return Ok(());
        };
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        file.file.read_exact_at(&mut bytes, 0).map_err(|e| failed(&e))?;
        let frames = Frames::new(&file, &bytes);
        let index = self.shared.index();
        for found in frames {
            let (offset, Frame::Record(sealed)) = found else { continue };
            let Some(cipher) = self.shared.hours.cipher(sealed.hour, &file.salt) else { continue };
            // Under an earlier key of its hour (see `open`): over.
            let Some(inner) = frame::open(sealed, &cipher) else { continue };
            if !index.is_live(inner.number, inner.cursor, number, offset) {
                continue;
            }
            let Some(log) = index.logs.get(&inner.number) else { continue };
            let record = NewRecord {
                log: log.meta.id,
                cursor: inner.cursor,
                time: inner.time,
                expires: inner.expires,
                epoch: inner.epoch,
                id16: inner.id16,
                body: Bytes::from(inner.body),
                advance: inner.advance,
            };
            changes.push(Change::Move(inner.number, record));
        }
        Ok(())
    }
}

fn states(index: &Index, wanted: impl Fn(&Log) -> bool) -> Vec<Change<'static>> {
    let logs = index.logs.iter().filter(|(_, log)| wanted(log));
    logs.map(|(number, log)| Change::Put(*number, Box::new(log.meta.clone()))).collect()
}

/// Segments worth moving: less than half of them lives, or they are many and small. The newest stays.
fn sparse(index: &Index) -> Vec<u32> {
    let newest = index.segments.keys().next_back().copied();
    let sealed = || index.segments.iter().filter(|(n, held)| held.live > 0 && Some(**n) != newest);
    let many_small = sealed().filter(|(_, held)| held.length < SMALL).count() >= MANY_SMALL;
    let mut moved = 0;
    sealed()
        .filter(|(_, held)| held.live * 2 < held.length || (many_small && held.length < SMALL))
        .take_while(|(_, held)| {
            // The first one goes however large it is.
            let fits = moved == 0 || moved + held.live <= MOST_MOVED;
            moved += held.live;
            fits
        })
        .map(|(n, _)| *n)
        .collect()
}

/// The frames of a segment with their places, as far as groups are whole.
pub(super) struct Frames<'a> {
    segment: &'a Segment,
    bytes: &'a [u8],
    /// Where the next group begins.
    pub(super) group_at: u64,
    rest: &'a [u8],
    /// A whole group held something that is no frame.
    pub(super) strange: bool,
}

impl<'a> Frames<'a> {
    pub(super) fn new(segment: &'a Segment, bytes: &'a [u8]) -> Self {
        Self { segment, bytes, group_at: segment::HEADER, rest: &[], strange: false }
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = (u32, Frame<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        while self.rest.is_empty() {
            let group = self.segment.group(self.bytes, self.group_at)?;
            self.group_at += segment::GROUP_HEAD + group.len() as u64;
            self.rest = group;
        }
        let offset = u32::try_from(self.group_at - self.rest.len() as u64).ok()?;
        let Some((frame, used)) = frame::read(self.rest) else {
            self.strange = true;
            return None;
        };
        self.rest = self.rest.get(used..)?;
        Some((offset, frame))
    }
}
