//! The candidates, each with the layout that suits it best. None knows what is measured.

use crate::Record;
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use redb::{ReadableDatabase, ReadableTable, TableDefinition};
use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

pub trait Candidate {
    fn open(folder: &Path) -> Self;
    /// Durable when it returns.
    fn commit(&mut self, group: &[Record]);
    /// All records of one log in the order of their cursors; gives their number.
    fn replay(&self, log: u32, hours: Range<u32>) -> usize;
    fn expire(&mut self, hour: u32);
    /// Whatever gives space back to the disk beyond what `expire` did.
    fn give_back(&mut self);
}

/// The limit, not a store: a preallocated file and one `fdatasync` a group. It finds nothing again.
pub struct PlainFile {
    folder: PathBuf,
    file: File,
    at: u64,
    number: u32,
}

const SEGMENT: u64 = 64 << 20;

impl PlainFile {
    fn segment(folder: &Path, number: u32) -> File {
        let mut file = File::create(folder.join(number.to_string())).unwrap();
        // Zeroes written once: a sync then changes no metadata.
        let zeroes = vec![0; 1 << 20];
        for _ in 0..SEGMENT >> 20 {
            file.write_all(&zeroes).unwrap();
        }
        file.sync_all().unwrap();
        file
    }
}

impl Candidate for PlainFile {
    fn open(folder: &Path) -> Self {
        Self { folder: folder.into(), file: Self::segment(folder, 0), at: 0, number: 0 }
    }

    fn commit(&mut self, group: &[Record]) {
        let mut bytes = Vec::with_capacity(group.len() * 280);
        for record in group {
            bytes.extend_from_slice(&record.log.to_le_bytes());
            bytes.extend_from_slice(&record.cursor.to_le_bytes());
            bytes.extend_from_slice(&record.hour.to_le_bytes());
            bytes.extend_from_slice(&record.value);
        }
        if self.at + bytes.len() as u64 > SEGMENT {
            self.number += 1;
            self.file = Self::segment(&self.folder, self.number);
            self.at = 0;
        }
        self.file.write_all_at(&bytes, self.at).unwrap();
        self.at += bytes.len() as u64;
        self.file.sync_data().unwrap();
    }

    fn replay(&self, _: u32, _: Range<u32>) -> usize {
        0
    }

    fn expire(&mut self, _: u32) {}

    fn give_back(&mut self) {}
}

pub struct Sqlite(rusqlite::Connection);

impl Candidate for Sqlite {
    fn open(folder: &Path) -> Self {
        let db = rusqlite::Connection::open(folder.join("store")).unwrap();
        db.execute_batch(
            "PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -65536; PRAGMA locking_mode = EXCLUSIVE;
             CREATE TABLE IF NOT EXISTS record (log INTEGER, cursor INTEGER, hour INTEGER, value BLOB, PRIMARY KEY (log, cursor)) WITHOUT ROWID;
             CREATE INDEX IF NOT EXISTS expiry ON record (hour);",
        )
        .unwrap();
        Self(db)
    }

    fn commit(&mut self, group: &[Record]) {
        let transaction = self.0.transaction().unwrap();
        {
            let mut insert = transaction.prepare_cached("INSERT INTO record VALUES (?, ?, ?, ?)").unwrap();
            for record in group {
                insert.execute((record.log, record.cursor as i64, record.hour, &record.value[..])).unwrap();
            }
        }
        transaction.commit().unwrap();
    }

    fn replay(&self, log: u32, _: Range<u32>) -> usize {
        let mut select = self.0.prepare("SELECT value FROM record WHERE log = ? ORDER BY cursor").unwrap();
        let mut rows = select.query([log]).unwrap();
        let (mut found, mut bytes) = (0, 0);
        while let Some(row) = rows.next().unwrap() {
            found += 1;
            bytes += row.get_ref(0).unwrap().as_blob().unwrap().len();
        }
        assert_eq!(bytes, found * 256);
        found
    }

    fn expire(&mut self, hour: u32) {
        self.0.execute("DELETE FROM record WHERE hour = ?", [hour]).unwrap();
    }

    fn give_back(&mut self) {
        let mut vacuum = self.0.prepare("PRAGMA incremental_vacuum").unwrap();
        let mut rows = vacuum.query([]).unwrap();
        while rows.next().unwrap().is_some() {}
        drop(rows);
        drop(vacuum);
        self.0.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    }
}

const RECORDS: TableDefinition<'static, (u32, u64), &[u8]> = TableDefinition::new("records");
const EXPIRY: TableDefinition<'static, (u32, u32, u64), ()> = TableDefinition::new("expiry");

pub struct Redb(redb::Database);

