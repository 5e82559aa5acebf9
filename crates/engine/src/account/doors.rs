//! Doors: knocking at a private room, and answering who knocks.

use estoile_mls::{Suite, Validity, inspect_key_package, key_package};
use estoile_seal::account::Door;
use estoile_seal::door::{self, Answer as DoorAnswer, Knock, Why};
use estoile_seal::link::RoomLink;
use estoile_seal::roster::Roster;
use estoile_seal::ticket::TicketSecret;
use estoile_wire::{LogId, Millis};

use super::invite::reach_of;
use super::jobs::Then;
use super::own::{address_of, no_relay_key};
use super::stored::{StoredGone, StoredInvite, StoredKnock, StoredPackage, StoredPending, StoredTo};
use super::{Accounts, Entry, MAX_INVITES, Wish};
use crate::board::Draft;
use crate::channel::job::Act;
use crate::channel::{Purpose, StoredChannel, StoredTicket};
use crate::command::{Answer, CommandError, RelayAddress};
use crate::names;
use crate::notice::NoticeKind;
use crate::out::Cx;
use crate::private::Intent;
use crate::stored::StoredAddress;
use crate::turn::CommandId;
use crate::view::{Role, RoomId};

/// Knocks of ours that wait for an answer.
const MAX_KNOCKS: usize = 200;
/// Knocks at our doors that wait for their turn.
const MAX_PENDING: usize = 200;
/// Who would answer next waits this much longer, so that not all answer at once.
const TURN_MS: u64 = 3_000;
/// Nobody waits longer than this to answer.
const LONGEST_TURN_MS: u64 = 60_000;
/// A knock that is older is not answered: who knocked has asked another way since.
const KNOCK_LIFE_MS: u64 = 14 * 24 * 60 * 60 * 1000;
/// Knocks of one day at one door, and their bytes.
const DOOR_PER_DAY: u64 = 500;
const DOOR_BYTES_PER_DAY: u64 = 32 * 1024 * 1024;

impl Accounts {
    /// A room's door is read, and made where it is missing. None: it is not read any more.
    pub(crate) fn set_door(
        &mut self,
        room: RoomId,
        door: Option<&estoile_seal::roster::Door>,
        address: &RelayAddress,
        max_ttl: u64,
        cx: &mut Cx<'_>,
    ) {
        let purpose = Purpose::Door(room.0);
        if let (Some(door), Some(channel)) = (door, self.channel(purpose))
            && channel.stored.seed == door.access_seed
        {
            return;
        }
        self.close_channel(purpose, cx);
        let Some(door) = door else { return };
        let mut stored = StoredChannel::new(address, purpose, door.access_seed);
        stored.create = true;
        stored.max_ttl = max_ttl;
        let home = self.own.as_ref().filter(|own| {
            let a = &own.stored.address;
            (&a.host, a.port) == (&address.host, address.port)
        });
        stored.entry = home.and_then(|own| own.stored.entry.clone());
        let ticket = TicketSecret::from_bytes(door.ticket);
        stored.tickets =
            vec![StoredTicket { hash: ticket.relay_hash(), per_day: DOOR_PER_DAY, bytes_per_day: DOOR_BYTES_PER_DAY }];
        stored.tickets_set = false;
        self.open_channel(stored, cx);
    }

    /// Knocks at a door; the room waits. Answered when the knock is kept.
    #[expect(clippy::too_many_arguments, reason = "where, at which door, why, and who waits")]
    pub(crate) fn knock(
        &mut self,
        room: RoomId,
        address: &RelayAddress,
        door: &Door,
        why: Why,
        place: (&str, Option<LogId>),
        command: Option<CommandId>,
        cx: &mut Cx<'_>,
    ) -> Result<(), CommandError> {
        let own = self.own.as_ref().ok_or(CommandError::NoAccount)?;
        if own.stored.knocks.len() >= MAX_KNOCKS {
            let why = "too many knocks wait for an answer already; forget some of the rooms first";
            return Err(CommandError::Private(why.to_owned()));
        }
        let relay = own.relay_url().ok_or_else(no_relay_key)?;
        let me = estoile_mls::Me {
            account: own.id().0,
            name: &own.stored.name,
            device_seed: &own.stored.device,
            chain: &own.stored.chain,
        };
        let made: Vec<_> = [Suite::XWing, Suite::Classic]
            .into_iter()
            .filter_map(|suite| key_package(suite, &me, Validity::at(cx.now), false).ok())
            .collect();
        let ticket = own.knock_ticket(&own.device.public());
        let knock = Knock {
            why,
            chain: own.chain.clone(),
            name: own.stored.name.clone(),
            device: own.device.public(),
            key_packages: made.iter().map(|p| p.public.clone()).collect(),
            answer: DoorAnswer { relay, mailbox: own.mailbox(), ticket, hpke: own.hpke_public.clone() },
            sent_at: cx.now,
        };
        let body = knock.seal(door, &own.device, cx.rng).map_err(|e| CommandError::Private(e.to_string()))?;
        let chain_len = own.chain.len();
        for package in made {
            let number = self.counters.package;
            self.counters.package = number.saturating_add(1);
            let stored = StoredPackage {
                reference: package.reference,
                secret: package.secret.to_vec(),
                made_at: cx.now,
                last_resort: false,
                item: None,
                chain_len,
                twin: None,
            };
            cx.put(names::own_numbered(Entry::Package, number), &stored);
            self.packages.insert(number, stored);
        }
        if let Some(own) = self.own.as_mut() {
            own.stored.knocks.retain(|k| k.room != room.0);
            let (name, log) = (place.0.to_owned(), place.1);
            own.stored.knocks.push(StoredKnock { room: room.0, name, log, at: cx.now, door: Some(door.log) });
            self.own_dirty = true;
        }
        self.set_tickets();
        let act =
            Act::Post { log: door.log, ticket: door.ticket.relay_ticket(), id16: door::id16(&body), body, blob: None };
        let waiting = command.map(|id| (id, Answer::Room(room)));
        self.job(&StoredAddress::of(address), act, Then::Knocked(room.0), waiting, cx);
        Ok(())
    }

