//! Moves: how members are told that a room goes on in another log and another group.
//!
//! One announcement serves three acts: a private room leaves a culprit, a broken epoch or a relay behind (told at its old
//! [`crate::door`]); a quick room becomes a private one (told in a letter of the quick room); a room goes on under another
//! suite. It is signed by a device of who moves. Whether they may is for [`crate::roster::check_move`]; this layer says
//! what was announced, and by which device.

use estoile_wire::{LogId, Millis, PublicKey, Signature};

use crate::account::chain::MAX_CHAIN;
use crate::account::{self, AccountId, Chain};
use crate::card::relay;
use crate::cbor;
use crate::fields::{self, Fields, Malformed};
use crate::link::RelayUrl;
use crate::mimi::{Body, Content, Disposition, Part};
use crate::roster::{Leaf, MAX_MEMBERS, MovedFrom, RoomLinkId};
use crate::sender::{self, SenderKey};
use crate::ticket::TicketSecret;

/// The media type of the announcement in a quick room's letter.
pub const MEDIA_TYPE: &str = "application/estoile-move";
/// Under the device's signature.
pub const LABEL_MOVE: &[u8] = b"estoile.v1 move\0";
/// A signed announcement has at most this many bytes: 250 accounts take 8.5 KiB, a chain 12 KiB.
pub const MAX_ANNOUNCEMENT: usize = 24 * 1024;
const VERSION: u64 = 1;
/// A map, its lists.
const MAX_NESTING: usize = 3;

/// A room goes on elsewhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Announcement {
    /// The room's log until now, and its last good epoch (0 of a quick room).
    pub from: MovedFrom,
    /// What the mover's group was in that epoch ([`crate::views::View::make`]'s check): members who saw another one don't
    /// follow. Zeros of a quick room.
    pub check: [u8; 16],
    /// Where it goes on: the relay, pinned, without an entry code.
    pub relay: RelayUrl,
    /// The new room's log.
    pub log: LogId,
    /// The new room's door, at which to knock.
    pub door: account::Door,
    /// The new room's name.
    pub name: String,
    /// The suite of the new group, by its number in MLS.
    pub suite: u16,
    /// Who may follow, in the order of their ids; of a quick room nobody: there a room link lets in whoever reads this.
    pub people: Vec<AccountId>,
    /// The room link of a quick room's announcement.
    pub link: Option<RoomLinkId>,
    /// Who moves the room.
    pub by: AccountId,
    /// Its chain, for a quick room, where nobody knows it yet.
    pub chain: Option<Chain>,
    /// When, by the mover's clock.
    pub sent_at: Millis,
}

crate::closed_debug!(Announcement);

/// Why bytes are no announcement that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MoveError {
    /// Our own breaks the bounds of its format.
    #[error("the announcement breaks the bounds of its format; move with fewer people")]
    Bounds,
    /// Not as this version knows it.
    #[error("the announcement that this room moves is none that this version can read; look for a newer one")]
    Malformed,
    /// The device is none of the account that it names.
    #[error("the announcement that this room moves is signed by a device that is not theirs; it is not followed")]
    Device,
    /// The signature does not hold.
    #[error("the signature of the announcement that this room moves does not hold; it is not followed")]
    Signature,
}

impl From<Malformed> for MoveError {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

impl Announcement {
    /// The signed announcement: device ‖ signature ‖ announcement.
    pub fn sign(&self, device: &SenderKey) -> Result<Vec<u8>, MoveError> {
        let body = self.body();
        let signature = device.sign(&message(&body));
        let signed = [device.public().0.as_slice(), &signature.0, &body].concat();
        // What nobody could read must not go out.
        match parts(&signed).and_then(|(_, body)| Ok(read(body)?)) {
            Ok(read) if read == *self => Ok(signed),
            _ => Err(MoveError::Bounds),
        }
    }

    /// A private room's: signed by a device among these leaves.
    pub fn open_among(signed: &[u8], leaves: &[Leaf]) -> Result<Self, MoveError> {
        let (device, body) = parts(signed)?;
        let announcement = read(body)?;
        let known = leaves.contains(&Leaf { account: announcement.by, device });
        if known { Ok(announcement) } else { Err(MoveError::Device) }
    }

    /// A quick room's: signed by a device of the chain that it brings.
    pub fn open_with_chain(signed: &[u8]) -> Result<Self, MoveError> {
        let (device, body) = parts(signed)?;
        let announcement = read(body)?;
        let chain = announcement.chain.as_ref().ok_or(MoveError::Malformed)?;
        if chain.id() == announcement.by && chain.is_live(&device) && announcement.link.is_some() {
            Ok(announcement)
        } else {
            Err(MoveError::Device)
        }
    }

