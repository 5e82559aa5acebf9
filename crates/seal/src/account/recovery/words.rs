//! BIP-39's 24 words, written and read, with errors that name the place of a wrong word.
//!
//! This layer does not know what the 32 bytes are for.

use core::fmt::{Display, Formatter};

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// How many words an account has: 256 bits and a checksum of 8.
pub const WORD_COUNT: usize = 24;
/// Bits of one word.
const WORD_BITS: usize = 11;
/// Longer texts are something else that was pasted by mistake.
const MAX_TEXT: usize = 2048;
/// How many words of the list an error offers for a wrong one.
const MAX_SUGGESTIONS: usize = 3;
/// Offered words differ in at most this many letters.
const MAX_DISTANCE: usize = 2;
/// An error repeats at most this many characters of what was typed.
const MAX_SHOWN: usize = 24;

/// BIP-39's English list (`WORDS.md`), one word a line, in the order of the alphabet.
const WORDS: &str = include_str!("words.txt");

/// The list, by a call that no compiler may look through: so that a browser can leave the list out of what a first visit loads
/// (`crates/bundle/src/split`).
#[inline(never)]
fn list() -> &'static str {
    core::hint::black_box(WORDS)
}

/// Words of the list that look like a wrong one, nearest first; possibly none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suggestions(pub Vec<&'static str>);

/// Why a text is no account's recovery words; each says what to do. What is repeated of the text is a word that is not in
/// the list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecoveryError {
    /// A word is not in the list.
    #[error("word {position} is not one of the list's: “{word}”{suggestions}; look at your note and try again")]
    NotInList {
        /// Which one, from 1.
        position: usize,
        /// As it was typed, made short and inert.
        word: String,
        /// What it may have been meant to be.
        suggestions: Suggestions,
    },
    /// Too few or too many.
    #[error(
        "these are {found} words, and an account has {WORD_COUNT}; look whether one was left out or copied twice, and try again"
    )]
    Count {
        /// How many there are.
        found: usize,
    },
    /// All words are in the list, but not together.
    #[error(
        "all {WORD_COUNT} words are in the list, but together they are no account's: two may be swapped, or one is another word of the list; compare them with your note, one by one"
    )]
    Checksum,
    /// Nothing was typed, or something quite different.
    #[error("these are no recovery words: an account has {WORD_COUNT} English words; type them in their order")]
    NotWords,
}

impl Display for Suggestions {
    fn fmt(&self, f: &mut Formatter<'_>) -> core::fmt::Result {
        for (i, word) in self.0.iter().enumerate() {
            let before = match i {
                0 => " (did you mean ",
                _ if i + 1 == self.0.len() => " or ",
                _ => ", ",
            };
            write!(f, "{before}{word}")?;
        }
        if self.0.is_empty() { Ok(()) } else { f.write_str("?)") }
    }
}

/// 24 words for 32 bytes.
pub(super) fn write(entropy: &[u8; 32]) -> Zeroizing<String> {
    let checked = checked(entropy);
    // Room for the longest, so that the string never moves and leaves a copy behind.
    let mut text = Zeroizing::new(String::with_capacity(WORD_COUNT * 9));
    for place in 0..WORD_COUNT {
        let index = (0..WORD_BITS).fold(0, |index, bit| index << 1 | bit_at(&checked, place * WORD_BITS + bit));
        if place > 0 {
            text.push(' ');
        }
        text.push_str(list().lines().nth(index).unwrap_or_default());
    }
    text
}

/// The bytes and their checksum, the first byte of their SHA-256.
fn checked(entropy: &[u8; 32]) -> Zeroizing<[u8; 33]> {
    let mut all = Zeroizing::new([0; 33]);
    let sum = Sha256::digest(entropy);
    all.iter_mut().zip(entropy.iter().chain(&sum)).for_each(|(to, from)| *to = *from);
    all
}

fn bit_at(bytes: &[u8; 33], bit: usize) -> usize {
    usize::from(bytes.get(bit / 8).copied().unwrap_or_default() >> (7 - bit % 8) & 1)
}

