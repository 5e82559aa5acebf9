//! The terminal face: rooms, messages, people, as plain data on a screen.
#![forbid(unsafe_code)]

pub mod inert;
