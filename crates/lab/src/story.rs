//! What happened in an experiment, line by line: for `--explain`, and for whoever mends what it found.

use estoile_wire::Millis;

/// Lines kept; a story that is longer has lost its thread.
const MOST_LINES: usize = 200;

/// A line: when, since the world began, and what.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Line {
    /// Milliseconds of virtual time since the beginning.
    pub at: Millis,
    /// What happened.
    pub what: String,
}

/// The lines.
#[derive(Clone, Debug, Default)]
pub(crate) struct Story(Vec<Line>);

impl Story {
    pub(crate) fn tell(&mut self, at: Millis, what: String) {
        if self.0.len() < MOST_LINES {
            self.0.push(Line { at, what });
        }
    }

    pub(crate) fn into_lines(self) -> Vec<Line> {
        self.0
    }
}

/// A time of a story, for people: `3 s`, `12 min 5 s`, `1 d 0 h`.
#[must_use]
pub fn clock(at: Millis) -> String {
    let seconds = at / 1_000;
    match seconds {
        0..60 => format!("{}.{:01} s", seconds, at % 1_000 / 100),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}
