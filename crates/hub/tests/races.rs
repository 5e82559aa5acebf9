//! The order of things that a driver with threads can bring about: pages are read while commits happen, commits are durable
//! before their outcome is handed back. Whatever the order, a reader sees every record once, in order, without a gap.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test: what is missing must stop it")]

mod common;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;

use common::*;
use estoile_hub::blobs::NoBlobs;
use estoile_hub::codes::Codes;
use estoile_hub::config::Config;
use estoile_hub::hub::SharedQueue;
use estoile_hub::memory::{MemoryReader, MemoryStore};
use estoile_hub::rules::Rules;
use estoile_hub::session::{ReadAnswer, ReadRequest, Session, Shards};
use estoile_hub::shard::{Batch, Shard};
use estoile_hub::store::{Reader as _, Store as _};
use estoile_hub::{SessionId, Standing};
use estoile_wire::frame::*;
use estoile_wire::id::{LogKind, Nonce};
use estoile_wire::{ClientFrame, LogId, RelayFrame, proof};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

struct One(RefCell<Shard<SharedQueue>>);

impl Shards<SharedQueue> for One {
    fn with<T>(&self, _: &LogId, f: impl FnOnce(&mut Shard<SharedQueue>) -> T) -> T {
        f(&mut self.0.borrow_mut())
    }
}

/// A driver that can stop between any two steps.
struct Driver {
    rules: Rules,
    shards: One,
    store: MemoryStore,
    reader: MemoryReader,
    writer: Session<SharedQueue>,
    follower: Session<SharedQueue>,
    to_follower: SharedQueue,
    /// Taken, and durable.
    taken: VecDeque<Batch<SharedQueue>>,
    durable: VecDeque<Batch<SharedQueue>>,
    asked: Option<ReadRequest>,
    answered: Option<ReadAnswer>,
    room: Room,
    next: u64,
}

impl Driver {
    fn new(rng: &mut ChaCha20Rng) -> Self {
        let config = Config { page_records: 3, queue_frames: 12, ..Config::default() };
        let rules = rules(config.clone(), None);
        let store = MemoryStore::new();
        let reader = store.reader();
        let shards = One(RefCell::new(Shard::new(Arc::new(config.clone()), Codes::default())));
        let queues = [SharedQueue::new(&Config::default()), SharedQueue::new(&config)];
        let session = |n: u64, rng: &mut ChaCha20Rng| {
            Session::new(SessionId(n), queues[usize::try_from(n).unwrap()].clone(), START, rng)
        };
        let (writer, follower) = (session(0, rng), session(1, rng));
        let mut driver = Self {
            rules,
            shards,
            store,
            reader,
            writer,
            follower,
            to_follower: queues[1].clone(),
            taken: VecDeque::new(),
            durable: VecDeque::new(),
            asked: None,
            answered: None,
            room: Room::new(2),
            next: 1,
        };
        driver.open(&queues);
        driver
    }

    fn say(&mut self, follower: bool, frame: &ClientFrame<'_>) {
        let session = if follower { &mut self.follower } else { &mut self.writer };
        let _ = session.receive(START, &frame.encode(), &self.rules, &self.shards, &self.reader, &NoBlobs);
    }

    /// Hellos, the log, the writer's attachment.
    fn open(&mut self, queues: &[SharedQueue; 2]) {
        let hello = ClientFrame::Hello(Hello { versions: vec![1], challenge: Nonce([0; 32]) });
        let nonces = [false, true].map(|follower| {
            self.say(follower, &hello);
            let welcome = queues[usize::from(follower)].lock().pop().unwrap();
            let RelayFrame::Welcome(welcome) = RelayFrame::decode(&welcome).unwrap() else { unreachable!() };
            welcome.nonce
        });
        let (relay, key) = (self.rules.identity.public(), self.room.key());
        let signature = self.room.sign(&proof::create(&relay, &nonces[0], LogKind::Fixed, &key, 0, 0));
        let create = Create { request: 0, kind: 0, access_key: key, max_ttl: 0, quota: 0, signature, entry: None };
        self.say(false, &ClientFrame::Create(create));
        self.take();
        self.sync();
        self.hand_back();
        self.attach(false, nonces[0], 0);
        self.follow(nonces[1]);
    }

    fn attach(&mut self, follower: bool, nonce: Nonce, after: u64) {
        let log = self.room.log();
        let signature = self.room.sign(&proof::attach(&self.rules.identity.public(), &nonce, &log, 0));
        self.say(follower, &ClientFrame::Attach(Attach { request: 0, log, epoch: 0, after, signature, newest: None }));
    }

