//! A message's text as blocks and pieces: the part of GFM that people type in a chat. No HTML, no pictures.
//!
//! Pure, bounded, and forgiving: what is not understood stands there as typed. Text must be inert already
//! ([`crate::model::inert::block`]). A link's true target is beside its words, for the dialog that shows it first.

/// Quotes and lists within each other, at most.
const MAX_DEPTH: usize = 4;

/// What is marked or linked is at most so long: beyond it nobody means it, and looking for its end would take its time.
const MAX_SPAN: usize = 1000;

/// Pieces of one message: whatever a peer sends, so many elements at most.
const MAX_PIECES: usize = 2000;

/// A block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// Lines of text.
    Paragraph(Vec<Piece>),
    /// `# …`
    Heading(Vec<Piece>),
    /// Fenced with three backquotes.
    Code(String),
    /// Lines that begin with `>`.
    Quote(Vec<Block>),
    /// Lines that begin with `- ` or `1. `.
    List {
        /// Numbered, from this number on.
        from: Option<u32>,
        /// Its items.
        items: Vec<Vec<Piece>>,
    },
}

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// As typed.
    Text(String),
    /// A line ends.
    Break,
    /// `` `code` ``
    Code(String),
    /// `*emphasis*`
    Em(Vec<Piece>),
    /// `**strong**`
    Strong(Vec<Piece>),
    /// `~~struck~~`
    Struck(Vec<Piece>),
    /// A link: its words, and where it leads.
    Link(String, String),
}

/// Reads a message.
#[must_use]
pub fn read(text: &str) -> Vec<Block> {
    let lines: Vec<&str> = text.lines().collect();
    blocks(&lines, 0, &mut Budget(MAX_PIECES))
}

/// How many pieces may still be made.
struct Budget(usize);

impl Budget {
    const fn take(&mut self) -> bool {
        let left = self.0 > 0;
        self.0 = self.0.saturating_sub(1);
        left
    }
}

fn blocks(lines: &[&str], depth: usize, budget: &mut Budget) -> Vec<Block> {
    let mut out = Vec::new();
    let mut rest = lines;
    while let Some((&line, after)) = rest.split_first() {
        if line.trim().is_empty() {
            rest = after;
            continue;
        }
        if !budget.take() {
            // Enough was made of it: the rest stands there as typed.
            out.push(Block::Paragraph(vec![Piece::Text(rest.join("\n"))]));
            return out;
        }
        let (block, taken) = block(line, rest, depth, budget);
        out.push(block);
        rest = rest.get(taken.max(1)..).unwrap_or_default();
    }
    out
}

/// The block that begins with this line, and how many lines it takes.
fn block(line: &str, lines: &[&str], depth: usize, budget: &mut Budget) -> (Block, usize) {
    if let Some(fence) = fence(line) {
        let inside = lines.iter().skip(1).take_while(|l| !closes(l, fence)).copied().collect::<Vec<_>>();
        // The closing line is taken too, if there is one.
        return (Block::Code(inside.join("\n")), inside.len() + 2);
    }
    if depth < MAX_DEPTH && quoted(line).is_some() {
        let inside: Vec<&str> = lines.iter().map_while(|l| quoted(l)).collect();
        return (Block::Quote(blocks(&inside, depth + 1, budget)), inside.len());
    }
    if let Some(from) = item(line).map(|(from, _)| from) {
        let same = |l: &&str| item(l).filter(|(f, _)| f.is_some() == from.is_some()).map(|(_, text)| text.to_owned());
        let texts: Vec<String> = lines.iter().map_while(same).collect();
        let items = texts.iter().map(|t| pieces(t, 0, budget)).collect();
        return (Block::List { from, items }, texts.len());
    }
    if let Some(text) = heading(line) {
        return (Block::Heading(pieces(text, 0, budget)), 1);
    }
    let ends = |l: &str| {
        l.trim().is_empty() || fence(l).is_some() || item(l).is_some() || (depth < MAX_DEPTH && quoted(l).is_some())
    };
    let count = 1 + lines.iter().skip(1).take_while(|l| !ends(l)).count();
    let mut out = Vec::new();
    for (at, line) in lines.iter().take(count).enumerate() {
        if at > 0 {
            out.push(Piece::Break);
        }
        out.extend(pieces(line, 0, budget));
    }
    (Block::Paragraph(out), count)
}