impl Candidate for Redb {
    fn open(folder: &Path) -> Self {
        Self(redb::Database::builder().set_cache_size(128 << 20).create(folder.join("store")).unwrap())
    }

    fn commit(&mut self, group: &[Record]) {
        let transaction = self.0.begin_write().unwrap();
        {
            let mut records = transaction.open_table(RECORDS).unwrap();
            let mut expiry = transaction.open_table(EXPIRY).unwrap();
            for record in group {
                records.insert((record.log, record.cursor), &record.value[..]).unwrap();
                expiry.insert((record.hour, record.log, record.cursor), ()).unwrap();
            }
        }
        transaction.commit().unwrap();
    }

    fn replay(&self, log: u32, _: Range<u32>) -> usize {
        let records = self.0.begin_read().unwrap().open_table(RECORDS).unwrap();
        let (mut found, mut bytes) = (0, 0);
        for row in records.range((log, 0)..=(log, u64::MAX)).unwrap() {
            found += 1;
            bytes += row.unwrap().1.value().len();
        }
        assert_eq!(bytes, found * 256);
        found
    }

    fn expire(&mut self, hour: u32) {
        loop {
            let transaction = self.0.begin_write().unwrap();
            let mut gone = 0;
            {
                let mut records = transaction.open_table(RECORDS).unwrap();
                let mut expiry = transaction.open_table(EXPIRY).unwrap();
                let over: Vec<_> = expiry
                    .range((hour, 0, 0)..=(hour, u32::MAX, u64::MAX))
                    .unwrap()
                    .take(10_000)
                    .map(|row| row.unwrap().0.value())
                    .collect();
                for (hour, log, cursor) in over {
                    records.remove((log, cursor)).unwrap();
                    expiry.remove((hour, log, cursor)).unwrap();
                    gone += 1;
                }
            }
            transaction.commit().unwrap();
            if gone == 0 {
                break;
            }
        }
    }

    fn give_back(&mut self) {
        self.0.compact().unwrap();
    }
}

fn key(log: u32, cursor: u64) -> [u8; 12] {
    let mut key = [0; 12];
    key[..4].copy_from_slice(&log.to_be_bytes());
    key[4..].copy_from_slice(&cursor.to_be_bytes());
    key
}

fn options() -> KeyspaceCreateOptions {
    KeyspaceCreateOptions::default().manual_journal_persist(true)
}

/// One keyspace of records and one of hours.
pub struct Fjall {
    db: Database,
    records: Keyspace,
    expiry: Keyspace,
}

impl Candidate for Fjall {
    fn open(folder: &Path) -> Self {
        let db = Database::builder(folder).worker_threads(1).open().unwrap();
        let records = db.keyspace("records", options).unwrap();
        let expiry = db.keyspace("expiry", options).unwrap();
        Self { db, records, expiry }
    }

    fn commit(&mut self, group: &[Record]) {
        let mut batch = self.db.batch().durability(Some(PersistMode::SyncData));
        for record in group {
            let key = key(record.log, record.cursor);
            batch.insert(&self.records, key, &record.value[..]);
            let mut by_hour = [0; 16];
            by_hour[..4].copy_from_slice(&record.hour.to_be_bytes());
            by_hour[4..].copy_from_slice(&key);
            batch.insert(&self.expiry, by_hour, []);
        }
        batch.commit().unwrap();
    }

    fn replay(&self, log: u32, _: Range<u32>) -> usize {
        let (mut found, mut bytes) = (0, 0);
        for guard in self.records.prefix(log.to_be_bytes()) {
            bytes += guard.value().unwrap().len();
            found += 1;
        }
        assert_eq!(bytes, found * 256);
        found
    }

    fn expire(&mut self, hour: u32) {
        let over: Vec<_> = self.expiry.prefix(hour.to_be_bytes()).map(|guard| guard.key().unwrap()).collect();
        for some in over.chunks(10_000) {
            let mut batch = self.db.batch().durability(Some(PersistMode::SyncData));
            for by_hour in some {
                batch.remove(&self.records, &by_hour[4..]);
                batch.remove(&self.expiry, &by_hour[..]);
            }
            batch.commit().unwrap();
        }
    }

    fn give_back(&mut self) {
        for keyspace in [&self.records, &self.expiry] {
            keyspace.rotate_memtable_and_wait().unwrap();
            keyspace.major_compact().unwrap();
        }
    }
}

/// One keyspace for each hour of expiry: an hour ends by dropping its keyspace.
pub struct FjallHours {
    db: Database,
    hours: HashMap<u32, Keyspace>,
}

