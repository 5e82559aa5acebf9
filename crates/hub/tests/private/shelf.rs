//! Shelves: each item once, the last resort as often as it is asked for, and never more than fits.

use bytes::Bytes;
use estoile_hub::config::Config;
use estoile_hub::store::{Store as _, StoreError};
use estoile_wire::frame::*;
use estoile_wire::id::LogKind;
use estoile_wire::limits::{MAX_ITEM, MAX_ITEMS, MAX_SLOTS};
use estoile_wire::{ClientFrame, LogId, Refusal, RelayFrame};

use crate::common::*;
use crate::support::*;

const USED_UP: (Refusal, Option<u64>) = (Refusal::TicketUsedUp, None);

fn shelf() -> Room {
    Room::new(6)
}

fn id() -> LogId {
    LogId::derive(LogKind::Shelf, &shelf().key())
}

/// A shelf whose items live an hour, with a ticket for so many takes a day, and its owner.
fn open(config: Config, per_day: u64, quota: u64) -> (World, Client) {
    let mut world = World::with(config, None);
    let owner = world.client();
    world.make(owner, &shelf(), LogKind::Shelf, 3600, quota);
    world.set_tickets(owner, &shelf(), id(), 0, &[ticket(1, per_day, 0)]);
    (world, owner)
}

fn take_frame() -> ClientFrame<'static> {
    ClientFrame::Take(Take { request: 7, shelf: id(), ticket: secret(1) })
}

fn take(world: &mut World, client: Client) -> Vec<Bytes> {
    world.say(client, &take_frame())
}

/// What was taken: of each slot its name, the item, and whether it is a last resort.
fn taken(answers: &[Bytes]) -> Vec<(u8, String, bool)> {
    let frames = decoded(answers);
    let last = frames.len() - 1;
    let one = |(at, frame): (usize, &RelayFrame<'_>)| match frame {
        RelayFrame::Taken(taken) => {
            assert_eq!((taken.request, taken.more), (7, at < last));
            (taken.slot.0[0], String::from_utf8(taken.item.to_vec()).unwrap(), taken.last_resort)
        }
        other => panic!("{other:?}"),
    };
    frames.iter().enumerate().map(one).collect()
}

fn item(slot: u8, item: &str) -> (u8, String, bool) {
    (slot, item.to_owned(), false)
}

fn resort(slot: u8, item: &str) -> (u8, String, bool) {
    (slot, item.to_owned(), true)
}

#[test]
fn each_item_is_given_once_and_the_last_resort_as_often_as_it_is_asked_for() {
    let (mut world, owner) = open(Config::default(), 100, 0);
    assert_eq!(refusal(&take(&mut world, owner)), (Refusal::ShelfEmpty, None));
    assert_eq!(counted(&world.put(owner, &shelf(), 1, false, &[b"a", b"b"], Some(b"A"))), [(1, 2, true, 0)]);
    world.put(owner, &shelf(), 2, false, &[b"c"], None);
    let stranger = world.client();
    assert_eq!(taken(&take(&mut world, stranger)), [item(1, "a"), item(2, "c")]);
    assert_eq!(taken(&take(&mut world, stranger)), [item(1, "b")]);
    for _ in 0..3 {
        assert_eq!(taken(&take(&mut world, stranger)), [resort(1, "A")]);
    }
    assert_eq!(world.left(owner, &shelf()), [(1, 0, true, 3)], "its owner sees that it ran dry");
    world.put(owner, &shelf(), 1, false, &[b"d"], Some(b"B"));
    assert_eq!(world.left(owner, &shelf()), [(1, 1, true, 0)], "a new one was taken by nobody");
    assert_eq!(taken(&take(&mut world, stranger)), [item(1, "d")]);
    assert_eq!(taken(&take(&mut world, stranger)), [resort(1, "B")]);
}

