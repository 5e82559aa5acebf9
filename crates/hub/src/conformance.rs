//! What every store of the relay must do, as plain functions: call [`all`] from a test of each implementation.
//!
//! It knows nothing of how a store works; it only opens, writes, reads, and opens again.
//!
//! Each check panics (by `assert!`) where a store breaks the trait's promise, and returns the store's error where it fails
//! for a reason of its own.

mod model;
mod private;
mod time;

use std::sync::Arc;

use bytes::Bytes;
use estoile_wire::id::LogKind;
use estoile_wire::{Cursor, Id16, LogId, Millis, PublicKey};

use crate::store::{LogMeta, NewRecord, Page, Reader, Store, StoreError, StoredRecord, Write, charge};

pub use model::behaves_like_the_memory_store;
pub use private::{
    a_bad_batch_removes_and_ends_nothing, a_removed_end_of_an_epoch_is_not_found,
    epochs_are_known_while_their_ends_live, tickets_are_replaced, what_is_removed_stays_removed,
};
pub use time::{
    expiry_is_exact_at_once, expiry_takes_the_oldest_first, ids_are_of_live_records, newest_counts_from_the_end,
};

/// Opens stores for the checks.
pub trait Make {
    /// What is checked.
    type Store: Store;

    /// A new, empty store.
    fn fresh(&mut self) -> Self::Store;

    /// Closes a store and opens what it left behind, as after a restart of the process.
    fn reopen(&mut self, store: Self::Store) -> Self::Store;
}

/// A moment in 2023: stores see real times.
pub const NOW: Millis = 1_700_000_000_000;

/// Runs every check.
///
/// # Errors
/// The store's, where it failed without being asked to.
pub fn all<M: Make>(make: &mut M) -> Result<(), StoreError> {
    a_new_store_is_empty(make)?;
    what_is_committed_outlives_a_restart(make)?;
    a_batch_is_all_or_nothing(make)?;
    cursors_rise(make)?;
    pages_are_bounded_by_records(make)?;
    pages_are_bounded_by_bytes(make)?;
    bodies_come_back_as_they_were(make)?;
    putting_again_keeps_records(make)?;
    dropping_removes_everything(make)?;
    a_log_may_begin_again(make)?;
    many_logs_stay_apart(make)?;
    readers_see_later_commits(make)?;
    expiry_is_exact_at_once(make)?;
    expiry_takes_the_oldest_first(make)?;
    ids_are_of_live_records(make)?;
    newest_counts_from_the_end(make)?;
    epochs_are_known_while_their_ends_live(make)?;
    tickets_are_replaced(make)?;
    what_is_removed_stays_removed(make)?;
    a_removed_end_of_an_epoch_is_not_found(make)?;
    a_bad_batch_removes_and_ends_nothing(make)?;
    for seed in 0..8 {
        behaves_like_the_memory_store(make, seed)?;
    }
    Ok(())
}

fn log(n: u16) -> LogId {
    LogId([n.to_be_bytes(); 16].concat().try_into().unwrap_or([0; 32]))
}

fn meta(n: u16) -> LogMeta {
    LogMeta {
        id: log(n),
        kind: LogKind::Fixed,
        epoch: 0,
        access_key: PublicKey([7; 32]),
        max_ttl: 3600,
        quota: 1 << 30,
        last: 0,
        created: NOW,
        last_write: None,
        last_expiry: 0,
        entry: None,
        tickets: Arc::from([]),
    }
}

fn record(n: u16, cursor: Cursor, expires: Millis, body: &'static [u8]) -> NewRecord {
    let mut id16 = [0; 16];
    id16.iter_mut().zip(cursor.to_be_bytes()).for_each(|(to, from)| *to = from);
    NewRecord {
        log: log(n),
        cursor,
        time: NOW,
        expires,
        epoch: 0,
        id16: Id16(id16),
        body: Bytes::from_static(body),
        advance: None,
    }
}

