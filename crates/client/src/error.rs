//! Why a client could not be opened. Each text says what happened, why, and what to do.

use std::path::PathBuf;

use estoile_engine::WrongAnswer;

/// Why a client could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The known answers are not those that this machine computes.
    #[error(transparent)]
    Computes(#[from] WrongAnswer),
    /// Another process has the folder.
    #[error(
        "the data folder {} is in use by another estoile process; end that one, or give this one a folder of its own with --data",
        .0.display()
    )]
    InUse(PathBuf),
    /// The folder or a file in it can't be made, read or written.
    #[error("the data folder {} can't be used: {why}; check its permissions and the free space, or choose another with --data", .folder.display())]
    Folder {
        /// Which.
        folder: PathBuf,
        /// What the system said.
        why: String,
    },
    /// The passphrase is not the vault's.
    #[error("wrong passphrase for the vault in {}; try again, or set ESTOILE_PASSPHRASE to the one it was made with", .0.display())]
    WrongPassphrase(PathBuf),
    /// The vault has a passphrase, and nobody gave one.
    #[error("the vault in {} is locked with a passphrase; set ESTOILE_PASSPHRASE, or start estoile in a terminal so that it can ask", .0.display())]
    Locked(PathBuf),
    /// The vault's key lies in a keyring that doesn't answer, or no longer has it.
    #[error("the key of the vault in {folder} lies in the system's keyring, and {why}; unlock the keyring and try again", folder = .folder.display())]
    Keyring {
        /// Which vault.
        folder: PathBuf,
        /// What the keyring said.
        why: String,
    },
    /// Made by a version that writes another format.
    #[error("the vault in {} has format {found}, and this program reads format {known}; use the version that made it, or a newer one", .folder.display())]
    Format {
        /// Which vault.
        folder: PathBuf,
        /// The format found.
        found: u64,
        /// The format this program knows.
        known: u64,
    },
    /// The vault's file is damaged.
    #[error(
        "the vault in {} is damaged: {why}; restore the folder from a backup, or move it away and open your rooms again with their links",
        .folder.display()
    )]
    Corrupt {
        /// Which vault.
        folder: PathBuf,
        /// What was found.
        why: String,
    },
    /// The machine gives no thread, no randomness or no memory.
    #[error("the client could not be started: {0}; close something and try again")]
    Start(String),
}
