//! Relays and clients that die at any instant: nothing kept is lost, nothing is there twice, nothing is sent before it is kept.

use std::collections::BTreeSet;

use estoile_engine::{Command, DeliveryState, Event, LetterId, NoticeKind, RoomId};

use crate::world::{Death, World};

fn kept(w: &World, at: usize) -> BTreeSet<LetterId> {
    let events = w.clients[at].events.iter();
    events
        .filter_map(|e| match e {
            Event::State { id, state: DeliveryState::Kept, .. } => Some(*id),
            _ => None,
        })
        .collect()
}

fn nothing_to_tell(w: &World, who: &[usize]) {
    for at in who {
        for kind in NoticeKind::ALL {
            assert!(w.notices(*at, *kind).is_empty(), "{at} {kind:?} {:?}", w.notices(*at, *kind));
        }
    }
}

#[test]
fn a_relay_that_dies_and_comes_back_loses_and_doubles_nothing() {
    let mut w = World::new(40);
    let alice = w.member("Alice", true);
    let bob = w.member("Bob", false);
    let mut said = Vec::new();
    for round in 0..5 {
        for n in 0..40 {
            let text = format!("{round} {n}");
            w.say(alice, &text);
            said.push(text);
            if n == 20 {
                w.kill_relay();
                w.start_relay();
            }
        }
        w.pass(2_000);
    }
    w.pass(60_000);
    assert_eq!(kept(&w, alice).len(), 200);
    assert_eq!(w.printed(bob), said);
    let late = w.member("Carol", false);
    assert_eq!(w.printed(late), said);
    nothing_to_tell(&w, &[alice, bob, late]);
}

/// What happens in every run; the client that dies is Alice, at a commit of her own.
fn story(seed: u64, death: Option<Death>) -> (World, usize, usize, u64) {
    let mut w = World::new(seed);
    let bob = w.member("Bob", true);
    let alice = w.client();
    w.clients[alice].death = death;
    let open = w.opening("Alice", false);
    w.command(alice, Command::Open(Box::new(open.clone())));
    for n in 0..6 {
        w.say(bob, &format!("bob {n}"));
        if w.clients[alice].engine.is_some() {
            w.command(alice, Command::Send { room: RoomId(0), text: format!("alice {n}"), ttl: None });
        }
        w.settle();
        if w.clients[alice].engine.is_none() {
            w.clients[alice].death = None;
            w.start(alice);
            w.command(alice, Command::Open(Box::new(open.clone())));
        }
        w.pass(700);
    }
    for _ in 0..2 {
        if w.clients[alice].engine.is_none() {
            w.clients[alice].death = None;
            w.start(alice);
            w.command(alice, Command::Open(Box::new(open.clone())));
        }
        w.pass(300_000);
    }
    let commits = w.clients[alice].commits;
    (w, bob, alice, commits)
}

#[test]
fn a_client_may_die_at_every_commit() {
    let (w, bob, alice, commits) = story(50, None);
    assert_eq!(w.texts(bob), w.texts(alice));
    assert_eq!(w.texts(bob).len(), 12);
    nothing_to_tell(&w, &[bob, alice]);
    assert!(commits > 15, "{commits}");
    for n in 1..=commits {
        for death in [Death::BeforeCommit(n), Death::AfterCommit(n)] {
            let (w, bob, alice, _) = story(50, Some(death));
            let (theirs, ours) = (w.texts(bob), w.texts(alice));
            assert_eq!(theirs, ours, "{death:?}");
            let distinct: BTreeSet<&String> = theirs.iter().collect();
            assert_eq!(distinct.len(), theirs.len(), "{death:?}: none twice");
            let printed = w.printed(bob);
            assert_eq!(printed.iter().collect::<BTreeSet<_>>().len(), printed.len(), "{death:?}: printed once");
            for id in kept(&w, alice) {
                assert!(w.message(bob, id).is_some(), "{death:?}: what was reported kept is there");
            }
            // A command whose turn was not kept was not answered, so its text may be missing; nothing else may.
            assert!(theirs.len() >= 11, "{death:?} {theirs:?}");
            let outbox_empty = w.room(alice).messages.iter().all(|m| m.state != DeliveryState::Sending);
            assert!(outbox_empty, "{death:?}");
            nothing_to_tell(&w, &[bob, alice]);
        }
    }
}

