//! Letters: what a room's seal contains, and how it is written once, sealed and opened.
//!
//! A letter's bytes are fixed when it is written: hash, id and signature cover them and the log, never the sealing, so a
//! retry is the same letter. Opening checks seal, layout, outer time and signature. In a private room MLS seals, and says
//! which leaf wrote: there a letter has neither name nor signature, but [`Private`]. This layer does not know what has
//! been seen before (that is the transcript's), nor what time it is: [`judge_time`] takes it as an argument.

mod codec;
mod written;

use estoile_wire::limits::MAX_BODY;
use estoile_wire::{Id16, LogId, Millis, PublicKey};
use rand_core::CryptoRng;
use sha2::{Digest, Sha256};

pub use self::written::Written;
use crate::fernet;
use crate::mimi::{Content, MessageId, MimiError};
use crate::names::is_name;
use crate::quick::RoomKeys;
pub use crate::sender::SenderKey;
use crate::signed::{self, Unsigned};
use crate::views::{MAX_VIEWS, View};

/// A letter names at most this many parents: enough for what a busy room says at once, and 1.6 KiB at most.
pub const MAX_PARENTS: usize = 16;
/// A name has at most this many characters.
pub const MAX_NAME_CHARS: usize = crate::names::MAX_NAME_CHARS;
/// What a sealed letter may contain: the most whose Fernet token fits into a record's body. Of [`MAX_BODY`] characters
/// of base64 three quarters are bytes; version, time, IV and MAC take 57; whole blocks of 16 with a byte of padding.
pub const MAX_PACKET: usize = (MAX_BODY / 4 * 3 - 57) / 16 * 16 - 1;
/// What MLS adds to a private letter's packet, at most: the group's id, epoch and sizes (60), the sealed sender data (30), a
/// signature (66), an AEAD's tag (16), and up to 255 bytes of padding; the rest is left for a longer header.
pub const MLS_OVERHEAD: usize = 512;
/// What a private letter's packet may have: with what MLS adds it fits into a record's body.
pub const MAX_PRIVATE_PACKET: usize = MAX_BODY - MLS_OVERHEAD;
/// From this far in the future a letter is held until its time has come.
pub const MAX_AHEAD_MS: u64 = 60_000;
/// From further in the future than this a letter is refused.
pub const MAX_HELD_MS: u64 = 24 * 3600 * 1000;

/// Under the sender's signature.
pub const LABEL_LETTER: &[u8] = b"estoile.v1 letter\0";
/// Under the letter's hash.
pub const LABEL_HASH: &[u8] = b"estoile.v1 letter hash\0";
/// Under the letter's id at the relay.
pub const LABEL_ID16: &[u8] = b"estoile.v1 letter id16\0";

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

/// What stands in a private room's letters only.
#[derive(Clone, PartialEq, Eq)]
pub struct Private {
    /// How many entries the sender's account has, as its device knows it.
    pub chain_length: u64,
    /// The hash of the last of them.
    pub chain_head: [u8; 32],
    /// The sender's sight of other rooms that it shares with somebody here, at most [`MAX_VIEWS`], no tag twice.
    pub views: Vec<View>,
}

/// A letter.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// What it says; none: a beat.
    pub content: Option<Content>,
    /// Counts the sender's letters in this room, from 0.
    pub counter: u64,
    /// The newest letters that the sender had seen, at most [`MAX_PARENTS`], none twice.
    pub parents: Vec<Reference>,
    /// When it was signed, by the sender's clock.
    pub sent_at: Millis,
    /// Seconds to live, at least 1; none: as long as the relay keeps it.
    pub ttl: Option<u32>,
    /// The sender's name; empty in a private room, whose members' names stand in their leaves.
    pub name: String,
    /// The sender's key: in a private room the device's, which is the leaf's.
    pub sender: PublicKey,
    /// In a private room's letters, and in no others.
    pub private: Option<Private>,
}

