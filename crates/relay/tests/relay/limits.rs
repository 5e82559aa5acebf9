//! Bounds, and bad input of the relay's own owner: each has a clear answer.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use estoile_relay::{Entry, Relay, RelayConfig, StartError};
use estoile_wire::{Refusal, RelayFrame};

use crate::support::{Client, Ended, Room, World, soon};

async fn creates<S>(client: &mut Client<S>, room: &Room, entry: Option<&[u8]>) -> Result<(), Refusal>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let frame = client.create_frame(room, entry.map(<[u8]>::to_vec));
    client.send(frame).await;
    match client.next().await.get() {
        RelayFrame::Created(_) => Ok(()),
        RelayFrame::Refused(refused) => Err(refused.code),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn creating_takes_the_entry_code_and_an_old_one_counts_no_longer() {
    let world = World::with(|config| config.entry = Entry::Required);
    let decode = |text: String| BASE64URL_NOPAD.decode(text.as_bytes()).unwrap();
    let code = decode(world.relay.entry_code().unwrap());
    let mut client = world.client().await;
    let room = Room::new(1);
    assert_eq!(creates(&mut client, &room, None).await, Err(Refusal::EntryNeeded));
    assert_eq!(creates(&mut client, &room, Some(b"guess")).await, Err(Refusal::EntryWrong));
    assert_eq!(creates(&mut client, &room, Some(&code)).await, Ok(()));
    let next = decode(world.relay.rotate_entry().unwrap().unwrap());
    assert_ne!(next, code);
    assert_eq!(creates(&mut client, &Room::new(2), Some(&code)).await, Err(Refusal::EntryWrong));
    assert_eq!(creates(&mut client, &Room::new(2), Some(&next)).await, Ok(()));
    client.attach(&room, 0).await;
    client.append(&room, 1, b"what the old code made, stays").await.unwrap();
    let world = world.restart(|config| config.entry = Entry::Required).await;
    assert_eq!(decode(world.relay.entry_code().unwrap()), next, "it survives a restart");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_off_loopback_asks_for_the_code_unless_it_is_open() {
    for (entry, asked) in [(Entry::ByAddress, true), (Entry::Open, false)] {
        let world = World::with(|config| {
            config.listen = "0.0.0.0:0".parse().unwrap();
            config.entry = entry;
        });
        assert_eq!(world.relay.entry_code().is_some(), asked);
        assert!(world.relay.is_secure() && world.relay.url().starts_with("https://"));
    }
    assert_eq!(World::new().relay.entry_code(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_appends_and_heals() {
    let world = World::new();
    let room = Room::new(3);
    let mut client = world.client().await;
    client.create(&room).await;
    client.attach(&room, 0).await;
    let kept = client.append(&room, 1, b"before").await.unwrap();
    let world = world.restart(|config| config.hub.max_disk = 1).await;
    let mut client = world.client().await;
    let (records, _) = client.catch_up(&room, 0).await;
    assert_eq!(records, [(kept.cursor, b"before".to_vec())], "reading goes on");
    assert_eq!(client.append(&room, 2, b"no room").await.unwrap_err().code, Refusal::DiskFull);
    assert_eq!(creates(&mut client, &Room::new(4), None).await, Err(Refusal::DiskFull));
    world.until("estoile_refusals_total{code=\"disk-full\"}", 2).await;
    let world = world.restart(|config| config.hub.max_records = 1).await;
    let mut client = world.client().await;
    client.attach(&room, 1 << 40).await;
    assert_eq!(client.append(&room, 2, b"one too many").await.unwrap_err().code, Refusal::DiskFull);
    let world = world.restart(|_| {}).await;
    let mut client = world.client().await;
    client.attach(&room, 1 << 40).await;
    client.append(&room, 2, b"room again").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn more_sessions_than_there_may_be_are_told_so() {
    let world = World::with(|config| config.hub.max_sessions = 2);
    assert_eq!(world.relay.capacity(), 2);
    let (first, _second) = (world.client().await, world.client().await);
    let socket = tokio::net::TcpStream::connect(world.relay.address()).await.unwrap();
    let mut third = crate::support::websocket(socket).await;
    let answer = crate::support::next_message(&mut third).await.unwrap();
    match RelayFrame::decode(&answer).unwrap() {
        RelayFrame::Closing(closing) => assert_eq!(closing.code, Refusal::TooManySessions),
        other => panic!("{other:?}"),
    }
    drop((first, third));
    world.until("estoile_sessions", 1).await;
    world.client().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_client_can_not_append_without_bound() {
    let world = World::with(|config| config.hub.appends = estoile_hub::config::Rate::per_second(5));
    let room = Room::new(5);
    let mut client = world.client().await;
    client.create(&room).await;
    client.attach(&room, 0).await;
    let mut refused = None;
    for id in 0..50 {
        if let Err(refusal) = client.append(&room, id, b"again").await {
            refused = Some(refusal);
            break;
        }
    }
    let refused = refused.expect("a bound");
    assert_eq!(refused.code, Refusal::RateLimited);
    tokio::time::sleep(Duration::from_millis(refused.wait_ms.unwrap())).await;
    client.append(&room, 99, b"after the wait it was told").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_leaves_the_disk() {
    let world = World::new();
    let room = Room::new(6);
    let mut client = world.client().await;
    client.create(&room).await;
    client.attach(&room, 0).await;
    let append = estoile_wire::ClientFrame::Append(estoile_wire::frame::Append {
        request: 1_000,
        log: room.log,
        id16: estoile_wire::Id16([1; 16]),
        epoch: 0,
        ttl: Some(1),
        body: b"for a second",
        advance: None,
    });
    client.send(append).await;
    client.record().await;
    world.until("estoile_expired_total", 1).await;
    assert_eq!(world.metric("estoile_records").await, 0);
    assert_eq!(client.catch_up(&room, 0).await.0, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_is_told_what_to_do() {
    let world = World::new();
    let start =
        |listen: &str, folder: &std::path::Path| Relay::start(RelayConfig::new(listen.parse().unwrap(), folder));
    let used = start("127.0.0.1:0", world.folder.path()).unwrap_err();
    assert!(matches!(used, StartError::InUse { .. }) && used.to_string().contains("--data"), "{used}");
    let other = tempfile::tempdir().unwrap();
    let taken = start(&world.relay.address().to_string(), other.path()).unwrap_err();
    assert!(matches!(taken, StartError::Listen { .. }) && taken.to_string().contains("--listen"), "{taken}");
    std::fs::write(other.path().join("relay.key"), b"damaged").unwrap();
    let damaged = start("127.0.0.1:0", other.path()).unwrap_err();
    assert!(damaged.to_string().contains("relay.key") && damaged.to_string().contains("restore"), "{damaged}");
    let file = other.path().join("a file");
    std::fs::write(&file, b"").unwrap();
    assert!(matches!(start("127.0.0.1:0", &file).unwrap_err(), StartError::Folder { .. }));
}

#[test]
fn a_runtime_of_one_thread_is_refused() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let config = RelayConfig::new("127.0.0.1:0".parse().unwrap(), folder.path());
    let error = runtime.block_on(async { Relay::start(config) }).unwrap_err();
    assert!(matches!(error, StartError::Runtime(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_relay_lives_through_a_lack_of_files() {
    // Many connections at once that never become sessions, more than may be on their way.
    let world = World::with(|config| {
        config.sockets.max_handshakes = 8;
        config.sockets.handshake = Duration::from_millis(300);
    });
    let mut idle = Vec::new();
    for _ in 0..40 {
        idle.push(tokio::net::TcpStream::connect(world.relay.address()).await.unwrap());
    }
    let mut client = soon(world.client()).await;
    client.socket.close(None).await.unwrap();
    assert_eq!(client.ended().await, Ended { closing: None, code: Some(1000) });
}
