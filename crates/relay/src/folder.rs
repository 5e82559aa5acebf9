//! The relay's data folder: whose it is, and the few small files beside the store.
//!
//! Secrets are written whole or not at all (temporary file, sync, rename) and are readable by their owner only.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::StartError;

/// The file whose lock says that a process owns the folder. It stays empty.
const LOCK: &str = "lock";
/// A file of ours is at most this long; whatever is longer is not ours.
const MAX_FILE: u64 = 1 << 20;

/// A folder that this process owns until it is dropped.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// Held for its lock; the system frees it with the process, however that ends.
    _lock: File,
}

impl Folder {
    /// Makes the folder if it is missing, and takes it for this process.
    pub(crate) fn take(path: &Path) -> Result<Self, StartError> {
        let at = |source| StartError::Folder { path: path.to_path_buf(), source };
        make_private(path).map_err(at)?;
        let lock = private_options().open(path.join(LOCK)).map_err(at)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_path_buf(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(StartError::InUse { folder: path.to_path_buf() }),
            Err(TryLockError::Error(source)) => Err(at(source)),
        }
    }

    /// The path of one of its files.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Reads a file, if it is there.
    pub(crate) fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StartError> {
        let path = self.file(name);
        let size = match fs::metadata(&path) {
            Ok(meta) => meta.len(),
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(StartError::Folder { path, source }),
        };
        if size > MAX_FILE {
            return Err(StartError::Damaged { path, what: "it is far too long" });
        }
        fs::read(&path).map(Some).map_err(|source| StartError::Folder { path, source })
    }

    /// Replaces a file as a whole: after a crash it is the old one or the new one.
    pub(crate) fn write(&self, name: &str, content: &[u8]) -> Result<(), StartError> {
        let path = self.file(name);
        self.replace(&path, content).map_err(|source| StartError::Folder { path, source })
    }

    fn replace(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let new = path.with_extension("new");
        // What a crash left behind is not ours to append to, nor its permissions to trust.
        match fs::remove_file(&new) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let mut file = private_options().create_new(true).open(&new)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        sync_folder(&self.path)
    }
}

/// A folder that only its owner may look into; one that is there keeps the permissions that its owner gave it.
fn make_private(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn private_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// A rename is durable when its folder is (where a folder can be synced at all).
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests;