fn stored(record: &NewRecord) -> StoredRecord {
    let NewRecord { cursor, time, expires, epoch, id16, ref body, advance, .. } = *record;
    StoredRecord { cursor, time, expires, epoch, id16, body: body.clone(), advance }
}

/// A log with records at these cursors, each of a body of `size` bytes, alive for an hour.
fn filled<M: Make>(make: &mut M, cursors: &[Cursor], size: usize) -> Result<M::Store, StoreError> {
    let mut store = make.fresh();
    let body = Bytes::from(vec![0xAB; size]);
    let append = |c: &Cursor| Write::Append(NewRecord { body: body.clone(), ..record(1, *c, NOW + 3_600_000, b"") });
    let writes: Vec<Write> = core::iter::once(Write::PutLog(meta(1))).chain(cursors.iter().map(append)).collect();
    store.commit(&writes)?;
    Ok(store)
}

fn cursors(page: &Page) -> Vec<Cursor> {
    page.records.iter().map(|r| r.cursor).collect()
}

fn everything<S: Store>(store: &S, n: u16, now: Millis) -> Result<Vec<StoredRecord>, StoreError> {
    let page = store.reader().read(&log(n), 0, now, usize::MAX, usize::MAX)?;
    assert!(!page.more, "an unbounded page is the whole log");
    Ok(page.records)
}

/// A new store holds nothing, and an empty batch changes nothing.
///
/// # Errors
/// The store's.
pub fn a_new_store_is_empty<M: Make>(make: &mut M) -> Result<(), StoreError> {
    let mut store = make.fresh();
    store.commit(&[])?;
    let mut store = make.reopen(store);
    assert_eq!((store.usage().logs, store.usage().records), (0, 0));
    assert!(store.reader().logs()?.is_empty());
    assert_eq!(everything(&store, 1, NOW)?, []);
    assert_eq!(store.reader().ids(&log(1), NOW)?, []);
    assert_eq!(store.reader().newest(&log(1), 5, 3, NOW)?, 5);
    assert!(store.expire(Millis::MAX, 10)?.logs.is_empty());
    Ok(())
}

/// Every field of logs and records comes back after a restart, with the log's moved `last`, `last_write`, `last_expiry`.
///
/// # Errors
/// The store's.
pub fn what_is_committed_outlives_a_restart<M: Make>(make: &mut M) -> Result<(), StoreError> {
    let mut store = make.fresh();
    let full = LogMeta {
        kind: LogKind::Advancing,
        epoch: 9,
        max_ttl: u64::from(u32::MAX),
        quota: u64::MAX >> 1,
        created: NOW - 5,
        entry: Some([1, 2, 3, 4, 5, 6, 7, 8]),
        ..meta(1)
    };
    let one = NewRecord { time: NOW + 3, epoch: 9, ..record(1, 4, NOW + 90_000, b"first") };
    let two = NewRecord { time: NOW + 4, epoch: 9, ..record(1, 6, NOW + 80_000, b"second") };
    store.commit(&[Write::PutLog(full.clone()), Write::Append(one.clone())])?;
    store.commit(&[Write::Append(two.clone()), Write::PutLog(meta(2))])?;
    let kept = LogMeta { last: 6, last_write: Some(NOW + 4), last_expiry: NOW + 90_000, ..full };
    for _ in 0..3 {
        let mut logs = store.reader().logs()?;
        logs.sort_by_key(|l| l.meta.id);
        let metas: Vec<_> = logs.iter().map(|l| l.meta.clone()).collect();
        assert_eq!(metas, [kept.clone(), meta(2)]);
        let sums: Vec<_> = logs.iter().map(|l| (l.records, l.bytes)).collect();
        assert_eq!(sums, [(2, charge(5) + charge(6)), (0, 0)]);
        assert_eq!(everything(&store, 1, NOW)?, [stored(&one), stored(&two)]);
        assert_eq!((store.usage().logs, store.usage().records), (2, 2));
        store = make.reopen(store);
    }
    Ok(())
}

