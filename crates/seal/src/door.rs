//! A private room's door: a fixed log that all members read, and to which who has a room link may post.
//!
//! Its secrets stand in the roster, so that members find it without being told, and who was removed does not find the next
//! one. Who comes from outside *knocks*: a device's key packages, its account's chain, and where to put the Welcome, sealed
//! under the door's ticket. When the room moves, members are told here too, under a key that only they have. This layer does
//! not know who may be let in: that is [`crate::roster`]'s.

use estoile_wire::id::{LogKind, Nonce};
use estoile_wire::limits::MAX_BODY;
use estoile_wire::{Id16, LogId, Millis, PublicKey, Signature, proof};
use rand_core::CryptoRng;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::access::AccessKey;
use crate::account::chain::MAX_CHAIN;
use crate::account::{self, AccountId, Chain};
use crate::card::{hpke_key, relay};
use crate::cbor;
use crate::fields::{self, Fields, Malformed};
use crate::link::RelayUrl;
use crate::moving::Announcement;
use crate::roster::{self, Leaf, RoomLinkId};
use crate::sealed_box;
use crate::sender::{self, SenderKey};
use crate::ticket::TicketSecret;

/// A knock brings at most this many key packages: one for each device that an account may have.
pub const MAX_KEY_PACKAGES: usize = account::chain::MAX_DEVICES;
/// What is posted to a door is padded to a multiple of this: a knock says little by its size.
pub const STEP: usize = 1024;
/// What a knock or an announcement may have inside: with kind, seal and padding it fits into a record's body.
pub const MAX_INSIDE: usize = (MAX_BODY - 1 - sealed_box::OVERHEAD) / STEP * STEP - 1;
/// In the associated data of a knock's seal; the door's log follows.
pub const LABEL_KNOCK: &[u8] = b"estoile.v1 door knock\0";
/// In the associated data of an announcement's seal; the door's log follows.
pub const LABEL_TOLD: &[u8] = b"estoile.v1 door told\0";
/// Under a knock's signature; the door's log follows.
pub const LABEL_SIGNED: &[u8] = b"estoile.v1 door signed\0";
/// Under the id of what is posted: it belongs to the sealed bytes, so that a retry is kept once.
pub const LABEL_ID16: &[u8] = b"estoile.v1 door id16\0";

/// The first byte of a body: another kind is another layout.
const KNOCK: u8 = 1;
const TOLD: u8 = 2;
const VERSION: u64 = 1;
/// A map, its lists, their items.
const MAX_NESTING: usize = 4;

/// What members have of a door. Wiped on drop.
#[derive(Clone)]
pub struct DoorKeys {
    access: AccessKey,
    ticket: TicketSecret,
    told: ToldKey,
    log: LogId,
}

#[derive(Clone, Zeroize, ZeroizeOnDrop)]
struct ToldKey([u8; 32]);

/// Why somebody knocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// With a room link.
    Link(RoomLinkId),
    /// To follow a room that moved, from this log.
    Moved(LogId),
    /// As a member who lost its devices, or its place in the group, and has a new one.
    Back,
}

/// Where the knocker wants its Welcome.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// The relay of the mailbox, pinned, without an entry code.
    pub relay: RelayUrl,
    /// The mailbox.
    pub mailbox: LogId,
    /// A ticket for it.
    pub ticket: TicketSecret,
    /// What mailbox letters are sealed to.
    pub hpke: Vec<u8>,
}

/// Asks to be let in.
#[derive(Clone, PartialEq, Eq)]
pub struct Knock {
    /// Why.
    pub why: Why,
    /// Who: the account's chain.
    pub chain: Chain,
    /// What they call themselves.
    pub name: String,
    /// The device that knocks, and signs.
    pub device: PublicKey,
    /// MLS key packages of devices of this account, 1 to [`MAX_KEY_PACKAGES`].
    pub key_packages: Vec<Vec<u8>>,
    /// Where the Welcome is to be put.
    pub answer: Answer,
    /// When, by the knocker's clock.
    pub sent_at: Millis,
}

crate::closed_debug!(DoorKeys, Answer, Knock, AtDoor);

/// What stands in a door's log.
#[derive(Clone, PartialEq, Eq)]
pub enum AtDoor {
    /// Somebody knocks.
    Knock(Box<Knock>),
    /// The room moves.
    Moved(Box<Announcement>),
}

