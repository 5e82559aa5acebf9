//! One blob on its way in: who writes, how far it is, what was not sealed yet.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use estoile_hub::blobs::blob_charge;
use estoile_wire::{LogId, Millis};
use sha2::{Digest, Sha256};

use super::disk::{PIECE, Part};
use super::{Blobs, Hash, Whole};

/// Why bytes were not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Another request writes now, or the upload was thrown away.
    Superseded,
    /// More than was granted.
    TooLong,
    /// They are whole, and not what they were said to be.
    WrongHash,
    /// The disk failed.
    Failed,
}

#[derive(Debug)]
struct Writing {
    /// Which request may write: the latest that began.
    turn: u64,
    part: Option<Part>,
    /// What does not fill a piece yet.
    tail: Vec<u8>,
    sum: Sha256,
    /// It has ended, this way or that.
    over: bool,
}

/// A blob that was granted and is not whole.
#[derive(Debug)]
pub(super) struct Upload {
    pub(super) log: LogId,
    pub(super) hash: Hash,
    pub(super) size: u64,
    pub(super) expires: Millis,
    /// When it is thrown away if nobody goes on with it.
    pub(super) until: AtomicU64,
    received: AtomicU64,
    writing: Mutex<Writing>,
}

impl Upload {
    pub(super) fn new(log: LogId, hash: Hash, size: u64, expires: Millis, until: Millis) -> Self {
        let writing = Writing { turn: 0, part: None, tail: Vec::new(), sum: Sha256::new(), over: false };
        Self {
            log,
            hash,
            size,
            expires,
            until: AtomicU64::new(until),
            received: AtomicU64::new(0),
            writing: Mutex::new(writing),
        }
    }

    pub(super) const fn charge(&self) -> u64 {
        blob_charge(self.size)
    }

    pub(super) fn received(&self) -> u64 {
        self.received.load(Ordering::SeqCst)
    }

    fn writing(&self) -> MutexGuard<'_, Writing> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on this request writes and no other. Gives its turn and how much is there. May wait for the disk.
    pub(super) fn take_over(&self) -> (u64, u64) {
        let mut writing = self.writing();
        writing.turn = writing.turn.saturating_add(1);
        (writing.turn, self.received())
    }

    /// Nothing more is written, and what was is gone. May wait for the disk.
    pub(super) fn discard(&self) {
        let mut writing = self.writing();
        writing.over = true;
        writing.part = None;
        writing.tail = Vec::new();
    }

    /// Takes the next bytes; gives how much is there. Blocks: it writes to the disk.
    pub(super) fn append(self: &Arc<Self>, blobs: &Blobs, turn: u64, bytes: &[u8]) -> Result<u64, Fault> {
        let mut writing = self.writing();
        if writing.turn != turn || writing.over || blobs.is_closed() {
            return Err(Fault::Superseded);
        }
        let received = self.received().saturating_add(bytes.len() as u64);
        if received > self.size {
            return Err(Fault::TooLong);
        }
        if self.write(blobs, &mut writing, bytes, received == self.size).is_err() {
            drop(writing);
            blobs.throw_away(self);
            return Err(Fault::Failed);
        }
        self.received.store(received, Ordering::SeqCst);
        self.until.fetch_max(crate::core::now().saturating_add(blobs.bounds.unfinished_ms()), Ordering::SeqCst);
        if received < self.size {
            return Ok(received);
        }
        let part = writing.part.take();
        let right = <Hash>::from(writing.sum.finalize_reset()) == self.hash;
        writing.over = true;
        drop(writing);
        match part.filter(|_| right) {
            None => {
                blobs.throw_away(self);
                Err(if right { Fault::Failed } else { Fault::WrongHash })
            }
            Some(part) => blobs.keep(self, part).map(|()| received),
        }
    }

    fn write(&self, blobs: &Blobs, writing: &mut Writing, bytes: &[u8], last: bool) -> io::Result<()> {
        let Writing { part, tail, sum, .. } = writing;
        sum.update(bytes);
        tail.extend_from_slice(bytes);
        let whole = if last { tail.len() } else { tail.len() - tail.len() % PIECE };
        if whole == 0 {
            return Ok(());
        }
        let rest = tail.split_off(whole);
        let pieces = std::mem::replace(tail, rest);
        if part.is_none() {
            *part = Some(Part::create(blobs, &self.log, &self.hash, self.size, self.expires)?);
        }
        part.as_mut().map_or(Ok(()), |part| part.write(&pieces))
    }
}

impl Blobs {
    /// An upload is whole: makes it durable and known.
    fn keep(&self, upload: &Arc<Upload>, part: Part) -> Result<(), Fault> {
        let Ok(path) = part.finish() else {
            self.throw_away(upload);
            return Err(Fault::Failed);
        };
        let Upload { log, hash, size, expires, .. } = **upload;
        let mut state = self.state();
        let current = state.uploads.get(&(log, hash)).is_some_and(|current| Arc::ptr_eq(current, upload));
        if !current || self.is_closed() {
            // Thrown away meanwhile; its bytes were given back then.
            drop(state);
            std::fs::remove_file(path).ok();
            return Err(Fault::Superseded);
        }
        state.uploads.remove(&(log, hash));
        state.grants.retain(|_, grant| (grant.log, grant.hash) != (log, hash));
        // It takes the place of one that ended sooner.
        let copies = state.whole.entry(hash).or_default();
        let before: Vec<_> = copies.extract_if(.., |whole| whole.log == log).collect();
        copies.push(Arc::new(Whole { log, size, expires, path }));
        state.count = state.count.saturating_add(1).saturating_sub(before.len());
        for whole in &before {
            self.release(&mut state, log, whole.charge());
        }
        self.tell(&state);
        drop(state);
        for whole in before {
            std::fs::remove_file(&whole.path).ok();
        }
        Ok(())
    }
}
