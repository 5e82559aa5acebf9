//! Letters: what a seal contains.

use estoile_wire::{Id16, LogId, Millis, PublicKey, Signature};
use rand_core::CryptoRng;

use crate::mimi::Content;
use crate::quick::RoomKeys;
pub use crate::sender::SenderKey;

/// A letter names at most this many parents.
pub const MAX_PARENTS: usize = 16;
/// A name has at most this many characters.
pub const MAX_NAME_CHARS: usize = 64;

/// Names a letter that the sender had seen, with all that is needed to judge whether it should still be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// The letter's hash.
    pub hash: [u8; 32],
    /// Who sent it.
    pub sender: PublicKey,
    /// Its counter.
    pub counter: u64,
    /// Its epoch; 0 in a quick room.
    pub epoch: u64,
    /// When it was signed.
    pub sent_at: Millis,
    /// When its life ends; none: with the relay's.
    pub ends_at: Option<Millis>,
}

/// A letter of a quick room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// What it says; none: a beat.
    pub content: Option<Content>,
    /// Counts the sender's letters in this room, from 0.
    pub counter: u64,
    /// The newest letters that the sender had seen, at most [`MAX_PARENTS`].
    pub parents: Vec<Reference>,
    /// When it was signed, by the sender's clock.
    pub sent_at: Millis,
    /// Seconds to live; none: as long as the relay keeps it.
    pub ttl: Option<u32>,
    /// The sender's name.
    pub name: String,
    /// The sender's key.
    pub sender: PublicKey,
}

/// A letter whose bytes are fixed for ever; sealed as often as needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    bytes: Vec<u8>,
    sender: PublicKey,
    signature: Signature,
    hash: [u8; 32],
    id16: Id16,
    sent_at: Millis,
    ttl: Option<u32>,
}

/// Why a letter can't be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The name is empty, too long or has control characters.
    #[error("a name has 1 to 64 characters and no control characters; choose another")]
    BadName,
    /// More parents than allowed.
    #[error("a letter names at most {MAX_PARENTS} parents")]
    TooManyParents,
    /// The sender's field is another key's.
    #[error("the letter names another sender than the key that signs it")]
    WrongSender,
    /// It would not fit into a record.
    #[error("the letter is too long for a record; send it in parts")]
    TooLong,
    /// The content breaks the rules of its format.
    #[error("the content can't be written: {0}")]
    Content(#[from] crate::mimi::MimiError),
}

/// Why a body is not a letter of this room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Not a token, or one that another key made, or altered.
    #[error("the record is no letter of this room, or was altered")]
    Seal,
    /// Authentic, but not a letter as this version knows it.
    #[error("the record is a letter that this version can't read; look for a newer version")]
    Malformed,
    /// The token's time is not the letter's.
    #[error("the record's outer time is not the one that was signed")]
    Time,
    /// The signature does not hold.
    #[error("the letter's signature does not hold")]
    Signature,
}

/// A letter that is authentic and complete; whether its time is right is for [`judge_time`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The letter.
    pub letter: Letter,
    /// Its fixed bytes, to be kept, or sealed again by its author.
    pub written: Written,
    /// Its hash: its id.
    pub hash: [u8; 32],
    /// Its id at the relay.
    pub id16: Id16,
    /// The sealing's MAC.
    pub mac: [u8; 32],
}

/// What the clock says of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timely {
    /// Show it.
    Now,
    /// From the future: hold it until then, and tell.
    Held {
        /// When its time has come.
        until: Millis,
    },
    /// Over: refuse it, and tell.
    Expired {
        /// For how long.
        late_ms: u64,
    },
    /// More than a day ahead: refuse it, and tell.
    TooFarAhead {
        /// How far.
        by_ms: u64,
    },
}

impl Letter {
    /// When its life ends; none: with the relay's.
    #[must_use]
    pub fn ends_at(&self) -> Option<Millis> {
        ends_at(self.sent_at, self.ttl)
    }

    /// Fixes the letter's bytes, and signs them for this log.
    pub fn write(&self, _key: &SenderKey, _log: &LogId) -> Result<Written, WriteError> {
        Err(WriteError::TooLong)
    }
}

impl Written {
    /// The letter's bytes: what hash and signature cover.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
    /// Who signed.
    #[must_use]
    pub const fn sender(&self) -> PublicKey {
        self.sender
    }
    /// The signature.
    #[must_use]
    pub const fn signature(&self) -> Signature {
        self.signature
    }
    /// The letter's hash: its id.
    #[must_use]
    pub const fn hash(&self) -> [u8; 32] {
        self.hash
    }
    /// The letter's id at the relay.
    #[must_use]
    pub const fn id16(&self) -> Id16 {
        self.id16
    }
    /// When it was signed.
    #[must_use]
    pub const fn sent_at(&self) -> Millis {
        self.sent_at
    }
    /// Seconds to live.
    #[must_use]
    pub const fn ttl(&self) -> Option<u32> {
        self.ttl
    }
    /// All of it in one string of bytes, for the vault: what a seal contains.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        Vec::new()
    }
    /// The letter in such bytes, checked like a peer's.
    pub fn from_bytes(_log: &LogId, _bytes: &[u8]) -> Result<(Self, Letter), OpenError> {
        Err(OpenError::Malformed)
    }
}

/// When a life ends.
#[must_use]
pub fn ends_at(sent_at: Millis, ttl: Option<u32>) -> Option<Millis> {
    ttl.map(|s| sent_at.saturating_add(u64::from(s) * 1000))
}

/// Seals a written letter: a Fernet token, ASCII, whose time is the letter's.
#[must_use]
pub fn seal(_keys: &RoomKeys, _written: &Written, _rng: &mut dyn CryptoRng) -> Vec<u8> {
    Vec::new()
}

/// Opens a record's body.
pub fn open(_keys: &RoomKeys, _body: &[u8]) -> Result<Opened, OpenError> {
    Err(OpenError::Malformed)
}

/// Judges a letter's time by this clock.
#[must_use]
pub fn judge_time(_sent_at: Millis, _ttl: Option<u32>, _now: Millis) -> Timely {
    Timely::Now
}
