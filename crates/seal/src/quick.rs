//! A quick room's keys: one secret, three keys, one log.
//!
//! This layer does not know links, passphrases, letters or relays; it derives and it proves.

use ed25519_dalek::{Signer, SigningKey};
use estoile_wire::id::{LogKind, Nonce};
use estoile_wire::{LogId, PublicKey, Signature, proof};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::fernet;

/// HKDF's label of the Fernet key.
pub const LABEL_FERNET: &[u8] = b"estoile.v1 quick fernet";
/// HKDF's label of the access key's seed.
pub const LABEL_ACCESS: &[u8] = b"estoile.v1 quick access";
/// HKDF's label of the signal key.
pub const LABEL_SIGNAL: &[u8] = b"estoile.v1 quick signal";

crate::secret::secret_bytes!(
    /// What a link carries or a passphrase stretches to: who has it is in the room. Wiped on drop.
    RoomSecret
);

crate::closed_debug!(RoomKeys);

/// The keys of one quick room. Wiped on drop.
#[derive(Clone)]
pub struct RoomKeys {
    fernet: fernet::Key,
    access: SigningKey,
    signal: Zeroizing<[u8; 32]>,
    log_id: LogId,
}

impl RoomKeys {
    /// HKDF-SHA-256 of the secret without salt, once for each label.
    #[must_use]
    pub fn derive(secret: &RoomSecret) -> Self {
        let hkdf = Hkdf::<Sha256>::new(None, secret.as_bytes());
        let access = SigningKey::from_bytes(&expand(&hkdf, LABEL_ACCESS));
        let public = PublicKey(access.verifying_key().to_bytes());
        Self {
            fernet: fernet::Key::from_bytes(&expand(&hkdf, LABEL_FERNET)),
            log_id: LogId::derive(LogKind::Fixed, &public),
            access,
            signal: expand(&hkdf, LABEL_SIGNAL),
        }
    }

    /// The room's log.
    #[must_use]
    pub const fn log_id(&self) -> LogId {
        self.log_id
    }

    /// The key whose holders the log serves.
    #[must_use]
    pub fn access_public(&self) -> PublicKey {
        PublicKey(self.access.verifying_key().to_bytes())
    }

    /// Proves to one relay, in one session, that the holder of the access key wants this log to be.
    #[must_use]
    pub fn sign_create(&self, relay_key: &PublicKey, nonce: &Nonce, max_ttl: u64, quota: u64) -> Signature {
        self.sign(&proof::create(relay_key, nonce, LogKind::Fixed, &self.access_public(), max_ttl, quota))
    }

    /// Proves to one relay, in one session, that the holder of the access key wants to read and write.
    #[must_use]
    pub fn sign_attach(&self, relay_key: &PublicKey, nonce: &Nonce, epoch: u64) -> Signature {
        self.sign(&proof::attach(relay_key, nonce, &self.log_id, epoch))
    }

    fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.access.sign(message).to_bytes())
    }

    pub(crate) const fn fernet(&self) -> &fernet::Key {
        &self.fernet
    }

    pub(crate) fn signal(&self) -> &[u8; 32] {
        &self.signal
    }
}

fn expand(hkdf: &Hkdf<Sha256>, label: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut out = Zeroizing::new([0; 32]);
    // Only a length over 255 hashes is refused, and 32 bytes are one.
    let _ = hkdf.expand(label, out.as_mut_slice());
    out
}
