//! The one storage trait of the relay: a single writer that makes batches durable, and readers beside it.
//!
//! A store knows logs, cursors and times. A shelf is a log whose records are its items, and are removed when they are
//! taken. A store does not know sessions, proofs, limits or duplicates: whether a write is
//! allowed was decided before it got here. Every implementation passes [`crate::conformance`].

use std::sync::Arc;

use bytes::Bytes;
use estoile_wire::frame::Ticket;
use estoile_wire::id::LogKind;
use estoile_wire::{Cursor, Id16, LogId, Millis, PublicKey};

/// What a record costs beside its body: cursor, times, ids and the store's own bookkeeping, so that a million empty
/// records are not free. Quotas count it.
pub const RECORD_OVERHEAD: u64 = 128;

/// What a record with a body of this many bytes counts against quotas.
#[must_use]
pub const fn charge(body: usize) -> u64 {
    body as u64 + RECORD_OVERHEAD
}

/// The first 8 bytes of the hash of the entry code that made a log: enough to count by, too little to guess from.
pub type EntryTag = [u8; 8];

/// What a store keeps of a log beside its records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogMeta {
    /// The log's id.
    pub id: LogId,
    /// Fixed, advancing, or a shelf.
    pub kind: LogKind,
    /// The current epoch; 0 for ever in a fixed log.
    pub epoch: u64,
    /// The current epoch's access key.
    pub access_key: PublicKey,
    /// Seconds that a record may live in it.
    pub max_ttl: u64,
    /// Bytes that it may hold, by [`charge`].
    pub quota: u64,
    /// The highest cursor ever made durable in it; 0 for none.
    pub last: Cursor,
    /// When it was made.
    pub created: Millis,
    /// When the newest record arrived.
    pub last_write: Option<Millis>,
    /// The latest expiry of any record it ever had; 0 for none.
    pub last_expiry: Millis,
    /// Which entry code made it.
    pub entry: Option<EntryTag>,
    /// Its tickets.
    pub tickets: Arc<[Ticket]>,
}

/// How a record ended its epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advance {
    /// The access key of the epoch that it ended, which is the record's.
    pub ended: PublicKey,
    /// The access key of the next one.
    pub next: PublicKey,
}

/// What is left of an epoch that has ended: it is known for as long as the record lives that ended it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastEpoch {
    /// Its access key.
    pub access_key: PublicKey,
    /// The place of the record that ended it.
    pub end: Cursor,
}

/// A log as a store finds it when it is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogState {
    /// What is kept of it.
    pub meta: LogMeta,
    /// Records that `expire` has not taken yet, whether their time is over or not.
    pub records: u64,
    /// The sum of their [`charge`].
    pub bytes: u64,
}

/// A record on its way into a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRecord {
    /// Which log.
    pub log: LogId,
    /// Its place, above the log's `last`.
    pub cursor: Cursor,
    /// When it arrived.
    pub time: Millis,
    /// From this moment on it is gone.
    pub expires: Millis,
    /// The log's epoch when it arrived.
    pub epoch: u64,
    /// The letter's id.
    pub id16: Id16,
    /// The sealed letter.
    pub body: Bytes,
    /// It ended its epoch.
    pub advance: Option<Advance>,
}

/// A record as a store gives it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRecord {
    /// Its place in the log.
    pub cursor: Cursor,
    /// When it arrived.
    pub time: Millis,
    /// From this moment on it is gone.
    pub expires: Millis,
    /// The log's epoch when it arrived.
    pub epoch: u64,
    /// The letter's id.
    pub id16: Id16,
    /// The sealed letter.
    pub body: Bytes,
    /// It ended its epoch.
    pub advance: Option<Advance>,
}

/// What the index of duplicates needs of a live record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveId {
    /// The letter's id.
    pub id16: Id16,
    /// Its place in the log.
    pub cursor: Cursor,
    /// When it arrived.
    pub time: Millis,
    /// From this moment on it is gone.
    pub expires: Millis,
}

/// One change. A batch of them is durable as a whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// Makes a log, or replaces what is kept of it; its records stay.
    PutLog(LogMeta),
    /// Adds a record and moves the log's `last`, `last_write` and (upwards only) `last_expiry`. With an
    /// [`NewRecord::advance`] it also moves the log's `epoch` to the record's and one, and its `access_key` to the next.
    Append(NewRecord),
    /// Replaces a log's tickets. Of a log that is not there: no error, and nothing.
    Tickets {
        /// Which log.
        log: LogId,
        /// All of them.
        tickets: Arc<[Ticket]>,
    },
    /// Removes one record for ever, as if it had never been: no read shows it, no restart brings it back, and it leaves
    /// `usage` and its log's `records` and `bytes`; `last`, `last_write` and `last_expiry` stay. One that is not there is
    /// no error.
    Remove {
        /// Which log.
        log: LogId,
        /// Its place.
        cursor: Cursor,
    },
    /// Removes a log and its records. One that is not there is no error.
    DropLog(LogId),
}

