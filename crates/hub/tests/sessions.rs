//! Hello, creation, attachment, silence and the end, as a client sees them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test: what is missing must stop it")]

mod common;

use common::*;
use ed25519_dalek::{Verifier, VerifyingKey};
use estoile_hub::SessionId;
use estoile_hub::blobs::NoBlobs;
use estoile_hub::codes::Codes;
use estoile_hub::config::{Config, Rate};
use estoile_hub::hub::SharedQueue;
use estoile_hub::memory::MemoryStore;
use estoile_hub::session::{Due, Flow, Session, Shards};
use estoile_hub::shard::Shard;
use estoile_hub::store::Store;
use estoile_wire::frame::*;
use estoile_wire::id::Nonce;
use estoile_wire::{ClientFrame, LogId, PublicKey, Refusal, RelayFrame, Signature, limits, proof};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use std::sync::Arc;

#[test]
fn a_welcome_is_signed_over_the_challenge() {
    let mut world = World::new();
    let session = world.dial();
    let challenge = Nonce([9; 32]);
    let answers = world.say_as(session, &ClientFrame::Hello(Hello { versions: vec![7, 1], challenge }));
    let [RelayFrame::Welcome(w)] = &decoded(&answers)[..] else { unreachable!() };
    let signed = proof::welcome(&challenge, &w.nonce, w.time, None);
    let key = VerifyingKey::from_bytes(&w.relay_key.0).unwrap();
    key.verify(&signed, &ed25519_dalek::Signature::from_bytes(&w.signature.0)).unwrap();
    assert_eq!((w.version, w.time, w.relay_key), (1, START, world.relay_key));
    let other = world.client();
    assert_ne!(other.nonce, w.nonce, "each session has its own nonce");
}

#[test]
fn order_versions_and_bytes_are_checked_and_told() {
    let cases: [(Vec<u8>, Refusal); 5] = [
        (ClientFrame::Ping(Ping { request: 1 }).encode(), Refusal::OutOfOrder),
        (
            ClientFrame::Hello(Hello { versions: vec![2, 3], challenge: Nonce([0; 32]) }).encode(),
            Refusal::UnsupportedVersion,
        ),
        (b"GET / HTTP/1.1".to_vec(), Refusal::Malformed),
        (vec![0; limits::MAX_FRAME + 1], Refusal::FrameTooLarge),
        (vec![0x82, 0x18, 40, 0xa0], Refusal::OutOfOrder),
    ];
    for (bytes, code) in cases {
        let mut world = World::new();
        let session = world.dial();
        assert_eq!(world.hub.receive(START, session, &bytes), Flow::Close(code));
        assert!(!world.hub.is_connected(session));
        assert_eq!(closing(&world.hub.take(START, session, 9)), code);
    }
    let mut world = World::new();
    let client = world.client();
    let twice = ClientFrame::Hello(Hello { versions: vec![1], challenge: Nonce([0; 32]) });
    assert_eq!(closing(&world.say(client, &twice)), Refusal::OutOfOrder);
}

#[test]
fn an_unknown_type_is_refused_and_the_session_goes_on() {
    let mut world = World::new();
    let client = world.client();
    let _ = world.hub.receive(START, client.session, &[0x82, 0x18, 40, 0xa0]);
    assert_eq!(refusal(&world.take(client)), (Refusal::Unsupported, Some(40)));
    let answers = world.say(client, &ClientFrame::Ping(Ping { request: 5 }));
    assert_eq!(decoded(&answers), [RelayFrame::Pong(Pong { request: 5, time: START })]);
}

