//! Signals: sealed, signed, forwarded to who is attached now, and never stored.
//!
//! XChaCha20-Poly1305 under the room's signal key, with a random nonce and the log id as associated data; inside, signed
//! by the sender like a letter, under a label of its own. This layer does not know whether a signal is fresh (compare
//! `sent_at` with the clock) nor how often one may be sent: the relay can hold one back or bring it again.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use estoile_wire::limits::MAX_SIGNAL;
use estoile_wire::{LogId, Millis, PublicKey};
use minicbor::decode::Error as Bad;
use minicbor::{Decoder, Encoder};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::cbor;
use crate::names::is_name;
use crate::quick::RoomKeys;
use crate::sender::SenderKey;
use crate::signed::{self, Unsigned};

/// A question or answer names at most this many letters: with them a signal stays under the relay's bound.
pub const MAX_HASHES: usize = 16;
/// Under the sender's signature.
pub const LABEL_SIGNAL: &[u8] = b"estoile.v1 signal\0";

const NONCE: usize = 24;
/// A map and its list of hashes.
const MAX_NESTING: usize = 3;

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
        /// Their hashes, 1 to [`MAX_HASHES`].
        hashes: Vec<[u8; 32]>,
    },
    /// The one who says it knows nothing of these letters, and would know if they had been.
    NeverKnown {
        /// Their hashes, 1 to [`MAX_HASHES`].
        hashes: Vec<[u8; 32]>,
    },
}

/// A signal.
#[derive(Clone, PartialEq, Eq)]
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

crate::closed_debug!(SignalMessage);

/// Why a signal can't be sealed (`Bounds`), or is none of this room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignalError {
    /// Our own: a name or a list that breaks the bounds, or another sender than the key that signs.
    #[error("the signal breaks the bounds of its format; name fewer letters, or choose another name")]
    Bounds,
    /// Not sealed with this room's key, or altered.
    #[error("the signal is none of this room, or was altered")]
    Seal,
    /// Authentic, but not as this version knows it.
    #[error("the signal is none that this version can read")]
    Malformed,
    /// The signature does not hold.
    #[error("the signal's signature does not hold")]
    Signature,
}

impl From<Bad> for SignalError {
    fn from(_: Bad) -> Self {
        Self::Malformed
    }
}

impl From<Unsigned> for SignalError {
    fn from(why: Unsigned) -> Self {
        match why {
            Unsigned::Malformed => Self::Malformed,
            Unsigned::Signature => Self::Signature,
        }
    }
}

impl SignalKind {
    const fn number(&self) -> u8 {
        match self {
            Self::Here => 0,
            Self::Gone => 1,
            Self::Typing => 2,
            Self::WhoIsHere => 3,
            Self::Missing { .. } => 4,
            Self::NeverKnown { .. } => 5,
        }
    }

    fn hashes(&self) -> Option<&[[u8; 32]]> {
        match self {
            Self::Missing { hashes, .. } | Self::NeverKnown { hashes } => Some(hashes),
            _ => None,
        }
    }
}

impl SignalMessage {
    /// Signs and seals for a quick room.
    pub fn seal(&self, keys: &RoomKeys, key: &SenderKey, rng: &mut dyn CryptoRng) -> Result<Vec<u8>, SignalError> {
        self.seal_under(keys.signal(), &keys.log_id(), key, rng)
    }

