//! A relay that withholds, alters, reorders or lies, and members who do: told or impossible, never silent, never a crash.

use std::cell::RefCell;
use std::rc::Rc;

use estoile_engine::{ConnectionView, DeliveryState, Event, NoticeKind};
use estoile_seal::SenderKey;
use estoile_seal::letter::{self, Letter, Reference};
use estoile_seal::mimi;
use estoile_seal::quick::RoomKeys;
use estoile_wire::RelayFrame;
use rand_core::Rng;

use crate::world::World;

type Switch = Rc<RefCell<bool>>;

/// Withholds the records of which `which` says so, from one client, while the switch is on.
fn withhold(w: &mut World, from: usize, on: &Switch, mut which: impl FnMut(u64) -> bool + 'static) {
    let on = Rc::clone(on);
    w.filter = Some(Box::new(move |at, bytes| match RelayFrame::decode(bytes) {
        Ok(RelayFrame::Record(r)) if at == from && *on.borrow() && which(r.cursor) => Vec::new(),
        _ => vec![bytes.to_vec()],
    }));
}

#[test]
fn a_dropped_letter_is_read_again_when_the_next_names_it() {
    let mut w = World::new(70);
    let alice = w.member("Alice", true);
    let bob = w.member("Bob", false);
    w.say(alice, "first");
    w.pass(100);
    let on: Switch = Rc::new(RefCell::new(true));
    withhold(&mut w, bob, &on, |_| true);
    w.say(alice, "dropped");
    w.settle();
    *on.borrow_mut() = false;
    w.say(alice, "next");
    w.settle();
    assert_eq!(w.printed(bob), ["first"], "held back for a moment, so that it comes in order");
    w.pass(3_100);
    assert_eq!(w.printed(bob), ["first", "dropped", "next"]);
    w.pass(300_000);
    assert!(w.notices(bob, NoticeKind::Withheld).is_empty());
    assert!(w.notices(bob, NoticeKind::Replayed).is_empty());
}

#[test]
fn a_letter_withheld_for_good_is_told_with_its_sender() {
    let mut w = World::new(71);
    let alice = w.member("Alice", true);
    let bob = w.member("Bob", false);
    w.say(alice, "first");
    w.pass(100);
    let dropped = w.say(alice, "dropped");
    let on: Switch = Rc::new(RefCell::new(true));
    withhold(&mut w, bob, &on, |cursor| cursor == 2);
    w.settle();
    w.say(alice, "next");
    w.pass(6_000);
    assert_eq!(w.printed(bob), ["first", "next"]);
    w.pass(600_000);
    let told = w.notices(bob, NoticeKind::Withheld);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((told[0].from.as_deref(), told[0].count), (Some("Alice"), 1));
    assert!(w.notices(bob, NoticeKind::Invented).is_empty());
    // It comes after all: shown at its place, and told.
    *on.borrow_mut() = false;
    w.kill_relay();
    w.start_relay();
    w.pass(60_000);
    let _ = dropped;
    let texts = w.texts(bob);
    assert!(texts == ["first", "next"] || texts == ["first", "dropped", "next"], "{texts:?}");
}

#[test]
fn a_cut_tail_shows_at_its_sender() {
    let mut w = World::new(72);
    let alice = w.member("Alice", true);
    let bob = w.member("Bob", false);
    w.pass(1_000);
    let on: Switch = Rc::new(RefCell::new(true));
    withhold(&mut w, bob, &on, |_| true);
    let id = w.say(alice, "does anybody hear me?");
    w.pass(700_000);
    assert_eq!(w.message(alice, id).unwrap().state, DeliveryState::Kept, "never seen");
    let told = w.notices(alice, NoticeKind::Unseen);
    assert_eq!(told.len(), 1, "Bob is here, and confirms nothing");
}

#[test]
fn silence_is_confirmed_by_beats() {
    let mut w = World::new(73);
    let alice = w.member("Alice", true);
    let bob = w.member("Bob", false);
    let carol = w.member("Carol", false);
    let id = w.say(alice, "does anybody hear me?");
    w.pass(600_000);
    let state = w.message(alice, id).unwrap().state;
    assert!(matches!(state, DeliveryState::Seen { by: 1..=2 }), "{state:?}");
    assert_eq!((w.printed(bob).len(), w.printed(carol).len()), (1, 1), "beats show nothing");
    assert!(w.notices(alice, NoticeKind::Unseen).is_empty());
}

