//! TLS with a certificate that the relay made itself, trusted by the relay's key alone.

use ed25519_dalek::{Signature, VerifyingKey};
use estoile_wire::{RelayKeyHash, proof};
use rustls::NamedGroup;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Client, Room, World, soon};
use crate::tls::{connect, self_made};

#[tokio::test(flavor = "multi_thread")]
async fn the_welcome_covers_the_certificate_that_was_seen() {
    let world = World::with(self_made);
    let (stream, seen) = connect(&world).await;
    let group = stream.get_ref().1.negotiated_key_exchange_group().unwrap().name();
    assert_eq!(group, NamedGroup::X25519MLKEM768, "post-quantum key exchange comes first");
    let mut client = Client::open(stream).await;
    let welcome = &client.welcome;
    assert_eq!(RelayKeyHash::of(&welcome.relay_key), world.relay.key_hash());
    assert_eq!(welcome.certificate, Some(seen));
    let message = proof::welcome(&client.challenge, &welcome.nonce, welcome.time, Some(&seen));
    let key = VerifyingKey::from_bytes(&welcome.relay_key.0).unwrap();
    key.verify_strict(&message, &Signature::from_bytes(&welcome.signature.0)).unwrap();

    let room = Room::new(1);
    client.create(&room).await;
    client.attach(&room, 0).await;
    let body = vec![5; 48 << 10];
    for id in 0..50 {
        client.append(&room, id, &body).await.unwrap();
    }
    let (stream, again) = connect(&world).await;
    assert_eq!(again, seen);
    let (records, _) = Client::open(stream).await.catch_up(&room, 0).await;
    assert!(records.len() == 50 && records.iter().all(|(_, b)| *b == body));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_keeps_the_certificate() {
    let world = World::with(self_made);
    let (_, before) = connect(&world).await;
    let world = world.restart(self_made).await;
    let (_, after) = connect(&world).await;
    assert_eq!(before, after);
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_bytes_at_a_tls_door_are_turned_away() {
    let world = World::with(self_made);
    let mut socket = TcpStream::connect(world.relay.address()).await.unwrap();
    socket.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = soon(socket.read_to_end(&mut answer)).await;
    assert!(!answer.starts_with(b"HTTP"), "nothing is said in the clear");
    world.until("estoile_handshakes", 0).await;
    let (stream, _) = connect(&world).await;
    Client::open(stream).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_says_goodbye_through_tls() {
    let world = World::with(self_made);
    let (stream, _) = connect(&world).await;
    let mut client = Client::open(stream).await;
    world.relay.shutdown().await.unwrap();
    let ended = client.ended().await;
    assert_eq!((ended.closing, ended.code), (Some(estoile_wire::Refusal::Closing), Some(1001)));
}
