//! The embedded store in processes that die and on disks that refuse, through its public door.
//!
//! The processes are this test program again, told by the environment what to do.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, reason = "a test program")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use bytes::Bytes;
use estoile_hub::store::{Advance, LogMeta, NewRecord, Reader, Store, StoreError, Write};
use estoile_relay::store::{RecordStore, StoreOptions};
use estoile_wire::id::LogKind;
use estoile_wire::{Cursor, Id16, LogId, PublicKey};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

const NOW: u64 = 1_700_000_000_000;
const HOUR: u64 = 3_600_000;
const ROLE: &str = "ESTOILE_TEST_ROLE";
const FOLDER: &str = "ESTOILE_TEST_FOLDER";
const LOG: LogId = LogId([1; 32]);

fn put() -> Write {
    Write::PutLog(LogMeta {
        id: LOG,
        kind: LogKind::Fixed,
        epoch: 0,
        access_key: PublicKey([1; 32]),
        max_ttl: 86_400,
        quota: 1 << 40,
        last: 0,
        created: NOW,
        last_write: None,
        last_expiry: 0,
        entry: None,
        tickets: std::sync::Arc::from([]),
    })
}

/// A body that says by itself what it must be: the cursor, again and again.
fn body(cursor: Cursor, length: usize) -> Bytes {
    cursor.to_le_bytes().iter().copied().cycle().take(length).collect()
}

fn append(cursor: Cursor, expires: u64, length: usize) -> Write {
    let id16 = Id16([cursor.to_le_bytes(), cursor.to_be_bytes()].concat().try_into().unwrap());
    Write::Append(NewRecord {
        log: LOG,
        cursor,
        time: NOW,
        expires,
        epoch: 0,
        id16,
        body: body(cursor, length),
        advance: None,
    })
}

fn open(folder: &Path) -> RecordStore {
    RecordStore::open(folder, StoreOptions::default()).unwrap()
}

fn read(store: &RecordStore) -> Vec<Cursor> {
    let page = store.reader().read(&LOG, 0, NOW, usize::MAX, usize::MAX).unwrap();
    for record in &page.records {
        assert_eq!(
            record.body,
            body(record.cursor, record.body.len()),
            "record {} is not what was sent",
            record.cursor
        );
    }
    page.records.iter().map(|r| r.cursor).collect()
}

/// Runs one of the roles below in a process of its own; a shell makes it ignore the signal of a file's size limit, so that
/// the write fails instead.
fn spawn(role: &str, folder: &Path) -> std::process::Child {
    Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$0\" --exact --nocapture the_other_process"])
        .arg(std::env::current_exe().unwrap())
        .env(ROLE, role)
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// What the spawned processes do. Called by the test command itself, it checks that no role was left in the environment.
#[test]
fn the_other_process() {
    let role = std::env::var(ROLE).ok();
    let folder = std::env::var_os(FOLDER);
    match (role.as_deref(), folder) {
        (Some("commit"), Some(folder)) => commit_for_ever(Path::new(&folder)),
        (Some("full"), Some(folder)) => meet_a_full_disk(Path::new(&folder)),
        (role, folder) => assert!(role.is_none() && folder.is_none(), "an unknown role"),
    }
}

/// Where batches of 1 to 40 records begin, as long as they are whole: the last cursor says all.
fn batches(last: Cursor) -> Vec<Cursor> {
    let (mut starts, mut end) = (Vec::new(), 0);
    while end < last {
        starts.push(end + 1);
        end += 1 + end % 40;
    }
    assert_eq!(end, last, "a part of a batch is there");
    starts
}

fn key(epoch: u64) -> PublicKey {
    PublicKey([epoch.to_le_bytes()[0]; 32])
}

/// Some records are over at once, so that cleaning is interrupted too.
fn lives(cursor: Cursor) -> u64 {
    if cursor.is_multiple_of(3) { NOW - 1 } else { NOW + 500 * HOUR }
}

/// Batches of records; each removes the first record of the one before, and its last record ends an epoch. The last
/// cursor is printed when a batch is acknowledged.
fn commit_for_ever(folder: &Path) {
    let mut store = open(folder);
    if store.reader().logs().unwrap().is_empty() {
        store.commit(&[put()]).unwrap();
    }
    let mut cursor = store.reader().logs().unwrap()[0].meta.last;
    let mut starts = batches(cursor);
    loop {
        let size = 1 + cursor % 40;
        let mut batch: Vec<Write> =
            (1..=size).map(|n| append(cursor + n, lives(cursor + n), 100 + usize::try_from(n * 50).unwrap())).collect();
        let epoch = starts.len() as u64;
        if let Some(Write::Append(last)) = batch.last_mut() {
            last.epoch = epoch;
            last.advance = Some(Advance { ended: key(epoch), next: key(epoch + 1) });
        }
        batch.extend(starts.last().map(|start| Write::Remove { log: LOG, cursor: *start }));
        store.commit(&batch).unwrap();
        starts.push(cursor + 1);
        cursor += size;
        println!("\nkept {cursor}");
        if cursor.is_multiple_of(7) {
            store.expire(NOW, 1_000).unwrap();
        }
    }
}

