//! Checks of what private rooms need of a store: epochs that end, tickets that are replaced, records that are removed.

use std::sync::Arc;

use bytes::Bytes;
use estoile_wire::frame::Ticket;
use estoile_wire::id::{LogKind, TicketHash};
use estoile_wire::{Cursor, Millis, PublicKey};

use super::{Make, NOW, cursors, everything, filled, log, meta, record, stored};
use crate::store::{Advance, LogMeta, LogState, NewRecord, PastEpoch, Reader, Store, StoreError, Write, charge};

const HOUR: Millis = 3_600_000;

fn key(epoch: u8) -> PublicKey {
    PublicKey([epoch.wrapping_add(100); 32])
}

fn group(n: u16) -> LogMeta {
    LogMeta { kind: LogKind::Advancing, access_key: key(0), ..meta(n) }
}

/// The record that ends an epoch.
fn commit(n: u16, cursor: Cursor, epoch: u8, expires: Millis) -> NewRecord {
    let advance = Some(Advance { ended: key(epoch), next: key(epoch.wrapping_add(1)) });
    NewRecord { epoch: u64::from(epoch), advance, ..record(n, cursor, expires, b"commit") }
}

fn end(epoch: u8, end: Cursor) -> Option<PastEpoch> {
    Some(PastEpoch { access_key: key(epoch), end })
}

fn state<S: Store>(store: &S, n: u16) -> Result<Option<LogState>, StoreError> {
    Ok(store.reader().logs()?.into_iter().find(|state| state.meta.id == log(n)))
}

fn sums<S: Store>(store: &S, n: u16) -> Result<Option<(u64, u64)>, StoreError> {
    Ok(state(store, n)?.map(|state| (state.records, state.bytes)))
}

/// A record that ends its epoch moves the log's epoch and key, and is found by its epoch as long as it lives; what it
/// moved stays.
///
/// # Errors
/// The store's.
pub fn epochs_are_known_while_their_ends_live<M: Make>(make: &mut M) -> Result<(), StoreError> {
    let mut store = make.fresh();
    store.commit(&[Write::PutLog(group(1)), Write::PutLog(group(2))])?;
    for epoch in 0..5_u8 {
        let at = Cursor::from(epoch) * 10 + 10;
        let letter = NewRecord { epoch: u64::from(epoch), ..record(1, at - 5, NOW + 9 * HOUR, b"letter") };
        store.commit(&[Write::Append(letter), Write::Append(commit(1, at, epoch, NOW + at * HOUR / 10))])?;
    }
    for _ in 0..2 {
        let found = state(&store, 1)?.map(|state| (state.meta.epoch, state.meta.access_key, state.meta.last));
        assert_eq!(found, Some((5, key(5), 50)));
        let found = state(&store, 2)?.map(|state| (state.meta.epoch, state.meta.access_key));
        assert_eq!(found, Some((0, key(0))), "another log's epochs are its own");
        assert_eq!(sums(&store, 1)?, Some((10, 10 * charge(6))), "the keys beside a body count nothing");
        for epoch in 0..5_u8 {
            let at = Cursor::from(epoch) * 10 + 10;
            assert_eq!(store.reader().past(&log(1), u64::from(epoch), NOW)?, end(epoch, at));
            let ends = NOW + at * HOUR / 10;
            assert_eq!(store.reader().past(&log(1), u64::from(epoch), ends - 1)?, end(epoch, at));
            assert_eq!(store.reader().past(&log(1), u64::from(epoch), ends)?, None, "its end is over");
        }
        for (n, epoch) in [(1, 5), (1, u64::MAX), (2, 0), (3, 0)] {
            assert_eq!(store.reader().past(&log(n), epoch, NOW)?, None);
        }
        let page = store.reader().read(&log(1), 5, NOW, 1, usize::MAX)?;
        let expected = stored(&commit(1, 10, 0, NOW + HOUR));
        assert_eq!(page.records, [expected], "it is read as it was written");
        store = make.reopen(store);
    }
    while store.expire(NOW + 3 * HOUR, 1)?.more {}
    store = make.reopen(store);
    assert_eq!(store.reader().past(&log(1), 2, NOW)?, None, "it was taken");
    assert_eq!(store.reader().past(&log(1), 3, NOW)?, end(3, 40));
    while store.expire(NOW + 99 * HOUR, 100)?.more {}
    store = make.reopen(store);
    assert_eq!(store.reader().past(&log(1), 4, NOW)?, None);
    let found = state(&store, 1)?.map(|state| (state.meta.epoch, state.meta.access_key, state.records));
    assert_eq!(found, Some((5, key(5), 0)), "the log stays where it was moved to");
    Ok(())
}

/// Tickets are replaced as a whole, and nothing else of the log is; those of no log are no error.
///
/// # Errors
/// The store's.
pub fn tickets_are_replaced<M: Make>(make: &mut M) -> Result<(), StoreError> {
    let ticket = |n: u8| Ticket { hash: TicketHash([n; 32]), per_day: u64::from(n), bytes_per_day: u64::MAX };
    let many: Arc<[Ticket]> = (0..=255).map(ticket).collect();
    let few: Arc<[Ticket]> = [ticket(7), ticket(7)].into();
    let mut store = make.fresh();
    let of_none = Write::Tickets { log: log(9), tickets: Arc::clone(&few) };
    store.commit(&[Write::PutLog(meta(1)), Write::PutLog(group(2)), of_none])?;
    store.commit(&[Write::Append(commit(2, 1, 0, NOW + HOUR))])?;
    for tickets in [many, few, Arc::from([])] {
        let same = Write::Tickets { log: log(1), tickets: Arc::from([ticket(1)]) };
        let last = |n| Write::Tickets { log: log(n), tickets: Arc::clone(&tickets) };
        store.commit(&[same, last(1), last(2)])?;
        for _ in 0..2 {
            let expected = LogMeta { tickets: Arc::clone(&tickets), ..meta(1) };
            assert_eq!(state(&store, 1)?.map(|state| state.meta), Some(expected));
            let second = state(&store, 2)?.map(|state| (state.meta.epoch, state.meta.last, state.meta.tickets));
            assert_eq!(second, Some((1, 1, Arc::clone(&tickets))));
            store = make.reopen(store);
        }
    }
    assert_eq!(state(&store, 9)?, None);
    store.commit(&[Write::Tickets { log: log(1), tickets: [ticket(3)].into() }])?;
    store.commit(&[Write::DropLog(log(1)), Write::PutLog(meta(1))])?;
    let store = make.reopen(store);
    assert_eq!(state(&store, 1)?.map(|state| state.meta), Some(meta(1)), "a log that begins again has none");
    Ok(())
}

