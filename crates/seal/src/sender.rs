//! A participant's signing key: one for each room, so that two rooms can't tell that they share somebody.
//!
//! This layer signs bytes; what they mean, and the labels that keep purposes apart, belong to its callers.

use ed25519_dalek::{Signer, VerifyingKey};
use estoile_wire::{PublicKey, Signature};

crate::secret::signing_key!(
    /// An Ed25519 key that signs the letters and signals of one participant in one room. Wiped on drop.
    SenderKey
);

impl SenderKey {
    pub(crate) fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign(message).to_bytes())
    }
}

/// Whether `signature` is `sender`'s over `message`; strict: no small-order keys, no second encodings.
pub(crate) fn verify(sender: &PublicKey, message: &[u8], signature: &Signature) -> bool {
    VerifyingKey::from_bytes(&sender.0)
        .and_then(|key| key.verify_strict(message, &ed25519_dalek::Signature::from_bytes(&signature.0)))
        .is_ok()
}
