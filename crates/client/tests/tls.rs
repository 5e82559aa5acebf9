//! TLS to relays with certificates of their own making: the link's pin decides, and nothing else.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that is surprised fails")]

mod common;

use common::{Person, TestRelay};
use estoile_engine::{ConnectionView, Event, RoomId};
use estoile_relay::Tls;
use estoile_wire::RelayKeyHash;

fn secure() -> TestRelay {
    TestRelay::with(|config| config.tls = Tls::SelfMade { names: vec!["localhost".into(), "127.0.0.1".into()] })
}

/// Why a room is not entered.
async fn trouble(person: &mut Person, id: RoomId) -> String {
    person
        .until("the trouble is told", |event| match event {
            Event::Room(room) if room.id == id => match (&room.stopped, &room.connection) {
                (Some(why), _) => Some(why.clone()),
                (None, ConnectionView::Offline { why, .. }) => Some(why.clone()),
                (None, ConnectionView::Online) => panic!("the room was entered"),
                _ => None,
            },
            _ => None,
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_pin_makes_a_certificate_of_its_own_good() {
    let relay = secure();
    let link = relay.link("kitchen", 1);
    assert!(link.tls);
    let (mut alice, mut bob) = (Person::open(None).await, Person::open(None).await);
    let room = alice.enter(&link, "Alice", true).await;
    bob.enter(&link, "Bob", false).await;
    alice.say(room, "by TLS").await;
    assert_eq!(bob.hear().await, "by TLS");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_relays_pin_is_refused() {
    let relay = secure();
    let mut link = relay.link("kitchen", 2);
    link.relay = RelayKeyHash([9; 32]);
    let mut alice = Person::open(None).await;
    let id = alice.start_entering(&link, "Alice", true).await;
    let why = trouble(&mut alice, id).await;
    assert!(why.contains("another relay answers there"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_relay_is_not_reached_by_https() {
    let relay = TestRelay::start();
    let mut link = relay.link("kitchen", 3);
    link.tls = true;
    let mut alice = Person::open(None).await;
    let id = alice.start_entering(&link, "Alice", true).await;
    let why = trouble(&mut alice, id).await;
    assert!(why.contains("TLS"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_listens_the_reason_is_told() {
    let mut relay = TestRelay::start();
    let link = relay.link("kitchen", 4);
    relay.stop().await;
    let mut alice = Person::open(None).await;
    let id = alice.start_entering(&link, "Alice", true).await;
    let why = trouble(&mut alice, id).await;
    assert!(why.contains("nothing listens there"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_no_relay_is_told_apart() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let _ = socket.read(&mut [0; 1024]).await;
            let _ = socket.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").await;
        }
    });
    let mut link = TestRelay::start().link("kitchen", 5);
    link.port = port;
    let mut alice = Person::open(None).await;
    let id = alice.start_entering(&link, "Alice", true).await;
    let why = trouble(&mut alice, id).await;
    assert!(why.contains("404"), "{why}");
}
