//! A busy relay whose log is open at `trace`, libraries and all: nothing of what its users are, have or say may be found
//! in the log or in the relay's folder, in plain, hex or base64. The relay's own listen address is the one exception.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::cast_possible_truncation,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking"
)]

#[path = "relay/holder.rs"]
#[allow(dead_code, reason = "shared with the other tests")]
mod holder;
#[path = "relay/support.rs"]
#[allow(dead_code, reason = "shared with the other tests")]
mod support;
#[path = "relay/tls.rs"]
mod tls;

use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use estoile_relay::log::LIBRARY_LEVELS;
use estoile_wire::Id16;
use estoile_wire::id::{BlobHash, LogKind};
use holder::{Holder, secret, ticket};
use support::*;
use tokio::net::TcpStream;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// What must not be found: a name for it, and its bytes.
struct Secret(&'static str, Vec<u8>);

/// Where this secret stands in these bytes, however it is spelt.
fn find(secret: &Secret, hay: &[u8]) -> Option<String> {
    let Secret(name, bytes) = secret;
    let mut spellings = vec![bytes.clone()];
    spellings.push(HEXLOWER.encode(bytes).into_bytes());
    spellings.push(HEXUPPER.encode(bytes).into_bytes());
    // As `Debug` prints a list of bytes.
    spellings.push(format!("{bytes:?}").trim_matches(['[', ']']).to_owned().into_bytes());
    // In the middle of a longer text base64 spells the same bytes in three ways; what is cut off is what its neighbours
    // change.
    for shift in 0..3 {
        let shifted = [vec![0; shift], bytes.clone()].concat();
        let whole = &shifted[..shifted.len() / 3 * 3];
        for text in [BASE64.encode(whole), BASE64URL.encode(whole)] {
            let skip = [0, 2, 3][shift];
            spellings.push(text.as_bytes()[skip..].to_vec());
        }
    }
    spellings.push(BASE64_NOPAD.encode(bytes).into_bytes());
    spellings.retain(|s| s.len() >= 6);
    let at = spellings.iter().find(|s| hay.windows(s.len()).any(|window| window == s.as_slice()))?;
    Some(format!("{name} as {}", String::from_utf8_lossy(at)))
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
    found
}

async fn talk<S>(mut ann: Client<S>, mut ben: Client<S>, room: &Room) -> Vec<Secret>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    ann.create(room).await;
    ann.attach(room, 0).await;
    ben.attach(room, 0).await;
    let mut secrets = Vec::new();
    for id in 0..200 {
        let body = format!("plain words no {id} of Annabella to Benedict in the Rose Garden").into_bytes();
        ann.append(room, id, &body).await.unwrap();
        ben.record().await;
        if id < 5 {
            secrets.push(Secret("a body", body));
        }
    }
    ben.signal(room, b"a signal: Benedict is typing").await;
    // Refusals of every cheap kind.
    let _ = ann.append(&Room::new(99), 1, b"into the wrong room").await;
    ann.send_attach(&Room::new(98), 0).await;
    secrets.push(Secret("a nonce", ann.welcome.nonce.0.to_vec()));
    secrets.push(Secret("a challenge", ann.challenge.0.to_vec()));
    ann.socket.close(None).await.unwrap();
    ann.ended().await;
    ben.socket.close(None).await.unwrap();
    ben.ended().await;
    secrets
}

/// Strangers who post, take, and put and get a blob.
async fn strangers(world: &World) -> Vec<Secret> {
    let (mailbox, shelf) = (Holder::new(LogKind::Fixed, 51), Holder::new(LogKind::Shelf, 52));
    let mut owner = world.client().await;
    for log in [&mailbox, &shelf] {
        owner.found(log, 0).await;
        owner.set_tickets(log, vec![ticket(0x5a, 3)]).await;
    }
    owner.fill(&shelf, 0x5b, &[b"plain words no item of Annabella"], None).await;
    let mut stranger = world.client().await;
    stranger.post(&mailbox, 0x5a, 0x5c, b"plain words no post of Benedict").await.unwrap();
    stranger.take(&shelf, 0x5a).await.unwrap();
    let bytes = b"plain words no blob of Benedict";
    let grant = stranger.ask_blob(&mailbox, bytes, None, Some(0x5a)).await.unwrap();
    let (hash, token) = (BlobHash::of(bytes), BASE64URL_NOPAD.encode(&grant.token.0));
    let path = format!("/v1/blob/{} HTTP/1.1\r\nHost: x\r\n", HEXLOWER.encode(&hash.0));
    let head = format!("PUT {path}Authorization: Bearer {token}\r\nContent-Length: {}\r\n\r\n", bytes.len());
    let put = http(world.relay.address(), &format!("{head}{}", std::str::from_utf8(bytes).unwrap())).await;
    assert!(put.contains(" 200 "), "{put}");
    assert!(http(world.relay.address(), &format!("GET {path}\r\n")).await.contains("no blob of Benedict"));
    vec![
        Secret("a ticket", secret(0x5a).0.to_vec()),
        Secret("a ticket's hash", secret(0x5a).hash().0.to_vec()),
        Secret("a slot", vec![0x5b; 16]),
        Secret("a post's id", vec![0x5c; 16]),
        Secret("a blob's address", hash.0.to_vec()),
        Secret("a blob's token", grant.token.0.to_vec()),
        Secret("a mailbox", mailbox.log.0.to_vec()),
        Secret("a shelf", shelf.log.0.to_vec()),
    ]
}

