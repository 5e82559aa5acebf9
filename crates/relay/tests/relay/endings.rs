//! Sessions that end, in every way, and what is freed by it.

use std::time::Duration;

use estoile_wire::Refusal;
use futures_util::SinkExt;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Client, Ended, Room, World, soon, websocket};

#[tokio::test(flavor = "multi_thread")]
async fn a_goodbye_and_a_lost_socket_free_everything() {
    let world = World::new();
    let room = Room::new(1);
    let mut ann = world.client().await;
    ann.create(&room).await;
    ann.attach(&room, 0).await;
    let mut ben = world.client().await;
    ben.attach(&room, 0).await;
    world.until("estoile_sessions", 2).await;
    ben.socket.close(None).await.unwrap();
    assert_eq!(ben.ended().await, Ended { closing: None, code: Some(1000) });
    world.until("estoile_sessions", 1).await;
    drop(ann);
    world.until("estoile_sessions", 0).await;
    assert_eq!(world.metric("estoile_sessions_ended_total{why=\"goodbye\"}").await, 1);
    assert_eq!(world.metric("estoile_sessions_ended_total{why=\"lost\"}").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_session_ends_and_one_that_answers_pings_does_not() {
    let world = World::with(|config| {
        config.hub.silence_ms = 400;
        config.hub.ping_ms = 50;
    });
    // tungstenite answers pings while somebody reads.
    let mut lively = world.client().await;
    let lively = tokio::spawn(async move { lively.ended().await });
    let mut silent = world.client().await;
    world.until("estoile_sessions", 2).await;
    world.until("estoile_sessions_ended_total{why=\"silent\"}", 1).await;
    assert_eq!(silent.ended().await, Ended { closing: Some(Refusal::Silent), code: Some(1008) });
    world.until("estoile_sessions", 1).await;
    assert!(!lively.is_finished());
    let World { relay, folder: _folder } = world;
    relay.shutdown().await.unwrap();
    assert_eq!(soon(lively).await.unwrap(), Ended { closing: Some(Refusal::Closing), code: Some(1001) });
}

#[tokio::test(flavor = "multi_thread")]
async fn who_never_says_hello_is_no_session_for_long() {
    let world = World::with(|config| {
        config.hub.hello_ms = 200;
        config.hub.ping_ms = 50;
    });
    let socket = TcpStream::connect(world.relay.address()).await.unwrap();
    let mut socket = websocket(socket).await;
    let reading =
        tokio::spawn(async move { while let Some(Ok(_)) = futures_util::StreamExt::next(&mut socket).await {} });
    soon(reading).await.unwrap();
    world.until("estoile_sessions_ended_total{why=\"silent\"}", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_tells_everybody_and_keeps_what_was_acknowledged() {
    let world = World::new();
    let room = Room::new(2);
    let mut sender = world.client().await;
    sender.create(&room).await;
    sender.attach(&room, 0).await;
    let kept = sender.append(&room, 1, b"kept").await.unwrap();
    let mut idle = world.client().await;
    let address = world.relay.address();
    let folder = world.folder;
    let started = std::time::Instant::now();
    let stopping = tokio::spawn(world.relay.shutdown());
    for client in [&mut sender, &mut idle] {
        assert_eq!(client.ended().await, Ended { closing: Some(Refusal::Closing), code: Some(1001) });
    }
    soon(stopping).await.unwrap().unwrap();
    assert!(started.elapsed() < Duration::from_secs(10));
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
    let world = World { relay: crate::support::start(&folder, |_| {}), folder };
    assert_eq!(world.client().await.catch_up(&room, 0).await.0, [(kept.cursor, b"kept".to_vec())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_under_way_is_acknowledged_before_the_goodbye() {
    let world = World::new();
    let room = Room::new(7);
    let mut sender = world.client().await;
    sender.create(&room).await;
    sender.attach(&room, 0).await;
    // A ping behind the appends: its answer says that the relay has them all.
    for id in 0..300 {
        sender.send_append(&room, id, &[1; 2_000]).await;
    }
    sender.send(estoile_wire::ClientFrame::Ping(estoile_wire::frame::Ping { request: 9_999 })).await;
    let (mut kept, mut stopping, mut relay) = (0, None, Some(world.relay));
    loop {
        match sender.next().await.get() {
            estoile_wire::RelayFrame::Kept(_) => kept += 1,
            estoile_wire::RelayFrame::Pong(_) => stopping = relay.take().map(|r| tokio::spawn(r.shutdown())),
            estoile_wire::RelayFrame::Closing(_) => break,
            _ => {}
        }
    }
    assert_eq!(kept, 300);
    drop(sender);
    soon(stopping.unwrap()).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_does_not_wait_for_who_does_not_read() {
    let world = World::with(|config| config.sockets.goodbye = Duration::from_millis(200));
    let mut deaf = world.client().await;
    world.until("estoile_sessions", 1).await;
    soon(world.relay.shutdown()).await.unwrap();
    assert_eq!(deaf.ended().await.code, Some(1001), "it finds the goodbye when it looks");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_lags_and_reads_back() {
    let world = World::with(|config| {
        config.hub.queue_bytes = 512 << 10;
    });
    let room = Room::new(3);
    let mut slow = world.client().await;
    let mut sender = world.client().await;
    sender.create(&room).await;
    sender.attach(&room, 0).await;
    slow.attach(&room, 0).await;
    // Far more than the sockets' own buffers hold.
    let body = vec![7; 40 << 10];
    let mut sent = 0;
    while world.metric("estoile_lagged_total").await == 0 {
        for _ in 0..50 {
            sender.append(&room, sent, &body).await.unwrap();
            sent += 1;
        }
        assert!(sent < 5_000, "it never lagged");
    }
    let (got, lagged) = slow.lagged().await;
    assert!(got < sent && lagged.log == room.log);
    let (rest, _) = slow.catch_up(&room, lagged.cursor).await;
    assert_eq!(got + rest.len() as u64, sent, "nothing is lost and nothing doubled");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_answers_may_not_ask_for_ever() {
    let world = World::new();
    let mut deaf = world.client().await;
    let ping = estoile_wire::ClientFrame::Ping(estoile_wire::frame::Ping { request: 1 }).encode();
    // Asks until the relay stops reading; then the sockets fill up and sending stalls.
    let stalled = async {
        loop {
            let sending = async {
                for _ in 0..1_000 {
                    deaf.socket.feed(Message::Binary(ping.clone().into())).await.unwrap();
                }
                deaf.socket.flush().await.unwrap();
            };
            if tokio::time::timeout(Duration::from_millis(300), sending).await.is_err() {
                return;
            }
        }
    };
    soon(stalled).await;
    assert_eq!(world.metric("estoile_sessions").await, 1);
    drop(deaf);
    world.until("estoile_sessions", 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_abandoned_sessions_leave_nothing_behind() {
    let world = World::with(|config| {
        config.hub.silence_ms = 2_000;
        config.hub.ping_ms = 1_000;
        config.sockets.goodbye = Duration::from_millis(100);
    });
    let room = Room::new(4);
    world.client().await.create(&room).await;
    // The clients live in this process as well: what the first wave leaves is their memory; a leak grows with the second.
    wave(&world, &room).await;
    let first = world.metric("process_resident_memory_bytes").await;
    wave(&world, &room).await;
    let second = world.metric("process_resident_memory_bytes").await;
    assert!(second < first + (16 << 20), "{first} became {second}");
    let files = world.metric("process_open_fds").await;
    assert!(files < 200, "{files} files are open");
}

/// Opens 2,000 sessions and abandons them; returns when they are gone.
async fn wave(world: &World, room: &Room) {
    const SESSIONS: usize = 2_000;
    let opened = "estoile_sessions_opened_total";
    let silent = "estoile_sessions_ended_total{why=\"silent\"}";
    let before = (world.metric(opened).await, world.metric(silent).await);
    let address = world.relay.address();
    let mut abandoned = Vec::new();
    for _ in 0..SESSIONS / 100 {
        let hundred = (0..100).map(|_| async {
            let mut client = Client::open(TcpStream::connect(address).await.unwrap()).await;
            client.attach(room, 0).await;
            client
        });
        abandoned.extend(soon(futures_util::future::join_all(hundred)).await);
    }
    // Half of them lose their sockets, the other half just says nothing any more.
    abandoned.truncate(SESSIONS / 2);
    world.until("estoile_sessions", 0).await;
    assert_eq!(world.metric(opened).await, before.0 + SESSIONS as u64);
    assert!(world.metric(silent).await >= before.1 + SESSIONS as u64 / 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_says_nothing_is_dropped() {
    let world = World::with(|config| config.sockets.handshake = Duration::from_millis(200));
    let mut mute = TcpStream::connect(world.relay.address()).await.unwrap();
    let mut slow = TcpStream::connect(world.relay.address()).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut slow, b"GET / HT").await.unwrap();
    let mut buffer = Vec::new();
    for socket in [&mut mute, &mut slow] {
        let _ = soon(socket.read_to_end(&mut buffer)).await;
    }
    world.until("estoile_handshakes", 0).await;
}
