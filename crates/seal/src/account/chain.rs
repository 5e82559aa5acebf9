//! The chain: signed entries that say which devices are an account's, and who made them so.
//!
//! An account id is the hash of the first entry, so nobody can give an account another chain; each entry is signed over the
//! hash of the one before, so nobody can take one out. What a chain can't show is that it goes on elsewhere: see [`Standing`].
//! This layer does not know where chains come from.

mod codec;
mod proposal;
mod state;

use estoile_wire::{Millis, PublicKey, Signature};
use sha2::{Digest, Sha256};

use super::{AccountId, RootKey};
use crate::fields::Malformed;
use crate::sender::{self, SenderKey};
use state::State;

pub use proposal::Proposal;

/// A chain has at most this many entries: a device every few months for a life, and checking takes some milliseconds.
pub const MAX_ENTRIES: usize = 64;
/// An account has at most this many devices at a time: each is a leaf in each room.
pub const MAX_DEVICES: usize = 8;
/// A chain has at most this many bytes: it travels in every leaf of every room.
pub const MAX_CHAIN: usize = 12 * 1024;
/// The longest entry: a removal by two devices. Adding keeps room for as many of them as there are devices.
pub(crate) const MAX_ENTRY: usize = 272;

/// Under an account's id.
pub const LABEL_ID: &[u8] = b"estoile.v1 account id\0";
/// Under an entry's signatures.
pub const LABEL_ENTRY: &[u8] = b"estoile.v1 chain entry\0";
/// Under an entry's hash.
pub const LABEL_HEAD: &[u8] = b"estoile.v1 chain head\0";
/// Under a new device's signature that it has its key.
pub const LABEL_JOIN: &[u8] = b"estoile.v1 chain join\0";
/// Under the first of two devices' signatures that remove a third.
pub const LABEL_PROPOSAL: &[u8] = b"estoile.v1 chain removal\0";

/// What one entry says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// The account begins.
    Create {
        /// The key of its recovery words.
        root: PublicKey,
        /// Its first device.
        device: PublicKey,
        /// When, as its maker says.
        at: Millis,
    },
    /// A device comes.
    Add {
        /// The new one.
        device: PublicKey,
        /// Who took it in: a device, or the root.
        by: PublicKey,
        /// When, as `by` says.
        at: Millis,
    },
    /// A device goes, and never comes back.
    Remove {
        /// The one that goes.
        device: PublicKey,
        /// Who says so: the root, itself, or two other devices.
        by: Vec<PublicKey>,
        /// When, as they say.
        at: Millis,
    },
    /// New recovery words replace the old ones.
    Rotate {
        /// The new root key.
        root: PublicKey,
        /// When, as its maker says.
        at: Millis,
    },
}

/// An entry with what proves it.
#[derive(Clone, PartialEq, Eq)]
struct Proven {
    entry: Entry,
    signatures: Vec<Signature>,
    head: [u8; 32],
}

/// A verified chain. The only ways to one are making it and [`Chain::verify`].
#[derive(Clone, PartialEq, Eq)]
pub struct Chain {
    id: AccountId,
    entries: Vec<Proven>,
    state: State,
}

/// A length and the hash of the entry there: enough to notice that two people know different chains.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChainPoint {
    /// How many entries.
    pub len: u64,
    /// The last one's hash.
    pub head: [u8; 32],
}

crate::closed_debug!(Chain, ChainPoint);

/// How one chain stands to another of the same account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// They are the same.
    Same,
    /// This one goes on where the other ends.
    Longer,
    /// The other goes on where this one ends.
    Shorter,
    /// Each has an entry that the other contradicts (or they are of two accounts): stop, and let the user look.
    Forked,
}

/// Who signs an entry.
#[derive(Clone, Copy, Debug)]
pub enum Signer<'a> {
    /// The recovery words.
    Root(&'a RootKey),
    /// A device of the account.
    Device(&'a SenderKey),
}

impl Signer<'_> {
    /// The public key that the chain names.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        match self {
            Self::Root(key) => key.public(),
            Self::Device(key) => key.public(),
        }
    }

    fn sign(&self, message: &[u8]) -> Signature {
        match self {
            Self::Root(key) => key.sign(message),
            Self::Device(key) => key.sign(message),
        }
    }
}

