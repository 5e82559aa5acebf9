//! What happens at private rooms' doors: knocking, answering, moving.

use estoile_mls::inspect_key_package;
use estoile_seal::account::AccountId;
use estoile_seal::door::{AtDoor, DoorKeys, Knock, Why};
use estoile_seal::moving::Announcement;
use estoile_wire::Millis;
use sha2::{Digest, Sha256};

use crate::account::{StoredPlace, address_of, is_stale, link_fault};
use crate::board::Draft;
use crate::command::{Answer, CommandError};
use crate::engine::Engine;
use crate::engine::turning::suite;
use crate::notice::NoticeKind;
use crate::out::Cx;
use crate::private::{ADVICE_REPLACED, Private, REPLACED};
use crate::room::Room;
use crate::turn::CommandId;
use crate::view::{RelayId, Role, RoomId};

impl Engine {
    /// A room of the account that this device is not in: it knocks, as one who belongs there.
    pub(super) fn knock_back(&mut self, place: &StoredPlace, cx: &mut Cx<'_>) {
        let inside = |r: &Room| r.log() == Some(place.log) && r.private().is_some_and(|p| !p.is_gone());
        let (Some(door), Some(ticket)) = (place.door, place.ticket) else { return };
        let Ok(url) = place.relay.parse::<estoile_seal::link::RelayUrl>() else { return };
        if self.rooms.values().any(inside) || self.accounts.knocked_at(&place.log, &door) {
            return;
        }
        let address = address_of(&url);
        let door =
            estoile_seal::account::Door { log: door, ticket: estoile_seal::ticket::TicketSecret::from_bytes(ticket) };
        // Where it waits already, or where it was once.
        let before = self.rooms.values().find(|r| r.log() == Some(place.log)).map(|r| r.id);
        let waiting = self.accounts.knocking_for(&place.log).filter(|id| self.rooms.contains_key(id));
        let id = if let Some(id) = waiting.or(before) {
            id
        } else {
            let id = self.next_room(cx);
            let room = Room::waiting_private(id, RelayId(u32::MAX), &address, &place.name, true, cx);
            self.add(room);
            id
        };
        let known = (place.name.as_str(), Some(place.log));
        if let Err(error) = self.accounts.knock(id, &address, &door, Why::Back, known, None, cx) {
            cx.tell(Draft::new(Some(id), NoticeKind::Knocked, error.to_string(), "Ask to be invited again."));
        }
    }

    /// This device's keys in a room are of no use any more, and nothing else is wrong there: it knocks, and comes back as a new
    /// leaf.
    pub(in crate::engine) fn come_back(
        &mut self,
        id: RoomId,
        command: CommandId,
        cx: &mut Cx<'_>,
    ) -> Result<(), CommandError> {
        self.accounts.need()?;
        let room = self.rooms.get(&id).ok_or(CommandError::NoSuchRoom)?;
        if !room.can_come_back() {
            return Err(CommandError::Stopped(room.stopped().cloned().unwrap_or_default()));
        }
        let name = room.private().map(|p| p.name().to_owned()).unwrap_or_default();
        self.knock_for_keys(id, Some((command, Answer::Done)), cx)?;
        cx.tell(Draft::new(
            Some(id),
            NoticeKind::Knocked,
            format!("this device asks to come back into {name} with new keys"),
            "It is let in by the next device of anybody's there that is online; what was not sent here must be sent again.",
        ));
        Ok(())
    }

    /// Knocks at the door of a room that this device has a leaf in.
    fn knock_for_keys(
        &mut self,
        id: RoomId,
        waiting: Option<(CommandId, Answer)>,
        cx: &mut Cx<'_>,
    ) -> Result<(), CommandError> {
        let room = self.rooms.get(&id).ok_or(CommandError::NoSuchRoom)?;
        let private = room.private().ok_or(CommandError::NoSuchRoom)?;
        // Where the account's log says that the door is: another device may have seen it change.
        let door = self.accounts.door_of_place(&private.log());
        let door = door.unwrap_or_else(|| DoorKeys::from(&private.roster().door).address());
        let (address, log, name) = (room.address(), private.log(), private.name().to_owned());
        self.accounts.knock(id, &address, &door, Why::Back, (&name, Some(log)), waiting, cx)
    }

