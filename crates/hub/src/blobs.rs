//! The seam between the rules and whoever keeps blobs: what may be put was decided before it gets here.
//!
//! A blob's bytes never pass through a shard. A session that asks is granted a *token* by a [`Blobs`]; with it the bytes
//! are put and got elsewhere (a driver's HTTP). What a blob counts is added to its log before the grant; the keeper gives
//! it back through [`Shard::expired`](crate::shard::Shard::expired) when the blob is over, or came to nothing.

mod memory;

use estoile_wire::id::{BlobHash, BlobToken};
use estoile_wire::{LogId, Millis, Refusal};

pub use memory::{MemoryBlobs, PutRefused};

use crate::shard::No;

/// What a blob counts beside its bytes against quotas: a file of its own and what is remembered of it, so that a million
/// small ones are not free.
pub const BLOB_OVERHEAD: u64 = 4 << 10;

/// What a blob of so many bytes counts against quotas.
#[must_use]
pub const fn blob_charge(size: u64) -> u64 {
    size.saturating_add(BLOB_OVERHEAD)
}

/// What a session asks for, after it was found right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobAsked {
    /// In which log it counts.
    pub log: LogId,
    /// Its address.
    pub hash: BlobHash,
    /// Its bytes: 1 to `max_blob`.
    pub size: u64,
    /// Until when it must live. It may live an hour longer, so that the record that names it, which is appended after it
    /// was put, doesn't outlive it.
    pub expires: Millis,
}

/// What it gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobGranted {
    /// Random.
    pub token: BlobToken,
    /// Bytes that are here already; the whole size: nothing is to be put.
    pub received: u64,
    /// What it counts in the log from now on: [`blob_charge`], or 0 if it was counted before.
    pub counted: u64,
}

/// Keeps blobs, or at least their places.
pub trait Blobs {
    /// What a grant would count now: [`blob_charge`], or 0 if the blob is here, or on its way, and counted already. Quick:
    /// no I/O.
    fn would_count(&self, now: Millis, asked: &BlobAsked) -> u64;

    /// Grants a place. Quick: no I/O.
    ///
    /// # Errors
    /// [`No`], if there is no room.
    fn grant(&self, now: Millis, asked: &BlobAsked) -> Result<BlobGranted, No>;
}

/// For a relay that takes none.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoBlobs;

impl Blobs for NoBlobs {
    fn would_count(&self, _: Millis, asked: &BlobAsked) -> u64 {
        blob_charge(asked.size)
    }

    fn grant(&self, _: Millis, _: &BlobAsked) -> Result<BlobGranted, No> {
        Err(No::because(Refusal::Unsupported))
    }
}
