//! The recovery words: shown once, asked for, taken back word by word.

use zeroize::Zeroizing;

/// How many there are.
pub const COUNT: usize = 24;

/// Why they are asked for, in the words of everybody who has lost a phone.
pub const WHY: &str = "These 24 words are your account. If this browser, this phone, everything is lost, they bring your account, \
     your contacts and your rooms back. Whoever has them is you: write them on paper, keep it where you keep what matters, \
     and type them nowhere but here and in Estoile's own program.";

/// The words of a text, in lower case; numbers before them and punctuation don't count.
#[must_use]
pub fn spread(text: &str) -> Vec<Zeroizing<String>> {
    text.split(|c: char| !c.is_alphabetic())
        .filter(|word| !word.is_empty())
        .map(|word| Zeroizing::new(word.to_lowercase()))
        .collect()
}

/// What was typed in one of the fields, put into all: a whole text spreads from that field on. Says which field comes next.
pub fn typed(fields: &mut [Zeroizing<String>], at: usize, text: &str) -> usize {
    let words = spread(text);
    if words.len() < 2 {
        if let Some(field) = fields.get_mut(at) {
            *field = Zeroizing::new(text.trim().to_lowercase());
        }
        return at;
    }
    // A whole list fills everything, wherever it was dropped.
    let first = if words.len() >= COUNT { 0 } else { at };
    let mut last = at;
    for (n, word) in words.into_iter().enumerate() {
        if let Some(field) = fields.get_mut(first + n) {
            *field = word;
            last = first + n;
        }
    }
    (last + 1).min(fields.len().saturating_sub(1))
}

/// All fields as one text, or the first that is empty.
///
/// # Errors
/// The place of the first empty field, from 0.
pub fn joined(fields: &[Zeroizing<String>]) -> Result<Zeroizing<String>, usize> {
    if let Some(empty) = fields.iter().position(|f| f.is_empty()) {
        return Err(empty);
    }
    let mut text = Zeroizing::new(String::with_capacity(COUNT * 10));
    for field in fields {
        text.push_str(field);
        text.push(' ');
    }
    Ok(text)
}

/// The place (from 0) of the word that a complaint names: `word 7 is not one of the list's`.
#[must_use]
pub fn named(complaint: &str) -> Option<usize> {
    let (_, rest) = complaint.to_lowercase().split_once("word ").map(|(a, b)| (a.to_owned(), b.to_owned()))?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse::<usize>().ok().filter(|n| (1..=COUNT).contains(n)).map(|n| n - 1)
}

/// Two words that are asked for, so that nobody goes on without having written them down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quiz {
    /// Two places, from 0, the lower one first.
    pub places: [usize; 2],
}

impl Quiz {
    /// Picks two places out of a random number: one in each half.
    #[must_use]
    pub const fn new(random: u32) -> Self {
        let (half, random) = (COUNT / 2, random as usize);
        Self { places: [random % half, half + random / half % half] }
    }

    /// Which of the answers (0 or 1) is not the word at its place; none: both are.
    #[must_use]
    pub fn wrong(self, words: &str, answers: [&str; 2]) -> Option<usize> {
        let words = spread(words);
        let right = |n: &usize| {
            let word = self.places.get(*n).and_then(|place| words.get(*place));
            let answer = answers.get(*n).map(|a| a.trim().to_lowercase());
            word.is_some() && word.map(|w| w.as_str()) == answer.as_deref()
        };
        (0..2).find(|n| !right(n))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields() -> Vec<Zeroizing<String>> {
        vec![Zeroizing::default(); COUNT]
    }

    fn all() -> String {
        (0..COUNT).map(|n| format!("{}. W{}\n", n + 1, char::from(b'a' + u8::try_from(n).unwrap()))).collect()
    }

    #[test]
    fn a_pasted_list_fills_all_fields_wherever_it_lands() {
        let mut fields = fields();
        assert_eq!(typed(&mut fields, 5, &all()), COUNT - 1);
        assert_eq!(fields[0].as_str(), "wa");
        assert_eq!(fields[23].as_str(), "wx");
        assert!(joined(&fields).unwrap().starts_with("wa wb "));
    }

    #[test]
    fn a_few_words_go_on_from_their_field_and_one_stays_in_it() {
        let mut fields = fields();
        assert_eq!(typed(&mut fields, 2, "Abandon ability"), 4);
        assert_eq!((fields[2].as_str(), fields[3].as_str()), ("abandon", "ability"));
        assert_eq!(typed(&mut fields, 0, " Zoo"), 0);
        assert_eq!(fields[0].as_str(), "zoo");
        assert_eq!(joined(&fields), Err(1));
        assert_eq!(typed(&mut fields, 23, "a b c"), 23);
        assert_eq!(fields[23].as_str(), "a");
    }

    #[test]
    fn a_complaint_names_a_place() {
        assert_eq!(named("word 7 is not one of the list's: “abandn”; look at your note and try again"), Some(6));
        assert_eq!(named("Word 24 is wrong."), Some(23));
        assert_eq!(named("there are 23 words, and 24 are needed"), None);
        assert_eq!(named("word 99 is"), None);
    }

    #[test]
    fn two_words_are_asked_for() {
        let text = all();
        for random in [0, 1, 143, 144, u32::MAX] {
            let quiz = Quiz::new(random);
            assert!(quiz.places[0] < 12 && (12..24).contains(&quiz.places[1]), "{quiz:?}");
            let words = spread(&text);
            let [a, b] = quiz.places.map(|p| words[p].to_string());
            assert_eq!(quiz.wrong(&text, [&a.to_uppercase(), &format!(" {b} ")]), None);
            assert_eq!(quiz.wrong(&text, [&a, &a]), Some(1));
            assert_eq!(quiz.wrong(&text, ["", &b]), Some(0));
        }
    }
}
