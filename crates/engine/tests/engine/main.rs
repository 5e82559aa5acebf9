//! The engine against a real hub in memory, in virtual time.

mod talk;
mod world;