#[test]
fn a_vault_rolled_back_is_found_out() {
    let mut w = World::new(60);
    let bob = w.member("Bob", true);
    let alice = w.member("Alice", false);
    w.put_back(alice);
    w.start(alice);
    w.settle();
    assert_eq!(w.notices(alice, NoticeKind::Copied).len(), 1);
    assert!(w.room(alice).room.stopped.is_some());
    let answer = w.ask(alice, Command::Send { room: RoomId(0), text: "no".into(), ttl: None });
    assert!(answer.is_err(), "nothing more is said under this key");
    assert_eq!(w.texts(bob), ["before", "after"]);
    // Forgotten and opened again, she is back under a new key.
    w.ask(alice, Command::Forget { room: RoomId(0) }).unwrap();
    let open = w.opening("Alice", false);
    w.open(alice, open);
    w.settle();
    let answer = w.ask(alice, Command::Send { room: RoomId(1), text: "back".into(), ttl: None });
    assert!(answer.is_ok());
    w.settle();
    assert_eq!(w.texts(bob), ["before", "after", "back"]);
}

#[test]
fn a_relay_that_lost_its_log_is_told() {
    let mut w = World::new(61);
    let alice = w.member("Alice", true);
    let bob = w.member("Bob", false);
    w.say(alice, "kept");
    w.settle();
    w.lose_store();
    w.start_relay();
    w.pass(60_000);
    // Alice may make rooms, so hers goes on in a fresh log; Bob's link opens it again.
    assert_eq!(w.room(alice).room.stopped, None);
    let told = w.notices(alice, NoticeKind::Relay).len() + w.notices(bob, NoticeKind::NoRoom).len();
    assert!(told >= 1);
    assert_eq!(w.texts(alice), ["kept"], "what one has stays");
}

#[test]
fn a_letter_taken_back_before_it_was_sent_is_missed_by_nobody() {
    let mut w = World::new(62);
    let alice = w.member("Alice", true);
    let bob = w.member("Bob", false);
    w.kill_relay();
    let id = w.say(alice, "regretted");
    w.ask(alice, Command::Discard { room: RoomId(0), id }).unwrap();
    assert!(w.texts(alice).is_empty());
    w.start_relay();
    w.pass(40_000);
    w.say(alice, "better");
    w.pass(300_000);
    assert_eq!(w.printed(bob), ["better"]);
    nothing_to_tell(&w, &[alice, bob]);
}

#[test]
fn back_off_grows_and_is_told() {
    let mut w = World::new(63);
    let alice = w.member("Alice", true);
    w.kill_relay();
    let mut waits = Vec::new();
    for _ in 0..12 {
        let (_, at) = w.clients[alice].connect.expect("it tries again");
        waits.push(at - w.now);
        let connection = w.room(alice).room.connection;
        let estoile_engine::ConnectionView::Offline { why, retry_at } = connection else { panic!("{connection:?}") };
        assert!(why.contains("relay") && retry_at == Some(at));
        w.pass(at - w.now);
    }
    assert!((187..=313).contains(&waits[0]), "{waits:?}");
    assert!(waits.iter().all(|wait| *wait <= 37_500), "{waits:?}");
    assert!(waits[11] >= 22_500, "{waits:?}");
    w.ask(alice, Command::ReconnectNow { room: RoomId(0) }).unwrap();
    assert_eq!(w.clients[alice].connect.unwrap().1, w.now);
}

#[test]
fn ten_thousand_letters_wait_and_go_out_in_order() {
    let mut w = World::new(64);
    let alice = w.member("Alice", true);
    let bob = w.member("Bob", false);
    w.kill_relay();
    let texts: Vec<String> = (0..10_000).map(|n| format!("line {n}")).collect();
    for text in &texts {
        w.say(alice, text);
    }
    let send = Command::Send { room: RoomId(0), text: "one too many".into(), ttl: None };
    assert_eq!(w.ask(alice, send), Err(estoile_engine::CommandError::OutboxFull { waiting: 10_000 }));
    w.kill(alice);
    w.clients[alice].events.clear();
    w.start(alice);
    w.start_relay();
    w.pass(60_000);
    assert_eq!(kept(&w, alice).len(), texts.len());
    assert_eq!(w.printed(bob), texts);
    nothing_to_tell(&w, &[alice, bob]);
}