/// Why a letter can't be written: our own doing, never a peer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The name is empty, too long, has control characters, or white space at an end.
    #[error("a name has 1 to {MAX_NAME_CHARS} characters and no control characters; choose another")]
    BadName,
    /// More parents than allowed, or one twice.
    #[error("a letter names at most {MAX_PARENTS} parents, each once; name the newest")]
    BadParents,
    /// No second, or more than the protocol's maximum.
    #[error("a time to live is between one second and ten years; choose one of those, or none")]
    BadTtl,
    /// The sender's field is another key's.
    #[error("the letter names another sender than the key that signs it; sign with the sender's key")]
    WrongSender,
    /// It would not fit into a record.
    #[error("the letter has {bytes} bytes and a record holds {most}; send it in parts")]
    TooLong {
        /// Its size.
        bytes: usize,
        /// The most that fits.
        most: usize,
    },
    /// Written for the other kind of room.
    #[error(
        "a letter of a private room has its account's chain and no name, one of a quick room has a name and no chain"
    )]
    WrongRoom,
    /// More views than allowed, or two of one room.
    #[error("a letter carries at most {MAX_VIEWS} views, each of another room; choose some")]
    BadViews,
    /// The content breaks the rules of its format.
    #[error("the content can't be written, because a peer could not read it: {0}; send less at once")]
    Content(#[from] MimiError),
}

/// Why a body is not a letter of this room: whoever sent it is at fault, or altered it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Not a token, or one that another key made, or altered, or respelled.
    #[error("the record is no letter of this room, or was altered")]
    Seal,
    /// Authentic, but not a letter as this version knows it.
    #[error("the record is no letter that this version can read; look for a newer one")]
    Malformed,
    /// The token's time is not the letter's.
    #[error("the record's outer time is not the one that was signed")]
    Time,
    /// The signature does not hold: another room's letter, or one that its sender did not write.
    #[error("the letter's signature does not hold")]
    Signature,
}

impl From<Unsigned> for OpenError {
    fn from(why: Unsigned) -> Self {
        match why {
            Unsigned::Malformed => Self::Malformed,
            Unsigned::Signature => Self::Signature,
        }
    }
}

/// A letter that is authentic and complete; whether its time is right is for [`judge_time`].
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    /// The letter.
    pub letter: Letter,
    /// Its fixed bytes, to be kept.
    pub written: Written,
    /// Its hash: its id.
    pub hash: [u8; 32],
    /// Its id at the relay.
    pub id16: Id16,
    /// The sealing's MAC: another sealing of the same letter has another one.
    pub mac: [u8; 32],
}

crate::closed_debug!(Private, Letter, Written, Opened);

/// What the clock says of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timely {
    /// Show it.
    Now,
    /// From the future: hold it until then, and tell.
    Held {
        /// When its time has come: its `sent_at`.
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

    /// Seconds from `sent_at` for which this letter may be shown: the shorter of its own ttl and what its content's `expires`
    /// leaves (others' content may have one, docs/seal.md S6.3). The transcript goes by the ttl alone.
    #[must_use]
    pub fn shown_for(&self) -> Option<u32> {
        let expires = self.content.as_ref().and_then(|content| content.expires).map(|expires| {
            if expires.relative {
                expires.time
            } else {
                let left = (u64::from(expires.time) * 1000).saturating_sub(self.sent_at) / 1000;
                u32::try_from(left).unwrap_or(u32::MAX)
            }
        });
        match (self.ttl, expires) {
            (Some(ttl), Some(expires)) => Some(ttl.min(expires)),
            (ttl, expires) => ttl.or(expires),
        }
    }

    /// What names this letter, whose hash is given, as a parent of others: it came in this epoch (in a quick room: 0).
    #[must_use]
    pub fn reference(&self, hash: [u8; 32], epoch: u64) -> Reference {
        Reference {
            hash,
            sender: self.sender,
            counter: self.counter,
            epoch,
            sent_at: self.sent_at,
            ends_at: self.ends_at(),
        }
    }

    /// What MIMI calls this message, for `replaces` and `in_reply_to` of others; none for a beat.
    #[must_use]
    pub fn message_id(&self, log: &LogId) -> Option<MessageId> {
        let scheme = if self.private.is_some() { "estoile:r/" } else { "estoile:q/" };
        let room = log.0.iter().fold(scheme.to_owned(), |uri, byte| format!("{uri}{byte:02x}"));
        let sender = self.sender.0.iter().fold(format!("{room}/"), |uri, byte| format!("{uri}{byte:02x}"));
        self.content.as_ref()?.message_id(&sender, &room)
    }

    /// Fixes a quick room's letter's bytes, and signs them for this log.
    pub fn write(&self, key: &SenderKey, log: &LogId) -> Result<Written, WriteError> {
        if self.private.is_some() {
            return Err(WriteError::WrongRoom);
        }
        if self.sender != key.public() {
            return Err(WriteError::WrongSender);
        }
        if !is_name(&self.name) {
            return Err(WriteError::BadName);
        }
        self.check()?;
        let bytes = codec::encode(self);
        fits(bytes.len() + signed::OVERHEAD, MAX_PACKET)?;
        let signature = signed::sign(key, LABEL_LETTER, log, &bytes);
        Ok(Written::new(self, bytes, Some(signature), log))
    }

    /// Fixes a private room's letter's bytes: MLS will say, and sign, that they are `sender`'s.
    pub fn write_private(&self, log: &LogId) -> Result<Written, WriteError> {
        let Some(private) = self.private.as_ref().filter(|_| self.name.is_empty()) else {
            return Err(WriteError::WrongRoom);
        };
        if private.views.len() > MAX_VIEWS || !crate::views::are_distinct(&private.views) {
            return Err(WriteError::BadViews);
        }
        self.check()?;
        let bytes = codec::encode(self);
        fits(bytes.len() + 1, MAX_PRIVATE_PACKET)?;
        Ok(Written::new(self, bytes, None, log))
    }

    /// That every peer's strict decoder will take it.
    fn check(&self) -> Result<(), WriteError> {
        if self.parents.len() > MAX_PARENTS || !codec::are_distinct(&self.parents) {
            return Err(WriteError::BadParents);
        }
        if self.ttl.is_some_and(|ttl| !codec::is_ttl(ttl)) {
            return Err(WriteError::BadTtl);
        }
        if let Some(content) = &self.content {
            Content::decode(&content.encode())?;
        }
        Ok(())
    }
}

