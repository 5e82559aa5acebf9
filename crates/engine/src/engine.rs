//! The engine: rooms, links to relays, and the one door through which everything enters.

mod accounts;
mod commands;
#[cfg(test)]
mod door;
mod frames;
mod load;
mod past;
mod people;
mod private;
mod turning;

pub use load::{Glance, LoadError};

use std::collections::{BTreeMap, BTreeSet};

use estoile_wire::{LogId, Millis};

use crate::account::Accounts;
use crate::board::Board;
use crate::book::Book;
use crate::command::RelayAddress;
use crate::link::{Link, LinkView, Route};
use crate::names;
use crate::out::{Cx, Out};
use crate::room::{Room, exchange_views};
use crate::stored::{StoredEngine, decode};
use crate::turn::{Env, Input, Turn, TurnNumber};
use crate::vault::{Backend, Near, Vault, VaultError};
use crate::view::{
    ConnectionView, LetterId, MemberView, MessageView, Overview, RelayId, RoomId, RoomLinkView, RoomSnapshot, RoomView,
};

/// Rooms of one vault: more than a person has, few enough to be held in memory.
pub const MAX_ROOMS: usize = 1_000;
/// A clock that goes back by less than this is left alone: what waits, waits a little longer.
const CLOCK_STEP_MS: u64 = 1_000;

/// The client's brain.
///
/// - in: [`Engine::handle`], [`Engine::handle_all`], at the latest at [`Engine::next_timeout`];
/// - out: the [`Turn`]; to be committed, then released;
/// - to look at: [`Engine::rooms`], [`Engine::snapshot`], [`Engine::older`].
pub struct Engine {
    id: u64,
    turns: u64,
    now: Millis,
    counters: StoredEngine,
    rooms: BTreeMap<RoomId, Room>,
    links: BTreeMap<RelayId, Link>,
    next_relay: u32,
    routes: BTreeMap<(RelayId, LogId), Route>,
    board: Board,
    book: Book,
    accounts: Accounts,
    /// Room links that somebody waits for.
    links_awaited: Vec<(RoomId, [u8; 8], crate::turn::CommandId)>,
    /// Quick rooms that are turned into private ones.
    turning: Vec<turning::Turning>,
    /// Rooms that something happened to in this turn.
    touched: BTreeSet<RoomId>,
    /// The driver is about to end: nothing is connected any more.
    closed: bool,
    /// Where deep paging into the vault stands: the oldest message given out, and its local number.
    pages: BTreeMap<RoomId, (LetterId, u64)>,
}

impl core::fmt::Debug for Engine {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Engine({} rooms, {} turns)", self.rooms.len(), self.turns)
    }
}

impl Engine {
    /// Takes one input.
    pub fn handle(&mut self, input: Input, env: &mut Env<'_>) -> Turn {
        self.handle_all([input], env)
    }

    /// Takes what came together, in order, as one turn: one commit for all of it.
    pub fn handle_all(&mut self, inputs: impl IntoIterator<Item = Input>, env: &mut Env<'_>) -> Turn {
        let mut out = Out::default();
        let mut board = core::mem::take(&mut self.board);
        let mut book = core::mem::take(&mut self.book);
        let mut cx = Cx { now: env.now, rng: &mut *env.rng, out: &mut out, board: &mut board, book: &mut book };
        self.watch_clock(&mut cx);
        for input in inputs {
            self.take(input, &mut cx);
        }
        self.touched.extend(exchange_views(&mut self.rooms, &mut cx));
        self.knocks_due(&mut cx);
        self.settle_accounts(&mut cx);
        self.due(&mut cx);
        self.accounts_due(&mut cx);
        self.settle_accounts(&mut cx);
        self.rooms_again(&mut cx);
        self.flush(&mut cx);
        cx.book.flush(cx.out);
        self.board = board;
        self.book = book;
        self.turns = self.turns.saturating_add(1);
        Turn::new(TurnNumber { engine: self.id, turn: self.turns }, out.changes, out.effects)
    }

