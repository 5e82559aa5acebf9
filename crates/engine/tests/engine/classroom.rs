//! The classroom's cases: times to live, repeats inside them, clocks that are wrong.

use estoile_engine::{Command, DeliveryState, Event, NoticeKind, RoomId};
use estoile_wire::RelayFrame;

use crate::world::World;

#[test]
fn stamped_45_s_ago_with_30_s_to_live_is_refused_and_told() {
    let mut w = World::new(20);
    let bob = w.member("Bob", true);
    let alice = w.client();
    w.clients[alice].clock = -45_000;
    let open = w.opening("Alice", false);
    w.open(alice, open);
    w.settle();
    let told = w.notices(alice, NoticeKind::Clock);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].detail, "This clock is 45 s behind the relay's.");
    w.say_for(alice, "too late", Some(Some(30)));
    w.settle();
    assert!(w.texts(bob).is_empty() && w.printed(bob).is_empty());
    let expired = w.notices(bob, NoticeKind::Expired);
    assert_eq!(expired.len(), 1);
    assert_eq!(expired[0].from.as_deref(), Some("Alice"));
    assert_eq!(
        expired[0].detail.split_once(" was refused: ").unwrap().1,
        "stamped 45 s ago with 30 s to live, it came 15 s too late."
    );
    assert!(!expired[0].advice.is_empty());
    // One with a longer life is fine, and the refused one is not missed.
    w.say_for(alice, "in time", Some(Some(60)));
    w.pass(120_000);
    assert_eq!(w.printed(bob), ["in time"]);
    assert!(w.notices(bob, NoticeKind::Withheld).is_empty());
}

#[test]
fn a_repeat_inside_its_time_is_dropped_and_told() {
    let mut w = World::new(21);
    let alice = w.member("Alice", true);
    let bob = w.member("Bob", false);
    // The relay gives every record twice, the second time at a place of its own.
    w.filter = Some(Box::new(move |at, bytes| {
        let mut out = vec![bytes.to_vec()];
        if let Ok(RelayFrame::Record(mut record)) = RelayFrame::decode(bytes)
            && at == bob
        {
            record.cursor += 1_000;
            out.push(RelayFrame::Record(record).encode());
        }
        out
    }));
    w.say_for(alice, "once", Some(Some(60)));
    w.settle();
    assert_eq!(w.printed(bob), ["once"]);
    assert_eq!(w.texts(bob), ["once"]);
    let told = w.notices(bob, NoticeKind::Replayed);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].from.as_deref(), Some("Alice"));
}

#[test]
fn a_friend_offline_for_an_hour_still_reads_what_lives_a_day() {
    let mut w = World::new(22);
    let alice = w.member("Alice", true);
    let bob = w.member("Bob", false);
    w.kill(bob);
    w.say_for(alice, "for today", Some(Some(86_400)));
    w.say_for(alice, "for a minute", Some(Some(60)));
    w.pass(3_600_000);
    w.start(bob);
    w.pass(300_000);
    assert_eq!(w.printed(bob), ["for today"]);
    for kind in [NoticeKind::Withheld, NoticeKind::Expired, NoticeKind::Invented] {
        assert!(w.notices(bob, kind).is_empty(), "{kind:?} {:?}", w.notices(bob, kind));
    }
}

#[test]
fn a_letter_ends_on_time_everywhere() {
    let mut w = World::new(23);
    let alice = w.member("Alice", true);
    let bob = w.member("Bob", false);
    let id = w.say_for(alice, "burn after reading", Some(Some(30)));
    let stays = w.say(alice, "stays");
    w.pass(29_000);
    assert_eq!(w.texts(bob), ["burn after reading", "stays"]);
    w.pass(2_000);
    for who in [alice, bob] {
        assert_eq!(w.texts(who), ["stays"]);
        let ended = |e: &&Event| matches!(e, Event::Ended { id: gone, .. } if *gone == id);
        assert_eq!(w.clients[who].events.iter().filter(ended).count(), 1);
        // And after a restart it is not there either, because the vault has let go of it.
        w.kill(who);
        w.start(who);
        w.settle();
        assert_eq!(w.texts(who), ["stays"]);
        assert!(w.message(who, stays).is_some());
    }
}