/// What a store holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Logs.
    pub logs: u64,
    /// Records that `expire` has not taken yet.
    pub records: u64,
    /// Bytes on the disk (an embedded store: its files; a memory store: the sum of charges).
    pub bytes: u64,
}

/// What one log lost to [`Store::expire`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpiredFrom {
    /// Which log.
    pub log: LogId,
    /// How many records.
    pub records: u64,
    /// The sum of their [`charge`].
    pub bytes: u64,
}

/// What [`Store::expire`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    /// Per log, each log at most once.
    pub logs: Vec<ExpiredFrom>,
    /// There is more to expire: the limit was reached.
    pub more: bool,
}

/// A page of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Live records in order.
    pub records: Vec<StoredRecord>,
    /// A bound of the page was reached before the end of the log. `false` promises that every live record which was
    /// durable when the read began lies at or before the last one here.
    pub more: bool,
}

/// Why a store could not. Sorted by who is at fault; none of them holds a byte from a peer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The disk has no room: nothing was written; reading and expiry go on.
    #[error("the disk is full")]
    Full,
    /// The medium failed: nothing of the batch counts as written.
    #[error("the store could not read or write: {0}")]
    Failed(String),
    /// What is on the medium is not what was written.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// The caller broke the trait's rules (an append into no log, a cursor that does not rise): a bug in this program.
    #[error("the store was misused: {0}")]
    Misuse(&'static str),
}

/// The writer. There is one per store at a time.
pub trait Store: Send {
    /// What reads beside the writer.
    type Reader: Reader;

    /// A reader: sees every batch that was committed before its method is called.
    fn reader(&self) -> Self::Reader;

    /// Makes a batch durable, in order, all or nothing. When it returns `Ok`, a power cut loses none of it.
    ///
    /// # Errors
    /// [`StoreError`]; then no reader, now or after reopening, sees any of it.
    fn commit(&mut self, writes: &[Write]) -> Result<(), StoreError>;

    /// Takes records whose time is over (`expires <= now`), oldest expiry first, at most `limit` of them. They leave
    /// `usage`, the log's `records` and `bytes`, and within an hour the medium. Logs are not dropped by it.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing counts as expired.
    fn expire(&mut self, now: Millis, limit: usize) -> Result<Expired, StoreError>;

    /// What the store holds. Cheap: asked after every commit.
    fn usage(&self) -> Usage;
}

/// Reads what is durable. No method blocks a commit for long, and none shows a record whose time is over.
pub trait Reader: Clone + Send + Sync + 'static {
    /// Every log, in no order.
    ///
    /// # Errors
    /// [`StoreError`] if the medium fails.
    fn logs(&self) -> Result<Vec<LogState>, StoreError>;

    /// Live records (`now < expires`) with a cursor above `after`, in order: at most `max_records`, and bodies of at
    /// most `max_bytes` together; but one at least if one lives. A log that is not there gives an empty page.
    ///
    /// # Errors
    /// [`StoreError`] if the medium fails.
    fn read(
        &self,
        log: &LogId,
        after: Cursor,
        now: Millis,
        max_records: usize,
        max_bytes: usize,
    ) -> Result<Page, StoreError>;

    /// The cursor behind which the newest `count` live records lie: the lowest one not below `after` with at most
    /// `count` live records above it. With fewer than that after `after`: `after`. With `count` 0: the log's `last`.
    ///
    /// # Errors
    /// [`StoreError`] if the medium fails.
    fn newest(&self, log: &LogId, after: Cursor, count: u64, now: Millis) -> Result<Cursor, StoreError>;

    /// What is known of an epoch that has ended: of the live record with this epoch and an `advance`. Called once for each
    /// attach behind the newest epoch, so it must not read the whole log.
    ///
    /// # Errors
    /// [`StoreError`] if the medium fails.
    fn past(&self, log: &LogId, epoch: u64, now: Millis) -> Result<Option<PastEpoch>, StoreError>;

    /// The ids of all live records of a log, in no order.
    ///
    /// # Errors
    /// [`StoreError`] if the medium fails.
    fn ids(&self, log: &LogId, now: Millis) -> Result<Vec<LiveId>, StoreError>;
}
