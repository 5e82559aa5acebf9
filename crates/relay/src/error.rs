//! Why a relay can't start or can't end well, sorted by who can do something about it. These texts are for its owner: what
//! happened, why, and what to do. They may name the owner's own files and addresses, and nothing that a peer sent.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why a relay did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Another process owns the data folder.
    #[error(
        "the folder {} is in use by another process: a relay's folder belongs to one process at a time; stop the other relay or choose another folder with --data",
        folder.display()
    )]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
    /// A file or folder can't be made, read or written.
    #[error("can't use {}: {source}; check that it exists, that it belongs to you and that the disk has space", path.display())]
    Folder {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A file of the folder is not what this program writes.
    #[error("{} is damaged or not Estoile's: {what}; restore it from a copy, or move it away to begin anew", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The store does not open.
    #[error("{0}")]
    Store(String),
    /// The address can't be listened on.
    #[error(
        "can't listen on {address}: {source}; choose another address with --listen, or stop the program that uses this one"
    )]
    Listen {
        /// The relay's own address.
        address: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
    /// The certificate or its key can't be used.
    #[error("the certificate can't be used: {0}")]
    Certificate(String),
    /// The system gives no randomness.
    #[error("the system gives no randomness, and without it no key is safe")]
    Randomness,
    /// There is no tokio runtime, or no thread to be had.
    #[error("the relay can't start its tasks: {0}")]
    Runtime(String),
}

/// Why a relay did not end as it should.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StopError {
    /// The store could not be brought to rest; what was acknowledged is durable nevertheless.
    #[error("the relay's store did not close: {0}")]
    Store(String),
    /// It took too long.
    #[error("the relay did not end in time; what was acknowledged is durable nevertheless")]
    Late,
}
