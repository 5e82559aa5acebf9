//! What guessing a passphrase costs, estimated from below.
//!
//! The text is taken apart into runs of letters, digits and other characters. A run of letters counts as a word of a list
//! of 7,776, however rare it is, or as single letters if that is less; runs on (abc, 111) and what came before count
//! almost nothing. No estimate knows a quotation or a person: the program offers to choose, and that is the way.

use zeroize::Zeroizing;

use super::is_listed;

/// Thousandths of a bit.
type Millibits = u64;

/// The pieces that have come before.
type Seen = Vec<Zeroizing<String>>;

/// One of the list's 7,776 words, or any word: log2 is 12.9248.
pub(super) const WORD: Millibits = 12_924;
/// One of the words that everybody tries first.
const COMMON_WORD: Millibits = 6_000;
/// What has come before in the same passphrase.
const REPEATED: Millibits = 1_000;
/// A character that continues a run (abc, 321, aaa).
const CONTINUED: Millibits = 500;
/// A capital at a word's beginning, or a whole word in capitals.
const CAPITALS: Millibits = 1_000;
/// One of 26 letters, without regard to case.
const LETTER: Millibits = 4_700;
/// One of 10 digits.
const DIGIT: Millibits = 3_321;
/// One of about 16 signs that people use.
const SIGN: Millibits = 4_000;
/// One of many letters beyond ASCII.
const FOREIGN: Millibits = 5_000;
/// A run of letters longer than this counts as two words.
const LONGEST_WORD: usize = 9;

/// Bases of the passwords that leaked most often.
const COMMON: &[&str] = &[
    "abc",
    "admin",
    "asdf",
    "asdfgh",
    "asdfghjkl",
    "baseball",
    "batman",
    "charlie",
    "chat",
    "daniel",
    "donald",
    "dragon",
    "estoile",
    "flower",
    "football",
    "freedom",
    "guest",
    "hallo",
    "hello",
    "iloveyou",
    "internet",
    "jesus",
    "jordan",
    "killer",
    "letmein",
    "login",
    "love",
    "lovely",
    "master",
    "michael",
    "monkey",
    "mustang",
    "ninja",
    "pass",
    "passphrase",
    "passwd",
    "password",
    "passwort",
    "princess",
    "qazwsx",
    "qwer",
    "qwert",
    "qwerty",
    "qwertyuiop",
    "qwertz",
    "root",
    "secret",
    "shadow",
    "solo",
    "starwars",
    "summer",
    "sunshine",
    "superman",
    "test",
    "thomas",
    "trustno",
    "welcome",
    "whatever",
    "winter",
    "yxcvbnm",
    "zxcvbn",
    "zxcvbnm",
];

/// The estimate for a normalised passphrase, in whole bits.
pub(super) fn bits(passphrase: &str) -> u32 {
    let mut seen = Seen::new();
    let total: Millibits = passphrase.split(' ').map(|word| word_cost(word, &mut seen)).sum();
    u32::try_from(total / 1000).unwrap_or(u32::MAX)
}

/// What stands between two spaces.
fn word_cost(word: &str, seen: &mut Seen) -> Millibits {
    if is_listed(word) {
        return once(word, seen, WORD);
    }
    runs(word).into_iter().map(|run| run_cost(run, seen)).sum()
}

/// The cost, or next to nothing for what has been said already.
fn once(text: &str, seen: &mut Seen, cost: Millibits) -> Millibits {
    let text = Zeroizing::new(text.to_lowercase());
    if seen.contains(&text) {
        return REPEATED.min(cost);
    }
    seen.push(text);
    cost
}

fn run_cost(run: &str, seen: &mut Seen) -> Millibits {
    let letters = run.chars().next().is_some_and(char::is_alphabetic);
    let singly = singly(run);
    if !letters {
        return once(run, seen, singly);
    }
    let lower = Zeroizing::new(run.to_lowercase());
    let capitals = if *lower == run { 0 } else { CAPITALS };
    let words = run.chars().count().div_ceil(LONGEST_WORD) as Millibits;
    let cost = if COMMON.contains(&lower.as_str()) {
        COMMON_WORD
    } else if is_listed(&lower) {
        WORD
    } else {
        WORD * words
    };
    once(run, seen, cost.min(singly) + capitals)
}

/// Character by character.
fn singly(run: &str) -> Millibits {
    let mut before: Option<char> = None;
    let cost = run.chars().map(|c| {
        let continued = before.is_some_and(|b| u32::from(b).abs_diff(u32::from(c)) <= 1);
        before = Some(c);
        match c {
            _ if continued => CONTINUED,
            '0'..='9' => DIGIT,
            'a'..='z' | 'A'..='Z' => LETTER,
            _ if c.is_ascii() => SIGN,
            _ => FOREIGN,
        }
    });
    cost.sum()
}

#[derive(PartialEq, Eq, Clone, Copy)]
enum Class {
    Lower,
    Upper,
    Digit,
    Other,
}

fn class(c: char) -> Class {
    if c.is_uppercase() {
        Class::Upper
    } else if c.is_alphabetic() {
        Class::Lower
    } else if c.is_numeric() {
        Class::Digit
    } else {
        Class::Other
    }
}

/// Runs of one class; a capital begins a run of letters, capitals among themselves make one.
fn runs(word: &str) -> Vec<&str> {
    let mut runs = Vec::new();
    let mut rest = word;
    while !rest.is_empty() {
        let (run, after) = rest.split_at(run_end(rest));
        runs.push(run);
        rest = after;
    }
    runs
}

/// Where the first run of a text that is not empty ends.
fn run_end(text: &str) -> usize {
    let classes = || text.char_indices().map(|(at, c)| (at, class(c)));
    let mut run = classes().map(|(_, class)| class).next();
    for (n, (at, class)) in classes().enumerate() {
        let capitalised = n == 1 && run == Some(Class::Upper) && class == Class::Lower;
        if run != Some(class) && !capitalised {
            return at;
        }
        run = Some(class);
    }
    text.len()
}
