//! Shelf items: what one takes from an account's shelf to bring one of its devices into a room.
//!
//! Sealed under the shelf key, which contact links and cards carry, so that a relay sees bytes alone. This layer does not know
//! what a key package says: its bytes go to who knows MLS.

pub use estoile_wire::limits::MAX_ITEM;
use estoile_wire::{LogId, PublicKey, Signature};
use rand_core::CryptoRng;

use crate::account::chain::MAX_CHAIN;
use crate::account::{AccountId, Chain, ChainError};
use crate::card::hpke_key;
use crate::cbor;
use crate::fields::{self, Fields, Later, Malformed};
use crate::sealed_box;
use crate::sender::{self, SenderKey};

/// An item carries at most this many key packages: one a suite.
pub const MAX_KEY_PACKAGES: usize = 2;
/// Items are padded to a multiple of this: one device's look like another's.
pub const STEP: usize = 512;
/// In the associated data of an item's seal; the shelf's id follows.
pub const LABEL_ITEM: &[u8] = b"estoile.v1 shelf item\0";
/// Under the device's signature.
pub const LABEL_SIGNED: &[u8] = b"estoile.v1 shelf signed\0";
const VERSION: u64 = 1;
/// A map, and what later versions may nest.
const MAX_NESTING: usize = 6;

crate::secret::secret_bytes!(
    /// What opens a shelf's items. Wiped on drop.
    ShelfKey
);

/// An item.
#[derive(Clone, PartialEq, Eq)]
pub struct ShelfItem {
    /// The owner's chain.
    pub chain: Chain,
    /// The owner's name.
    pub name: String,
    /// What mailbox letters to the owner are sealed to.
    pub hpke: Vec<u8>,
    /// MLS key packages of `device`'s, 1 to [`MAX_KEY_PACKAGES`]: one for each suite that it can be added under.
    pub key_packages: Vec<Vec<u8>>,
    /// Who made and signed the item.
    pub device: PublicKey,
    /// Of a later version.
    pub later: Later,
}

crate::closed_debug!(ShelfItem);

/// Why an item can't be made or used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShelfItemError {
    /// Our own is longer than a relay takes, or breaks another bound.
    #[error(
        "the key package and the account's chain together are longer than a shelf takes; remove devices that are no longer used, or make a new account"
    )]
    Bounds,
    /// Another key's, another shelf's, or altered.
    #[error(
        "what lies on this contact's shelf does not open: the relay altered it, or the link is older than the shelf's key; ask them for a new link"
    )]
    Seal,
    /// Authentic, but not as this version knows it.
    #[error("what lies on this contact's shelf is nothing that this version can read; look for a newer one")]
    Malformed,
    /// The chain in it does not hold.
    #[error("the chain on this contact's shelf does not hold: {0}")]
    Chain(ChainError),
    /// Another account's.
    #[error("on this contact's shelf lies another account's key; it is not used")]
    Account,
    /// Its maker is no device of the account.
    #[error("on this contact's shelf lies a key of a device that is not theirs (any more); it is not used")]
    Device,
    /// The signature does not hold.
    #[error("the signature on this contact's shelf does not hold; it is not used")]
    Signature,
}

impl From<Malformed> for ShelfItemError {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

impl ShelfItem {
    /// Signs with the device's key and seals for one shelf.
    pub fn seal(
        &self,
        key: &ShelfKey,
        shelf: &LogId,
        device: &SenderKey,
        rng: &mut dyn CryptoRng,
    ) -> Result<Vec<u8>, ShelfItemError> {
        let body = self.body();
        let fits = read_body(&body).is_ok_and(|read| read == *self);
        if !fits || self.device != device.public() || !self.chain.is_live(&self.device) {
            return Err(ShelfItemError::Bounds);
        }
        let signature = device.sign(&message(&self.chain.id(), &body));
        let packet = sealed_box::pad(&[signature.0.as_slice(), &body].concat(), STEP);
        let sealed = sealed_box::seal(&key.0, LABEL_ITEM, &[&shelf.0], &packet, rng);
        if sealed.len() > MAX_ITEM { Err(ShelfItemError::Bounds) } else { Ok(sealed) }
    }

    /// Opens an item that lay on the shelf of this account. How its chain stands to the one that the reader knows
    /// ([`Chain::extends`]) is for the caller.
    pub fn open(key: &ShelfKey, shelf: &LogId, owner: &AccountId, sealed: &[u8]) -> Result<Self, ShelfItemError> {
        if sealed.len() > MAX_ITEM {
            return Err(ShelfItemError::Seal);
        }
        let packet = sealed_box::open(&key.0, LABEL_ITEM, &[&shelf.0], sealed).ok_or(ShelfItemError::Seal)?;
        Self::open_packet(&packet, owner)
    }

    /// Reads and checks what stood inside the seal.
    pub fn open_packet(packet: &[u8], owner: &AccountId) -> Result<Self, ShelfItemError> {
        let packet = sealed_box::unpad(packet, STEP).ok_or(ShelfItemError::Malformed)?;
        let (signature, body) = packet.split_first_chunk().ok_or(ShelfItemError::Malformed)?;
        let item = read_body(body)?;
        if item.chain.id() != *owner && !estoile_wire::weak::is("shelf owner") {
            return Err(ShelfItemError::Account);
        }
        if !item.chain.is_live(&item.device) {
            return Err(ShelfItemError::Device);
        }
        let holds = sender::verify(&item.device, &message(owner, body), &Signature(*signature));
        if holds || estoile_wire::weak::is("shelf owner") { Ok(item) } else { Err(ShelfItemError::Signature) }
    }

    fn body(&self) -> Vec<u8> {
        cbor::write(|e| {
            e.map(6 + self.later.len())?.u8(0)?.u64(VERSION)?.u8(1)?.bytes(&self.chain.encode())?;
            e.u8(2)?.str(&self.name)?.u8(3)?.bytes(&self.hpke)?.u8(4)?;
            fields::put_list(e, &self.key_packages, |e, package| e.bytes(package)?.ok())?;
            e.u8(5)?.bytes(&self.device.0)?;
            self.later.put(e)
        })
    }
}

fn message(owner: &AccountId, body: &[u8]) -> Vec<u8> {
    [LABEL_SIGNED, &owner.0, body].concat()
}

fn read_body(body: &[u8]) -> Result<ShelfItem, ShelfItemError> {
    let (chain, mut item) = fields::whole(body, MAX_NESTING, |d| {
        let mut map = Fields::begin(d)?;
        if map.need(0)?.u64()? != VERSION {
            return Err(Malformed);
        }
        let chain = fields::bytes(map.need(1)?, MAX_CHAIN)?;
        let name = fields::name(map.need(2)?)?;
        let hpke = hpke_key(map.need(3)?.bytes()?)?;
        let key_packages = fields::list(map.need(4)?, MAX_KEY_PACKAGES, |d| fields::bytes(d, MAX_ITEM))?;
        if key_packages.is_empty() {
            return Err(Malformed);
        }
        let device = fields::public_key(map.need(5)?)?;
        Ok((chain, (name, hpke, key_packages, device, map.later(5)?)))
    })?;
    let chain = Chain::verify(&chain).map_err(ShelfItemError::Chain)?;
    let later = core::mem::take(&mut item.4);
    let (name, hpke, key_packages, device, _) = item;
    Ok(ShelfItem { chain, name, hpke, key_packages, device, later })
}

#[cfg(test)]
mod tests;