    fn take(&mut self, input: Input, cx: &mut Cx<'_>) {
        match input {
            Input::Command(id, command) => self.command(id, command, cx),
            Input::Connected { relay, certificate, publicly_trusted } => {
                if let Some(link) = self.links.get_mut(&relay) {
                    link.connected(certificate, publicly_trusted, cx);
                    self.touch_relay(relay);
                }
            }
            Input::Frame { relay, bytes } => self.frame(relay, &bytes, cx),
            Input::Disconnected { relay, why } => {
                if let Some(link) = self.links.get_mut(&relay) {
                    link.lost(&why, cx);
                    self.relay_gone(relay);
                }
            }
            Input::BlobPut { hash, result, .. } => self.blob_put(&hash, &result, cx),
            Input::BlobGot { hash, result, .. } => self.blob_got(&hash, &result, cx),
            Input::Closing => self.close(cx),
            Input::Timer => {}
        }
    }

    /// A wall clock that is set back must not make timers wait.
    fn watch_clock(&mut self, cx: &mut Cx<'_>) {
        let back = self.now.saturating_sub(cx.now);
        if back > CLOCK_STEP_MS {
            for link in self.links.values_mut() {
                link.clock_went_back(back);
            }
            for room in self.rooms.values_mut() {
                room.clock_went_back(back);
                self.touched.insert(room.id);
            }
            self.accounts.clock_went_back(back);
            cx.board.clock_went_back(back);
        }
        self.now = cx.now;
    }

    /// Does what is due: links first, then rooms.
    fn due(&mut self, cx: &mut Cx<'_>) {
        cx.board.due(cx.now, cx.out);
        let relays: Vec<RelayId> = self.links.keys().copied().collect();
        for relay in relays {
            let wanted = !self.closed && self.wants(relay);
            let Some(link) = self.links.get_mut(&relay) else { continue };
            if wanted {
                link.want(false, cx);
            }
            if link.due(cx) {
                self.relay_gone(relay);
            }
        }
        for room in self.rooms.values_mut() {
            if self.touched.contains(&room.id) || room.next_timeout().is_some_and(|at| at <= cx.now) {
                let session = self.links.get_mut(&room.relay).and_then(Link::session);
                room.due(session, cx);
                self.touched.insert(room.id);
            }
        }
    }

    /// Whether a room or the account needs this relay.
    fn wants(&self, relay: RelayId) -> bool {
        self.rooms.values().any(|r| r.relay == relay && r.stopped().is_none()) || self.accounts.wants(relay)
    }

    /// Ends the turn: what changed goes to the vault and to the faces.
    fn flush(&mut self, cx: &mut Cx<'_>) {
        self.note_sights();
        self.accounts.flush(cx);
        for id in core::mem::take(&mut self.touched) {
            if let Some(room) = self.rooms.get_mut(&id) {
                let link = self.links.get(&room.relay).map_or(LinkView::Connecting, Link::view);
                room.flush(&link, cx);
            }
        }
        let counters = StoredEngine { next_notice: cx.board.next_number(), ..self.counters };
        if counters != self.counters {
            cx.put(names::ENGINE.to_vec(), &counters);
            self.counters = counters;
        }
    }

    fn touch_relay(&mut self, relay: RelayId) {
        self.touched.extend(self.rooms.values().filter(|r| r.relay == relay).map(|r| r.id));
    }

    /// A connection is gone: its rooms are offline.
    fn relay_gone(&mut self, relay: RelayId) {
        for room in self.rooms.values_mut().filter(|r| r.relay == relay) {
            room.offline();
        }
        self.accounts.offline(relay);
        self.touch_relay(relay);
    }

    /// The link to a relay, made if there is none.
    fn link_to(&mut self, address: &RelayAddress) -> RelayId {
        if let Some(link) = self.links.values().find(|link| link.address == *address) {
            return link.id;
        }
        let id = RelayId(self.next_relay);
        self.next_relay = self.next_relay.saturating_add(1);
        self.links.insert(id, Link::new(id, address.clone()));
        id
    }

    /// Says goodbye and lets go of every relay.
    fn close(&mut self, cx: &mut Cx<'_>) {
        self.closed = true;
        for room in self.rooms.values_mut() {
            if let Some(session) = self.links.get_mut(&room.relay).and_then(Link::session) {
                room.goodbye(session, cx);
            }
            room.offline();
        }
        let relays: Vec<RelayId> = self.links.keys().copied().collect();
        relays.into_iter().for_each(|relay| self.accounts.offline(relay));
        for link in self.links.values_mut() {
            link.leave(cx);
        }
    }