#[test]
fn an_item_is_never_given_twice_not_after_a_crash_either() {
    let (mut world, owner) = open(Config::default(), 100, 0);
    world.put(owner, &shelf(), 1, false, &[b"a", b"b", b"c"], Some(b"A"));
    let stranger = world.client();
    assert_eq!(taken(&take(&mut world, stranger)), [item(1, "a")]);
    // It is off the disk, and the answer is lost.
    let _ = world.hub.receive(START, stranger.session, &take_frame().encode());
    world.hub.commit(START).unwrap();
    let mut world = world.crash(Config::default());
    let stranger = world.client();
    // Not yet off the disk: nobody was told, and it is there again.
    let _ = world.hub.receive(START, stranger.session, &take_frame().encode());
    assert!(world.take(stranger).is_empty());
    let mut world = world.crash(Config::default());
    let stranger = world.client();
    assert_eq!(taken(&take(&mut world, stranger)), [item(1, "c")]);
    assert_eq!(taken(&take(&mut world, stranger)), [resort(1, "A")]);
    let mut world = world.crash(Config::default());
    let stranger = world.client();
    assert_eq!(taken(&take(&mut world, stranger)), [resort(1, "A")]);
    assert_eq!(world.left(stranger, &shelf()), [(1, 0, true, 1)], "counted since the relay has started");
}

#[test]
fn a_take_that_could_not_be_kept_is_none() {
    let (mut world, owner) = open(Config::default(), 2, 0);
    world.put(owner, &shelf(), 1, false, &[b"a"], Some(b"A"));
    world.put(owner, &shelf(), 2, false, &[], Some(b"B"));
    let stranger = world.client();
    for error in [StoreError::Full, StoreError::Failed("pulled".into())] {
        world.hub.store().fail_next(error);
        assert!(matches!(refusal(&take(&mut world, stranger)).0, Refusal::DiskFull | Refusal::StoreFailed));
        assert_eq!(world.left(owner, &shelf()), [(1, 1, true, 0), (2, 0, true, 0)], "nothing was taken");
    }
    // Nor was the ticket used: it is good for two.
    assert_eq!(taken(&take(&mut world, stranger)), [item(1, "a"), resort(2, "B")]);
    assert_eq!(taken(&take(&mut world, stranger)), [resort(1, "A"), resort(2, "B")]);
    assert_eq!(refusal(&take(&mut world, stranger)), USED_UP);
    assert_eq!(world.left(owner, &shelf()), [(1, 0, true, 1), (2, 0, true, 2)]);
}

#[test]
fn two_who_take_at_once_get_different_items() {
    let (mut world, owner) = open(Config::default(), 100, 0);
    world.put(owner, &shelf(), 1, false, &[b"a", b"b"], None);
    let clients: Vec<Client> = (0..3).map(|_| world.client()).collect();
    for client in &clients {
        let _ = world.hub.receive(START, client.session, &take_frame().encode());
    }
    assert_eq!(refusal(&world.take(clients[2])), (Refusal::ShelfEmpty, None));
    world.hub.commit(START).unwrap();
    assert_eq!(taken(&world.take(clients[0])), [item(1, "a")]);
    assert_eq!(taken(&world.take(clients[1])), [item(1, "b")]);
}

#[test]
fn a_put_that_could_not_be_kept_leaves_the_shelf_as_it_was() {
    let (mut world, owner) = open(Config::default(), 100, 0);
    world.put(owner, &shelf(), 1, false, &[b"a", b"b"], Some(b"A"));
    let stranger = world.client();
    world.hub.store().fail_next(StoreError::Full);
    assert_eq!(refusal(&world.put(owner, &shelf(), 1, true, &[b"c"], Some(b"C"))), (Refusal::DiskFull, None));
    assert_eq!(world.left(owner, &shelf()), [(1, 2, true, 0)]);
    assert_eq!(taken(&take(&mut world, stranger)), [item(1, "a")]);
    // And so does its quota.
    let bytes = world.hub.shard(estoile_hub::shard::Shard::bytes);
    let mut world = world.crash(Config::default());
    assert_eq!(world.hub.shard(estoile_hub::shard::Shard::bytes), bytes);
    let stranger = world.client();
    assert_eq!(taken(&take(&mut world, stranger)), [item(1, "b")]);
    assert_eq!(taken(&take(&mut world, stranger)), [resort(1, "A")]);
}

