//! Random lives of a relay: whatever clients say in whatever order, it never panics, stays within its bounds, shows each
//! kept record once and in order, and forgets those who left. A failure is a seed.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test: what is missing must stop it")]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::*;
use estoile_hub::SessionId;
use estoile_hub::config::{Config, Rate};
use estoile_hub::store::StoreError;
use estoile_wire::frame::*;
use estoile_wire::{ClientFrame, LogId, RelayFrame};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

const ROOMS: u8 = 3;

fn config() -> Config {
    Config {
        queue_frames: 24,
        page_records: 5,
        max_waiting_repeats: 3,
        max_attachments: 2,
        creations: Rate::per_second(1000),
        ..Config::default()
    }
}

/// What one client believes, from what it was sent.
struct Person {
    client: Client,
    /// Per log in which it thinks that it is attached: the last cursor that it was sent.
    at: BTreeMap<LogId, u64>,
    live: BTreeSet<LogId>,
}

struct Life {
    world: World,
    rng: ChaCha20Rng,
    rooms: Vec<Room>,
    people: Vec<Person>,
    left: Vec<SessionId>,
    /// Per log: every cursor that was acknowledged, and the letter there.
    kept: BTreeMap<(LogId, u64), u64>,
    asked: BTreeMap<u64, (LogId, u64)>,
    requests: u64,
}

impl Life {
    fn new(seed: u64) -> Self {
        let mut world = World::with(config(), None);
        let rooms: Vec<Room> = (0..ROOMS).map(|n| Room::new(n + 2)).collect();
        let founder = world.client();
        for room in &rooms {
            world.create(founder, room, 0, 0);
        }
        world.hub.disconnect(world.now, founder.session);
        let rng = ChaCha20Rng::seed_from_u64(seed);
        let (people, left, kept, asked) = (Vec::new(), Vec::new(), BTreeMap::new(), BTreeMap::new());
        Self { world, rng, rooms, people, left, kept, asked, requests: 100 }
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.rng.next_u64() % n as u64).unwrap()
    }

    fn step(&mut self) {
        match self.below(40) {
            0..=2 if self.people.len() < 6 => {
                let client = self.world.client();
                self.people.push(Person { client, at: BTreeMap::new(), live: BTreeSet::new() });
            }
            3 if !self.people.is_empty() => {
                let gone = self.below(self.people.len());
                let gone = self.people.swap_remove(gone);
                self.world.hub.disconnect(self.world.now, gone.client.session);
                self.left.push(gone.client.session);
            }
            4 => self.world.hub.store().fail_next(StoreError::Full),
            5 => {
                self.world.now += self.rng.next_u64() % 3_000;
                let _ = self.world.hub.tick(self.world.now);
            }
            6..=9 => drop(self.world.hub.commit(self.world.now)),
            10..=19 => self.read(),
            _ if !self.people.is_empty() => self.speak(),
            _ => {}
        }
    }

    fn speak(&mut self) {
        let (who, room) = (self.below(self.people.len()), self.below(self.rooms.len()));
        let what = self.below(12);
        let log = self.rooms[room].log();
        self.requests += 1;
        let client = self.people[who].client;
        let bytes = match what {
            0 => {
                let after = self.people[who].at.get(&log).copied().unwrap_or(0);
                let frame = self.world.attach_frame(client, &self.rooms[room], after, None);
                ClientFrame::Attach(Attach { request: after, ..frame }).encode()
            }
            1 => {
                // Belief ends here: what was on the way may still arrive.
                self.people[who].live.remove(&log);
                ClientFrame::Detach(Detach { log }).encode()
            }
            2 => ClientFrame::Signal(Signal { log, body: b"here" }).encode(),
            3 => (0..self.below(200)).map(|_| self.rng.next_u64().to_le_bytes()[0]).collect(),
            4 => {
                let room = Room::new(20 + u8::try_from(self.below(3)).unwrap());
                ClientFrame::Create(self.world.create_frame(client, &room, 0, 0)).encode()
            }
            _ => {
                let id = self.rng.next_u64() % 60;
                self.asked.insert(self.requests, (log, id));
                let body = id.to_be_bytes();
                let append = append(&self.rooms[room], id, None, &body);
                ClientFrame::Append(Append { request: self.requests, ..append }).encode()
            }
        };
        let flow = self.world.hub.receive(self.world.now, client.session, &bytes);
        if flow != estoile_hub::session::Flow::Continue {
            self.people.swap_remove(who);
            self.left.push(client.session);
        }
    }

    /// One of them reads a little.
    fn read(&mut self) {
        if self.people.is_empty() {
            return;
        }
        let (who, most) = (self.below(self.people.len()), 1 + self.below(30));
        let session = self.people[who].client.session;
        let frames = self.world.hub.take(self.world.now, session, most);
        for frame in decoded(&frames) {
            self.heard(who, frame);
        }
        if !self.world.hub.is_connected(session) {
            self.people.swap_remove(who);
            self.left.push(session);
        }
    }

    fn heard(&mut self, who: usize, frame: RelayFrame<'_>) {
        let person = &mut self.people[who];
        match frame {
            RelayFrame::Attached(f) => {
                // The request says from where.
                person.at.insert(f.log, f.request);
            }
            RelayFrame::Live(f) => {
                person.live.insert(f.log);
                let at = person.at.get_mut(&f.log).unwrap();
                assert!(f.cursor >= *at, "live does not go back");
                *at = f.cursor;
            }
            RelayFrame::Lagged(f) => {
                person.live.remove(&f.log);
                assert_eq!(person.at[&f.log], f.cursor, "it lags at the last one that was sent");
            }
            RelayFrame::Record(f) => {
                let at = person.at.insert(f.log, f.cursor).unwrap();
                assert!(f.cursor > at, "cursors rise");
                let missed = self.kept.range((f.log, at + 1)..(f.log, f.cursor)).next();
                assert_eq!(missed, None, "a kept record lies in the gap");
                let id = u64::from_be_bytes(f.body.try_into().unwrap());
                let known = self.kept.entry((f.log, f.cursor)).or_insert(id);
                assert_eq!(*known, id, "one cursor, one record");
            }
            RelayFrame::Kept(f) => {
                let (log, id) = self.asked[&f.request];
                let known = self.kept.entry((log, f.cursor)).or_insert(id);
                assert_eq!(*known, id, "acknowledged as what it is");
                let places = self.kept.iter().filter(|((l, _), i)| *l == log && **i == id).count();
                assert_eq!(places, 1, "one letter, one record");
            }
            _ => {}
        }
    }

    fn check(&self) {
        for session in &self.left {
            assert!(!self.world.hub.shard(|s| s.knows(*session)), "somebody who left is still known");
        }
        for person in &self.people {
            if let Some(queue) = self.world.hub.queue(person.client.session) {
                assert!(queue.lock().len() <= 48 && queue.lock().bytes() <= 2 << 20);
            }
        }
    }

    /// Everybody leaves; a late reader finds all that was kept.
    fn end(mut self) {
        while self.world.hub.commit(self.world.now).is_err() {}
        for room in 0..self.rooms.len() {
            let reader = self.world.client();
            let log = self.rooms[room].log();
            let read: BTreeSet<u64> = self.world.attach(reader, &self.rooms[room], 0, None).into_iter().collect();
            for (_, cursor) in self.kept.keys().filter(|(l, _)| *l == log) {
                assert!(read.contains(cursor), "a kept record is gone");
            }
            self.world.hub.disconnect(self.world.now, reader.session);
        }
        for person in std::mem::take(&mut self.people) {
            self.world.hub.disconnect(self.world.now, person.client.session);
        }
        assert_eq!(self.world.hub.shard(|s| (s.attachments(), s.staged_bytes())), (0, 0));
        assert_eq!(self.world.hub.sessions(), 0);
    }
}

