//! Bytes that no honest client sends. Each has its answer, and the relay goes on.

use estoile_wire::{ClientFrame, Refusal, RelayFrame, SESSION_PATH};
use futures_util::SinkExt;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Ended, World, soon, websocket};

/// A session below the level of frames: what the relay sends after these bytes, to the end of the connection.
async fn raw(world: &World, bytes: &[u8]) -> Vec<u8> {
    let mut socket = opened(world).await;
    socket.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let _ = soon(socket.read_to_end(&mut answer)).await;
    answer
}

async fn opened(world: &World) -> TcpStream {
    let mut socket = TcpStream::connect(world.relay.address()).await.unwrap();
    let head = format!(
        "GET {SESSION_PATH} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: estoile.v1\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(soon(socket.read_u8()).await.unwrap());
    }
    assert!(answer.starts_with(b"HTTP/1.1 101 "));
    socket
}

/// A close frame with this code is the last thing in these bytes.
fn closes_with(answer: &[u8], code: u16) -> bool {
    let [high, low] = code.to_be_bytes();
    answer.ends_with(&[0x88, 2, high, low])
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_websocket_frames_are_closed_with_their_code() {
    let world = World::new();
    let masked = |first: u8, length: &[u8], payload: &[u8]| [&[first], length, &[0, 0, 0, 0], payload].concat();
    let cases = [
        ("unmasked", vec![0x82, 1, 0], 1002),
        ("reserved bit", masked(0xc2, &[0x81], b"x"), 1002),
        ("reserved opcode", masked(0x83, &[0x81], b"x"), 1002),
        ("text", masked(0x81, &[0x82], b"hi"), 1003),
        ("continuation of nothing", masked(0x80, &[0x81], b"x"), 1002),
        ("fragmented ping", masked(0x09, &[0x80], b""), 1002),
        ("long ping", masked(0x89, &[0xfe, 0, 200], &[0; 200]), 1002),
        ("a length of more bytes than needed", masked(0x82, &[0xfe, 0, 5], &[0; 5]), 1002),
        ("more than a frame may be", masked(0x82, &[0xff, 0, 0, 0, 0, 0, 1, 0, 1], b""), 1009),
        ("an absurd length", masked(0x82, &[0xff, 0x7f, 0, 0, 0, 0, 0, 0, 0], b""), 1009),
        ("a close of one byte", masked(0x88, &[0x81], b"x"), 1002),
        ("a close with no such code", masked(0x88, &[0x82], &[0, 0]), 1002),
        ("a close with a reason that is no text", masked(0x88, &[0x83], &[3, 232, 255]), 1007),
        ("a proper goodbye", masked(0x88, &[0x82], &[3, 232]), 1000),
        ("no frame of ours", masked(0x82, &[0x83], b"abc"), 1008),
        ("an empty frame", masked(0x82, &[0x80], b""), 1008),
    ];
    for (what, bytes, code) in cases {
        let answer = raw(&world, &bytes).await;
        assert!(closes_with(&answer, code), "{what}: {answer:?}");
    }
    world.until("estoile_sessions", 0).await;
    world.client().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_that_break_the_protocol_are_told_why() {
    let world = World::new();
    let ping = ClientFrame::Ping(estoile_wire::frame::Ping { request: 1 }).encode();
    let old = ClientFrame::Hello(estoile_wire::frame::Hello {
        versions: vec![99],
        challenge: estoile_wire::id::Nonce([0; 32]),
    });
    for (first, code) in [
        (ping, Refusal::OutOfOrder),
        (old.encode(), Refusal::UnsupportedVersion),
        (b"\xff\xff\xff".to_vec(), Refusal::Malformed),
    ] {
        let mut socket = websocket(TcpStream::connect(world.relay.address()).await.unwrap()).await;
        socket.send(Message::Binary(first.into())).await.unwrap();
        let answer = crate::support::next_message(&mut socket).await.unwrap();
        match RelayFrame::decode(&answer).unwrap() {
            RelayFrame::Closing(closing) => assert_eq!(closing.code, code),
            other => panic!("{other:?}"),
        }
    }
    let mut client = world.client().await;
    client.socket.send(Message::Binary(vec![0; (64 << 10) + 1].into())).await.unwrap();
    assert_eq!(client.ended().await, Ended { closing: Some(Refusal::FrameTooLarge), code: Some(1009) });
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_frames_are_refused_by_name_and_the_session_goes_on() {
    let world = World::new();
    let mut client = world.client().await;
    // [39, {}]: a type that a later version has.
    client.socket.send(Message::Binary(vec![0x82, 0x18, 39, 0xa0].into())).await.unwrap();
    match client.next().await.get() {
        RelayFrame::Refused(refused) => assert_eq!(refused.code, Refusal::Unsupported),
        other => panic!("{other:?}"),
    }
    client.create(&crate::support::Room::new(1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_goodbye_in_the_same_packet_as_the_handshake_is_heard() {
    let world = World::new();
    let mut socket = TcpStream::connect(world.relay.address()).await.unwrap();
    let head = format!(
        "GET {SESSION_PATH} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: estoile.v1\r\n\r\n"
    );
    let goodbye = [0x88, 0x82, 0, 0, 0, 0, 3, 232];
    socket.write_all(&[head.as_bytes(), &goodbye].concat()).await.unwrap();
    let mut answer = Vec::new();
    let _ = soon(socket.read_to_end(&mut answer)).await;
    assert!(closes_with(&answer, 1000), "{answer:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn no_bytes_stop_the_relay(junk in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..400), 1..8)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let world = World::new();
            for bytes in junk {
                // Half of them as WebSocket frames, so that they get as far as the decoder.
                let mut socket = opened(&world).await;
                let framed = [&[0x82, 0xfe][..], &(bytes.len() as u16).to_be_bytes(), &[0; 4], &bytes].concat();
                let send = if bytes.len() >= 126 { framed } else { bytes };
                let _ = socket.write_all(&send).await;
                let _ = TcpStream::connect(world.relay.address()).await.unwrap().write_all(&send).await;
            }
            world.client().await;
            world.until("estoile_sessions", 0).await;
            world.relay.shutdown().await.unwrap();
        });
    }
}
