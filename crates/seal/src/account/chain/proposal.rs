//! A removal that one device signed and a second one completes: the way without the recovery words.
//!
//! This layer does not know how a proposal reaches the second device (the account's log carries it).

use estoile_wire::{Millis, PublicKey, Signature};

use super::{Chain, ChainError, Entry, LABEL_PROPOSAL, codec, entry_message};
use crate::account::AccountId;
use crate::cbor;
use crate::fields::{self, Fields, Malformed};
use crate::sender::{self, SenderKey};

/// A map and its values.
const MAX_NESTING: usize = 2;

/// One of two signatures that remove a device.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Proposal {
    /// Whose devices it is about.
    pub account: AccountId,
    /// The chain's head that it follows.
    pub before: [u8; 32],
    /// The device to remove.
    pub device: PublicKey,
    /// Who signed first.
    pub by: PublicKey,
    /// When.
    pub at: Millis,
    /// The first signature.
    pub signature: Signature,
}

crate::closed_debug!(Proposal);

/// What the first of two devices signs.
pub(super) fn message(id: &AccountId, before: &[u8; 32], device: &PublicKey, by: &PublicKey, at: Millis) -> Vec<u8> {
    [LABEL_PROPOSAL, &id.0, before, &device.0, &by.0, &at.to_be_bytes()].concat()
}

impl Proposal {
    /// The first signature of a removal.
    pub fn sign(chain: &Chain, by: &SenderKey, device: &PublicKey, at: Millis) -> Result<Self, ChainError> {
        let (account, before) = (chain.id(), chain.head());
        let signature = by.sign(&message(&account, &before, device, &by.public(), at));
        let proposal = Self { account, before, device: *device, by: by.public(), at, signature };
        proposal.check(chain).map(|()| proposal)
    }

    /// Whether a second device could complete it now: made for this very chain, by a device of it, about another one.
    pub fn check(&self, chain: &Chain) -> Result<(), ChainError> {
        if self.account != chain.id() || self.before != chain.head() {
            return Err(ChainError::Stale);
        }
        if !chain.is_live(&self.device) {
            return Err(ChainError::NoDevice);
        }
        if !chain.is_live(&self.by) || self.by == self.device {
            return Err(ChainError::NotAllowed);
        }
        let message = message(&self.account, &self.before, &self.device, &self.by, self.at);
        if sender::verify(&self.by, &message, &self.signature) { Ok(()) } else { Err(ChainError::Signature) }
    }

    /// The chain with the removal: the second device signs.
    pub fn complete(&self, chain: &Chain, second: &SenderKey) -> Result<Chain, ChainError> {
        self.check(chain)?;
        let entry = Entry::Remove { device: self.device, by: vec![self.by, second.public()], at: self.at };
        let message = entry_message(&self.account, &self.before, &codec::body(&entry));
        chain.with(entry, vec![self.signature, second.sign(&message)])
    }

    /// The bytes, for the account's log.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        cbor::write(|e| {
            e.map(6)?.u8(0)?.bytes(&self.account.0)?.u8(1)?.bytes(&self.before)?.u8(2)?.bytes(&self.device.0)?;
            e.u8(3)?.bytes(&self.by.0)?.u8(4)?.u64(self.at)?.u8(5)?.bytes(&self.signature.0)?.ok()
        })
    }

    /// Reads the bytes; [`Proposal::check`] judges them.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        fields::whole(bytes, MAX_NESTING, |d| {
            let mut map = Fields::begin(d)?;
            let proposal = Self {
                account: AccountId(fields::array(map.need(0)?)?),
                before: fields::array(map.need(1)?)?,
                device: fields::public_key(map.need(2)?)?,
                by: fields::public_key(map.need(3)?)?,
                at: map.need(4)?.u64()?,
                signature: fields::signature(map.need(5)?)?,
            };
            map.end()?;
            Ok(proposal)
        })
    }
}
