//! Appending, reading, signals, expiry and full disks, as clients see them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test: what is missing must stop it")]

mod common;

use common::*;
use estoile_hub::config::{Config, Rate};
use estoile_hub::store::{Store, StoreError, charge};
use estoile_wire::frame::*;
use estoile_wire::{ClientFrame, Refusal, RelayFrame, limits};

#[test]
fn nothing_is_kept_or_shown_before_it_is_durable() {
    let mut world = World::new();
    let room = Room::new(2);
    let (alice, bob) = (world.founder(&room), world.client());
    world.attach(bob, &room, 0, None);
    let frame = ClientFrame::Append(append(&room, 1, Some(60), b"sealed"));
    assert!(world.say_as(alice.session, &frame).is_empty());
    assert!(world.take(bob).is_empty());
    world.now += 5;
    world.hub.commit(world.now).unwrap();
    let log = room.log();
    let record = Record {
        log,
        cursor: 1,
        time: START,
        expires: START + 60_000,
        epoch: 0,
        id16: id16(1),
        body: b"sealed",
        advance: None,
    };
    let kept = Kept { request: 1, cursor: 1, time: START };
    let (to_alice, to_bob) = (world.take(alice), world.take(bob));
    assert_eq!(decoded(&to_alice), [RelayFrame::Kept(kept), RelayFrame::Record(record.clone())]);
    assert_eq!(decoded(&to_bob), [RelayFrame::Record(record)]);
    assert_eq!(to_alice[1].as_ptr(), to_bob[0].as_ptr(), "encoded once, the same bytes for all");
}

#[test]
fn a_failed_commit_keeps_nothing_and_gives_no_cursor_twice() {
    let mut world = World::new();
    let room = Room::new(2);
    let (alice, bob) = (world.founder(&room), world.client());
    world.attach(bob, &room, 0, None);
    for (error, code) in
        [(StoreError::Full, Refusal::DiskFull), (StoreError::Failed("pulled".into()), Refusal::StoreFailed)]
    {
        world.hub.store().fail_next(error);
        assert_eq!(refusal(&world.append(alice, &room, 1, None)).0, code);
        assert!(world.take(bob).is_empty());
    }
    assert_eq!(world.kept(alice, &room, 1, None), 3, "1 and 2 are not used again");
    assert_eq!(records(&decoded(&world.take(bob))), [3]);
    assert_eq!(world.hub.shard(|s| s.staged_bytes()), 0);
}

#[test]
fn a_crash_loses_nothing_that_was_kept_and_shows_nothing_that_was_not() {
    let mut world = World::new();
    let room = Room::new(2);
    let alice = world.founder(&room);
    world.kept(alice, &room, 1, None);
    world.say_as(alice.session, &ClientFrame::Append(append(&room, 2, None, b"lost")));
    let mut world = world.crash(Config::default());
    let bob = world.client();
    assert_eq!(world.attach(bob, &room, 0, None), [1]);
    assert_eq!(world.kept(bob, &room, 1, None), 1, "known over the crash");
    assert_eq!(world.kept(bob, &room, 2, None), 2);
}

#[test]
fn a_repeat_is_answered_with_the_first_cursor() {
    let mut world = World::new();
    let (room, other) = (Room::new(2), Room::new(3));
    let (alice, bob) = (world.founder(&room), world.client());
    world.attach(bob, &room, 0, None);
    // In flight: both wait, both are answered.
    for client in [alice, bob, alice] {
        let frame = ClientFrame::Append(append(&room, 7, Some(30), b"sealed"));
        assert!(world.say_as(client.session, &frame).is_empty());
    }
    world.hub.commit(START).unwrap();
    let kept = RelayFrame::Kept(Kept { request: 7, cursor: 1, time: START });
    assert_eq!(decoded(&world.take(alice))[..2], [kept.clone(), kept.clone()]);
    assert_eq!(decoded(&world.take(bob)).first(), Some(&kept));
    // Durable: looked up before the epoch, the ttl, the body and the quota.
    world.now += 29_999;
    let odd = Append { epoch: 5, ttl: Some(0), ..append(&room, 7, None, b"another sealing") };
    assert_eq!(decoded(&world.say(bob, &ClientFrame::Append(odd))), [kept]);
    // Its life over, the id is free; and in another log it was never taken.
    world.now += 1;
    assert_eq!(world.kept(bob, &room, 7, None), 2);
    world.take(alice);
    world.create(alice, &other, 0, 0);
    world.attach(alice, &other, 0, None);
    assert_eq!(world.kept(alice, &other, 7, None), 1);
}