#[test]
fn creating_takes_the_key_of_the_log_and_is_idempotent() {
    let mut world = World::new();
    let (client, other, room) = (world.client(), world.client(), Room::new(2));
    let good = world.create_frame(client, &room, 3600, 1000);
    let created = Created { request: 1, log: room.log(), max_ttl: 3600, quota: 1000 };
    let expected = [RelayFrame::Created(created)];

    // A proof for another session, kind, limit or key is none.
    let wrong = [
        Create { max_ttl: 3601, ..good.clone() },
        Create { quota: 1001, ..good.clone() },
        Create { access_key: Room::new(3).key(), ..good.clone() },
        Create { signature: Signature([0; 64]), ..good.clone() },
        Create { access_key: PublicKey([0; 32]), ..good.clone() },
    ];
    for frame in wrong {
        assert_eq!(refusal(&world.say(client, &ClientFrame::Create(frame))).0, Refusal::BadProof);
    }
    assert_eq!(refusal(&world.say(other, &ClientFrame::Create(good.clone()))).0, Refusal::BadProof);
    let advancing = Create { kind: 1, ..good.clone() };
    assert_eq!(refusal(&world.say(client, &ClientFrame::Create(advancing))).0, Refusal::BadProof);
    let unknown = Create { kind: 9, ..good.clone() };
    assert_eq!(refusal(&world.say(client, &ClientFrame::Create(unknown))), (Refusal::Unsupported, Some(9)));

    for _ in 0..2 {
        let answers = world.say(client, &ClientFrame::Create(good.clone()));
        assert_eq!(decoded(&answers), expected);
    }
    let same = world.create_frame(other, &room, 3600, 1000);
    assert_eq!(decoded(&world.say(other, &ClientFrame::Create(same))), expected);
    let others = world.create_frame(client, &room, 3601, 1000);
    assert_eq!(refusal(&world.say(client, &ClientFrame::Create(others))).0, Refusal::Exists);
    // And after a restart.
    let mut world = world.crash(Config::default());
    let client = world.client();
    let again = world.create_frame(client, &room, 3600, 1000);
    assert_eq!(decoded(&world.say(client, &ClientFrame::Create(again))), expected);
}

#[test]
fn nothing_is_created_before_it_is_durable() {
    let mut world = World::new();
    let (client, other, room) = (world.client(), world.client(), Room::new(2));
    let frame = ClientFrame::Create(world.create_frame(client, &room, 0, 0));
    let again = ClientFrame::Create(world.create_frame(other, &room, 0, 0));
    assert!(world.say_as(client.session, &frame).is_empty());
    assert!(world.say_as(other.session, &again).is_empty(), "a repeat waits for the first");
    let attach = ClientFrame::Attach(world.attach_frame(client, &room, 0, None));
    assert_eq!(refusal(&world.say_as(client.session, &attach)).0, Refusal::NoSuchLog);
    world.hub.store().fail_next(estoile_hub::store::StoreError::Full);
    assert!(world.hub.commit(START).is_err());
    for client in [client, other] {
        assert_eq!(refusal(&world.take(client)).0, Refusal::DiskFull);
    }
    assert_eq!(world.hub.shard(|s| s.logs()), 0);
    world.create(client, &room, 0, 0);
}

#[test]
fn limits_asked_for_are_lowered_to_the_relays_own() {
    let mut world = World::with(Config { max_ttl: 60, max_log_bytes: 5000, ..Config::default() }, None);
    let client = world.client();
    for (n, asked, told) in [(2, (0, 0), (60, 5000)), (3, (61, 5001), (60, 5000)), (4, (59, 4999), (59, 4999))] {
        let room = Room::new(n);
        let frame = ClientFrame::Create(world.create_frame(client, &room, asked.0, asked.1));
        let created = Created { request: 1, log: room.log(), max_ttl: told.0, quota: told.1 };
        assert_eq!(decoded(&world.say(client, &frame)), [RelayFrame::Created(created)]);
    }
}

#[test]
fn an_entry_code_guards_creation_and_counts() {
    let config = Config { logs_per_code: 2, ..Config::default() };
    let mut world = World::with(config, Some(b"sesame"));
    let client = world.client();
    let frame = |world: &World, n: u8, code: Option<&[u8]>| {
        let create = world.create_frame(client, &Room::new(n), 0, 0);
        ClientFrame::Create(Create { entry: code.map(<[u8]>::to_vec), ..create })
    };
    let f = frame(&world, 2, None);
    assert_eq!(refusal(&world.say(client, &f)).0, Refusal::EntryNeeded);
    for wrong in [&b"sesam"[..], b"", b"sesame ", &[0; 200]] {
        let f = frame(&world, 2, Some(wrong));
        assert_eq!(refusal(&world.say(client, &f)).0, Refusal::EntryWrong);
    }
    for n in [2, 3] {
        let f = frame(&world, n, Some(b"sesame"));
        assert!(matches!(decoded(&world.say(client, &f))[..], [RelayFrame::Created(_)]));
    }
    let f = frame(&world, 4, Some(b"sesame"));
    assert_eq!(refusal(&world.say(client, &f)), (Refusal::EntryUsedUp, Some(2)));
    // Logs that end give their place back.
    world.hub.disconnect(START, client.session);
    world.pass(DAY + 700_000, &[]);
    let client = world.client();
    let create = Create { entry: Some(b"sesame".to_vec()), ..world.create_frame(client, &Room::new(4), 0, 0) };
    assert!(matches!(decoded(&world.say(client, &ClientFrame::Create(create)))[..], [RelayFrame::Created(_)]));
}

