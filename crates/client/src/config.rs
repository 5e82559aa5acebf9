//! What a face decides before a client starts. Nothing here reads the environment: the program does, and passes it on.

use std::path::PathBuf;

use zeroize::Zeroizing;

/// How a client is opened.
#[derive(Debug, Default)]
pub struct ClientConfig {
    /// The data folder; none: everything stays in memory and is gone at the end.
    pub data: Option<PathBuf>,
    /// Where the vault's key may come from.
    pub unlock: Unlock,
    /// Added to this machine's clock (`--clock`), milliseconds.
    pub clock_offset_ms: i64,
    /// What happens when the face reads its events too slowly.
    pub delivery: Delivery,
}

/// Where the vault's key may come from, in the order in which it is tried: passphrase, keyring, question, memory.
#[derive(Default)]
pub struct Unlock {
    /// `ESTOILE_PASSPHRASE`, if it is set.
    pub passphrase: Option<Zeroizing<String>>,
    /// Whether the system's keyring may be used.
    pub keyring: bool,
    /// How to ask the user; none where there is no terminal.
    pub ask: Option<AskPassphrase>,
}

impl core::fmt::Debug for Unlock {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Unlock")
            .field("passphrase", &self.passphrase.is_some())
            .field("keyring", &self.keyring)
            .field("ask", &self.ask.is_some())
            .finish()
    }
}

/// Asks the user for the vault's passphrase; none: they would rather not. Called on a thread that may block.
pub type AskPassphrase = Box<dyn FnMut(Ask) -> Option<Zeroizing<String>> + Send>;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// A passphrase for a new vault; a face asks twice.
    New,
    /// The passphrase of the vault that is there.
    Existing,
    /// The one given was wrong; once more.
    Again,
}

/// What happens when a face reads its events too slowly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delivery {
    /// Events are dropped and one `Reload` stands for them: for faces with a screen.
    #[default]
    Interactive,
    /// Nothing is dropped: the client stops reading from its relays until there is room. For pipes.
    Lossless,
}
