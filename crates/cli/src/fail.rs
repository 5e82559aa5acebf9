//! How a command ends when it can't do what it was asked: an exit code, and a text that says what happened, why, and
//! what to do.

use core::fmt::Display;
use std::io::Write as _;

/// Not done.
pub(crate) const NOT_DONE: u8 = 1;
/// The command line can't be understood.
pub(crate) const USAGE: u8 = 2;
/// Ended by Ctrl-C, as shells count it.
pub(crate) const INTERRUPTED: u8 = 130;

/// Why a command ends early.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The exit code.
    pub(crate) code: u8,
    /// What stands on stderr; empty: nothing.
    pub(crate) text: String,
}

/// A command's end.
pub(crate) type Outcome = Result<(), Failure>;

impl Failure {
    /// It was not done.
    pub(crate) fn new(text: impl Display) -> Self {
        Self { code: NOT_DONE, text: text.to_string() }
    }

    /// It was not understood.
    pub(crate) fn usage(text: impl Display) -> Self {
        Self { code: USAGE, text: text.to_string() }
    }

    /// The user pressed Ctrl-C, and knows it.
    pub(crate) const fn interrupted() -> Self {
        Self { code: INTERRUPTED, text: String::new() }
    }
}

/// Talk, on stderr. One that can't be written has no reader.
pub(crate) fn say(text: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
