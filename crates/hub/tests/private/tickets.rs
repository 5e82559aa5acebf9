//! Tickets: what they are good for, how often, and what becomes of them.

use bytes::Bytes;
use estoile_hub::config::Config;
use estoile_hub::store::StoreError;
use estoile_wire::frame::*;
use estoile_wire::id::LogKind;
use estoile_wire::{ClientFrame, Refusal, RelayFrame};

use crate::common::*;
use crate::support::*;

const BAD: (Refusal, Option<u64>) = (Refusal::BadTicket, None);
const USED_UP: (Refusal, Option<u64>) = (Refusal::TicketUsedUp, None);

fn mailbox() -> Room {
    Room::new(4)
}

fn post(world: &mut World, client: Client, n: u8, id: u64, body: &[u8]) -> Vec<Bytes> {
    let post = Post { request: id, log: mailbox().log(), ticket: secret(n), id16: id16(id), ttl: None, body };
    world.say(client, &ClientFrame::Post(post))
}

/// A mailbox with these tickets, its owner, and a stranger.
fn open(list: &[Ticket]) -> (World, Client, Client) {
    let mut world = World::new();
    let owner = world.founder(&mailbox());
    let stranger = world.client();
    let answers = world.set_tickets(owner, &mailbox(), mailbox().log(), 0, list);
    assert_eq!(decoded(&answers), [RelayFrame::Done(Done { request: 3 })]);
    (world, owner, stranger)
}

#[test]
fn a_ticket_posts_without_an_attachment_and_a_wrong_one_does_not() {
    let (mut world, owner, stranger) = open(&[ticket(1, 5, 500)]);
    let at = kept(&post(&mut world, stranger, 1, 1, b"sealed"));
    assert_eq!(records(&decoded(&world.take(owner))), [at], "it reaches whoever is attached");
    assert_eq!(refusal(&post(&mut world, stranger, 2, 2, b"sealed")), BAD);
    let never = Post { request: 1, log: Room::new(77).log(), ticket: secret(1), id16: id16(3), ttl: None, body: b"x" };
    assert_eq!(refusal(&world.say(stranger, &ClientFrame::Post(never))), (Refusal::NoSuchLog, None));
    assert!(world.take(owner).is_empty());
}

#[test]
fn only_logs_that_are_fixed_take_posts() {
    let mut world = World::new();
    let founder = world.group_founder();
    world.set_tickets(founder, &key(0), group(), 0, &[ticket(1, 5, 500)]);
    let wrong = Post { request: 1, log: group(), ticket: secret(2), id16: id16(1), ttl: None, body: b"x" };
    assert_eq!(refusal(&world.say(founder, &ClientFrame::Post(wrong.clone()))), BAD);
    let right = Post { ticket: secret(1), ..wrong };
    assert_eq!(refusal(&world.say(founder, &ClientFrame::Post(right))), (Refusal::Unsupported, Some(1)));
}

#[test]
fn a_ticket_is_used_up_by_uses_and_by_bytes_until_the_day_is_over() {
    let (mut world, _, stranger) = open(&[ticket(1, 3, 1_000), ticket(2, 9, 100), ticket(3, 0, 100), ticket(4, 2, 0)]);
    for id in 0..3 {
        kept(&post(&mut world, stranger, 1, id, b"sealed"));
    }
    let answers = post(&mut world, stranger, 1, 3, b"sealed");
    assert_eq!((refusal(&answers), wait_of(&answers)), (USED_UP, Some(DAY - START % DAY)));
    // A repeat of what is there is no use.
    assert_eq!(kept(&post(&mut world, stranger, 1, 2, b"sealed")), 3);
    kept(&post(&mut world, stranger, 2, 10, &[1; 60]));
    assert_eq!(refusal(&post(&mut world, stranger, 2, 11, &[1; 41])), USED_UP);
    kept(&post(&mut world, stranger, 2, 12, &[1; 40]));
    assert_eq!(refusal(&post(&mut world, stranger, 2, 13, &[1])), USED_UP);
    for n in [3, 4] {
        assert_eq!(refusal(&post(&mut world, stranger, n, 14, b"x")), USED_UP, "nought is nought");
    }
    world.now += DAY - START % DAY - 1;
    assert_eq!(wait_of(&post(&mut world, stranger, 1, 20, b"sealed")), Some(1));
    world.now += 1;
    for id in 20..23 {
        kept(&post(&mut world, stranger, 1, id, b"sealed"));
    }
    assert_eq!(refusal(&post(&mut world, stranger, 1, 23, b"sealed")), USED_UP);
    kept(&post(&mut world, stranger, 2, 24, &[1; 100]));
}

