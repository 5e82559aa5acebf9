//! The embedded store: the hub's suite, and what only a store on a disk can get wrong. Crashes of a whole process are in
//! `tests/store_crash.rs`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use bytes::Bytes;
use estoile_hub::conformance::{self, Make, NOW};
use estoile_hub::store::{LogMeta, NewRecord, Reader};
use estoile_wire::id::LogKind;
use estoile_wire::{Cursor, Id16, LogId, PublicKey};
use tempfile::TempDir;

use super::*;

mod private;
mod troubles;

const HOUR: Millis = 3_600_000;

struct OnDisk(Vec<TempDir>);

impl Make for OnDisk {
    type Store = RecordStore;

    fn fresh(&mut self) -> RecordStore {
        self.0.push(tempfile::tempdir().unwrap());
        open(self.0.last().unwrap().path())
    }

    fn reopen(&mut self, store: RecordStore) -> RecordStore {
        let folder = store.folder.clone();
        drop(store);
        open(&folder)
    }
}

fn open(folder: &Path) -> RecordStore {
    RecordStore::open(folder, StoreOptions::default()).unwrap()
}

fn log(n: u8) -> LogId {
    LogId([n; 32])
}

fn put(n: u8) -> Write {
    Write::PutLog(LogMeta {
        id: log(n),
        kind: LogKind::Fixed,
        epoch: 0,
        access_key: PublicKey([n; 32]),
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

fn append(n: u8, cursor: Cursor, expires: Millis, body: impl Into<Bytes>) -> Write {
    let mut id16 = [n; 16];
    id16[..8].copy_from_slice(&cursor.to_be_bytes());
    let record = NewRecord {
        log: log(n),
        cursor,
        time: NOW,
        expires,
        epoch: 0,
        id16: Id16(id16),
        body: body.into(),
        advance: None,
    };
    Write::Append(record)
}

fn cursors(store: &RecordStore, n: u8, now: Millis) -> Vec<Cursor> {
    let page = store.reader().read(&log(n), 0, now, usize::MAX, usize::MAX).unwrap();
    page.records.iter().map(|r| r.cursor).collect()
}

fn copy(from: &Path) -> TempDir {
    let to = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        fs::copy(entry.path(), to.path().join(entry.file_name())).unwrap();
    }
    to
}

fn segments(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    paths.retain(|p| p.extension().is_some_and(|e| e == "segment"));
    paths.sort();
    paths
}

fn on_disk(folder: &Path) -> Vec<u8> {
    fs::read_dir(folder).unwrap().flat_map(|e| fs::read(e.unwrap().path()).unwrap()).collect()
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|w| w == needle)
}

fn damage_of(folder: &Path) -> &'static str {
    match RecordStore::open(folder, StoreOptions::default()) {
        Err(OpenError::Damaged { what }) => what,
        other => panic!("not seen as damaged: {other:?}"),
    }
}

#[test]
fn does_what_every_store_must() {
    conformance::all(&mut OnDisk(Vec::new())).unwrap();
}

/// A crash image cut at every byte of the last group: the group is there as a whole or not at all, and so are all before.
#[test]
fn a_torn_group_is_no_group() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    store.commit(&[put(1), append(1, 1, NOW + HOUR, "one")]).unwrap();
    let before = store.active.as_ref().unwrap();
    let before = usize::try_from(before.at()).unwrap();
    store.commit(&[append(1, 2, NOW + HOUR, "two"), append(1, 3, NOW + HOUR, "three")]).unwrap();
    let end = usize::try_from(store.active.as_ref().unwrap().at()).unwrap();
    let image = copy(folder.path());
    let path = &segments(image.path())[0];
    let whole = fs::read(path).unwrap();
    for cut in (before..end).step_by(3).chain([end]) {
        // What was not written is still zero.
        let mut torn = whole.clone();
        torn[cut..].fill(0);
        fs::write(path, &torn).unwrap();
        // The last byte of a group may be a zero itself.
        let complete = torn == whole;
        let mut store = open(image.path());
        assert_eq!(cursors(&store, 1, NOW), if complete { vec![1, 2, 3] } else { vec![1] }, "cut at {cut}");
        store.commit(&[append(1, 9, NOW + HOUR, "goes on")]).unwrap();
        drop(store);
        assert_eq!(cursors(&open(image.path()), 1, NOW).last(), Some(&9));
        for later in segments(image.path()).into_iter().skip(1) {
            fs::remove_file(later).unwrap();
        }
    }
}