    /// Somebody knocks: it is our turn at once, or later.
    pub(crate) fn knocked(&mut self, room: RoomId, body: Vec<u8>, rank: u64, cx: &mut Cx<'_>) {
        if self.pending.len() >= MAX_PENDING {
            return;
        }
        let due = cx.now.saturating_add(rank.saturating_mul(TURN_MS).min(LONGEST_TURN_MS));
        let number = self.counters.pending;
        self.counters.pending = number.saturating_add(1);
        let pending = StoredPending { room: room.0, due, body };
        cx.put(names::own_numbered(Entry::Want, number), &pending);
        self.pending.insert(number, pending);
    }

    pub(super) fn pending_timeout(&self) -> Option<Millis> {
        self.pending.values().map(|p| p.due).min()
    }

    /// Knocks whose turn it is.
    pub(crate) fn due_knocks(&mut self, cx: &mut Cx<'_>) -> Vec<(RoomId, Vec<u8>)> {
        let due: Vec<u64> = self.pending.iter().filter(|(_, p)| p.due <= cx.now).map(|(n, _)| *n).collect();
        due.into_iter()
            .filter_map(|number| {
                cx.delete(names::own_numbered(Entry::Want, number));
                self.pending.remove(&number).map(|p| (RoomId(p.room), p.body))
            })
            .collect()
    }

    /// Lets somebody in who knocked, if they may be: `via` is the link that they use.
    pub(crate) fn let_in(
        &mut self,
        room: RoomId,
        knock: &Knock,
        suite: u16,
        role: Role,
        via: Option<[u8; 8]>,
        cx: &mut Cx<'_>,
    ) {
        let account = knock.account().0;
        let chain = knock.chain.encode();
        if matches!(cx.book.learn(&account, &chain), crate::book::Learned::Forked | crate::book::Learned::Invalid)
            || self.invites.len() >= MAX_INVITES
        {
            return;
        }
        let Some(known) = cx.book.verified_chain(&account) else { return };
        let fits = |package: &&Vec<u8>| {
            inspect_key_package(package, cx.now).is_ok_and(|view| {
                view.suite.number() == suite && view.member.account == account && known.is_live(&view.member.device)
            })
        };
        let packages: Vec<Vec<u8>> = knock.key_packages.iter().filter(fits).cloned().collect();
        if packages.is_empty() {
            let detail = format!("{} knocked with keys that this room can't use, and was not let in", knock.name);
            cx.tell(Draft::new(
                Some(room),
                NoticeKind::Knocked,
                detail,
                "Ask them to update their program and to knock again.",
            ));
            return;
        }
        let token = self.next_token();
        let to = StoredTo::Knocker { reach: reach_of(&knock.answer), name: knock.name.clone() };
        self.invites.insert(token, StoredInvite { room: room.0, account, to, wanted: true, suite, life: 0 });
        self.keep_invite(token, cx);
        self.wish(Wish::Want { room, intent: Intent::Add { account, packages, role, via, token }, answer: None });
        let detail = format!("{} knocked and is let in", knock.name);
        cx.tell(Draft::new(Some(room), NoticeKind::Knocked, detail, "If you don't know them, remove them."));
    }
}

/// Whether a knock is too old, or from the future by more than a clock may be off.
pub(crate) fn is_stale(knock: &Knock, now: Millis) -> bool {
    now.saturating_sub(knock.sent_at) > KNOCK_LIFE_MS
}

/// Why a link does not let in, as a clause; none: it does.
pub(crate) fn link_fault(roster: &Roster, id: &[u8; 8], now: Millis) -> Option<&'static str> {
    match roster.link(id) {
        None => Some("the link was revoked, or was used as often as it may be"),
        Some(link) if link.expires <= now => Some("the link has ended"),
        Some(_) => None,
    }
}

