//! History: the messages that an old device brings along to one that it has just taken into the account.
//!
//! They lie in a few sealed parts at the relay, the newest first, under a key that stands only in the device link's grant
//! ([`crate::device_link::Granted`]). A part is bound to the account, to the new device and to its place: nobody else can make
//! one, and none serves for another. This layer does not know who shows what to whom.

use estoile_wire::limits::MAX_BODY;
use estoile_wire::{LogId, Millis, PublicKey};
use minicbor::Decoder;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::account::AccountId;
use crate::cbor;
use crate::fields::{self, Fields, Malformed, Out, Written, put_list};
use crate::sealed_box;

/// In the associated data of a part's seal; account, new device and number follow.
pub const LABEL_PART: &[u8] = b"estoile.v1 history part\0";
/// A history has at most this many parts.
pub const MAX_PARTS: usize = 4;
/// A part's text has at most this many bytes: together 4 MiB, some 15,000 messages, a small share of what a relay lets one
/// log keep.
pub const MAX_PART: usize = 1024 * 1024;
/// A part's text is padded to a multiple of this.
pub const STEP: usize = 16 * 1024;
/// A sealed part has at most this many bytes.
pub const MAX_SEALED_PART: usize = MAX_PART + STEP + sealed_box::OVERHEAD;
/// Messages of one room that a history brings: as many as the old device has at hand.
pub const MAX_LETTERS: usize = 1_000;
/// Rooms of one part.
const MAX_ROOMS: usize = 1_000;
/// A message counts this much beside its name and text: three keys, a time, numbers.
const LETTER_COST: usize = 160;
/// A room counts this much beside its messages.
const ROOM_COST: usize = 48;
/// A map of a list of rooms, each with a list of messages.
const MAX_NESTING: usize = 6;
const VERSION: u64 = 1;

crate::secret::secret_bytes!(
    /// What seals a history's parts. Wiped on drop.
    HistoryKey
);

/// Where a part lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartRef {
    /// The blob's address.
    pub hash: [u8; 32],
    /// How many bytes it has.
    pub size: u64,
}

/// What a grant says of a history.
#[derive(Clone, PartialEq, Eq)]
pub struct Offer {
    /// What opens the parts.
    pub key: HistoryKey,
    /// How many messages there are in all.
    pub messages: u64,
    /// The parts, the newest messages first.
    pub parts: Vec<PartRef>,
}

/// One message.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// The letter's hash: its id.
    pub hash: [u8; 32],
    /// The device that wrote it.
    pub sender: PublicKey,
    /// That device's account.
    pub account: [u8; 32],
    /// The name that it bore.
    pub name: String,
    /// What it says.
    pub text: String,
    /// When it was signed.
    pub sent_at: Millis,
    /// Seconds that it lives; none: as long as clients keep it.
    pub ttl: Option<u32>,
    /// Its place: the latest time before it, and the steps from there.
    pub place: (Millis, u32),
    /// By how many others it was seen, where the account wrote it.
    pub seen: u32,
}

/// Messages of one room, the newest first.
#[derive(Clone, PartialEq, Eq)]
pub struct RoomPast {
    /// The room's log.
    pub log: LogId,
    /// What was said there.
    pub messages: Vec<Message>,
}

crate::closed_debug!(Offer, Message, RoomPast);

/// Why a part is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// Another key's or place's, or altered.
    #[error("a part of the messages does not open: the relay altered it; the messages in it are not brought along")]
    Seal,
    /// Authentic, but not as this version knows it.
    #[error("a part of the messages is none that this version can read; update both devices")]
    Malformed,
}

impl From<Malformed> for HistoryError {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

impl Message {
    /// At most so many bytes of a part are this message's.
    #[must_use]
    pub const fn cost(&self) -> usize {
        self.name.len() + self.text.len() + LETTER_COST
    }

    /// Whether a part may have it.
    #[must_use]
    pub fn fits(&self) -> bool {
        crate::names::is_name(&self.name) && self.text.len() <= MAX_BODY
    }

    fn put(&self, e: &mut Out) -> Written {
        e.array(10)?.bytes(&self.hash)?.bytes(&self.sender.0)?.bytes(&self.account)?;
        e.str(&self.name)?.str(&self.text)?.u64(self.sent_at)?;
        match self.ttl {
            Some(ttl) => e.u32(ttl)?.ok()?,
            None => e.null()?.ok()?,
        }
        e.u64(self.place.0)?.u32(self.place.1)?.u32(self.seen)?.ok()
    }

    fn read(d: &mut Decoder<'_>) -> Result<Self, Malformed> {
        if d.array()? != Some(10) {
            return Err(Malformed);
        }
        Ok(Self {
            hash: fields::array(d)?,
            sender: fields::public_key(d)?,
            account: fields::array(d)?,
            name: fields::name(d)?,
            text: fields::text(d, MAX_BODY)?,
            sent_at: d.u64()?,
            ttl: d.decode()?,
            place: (d.u64()?, d.u32()?),
            seen: d.u32()?,
        })
    }
}

impl RoomPast {
    /// The bytes, for the vault: the same as inside a part.
    #[must_use]
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(cbor::write(|e| self.put(e)))
    }

