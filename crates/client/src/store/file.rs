//! The vault's file: one redb database with two tables, sealed entries and a head that says how they are sealed.
//!
//! Every commit is synced before it returns. The file appears under its name only when its head is complete, so a crash
//! while a vault is made leaves no half of one; an empty or foreign file under that name is damage, never a new vault.

use std::fs::{File, OpenOptions};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use estoile_engine::vault::{BackendError, Batch, Entry};
use estoile_seal::vault_key::VaultSalt;
use redb::{
    Database, DatabaseError, ReadableDatabase, ReadableTable, StorageError, Table, TableDefinition, TableError,
};

use super::folder::{private, unusable};
use crate::error::OpenError;

/// The vault in its folder.
const FILE: &str = "vault.redb";
/// The vault while it is made.
const UNFINISHED: &str = "vault.redb.new";
/// The layout of folder, head and tables that this program writes.
const FORMAT: u64 = 1;
/// Pages kept in memory; a vault's hot part is small.
const CACHE: usize = 16 * 1024 * 1024;

const ENTRIES: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("entries");
const HEAD: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("head");
const HEAD_FORMAT: &str = "format";
const HEAD_KEY: &str = "key";
const BY_PASSPHRASE: u8 = b'p';
const BY_KEYRING: u8 = b'k';

/// Where a vault's key comes from. The cost of stretching belongs to the format, so nobody can lower it here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeySource {
    /// Stretched from a passphrase with this salt.
    Passphrase(VaultSalt),
    /// Kept in the system's keyring under this number.
    Keyring([u8; 16]),
}

impl KeySource {
    fn to_bytes(self) -> Vec<u8> {
        match self {
            Self::Passphrase(salt) => [&[BY_PASSPHRASE], salt.as_slice()].concat(),
            Self::Keyring(id) => [&[BY_KEYRING], id.as_slice()].concat(),
        }
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        match bytes.split_first()? {
            (&BY_PASSPHRASE, salt) => salt.try_into().ok().map(Self::Passphrase),
            (&BY_KEYRING, id) => id.try_into().ok().map(Self::Keyring),
            _ => None,
        }
    }
}

/// An open vault file.
pub(crate) struct VaultFile {
    db: Database,
}

impl VaultFile {
    /// Opens the vault of a folder; none if it has none yet.
    pub(crate) fn open(folder: &Path) -> Result<Option<(Self, KeySource)>, OpenError> {
        let path = folder.join(FILE);
        match path.try_exists() {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(e) => return Err(unusable(folder, &e)),
        }
        if std::fs::metadata(&path).map_err(|e| unusable(folder, &e))?.len() == 0 {
            return Err(damaged(folder, "its file is empty"));
        }
        // The library may panic on bytes that it did not write; that is damage too, not the end of this program.
        let opened = catch_unwind(|| {
            let file = Self { db: builder().open(&path)? };
            let head = file.head();
            Ok::<_, DatabaseError>((file, head))
        });
        match opened {
            Ok(Ok((file, Ok(head)))) => Ok(Some((file, head.source(folder)?))),
            Ok(Ok((_, Err(e)))) => Err(damaged(folder, &e.0)),
            Ok(Err(e)) => Err(not_opened(folder, &e)),
            Err(_) => Err(damaged(folder, "its pages contradict each other")),
        }
    }

    /// Makes the vault of a folder that has none.
    pub(crate) fn make(folder: &Path, source: KeySource) -> Result<Self, OpenError> {
        let (path, unfinished) = (folder.join(FILE), folder.join(UNFINISHED));
        let io = |e: std::io::Error| unusable(folder, &e);
        // Truncating is right: what a crash left half made holds nothing.
        drop(private(OpenOptions::new().write(true).create(true).truncate(true), &unfinished).map_err(io)?);
        let db = builder().create(&unfinished).map_err(|e| not_opened(folder, &e))?;
        write_head(&db, source).map_err(|e| OpenError::Folder { folder: folder.to_owned(), why: e.0 })?;
        drop(db);
        std::fs::rename(&unfinished, &path).map_err(io)?;
        File::open(folder).and_then(|f| f.sync_all()).map_err(io)?;
        let db = builder().open(&path).map_err(|e| not_opened(folder, &e))?;
        Ok(Self { db })
    }

    fn head(&self) -> Result<Head, BackendError> {
        let read = self.db.begin_read().map_err(failed)?;
        let table = match read.open_table(HEAD) {
            Ok(table) => table,
            Err(TableError::TableDoesNotExist(_)) => return Err(BackendError("it has no head".into())),
            Err(e) => return Err(failed(e)),
        };
        let get = |name| Ok(table.get(name).map_err(failed)?.map(|v| v.value().to_vec()));
        Ok(Head { format: get(HEAD_FORMAT)?, key: get(HEAD_KEY)? })
    }