fn fence(line: &str) -> Option<char> {
    let line = line.trim_start();
    ['`', '~'].into_iter().find(|&c| line.chars().take_while(|&l| l == c).count() >= 3)
}

fn closes(line: &str, fence: char) -> bool {
    let line = line.trim();
    line.len() >= 3 && line.chars().all(|c| c == fence)
}

fn quoted(line: &str) -> Option<&str> {
    let inside = line.strip_prefix('>')?;
    Some(inside.strip_prefix(' ').unwrap_or(inside))
}

fn heading(line: &str) -> Option<&str> {
    let text = line.trim_start_matches('#');
    let marks = line.len() - text.len();
    (1..=6).contains(&marks).then(|| text.strip_prefix(' ')).flatten().map(str::trim)
}

/// An item's number, if it has one, and its text.
fn item(line: &str) -> Option<(Option<u32>, &str)> {
    let line = line.trim_start();
    if let Some(text) = ["- ", "* ", "+ "].iter().find_map(|mark| line.strip_prefix(mark)) {
        return Some((None, text));
    }
    let (number, text) = line.split_once(['.', ')'])?;
    let number: u32 = number.parse().ok().filter(|_| number.len() <= 6 && !number.starts_with('+'))?;
    text.strip_prefix(' ').map(|text| (Some(number), text))
}

/// The pieces of a line.
fn pieces(text: &str, depth: usize, budget: &mut Budget) -> Vec<Piece> {
    let mut out = Vec::new();
    let (mut plain, mut rest, mut before) = (String::new(), text, None);
    while let Some(c) = rest.chars().next() {
        let found = piece(rest, before, depth, budget);
        let taken = found.as_ref().map_or(c.len_utf8(), |(_, taken)| *taken);
        match found {
            Some((piece, _)) => {
                if !plain.is_empty() {
                    out.push(Piece::Text(core::mem::take(&mut plain)));
                }
                out.push(piece);
            }
            None => plain.push(c),
        }
        before = rest.get(..taken).and_then(|t| t.chars().next_back());
        rest = rest.get(taken..).unwrap_or_default();
    }
    if !plain.is_empty() {
        out.push(Piece::Text(plain));
    }
    out
}

/// The piece that begins here, if anything but text does, and how many bytes it takes.
fn piece(rest: &str, before: Option<char>, depth: usize, budget: &mut Budget) -> Option<(Piece, usize)> {
    let first = rest.chars().next()?;
    let whole = rest;
    let rest = rest.get(..rest.floor_char_boundary(MAX_SPAN))?;
    let at_word = before.is_none_or(|c| !c.is_alphanumeric());
    let found = match first {
        '\\' => {
            let next = rest.chars().nth(1).filter(char::is_ascii_punctuation)?;
            Some((Piece::Text(next.to_string()), 1 + next.len_utf8()))
        }
        '`' => code(rest),
        '*' | '_' | '~' if depth < MAX_DEPTH && (first == '*' || at_word) => marked(rest, depth, budget),
        '[' => named_link(rest),
        'h' | 'H' if at_word && rest.get(..4).is_some_and(|t| t.eq_ignore_ascii_case("http")) => {
            bare_link(rest).filter(|(_, taken)| *taken < rest.len() || rest.len() == whole.len())
        }
        _ => None,
    }?;
    budget.take().then_some(found)
}

