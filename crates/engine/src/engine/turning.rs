//! Turning a quick room into a private one: the private room is made, gets a link, and the quick room is told.

use estoile_mls::Suite;
use estoile_seal::moving::Announcement;
use estoile_seal::roster::MovedFrom;
use estoile_wire::LogId;

use super::Engine;
use crate::command::{Answer, CommandError};
use crate::out::Cx;
use crate::private::{Founding, Intent, Private};
use crate::room::{NewPrivate, Room};
use crate::turn::CommandId;
use crate::view::{DeliveryState, LetterId, RoomId};

/// A quick room that is being turned. Not in the vault: after a death in between the private room is there, and its user
/// turns the quick one again, or sends the link there.
pub(super) struct Turning {
    pub(super) quick: RoomId,
    new: RoomId,
    log: LogId,
    link: [u8; 8],
    id: CommandId,
    /// The letter that says so.
    said: Option<LetterId>,
}

impl Engine {
    pub(super) fn make_private(&mut self, id: CommandId, quick: RoomId, cx: &mut Cx<'_>) -> Result<(), CommandError> {
        self.accounts.need()?;
        let turned = self.room(quick)?.to_turn()?;
        if self.turning.iter().any(|t| t.quick == quick) {
            return Err(CommandError::Private("this room is being made private already; wait a moment".to_owned()));
        }
        self.room_for(&turned.name)?;
        let own = self.accounts.need()?;
        let (me, address, entry) = (own.me(), own.stored.address.to_address(), own.stored.entry.clone());
        let new = self.next_room(cx);
        let founding = Founding { room: new, name: turned.name, classic: false, max_ttl: turned.max_ttl };
        let private = Private::found(&me, &founding, cx)?;
        let mut link = [0; 8];
        cx.rng.fill_bytes(&mut link);
        let how = NewPrivate { ttl: turned.ttl, max_ttl: turned.max_ttl, entry, sociable: true };
        self.found(new, &address, private, how, cx);
        self.touched.insert(new);
        if let Some(private) = self.rooms.get_mut(&new).and_then(Room::private_mut) {
            private.want(Intent::AddLink { id: link, uses: None, expires: None }, None, cx);
        }
        self.turning.push(Turning { quick, new, log: turned.log, link, id, said: None });
        Ok(())
    }

    /// Goes on with what is being turned, and answers who waits for it.
    pub(super) fn turn_private(&mut self, cx: &mut Cx<'_>) {
        for mut turning in core::mem::take(&mut self.turning) {
            match self.turn_on(&mut turning, cx) {
                Ok(true) => cx.answer(turning.id, Ok(Answer::Room(turning.new))),
                Ok(false) => self.turning.push(turning),
                Err(error) => cx.answer(turning.id, Err(error)),
            }
        }
    }

    /// True: the quick room's relay has kept the word.
    fn turn_on(&mut self, turning: &mut Turning, cx: &mut Cx<'_>) -> Result<bool, CommandError> {
        if let Some(said) = turning.said {
            return match self.rooms.get(&turning.quick).and_then(|room| room.state_of(&said)) {
                Some(DeliveryState::Sending) => Ok(false),
                Some(DeliveryState::Failed { why }) => Err(CommandError::Private(why)),
                _ => Ok(true),
            };
        }
        let Some(link) = self.link_of(turning.new, &turning.link)? else { return Ok(false) };
        let private = self.rooms.get(&turning.new).and_then(Room::private).ok_or(CommandError::NoSuchRoom)?;
        let own = self.accounts.need()?;
        let said = Announcement {
            from: MovedFrom { log: turning.log, epoch: 0 },
            check: [0; 16],
            relay: link.relay,
            log: private.log(),
            door: estoile_seal::account::Door { log: link.door, ticket: link.ticket },
            name: link.name,
            suite: suite(private),
            people: Vec::new(),
            link: Some(link.id),
            by: own.id(),
            chain: Some(own.chain.clone()),
            sent_at: cx.now,
        };
        let signed = said.sign(&own.device).map_err(|e| CommandError::Private(e.to_string()))?;
        let quick = self.rooms.get_mut(&turning.quick).ok_or(CommandError::NoSuchRoom)?;
        turning.said = quick.say_turned(&signed, &said, cx)?;
        self.touched.insert(turning.quick);
        Ok(false)
    }

    /// A room is forgotten that is being turned, or was made for it.
    pub(super) fn stop_turning(&mut self, gone: RoomId, cx: &mut Cx<'_>) {
        for turning in self.turning.extract_if(.., |t| t.quick == gone || t.new == gone) {
            cx.answer(turning.id, Err(CommandError::NoSuchRoom));
        }
    }
}

/// The suite of a room, by its number in MLS.
pub(super) fn suite(private: &Private) -> u16 {
    if private.classic() { Suite::Classic } else { Suite::XWing }.number()
}
