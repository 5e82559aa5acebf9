//! The input: several lines, readline's keys, a kill ring of one, widths right. Knows no rooms and no commands.
//!
//! The text holds `\n` between lines and nothing else that acts ([`crate::inert::typed`] filters what comes in).
//! Positions are byte offsets that always lie between graphemes.

use unicode_segmentation::UnicodeSegmentation;

use crate::{inert, text};

/// A text being written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Editor {
    text: String,
    at: usize,
    killed: String,
}

/// One row of the input as drawn, and where the cursor is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rows {
    pub(crate) rows: Vec<String>,
    pub(crate) cursor_row: usize,
    pub(crate) cursor_column: usize,
}

/// A step for the cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Left,
    Right,
    WordLeft,
    WordRight,
    LineStart,
    LineEnd,
}

impl Editor {
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// What stands before the cursor.
    pub(crate) fn before(&self) -> &str {
        self.text.get(..self.at).unwrap_or_default()
    }

    /// What stands after the cursor.
    pub(crate) fn after(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(crate) fn set(&mut self, text: &str) {
        self.text = inert::typed(text);
        self.at = self.text.len();
    }

    /// Empties it and hands out what was there.
    pub(crate) fn take(&mut self) -> String {
        self.at = 0;
        core::mem::take(&mut self.text)
    }

    /// Empties it like Ctrl-U over everything: Ctrl-Y brings it back.
    pub(crate) fn clear(&mut self) {
        if !self.text.is_empty() {
            self.killed = self.take();
        }
    }

    pub(crate) fn insert(&mut self, what: &str) {
        let what = inert::typed(what);
        self.text.insert_str(self.at, &what);
        self.at += what.len();
        self.settle();
    }

    /// Puts `with` in the place of the `bytes` before the cursor.
    pub(crate) fn replace_before(&mut self, bytes: usize, with: &str) {
        let from = self.at.saturating_sub(bytes);
        if self.text.is_char_boundary(from) {
            self.text.replace_range(from..self.at, with);
            self.at = from + with.len();
        }
    }

    pub(crate) fn go(&mut self, step: Step) {
        self.at = self.target(step);
    }

    /// Deletes up to where the step leads, and keeps it for Ctrl-Y when it was more than a letter.
    pub(crate) fn delete(&mut self, step: Step) {
        let to = self.target(step);
        let (from, end) = if to < self.at { (to, self.at) } else { (self.at, to) };
        let gone: String = self.text.drain(from..end).collect();
        self.at = from;
        if !matches!(step, Step::Left | Step::Right) && !gone.is_empty() {
            self.killed = gone;
        }
        self.settle();
    }

    /// Deletes the word before the cursor as far as the last space (Ctrl-W).
    pub(crate) fn delete_word_back(&mut self) {
        let before = self.before();
        let trimmed = before.trim_end();
        let from = trimmed.rfind(char::is_whitespace).map_or(0, |i| {
            let step = trimmed.get(i..).and_then(|s| s.chars().next()).map_or(1, char::len_utf8);
            i + step
        });
        let gone: String = self.text.drain(from..self.at).collect();
        self.at = from;
        if !gone.is_empty() {
            self.killed = gone;
        }
        self.settle();
    }

    pub(crate) fn yank(&mut self) {
        let killed = self.killed.clone();
        self.insert(&killed);
    }

    /// Up or down a row of the drawn input; false when there is none, so that the keys can mean the history.
    pub(crate) fn vertical(&mut self, down: bool, width: usize) -> bool {
        let offsets = self.offsets(width);
        let row = self.row_of(&offsets);
        let Some(target) = (if down { row.checked_add(1) } else { row.checked_sub(1) }) else { return false };
        let Some(&(start, end)) = offsets.get(target) else { return false };
        let here = offsets.get(row).map_or(0, |&(s, _)| s);
        let column = text::width(self.text.get(here..self.at).unwrap_or_default());
        let mut at = start;
        let mut used = 0;
        for (piece, wide) in text::pieces(self.text.get(start..end).unwrap_or_default()) {
            if used + wide > column {
                break;
            }
            used += wide;
            at += piece.len();
        }
        self.at = at;
        self.settle();
        true
    }

    /// The rows as drawn at a width, with the cursor's place. The cursor may stand one column after the last letter.
    pub(crate) fn rows(&self, width: usize) -> Rows {
        let offsets = self.offsets(width);
        let row = self.row_of(&offsets);
        let here = offsets.get(row).map_or(0, |&(s, _)| s);
        let shown = |s: usize, e: usize| inert::line_keeping_spaces(self.text.get(s..e).unwrap_or_default());
        Rows {
            cursor_column: text::width(&shown(here, self.at)),
            cursor_row: row,
            rows: offsets.iter().map(|&(s, e)| shown(s, e)).collect(),
        }
    }

    /// Where each drawn row begins and ends. Breaks anywhere, so that the cursor's place never depends on what comes.
    fn offsets(&self, width: usize) -> Vec<(usize, usize)> {
        let width = width.max(3);
        let mut rows = Vec::new();
        let mut line_start = 0;
        for line in self.text.split('\n') {
            let (mut start, mut end, mut used) = (line_start, line_start, 0);
            for (piece, wide) in text::pieces(line) {
                let wide = if piece.is_ascii() { wide.max(1) } else { text::width(&inert::line_keeping_spaces(piece)) };
                // One column stays free for the cursor.
                if used + wide >= width {
                    rows.push((start, end));
                    start = end;
                    used = 0;
                }
                used += wide;
                end += piece.len();
            }
            rows.push((start, end));
            line_start += line.len() + 1;
        }
        rows
    }

    fn row_of(&self, offsets: &[(usize, usize)]) -> usize {
        offsets.iter().rposition(|&(start, _)| start <= self.at).unwrap_or(0)
    }

    fn target(&self, step: Step) -> usize {
        let (before, after) = (self.before(), self.after());
        match step {
            Step::Left => before.grapheme_indices(true).next_back().map_or(0, |(i, _)| i),
            Step::Right => self.at + after.graphemes(true).next().map_or(0, str::len),
            Step::WordLeft => {
                let mut words = before.split_word_bound_indices();
                words.rfind(|(_, w)| w.chars().any(char::is_alphanumeric)).map_or(0, |(i, _)| i)
            }
            Step::WordRight => {
                let mut words = after.split_word_bound_indices();
                let word = words.find(|(_, w)| w.chars().any(char::is_alphanumeric));
                word.map_or(self.text.len(), |(i, w)| self.at + i + w.len())
            }
            Step::LineStart => before.rfind('\n').map_or(0, |i| i + 1),
            Step::LineEnd => after.find('\n').map_or(self.text.len(), |i| self.at + i),
        }
    }

    /// Joining texts can join graphemes: the cursor moves to the end of the one it would stand in.
    fn settle(&mut self) {
        let inside = self.text.grapheme_indices(true).find(|&(i, g)| i < self.at && self.at < i + g.len());
        if let Some((i, g)) = inside {
            self.at = i + g.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str) -> Editor {
        let mut editor = Editor::default();
        editor.set(text);
        editor
    }

    #[test]
    fn words_and_lines() {
        let mut e = with("one two, three");
        e.go(Step::WordLeft);
        assert_eq!(e.before(), "one two, ");
        e.delete_word_back();
        assert_eq!(e.text(), "one three");
        e.yank();
        assert_eq!(e.text(), "one two, three");
        e.go(Step::LineStart);
        e.delete(Step::WordRight);
        assert_eq!(e.text(), " two, three");
        e.delete(Step::LineEnd);
        assert!(e.is_empty());
        e.yank();
        assert_eq!(e.text(), " two, three");
        e.delete(Step::LineStart);
        assert!(e.is_empty());
    }

    #[test]
    fn a_letter_is_a_grapheme() {
        let mut e = with("e\u{301}👍🏽漢");
        e.delete(Step::Left);
        assert_eq!(e.text(), "e\u{301}👍🏽");
        e.delete(Step::Left);
        assert_eq!(e.text(), "e\u{301}");
        e.go(Step::Left);
        assert_eq!(e.before(), "");
        e.insert("x");
        e.delete(Step::Right);
        assert_eq!(e.text(), "x");
    }

    #[test]
    fn rows_know_the_cursor() {
        let e = with("漢字漢字漢字");
        let rows = e.rows(7);
        assert_eq!(rows.rows, ["漢字漢", "字漢字"]);
        assert_eq!((rows.cursor_row, rows.cursor_column), (1, 6));
        let e = with("a\n");
        let rows = e.rows(10);
        assert_eq!((rows.rows.len(), rows.cursor_row, rows.cursor_column), (2, 1, 0));
    }

    #[test]
    fn up_and_down_keep_the_column() {
        let mut e = with("first line\nab\nthird line");
        assert!(e.vertical(false, 40));
        assert_eq!(e.before(), "first line\nab");
        assert!(e.vertical(false, 40));
        assert_eq!(e.before(), "fi");
        assert!(!e.vertical(false, 40));
        assert!(e.vertical(true, 40));
        assert!(e.vertical(true, 40));
        assert!(!e.vertical(true, 40));
    }

    #[test]
    fn any_keys_in_any_order_leave_the_cursor_between_letters() {
        // A fixed walk over every pair of edits on awkward text.
        let steps = [Step::Left, Step::Right, Step::WordLeft, Step::WordRight, Step::LineStart, Step::LineEnd];
        for a in steps {
            for b in steps {
                let mut e = with("a\u{301}\u{302} 👩\u{200d}👧 \n🇫🇷🇩🇪 क्ष\tend");
                for _ in 0..6 {
                    e.go(a);
                    e.insert("\u{301}");
                    e.delete(b);
                    e.yank();
                    e.vertical(false, 4);
                    assert!(e.text().is_char_boundary(e.at));
                    let rows = e.rows(4);
                    assert!(rows.cursor_row < rows.rows.len());
                }
            }
        }
    }
}
