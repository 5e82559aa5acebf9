//! What private rooms need of a store: epochs that end, tickets, records that are taken. Through restarts, through the
//! moving of segments and after the keys of hours were wiped.

use estoile_hub::store::{Advance, LogState, PastEpoch};
use estoile_wire::frame::Ticket;
use estoile_wire::id::TicketHash;

use super::*;

fn key(epoch: u64) -> PublicKey {
    PublicKey([u8::try_from(100 + epoch).unwrap(); 32])
}

fn group(n: u8) -> Write {
    let Write::PutLog(meta) = put(n) else { unreachable!() };
    Write::PutLog(LogMeta { kind: LogKind::Advancing, access_key: key(0), ..meta })
}

/// The commit that ends an epoch.
fn commit(n: u8, cursor: Cursor, epoch: u64, expires: Millis, size: usize) -> Write {
    let Write::Append(record) = append(n, cursor, expires, vec![7; size]) else { unreachable!() };
    Write::Append(NewRecord { epoch, advance: Some(Advance { ended: key(epoch), next: key(epoch + 1) }), ..record })
}

fn ticket(n: u8) -> Ticket {
    Ticket { hash: TicketHash([n; 32]), per_day: 5, bytes_per_day: 1 << 20 }
}

fn remove(n: u8, cursor: Cursor) -> Write {
    Write::Remove { log: log(n), cursor }
}

fn state(store: &RecordStore, n: u8) -> LogState {
    store.reader().logs().unwrap().into_iter().find(|state| state.meta.id == log(n)).unwrap()
}

fn past(store: &RecordStore, n: u8, epoch: u64, now: Millis) -> Option<PastEpoch> {
    store.reader().past(&log(n), epoch, now).unwrap()
}

fn end(epoch: u64, cursor: Cursor) -> Option<PastEpoch> {
    Some(PastEpoch { access_key: key(epoch), end: cursor })
}

/// Restarts a few times, cleaning as it goes.
fn restarts(folder: &Path, mut store: RecordStore, now: Millis) -> RecordStore {
    for _ in 0..3 {
        while store.expire(now, 1_000).unwrap().more {}
        drop(store);
        store = open(folder);
    }
    store
}

#[test]
fn epochs_are_known_as_long_as_the_commits_that_ended_them_live() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    store.commit(&[group(1)]).unwrap();
    for epoch in 0..5 {
        let cursor = epoch * 10 + 10;
        store.commit(&[append(1, cursor - 5, NOW + HOUR, "a letter")]).unwrap();
        store.commit(&[commit(1, cursor, epoch, NOW + (epoch + 1) * HOUR, 100)]).unwrap();
    }
    for _ in 0..2 {
        let LogState { meta, records, bytes } = state(&store, 1);
        assert_eq!((meta.epoch, meta.access_key, meta.last, records), (5, key(5), 50, 10));
        assert_eq!(bytes, 5 * (8 + 128) + 5 * (100 + 128), "keys beside a body count nothing");
        for epoch in 0..5 {
            assert_eq!(past(&store, 1, epoch, NOW), end(epoch, epoch * 10 + 10));
        }
        assert_eq!(past(&store, 1, 5, NOW), None);
        let page = store.reader().read(&log(1), 9, NOW, 1, usize::MAX).unwrap();
        assert_eq!(page.records[0].advance, Some(Advance { ended: key(0), next: key(1) }));
        assert_eq!(page.records[0].body, vec![7; 100]);
        drop(store);
        store = open(folder.path());
    }
    // Time takes commits, and what they said of the log stays.
    let later = NOW + 3 * HOUR;
    assert_eq!((past(&store, 1, 2, later), past(&store, 1, 3, later)), (None, end(3, 40)));
    store = restarts(folder.path(), store, later);
    assert_eq!((past(&store, 1, 2, NOW), past(&store, 1, 3, later)), (None, end(3, 40)));
    store = restarts(folder.path(), store, NOW + 99 * HOUR);
    let meta = state(&store, 1).meta;
    assert_eq!((meta.epoch, meta.access_key), (5, key(5)));
    assert_eq!(past(&store, 1, 4, NOW), None);
}

