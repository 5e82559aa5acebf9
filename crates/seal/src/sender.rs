//! A participant's signing key: one for each room, so that two rooms can't tell that they share somebody.
//!
//! This layer signs bytes; what they mean, and the labels that keep purposes apart, belong to its callers.

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use estoile_wire::{PublicKey, Signature};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// An Ed25519 key that signs the letters and signals of one participant in one room. Wiped on drop.
#[derive(Clone)]
pub struct SenderKey(SigningKey);

impl SenderKey {
    /// A fresh key.
    #[must_use]
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        rng.fill_bytes(seed.as_mut_slice());
        Self::from_seed(&seed)
    }

    /// The key of this seed (RFC 8032's 32-byte private key).
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The seed, for the vault.
    #[must_use]
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The public key, which names the participant.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign(message).to_bytes())
    }
}

impl core::fmt::Debug for SenderKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("SenderKey(..)")
    }
}

/// Whether `signature` is `sender`'s over `message`; strict: no small-order keys, no second encodings.
pub(crate) fn verify(sender: &PublicKey, message: &[u8], signature: &Signature) -> bool {
    VerifyingKey::from_bytes(&sender.0)
        .and_then(|key| key.verify_strict(message, &ed25519_dalek::Signature::from_bytes(&signature.0)))
        .is_ok()
}
