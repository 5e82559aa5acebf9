//! Signals: sealed, signed, never stored.

use estoile_wire::{Millis, PublicKey};
use rand_core::CryptoRng;

use crate::quick::RoomKeys;
use crate::sender::SenderKey;

/// A question or answer names at most this many letters.
pub const MAX_HASHES: usize = 16;

/// What a signal says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignalKind {
    /// I am here.
    Here,
    /// I leave.
    Gone,
    /// I am typing.
    Typing,
    /// Who is here? Answered with `Here`.
    WhoIsHere,
    /// Letters are missing here: their author is asked to send them again, others to say if they know nothing of them.
    Missing {
        /// Who is said to have written them.
        author: PublicKey,
        /// Their hashes, at most [`MAX_HASHES`].
        hashes: Vec<[u8; 32]>,
    },
    /// The one who says it knows nothing of these letters, and would know if they had been.
    NeverKnown {
        /// Their hashes, at most [`MAX_HASHES`].
        hashes: Vec<[u8; 32]>,
    },
}

/// A signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignalMessage {
    /// What it says.
    pub kind: SignalKind,
    /// The sender's name.
    pub name: String,
    /// The sender's key.
    pub sender: PublicKey,
    /// When it was signed.
    pub sent_at: Millis,
}

/// Why a signal can't be sealed, or is none of this room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignalError {
    /// A name or a list that breaks the bounds.
    #[error("the signal breaks the bounds of its format")]
    Bounds,
    /// Not sealed with this room's key, or altered.
    #[error("the signal is none of this room, or was altered")]
    Seal,
    /// Authentic, but not as this version knows it.
    #[error("the signal is malformed")]
    Malformed,
    /// The signature does not hold.
    #[error("the signal's signature does not hold")]
    Signature,
}

impl SignalMessage {
    /// Signs and seals.
    pub fn seal(&self, _keys: &RoomKeys, _key: &SenderKey, _rng: &mut dyn CryptoRng) -> Result<Vec<u8>, SignalError> {
        Err(SignalError::Bounds)
    }

    /// Opens, and checks the signature; whether it is fresh is for the caller.
    pub fn open(_keys: &RoomKeys, _body: &[u8]) -> Result<Self, SignalError> {
        Err(SignalError::Malformed)
    }
}
