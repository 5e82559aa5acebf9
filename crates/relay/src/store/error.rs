//! Why a store can't be opened, and how failures of files become the hub's store errors.
//!
//! No error holds a path inside the folder, a key or a byte of a record.

use std::io;

use estoile_hub::store::StoreError;

/// Why a folder can't be opened as a store. The reader of these lines is the relay's owner.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process owns it.
    #[error("the store is in use by another process; stop that one, or give this relay a data folder of its own")]
    InUse,
    /// A later version wrote it.
    #[error(
        "the store has format {found}, and this version knows formats up to {known}; run the newer version, or give this relay an empty data folder"
    )]
    Newer {
        /// The folder's format.
        found: u32,
        /// The highest format that this version reads.
        known: u32,
    },
    /// What lies there is not what a store wrote.
    #[error(
        "the store is damaged ({what}); restore the folder from a copy, or move it away and let the relay begin with an empty one"
    )]
    Damaged {
        /// What is wrong with it.
        what: &'static str,
    },
    /// There is no room even to open it.
    #[error("the disk is full, and the store needs a little room to open; free some and start again")]
    Full,
    /// The system refused.
    #[error("the store could not be read or written ({0}); look at the folder's owner, permissions and disk")]
    Io(io::Error),
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        if is_full(&error) { Self::Full } else { Self::Io(error) }
    }
}

/// Whether a file's failure means that there is no room (the disk, the owner's share, or a file's own limit).
fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge)
}

/// A file's failure in the hub's words. The kind is enough: a system's message could hold a path.
pub(super) fn failed(error: &io::Error) -> StoreError {
    if is_full(error) { StoreError::Full } else { StoreError::Failed(error.kind().to_string()) }
}