#[test]
fn too_many_waiting_repeats_are_told_to_come_back() {
    let mut world = World::with(Config { max_waiting_repeats: 3, ..Config::default() }, None);
    let room = Room::new(2);
    let alice = world.founder(&room);
    let frame = ClientFrame::Append(append(&room, 7, None, b"sealed"));
    for _ in 0..3 {
        assert!(world.say_as(alice.session, &frame).is_empty());
    }
    assert_eq!(refusal(&world.say_as(alice.session, &frame)).0, Refusal::Busy);
    world.hub.commit(START).unwrap();
    assert_eq!(world.take(alice).len(), 4, "three answers and one record");
}

#[test]
fn what_an_append_must_be() {
    let mut world = World::with(Config { max_ttl: 100, ..Config::default() }, None);
    let room = Room::new(2);
    let alice = world.founder(&room);
    let stranger = world.client();
    let body = vec![1; limits::MAX_BODY + 1];
    let good = append(&room, 1, None, b"sealed");
    let wrong = [
        (Append { epoch: 1, ..good.clone() }, Refusal::StaleEpoch, Some(0)),
        (Append { ttl: Some(0), ..good.clone() }, Refusal::BadTtl, Some(100)),
        (Append { ttl: Some(101), ..good.clone() }, Refusal::BadTtl, Some(100)),
        (Append { ttl: Some(u64::MAX), ..good.clone() }, Refusal::BadTtl, Some(100)),
        (Append { body: b"", ..good.clone() }, Refusal::Malformed, None),
        (Append { body: &body, ..good.clone() }, Refusal::BodyTooLarge, Some(49_152)),
        (Append { log: Room::new(3).log(), ..good.clone() }, Refusal::NotAttached, None),
    ];
    for (frame, code, limit) in wrong {
        assert_eq!(refusal(&world.say(alice, &ClientFrame::Append(frame))), (code, limit));
    }
    assert_eq!(refusal(&world.say(stranger, &ClientFrame::Append(good))).0, Refusal::NotAttached);
    for (id, body) in [(1, &body[..1]), (2, &body[..limits::MAX_BODY])] {
        let frame = ClientFrame::Append(append(&room, id, Some(100), body));
        assert!(matches!(decoded(&world.say(alice, &frame))[0], RelayFrame::Kept(_)));
    }
}

#[test]
fn appends_and_signals_have_their_rates() {
    let rate = Rate::per_second(2);
    let mut world = World::with(Config { appends: rate, signals: rate, ..Config::default() }, None);
    let room = Room::new(2);
    let alice = world.founder(&room);
    world.kept(alice, &room, 1, None);
    world.kept(alice, &room, 2, None);
    assert_eq!(refusal(&world.append(alice, &room, 3, None)).0, Refusal::RateLimited);
    let signal = ClientFrame::Signal(Signal { log: room.log(), body: b"typing" });
    assert!(world.say(alice, &signal).is_empty() && world.say(alice, &signal).is_empty());
    assert_eq!(refusal(&world.say(alice, &signal)).0, Refusal::RateLimited);
    world.now += 500;
    world.kept(alice, &room, 3, None);
}

#[test]
fn a_full_log_takes_again_when_records_expire() {
    let mut world = World::new();
    let (room, alice) = (Room::new(2), world.client());
    world.create(alice, &room, 3600, 2 * charge(8));
    world.attach(alice, &room, 0, None);
    world.kept(alice, &room, 1, Some(10));
    world.say_as(alice.session, &ClientFrame::Append(append(&room, 2, Some(100), &[0; 8])));
    // What is staged counts.
    assert_eq!(
        refusal(&world.say_as(alice.session, &ClientFrame::Append(append(&room, 3, None, &[0; 8])))).0,
        Refusal::LogFull
    );
    world.hub.commit(START).unwrap();
    world.take(alice);
    assert_eq!(refusal(&world.append(alice, &room, 3, None)), (Refusal::LogFull, Some(2 * charge(8))));
    assert_eq!(world.kept(alice, &room, 2, None), 2, "a repeat needs no room");
    world.pass(10_000, &[alice]);
    world.kept(alice, &room, 3, None);
    assert_eq!(refusal(&world.append(alice, &room, 4, None)).0, Refusal::LogFull);
}

