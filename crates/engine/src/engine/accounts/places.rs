//! Where private rooms are: how Welcomes and the account's log name them, and their doors.

use estoile_seal::door::DoorKeys;

use crate::account::{Place, StoredPlace, relay_url};
use crate::engine::Engine;
use crate::out::Cx;
use crate::room::Room;
use crate::view::RoomId;

impl Engine {
    /// How a Welcome names a room.
    pub(in crate::engine) fn place(&self, id: RoomId) -> Option<Place> {
        let room = self.rooms.get(&id)?;
        let private = room.private()?;
        let mut address = room.address();
        address.pin = address.pin.or_else(|| self.links.get(&room.relay).and_then(|l| l.address.pin));
        Some(Place { name: private.name().to_owned(), log: private.log(), address })
    }

    /// Reads the door that the roster names.
    pub(in crate::engine) fn door(&mut self, id: RoomId, cx: &mut Cx<'_>) {
        let Some(room) = self.rooms.get(&id) else { return };
        let Some(private) = room.private() else { return };
        let (door, max_ttl) = (private.roster().door.clone(), private.roster().max_ttl);
        let address = room.address();
        self.accounts.set_door(id, Some(&door), &address, max_ttl, cx);
    }

    /// The account's log names the room, so that other devices find it.
    pub(in crate::engine) fn note_place(&mut self, id: RoomId) {
        let Some((place, room)) = self.place(id).zip(self.rooms.get(&id)) else { return };
        let Some(private) = room.private() else { return };
        let Some(relay) = relay_url(&place.address) else { return };
        let door = DoorKeys::from(&private.roster().door).address();
        let stored = StoredPlace {
            log: place.log,
            relay: relay.to_string(),
            name: place.name,
            door: Some(door.log),
            ticket: Some(*door.ticket.as_bytes()),
            revision: None,
        };
        self.accounts.note_place(stored);
    }

    /// Rooms that this device is in and that the account's log does not name: another device left them off, which had read
    /// less of them.
    pub(in crate::engine) fn note_places(&mut self) {
        let inside = |room: &&Room| room.private().is_some_and(|p| !p.is_gone() && !self.accounts.has_place(&p.log()));
        let missing: Vec<RoomId> = self.rooms.values().filter(inside).map(|room| room.id).collect();
        missing.into_iter().for_each(|id| self.note_place(id));
    }

    pub(in crate::engine) fn forget_place(&mut self, id: RoomId) {
        if let Some(log) = self.rooms.get(&id).and_then(Room::log) {
            self.accounts.forget_place(&log);
        }
    }
}
