//! What private rooms need of a relay: epochs that end, tickets, shelves and blobs.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test: what is missing must stop it")]

#[path = "../common/mod.rs"]
mod common;

mod blobs;
mod epochs;
mod reads;
mod shelf;
mod support;
mod tickets;