    /// Reads [`Self::encode`]'s bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        fields::whole(bytes, MAX_NESTING, Self::read)
    }

    fn put(&self, e: &mut Out) -> Written {
        e.array(2)?.bytes(&self.log.0)?;
        put_list(e, &self.messages, |e, message| message.put(e))
    }

    fn read(d: &mut Decoder<'_>) -> Result<Self, Malformed> {
        if d.array()? != Some(2) {
            return Err(Malformed);
        }
        Ok(Self { log: fields::log_id(d)?, messages: fields::list(d, MAX_LETTERS, Message::read)? })
    }
}

/// Puts messages, the newest first, each with its room, into parts: as many as fit. The parts, and how many messages they have.
#[must_use]
pub fn parts(messages: impl IntoIterator<Item = (LogId, Message)>) -> (Vec<Vec<RoomPast>>, u64) {
    let (mut parts, mut part, mut size, mut count) = (Vec::new(), Vec::<RoomPast>::new(), ROOM_COST, 0_u64);
    for (log, message) in messages.into_iter().filter(|(_, message)| message.fits()) {
        let fresh = part.iter().all(|room| room.log != log);
        // As if each began its room: a part ends a little early, and never late.
        if size + message.cost() + ROOM_COST > MAX_PART || (fresh && part.len() >= MAX_ROOMS) {
            if parts.len() + 1 >= MAX_PARTS {
                break;
            }
            parts.push(core::mem::take(&mut part));
            size = ROOM_COST;
        }
        size += message.cost() + if fresh || part.is_empty() { ROOM_COST } else { 0 };
        count += 1;
        match part.iter_mut().find(|room| room.log == log) {
            Some(room) => room.messages.push(message),
            None => part.push(RoomPast { log, messages: vec![message] }),
        }
    }
    if !part.is_empty() {
        parts.push(part);
    }
    (parts, count)
}

impl HistoryKey {
    /// Seals the part of this number, for one device of an account.
    #[must_use]
    pub fn seal(
        &self,
        (account, device): (&AccountId, &PublicKey),
        number: u8,
        rooms: &[RoomPast],
        rng: &mut dyn CryptoRng,
    ) -> Vec<u8> {
        let text = Zeroizing::new(cbor::write(|e| {
            e.map(2)?.u8(0)?.u64(VERSION)?.u8(1)?;
            put_list(e, rooms, |e, room| room.put(e))
        }));
        let padded = sealed_box::pad(&text, STEP);
        sealed_box::seal(self.as_bytes(), LABEL_PART, &[&account.0, &device.0, &[number]], &padded, rng)
    }

    /// Opens it.
    pub fn open(
        &self,
        (account, device): (&AccountId, &PublicKey),
        number: u8,
        sealed: &[u8],
    ) -> Result<Vec<RoomPast>, HistoryError> {
        if sealed.len() > MAX_SEALED_PART {
            return Err(HistoryError::Seal);
        }
        let context: [&[u8]; 3] = [&account.0, &device.0, &[number]];
        let padded = sealed_box::open(self.as_bytes(), LABEL_PART, &context, sealed).ok_or(HistoryError::Seal)?;
        let text = sealed_box::unpad(&padded, STEP).ok_or(HistoryError::Malformed)?;
        Ok(fields::whole(text, MAX_NESTING, |d| {
            let mut map = Fields::begin(d)?;
            if map.need(0)?.u64()? != VERSION {
                return Err(Malformed);
            }
            let rooms = fields::list(map.need(1)?, MAX_ROOMS, RoomPast::read)?;
            map.end()?;
            Ok(rooms)
        })?)
    }
}

impl Offer {
    pub(crate) fn put(&self, e: &mut Out) -> Written {
        e.array(3)?.bytes(self.key.as_bytes())?.u64(self.messages)?;
        put_list(e, &self.parts, |e, part| e.array(2)?.bytes(&part.hash)?.u64(part.size)?.ok())
    }

    pub(crate) fn read(d: &mut Decoder<'_>) -> Result<Self, Malformed> {
        if d.array()? != Some(3) {
            return Err(Malformed);
        }
        let (key, messages) = (HistoryKey::from_bytes(fields::array(d)?), d.u64()?);
        let parts = fields::list(d, MAX_PARTS, |d| {
            if d.array()? != Some(2) {
                return Err(Malformed);
            }
            let part = PartRef { hash: fields::array(d)?, size: d.u64()? };
            if part.size <= MAX_SEALED_PART as u64 { Ok(part) } else { Err(Malformed) }
        })?;
        Ok(Self { key, messages, parts })
    }
}

#[cfg(test)]
mod tests;