/// A batch whose last write is not allowed leaves no trace, now or after a restart, and the store goes on.
///
/// # Errors
/// The store's.
pub fn a_batch_is_all_or_nothing<M: Make>(make: &mut M) -> Result<(), StoreError> {
    let mut store = filled(make, &[1, 2], 10)?;
    let before = (store.reader().logs()?, everything(&store, 1, NOW)?);
    let bad = [
        Write::PutLog(meta(2)),
        Write::Append(record(1, 3, NOW + 1000, b"three")),
        Write::Append(record(2, 1, NOW + 1000, b"one")),
        Write::Append(record(9, 1, NOW + 1000, b"into no log")),
    ];
    assert!(matches!(store.commit(&bad), Err(StoreError::Misuse(_))));
    let bad = [Write::DropLog(log(1)), Write::Append(record(1, 3, NOW + 1000, b"into a log just dropped"))];
    assert!(matches!(store.commit(&bad), Err(StoreError::Misuse(_))));
    assert_eq!((store.reader().logs()?, everything(&store, 1, NOW)?), before);
    let mut store = make.reopen(store);
    assert_eq!((store.reader().logs()?, everything(&store, 1, NOW)?), before);
    assert_eq!((store.usage().logs, store.usage().records), (1, 2));
    store.commit(&[Write::Append(record(1, 3, NOW + 1000, b"three"))])?;
    assert_eq!(everything(&store, 1, NOW)?.len(), 3);
    Ok(())
}

/// A cursor that is not above the log's last is refused, within a batch and over batches and restarts; gaps are not.
///
/// # Errors
/// The store's.
pub fn cursors_rise<M: Make>(make: &mut M) -> Result<(), StoreError> {
    let mut store = filled(make, &[5, 7, 1 << 40], 1)?;
    for cursor in [0, 5, 6, 7, 1 << 40] {
        let write = Write::Append(record(1, cursor, NOW + 1000, b"x"));
        assert!(matches!(store.commit(&[write]), Err(StoreError::Misuse(_))), "cursor {cursor}");
    }
    let next = (1 << 40) + 1;
    let twice = [(next, b"a"), (next, b"b")].map(|(c, body)| Write::Append(record(1, c, NOW + 1000, body)));
    assert!(matches!(store.commit(&twice), Err(StoreError::Misuse(_))));
    // A cursor stays taken when its record is over.
    while store.expire(NOW + 3_600_000, 10)?.more {}
    let mut store = make.reopen(store);
    let again = Write::Append(record(1, 1 << 40, NOW + 1000, b"x"));
    assert!(matches!(store.commit(&[again]), Err(StoreError::Misuse(_))));
    store.commit(&[Write::Append(record(1, next, NOW + 1000, b"y"))])?;
    assert_eq!(store.reader().logs()?.first().map(|l| l.meta.last), Some(next));
    Ok(())
}

/// Pages hold at most so many records, in order, without gap or overlap, and say whether there is more.
///
/// # Errors
/// The store's.
pub fn pages_are_bounded_by_records<M: Make>(make: &mut M) -> Result<(), StoreError> {
    let all: Vec<Cursor> = (1..=20).map(|n| n * n).collect();
    let store = filled(make, &all, 3)?;
    let reader = store.reader();
    for size in [1, 3, 7, 20, 21] {
        let (mut seen, mut after) = (Vec::new(), 0);
        loop {
            let page = reader.read(&log(1), after, NOW, size, usize::MAX)?;
            assert!(page.records.len() <= size);
            seen.extend(cursors(&page));
            after = seen.last().copied().unwrap_or(after);
            if !page.more {
                break;
            }
            assert_eq!(page.records.len(), size, "a page with more behind it is full");
        }
        assert_eq!(seen, all);
    }
    assert_eq!(cursors(&reader.read(&log(1), 5, NOW, 2, usize::MAX)?), [9, 16]);
    assert_eq!(cursors(&reader.read(&log(1), 400, NOW, 2, usize::MAX)?), []);
    assert_eq!(cursors(&reader.read(&log(1), Cursor::MAX, NOW, 2, usize::MAX)?), []);
    assert!(!reader.read(&log(1), 361, NOW, 1, usize::MAX)?.more, "the last page knows that it is the last");
    Ok(())
}

