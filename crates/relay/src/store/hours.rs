//! The keys of the hours: each record's body lies under the key of the hour in which its time is over.
//!
//! The keys live in a small file of their own. When an hour is over its key is overwritten in place and the file is
//! synced, and every record under it can be read no more, wherever copies of its bytes still lie. On a drive that moves
//! blocks about (an SSD's wear levelling), and in a file system that never overwrites (btrfs, ZFS, snapshots), the old
//! block of this file may survive out of reach for a while; the threat model says so.
//!
//! This layer does not know records, logs or segments.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{PoisonError, RwLock};

use chacha20poly1305::{ChaCha20Poly1305, KeyInit};
use estoile_wire::Millis;
use rand_core::{Rng, UnwrapErr};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::error::OpenError;

/// The file's name in the store's folder.
pub(crate) const FILE: &str = "hours.keys";
/// Milliseconds of an hour: the coarseness of forgetting (DESIGN: from the disk within an hour).
const HOUR: Millis = 3_600_000;
/// 64 bytes never straddle a sector, so that a slot is written whole or not at all.
const SLOT: u64 = 64;
/// Slots that the file grows by: a block of 4 KiB.
const GROWTH: u64 = 64;
/// More hours than ten years have (the wire's longest time to live) are never needed; a longer file is not ours.
const MAX_SLOTS: u64 = 90_000;
/// Begins every used slot.
const USED: [u8; 4] = *b"hour";
/// What lies under a key made from an hour's: each kind of thing has a key of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// The records of one segment.
    Records,
    /// One blob.
    Blob,
}

impl Use {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Records => b"estoile.v1 store record",
            Self::Blob => b"estoile.v1 store blob",
        }
    }
}

/// The hour in which a moment lies.
pub(crate) fn hour_of(moment: Millis) -> u32 {
    u32::try_from(moment / HOUR).unwrap_or(u32::MAX)
}

struct Key {
    slot: u64,
    /// Boxed, so that the map can move its entries without leaving copies of keys behind.
    secret: Box<Zeroizing<[u8; 32]>>,
}

#[derive(Default)]
struct Keys {
    by_hour: BTreeMap<u32, Key>,
    free: Vec<u64>,
    /// Slots that may hold keys which nothing lies under: what was half made when the system failed.
    stale: Vec<u64>,
    slots: u64,
}

/// The file and what it holds. Written by the store's writer alone, read by everybody.
pub(crate) struct Hours {
    file: File,
    keys: RwLock<Keys>,
}

impl std::fmt::Debug for Hours {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hours")
    }
}

fn checksum(slot: &[u8]) -> [u8; 4] {
    crc32fast::hash(slot).to_le_bytes()
}

fn write_slot(hour: u32, secret: &[u8; 32]) -> Zeroizing<[u8; 64]> {
    let mut slot = Zeroizing::new([0; 64]);
    let (head, tail) = slot.split_at_mut(60);
    for (to, from) in head.iter_mut().zip(USED.iter().chain(&hour.to_le_bytes()).chain(secret)) {
        *to = *from;
    }
    tail.copy_from_slice(&checksum(head));
    slot
}

fn read_slot(slot: &[u8]) -> Option<(u32, Box<Zeroizing<[u8; 32]>>)> {
    let (head, tail) = slot.split_at_checked(60)?;
    if tail != checksum(head) {
        return None;
    }
    let (used, rest) = head.split_first_chunk::<4>()?;
    let (hour, rest) = rest.split_first_chunk::<4>()?;
    let (secret, _) = rest.split_first_chunk::<32>()?;
    (*used == USED).then(|| (u32::from_le_bytes(*hour), Box::new(Zeroizing::new(*secret))))
}

impl Hours {
    /// Makes an empty file.
    pub(crate) fn create(folder: &Path) -> io::Result<()> {
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(folder.join(FILE))?;
        file.sync_all()
    }