    /// A welcome was lost on its way.
    pub(super) fn knock_again(&mut self, id: RoomId, cx: &mut Cx<'_>) {
        if let Err(error) = self.accounts.knock_again(id, cx) {
            cx.tell(Draft::new(Some(id), NoticeKind::Knocked, error.to_string(), "Ask to be invited again."));
            return;
        }
        cx.tell(Draft::new(
            Some(id),
            NoticeKind::Knocked,
            "who let this device in was removed from their account before that was read here; it knocks once more",
            "Nothing is to be done; it is let in by another device there.",
        ));
    }

    /// This device has another leaf than the one that this vault knows.
    pub(super) fn replaced(&mut self, id: RoomId, (from, old): (Millis, bool), cx: &mut Cx<'_>) {
        let Some(private) = self.rooms.get(&id).and_then(Room::private) else { return };
        // A knock of ours that was on its way when we came in otherwise: its answer is on the way, too.
        if self.accounts.made_package(from) {
            let (name, log) = (private.name().to_owned(), private.log());
            self.accounts.waits_again(id, &name, log, cx);
            return;
        }
        if !old {
            cx.tell(Draft::new(Some(id), NoticeKind::Copied, REPLACED, ADVICE_REPLACED));
            return;
        }
        if let Err(error) = self.knock_for_keys(id, None, cx) {
            cx.tell(Draft::new(Some(id), NoticeKind::Knocked, error.to_string(), "Ask to be invited again."));
        }
    }

    /// Another device of ours has left a room, or was removed with all of us, at whose door this one waits.
    pub(super) fn knock_no_more(&mut self, log: &estoile_wire::LogId, cx: &mut Cx<'_>) {
        let Some(id) = self.accounts.knocking_for(log) else { return };
        self.accounts.knock_over(id);
        if self.rooms.get(&id).is_some_and(Room::is_waiting)
            && let Err(error) = self.forget(id, cx)
        {
            cx.tell(Draft::new(Some(id), NoticeKind::Knocked, error.to_string(), "Forget this room."));
        }
    }

    /// Something stands at a room's door.
    pub(super) fn at_door(&mut self, id: RoomId, body: Vec<u8>, cx: &mut Cx<'_>) {
        let Some(private) = self.rooms.get(&id).and_then(Room::private) else { return };
        let keys = DoorKeys::from(&private.roster().door);
        match keys.open(&private.leaves(), &body) {
            Ok(AtDoor::Knock(knock)) if !is_stale(&knock, cx.now) => {
                let Some(rank) = rank(private, &knock, cx.now) else { return };
                self.accounts.knocked(id, knock.device, body, rank, cx);
            }
            Ok(AtDoor::Knock(_)) => {}
            Ok(AtDoor::Moved(said)) => self.moved(id, &said, cx),
            Err(error) => {
                let advice = "Nothing was done with it. If many come, revoke the room's links.";
                cx.tell(Draft::new(Some(id), NoticeKind::Forged, error.to_string(), advice));
            }
        }
    }

    /// The room was moved by somebody who may.
    fn moved(&mut self, id: RoomId, said: &Announcement, cx: &mut Cx<'_>) {
        let Some(private) = self.rooms.get(&id).and_then(Room::private) else { return };
        let (address, door, name, log) = (address_of(&said.relay), said.door.clone(), said.name.clone(), said.log);
        let before = self.accounts.knocking_for(&log);
        if self.rooms.values().any(|r| r.log() == Some(log)) || before == Some(id) {
            return;
        }
        if let Err(error) = private.check_move(said) {
            let detail = format!("somebody says that this room has moved, and that does not count: {error}");
            cx.tell(Draft::new(Some(id), NoticeKind::Moved, detail, "Ask the room's owner by another way."));
            return;
        }
        let Some(from) = self.rooms.get(&id).and_then(Room::log) else { return };
        // Another device of ours has told of it, and we knocked as for a room of which nothing is here.
        if let Some(waiting) = before.filter(|b| self.rooms.get(b).is_some_and(Room::is_waiting))
            && let Err(error) = self.forget(waiting, cx)
        {
            cx.tell(Draft::new(Some(waiting), NoticeKind::Moved, error.to_string(), "Forget this room."));
        }
        let place = (name.as_str(), Some(log));
        if let Err(error) = self.accounts.knock(id, &address, &door, Why::Moved(from), place, None, cx) {
            cx.tell(Draft::new(Some(id), NoticeKind::Moved, error.to_string(), "Ask to be invited to the new room."));
            return;
        }
        cx.tell(Draft::new(
            Some(id),
            NoticeKind::Moved,
            format!("this room goes on as {name} with new keys and a new log; this device knocks there"),
            "Wait until somebody lets this device in; what was said here stays here.",
        ));
    }

