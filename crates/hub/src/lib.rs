//! The relay's rules: what a session may do and what a log answers.
//!
//! This layer does no I/O, reads no clock, opens no body and knows no seal. A driver owns sockets, timers and the disk.
//!
//! - [`session::Session`]: one connection, from hello to end; every frame of a client goes through it;
//! - [`shard::Shard`]: some of the relay's logs; many sessions share it, behind one lock of the driver's;
//! - [`store::Store`]: what a disk must do, as [`conformance`] checks it, with [`memory::MemoryStore`] beside the relay's real one;
//! - [`queue::Queue`]: a session's outgoing frames, bounded;
//! - [`hub::Hub`]: all of it in one thread, for simulation;
//! - [`config::Config`], [`rules::Rules`]: every bound, the relay's key, who may create.
#![forbid(unsafe_code)]

pub mod blobs;
pub mod codes;
pub mod config;
pub mod conformance;
pub mod hub;
mod log;
pub mod memory;
pub mod queue;
mod rate;
pub mod rules;
pub mod session;
pub mod shard;
pub mod store;

pub use log::{Asker, SessionId, Standing};
