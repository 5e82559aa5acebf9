//! Cards: what a contact needs to reach an account, signed by one of its devices.
//!
//! A card carries a ticket of its own for each contact, so that what one of them loses stops nobody else. This layer does not
//! know mailboxes' contents, nor whether the two know each other.

use estoile_wire::{LogId, Millis, PublicKey, Signature};

use crate::account::summary::MAX_RELAY;
use crate::account::{AccountId, Chain};
use crate::cbor;
use crate::fields::{self, Fields, Later, Malformed};
use crate::link::RelayUrl;
use crate::sender::{self, SenderKey};
use crate::shelf_item::ShelfKey;
use crate::ticket::TicketSecret;

/// An HPKE public key has at most this many bytes: X-Wing's has 1,216, X25519's 32.
pub const MAX_HPKE_KEY: usize = 1280;
/// A signed card has at most this many bytes: a key, a name, an address, and what later versions add.
pub const MAX_CARD: usize = 8 * 1024;
/// Under the device's signature.
pub const LABEL_CARD: &[u8] = b"estoile.v1 card\0";
const VERSION: u64 = 1;
/// A map, and what later versions may nest.
const MAX_NESTING: usize = 6;

/// How to reach an account.
#[derive(Clone, PartialEq, Eq)]
pub struct Card {
    /// Whose card it is.
    pub account: AccountId,
    /// What they call themselves.
    pub name: String,
    /// Their home relay, pinned, without an entry code.
    pub relay: RelayUrl,
    /// Their mailbox.
    pub mailbox: LogId,
    /// Their shelf.
    pub shelf: LogId,
    /// The reader's own ticket for both.
    pub ticket: TicketSecret,
    /// What opens the shelf's items.
    pub shelf_key: ShelfKey,
    /// What mailbox letters are sealed to.
    pub hpke: Vec<u8>,
    /// When it was signed: a later one replaces an earlier one.
    pub at: Millis,
    /// Of a later version.
    pub later: Later,
}

crate::closed_debug!(Card);

/// Why a card can't be signed, or is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CardError {
    /// Our own breaks the bounds.
    #[error("the card breaks the bounds of its format: a name of 1 to 64 characters, a relay with its pin, one key")]
    Bounds,
    /// Not a card as this version knows it.
    #[error("this contact's card is none that this version can read; look for a newer one")]
    Malformed,
    /// Of another account.
    #[error("this card is another account's than the one it came from; it is not used")]
    Account,
    /// Signed by none of the account's devices.
    #[error("this card is signed by a device that is not this contact's (any more); it is not used")]
    Device,
    /// The signature does not hold.
    #[error("this card's signature does not hold; it is not used")]
    Signature,
}

impl From<Malformed> for CardError {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

impl Card {
    /// The signed card: `{0: device, 1: signature, 2: the card}`.
    pub fn sign(&self, device: &SenderKey) -> Result<Vec<u8>, CardError> {
        let body = self.body();
        let signature = device.sign(&message(&self.account, &body));
        let signed = cbor::write(|e| {
            e.map(3)?.u8(0)?.bytes(&device.public().0)?.u8(1)?.bytes(&signature.0)?.u8(2)?.bytes(&body)?.ok()
        });
        // What we could not read back must not go out.
        if signed.len() <= MAX_CARD && read_body(&body).is_ok_and(|read| read == *self) {
            Ok(signed)
        } else {
            Err(CardError::Bounds)
        }
    }

    /// Reads a signed card and checks it against the chain of the account that it came from.
    pub fn open(signed: &[u8], chain: &Chain) -> Result<Self, CardError> {
        let (device, signature, body) = parts(signed)?;
        let card = read_body(&body)?;
        if card.account != chain.id() {
            return Err(CardError::Account);
        }
        if !chain.is_live(&device) {
            return Err(CardError::Device);
        }
        let holds = sender::verify(&device, &message(&card.account, &body), &signature);
        if holds { Ok(card) } else { Err(CardError::Signature) }
    }

    /// Reads a signed card that was checked before (from the vault or the summary).
    pub fn reopen(signed: &[u8]) -> Result<Self, CardError> {
        let (_, _, body) = parts(signed)?;
        Ok(read_body(&body)?)
    }

    fn body(&self) -> Vec<u8> {
        cbor::write(|e| {
            e.map(10 + self.later.len())?.u8(0)?.u64(VERSION)?.u8(1)?.bytes(&self.account.0)?.u8(2)?.str(&self.name)?;
            e.u8(3)?.str(&self.relay.to_string())?.u8(4)?.bytes(&self.mailbox.0)?.u8(5)?.bytes(&self.shelf.0)?;
            e.u8(6)?
                .bytes(self.ticket.as_bytes())?
                .u8(7)?
                .bytes(self.shelf_key.as_bytes())?
                .u8(8)?
                .bytes(&self.hpke)?;
            e.u8(9)?.u64(self.at)?;
            self.later.put(e)
        })
    }
}

fn message(account: &AccountId, body: &[u8]) -> Vec<u8> {
    [LABEL_CARD, &account.0, body].concat()
}

fn parts(signed: &[u8]) -> Result<(PublicKey, Signature, Vec<u8>), Malformed> {
    if signed.len() > MAX_CARD {
        return Err(Malformed);
    }
    fields::whole(signed, 2, |d| {
        let mut map = Fields::begin(d)?;
        let device = fields::public_key(map.need(0)?)?;
        let signature = fields::signature(map.need(1)?)?;
        let body = map.need(2)?.bytes()?.to_vec();
        map.end()?;
        Ok((device, signature, body))
    })
}

fn read_body(body: &[u8]) -> Result<Card, Malformed> {
    fields::whole(body, MAX_NESTING, |d| {
        let mut map = Fields::begin(d)?;
        if map.need(0)?.u64()? != VERSION {
            return Err(Malformed);
        }
        let account = AccountId(fields::array(map.need(1)?)?);
        let name = fields::name(map.need(2)?)?;
        let relay = relay(map.need(3)?.str()?)?;
        let mailbox = fields::log_id(map.need(4)?)?;
        let shelf = fields::log_id(map.need(5)?)?;
        let ticket = TicketSecret::from_bytes(fields::array(map.need(6)?)?);
        let shelf_key = ShelfKey::from_bytes(fields::array(map.need(7)?)?);
        let hpke = hpke_key(map.need(8)?.bytes()?)?;
        let at = map.need(9)?.u64()?;
        Ok(Card { account, name, relay, mailbox, shelf, ticket, shelf_key, hpke, at, later: map.later(9)? })
    })
}

/// A relay's address in its one spelling, with a pin and no entry code.
pub(crate) fn relay(text: &str) -> Result<RelayUrl, Malformed> {
    if text.len() > MAX_RELAY {
        return Err(Malformed);
    }
    let url: RelayUrl = text.parse().map_err(|_| Malformed)?;
    if url.pin.is_some() && url.entry.is_none() && url.to_string() == text { Ok(url) } else { Err(Malformed) }
}

pub(crate) fn hpke_key(bytes: &[u8]) -> Result<Vec<u8>, Malformed> {
    if (32..=MAX_HPKE_KEY).contains(&bytes.len()) { Ok(bytes.to_vec()) } else { Err(Malformed) }
}

#[cfg(test)]
mod tests;
