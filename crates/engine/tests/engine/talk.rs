//! People talk through a relay: what each of them sees.

use crate::world::World;
use estoile_engine::{Answer, Command, CommandError, ConnectionView, DeliveryState, Event, NoticeKind, Past, RoomId};

#[test]
fn two_people_talk() {
    let mut w = World::new(1);
    let alice = w.member("Alice", true);
    let bob = w.member("Bob", false);
    assert_eq!(w.room(alice).room.connection, ConnectionView::Online);
    let hello = w.say(alice, "hello");
    assert_eq!(w.message(alice, hello).unwrap().state, DeliveryState::Sending);
    w.settle();
    assert_eq!(w.message(alice, hello).unwrap().state, DeliveryState::Kept);
    let got = w.message(bob, hello).unwrap();
    assert_eq!((got.text.as_str(), got.from.as_str(), got.own), ("hello", "Alice", false));
    assert!(got.cursor.is_some() && got.cursor == w.message(alice, hello).unwrap().cursor);
    w.pass(5);
    w.say(bob, "hi");
    w.settle();
    assert_eq!(w.message(alice, hello).unwrap().state, DeliveryState::Seen { by: 1 });
    for who in [alice, bob] {
        assert_eq!(w.texts(who), ["hello", "hi"]);
        assert_eq!(w.printed(who), ["hello", "hi"]);
    }
    assert_eq!(w.room(bob).room.unread, 1);
    assert_eq!(w.ask(bob, Command::MarkRead { room: RoomId(0) }), Ok(Answer::Done));
    assert_eq!(w.room(bob).room.unread, 0);
}

#[test]
fn people_are_seen_to_come_type_and_go() {
    let mut w = World::new(2);
    let alice = w.member("Alice", true);
    let bob = w.member("Bob", false);
    w.pass(1_000);
    let here = |w: &World, at: usize| -> Vec<(String, bool, bool)> {
        w.room(at).people.into_iter().filter(|p| !p.own).map(|p| (p.name, p.here, p.typing)).collect()
    };
    assert_eq!(here(&w, alice), [("Bob".to_owned(), true, false)]);
    assert_eq!(here(&w, bob), [("Alice".to_owned(), true, false)]);
    w.ask(bob, Command::Typing { room: RoomId(0) }).unwrap();
    w.settle();
    assert_eq!(here(&w, alice), [("Bob".to_owned(), true, true)]);
    w.pass(10_000);
    assert_eq!(here(&w, alice), [("Bob".to_owned(), true, false)]);
    w.pass(300_000);
    assert_eq!(here(&w, alice), [("Bob".to_owned(), true, false)], "here as long as he says so");
    w.kill(bob);
    w.pass(200_000);
    assert_eq!(here(&w, alice), [("Bob".to_owned(), false, false)], "no word, not here");
    w.start(bob);
    w.pass(1_000);
    assert_eq!(here(&w, alice), [("Bob".to_owned(), true, false)]);
    w.give(bob, vec![estoile_engine::Input::Closing]);
    w.settle();
    assert_eq!(here(&w, alice), [("Bob".to_owned(), false, false)], "said goodbye");
}

#[test]
fn a_friend_who_was_away_reads_it_all_once() {
    let mut w = World::new(3);
    let alice = w.member("Alice", true);
    let bob = w.member("Bob", false);
    w.kill(bob);
    let texts: Vec<String> = (0..300).map(|n| format!("message {n}")).collect();
    for text in &texts {
        w.say(alice, text);
        w.pass(1);
    }
    w.start(bob);
    w.settle();
    assert_eq!(w.texts(bob), texts);
    assert_eq!(w.printed(bob), texts);
    let late = w.member("Carol", false);
    assert_eq!(w.printed(late), texts);
    for who in [alice, bob, late] {
        for kind in NoticeKind::ALL {
            assert!(w.notices(who, *kind).is_empty(), "{kind:?} {:?}", w.notices(who, *kind));
        }
    }
}

#[test]
fn from_now_on_means_that_the_past_is_context() {
    let mut w = World::new(4);
    let alice = w.member("Alice", true);
    for n in 0..10 {
        w.say(alice, &format!("old {n}"));
        w.settle();
    }
    let tail = w.client();
    let mut open = w.opening("tail", false);
    open.past = Past::Newest(4);
    open.sociable = false;
    w.open(tail, open);
    w.pass(10);
    w.say(alice, "new");
    w.pass(60_000);
    assert_eq!(w.printed(tail), ["new"]);
    assert!(w.clients[tail].events.iter().any(|e| matches!(e, Event::CaughtUp(_))));
    // Its own letter names what it has read, so that Alice knows that it was seen.
    w.say(tail, "thanks");
    w.pass(60_000);
    assert_eq!(w.printed(alice).last().unwrap(), "thanks");
    for kind in NoticeKind::ALL {
        assert!(w.notices(tail, *kind).is_empty() && w.notices(alice, *kind).is_empty(), "{kind:?}");
    }
}

