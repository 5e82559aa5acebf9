//! What every session of a relay shares: its bounds, its key, and who may create logs here.

use ed25519_dalek::{Signer, SigningKey};
use estoile_wire::id::{CertificateHash, Nonce};
use estoile_wire::limits::MAX_ENTRY_CODE;
use estoile_wire::{Millis, PublicKey, Refusal, RelayKeyHash, Signature, proof};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::config::Config;
use crate::store::EntryTag;

/// Under the hash of an entry code: the relay keeps no code, only this.
const LABEL_ENTRY: &[u8] = b"estoile.v1 entry code\0";

/// The hash of an entry code.
#[derive(Clone, Copy)]
pub struct EntryHash([u8; 32]);

impl EntryHash {
    /// The hash of this code.
    #[must_use]
    pub fn of(code: &[u8]) -> Self {
        let mut hash = Sha256::new();
        hash.update(LABEL_ENTRY);
        hash.update(code);
        Self(hash.finalize().into())
    }

    /// What logs made with this code are counted by.
    #[must_use]
    pub fn tag(&self) -> EntryTag {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        [a, b, c, d, e, f, g, h]
    }
}

impl core::fmt::Debug for EntryHash {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("EntryHash")
    }
}

/// Who may create logs.
#[derive(Clone, Copy, Debug)]
pub enum Entry {
    /// Anybody: the relay listens on loopback, or its owner said so.
    Open,
    /// Whoever has this code.
    Code(EntryHash),
}

impl Entry {
    /// Lets a creation in, and says what it is counted by.
    ///
    /// # Errors
    /// `EntryNeeded` or `EntryWrong`.
    pub fn admit(&self, code: Option<&[u8]>) -> Result<Option<EntryTag>, Refusal> {
        let Self::Code(expected) = self else { return Ok(None) };
        let code = code.ok_or(Refusal::EntryNeeded)?;
        // Both sides are hashes of one size: the time says nothing about the code.
        let same = EntryHash::of(code).0.ct_eq(&expected.0);
        if code.len() <= MAX_ENTRY_CODE && bool::from(same) {
            Ok(Some(expected.tag()))
        } else {
            Err(Refusal::EntryWrong)
        }
    }
}

/// The relay's long-term key, and the certificate that it presents.
pub struct Identity {
    key: SigningKey,
    certificate: Option<CertificateHash>,
}

impl core::fmt::Debug for Identity {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Identity")
    }
}

impl Identity {
    /// From the key's 32-byte seed, and the hash of the certificate if the relay presents one itself.
    #[must_use]
    pub fn new(seed: &[u8; 32], certificate: Option<CertificateHash>) -> Self {
        Self { key: SigningKey::from_bytes(seed), certificate }
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.key.verifying_key().to_bytes())
    }

    /// What links pin.
    #[must_use]
    pub fn key_hash(&self) -> RelayKeyHash {
        RelayKeyHash::of(&self.public())
    }

    /// The hash of the certificate.
    #[must_use]
    pub fn certificate(&self) -> Option<CertificateHash> {
        self.certificate
    }

    pub(crate) fn sign_welcome(&self, challenge: &Nonce, nonce: &Nonce, time: Millis) -> Signature {
        let message = proof::welcome(challenge, nonce, time, self.certificate.as_ref());
        Signature(self.key.sign(&message).to_bytes())
    }
}

/// What every session of a relay shares.
#[derive(Debug)]
pub struct Rules {
    /// The bounds.
    pub config: Config,
    /// The relay's key.
    pub identity: Identity,
    /// Who may create logs.
    pub entry: Entry,
}
