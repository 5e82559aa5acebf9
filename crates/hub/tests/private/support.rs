//! Groups, tickets and shelves beside the common rooms.

use bytes::Bytes;
use estoile_wire::frame::*;
use estoile_wire::id::{LogKind, SlotId, TicketSecret};
use estoile_wire::{ClientFrame, Cursor, LogId, PublicKey, Refusal, RelayFrame, proof};

use crate::common::*;

/// The access key of an epoch of the group.
pub(crate) fn key(epoch: u64) -> Room {
    Room::new(u8::try_from(50 + epoch).unwrap())
}

/// The group's log.
pub(crate) fn group() -> LogId {
    LogId::derive(LogKind::Advancing, &key(0).key())
}

pub(crate) fn secret(n: u8) -> TicketSecret {
    TicketSecret([n; 32])
}

pub(crate) fn ticket(n: u8, per_day: u64, bytes_per_day: u64) -> Ticket {
    Ticket { hash: secret(n).hash(), per_day, bytes_per_day }
}

/// An append in an epoch; `next`: it ends the epoch.
pub(crate) fn letter(id: u64, epoch: u64, next: Option<PublicKey>) -> ClientFrame<'static> {
    let (log, body) = (group(), &b"sealed"[..]);
    ClientFrame::Append(Append { request: id, log, id16: id16(id), epoch, ttl: None, body, advance: next })
}

/// The end of an epoch.
pub(crate) fn ends(id: u64, epoch: u64) -> ClientFrame<'static> {
    letter(id, epoch, Some(key(epoch + 1).key()))
}

/// The cursor of the only `kept`.
pub(crate) fn kept(answers: &[Bytes]) -> Cursor {
    let kept =
        decoded(answers).into_iter().find_map(|f| if let RelayFrame::Kept(k) = f { Some(k.cursor) } else { None });
    kept.unwrap_or_else(|| panic!("{:?}", decoded(answers)))
}

/// All refusals' codes and limits.
pub(crate) fn refusals(answers: &[Bytes]) -> Vec<(Refusal, Option<u64>)> {
    let refused = |f| if let RelayFrame::Refused(r) = f { Some((r.code, r.limit)) } else { None };
    decoded(answers).into_iter().filter_map(refused).collect()
}

/// The time to wait that the only refusal says.
pub(crate) fn wait_of(answers: &[Bytes]) -> Option<u64> {
    match decoded(answers)[..] {
        [RelayFrame::Refused(ref refused)] => refused.wait_ms,
        ref other => panic!("{other:?}"),
    }
}

impl World {
    pub(crate) fn make(&mut self, client: Client, room: &Room, kind: LogKind, max_ttl: u64, quota: u64) -> LogId {
        let message = proof::create(&self.relay_key, &client.nonce, kind, &room.key(), max_ttl, quota);
        let (kind_number, signature) = (kind as u64, room.sign(&message));
        let create =
            Create { request: 1, kind: kind_number, access_key: room.key(), max_ttl, quota, signature, entry: None };
        let answers = self.say(client, &ClientFrame::Create(create));
        assert!(matches!(decoded(&answers)[..], [RelayFrame::Created(_)]), "{:?}", decoded(&answers));
        LogId::derive(kind, &room.key())
    }

    /// Attaches to the group at an epoch, with this key.
    pub(crate) fn enter_with(&mut self, client: Client, key: &Room, epoch: u64, after: Cursor) -> Vec<Bytes> {
        let log = group();
        let signature = key.sign(&proof::attach(&self.relay_key, &client.nonce, &log, epoch));
        self.say(client, &ClientFrame::Attach(Attach { request: 2, log, epoch, after, signature, newest: None }))
    }

    pub(crate) fn enter(&mut self, client: Client, epoch: u64, after: Cursor) -> Vec<Bytes> {
        self.enter_with(client, &key(epoch), epoch, after)
    }

    /// A client in epoch 0 of the group, which it has made; records live an hour.
    pub(crate) fn group_founder(&mut self) -> Client {
        let client = self.client();
        self.make(client, &key(0), LogKind::Advancing, 3600, 0);
        self.enter(client, 0, 0);
        client
    }

    /// One more who has everything of an epoch.
    pub(crate) fn member(&mut self, epoch: u64) -> Client {
        let client = self.client();
        let answers = self.enter(client, epoch, 0);
        assert!(matches!(decoded(&answers).last(), Some(RelayFrame::Live(_))), "{:?}", decoded(&answers));
        client
    }

    pub(crate) fn set_tickets(
        &mut self,
        client: Client,
        key: &Room,
        log: LogId,
        epoch: u64,
        list: &[Ticket],
    ) -> Vec<Bytes> {
        let signature = key.sign(&proof::tickets(&self.relay_key, &client.nonce, &log, epoch, list));
        self.say(client, &ClientFrame::Tickets(Tickets { request: 3, log, tickets: list.to_vec(), signature }))
    }

    pub(crate) fn put_frame<'b>(
        &self,
        client: Client,
        shelf: &Room,
        slot: u8,
        clear: bool,
        items: &[&'b [u8]],
        last_resort: Option<&'b [u8]>,
    ) -> ClientFrame<'b> {
        let (id, slot) = (LogId::derive(LogKind::Shelf, &shelf.key()), SlotId([slot; 16]));
        let signature = shelf.sign(&proof::put(&self.relay_key, &client.nonce, &id, &slot, clear, items, last_resort));
        ClientFrame::Put(Put { request: 4, shelf: id, slot, clear, items: items.to_vec(), last_resort, signature })
    }

    pub(crate) fn put(
        &mut self,
        client: Client,
        shelf: &Room,
        slot: u8,
        clear: bool,
        items: &[&[u8]],
        last_resort: Option<&[u8]>,
    ) -> Vec<Bytes> {
        let frame = self.put_frame(client, shelf, slot, clear, items, last_resort);
        self.say(client, &frame)
    }

    /// What is left: of each slot its name, items, whether it has a last resort, and how often that was taken.
    pub(crate) fn left(&mut self, client: Client, shelf: &Room) -> Vec<(u8, u64, bool, u64)> {
        let id = LogId::derive(LogKind::Shelf, &shelf.key());
        let signature = shelf.sign(&proof::count(&self.relay_key, &client.nonce, &id));
        counted(&self.say(client, &ClientFrame::Count(Count { request: 5, shelf: id, signature })))
    }
}

pub(crate) fn counted(answers: &[Bytes]) -> Vec<(u8, u64, bool, u64)> {
    match &decoded(answers)[..] {
        [RelayFrame::Counted(counted)] => {
            let slot = |s: &SlotCount| (s.slot.0[0], s.left, s.last_resort, s.last_resort_taken);
            counted.slots.iter().map(slot).collect()
        }
        other => panic!("{other:?}"),
    }
}