/// 32 bytes from 24 words, however they are set out.
pub(super) fn parse(text: &str) -> Result<Zeroizing<[u8; 32]>, RecoveryError> {
    if text.len() > MAX_TEXT {
        return Err(RecoveryError::NotWords);
    }
    let lower = Zeroizing::new(text.to_lowercase());
    let mut all = Zeroizing::new([0_u8; 33]);
    let mut found = 0;
    for word in lower.split(|c: char| c.is_whitespace() || c == ',' || c == ';').filter_map(bare) {
        found += 1;
        let Some(index) = list().lines().position(|listed| listed == word) else {
            return Err(not_in_list(found, word));
        };
        if found <= WORD_COUNT {
            let start = (found - 1) * WORD_BITS;
            (0..WORD_BITS).filter(|bit| index >> (WORD_BITS - 1 - bit) & 1 == 1).for_each(|bit| {
                let at = start + bit;
                if let Some(byte) = all.get_mut(at / 8) {
                    *byte |= 1 << (7 - at % 8);
                }
            });
        }
    }
    match found {
        0 => return Err(RecoveryError::NotWords),
        WORD_COUNT => {}
        _ => return Err(RecoveryError::Count { found }),
    }
    let mut entropy = Zeroizing::new([0; 32]);
    entropy.iter_mut().zip(all.iter()).for_each(|(to, from)| *to = *from);
    if *checked(&entropy) == *all { Ok(entropy) } else { Err(RecoveryError::Checksum) }
}

/// A word without what stands around it in a note: `3.`, `(4)`, `5:word`, quotes. Nothing if no letter is left.
fn bare(part: &str) -> Option<&str> {
    let word = part.trim_start_matches(|c: char| c.is_ascii_digit() || c.is_ascii_punctuation());
    let word = word.trim_end_matches(|c: char| c.is_ascii_punctuation());
    (!word.is_empty()).then_some(word)
}

fn not_in_list(position: usize, word: &str) -> RecoveryError {
    let shown = word.chars().map(|c| if c.is_alphanumeric() { c } else { '?' }).take(MAX_SHOWN).collect();
    RecoveryError::NotInList { position, word: shown, suggestions: suggestions(word) }
}

/// The nearest words of the list; those that begin with the same four letters, which are unique in the list, first.
fn suggestions(word: &str) -> Suggestions {
    let typed: Vec<char> = word.chars().take(MAX_SHOWN).collect();
    let mut near: Vec<(usize, &'static str)> = list()
        .lines()
        .filter_map(|listed| {
            let same_start = listed.len() >= 4 && listed.chars().take(4).eq(typed.iter().copied().take(4));
            let distance = if same_start { 0 } else { distance(&typed, listed) };
            (distance <= MAX_DISTANCE).then_some((distance, listed))
        })
        .collect();
    near.sort_unstable();
    let best = near.first().map_or(0, |(distance, _)| *distance);
    // Where a word is one letter away, those two away are noise.
    near.retain(|(distance, _)| *distance <= best.max(1));
    Suggestions(near.into_iter().map(|(_, word)| word).take(MAX_SUGGESTIONS).collect())
}

/// How many letters to change, add, leave out, or swap with their neighbour.
fn distance(typed: &[char], listed: &str) -> usize {
    let mut two_before: Vec<usize> = vec![];
    let mut before: Vec<usize> = (0..=typed.len()).collect();
    let mut last = None;
    for (row, letter) in listed.chars().enumerate() {
        let mut now = vec![row + 1];
        for (column, &other) in typed.iter().enumerate() {
            let at = |line: &[usize], i: usize| line.get(i).copied().unwrap_or(usize::MAX / 2);
            let changed = at(&before, column) + usize::from(letter != other);
            let mut best = changed.min(at(&before, column + 1) + 1).min(at(&now, column) + 1);
            let swapped = column > 0 && Some(other) == last && typed.get(column - 1) == Some(&letter);
            if swapped {
                best = best.min(at(&two_before, column - 1) + 1);
            }
            now.push(best);
        }
        two_before = core::mem::replace(&mut before, now);
        last = Some(letter);
    }
    before.last().copied().unwrap_or(usize::MAX)
}
