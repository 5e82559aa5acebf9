//! A store that version 0.1 left behind opens in every later version, with the same answers.
//!
//! `fixtures/store-v1` and `store-v2` were made by this file, and stay as they are:
//! `ESTOILE_MAKE_FIXTURES=1 cargo test -p estoile-relay --test store_fixture` makes it where it is missing.
#![expect(clippy::unwrap_used, reason = "a test program")]

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use estoile_hub::store::{Advance, LogMeta, LogState, NewRecord, Reader, Store, StoredRecord, Write};
use estoile_relay::store::{FORMAT, RecordStore, StoreOptions};
use estoile_wire::frame::Ticket;
use estoile_wire::id::{LogKind, TicketHash};
use estoile_wire::{Id16, LogId, PublicKey};

const NOW: u64 = 1_700_000_000_000;
const YEAR: u64 = 365 * 86_400_000;

fn meta(n: u8) -> LogMeta {
    LogMeta {
        id: LogId([n; 32]),
        kind: if n == 2 { LogKind::Advancing } else { LogKind::Fixed },
        epoch: u64::from(n) - 1,
        access_key: PublicKey([n; 32]),
        max_ttl: 315_360_000,
        quota: 1 << 30,
        last: 0,
        created: NOW,
        last_write: None,
        last_expiry: 0,
        entry: (n == 1).then_some([7; 8]),
        tickets: std::sync::Arc::from([]),
    }
}

fn record(n: u8, cursor: u64, expires: u64, body: &'static str) -> Write {
    Write::Append(NewRecord {
        log: LogId([n; 32]),
        cursor,
        time: NOW + cursor,
        expires,
        epoch: u64::from(n) - 1,
        id16: Id16([n ^ cursor.to_le_bytes()[0]; 16]),
        body: Bytes::from_static(body.as_bytes()),
        advance: None,
    })
}

/// Two lives of a store: three logs, one dropped; records of several hours, one of them over.
fn fill(folder: &Path) {
    let mut store = RecordStore::open(folder, StoreOptions::default()).unwrap();
    let logs: Vec<Write> = [1, 2, 3].map(|n| Write::PutLog(meta(n))).into();
    store.commit(&logs).unwrap();
    store.commit(&[record(1, 1, NOW + 10 * YEAR, "first"), record(3, 1, NOW + 9 * YEAR, "dropped")]).unwrap();
    store.commit(&[record(1, 5, NOW + 1_000, "soon over"), record(2, 7, NOW + 10 * YEAR, "of the second")]).unwrap();
    drop(store);
    let mut store = RecordStore::open(folder, StoreOptions::default()).unwrap();
    store.commit(&[Write::DropLog(LogId([3; 32])), record(1, 6, NOW + 8 * YEAR, "last")]).unwrap();
    assert!(!store.expire(NOW + 2_000, 10).unwrap().more);
}

type Answers = (Vec<LogState>, Vec<Vec<StoredRecord>>);

fn answers(folder: &Path) -> Answers {
    let store = RecordStore::open(folder, StoreOptions::default()).unwrap();
    let reader = store.reader();
    let mut logs = reader.logs().unwrap();
    logs.sort_by_key(|log| log.meta.id);
    let records = |n: u8| reader.read(&LogId([n; 32]), 0, NOW, usize::MAX, usize::MAX).unwrap().records;
    (logs, [1, 2, 3].map(records).into())
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        // What is only held back for a full disk is no part of a store's content.
        if entry.file_name() != "spare" && entry.file_name() != "lock" {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

#[test]
fn a_store_of_format_1_opens_with_the_same_answers() {
    let fixture = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/store-v1");
    let (own, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fill(own.path());
    if std::env::var_os("ESTOILE_MAKE_FIXTURES").is_some() && FORMAT == 1 && !fixture.exists() {
        copy(own.path(), &fixture);
    }
    copy(&fixture, theirs.path());
    let found = answers(theirs.path());
    assert_eq!(found, answers(own.path()));
    let bodies: Vec<&[u8]> = found.1.iter().flatten().map(|r| r.body.as_ref()).collect();
    assert_eq!(bodies, [b"first".as_slice(), b"last", b"of the second"]);
}

/// As [`fill`], and what format 2 added: an epoch that ended, tickets in both their places, a record removed.
fn fill_2(folder: &Path) {
    fill(folder);
    let ticket = |n: u8| Ticket { hash: TicketHash([n; 32]), per_day: u64::from(n), bytes_per_day: 1 << 20 };
    let mut store = RecordStore::open(folder, StoreOptions::default()).unwrap();
    let Write::Append(commit) = record(2, 9, NOW + 9 * YEAR, "a commit") else { return };
    let advance = Some(Advance { ended: PublicKey([2; 32]), next: PublicKey([22; 32]) });
    let shelf = LogMeta { kind: LogKind::Shelf, tickets: [ticket(1), ticket(2)].into(), ..meta(4) };
    store
        .commit(&[
            Write::Append(NewRecord { advance, ..commit }),
            Write::PutLog(shelf),
            record(4, 1, NOW + 9 * YEAR, "taken"),
            record(4, 2, NOW + 9 * YEAR, "an item"),
            Write::Tickets { log: LogId([1; 32]), tickets: [ticket(3)].into() },
        ])
        .unwrap();
    drop(store);
    let mut store = RecordStore::open(folder, StoreOptions::default()).unwrap();
    store.commit(&[Write::Remove { log: LogId([4; 32]), cursor: 1 }]).unwrap();
}

#[test]
fn a_store_of_format_2_opens_with_the_same_answers() {
    let fixture = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/store-v2");
    let (own, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fill_2(own.path());
    if std::env::var_os("ESTOILE_MAKE_FIXTURES").is_some() && FORMAT == 2 && !fixture.exists() {
        copy(own.path(), &fixture);
    }
    copy(&fixture, theirs.path());
    let past = |folder: &Path| {
        let store = RecordStore::open(folder, StoreOptions::default()).unwrap();
        let items = store.reader().read(&LogId([4; 32]), 0, NOW, usize::MAX, usize::MAX).unwrap().records;
        (store.reader().past(&LogId([2; 32]), 1, NOW).unwrap(), items)
    };
    assert_eq!(answers(theirs.path()), answers(own.path()));
    let (end, items) = past(theirs.path());
    assert_eq!(past(own.path()), (end, items.clone()));
    assert_eq!(end.map(|end| (end.access_key, end.end)), Some((PublicKey([2; 32]), 9)));
    assert_eq!(items.iter().map(|item| item.body.as_ref()).collect::<Vec<_>>(), [b"an item"]);
}
