//! Passphrases: a room's secret from words that people can say.
//!
//! Whoever copies a relay's disk can test guesses offline, so a room's passphrase must be worth 64 bits, and each guess
//! costs Argon2id with 64 MiB. The salt binds relay and room's name: one table of guesses serves one room. This layer
//! does not ask, store or send anything.

mod strength;

use rand_core::CryptoRng;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::names::{self, is_name};
use crate::quick::RoomSecret;
use crate::stretch::{self, MAX_PASSPHRASE};

/// A room's passphrase must be worth at least this many bits: five words of a list of 7,776.
pub const MIN_BITS: u32 = 64;
/// How many words [`suggest`] makes.
pub const SUGGESTED_WORDS: usize = 5;
/// Under a room passphrase's salt; the parameters of Argon2id belong to it.
pub const LABEL_STRETCH: &[u8] = b"estoile.v1 quick argon2id m=65536 t=3 p=1\0";

/// The EFF's long list (`passphrase/WORDS.md`), one word a line, in the order of the alphabet.
const WORDS: &str = include_str!("passphrase/words.txt");

/// The list, by a call that no compiler may look through: so that a browser can leave the list out of what a first visit loads
/// (`crates/bundle/src/split`).
#[inline(never)]
fn list() -> &'static str {
    core::hint::black_box(WORDS)
}

/// 6 to the power of 5: five dice choose one.
pub(crate) const WORD_COUNT: u32 = 7776;

/// Why a passphrase or a room's name is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PassphraseError {
    /// Too easy to guess.
    #[error(
        "this passphrase is worth about {bits} bits and a room needs {MIN_BITS}, because who copies the relay's disk can try guesses; take five random words, or let the program make them"
    )]
    Weak {
        /// The estimate.
        bits: u32,
    },
    /// Longer than allowed, or empty.
    #[error("a passphrase has 1 to {MAX_PASSPHRASE} bytes; choose another")]
    Length,
    /// The room's name is empty, too long or has control characters.
    #[error("a room's name has 1 to 64 characters and no control characters; choose another")]
    BadName,
    /// Argon2 got no memory.
    #[error("there are not 64 MiB of memory to stretch the passphrase with; close something and try again")]
    Memory,
}

/// NFKC, trimmed, inner white space single: what people say is one text, however it is typed.
#[must_use]
pub fn normalise(text: &str) -> Zeroizing<String> {
    Zeroizing::new(names::normalise(text))
}

/// What guessing costs at least, in bits, as far as a word list and classes of characters can tell.
#[must_use]
pub fn estimate_bits(passphrase: &str) -> u32 {
    strength::bits(&normalise(passphrase))
}

/// Refuses a passphrase that is too easy to guess, and says what to do. For making a room; opening one takes any.
pub fn check_strength(passphrase: &str) -> Result<(), PassphraseError> {
    let bits = estimate_bits(passphrase);
    if bits < MIN_BITS { Err(PassphraseError::Weak { bits }) } else { Ok(()) }
}

/// Five different words of the list, each chosen evenly: 64.6 bits.
#[must_use]
pub fn suggest(rng: &mut dyn CryptoRng) -> Zeroizing<String> {
    let mut chosen: Zeroizing<Vec<u32>> = Zeroizing::new(Vec::with_capacity(SUGGESTED_WORDS));
    while chosen.len() < SUGGESTED_WORDS {
        let n = evenly(rng);
        if !chosen.contains(&n) {
            chosen.push(n);
        }
    }
    // Room for the longest, so that the string never moves and leaves a copy behind.
    let mut words = Zeroizing::new(String::with_capacity(SUGGESTED_WORDS * 16));
    for &n in chosen.iter() {
        let word = list().lines().nth(n as usize).unwrap_or_default();
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
    }
    words
}

/// A number below [`WORD_COUNT`], each as likely as any other.
fn evenly(rng: &mut dyn CryptoRng) -> u32 {
    let limit = u32::MAX - u32::MAX % WORD_COUNT;
    loop {
        let n = rng.next_u32();
        if n < limit {
            return n % WORD_COUNT;
        }
    }
}

/// The word at this place of the list. The order is part of a format: people compare words (`crate::verify`).
pub(crate) fn word(n: u32) -> &'static str {
    list().lines().nth(n as usize).unwrap_or_default()
}

/// Whether the list has this word.
fn is_listed(word: &str) -> bool {
    !word.is_empty() && list().lines().any(|listed| listed == word)
}

