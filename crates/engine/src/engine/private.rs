//! What faces ask about private rooms.

use std::str::FromStr;

use estoile_seal::door::{DoorKeys, Why};
use estoile_seal::link::RoomLink;
use estoile_seal::names;
use estoile_wire::LogId;

use super::turning::suite;
use super::{Engine, MAX_ROOMS};
use crate::account::{Into, Waits, door_of, relay_url};
use crate::command::{Answer, CommandError, PrivateCommand};
use crate::out::Cx;
use crate::private::{Founding, Intent, Private};
use crate::room::{NewPrivate, Room};
use crate::turn::CommandId;
use crate::view::{RelayId, Role, RoomId};

/// A relay's longest time is taken for this where it has not been named yet.
const MONTH_S: u64 = 30 * 24 * 60 * 60;

impl Engine {
    pub(super) fn private_command(&mut self, id: CommandId, command: PrivateCommand, cx: &mut Cx<'_>) {
        if let Err(error) = self.obey_private(id, command, cx) {
            cx.answer(id, Err(error));
        }
    }

    /// Answers itself, now or later, unless it fails.
    fn obey_private(&mut self, id: CommandId, command: PrivateCommand, cx: &mut Cx<'_>) -> Result<(), CommandError> {
        match command {
            PrivateCommand::New { name, ttl, max_ttl, classic } => {
                self.new_private(id, &name, ttl, max_ttl, classic, cx)
            }
            PrivateCommand::Invite { room, contact } => {
                let private = self.inside(room)?;
                let own = private.me().account;
                if !private.roster().may_add(&estoile_seal::account::AccountId(own)) {
                    return Err(may_not("add members", private));
                }
                let suite = suite(private);
                let account = self.accounts.contact(contact)?.account;
                if private.accounts().contains(&account) {
                    return Err(CommandError::Private("they are in this room already".to_owned()));
                }
                let life = private.max_ttl();
                let life = if life == 0 { MONTH_S } else { life }.saturating_mul(1_000);
                self.accounts.invite(&Into { room, suite, life }, contact, id, cx)
            }
            PrivateCommand::AcceptInvitation(room) => {
                let number = self.accounts.say_yes(room, cx)?;
                self.join(number, cx);
                cx.answer(id, Ok(Answer::Done));
                Ok(())
            }
            PrivateCommand::Link { room, uses, expires } => self.make_link(id, room, uses, expires, cx),
            PrivateCommand::RevokeLink { room, link } => {
                let link = link.map(|text| link_id(&text)).transpose()?;
                self.want(room, Intent::RevokeLink(link), id, cx)
            }
            PrivateCommand::Knock { link } => self.knock(id, &link, cx),
            PrivateCommand::Remove { room, account } => {
                self.want(room, Intent::RemoveAccount(account_id(&account)?), id, cx)
            }
            PrivateCommand::SetRole { room, account, role } => {
                self.want(room, Intent::SetRole { account: account_id(&account)?, role }, id, cx)
            }
            PrivateCommand::Rename { room, name } => {
                if !names::is_name(&name) {
                    return Err(CommandError::BadName);
                }
                self.want(room, Intent::Rename(name), id, cx)
            }
            PrivateCommand::Leave(room) => self.want(room, Intent::Leave, id, cx),
            PrivateCommand::Refresh(room) if self.rooms.get(&room).is_some_and(|r| r.stopped().is_some()) => {
                self.come_back(room, id, cx)
            }
            PrivateCommand::Refresh(room) => self.want(room, Intent::Refresh, id, cx),
            PrivateCommand::Move { room, without, classic } => self.move_room(id, room, &without, classic, cx),
            PrivateCommand::FromQuick { room } => self.make_private(id, room, cx),
            PrivateCommand::FollowQuick { room } => {
                self.accounts.need()?;
                let link = self.room(room)?.follow()?;
                self.knock(id, &link, cx)
            }
        }
    }

    fn inside(&self, id: RoomId) -> Result<&Private, CommandError> {
        let room = self.rooms.get(&id).ok_or(CommandError::NoSuchRoom)?;
        if let Some(why) = room.stopped() {
            return Err(CommandError::Stopped(why.clone()));
        }
        match room.private() {
            Some(private) => Ok(private),
            None if room.is_waiting() => Err(CommandError::Private(
                "you are not in this room yet: somebody there must let you in first".to_owned(),
            )),
            None => Err(CommandError::Private("this is no private room, or you are not in it any more".to_owned())),
        }
    }

