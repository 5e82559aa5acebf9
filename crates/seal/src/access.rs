//! Access keys: who proves to hold one may read and write a log. One type for every log's.
//!
//! This layer signs the bytes that `estoile_wire::proof` names; it does not know which log or epoch a key is of.

use ed25519_dalek::{Signer, SigningKey};
use estoile_wire::id::LogKind;
use estoile_wire::{LogId, PublicKey, Signature};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// An Ed25519 key that opens one epoch of a log. Wiped on drop.
#[derive(Clone)]
pub struct AccessKey(SigningKey);

crate::closed_debug!(AccessKey);

impl AccessKey {
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

    /// The seed, for the vault and the account's summary.
    #[must_use]
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The public key, which the relay keeps.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// The log or shelf whose first access key this is.
    #[must_use]
    pub fn log_id(&self, kind: LogKind) -> LogId {
        LogId::derive(kind, &self.public())
    }

    /// Signs a proof, as `estoile_wire::proof` writes it.
    #[must_use]
    pub fn sign(&self, proof: &[u8]) -> Signature {
        Signature(self.0.sign(proof).to_bytes())
    }
}