#[test]
fn damage_is_said_and_never_guessed_around() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    store.commit(&[put(1), append(1, 1, NOW + HOUR, "one")]).unwrap();
    store.commit(&[append(1, 2, NOW + HOUR, "two")]).unwrap();
    drop(store);
    let mut store = open(folder.path());
    store.commit(&[append(1, 3, NOW + HOUR, "three")]).unwrap();
    drop(store);
    let (first, second) = (segments(folder.path())[0].clone(), segments(folder.path())[1].clone());
    let whole = fs::read(&first).unwrap();
    // Any flipped bit of an older segment is seen; of the newest, where it is not the unacknowledged end.
    for at in (0..whole.len()).step_by(7) {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        fs::write(&first, &flipped).unwrap();
        assert!(!damage_of(folder.path()).is_empty(), "byte {at}");
    }
    fs::remove_file(&first).unwrap();
    assert_eq!(damage_of(folder.path()), "there are records of a log that is not there");
    fs::write(&first, &whole).unwrap();
    let newest = fs::read(&second).unwrap();
    fs::write(&second, &newest[..20]).unwrap();
    assert_eq!(damage_of(folder.path()), "a segment has an impossible length");
    fs::write(&second, &newest).unwrap();
    let keys = fs::read(folder.path().join(hours::FILE)).unwrap();
    let mut bad = keys.clone();
    let used = bad.chunks(64).position(|slot| slot[0] != 0).unwrap();
    bad[64 * used + 20] ^= 4;
    fs::write(folder.path().join(hours::FILE), bad).unwrap();
    assert_eq!(damage_of(folder.path()), "a key of an hour is not whole");
    fs::remove_file(folder.path().join(hours::FILE)).unwrap();
    assert_eq!(damage_of(folder.path()), "the keys of the hours are missing");
    fs::write(folder.path().join(hours::FILE), keys).unwrap();
    fs::remove_file(folder.path().join("format")).unwrap();
    assert_eq!(damage_of(folder.path()), "its format file is missing");
    fs::write(folder.path().join("format"), "something else\n").unwrap();
    assert_eq!(damage_of(folder.path()), "its format file is not one of ours");
    fs::write(folder.path().join("format"), "estoile store 1\n").unwrap();
    assert_eq!(cursors(&open(folder.path()), 1, NOW), [1, 2, 3]);
}

/// A flipped bit before an acknowledged group of the newest segment is damage, not a torn end.
#[test]
fn a_hole_before_a_whole_group_is_damage() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    store.commit(&[put(1), append(1, 1, NOW + HOUR, "one")]).unwrap();
    store.commit(&[append(1, 2, NOW + HOUR, "two")]).unwrap();
    drop(store);
    let path = &segments(folder.path())[0];
    let mut bytes = fs::read(path).unwrap();
    bytes[100] ^= 1;
    fs::write(path, bytes).unwrap();
    assert_eq!(damage_of(folder.path()), "a group in the middle of a segment is not whole");
}

#[test]
fn a_newer_format_and_a_second_process_are_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let refused = RecordStore::open(folder.path(), StoreOptions::default()).unwrap_err();
    assert!(matches!(refused, OpenError::InUse));
    assert!(refused.to_string().contains("in use by another process"));
    drop(store);
    fs::write(folder.path().join("format"), "estoile store 3\n").unwrap();
    let refused = RecordStore::open(folder.path(), StoreOptions::default()).unwrap_err();
    assert!(matches!(refused, OpenError::Newer { found: 3, known: 2 }));
    assert!(refused.to_string().contains("run the newer version"));
}