    /// `{0: version, 1: from, 2: check, 3: relay, 4: log, 5: door, 6: name, 7: suite, 8: people, 9: by, 10: sent_at, 11: link,
    /// 12: chain}`
    fn body(&self) -> Vec<u8> {
        let optional = u64::from(self.link.is_some()) + u64::from(self.chain.is_some());
        cbor::write(|e| {
            e.map(11 + optional)?.u8(0)?.u64(VERSION)?;
            e.u8(1)?.array(2)?.bytes(&self.from.log.0)?.u64(self.from.epoch)?.u8(2)?.bytes(&self.check)?;
            e.u8(3)?.str(&self.relay.to_string())?.u8(4)?.bytes(&self.log.0)?;
            e.u8(5)?.array(2)?.bytes(&self.door.log.0)?.bytes(self.door.ticket.as_bytes())?;
            e.u8(6)?.str(&self.name)?.u8(7)?.u16(self.suite)?.u8(8)?;
            fields::put_list(e, &self.people, |e, account| e.bytes(&account.0)?.ok())?;
            e.u8(9)?.bytes(&self.by.0)?.u8(10)?.u64(self.sent_at)?;
            if let Some(link) = &self.link {
                e.u8(11)?.bytes(link)?;
            }
            if let Some(chain) = &self.chain {
                e.u8(12)?.bytes(&chain.encode())?;
            }
            e.ok()
        })
    }
}

fn message(body: &[u8]) -> Vec<u8> {
    [LABEL_MOVE, body].concat()
}

/// The device and what it signed, if it did.
fn parts(signed: &[u8]) -> Result<(PublicKey, &[u8]), MoveError> {
    if signed.len() > MAX_ANNOUNCEMENT {
        return Err(MoveError::Malformed);
    }
    let (device, rest) = signed.split_first_chunk().ok_or(MoveError::Malformed)?;
    let (signature, body) = rest.split_first_chunk().ok_or(MoveError::Malformed)?;
    let device = PublicKey(*device);
    let holds = sender::verify(&device, &message(body), &Signature(*signature));
    if holds { Ok((device, body)) } else { Err(MoveError::Signature) }
}

fn read(body: &[u8]) -> Result<Announcement, Malformed> {
    fields::whole(body, MAX_NESTING, |d| {
        let mut map = Fields::begin(d)?;
        if map.need(0)?.u64()? != VERSION {
            return Err(Malformed);
        }
        let from = pair(map.need(1)?)?;
        let from = MovedFrom { log: fields::log_id(from)?, epoch: from.u64()? };
        let check = fields::array(map.need(2)?)?;
        let relay = relay(map.need(3)?.str()?)?;
        let log = fields::log_id(map.need(4)?)?;
        let door = pair(map.need(5)?)?;
        let door = account::Door { log: fields::log_id(door)?, ticket: TicketSecret::from_bytes(fields::array(door)?) };
        let name = fields::name(map.need(6)?)?;
        let suite = map.need(7)?.u16()?;
        let people = fields::list(map.need(8)?, MAX_MEMBERS, |d| Ok(AccountId(fields::array(d)?)))?;
        let by = AccountId(fields::array(map.need(9)?)?);
        let sent_at = map.need(10)?.u64()?;
        let link = map.may(11)?.map(fields::array).transpose()?;
        let chain = map.may(12)?.map(|d| fields::bytes(d, MAX_CHAIN)).transpose()?;
        map.end()?;
        let ascending = people.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
        let chain = chain.map(|bytes| Chain::verify(&bytes)).transpose().map_err(|_| Malformed)?;
        if !ascending {
            return Err(Malformed);
        }
        Ok(Announcement { from, check, relay, log, door, name, suite, people, link, by, chain, sent_at })
    })
}

/// An array of two.
fn pair<'a, 'b>(d: &'a mut minicbor::Decoder<'b>) -> Result<&'a mut minicbor::Decoder<'b>, Malformed> {
    if d.array()? == Some(2) { Ok(d) } else { Err(Malformed) }
}

/// A quick room's letter's content that carries a signed announcement.
#[must_use]
pub fn content(signed: Vec<u8>, salt: [u8; 16]) -> Content {
    let body = Body::Single { content_type: MEDIA_TYPE.to_owned(), content: signed };
    let part = Part { disposition: Disposition::UNSPECIFIED, language: String::new(), body };
    Content { part, ..crate::mimi::text("", salt) }
}

/// The announcement in a quick room's letter's content, if it is one and holds.
#[must_use]
pub fn announced(content: &Content) -> Option<Announcement> {
    match &content.part.body {
        Body::Single { content_type, content } if content_type == MEDIA_TYPE => {
            Announcement::open_with_chain(content).ok()
        }
        _ => None,
    }
}

#[cfg(test)]
pub(crate) mod tests;
