//! Access keys: who proves to hold one may read and write a log. One type for every log's.
//!
//! This layer signs the bytes that `estoile_wire::proof` names; it does not know which log or epoch a key is of.

use ed25519_dalek::Signer;
use estoile_wire::id::LogKind;
use estoile_wire::{LogId, Signature};

crate::secret::signing_key!(
    /// An Ed25519 key that opens one epoch of a log. Wiped on drop.
    AccessKey
);

impl AccessKey {
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
