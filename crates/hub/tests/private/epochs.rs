//! Epochs that end: who walks over them, who races, who comes late, and who stays behind.

use estoile_hub::config::Config;
use estoile_hub::store::StoreError;
use estoile_wire::frame::*;
use estoile_wire::{ClientFrame, Refusal, RelayFrame};

use crate::common::*;
use crate::support::*;

const STALE: Refusal = Refusal::StaleEpoch;

/// Ends an epoch, and goes into the next one.
fn advance(world: &mut World, client: Client, id: u64, epoch: u64) -> u64 {
    let answers = world.say(client, &ends(id, epoch));
    let cursor = kept(&answers);
    let answers = world.enter(client, epoch + 1, cursor);
    assert!(matches!(decoded(&answers)[..], [RelayFrame::Attached(_), RelayFrame::Live(_)]));
    cursor
}

#[test]
fn who_was_away_for_two_hundred_commits_walks_epoch_by_epoch() {
    let mut world = World::new();
    let founder = world.group_founder();
    for epoch in 0..200 {
        kept(&world.say(founder, &letter(2 * epoch, epoch, None)));
        advance(&mut world, founder, 2 * epoch + 1, epoch);
    }
    let walker = world.client();
    let (mut after, mut seen) = (0, Vec::new());
    for epoch in 0..200 {
        let answers = world.enter(walker, epoch, after);
        match &decoded(&answers)[..] {
            [RelayFrame::Attached(attached), RelayFrame::Record(letter), RelayFrame::Record(end)] => {
                assert_eq!((attached.epoch, attached.last), (200, 400), "the log's own, whatever was named");
                assert_eq!((letter.epoch, letter.advance), (epoch, None));
                assert_eq!((end.epoch, end.advance), (epoch, Some(key(epoch + 1).key())));
                seen.extend([letter.id16, end.id16]);
                after = end.cursor;
            }
            other => panic!("epoch {epoch}: {other:?}"),
        }
        assert_eq!(refusal(&world.say(walker, &letter(9_999, epoch, None))), (Refusal::NotAttached, None));
    }
    assert_eq!(seen, (0..400).map(id16).collect::<Vec<_>>());
    let answers = world.enter(walker, 200, after);
    assert!(matches!(decoded(&answers)[..], [RelayFrame::Attached(_), RelayFrame::Live(_)]));
    assert_eq!(kept(&world.say(walker, &letter(400, 200, None))), 401);
    // Whoever has a later key and asks for all gets what lies before as well.
    let late = world.client();
    assert_eq!(records(&decoded(&world.enter(late, 200, 0))), (1..=401).collect::<Vec<_>>());
}

#[test]
fn of_two_commits_in_one_batch_one_wins_and_the_other_is_told_the_epoch() {
    let mut world = World::new();
    let (one, two) = (world.group_founder(), world.member(0));
    let _ = world.hub.receive(START, one.session, &ends(1, 0).encode());
    let _ = world.hub.receive(START, two.session, &letter(2, 0, Some(Room::new(9).key())).encode());
    // And a letter that came between them and the disk.
    let _ = world.hub.receive(START, two.session, &letter(3, 0, None).encode());
    assert!(world.take(one).is_empty() && world.take(two).is_empty(), "nothing is said before it is durable");
    world.hub.commit(START).unwrap();
    let (won, lost) = (world.take(one), world.take(two));
    assert_eq!((kept(&won), records(&decoded(&won))), (1, vec![1]));
    assert_eq!(refusals(&won), []);
    assert_eq!(refusals(&lost), [(STALE, Some(1)), (STALE, Some(1))]);
    let winner = decoded(&lost).into_iter().find_map(|f| if let RelayFrame::Record(r) = f { r.advance } else { None });
    assert_eq!(winner, Some(key(1).key()), "the loser reads whose commit won");
    assert_eq!(records(&decoded(&lost)), [1]);
    // Both go on with the winner's key; the loser's opens nothing.
    let answers = world.enter(two, 1, 1);
    assert!(matches!(decoded(&answers)[..], [RelayFrame::Attached(_), RelayFrame::Live(_)]));
    assert_eq!(refusal(&world.enter_with(one, &Room::new(9), 1, 1)), (Refusal::BadProof, None));
    assert_eq!(kept(&world.say(two, &ends(2, 1))), 2, "its id is free: nothing of it was kept");
}

#[test]
fn a_commit_that_could_not_be_kept_ends_nothing() {
    let mut world = World::new();
    let (one, two) = (world.group_founder(), world.member(0));
    world.hub.store().fail_next(StoreError::Failed("pulled".into()));
    let _ = world.hub.receive(START, one.session, &ends(1, 0).encode());
    let _ = world.hub.receive(START, two.session, &ends(2, 0).encode());
    world.hub.commit(START).unwrap_err();
    for client in [one, two] {
        assert_eq!(refusal(&world.take(client)), (Refusal::StoreFailed, None), "also whoever waited for it");
    }
    let answers = world.say(two, &ends(2, 0));
    assert!(kept(&answers) > 0);
    assert_eq!(refusals(&world.say(one, &ends(1, 0))), [(Refusal::NotAttached, None)], "its epoch is over");
}

