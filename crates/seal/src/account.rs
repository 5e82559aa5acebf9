//! Accounts: a chain of self-signed entries, the words that restore it, and what its devices tell each other in its own log.
//!
//! Nothing registers anywhere: an account is its first entry's hash. This layer does not know relays, contacts' rooms or what a
//! user sees; it says who signed what, and which devices are the account's.
//!
//! - [`recovery`]: 24 words, the root key, and the secret of each generation of the account's log;
//! - [`chain`]: who the account's devices are, and who may change that;
//! - [`record`]: what the account's log carries;
//! - [`summary`]: everything that a device needs to go on as this account.

pub mod chain;
pub mod record;
pub mod recovery;
pub mod summary;

use core::fmt::Write as _;

pub use chain::{Chain, ChainError, ChainPoint, Proposal, Signer, Standing};
pub use record::{HandOver, Record, RecordError};
pub use recovery::{Generation, Recovery, RecoveryError, RootKey};
pub use summary::{ContactEntry, ContactState, DeviceEntry, Door, RoomEntry, Summary};

/// An account's id: the hash of its chain's first entry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(pub [u8; 32]);

/// People write at least this many digits of an id: 32 bits tell a few hundred contacts apart.
pub const SHORT_ID: usize = 8;

impl core::fmt::Debug for AccountId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("AccountId")
    }
}

impl AccountId {
    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// All 64 hexadecimal digits.
    #[must_use]
    pub fn hex(&self) -> String {
        self.0.iter().fold(String::with_capacity(64), |mut text, byte| {
            // Writing to a string can't fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// The first digits, for people.
    #[must_use]
    pub fn short(&self) -> String {
        self.hex().chars().take(SHORT_ID).collect()
    }

    /// Whether what somebody typed, at least [`SHORT_ID`] digits in either case, begins this id.
    #[must_use]
    pub fn is_meant_by(&self, typed: &str) -> bool {
        let typed = typed.trim().to_ascii_lowercase();
        typed.len() >= SHORT_ID && self.hex().starts_with(&typed)
    }

    /// The id of these 64 hexadecimal digits.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits: Vec<u8> =
            text.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect::<Option<_>>()?;
        let bytes: Vec<u8> =
            digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect();
        if digits.len() == 64 { bytes.try_into().ok().map(Self) } else { None }
    }
}

#[cfg(test)]
mod tests;