    fn want(&mut self, room: RoomId, intent: Intent, id: CommandId, cx: &mut Cx<'_>) -> Result<(), CommandError> {
        self.inside(room)?;
        self.touched.insert(room);
        if let Some(private) = self.rooms.get_mut(&room).and_then(Room::private_mut) {
            private.want(intent, Some(id), cx);
        }
        Ok(())
    }

    pub(super) fn room_for(&mut self, name: &str) -> Result<(), CommandError> {
        if !names::is_name(name) {
            return Err(CommandError::BadName);
        }
        if self.rooms.len() >= MAX_ROOMS {
            return Err(CommandError::TooManyRooms { limit: MAX_ROOMS });
        }
        Ok(())
    }

    fn new_private(
        &mut self,
        id: CommandId,
        name: &str,
        ttl: Option<u64>,
        max_ttl: u64,
        classic: bool,
        cx: &mut Cx<'_>,
    ) -> Result<(), CommandError> {
        self.room_for(name)?;
        let own = self.accounts.need()?;
        if let Some(ttl) = ttl.filter(|ttl| max_ttl > 0 && *ttl > max_ttl) {
            let _ = ttl;
            return Err(CommandError::TtlTooLong { max: max_ttl });
        }
        let (me, address, entry) = (own.me(), own.stored.address.to_address(), own.stored.entry.clone());
        let room = self.next_room(cx);
        let founding = Founding { room, name: name.to_owned(), classic, max_ttl };
        let private = Private::found(&me, &founding, cx)?;
        self.found(room, &address, private, NewPrivate { ttl, max_ttl, entry, sociable: true }, cx);
        self.accounts.wait(Waits::Room(room), id, Answer::Room(room));
        Ok(())
    }

    /// The room goes on in another log with another group; what was said there stays with it.
    pub(super) fn go_on(
        &mut self,
        id: RoomId,
        private: Private,
        address: &crate::command::RelayAddress,
        how: (Option<NewPrivate>, Option<u64>),
        cx: &mut Cx<'_>,
    ) {
        self.forget_place(id);
        self.with_session(id, cx, |room, session, cx| room.detach(session, cx));
        let relay = self.link_to(address);
        let Some(room) = self.rooms.get_mut(&id) else { return };
        room.go_on(private, address, how, cx);
        room.relay = relay;
        self.touched.insert(id);
        self.route(id);
        self.begin(id, cx);
        self.door(id, cx);
        self.note_place(id);
    }

    pub(super) fn found(
        &mut self,
        id: RoomId,
        address: &crate::command::RelayAddress,
        private: Private,
        new: NewPrivate,
        cx: &mut Cx<'_>,
    ) {
        let room = Room::found_private(id, RelayId(u32::MAX), address, private, new, cx);
        self.add(room);
        self.begin(id, cx);
        self.door(id, cx);
        self.note_place(id);
    }

    fn make_link(
        &mut self,
        id: CommandId,
        room: RoomId,
        uses: Option<u32>,
        expires: Option<u64>,
        cx: &mut Cx<'_>,
    ) -> Result<(), CommandError> {
        let private = self.inside(room)?;
        if !private.roster().may_add(&estoile_seal::account::AccountId(private.me().account)) {
            return Err(may_not("make links", private));
        }
        let mut link = [0; 8];
        cx.rng.fill_bytes(&mut link);
        let expires = expires.map(|s| cx.now.saturating_add(s.saturating_mul(1_000)));
        self.touched.insert(room);
        if let Some(private) = self.rooms.get_mut(&room).and_then(Room::private_mut) {
            private.want(Intent::AddLink { id: link, uses, expires }, None, cx);
        }
        self.links_awaited.push((room, link, id));
        Ok(())
    }

    /// Answers who waits for a room link that the room knows now.
    pub(super) fn answer_links(&mut self, cx: &mut Cx<'_>) {
        let waiting = core::mem::take(&mut self.links_awaited);
        for (room, link, id) in waiting {
            match self.link_text(room, &link) {
                Ok(Some(text)) => cx.answer(id, Ok(Answer::Link(text))),
                Ok(None) if self.rooms.get(&room).and_then(Room::private).is_some_and(|p| !p.may_get_link(&link)) => {
                    let why = "the link was not made: you may not add members here any more, or somebody revoked all links at that moment; ask an owner or admin, or try again";
                    cx.answer(id, Err(CommandError::Private(why.to_owned())));
                }
                Ok(None) => self.links_awaited.push((room, link, id)),
                Err(error) => cx.answer(id, Err(error)),
            }
        }
    }

    fn link_text(&self, id: RoomId, link: &[u8; 8]) -> Result<Option<String>, CommandError> {
        Ok(self.link_of(id, link)?.map(|link| link.to_string()))
    }

