//! Clients and a relay over real sockets: chatting, and living through a relay that goes away.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that is surprised fails")]

mod common;

use common::{Person, TestRelay};
use estoile_engine::{Command, CommandError, ConnectionView, DeliveryState, Event, MAX_TEXT};

#[tokio::test(flavor = "multi_thread")]
async fn two_people_chat() {
    let relay = TestRelay::start();
    let link = relay.link("kitchen", 1);
    let (mut alice, mut bob) = (Person::open(None).await, Person::open(None).await);
    let at_alice = alice.enter(&link, "Alice", true).await;
    let at_bob = bob.enter(&link, "Bob", false).await;

    let hello = alice.say(at_alice, "Hello Bob").await;
    assert!(alice.kept(hello).await > 0);
    assert_eq!(bob.hear().await, "Hello Bob");
    bob.say(at_bob, "Hello Alice").await;
    assert_eq!(alice.hear().await, "Hello Alice");

    let snapshot = alice.handle.snapshot(at_alice, 10).await.unwrap();
    let texts: Vec<_> = snapshot.messages.iter().map(|m| (m.from.as_str(), m.text.as_str())).collect();
    assert_eq!(texts, [("Alice", "Hello Bob"), ("Bob", "Hello Alice")]);
    // Bob's answer names Alice's letter among its parents: he has seen it, and no relay could have said so.
    let state = &snapshot.messages.first().unwrap().state;
    assert_eq!(*state, DeliveryState::Seen { by: 1 });
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_here_comes_and_goes() {
    let relay = TestRelay::start();
    let link = relay.link("kitchen", 2);
    let (mut alice, mut bob) = (Person::open(None).await, Person::open(None).await);
    alice.enter(&link, "Alice", true).await;
    bob.enter(&link, "Bob", false).await;
    let here = |event: &Event, here: bool| match event {
        Event::People { people, .. } => people.iter().any(|p| p.name == "Bob" && p.here == here).then_some(()),
        _ => None,
    };
    alice.until("Bob is here", |event| here(event, true)).await;
    bob.handle.close().await;
    alice.until("Bob said goodbye", |event| here(event, false)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_crashes_and_comes_back_loses_nothing() {
    let mut relay = TestRelay::start();
    let link = relay.link("kitchen", 3);
    let (mut alice, mut bob) = (Person::open(None).await, Person::open(None).await);
    let at_alice = alice.enter(&link, "Alice", true).await;
    bob.enter(&link, "Bob", false).await;
    let first = alice.say(at_alice, "before").await;
    alice.kept(first).await;
    assert_eq!(bob.hear().await, "before");

    relay.crash();
    alice
        .until("the loss is told, with the time of the next attempt", |event| match event {
            Event::Room(room) => match &room.connection {
                ConnectionView::Offline { retry_at: Some(_), why } if !why.is_empty() => Some(()),
                _ => None,
            },
            _ => None,
        })
        .await;
    let second = alice.say(at_alice, "while it is away").await;
    relay.begin();
    alice.kept(second).await;
    assert_eq!(bob.hear().await, "while it is away");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_messages_in_one_go_arrive_in_order() {
    const COUNT: usize = 2_000;
    let relay = TestRelay::start();
    let link = relay.link("kitchen", 4);
    let (mut alice, mut bob) = (Person::open(None).await, Person::open(None).await);
    let room = alice.enter(&link, "Alice", true).await;
    bob.enter(&link, "Bob", false).await;
    for n in 0..COUNT {
        let text = format!("message {n}");
        // Not awaited: many are under way at once, in the order of their submission.
        drop(alice.handle.submit(Command::Send { room, text, ttl: None }).await);
    }
    for n in 0..COUNT {
        assert_eq!(bob.hear().await, format!("message {n}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_over_the_limit_is_refused_before_it_is_sealed() {
    let relay = TestRelay::start();
    let link = relay.link("kitchen", 5);
    let mut alice = Person::open(None).await;
    let room = alice.enter(&link, "Alice", true).await;
    let longest = alice.say(room, &"x".repeat(MAX_TEXT)).await;
    alice.kept(longest).await;
    let text = "x".repeat(MAX_TEXT + 1);
    let refused = alice.handle.command(Command::Send { room, text, ttl: None }).await;
    assert_eq!(refused, Err(CommandError::TooLong { bytes: MAX_TEXT + 1, limit: MAX_TEXT }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_is_not_there_is_told() {
    let relay = TestRelay::start();
    let mut alice = Person::open(None).await;
    let id = alice.start_entering(&relay.link("nowhere", 6), "Alice", false).await;
    let why = alice
        .until("the room has stopped", |event| match event {
            Event::Room(room) if room.id == id => room.stopped.clone(),
            _ => None,
        })
        .await;
    assert!(why.contains("no such room here"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_client_answers_commands_and_ends_its_events() {
    let mut alice = Person::open(None).await;
    alice.handle.close().await;
    assert!(alice.handle.rooms().await.is_empty());
    while alice.events.next().await.is_some() {}
}