#[test]
fn clear_takes_away_what_is_not_said_again() {
    let (mut world, owner) = open(Config::default(), 100, 0);
    world.put(owner, &shelf(), 1, false, &[b"a", b"b", b"c"], Some(b"A"));
    assert_eq!(counted(&world.put(owner, &shelf(), 1, false, &[b"b", b"d", b"d"], Some(b"A"))), [(1, 4, true, 0)]);
    assert_eq!(counted(&world.put(owner, &shelf(), 1, true, &[b"b", b"e"], None)), [(1, 2, false, 0)]);
    world.put(owner, &shelf(), 2, false, &[b"x"], None);
    assert_eq!(taken(&take(&mut world, owner)), [item(1, "b"), item(2, "x")]);
    assert_eq!(counted(&world.put(owner, &shelf(), 1, true, &[], None)), []);
    assert_eq!(world.hub.shard(estoile_hub::shard::Shard::bytes), 0, "its quota is free again");
    let mut world = world.crash(Config::default());
    let owner = world.client();
    assert_eq!(world.left(owner, &shelf()), [], "for ever");
    assert_eq!(world.hub.store().usage().records, 0);
}

#[test]
fn a_shelf_has_so_many_slots_and_a_slot_so_many_items() {
    let (mut world, owner) = open(Config::default(), 100, 0);
    for slot in 0..8 {
        world.put(owner, &shelf(), slot, false, &[b"a"], None);
    }
    let full = |most: usize| (Refusal::ShelfFull, Some(most as u64));
    assert_eq!(refusal(&world.put(owner, &shelf(), 8, false, &[b"a"], None)), full(MAX_SLOTS));
    assert_eq!(refusal(&world.put(owner, &shelf(), 8, false, &[], Some(b"a"))), full(MAX_SLOTS));
    world.put(owner, &shelf(), 0, true, &[], None);
    world.put(owner, &shelf(), 8, false, &[b"a"], None);
    let names: Vec<String> = (0..MAX_ITEMS).map(|n| format!("item {n}")).collect();
    world.put(owner, &shelf(), 1, true, &[], None);
    for names in names.chunks(16) {
        let items: Vec<&[u8]> = names.iter().map(|name| name.as_bytes()).collect();
        assert_eq!(refusals(&world.put(owner, &shelf(), 1, false, &items, Some(b"A"))), []);
    }
    assert_eq!(refusal(&world.put(owner, &shelf(), 1, false, &[b"one more"], None)), full(MAX_ITEMS));
    assert_eq!(refusals(&world.put(owner, &shelf(), 1, false, &[b"item 5"], Some(b"B"))), [], "it lies there already");
    assert_eq!(refusals(&world.put(owner, &shelf(), 1, true, &[b"one more"], None)), [], "all others go");
    assert_eq!(refusal(&world.put(owner, &shelf(), 1, false, &[b""], None)), (Refusal::Malformed, None));
    let long = vec![1; MAX_ITEM + 1];
    let too_large = (Refusal::BodyTooLarge, Some(MAX_ITEM as u64));
    assert_eq!(refusal(&world.put(owner, &shelf(), 1, false, &[&long], None)), too_large);
    assert_eq!(refusal(&world.put(owner, &shelf(), 1, false, &[], Some(&long))), too_large);
    assert_eq!(refusals(&world.put(owner, &shelf(), 1, false, &[&long[1..]], None)), []);
}

#[test]
fn items_count_against_the_quota_and_give_it_back() {
    let (mut world, owner) = open(Config::default(), 100, 3 * (100 + 145));
    let [a, b, c, d] = [1, 2, 3, 4].map(|n| [n; 100]);
    assert_eq!(refusals(&world.put(owner, &shelf(), 1, false, &[&a, &b], Some(&c))), []);
    assert_eq!(refusal(&world.put(owner, &shelf(), 1, false, &[&d], None)).0, Refusal::LogFull);
    assert!(matches!(decoded(&take(&mut world, owner))[..], [RelayFrame::Taken(_)]));
    assert_eq!(refusals(&world.put(owner, &shelf(), 1, false, &[&d], None)), []);
}