impl FjallHours {
    fn hour(db: &Database, hour: u32) -> Keyspace {
        db.keyspace(&hour.to_string(), || options().max_memtable_size(16 << 20)).unwrap()
    }
}

impl Candidate for FjallHours {
    fn open(folder: &Path) -> Self {
        let db = Database::builder(folder).worker_threads(1).open().unwrap();
        let hours = db
            .list_keyspace_names()
            .into_iter()
            .map(|name| {
                let hour = name.parse().unwrap();
                (hour, Self::hour(&db, hour))
            })
            .collect();
        Self { db, hours }
    }

    fn commit(&mut self, group: &[Record]) {
        let mut batch = self.db.batch().durability(Some(PersistMode::SyncData));
        for record in group {
            let hour = self.hours.entry(record.hour).or_insert_with(|| Self::hour(&self.db, record.hour));
            batch.insert(hour, key(record.log, record.cursor), &record.value[..]);
        }
        batch.commit().unwrap();
    }

    fn replay(&self, log: u32, hours: Range<u32>) -> usize {
        let mut rows = Vec::new();
        for hour in hours {
            let Some(hour) = self.hours.get(&hour) else { continue };
            for guard in hour.prefix(log.to_be_bytes()) {
                rows.push(guard.into_inner().unwrap());
            }
        }
        rows.sort_by(|a, b| a.0.cmp(&b.0));
        rows.len()
    }

    fn expire(&mut self, hour: u32) {
        if let Some(hour) = self.hours.remove(&hour) {
            self.db.delete_keyspace(hour).unwrap();
        }
    }

    fn give_back(&mut self) {
        for keyspace in self.hours.values() {
            keyspace.rotate_memtable_and_wait().unwrap();
        }
    }
}

/// Fjall as a log would use it: the records of one log and hour in one group are one value, nothing is compressed (it is
/// all ciphertext), and values lie apart from keys.
pub struct FjallChunks {
    db: Database,
    chunks: Keyspace,
}

impl Candidate for FjallChunks {
    fn open(folder: &Path) -> Self {
        let db = Database::builder(folder)
            .worker_threads(1)
            .journal_compression(fjall::CompressionType::None)
            .max_journaling_size(128 << 20)
            .open()
            .unwrap();
        let chunks = db
            .keyspace("chunks", || {
                options()
                    .data_block_compression_policy(fjall::config::CompressionPolicy::all(fjall::CompressionType::None))
                    .filter_policy(fjall::config::FilterPolicy::disabled())
                    .with_kv_separation(Some(fjall::KvSeparationOptions::default().compression(fjall::CompressionType::None).separation_threshold(200)))
            })
            .unwrap();
        Self { db, chunks }
    }

    fn commit(&mut self, group: &[Record]) {
        let mut by_log: std::collections::BTreeMap<(u32, u32), (u64, Vec<u8>)> = std::collections::BTreeMap::new();
        for record in group {
            let chunk = by_log.entry((record.hour, record.log)).or_insert((record.cursor, Vec::new()));
            chunk.1.extend_from_slice(&record.cursor.to_be_bytes());
            chunk.1.extend_from_slice(&record.value);
        }
        let mut batch = self.db.batch().durability(Some(PersistMode::SyncData));
        for ((hour, log), (cursor, chunk)) in by_log {
            let mut by_hour = [0; 16];
            by_hour[..4].copy_from_slice(&hour.to_be_bytes());
            by_hour[4..].copy_from_slice(&key(log, cursor));
            batch.insert(&self.chunks, by_hour, chunk);
        }
        batch.commit().unwrap();
    }

    fn replay(&self, log: u32, hours: Range<u32>) -> usize {
        let mut rows = Vec::new();
        for hour in hours {
            let mut prefix = [0; 8];
            prefix[..4].copy_from_slice(&hour.to_be_bytes());
            prefix[4..].copy_from_slice(&log.to_be_bytes());
            for guard in self.chunks.prefix(prefix) {
                for row in guard.value().unwrap().chunks_exact(264) {
                    rows.push(row.to_vec());
                }
            }
        }
        rows.sort();
        rows.len()
    }

    fn expire(&mut self, hour: u32) {
        let over: Vec<_> = self.chunks.prefix(hour.to_be_bytes()).map(|guard| guard.key().unwrap()).collect();
        for some in over.chunks(10_000) {
            let mut batch = self.db.batch().durability(Some(PersistMode::SyncData));
            for by_hour in some {
                batch.remove(&self.chunks, &by_hour[..]);
            }
            batch.commit().unwrap();
        }
    }

    fn give_back(&mut self) {
        self.chunks.rotate_memtable_and_wait().unwrap();
        self.chunks.major_compact().unwrap();
    }
}