#[test]
fn creations_are_limited_for_each_connection() {
    let mut world = World::with(Config { creations: Rate::per_minute(3), ..Config::default() }, None);
    let (one, two) = (world.client(), world.client());
    for n in 2..5 {
        world.create(one, &Room::new(n), 0, 0);
    }
    let frame = ClientFrame::Create(world.create_frame(one, &Room::new(9), 0, 0));
    let answers = world.say(one, &frame);
    let [RelayFrame::Refused(refused)] = &decoded(&answers)[..] else { unreachable!() };
    assert_eq!((refused.code, refused.wait_ms), (Refusal::RateLimited, Some(20_000)));
    world.create(two, &Room::new(9), 0, 0);
    world.now += 20_000;
    world.create(one, &Room::new(10), 0, 0);
}

#[test]
fn who_comes_back_with_a_new_connection_for_each_creation_is_limited_too() {
    let in_all = Rate { per_second_milli: 1_000, burst: 3 };
    let mut world = World::with(Config { creations_in_all: in_all, ..Config::default() }, None);
    for n in 2..5 {
        let client = world.client();
        world.create(client, &Room::new(n), 0, 0);
        world.hub.disconnect(START, client.session);
    }
    let client = world.client();
    let frame = ClientFrame::Create(world.create_frame(client, &Room::new(9), 0, 0));
    let answers = world.say(client, &frame);
    let [RelayFrame::Refused(refused)] = &decoded(&answers)[..] else { unreachable!() };
    assert_eq!((refused.code, refused.wait_ms), (Refusal::RateLimited, Some(1_000)));
    world.create(client, &Room::new(2), 0, 0);
    world.now += 1_000;
    world.create(client, &Room::new(9), 0, 0);
}

#[test]
fn attaching_takes_the_key_the_epoch_and_a_log() {
    let mut world = World::new();
    let (room, other) = (Room::new(2), Room::new(3));
    let founder = world.founder(&room);
    let client = world.client();
    let good = world.attach_frame(client, &room, 0, None);
    let wrong = [
        (Attach { log: other.log(), ..good.clone() }, Refusal::NoSuchLog),
        (Attach { epoch: 1, ..good.clone() }, Refusal::StaleEpoch),
        (
            Attach { signature: world.attach_frame(founder, &room, 0, None).signature, ..good.clone() },
            Refusal::BadProof,
        ),
        (Attach { signature: other.sign(b"something"), ..good.clone() }, Refusal::BadProof),
    ];
    for (frame, code) in wrong {
        assert_eq!(refusal(&world.say(client, &ClientFrame::Attach(frame))).0, code);
    }
    assert_eq!(world.hub.shard(|s| s.attachments()), 1);
    assert_eq!(world.attach(client, &room, 0, None), []);
    assert_eq!(world.hub.shard(|s| s.attachments()), 2);
    // Attaching again replaces the attachment.
    assert_eq!(world.attach(client, &room, 0, None), []);
    assert_eq!(world.hub.shard(|s| s.attachments()), 2);
    let answers = world.say(client, &ClientFrame::Detach(Detach { log: room.log() }));
    assert!(answers.is_empty());
    assert_eq!(world.hub.shard(|s| s.attachments()), 1);
}

#[test]
fn a_session_holds_so_many_logs_and_no_more() {
    let mut world = World::with(Config { max_attachments: 2, ..Config::default() }, None);
    let rooms = [Room::new(2), Room::new(3), Room::new(4)];
    let maker = world.client();
    for room in &rooms {
        world.create(maker, room, 0, 0);
    }
    let client = world.client();
    world.attach(client, &rooms[0], 0, None);
    world.attach(client, &rooms[1], 0, None);
    let third = ClientFrame::Attach(world.attach_frame(client, &rooms[2], 0, None));
    assert_eq!(refusal(&world.say(client, &third)), (Refusal::TooManyAttachments, Some(2)));
    world.say(client, &ClientFrame::Detach(Detach { log: rooms[0].log() }));
    world.attach(client, &rooms[2], 0, None);
}