#[test]
fn in_its_last_minute_an_item_is_neither_given_nor_counted() {
    let (mut world, owner) = open(Config::default(), 100, 0);
    world.put(owner, &shelf(), 1, false, &[b"a"], Some(b"A"));
    world.now += 1_800_000;
    world.put(owner, &shelf(), 1, false, &[b"b"], None);
    world.now = START + 3_600_000 - 60_001;
    assert_eq!(world.left(owner, &shelf()), [(1, 2, true, 0)]);
    world.now += 1;
    assert_eq!(world.left(owner, &shelf()), [(1, 1, false, 0)]);
    assert_eq!(taken(&take(&mut world, owner)), [item(1, "b")]);
    assert_eq!(refusal(&take(&mut world, owner)), (Refusal::ShelfEmpty, None));
}

#[test]
fn only_the_owner_puts_and_counts_and_only_a_ticket_takes() {
    let (mut world, owner) = open(Config::default(), 2, 0);
    world.put(owner, &shelf(), 1, false, &[b"a", b"b", b"c"], None);
    let stranger = world.client();
    let ClientFrame::Put(put) = world.put_frame(stranger, &Room::new(9), 1, false, &[b"x"], None) else {
        unreachable!()
    };
    let forged = ClientFrame::Put(Put { shelf: id(), ..put });
    assert_eq!(refusal(&world.say(stranger, &forged)), (Refusal::BadProof, None));
    let count = Count { request: 1, shelf: id(), signature: Room::new(9).sign(b"count") };
    assert_eq!(refusal(&world.say(stranger, &ClientFrame::Count(count))), (Refusal::BadProof, None));
    let wrong = ClientFrame::Take(Take { request: 7, shelf: id(), ticket: secret(2) });
    assert_eq!(refusal(&world.say(stranger, &wrong)), (Refusal::BadTicket, None));
    take(&mut world, stranger);
    take(&mut world, stranger);
    assert_eq!(refusal(&take(&mut world, stranger)), USED_UP);
    let room = Room::new(5);
    world.create(owner, &room, 0, 0);
    let elsewhere = ClientFrame::Take(Take { request: 7, shelf: room.log(), ticket: secret(1) });
    assert_eq!(refusal(&world.say(stranger, &elsewhere)), (Refusal::Unsupported, Some(0)));
}

#[test]
fn what_only_takes_away_waits_for_the_disk_like_everything_else() {
    let (mut world, owner) = open(Config { staged_bytes: 2_000, ..Config::default() }, 100, 0);
    world.put(owner, &shelf(), 1, false, &[b"a", b"b", b"c"], None);
    let room = Room::new(5);
    let writer = world.founder(&room);
    let body = [1; 1_850];
    let _ = world.hub.receive(START, writer.session, &ClientFrame::Append(append(&room, 1, None, &body)).encode());
    let clear = world.put_frame(owner, &shelf(), 1, true, &[], None);
    let _ = world.hub.receive(START, owner.session, &clear.encode());
    assert_eq!(refusal(&world.take(owner)), (Refusal::Busy, None), "as full as it may be");
    world.hub.commit(START).unwrap();
    assert_eq!(counted(&world.say(owner, &clear)), []);
    assert_eq!(world.hub.shard(estoile_hub::shard::Shard::staged_bytes), 0);
}

#[test]
fn who_takes_again_and_again_while_the_disk_stands_still_is_told_to_wait() {
    let (mut world, owner) = open(Config { staged_bytes: 40_000, ..Config::default() }, 1_000, 0);
    let large = [7; 12_000];
    world.put(owner, &shelf(), 1, false, &[], Some(&large));
    for _ in 0..50 {
        let _ = world.hub.receive(START, owner.session, &take_frame().encode());
    }
    let staged = world.hub.shard(estoile_hub::shard::Shard::staged_bytes);
    assert!((24_000..=40_000).contains(&staged), "{staged}");
    let answers = world.take(owner);
    assert_eq!(refusals(&answers), vec![(Refusal::Busy, None); 47]);
    world.hub.commit(START).unwrap();
    assert_eq!(world.take(owner).len(), 3);
    assert_eq!(world.left(owner, &shelf()), [(1, 0, true, 3)], "who was told to wait took nothing");
}