/// Why bytes are no chain, or an entry can't be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// Not a chain as this version knows it.
    #[error("this is no account's chain that this version can read; look for a newer one")]
    Malformed,
    /// A signature does not hold.
    #[error("a signature in the account's chain does not hold: somebody altered it; ask for it again, another way")]
    Signature,
    /// Signed by a key that has no right to this entry.
    #[error(
        "this change of the account's devices is not signed by one who may make it: a device takes the recovery words, two other devices, or itself to be removed, and a device or the words to be added"
    )]
    NotAllowed,
    /// The device is not one of the account's now.
    #[error("this is no device of the account; look at `estoile device list`")]
    NoDevice,
    /// A key that the chain already named.
    #[error(
        "this device's key was in the account's chain before, and a key never comes back; make a new one on that device"
    )]
    KeyUsed,
    /// No room for another device.
    #[error("an account has at most {MAX_DEVICES} devices; remove one that you no longer use")]
    TooManyDevices,
    /// The chain is as long as it may be.
    #[error(
        "this account's chain is full ({MAX_ENTRIES} entries): devices can be removed, but none added; make a new account and tell your contacts"
    )]
    Full,
    /// The change was made for another state of the chain.
    #[error("the account's devices changed meanwhile; look at `estoile device list`, and do it again")]
    Stale,
}

impl From<Malformed> for ChainError {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

/// What a new device signs before it is taken in: it has its key, and means this account at this point.
fn join_message(id: &AccountId, before: &[u8; 32], device: &PublicKey) -> Vec<u8> {
    [LABEL_JOIN, &id.0, before, &device.0].concat()
}

fn entry_message(id: &AccountId, before: &[u8; 32], body: &[u8]) -> Vec<u8> {
    [LABEL_ENTRY, &id.0, before, body].concat()
}

fn hash(label: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let start = Sha256::new().chain_update(label);
    parts.iter().fold(start, |hash, part| hash.chain_update(part)).finalize().into()
}

/// Before the first entry.
const NO_HEAD: [u8; 32] = [0; 32];

/// A new device's proof that it has its key and means this account, whose chain ends at `head`.
#[must_use]
pub fn sign_join(account: &AccountId, head: &[u8; 32], device: &SenderKey) -> Signature {
    device.sign(&join_message(account, head, &device.public()))
}

/// Whether [`sign_join`]'s proof holds.
#[must_use]
pub fn join_holds(account: &AccountId, head: &[u8; 32], device: &PublicKey, proof: &Signature) -> bool {
    sender::verify(device, &join_message(account, head, device), proof)
}

impl Chain {
    /// A new account with its first device.
    #[must_use]
    pub fn create(root: &RootKey, device: &SenderKey, at: Millis) -> Self {
        let entry = Entry::Create { root: root.public(), device: device.public(), at };
        let body = codec::body(&entry);
        let id = AccountId(hash(LABEL_ID, &[&body]));
        let signatures = vec![root.sign(&entry_message(&id, &NO_HEAD, &body)), sign_join(&id, &NO_HEAD, device)];
        let state = State::begin(root.public(), device.public());
        let head = hash(LABEL_HEAD, &[&id.0, &NO_HEAD, &body]);
        Self { id, entries: vec![Proven { entry, signatures, head }], state }
    }

    /// Takes a device in. `proof` is the new device's [`sign_join`] over this chain's id and head.
    pub fn add_device(
        &self,
        by: &Signer<'_>,
        device: &PublicKey,
        proof: &Signature,
        at: Millis,
    ) -> Result<Self, ChainError> {
        let live = self.state.devices.len();
        // Room stays for removing every device, this one too, and for one rotation: nobody is locked in.
        let kept = live + 2;
        if self.entries.len() + 1 + kept > MAX_ENTRIES || self.encode().len() + (1 + kept) * MAX_ENTRY > MAX_CHAIN {
            return Err(ChainError::Full);
        }
        let entry = Entry::Add { device: *device, by: by.public(), at };
        let message = entry_message(&self.id, &self.head(), &codec::body(&entry));
        self.with(entry, vec![by.sign(&message), *proof])
    }

    /// Removes a device: by the root, or the device itself. For two devices see [`Proposal`].
    pub fn remove_device(&self, by: &Signer<'_>, device: &PublicKey, at: Millis) -> Result<Self, ChainError> {
        let entry = Entry::Remove { device: *device, by: vec![by.public()], at };
        let message = entry_message(&self.id, &self.head(), &codec::body(&entry));
        self.with(entry, vec![by.sign(&message)])
    }