/// Bodies of a page hold at most so many bytes together, but one record comes even if it is larger.
///
/// # Errors
/// The store's.
pub fn pages_are_bounded_by_bytes<M: Make>(make: &mut M) -> Result<(), StoreError> {
    let store = filled(make, &[1, 2, 3, 4, 5], 100)?;
    let reader = store.reader();
    for (bytes, first) in [(0, 1), (99, 1), (100, 1), (199, 1), (200, 2), (499, 4), (500, 5)] {
        let page = reader.read(&log(1), 0, NOW, usize::MAX, bytes)?;
        assert_eq!(page.records.len(), first, "{bytes} bytes");
        assert_eq!(page.more, first < 5);
    }
    Ok(())
}

/// Bodies of every size and of all byte values.
///
/// # Errors
/// The store's.
pub fn bodies_come_back_as_they_were<M: Make>(make: &mut M) -> Result<(), StoreError> {
    let mut store = make.fresh();
    let sizes = [1_u16, 2, 127, 128, 255, 256, 4_095, 4_096, 4_097, 48 * 1024];
    let body = |size: u16| -> Bytes { (0..size).map(|n| n.to_le_bytes()[0] ^ size.to_le_bytes()[1]).collect() };
    let append =
        |(n, size): (u64, &u16)| Write::Append(NewRecord { body: body(*size), ..record(1, n, NOW + 3_600_000, b"") });
    let writes: Vec<Write> = (1..).zip(&sizes).map(append).collect();
    store.commit(&[Write::PutLog(meta(1))])?;
    store.commit(&writes)?;
    let store = make.reopen(store);
    let bodies: Vec<Bytes> = everything(&store, 1, NOW)?.into_iter().map(|r| r.body).collect();
    assert!(bodies == sizes.map(body), "a body changed");
    Ok(())
}

/// A second `PutLog` replaces what is kept of a log; its records stay and its last cursor never falls.
///
/// # Errors
/// The store's.
pub fn putting_again_keeps_records<M: Make>(make: &mut M) -> Result<(), StoreError> {
    let mut store = filled(make, &[3, 4], 10)?;
    let changed = LogMeta { epoch: 1, access_key: PublicKey([8; 32]), kind: LogKind::Advancing, last: 2, ..meta(1) };
    store.commit(&[Write::PutLog(changed.clone())])?;
    let store = make.reopen(store);
    let logs = store.reader().logs()?;
    assert_eq!(logs.iter().map(|l| l.meta.clone()).collect::<Vec<_>>(), [LogMeta { last: 4, ..changed }]);
    assert_eq!(logs.iter().map(|l| l.records).sum::<u64>(), 2);
    assert_eq!(everything(&store, 1, NOW)?.len(), 2);
    Ok(())
}

/// A dropped log and its records are gone everywhere, others stay; dropping nothing is no error.
///
/// # Errors
/// The store's.
pub fn dropping_removes_everything<M: Make>(make: &mut M) -> Result<(), StoreError> {
    let mut store = filled(make, &[1, 2, 3], 10)?;
    store.commit(&[Write::PutLog(meta(2)), Write::Append(record(2, 1, NOW + 1000, b"stays"))])?;
    store.commit(&[Write::DropLog(log(1)), Write::DropLog(log(77))])?;
    let mut store = make.reopen(store);
    assert_eq!((store.usage().logs, store.usage().records), (1, 1));
    assert_eq!(store.reader().logs()?.iter().map(|l| l.meta.id).collect::<Vec<_>>(), [log(2)]);
    assert_eq!(everything(&store, 1, NOW)?, []);
    assert_eq!(store.reader().ids(&log(1), NOW)?, []);
    let expired = store.expire(NOW + 86_400_000, 100)?;
    assert_eq!(expired.logs.iter().map(|e| (e.log, e.records)).collect::<Vec<_>>(), [(log(2), 1)]);
    Ok(())
}

