//! Columns: how wide text is, how it wraps, how it is cut to fit.
//!
//! Measured exactly as the screen buffer measures (grapheme by grapheme), so that what is planned is what is drawn.
//! Knows nothing of what the text means; it must be inert already.

use ratatui::buffer::CellWidth;
use unicode_segmentation::UnicodeSegmentation;

/// Columns that text takes.
#[must_use]
pub(crate) fn width(text: &str) -> usize {
    pieces(text).map(|(_, w)| w).sum()
}

/// Columns as the screen counts them; more than a screen can have is the same as the most it can have.
#[must_use]
pub(crate) fn columns(n: usize) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}

/// A cluster of more columns than this (endless conjuncts, chains of prefixes) is taken apart, so that none can be wider
/// than a pane. Honest ones have up to three.
const WIDEST: usize = 4;

/// Graphemes with their widths.
pub(crate) fn pieces(text: &str) -> impl Iterator<Item = (&str, usize)> {
    text.graphemes(true).flat_map(|cluster| {
        let whole = usize::from(if is_control(cluster) { 0 } else { cluster.cell_width() });
        let split = whole > WIDEST;
        let one = (!split).then_some((cluster, whole));
        let many = split.then(|| {
            cluster.char_indices().filter_map(move |(at, c)| {
                let piece = cluster.get(at..at + c.len_utf8())?;
                Some((piece, unicode_width::UnicodeWidthChar::width(c).unwrap_or(0)))
            })
        });
        one.into_iter().chain(many.into_iter().flatten())
    })
}

fn is_control(cluster: &str) -> bool {
    cluster.contains(char::is_control)
}

/// Cuts text to at most `max` columns, with an ellipsis where something is missing.
#[must_use]
pub(crate) fn fit(text: &str, max: usize) -> String {
    if width(text) <= max {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for (piece, w) in pieces(text) {
        if used + w + 1 > max {
            break;
        }
        out.push_str(piece);
        used += w;
    }
    if max > 0 {
        out.push('…');
    }
    out
}

/// Cuts text to `max` columns and fills what is left with spaces.
#[must_use]
pub(crate) fn pad(text: &str, max: usize) -> String {
    let mut out = fit(text, max);
    let used = width(&out);
    out.extend(core::iter::repeat_n(' ', max.saturating_sub(used)));
    out
}

/// Breaks text into rows of at most `max` columns: at line ends, else at spaces, else anywhere.
#[must_use]
pub(crate) fn wrap(text: &str, max: usize) -> Vec<String> {
    let max = max.max(WIDEST);
    let mut rows = Vec::new();
    for line in text.split('\n') {
        wrap_line(line, max, &mut rows);
    }
    rows
}

fn wrap_line(line: &str, max: usize, rows: &mut Vec<String>) {
    let mut row = String::new();
    let mut used = 0;
    for word in line.split_word_bounds() {
        let wide = width(word);
        if used + wide <= max {
            row.push_str(word);
            used += wide;
            continue;
        }
        if word.chars().all(char::is_whitespace) {
            // The space at which a row breaks is not carried over to the next one.
            rows.push(core::mem::take(&mut row));
            used = 0;
            continue;
        }
        if wide <= max {
            // A punctuation mark stays with its word: split before the last word instead.
            let carried = carry(&mut row, word);
            let carried_wide = width(&carried);
            if !row.is_empty() {
                rows.push(core::mem::take(&mut row));
            }
            if carried_wide + wide <= max {
                row = carried;
                used = carried_wide;
            } else {
                rows.push(carried);
                used = 0;
            }
            row.push_str(word);
            used += wide;
            continue;
        }
        for (piece, w) in pieces(word) {
            if used + w > max {
                rows.push(core::mem::take(&mut row));
                used = 0;
            }
            row.push_str(piece);
            used += w;
        }
    }
    trim_end(&mut row);
    rows.push(row);
    for row in rows.iter_mut() {
        trim_end(row);
    }
}

/// What must go to the next row together with `word`: the last word of the row when `word` only punctuates it.
fn carry(row: &mut String, word: &str) -> String {
    if word.chars().any(char::is_alphanumeric) {
        return String::new();
    }
    match row.rfind(' ') {
        Some(at) => row.split_off(at + 1),
        None => String::new(),
    }
}

fn trim_end(row: &mut String) {
    let end = row.trim_end_matches(' ').len();
    row.truncate(end);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_the_screens() {
        for text in ["a", "漢字", "e\u{301}", "👍", "🇫🇷", "שלום", "مرحبا لا", "नमस्ते", "ﾊﾞ", "क्षि"]
        {
            let mut buffer = ratatui::buffer::Buffer::empty(ratatui::layout::Rect::new(0, 0, 40, 1));
            let (end, _) = buffer.set_stringn(0, 0, text, 40, ratatui::style::Style::new());
            assert_eq!(usize::from(end), width(text), "{text}");
        }
    }

    #[test]
    fn no_row_is_too_wide_and_no_letter_is_lost() {
        let texts = [
            "the quick brown fox jumps over the lazy dog",
            "a-very-long-word-that-does-not-fit-anywhere-at-all",
            "漢字かな交じり文は空白なしで続く",
            "mixed 漢字 and e\u{301}e\u{301}e\u{301} 👍👍👍👍 text, with commas.",
            "क्क्क्क्क्क्क्क्क्क्क्क्क्क्क्क्क्क्",
            "\u{600}\u{600}\u{600}\u{600}\u{600}\u{600}",
            "",
            "    indented code",
            "one\n\ntwo\n",
        ];
        for text in texts {
            for max in 4..30 {
                let rows = wrap(text, max);
                assert!(rows.iter().all(|r| width(r) <= max), "{text:?} at {max}: {rows:?}");
                let strip = |s: &str| s.chars().filter(|c| !c.is_whitespace()).collect::<String>();
                assert_eq!(strip(&rows.concat()), strip(text), "{text:?} at {max}");
            }
        }
    }

    #[test]
    fn breaks_stand_where_a_reader_expects_them() {
        assert_eq!(wrap("hello world again", 11), ["hello world", "again"]);
        assert_eq!(wrap("hello world, again", 11), ["hello", "world,", "again"]);
        assert_eq!(wrap("one\n\ntwo", 10), ["one", "", "two"]);
        assert_eq!(wrap("  two spaces", 20), ["  two spaces"]);
        assert_eq!(wrap("漢字漢字", 5), ["漢字", "漢字"]);
    }

    #[test]
    fn cut_and_padded() {
        assert_eq!(fit("Alexandria", 5), "Alex…");
        assert_eq!(fit("漢字漢字", 4), "漢…");
        assert_eq!(fit("ab", 0), "");
        assert_eq!(pad("漢", 4), "漢  ");
        assert_eq!(width(&pad("漢字漢字", 4)), 4);
    }
}
