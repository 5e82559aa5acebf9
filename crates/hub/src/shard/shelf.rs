//! Putting onto shelves, and taking. The owner's proof was checked before; a taker's ticket is checked here.

use std::sync::Arc;

use bytes::Bytes;
use estoile_wire::frame::{Counted, Put, RelayFrame, Take, Taken};
use estoile_wire::id::{LogKind, TicketHash};
use estoile_wire::limits::{MAX_ITEM, MAX_ITEMS, MAX_SLOTS};
use estoile_wire::{Id16, LogId, Millis, Refusal};

use super::{BUSY_WAIT_MS, No, Pending, Shard};
use crate::log::{Asker, Item, Log, Place, Shelf};
use crate::queue::{Class, Outbox};
use crate::store::{NewRecord, Write};

/// What a put changes.
#[derive(Debug)]
pub(crate) struct Putting<Q> {
    asker: Asker<Q>,
    shelf: LogId,
    added: Vec<Place>,
    removed: Vec<Place>,
    time: Millis,
    cost: u64,
    size: usize,
}

/// What a take changes, and the frames that say so.
#[derive(Debug)]
pub(crate) struct Taking<Q> {
    asker: Asker<Q>,
    shelf: LogId,
    taken: Reserved,
    frames: Vec<Bytes>,
    size: usize,
}

/// What was put aside for a taker, and the use of a ticket that it is.
#[derive(Debug)]
pub(crate) struct Reserved {
    pub(crate) places: Vec<Place>,
    ticket: TicketHash,
    time: Millis,
}

impl<Q: Outbox> Shard<Q> {
    fn shelf(&mut self, now: Millis, id: &LogId) -> Result<&mut Log<Q>, No> {
        let log = self.here(id).ok_or(No::because(Refusal::NoSuchLog))?;
        if log.meta.kind != LogKind::Shelf {
            return Err(No::above(Refusal::Unsupported, log.meta.kind as u64));
        }
        if let Some(shelf) = &mut log.shelf {
            shelf.forget(now);
            // While a put is on its way, what it replaces may come back.
            if !log.putting {
                log.resorts.tidy(shelf);
            }
        }
        Ok(log)
    }

    /// Takes what the store has of a shelf, read after [`Shard::door`](super::Shard::door) gave the cursor `at`.
    pub(crate) fn warm_shelf(&mut self, id: &LogId, at: u64, shelf: Shelf) {
        if let Some(log) = self.here(id)
            && log.shelf.is_none()
            && log.assigned == at
        {
            log.shelf = Some(shelf);
        }
    }

    /// Answers what is left.
    pub(crate) fn count(&mut self, now: Millis, asker: &Asker<Q>, id: &LogId) -> Result<(), No> {
        let log = self.shelf(now, id)?;
        log.touch(now);
        let shelf = log.shelf.as_ref().ok_or(No::wait(Refusal::Busy, BUSY_WAIT_MS))?;
        let counted = Counted { request: asker.request, slots: shelf.count(&log.resorts) };
        asker.outbox.push(RelayFrame::Counted(counted).encode().into(), Class::Answer);
        Ok(())
    }