    /// Replaces the root key: the old words sign, and the new ones show that they are there.
    pub fn rotate(&self, old: &RootKey, new: &RootKey, at: Millis) -> Result<Self, ChainError> {
        let entry = Entry::Rotate { root: new.public(), at };
        let message = entry_message(&self.id, &self.head(), &codec::body(&entry));
        if old.public() != self.state.root {
            return Err(ChainError::NotAllowed);
        }
        self.with(entry, vec![old.sign(&message), new.sign(&message)])
    }

    /// Reads a chain and checks every signature and every right in it.
    pub fn verify(bytes: &[u8]) -> Result<Self, ChainError> {
        if bytes.len() > MAX_CHAIN {
            return Err(ChainError::Malformed);
        }
        let mut entries = codec::entries(bytes)?.into_iter();
        let (entry, signatures) = entries.next().ok_or(ChainError::Malformed)?;
        let first = Self::begin(entry, signatures)?;
        entries.try_fold(first, |chain, (entry, signatures)| chain.with(entry, signatures))
    }

    fn begin(entry: Entry, signatures: Vec<Signature>) -> Result<Self, ChainError> {
        let Entry::Create { root, device, .. } = entry else { return Err(ChainError::Malformed) };
        let body = codec::body(&entry);
        let id = AccountId(hash(LABEL_ID, &[&body]));
        let [by_root, by_device] = signatures.as_slice() else { return Err(ChainError::Malformed) };
        if root == device {
            return Err(ChainError::KeyUsed);
        }
        let holds = sender::verify(&root, &entry_message(&id, &NO_HEAD, &body), by_root)
            && join_holds(&id, &NO_HEAD, &device, by_device);
        if !holds {
            return Err(ChainError::Signature);
        }
        let head = hash(LABEL_HEAD, &[&id.0, &NO_HEAD, &body]);
        let state = State::begin(root, device);
        Ok(Self { id, entries: vec![Proven { entry, signatures, head }], state })
    }

    /// The chain with one more entry, if all of it is right.
    fn with(&self, entry: Entry, signatures: Vec<Signature>) -> Result<Self, ChainError> {
        if self.entries.len() >= MAX_ENTRIES {
            return Err(ChainError::Full);
        }
        let before = self.head();
        let body = codec::body(&entry);
        let mut state = self.state.clone();
        state.apply(&entry)?;
        self.check(&entry, &signatures, &before, &body)?;
        let head = hash(LABEL_HEAD, &[&self.id.0, &before, &body]);
        let mut entries = self.entries.clone();
        entries.push(Proven { entry, signatures, head });
        let chain = Self { id: self.id, entries, state };
        if chain.encode().len() > MAX_CHAIN { Err(ChainError::Full) } else { Ok(chain) }
    }

    /// Whether exactly those signed who must; that they may is [`State::apply`]'s.
    fn check(&self, entry: &Entry, signatures: &[Signature], before: &[u8; 32], body: &[u8]) -> Result<(), ChainError> {
        let message = entry_message(&self.id, before, body);
        let holds = match (entry, signatures) {
            (Entry::Add { device, by, .. }, [by_signature, joined]) => {
                sender::verify(by, &message, by_signature) && join_holds(&self.id, before, device, joined)
            }
            (Entry::Remove { device, by, at }, [first, rest @ ..]) => match (by.as_slice(), rest) {
                ([one], []) => sender::verify(one, &message, first),
                ([one, other], [second]) => {
                    let proposed = proposal::message(&self.id, before, device, one, *at);
                    sender::verify(one, &proposed, first) && sender::verify(other, &message, second)
                }
                _ => return Err(ChainError::Malformed),
            },
            (Entry::Rotate { root, .. }, [old, new]) => {
                sender::verify(&self.state.root, &message, old) && sender::verify(root, &message, new)
            }
            _ => return Err(ChainError::Malformed),
        };
        if holds || estoile_wire::weak::is("chain signature") { Ok(()) } else { Err(ChainError::Signature) }
    }

    /// The bytes, as [`Chain::verify`] reads them.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(&self.entries)
    }
}

mod read;

#[cfg(test)]
mod tests;
