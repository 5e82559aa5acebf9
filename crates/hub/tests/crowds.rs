//! Many at the door of one large log.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test: what is missing must stop it")]

mod common;

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::*;
use estoile_hub::SessionId;
use estoile_hub::blobs::NoBlobs;
use estoile_hub::codes::Codes;
use estoile_hub::config::Config;
use estoile_hub::hub::SharedQueue;
use estoile_hub::memory::{MemoryReader, MemoryStore};
use estoile_hub::rules::Rules;
use estoile_hub::session::{Session, Shards};
use estoile_hub::shard::Shard;
use estoile_hub::store::{LiveId, LogState, Page, PastEpoch, Reader, Store, StoreError, charge};
use estoile_wire::frame::*;
use estoile_wire::id::Nonce;
use estoile_wire::{ClientFrame, Cursor, LogId, Millis, Refusal, RelayFrame, proof};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

struct Locked(Mutex<Shard<SharedQueue>>);

impl Shards<SharedQueue> for Locked {
    fn with<T>(&self, _: &LogId, f: impl FnOnce(&mut Shard<SharedQueue>) -> T) -> T {
        f(&mut self.0.lock().unwrap())
    }
}

/// Says when somebody reads ids, and gives the answer that it is told to give.
#[derive(Clone)]
struct Slow {
    store: MemoryReader,
    asked: SyncSender<()>,
    answer: Arc<Mutex<Receiver<Result<(), StoreError>>>>,
}

impl Reader for Slow {
    fn past(&self, log: &LogId, epoch: u64, now: Millis) -> Result<Option<PastEpoch>, StoreError> {
        self.store.past(log, epoch, now)
    }

    fn logs(&self) -> Result<Vec<LogState>, StoreError> {
        self.store.logs()
    }
    fn read(&self, log: &LogId, after: Cursor, now: Millis, records: usize, bytes: usize) -> Result<Page, StoreError> {
        self.store.read(log, after, now, records, bytes)
    }
    fn newest(&self, log: &LogId, after: Cursor, count: u64, now: Millis) -> Result<Cursor, StoreError> {
        self.store.newest(log, after, count, now)
    }
    fn ids(&self, log: &LogId, now: Millis) -> Result<Vec<LiveId>, StoreError> {
        self.asked.send(()).unwrap();
        self.answer.lock().unwrap().recv_timeout(Duration::from_secs(20)).unwrap()?;
        self.store.ids(log, now)
    }
}

struct Visitor {
    session: Session<SharedQueue>,
    queue: SharedQueue,
    attach: Vec<u8>,
}

fn visitor(n: u64, room: &Room, rules: &Rules, shards: &Locked, reader: &Slow) -> Visitor {
    let queue = SharedQueue::new(&rules.config);
    let mut session = Session::new(SessionId(n), queue.clone(), START, &mut ChaCha20Rng::seed_from_u64(n));
    let hello = ClientFrame::Hello(Hello { versions: vec![1], challenge: Nonce([0; 32]) }).encode();
    let _ = session.receive(START, &hello, rules, shards, reader, &NoBlobs);
    let welcome = queue.lock().pop().unwrap();
    let RelayFrame::Welcome(welcome) = RelayFrame::decode(&welcome).unwrap() else { panic!("no welcome") };
    let log = room.log();
    let signature = room.sign(&proof::attach(&rules.identity.public(), &welcome.nonce, &log, 0));
    let attach = Attach { request: 1, log, epoch: 0, after: 1 << 40, signature, newest: None };
    Visitor { session, queue, attach: ClientFrame::Attach(attach).encode() }
}

fn answer(visitor: &Visitor) -> Option<Refusal> {
    let frame = visitor.queue.lock().pop().unwrap();
    match RelayFrame::decode(&frame).unwrap() {
        RelayFrame::Refused(refused) => Some(refused.code),
        RelayFrame::Attached(_) => None,
        other => panic!("{other:?}"),
    }
}

/// A log with more than a megabyte, as after a restart, when its people all come back at once.
#[test]
fn the_ids_of_a_large_log_are_read_by_one_session_at_a_time() {
    let room = Room::new(2);
    let mut world = World::new();
    let founder = world.founder(&room);
    for id in 0..30 {
        let body = vec![0; 40 << 10];
        world.say(founder, &ClientFrame::Append(append(&room, id, None, &body)));
    }
    let store: MemoryStore = world.hub.crash();
    let (asked, asks) = sync_channel(8);
    let (tell, told) = sync_channel(8);
    let reader = Slow { store: store.reader(), asked, answer: Arc::new(Mutex::new(told)) };
    let rules = rules(Config::default(), None);
    let mut shard = Shard::new(Arc::new(rules.config.clone()), Codes::default());
    shard.load(START, reader.logs().unwrap());
    assert!(shard.bytes() > charge(1 << 20));
    let shards = Locked(Mutex::new(shard));
    let mut visitors: Vec<Visitor> = (0..5).map(|n| visitor(n, &room, &rules, &shards, &reader)).collect();
    let receive = |v: &mut Visitor| {
        let _ = v.session.receive(START, &v.attach.clone(), &rules, &shards, &reader, &NoBlobs);
    };
    // The first one reads, and fails; then the next one may; the rest is told to come back, each time.
    for (outcome, first) in [(Err(StoreError::Full), Some(Refusal::StoreFailed)), (Ok(()), None)] {
        let (reading, others) = visitors.split_first_mut().unwrap();
        std::thread::scope(|scope| {
            let one = scope.spawn(|| receive(reading));
            asks.recv().unwrap();
            for other in others {
                receive(other);
                assert_eq!(answer(other), Some(Refusal::Busy));
            }
            tell.send(outcome).unwrap();
            one.join().unwrap();
        });
        assert_eq!(answer(&visitors[0]), first);
    }
    for other in &mut visitors[1..] {
        receive(other);
        assert_eq!(answer(other), None, "it is in memory now");
    }
    assert!(asks.try_recv().is_err());
}
