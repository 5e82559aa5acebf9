//! The messages that come along to a new device: gathered from all rooms, and handed over to those that they belong to.

use std::cmp::Reverse;

use estoile_seal::history;
use estoile_wire::Millis;

use super::Engine;
use crate::account::Packed;
use crate::out::Cx;
use crate::room::{Letter, Room};

impl Engine {
    /// What goes along to a new device: the newest messages at hand of the private rooms that we are in.
    pub(super) fn pack_past(&self, now: Millis) -> Packed {
        let mut all: Vec<(Reverse<_>, &Room, &Letter)> = Vec::new();
        for room in self.rooms.values() {
            all.extend(room.past(now).take(history::MAX_LETTERS).map(|(place, letter)| (Reverse(place), room, letter)));
        }
        all.sort_by_key(|(place, ..)| *place);
        history::parts(all.into_iter().filter_map(|(_, room, letter)| Some((room.log()?, room.past_message(letter)?))))
    }

    /// What came along goes into its rooms, as soon as they are here.
    pub(super) fn bring_past(&mut self, cx: &mut Cx<'_>) {
        for (number, log) in self.accounts.past_waiting() {
            let there = self.rooms.values().find(|room| room.log() == Some(log)).map(|room| room.id);
            let Some(id) = there.or_else(|| self.accounts.knocking_for(&log)) else { continue };
            let Some(room) = self.rooms.get_mut(&id) else { continue };
            if let Some(past) = self.accounts.take_past(number, cx) {
                room.bring(past, cx);
                self.touched.insert(id);
            }
        }
        self.accounts.look_whether_brought(cx);
    }
}
