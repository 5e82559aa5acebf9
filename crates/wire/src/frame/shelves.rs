//! Shelves: things that are put by their owner and taken once.

use core::fmt;

use minicbor::{Decode, Decoder, Encode, decode};

use super::lists;
use crate::id::{LogId, Signature, SlotId, TicketSecret};
use crate::limits::{MAX_ITEMS_A_PUT, MAX_SLOTS};

/// Fills one slot of a shelf. An item that is there already is not added again. Answered by `Counted` when it is durable,
/// or by `Refused`.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Put<'b> {
    /// Comes back in the answer.
    #[n(0)]
    pub request: u64,
    /// Which shelf.
    #[n(1)]
    pub shelf: LogId,
    /// Which slot of it.
    #[n(2)]
    pub slot: SlotId,
    /// What the slot holds and this frame does not say is thrown away; if the frame says nothing, the slot is gone.
    #[n(3)]
    pub clear: bool,
    /// Sealed items, at most [`crate::limits::MAX_ITEMS_A_PUT`] of 1 to [`crate::limits::MAX_ITEM`] bytes.
    #[b(4)]
    #[cbor(encode_with = "lists::write_bytes", decode_with = "few")]
    pub items: Vec<&'b [u8]>,
    /// What is given when no item is left, as often as it is asked for; it takes the place of an earlier one.
    #[b(5)]
    #[cbor(with = "minicbor::bytes")]
    pub last_resort: Option<&'b [u8]>,
    /// The shelf's key's signature over [`crate::proof::put`].
    #[n(6)]
    pub signature: Signature,
}

fn few<'b, C>(d: &mut Decoder<'b>, _: &mut C) -> Result<Vec<&'b [u8]>, decode::Error> {
    lists::read_bytes(d, MAX_ITEMS_A_PUT)
}

impl Put<'_> {
    /// Bytes of all items, with their heads.
    pub(super) fn bytes(&self) -> usize {
        self.items.iter().chain(&self.last_resort).map(|item| item.len().saturating_add(4)).sum()
    }
}

impl fmt::Debug for Put<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Put")
            .field("request", &self.request)
            .field("clear", &self.clear)
            .field("items", &self.items.len())
            .field("last_resort", &self.last_resort.is_some())
            .finish_non_exhaustive()
    }
}

/// Takes one item of each slot. Answered by one `Taken` for each when that is durable, or by `Refused`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Take {
    /// Comes back in the answer.
    #[n(0)]
    pub request: u64,
    /// Which shelf.
    #[n(1)]
    pub shelf: LogId,
    /// The ticket's secret.
    #[n(2)]
    pub ticket: TicketSecret,
}

/// Asks what is left on a shelf. Answered by `Counted` or `Refused`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Count {
    /// Comes back in the answer.
    #[n(0)]
    pub request: u64,
    /// Which shelf.
    #[n(1)]
    pub shelf: LogId,
    /// The shelf's key's signature over [`crate::proof::count`].
    #[n(2)]
    pub signature: Signature,
}

/// What is left in one slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SlotCount {
    /// Which.
    #[n(0)]
    pub slot: SlotId,
    /// Items.
    #[n(1)]
    pub left: u64,
    /// Whether it has a last resort.
    #[n(2)]
    pub last_resort: bool,
    /// How often the last resort was taken since it was put, or since the relay has started.
    #[n(3)]
    pub last_resort_taken: u64,
}

impl SlotCount {
    /// Bytes that one takes in a list.
    pub(super) const MOST: usize = 1 + 4 + 17 + 9 + 1 + 9;
}

/// What is left on a shelf. Slots that hold nothing are not there.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Counted {
    /// As in the request.
    #[n(0)]
    pub request: u64,
    /// Slot by slot, at most [`crate::limits::MAX_SLOTS`].
    #[n(1)]
    #[cbor(decode_with = "few_slots")]
    pub slots: Vec<SlotCount>,
}

fn few_slots<C>(d: &mut Decoder<'_>, c: &mut C) -> Result<Vec<SlotCount>, decode::Error> {
    lists::read(d, c, MAX_SLOTS)
}

/// One item, taken: nobody else gets it, unless it is the last resort.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Taken<'b> {
    /// As in `Take`.
    #[n(0)]
    pub request: u64,
    /// From which slot.
    #[n(1)]
    pub slot: SlotId,
    /// As it was put.
    #[b(2)]
    #[cbor(with = "minicbor::bytes")]
    pub item: &'b [u8],
    /// It is the slot's last resort, which others get as well.
    #[n(3)]
    pub last_resort: bool,
    /// Another slot's item follows for the same request.
    #[n(4)]
    pub more: bool,
}

impl fmt::Debug for Taken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Taken")
            .field("request", &self.request)
            .field("item_bytes", &self.item.len())
            .field("last_resort", &self.last_resort)
            .field("more", &self.more)
            .finish_non_exhaustive()
    }
}