    /// Answers a knock whose turn has come.
    pub(super) fn answer_knock(&mut self, id: RoomId, body: &[u8], cx: &mut Cx<'_>) {
        // Whom a device lets in that is out of its account itself can't believe it.
        if self.accounts.own.as_ref().is_none_or(|own| own.stored.stopped.is_some()) {
            return;
        }
        let Some(room) = self.rooms.get(&id) else { return };
        let Some(private) = room.private() else { return };
        let Ok(AtDoor::Knock(knock)) = DoorKeys::from(&private.roster().door).open(&private.leaves(), body) else {
            return;
        };
        let account = knock.account();
        // Somebody was quicker.
        if !is_news(private, &knock, cx.now) {
            return;
        }
        let member = private.roster().role(&account);
        let (role, via) = match knock.why {
            _ if member.is_some() => (view_role(member), None),
            Why::Link(link) => match link_fault(private.roster(), &link, cx.now) {
                None => (Role::Member, Some(link)),
                Some(why) => {
                    let detail = format!("{} knocked and was not let in: {why}", knock.name);
                    let advice = "Make a new link, or invite them, if they should be here.";
                    cx.tell(Draft::new(Some(id), NoticeKind::Knocked, detail, advice));
                    return;
                }
            },
            Why::Moved(_) => match private.expects(&account.0) {
                Some(role) => (role, None),
                None => return,
            },
            Why::Back => {
                let detail = format!("{} knocked as a member and is none, and was not let in", knock.name);
                cx.tell(Draft::new(Some(id), NoticeKind::Knocked, detail, "Invite them if they should be here."));
                return;
            }
        };
        let suite = suite(private);
        self.accounts.let_in(id, &knock, suite, role, via, cx);
    }
}

fn view_role(role: Option<estoile_seal::roster::Role>) -> Role {
    match role {
        Some(estoile_seal::roster::Role::Owner) => Role::Owner,
        Some(estoile_seal::roster::Role::Admin) => Role::Admin,
        _ => Role::Member,
    }
}

/// Whose turn it is to answer: each device that may has its place, by chance, but the same for all; none: never ours.
fn rank(private: &Private, knock: &Knock, now: Millis) -> Option<u64> {
    let account = knock.account();
    let back = private.roster().role(&account).is_some();
    let may = |a: &[u8; 32]| back || private.roster().may_add(&AccountId(*a));
    let place = |device: &estoile_wire::PublicKey| -> [u8; 32] {
        Sha256::new().chain_update(knock.device.0).chain_update(device.0).finalize().into()
    };
    let own = private.me().device.public();
    let devices = private.devices();
    if !is_news(private, knock, now) {
        return None;
    }
    // Who knocks does not answer, though it may have a leaf still.
    let mut others = devices.iter().filter(|(device, a)| *device != knock.device && may(a));
    let mine = others.clone().find(|(device, _)| *device == own)?;
    let before = others.by_ref().filter(|(device, _)| place(device) < place(&mine.0)).count();
    u64::try_from(before).ok()
}

/// Whether a knock is of a device that is not in, or comes back: its key package is younger than its leaf. Else somebody was
/// quicker to answer it, or an old one is shown again.
fn is_news(private: &Private, knock: &Knock, now: Millis) -> bool {
    let packages = knock.key_packages.iter().filter_map(|bytes| inspect_key_package(bytes, now).ok());
    let from = packages.filter(|p| p.member.device == knock.device).map(|p| p.from_ms).max();
    private.comes_later(&knock.device, from.unwrap_or_default())
}
