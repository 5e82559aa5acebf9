//! The summary: what a device that has only the recovery words, or has just been linked, needs to go on as this account.
//!
//! It lies sealed in the account's log and is written anew as a whole. Each of its maps keeps what later versions add. This layer
//! does not judge: cards and chains of contacts are bytes here, checked where they are used.

use estoile_wire::{LogId, Millis, PublicKey};
use minicbor::Decoder;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::AccountId;
use super::chain::{MAX_CHAIN, MAX_DEVICES};
use crate::card::{MAX_CARD, MAX_HPKE_KEY};
use crate::fields::{self, Fields, Later, Malformed, Out, Written, put_list};
use crate::ticket::TicketSecret;

/// An account has at most this many contacts, requests and blocked ones included.
pub const MAX_CONTACTS: usize = 2048;
/// An account has at most this many rooms.
pub const MAX_ROOMS: usize = 2048;
/// A relay's address has at most this many bytes: the longest host, a port and a pin fit.
pub const MAX_RELAY: usize = 512;
/// An HPKE secret key has at most this many bytes: X-Wing's has 32.
pub const MAX_HPKE_SECRET: usize = 256;

/// How far two people are with each other; the numbers stand in the summary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ContactState {
    /// We asked and wait for an answer.
    Asked,
    /// They asked and wait for ours.
    Asking,
    /// Both said yes.
    Accepted,
    /// We want to hear nothing of them.
    Blocked,
    /// Their chain forked, shrank or changed: nothing is done until the user looks.
    Stopped,
}

/// One of the account's devices, as the others need to know it.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceEntry {
    /// Its key, as the chain has it.
    pub device: PublicKey,
    /// What it calls itself.
    pub name: String,
    /// Its own HPKE public key, for a hand-over.
    pub hpke: Vec<u8>,
    /// Of a later version.
    pub later: Later,
}

/// A contact.
#[derive(Clone, PartialEq, Eq)]
pub struct ContactEntry {
    /// Who.
    pub account: AccountId,
    /// What they call themselves.
    pub name: String,
    /// How far we are.
    pub state: ContactState,
    /// When this user verified them, if so.
    pub verified: Option<Millis>,
    /// Their chain as last known; empty before the first answer.
    pub chain: Vec<u8>,
    /// Their last card, signed (`crate::card`).
    pub card: Option<Vec<u8>>,
    /// The ticket that we gave them, for our mailbox and shelf.
    pub ticket: Option<TicketSecret>,
    /// Of a later version.
    pub later: Later,
}

/// Where one knocks at a room.
#[derive(Clone, PartialEq, Eq)]
pub struct Door {
    /// The door's log.
    pub log: LogId,
    /// Its ticket.
    pub ticket: TicketSecret,
}

/// A private room.
#[derive(Clone, PartialEq, Eq)]
pub struct RoomEntry {
    /// Its log.
    pub log: LogId,
    /// Its relay: an address with its pin, as `crate::link::RelayUrl` writes it.
    pub relay: String,
    /// Its name.
    pub name: String,
    /// Where to knock when this device is not in it.
    pub door: Option<Door>,
    /// Of a later version.
    pub later: Later,
}

/// Everything. Its seeds are wiped on drop.
#[derive(Clone, PartialEq, Eq)]
pub struct Summary {
    /// The account's name for others.
    pub name: String,
    /// Its home relay: an address with its pin.
    pub relay: String,
    /// Its keys.
    pub keys: Keys,
    /// Its devices.
    pub devices: Vec<DeviceEntry>,
    /// Its contacts.
    pub contacts: Vec<ContactEntry>,
    /// Its private rooms.
    pub rooms: Vec<RoomEntry>,
    /// When it was written.
    pub at: Millis,
    /// Of a later version.
    pub later: Later,
}

/// The secrets that all devices of an account share. Wiped on drop.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Keys {
    /// The seed of the mailbox's access key (a fixed log).
    pub mailbox: [u8; 32],
    /// The seed of the shelf's owner key.
    pub shelf: [u8; 32],
    /// What seals the shelf's items.
    pub shelf_key: [u8; 32],
    /// The ticket that contact links carry.
    pub link_ticket: [u8; 32],
    /// The account's HPKE secret key, then its earlier one if a letter may still come under that: each as its maker wrote it.
    pub hpke: Vec<Vec<u8>>,
}

/// An account keeps its HPKE key and the one before.
pub const MAX_HPKE_KEYS: usize = 2;

crate::closed_debug!(DeviceEntry, ContactEntry, Door, RoomEntry, Summary, Keys);

impl ContactState {
    const fn number(self) -> u8 {
        match self {
            Self::Asked => 0,
            Self::Asking => 1,
            Self::Accepted => 2,
            Self::Blocked => 3,
            Self::Stopped => 4,
        }
    }

    /// What a later version may add is not acted on: it counts as stopped until the user looks.
    const fn from_number(n: u64) -> Self {
        match n {
            0 => Self::Asked,
            1 => Self::Asking,
            2 => Self::Accepted,
            3 => Self::Blocked,
            _ => Self::Stopped,
        }
    }
}

impl DeviceEntry {
    fn put(&self, e: &mut Out) -> Written {
        e.map(3 + self.later.len())?.u8(0)?.bytes(&self.device.0)?.u8(1)?.str(&self.name)?.u8(2)?.bytes(&self.hpke)?;
        self.later.put(e)
    }

