//! The store's reader, made fit for an asynchronous runtime: what may wait for the disk waits outside of it.

use estoile_hub::store::{LiveId, LogState, Page, PastEpoch, Reader, Store, StoreError};
use estoile_wire::{Cursor, LogId, Millis};

/// The store of a relay.
pub(crate) type Disk = crate::store::RecordStore;

/// A reader whose long reads don't hold up a runtime's worker.
#[derive(Clone)]
pub(crate) struct Offload(pub(crate) <Disk as Store>::Reader);

impl Reader for Offload {
    fn logs(&self) -> Result<Vec<LogState>, StoreError> {
        self.0.logs()
    }

    /// Pages are read where blocking is allowed, and a shelf's items in the middle of a frame.
    fn read(&self, log: &LogId, after: Cursor, now: Millis, records: usize, bytes: usize) -> Result<Page, StoreError> {
        tokio::task::block_in_place(|| self.0.read(log, after, now, records, bytes))
    }

    fn newest(&self, log: &LogId, after: Cursor, count: u64, now: Millis) -> Result<Cursor, StoreError> {
        self.0.newest(log, after, count, now)
    }

    /// Called in the middle of a frame.
    fn past(&self, log: &LogId, epoch: u64, now: Millis) -> Result<Option<PastEpoch>, StoreError> {
        tokio::task::block_in_place(|| self.0.past(log, epoch, now))
    }

    /// Called in the middle of a frame, the first time that somebody comes to a log in a while: the other tasks of this
    /// worker move elsewhere meanwhile.
    fn ids(&self, log: &LogId, now: Millis) -> Result<Vec<LiveId>, StoreError> {
        tokio::task::block_in_place(|| self.0.ids(log, now))
    }
}
