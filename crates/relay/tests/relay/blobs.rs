//! Blobs over real sockets: uploads that break off, wrong bytes, quotas, time, and peers who come and never finish.

use std::fmt::Write as _;
use std::time::Duration;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use estoile_hub::blobs::BLOB_OVERHEAD;
use estoile_wire::Refusal;
use estoile_wire::frame::BlobGrant;
use estoile_wire::id::{BlobHash, LogKind};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::holder::{Holder, ticket};
use crate::support::{Client, World, soon};
use crate::tls;

fn content(size: usize) -> Vec<u8> {
    (0..size).map(|at| u8::try_from(at * 31 % 251).unwrap()).collect()
}

/// An answer: its status, its head, its body.
#[derive(Debug, PartialEq)]
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// Sends a request and reads what comes back, until the end.
async fn ask<S: AsyncRead + AsyncWrite + Unpin>(mut socket: S, head: &str, body: &[u8]) -> Answer {
    soon(async {
        // What was refused before it was read may be reset.
        let _ = socket.write_all(head.as_bytes()).await;
        let _ = socket.write_all(body).await;
        let mut all = Vec::new();
        let _ = socket.read_to_end(&mut all).await;
        let end = all.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer") + 4;
        let body = all.split_off(end);
        let head = String::from_utf8(all).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head, body }
    })
    .await
}

fn path(hash: &BlobHash) -> String {
    format!("/v1/blob/{}", HEXLOWER.encode(&hash.0))
}

fn put_head(bytes: &[u8], grant: &BlobGrant, from: usize, to: usize) -> String {
    let (path, token, size) = (path(&BlobHash::of(bytes)), BASE64URL_NOPAD.encode(&grant.token.0), bytes.len());
    let mut head = format!("PUT {path} HTTP/1.1\r\nHost: relay\r\nAuthorization: Bearer {token}\r\n");
    write!(head, "Content-Range: bytes {from}-{}/{size}\r\nContent-Length: {}\r\n\r\n", to - 1, to - from).unwrap();
    head
}

async fn connect(world: &World) -> TcpStream {
    TcpStream::connect(world.relay.address()).await.unwrap()
}

async fn put(world: &World, bytes: &[u8], grant: &BlobGrant, from: usize, to: usize) -> Answer {
    ask(connect(world).await, &put_head(bytes, grant, from, to), &bytes[from..to]).await
}

async fn get(world: &World, hash: &BlobHash, more: &str) -> Answer {
    ask(connect(world).await, &format!("GET {} HTTP/1.1\r\nHost: relay\r\n{more}\r\n", path(hash)), b"").await
}