#[test]
fn whatever_people_do_the_rules_hold() {
    for seed in 0..60 {
        let result = std::panic::catch_unwind(|| {
            let mut life = Life::new(seed);
            for step in 0..600 {
                life.step();
                if step % 20 == 0 {
                    life.check();
                }
            }
            life.check();
            life.end();
        });
        assert!(result.is_ok(), "seed {seed}");
    }
}

#[test]
fn random_and_broken_bytes_only_ever_end_the_session_that_sent_them() {
    let mut rng = ChaCha20Rng::seed_from_u64(11);
    let mut world = World::with(Config { appends: Rate::per_second(1 << 40), ..Config::default() }, None);
    let room = Room::new(2);
    let witness = world.founder(&room);
    let mut clients: Vec<Client> = Vec::new();
    for _ in 0..20_000 {
        if clients.is_empty() {
            let client = world.client();
            world.attach(client, &room, 0, Some(0));
            clients.push(client);
        }
        let client = clients[0];
        let frames = [
            ClientFrame::Append(append(&room, rng.next_u64() % 9, None, b"body")),
            ClientFrame::Attach(world.attach_frame(client, &room, 0, Some(rng.next_u64() % 4))),
            ClientFrame::Signal(Signal { log: room.log(), body: b"here" }),
            ClientFrame::Create(world.create_frame(client, &room, 0, 0)),
        ];
        let mut bytes = frames[usize::try_from(rng.next_u64() % 4).unwrap()].encode();
        for _ in 0..rng.next_u64() % 4 {
            let at = usize::try_from(rng.next_u64()).unwrap() % bytes.len();
            bytes[at] = rng.next_u64().to_le_bytes()[0];
        }
        let flow = world.hub.receive(world.now, client.session, &bytes);
        let _ = world.hub.commit(world.now);
        world.take(witness);
        world.take(client);
        world.now += 3;
        world.hub.pong(world.now, witness.session);
        if flow != estoile_hub::session::Flow::Continue {
            clients.clear();
            assert!(!world.hub.shard(|s| s.knows(client.session)));
        }
    }
    assert!(world.hub.is_connected(witness.session));
    assert!(world.hub.sessions() <= 2);
}
