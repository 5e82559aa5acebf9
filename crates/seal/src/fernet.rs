//! Fernet with exactly the semantics of Python's `cryptography`, with the time as an argument.

use rand_core::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// A Fernet key: 16 bytes that sign, then 16 that encrypt. Wiped on drop.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Key([u8; 32]);

/// Why a text is not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a Fernet key is 32 bytes in url-safe base64, 44 characters; make one with `estoile fernet key`")]
pub struct KeyError;

/// Why a token was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FernetError {
    /// Not base64, not version 0x80, or too short to hold a time.
    #[error("this is not a Fernet token: paste all of it, as it was made")]
    Malformed,
    /// Older than the ttl.
    #[error("this token is {late} s past its time to live; ask for a new one")]
    Expired {
        /// Seconds since its end.
        late: u64,
    },
    /// More than 60 s in the future.
    #[error("this token is from {ahead} s in the future, and at most 60 are allowed; compare the two clocks")]
    Future {
        /// Seconds.
        ahead: u64,
    },
    /// The MAC does not fit: another key, or altered.
    #[error("this key does not open this token: it was made with another one, or was altered on the way")]
    Forged,
}

/// A token from a peer, opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What was sealed.
    pub plaintext: Zeroizing<Vec<u8>>,
    /// The token's time, seconds since 1970.
    pub timestamp: u64,
    /// The token's MAC: what tells tokens apart, however they are spelled.
    pub mac: [u8; 32],
}

impl Key {
    /// A fresh key.
    #[must_use]
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        let mut key = Self([0; 32]);
        rng.fill_bytes(&mut key.0);
        key
    }

    /// The key with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(*bytes)
    }

    /// The key in this text, as leniently as Python reads it.
    pub fn from_base64(_text: &str) -> Result<Self, KeyError> {
        Err(KeyError)
    }

    /// The key as url-safe base64, 44 characters.
    #[must_use]
    pub fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(String::new())
    }
}

impl core::fmt::Debug for Key {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("fernet::Key(..)")
    }
}

/// Python's `encrypt_at_time`.
#[must_use]
pub fn encrypt_at(_key: &Key, _plaintext: &[u8], _now: u64, _rng: &mut dyn CryptoRng) -> String {
    String::new()
}

/// Python's `decrypt_at_time`, or `decrypt` without a `ttl`: any spelling that Python reads.
pub fn decrypt_at(_key: &Key, _token: &[u8], _ttl: Option<i64>, _now: u64) -> Result<Zeroizing<Vec<u8>>, FernetError> {
    Err(FernetError::Malformed)
}

/// A peer's token: only the one spelling that encoders write; time is judged by the caller.
pub fn decode_strict(_key: &Key, _token: &[u8]) -> Result<Token, FernetError> {
    Err(FernetError::Malformed)
}