#[test]
fn what_is_refused_for_another_reason_is_no_use() {
    let (mut world, _, stranger) = open(&[ticket(1, 1, 100_000)]);
    assert_eq!(refusal(&post(&mut world, stranger, 1, 1, b"")).0, Refusal::Malformed);
    let (log, ticket) = (mailbox().log(), secret(1));
    let long = Post { request: 1, log, ticket, id16: id16(2), ttl: Some(u64::MAX), body: b"x" };
    assert_eq!(refusal(&world.say(stranger, &ClientFrame::Post(long))).0, Refusal::BadTtl);
    kept(&post(&mut world, stranger, 1, 3, b"sealed"));
}

#[test]
fn a_new_list_takes_the_place_of_the_old_one_and_keeps_what_was_used_today() {
    let (mut world, owner, stranger) = open(&[ticket(1, 2, 500), ticket(2, 2, 500)]);
    let replace = |world: &mut World, list: &[Ticket]| {
        let answers = world.set_tickets(owner, &mailbox(), mailbox().log(), 0, list);
        assert!(decoded(&answers).contains(&RelayFrame::Done(Done { request: 3 })));
    };
    kept(&post(&mut world, stranger, 1, 1, b"sealed"));
    kept(&post(&mut world, stranger, 2, 2, b"sealed"));
    replace(&mut world, &[ticket(2, 2, 500), ticket(3, 1, 500)]);
    assert_eq!(refusal(&post(&mut world, stranger, 1, 3, b"sealed")), BAD, "the public one was rotated");
    kept(&post(&mut world, stranger, 2, 4, b"sealed"));
    assert_eq!(refusal(&post(&mut world, stranger, 2, 5, b"sealed")), USED_UP, "its first use still counts");
    kept(&post(&mut world, stranger, 3, 6, b"sealed"));
    // Of two with one hash the last counts.
    replace(&mut world, &[ticket(2, 9, 500), ticket(2, 3, 500)]);
    kept(&post(&mut world, stranger, 2, 7, b"sealed"));
    assert_eq!(refusal(&post(&mut world, stranger, 2, 8, b"sealed")), USED_UP);
    replace(&mut world, &[]);
    assert_eq!(refusal(&post(&mut world, stranger, 2, 9, b"sealed")), BAD);
    // One that was gone begins anew.
    replace(&mut world, &[ticket(2, 1, 500)]);
    kept(&post(&mut world, stranger, 2, 10, b"sealed"));
}

#[test]
fn a_list_that_could_not_be_kept_changes_nothing_and_one_that_was_outlives_a_restart() {
    let (mut world, owner, stranger) = open(&[ticket(1, 1, 500)]);
    world.hub.store().fail_next(StoreError::Failed("pulled".into()));
    let answers = world.set_tickets(owner, &mailbox(), mailbox().log(), 0, &[ticket(2, 1, 500)]);
    assert_eq!(refusal(&answers), (Refusal::StoreFailed, None));
    assert_eq!(refusal(&post(&mut world, stranger, 2, 1, b"sealed")), BAD);
    kept(&post(&mut world, stranger, 1, 2, b"sealed"));
    let mut world = world.crash(Config::default());
    let stranger = world.client();
    assert_eq!(refusal(&post(&mut world, stranger, 2, 3, b"sealed")), BAD);
    // Uses are counted in memory.
    kept(&post(&mut world, stranger, 1, 4, b"sealed"));
    assert_eq!(refusal(&post(&mut world, stranger, 1, 5, b"sealed")), USED_UP);
}

#[test]
fn a_post_that_could_not_be_kept_is_a_use_and_may_be_said_again() {
    let (mut world, _, stranger) = open(&[ticket(1, 2, 500)]);
    world.hub.store().fail_next(StoreError::Full);
    assert_eq!(refusal(&post(&mut world, stranger, 1, 1, b"sealed")), (Refusal::DiskFull, None));
    kept(&post(&mut world, stranger, 1, 1, b"sealed"));
    assert_eq!(refusal(&post(&mut world, stranger, 1, 2, b"sealed")), USED_UP);
}

#[test]
fn only_the_owner_replaces_tickets() {
    let (mut world, _, stranger) = open(&[ticket(1, 2, 500)]);
    let log = mailbox().log();
    assert_eq!(refusal(&world.set_tickets(stranger, &Room::new(5), log, 0, &[])), (Refusal::BadProof, None));
    assert_eq!(refusal(&world.set_tickets(stranger, &mailbox(), log, 1, &[])), (Refusal::BadProof, None));
    let shelf = Room::new(6);
    let id = world.make(stranger, &shelf, LogKind::Shelf, 0, 0);
    assert_eq!(refusal(&world.set_tickets(stranger, &mailbox(), id, 0, &[])), (Refusal::BadProof, None));
    let answers = world.set_tickets(stranger, &shelf, id, 0, &[ticket(1, 1, 1)]);
    assert_eq!(decoded(&answers), [RelayFrame::Done(Done { request: 3 })]);
}