    /// Stages what a put changes.
    pub(crate) fn put(&mut self, now: Millis, asker: Asker<Q>, f: &Put<'_>) -> Result<(), No> {
        let (config, disk_full) = (Arc::clone(&self.config), self.disk_full);
        let said = || f.items.iter().map(|item| (false, *item)).chain(f.last_resort.map(|item| (true, item)));
        let log = self.shelf(now, &f.shelf)?;
        log.touch(now);
        if said().any(|(_, item)| item.is_empty()) {
            return Err(No::because(Refusal::Malformed));
        }
        if said().any(|(_, item)| item.len() > MAX_ITEM) {
            return Err(No::above(Refusal::BodyTooLarge, MAX_ITEM as u64));
        }
        let busy = No::wait(Refusal::Busy, BUSY_WAIT_MS);
        let shelf = log.shelf.as_mut().filter(|_| !log.putting).ok_or(busy)?;
        let there = shelf.all(&f.slot);
        let mut new: Vec<(bool, &[u8])> = Vec::new();
        for (last_resort, item) in said() {
            if !new.contains(&(last_resort, item)) && !there.iter().any(|place| place.is(last_resort, item)) {
                new.push((last_resort, item));
            }
        }
        let gone = |place: &&Place| {
            let said_again = said().any(|(last_resort, item)| place.is(last_resort, item));
            let replaced = place.last_resort && f.last_resort.is_some();
            (f.clear || replaced) && !said_again
        };
        let removed: Vec<Place> = there.iter().filter(gone).copied().collect();
        let left = there.iter().filter(|place| !place.last_resort && !gone(place)).count();
        if left.saturating_add(new.iter().filter(|(last_resort, _)| !last_resort).count()) > MAX_ITEMS {
            return Err(No::above(Refusal::ShelfFull, MAX_ITEMS as u64));
        }
        if !new.is_empty() && !shelf.has(&f.slot) && shelf.slots() >= MAX_SLOTS {
            return Err(No::above(Refusal::ShelfFull, MAX_SLOTS as u64));
        }
        if new.is_empty() && removed.is_empty() {
            return self.count(now, &asker, &f.shelf);
        }
        let expires = now.saturating_add(log.max_ttl(&config).saturating_mul(1000));
        let places = (log.assigned.saturating_add(1)..).zip(&new);
        let added: Vec<Place> = places
            .map(|(cursor, (last_resort, item))| Place {
                slot: f.slot,
                last_resort: *last_resort,
                item: Item::new(cursor, item, expires),
            })
            .collect();
        let cost: u64 = added.iter().map(|place| place.item.cost()).sum();
        if !added.is_empty() {
            log.has_room(cost, &config)?;
            if disk_full {
                return Err(No::above(Refusal::DiskFull, config.max_disk));
            }
        }
        // What is taken away waits for the disk as well.
        let size = usize::try_from(cost).unwrap_or(usize::MAX).saturating_add(size_of_val(&*removed));
        if !self.may_stage(size) {
            return Err(busy);
        }
        self.stage_put(Putting { asker, shelf: f.shelf, added, removed, time: now, cost, size }, &new);
        Ok(())
    }

    fn stage_put(&mut self, putting: Putting<Q>, new: &[(bool, &[u8])]) {
        let Some(log) = self.logs.get_mut(&putting.shelf) else { return };
        log.putting = true;
        log.busy = log.busy.saturating_add(1);
        log.staging(putting.cost);
        // Whoever reads the shelf from the store now, reads what is no longer so.
        log.assigned = log.assigned.saturating_add(putting.added.len() as u64).saturating_add(1);
        if let Some(shelf) = &mut log.shelf {
            putting.removed.iter().for_each(|place| shelf.take_off(place));
        }
        let shelf = putting.shelf;
        let remove = |place: &Place| Write::Remove { log: shelf, cursor: place.item.cursor };
        self.batch.writes.extend(putting.removed.iter().map(remove));
        for (place, (last_resort, item)) in putting.added.iter().zip(new) {
            let body = Place::body(&place.slot, *last_resort, item);
            let (cursor, expires) = (place.item.cursor, place.item.expires);
            // Items are found by their place: the id only has to be another one.
            let [a, b] = [cursor.to_be_bytes(), [0; 8]];
            let id16 = Id16([a, b].concat().try_into().unwrap_or([0; 16]));
            let record =
                NewRecord { log: shelf, cursor, time: putting.time, expires, epoch: 0, id16, body, advance: None };
            self.batch.writes.push(Write::Append(record));
        }
        self.staging(putting.size);
        self.batch.pending.push(Pending::Put(Box::new(putting)));
    }

    /// A put is durable, or not.
    pub(super) fn has_put(&mut self, putting: Putting<Q>, outcome: Result<(), Refusal>) {
        let Putting { asker, shelf: id, added, removed, time, cost, size } = putting;
        self.landed(size);
        let Some(log) = self.logs.get_mut(&id) else { return };
        log.putting = false;
        log.busy = log.busy.saturating_sub(1);
        log.landed(cost, outcome.is_ok());
        if outcome.is_ok() {
            log.expired(removed.iter().map(|place| place.item.cost()).sum());
            let newest = added.iter().map(|place| (place.item.cursor, place.item.expires)).max();
            if let Some((cursor, expires)) = newest {
                log.meta.last = log.meta.last.max(cursor);
                log.meta.last_write = Some(time);
                log.meta.last_expiry = log.meta.last_expiry.max(expires);
            }
        }
        let back = if outcome.is_ok() { &added } else { &removed };
        if let Some(shelf) = &mut log.shelf {
            back.iter().for_each(|place| shelf.put(place));
            let counted = Counted { request: asker.request, slots: shelf.count(&log.resorts) };
            let frame = match outcome {
                Ok(()) => RelayFrame::Counted(counted).encode().into(),
                Err(code) => No::because(code).frame(Some(asker.request), Some(id)),
            };
            asker.outbox.push(frame, Class::Answer);
        }
    }

