//! The terminal face: rooms, messages, people, as plain data on a screen.
//!
//! The way through it: [`run`] takes the terminal and loops; everything that can wake it becomes one kind of message;
//! the state (`app`) turns a message into acts, and does nothing by itself; the view draws the state. Peers' text is
//! made [`inert`] before it is drawn. This layer knows no keys, no sockets and no files.
#![forbid(unsafe_code)]

mod app;
mod backend;
mod commands;
mod editor;
pub mod inert;
mod lay;
mod options;
mod run;
mod terminal;
mod text;
mod theme;
mod time;
mod timeline;
mod view;

pub use backend::{Backend, EventSource, OpenFailure, Wait};
pub use jiff::tz::TimeZone;
pub use options::Options;
pub use run::{Exit, RunError, run, run_with};
pub use theme::ThemeName;