#[test]
fn a_code_has_so_many_bytes() {
    let config = Config { bytes_per_code: 3 * charge(8), ..Config::default() };
    let mut world = World::with(config, Some(b"code"));
    let client = world.client();
    let rooms = [Room::new(2), Room::new(3)];
    for room in &rooms {
        let create = Create { entry: Some(b"code".to_vec()), ..world.create_frame(client, room, 0, 0) };
        world.say(client, &ClientFrame::Create(create));
        world.attach(client, room, 0, None);
    }
    world.kept(client, &rooms[0], 1, Some(10));
    world.kept(client, &rooms[1], 1, None);
    world.kept(client, &rooms[0], 2, None);
    assert_eq!(refusal(&world.append(client, &rooms[1], 2, None)), (Refusal::EntryUsedUp, Some(3 * charge(8))));
    world.pass(10_000, &[client]);
    world.kept(client, &rooms[1], 2, None);
}

#[test]
fn a_full_disk_refuses_appends_lets_people_read_and_heals() {
    let mut world = World::with(Config { max_disk: 2 * charge(8), ..Config::default() }, None);
    let room = Room::new(2);
    let alice = world.founder(&room);
    world.kept(alice, &room, 1, Some(60));
    world.kept(alice, &room, 2, Some(600));
    assert_eq!(refusal(&world.append(alice, &room, 3, None)), (Refusal::DiskFull, Some(2 * charge(8))));
    let frame = ClientFrame::Create(world.create_frame(alice, &Room::new(3), 0, 0));
    assert_eq!(refusal(&world.say(alice, &frame)).0, Refusal::DiskFull);
    let bob = world.client();
    assert_eq!(world.attach(bob, &room, 0, None), [1, 2], "reading goes on");
    assert_eq!(world.kept(bob, &room, 1, None), 1, "so do answers to repeats");
    world.pass(60_000, &[alice, bob]);
    world.kept(alice, &room, 3, None);
}

#[test]
fn staging_is_bounded_in_a_shard_and_in_all() {
    staging_is_bounded(Config { staged_bytes: 10_000, ..Config::default() });
    staging_is_bounded(Config { staged_bytes_in_all: 10_000, ..Config::default() });
}

fn staging_is_bounded(config: Config) {
    let mut world = World::with(config, None);
    let room = Room::new(2);
    let alice = world.founder(&room);
    let body = [1; 4000];
    let refused = (0..100).filter(|id| {
        let frame = ClientFrame::Append(append(&room, *id, None, &body));
        !world.say_as(alice.session, &frame).is_empty()
    });
    assert_eq!(refused.count(), 98);
    world.hub.commit(START).unwrap();
    world.take(alice);
    world.kept(alice, &room, 200, None);
}

#[test]
fn records_are_gone_the_moment_their_time_is_over() {
    let mut world = World::new();
    let room = Room::new(2);
    let alice = world.founder(&room);
    world.kept(alice, &room, 1, Some(10));
    world.kept(alice, &room, 2, Some(20));
    world.now += 9_999;
    let bob = world.client();
    assert_eq!(world.attach(bob, &room, 0, None), [1, 2]);
    world.now += 1;
    assert_eq!(world.attach(bob, &room, 0, None), [2], "before anything was swept");
    assert_eq!(world.hub.store().usage().records, 2);
    world.hub.tick(world.now).unwrap();
    assert_eq!(world.hub.store().usage().records, 1);
}

#[test]
fn whoever_attaches_gets_what_was_asked_for_and_then_what_is_new() {
    // Small pages, so that catching up takes many.
    let mut world = World::with(Config { page_records: 3, ..Config::default() }, None);
    let room = Room::new(2);
    let alice = world.founder(&room);
    for id in 1..=20 {
        world.kept(alice, &room, id, None);
    }
    let bob = world.client();
    assert_eq!(world.attach(bob, &room, 0, None), (1..=20).collect::<Vec<_>>());
    assert_eq!(world.attach(bob, &room, 17, None), [18, 19, 20]);
    assert_eq!(world.attach(bob, &room, 0, Some(5)), [16, 17, 18, 19, 20]);
    assert_eq!(world.attach(bob, &room, 18, Some(5)), [19, 20]);
    assert_eq!(world.attach(bob, &room, 0, Some(0)), []);
    assert_eq!(world.attach(bob, &room, 20, None), []);
    assert_eq!(world.attach(bob, &room, 99, None), []);
    world.kept(alice, &room, 21, None);
    assert_eq!(records(&decoded(&world.take(bob))), [21]);
}

