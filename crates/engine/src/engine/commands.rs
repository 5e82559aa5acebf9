//! What faces ask for. Every command is answered exactly once.

use estoile_seal::SenderKey;
use estoile_seal::link::is_loopback;
use estoile_seal::names;

use super::{Engine, MAX_ROOMS};
use crate::command::{Answer, Command, CommandError, OpenRoom, Past};
use crate::link::{Link, Route};
use crate::out::Cx;
use crate::room::{Kept, Room, SendJob};
use crate::stored::{Progress, StoredCreate, StoredRoom};
use crate::turn::CommandId;
use crate::view::{RelayId, RoomId};

impl Engine {
    pub(super) fn command(&mut self, id: CommandId, command: Command, cx: &mut Cx<'_>) {
        // A room answers a send itself, maybe later.
        if let Command::Send { room, text, ttl } = command {
            match self.room(room) {
                Ok(room) => room.send(SendJob { id, text, ttl, at: cx.now }, cx),
                Err(error) => cx.answer(id, Err(error)),
            }
            return;
        }
        let command = match command {
            Command::Account(command) => return self.account_command(id, command, cx),
            Command::Private(command) => return self.private_command(id, command, cx),
            command => command,
        };
        let answer = self.obey(command, cx);
        cx.answer(id, answer);
    }

    fn obey(&mut self, command: Command, cx: &mut Cx<'_>) -> Result<Answer, CommandError> {
        match command {
            Command::Open(open) => return self.open(&open, cx).map(Answer::Room),
            Command::Retry { room, id } => return self.room(room)?.retry(id, cx).map(Answer::Letter),
            Command::SetTtl { room, ttl } => self.room(room)?.set_ttl(ttl, cx)?,
            Command::SetName { room, name } => {
                check_name(&name)?;
                self.room(room)?.set_name(name, cx);
            }
            Command::MarkRead { room } => self.room(room)?.mark_read(),
            Command::Typing { room } => {
                self.room(room)?;
                self.with_session(room, cx, |room, session, cx| room.typing(session, cx));
            }
            Command::Discard { room, id } => self.room(room)?.discard(id, cx)?,
            Command::ReconnectNow { room } => {
                let room = self.room(room)?;
                room.forgive();
                let relay = room.relay;
                if let Some(link) = self.links.get_mut(&relay) {
                    link.want(true, cx);
                }
                self.touch_relay(relay);
            }
            Command::Forget { room } => self.forget(room, cx)?,
            Command::Send { .. } | Command::Account(_) | Command::Private(_) => {}
        }
        Ok(Answer::Done)
    }

    pub(super) fn room(&mut self, id: RoomId) -> Result<&mut Room, CommandError> {
        let room = self.rooms.get_mut(&id).ok_or(CommandError::NoSuchRoom)?;
        self.touched.insert(id);
        Ok(room)
    }

    pub(super) fn with_session(
        &mut self,
        id: RoomId,
        cx: &mut Cx<'_>,
        then: impl FnOnce(&mut Room, &mut crate::link::Session, &mut Cx<'_>),
    ) {
        let Some(room) = self.rooms.get_mut(&id) else { return };
        if let Some(session) = self.links.get_mut(&room.relay).and_then(Link::session) {
            then(room, session, cx);
        }
    }

    fn open(&mut self, open: &OpenRoom, cx: &mut Cx<'_>) -> Result<RoomId, CommandError> {
        check_name(&open.own_name)?;
        check_name(&open.name)?;
        if !open.relay.tls && !is_loopback(&open.relay.host) {
            return Err(CommandError::PlainText { host: open.relay.host.clone() });
        }
        let same = |room: &&Room| {
            let s = &room.stored;
            s.private.is_none()
                && s.secret == *open.secret.as_bytes()
                && (&s.host, s.port, s.tls) == (&open.relay.host, open.relay.port, open.relay.tls)
                && (s.pin.is_none() || open.relay.pin.is_none() || s.pin == open.relay.pin)
        };
        if let Some(id) = self.rooms.values().find(same).map(|room| room.id) {
            self.open_again(id, open, cx)?;
            return Ok(id);
        }
        if self.rooms.len() >= MAX_ROOMS {
            return Err(CommandError::TooManyRooms { limit: MAX_ROOMS });
        }
        let id = RoomId(self.counters.next_room);
        let stored = StoredRoom {
            host: open.relay.host.clone(),
            port: open.relay.port,
            tls: open.relay.tls,
            pin: open.relay.pin,
            name: open.name.clone(),
            own_name: open.own_name.clone(),
            secret: *open.secret.as_bytes(),
            passphrase: open.passphrase,
            sender_seed: *SenderKey::generate(cx.rng).seed(),
            ttl: open.ttl,
            create: create(open),
            newest: match open.past {
                Past::All => None,
                Past::Newest(n) => Some(n),
            },
            sociable: open.sociable,
            joined: cx.now,
            ttl_chosen: open.ttl.is_some(),
            private: None,
        };
        let Some(room) = Room::new(id, RelayId(u32::MAX), stored, Progress::default(), Kept::default()) else {
            return Err(CommandError::Stopped(
                "the room can't be opened; look for a newer version of this program".to_owned(),
            ));
        };
        room.keep_opening(cx);
        self.add(room);
        self.counters.next_room = self.counters.next_room.saturating_add(1);
        cx.put(crate::names::ENGINE.to_vec(), &self.counters);
        self.begin(id, cx);
        Ok(id)
    }

    /// A room that is here already: its name, its time to live and its right to be made may have changed.
    fn open_again(&mut self, id: RoomId, open: &OpenRoom, cx: &mut Cx<'_>) -> Result<(), CommandError> {
        let room = self.room(id)?;
        let s = &mut room.stored;
        s.own_name.clone_from(&open.own_name);
        if open.ttl.is_some() {
            s.ttl = open.ttl;
            s.ttl_chosen = true;
        }
        s.pin = s.pin.or(open.relay.pin);
        s.create = create(open).or(s.create.take());
        room.set_sociable(open.sociable);
        room.forgive();
        room.keep_opening(cx);
        self.begin(id, cx);
        Ok(())
    }

    /// Goes and gets a room: at once where the relay is there, else by connecting.
    pub(super) fn begin(&mut self, id: RoomId, cx: &mut Cx<'_>) {
        let Some(room) = self.rooms.get(&id) else { return };
        if let Some(link) = self.links.get_mut(&room.relay) {
            link.want(true, cx);
        }
    }

    pub(super) fn forget(&mut self, id: RoomId, cx: &mut Cx<'_>) -> Result<(), CommandError> {
        self.room(id)?;
        self.with_session(id, cx, |room, session, cx| room.leave(session, cx));
        let Some(mut room) = self.rooms.remove(&id) else { return Ok(()) };
        self.touched.remove(&id);
        self.pages.remove(&id);
        self.routes.retain(|_, routed| *routed != Route::Room(id));
        room.forget(cx);
        self.forget_in_account(id, cx);
        cx.board.forget(id, cx.out);
        if self.rooms.values().all(|other| other.relay != room.relay)
            && !self.accounts.wants(room.relay)
            && let Some(mut link) = self.links.remove(&room.relay)
        {
            link.leave(cx);
        }
        Ok(())
    }
}

fn create(open: &OpenRoom) -> Option<StoredCreate> {
    open.create.as_ref().map(|c| StoredCreate { max_ttl: c.max_ttl, entry: c.entry.clone() })
}

fn check_name(name: &str) -> Result<(), CommandError> {
    if names::is_name(name) { Ok(()) } else { Err(CommandError::BadName) }
}