fn code(rest: &str) -> Option<(Piece, usize)> {
    let marks = rest.len() - rest.trim_start_matches('`').len();
    let mark = rest.get(..marks)?;
    let inside = rest.get(marks..)?;
    let end = inside.find(mark)?;
    let text = inside.get(..end)?;
    (!text.is_empty()).then(|| (Piece::Code(text.to_owned()), marks + end + marks))
}

/// `*a*`, `_a_`, `**a**`, `__a__`, `~~a~~`: opened before a letter, closed behind one, within the line.
fn marked(rest: &str, depth: usize, budget: &mut Budget) -> Option<(Piece, usize)> {
    let (mark, make): (&str, fn(Vec<Piece>) -> Piece) = [
        ("**", Piece::Strong as fn(Vec<Piece>) -> Piece),
        ("__", Piece::Strong),
        ("~~", Piece::Struck),
        ("*", Piece::Em),
        ("_", Piece::Em),
    ]
    .into_iter()
    .find(|(mark, _)| rest.starts_with(mark))?;
    let inside = rest.get(mark.len()..)?;
    if inside.starts_with(char::is_whitespace) {
        return None;
    }
    let close = inside.match_indices(mark).map(|(at, _)| at).find(|&at| {
        let (text, after) = inside.split_at(at);
        let after = after.get(mark.len()..).unwrap_or_default();
        let next = after.chars().next();
        let longer = mark.len() == 1 && (next.is_some_and(|c| mark.starts_with(c)) || text.ends_with(mark));
        let in_word = mark.starts_with('_') && next.is_some_and(char::is_alphanumeric);
        !text.is_empty() && !text.ends_with(char::is_whitespace) && !longer && !in_word
    })?;
    // Of three in a row, the first closes what is inside.
    let after = inside.get(close + mark.len()..).unwrap_or_default();
    let close = close + usize::from(mark.len() == 2 && after.starts_with(|c| mark.starts_with(c)));
    let text = inside.get(..close)?;
    Some((make(pieces(text, depth + 1, budget)), mark.len() * 2 + close))
}

/// `[words](https://…)`
fn named_link(rest: &str) -> Option<(Piece, usize)> {
    let words_end = rest.find("](")?;
    let words = rest.get(1..words_end).filter(|w| !w.is_empty() && !w.contains(['[', '\n']))?;
    let target_on = rest.get(words_end + 2..)?;
    let target_end = target_on.find(')')?;
    let target = target_on.get(..target_end).filter(|t| is_target(t))?;
    Some((Piece::Link(words.to_owned(), target.to_owned()), words_end + 2 + target_end + 1))
}

/// `https://…` as it stands in a sentence: what ends the sentence does not belong to it.
fn bare_link(rest: &str) -> Option<(Piece, usize)> {
    let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '`')).unwrap_or(rest.len());
    let mut target = rest.get(..end)?;
    loop {
        let shorter = target.trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', '*', '_', '~']);
        let unpaired = shorter.ends_with(')') && shorter.matches(')').count() > shorter.matches('(').count();
        let shorter = if unpaired { shorter.strip_suffix(')').unwrap_or(shorter) } else { shorter };
        if shorter == target {
            break;
        }
        target = shorter;
    }
    is_target(target).then(|| (Piece::Link(target.to_owned(), target.to_owned()), target.len()))
}

/// Only what a browser opens as a page: no `javascript:`, no `data:`, nothing without a host.
#[must_use]
pub fn is_target(target: &str) -> bool {
    let lower = target.get(..8).unwrap_or(target).to_ascii_lowercase();
    let host = ["https://", "http://"].iter().find(|s| lower.starts_with(*s)).and_then(|s| target.get(s.len()..));
    host.is_some_and(|h| h.starts_with(|c: char| c.is_alphanumeric() || c == '['))
        && !target.contains(|c: char| c.is_whitespace() || c.is_control())
}

#[cfg(test)]
mod tests;
