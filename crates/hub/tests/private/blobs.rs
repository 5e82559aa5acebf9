//! Blobs: who may put one, how it goes on after a break, and what it counts.

use bytes::Bytes;
use estoile_hub::blobs::{PutRefused, blob_charge};
use estoile_hub::config::Config;
use estoile_wire::frame::*;
use estoile_wire::id::{BlobHash, BlobToken, LogKind};
use estoile_wire::{ClientFrame, LogId, Refusal, RelayFrame};

use crate::common::*;
use crate::support::*;

fn room() -> Room {
    Room::new(4)
}

fn ask_frame(log: LogId, bytes: &[u8], ttl: Option<u64>, n: Option<u8>) -> ClientFrame<'static> {
    let (hash, size) = (BlobHash::of(bytes), bytes.len() as u64);
    ClientFrame::BlobAsk(BlobAsk { request: 6, log, hash, size, ttl, ticket: n.map(secret) })
}

fn ask(world: &mut World, client: Client, bytes: &[u8], ttl: Option<u64>) -> Vec<Bytes> {
    world.say(client, &ask_frame(room().log(), bytes, ttl, None))
}

/// The token, and how much is there already.
fn grant(answers: &[Bytes]) -> (BlobToken, u64) {
    match decoded(answers)[..] {
        [RelayFrame::BlobGrant(BlobGrant { request: 6, token, received })] => (token, received),
        ref other => panic!("{other:?}"),
    }
}

fn held(world: &World) -> u64 {
    world.hub.shard(estoile_hub::shard::Shard::bytes)
}

fn get(world: &World, bytes: &[u8]) -> Option<Bytes> {
    world.hub.get_blob(world.now, &BlobHash::of(bytes), 0..u64::MAX)
}

/// A room with this quota whose records live an hour, and one who is in it.
fn open(quota: u64) -> (World, Client) {
    let mut world = World::new();
    let client = world.client();
    world.create(client, &room(), 3600, quota);
    world.attach(client, &room(), 0, None);
    (world, client)
}

#[test]
fn a_blob_goes_up_in_parts_and_goes_on_where_it_broke_off_in_a_log_that_is_full() {
    let blob = vec![7; 10_000];
    // It fits once, and not twice.
    let (mut world, client) = open(blob_charge(10_000));
    let (token, received) = grant(&ask(&mut world, client, &blob, None));
    assert_eq!((received, held(&world)), (0, blob_charge(10_000)));
    assert_eq!(world.hub.put_blob(&token, 0, &blob[..4_000]), Ok(4_000));
    assert_eq!(world.hub.put_blob(&token, 3_000, &blob[3_000..]), Err(PutRefused::Elsewhere(4_000)));
    assert_eq!(get(&world, &blob), None, "not whole yet");
    // The connection broke, and whoever asks again gets on.
    let (again, received) = grant(&ask(&mut world, client, &blob, None));
    assert_eq!((received, held(&world)), (4_000, blob_charge(10_000)), "it is counted once");
    assert_eq!(world.hub.put_blob(&token, 4_000, &blob[4_000..]), Err(PutRefused::Forbidden), "an older token");
    assert_eq!(world.hub.put_blob(&again, 4_000, &blob[4_000..]), Ok(10_000));
    assert_eq!(get(&world, &blob).as_deref(), Some(&blob[..]));
    // The answer to the last part was lost.
    assert_eq!(grant(&ask(&mut world, client, &blob, None)).1, 10_000);
    assert_eq!(held(&world), blob_charge(10_000));
    assert_eq!(refusal(&ask(&mut world, client, b"another", None)).0, Refusal::LogFull);
    assert_eq!(refusal(&world.append(client, &room(), 1, None)).0, Refusal::LogFull, "letters share the quota");
}

#[test]
fn a_ticket_pays_for_a_blob_once_however_often_it_is_asked_for() {
    let (mut world, client) = open(0);
    let blob = vec![7; 600];
    world.set_tickets(client, &room(), room().log(), 0, &[ticket(1, 1, 1_000)]);
    let stranger = world.client();
    let by = |n| ask_frame(room().log(), &[7; 600], None, Some(n));
    assert_eq!(refusal(&world.say(stranger, &by(2))), (Refusal::BadTicket, None));
    let (token, _) = grant(&world.say(stranger, &by(1)));
    world.hub.put_blob(&token, 0, &blob[..100]).unwrap();
    let (token, received) = grant(&world.say(stranger, &by(1)));
    assert_eq!(received, 100);
    world.hub.put_blob(&token, 100, &blob[100..]).unwrap();
    assert_eq!(grant(&world.say(stranger, &by(1))).1, 600);
    let other = ask_frame(room().log(), b"another", None, Some(1));
    assert_eq!(refusal(&world.say(stranger, &other)), (Refusal::TicketUsedUp, None));
    world.now += DAY;
    let large = ask_frame(room().log(), &[8; 1_001], None, Some(1));
    assert_eq!(refusal(&world.say(stranger, &large)), (Refusal::TicketUsedUp, None), "its bytes count too");
}