/// Nothing of a record but its length and hour is on the disk; and when its hour is over, not even a copy of the disk
/// made before can be read with the keys that are left.
#[test]
fn what_is_over_is_gone_from_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let body = b"the bytes that a client sealed";
    store.commit(&[put(1), append(1, 0x0102_0304_0506, NOW + 5, body.as_slice())]).unwrap();
    store.commit(&[append(1, 0x0102_0304_0507, NOW + 5 * HOUR, body.as_slice())]).unwrap();
    let disk = on_disk(folder.path());
    assert!(!contains(&disk, body));
    assert!(!contains(&disk, &0x0102_0304_0506_u64.to_le_bytes()));
    let keys = fs::read(folder.path().join(hours::FILE)).unwrap();
    let used: Vec<&[u8]> = keys.chunks(64).filter(|slot| slot[0] != 0).map(|slot| &slot[8..40]).collect();
    assert_eq!(used.len(), 2);
    let before = copy(folder.path());

    // Over, and its hour too: one key of the two is wiped, in place.
    store.expire(NOW + HOUR, 10).unwrap();
    let disk = on_disk(folder.path());
    assert_eq!(used.iter().filter(|key| contains(&disk, key)).count(), 1);
    assert_eq!(fs::read(folder.path().join(hours::FILE)).unwrap().len(), keys.len());
    assert_eq!(cursors(&store, 1, NOW), [0x0102_0304_0507]);
    fs::copy(folder.path().join(hours::FILE), before.path().join(hours::FILE)).unwrap();
    assert_eq!(cursors(&open(before.path()), 1, NOW), [0x0102_0304_0507]);

    // What the log knew from records that nobody can read any more is still known.
    while store.expire(NOW + 10 * HOUR, 10).unwrap().more {}
    drop(store);
    let store = open(folder.path());
    let state = store.reader().logs().unwrap().remove(0);
    assert_eq!((state.meta.last, state.meta.last_expiry), (0x0102_0304_0507, NOW + 5 * HOUR));
    assert_eq!((state.records, state.bytes, state.meta.last_write), (0, 0, Some(NOW)));
}

/// Fills the disk, empties it, and fills it again: refused in time, never half, and healed by expiry alone.
#[test]
fn a_full_disk_refuses_appends_and_heals() {
    let folder = tempfile::tempdir().unwrap();
    let options = StoreOptions { max_disk: 4 << 20 };
    let mut store = RecordStore::open(folder.path(), options).unwrap();
    store.commit(&[put(1), append(1, 1, NOW + 900 * HOUR, "stays")]).unwrap();
    let mut cursor = 1;
    let mut end = NOW;
    for round in 0..5 {
        end += 10 * HOUR;
        let mut kept = vec![1];
        let refused = loop {
            let batch = [append(1, cursor + 1, end, vec![7; 30_000]), append(1, cursor + 2, end, vec![8; 30_000])];
            match store.commit(&batch) {
                Ok(()) => kept.extend([cursor + 1, cursor + 2]),
                Err(error) => break error,
            }
            cursor += 2;
            assert!(store.usage().bytes <= options.max_disk);
        };
        assert_eq!(refused, StoreError::Full);
        assert!(kept.len() > 60, "round {round}: {} fitted", kept.len());
        assert_eq!(cursors(&store, 1, end - 1), kept, "reading goes on, and nothing half is there");
        let expired = store.expire(end, 1_000).unwrap();
        assert_eq!(expired.logs[0].records, kept.len() as u64 - 1);
        assert!(store.usage().bytes < 2 << 20, "{} bytes left", store.usage().bytes);
        if round == 2 {
            drop(store);
            store = RecordStore::open(folder.path(), options).unwrap();
        }
        assert_eq!(cursors(&store, 1, end), [1]);
    }
}