    /// Something to catch up with first.
    fn follow(&mut self, nonce: Nonce) {
        for _ in 0..10 {
            self.append();
        }
        self.take();
        self.sync();
        self.hand_back();
        self.attach(true, nonce, 0);
    }

    fn append(&mut self) {
        let body = self.next.to_be_bytes();
        let log = self.room.log();
        let frame = Append { request: 1, log, id16: id16(self.next), epoch: 0, ttl: None, body: &body, advance: None };
        self.next += 1;
        self.say(false, &ClientFrame::Append(frame));
    }

    fn take(&mut self) {
        let batch = self.shards.0.borrow_mut().take_staged();
        self.taken.push_back(batch);
    }

    fn sync(&mut self) {
        if let Some(batch) = self.taken.pop_front() {
            self.store.commit(&batch.writes).unwrap();
            self.durable.push_back(batch);
        }
    }

    fn hand_back(&mut self) {
        if let Some(batch) = self.durable.pop_front() {
            self.shards.0.borrow_mut().committed(batch, Ok(()));
        }
    }

    fn step(&mut self, dice: u64) {
        match dice {
            0 => self.append(),
            1 => self.take(),
            2 => self.sync(),
            3 => self.hand_back(),
            4 | 5 if self.asked.is_none() && self.answered.is_none() && self.to_follower.lock().has_room() => {
                self.asked = self.follower.next_read(&self.rules, &self.shards);
            }
            6 => self.answered = self.asked.take().map(|r| r.run(&self.reader, START)).or(self.answered.take()),
            7 | 8 => {
                if let Some(answer) = self.answered.take() {
                    self.follower.page(START, answer, &self.shards);
                }
            }
            _ => {}
        }
    }
}

#[test]
fn a_follower_misses_nothing_in_any_order_of_steps() {
    let (mut went_live, mut lagged) = (0, 0);
    for seed in 0..400 {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let mut driver = Driver::new(&mut rng);
        let (mut seen, mut alive) = (0, true);
        for _ in 0..400 {
            let dice = rng.next_u64() % 9;
            driver.step(dice);
            if rng.next_u64() % 3 > 0 || !alive {
                continue;
            }
            while let Some(frame) = driver.to_follower.lock().pop() {
                match RelayFrame::decode(&frame).unwrap() {
                    RelayFrame::Record(record) => {
                        assert_eq!(record.cursor, seen + 1, "seed {seed}");
                        seen = record.cursor;
                    }
                    RelayFrame::Live(live) => {
                        assert_eq!(live.cursor, seen, "seed {seed}");
                        went_live += 1;
                    }
                    RelayFrame::Lagged(f) => {
                        assert_eq!(f.cursor, seen, "seed {seed}");
                        (alive, lagged) = (false, lagged + 1);
                    }
                    _ => {}
                }
            }
        }
        let standing = driver.shards.0.borrow().standing(SessionId(1), &driver.room.log());
        assert_eq!(standing.is_some(), alive || standing == Some(Standing::Live), "seed {seed}");
    }
    assert!(went_live > 100 && lagged > 0, "the orders that matter happened: {went_live}, {lagged}");
}

#[test]
fn the_ids_of_a_log_that_was_let_go_are_read_again() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let driver = Driver::new(&mut rng);
    let log = driver.room.log();
    for session in [0, 1] {
        driver.shards.0.borrow_mut().detach(START, SessionId(session), &log);
    }
    assert_eq!(driver.shards.0.borrow().door(&log).unwrap().cold, None);
    driver.shards.0.borrow_mut().sweep(START + 59_999);
    assert_eq!(driver.shards.0.borrow().door(&log).unwrap().cold, None);
    driver.shards.0.borrow_mut().sweep(START + 60_000);
    assert_eq!(driver.shards.0.borrow().door(&log).unwrap().cold, Some(10));
    assert_eq!(driver.reader.ids(&log, START).unwrap().len(), 10);
}

#[test]
fn expiry_may_be_heard_of_before_the_commit() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let mut driver = Driver::new(&mut rng);
    let ttl = driver.rules.config.max_ttl * 1000;
    // Again and again: a drift of one record each time would fill the log's share of its code.
    for round in 1..=100 {
        driver.append();
        driver.take();
        driver.sync();
        let expired = driver.store.expire(START + ttl, 1000).unwrap();
        driver.shards.0.borrow_mut().expired(&expired);
        driver.hand_back();
        assert_eq!(driver.shards.0.borrow().bytes(), 0, "round {round}");
    }
}
