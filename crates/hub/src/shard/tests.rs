//! What a shard knows of its logs is what the store knows of them: a restart changes nothing.

use std::sync::Arc;

use estoile_wire::frame::{Put, Ticket};
use estoile_wire::id::{LogKind, SlotId, TicketHash};
use estoile_wire::{LogId, PublicKey, Signature};

use super::{Admitted, Shard};
use crate::codes::Codes;
use crate::config::Config;
use crate::hub::SharedQueue;
use crate::log::{Asker, SessionId};
use crate::memory::MemoryStore;
use crate::store::{LogMeta, Reader as _, Store as _};

const START: u64 = 1_700_000_000_000;
const SHELF: LogId = LogId([6; 32]);

fn asker() -> Asker<SharedQueue> {
    Asker { session: SessionId(1), outbox: SharedQueue::new(&Config::default()), request: 1 }
}

fn put<'b>(items: &[&'b [u8]], last_resort: Option<&'b [u8]>, clear: bool) -> Put<'b> {
    let (slot, signature) = (SlotId([1; 16]), Signature([0; 64]));
    Put { request: 1, shelf: SHELF, slot, clear, items: items.to_vec(), last_resort, signature }
}

fn commit(shard: &mut Shard<SharedQueue>, store: &mut MemoryStore) -> (Option<LogMeta>, Option<LogMeta>) {
    let batch = shard.take_staged();
    assert!(!batch.is_empty(), "there is something to commit");
    assert_eq!(store.commit(&batch.writes), Ok(()));
    shard.committed(batch, Ok(()));
    let stored = store.reader().logs().ok().and_then(|logs| logs.into_iter().next());
    (shard.logs.get(&SHELF).map(|log| log.meta.clone()), stored.map(|state| state.meta))
}

#[test]
fn after_each_commit_a_shelf_is_what_the_store_says_of_it() {
    let mut shard = Shard::new(Arc::new(Config::default()), Codes::default());
    let mut store = MemoryStore::new();
    let access_key = PublicKey([7; 32]);
    let new = Admitted { id: SHELF, kind: LogKind::Shelf, access_key, max_ttl: 3600, quota: 1 << 20, entry: None };
    shard.create(START, asker(), &new);
    let (known, stored) = commit(&mut shard, &mut store);
    assert!(known.is_some() && known == stored);
    for (later, put) in
        [put(&[b"a", b"b"], Some(b"A"), false), put(&[b"c"], None, false), put(&[], None, true)].iter().enumerate()
    {
        let now = START + 1_234 * (later as u64 + 1);
        assert_eq!(shard.put(now, asker(), put), Ok(()));
        let (known, stored) = commit(&mut shard, &mut store);
        assert_eq!(known, stored, "put {later}");
    }
    let ticket = Ticket { hash: TicketHash([1; 32]), per_day: 1, bytes_per_day: 1 };
    assert_eq!(shard.tickets(asker(), &SHELF, 0, &[ticket]), Ok(()));
    let (known, stored) = commit(&mut shard, &mut store);
    assert_eq!(known, stored);
    assert_eq!(shard.staged_bytes(), 0);
}