/// A log and somebody attached to it.
async fn room(world: &World, quota: u64) -> (Holder, Client<TcpStream>) {
    let room = Holder::new(LogKind::Fixed, 7);
    let mut client = world.client().await;
    client.found(&room, quota).await;
    client.enter(&room, 0, 0).await.unwrap();
    (room, client)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_is_got_in_parts_too() {
    let world = World::new();
    let (room, mut client) = room(&world, 0).await;
    let bytes = content(1_000_000);
    let hash = BlobHash::of(&bytes);
    assert_eq!(get(&world, &hash, "").await.status, 404);
    let grant = client.ask_blob(&room, &bytes, None, None).await.unwrap();
    assert_eq!(grant.received, 0);
    let answer = put(&world, &bytes, &grant, 0, bytes.len()).await;
    assert_eq!((answer.status, answer.text()), (200, "1000000"));
    for world in [world.restart(|_| {}).await] {
        let got = get(&world, &hash, "").await;
        assert!(got.status == 200 && got.body == bytes);
        let part = get(&world, &hash, "Range: bytes=70000-140001\r\n").await;
        assert_eq!((part.status, part.body), (206, bytes[70_000..=140_001].to_vec()));
        assert!(part.head.contains("content-range: bytes 70000-140001/1000000\r\n"), "{}", part.head);
        assert_eq!(get(&world, &hash, "Range: bytes=-3\r\n").await.body, bytes[999_997..]);
        let beyond = get(&world, &hash, "Range: bytes=1000000-\r\n").await;
        assert_eq!(beyond.status, 416);
        let head = ask(connect(&world).await, &format!("HEAD {} HTTP/1.1\r\nHost: r\r\n\r\n", path(&hash)), b"").await;
        assert!(head.status == 200 && head.body.is_empty() && head.head.contains("content-length: 1000000\r\n"));
        // What is here is not to be put again.
        let mut client = world.client().await;
        client.enter(&room, 0, 0).await.unwrap();
        assert_eq!(client.ask_blob(&room, &bytes, Some(60), None).await.unwrap().received, 1_000_000);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_was_cut_goes_on_where_it_stopped() {
    let world = World::new();
    let (room, mut client) = room(&world, 0).await;
    let bytes = content(3_000_000);
    let grant = client.ask_blob(&room, &bytes, None, None).await.unwrap();
    let mut socket = connect(&world).await;
    socket.write_all(put_head(&bytes, &grant, 0, bytes.len()).as_bytes()).await.unwrap();
    socket.write_all(&bytes[..1_500_000]).await.unwrap();
    drop(socket);
    // The cable is back: whoever asks hears how much arrived.
    let mut received = 0;
    soon(async {
        while received == 0 {
            received = client.ask_blob(&room, &bytes, None, None).await.unwrap().received;
        }
    })
    .await;
    assert!(received <= 1_500_000, "{received}");
    let grant = client.ask_blob(&room, &bytes, None, None).await.unwrap();
    let wrong = put(&world, &bytes, &grant, 2_999_999, 3_000_000).await;
    assert_eq!(wrong.status, 409);
    let mut from: usize = wrong.text().parse().unwrap();
    // In pieces of awkward sizes.
    for to in [from + 1, from + 10_001, from + 300_000, 3_000_000] {
        let answer = put(&world, &bytes, &grant, from, to).await;
        assert_eq!((answer.status, answer.text()), (200, to.to_string().as_str()));
        from = to;
    }
    assert!(get(&world, &BlobHash::of(&bytes), "").await.body == bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_was_granted_is_taken() {
    let world = World::new();
    let (room, mut client) = room(&world, 0).await;
    let bytes = content(50_000);
    let grant = client.ask_blob(&room, &bytes, None, None).await.unwrap();
    let other = content(40_000);
    let theirs = client.ask_blob(&room, &other, None, None).await.unwrap();
    assert_eq!(put(&world, &bytes, &theirs, 0, 50_000).await.status, 401, "the token is another blob's");
    let head = put_head(&bytes, &grant, 0, 50_000);
    let bare = head.replace("Authorization", "X-Authorization");
    assert_eq!(ask(connect(&world).await, &bare, &bytes).await.status, 401);
    assert_eq!(ask(connect(&world).await, &head.replace("/50000", "/60000"), &bytes).await.status, 400);
    let mut wrong = bytes.clone();
    wrong[49_999] ^= 1;
    assert_eq!(ask(connect(&world).await, &head, &wrong).await.status, 422);
    assert_eq!(get(&world, &BlobHash::of(&bytes), "").await.status, 404);
    assert_eq!(put(&world, &bytes, &grant, 0, 50_000).await.status, 401, "a wrong upload ends its grant");
    let grant = client.ask_blob(&room, &bytes, None, None).await.unwrap();
    assert_eq!(put(&world, &bytes, &grant, 0, 50_000).await.status, 200);
    // Who is neither attached nor has a ticket gets no grant; a ticket is one.
    let mut stranger = world.client().await;
    assert_eq!(stranger.ask_blob(&room, b"x", None, None).await.unwrap_err().code, Refusal::NotAttached);
    assert_eq!(stranger.ask_blob(&room, b"x", None, Some(1)).await.unwrap_err().code, Refusal::BadTicket);
    client.set_tickets(&room, vec![ticket(1, 1)]).await;
    stranger.ask_blob(&room, b"x", None, Some(1)).await.unwrap();
    assert_eq!(stranger.ask_blob(&room, b"y", None, Some(1)).await.unwrap_err().code, Refusal::TicketUsedUp);
}

#[tokio::test(flavor = "multi_thread")]
async fn blobs_count_in_their_logs_quota_until_they_are_over() {
    let world = World::new();
    let quota = 3 * (100_000 + BLOB_OVERHEAD);
    let (room, mut client) = room(&world, quota).await;
    let blob = |n: u8| {
        let mut bytes = content(100_000);
        bytes[0] = n;
        bytes
    };
    for n in 0..3 {
        // They live for an hour and a second: the clock of the test is not waited for.
        let grant = client.ask_blob(&room, &blob(n), Some(1), None).await.unwrap();
        assert_eq!(put(&world, &blob(n), &grant, 0, 100_000).await.status, 200);
    }
    let full = client.ask_blob(&room, &blob(9), Some(1), None).await.unwrap_err();
    assert_eq!(full.code, Refusal::LogFull);
    let letter = client.write(&room, 1, 0, false, &[0; 20_000]).await.unwrap_err();
    assert_eq!(letter.code, Refusal::LogFull);
    // Counted again after a restart.
    let world = world.restart(|_| {}).await;
    let mut client = world.client().await;
    client.enter(&room, 0, 0).await.unwrap();
    assert_eq!(client.ask_blob(&room, &blob(9), Some(1), None).await.unwrap_err().code, Refusal::LogFull);
    assert_eq!(world.metric("estoile_blobs").await, 3);
    assert_eq!(world.metric("estoile_blob_bytes").await, quota);
}

/// Two thousand who asked for a place, sent a little, and were never seen again.
#[tokio::test(flavor = "multi_thread")]
async fn abandoned_uploads_free_everything() {
    let world = World::with(|config| {
        config.blobs.idle = Duration::from_millis(300);
        config.blobs.unfinished = Duration::from_secs(4);
        config.blobs.max_uploads_a_log = 4_096;
        config.hub.asks.burst = 10_000;
    });
    let (room, mut client) = room(&world, 0).await;
    let mut sockets = Vec::new();
    for n in 0..2_000_u32 {
        let mut bytes = content(100_000);
        bytes[..4].copy_from_slice(&n.to_le_bytes());
        let grant = client.ask_blob(&room, &bytes, None, None).await.unwrap();
        if n % 20 == 0 {
            let mut socket = connect(&world).await;
            socket.write_all(put_head(&bytes, &grant, 0, bytes.len()).as_bytes()).await.unwrap();
            socket.write_all(&bytes[..70_000]).await.unwrap();
            sockets.push(socket);
        }
    }
    assert!(world.metric("estoile_blob_bytes").await > 0);
    // Nobody closes a socket, nobody says a word.
    world.until("estoile_blob_transfers", 0).await;
    world.until("estoile_blob_uploads", 0).await;
    world.until("estoile_blob_bytes", 0).await;
    let left = std::fs::read_dir(world.folder.path().join("blobs")).unwrap();
    let parts = left.filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|e| e == "part"));
    assert_eq!(parts.count(), 0);
    // And their log has its quota back: as much as it may hold fits in it.
    drop(sockets);
    let bytes = content(200_000);
    let grant = client.ask_blob(&room, &bytes, None, None).await.unwrap();
    assert_eq!(put(&world, &bytes, &grant, 0, bytes.len()).await.status, 200);
}

/// More transfers than may be at a time wait; who reads nothing is cut off, and they come in.
#[tokio::test(flavor = "multi_thread")]
async fn transfers_are_bounded_and_the_stuck_ones_end() {
    let world = World::with(|config| {
        config.blobs.max_transfers = 2;
        config.blobs.idle = Duration::from_millis(1_500);
    });
    let (room, mut client) = room(&world, 0).await;
    let bytes = content(20 << 20);
    let grant = client.ask_blob(&room, &bytes, None, None).await.unwrap();
    assert_eq!(put(&world, &bytes, &grant, 0, bytes.len()).await.status, 200);
    let hash = BlobHash::of(&bytes);
    let mut stuck = Vec::new();
    for _ in 0..2 {
        let mut socket = connect(&world).await;
        socket.write_all(format!("GET {} HTTP/1.1\r\nHost: r\r\n\r\n", path(&hash)).as_bytes()).await.unwrap();
        stuck.push(socket);
    }
    world.until("estoile_blob_transfers", 2).await;
    assert_eq!(get(&world, &hash, "").await.status, 503);
    world.until("estoile_blob_transfers", 0).await;
    assert!(get(&world, &hash, "").await.body == bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_carries_blobs_as_well() {
    let world = World::with(tls::self_made);
    let room = Holder::new(LogKind::Fixed, 8);
    let mut client = Client::open(tls::connect(&world).await.0).await;
    client.found(&room, 0).await;
    client.enter(&room, 0, 0).await.unwrap();
    let bytes = content(700_001);
    let grant = client.ask_blob(&room, &bytes, None, None).await.unwrap();
    let head = put_head(&bytes, &grant, 0, bytes.len());
    assert_eq!(ask(tls::connect(&world).await.0, &head, &bytes).await.status, 200);
    let head = format!("GET {} HTTP/1.1\r\nHost: r\r\n\r\n", path(&BlobHash::of(&bytes)));
    assert!(ask(tls::connect(&world).await.0, &head, b"").await.body == bytes);
}
