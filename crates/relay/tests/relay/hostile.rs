//! Clients who read slowly, or not at all, or only connect: each costs what it may, and nobody else pays.

use std::time::{Duration, Instant};

use estoile_wire::frame::Append;
use estoile_wire::{ClientFrame, Id16, Refusal, RelayFrame};
use futures_util::SinkExt;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Client, Room, World, soon};

const SILENT: &str = "estoile_sessions_ended_total{why=\"silent\"}";

/// A room with so many records of 40 KiB: far more than sockets hold.
async fn full_room(world: &World, room: &Room, records: u64) {
    let mut founder = world.client().await;
    founder.create(room).await;
    founder.attach(room, 0).await;
    for id in 0..records {
        founder.append(room, id, &[7; 40 << 10]).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_slowly_is_not_silent_and_who_stops_is() {
    let world = World::with(|config| {
        config.hub.silence_ms = 1_500;
        config.hub.ping_ms = 300;
    });
    let room = Room::new(1);
    full_room(&world, &room, 800).await;
    let mut slow = world.client().await;
    world.until("estoile_sessions", 1).await;
    slow.send_attach(&room, 0).await;
    // It reads below WebSocket, so that it answers no ping: for three times as long as a session may be silent.
    let mut buffer = vec![0; 64 << 10];
    let until = Instant::now() + Duration::from_millis(4_500);
    while Instant::now() < until {
        let read = soon(slow.socket.get_mut().read(&mut buffer)).await.unwrap();
        assert!(read > 0, "it was closed while it read");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(world.metric(SILENT).await, 0);
    world.until(SILENT, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_does_not_wait_for_sockets_that_are_full() {
    let world = World::with(|config| config.sockets.goodbye = Duration::from_millis(200));
    let room = Room::new(2);
    full_room(&world, &room, 400).await;
    let mut stuck = Vec::new();
    for _ in 0..20 {
        let mut client: Client<TcpStream> = world.client().await;
        client.send_attach(&room, 0).await;
        stuck.push(client);
    }
    // Until nothing is written any more: all sockets are full.
    let delivered = "estoile_delivered_bytes_total";
    let mut before = 0;
    soon(async {
        loop {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let now = world.metric(delivered).await;
            if now == before {
                break;
            }
            before = now;
        }
    })
    .await;
    let started = Instant::now();
    soon(world.relay.shutdown()).await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(6), "{:?}", started.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_answers_is_told_so_at_last() {
    let world = World::with(|config| config.hub.queue_frames = 64);
    let room = Room::new(3);
    let mut deaf = world.client().await;
    deaf.create(&room).await;
    deaf.attach(&room, 0).await;
    // A burst in one packet, so that its answers come with one commit; where the disk was quicker than the reading of it
    // they came in parts and found room, and the next burst is as good.
    let ended = soon(async {
        for burst in 0u16.. {
            let mut open = 0;
            for number in 0..400u16 {
                let mut id16 = Id16([0; 16]);
                id16.0[..4].copy_from_slice(&[burst.to_be_bytes(), number.to_be_bytes()].concat());
                let (request, log) = (u64::from(number), room.log);
                let append = Append { request, log, id16, epoch: 0, ttl: Some(0), body: b"x", advance: None };
                let frame = ClientFrame::Append(append).encode();
                let fed = deaf.socket.feed(Message::Binary(frame.into())).await;
                open += u32::from(fed.is_ok());
            }
            // The relay may have hung up in the middle of it: what it said is read all the same.
            let _ = deaf.socket.flush().await;
            while open > 0 {
                match deaf.next().await.get() {
                    RelayFrame::Closing(closing) => return closing.code,
                    _ => open -= 1,
                }
            }
        }
        unreachable!("bursts do not end")
    })
    .await;
    assert_eq!(ended, Refusal::Busy);
    assert_eq!(deaf.ended().await.code, Some(1008));
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_say_nothing_keep_nobody_out() {
    let world = World::with(|config| {
        config.sockets.max_handshakes = 8;
        config.sockets.handshake = Duration::from_secs(600);
    });
    let mut idle = Vec::new();
    for _ in 0..40 {
        idle.push(TcpStream::connect(world.relay.address()).await.unwrap());
    }
    soon(world.client()).await;
    world.until("estoile_handshakes", 7).await;
    let mut oldest = idle.remove(0);
    assert_eq!(soon(oldest.read(&mut [0; 8])).await.unwrap_or(0), 0, "the oldest went first");
}
