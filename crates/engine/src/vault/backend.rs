//! What a vault needs of a store: opaque names and values, ordered, with atomic batches. It knows no keys.

use core::future::Future;

/// The store below the vault failed; the text says how, without any content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BackendError(pub String);

/// A name and a sealed value.
pub type Entry = (Vec<u8>, Vec<u8>);

/// Writes that happen together or not at all: a value to put, or none to delete.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// Every entry whose name begins with one of these goes, before the writes.
    pub clear: Vec<Vec<u8>>,
    /// Each name at most once, in order.
    pub writes: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

/// A store of opaque bytes. The futures need not be `Send`: a browser's are not; a driver that wants to spawn them uses a
/// concrete store whose futures are.
pub trait Backend {
    /// The value under a name.
    fn get(&self, name: &[u8]) -> impl Future<Output = Result<Option<Vec<u8>>, BackendError>>;

    /// Up to `limit` entries whose names begin with `prefix`, in the names' order, only those after `after` if it is given.
    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Entry>, BackendError>>;

    /// Writes a batch, all of it or nothing, and returns when it is durable.
    fn commit(&mut self, batch: Batch) -> impl Future<Output = Result<(), BackendError>>;
}