    /// Signs and seals under this signal key (a private room's epoch exports one).
    pub fn seal_under(
        &self,
        signal_key: &[u8; 32],
        log: &LogId,
        key: &SenderKey,
        rng: &mut dyn CryptoRng,
    ) -> Result<Vec<u8>, SignalError> {
        let bounded = self.kind.hashes().is_none_or(|hashes| (1..=MAX_HASHES).contains(&hashes.len()));
        if !bounded || !is_name(&self.name) || self.sender != key.public() {
            return Err(SignalError::Bounds);
        }
        let body = self.encode();
        let signature = signed::sign(key, LABEL_SIGNAL, log, &body);
        let packet = signed::pack(&self.sender, &signature, &body);
        let mut nonce = [0; NONCE];
        rng.fill_bytes(&mut nonce);
        let payload = Payload { msg: &packet, aad: log.as_bytes() };
        let sealed = cipher(signal_key).encrypt(&XNonce::from(nonce), payload).map_err(|_| SignalError::Bounds)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens a quick room's, and checks the signature; whether it is fresh is for the caller.
    pub fn open(keys: &RoomKeys, body: &[u8]) -> Result<Self, SignalError> {
        Self::open_under(keys.signal(), &keys.log_id(), body)
    }

    /// Opens under this signal key, and checks the signature; whether it is fresh, and in a private room whether a leaf has
    /// the sender's key, is for the caller.
    pub fn open_under(signal_key: &[u8; 32], log: &LogId, body: &[u8]) -> Result<Self, SignalError> {
        if body.len() > MAX_SIGNAL {
            return Err(SignalError::Seal);
        }
        let (nonce, sealed) = body.split_first_chunk::<NONCE>().ok_or(SignalError::Seal)?;
        let payload = Payload { msg: sealed, aad: log.as_bytes() };
        let packet = cipher(signal_key).decrypt(&XNonce::from(*nonce), payload).map_err(|_| SignalError::Seal)?;
        let packet = Zeroizing::new(packet);
        let signed = signed::unpack(LABEL_SIGNAL, log, &packet)?;
        decode(signed.body, signed.sender)
    }

    /// `{0: kind, 1: name, 2: sent_at, 3: author (kind 4), 4: hashes (kinds 4 and 5)}`
    fn encode(&self) -> Vec<u8> {
        let author = match &self.kind {
            SignalKind::Missing { author, .. } => Some(author),
            _ => None,
        };
        let hashes = self.kind.hashes();
        cbor::write(|e: &mut Encoder<Vec<u8>>| {
            e.map(3 + u64::from(author.is_some()) + u64::from(hashes.is_some()))?;
            e.u8(0)?.u8(self.kind.number())?.u8(1)?.str(&self.name)?.u8(2)?.u64(self.sent_at)?;
            if let Some(author) = author {
                e.u8(3)?.bytes(&author.0)?;
            }
            if let Some(hashes) = hashes {
                e.u8(4)?.array(hashes.len() as u64)?;
                hashes.iter().try_for_each(|hash| e.bytes(hash)?.ok())?;
            }
            e.ok()
        })
    }
}

fn cipher(signal_key: &[u8; 32]) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(signal_key.into())
}

fn decode(bytes: &[u8], sender: PublicKey) -> Result<SignalMessage, SignalError> {
    if !cbor::deterministic(bytes, MAX_NESTING) {
        return Err(SignalError::Malformed);
    }
    let mut d = Decoder::new(bytes);
    let fields = d.map()?;
    key(&mut d, 0)?;
    let number = d.u8()?;
    key(&mut d, 1)?;
    let name = d.str()?.to_owned();
    key(&mut d, 2)?;
    let sent_at = d.u64()?;
    let kind = match (number, fields) {
        (0, Some(3)) => SignalKind::Here,
        (1, Some(3)) => SignalKind::Gone,
        (2, Some(3)) => SignalKind::Typing,
        (3, Some(3)) => SignalKind::WhoIsHere,
        (4, Some(5)) => {
            key(&mut d, 3)?;
            let author = PublicKey::try_from(d.bytes()?).map_err(|_| SignalError::Malformed)?;
            SignalKind::Missing { author, hashes: hashes(&mut d)? }
        }
        (5, Some(4)) => SignalKind::NeverKnown { hashes: hashes(&mut d)? },
        _ => return Err(SignalError::Malformed),
    };
    if !is_name(&name) {
        return Err(SignalError::Malformed);
    }
    Ok(SignalMessage { kind, name, sender, sent_at })
}

fn key(d: &mut Decoder<'_>, expected: u64) -> Result<(), SignalError> {
    if d.u64()? == expected { Ok(()) } else { Err(SignalError::Malformed) }
}