#[test]
fn reordered_letters_are_shown_in_causal_order() {
    let mut w = World::new(74);
    let alice = w.member("Alice", true);
    let bob = w.member("Bob", false);
    let mut back: Option<Vec<u8>> = None;
    w.filter = Some(Box::new(move |at, bytes| match RelayFrame::decode(bytes) {
        Ok(RelayFrame::Record(_)) if at == bob => match back.take() {
            Some(first) => vec![bytes.to_vec(), first],
            None => {
                back = Some(bytes.to_vec());
                Vec::new()
            }
        },
        _ => vec![bytes.to_vec()],
    }));
    for n in 0..6 {
        w.say(alice, &n.to_string());
        w.now += 10;
    }
    w.pass(20_000);
    assert_eq!(w.printed(bob), ["0", "1", "2", "3", "4", "5"]);
    assert_eq!(w.texts(bob), ["0", "1", "2", "3", "4", "5"]);
}

#[test]
fn every_flipped_bit_is_refused_and_told_in_few_words() {
    let mut w = World::new(75);
    let alice = w.member("Alice", true);
    let bob = w.member("Bob", false);
    w.filter = Some(Box::new(move |at, bytes| match RelayFrame::decode(bytes) {
        Ok(RelayFrame::Record(r)) if at == bob => {
            let mut out = Vec::new();
            for bit in (0..r.body.len() * 8).step_by(7) {
                let mut body = r.body.to_vec();
                body[bit / 8] ^= 1 << (bit % 8);
                let mut record = r.clone();
                record.body = &body;
                out.push(RelayFrame::Record(record).encode());
            }
            out.push(bytes.to_vec());
            out
        }
        _ => vec![bytes.to_vec()],
    }));
    w.say(alice, "once and whole");
    w.settle();
    assert_eq!(w.printed(bob), ["once and whole"]);
    let told = w.notices(bob, NoticeKind::Forged).len();
    assert!((1..=5).contains(&told), "{told}");
    w.pass(61_000);
    let told = w.notices(bob, NoticeKind::Forged);
    assert!(told.last().unwrap().count > 100, "summed up");
}

#[test]
fn garbage_from_the_relay_ends_the_connection_and_nothing_else() {
    let mut w = World::new(76);
    let alice = w.member("Alice", true);
    let mut rng = w.rng.clone();
    for n in 0..300_u32 {
        let mut bytes = vec![0; (rng.next_u32() % 300) as usize];
        rng.fill_bytes(&mut bytes);
        if n % 2 == 0 {
            // A frame's beginning, so that the map behind it is reached.
            bytes.splice(0..0, [0x82, 1 + u8::try_from(n / 2 % 11).unwrap()]);
        }
        let relay = w.clients[alice].relay;
        w.give(alice, vec![estoile_engine::Input::Frame { relay, bytes }]);
        if n % 50 == 49 {
            w.pass(60_000);
        }
    }
    w.pass(120_000);
    assert_eq!(w.room(alice).room.connection, ConnectionView::Online);
    w.say(alice, "still here");
    w.settle();
    assert_eq!(w.texts(alice), ["still here"]);
}

#[test]
fn lies_about_cursors_lose_nothing_for_good() {
    let mut w = World::new(77);
    let alice = w.member("Alice", true);
    let bob = w.member("Bob", false);
    let on: Switch = Rc::new(RefCell::new(true));
    let lying = Rc::clone(&on);
    w.filter = Some(Box::new(move |at, bytes| match RelayFrame::decode(bytes) {
        Ok(RelayFrame::Record(mut r)) if at == bob && *lying.borrow() => {
            r.cursor = u64::MAX - r.cursor;
            vec![RelayFrame::Record(r).encode()]
        }
        _ => vec![bytes.to_vec()],
    }));
    w.say(alice, "one");
    w.settle();
    *on.borrow_mut() = false;
    w.kill_relay();
    w.start_relay();
    w.say(alice, "two");
    w.pass(60_000);
    assert_eq!(w.printed(bob), ["one", "two"]);
    assert_eq!(w.notices(bob, NoticeKind::Relay).len(), 1);
}

#[test]
fn another_relay_under_the_address_is_not_spoken_to() {
    let mut w = World::new(78);
    let alice = w.member("Alice", true);
    w.say(alice, "before");
    w.settle();
    w.kill_relay();
    w.identity = [8; 32];
    w.start_relay();
    w.say(alice, "not for you");
    w.pass(120_000);
    let ConnectionView::Offline { why, retry_at: None } = w.room(alice).room.connection else {
        panic!("{:?}", w.room(alice).room.connection)
    };
    assert!(why.contains("another relay"), "{why}");
    assert_eq!(w.notices(alice, NoticeKind::Relay).len(), 1);
    assert_eq!(w.room(alice).messages[1].state, DeliveryState::Sending);
}