    pub(crate) fn get(&self, name: &[u8]) -> Result<Option<Vec<u8>>, BackendError> {
        guard(|| {
            let table = self.db.begin_read().map_err(failed)?.open_table(ENTRIES).map_err(failed)?;
            Ok(table.get(name).map_err(failed)?.map(|v| v.value().to_vec()))
        })
    }

    pub(crate) fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Entry>, BackendError> {
        guard(|| {
            let table = self.db.begin_read().map_err(failed)?.open_table(ENTRIES).map_err(failed)?;
            let start = after.filter(|after| *after >= prefix).unwrap_or(prefix);
            let mut found = Vec::new();
            for entry in table.range(start..).map_err(failed)? {
                let (name, value) = entry.map_err(failed)?;
                let name = name.value();
                if found.len() == limit || !name.starts_with(prefix) {
                    break;
                }
                if after.is_none_or(|after| name > after) {
                    found.push((name.to_vec(), value.value().to_vec()));
                }
            }
            Ok(found)
        })
    }

    pub(crate) fn commit(&self, batch: Batch) -> Result<(), BackendError> {
        guard(|| {
            let write = self.db.begin_write().map_err(failed)?;
            {
                let mut table = write.open_table(ENTRIES).map_err(failed)?;
                for prefix in &batch.clear {
                    for name in names(&table, prefix)? {
                        table.remove(name.as_slice()).map_err(failed)?;
                    }
                }
                for (name, value) in &batch.writes {
                    match value {
                        Some(value) => table.insert(name.as_slice(), value.as_slice()).map_err(failed)?,
                        None => table.remove(name.as_slice()).map_err(failed)?,
                    };
                }
            }
            // Durability is immediate unless asked otherwise: synced when this returns.
            write.commit().map_err(failed)
        })
    }
}

/// The names that begin with a prefix.
fn names(table: &Table<'_, &'static [u8], &'static [u8]>, prefix: &[u8]) -> Result<Vec<Vec<u8>>, BackendError> {
    let mut names = Vec::new();
    for entry in table.range(prefix..).map_err(failed)? {
        let (name, _) = entry.map_err(failed)?;
        if !name.value().starts_with(prefix) {
            break;
        }
        names.push(name.value().to_vec());
    }
    Ok(names)
}

/// What a file says about itself.
struct Head {
    format: Option<Vec<u8>>,
    key: Option<Vec<u8>>,
}

impl Head {
    fn source(&self, folder: &Path) -> Result<KeySource, OpenError> {
        let format = self.format.as_deref().and_then(|b| b.try_into().ok()).map(u64::from_be_bytes);
        match format {
            Some(FORMAT) => self
                .key
                .as_deref()
                .and_then(KeySource::from_bytes)
                .ok_or_else(|| damaged(folder, "its head does not say where its key is")),
            Some(found) => Err(OpenError::Format { folder: folder.to_owned(), found, known: FORMAT }),
            None => Err(damaged(folder, "its head has no format")),
        }
    }
}

fn builder() -> redb::Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE).set_check_integrity_on_open(true);
    builder
}

fn write_head(db: &Database, source: KeySource) -> Result<(), BackendError> {
    let write = db.begin_write().map_err(failed)?;
    {
        let mut head = write.open_table(HEAD).map_err(failed)?;
        head.insert(HEAD_FORMAT, FORMAT.to_be_bytes().as_slice()).map_err(failed)?;
        head.insert(HEAD_KEY, source.to_bytes().as_slice()).map_err(failed)?;
        write.open_table(ENTRIES).map_err(failed)?;
    }
    write.commit().map_err(failed)
}

fn damaged(folder: &Path, why: &str) -> OpenError {
    OpenError::Corrupt { folder: folder.to_owned(), why: why.to_owned() }
}

fn not_opened(folder: &Path, error: &DatabaseError) -> OpenError {
    match error {
        DatabaseError::DatabaseAlreadyOpen => OpenError::InUse(folder.to_owned()),
        DatabaseError::Storage(StorageError::Io(e)) if e.kind() != std::io::ErrorKind::InvalidData => {
            unusable(folder, e)
        }
        other => damaged(folder, &other.to_string()),
    }
}

fn failed(error: impl core::fmt::Display) -> BackendError {
    BackendError(error.to_string())
}

/// The library may panic on pages that were altered under it; the vault tells it as a failure instead.
fn guard<T>(work: impl FnOnce() -> Result<T, BackendError>) -> Result<T, BackendError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(BackendError("its file was altered while it was open".into())))
}