#[test]
fn what_has_another_hash_is_thrown_away_and_gives_its_room_back() {
    let (mut world, client) = open(blob_charge(3));
    let (token, _) = grant(&ask(&mut world, client, b"abc", None));
    assert_eq!(world.hub.put_blob(&token, 0, b"abcd"), Err(PutRefused::TooLong));
    assert_eq!(world.hub.put_blob(&token, 0, b"abd"), Err(PutRefused::Wrong));
    assert_eq!(world.hub.put_blob(&token, 0, b"abc"), Err(PutRefused::Forbidden));
    world.pass(1_000, &[client]);
    assert_eq!((held(&world), get(&world, b"abd"), get(&world, b"abc")), (0, None, None));
    let (token, received) = grant(&ask(&mut world, client, b"abc", None));
    assert_eq!((received, world.hub.put_blob(&token, 0, b"abc")), (0, Ok(3)));
}

#[test]
fn a_blob_lives_an_hour_longer_than_it_says_and_gives_its_room_back() {
    let (mut world, client) = open(0);
    assert_eq!(refusal(&ask(&mut world, client, b"abc", Some(3601))), (Refusal::BadTtl, Some(3600)));
    assert_eq!(refusal(&ask(&mut world, client, b"abc", Some(0))), (Refusal::BadTtl, Some(3600)));
    let (token, _) = grant(&ask(&mut world, client, b"abc", Some(60)));
    world.hub.put_blob(&token, 0, b"abc").unwrap();
    world.now += 3_660_000 - 1;
    assert!(get(&world, b"abc").is_some());
    world.now += 1;
    assert_eq!(get(&world, b"abc"), None, "in that millisecond");
    world.hub.tick(world.now).unwrap();
    assert_eq!(held(&world), 0);
    // An upload that nobody goes on with.
    let client = world.client();
    world.attach(client, &room(), 0, None);
    grant(&ask(&mut world, client, b"abc", None));
    world.pass(3_600_000, &[client]);
    assert_eq!(held(&world), 0);
}

#[test]
fn a_whole_blob_outlives_a_restart_and_counts_and_an_upload_does_neither() {
    let (mut world, client) = open(0);
    let (token, _) = grant(&ask(&mut world, client, b"whole", None));
    world.hub.put_blob(&token, 0, b"whole").unwrap();
    let (token, _) = grant(&ask(&mut world, client, b"part of it", None));
    world.hub.put_blob(&token, 0, b"part").unwrap();
    let mut world = world.crash(Config::default());
    assert_eq!(held(&world), blob_charge(5));
    assert!(get(&world, b"whole").is_some());
    assert_eq!(world.hub.put_blob(&token, 4, b" of it"), Err(PutRefused::Forbidden));
    let client = world.client();
    world.attach(client, &room(), 0, None);
    assert_eq!(grant(&ask(&mut world, client, b"part of it", None)).1, 0);
}

#[test]
fn who_is_not_in_the_log_or_asks_for_too_much_gets_no_grant() {
    let (mut world, client) = open(0);
    let stranger = world.client();
    assert_eq!(refusal(&ask(&mut world, stranger, b"abc", None)), (Refusal::NotAttached, None));
    assert_eq!(refusal(&ask(&mut world, client, b"", None)), (Refusal::Malformed, None));
    let most = Config::default().max_blob;
    let large =
        BlobAsk { request: 6, log: room().log(), hash: BlobHash([1; 32]), size: most + 1, ttl: None, ticket: None };
    assert_eq!(refusal(&world.say(client, &ClientFrame::BlobAsk(large))), (Refusal::BodyTooLarge, Some(most)));
    let shelf = world.make(client, &Room::new(6), LogKind::Shelf, 0, 0);
    assert_eq!(refusal(&world.say(client, &ask_frame(shelf, b"abc", None, None))), (Refusal::Unsupported, Some(2)));
    assert_eq!(held(&world), 0, "nothing was held for any of these");
}
