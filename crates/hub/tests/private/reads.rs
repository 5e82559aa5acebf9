//! What the relay reads, and for whom: nothing for strangers.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use estoile_hub::SessionId;
use estoile_hub::blobs::NoBlobs;
use estoile_hub::codes::Codes;
use estoile_hub::config::Config;
use estoile_hub::hub::SharedQueue;
use estoile_hub::memory::{MemoryReader, MemoryStore};
use estoile_hub::session::{Session, Shards};
use estoile_hub::shard::Shard;
use estoile_hub::store::{LiveId, LogState, Page, PastEpoch, Reader, Store as _, StoreError};
use estoile_wire::frame::*;
use estoile_wire::id::{LogKind, Nonce};
use estoile_wire::{ClientFrame, Cursor, LogId, Millis, Refusal, RelayFrame};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::common::*;
use crate::support::*;

/// A reader that counts how often it is asked.
#[derive(Clone)]
struct Counting(MemoryReader, Arc<AtomicUsize>);

impl Counting {
    fn inner(&self) -> &MemoryReader {
        self.1.fetch_add(1, Ordering::SeqCst);
        &self.0
    }
}

impl Reader for Counting {
    fn logs(&self) -> Result<Vec<LogState>, StoreError> {
        self.inner().logs()
    }

    fn read(&self, log: &LogId, after: Cursor, now: Millis, records: usize, bytes: usize) -> Result<Page, StoreError> {
        self.inner().read(log, after, now, records, bytes)
    }

    fn newest(&self, log: &LogId, after: Cursor, count: u64, now: Millis) -> Result<Cursor, StoreError> {
        self.inner().newest(log, after, count, now)
    }

    fn past(&self, log: &LogId, epoch: u64, now: Millis) -> Result<Option<PastEpoch>, StoreError> {
        self.inner().past(log, epoch, now)
    }

    fn ids(&self, log: &LogId, now: Millis) -> Result<Vec<LiveId>, StoreError> {
        self.inner().ids(log, now)
    }
}

struct One(RefCell<Shard<SharedQueue>>);

impl Shards<SharedQueue> for One {
    fn with<T>(&self, _: &LogId, f: impl FnOnce(&mut Shard<SharedQueue>) -> T) -> T {
        f(&mut self.0.borrow_mut())
    }
}

#[test]
fn nothing_is_read_for_who_shows_no_ticket_and_no_proof() {
    // A mailbox and a shelf, filled by a relay that has ended: nobody knows what is in them.
    let (mailbox, shelf) = (Room::new(4), Room::new(6));
    let mut world = World::new();
    let owner = world.founder(&mailbox);
    world.set_tickets(owner, &mailbox, mailbox.log(), 0, &[ticket(1, 5, 500)]);
    world.kept(owner, &mailbox, 1, None);
    let shelf_id = world.make(owner, &shelf, LogKind::Shelf, 0, 0);
    world.put(owner, &shelf, 1, false, &[b"a"], None);
    let store: MemoryStore = world.hub.crash();

    let config = Config::default();
    let rules = rules(config.clone(), None);
    let reads = Arc::new(AtomicUsize::new(0));
    let reader = Counting(store.reader(), Arc::clone(&reads));
    let mut shard = Shard::new(Arc::new(config.clone()), Codes::default());
    shard.load(START, store.reader().logs().unwrap());
    let shards = One(RefCell::new(shard));
    let queue = SharedQueue::new(&config);
    let mut session = Session::new(SessionId(1), queue.clone(), START, &mut ChaCha20Rng::seed_from_u64(1));
    let mut say = |frame: ClientFrame<'_>| {
        let _ = session.receive(START, &frame.encode(), &rules, &shards, &reader, &NoBlobs);
        core::iter::from_fn(|| queue.lock().pop()).collect::<Vec<_>>()
    };
    say(ClientFrame::Hello(Hello { versions: vec![1], challenge: Nonce([0; 32]) }));
    let post = |n| Post { request: 1, log: mailbox.log(), ticket: secret(n), id16: id16(9), ttl: None, body: b"x" };
    assert_eq!(refusal(&say(ClientFrame::Post(post(2)))), (Refusal::BadTicket, None));
    let take = Take { request: 1, shelf: shelf_id, ticket: secret(2) };
    assert_eq!(refusal(&say(ClientFrame::Take(take))), (Refusal::BadTicket, None));
    let signature = Room::new(9).sign(b"forged");
    let count = Count { request: 1, shelf: shelf_id, signature };
    assert_eq!(refusal(&say(ClientFrame::Count(count))), (Refusal::BadProof, None));
    let attach = Attach { request: 1, log: mailbox.log(), epoch: 0, after: 0, signature, newest: None };
    assert_eq!(refusal(&say(ClientFrame::Attach(attach))), (Refusal::BadProof, None));
    let tickets = Tickets { request: 1, log: mailbox.log(), tickets: Vec::new(), signature };
    assert_eq!(refusal(&say(ClientFrame::Tickets(tickets))), (Refusal::BadProof, None));
    assert_eq!(reads.load(Ordering::SeqCst), 0);
    // Who shows a ticket is worth a read.
    assert!(say(ClientFrame::Post(post(1))).is_empty(), "it waits for the disk");
    assert!(reads.load(Ordering::SeqCst) > 0);
    let batch = shards.0.borrow_mut().take_staged();
    shards.0.borrow_mut().committed(batch, Ok(()));
    let answer = queue.lock().pop().unwrap();
    assert!(matches!(RelayFrame::decode(&answer).unwrap(), RelayFrame::Kept(_)));
}
