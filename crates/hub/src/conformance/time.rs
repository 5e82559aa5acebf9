//! Checks of everything that depends on time: expiry, live ids, the newest records. They know no clock either.

use estoile_wire::{Cursor, Id16};

use super::{Make, NOW, cursors, everything, filled, log, meta, record};
use crate::store::{NewRecord, Reader, Store, StoreError, Write, charge};

/// A record is gone from every answer in the millisecond in which its time is over, before `expire` has run.
///
/// # Errors
/// The store's.
pub fn expiry_is_exact_at_once<M: Make>(make: &mut M) -> Result<(), StoreError> {
    let mut store = make.fresh();
    let ends = [(1, NOW + 1000), (2, NOW + 500), (3, NOW + 2000), (4, NOW + 500)];
    store.commit(&[Write::PutLog(meta(1))])?;
    store.commit(&ends.map(|(cursor, end)| Write::Append(record(1, cursor, end, b"body"))))?;
    let alive: [(u64, &[Cursor]); 6] =
        [(0, &[1, 2, 3, 4]), (499, &[1, 2, 3, 4]), (500, &[1, 3]), (999, &[1, 3]), (1000, &[3]), (2000, &[])];
    for store in [&store] {
        for (later, expected) in alive {
            let now = NOW + later;
            let reader = store.reader();
            assert_eq!(cursors(&reader.read(&log(1), 0, now, 10, 1000)?), expected, "{later} ms later");
            let mut ids: Vec<_> = reader.ids(&log(1), now)?.into_iter().map(|id| id.cursor).collect();
            ids.sort_unstable();
            assert_eq!(ids, expected, "{later} ms later");
        }
    }
    let page = store.reader().read(&log(1), 0, NOW + 500, 1, 1000)?;
    assert_eq!((cursors(&page), page.more), (vec![1], true), "there is a live one behind the dead one");
    let page = store.reader().read(&log(1), 0, NOW + 1000, 1, 1000)?;
    assert_eq!((cursors(&page), page.more), (vec![3], false), "only dead ones behind it are no more");
    assert_eq!(store.usage().records, 4, "the disk still has them");
    Ok(())
}

/// `expire` takes what is over, oldest first and at most so many, and the counts follow; a restart brings nothing back.
///
/// # Errors
/// The store's.
pub fn expiry_takes_the_oldest_first<M: Make>(make: &mut M) -> Result<(), StoreError> {
    let mut store = make.fresh();
    store.commit(&[Write::PutLog(meta(1)), Write::PutLog(meta(2))])?;
    // Over hours and in no order, as people choose their ttls.
    let hours = [5_u64, 1, 9, 3, 7, 2, 8, 4, 6, 0];
    let append = |(cursor, hour): (u64, &u64)| {
        Write::Append(record(if hour % 2 == 0 { 1 } else { 2 }, cursor, NOW + hour * 3_600_000 + 1, b"body"))
    };
    store.commit(&(1..).zip(&hours).map(append).collect::<Vec<_>>())?;
    assert_eq!(store.expire(NOW, 100)?.logs, []);
    let first = store.expire(NOW + 4 * 3_600_000 + 1, 2)?;
    assert!(first.more);
    assert_eq!(first.logs.iter().map(|e| e.records).sum::<u64>(), 2);
    assert_eq!(first.logs.iter().map(|e| e.bytes).sum::<u64>(), 2 * charge(4));
    assert_eq!(store.usage().records, 8);
    let left: Vec<Cursor> = everything(&store, 1, NOW)?.into_iter().map(|r| r.cursor).collect();
    assert!(!left.contains(&10), "the oldest went first");
    let second = store.expire(NOW + 4 * 3_600_000 + 1, 100)?;
    assert_eq!((second.logs.iter().map(|e| e.records).sum::<u64>(), second.more), (3, false));
    let mut store = make.reopen(store);
    assert_eq!((store.usage().logs, store.usage().records), (2, 5));
    let sums: Vec<_> = store.reader().logs()?.iter().map(|l| (l.records, l.bytes)).collect();
    assert_eq!(sums.iter().map(|s| s.0).sum::<u64>(), 5);
    assert_eq!(sums.iter().map(|s| s.1).sum::<u64>(), 5 * charge(4));
    while store.expire(NOW + 100 * 3_600_000, 1)?.more {}
    assert_eq!((store.usage().logs, store.usage().records), (2, 0));
    assert!(store.reader().logs()?.iter().all(|l| l.bytes == 0 && l.meta.last > 0 && l.meta.last_write == Some(NOW)));
    Ok(())
}

/// Ids are those of live records of this log, with their first cursors and times; one may come again when it is over.
///
/// # Errors
/// The store's.
pub fn ids_are_of_live_records<M: Make>(make: &mut M) -> Result<(), StoreError> {
    let mut store = make.fresh();
    let same = Id16([9; 16]);
    let first = NewRecord { id16: same, time: NOW + 1, ..record(1, 1, NOW + 100, b"first") };
    let other = NewRecord { id16: same, time: NOW + 2, ..record(2, 5, NOW + 9000, b"another log's") };
    let again = NewRecord { id16: same, time: NOW + 200, ..record(1, 2, NOW + 9000, b"again") };
    store.commit(&[Write::PutLog(meta(1)), Write::PutLog(meta(2)), Write::Append(first), Write::Append(other)])?;
    store.commit(&[Write::Append(again)])?;
    let mut store = make.reopen(store);
    for _ in 0..2 {
        let ids = store.reader().ids(&log(1), NOW + 200)?;
        assert_eq!(
            ids.iter().map(|i| (i.id16, i.cursor, i.time, i.expires)).collect::<Vec<_>>(),
            [(same, 2, NOW + 200, NOW + 9000)]
        );
        assert_eq!(store.reader().ids(&log(2), NOW + 200)?.iter().map(|i| i.cursor).collect::<Vec<_>>(), [5]);
        // Taking the first one must not take the second one's id with it.
        while store.expire(NOW + 200, 10)?.more {}
    }
    Ok(())
}

/// `newest` finds the cursor behind which so many live records lie.
///
/// # Errors
/// The store's.
pub fn newest_counts_from_the_end<M: Make>(make: &mut M) -> Result<(), StoreError> {
    let mut store = filled(make, &[2, 4, 6, 8], 1)?;
    store.commit(&[Write::Append(record(1, 10, NOW + 5, b"short")), Write::Append(record(1, 12, NOW + 9000, b"x"))])?;
    let reader = store.reader();
    let newest = |after, count, now| reader.newest(&log(1), after, count, now);
    assert_eq!(newest(0, 0, NOW)?, 12);
    assert_eq!(newest(0, 1, NOW)?, 10);
    assert_eq!(newest(0, 2, NOW)?, 8);
    assert_eq!(newest(0, 2, NOW + 5)?, 6, "a dead record does not count");
    assert_eq!(newest(0, 6, NOW)?, 0);
    assert_eq!(newest(0, u64::MAX, NOW)?, 0);
    assert_eq!(newest(7, 1, NOW)?, 10);
    assert_eq!(newest(7, 5, NOW)?, 7, "never before what was asked for");
    assert_eq!(newest(99, 1, NOW)?, 99);
    assert_eq!(newest(99, 0, NOW)?, 99);
    for count in 0..8 {
        let after = newest(0, count, NOW)?;
        let page = reader.read(&log(1), after, NOW, usize::MAX, usize::MAX)?;
        assert_eq!(page.records.len() as u64, count.min(6));
    }
    Ok(())
}
