//! A letter's fixed bytes, and the two packets that they travel and are kept in.
//!
//! A quick room's is signed; a private room's is not, because MLS says and proves whose it is. This layer does not know
//! what seals a packet.

use estoile_wire::{Id16, LogId, Millis, PublicKey, Signature};
use sha2::{Digest, Sha256};

use super::{LABEL_HASH, LABEL_LETTER, Letter, MAX_PACKET, MAX_PRIVATE_PACKET, OpenError, codec, id16};
use crate::signed;

/// The first byte of a private letter's packet; a signed one's is 1.
const PRIVATE: u8 = 2;

/// A letter whose bytes are fixed for ever; sealed as often as needed.
#[derive(Clone, PartialEq, Eq)]
pub struct Written {
    bytes: Vec<u8>,
    sender: PublicKey,
    /// None: a private room's, where MLS signs.
    signature: Option<Signature>,
    pub(super) hash: [u8; 32],
    pub(super) id16: Id16,
    pub(super) sent_at: Millis,
    ttl: Option<u32>,
}

impl Written {
    pub(super) fn new(letter: &Letter, bytes: Vec<u8>, signature: Option<Signature>, log: &LogId) -> Self {
        let hash = Sha256::digest(signed::labelled(LABEL_HASH, log, &letter.sender, &bytes)).into();
        Self {
            sender: letter.sender,
            signature,
            hash,
            id16: id16(&hash),
            sent_at: letter.sent_at,
            ttl: letter.ttl,
            bytes,
        }
    }

    /// The letter's bytes: what hash and signature cover.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Who wrote it.
    #[must_use]
    pub const fn sender(&self) -> PublicKey {
        self.sender
    }

    /// The signature; none in a private room, where MLS signs.
    #[must_use]
    pub const fn signature(&self) -> Option<Signature> {
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

    /// All of it in one string of bytes: what a seal contains, and what a vault keeps (there the sender of a private one is
    /// known, see [`Self::restore`]).
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match &self.signature {
            Some(signature) => signed::pack(&self.sender, signature, &self.bytes),
            None => [[PRIVATE].as_slice(), &self.bytes].concat(),
        }
    }

    /// The letter of a private room in such bytes, which MLS says are this sender's.
    pub fn from_private_bytes(log: &LogId, sender: PublicKey, bytes: &[u8]) -> Result<(Self, Letter), OpenError> {
        let Some((&PRIVATE, body)) = bytes.split_first() else { return Err(OpenError::Malformed) };
        if bytes.len() > MAX_PRIVATE_PACKET {
            return Err(OpenError::Malformed);
        }
        let letter = codec::decode_private(body, sender).map_err(|_| OpenError::Malformed)?;
        let written = Self::new(&letter, body.to_vec(), None, log);
        Ok((written, letter))
    }

    /// A letter of our own out of the vault, of either kind of room.
    pub fn restore(log: &LogId, own: PublicKey, bytes: &[u8]) -> Result<(Self, Letter), OpenError> {
        if bytes.first() == Some(&PRIVATE) {
            return Self::from_private_bytes(log, own, bytes);
        }
        let (written, letter) = Self::from_bytes(log, bytes)?;
        if written.sender == own { Ok((written, letter)) } else { Err(OpenError::Signature) }
    }

    /// The letter of a quick room in such bytes, checked like a peer's.
    pub fn from_bytes(log: &LogId, bytes: &[u8]) -> Result<(Self, Letter), OpenError> {
        if bytes.len() > MAX_PACKET {
            return Err(OpenError::Malformed);
        }
        let packet = signed::unpack(LABEL_LETTER, log, bytes)?;
        let letter = codec::decode(packet.body, packet.sender).map_err(|_| OpenError::Malformed)?;
        let written = Self::new(&letter, packet.body.to_vec(), Some(packet.signature), log);
        Ok((written, letter))
    }
}
