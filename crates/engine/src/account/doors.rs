//! Doors: a room's own, and answering who knocks there.

use estoile_mls::inspect_key_package;
use estoile_seal::account::Door;
use estoile_seal::door::{self, Knock};
use estoile_seal::link::RoomLink;
use estoile_seal::roster::Roster;
use estoile_seal::ticket::TicketSecret;
use estoile_wire::{LogId, Millis};

use super::invite::reach_of;
use super::jobs::Then;
use super::own::address_of;
use super::stored::{StoredGone, StoredInvite, StoredTo};
use super::{Accounts, Entry, MAX_INVITES, Wish};
use crate::board::Draft;
use crate::channel::job::Act;
use crate::channel::{Purpose, StoredChannel, StoredTicket};
use crate::command::{CommandError, RelayAddress};
use crate::names;
use crate::notice::NoticeKind;
use crate::out::Cx;
use crate::private::Intent;
use crate::stored::StoredAddress;
use crate::view::{Role, RoomId};

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

    /// The door that the account's log names for a room.
    pub(crate) fn door_of_place(&self, log: &LogId) -> Option<Door> {
        let place = self.own.as_ref()?.stored.places.iter().find(|p| p.log == *log)?;
        Some(Door { log: place.door?, ticket: TicketSecret::from_bytes(place.ticket?) })
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
