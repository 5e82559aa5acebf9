//! Finding the vault's key: `ESTOILE_PASSPHRASE`, the keyring, a question, else memory.
//!
//! What unlocks a vault that exists was settled when it was made, and stands in its head. A new one takes the first that
//! is there. A vault that exists is never passed over in silence: if it can't be unlocked, that is an error.

use std::path::Path;
use std::sync::Arc;

use estoile_engine::vault::VALUE_VERSION;
use estoile_engine::{MemoryBackend, Vault, VaultError};
use estoile_seal::vault_key::{VaultKey, VaultSalt};
use rand_core::CryptoRng;

use super::Store;
use super::file::{KeySource, VaultFile};
use super::folder::Folder;
use super::keyring;
use crate::config::{Ask, Unlock};
use crate::error::OpenError;
use crate::handle::VaultPlace;

/// A wrong answer may be given again this often.
const QUESTIONS: usize = 3;

/// The vault of a folder, or one in memory, unlocked. May block, on the disk, on Argon2id and on the user.
pub(crate) async fn unlock(
    data: Option<(&Path, Folder)>,
    mut unlock: Unlock,
    rng: &mut dyn CryptoRng,
) -> Result<(Vault<Store>, VaultPlace), OpenError> {
    let Some((path, folder)) = data else {
        return Ok((in_memory(rng).await?, VaultPlace::Memory));
    };
    let place = VaultPlace::Folder(path.to_owned());
    match VaultFile::open(path)? {
        Some((file, source)) => {
            let store = Store::File(Arc::new(file), Arc::new(folder));
            Ok((existing(store, path, source, &mut unlock, rng).await?, place))
        }
        None => match new_key(&mut unlock, rng)? {
            Ok((source, key)) => {
                let store = Store::File(Arc::new(VaultFile::make(path, source)?), Arc::new(folder));
                Ok((Vault::open(store, key, rng).await.map_err(|e| refused(path, &e))?, place))
            }
            Err(why) => Ok((in_memory(rng).await?, VaultPlace::MemoryForWantOfKey { folder: path.to_owned(), why })),
        },
    }
}

async fn in_memory(rng: &mut dyn CryptoRng) -> Result<Vault<Store>, OpenError> {
    let key = VaultKey::generate(rng);
    let store = Store::Memory(MemoryBackend::default());
    Vault::open(store, key, rng).await.map_err(|e| OpenError::Start(e.to_string()))
}

/// The key of a new vault, or why there is none, in a sentence.
fn new_key(unlock: &mut Unlock, rng: &mut dyn CryptoRng) -> Result<Result<(KeySource, VaultKey), String>, OpenError> {
    if let Some(passphrase) = unlock.passphrase.take() {
        return by_passphrase(&passphrase, rng).map(Ok);
    }
    let mut no_keyring = "the system's keyring is not to be used".to_owned();
    if unlock.keyring {
        let mut id = [0; 16];
        rng.fill_bytes(&mut id);
        let key = VaultKey::generate(rng);
        match keyring::keep(id, &key) {
            Ok(()) => return Ok(Ok((KeySource::Keyring(id), key))),
            Err(why) => no_keyring = format!("the system's keyring can't keep its key ({why})"),
        }
    }
    match unlock.ask.as_mut().and_then(|ask| ask(Ask::New)) {
        Some(passphrase) => by_passphrase(&passphrase, rng).map(Ok),
        None => Ok(Err(format!(
            "no passphrase was given and {no_keyring}; set ESTOILE_PASSPHRASE to keep rooms and messages in the folder"
        ))),
    }
}

fn by_passphrase(passphrase: &str, rng: &mut dyn CryptoRng) -> Result<(KeySource, VaultKey), OpenError> {
    let mut salt = VaultSalt::default();
    rng.fill_bytes(&mut salt);
    Ok((KeySource::Passphrase(salt), stretched(passphrase, &salt)?))
}

fn stretched(passphrase: &str, salt: &VaultSalt) -> Result<VaultKey, OpenError> {
    VaultKey::stretch(passphrase, salt).map_err(|e| OpenError::Start(e.to_string()))
}

/// Opens a vault that is there, with what its head says.
async fn existing(
    store: Store,
    path: &Path,
    source: KeySource,
    unlock: &mut Unlock,
    rng: &mut dyn CryptoRng,
) -> Result<Vault<Store>, OpenError> {
    let salt = match source {
        KeySource::Keyring(id) => {
            let key = keyring::load(id).map_err(|why| OpenError::Keyring { folder: path.to_owned(), why })?;
            return Vault::open(store, key, rng).await.map_err(|e| refused(path, &e));
        }
        KeySource::Passphrase(salt) => salt,
    };
    if let Some(passphrase) = unlock.passphrase.take() {
        let key = stretched(&passphrase, &salt)?;
        return Vault::open(store, key, rng).await.map_err(|e| refused(path, &e));
    }
    let Some(ask) = unlock.ask.as_mut() else {
        return Err(OpenError::Locked(path.to_owned()));
    };
    for question in 0..QUESTIONS {
        let kind = if question == 0 { Ask::Existing } else { Ask::Again };
        let Some(passphrase) = ask(kind) else {
            return Err(OpenError::Locked(path.to_owned()));
        };
        let key = stretched(&passphrase, &salt)?;
        match Vault::open(store.clone(), key, rng).await {
            Err(VaultError::WrongKey) => {}
            other => return other.map_err(|e| refused(path, &e)),
        }
    }
    Err(OpenError::WrongPassphrase(path.to_owned()))
}

/// What the vault said, in the user's words.
pub(crate) fn refused(path: &Path, error: &VaultError) -> OpenError {
    let folder = path.to_owned();
    match error {
        VaultError::WrongKey => OpenError::WrongPassphrase(folder),
        VaultError::Newer(found) => {
            OpenError::Format { folder, found: u64::from(*found), known: u64::from(VALUE_VERSION) }
        }
        VaultError::Backend(e) => OpenError::Folder { folder, why: e.to_string() },
        _ => OpenError::Corrupt { folder, why: "an entry was altered, or stands in another's place".into() },
    }
}