/// Why something can't be posted to a door (`Bounds`), or is nothing that belongs there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DoorError {
    /// Our own breaks the bounds.
    #[error(
        "the knock is longer than a relay takes; remove devices that are no longer used from the account, or ask for an invitation by contact instead"
    )]
    Bounds,
    /// Of another door, or altered.
    #[error("what was put at the door is not for this room, or was altered")]
    Seal,
    /// Authentic, but not as this version knows it.
    #[error("what was put at the door is nothing that this version can read; look for a newer one")]
    Malformed,
    /// The chain in it does not hold, or the device is none of its account.
    #[error("who knocks has no account whose chain holds; they are not let in")]
    Account,
    /// The signature does not hold.
    #[error("the signature on what was put at the door does not hold; it is not used")]
    Signature,
}

impl From<Malformed> for DoorError {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

impl From<&roster::Door> for DoorKeys {
    fn from(door: &roster::Door) -> Self {
        let access = AccessKey::from_seed(&door.access_seed);
        Self {
            log: access.log_id(LogKind::Fixed),
            access,
            ticket: TicketSecret::from_bytes(door.ticket),
            told: ToldKey(door.seal_key),
        }
    }
}

impl DoorKeys {
    /// The door's log.
    #[must_use]
    pub const fn log(&self) -> LogId {
        self.log
    }

    /// The key whose holders the log serves.
    #[must_use]
    pub const fn access(&self) -> &AccessKey {
        &self.access
    }

    /// What strangers need to knock: for links and for announcements of a move.
    #[must_use]
    pub fn address(&self) -> account::Door {
        account::Door { log: self.log, ticket: self.ticket.clone() }
    }

    /// Proves that a holder of the access key wants the door's log to be.
    #[must_use]
    pub fn sign_create(&self, relay_key: &PublicKey, nonce: &Nonce, max_ttl: u64, quota: u64) -> Signature {
        self.access.sign(&proof::create(relay_key, nonce, LogKind::Fixed, &self.access.public(), max_ttl, quota))
    }

    /// Proves that a holder of the access key wants to read the door's log.
    #[must_use]
    pub fn sign_attach(&self, relay_key: &PublicKey, nonce: &Nonce) -> Signature {
        self.access.sign(&proof::attach(relay_key, nonce, &self.log, 0))
    }

    /// Seals an announcement, as [`Announcement::sign`] gave it, for the members.
    pub fn tell(&self, signed: &[u8], rng: &mut dyn CryptoRng) -> Result<Vec<u8>, DoorError> {
        if signed.len() > MAX_INSIDE {
            return Err(DoorError::Bounds);
        }
        let padded = sealed_box::pad(signed, STEP);
        let sealed = sealed_box::seal(&self.told.0, LABEL_TOLD, &[&self.log.0], &padded, rng);
        Ok([[TOLD].as_slice(), &sealed].concat())
    }

    /// Opens a record of the door's log. An announcement counts only from a device among these leaves: those of the last good
    /// epoch. Whether its account may move the room, and with whom, is [`crate::roster::check_move`]'s.
    pub fn open(&self, leaves: &[Leaf], body: &[u8]) -> Result<AtDoor, DoorError> {
        if body.len() > MAX_BODY {
            return Err(DoorError::Seal);
        }
        let (&kind, sealed) = body.split_first().ok_or(DoorError::Seal)?;
        let (key, label) = match kind {
            KNOCK => (self.ticket.seal_key(), LABEL_KNOCK),
            TOLD => (zeroize::Zeroizing::new(self.told.0), LABEL_TOLD),
            _ => return Err(DoorError::Malformed),
        };
        let padded = sealed_box::open(&key, label, &[&self.log.0], sealed).ok_or(DoorError::Seal)?;
        let inside = sealed_box::unpad(&padded, STEP).ok_or(DoorError::Malformed)?;
        if kind == KNOCK {
            return Knock::read(inside, &self.log).map(|knock| AtDoor::Knock(Box::new(knock)));
        }
        let announcement = Announcement::open_among(inside, leaves).map_err(|_| DoorError::Signature)?;
        Ok(AtDoor::Moved(Box::new(announcement)))
    }
}

impl Knock {
    /// Who knocks.
    #[must_use]
    pub const fn account(&self) -> AccountId {
        self.chain.id()
    }

    /// Signs and seals for a door.
    pub fn seal(
        &self,
        door: &account::Door,
        device: &SenderKey,
        rng: &mut dyn CryptoRng,
    ) -> Result<Vec<u8>, DoorError> {
        let body = self.body();
        let signature = device.sign(&message(&door.log, &body));
        let inside = [signature.0.as_slice(), &body].concat();
        // What nobody could read must not go out.
        if Self::read(&inside, &door.log).ok().as_ref() != Some(self) {
            return Err(DoorError::Bounds);
        }
        let padded = sealed_box::pad(&inside, STEP);
        let sealed = sealed_box::seal(&door.ticket.seal_key(), LABEL_KNOCK, &[&door.log.0], &padded, rng);
        Ok([[KNOCK].as_slice(), &sealed].concat())
    }