/// A guest who has the link and a program of their own.
fn guest_says(w: &mut World, through: usize, key: &SenderKey, change: impl FnOnce(&mut Letter)) {
    let keys = RoomKeys::derive(&w.secret);
    let mut letter = Letter {
        content: Some(mimi::text("hello", [1; 16])),
        counter: 0,
        parents: Vec::new(),
        sent_at: w.now,
        ttl: None,
        name: "Mallory".into(),
        sender: key.public(),
        private: None,
    };
    change(&mut letter);
    let written = letter.write(key, &keys.log_id()).unwrap();
    let body = letter::seal(&keys, &written, &mut w.rng);
    let record = estoile_wire::frame::Record {
        log: keys.log_id(),
        cursor: 1_000 + letter.counter,
        time: w.now,
        expires: w.now + 1_000_000,
        epoch: 0,
        id16: written.id16(),
        body: &body,
        advance: None,
    };
    let bytes = RelayFrame::Record(record).encode();
    let relay = w.clients[through].relay;
    w.give(through, vec![estoile_engine::Input::Frame { relay, bytes }]);
}

#[test]
fn who_says_two_things_under_one_number_is_named() {
    let mut w = World::new(79);
    let alice = w.member("Alice", true);
    let mallory = SenderKey::from_seed(&[3; 32]);
    guest_says(&mut w, alice, &mallory, |_| {});
    guest_says(&mut w, alice, &mallory, |l| l.content = Some(mimi::text("the contrary", [2; 16])));
    let told = w.notices(alice, NoticeKind::TwoFaced);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].from.as_deref(), Some("Mallory"));
}

#[test]
fn invented_parents_are_told_with_who_named_them() {
    let mut w = World::new(80);
    let alice = w.member("Alice", true);
    let bob = w.member("Bob", false);
    let carol = w.member("Carol", false);
    w.say(bob, "hello");
    w.pass(1_000);
    let bobs_key = w.room(alice).people.iter().find(|p| p.name == "Bob").unwrap().key.clone();
    let bobs_key: Vec<u8> = (0..32).map(|i| u8::from_str_radix(&bobs_key[2 * i..2 * i + 2], 16).unwrap()).collect();
    let sender = estoile_wire::PublicKey(bobs_key.try_into().unwrap());
    let invented = Reference { hash: [66; 32], sender, counter: 1, epoch: 0, sent_at: w.now, ends_at: None };
    let mallory = SenderKey::from_seed(&[3; 32]);
    guest_says(&mut w, alice, &mallory, |l| l.parents = vec![invented]);
    w.pass(600_000);
    let told = w.notices(alice, NoticeKind::Invented);
    assert_eq!(
        told.len(),
        1,
        "{:?}",
        w.clients[alice].events.iter().filter(|e| matches!(e, Event::Notice(_))).collect::<Vec<_>>()
    );
    assert_eq!(told[0].from.as_deref(), Some("Mallory"));
    assert!(w.notices(alice, NoticeKind::Withheld).is_empty());
    let _ = carol;
}

#[test]
fn the_earlier_of_a_letters_ttl_and_its_contents_own_end_counts() {
    let mut w = World::new(81);
    let alice = w.member("Alice", true);
    let mallory = SenderKey::from_seed(&[3; 32]);
    let at = u32::try_from(w.now / 1000).unwrap();
    let ending = |relative, time, counter| {
        move |l: &mut Letter| {
            (l.counter, l.sent_at) = (counter, l.sent_at - 1_000 + counter);
            let mut content = mimi::text(&format!("{relative} {time}"), [1; 16]);
            content.expires = Some(mimi::Expires { relative, time });
            (l.content, l.ttl) = (Some(content), Some(3_600));
        }
    };
    guest_says(&mut w, alice, &mallory, ending(false, at - 100, 0));
    assert!(w.texts(alice).is_empty(), "it was over before it was signed");
    assert_eq!(w.notices(alice, NoticeKind::Expired).len(), 1);
    guest_says(&mut w, alice, &mallory, ending(true, 60, 1));
    guest_says(&mut w, alice, &mallory, ending(false, at + 9_000, 2));
    assert_eq!(w.texts(alice), ["true 60".to_owned(), format!("false {}", at + 9_000)]);
    w.pass(100_000);
    assert_eq!(w.texts(alice), [format!("false {}", at + 9_000)]);
    w.pass(3_600_000);
    assert!(w.texts(alice).is_empty());
}
