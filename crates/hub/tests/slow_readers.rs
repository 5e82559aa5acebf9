//! Bounded queues: who reads slowly is told so, loses nothing, and costs the relay no more than its bound.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test: what is missing must stop it")]

mod common;

use common::*;
use estoile_hub::config::{Config, Rate};
use estoile_hub::hub::SharedQueue;
use estoile_hub::queue::{Class, Queue};
use estoile_hub::session::Flow;
use estoile_wire::frame::*;
use estoile_wire::{ClientFrame, Refusal, RelayFrame};

fn small() -> Config {
    Config { queue_frames: 8, page_records: 4, ..Config::default() }
}

#[test]
fn a_slow_reader_is_told_where_it_lags_and_reads_on_from_there() {
    let mut world = World::with(small(), None);
    let room = Room::new(2);
    let (alice, bob) = (world.founder(&room), world.client());
    world.attach(bob, &room, 0, None);
    for id in 1..=20 {
        world.kept(alice, &room, id, None);
    }
    let got = world.hub.take(world.now, bob.session, usize::MAX);
    let frames = decoded(&got);
    assert_eq!(records(&frames), [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(frames.last(), Some(&RelayFrame::Lagged(Lagged { log: room.log(), cursor: 8 })));
    assert_eq!(world.hub.shard(|s| s.attachments()), 1, "it is detached");
    assert!(world.take(bob).is_empty());
    let append = ClientFrame::Append(append(&room, 99, None, b"sealed"));
    assert_eq!(refusal(&world.say(bob, &append)).0, Refusal::NotAttached);
    // Catching up never lags, however small the queue.
    assert_eq!(world.attach(bob, &room, 8, None), (9..=20).collect::<Vec<_>>());
    world.kept(alice, &room, 21, None);
    assert_eq!(records(&decoded(&world.take(bob))), [21]);
}

#[test]
fn several_records_of_one_commit_may_lag_in_the_middle() {
    let mut world = World::with(small(), None);
    let room = Room::new(2);
    let (alice, bob) = (world.founder(&room), world.client());
    world.attach(bob, &room, 0, None);
    for id in 1..=20 {
        let _ =
            world.hub.receive(world.now, alice.session, &ClientFrame::Append(append(&room, id, None, b"x")).encode());
    }
    world.hub.commit(world.now).unwrap();
    let got = world.hub.take(world.now, bob.session, usize::MAX);
    let frames = decoded(&got);
    assert_eq!(records(&frames), (1..=8).collect::<Vec<_>>());
    assert_eq!(frames.last(), Some(&RelayFrame::Lagged(Lagged { log: room.log(), cursor: 8 })));
}

#[test]
fn records_that_come_while_catching_up_leave_no_gap_and_come_once() {
    let mut world = World::with(small(), None);
    let room = Room::new(2);
    let (alice, bob) = (world.founder(&room), world.client());
    for id in 1..=30 {
        world.kept(alice, &room, id, None);
    }
    let attach = ClientFrame::Attach(world.attach_frame(bob, &room, 0, None)).encode();
    let _ = world.hub.receive(world.now, bob.session, &attach);
    let mut all = Vec::new();
    for id in 31..=60 {
        world.kept(alice, &room, id, None);
        // Bob reads one frame for each that is written.
        all.extend(world.hub.take(world.now, bob.session, 1));
    }
    let live = decoded(&all).iter().filter(|f| matches!(f, RelayFrame::Live(_))).count();
    assert_eq!(live, 0, "it still catches up");
    all.extend(world.take(bob));
    let frames = decoded(&all);
    assert_eq!(records(&frames), (1..=60).collect::<Vec<_>>());
    assert_eq!(frames.last(), Some(&RelayFrame::Live(Live { log: room.log(), cursor: 60 })));
}

#[test]
fn several_rooms_catch_up_beside_each_other() {
    let mut world = World::with(small(), None);
    let rooms = [Room::new(2), Room::new(3), Room::new(4)];
    for room in &rooms {
        let founder = world.founder(room);
        for id in 1..=20 {
            world.kept(founder, room, id, None);
        }
    }
    let bob = world.client();
    for room in &rooms {
        let attach = ClientFrame::Attach(world.attach_frame(bob, room, 0, None)).encode();
        let _ = world.hub.receive(world.now, bob.session, &attach);
    }
    let all = world.take(bob);
    for room in &rooms {
        let of_room: Vec<u64> = decoded(&all)
            .iter()
            .filter_map(
                |f| if let RelayFrame::Record(r) = f { (r.log == room.log()).then_some(r.cursor) } else { None },
            )
            .collect();
        assert_eq!(of_room, (1..=20).collect::<Vec<_>>());
    }
}

#[test]
fn signals_to_a_slow_reader_are_lost_and_it_stays() {
    let mut world = World::with(small(), None);
    let room = Room::new(2);
    let (alice, bob) = (world.founder(&room), world.client());
    world.attach(bob, &room, 0, None);
    for _ in 0..20 {
        world.say(alice, &ClientFrame::Signal(Signal { log: room.log(), body: b"typing" }));
    }
    assert_eq!(world.take(bob).len(), 8);
    world.kept(alice, &room, 1, None);
    assert_eq!(records(&decoded(&world.take(bob))), [1]);
}

#[test]
fn who_asks_and_does_not_read_is_closed() {
    let mut world = World::with(small(), None);
    let room = Room::new(2);
    let alice = world.founder(&room);
    let ping = ClientFrame::Ping(Ping { request: 1 }).encode();
    let answered = (0..100).take_while(|_| world.hub.receive(world.now, alice.session, &ping) == Flow::Continue);
    assert_eq!(answered.count(), 16);
    assert!(!world.hub.is_connected(alice.session));
    assert!(!world.hub.shard(|s| s.knows(alice.session)));
}

#[test]
fn answers_that_come_with_the_commit_close_too() {
    let config = Config { queue_frames: 8, appends: Rate::per_second(1_000_000), ..Config::default() };
    let mut world = World::with(config, None);
    let room = Room::new(2);
    let alice = world.founder(&room);
    for id in 0..100 {
        let _ =
            world.hub.receive(world.now, alice.session, &ClientFrame::Append(append(&room, id, None, b"x")).encode());
    }
    world.hub.commit(world.now).unwrap();
    assert!(!world.hub.is_connected(alice.session));
    assert!(!world.hub.shard(|s| s.knows(alice.session)));
}

#[test]
fn a_queue_is_bounded_by_bytes_and_holds_nothing_when_empty() {
    let mut queue = Queue::new(&Config { queue_bytes: 100, ..Config::default() });
    let frame = bytes::Bytes::from_static(&[0; 40]);
    assert!(queue.push(frame.clone(), Class::Delivery) && queue.push(frame.clone(), Class::Delivery));
    assert!(!queue.push(frame.clone(), Class::Delivery));
    assert!(!queue.overflowed() && !queue.has_room());
    for _ in 0..3 {
        assert!(queue.push(frame.clone(), Class::Answer));
    }
    assert_eq!((queue.len(), queue.bytes()), (5, 200));
    assert!(!queue.push(frame, Class::Answer));
    assert!(queue.overflowed());
    assert_eq!(queue.take().len(), 5);
    assert!(queue.is_empty() && queue.bytes() == 0 && queue.pop().is_none());
}

#[test]
fn when_a_session_ends_its_queue_is_nobodys() {
    let mut world = World::new();
    let room = Room::new(2);
    let (alice, bob) = (world.founder(&room), world.client());
    world.attach(bob, &room, 0, None);
    let queue: SharedQueue = world.hub.queue(bob.session).unwrap();
    assert!(queue.handles() > 2);
    // In flight, waiting for another's, catching up, creating: all of it goes.
    let frames = [
        ClientFrame::Append(append(&room, 1, None, b"own")),
        ClientFrame::Create(world.create_frame(bob, &Room::new(5), 0, 0)),
    ];
    let others = ClientFrame::Append(append(&room, 2, None, b"another's"));
    world.say_as(alice.session, &others);
    for frame in frames.iter().chain([&others]) {
        world.say_as(bob.session, frame);
    }
    world.hub.disconnect(world.now, bob.session);
    assert_eq!(queue.handles(), 1);
    assert!(!world.hub.shard(|s| s.knows(bob.session)));
    world.hub.commit(world.now).unwrap();
    assert!(queue.lock().is_empty());
    let got = world.take(alice);
    assert_eq!(records(&decoded(&got)), [1, 2], "what it had appended is kept all the same");
}
