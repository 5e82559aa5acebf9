//! The seal of what a client keeps at rest.

use rand_core::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// A vault's salt, stored beside it in the clear.
pub type VaultSalt = [u8; 32];

/// The key of a vault. Wiped on drop.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct VaultKey([u8; 32]);

/// Why a value does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this entry of the vault does not open: another key, or it was altered")]
pub struct VaultOpenError;

/// Why a passphrase can't be stretched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StretchError {
    /// Argon2 got no memory.
    #[error("there are not 64 MiB of memory to check the passphrase with; close something and try again")]
    Memory,
    /// The passphrase is empty or absurdly long.
    #[error("a passphrase has 1 to 1,024 bytes; choose another")]
    Length,
}

impl VaultKey {
    /// A fresh key, for the system's keyring.
    #[must_use]
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        let mut key = Self([0; 32]);
        rng.fill_bytes(&mut key.0);
        key
    }

    /// The key with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for the system's keyring.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key of a passphrase: Argon2id, 64 MiB, 3 passes.
    pub fn stretch(_passphrase: &str, _salt: &VaultSalt) -> Result<Self, StretchError> {
        Err(StretchError::Length)
    }

    /// Seals a value under its name.
    #[must_use]
    pub fn seal(&self, _name: &[u8], _value: &[u8], _rng: &mut dyn CryptoRng) -> Vec<u8> {
        Vec::new()
    }

    /// Opens a value that was sealed under this name.
    pub fn open(&self, _name: &[u8], _sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultOpenError> {
        Err(VaultOpenError)
    }
}

impl core::fmt::Debug for VaultKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("VaultKey(..)")
    }
}