fn hashes(d: &mut Decoder<'_>) -> Result<Vec<[u8; 32]>, SignalError> {
    key(d, 4)?;
    let count = d.array()?.filter(|n| (1..=MAX_HASHES as u64).contains(n)).ok_or(SignalError::Malformed)?;
    (0..count).map(|_| d.bytes()?.try_into().map_err(|_| SignalError::Malformed)).collect()
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    use super::*;
    use crate::quick::RoomSecret;

    fn room(seed: u8) -> RoomKeys {
        RoomKeys::derive(&RoomSecret::from_bytes([seed; 32]))
    }

    fn alice() -> SenderKey {
        SenderKey::from_seed(&[0xa; 32])
    }

    fn signal(kind: SignalKind) -> SignalMessage {
        SignalMessage { kind, name: "Alice".into(), sender: alice().public(), sent_at: 1_760_000_000_123 }
    }

    fn seal(signal: &SignalMessage) -> Result<Vec<u8>, SignalError> {
        signal.seal(&room(1), &alice(), &mut ChaCha20Rng::seed_from_u64(1))
    }

    #[test]
    fn every_kind_arrives_and_fits() {
        let hashes = vec![[7; 32]; MAX_HASHES];
        for kind in [
            SignalKind::Here,
            SignalKind::Gone,
            SignalKind::Typing,
            SignalKind::WhoIsHere,
            SignalKind::Missing { author: PublicKey([8; 32]), hashes: hashes.clone() },
            SignalKind::NeverKnown { hashes },
        ] {
            let sent = SignalMessage { name: "🦀".repeat(64), sent_at: u64::MAX, ..signal(kind) };
            let body = seal(&sent).unwrap();
            assert!(body.len() <= MAX_SIGNAL, "{:?}: {} bytes", sent.kind, body.len());
            assert!(SignalMessage::open(&room(1), &body) == Ok(sent));
        }
    }

    #[test]
    fn bounds_hold_on_both_sides() {
        let many = signal(SignalKind::NeverKnown { hashes: vec![[7; 32]; MAX_HASHES + 1] });
        assert_eq!(seal(&many), Err(SignalError::Bounds));
        assert_eq!(decode(&many.encode(), many.sender), Err(SignalError::Malformed));
        assert_eq!(seal(&signal(SignalKind::NeverKnown { hashes: vec![] })), Err(SignalError::Bounds));
        assert_eq!(seal(&SignalMessage { name: String::new(), ..signal(SignalKind::Here) }), Err(SignalError::Bounds));
        let other = SignalMessage { sender: PublicKey([1; 32]), ..signal(SignalKind::Here) };
        assert_eq!(seal(&other), Err(SignalError::Bounds));
    }

    #[test]
    fn other_rooms_altered_bytes_and_letters_are_refused() {
        let body = seal(&signal(SignalKind::Here)).unwrap();
        assert_eq!(SignalMessage::open(&room(2), &body), Err(SignalError::Seal));
        for i in 0..body.len() {
            let mut altered = body.clone();
            altered[i] ^= 1;
            assert_eq!(SignalMessage::open(&room(1), &altered), Err(SignalError::Seal), "byte {i}");
            assert_eq!(SignalMessage::open(&room(1), &body[..i]), Err(SignalError::Seal), "{i} bytes");
        }
        // What is signed as a letter is no signal, though a guest seals it as one.
        let inner = signal(SignalKind::Here).encode();
        let log = room(1).log_id();
        let signature = signed::sign(&alice(), crate::letter::LABEL_LETTER, &log, &inner);
        let packet = signed::pack(&alice().public(), &signature, &inner);
        let payload = Payload { msg: &packet, aad: log.as_bytes() };
        let sealed = cipher(room(1).signal()).encrypt(&XNonce::from([0; 24]), payload).unwrap();
        let body = [[0; 24].as_slice(), &sealed].concat();
        assert_eq!(SignalMessage::open(&room(1), &body), Err(SignalError::Signature));
    }

    #[test]
    fn an_epochs_key_opens_what_was_sealed_in_it_and_in_no_other() {
        let (log, here) = (room(1).log_id(), signal(SignalKind::Here));
        let rng = &mut ChaCha20Rng::seed_from_u64(1);
        let body = here.seal_under(&[5; 32], &log, &alice(), rng).unwrap();
        assert!(SignalMessage::open_under(&[5; 32], &log, &body) == Ok(here));
        assert_eq!(SignalMessage::open_under(&[6; 32], &log, &body), Err(SignalError::Seal));
        assert_eq!(SignalMessage::open_under(&[5; 32], &room(2).log_id(), &body), Err(SignalError::Seal));
    }
}