#[test]
fn a_lost_acknowledgement_is_given_again_after_the_epoch_moved() {
    let mut world = World::new();
    let (one, two) = (world.group_founder(), world.member(0));
    let letter_at = kept(&world.say(one, &letter(5, 0, None)));
    let _ = world.hub.receive(START, one.session, &ends(6, 0).encode());
    world.hub.commit(START).unwrap();
    // The answer is lost with the connection.
    world.hub.disconnect(START, one.session);
    world.take(two);
    world.enter(two, 1, 2);
    advance(&mut world, two, 7, 1);
    let again = world.client();
    let answers = world.enter(again, 2, 0);
    assert_eq!(records(&decoded(&answers)), [1, 2, 3]);
    assert_eq!(kept(&world.say(again, &ends(6, 0))), 2, "the first cursor, no second record");
    assert_eq!(kept(&world.say(again, &letter(5, 0, None))), letter_at);
    assert_eq!(refusal(&world.say(again, &letter(8, 0, None))), (STALE, Some(2)), "what is new is late");
    assert_eq!(kept(&world.say(again, &letter(8, 2, None))), 4);
    // The same across a restart.
    let mut world = world.crash(Config::default());
    let again = world.client();
    world.enter(again, 2, 4);
    assert_eq!(kept(&world.say(again, &ends(6, 0))), 2);
}

#[test]
fn who_still_walks_in_an_old_epoch_is_told_of_nothing_behind_its_end() {
    let config = Config { queue_frames: 6, page_records: 2, ..Config::default() };
    let mut world = World::with(config, None);
    let founder = world.group_founder();
    for id in 0..30 {
        kept(&world.say(founder, &letter(id, 0, None)));
    }
    advance(&mut world, founder, 30, 0);
    let behind = kept(&world.say(founder, &letter(99, 1, None)));
    assert_eq!(behind, 32);
    let slow = world.client();
    let signature = key(0).sign(&estoile_wire::proof::attach(&world.relay_key, &slow.nonce, &group(), 0));
    let attach = Attach { request: 1, log: group(), epoch: 0, after: 0, signature, newest: None };
    // It reads nothing yet, so that it stays where it is.
    let _ = world.hub.receive(START, slow.session, &ClientFrame::Attach(attach).encode());
    for frame in [letter(99, 0, None), letter(99, 1, None), letter(3, 0, None), letter(100, 1, None)] {
        let _ = world.hub.receive(START, slow.session, &frame.encode());
    }
    let answers = world.take(slow);
    assert_eq!(records(&decoded(&answers)), (1..=31).collect::<Vec<_>>());
    assert_eq!(refusals(&answers), [(STALE, Some(1)); 3]);
    assert_eq!(kept(&answers), 4, "a letter of its own epoch is known");
    assert!(!decoded(&answers).iter().any(|f| matches!(f, RelayFrame::Live(_))));
}

#[test]
fn who_was_removed_gets_nothing_after_the_commit_that_ends_it() {
    let mut world = World::new();
    let (founder, removed) = (world.group_founder(), world.member(0));
    kept(&world.say(founder, &letter(1, 0, None)));
    assert_eq!(records(&decoded(&world.take(removed))), [1]);
    let end = advance(&mut world, founder, 2, 0);
    assert_eq!(records(&decoded(&world.take(removed))), [end], "its removal is the last that it gets");
    kept(&world.say(founder, &letter(3, 1, None)));
    world.say(founder, &ClientFrame::Signal(Signal { log: group(), body: b"typing" }));
    advance(&mut world, founder, 4, 1);
    assert!(world.take(removed).is_empty(), "no record, no signal, no sign");
    // By all doors.
    assert_eq!(refusal(&world.say(removed, &letter(5, 0, None))), (Refusal::NotAttached, None));
    let signal = ClientFrame::Signal(Signal { log: group(), body: b"typing" });
    assert_eq!(refusal(&world.say(removed, &signal)), (Refusal::NotAttached, None));
    for epoch in [1, 2] {
        let expected = if epoch == 2 { (Refusal::BadProof, None) } else { (STALE, Some(2)) };
        let after = if epoch == 2 { 0 } else { 4 };
        assert_eq!(refusal(&world.enter_with(removed, &key(0), epoch, after)), expected);
        assert_eq!(refusal(&world.enter_with(removed, &key(0), 1, 0)), (Refusal::BadProof, None));
    }
    assert_eq!(refusal(&world.enter(removed, 0, end)), (STALE, Some(2)));
    let fresh = world.client();
    let answers = world.enter(fresh, 0, 0);
    assert_eq!(records(&decoded(&answers)), [1, 2], "the history that it had, and its removal");
    assert!(!decoded(&answers).iter().any(|f| matches!(f, RelayFrame::Live(_))));
    kept(&world.say(founder, &letter(6, 2, None)));
    assert!(world.take(fresh).is_empty());
    let hash = estoile_wire::id::BlobHash([1; 32]);
    let ask = BlobAsk { request: 1, log: group(), hash, size: 10, ttl: None, ticket: None };
    assert_eq!(refusal(&world.say(fresh, &ClientFrame::BlobAsk(ask))), (Refusal::NotAttached, None));
}