/// A log that is made again after a drop, in the same batch or later, starts from nothing.
///
/// # Errors
/// The store's.
pub fn a_log_may_begin_again<M: Make>(make: &mut M) -> Result<(), StoreError> {
    let mut store = filled(make, &[1, 2, 3], 10)?;
    let again = record(1, 1, NOW + 3_600_000, b"again");
    store.commit(&[Write::DropLog(log(1)), Write::PutLog(meta(1)), Write::Append(again.clone())])?;
    assert_eq!(everything(&store, 1, NOW)?, [stored(&again)]);
    let mut store = make.reopen(store);
    assert_eq!(everything(&store, 1, NOW)?, [stored(&again)]);
    assert_eq!(store.usage().records, 1);
    store.commit(&[Write::DropLog(log(1))])?;
    store.commit(&[Write::PutLog(meta(1))])?;
    assert_eq!(everything(&store, 1, NOW)?, []);
    assert_eq!(
        store.reader().logs()?.iter().map(|l| (l.meta.last, l.records, l.bytes)).collect::<Vec<_>>(),
        [(0, 0, 0)]
    );
    Ok(())
}

/// A thousand logs, their records mixed in the batches: each reads its own.
///
/// # Errors
/// The store's.
pub fn many_logs_stay_apart<M: Make>(make: &mut M) -> Result<(), StoreError> {
    let mut store = make.fresh();
    store.commit(&(0..1000).map(|n| Write::PutLog(meta(n))).collect::<Vec<_>>())?;
    for cursor in 1..=3 {
        let body: &'static [u8] = if cursor == 2 { b"two" } else { b"odd" };
        let append = |n: u16| Write::Append(record(n, cursor + u64::from(n), NOW + 1000, body));
        store.commit(&(0..1000).map(append).collect::<Vec<_>>())?;
    }
    let mut store = make.reopen(store);
    assert_eq!((store.usage().logs, store.usage().records), (1000, 3000));
    assert_eq!(store.reader().logs()?.len(), 1000);
    for n in [0, 1, 255, 256, 257, 511, 999] {
        let own: Vec<_> = everything(&store, n, NOW)?.into_iter().map(|r| r.cursor - u64::from(n)).collect();
        assert_eq!(own, [1, 2, 3]);
    }
    let expired = store.expire(NOW + 1000, 10_000)?;
    assert_eq!((expired.logs.len(), expired.more), (1000, false));
    assert!(expired.logs.iter().all(|e| e.records == 3 && e.bytes == 3 * charge(3)));
    assert_eq!((store.usage().logs, store.usage().records), (1000, 0));
    Ok(())
}

/// A reader made before a commit sees it afterwards, and so does its clone.
///
/// # Errors
/// The store's.
pub fn readers_see_later_commits<M: Make>(make: &mut M) -> Result<(), StoreError> {
    let mut store = make.fresh();
    let reader = store.reader();
    let clone = reader.clone();
    store.commit(&[Write::PutLog(meta(1)), Write::Append(record(1, 1, NOW + 1000, b"x"))])?;
    assert_eq!(cursors(&reader.read(&log(1), 0, NOW, 10, 1000)?), [1]);
    store.commit(&[Write::Append(record(1, 2, NOW + 1000, b"y"))])?;
    assert_eq!(cursors(&clone.read(&log(1), 0, NOW, 10, 1000)?), [1, 2]);
    assert_eq!(clone.logs()?.len(), 1);
    Ok(())
}
