//! The relay's driver: sockets, store, timers and logs around the rules of `estoile-hub`.
//!
//! This layer decides nothing about logs and records (the hub does) and has never seen a key that opens a body: it can't
//! even reach the crate that could. What it adds is bounded: every socket, queue and wait has a limit in
//! [`config::SocketBounds`] or in the hub's own.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use estoile_relay::{Relay, RelayConfig};
//!
//! let relay = Relay::start(RelayConfig::new("127.0.0.1:0".parse()?, "relay-data"))?;
//! println!("listening on {}", relay.url());
//! relay.shutdown().await?;
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod blobs;
mod committer;
pub mod config;
mod core;
mod error;
mod files;
mod folder;
mod http;
mod identity;
mod io;
pub mod log;
mod metrics;
mod outgoing;
mod reading;
mod relay;
mod session;
pub mod site;
pub mod store;
mod tls;
mod transfer;
mod ws;

pub use config::{BlobBounds, Entry, RelayConfig, SocketBounds, Tls};
pub use error::{StartError, StopError};
pub use relay::Relay;
pub use site::Site;
