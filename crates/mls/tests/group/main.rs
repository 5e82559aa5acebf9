//! Groups through the crate's public door: people, their devices, and a log that is sometimes hostile.

mod hostile;
mod life;
mod log;
mod peer;
mod people;
mod raw;
