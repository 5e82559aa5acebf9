//! What sessions are for: making rooms, talking, catching up, and finding everything again after a restart.

use estoile_wire::frame::{Live, Ping, Signalled};
use estoile_wire::{ClientFrame, Refusal, RelayFrame};

use crate::support::{Room, World};

#[tokio::test(flavor = "multi_thread")]
async fn two_talk_in_a_room() {
    let world = World::new();
    let room = Room::new(1);
    let (mut ann, mut ben) = (world.client().await, world.client().await);
    let created = ann.create(&room).await;
    assert_eq!(created.log, room.log);
    assert_eq!(ann.catch_up(&room, 0).await, (vec![], Live { log: room.log, cursor: 0 }));
    ben.catch_up(&room, 0).await;
    let kept = ann.append(&room, 1, b"sealed: hello").await.unwrap();
    assert_eq!(ben.record().await, (kept.cursor, b"sealed: hello".to_vec()));
    let again = ann.append(&room, 1, b"sealed: hello, in another spelling").await.unwrap();
    assert_eq!((again.cursor, again.time), (kept.cursor, kept.time), "a letter is kept once");
    ben.signal(&room, b"sealed: typing").await;
    assert!(matches!(ann.next().await.get(), RelayFrame::Signalled(Signalled { body: b"sealed: typing", .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_creation_is_answered_like_the_first() {
    let world = World::new();
    let room = Room::new(2);
    let first = world.client().await.create(&room).await;
    let second = world.client().await.create(&room).await;
    assert_eq!((first.log, first.max_ttl, first.quota), (second.log, second.max_ttl, second.quota));
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_refused() {
    let world = World::new();
    let (room, other) = (Room::new(3), Room::new(4));
    let mut client = world.client().await;
    client.create(&room).await;
    let refused = |frame: RelayFrame<'_>| match frame {
        RelayFrame::Refused(refused) => refused.code,
        other => panic!("{other:?}"),
    };
    client.send_attach(&other, 0).await;
    assert_eq!(refused(client.next().await.get()), Refusal::NoSuchLog);
    // The right log under the wrong key.
    client.send_attach(&Room { key: other.key, log: room.log }, 0).await;
    assert_eq!(refused(client.next().await.get()), Refusal::BadProof);
    let error = client.append(&room, 1, b"unattached").await.unwrap_err();
    assert_eq!(error.code, Refusal::NotAttached);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_away_reads_every_page_and_then_follows() {
    const RECORDS: u64 = 1_500;
    let world = World::new();
    let room = Room::new(5);
    let mut ann = world.client().await;
    ann.create(&room).await;
    ann.attach(&room, 0).await;
    for id in 0..RECORDS {
        ann.send_append(&room, id, &id.to_be_bytes()).await;
    }
    let mut ben = world.client().await;
    // The first ones are read while the last ones are still on their way.
    ben.attach(&room, 0).await;
    let mut last = 0;
    for id in 0..RECORDS {
        let (cursor, body) = ben.record().await;
        assert!(cursor > last);
        assert_eq!(body, id.to_be_bytes());
        last = cursor;
    }
    let mut carl = world.client().await;
    let (records, live) = carl.catch_up(&room, 0).await;
    assert_eq!(records.len() as u64, RECORDS);
    assert_eq!(live.cursor, last);
    let (records, _) = world.client().await.catch_up(&room, last - 3).await;
    assert_eq!(records.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_kept_is_there_after_a_restart() {
    let world = World::new();
    let room = Room::new(6);
    let hash = world.relay.key_hash();
    let mut ann = world.client().await;
    ann.create(&room).await;
    ann.attach(&room, 0).await;
    let mut kept = Vec::new();
    for id in 0..20_u64 {
        let body = id.to_be_bytes().repeat(100);
        kept.push((ann.append(&room, id, &body).await.unwrap().cursor, body));
    }
    let world = world.restart(|_| {}).await;
    assert_eq!(world.relay.key_hash(), hash, "links stay good");
    let mut ben = world.client().await;
    assert_eq!(ben.catch_up(&room, 0).await.0, kept);
    let repeat = ben.append(&room, 7, &kept[7].1).await.unwrap();
    assert_eq!(repeat.cursor, kept[7].0, "a repeat is known after a restart, too");
    let fresh = ben.append(&room, 99, b"after").await.unwrap();
    assert!(fresh.cursor > kept[19].0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ping_is_answered_with_the_time() {
    let world = World::new();
    let mut client = world.client().await;
    client.send(ClientFrame::Ping(Ping { request: 77 })).await;
    match client.next().await.get() {
        RelayFrame::Pong(pong) => assert!(pong.request == 77 && pong.time >= client.welcome.time),
        other => panic!("{other:?}"),
    }
}
