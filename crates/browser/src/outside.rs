//! What a client needs around it. The browser is one such outside (`wasm`), the tests' scripted one another.

use core::future::Future;
use std::sync::Arc;

use estoile_engine::vault::BackendError;
use estoile_engine::{Backend, Lost, RelayId};
use estoile_port::Downs;
use estoile_wire::Millis;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::stretch::Job;

/// All that a client has around it but its store.
pub trait Outside {
    /// Where sealed entries are kept.
    type Store: Keep;
    /// The system's generator.
    type Rng: CryptoRng + 'static;

    /// What this place lacks for a client to work, in a sentence.
    ///
    /// # Errors
    /// The sentence.
    fn able(&self) -> Result<(), String>;
    /// The wall clock, milliseconds since 1970.
    fn now(&self) -> Millis;
    /// The generator.
    fn rng(&self) -> Self::Rng;
    /// Tells the page.
    fn post(&self, downs: &Downs);
    /// Something that must never happen has happened: for the console, and for tests to fail by.
    fn fault(&self, what: &str);
    /// An [`crate::inbox::Incoming::Alarm`] after so many milliseconds, in the place of any earlier one.
    fn alarm(&mut self, after: u64);
    /// Waits.
    fn pause(&self, milliseconds: u64) -> impl Future<Output = ()>;

    /// Becomes the one tab that has the vault; false if another is. Then [`crate::inbox::Incoming::Freed`] may follow.
    ///
    /// # Errors
    /// A sentence, where tabs can't know of each other.
    fn own(&mut self, take_over: bool) -> impl Future<Output = Result<bool, String>>;
    /// Whether this tab has the vault, as far as it was told.
    fn owns(&self) -> bool;
    /// The store of this place, claimed for this tab: whoever had it before can't write it any more.
    ///
    /// # Errors
    /// Why nothing can be kept here, in a sentence.
    fn store(&mut self) -> impl Future<Output = Result<Self::Store, String>>;
    /// Whether the store stays when space is short.
    fn persistent(&self) -> impl Future<Output = bool>;

    /// Stretches a passphrase beside the loop; answered by [`crate::inbox::Incoming::Stretched`].
    fn stretch(&mut self, number: u64, job: Job);
    /// Stops that.
    fn stop(&mut self, number: u64);

    /// Opens a session at a URL (`wss:` or `ws:`), in the place of any earlier connection to that relay.
    fn connect(&mut self, relay: RelayId, connection: u64, url: &str);
    /// Sends a frame.
    ///
    /// # Errors
    /// Why the connection was given up instead.
    fn send(&mut self, relay: RelayId, frame: &[u8]) -> Result<(), Lost>;
    /// Ends a connection.
    fn disconnect(&mut self, relay: RelayId);
    /// Puts or gets a blob.
    fn transfer(&mut self, round: u64, transfer: Transfer);
}

/// A store that a vault's head lies in, too: what says how the vault's key is found. Clones are the same store.
///
/// Every write happens only if nobody else has claimed the store since; else it fails, and the outside owns no more.
pub trait Keep: Backend + Clone + 'static {
    /// What seals the vault's key where there is no passphrase. It may never leave this place.
    type Wrapping;

    /// The head.
    fn head(&self) -> impl Future<Output = Result<Option<Vec<u8>>, BackendError>>;
    /// Puts another head in its place, with what its key is wrapped by, or with nothing of that kind any more.
    fn put_head(
        &mut self,
        head: Vec<u8>,
        wrapping: Option<Self::Wrapping>,
    ) -> impl Future<Output = Result<(), BackendError>>;
    /// Wraps a key by something fresh that this place makes.
    fn wrap(&self, key: &[u8; 32]) -> impl Future<Output = Result<(Vec<u8>, Self::Wrapping), BackendError>>;
    /// Unwraps a key by what was put with the head.
    fn unwrap(&self, wrapped: &[u8]) -> impl Future<Output = Result<Zeroizing<[u8; 32]>, BackendError>>;
    /// The store was taken away while it was open: what was kept is gone, and nothing can be written.
    fn is_gone(&self) -> bool;
    /// Takes everything out.
    fn erase(&mut self) -> impl Future<Output = Result<(), BackendError>>;
}

/// A blob's way, and where it goes.
#[derive(Clone, Debug)]
pub struct Transfer {
    /// Which relay.
    pub relay: RelayId,
    /// Its URL.
    pub url: String,
    /// The blob's address.
    pub hash: [u8; 32],
    /// Which way.
    pub way: Way,
}

/// To a relay or from it.
#[derive(Clone)]
pub enum Way {
    /// To it.
    Put {
        /// The relay's grant.
        token: [u8; 32],
        /// What the relay has already.
        from: u64,
        /// All of it.
        bytes: Arc<[u8]>,
    },
    /// From it.
    Get {
        /// How long it is.
        size: u64,
    },
}

impl core::fmt::Debug for Way {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(if matches!(self, Self::Put { .. }) { "Put" } else { "Get" })
    }
}