    /// `{0: version, 1: why, 2: chain, 3: name, 4: device, 5: [key package], 6: answer, 7: sent_at}`
    fn body(&self) -> Vec<u8> {
        cbor::write(|e| {
            e.map(8)?.u8(0)?.u64(VERSION)?.u8(1)?;
            match &self.why {
                Why::Link(id) => e.array(2)?.u8(0)?.bytes(id)?,
                Why::Moved(log) => e.array(2)?.u8(1)?.bytes(&log.0)?,
                Why::Back => e.array(1)?.u8(2)?,
            };
            e.u8(2)?.bytes(&self.chain.encode())?.u8(3)?.str(&self.name)?.u8(4)?.bytes(&self.device.0)?;
            e.u8(5)?;
            fields::put_list(e, &self.key_packages, |e, package| e.bytes(package)?.ok())?;
            let Answer { relay, mailbox, ticket, hpke } = &self.answer;
            e.u8(6)?.array(4)?.str(&relay.to_string())?.bytes(&mailbox.0)?.bytes(ticket.as_bytes())?.bytes(hpke)?;
            e.u8(7)?.u64(self.sent_at)?.ok()
        })
    }

    fn read(inside: &[u8], door: &LogId) -> Result<Self, DoorError> {
        if inside.len() > MAX_INSIDE {
            return Err(DoorError::Malformed);
        }
        let (signature, body) = inside.split_first_chunk().ok_or(DoorError::Malformed)?;
        let read = fields::whole(body, MAX_NESTING, |d| {
            let mut map = Fields::begin(d)?;
            if map.need(0)?.u64()? != VERSION {
                return Err(Malformed);
            }
            let why = why(map.need(1)?)?;
            let chain = fields::bytes(map.need(2)?, MAX_CHAIN)?;
            let name = fields::name(map.need(3)?)?;
            let device = fields::public_key(map.need(4)?)?;
            let key_packages = fields::list(map.need(5)?, MAX_KEY_PACKAGES, |d| fields::bytes(d, MAX_INSIDE))?;
            let answer = answer(map.need(6)?)?;
            let sent_at = map.need(7)?.u64()?;
            map.end()?;
            Ok((why, chain, name, device, key_packages, answer, sent_at))
        });
        let (why, chain, name, device, key_packages, answer, sent_at) = read?;
        if key_packages.is_empty() {
            return Err(DoorError::Malformed);
        }
        // One signature first: a chain has up to 64.
        if !sender::verify(&device, &message(door, body), &Signature(*signature)) {
            return Err(DoorError::Signature);
        }
        let chain = Chain::verify(&chain).map_err(|_| DoorError::Account)?;
        if !chain.is_live(&device) {
            return Err(DoorError::Account);
        }
        Ok(Self { why, chain, name, device, key_packages, answer, sent_at })
    }
}

fn message(door: &LogId, body: &[u8]) -> Vec<u8> {
    [LABEL_SIGNED, &door.0, body].concat()
}

fn why(d: &mut minicbor::Decoder<'_>) -> Result<Why, Malformed> {
    let size = d.array()?;
    match (d.u8()?, size) {
        (0, Some(2)) => Ok(Why::Link(fields::array(d)?)),
        (1, Some(2)) => Ok(Why::Moved(fields::log_id(d)?)),
        (2, Some(1)) => Ok(Why::Back),
        _ => Err(Malformed),
    }
}

fn answer(d: &mut minicbor::Decoder<'_>) -> Result<Answer, Malformed> {
    if d.array()? != Some(4) {
        return Err(Malformed);
    }
    let relay = relay(d.str()?)?;
    let mailbox = fields::log_id(d)?;
    let ticket = TicketSecret::from_bytes(fields::array(d)?);
    Ok(Answer { relay, mailbox, ticket, hpke: hpke_key(d.bytes()?)? })
}

/// The record's id of what is posted to a door: the same for the same sealed bytes.
#[must_use]
pub fn id16(body: &[u8]) -> Id16 {
    let digest: [u8; 32] = Sha256::new().chain_update(LABEL_ID16).chain_update(body).finalize().into();
    let mut id = [0; 16];
    for (to, from) in id.iter_mut().zip(digest) {
        *to = from;
    }
    Id16(id)
}

#[cfg(test)]
mod tests;