/// Long-lived records strewn among short-lived ones: the disk follows what lives, and what lives stays readable, also to
/// a reader that works meanwhile, and after a restart.
#[test]
fn cleaning_keeps_what_lives_and_gives_back_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    store.commit(&[put(1), put(2), put(3)]).unwrap();
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let reading = {
        let (reader, stop) = (store.reader(), Arc::clone(&stop));
        std::thread::spawn(move || {
            let mut seen = 0;
            while !stop.load(std::sync::atomic::Ordering::SeqCst) {
                let page = reader.read(&log(1), 0, NOW, usize::MAX, usize::MAX).unwrap();
                let cursors: Vec<_> = page.records.iter().map(|r| r.cursor).collect();
                assert!(cursors.iter().zip(1..).all(|(c, n)| c % 20 == 0 && *c == n * 20), "a gap");
                assert!(cursors.len() >= seen);
                assert!(page.records.iter().all(|r| r.body.len() == 4_000 && r.body[0] == r.cursor.to_le_bytes()[0]));
                seen = cursors.len();
            }
        })
    };
    let mut lasting = Vec::new();
    for cursor in 1..=2_000_u64 {
        let long = cursor % 20 == 0;
        let (n, ttl) = if long { (1, 800 * HOUR) } else { (2, 60_000) };
        if long {
            lasting.push(cursor);
        }
        let body = vec![cursor.to_le_bytes()[0]; 4_000];
        store.commit(&[append(n, cursor, NOW + ttl, body)]).unwrap();
        if cursor == 1_000 {
            store.commit(&[Write::DropLog(log(3))]).unwrap();
        }
        if cursor % 250 == 0 {
            while store.expire(NOW + 60_000, 100).unwrap().more {}
            assert_eq!(cursors(&store, 1, NOW), lasting);
        }
    }
    stop.store(true, std::sync::atomic::Ordering::SeqCst);
    reading.join().unwrap();
    assert_eq!(store.usage().records, 100);
    drop(store);
    let bytes = open(folder.path()).usage().bytes;
    assert!(bytes < 3 << 20, "{bytes} bytes for 400 kB");
    for _ in 0..3 {
        let mut store = open(folder.path());
        assert_eq!(cursors(&store, 1, NOW), lasting);
        let mut logs = store.reader().logs().unwrap();
        logs.sort_by_key(|l| l.meta.id);
        let told: Vec<_> = logs.iter().map(|l| (l.meta.id, l.meta.last, l.meta.last_expiry)).collect();
        assert_eq!(told, [(log(1), 2_000, NOW + 800 * HOUR), (log(2), 1_999, NOW + 60_000)]);
        while store.expire(NOW + 60_000, 100).unwrap().more {}
    }
}

/// A hundred restarts leave a few small files, not a hundred.
#[test]
fn restarts_do_not_litter() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).commit(&[put(1)]).unwrap();
    for cursor in 1..=100 {
        let mut store = open(folder.path());
        store.commit(&[append(1, cursor, NOW + 99 * HOUR, "x")]).unwrap();
        store.expire(NOW, 10).unwrap();
    }
    assert!(segments(folder.path()).len() < 40, "{}", segments(folder.path()).len());
    assert_eq!(cursors(&open(folder.path()), 1, NOW).len(), 100);
}

/// What a crash takes back is sealed anew under another salt: no cipher and nonce ever serve two records.
#[test]
fn nonces_are_never_used_twice() {
    let folder = tempfile::tempdir().unwrap();
    let mut seen = BTreeSet::new();
    open(folder.path()).commit(&[put(1)]).unwrap();
    for round in 1..=5 {
        let image = copy(folder.path());
        for (path, cursor) in [(folder.path(), round * 10), (image.path(), round * 10)] {
            // Both go on from the same disk, as before and after a crash whose writes were lost.
            let mut store = open(path);
            store.commit(&[append(1, cursor, NOW + HOUR, "a"), append(1, cursor + 1, NOW + HOUR, "b")]).unwrap();
            let newest = store.next_segment - 1;
            drop(store);
            let found = segment::Segment::open(path, newest).unwrap();
            for (_, frame) in clean::Frames::new(&found.segment, &found.bytes) {
                let frame::Frame::Record(sealed) = frame else { continue };
                assert!(seen.insert((found.segment.salt, sealed.counter())), "round {round}");
            }
        }
    }
    assert_eq!(seen.len(), 20);
}