/// What must be there of so many records.
fn check(store: &RecordStore, last: Cursor) {
    let mut starts = batches(last);
    let epochs = starts.len() as u64;
    let ends: Vec<Cursor> = starts.iter().skip(1).map(|start| start - 1).chain([last]).collect();
    let meta = store.reader().logs().unwrap()[0].meta.clone();
    assert_eq!((meta.epoch, meta.access_key), (epochs, if epochs == 0 { key(1) } else { key(epochs) }));
    starts.pop();
    let expected: Vec<Cursor> = (1..=last).filter(|c| !c.is_multiple_of(3) && !starts.contains(c)).collect();
    assert_eq!(read(store), expected);
    for (epoch, end) in (0..).zip(ends) {
        let past = store.reader().past(&LOG, epoch, NOW).unwrap();
        let known = past.map(|past| (past.access_key, past.end));
        assert_eq!(known, expected.contains(&end).then_some((key(epoch), end)), "epoch {epoch}");
    }
}

#[test]
fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = 0;
    for round in 0..8_u64 {
        let mut child = spawn("commit", folder.path());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Killed after so many acknowledgements and a moment of its own: anywhere inside of a commit.
        let mut left = 20 + round * 13;
        while left > 0 {
            let line = lines.next().unwrap().unwrap();
            if let Some(cursor) = line.strip_prefix("kept ") {
                acknowledged = cursor.parse().unwrap();
                left -= 1;
            }
        }
        std::thread::sleep(Duration::from_micros(round * 377));
        child.kill().unwrap();
        child.wait().unwrap();
        // What it said before it died counts too.
        for line in lines.map_while(Result::ok) {
            if let Some(cursor) = line.strip_prefix("kept ") {
                acknowledged = cursor.parse().unwrap_or(acknowledged);
            }
        }
        let store = open(folder.path());
        let last = store.reader().logs().unwrap()[0].meta.last;
        assert!(last >= acknowledged, "round {round}: {acknowledged} was acknowledged, {last} is the last");
        check(&store, last);
    }
}

/// Sets how long a file of this process may be: what a full disk does, without one.
fn limit(bytes: Option<u64>) {
    let maximum = getrlimit(Resource::Fsize).maximum;
    setrlimit(Resource::Fsize, Rlimit { current: bytes.or(maximum), maximum }).unwrap();
}

fn meet_a_full_disk(folder: &Path) {
    let mut store = open(folder);
    store.commit(&[put(), append(1, NOW + HOUR, 1_000)]).unwrap();

    // The system refuses in the middle of a group.
    limit(Some(4_096));
    assert_eq!(store.commit(&[append(2, NOW + HOUR, 20_000)]), Err(StoreError::Full));
    // And where a new segment is made.
    assert_eq!(store.commit(&[append(2, NOW + HOUR, 20_000)]), Err(StoreError::Full));
    assert_eq!(read(&store), [1]);
    assert!(!store.expire(NOW, 10).unwrap().more);
    limit(None);
    store.commit(&[append(2, NOW + HOUR, 20_000), append(3, NOW + 2 * HOUR, 10)]).unwrap();
    assert_eq!(read(&store), [1, 2, 3]);

    // Expiry needs no room that a full disk can't give.
    limit(Some(0));
    assert_eq!(store.commit(&[append(4, NOW + HOUR, 2_000_000)]), Err(StoreError::Full));
    assert_eq!(store.expire(NOW + HOUR, 10).unwrap().logs[0].records, 2);
    assert_eq!(store.usage().records, 1);
    limit(None);
    store.commit(&[append(4, NOW + 2 * HOUR, 10)]).unwrap();
    assert_eq!(read(&store), [3, 4]);
    println!("\nhealed");
}

#[test]
fn a_disk_that_refuses_loses_nothing_and_heals() {
    let folder = tempfile::tempdir().unwrap();
    let output = spawn("full", folder.path()).wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("healed"), "{said}");
    assert_eq!(read(&open(folder.path())), [3, 4]);
}