#[test]
fn silence_ends_a_session_and_life_does_not() {
    let mut world = World::new();
    let room = Room::new(2);
    let founder = world.founder(&room);
    let (silent, dialled) = (world.client(), world.dial());
    world.attach(silent, &room, 0, None);
    world.hub.pong(START, dialled);
    world.now += 19_999;
    world.hub.tick(world.now).unwrap();
    assert!(world.hub.is_connected(dialled));
    world.now += 1;
    world.hub.tick(world.now).unwrap();
    assert!(!world.hub.is_connected(dialled), "who does not say hello is no client");
    world.pass(69_999, &[founder]);
    assert!(world.hub.is_connected(silent.session));
    world.pass(1, &[founder]);
    assert!(!world.hub.is_connected(silent.session));
    assert_eq!(closing(&world.take(silent)), Refusal::Silent);
    assert_eq!(world.hub.shard(|s| s.attachments()), 1);
    assert!(world.hub.is_connected(founder.session));
}

/// Silence is counted by a clock of its own: what time it is plays no part.
#[test]
fn silence_knows_no_wall_clock() {
    let (rules, store) = (rules(Config::default(), None), MemoryStore::new());
    let queue = SharedQueue::new(&rules.config);
    let shards = One(Shard::new(Arc::new(rules.config.clone()), Codes::default()).into());
    let mut session = Session::new(SessionId(1), queue, 0, &mut ChaCha20Rng::seed_from_u64(1));
    let hello = ClientFrame::Hello(Hello { versions: vec![1], challenge: Nonce([0; 32]) }).encode();
    assert_eq!(session.receive(START, &hello, &rules, &shards, &store.reader(), &NoBlobs), Flow::Continue);
    session.heard(0);
    assert_eq!((session.due(30_000, &rules), session.due(60_000, &rules)), (Due::Ping, Due::Ping));
    let ping = ClientFrame::Ping(Ping { request: 1 }).encode();
    // A year later by the wall, a moment later in truth.
    assert_eq!(session.receive(START + 365 * DAY, &ping, &rules, &shards, &store.reader(), &NoBlobs), Flow::Continue);
    session.heard(60_001);
    assert_eq!((session.due(90_000, &rules), session.due(120_000, &rules)), (Due::Ping, Due::Ping));
    assert_eq!(session.due(150_001, &rules), Due::Close(Refusal::Silent));
}

struct One(std::cell::RefCell<Shard<SharedQueue>>);

impl Shards<SharedQueue> for One {
    fn with<T>(&self, _: &LogId, f: impl FnOnce(&mut Shard<SharedQueue>) -> T) -> T {
        f(&mut self.0.borrow_mut())
    }
}

#[test]
fn a_clock_set_back_does_not_keep_the_silent_alive() {
    let mut world = World::new();
    let client = world.client();
    world.now -= DAY;
    world.hub.tick(world.now).unwrap();
    assert!(world.hub.is_connected(client.session));
    world.now += 90_000;
    world.hub.tick(world.now).unwrap();
    assert!(!world.hub.is_connected(client.session));
}

#[test]
fn a_relay_holds_so_many_logs() {
    let mut world = World::with(Config { max_logs: 1, ..Config::default() }, None);
    let client = world.client();
    world.create(client, &Room::new(2), 0, 0);
    let frame = ClientFrame::Create(world.create_frame(client, &Room::new(3), 0, 0));
    assert_eq!(refusal(&world.say(client, &frame)), (Refusal::DiskFull, Some(1)));
    world.create(client, &Room::new(2), 0, 0);
}

#[test]
fn pings_come_every_half_minute() {
    let mut world = World::new();
    let client = world.client();
    let pinged: Vec<u64> =
        (0..=80).filter(|second| world.hub.tick(START + second * 1000).unwrap().contains(&client.session)).collect();
    assert_eq!(pinged, [30, 60]);
}

#[test]
fn a_relay_takes_so_many_sessions() {
    let mut world = World::with(Config { max_sessions: 2, ..Config::default() }, None);
    let first = world.client();
    world.client();
    let mut rng = <rand_chacha::ChaCha20Rng as rand_chacha::rand_core::SeedableRng>::seed_from_u64(1);
    assert_eq!(world.hub.connect(START, &mut rng), Err(Refusal::TooManySessions));
    world.hub.disconnect(START, first.session);
    assert!(world.hub.connect(START, &mut rng).is_ok());
}

#[test]
fn guesses_are_limited() {
    let config = Config { attaches: Rate { per_second_milli: 1000, burst: 2 }, ..Config::default() };
    let mut world = World::with(config, None);
    let client = world.client();
    let guess = Attach { log: LogId([5; 32]), ..world.attach_frame(client, &Room::new(2), 0, None) };
    for expected in [Refusal::NoSuchLog, Refusal::NoSuchLog, Refusal::RateLimited] {
        assert_eq!(refusal(&world.say(client, &ClientFrame::Attach(guess.clone()))).0, expected);
    }
}