    pub(crate) fn open(folder: &Path) -> Result<Self, OpenError> {
        let file = match OpenOptions::new().read(true).write(true).open(folder.join(FILE)) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                return Err(OpenError::Damaged { what: "the keys of the hours are missing" });
            }
            Err(e) => return Err(e.into()),
        };
        let length = file.metadata()?.len();
        let slots = length / SLOT;
        if slots > MAX_SLOTS {
            return Err(OpenError::Damaged { what: "the keys of the hours are far too many" });
        }
        let mut bytes = Zeroizing::new(vec![0; usize::try_from(slots * SLOT).unwrap_or(0)]);
        file.read_exact_at(&mut bytes, 0)?;
        let mut keys = Keys { slots, ..Keys::default() };
        for (slot, bytes) in (0..).zip(bytes.chunks_exact(64)) {
            if bytes.iter().all(|b| *b == 0) {
                keys.free.push(slot);
                continue;
            }
            let (hour, secret) =
                read_slot(bytes).ok_or(OpenError::Damaged { what: "a key of an hour is not whole" })?;
            if let Some(before) = keys.by_hour.insert(hour, Key { slot, secret }) {
                // Two keys of one hour are left only where neither was in use yet (see `ensure`).
                keys.stale.push(before.slot);
            }
        }
        Ok(Self { file, keys: RwLock::new(keys) })
    }

    /// Bytes that the file takes.
    pub(crate) fn bytes(&self) -> u64 {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).slots * SLOT
    }

    /// Makes sure that these hours have keys that a power cut does not take.
    pub(crate) fn ensure(&self, hours: impl Iterator<Item = u32>) -> io::Result<()> {
        let missing: Vec<u32> = {
            let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
            let mut missing: Vec<u32> = hours.filter(|hour| !keys.by_hour.contains_key(hour)).collect();
            missing.sort_unstable();
            missing.dedup();
            missing
        };
        if missing.is_empty() {
            return Ok(());
        }
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        // Before a key counts, whatever an earlier failure left is gone: read again, it could be taken for this one.
        for slot in &keys.stale {
            self.file.write_all_at(&[0; 64], slot * SLOT)?;
        }
        let mut made = Vec::with_capacity(missing.len());
        if let Err(e) = self.make(&mut keys, missing, &mut made).and_then(|()| self.file.sync_data()) {
            keys.stale.extend(made.into_iter().map(|(_, key)| key.slot));
            return Err(e);
        }
        let cleared = std::mem::take(&mut keys.stale);
        keys.free.extend(cleared);
        keys.by_hour.extend(made);
        Ok(())
    }

    /// Writes new keys; `made` has each whose slot may have been touched, also when it fails.
    fn make(&self, keys: &mut Keys, hours: Vec<u32>, made: &mut Vec<(u32, Key)>) -> io::Result<()> {
        for hour in hours {
            if keys.free.is_empty() {
                self.grow(keys)?;
            }
            let Some(slot) = keys.free.pop() else { break };
            let mut secret = Box::new(Zeroizing::new([0; 32]));
            UnwrapErr(getrandom::SysRng).fill_bytes(&mut secret[..]);
            let bytes = write_slot(hour, &secret);
            made.push((hour, Key { slot, secret }));
            self.file.write_all_at(&bytes[..], slot * SLOT)?;
        }
        Ok(())
    }

    fn grow(&self, keys: &mut Keys) -> io::Result<()> {
        self.file.write_all_at(&[0; 4_096], keys.slots * SLOT)?;
        self.file.sync_all()?;
        keys.free.extend(keys.slots..keys.slots + GROWTH);
        keys.slots += GROWTH;
        Ok(())
    }

    /// Whether there are keys of hours that are over.
    pub(crate) fn any_before(&self, now: Millis) -> bool {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.by_hour.range(..hour_of(now)).next().is_some()
    }

    /// Overwrites the keys of all hours that are over, and syncs. From then on nobody reads what lay under them.
    pub(crate) fn wipe_before(&self, now: Millis) -> io::Result<()> {
        let this_hour = hour_of(now);
        let over =
            |keys: &Keys| keys.by_hour.range(..this_hour).map(|(hour, key)| (*hour, key.slot)).collect::<Vec<_>>();
        let gone = over(&self.keys.read().unwrap_or_else(PoisonError::into_inner));
        if gone.is_empty() {
            return Ok(());
        }
        for (_, slot) in &gone {
            self.file.write_all_at(&[0; 64], slot * SLOT)?;
        }
        self.file.sync_data()?;
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        for (hour, slot) in gone {
            keys.by_hour.remove(&hour);
            keys.free.push(slot);
        }
        Ok(())
    }

    /// The cipher of an hour in a segment, or nothing when the hour is over. A segment has a salt of its own, and its
    /// writer counts; so no two records ever share cipher and nonce, whatever a crash took back.
    pub(crate) fn cipher(&self, hour: u32, salt: &[u8; 32]) -> Option<ChaCha20Poly1305> {
        self.cipher_for(Use::Records, hour, salt)
    }

    /// The cipher of an hour for one use and salt, or nothing when the hour is over.
    pub(crate) fn cipher_for(&self, of: Use, hour: u32, salt: &[u8; 32]) -> Option<ChaCha20Poly1305> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let secret = &keys.by_hour.get(&hour)?.secret;
        let key = Zeroizing::new(<[u8; 32]>::from(
            Sha256::new_with_prefix(of.label()).chain_update(&secret[..]).chain_update(salt).finalize(),
        ));
        Some(ChaCha20Poly1305::new((&*key).into()))
    }
}

#[cfg(test)]
mod tests;
