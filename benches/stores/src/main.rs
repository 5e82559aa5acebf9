//! Measures stores that the relay could keep its records in, with the work that the relay would give them.
//!
//! `cargo run --release [FOLDER [STORE]]` prints one table. It is a workspace of its own, so that nobody who builds or
//! tests Estoile builds the stores that were not chosen. It knows nothing of Estoile's types: a record here is what a
//! record costs there (a log's number, a cursor, an hour of expiry, an id and a sealed body of 200 bytes).

mod candidates;

use candidates::{Candidate, Fjall, FjallChunks, FjallHours, PlainFile, Redb, Sqlite};
use std::path::Path;
use std::time::{Duration, Instant};

/// One record as every candidate stores it.
pub struct Record {
    pub log: u32,
    pub cursor: u64,
    pub hour: u32,
    /// Arrival, expiry, epoch, id and sealed body (200 bytes and a tag of 16).
    pub value: [u8; 8 + 8 + 8 + 16 + 216],
}

/// Small, fast and reproducible; the values only have to be incompressible.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn record(&mut self, log: u32, cursor: u64, hour: u32) -> Record {
        let mut value = [0; 256];
        for chunk in value.chunks_exact_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes());
        }
        Record { log, cursor, hour, value }
    }
}

const LOGS: u32 = 1_000;
const HOURS: u32 = 24;

fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

/// What the folder takes on the disk, in bytes (blocks, not lengths).
fn disk(folder: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let mut sum = 0;
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let Ok(meta) = entry.metadata() else { continue };
        sum += if meta.is_dir() { disk(&entry.path()) } else { meta.blocks() * 512 };
    }
    sum
}

/// Appends in groups of `group` until the time is over; gives records a second and CPU microseconds a record.
fn appends<C: Candidate>(folder: &Path, group: usize, senders_logs: u32) -> (f64, f64) {
    std::fs::remove_dir_all(folder).ok();
    std::fs::create_dir_all(folder).unwrap();
    let mut noise = Noise(7);
    let mut store = C::open(folder);
    let mut cursor = 0;
    let (mut records, started, cpu_before) = (0, Instant::now(), cpu());
    while started.elapsed() < Duration::from_secs(5) && records < 3_000_000 {
        let batch: Vec<Record> = (0..group)
            .map(|_| {
                cursor += 1;
                let log = (noise.next() % u64::from(senders_logs)) as u32;
                let hour = 500_000 + (noise.next() % 2) as u32;
                noise.record(log, cursor, hour)
            })
            .collect();
        store.commit(&batch);
        records += group;
    }
    let wall = started.elapsed();
    drop(store); // what it does at the end counts as CPU
    ((records as f64) / wall.as_secs_f64(), (cpu() - cpu_before).as_secs_f64() * 1e6 / records as f64)
}

fn life<C: Candidate>(folder: &Path) -> String {
    std::fs::remove_dir_all(folder).ok();
    std::fs::create_dir_all(folder).unwrap();
    let mut noise = Noise(9);
    let mut store = C::open(folder);
    // 1.2 million records in a thousand logs; log 0 has 10,000 of them, evenly strewn.
    let (mut cursor, mut hours) = (0_u64, vec![0_u64; HOURS as usize]);
    for _ in 0..1_200 {
        let batch: Vec<Record> = (0..1_000)
            .map(|_| {
                cursor += 1;
                let log = if cursor % 120 == 0 { 0 } else { 1 + (noise.next() % u64::from(LOGS - 1)) as u32 };
                let hour = (noise.next() % u64::from(HOURS)) as u32;
                hours[hour as usize] += 1;
                noise.record(log, cursor, 500_000 + hour)
            })
            .collect();
        store.commit(&batch);
    }
    drop(store);
    let opening = Instant::now();
    let mut store = C::open(folder);
    let opened = opening.elapsed();
    let full = disk(folder);
    let replay = Instant::now();
    let found = store.replay(0, 500_000..500_000 + HOURS);
    let replay = replay.elapsed();
    assert!(found == 10_000 || found == 0, "{found} records replayed");
    let (expiring, cpu_before) = (Instant::now(), cpu());
    let mut gone = 0;
    for hour in 0..20 {
        store.expire(500_000 + hour);
        gone += hours[hour as usize];
    }
    let (expired, expired_cpu) = (expiring.elapsed(), cpu() - cpu_before);
    let after = disk(folder);
    let giving_back = Instant::now();
    store.give_back();
    let given_back = giving_back.elapsed();
    drop(store);
    let end = disk(folder);
    format!(
        "{:>5.0} B | {:>6.1} ms ({} found) | open {:>5.0} ms | {gone} in {:>6.2} s ({:>5.2} s CPU), {:>4} -> {:>4} MiB | {:>5.2} s more -> {:>4} MiB",
        full as f64 / 1.2e6,
        replay.as_secs_f64() * 1e3,
        found,
        opened.as_secs_f64() * 1e3,
        expired.as_secs_f64(),
        expired_cpu.as_secs_f64(),
        full >> 20,
        after >> 20,
        given_back.as_secs_f64(),
        end >> 20,
    )
}

fn measure<C: Candidate>(name: &str, folder: &Path) {
    for (group, logs) in [(1, 1), (64, 64), (1_024, 64), (1_024, 1_000)] {
        let (rate, cost) = appends::<C>(folder, group, logs);
        println!("{name:<12} | group {group:>5} in {logs:>4} logs | {rate:>9.0} records/s | {cost:>6.2} CPU µs a record");
    }
    println!("{name:<12} | {}", life::<C>(folder));
    std::fs::remove_dir_all(folder).ok();
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| "target/stores".into());
    let only = arguments.next();
    let folder = Path::new(&folder);
    let wanted = |name: &str| only.as_deref().is_none_or(|only| only == name);
    if wanted("plain file") {
        measure::<PlainFile>("plain file", folder);
    }
    if wanted("sqlite") {
        measure::<Sqlite>("sqlite", folder);
    }
    if wanted("redb") {
        measure::<Redb>("redb", folder);
    }
    if wanted("fjall") {
        measure::<Fjall>("fjall", folder);
    }
    if wanted("fjall chunks") {
        measure::<FjallChunks>("fjall chunks", folder);
    }
    if wanted("fjall hours") {
        measure::<FjallHours>("fjall hours", folder);
    }
}
