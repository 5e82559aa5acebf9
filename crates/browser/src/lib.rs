//! The web client's driver: vault, sockets, timers and generator of a browser around [`estoile_engine`], in a worker of its
//! own, so that the page never waits.
//!
//! This layer decides nothing about rooms, letters or trust: it carries inputs to the engine, writes each turn to the vault,
//! and releases the turn's effects only when the vault has answered that they are durable. The page speaks to it through
//! [`estoile_port`]. What touches the browser stands in `wasm`; all else is generic over [`outside::Outside`] and tested
//! without one.
//!
//! The way through it: [`Client::run`] takes from the [`inbox::Inbox`] what happened, makes one turn of it, commits, and
//! posts what it led to. `stages` says how a vault is opened, `proof` what must be right before it is used, `mind` what speaks for it until all is read, `talk` how a page
//! is answered, `driver` how a turn goes.
#![forbid(unsafe_code)]

pub mod blob;
mod client;
mod driver;
mod head;
pub mod inbox;
mod lines;
mod mind;
pub mod outside;
mod proof;
mod relays;
mod scan;
mod settings;
mod shelf;
mod stages;
pub mod stretch;
mod talk;
#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
mod wasm;

pub use client::Client;
#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
pub use wasm::{later, start, stretch};
