//! Blobs in memory, for the simulation. They outlive a crash of the relay as a [`MemoryStore`](crate::memory::MemoryStore)
//! does, if they were whole.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use estoile_wire::id::{BlobHash, BlobToken};
use estoile_wire::{LogId, Millis};
use sha2::{Digest, Sha256};

use super::{BlobAsked, BlobGranted, Blobs, blob_charge};
use crate::shard::No;
use crate::store::ExpiredFrom;

/// A blob outlives the time asked for by this much: the record that names it is appended after it was put.
const LONGER_MS: u64 = 3_600_000;
/// An upload that nobody goes on with is thrown away after so long.
const UNFINISHED_MS: u64 = 3_600_000;

#[derive(Debug)]
struct Whole {
    log: LogId,
    expires: Millis,
    bytes: Bytes,
}

#[derive(Debug)]
struct Upload {
    asked: BlobAsked,
    until: Millis,
    bytes: Vec<u8>,
}

#[derive(Debug, Default)]
struct Inner {
    whole: BTreeMap<BlobHash, Vec<Whole>>,
    uploads: BTreeMap<(LogId, BlobHash), Upload>,
    tokens: BTreeMap<BlobToken, (LogId, BlobHash)>,
    granted: u64,
    freed: Vec<ExpiredFrom>,
}

/// All blobs of a relay in memory. A clone is the same blobs.
#[derive(Clone, Debug, Default)]
pub struct MemoryBlobs(Arc<Mutex<Inner>>);

/// Why a part of a blob was not taken; a driver answers with these codes of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutRefused {
    /// 403: the token opens nothing.
    Forbidden,
    /// 409: the next part begins here.
    Elsewhere(u64),
    /// 413: more than was asked for.
    TooLong,
    /// 422: the whole has another hash; it was thrown away.
    Wrong,
}

fn free(freed: &mut Vec<ExpiredFrom>, log: LogId, bytes: u64) {
    freed.push(ExpiredFrom { log, records: 0, bytes });
}

impl MemoryBlobs {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a relay finds that starts anew: what was not whole is gone.
    pub fn restart(&self) {
        let mut inner = self.lock();
        (inner.uploads, inner.tokens, inner.freed) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    }

    /// What each log's blobs count.
    #[must_use]
    pub fn charges(&self) -> BTreeMap<LogId, u64> {
        let mut charges = BTreeMap::<LogId, u64>::new();
        for whole in self.lock().whole.values().flatten() {
            let sum = charges.entry(whole.log).or_default();
            *sum = sum.saturating_add(blob_charge(whole.bytes.len() as u64));
        }
        charges
    }

    /// Takes a part of a blob that begins at `offset`; gives how much is there.
    ///
    /// # Errors
    /// [`PutRefused`].
    pub fn put(&self, token: &BlobToken, offset: u64, bytes: &[u8]) -> Result<u64, PutRefused> {
        let mut inner = self.lock();
        let key = *inner.tokens.get(token).ok_or(PutRefused::Forbidden)?;
        let upload = inner.uploads.get_mut(&key).ok_or(PutRefused::Forbidden)?;
        let received = upload.bytes.len() as u64;
        if offset != received {
            return Err(PutRefused::Elsewhere(received));
        }
        let received = received.saturating_add(bytes.len() as u64);
        if received > upload.asked.size {
            return Err(PutRefused::TooLong);
        }
        upload.bytes.extend_from_slice(bytes);
        if received < upload.asked.size {
            return Ok(received);
        }
        let Some(Upload { asked, bytes, .. }) = inner.uploads.remove(&key) else { return Err(PutRefused::Forbidden) };
        inner.tokens.retain(|_, opens| *opens != key);
        if BlobHash::of(&bytes) != asked.hash {
            free(&mut inner.freed, asked.log, blob_charge(asked.size));
            return Err(PutRefused::Wrong);
        }
        let expires = asked.expires.saturating_add(LONGER_MS);
        let Inner { whole, freed, .. } = &mut *inner;
        let copies = whole.entry(asked.hash).or_default();
        copies.retain(|copy| {
            if copy.log == asked.log {
                free(freed, copy.log, blob_charge(copy.bytes.len() as u64));
            }
            copy.log != asked.log
        });
        copies.push(Whole { log: asked.log, expires, bytes: bytes.into() });
        Ok(received)
    }

