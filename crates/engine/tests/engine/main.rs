//! The engine against a real hub in memory, in virtual time.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a crate of tests: its helpers fail by panicking too"
)]

mod abuse;
mod accounts_back;
mod accounts_devices;
mod accounts_history;
mod accounts_moves;
mod accounts_people;
mod accounts_restore;
mod accounts_world;
mod classroom;
mod hostile;
mod lies;
mod restart;
mod talk;
mod world;
