//! The engine against a real hub in memory, in virtual time.

mod classroom;
mod hostile;
mod restart;
mod talk;
mod world;
