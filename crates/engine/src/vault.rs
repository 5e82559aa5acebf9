//! All that a client keeps: one atomic commit a turn, every value sealed with its own key name as associated data.
//!
//! [`Backend`] stores opaque bytes (redb natively, a map in memory, IndexedDB in a browser); [`Vault`] seals. Neither knows
//! what a room or a letter is: the names of entries say only local numbers, their values say nothing.

mod backend;
mod changes;
mod memory;
mod near;
#[cfg(test)]
mod tests;

pub use backend::{Backend, BackendError, Batch, Entry};
pub use changes::Changes;
pub use memory::{MemoryBackend, ready};
pub(crate) use near::{Entries, Near};

use core::future::Future;

use estoile_seal::vault_key::VaultKey;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::turn::{Turn, TurnNumber};

/// The version of what stands inside every value, written before it; later versions read earlier ones.
pub const VALUE_VERSION: u8 = 1;
/// An entry that only the right key opens, so that a wrong passphrase is told from damage.
const MARKER: &[u8] = b"\0estoile";
/// What the marker says.
const MARKER_VALUE: &[u8] = b"estoile.v1 vault";
/// Entries are read this many at a time: a page of them fits in memory, and a browser answers in between.
pub const PAGE: usize = 512;

/// Proof that a turn's changes are durable. Only [`Vault::commit`] makes it, and it counts for that turn alone.
#[derive(Debug)]
pub struct Committed {
    turn: TurnNumber,
}

impl Committed {
    pub(crate) const fn turn(&self) -> TurnNumber {
        self.turn
    }
}

/// Why the vault did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// The key does not open this vault.
    #[error("this vault does not open with that passphrase or key; try again with the one that it was made with")]
    WrongKey,
    /// An entry was changed, moved or truncated outside this program.
    #[error(
        "an entry of the vault is damaged or was put in another's place; restore the data folder from a backup, or start a new one"
    )]
    Damaged,
    /// A later version of this program wrote it.
    #[error("this vault was written by a later version of this program (format {0}); update the program")]
    Newer(u8),
    /// The store below failed.
    #[error("the vault's store failed: {0}")]
    Backend(#[from] BackendError),
}

/// A store of sealed entries.
pub struct Vault<B> {
    backend: B,
    key: VaultKey,
}

impl<B> core::fmt::Debug for Vault<B> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Vault")
    }
}

impl<B: Backend> Vault<B> {
    /// Opens a vault, or makes one where the store is empty. The future does not hold the generator: it may be spawned.
    ///
    /// # Errors
    /// [`VaultError::WrongKey`] if the store was made with another key; else what the store says.
    pub fn open(
        mut backend: B,
        key: VaultKey,
        rng: &mut dyn CryptoRng,
    ) -> impl Future<Output = Result<Self, VaultError>> + use<B> {
        let fresh = seal(&key, MARKER, MARKER_VALUE, rng);
        async move {
            match backend.get(MARKER).await? {
                Some(sealed) => match unseal(&key, MARKER, &sealed) {
                    Ok(value) if value.as_slice() == MARKER_VALUE => {}
                    Err(VaultError::Newer(v)) => return Err(VaultError::Newer(v)),
                    Ok(_) | Err(_) => return Err(VaultError::WrongKey),
                },
                None => {
                    // A store that lost its marker and nothing else was tampered with.
                    if !backend.scan(&[], None, 1).await?.is_empty() {
                        return Err(VaultError::Damaged);
                    }
                    let writes = vec![(MARKER.to_vec(), Some(fresh))];
                    backend.commit(Batch { clear: Vec::new(), writes }).await?;
                }
            }
            Ok(Self { backend, key })
        }
    }

    /// Makes a turn's changes durable, all or none, and proves it. The future does not hold the generator: it may be spawned.
    ///
    /// # Errors
    /// What the store says; then nothing of the turn was kept, and its effects must not happen. The same turn may be
    /// committed again.
    pub fn commit<'a>(
        &'a mut self,
        turn: &Turn,
        rng: &mut dyn CryptoRng,
    ) -> impl Future<Output = Result<Committed, VaultError>> + use<'a, B> {
        let key = &self.key;
        let changes = turn.changes();
        let writes = changes
            .iter()
            .map(|(name, value)| (name.to_vec(), value.map(|value| seal(key, name, value, rng))))
            .collect();
        let batch = Batch { clear: changes.cleared().to_vec(), writes };
        let (nothing, turn) = (changes.is_empty(), turn.number());
        let forgetful = estoile_wire::weak::is("persist");
        let backend = &mut self.backend;
        async move {
            if !nothing && !forgetful {
                backend.commit(batch).await?;
            }
            Ok(Committed { turn })
        }
    }

    /// Reads one entry.
    ///
    /// # Errors
    /// [`VaultError::Damaged`] if it does not open under its own name; else what the store says.
    pub async fn get(&self, name: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        self.backend.get(name).await?.map(|sealed| unseal(&self.key, name, &sealed)).transpose()
    }

    /// Reads up to `limit` entries whose names begin with `prefix`, in the names' order, after `after` if given.
    ///
    /// # Errors
    /// [`VaultError::Damaged`] if one does not open under its own name; else what the store says.
    pub async fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Zeroizing<Vec<u8>>)>, VaultError> {
        let mut entries = Vec::new();
        for (name, sealed) in self.backend.scan(prefix, after, limit).await? {
            let value = unseal(&self.key, &name, &sealed)?;
            entries.push((name, value));
        }
        Ok(entries)
    }

    /// The store below, for its owner to close.
    pub fn into_backend(self) -> B {
        self.backend
    }
}

fn seal(key: &VaultKey, name: &[u8], value: &[u8], rng: &mut dyn CryptoRng) -> Vec<u8> {
    let mut plain = Zeroizing::new(Vec::with_capacity(value.len().saturating_add(1)));
    plain.push(VALUE_VERSION);
    plain.extend_from_slice(value);
    key.seal(name, &plain, rng)
}

fn unseal(key: &VaultKey, name: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let plain = key.open(name, sealed).map_err(|_| VaultError::Damaged)?;
    match plain.split_first() {
        Some((&VALUE_VERSION, value)) => Ok(Zeroizing::new(value.to_vec())),
        Some((&version, _)) => Err(VaultError::Newer(version)),
        None => Err(VaultError::Damaged),
    }
}
