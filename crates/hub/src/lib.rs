//! The relay's rules: what a session may do and what a log answers.
//!
//! This layer does no I/O, reads no clock, opens no body and knows no seal. A driver owns sockets, timers and the disk.
#![forbid(unsafe_code)]

pub mod config;
pub mod memory;
pub mod queue;
pub mod store;
