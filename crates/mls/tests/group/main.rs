//! Groups through the crate's public door: people, their devices, and a log that is sometimes hostile.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test: what is missing must stop it")]
#![allow(clippy::disallowed_methods, reason = "OpenMLS judges lifetimes by this machine's clock: so must these tests")]

mod hostile;
mod life;
mod log;
mod peer;
mod people;
mod raw;
