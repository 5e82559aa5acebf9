//! Names of people and rooms: what is allowed, and which ones look the same.
//!
//! This layer does not know whose name it is, nor makes it inert for a screen: each face does that for its own medium.

use unicode_normalization::UnicodeNormalization;

/// A name has at most this many characters: a line of a screen holds it, and a letter stays small.
pub const MAX_NAME_CHARS: usize = 64;

/// Whether this may be a name: 1 to [`MAX_NAME_CHARS`] characters, none of them a control character, no white space at
/// either end.
#[must_use]
pub fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.chars().count() <= MAX_NAME_CHARS
        && name.trim() == name
        && !name.chars().any(char::is_control)
}

/// NFKC, trimmed, inner white space single. Allocates once, so that a passphrase leaves no half-grown copies behind.
#[must_use]
pub fn normalise(text: &str) -> String {
    let size = normalised(text).map(char::len_utf8).sum();
    let mut out = String::with_capacity(size);
    out.extend(normalised(text));
    out
}

fn normalised(text: &str) -> impl Iterator<Item = char> {
    let mut begun = false;
    let mut space = false;
    text.nfkc()
        .flat_map(move |c| {
            if c.is_whitespace() {
                space = begun;
                return [None, None];
            }
            begun = true;
            [core::mem::take(&mut space).then_some(' '), Some(c)]
        })
        .flatten()
}

/// What two names share that a reader takes for one: compatibility forms, case, spaces and invisible characters aside.
/// For comparing only, never for showing.
#[must_use]
pub fn fold(name: &str) -> String {
    let plain: String = name.nfkc().filter(|&c| !is_invisible(c) && !c.is_whitespace()).collect();
    plain.to_lowercase().nfkc().collect()
}

/// Characters that take no room on a screen: soft hyphen, zero-width and direction marks, fillers, variation selectors, tags.
const fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_bounded() {
        for good in ["A", "Ann Lee", "Ωμέγα", &"x".repeat(64), &"🦀".repeat(64)] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", " ", "a ", "\ta", "a\nb", "a\u{1b}[2Jb", "a\u{85}b", &"x".repeat(65)] {
            assert!(!is_name(bad), "{bad:?}");
        }
    }

    #[test]
    fn spellings_of_one_text_become_one() {
        assert_eq!(normalise("  two \u{a0}\t words\n"), "two words");
        assert_eq!(normalise("e\u{301}"), normalise("é"));
        assert_eq!(normalise("ﬁve"), "five");
        assert_eq!(normalise(" \n"), "");
    }

    #[test]
    fn look_alikes_fold_together() {
        for other in ["alice", "ALICE", "Ali\u{200b}ce", "Alice\u{feff}", "Ａｌｉｃｅ", "A lice"] {
            assert_eq!(fold(other), fold("Alice"), "{other:?}");
        }
        assert_ne!(fold("Alicia"), fold("Alice"));
    }
}