#[test]
fn an_epoch_that_has_not_begun_is_stale_with_the_current_one() {
    let mut world = World::new();
    let founder = world.group_founder();
    let other = world.client();
    for epoch in [1, 2, u64::MAX] {
        assert_eq!(refusal(&world.enter_with(other, &key(0), epoch, 0)), (STALE, Some(0)));
        assert_eq!(refusal(&world.say(founder, &letter(1, epoch, None))), (STALE, Some(0)));
    }
    advance(&mut world, founder, 2, 0);
    assert_eq!(refusal(&world.enter(other, 2, 0)), (STALE, Some(1)), "also with the key that it will have");
    assert_eq!(refusal(&world.say(founder, &ends(3, 2))), (STALE, Some(1)));
    assert_eq!(kept(&world.say(founder, &letter(1, 1, None))), 2, "nothing of it was kept");
}

#[test]
fn past_keys_are_known_as_long_as_their_commits_live_also_across_restarts() {
    let mut world = World::new();
    let founder = world.group_founder();
    // A record that ends an epoch lives for as long as anything may, whatever it says.
    let short = Append { request: 1, log: group(), id16: id16(1), epoch: 0, ttl: Some(1), body: b"c", advance: None };
    let short = ClientFrame::Append(Append { advance: Some(key(1).key()), ..short });
    assert_eq!(kept(&world.say(founder, &short)), 1);
    world.pass(1_800_000, &[founder]);
    world.enter(founder, 1, 1);
    assert_eq!(kept(&world.say(founder, &ends(2, 1))), 2);
    for _ in 0..2 {
        world = world.crash(Config::default());
        let client = world.client();
        assert_eq!(records(&decoded(&world.enter(client, 0, 0))), [1]);
        assert_eq!(records(&decoded(&world.enter(client, 1, 0))), [1, 2]);
        assert_eq!(refusal(&world.enter_with(client, &key(2), 0, 0)), (Refusal::BadProof, None));
    }
    let alive = world.client();
    world.pass(1_799_000, &[alive]);
    assert_eq!(records(&decoded(&world.enter(alive, 0, 0))), [1], "a second before its time is over");
    world.pass(1_000, &[alive]);
    world = world.crash(Config::default());
    let client = world.client();
    assert_eq!(refusal(&world.enter(client, 0, 0)), (STALE, Some(2)));
    assert_eq!(records(&decoded(&world.enter(client, 1, 0))), [2]);
    world.pass(1_800_000, &[client]);
    assert_eq!(refusal(&world.enter(client, 1, 0)), (STALE, Some(2)));
    let answers = world.enter(client, 2, 0);
    assert!(matches!(decoded(&answers)[..], [RelayFrame::Attached(_), RelayFrame::Live(_)]));
}

#[test]
fn tickets_that_were_signed_while_the_epoch_ended_are_stale_and_forged_ones_are_not() {
    let mut world = World::new();
    let founder = world.group_founder();
    let list = [ticket(1, 5, 500)];
    advance(&mut world, founder, 1, 0);
    assert_eq!(refusal(&world.set_tickets(founder, &key(0), group(), 0, &list)), (STALE, Some(1)));
    for (key, epoch) in [(key(0), 1), (key(1), 0), (Room::new(9), 0), (Room::new(9), 1)] {
        assert_eq!(refusal(&world.set_tickets(founder, &key, group(), epoch, &list)), (Refusal::BadProof, None));
    }
    let answers = world.set_tickets(founder, &key(1), group(), 1, &list);
    assert_eq!(decoded(&answers), [RelayFrame::Done(Done { request: 3 })]);
}

#[test]
fn an_epoch_does_not_end_too_often() {
    let advances = estoile_hub::config::Rate { per_second_milli: 1_000, burst: 3 };
    let mut world = World::with(Config { advances, ..Config::default() }, None);
    let founder = world.group_founder();
    for epoch in 0..3 {
        advance(&mut world, founder, epoch, epoch);
    }
    let answers = world.say(founder, &ends(3, 3));
    assert_eq!((refusal(&answers).0, wait_of(&answers)), (Refusal::RateLimited, Some(1_000)));
    assert_eq!(kept(&world.say(founder, &letter(3, 3, None))), 4, "letters go on");
    world.now += 1_000;
    advance(&mut world, founder, 4, 3);
}