#[test]
fn signals_reach_the_others_and_nobody_later() {
    let mut world = World::new();
    let room = Room::new(2);
    let (alice, bob, carol) = (world.founder(&room), world.client(), world.client());
    world.attach(bob, &room, 0, None);
    let signal = Signal { log: room.log(), body: b"typing" };
    assert!(world.say(alice, &ClientFrame::Signal(signal.clone())).is_empty(), "not to the sender");
    let signalled = Signalled { log: room.log(), body: b"typing" };
    assert_eq!(decoded(&world.take(bob)), [RelayFrame::Signalled(signalled)]);
    assert_eq!(world.attach(carol, &room, 0, None), []);
    assert_eq!(world.hub.store().usage().records, 0);
    let wrong = [
        (Signal { body: &[0; limits::MAX_SIGNAL + 1], ..signal.clone() }, Refusal::BodyTooLarge),
        (Signal { body: b"", ..signal.clone() }, Refusal::Malformed),
        (Signal { log: Room::new(9).log(), ..signal }, Refusal::NotAttached),
    ];
    for (signal, code) in wrong {
        assert_eq!(refusal(&world.say(alice, &ClientFrame::Signal(signal))).0, code);
    }
}

#[test]
fn a_log_never_written_to_is_gone_after_a_day() {
    let mut world = World::new();
    let (empty, visited) = (Room::new(2), Room::new(3));
    let alice = world.client();
    world.create(alice, &empty, 0, 0);
    world.create(alice, &visited, 0, 0);
    world.attach(alice, &visited, 0, None);
    world.pass(DAY - 1, &[alice]);
    assert_eq!(world.hub.shard(|s| s.logs()), 2);
    world.pass(1, &[alice]);
    assert_eq!(world.hub.shard(|s| s.logs()), 1);
    let frame = ClientFrame::Attach(world.attach_frame(alice, &empty, 0, None));
    assert_eq!(refusal(&world.say(alice, &frame)).0, Refusal::NoSuchLog);
    assert_eq!(world.hub.store().usage().logs, 1);
    // The other ends a day after the last one has left.
    world.hub.disconnect(world.now, alice.session);
    world.pass(DAY - 1, &[]);
    assert_eq!(world.hub.shard(|s| s.logs()), 1);
    world.pass(1, &[]);
    assert_eq!((world.hub.shard(|s| s.logs()), world.hub.store().usage().logs), (0, 0));
}

#[test]
fn a_log_outlives_its_last_record_by_its_longest_ttl() {
    let mut world = World::new();
    let (room, alice) = (Room::new(2), world.client());
    world.create(alice, &room, 3 * 86_400, 0);
    world.attach(alice, &room, 0, None);
    world.kept(alice, &room, 1, Some(2 * 86_400));
    world.hub.disconnect(START, alice.session);
    let mut world = world.crash(Config::default());
    world.pass(5 * DAY - 1, &[]);
    assert_eq!((world.hub.shard(|s| s.logs()), world.hub.store().usage().records), (1, 0));
    world.pass(1, &[]);
    assert_eq!((world.hub.shard(|s| s.logs()), world.hub.store().usage().logs), (0, 0));
    // Its key may make it again.
    let alice = world.founder(&room);
    assert_eq!(world.kept(alice, &room, 1, None), 1);
}

#[test]
fn a_removal_that_fails_is_tried_again() {
    let mut world = World::new();
    let (room, alice) = (Room::new(2), world.client());
    world.create(alice, &room, 0, 0);
    world.now += 2 * DAY;
    world.hub.store().fail_next(StoreError::Failed("pulled".into()));
    assert!(world.hub.tick(world.now).is_err());
    assert_eq!(world.hub.shard(|s| s.logs()), 1);
    world.hub.tick(world.now).unwrap();
    assert_eq!((world.hub.shard(|s| s.logs()), world.hub.store().usage().logs), (0, 0));
}

#[test]
fn a_relay_that_was_off_gives_people_time_to_come_back() {
    let mut world = World::new();
    let room = Room::new(2);
    world.founder(&room);
    world.now += 40 * DAY;
    let mut world = world.crash(Config::default());
    world.pass(599_000, &[]);
    let bob = world.client();
    assert_eq!(world.attach(bob, &room, 0, None), []);
}
