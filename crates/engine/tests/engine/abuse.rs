//! Floods of keys, faked names, lies about the room's time, clocks that jump, vaults that were put back: what a relay and a
//! guest with the link try beside plain dropping and altering.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use estoile_engine::{Command, DeliveryState, Event, Input, NoticeKind, RoomId};
use estoile_seal::SenderKey;
use estoile_seal::quick::RoomKeys;
use estoile_seal::signal::{SignalKind, SignalMessage};
use estoile_wire::RelayFrame;
use estoile_wire::frame::Signalled;

use crate::world::World;

/// A signal by somebody who has the link, as the relay gives it to one client.
fn signal(w: &mut World, to: usize, key: &SenderKey, name: &str, sent_at: u64) {
    let input = sealed(w, to, key, name, sent_at);
    w.give(to, vec![input]);
}

fn sealed(w: &mut World, to: usize, key: &SenderKey, name: &str, sent_at: u64) -> Input {
    let keys = RoomKeys::derive(&w.secret);
    let message = SignalMessage { kind: SignalKind::Here, name: name.into(), sender: key.public(), sent_at };
    let body = message.seal(&keys, key, &mut w.rng).unwrap();
    let bytes = RelayFrame::Signalled(Signalled { log: keys.log_id(), body: &body }).encode();
    Input::Frame { relay: w.clients[to].relay, bytes }
}

fn key(n: u32) -> SenderKey {
    let mut seed = [9; 32];
    seed[..4].copy_from_slice(&n.to_be_bytes());
    SenderKey::from_seed(&seed)
}

#[test]
fn a_flood_of_keys_frees_nobodys_name() {
    let mut w = World::new(90);
    let alice = w.member("Alice", true);
    let bob = w.member("Bob", false);
    let id = w.say(alice, "it is me");
    w.settle();
    w.kill(alice);
    w.pass(300_000);
    let now = w.now;
    let flood = (0..4_200).map(|n| sealed(&mut w, bob, &key(n), &format!("guest {n}"), now)).collect();
    w.give(bob, flood);
    let now = w.now;
    signal(&mut w, bob, &key(1_000_000), "Alice", now);
    assert_eq!(w.message(bob, id).unwrap().shown, "Alice");
    let people = w.room(bob).people;
    let fake = people.iter().find(|p| p.name == "Alice" && p.key.starts_with(&hex(&key(1_000_000).public().0)));
    assert!(fake.is_some_and(|p| p.shown.starts_with("Alice·")), "the second one is marked");
    assert!(people.len() <= 4_096);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[test]
fn look_alikes_and_faked_marks_are_marked() {
    let mut w = World::new(91);
    let alice = w.member("Alice", true);
    let bob = w.member("Bob", false);
    w.say(alice, "first");
    w.settle();
    for (n, name) in ["\u{410}lice", "AIice", "Alice·1a2b"].into_iter().enumerate() {
        let now = w.now;
        signal(&mut w, bob, &key(u32::try_from(n).unwrap()), name, now);
        let shown = w.room(bob).people.into_iter().find(|p| p.name == name).unwrap().shown;
        assert!(shown.starts_with(&format!("{name}·")), "{shown}");
    }
}

#[test]
fn a_thousand_keys_have_no_thousand_bursts_of_notices() {
    let mut w = World::new(92);
    let alice = w.member("Alice", true);
    w.say(alice, "first");
    let now = w.now;
    let flood = (0..1_000).map(|n| sealed(&mut w, alice, &key(n), "Alice", now)).collect();
    w.give(alice, flood);
    w.pass(61_000);
    let told = w.notices(alice, NoticeKind::NameTaken);
    assert!((2..=20).contains(&told.len()), "{}", told.len());
    assert_eq!(told.iter().map(|n| n.count).sum::<u64>(), 1_000, "and all are counted");
}

#[test]
fn a_relay_cant_excuse_what_it_withholds_by_a_shorter_time() {
    let mut w = World::new(93);
    let alice = w.member("Alice", true);
    let bob = w.member("Bob", false);
    w.say(alice, "first");
    w.pass(1_000);
    // From now on the relay tells Bob that nothing lives here longer than a second, and withholds the next record.
    let (armed, mut dropped) = (Rc::new(Cell::new(false)), None);
    let drops = Rc::clone(&armed);
    w.filter = Some(Box::new(move |at, bytes| match RelayFrame::decode(bytes) {
        Ok(RelayFrame::Attached(mut frame)) if at == bob => {
            frame.max_ttl = 1;
            vec![RelayFrame::Attached(frame).encode()]
        }
        Ok(RelayFrame::Record(r)) if at == bob && drops.get() && *dropped.get_or_insert(r.cursor) == r.cursor => {
            Vec::new()
        }
        _ => vec![bytes.to_vec()],
    }));
    w.kill_relay();
    w.start_relay();
    w.pass(30_000);
    let told = w.notices(bob, NoticeKind::Relay);
    assert!(told.iter().any(|n| n.detail.contains("keeps messages for 1 s now")), "{told:?}");
    armed.set(true);
    w.say(alice, "dropped");
    w.say(alice, "next");
    w.pass(600_000);
    assert_eq!(w.notices(bob, NoticeKind::Withheld).len(), 1);
    // Nor after a restart.
    w.kill(bob);
    w.start(bob);
    w.pass(10_000);
    assert_eq!(w.room(bob).room.max_ttl, Some(1));
}

#[test]
fn a_vault_that_was_put_back_says_nothing_before_it_knows() {
    let mut w = World::new(94);
    let bob = w.member("Bob", true);
    let alice = w.member("Alice", false);
    w.put_back(alice);
    // The relay takes its time: each frame makes a turn of its own.
    let line = Rc::new(RefCell::new(VecDeque::new()));
    let waiting = Rc::clone(&line);
    w.filter = Some(Box::new(move |at, bytes| {
        if at != alice {
            return vec![bytes.to_vec()];
        }
        waiting.borrow_mut().push_back(bytes.to_vec());
        Vec::new()
    }));
    w.start(alice);
    // Written at once, with a counter that was used already.
    w.say(alice, "instead");
    w.settle();
    for _ in 0..20 {
        let Some(bytes) = line.borrow_mut().pop_front() else { break };
        let relay = w.clients[alice].relay;
        w.give(alice, vec![Input::Frame { relay, bytes }]);
        w.settle();
    }
    assert_eq!(w.notices(alice, NoticeKind::Copied).len(), 1);
    assert_eq!(w.texts(bob), ["before", "after"]);
    assert!(w.notices(bob, NoticeKind::TwoFaced).is_empty(), "nobody looks like a liar for a restored backup");
}

#[test]
fn a_clock_that_was_ahead_for_a_while_silences_nobody() {
    let mut w = World::new(95);
    let alice = w.member("Alice", true);
    let bob = w.member("Bob", false);
    w.pass(1_000);
    w.clients[alice].clock = 86_400_000;
    w.give(alice, vec![Input::Timer]);
    w.pass(100_000);
    w.clients[alice].clock = 0;
    w.give(alice, vec![Input::Timer]);
    w.pass(200_000);
    let here = |w: &World, at: usize, name: &str| w.room(at).people.iter().any(|p| p.name == name && p.here);
    assert!(here(&w, bob, "Alice"), "her word is believed again");
    let id = w.say(bob, "and you confirm what you see?");
    w.pass(30_000);
    assert_eq!(w.message(bob, id).unwrap().state, DeliveryState::Seen { by: 1 });
    w.kill(bob);
    w.pass(200_000);
    assert!(!here(&w, alice, "Bob"), "nor is anybody here for a day");
}

#[test]
fn a_clock_ahead_of_ours_is_told_and_one_behind_may_be_the_relays_doing() {
    let mut w = World::new(96);
    let alice = w.member("Alice", true);
    let now = w.now;
    signal(&mut w, alice, &key(1), "Bob", now);
    signal(&mut w, alice, &key(1), "Bob", now + 90_000);
    signal(&mut w, alice, &key(1), "Bob", now + 91_000);
    signal(&mut w, alice, &key(2), "Carol", now);
    signal(&mut w, alice, &key(2), "Carol", now - 90_000);
    let told = w.notices(alice, NoticeKind::Clock);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].from.as_deref(), Some("Bob"));
    assert!(told[0].detail.contains("90 s ahead"), "{}", told[0].detail);
}

