//! Makes text from peers safe to show in a terminal.
//!
//! Pure: text in, text out. Knows nothing of rooms, styles or screens; the command line uses it too.
//!
//! What it promises of its output:
//! - no control character of any kind (C0, DEL, C1), so no ANSI, OSC, DCS or APC sequence can begin: what was one is
//!   shown as its picture (`␛[31m`), so that the reader sees that somebody tried;
//! - no bidi override, embedding, isolate or mark: text stays in the order in which it was written;
//! - nothing invisible: zero-width characters, fillers, tags and interlinear marks are gone (joiners stay between
//!   letters of scripts that need them, in messages only);
//! - nothing whose width terminals disagree about: emoji joiners, skin tones and variation selectors are taken out, so
//!   that a family is shown as its members and no peer can push our borders around;
//! - at most [`MAX_MARKS`] combining marks on a letter, and none on nothing.

/// Combining marks that one letter may carry: scripts in use stack up to four (pointed Hebrew with a cantillation
/// mark, Vietnamese with two, Thai with two), "Zalgo" text stacks dozens over its neighbours' lines.
pub const MAX_MARKS: usize = 4;

/// Columns between tab stops in a message.
const TAB: usize = 4;

/// A message: lines stay lines, tabs become spaces, all else that could act is shown or gone.
#[must_use]
pub fn block(text: &str) -> String {
    clean(text, Keep::Lines)
}

/// A name or a title: one line, single spaces, trimmed; never empty.
#[must_use]
pub fn line(text: &str) -> String {
    let cleaned = clean(text, Keep::OneLine);
    let mut out = String::with_capacity(cleaned.len());
    for word in cleaned.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    if out.is_empty() { String::from("(nameless)") } else { out }
}

/// One row of what the user types: nothing acts, spaces stay where they are.
pub(crate) fn line_keeping_spaces(text: &str) -> String {
    clean(text, Keep::OneLine)
}

/// What the user types or pastes: the same rules, but silent (nothing is pictured), so that what is sent is what shows.
#[must_use]
pub fn typed(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.chars().filter(|&c| c == '\n' || c == '\t' || !(c.is_control() || is_bidi(c))).collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    Lines,
    OneLine,
}

/// The state of one pass.
struct Pass {
    out: String,
    keep: Keep,
    column: usize,
    marks: usize,
    /// The last character that stands on its own, as a base for marks.
    base: Option<char>,
}

fn clean(text: &str, keep: Keep) -> String {
    let mut pass = Pass { out: String::with_capacity(text.len()), keep, column: 0, marks: 0, base: None };
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\r' && chars.peek() == Some(&'\n') {
            continue;
        }
        let next = chars.peek().copied();
        pass.push(c, next);
    }
    pass.out
}

impl Pass {
    fn push(&mut self, c: char, next: Option<char>) {
        match c {
            '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => self.newline(),
            '\t' => self.tab(),
            _ if c.is_control() => self.plain(picture(c)),
            // These are blank by design and were made to be mistaken for a space or for nothing.
            '\u{2800}' | '\u{3164}' | '\u{ffa0}' | '\u{115f}' | '\u{1160}' => self.plain(' '),
            '\u{200c}' | '\u{200d}' => self.joiner(c, next),
            _ if is_bidi(c) || is_invisible(c) => {}
            _ if is_noncharacter(c) => self.plain(char::REPLACEMENT_CHARACTER),
            _ if is_emoji_modifier(c) && self.base.is_some_and(is_pictograph) => {}
            _ if is_mark(c) => self.mark(c),
            _ => self.plain(c),
        }
    }

    fn newline(&mut self) {
        self.base = None;
        self.marks = 0;
        self.column = 0;
        self.out.push(match self.keep {
            Keep::Lines => '\n',
            Keep::OneLine => ' ',
        });
    }

    fn tab(&mut self) {
        let wide = match self.keep {
            Keep::Lines => TAB - self.column % TAB,
            Keep::OneLine => 1,
        };
        for _ in 0..wide {
            self.plain(' ');
        }
    }

    fn plain(&mut self, c: char) {
        self.out.push(c);
        self.column += unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
        self.base = Some(c);
        self.marks = 0;
    }

    fn mark(&mut self, c: char) {
        if self.marks >= MAX_MARKS {
            return;
        }
        if self.base.is_none_or(char::is_whitespace) {
            self.plain('\u{25cc}');
        }
        self.marks += 1;
        self.out.push(c);
    }

    /// Joiners shape Persian and the scripts of India; anywhere else they only hide.
    fn joiner(&mut self, c: char, next: Option<char>) {
        let shaping = |c: char| matches!(c, '\u{620}'..='\u{6ff}' | '\u{750}'..='\u{77f}' | '\u{8a0}'..='\u{8ff}' | '\u{900}'..='\u{dff}');
        if self.keep == Keep::Lines
            && self.marks < MAX_MARKS
            && self.base.is_some_and(shaping)
            && next.is_some_and(shaping)
        {
            self.marks += 1;
            self.out.push(c);
        }
    }
}

/// A control character as something to look at: U+2400 and on have a picture for each of C0.
fn picture(c: char) -> char {
    match u32::from(c) {
        code @ 0..=0x1f => char::from_u32(0x2400 + code).unwrap_or(char::REPLACEMENT_CHARACTER),
        0x7f => '\u{2421}',
        // 8-bit CSI, OSC, DCS, SOS, PM, APC act like ESC and a letter: shown like ESC.
        0x90 | 0x98 | 0x9b | 0x9d..=0x9f => '\u{241b}',
        _ => char::REPLACEMENT_CHARACTER,
    }
}

fn is_bidi(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Default-ignorable characters and format controls that are neither bidi nor joiners.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'
            | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{fff0}'..='\u{fffc}' | '\u{13430}'..='\u{1345f}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
    )
}

fn is_noncharacter(c: char) -> bool {
    matches!(c, '\u{fdd0}'..='\u{fdef}') || u32::from(c) & 0xfffe == 0xfffe
}

fn is_emoji_modifier(c: char) -> bool {
    matches!(c, '\u{1f3fb}'..='\u{1f3ff}')
}

/// What a skin tone can sit on: hands and people, all of them in these blocks.
fn is_pictograph(c: char) -> bool {
    matches!(c, '\u{261d}' | '\u{26f9}' | '\u{270a}'..='\u{270d}' | '\u{1f300}'..='\u{1faff}')
}

/// Takes no column of its own: draws on what stands before it.
fn is_mark(c: char) -> bool {
    unicode_width::UnicodeWidthChar::width(c) == Some(0)
}

#[cfg(test)]
mod tests;
