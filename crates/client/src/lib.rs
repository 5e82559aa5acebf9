//! The client's driver: sockets, the vault's file, timers and the keyring around [`estoile_engine`].
//!
//! This layer decides nothing about rooms, letters or trust: it carries inputs to the engine, writes each turn to the
//! vault, and releases the turn's effects only when the vault has answered that they are durable.
//!
//! The way through it:
//! 1. [`Client::open`] unlocks the vault and starts the one loop; it returns a [`Handle`] and [`Events`].
//! 2. A face sends [`estoile_engine::Command`]s through the handle, and asks it for snapshots.
//! 3. What changes comes as [`estoile_engine::Event`]s, in order. A face that chose [`Delivery::Interactive`] and was
//!    too slow gets one `Reload`, and asks for a snapshot.
//! 4. [`Handle::close`] says goodbye to the rooms, waits for what is on its way, and frees the data folder.
#![forbid(unsafe_code)]

mod blob;
mod client;
mod clock;
mod config;
#[cfg(unix)]
mod control;
mod driver;
mod error;
mod events;
mod glue;
mod handle;
mod net;
mod road;
mod store;
mod stretch;

pub use client::Client;
pub use config::{Ask, AskPassphrase, ClientConfig, Delivery, Unlock};
pub use error::OpenError;
pub use estoile_seal::link::{Link, LinkKind};
pub use events::Events;
pub use glue::{OpenOptions, loopback_host, open_link};
pub use handle::{Handle, Page, Pending, VaultPlace};
pub use net::Stream;
pub use road::{Road, RoadError, reach, vouched};