    /// A link that the room knows by now.
    pub(super) fn link_of(&self, id: RoomId, link: &[u8; 8]) -> Result<Option<RoomLink>, CommandError> {
        let private = self.inside(id)?;
        if private.roster().link(link).is_none() {
            return Ok(None);
        }
        let Some(room) = self.rooms.get(&id) else { return Err(CommandError::NoSuchRoom) };
        let mut address = room.address();
        address.pin = address.pin.or_else(|| self.links.get(&room.relay).and_then(|l| l.address.pin));
        let Some(relay) = relay_url(&address) else { return Ok(None) };
        let door = DoorKeys::from(&private.roster().door).address();
        Ok(Some(RoomLink { relay, name: private.name().to_owned(), door: door.log, ticket: door.ticket, id: *link }))
    }

    fn knock(&mut self, id: CommandId, link: &str, cx: &mut Cx<'_>) -> Result<(), CommandError> {
        let link = RoomLink::from_str(link).map_err(|e| CommandError::Private(e.to_string()))?;
        self.room_for(&link.name)?;
        self.accounts.need()?;
        let (address, door) = door_of(&link);
        crate::account::check_relay(&address)?;
        let here = |room: &&Room| room.private().is_some_and(|p| DoorKeys::from(&p.roster().door).log() == door.log);
        if let Some(room) = self.rooms.values().find(here) {
            cx.answer(id, Ok(Answer::Room(room.id)));
            return Ok(());
        }
        let room = match self.accounts.knocking_at(&link.name) {
            Some(room) if self.rooms.get(&room).is_some_and(Room::is_waiting) => room,
            _ => {
                let room = self.next_room(cx);
                let waiting = Room::waiting_private(room, RelayId(u32::MAX), &address, &link.name, true, cx);
                self.add(waiting);
                room
            }
        };
        let place = (link.name.as_str(), None::<LogId>);
        let waiting = Some((id, Answer::Room(room)));
        self.accounts.knock(room, &address, &door, Why::Link(link.id), place, waiting, cx)
    }

    fn move_room(
        &mut self,
        id: CommandId,
        room: RoomId,
        without: &[String],
        classic: bool,
        cx: &mut Cx<'_>,
    ) -> Result<(), CommandError> {
        let own = self.accounts.need()?;
        let (address, entry) = (own.stored.address.to_address(), own.stored.entry.clone());
        let relay = relay_url(&address).ok_or_else(|| {
            CommandError::Offline("the account's relay was not reached yet; try again when it is there".to_owned())
        })?;
        let without = without.iter().map(|text| account_id(text)).collect::<Result<Vec<_>, _>>()?;
        let old = self.rooms.get(&room).ok_or(CommandError::NoSuchRoom)?;
        let ttl = old.stored.ttl;
        let name = old.private().map(|p| p.name().to_owned()).ok_or(CommandError::NoSuchRoom)?;
        let max_ttl = old.private().map_or(0, Private::max_ttl);
        let founding = Founding { room, name, classic, max_ttl };
        let Some(private) = self.rooms.get_mut(&room).and_then(Room::private_mut) else {
            return Err(CommandError::NoSuchRoom);
        };
        let (next, announcement) = private.begin_move(&founding, &without, &relay, cx)?;
        let keys = DoorKeys::from(&private.roster().door);
        let body = keys.tell(&announcement, cx.rng).map_err(|e| CommandError::Private(e.to_string()))?;
        let door = keys.address();
        if let Some(old) = self.place(room) {
            self.accounts.announce(room, (&old.address, &door), body, cx);
        }
        self.go_on(room, next, &address, (Some(NewPrivate { ttl, max_ttl, entry, sociable: true }), None), cx);
        self.accounts.wait(Waits::Room(room), id, Answer::Room(room));
        Ok(())
    }
}

fn may_not(what: &str, private: &Private) -> CommandError {
    let who = private.roster().policy.add;
    let _ = Role::Owner;
    CommandError::NotAllowed(format!("only members who are {} or more may {what} here; ask one of them", who.word()))
}

fn account_id(text: &str) -> Result<[u8; 32], CommandError> {
    estoile_seal::account::AccountId::from_hex(text.trim()).map(|id| id.0).ok_or_else(|| {
        CommandError::Private("an account's id has 64 hexadecimal digits; see `estoile room members`".to_owned())
    })
}

fn link_id(text: &str) -> Result<[u8; 8], CommandError> {
    let error = || CommandError::Private("a room link's id has 16 hexadecimal digits; see the room's links".to_owned());
    let text = text.trim();
    if text.len() != 16 {
        return Err(error());
    }
    u64::from_str_radix(text, 16).map(u64::to_be_bytes).map_err(|_| error())
}