#[test]
fn tickets_are_replaced_and_outlive_what_they_stood_in() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let many: std::sync::Arc<[Ticket]> = (0..200).map(ticket).collect();
    let few: std::sync::Arc<[Ticket]> = [ticket(7)].into();
    store.commit(&[put(1), put(2), Write::Tickets { log: log(9), tickets: many.clone() }]).unwrap();
    store.commit(&[Write::Tickets { log: log(1), tickets: many.clone() }]).unwrap();
    assert_eq!(state(&store, 1).meta.tickets, many);
    store = restarts(folder.path(), store, NOW);
    store.commit(&[Write::Tickets { log: log(1), tickets: few.clone() }]).unwrap();
    // What they stand in goes: everything after them is dead, and much more is written.
    for cursor in 1..=600 {
        store.commit(&[append(2, cursor, NOW + 1_000, vec![1; 8_000])]).unwrap();
    }
    store = restarts(folder.path(), store, NOW + 2_000);
    store.commit(&[append(2, 601, NOW + HOUR, "x")]).unwrap();
    store = restarts(folder.path(), store, NOW + 2_000);
    assert!(store.usage().bytes < 4 << 20);
    assert_eq!(state(&store, 1).meta.tickets, few);
    assert!(state(&store, 2).meta.tickets.is_empty());
    store.commit(&[Write::Tickets { log: log(1), tickets: [].into() }]).unwrap();
    store = restarts(folder.path(), store, NOW + 2_000);
    assert!(state(&store, 1).meta.tickets.is_empty());
}

#[test]
fn what_was_removed_stays_removed() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    store.commit(&[put(1)]).unwrap();
    for cursor in 1..=9 {
        store.commit(&[append(1, cursor, NOW + 99 * HOUR, "an item")]).unwrap();
    }
    let charged = state(&store, 1).bytes;
    store.commit(&[remove(1, 1), remove(1, 4), remove(1, 99), remove(5, 1)]).unwrap();
    store.commit(&[append(1, 10, NOW + 99 * HOUR, "an item"), remove(1, 10), remove(1, 9)]).unwrap();
    for _ in 0..3 {
        assert_eq!(cursors(&store, 1, NOW), [2, 3, 5, 6, 7, 8]);
        let LogState { meta, records, bytes } = state(&store, 1);
        assert_eq!((meta.last, meta.last_expiry, records, bytes), (10, NOW + 99 * HOUR, 6, charged / 9 * 6));
        assert_eq!(store.usage().records, 6);
        assert_eq!(store.reader().ids(&log(1), NOW).unwrap().len(), 6);
        store = restarts(folder.path(), store, NOW);
    }
}

/// The end of a record is written again whenever the segment goes that it stands in, as long as the record's own stays;
/// and no longer.
#[test]
fn an_end_lasts_as_long_as_what_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    store.commit(&[put(1), put(2)]).unwrap();
    // A first segment that stays: most of it lives.
    for cursor in 1..=10 {
        store.commit(&[append(1, cursor, NOW + 99 * HOUR, vec![3; 20_000])]).unwrap();
    }
    drop(store);
    store = open(folder.path());
    store.commit(&[remove(1, 3)]).unwrap();
    let mut next = 1;
    for round in 0..4 {
        // The segments behind it come and go.
        for _ in 0..200 {
            store.commit(&[append(2, next, NOW + round + 1, vec![4; 10_000])]).unwrap();
            next += 1;
        }
        store = restarts(folder.path(), store, NOW + round + 1);
        assert_eq!(cursors(&store, 1, NOW), [1, 2, 4, 5, 6, 7, 8, 9, 10], "round {round}");
    }
    let ends =
        |store: &RecordStore| -> usize { store.shared.index().segments.values().map(|held| held.removals.len()).sum() };
    assert_eq!(ends(&store), 1);
    // The first one becomes sparse and is moved.
    store.commit(&[4, 5, 6, 7, 8, 9].map(|cursor| remove(1, cursor))).unwrap();
    store.commit(&[append(2, next, NOW + 9, vec![4; 10_000])]).unwrap();
    store = restarts(folder.path(), store, NOW + 99);
    assert_eq!(cursors(&store, 1, NOW), [1, 2, 10]);
    store.commit(&[append(2, next + 1, NOW + 100, "x")]).unwrap();
    store = restarts(folder.path(), store, NOW + 200);
    assert_eq!(ends(&store), 0);
    assert_eq!(cursors(&store, 1, NOW), [1, 2, 10]);
}

/// A log that is dropped and made again by the same key begins anew.
#[test]
fn a_log_made_again_knows_nothing_of_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    store.commit(&[group(1), commit(1, 5, 0, NOW + 99 * HOUR, 10)]).unwrap();
    store.commit(&[Write::DropLog(log(1)), group(1)]).unwrap();
    store = restarts(folder.path(), store, NOW);
    let meta = state(&store, 1).meta;
    assert_eq!((meta.epoch, meta.access_key), (0, key(0)));
    assert_eq!(past(&store, 1, 0, NOW), None);
    assert!(cursors(&store, 1, NOW).is_empty());
}