/// Where a room link leads.
pub(crate) fn door_of(link: &RoomLink) -> (RelayAddress, Door) {
    (address_of(&link.relay), Door { log: LogId(link.door.0), ticket: link.ticket.clone() })
}

impl Accounts {
    /// The account's log names a room, so that other devices and a restored account find it.
    pub(crate) fn note_place(&mut self, place: super::StoredPlace) {
        let Some(own) = self.own.as_mut() else { return };
        let revision = own.stored.revision.saturating_add(1);
        if own.stored.places.iter().any(|p| p.is_like(&place)) {
            return;
        }
        own.stored.places.retain(|p| p.log != place.log);
        if let Some(gone) = own.stored.gone.as_mut() {
            gone.retain(|g| g.log != place.log);
        }
        own.stored.places.push(super::StoredPlace { revision: Some(revision), ..place });
        self.touch();
    }

    /// Whether the account's log names a room.
    pub(crate) fn has_place(&self, log: &LogId) -> bool {
        self.own.as_ref().is_some_and(|own| own.stored.places.iter().any(|p| p.log == *log))
    }

    pub(crate) fn forget_place(&mut self, log: &LogId) {
        let Some(own) = self.own.as_mut() else { return };
        let before = own.stored.places.len();
        own.stored.places.retain(|p| p.log != *log);
        if own.stored.places.len() != before {
            let revision = own.stored.revision.saturating_add(1);
            own.stored.gone.get_or_insert_default().push(StoredGone { log: *log, revision });
            self.touch();
        }
    }

    /// The room in which we wait at a door of this name.
    pub(crate) fn knocking_at(&self, name: &str) -> Option<RoomId> {
        let own = self.own.as_ref()?;
        own.stored.knocks.iter().find(|k| k.name == name && k.log.is_none()).map(|k| RoomId(k.room))
    }

    /// Tells the members at a room's door, which is not read here any more.
    pub(crate) fn announce(
        &mut self,
        room: RoomId,
        (address, door): (&RelayAddress, &Door),
        body: Vec<u8>,
        cx: &mut Cx<'_>,
    ) {
        let act =
            Act::Post { log: door.log, ticket: door.ticket.relay_ticket(), id16: door::id16(&body), body, blob: None };
        self.job(&StoredAddress::of(address), act, Then::Moved(room.0), None, cx);
    }

    /// The room for which we knock at the door of this log.
    pub(crate) fn knocking_for(&self, log: &LogId) -> Option<RoomId> {
        let own = self.own.as_ref()?;
        own.stored.knocks.iter().find(|k| k.log == Some(*log)).map(|k| RoomId(k.room))
    }

    /// Whether we knocked at this door for the room of a log, and wait.
    pub(crate) fn knocked_at(&self, log: &LogId, door: &LogId) -> bool {
        let Some(own) = self.own.as_ref() else { return false };
        own.stored.knocks.iter().any(|k| k.log == Some(*log) && k.door.as_ref() == Some(door))
    }

    /// Nobody answers at this room's door.
    pub(crate) fn knock_over(&mut self, room: RoomId) {
        if let Some(own) = self.own.as_mut() {
            own.stored.knocks.retain(|k| k.room != room.0);
        }
        self.keep_own();
    }

    /// A room is forgotten.
    pub(crate) fn forget_room(&mut self, room: RoomId, cx: &mut Cx<'_>) {
        let said = self.channel(Purpose::Door(room.0)).is_none_or(|c| c.stored.outgoing.is_empty());
        if said {
            self.close_channel(Purpose::Door(room.0), cx);
        }
        let numbers: Vec<u64> =
            self.invitations.iter().filter(|(_, i)| i.room == Some(room.0)).map(|(n, _)| *n).collect();
        for number in numbers {
            self.invitation_over(number, cx);
        }
        if let Some(own) = self.own.as_mut() {
            own.stored.knocks.retain(|k| k.room != room.0);
            self.own_dirty = true;
        }
        self.sights.remove(&room);
        self.pending.retain(|number, p| {
            let gone = p.room == room.0;
            if gone {
                cx.delete(names::own_numbered(Entry::Want, *number));
            }
            !gone
        });
    }

    /// The user says yes to an invitation.
    pub(crate) fn say_yes(&mut self, room: RoomId, cx: &mut Cx<'_>) -> Result<u64, CommandError> {
        self.need()?;
        let found = self.invitations.iter_mut().find(|(_, i)| i.room == Some(room.0) && !i.yes);
        let Some((number, invitation)) = found else {
            return Err(CommandError::Private(
                "there is no such invitation (any more); ask to be invited again".to_owned(),
            ));
        };
        invitation.yes = true;
        let number = *number;
        self.keep_invitation(number, cx);
        self.changed = true;
        Ok(number)
    }

    /// Rooms for whose making somebody waits.
    pub(crate) fn rooms_awaited(&self) -> Vec<RoomId> {
        self.waits
            .iter()
            .filter_map(|(w, ..)| match w {
                super::Waits::Room(room) => Some(*room),
                _ => None,
            })
            .collect()
    }
}