    /// A part of a blob; nothing if it is not here, or over. Bytes outside of it are not there.
    #[must_use]
    pub fn get(&self, now: Millis, hash: &BlobHash, range: Range<u64>) -> Option<Bytes> {
        let inner = self.lock();
        let whole = inner.whole.get(hash)?.iter().find(|whole| now < whole.expires)?;
        let end = whole.bytes.len();
        let at = |n: u64| usize::try_from(n).unwrap_or(end).min(end);
        Some(whole.bytes.slice(at(range.start)..at(range.end).max(at(range.start))))
    }

    /// Forgets what is over, and uploads that nobody goes on with; says what logs got back since this was asked last.
    #[must_use]
    pub fn expire(&self, now: Millis) -> Vec<ExpiredFrom> {
        let mut inner = self.lock();
        let Inner { whole, uploads, tokens, freed, .. } = &mut *inner;
        whole.retain(|_, copies| {
            copies.retain(|copy| {
                if copy.expires <= now {
                    free(freed, copy.log, blob_charge(copy.bytes.len() as u64));
                }
                now < copy.expires
            });
            !copies.is_empty()
        });
        uploads.retain(|key, upload| {
            if upload.until <= now {
                free(freed, upload.asked.log, blob_charge(upload.asked.size));
                tokens.retain(|_, opens| opens != key);
            }
            now < upload.until
        });
        core::mem::take(freed)
    }

    /// A log is no more, and so are its blobs.
    pub fn dropped(&self, log: &LogId) {
        let mut inner = self.lock();
        inner.whole.retain(|_, copies| {
            copies.retain(|copy| copy.log != *log);
            !copies.is_empty()
        });
        inner.uploads.retain(|(of, _), _| of != log);
        inner.tokens.retain(|_, (of, _)| of != log);
    }
}

impl Inner {
    /// A blob like this is here already.
    fn is_here(&self, now: Millis, asked: &BlobAsked) -> bool {
        let good = |copy: &Whole| {
            let same = copy.log == asked.log && copy.bytes.len() as u64 == asked.size;
            same && asked.expires <= copy.expires && now < copy.expires
        };
        self.whole.get(&asked.hash).is_some_and(|copies| copies.iter().any(good))
    }

    /// The upload that goes on if a blob like this is asked for.
    fn on_its_way(&mut self, asked: &BlobAsked) -> Option<&mut Upload> {
        let same = |upload: &Upload| {
            upload.asked.size == asked.size && asked.expires <= upload.asked.expires.saturating_add(LONGER_MS)
        };
        self.uploads.get_mut(&(asked.log, asked.hash)).filter(|upload| same(upload))
    }
}

impl Blobs for MemoryBlobs {
    fn would_count(&self, now: Millis, asked: &BlobAsked) -> u64 {
        let mut inner = self.lock();
        let counted = inner.is_here(now, asked) || inner.on_its_way(asked).is_some();
        if counted { 0 } else { blob_charge(asked.size) }
    }

    fn grant(&self, now: Millis, asked: &BlobAsked) -> Result<BlobGranted, No> {
        let mut inner = self.lock();
        // Counted, not random: nobody guesses in a simulation.
        inner.granted = inner.granted.saturating_add(1);
        let mut hash = Sha256::new();
        hash.update(b"estoile.v1 simulated token\0");
        hash.update(inner.granted.to_be_bytes());
        hash.update(asked.hash.0);
        let token = BlobToken(hash.finalize().into());
        if inner.is_here(now, asked) {
            return Ok(BlobGranted { token, received: asked.size, counted: 0 });
        }
        let key = (asked.log, asked.hash);
        inner.tokens.retain(|_, opens| *opens != key);
        inner.tokens.insert(token, key);
        let until = now.saturating_add(UNFINISHED_MS);
        if let Some(upload) = inner.on_its_way(asked) {
            upload.until = until;
            return Ok(BlobGranted { token, received: upload.bytes.len() as u64, counted: 0 });
        }
        let Inner { uploads, freed, .. } = &mut *inner;
        if let Some(before) = uploads.insert(key, Upload { asked: *asked, until, bytes: Vec::new() }) {
            free(freed, before.asked.log, blob_charge(before.asked.size));
        }
        Ok(BlobGranted { token, received: 0, counted: blob_charge(asked.size) })
    }
}