fn fits(bytes: usize, most: usize) -> Result<(), WriteError> {
    if bytes > most { Err(WriteError::TooLong { bytes, most }) } else { Ok(()) }
}

/// A letter's id at the relay, from its hash: it belongs to the letter, not to a sealing of it.
#[must_use]
pub fn id16(hash: &[u8; 32]) -> Id16 {
    let digest: [u8; 32] = Sha256::new().chain_update(LABEL_ID16).chain_update(hash).finalize().into();
    let mut id = [0; 16];
    for (to, from) in id.iter_mut().zip(digest) {
        *to = from;
    }
    Id16(id)
}

/// When a life ends.
#[must_use]
pub fn ends_at(sent_at: Millis, ttl: Option<u32>) -> Option<Millis> {
    ttl.map(|seconds| sent_at.saturating_add(u64::from(seconds) * 1000))
}

/// Seals a written letter: a Fernet token, ASCII, whose time is the letter's.
#[must_use]
pub fn seal(keys: &RoomKeys, written: &Written, rng: &mut dyn CryptoRng) -> Vec<u8> {
    let packet = zeroize::Zeroizing::new(written.to_bytes());
    fernet::encrypt_at(keys.fernet(), &packet, written.sent_at / 1000, rng).into_bytes()
}

/// Opens a record's body: seal, signature, layout, and that the outer time is the signed one.
pub fn open(keys: &RoomKeys, body: &[u8]) -> Result<Opened, OpenError> {
    if body.len() > MAX_BODY {
        return Err(OpenError::Seal);
    }
    let token = fernet::decode_strict(keys.fernet(), body).map_err(|_| OpenError::Seal)?;
    let (written, letter) = Written::from_bytes(&keys.log_id(), &token.plaintext)?;
    if token.timestamp != letter.sent_at / 1000 && !estoile_wire::weak::is("outer time") {
        return Err(OpenError::Time);
    }
    Ok(Opened { hash: written.hash, id16: written.id16, mac: token.mac, letter, written })
}

/// Judges a letter's time by this clock, with Fernet's borders: still good at the very end of its life, and at 60 s ahead.
#[must_use]
pub fn judge_time(sent_at: Millis, ttl: Option<u32>, now: Millis) -> Timely {
    if let Some(late_ms) = ends_at(sent_at, ttl)
        .and_then(|end| now.checked_sub(end))
        .filter(|&late| late > 0 && !estoile_wire::weak::is("expired"))
    {
        return Timely::Expired { late_ms };
    }
    match sent_at.saturating_sub(now) {
        0..=MAX_AHEAD_MS => Timely::Now,
        by_ms if by_ms > MAX_HELD_MS => Timely::TooFarAhead { by_ms },
        _ => Timely::Held { until: sent_at },
    }
}

#[cfg(test)]
mod private_tests;
#[cfg(test)]
mod tests;
