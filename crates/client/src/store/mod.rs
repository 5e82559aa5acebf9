//! Where the vault's sealed entries lie, and how its key is found.
//!
//! This layer knows no entry's meaning: names and values are opaque, and values are sealed before they come here.

mod file;
mod folder;
mod keyring;
mod unlock;

use std::sync::Arc;

use estoile_engine::vault::{BackendError, Batch, Entry};
use estoile_engine::{Backend, MemoryBackend};

pub(crate) use folder::Folder;
pub(crate) use unlock::{refused, unlock};

use file::VaultFile;

/// A vault's store: a file in a locked folder, or memory. A clone of a file is the same file.
#[derive(Clone)]
pub(crate) enum Store {
    /// Gone at the end.
    Memory(MemoryBackend),
    /// Kept; the folder is locked as long as this lives.
    File(Arc<VaultFile>, #[expect(dead_code, reason = "held for its lock")] Arc<Folder>),
}

impl Backend for Store {
    async fn get(&self, name: &[u8]) -> Result<Option<Vec<u8>>, BackendError> {
        match self {
            Self::Memory(m) => m.get(name).await,
            Self::File(f, _) => f.get(name),
        }
    }

    async fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Entry>, BackendError> {
        match self {
            Self::Memory(m) => m.scan(prefix, after, limit).await,
            Self::File(f, _) => f.scan(prefix, after, limit),
        }
    }

    async fn commit(&mut self, batch: Batch) -> Result<(), BackendError> {
        match self {
            Self::Memory(m) => m.commit(batch).await,
            Self::File(f, _) => f.commit(batch),
        }
    }
}
