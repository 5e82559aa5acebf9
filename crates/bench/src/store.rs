//! The relay's store alone, with the same work as the stores that `benches/stores` compares; and how fast a relay starts.

use std::path::Path;
use std::time::Instant;

use bytes::Bytes;
use estoile_hub::store::{LogMeta, NewRecord, Reader, Store, Write};
use estoile_relay::store::{RecordStore, StoreOptions};
use estoile_wire::id::LogKind;
use estoile_wire::{Id16, LogId, PublicKey};

use crate::process::{Process, Role};
use crate::{BODY, Outcome, SPAN, figure};

/// A moment in 2023, at the beginning of an hour.
const NOW: u64 = 1_700_000_000_000 / HOUR * HOUR;
const HOUR: u64 = 3_600_000;
const RECORDS: u64 = 1_200_000;

fn log(n: u64) -> LogId {
    let mut id = [0; 32];
    for (to, from) in id.iter_mut().zip(n.to_le_bytes()) {
        *to = from;
    }
    LogId(id)
}

fn put(n: u64) -> Write {
    Write::PutLog(LogMeta {
        id: log(n),
        kind: LogKind::Fixed,
        epoch: 0,
        access_key: PublicKey([0; 32]),
        max_ttl: 1 << 30,
        quota: 1 << 40,
        last: 0,
        created: NOW,
        last_write: None,
        last_expiry: 0,
        entry: None,
        tickets: std::sync::Arc::from([]),
    })
}

fn append(n: u64, cursor: u64, hours: u64, body: &Bytes) -> Write {
    let id16 = Id16(u128::from(cursor).to_le_bytes());
    let record = NewRecord {
        log: log(n),
        cursor,
        time: NOW,
        expires: NOW + hours * HOUR + 1,
        epoch: 0,
        id16,
        body: body.clone(),
        advance: None,
    };
    Write::Append(record)
}

/// Spreads numbers evenly.
fn strew(n: u64) -> u64 {
    n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32
}

pub(crate) fn run() -> Outcome<()> {
    for (group, logs) in [(1, 1), (64, 64), (1_024, 64), (1_024, 1_000)] {
        let (rate, cpu) = appends(group, logs)?;
        let name = format!("store alone, {group} records a commit in {logs} logs");
        figure(&name, rate, "records/s");
        figure(&format!("{name}: CPU"), cpu, "µs/record");
    }
    let folder = tempfile::tempdir_in(".")?;
    fill(folder.path())?;
    life(folder.path())
}

fn own_cpu() -> f64 {
    let clock = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    clock.tv_sec as f64 + clock.tv_nsec as f64 / 1e9
}

fn options() -> StoreOptions {
    StoreOptions { max_disk: 1 << 40 }
}

fn appends(group: u64, logs: u64) -> Outcome<(f64, f64)> {
    let folder = tempfile::tempdir_in(".")?;
    let mut store = RecordStore::open(folder.path(), options())?;
    store.commit(&(0..logs).map(put).collect::<Vec<_>>())?;
    let body = Bytes::from(vec![0x42; BODY]);
    let (begun, cpu, mut cursor) = (Instant::now(), own_cpu(), 0);
    while begun.elapsed() < SPAN && cursor < 3_000_000 {
        let batch: Vec<Write> =
            (cursor + 1..=cursor + group).map(|c| append(strew(c) % logs, c, c % 2, &body)).collect();
        store.commit(&batch)?;
        cursor += group;
    }
    let wall = begun.elapsed().as_secs_f64();
    drop(store);
    Ok((cursor as f64 / wall, (own_cpu() - cpu) * 1e6 / cursor as f64))
}

/// 1.2 million records over a thousand logs and 24 hours; log 0 has 10,000 of them, evenly strewn.
fn fill(folder: &Path) -> Outcome<()> {
    let mut store = RecordStore::open(folder, options())?;
    store.commit(&(0..1_000).map(put).collect::<Vec<_>>())?;
    let body = Bytes::from(vec![0x42; BODY]);
    for batch in 0..RECORDS / 1_000 {
        let of = |c: u64| if c.is_multiple_of(120) { 0 } else { 1 + strew(c) % 999 };
        let cursors = batch * 1_000 + 1..=(batch + 1) * 1_000;
        let writes: Vec<Write> = cursors.map(|c| append(of(c), c, strew(c >> 3) % 24, &body)).collect();
        store.commit(&writes)?;
    }
    Ok(())
}

fn life(folder: &Path) -> Outcome<()> {
    let begun = Instant::now();
    let mut store = RecordStore::open(folder, options())?;
    figure("store alone, opening with 1.2 million records", begun.elapsed().as_secs_f64() * 1e3, "ms");
    figure("store alone, disk for a record", store.usage().bytes as f64 / RECORDS as f64, "B");
    let begun = Instant::now();
    let (mut after, mut found) = (0, 0);
    loop {
        let page = store.reader().read(&log(0), after, NOW, 256, 128 << 10)?;
        found += page.records.len();
        after = page.records.last().map_or(after, |r| r.cursor);
        if !page.more {
            break;
        }
    }
    figure("store alone, replay of a log", begun.elapsed().as_secs_f64() * 1e3, "ms");
    figure("store alone, replay of a log: records", found as f64, "records");
    let (begun, cpu, full) = (Instant::now(), own_cpu(), store.usage());
    while store.expire(NOW + 20 * HOUR, 4_096)?.more {}
    let gone = full.records - store.usage().records;
    figure("store alone, expiry", gone as f64, "records");
    figure("store alone, expiry: time", begun.elapsed().as_secs_f64(), "s");
    figure("store alone, expiry: CPU", own_cpu() - cpu, "s");
    figure("store alone, disk before expiry", full.bytes as f64 / 1024.0 / 1024.0, "MiB");
    for _ in 0..64 {
        store.expire(NOW + 20 * HOUR, 4_096)?;
    }
    figure("store alone, expiry and cleaning: CPU", own_cpu() - cpu, "s");
    figure("store alone, disk after cleaning", store.usage().bytes as f64 / 1024.0 / 1024.0, "MiB");
    Ok(())
}

/// From the start of a relay's process to its first accepted session.
pub(crate) fn start() -> Outcome<()> {
    let folder = tempfile::tempdir_in(".")?;
    for name in ["in a new folder", "in a folder of its own"] {
        let relay = Process::start(Role::Relay, folder.path())?;
        figure(&format!("start of a relay {name}"), relay.started_in.as_secs_f64() * 1e3, "ms");
    }
    std::fs::remove_dir_all(folder.path().join("store")).ok();
    fill(&folder.path().join("store"))?;
    let relay = Process::start(Role::Relay, folder.path())?;
    figure("start of a relay with 1.2 million records", relay.started_in.as_secs_f64() * 1e3, "ms");
    Ok(())
}
