//! The state of one group as a map with a journal: what OpenMLS keeps, and two entries of our own.
//!
//! One map is one group (or one joining), so keys are a kind's byte and, where there are several of a kind, what tells
//! them apart. Values are postcard (OpenMLS's own memory store writes JSON, several times as long), but for the group's
//! configuration: its type wants to be asked which of two forms it has, so that one is JSON. Nothing here touches a disk:
//! the journal says which keys changed, and the caller writes them in one transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use openmls_traits::OpenMlsProvider;
use openmls_traits::storage::{CURRENT_VERSION, Entity, StorageProvider, traits as t};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::MlsError;
use crate::crypto::Crypto;

const CONFIG: u8 = 1;
const OWN_LEAVES: u8 = 2;
const PROPOSAL: u8 = 3;
const PROPOSAL_REFS: u8 = 4;
const TREE: u8 = 5;
const INTERIM: u8 = 6;
const CONTEXT: u8 = 7;
const TAG: u8 = 8;
const STATE: u8 = 9;
/// Rewritten by every message.
pub(crate) const MESSAGES: u8 = 10;
const RESUMPTION: u8 = 11;
const OWN_INDEX: u8 = 12;
const EPOCH: u8 = 13;
const SIGNATURE_PAIR: u8 = 14;
const HPKE_PAIR: u8 = 15;
const EPOCH_PAIRS: u8 = 16;
const KEY_PACKAGE: u8 = 17;
const PSK: u8 = 18;
/// Ours: version of this encoding and the group's id.
pub(crate) const META: u8 = 0x80;
/// Ours: SHA-256 of the pending commit.
pub(crate) const PENDING: u8 = 0x81;

type Bytes = Zeroizing<Vec<u8>>;

/// One entry of a group's kept state that changed.
#[derive(Clone, PartialEq, Eq)]
pub struct Change {
    /// Its key, unique within the group: at most some hundred bytes.
    pub key: Vec<u8>,
    /// Its new value; none deletes it.
    pub value: Option<Zeroizing<Vec<u8>>>,
}

impl core::fmt::Debug for Change {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Change(..)")
    }
}

/// The map was asked for something that it does not hold in the form it should.
#[derive(Debug, thiserror::Error)]
#[error("the kept state can't be read or written")]
pub(crate) struct StoreError;

#[derive(Default)]
struct Inner {
    values: BTreeMap<Vec<u8>, Bytes>,
    changed: BTreeSet<Vec<u8>>,
}

/// The map.
#[derive(Default)]
pub(crate) struct Store(Mutex<Inner>);

/// What OpenMLS asks for: crypto, randomness, and the map.
#[derive(Default)]
pub(crate) struct Provider {
    pub(crate) crypto: Crypto,
    pub(crate) store: Store,
}

impl OpenMlsProvider for Provider {
    type CryptoProvider = Crypto;
    type RandProvider = Crypto;
    type StorageProvider = Store;

    fn storage(&self) -> &Store {
        &self.store
    }
    fn crypto(&self) -> &Crypto {
        &self.crypto
    }
    fn rand(&self) -> &Crypto {
        &self.crypto
    }
}

/// Postcard, as every value here.
pub(crate) fn encode<T: Serialize>(value: &T) -> Result<Bytes, MlsError> {
    postcard::to_allocvec(value).map(Zeroizing::new).map_err(|_| MlsError::State)
}

/// Postcard, whole.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let (value, rest) = postcard::take_from_bytes(bytes).ok()?;
    rest.is_empty().then_some(value)
}

impl Store {
    pub(crate) fn of(entries: impl IntoIterator<Item = (Vec<u8>, Bytes)>) -> Self {
        Self(Mutex::new(Inner { values: entries.into_iter().collect(), changed: BTreeSet::new() }))
    }

    /// Nothing in here panics while it holds the lock, so a poisoned one is as good as any.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn take_changes(&self) -> Vec<Change> {
        let mut inner = self.inner();
        let changed = core::mem::take(&mut inner.changed);
        changed.into_iter().map(|key| Change { value: inner.values.get(&key).cloned(), key }).collect()
    }

    pub(crate) fn get(&self, key: &[u8]) -> Option<Bytes> {
        self.inner().values.get(key).cloned()
    }

    pub(crate) fn set(&self, key: Vec<u8>, value: Option<Bytes>) {
        let mut inner = self.inner();
        if inner.values.get(&key) == value.as_ref() {
            return;
        }
        match value {
            Some(value) => inner.values.insert(key.clone(), value),
            None => inner.values.remove(&key),
        };
        inner.changed.insert(key);
    }

    /// Takes out whatever belongs to key packages: a group's state has none.
    pub(crate) fn forget_key_packages(&self) {
        let keys: Vec<_> = self.inner().values.keys().filter(|k| k.first() == Some(&KEY_PACKAGE)).cloned().collect();
        keys.into_iter().for_each(|key| self.set(key, None));
    }

    /// Forgets what changed so far: it was never kept, and now is part of the first state.
    pub(crate) fn mark_all_changed(&self) {
        let mut inner = self.inner();
        inner.changed = inner.values.keys().cloned().collect();
    }

    fn put<T: Serialize>(&self, key: Vec<u8>, value: &T) -> Result<(), StoreError> {
        self.set(key, Some(encode(value).map_err(|_| StoreError)?));
        Ok(())
    }

    fn read<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>, StoreError> {
        self.get(key).map(|v| decode(&v).ok_or(StoreError)).transpose()
    }

    fn list<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Vec<T>, StoreError> {
        Ok(self.read(key)?.unwrap_or_default())
    }

    fn push<T: Entity<CURRENT_VERSION>>(&self, key: Vec<u8>, value: &T) -> Result<(), StoreError> {
        let mut all: Vec<Vec<u8>> = self.list(&key)?;
        all.push(encode(value).map_err(|_| StoreError)?.to_vec());
        self.put(key, &all)
    }

    fn pushed<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Vec<T>, StoreError> {
        self.list::<Vec<u8>>(key)?.iter().map(|v| decode(v).ok_or(StoreError)).collect()
    }

    fn put_json<T: Serialize>(&self, key: Vec<u8>, value: &T) -> Result<(), StoreError> {
        self.set(key, Some(Zeroizing::new(serde_json::to_vec(value).map_err(|_| StoreError)?)));
        Ok(())
    }

    fn read_json<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>, StoreError> {
        self.get(key).map(|v| serde_json::from_slice(&v).map_err(|_| StoreError)).transpose()
    }

    fn drop_key(&self, key: Vec<u8>) -> Result<(), StoreError> {
        self.set(key, None);
        Ok(())
    }
}

/// The only one of its kind.
fn one(kind: u8) -> Vec<u8> {
    vec![kind]
}

/// One of several of its kind.
pub(crate) fn key_package_key(reference: &impl Serialize) -> Result<Vec<u8>, MlsError> {
    many(KEY_PACKAGE, reference).map_err(|_| MlsError::State)
}

fn many(kind: u8, which: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    let which = postcard::to_allocvec(which).map_err(|_| StoreError)?;
    Ok([&[kind], which.as_slice()].concat())
}

mod provider;