/// What is removed is gone from every answer, for ever; one that is not there is no error; the log's `last` stays.
///
/// # Errors
/// The store's.
pub fn what_is_removed_stays_removed<M: Make>(make: &mut M) -> Result<(), StoreError> {
    let mut store = filled(make, &[2, 4, 6, 8], 10)?;
    let remove = |n, cursor| Write::Remove { log: log(n), cursor };
    store.commit(&[remove(1, 4), remove(1, 8), remove(1, 8), remove(1, 5), remove(7, 1)])?;
    // In one batch with what it removes.
    store.commit(&[Write::Append(record(1, 9, NOW + HOUR, b"soon gone")), remove(1, 9)])?;
    for _ in 0..3 {
        assert_eq!(cursors(&store.reader().read(&log(1), 0, NOW, 10, 1000)?), [2, 6]);
        let page = store.reader().read(&log(1), 0, NOW, 2, 1000)?;
        assert!(!page.more, "what was removed is no more");
        let mut ids: Vec<Cursor> = store.reader().ids(&log(1), NOW)?.iter().map(|id| id.cursor).collect();
        ids.sort_unstable();
        assert_eq!(ids, [2, 6]);
        assert_eq!(store.reader().newest(&log(1), 0, 1, NOW)?, 2);
        assert_eq!(sums(&store, 1)?, Some((2, 2 * charge(10))));
        assert_eq!(store.usage().records, 2);
        let moved = state(&store, 1)?.map(|state| (state.meta.last, state.meta.last_write, state.meta.last_expiry));
        assert_eq!(moved, Some((9, Some(NOW), NOW + HOUR)));
        store = make.reopen(store);
    }
    let low = store.commit(&[Write::Append(record(1, 9, NOW + HOUR, b"its place is not free"))]);
    assert!(matches!(low, Err(StoreError::Misuse(_))), "{low:?}");
    let expired = store.expire(NOW + HOUR, 100)?;
    assert_eq!(expired.logs.iter().map(|e| (e.records, e.bytes)).collect::<Vec<_>>(), [(2, 2 * charge(10))]);
    store = make.reopen(store);
    assert_eq!((everything(&store, 1, NOW)?, store.usage().records), (vec![], 0));
    Ok(())
}

/// An end of an epoch that is removed is not found by its epoch; the epoch stays where it was moved to.
///
/// # Errors
/// The store's.
pub fn a_removed_end_of_an_epoch_is_not_found<M: Make>(make: &mut M) -> Result<(), StoreError> {
    let mut store = make.fresh();
    let ends = [commit(1, 1, 0, NOW + HOUR), commit(1, 2, 1, NOW + HOUR)].map(Write::Append);
    store.commit(&[Write::PutLog(group(1))])?;
    store.commit(&ends)?;
    store.commit(&[Write::Remove { log: log(1), cursor: 1 }])?;
    for _ in 0..2 {
        assert_eq!(store.reader().past(&log(1), 0, NOW)?, None);
        assert_eq!(store.reader().past(&log(1), 1, NOW)?, end(1, 2));
        assert_eq!(state(&store, 1)?.map(|state| state.meta.epoch), Some(2));
        store = make.reopen(store);
    }
    Ok(())
}

/// A batch that fails takes no record away, ends no epoch and replaces no tickets.
///
/// # Errors
/// The store's.
pub fn a_bad_batch_removes_and_ends_nothing<M: Make>(make: &mut M) -> Result<(), StoreError> {
    let mut store = make.fresh();
    let one = NewRecord { body: Bytes::from_static(b"one"), ..record(1, 1, NOW + HOUR, b"") };
    store.commit(&[Write::PutLog(group(1)), Write::Append(one.clone())])?;
    let ticket = Ticket { hash: TicketHash([1; 32]), per_day: 1, bytes_per_day: 1 };
    let bad = store.commit(&[
        Write::Remove { log: log(1), cursor: 1 },
        Write::Tickets { log: log(1), tickets: [ticket].into() },
        Write::Append(commit(1, 2, 0, NOW + HOUR)),
        Write::Append(record(1, 2, NOW + HOUR, b"a cursor that does not rise")),
    ]);
    assert!(matches!(bad, Err(StoreError::Misuse(_))), "{bad:?}");
    for _ in 0..2 {
        assert_eq!(everything(&store, 1, NOW)?, [stored(&one)]);
        assert_eq!(store.reader().past(&log(1), 0, NOW)?, None);
        let kept = LogMeta { last: 1, last_write: Some(NOW), last_expiry: NOW + HOUR, ..group(1) };
        assert_eq!(state(&store, 1)?.map(|state| state.meta), Some(kept));
        store = make.reopen(store);
    }
    Ok(())
}
