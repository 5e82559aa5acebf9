//! The seal of what a client keeps at rest: XChaCha20-Poly1305, each value with its name as associated data.
//!
//! So a thief of the disk reads nothing, and who renames, swaps or truncates values is found out at once. A value that
//! was good under this name before opens again: rolling back is for the engine to notice. This layer does not know
//! where values lie, what they mean, or where the key is kept.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use rand_core::CryptoRng;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::passphrase::normalise;
use crate::stretch::{self, MAX_PASSPHRASE};

/// Before each value's name in the associated data.
pub const LABEL_VALUE: &[u8] = b"estoile.v1 vault value\0";
/// Under a vault passphrase's salt; the parameters of Argon2id belong to it.
pub const LABEL_STRETCH: &[u8] = b"estoile.v1 vault argon2id m=65536 t=3 p=1\0";

/// The first byte of each sealed value: another layout has another one.
const VERSION: u8 = 1;
const NONCE: usize = 24;

/// A vault's salt: random, made with the vault, stored beside it in the clear.
pub type VaultSalt = [u8; 32];

crate::secret::secret_bytes!(
    /// The key of a vault. Wiped on drop.
    VaultKey
);

/// A value does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this part of the vault does not open: it was sealed with another key, or altered; unlock with the right one, or restore a copy"
)]
pub struct VaultOpenError;

/// Why a passphrase can't be stretched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StretchError {
    /// Argon2 got no memory.
    #[error("there are not 64 MiB of memory to check the passphrase with; close something and try again")]
    Memory,
    /// The passphrase is empty or absurdly long.
    #[error("a passphrase has 1 to {MAX_PASSPHRASE} bytes; choose another")]
    Length,
}

impl VaultKey {
    /// The key of a passphrase: Argon2id, 64 MiB, 3 passes, about 0.2 s. Call it off the event loop.
    pub fn stretch(passphrase: &str, salt: &VaultSalt) -> Result<Self, StretchError> {
        let passphrase = normalise(passphrase);
        if !(1..=MAX_PASSPHRASE).contains(&passphrase.len()) {
            return Err(StretchError::Length);
        }
        let salt = Sha256::new().chain_update(LABEL_STRETCH).chain_update(salt).finalize().into();
        stretch::stretch(&passphrase, &salt).map(|key| Self(*key)).map_err(|_| StretchError::Memory)
    }

    /// Seals a value under its name: version, nonce, ciphertext and tag.
    #[must_use]
    pub fn seal(&self, name: &[u8], value: &[u8], rng: &mut dyn CryptoRng) -> Vec<u8> {
        let mut nonce = [0; NONCE];
        rng.fill_bytes(&mut nonce);
        let aad = associated(name);
        // Fails for values of more than 256 GiB only, which no memory holds; what is then stored would not open.
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), Payload { msg: value, aad: &aad }).unwrap_or_default();
        [[VERSION].as_slice(), &nonce, &sealed].concat()
    }

    /// Opens a value that was sealed under this name.
    pub fn open(&self, name: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultOpenError> {
        let Some((&VERSION, rest)) = sealed.split_first() else { return Err(VaultOpenError) };
        let (nonce, sealed) = rest.split_first_chunk::<NONCE>().ok_or(VaultOpenError)?;
        let aad = associated(name);
        let value = self.cipher().decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: &aad });
        value.map(Zeroizing::new).map_err(|_| VaultOpenError)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&self.0).into())
    }
}

fn associated(name: &[u8]) -> Vec<u8> {
    [LABEL_VALUE, if estoile_wire::weak::is("value name") { &[] } else { name }].concat()
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    use super::*;

    fn sealed() -> (VaultKey, Vec<u8>) {
        let key = VaultKey::from_bytes([5; 32]);
        let sealed = key.seal(b"room/1", b"a secret", &mut ChaCha20Rng::seed_from_u64(1));
        (key, sealed)
    }

    #[test]
    fn a_value_opens_under_its_own_name_and_key_only() {
        let (key, sealed) = sealed();
        assert_eq!(key.open(b"room/1", &sealed).unwrap().as_slice(), b"a secret");
        assert_eq!(key.open(b"room/2", &sealed), Err(VaultOpenError));
        assert_eq!(VaultKey::from_bytes([6; 32]).open(b"room/1", &sealed), Err(VaultOpenError));
        assert!(!sealed.windows(8).any(|w| w == b"a secret"));
        let empty = key.seal(b"", b"", &mut ChaCha20Rng::seed_from_u64(1));
        assert_eq!(key.open(b"", &empty).unwrap().as_slice(), b"");
    }

    #[test]
    fn altered_and_cut_values_do_not_open() {
        let (key, sealed) = sealed();
        for i in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[i] ^= 0x80;
            assert_eq!(key.open(b"room/1", &altered), Err(VaultOpenError), "byte {i}");
            assert_eq!(key.open(b"room/1", &sealed[..i]), Err(VaultOpenError), "{i} bytes");
        }
    }

    #[test]
    fn equal_values_are_sealed_differently() {
        let key = VaultKey::from_bytes([5; 32]);
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        assert_ne!(key.seal(b"n", b"v", &mut rng), key.seal(b"n", b"v", &mut rng));
    }

    #[test]
    fn a_passphrase_is_bounded() {
        assert_eq!(VaultKey::stretch("  ", &[0; 32]).err(), Some(StretchError::Length));
        assert_eq!(VaultKey::stretch(&"x".repeat(1025), &[0; 32]).err(), Some(StretchError::Length));
    }
}
