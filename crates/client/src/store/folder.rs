//! A data folder: private to its owner, and of one process at a time.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::path::Path;

use crate::error::OpenError;

/// Locked by the process that has the folder. The lock ends with the process, however that ends; the file stays.
const LOCK: &str = "lock";

/// A folder that this process has to itself.
pub(crate) struct Folder {
    _lock: File,
}

impl Folder {
    /// Makes the folder if it is missing, and takes it.
    pub(crate) fn take(path: &Path) -> Result<Self, OpenError> {
        make(path).map_err(|e| unusable(path, &e))?;
        let lock = private(OpenOptions::new().write(true).create(true).truncate(false), &path.join(LOCK))
            .map_err(|e| unusable(path, &e))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse(path.to_owned())),
            Err(TryLockError::Error(e)) => Err(unusable(path, &e)),
        }
    }
}

/// What the system said about a folder.
pub(crate) fn unusable(folder: &Path, error: &std::io::Error) -> OpenError {
    OpenError::Folder { folder: folder.to_owned(), why: error.to_string() }
}

/// Opens a file that only its owner may read.
pub(crate) fn private(options: &mut OpenOptions, path: &Path) -> std::io::Result<File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options.open(path)
}

fn make(path: &Path) -> std::io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
