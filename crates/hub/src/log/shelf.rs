//! What lies on a shelf: where in the store, never the bytes. An item is a record of the shelf's; its body tells the slot
//! and whether it is a last resort.

use std::collections::BTreeMap;

use bytes::Bytes;
use estoile_wire::frame::SlotCount;
use estoile_wire::id::SlotId;
use estoile_wire::{Cursor, Millis};
use sha2::{Digest, Sha256};

use crate::store::{StoredRecord, charge};

/// Before the item in a record's body: the slot, and 1 for a last resort.
const HEAD: usize = SlotId::SIZE + 1;
/// An item that is over so soon is not given any more: it could be gone before it is taken off the disk.
const TOO_LATE_MS: u64 = 60_000;

/// One item in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) cursor: Cursor,
    hash: [u8; 32],
    size: usize,
    pub(crate) expires: Millis,
}

/// An item and the place it has, or had, on the shelf.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) slot: SlotId,
    pub(crate) last_resort: bool,
    pub(crate) item: Item,
}

#[derive(Debug, Default)]
struct Slot {
    items: BTreeMap<Cursor, Item>,
    last_resort: Option<Item>,
}

/// The items of a shelf that are durable and not being taken.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    slots: BTreeMap<SlotId, Slot>,
}

impl Item {
    pub(crate) fn new(cursor: Cursor, item: &[u8], expires: Millis) -> Self {
        Self { cursor, hash: Sha256::digest(item).into(), size: item.len(), expires }
    }

    /// What it counts against quotas.
    pub(crate) fn cost(&self) -> u64 {
        charge(self.size.saturating_add(HEAD))
    }

    fn is_good(&self, now: Millis) -> bool {
        now.saturating_add(TOO_LATE_MS) < self.expires
    }
}

impl Place {
    /// The body of its record.
    pub(crate) fn body(slot: &SlotId, last_resort: bool, item: &[u8]) -> Bytes {
        let mut body = Vec::with_capacity(HEAD.saturating_add(item.len()));
        body.extend_from_slice(&slot.0);
        body.push(u8::from(last_resort));
        body.extend_from_slice(item);
        body.into()
    }

    /// The item in the body of its record.
    pub(crate) fn item_of(body: &Bytes) -> Bytes {
        body.slice(HEAD.min(body.len())..)
    }

    fn read(record: &StoredRecord) -> Option<Self> {
        let (slot, rest) = record.body.split_first_chunk::<{ SlotId::SIZE }>()?;
        let (flag, item) = rest.split_first()?;
        let item = Item::new(record.cursor, item, record.expires);
        Some(Self { slot: SlotId(*slot), last_resort: *flag == 1, item })
    }
}

impl Shelf {
    /// Takes an item that the store has.
    pub(crate) fn learn(&mut self, record: &StoredRecord) {
        if let Some(place) = Place::read(record) {
            self.put(&place);
        }
    }

    /// An item is there, now or again.
    pub(crate) fn put(&mut self, place: &Place) {
        let slot = self.slots.entry(place.slot).or_default();
        if place.last_resort {
            // Two were never put: the later one counts.
            if slot.last_resort.is_none_or(|before| before.cursor < place.item.cursor) {
                slot.last_resort = Some(place.item);
            }
        } else {
            slot.items.insert(place.item.cursor, place.item);
        }
    }

    /// An item goes.
    pub(crate) fn take_off(&mut self, place: &Place) {
        let Some(slot) = self.slots.get_mut(&place.slot) else { return };
        slot.items.remove(&place.item.cursor);
        slot.last_resort.take_if(|item| item.cursor == place.item.cursor);
        if slot.items.is_empty() && slot.last_resort.is_none() {
            self.slots.remove(&place.slot);
        }
    }

    /// The last resort of a slot.
    fn last_resort(&self, id: &SlotId) -> Option<&Item> {
        self.slots.get(id)?.last_resort.as_ref()
    }

    /// Forgets what is over.
    pub(crate) fn forget(&mut self, now: Millis) {
        self.slots.retain(|_, slot| {
            slot.items.retain(|_, item| item.is_good(now));
            slot.last_resort.take_if(|item| !item.is_good(now));
            !slot.items.is_empty() || slot.last_resort.is_some()
        });
    }

    /// All that lies in a slot.
    pub(crate) fn all(&self, id: &SlotId) -> Vec<Place> {
        let Some(slot) = self.slots.get(id) else { return Vec::new() };
        let place = |last_resort| move |item: &Item| Place { slot: *id, last_resort, item: *item };
        slot.items.values().map(place(false)).chain(slot.last_resort.iter().map(place(true))).collect()
    }

    /// Whether there is a slot of this name.
    pub(crate) fn has(&self, id: &SlotId) -> bool {
        self.slots.contains_key(id)
    }

    /// How many slots there are.
    pub(crate) fn slots(&self) -> usize {
        self.slots.len()
    }

    /// What the next taker gets: of each slot its oldest item, or the last resort.
    pub(crate) fn next(&self) -> Vec<Place> {
        let next = |(slot, held): (&SlotId, &Slot)| {
            let item = held.items.values().next().map(|item| (false, *item));
            let (last_resort, item) = item.or(held.last_resort.map(|item| (true, item)))?;
            Some(Place { slot: *slot, last_resort, item })
        };
        self.slots.iter().filter_map(next).collect()
    }

    /// What is left, slot by slot.
    pub(crate) fn count(&self, resorts: &Resorts) -> Vec<SlotCount> {
        let count = |(slot, held): (&SlotId, &Slot)| SlotCount {
            slot: *slot,
            left: held.items.len() as u64,
            last_resort: held.last_resort.is_some(),
            last_resort_taken: held.last_resort.map_or(0, |item| resorts.taken(slot, item.cursor)),
        };
        self.slots.iter().map(count).collect()
    }
}

/// How often last resorts were taken, each told by its place: one that is put later begins anew.
#[derive(Debug, Default)]
pub(crate) struct Resorts(BTreeMap<SlotId, (Cursor, u64)>);

impl Resorts {
    fn taken(&self, slot: &SlotId, cursor: Cursor) -> u64 {
        self.0.get(slot).filter(|(at, _)| *at == cursor).map_or(0, |(_, taken)| *taken)
    }

    /// One was taken.
    pub(crate) fn take(&mut self, place: &Place) {
        let taken = self.taken(&place.slot, place.item.cursor).saturating_add(1);
        self.0.insert(place.slot, (place.item.cursor, taken));
    }

    /// It was not, after all.
    pub(crate) fn untake(&mut self, place: &Place) {
        if let Some((_, taken)) = self.0.get_mut(&place.slot).filter(|(at, _)| *at == place.item.cursor) {
            *taken = taken.saturating_sub(1);
        }
    }

    /// Forgets those that are not on the shelf any more.
    pub(crate) fn tidy(&mut self, shelf: &Shelf) {
        self.0.retain(|slot, (cursor, _)| shelf.last_resort(slot).is_some_and(|item| item.cursor == *cursor));
    }
}

impl Place {
    /// Whether an item of these bytes lies here.
    pub(crate) fn is(&self, last_resort: bool, item: &[u8]) -> bool {
        self.last_resort == last_resort && self.item.hash == <[u8; 32]>::from(Sha256::digest(item))
    }
}