/// The room's secret: Argon2id (64 MiB, 3 passes, 1 lane) over the normalised passphrase, salted with relay and name.
///
/// `host_port` is `HOST:PORT` as a link writes it (`Link::host_port`). Takes about 0.2 s: call it off the event loop.
pub fn stretch(passphrase: &str, host_port: &str, room_name: &str) -> Result<RoomSecret, PassphraseError> {
    let passphrase = normalise(passphrase);
    if !(1..=MAX_PASSPHRASE).contains(&passphrase.len()) {
        return Err(PassphraseError::Length);
    }
    let name = names::normalise(room_name);
    if !is_name(&name) {
        return Err(PassphraseError::BadName);
    }
    let salt = salt(&host_port.to_ascii_lowercase(), &name);
    stretch::stretch(&passphrase, &salt).map(|key| RoomSecret::from_bytes(*key)).map_err(|_| PassphraseError::Memory)
}

/// SHA-256 of label, host and port after their length in 8 bytes, name.
fn salt(host_port: &str, name: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(LABEL_STRETCH);
    hash.update((host_port.len() as u64).to_be_bytes());
    hash.update(host_port);
    hash.update(name);
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    use super::*;

    #[test]
    fn the_list_is_what_five_dice_choose_from() {
        let words: std::collections::BTreeSet<&str> = WORDS.lines().collect();
        assert_eq!(words.len(), WORD_COUNT as usize);
        assert_eq!(WORDS.lines().count(), words.len(), "none twice");
        assert!(words.iter().all(|w| w.len() >= 3 && w.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')));
    }

    #[test]
    fn what_the_program_suggests_it_takes() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        for _ in 0..200 {
            let words = suggest(&mut rng);
            assert_eq!(words.split(' ').count(), SUGGESTED_WORDS);
            assert_eq!(check_strength(&words), Ok(()), "{}", *words);
            assert!(words.len() <= SUGGESTED_WORDS * 16, "the string did not have to grow");
        }
        assert_ne!(*suggest(&mut rng), *suggest(&mut rng));
    }

    #[test]
    fn words_are_chosen_evenly() {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let mut counts = [0_u32; 8];
        for _ in 0..8000 {
            counts[(evenly(&mut rng) / (WORD_COUNT / 8)) as usize] += 1;
        }
        assert!(counts.iter().all(|n| (850..1150).contains(n)), "{counts:?}");
    }

    #[test]
    fn weak_passphrases_are_refused_with_what_to_do() {
        for weak in [
            "",
            "password",
            "correct horse battery",
            "Tr0ub4dor&3",
            "12345678901234567890",
            "aaaaaaaaaaaaaaaaaaaaaa",
            "abcdefghijklmnopqrstuvwxyz",
            "qwertyuiop asdfghjkl zxcvbnm",
            "Password123!",
            "estoile chat secret love",
            "zoom zoom zoom zoom zoom zoom",
            "summer winter summer winter summer winter",
            "abacus abdomen zoology zoom",
        ] {
            let refused = check_strength(weak).unwrap_err();
            assert!(matches!(refused, PassphraseError::Weak { bits } if bits < MIN_BITS), "{weak}");
            assert!(refused.to_string().contains("five random words"));
        }
    }

    #[test]
    fn strong_ones_are_taken_however_they_were_made() {
        for strong in [
            "abacus abdomen zoology zoom clarinet",
            "abacus-abdomen-zoology-zoom-clarinet",
            "AbacusAbdomenZoologyZoomClarinet",
            "drei Chinesen mit Kontrabass saßen erzählten",
            "yo-yo t-shirt drop-down felt-tip zoom",
            "q8Zr-Tm4x-Vk9p-Ls2w-Hd7c",
            "IKnX0v3mCq7sTzLw5RfBhA",
        ] {
            assert_eq!(check_strength(strong), Ok(()), "{strong}");
        }
    }

    #[test]
    fn one_text_is_one_passphrase_however_it_is_typed() {
        assert_eq!(*normalise(" \u{ff54}wo  words\t"), "two words");
        let [one, other] = ["zoom zoo", " zoom\u{3000}zoo\n"].map(normalise);
        assert_eq!(*one, *other);
    }

    #[test]
    fn the_salt_binds_relay_and_name_without_doubt() {
        let salts = [salt("a:1", "b"), salt("a:1b", ""), salt("a:", "1b"), salt("a:2", "b"), salt("a:1", "c")];
        let different: std::collections::BTreeSet<_> = salts.into_iter().collect();
        assert_eq!(different.len(), salts.len());
    }

    #[test]
    fn bounds_are_checked_before_the_work() {
        assert_eq!(stretch(" ", "h:1", "room").err(), Some(PassphraseError::Length));
        assert_eq!(stretch(&"x".repeat(1025), "h:1", "room").err(), Some(PassphraseError::Length));
        assert_eq!(stretch("x", "h:1", "\n").err(), Some(PassphraseError::BadName));
        assert_eq!(stretch("x", "h:1", &"x".repeat(65)).err(), Some(PassphraseError::BadName));
    }
}