    /// Finds a take right and puts aside what it gets; [`Shard::take_item`] or [`Shard::put_back`] must follow. `None`: the
    /// shelf must be read first.
    pub(crate) fn reserve(&mut self, now: Millis, f: &Take) -> Option<Result<Reserved, No>> {
        let log = match self.shelf(now, &f.shelf) {
            Ok(log) => log,
            Err(no) => return Some(Err(no)),
        };
        let ticket = match log.ticket(&f.ticket.hash()) {
            Ok(ticket) => ticket,
            Err(no) => return Some(Err(no)),
        };
        let next = log.shelf.as_ref()?.next();
        if next.is_empty() {
            return Some(Err(No::because(Refusal::ShelfEmpty)));
        }
        // What is taken has its own bounds: the ticket's bytes are for posts.
        if let Err(no) = log.may_use(now, &ticket, 0) {
            return Some(Err(no));
        }
        // Its answer waits for the disk.
        let size = next.iter().map(|place| place.item.cost()).sum::<u64>();
        if !self.may_stage(usize::try_from(size).unwrap_or(usize::MAX)) {
            return Some(Err(No::wait(Refusal::Busy, BUSY_WAIT_MS)));
        }
        let log = self.logs.get_mut(&f.shelf)?;
        log.touch(now);
        log.use_ticket(now, &ticket, 0);
        log.busy = log.busy.saturating_add(1);
        log.assigned = log.assigned.saturating_add(1);
        for place in &next {
            if place.last_resort {
                log.resorts.take(place);
            } else if let Some(shelf) = &mut log.shelf {
                shelf.take_off(place);
            }
        }
        Some(Ok(Reserved { places: next, ticket: ticket.hash, time: now }))
    }

    /// What was put aside could not be given.
    pub(crate) fn put_back(&mut self, id: &LogId, Reserved { places, ticket, time }: &Reserved) {
        let Some(log) = self.logs.get_mut(id) else { return };
        log.busy = log.busy.saturating_sub(1);
        log.unuse_ticket(*time, ticket, 0);
        for place in places {
            if place.last_resort {
                log.resorts.untake(place);
            } else if let Some(shelf) = &mut log.shelf {
                shelf.put(place);
            }
        }
    }

    /// Stages the removal of what was put aside, with its bytes.
    pub(crate) fn take_item(&mut self, asker: Asker<Q>, shelf: LogId, taken: Reserved, items: &[(Place, Bytes)]) {
        let request = asker.request;
        let last = items.len().saturating_sub(1);
        let frame = |(at, (place, item)): (usize, &(Place, Bytes))| -> Bytes {
            let Place { slot, last_resort, .. } = *place;
            RelayFrame::Taken(Taken { request, slot, item, last_resort, more: at < last }).encode().into()
        };
        let frames: Vec<Bytes> = items.iter().enumerate().map(frame).collect();
        let gone = taken.places.iter().filter(|place| !place.last_resort);
        self.batch.writes.extend(gone.map(|place| Write::Remove { log: shelf, cursor: place.item.cursor }));
        let size = frames.iter().map(Bytes::len).sum();
        self.staging(size);
        self.batch.pending.push(Pending::Take(Box::new(Taking { asker, shelf, taken, frames, size })));
    }

    /// A take is durable, or not.
    pub(super) fn has_taken(&mut self, taking: Taking<Q>, outcome: Result<(), Refusal>) {
        let Taking { asker, shelf, taken, frames, size } = taking;
        self.landed(size);
        if let Err(code) = outcome {
            self.put_back(&shelf, &taken);
            asker.outbox.push(No::because(code).frame(Some(asker.request), Some(shelf)), Class::Answer);
            return;
        }
        if let Some(log) = self.logs.get_mut(&shelf) {
            log.busy = log.busy.saturating_sub(1);
            log.expired(taken.places.iter().filter(|p| !p.last_resort).map(|p| p.item.cost()).sum());
        }
        for frame in frames {
            asker.outbox.push(frame, Class::Answer);
        }
    }
}
