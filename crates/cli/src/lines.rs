//! What `send` sends: one text from the command line, or the lines of stdin, read on a thread of their own.

use std::io::{BufRead, ErrorKind};

use estoile_engine::MAX_TEXT;
use tokio::sync::mpsc;

use crate::fail::Failure;

/// Lines read ahead of what is being sent.
const AHEAD: usize = 64;

/// One line of stdin.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// A message.
    Text(String),
    /// No message, and why.
    Bad(String),
}

/// The messages to send, in order.
pub(crate) fn source(text: Option<String>) -> Result<mpsc::Receiver<Line>, Failure> {
    let (sender, lines) = mpsc::channel(AHEAD);
    match text {
        Some(text) => drop(sender.try_send(Line::Text(text))),
        None => {
            std::thread::Builder::new()
                .name("stdin".into())
                .spawn(move || read(std::io::stdin().lock(), &sender))
                .map_err(|e| Failure::new(format_args!("stdin can't be read: {e}")))?;
        }
    }
    Ok(lines)
}

/// Reads to the end; ends early when nobody takes the lines.
fn read(mut input: impl BufRead, lines: &mpsc::Sender<Line>) {
    for number in 1_u64.. {
        let line = match next(&mut input, number) {
            Ok(Some(line)) => line,
            Ok(None) => return,
            Err(e) => Line::Bad(format!("stdin can't be read any further ({e}); check what it is connected to")),
        };
        if line == Line::Text(String::new()) {
            continue;
        }
        let last = matches!(&line, Line::Bad(why) if why.starts_with("stdin"));
        if lines.blocking_send(line).is_err() || last {
            return;
        }
    }
}

/// The next line without its end; none after the last. A line longer than a message is passed over, never held whole.
fn next(input: &mut impl BufRead, number: u64) -> std::io::Result<Option<Line>> {
    let mut line = Vec::new();
    let mut length = 0_usize;
    loop {
        let chunk = match input.fill_buf() {
            Ok(chunk) => chunk,
            Err(e) if e.kind() == ErrorKind::Interrupted => continue,
            Err(e) => return Err(e),
        };
        let end = chunk.iter().position(|&b| b == b'\n');
        let part = chunk.get(..end.unwrap_or(chunk.len())).unwrap_or_default();
        length = length.saturating_add(part.len());
        if length <= MAX_TEXT.saturating_add(1) {
            line.extend_from_slice(part);
        }
        let (read, ended) = (part.len().saturating_add(usize::from(end.is_some())), chunk.is_empty());
        input.consume(read);
        if ended && length == 0 {
            return Ok(None);
        }
        if ended || end.is_some() {
            return Ok(Some(judge(line, length, number)));
        }
    }
}

fn judge(mut line: Vec<u8>, length: usize, number: u64) -> Line {
    let whole = line.len() == length;
    if whole && line.last() == Some(&b'\r') {
        line.pop();
    }
    let length = if whole { line.len() } else { length };
    if length > MAX_TEXT {
        return Line::Bad(format!("line {number} has {length} bytes and a message holds {MAX_TEXT}; send it in parts"));
    }
    String::from_utf8(line)
        .map_or_else(|_| Line::Bad(format!("line {number} is not UTF-8 text; convert it first")), Line::Text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: &[u8]) -> Vec<Line> {
        let (sender, mut receiver) = mpsc::channel(AHEAD);
        read(std::io::BufReader::with_capacity(7, input), &sender);
        drop(sender);
        core::iter::from_fn(|| receiver.blocking_recv()).collect()
    }

    fn text(text: &str) -> Line {
        Line::Text(text.into())
    }

    #[test]
    fn one_message_a_line() {
        assert_eq!(
            lines(b"one\ntwo words\r\n\nlast without end"),
            [text("one"), text("two words"), text("last without end")]
        );
        assert_eq!(lines(b""), []);
    }

    #[test]
    fn the_longest_message_passes_and_one_byte_more_does_not() {
        let longest = "x".repeat(MAX_TEXT);
        assert_eq!(lines(format!("{longest}\nafter\n").as_bytes()), [text(&longest), text("after")]);
        for surplus in [1, 2, 3, 100_000] {
            let found = lines(format!("{longest}{}\nafter\n", "y".repeat(surplus)).as_bytes());
            let [Line::Bad(why), after] = found.as_slice() else { panic!("{} lines", found.len()) };
            assert!(why.starts_with(&format!("line 1 has {} bytes", MAX_TEXT + surplus)), "{why}");
            assert_eq!(*after, text("after"));
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_told_with_their_line() {
        let found = lines(b"good\n\xff\xfe\ngood again\n");
        assert_eq!(found.len(), 3);
        assert!(matches!(&found[1], Line::Bad(why) if why.starts_with("line 2 ")));
    }
}