#[test]
fn a_missing_room_is_told_and_nobody_waits() {
    let mut w = World::new(5);
    let bob = w.client();
    let open = w.opening("Bob", false);
    let room = w.open(bob, open);
    let sent = w.command(bob, Command::Send { room, text: "anybody?".into(), ttl: None });
    assert!(!w.clients[bob].answers.contains_key(&sent), "letters need parents first");
    w.settle();
    let why = "no such room here: wrong link or passphrase, or it has ended";
    assert_eq!(w.clients[bob].answers[&sent], Err(CommandError::Stopped(why.into())));
    assert_eq!(w.room(bob).room.stopped.as_deref(), Some(why));
    assert_eq!(w.notices(bob, NoticeKind::NoRoom).len(), 1);
    w.member("Alice", true);
    let open = w.opening("Bob", false);
    assert_eq!(w.open(bob, open), room, "the same room, once more");
    w.settle();
    assert_eq!(w.room(bob).room.stopped, None);
    assert_eq!(w.room(bob).room.connection, ConnectionView::Online);
}

#[test]
fn bad_commands_get_their_own_answers() {
    let mut w = World::new(6);
    let alice = w.member("Alice", true);
    let room = RoomId(0);
    let send = |text: String, ttl| Command::Send { room, text, ttl };
    assert_eq!(w.ask(alice, send(" \n".into(), None)), Err(CommandError::Empty));
    let long = "x".repeat(estoile_engine::MAX_TEXT + 1);
    assert_eq!(w.ask(alice, send(long, None)), Err(CommandError::TooLong { bytes: 32_769, limit: 32_768 }));
    assert!(w.ask(alice, send("x".repeat(estoile_engine::MAX_TEXT), None)).is_ok());
    let max = 30 * 24 * 3_600;
    assert_eq!(w.ask(alice, send("x".into(), Some(Some(max + 1)))), Err(CommandError::TtlTooLong { max }));
    assert_eq!(w.ask(alice, Command::SetTtl { room, ttl: Some(max + 1) }), Err(CommandError::TtlTooLong { max }));
    assert_eq!(w.ask(alice, Command::MarkRead { room: RoomId(9) }), Err(CommandError::NoSuchRoom));
    assert_eq!(w.ask(alice, Command::SetName { room, name: "a\u{1b}[0m".into() }), Err(CommandError::BadName));
    let mut open = w.opening("Alice", false);
    open.relay.host = "example.org".into();
    let answer = w.ask(alice, Command::Open(Box::new(open)));
    assert_eq!(answer, Err(CommandError::PlainText { host: "example.org".into() }));
}

#[test]
fn a_name_belongs_to_who_used_it_first() {
    let mut w = World::new(7);
    let alice = w.member("Alice", true);
    w.say(alice, "I am Alice");
    w.settle();
    let mallory = w.member("Alice", false);
    w.pass(10);
    w.say(mallory, "no, I am");
    w.settle();
    let messages = w.room(alice).messages;
    assert_eq!(messages[0].shown, "Alice");
    assert_eq!(messages[1].from, "Alice");
    assert_eq!(messages[1].shown, format!("Alice·{}", &messages[1].key[..4]));
    assert_eq!(w.notices(alice, NoticeKind::NameTaken).len(), 1);
    assert_eq!(w.room(mallory).messages[1].shown, messages[1].shown, "all see the same");
    assert_eq!(w.notices(mallory, NoticeKind::NameTaken).len(), 1);
}

#[test]
fn a_forgotten_room_leaves_nothing_behind() {
    let mut w = World::new(8);
    let alice = w.member("Alice", true);
    w.member("Bob", false);
    w.say(alice, "something");
    w.pass(1_000);
    assert_eq!(w.ask(alice, Command::Forget { room: RoomId(0) }), Ok(Answer::Done));
    w.settle();
    assert!(w.clients[alice].engine.as_ref().unwrap().rooms().is_empty());
    assert_eq!(w.clients[alice].session, None, "nobody needs the relay any more");
    w.kill(alice);
    let entries = w.clients[alice].disk.entries().len();
    assert_eq!(entries, 2, "the marker and the counters");
}

#[test]
fn history_is_paged_from_the_vault() {
    let mut w = World::new(9);
    let alice = w.member("Alice", true);
    let texts: Vec<String> = (0..2_300).map(|n| format!("m{n}")).collect();
    for text in &texts {
        w.say(alice, text);
        w.now += 1;
        w.settle();
    }
    w.kill(alice);
    w.start(alice);
    w.settle();
    let snapshot = w.room(alice);
    assert!(snapshot.more);
    let mut all: Vec<String> = snapshot.messages.iter().map(|m| m.text.clone()).collect();
    let mut oldest = snapshot.messages[0].id;
    loop {
        let client = &mut w.clients[alice];
        let (engine, vault) = (client.engine.as_mut().unwrap(), client.vault.as_ref().unwrap());
        let page = estoile_engine::vault::ready(engine.older(vault, RoomId(0), oldest, 300)).unwrap().unwrap();
        let Some(first) = page.first() else { break };
        oldest = first.id;
        all.splice(0..0, page.into_iter().map(|m| m.text));
    }
    assert_eq!(all, texts);
}
