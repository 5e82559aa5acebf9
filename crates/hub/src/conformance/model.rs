//! A random life of a store, beside the memory store: same writes, same answers. A failure is a seed.

use bytes::Bytes;
use estoile_wire::frame::Ticket;
use estoile_wire::id::TicketHash;
use estoile_wire::{Cursor, Id16, Millis, PublicKey};

use super::{Make, NOW, log, meta, record};
use crate::memory::MemoryStore;
use crate::store::{Advance, LogMeta, NewRecord, Reader, Store, StoreError, Write};

/// `splitmix64`: a few good numbers from a seed, without a dependency.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % n.max(1)
    }

    fn log(&mut self) -> u16 {
        u16::try_from(self.below(5)).unwrap_or(0)
    }
}

/// Three hundred random steps: batches good and bad, expiry in bits, restarts; after each, every answer is the same.
///
/// # Errors
/// The store's.
pub fn behaves_like_the_memory_store<M: Make>(make: &mut M, seed: u64) -> Result<(), StoreError> {
    let mut dice = Dice(seed);
    let mut now = NOW;
    let mut model = MemoryStore::new();
    let mut store = make.fresh();
    let mut next: Cursor = 1;
    for step in 0..300 {
        match dice.below(10) {
            0 => now += dice.below(7_200_000),
            1 => {
                let limit = usize::try_from(1 + dice.below(20)).unwrap_or(1);
                expire(&mut model, &mut store, now, limit)?;
            }
            2 if dice.below(4) == 0 => store = make.reopen(store),
            _ => {
                let writes = batch(&mut dice, now, &mut next);
                match (model.commit(&writes), store.commit(&writes)) {
                    (Ok(()), Ok(())) => {}
                    (Err(StoreError::Misuse(_)), Err(StoreError::Misuse(_))) => {}
                    (_, Err(error)) => return Err(error),
                    (bad, Ok(())) => assert_eq!(bad, Ok(()), "seed {seed}, step {step}: a bad batch was taken"),
                }
            }
        }
        let at = now + dice.below(3_600_000);
        same(&model, &store, at, &mut dice, &format!("seed {seed}, step {step}"))?;
    }
    Ok(())
}

/// The two may take different ones of equal expiry within a limit, so both are driven to the end.
fn expire<S: Store>(model: &mut MemoryStore, store: &mut S, now: Millis, limit: usize) -> Result<(), StoreError> {
    let mut sums = [(0, 0); 2];
    let [of_model, of_store] = &mut sums;
    loop {
        let expired = model.expire(now, limit)?;
        expired.logs.iter().for_each(|e| *of_model = (of_model.0 + e.records, of_model.1 + e.bytes));
        if !expired.more {
            break;
        }
    }
    loop {
        let expired = store.expire(now, limit)?;
        let taken: u64 = expired.logs.iter().map(|e| e.records).sum();
        assert!(taken <= limit as u64, "at most the limit");
        expired.logs.iter().for_each(|e| *of_store = (of_store.0 + e.records, of_store.1 + e.bytes));
        if !expired.more {
            break;
        }
    }
    assert_eq!(of_model, of_store);
    Ok(())
}

fn batch(dice: &mut Dice, now: Millis, next: &mut Cursor) -> Vec<Write> {
    let size = 1 + dice.below(12);
    let mut write = |_| {
        let n = dice.log();
        match dice.below(40) {
            0 => Write::DropLog(log(n)),
            1..=4 => Write::PutLog(LogMeta { epoch: *next, created: now, ..meta(n) }),
            6..=8 => Write::Remove { log: log(n), cursor: next.saturating_sub(dice.below(30)) },
            9 => Write::Tickets { log: log(n), tickets: (0..dice.below(4)).map(|_| ticket(dice)).collect() },
            10..=13 => end(dice, n, now, next),
            5 => Write::Append(record(n, next.saturating_sub(dice.below(3)), now + 1000, b"perhaps too low")),
            _ => {
                *next += 1 + dice.below(2);
                let [id, ..] = dice.below(40).to_le_bytes();
                let body = Bytes::from(vec![id; usize::try_from(1 + dice.below(300)).unwrap_or(1)]);
                let expires = now + 1 + dice.below(4 * 3_600_000);
                let id16 = Id16([id; 16]);
                Write::Append(NewRecord {
                    log: log(n),
                    cursor: *next,
                    time: now,
                    expires,
                    epoch: 0,
                    id16,
                    body,
                    advance: None,
                })
            }
        }
    };
    (0..size).map(&mut write).collect()
}

fn ticket(dice: &mut Dice) -> Ticket {
    let [hash, ..] = dice.below(5).to_le_bytes();
    Ticket { hash: TicketHash([hash; 32]), per_day: dice.below(9), bytes_per_day: dice.below(9) }
}

/// The end of an epoch, later than any before it in any log.
fn end(dice: &mut Dice, n: u16, now: Millis, next: &mut Cursor) -> Write {
    *next += 1;
    let [key, id, ..] = next.to_le_bytes();
    let advance = Some(Advance { ended: PublicKey([key; 32]), next: PublicKey([id; 32]) });
    let expires = now + 1 + dice.below(4 * 3_600_000);
    Write::Append(NewRecord { epoch: *next, advance, time: now, ..record(n, *next, expires, b"the end") })
}

fn same<S: Store>(model: &MemoryStore, store: &S, at: Millis, dice: &mut Dice, here: &str) -> Result<(), StoreError> {
    let (a, b) = (model.reader(), store.reader());
    let (mut logs, mut expected) = (b.logs()?, a.logs()?);
    logs.sort_by_key(|l| l.meta.id);
    expected.sort_by_key(|l| l.meta.id);
    assert_eq!(logs, expected, "{here}");
    let (used, wanted) = (store.usage(), model.usage());
    assert_eq!((used.logs, used.records), (wanted.logs, wanted.records), "{here}");
    let n = log(dice.log());
    let after = dice.below(400);
    let (records, bytes) =
        (usize::try_from(1 + dice.below(9)).unwrap_or(1), usize::try_from(dice.below(900)).unwrap_or(1));
    assert_eq!(b.read(&n, after, at, records, bytes)?, a.read(&n, after, at, records, bytes)?, "{here}");
    let count = dice.below(20);
    assert_eq!(b.newest(&n, after, count, at)?, a.newest(&n, after, count, at)?, "{here}");
    for epoch in after..after + 40 {
        assert_eq!(b.past(&n, epoch, at)?, a.past(&n, epoch, at)?, "{here}, epoch {epoch}");
    }
    let (mut ids, mut expected) = (b.ids(&n, at)?, a.ids(&n, at)?);
    ids.sort_by_key(|i| i.cursor);
    expected.sort_by_key(|i| i.cursor);
    assert_eq!(ids, expected, "{here}");
    Ok(())
}