    /// When [`Input::Timer`] must be handed in at the latest; none: not on its own. It changes with every turn.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Millis> {
        let rooms = self.rooms.values().filter_map(Room::next_timeout);
        rooms
            .chain(self.links.values().filter_map(Link::next_timeout))
            .chain(self.board.next_timeout())
            .chain(self.accounts.next_timeout())
            .min()
    }

    fn link_view(&self, room: &Room) -> LinkView<'_> {
        self.links.get(&room.relay).map_or(LinkView::Connecting, Link::view)
    }

    /// All rooms, in the order in which they were first opened.
    #[must_use]
    pub fn rooms(&self) -> Vec<RoomView> {
        self.rooms.values().map(|room| room.view(&self.link_view(room))).collect()
    }

    /// A room with its newest messages (at most 1,000 are at hand; older ones by [`Engine::older`]).
    #[must_use]
    pub fn snapshot(&self, room: RoomId, newest: usize) -> Option<RoomSnapshot> {
        let room = self.rooms.get(&room)?;
        let link = self.link_view(room);
        let (messages, more) = room.newest(newest);
        let people = room.people(&link, self.now);
        Some(RoomSnapshot { room: room.view(&link), messages, more, people, notices: self.board.of(room.id) })
    }

    /// Everything about the account, its contacts and devices.
    #[must_use]
    pub fn overview(&self) -> Overview {
        self.accounts.overview(&self.book)
    }

    /// The members of a private room; none for a quick one.
    #[must_use]
    pub fn members(&self, room: RoomId) -> Option<Vec<MemberView>> {
        let room = self.rooms.get(&room)?;
        let mut members = room.private()?.members(&self.book);
        let people = room.people(&self.link_view(room), self.now);
        for member in &mut members {
            let person = people.iter().find(|p| p.account.as_ref() == Some(&member.account));
            member.last_heard = person.and_then(|p| p.last_heard);
        }
        Some(members)
    }

    /// The links by which people knock at a private room; none for a quick one.
    #[must_use]
    pub fn room_links(&self, room: RoomId) -> Option<Vec<RoomLinkView>> {
        Some(self.rooms.get(&room)?.private()?.links())
    }

    /// How a room's relay is reached.
    #[must_use]
    pub fn connection(&self, room: RoomId) -> Option<ConnectionView> {
        let room = self.rooms.get(&room)?;
        Some(room.view(&self.link_view(room)).connection)
    }

    /// Up to `limit` messages that stand before one, in timeline order, from the vault where they are not at hand.
    ///
    /// # Errors
    /// What the vault says.
    pub async fn older<B: Backend>(
        &mut self,
        vault: &Vault<B>,
        room: RoomId,
        before: LetterId,
        limit: usize,
    ) -> Result<Vec<MessageView>, VaultError> {
        let Some(there) = self.rooms.get(&room) else { return Ok(Vec::new()) };
        let below = match there.at_hand_before(&before.0, limit) {
            Some(letters) if !letters.is_empty() => {
                return Ok(letters.into_iter().rev().filter_map(|letter| there.message(letter)).collect());
            }
            Some(_) => there.lowest_seq(),
            None => match self.pages.get(&room) {
                Some((id, seq)) if *id == before => *seq,
                _ => match load::find(&Near::far(vault), room, there.lowest_seq(), there.first_seq(), before).await? {
                    Some(seq) => seq,
                    None => return Ok(Vec::new()),
                },
            },
        };
        let letters = load::page_below(&Near::far(vault), room, below, there.first_seq(), limit).await?;
        if let Some(oldest) = letters.first() {
            self.pages.insert(room, (oldest.id(), letters.iter().map(|l| l.seq).min().unwrap_or(below)));
        }
        Ok(letters.iter().filter_map(|letter| there.message(letter)).collect())
    }
}

/// An entry that must be readable.
fn read<'b, T: minicbor::Decode<'b, ()>>(bytes: &'b [u8]) -> Result<T, LoadError> {
    decode(bytes).ok_or(LoadError::Unreadable)
}
