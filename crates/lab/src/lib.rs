//! The laboratory: every attack that has worked against a messenger, tried on the real engine behind a relay that cheats.
//!
//! An attack is a [`case`](self) with what is promised against it; an experiment carries it out in a small world of real
//! engines and a real hub, in virtual time, and looks at what users see, what crosses the wire, and what is stored. The same
//! attacks are tried on the four lower rungs of the classroom's ladder, which exist here and nowhere else.
//!
//! This layer knows every public door of the pure crates, and no socket, terminal or page: faces draw its rows.
#![forbid(unsafe_code)]

mod bench;
mod case;
mod cases;
mod hostile;
mod insider;
mod ladder;
mod outcome;
mod report;
mod run;
mod search;
mod story;
mod threats;
mod world;

pub use outcome::{Outcome, Row, Seal};
pub use report::html;
pub use run::{About, Counts, Options, about, counts, run, weaknesses};
pub use story::{Line, clock};
pub use threats::threats;