#[test]
fn a_letter_taken_back_too_late_is_shown_and_not_denied() {
    let mut w = World::new(97);
    let alice = w.member("Alice", true);
    let bob = w.member("Bob", false);
    w.pass(1_000);
    // The relay keeps the letter; Alice hears of nothing.
    w.filter = Some(Box::new(move |at, bytes| match RelayFrame::decode(bytes) {
        Ok(RelayFrame::Kept(_) | RelayFrame::Record(_)) if at == alice => Vec::new(),
        _ => vec![bytes.to_vec()],
    }));
    let id = w.say(alice, "regretted");
    w.settle();
    assert_eq!(w.texts(bob), ["regretted"]);
    w.kill_relay();
    w.ask(alice, Command::Discard { room: RoomId(0), id }).unwrap();
    assert!(w.texts(alice).is_empty());
    w.filter = None;
    w.start_relay();
    w.pass(40_000);
    assert_eq!(w.texts(alice), ["regretted"], "what others have is not hidden from who wrote it");
    w.say(bob, "I saw that");
    w.pass(60_000);
    assert_eq!(w.texts(alice), ["regretted", "I saw that"]);
    let events = &w.clients[alice].events;
    assert!(!events.iter().any(|e| matches!(e, Event::Notice(n) if n.kind != NoticeKind::Relay)), "{events:?}");
}

#[test]
fn a_pin_that_comes_after_the_connection_was_asked_for_counts() {
    let mut w = World::new(98);
    w.member("Bob", true);
    w.kill_relay();
    let alice = w.client();
    let mut open = w.opening("Alice", false);
    open.relay.pin = None;
    w.open(alice, open.clone());
    w.settle();
    open.relay.pin = Some(estoile_wire::RelayKeyHash([1; 32]));
    w.open(alice, open);
    w.start_relay();
    w.pass(60_000);
    let room = w.room(alice).room;
    assert!(room.stopped.is_some_and(|why| why.contains("another relay")), "the link's relay, or none");
}