    fn read(d: &mut Decoder<'_>) -> Result<Self, Malformed> {
        let mut map = Fields::begin(d)?;
        let device = fields::public_key(map.need(0)?)?;
        let name = fields::name(map.need(1)?)?;
        let hpke = fields::bytes(map.need(2)?, MAX_HPKE_KEY)?;
        Ok(Self { device, name, hpke, later: map.later(2)? })
    }
}

impl ContactEntry {
    fn put(&self, e: &mut Out) -> Written {
        let optional = [self.verified.is_some(), self.card.is_some(), self.ticket.is_some()];
        e.map(4 + optional.iter().filter(|&&is| is).count() as u64 + self.later.len())?;
        e.u8(0)?.bytes(&self.account.0)?.u8(1)?.str(&self.name)?.u8(2)?.u8(self.state.number())?;
        if let Some(at) = self.verified {
            e.u8(3)?.u64(at)?;
        }
        e.u8(4)?.bytes(&self.chain)?;
        if let Some(card) = &self.card {
            e.u8(5)?.bytes(card)?;
        }
        if let Some(ticket) = &self.ticket {
            e.u8(6)?.bytes(ticket.as_bytes())?;
        }
        self.later.put(e)
    }

    fn read(d: &mut Decoder<'_>) -> Result<Self, Malformed> {
        let mut map = Fields::begin(d)?;
        let account = AccountId(fields::array(map.need(0)?)?);
        let name = fields::name(map.need(1)?)?;
        let state = ContactState::from_number(map.need(2)?.u64()?);
        let verified = map.may(3)?.map(|d| d.u64()).transpose()?;
        let chain = fields::bytes(map.need(4)?, MAX_CHAIN)?;
        let card = map.may(5)?.map(|d| fields::bytes(d, MAX_CARD)).transpose()?;
        let ticket = map.may(6)?.map(fields::array).transpose()?.map(TicketSecret::from_bytes);
        Ok(Self { account, name, state, verified, chain, card, ticket, later: map.later(6)? })
    }
}

impl Door {
    fn put(&self, e: &mut Out) -> Written {
        e.array(2)?.bytes(&self.log.0)?.bytes(self.ticket.as_bytes())?.ok()
    }

    fn read(d: &mut Decoder<'_>) -> Result<Self, Malformed> {
        if d.array()? != Some(2) {
            return Err(Malformed);
        }
        Ok(Self { log: fields::log_id(d)?, ticket: TicketSecret::from_bytes(fields::array(d)?) })
    }
}

impl RoomEntry {
    fn put(&self, e: &mut Out) -> Written {
        e.map(3 + u64::from(self.door.is_some()) + self.later.len())?;
        e.u8(0)?.bytes(&self.log.0)?.u8(1)?.str(&self.relay)?.u8(2)?.str(&self.name)?;
        if let Some(door) = &self.door {
            e.u8(3)?;
            door.put(e)?;
        }
        self.later.put(e)
    }

    fn read(d: &mut Decoder<'_>) -> Result<Self, Malformed> {
        let mut map = Fields::begin(d)?;
        let log = fields::log_id(map.need(0)?)?;
        let relay = fields::text(map.need(1)?, MAX_RELAY)?;
        let name = fields::name(map.need(2)?)?;
        let door = map.may(3)?.map(Door::read).transpose()?;
        Ok(Self { log, relay, name, door, later: map.later(3)? })
    }
}

impl Keys {
    fn put(&self, e: &mut Out) -> Written {
        e.array(5)?.bytes(&self.mailbox)?.bytes(&self.shelf)?.bytes(&self.shelf_key)?.bytes(&self.link_ticket)?;
        put_list(e, &self.hpke, |e, key| e.bytes(key)?.ok())
    }

    fn read(d: &mut Decoder<'_>) -> Result<Self, Malformed> {
        if d.array()? != Some(5) {
            return Err(Malformed);
        }
        let (mailbox, shelf, shelf_key) = (fields::array(d)?, fields::array(d)?, fields::array(d)?);
        let link_ticket = fields::array(d)?;
        let hpke = fields::list(d, MAX_HPKE_KEYS, |d| fields::bytes(d, MAX_HPKE_SECRET))?;
        Ok(Self { mailbox, shelf, shelf_key, link_ticket, hpke })
    }
}

impl Summary {
    pub(super) fn put(&self, e: &mut Out) -> Written {
        e.map(7 + self.later.len())?.u8(0)?.str(&self.name)?.u8(1)?.str(&self.relay)?;
        e.u8(2)?;
        self.keys.put(e)?;
        e.u8(3)?;
        put_list(e, &self.devices, |e, device| device.put(e))?;
        e.u8(4)?;
        put_list(e, &self.contacts, |e, contact| contact.put(e))?;
        e.u8(5)?;
        put_list(e, &self.rooms, |e, room| room.put(e))?;
        e.u8(6)?.u64(self.at)?;
        self.later.put(e)
    }

    pub(super) fn read(d: &mut Decoder<'_>) -> Result<Self, Malformed> {
        let mut map = Fields::begin(d)?;
        let name = fields::name(map.need(0)?)?;
        let relay = fields::text(map.need(1)?, MAX_RELAY)?;
        let keys = Keys::read(map.need(2)?)?;
        let devices = fields::list(map.need(3)?, MAX_DEVICES, DeviceEntry::read)?;
        let contacts = fields::list(map.need(4)?, MAX_CONTACTS, ContactEntry::read)?;
        let rooms = fields::list(map.need(5)?, MAX_ROOMS, RoomEntry::read)?;
        let at = map.need(6)?.u64()?;
        Ok(Self { name, relay, keys, devices, contacts, rooms, at, later: map.later(6)? })
    }
}