fn secrets(room: &Room) -> Vec<Secret> {
    vec![
        Secret("a plaintext", b"plain words no".to_vec()),
        Secret("a name", b"Annabella".to_vec()),
        Secret("another name", b"Benedict".to_vec()),
        Secret("the room's name", b"Rose Garden".to_vec()),
        Secret("a signal", b"is typing".to_vec()),
        Secret("the access key's secret", room.key.to_bytes().to_vec()),
        Secret("the access key", room.access_key().0.to_vec()),
        Secret("the log's id", room.log.0.to_vec()),
        Secret("a letter's id", Id16([0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0]).0.to_vec()),
        Secret("a header of the client", b"Vixen-Agent".to_vec()),
        Secret("a path", b"/rose-garden-path".to_vec()),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_said_at_any_level() {
    let lines = Lines::default();
    let mut targets = Targets::new().with_default(LevelFilter::TRACE);
    for (target, level, _) in LIBRARY_LEVELS {
        targets = targets.with_target(*target, *level);
    }
    // The clients' half of this process prints what it sends.
    for target in ["tungstenite", "tokio_tungstenite", "rustls::client"] {
        targets = targets.with_target(target, LevelFilter::OFF);
    }
    let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(lines.clone());
    tracing_subscriber::registry().with(targets).with(layer).init();

    let world = World::new();
    let room = Room::new(41);
    let (ann, ben) = (world.client().await, world.client().await);
    let peers = [ann.socket.get_ref().local_addr().unwrap(), ben.socket.get_ref().local_addr().unwrap()];
    let mut forbidden = secrets(&room);
    forbidden.extend(talk(ann, ben, &room).await);
    forbidden.extend(strangers(&world).await);
    let request = format!(
        "GET /rose-garden-path HTTP/1.1\r\nHost: {}\r\nUser-Agent: Vixen-Agent\r\nConnection: close\r\n\r\n",
        world.relay.address()
    );
    assert!(http(world.relay.address(), &request).await.contains(" 404 "));
    drop(TcpStream::connect(world.relay.address()).await.unwrap());
    let plain = ended(world).await;

    let world = World::with(tls::self_made);
    let ((ann, _), (ben, _)) = (tls::connect(&world).await, tls::connect(&world).await);
    let (ann, ben) = (Client::open(ann).await, Client::open(ben).await);
    forbidden.extend(talk(ann, ben, &Room::new(41)).await);
    let secure = ended(world).await;

    let log = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    for word in ["session opened", "frame received", "refused", "committed", &plain, &secure] {
        assert!(log.contains(word), "no {word} in {log}");
    }
    forbidden.push(Secret("the host that a client asked for", b"relay.example".to_vec()));
    for secret in &forbidden {
        assert_eq!(find(secret, log.as_bytes()), None, "in {log}");
    }
    for peer in peers {
        assert!(!log.contains(&peer.to_string()), "a peer's address");
    }
}

/// Ends a relay, and searches what it leaves on the disk. Gives back its address.
async fn ended(world: World) -> String {
    world.until("estoile_sessions", 0).await;
    let World { relay, folder } = world;
    let address = relay.address().to_string();
    relay.shutdown().await.unwrap();
    // Logs are found by their ids and opened by their access keys, which are public ones: the disk holds both. It holds
    // no plaintext even of these bodies, which no client has sealed.
    let found = |s: &&Secret| !matches!(s.0, "the access key" | "the log's id");
    for (path, bytes) in files(folder.path()) {
        for secret in secrets(&Room::new(41)).iter().filter(found) {
            assert_eq!(find(secret, &bytes), None, "in {path}");
        }
    }
    address
}

#[test]
fn one_module_alone_can_log() {
    let sources = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let talkers = |(path, source): (String, Vec<u8>)| {
        let talks = String::from_utf8(source).unwrap().contains("tracing::");
        talks.then(|| path.rsplit("/src/").next().unwrap().to_owned())
    };
    assert_eq!(sources.into_iter().filter_map(talkers).collect::<Vec<_>>(), ["log.rs"]);
}

#[test]
fn the_search_finds_every_spelling() {
    let secret = Secret("it", b"Annabella".to_vec());
    for hay in [
        b"..Annabella..".to_vec(),
        HEXLOWER.encode(b"x Annabella y").into_bytes(),
        BASE64.encode(b"Annabella").into_bytes(),
        BASE64.encode(b"x Annabella and more").into_bytes(),
        BASE64.encode(b"xy Annabella and more").into_bytes(),
        BASE64URL.encode(b"by Annabella").into_bytes(),
        format!("{:?}", b"Annabella").into_bytes(),
    ] {
        assert!(find(&secret, &hay).is_some(), "{}", String::from_utf8_lossy(&hay));
    }
    assert_eq!(find(&secret, b"Anna and Bella"), None);
}
