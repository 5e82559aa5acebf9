//! Epochs, tickets and shelves over real sockets, and through relays that die.

use estoile_wire::Refusal;
use estoile_wire::id::LogKind;

use crate::holder::{Holder, secret, ticket};
use crate::support::{Client, World, start};

/// What a killed relay leaves: nothing is closed, flushed or said.
async fn kill(world: World) -> World {
    let World { folder, relay } = world;
    // The image of the disk at this moment, as a killed process leaves it.
    let image = tempfile::tempdir().unwrap();
    copy(folder.path(), image.path());
    drop(relay);
    let relay = start(&image, |_| {});
    World { folder: image, relay }
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Walks from the first epoch to the present; gives every record.
async fn walk<S>(client: &mut Client<S>, room: &Holder, through: u64) -> Vec<(u64, u64, bool, Vec<u8>)>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let (mut epoch, mut after, mut all) = (0, 0, Vec::new());
    client.enter(room, epoch, after).await.unwrap();
    loop {
        match client.step().await {
            Ok(got) => {
                after = got.0;
                let ends = got.2 && got.1 == epoch;
                all.push(got);
                if ends {
                    epoch += 1;
                    client.enter(room, epoch, after).await.unwrap();
                }
            }
            Err(_) if epoch == through => return all,
            Err(live) => panic!("live in epoch {epoch}: {live:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_epoch_opens_what_lies_before_its_end_and_nothing_more() {
    let world = World::new();
    let room = Holder::new(LogKind::Advancing, 1);
    let mut ann = world.client().await;
    ann.found(&room, 0).await;
    ann.enter(&room, 0, 0).await.unwrap();
    let mut ben = world.client().await;
    ben.enter(&room, 0, 0).await.unwrap();
    ben.step().await.unwrap_err();
    for epoch in 0..20_u8 {
        let at = u64::from(epoch);
        ann.write(&room, 2 * epoch, at, false, b"a letter").await.unwrap();
        ann.write(&room, 2 * epoch + 1, at, true, b"a commit").await.unwrap();
        ann.enter(&room, at + 1, u64::MAX).await.unwrap();
    }
    // Who stayed at the first epoch got its end, live, and not one record more.
    assert_eq!(ben.step().await.unwrap().3, b"a letter");
    assert!(ben.step().await.unwrap().2);
    let refused = ben.write(&room, 99, 0, false, b"too late").await.unwrap_err();
    assert!(matches!(refused.code, Refusal::StaleEpoch | Refusal::NotAttached), "{refused:?}");
    // A race has one winner.
    let lost = ann.write(&room, 98, 19, true, b"another commit of an old epoch").await.unwrap_err();
    assert_eq!((lost.code, lost.limit), (Refusal::StaleEpoch, Some(20)));
    // The wrong key opens nothing.
    let stranger = Holder { log: room.log, ..Holder::new(LogKind::Advancing, 2) };
    assert_eq!(ben.enter(&stranger, 3, 0).await.unwrap_err().code, Refusal::BadProof);
    assert_eq!(ben.enter(&room, 21, 0).await.unwrap_err().code, Refusal::StaleEpoch);

    // Killed and started again, everybody walks from the first epoch to the present.
    let world = kill(world).await;
    let mut cem = world.client().await;
    let all = walk(&mut cem, &room, 20).await;
    assert_eq!(all.len(), 40);
    assert!(all.iter().zip(0..).all(|((_, epoch, commit, _), n)| (*epoch, *commit) == (n / 2, n % 2 == 1)));
    cem.write(&room, 97, 20, false, b"in the present").await.unwrap();
    assert_eq!(cem.step().await.unwrap().3, b"in the present");
}

#[tokio::test(flavor = "multi_thread")]
async fn tickets_let_strangers_post_as_often_as_they_say() {
    let world = World::new();
    let mailbox = Holder::new(LogKind::Fixed, 3);
    let mut owner = world.client().await;
    owner.found(&mailbox, 0).await;
    owner.enter(&mailbox, 0, 0).await.unwrap();
    owner.step().await.unwrap_err();
    owner.set_tickets(&mailbox, vec![ticket(1, 2), ticket(2, 100)]).await;
    let mut stranger = world.client().await;
    assert_eq!(stranger.post(&mailbox, 9, 1, b"x").await.unwrap_err().code, Refusal::BadTicket);
    let first = stranger.post(&mailbox, 1, 1, b"hello").await.unwrap();
    assert_eq!(owner.step().await.unwrap(), (first.cursor, 0, false, b"hello".to_vec()));
    assert_eq!(stranger.post(&mailbox, 1, 1, b"hello").await.unwrap().cursor, first.cursor, "a repeat");
    stranger.post(&mailbox, 1, 2, b"again").await.unwrap();
    let used = stranger.post(&mailbox, 1, 3, b"and again").await.unwrap_err();
    assert_eq!(used.code, Refusal::TicketUsedUp);
    stranger.post(&mailbox, 2, 4, b"another ticket is not touched").await.unwrap();
    // Replaced, and still so after a crash.
    owner.set_tickets(&mailbox, vec![ticket(2, 100), ticket(5, 1)]).await;
    assert_eq!(stranger.post(&mailbox, 1, 5, b"x").await.unwrap_err().code, Refusal::BadTicket);
    let world = kill(world).await;
    let mut stranger = world.client().await;
    assert_eq!(stranger.post(&mailbox, 1, 6, b"x").await.unwrap_err().code, Refusal::BadTicket);
    stranger.post(&mailbox, 5, 7, b"x").await.unwrap();
    assert_ne!(secret(1).hash().0, secret(1).0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shelf_gives_each_item_once_also_across_crashes() {
    let mut world = World::new();
    let shelf = Holder::new(LogKind::Shelf, 4);
    let mut owner = world.client().await;
    owner.found(&shelf, 0).await;
    owner.set_tickets(&shelf, vec![ticket(1, 1_000)]).await;
    let items: Vec<Vec<u8>> = (0..12).map(|n| format!("item {n}").into_bytes()).collect();
    let items: Vec<&[u8]> = items.iter().map(Vec::as_slice).collect();
    owner.fill(&shelf, 1, &items, Some(b"last of one")).await;
    let counted = owner.fill(&shelf, 2, &items[..4], None).await;
    let left = |counted: &estoile_wire::frame::Counted| -> Vec<u64> { counted.slots.iter().map(|s| s.left).collect() };
    assert_eq!(left(&counted).iter().sum::<u64>(), 16);
    // An item that is there is not added twice.
    let counted = owner.fill(&shelf, 2, &items[..4], None).await;
    assert_eq!(left(&counted).iter().sum::<u64>(), 16);

    let mut given = Vec::new();
    for round in 0..4 {
        let mut taker = world.client().await;
        assert_eq!(taker.take(&shelf, 9).await.unwrap_err(), Refusal::BadTicket);
        for _ in 0..3 {
            given.extend(taker.take(&shelf, 1).await.unwrap());
        }
        let mut owner = world.client().await;
        let counted = owner.count(&shelf).await;
        let expected = 12 - (round + 1) * 3 + 4_u64.saturating_sub((round + 1) * 3);
        assert_eq!(left(&counted).iter().sum::<u64>(), expected, "round {round}");
        world = kill(world).await;
    }
    assert!(given.iter().all(|(.., last)| !last));
    let distinct: std::collections::BTreeSet<_> = given.iter().map(|(slot, item, _)| (*slot, item.clone())).collect();
    assert_eq!((given.len(), distinct.len()), (16, 16), "each item once");
    let mut taker = world.client().await;
    for _ in 0..3 {
        assert_eq!(taker.take(&shelf, 1).await.unwrap(), [(1, b"last of one".to_vec(), true)]);
    }
}