#[test]
fn what_ended_while_the_client_was_off_is_gone_when_it_starts() {
    let mut w = World::new(24);
    let alice = w.member("Alice", true);
    w.say_for(alice, "short", Some(Some(30)));
    w.settle();
    w.kill(alice);
    w.pass(60_000);
    w.start(alice);
    assert!(w.texts(alice).is_empty());
    assert_eq!(w.clients[alice].events.iter().filter(|e| matches!(e, Event::Ended { .. })).count(), 1);
}

#[test]
fn a_letter_whose_time_ends_in_the_outbox_fails() {
    let mut w = World::new(25);
    let alice = w.member("Alice", true);
    let bob = w.member("Bob", false);
    w.kill_relay();
    let id = w.say_for(alice, "hurry", Some(Some(30)));
    w.pass(31_000);
    let failed = w.clients[alice].events.iter().any(
        |e| matches!(e, Event::State { id: i, state: DeliveryState::Failed { why }, .. } if *i == id && why.contains("time was over")),
    );
    assert!(failed);
    assert_eq!(w.notices(alice, NoticeKind::NotSent).len(), 1);
    assert!(w.message(alice, id).is_none());
    // Its counter is not missed by the others.
    w.start_relay();
    w.pass(60_000);
    w.say(alice, "later");
    w.pass(300_000);
    assert_eq!(w.printed(bob), ["later"]);
    for kind in [NoticeKind::Withheld, NoticeKind::Invented, NoticeKind::Reordered, NoticeKind::Copied] {
        assert!(w.notices(bob, kind).is_empty(), "{kind:?} {:?}", w.notices(bob, kind));
        assert!(w.notices(alice, kind).is_empty(), "{kind:?} {:?}", w.notices(alice, kind));
    }
}

#[test]
fn a_letter_from_the_future_is_held_until_its_time_has_come() {
    let mut w = World::new(26);
    let bob = w.member("Bob", true);
    let alice = w.client();
    w.clients[alice].clock = 150_000;
    let open = w.opening("Alice", false);
    w.open(alice, open);
    w.settle();
    w.say(alice, "from tomorrow");
    w.settle();
    assert!(w.printed(bob).is_empty());
    assert_eq!(w.notices(bob, NoticeKind::Future).len(), 1);
    assert!(w.notices(bob, NoticeKind::Future)[0].detail.contains("2 min in the future and is held"));
    w.kill(bob);
    w.start(bob);
    assert!(w.texts(bob).is_empty());
    w.pass(150_000);
    assert_eq!(w.printed(bob), ["from tomorrow"], "shown when its time has come, across a restart");
    assert!(w.notices(bob, NoticeKind::Withheld).is_empty());
}

#[test]
fn up_to_60_s_ahead_is_taken_and_over_a_day_refused() {
    let mut w = World::new(27);
    let bob = w.member("Bob", true);
    for (ahead, name) in [(60_000, "Near"), (86_400_000 + 3_600_000, "Far")] {
        let at = w.client();
        w.clients[at].clock = ahead;
        let open = w.opening(name, false);
        w.open(at, open);
        w.settle();
        w.say(at, name);
        w.settle();
    }
    assert_eq!(w.printed(bob), ["Near"]);
    let told = w.notices(bob, NoticeKind::Future);
    assert_eq!(told.len(), 1);
    assert!(told[0].detail.contains("refused"), "{}", told[0].detail);
}

#[test]
fn a_room_has_its_own_time_to_live() {
    let mut w = World::new(28);
    let alice = w.client();
    let mut open = w.opening("Alice", true);
    open.create.as_mut().unwrap().max_ttl = 3_600;
    open.ttl = Some(86_400);
    let room = w.open(alice, open);
    w.settle();
    assert_eq!(w.room(alice).room.max_ttl, Some(3_600));
    let id = w.say(alice, "as long as the room allows");
    assert_eq!(w.message(alice, id).unwrap().ttl, Some(3_600));
    assert!(w.ask(alice, Command::SetTtl { room, ttl: Some(60) }).is_ok());
    let id = w.say(alice, "a minute");
    assert_eq!(w.message(alice, id).unwrap().ttl, Some(60));
    let id = w.say_for(alice, "as long as the relay keeps it", Some(None));
    assert_eq!(w.message(alice, id).unwrap().ttl, None);
    w.settle();
    assert_eq!(w.room(alice).messages.iter().filter(|m| m.state == DeliveryState::Kept).count(), 3);
    assert_eq!(RoomId(0), room);
}
