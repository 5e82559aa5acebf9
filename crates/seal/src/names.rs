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

/// What two names share that a reader takes for one: compatibility forms, case, spaces, invisible characters, and letters of
/// other scripts that are drawn alike aside. For comparing only, never for showing. Folding twice changes nothing.
#[must_use]
pub fn fold(name: &str) -> String {
    let plain: String = name.nfkc().filter(|&c| !is_invisible(c) && !c.is_whitespace()).map(drawn_like).collect();
    let lower: String = plain.to_lowercase().nfkc().map(drawn_like).collect();
    lower.replace("rn", "m").replace("vv", "w")
}

/// The Latin letter that a character is drawn like in most fonts, capitals as capitals are; else the character itself.
/// Cyrillic, Greek and digits only: those that keyboards have, and with which names are faked.
const fn drawn_like(c: char) -> char {
    match c {
        'А' | 'а' | 'Α' | 'α' => 'a',
        'В' | 'в' | 'Β' | 'β' => 'b',
        'С' | 'с' | 'ϲ' | 'Ϲ' => 'c',
        'ԁ' | 'Ԁ' => 'd',
        'Е' | 'е' | 'Ε' | 'ε' => 'e',
        'Н' | 'н' | 'һ' | 'Һ' | 'Η' => 'h',
        'І' | 'і' | 'Ι' | 'ι' | 'Ӏ' | 'ӏ' | 'ı' | 'I' | 'i' | 'L' | '1' | '|' => 'l',
        'Ј' | 'ј' => 'j',
        'К' | 'к' | 'Κ' | 'κ' => 'k',
        'М' | 'м' | 'Μ' => 'm',
        'Ν' | 'η' => 'n',
        'О' | 'о' | 'Ο' | 'ο' | 'σ' | '0' => 'o',
        'Р' | 'р' | 'Ρ' | 'ρ' => 'p',
        'Ѕ' | 'ѕ' => 's',
        'Т' | 'т' | 'Τ' | 'τ' => 't',
        'υ' => 'u',
        'ν' => 'v',
        'Ԝ' | 'ԝ' => 'w',
        'Х' | 'х' | 'Χ' | 'χ' => 'x',
        'У' | 'у' | 'Υ' => 'y',
        'Ζ' | 'ζ' => 'z',
        other => other,
    }
}

/// Whether a name ends as a marked one does: a dot in the middle of the line and four hexadecimal digits. Somebody may call
/// themselves so to pass for a mark that this program made.
#[must_use]
pub fn looks_marked(name: &str) -> bool {
    let plain: Vec<char> = name.nfkc().filter(|&c| !is_invisible(c)).collect();
    let Some((start, digits)) = plain.split_last_chunk::<4>() else { return false };
    let dot = |c: &char| matches!(c, '·' | '•' | '‧' | '∙' | '⋅' | '・' | '᛫' | '․' | 'ꞏ' | '⸱' | '\u{387}');
    digits.iter().all(char::is_ascii_hexdigit) && start.last().is_some_and(dot)
}

/// Characters that take no room on a screen: soft hyphen, zero-width and direction marks, fillers, variation selectors, tags.
const fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2800}' | '\u{1d173}'..='\u{1d17a}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
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
        for other in ["alice", "ALICE", "Ali\u{200b}ce", "Alice\u{feff}", "Ａｌｉｃｅ", "A lice", "Alice\u{2800}"]
        {
            assert_eq!(fold(other), fold("Alice"), "{other:?}");
        }
        // Cyrillic А, е; capital I for l; a digit one; Greek capital alpha.
        for other in ["\u{410}lice", "Alic\u{435}", "AIice", "A1ice", "\u{391}lice", "Al\u{456}ce"] {
            assert_eq!(fold(other), fold("Alice"), "{other:?}");
        }
        assert_eq!(fold("B\u{43e}b"), fold("B0b"));
        assert_eq!(fold("Norrnan"), fold("Norman"));
        assert_eq!(fold("ΝΙΚΟΣ"), fold("NlKOΣ"));
        for name in ["Ωμέγα", "Вера", "ΝΊΚΗ", "Straße", "İi", "Ivo", "1l|", "vvvv", "rrnn"] {
            assert_eq!(fold(&fold(name)), fold(name), "{name}");
        }
        for (one, other) in [("Alicia", "Alice"), ("Bob", "Rob"), ("Вера", "Лера"), ("Ann", "Anna")] {
            assert_ne!(fold(one), fold(other));
        }
    }

    #[test]
    fn marks_are_known_when_faked() {
        for faked in ["Bob·1a2b", "Bob•1a2b", "Bob\u{200b}·1A2B", "·0000", "Bob·\u{200b}1a2b"] {
            assert!(looks_marked(faked), "{faked:?}");
        }
        for plain in ["Bob", "Bob 2024", "Col·lega", "Bob·1a2", "Bob·1a2g", ""] {
            assert!(!looks_marked(plain), "{plain:?}");
        }
    }
}
