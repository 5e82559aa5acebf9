//! Grants: a place on the disk and a token to fill it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use estoile_hub::blobs::{BlobAsked, BlobGranted, blob_charge};
use estoile_hub::shard::No;
use estoile_hub::store::ExpiredFrom;
use estoile_wire::id::{BlobHash, BlobToken};
use estoile_wire::{LogId, Millis, Refusal};
use rand_core::{Rng, UnwrapErr};

use super::upload::Upload;
use super::{Blobs, Grant, Hash, LONGER_MS, State, digest};

/// What a client is told to wait when there are too many unfinished uploads: some of them are finished by then.
const BUSY_WAIT_MS: u64 = 5_000;

impl estoile_hub::blobs::Blobs for Blobs {
    fn would_count(&self, _: Millis, asked: &BlobAsked) -> u64 {
        let state = self.state();
        let counted = state.is_here(asked) || state.on_its_way(asked).is_some();
        if counted { 0 } else { blob_charge(asked.size) }
    }

    fn grant(&self, now: Millis, asked: &BlobAsked) -> Result<BlobGranted, No> {
        self.reserve(now, asked).map_err(|code| match code {
            Refusal::Busy => No::wait(code, BUSY_WAIT_MS),
            _ => No::because(code),
        })
    }
}

impl State {
    /// A blob like this is here already.
    fn is_here(&self, asked: &BlobAsked) -> bool {
        let BlobAsked { log, hash: BlobHash(hash), size, expires } = *asked;
        let here = |whole: &Arc<super::Whole>| whole.log == log && whole.size == size && expires <= whole.expires;
        self.whole.get(&hash).is_some_and(|copies| copies.iter().any(here))
    }

    /// The upload that goes on if a blob like this is asked for.
    fn on_its_way(&self, asked: &BlobAsked) -> Option<&Arc<Upload>> {
        let BlobAsked { log, hash: BlobHash(hash), size, expires } = *asked;
        let upload = self.uploads.get(&(log, hash))?;
        (upload.size == size && expires <= upload.expires).then_some(upload)
    }
}

impl Blobs {
    /// Grants a place, or says why not. Quick: no disk.
    pub(super) fn reserve(&self, now: Millis, asked: &BlobAsked) -> Result<BlobGranted, Refusal> {
        let BlobAsked { log, hash: BlobHash(hash), size, expires } = *asked;
        let mut state = self.state();
        if state.is_here(asked) {
            return Ok(BlobGranted { token: BlobToken(token()), received: size, counted: 0 });
        }
        let until = now.saturating_add(self.bounds.unfinished_ms());
        if let Some(upload) = state.on_its_way(asked).cloned() {
            upload.until.fetch_max(until, Ordering::SeqCst);
            let token = self.token_for(&mut state, now, log, hash);
            return Ok(BlobGranted { token: BlobToken(token), received: upload.received(), counted: 0 });
        }
        let counted = blob_charge(size);
        let taken = self.bytes().saturating_add(self.beside.load(Ordering::Relaxed));
        if taken.saturating_add(counted) > self.max_disk || state.count >= self.bounds.max_blobs {
            return Err(Refusal::DiskFull);
        }
        let of_log = state.uploads.range((log, [0; 32])..=(log, [u8::MAX; 32])).take(self.bounds.max_uploads_a_log);
        let crowded = of_log.count() >= self.bounds.max_uploads_a_log && !state.uploads.contains_key(&(log, hash));
        if crowded || state.uploads.len() >= self.bounds.max_uploads || self.is_closed() {
            return Err(Refusal::Busy);
        }
        let upload = Upload::new(log, hash, size, expires.saturating_add(LONGER_MS), until);
        let before = state.uploads.insert((log, hash), Arc::new(upload));
        self.held.fetch_add(counted, Ordering::Relaxed);
        if let Some(before) = &before {
            self.release(&mut state, log, before.charge());
        }
        let token = self.token_for(&mut state, now, log, hash);
        self.tell(&state);
        Ok(BlobGranted { token: BlobToken(token), received: 0, counted })
    }

    /// A new token for an upload, in the place of any earlier one.
    fn token_for(&self, state: &mut State, now: Millis, log: LogId, hash: Hash) -> [u8; 32] {
        let token = token();
        state.grants.retain(|_, grant| (grant.log, grant.hash) != (log, hash));
        state.grants.insert(digest(&token), Grant { log, hash, until: now.saturating_add(self.bounds.grant_ms()) });
        token
    }

    /// The upload that a token opens at an address, and until when.
    pub(super) fn granted(&self, token: &[u8; 32], hash: &Hash, now: Millis) -> Option<(Arc<Upload>, Millis)> {
        let state = self.state();
        let grant = state.grants.get(&digest(token)).filter(|grant| grant.hash == *hash && now < grant.until)?;
        Some((Arc::clone(state.uploads.get(&(grant.log, grant.hash))?), grant.until))
    }

    /// Gives bytes back to the disk and to their log.
    pub(super) fn release(&self, state: &mut State, log: LogId, bytes: u64) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
        match state.freed.iter_mut().find(|freed| freed.log == log) {
            Some(freed) => freed.bytes = freed.bytes.saturating_add(bytes),
            None => state.freed.push(ExpiredFrom { log, records: 0, bytes }),
        }
    }

    /// Ends an upload that came to nothing. May wait for the disk.
    pub(super) fn throw_away(&self, upload: &Arc<Upload>) {
        let key = (upload.log, upload.hash);
        let mut state = self.state();
        if state.uploads.get(&key).is_some_and(|current| Arc::ptr_eq(current, upload)) {
            state.uploads.remove(&key);
            state.grants.retain(|_, grant| (grant.log, grant.hash) != key);
            self.release(&mut state, upload.log, upload.charge());
            self.tell(&state);
        }
        drop(state);
        upload.discard();
    }
}

fn token() -> [u8; 32] {
    let mut token = [0; 32];
    UnwrapErr(getrandom::SysRng).fill_bytes(&mut token);
    token
}
