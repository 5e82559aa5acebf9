//! Makes text from peers safe to show in a page.
//!
//! Pure: text in, text out. The page shows the result as text nodes only, each in an isolate of its own, so that markup
//! and order are the page's business; what is left for here is what acts or hides within one text:
//! - control characters are shown as their pictures (`␛[31m`), as in the terminal, so that one sees that somebody tried;
//! - bidi overrides, embeddings, isolates and marks are gone: text stays in the order in which it was written;
//! - what is invisible is gone, but for joiners and variation selectors, which emoji and many scripts need;
//! - at most [`MAX_MARKS`] stacked marks on a letter.

/// Marks of the generic blocks that one letter may carry: scripts in use stack up to four, "Zalgo" text dozens.
pub const MAX_MARKS: usize = 4;

/// A message: lines stay lines, tabs stay tabs.
#[must_use]
pub fn block(text: &str) -> String {
    clean(text, true)
}

/// A name or a title: one line, single spaces, trimmed; never empty.
#[must_use]
pub fn line(text: &str) -> String {
    let out = clean(text, false).split_whitespace().collect::<Vec<_>>().join(" ");
    if out.is_empty() { String::from("(nameless)") } else { out }
}

/// An error's text as a sentence of its own.
#[must_use]
pub fn sentence(text: &str) -> String {
    let text = super::places::here(&clean(text, false));
    let mut chars = text.trim().chars();
    let mut out: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
    out.push_str(chars.as_str());
    if !out.is_empty() && !out.ends_with(['.', '!', '?']) {
        out.push('.');
    }
    out
}

fn clean(text: &str, lines: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut marks, mut base) = (0, false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' if chars.peek() == Some(&'\n') => {}
            '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => {
                (marks, base) = (0, false);
                out.push(if lines { '\n' } else { ' ' });
            }
            '\t' if lines => out.push('\t'),
            _ if c.is_control() => {
                (marks, base) = (0, true);
                out.push(picture(c));
            }
            // Blank by design, made to be mistaken for a space or for nothing.
            '\u{2800}' | '\u{3164}' | '\u{ffa0}' | '\u{115f}' | '\u{1160}' => out.push(' '),
            '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' if base && marks < MAX_MARKS => {
                marks += 1;
                out.push(c);
            }
            _ if hides(c) => {}
            _ if is_stacking(c) => {
                if marks < MAX_MARKS {
                    if !base {
                        out.push('\u{25cc}');
                        base = true;
                    }
                    marks += 1;
                    out.push(c);
                }
            }
            _ => {
                (marks, base) = (0, !c.is_whitespace());
                out.push(if is_noncharacter(c) { char::REPLACEMENT_CHARACTER } else { c });
            }
        }
    }
    out
}

/// A control character as something to look at: U+2400 and on have a picture for each of C0.
fn picture(c: char) -> char {
    match u32::from(c) {
        code @ 0..=0x1f => char::from_u32(0x2400 + code).unwrap_or(char::REPLACEMENT_CHARACTER),
        0x7f => '\u{2421}',
        0x90 | 0x98 | 0x9b | 0x9d..=0x9f => '\u{241b}',
        _ => char::REPLACEMENT_CHARACTER,
    }
}

/// Turns the order of what follows, or can't be seen.
const fn hides(c: char) -> bool {
    matches!(
        c,
        '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{ad}' | '\u{34f}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{fff0}'..='\u{fffc}' | '\u{13430}'..='\u{1345f}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Marks that any letter takes, of the blocks that belong to no script.
const fn is_stacking(c: char) -> bool {
    matches!(
        c,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
            | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}'
    )
}

fn is_noncharacter(c: char) -> bool {
    matches!(c, '\u{fdd0}'..='\u{fdef}') || u32::from(c) & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_acts_is_shown_or_gone() {
        assert_eq!(block("\u{1b}[31mred\u{7}"), "␛[31mred␇");
        assert_eq!(block("a\u{202e}cod.exe\u{2066}"), "acod.exe");
        assert_eq!(block("one\r\ntwo\u{2028}three\tfour"), "one\ntwo\nthree\tfour");
        assert_eq!(line(" Ann\n\u{200b} Lee "), "Ann Lee");
        assert_eq!((line("\u{200d}"), line("")), ("(nameless)".into(), "(nameless)".into()));
        assert_eq!(block("👩\u{200d}👩\u{200d}👧 ❤\u{fe0f}"), "👩\u{200d}👩\u{200d}👧 ❤\u{fe0f}");
        assert_eq!(block(&format!("z{}", "\u{301}".repeat(50))).chars().count(), 1 + MAX_MARKS);
        assert_eq!(block("مرحبا שלום"), "مرحبا שלום");
        assert_eq!(sentence("there is no such room"), "There is no such room.");
        assert_eq!(sentence(""), "");
    }

    proptest! {
        #[test]
        fn nothing_acts_in_any_text(text in "\\PC*|[\\u{0}-\\u{20}\\u{80}-\\u{9f}\\u{200b}-\\u{206f}\\u{300}-\\u{310}a-c]*") {
            for c in block(&text).chars() {
                prop_assert!(c == '\n' || c == '\t' || !c.is_control());
                let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
                prop_assert!(!turns);
            }
            prop_assert!(!line(&text).contains(['\n', '\t']));
            prop_assert!(!line(&text).is_empty());
        }
    }
}
