//! A history in parts.

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::*;

fn message(n: u8, text: &str, ttl: Option<u32>) -> Message {
    Message {
        hash: [n; 32],
        sender: PublicKey([1; 32]),
        account: [2; 32],
        name: "Anna".to_owned(),
        text: text.to_owned(),
        sent_at: u64::MAX,
        ttl,
        place: (u64::MAX, u32::MAX),
        seen: u32::MAX,
    }
}

fn whose() -> (AccountId, PublicKey) {
    (AccountId([5; 32]), PublicKey([6; 32]))
}

#[test]
fn a_part_opens_in_its_place_alone() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let key = HistoryKey::generate(&mut rng);
    let rooms = vec![
        RoomPast { log: LogId([1; 32]), messages: vec![message(1, "new", None), message(2, "old", Some(60))] },
        RoomPast { log: LogId([2; 32]), messages: vec![] },
    ];
    let (account, device) = whose();
    let sealed = key.seal((&account, &device), 1, &rooms, &mut rng);
    assert!(key.open((&account, &device), 1, &sealed) == Ok(rooms.clone()));
    assert!(RoomPast::decode(&rooms[0].encode()).as_ref() == Ok(&rooms[0]));
    let other = HistoryKey::generate(&mut rng);
    let no = Some(HistoryError::Seal);
    assert_eq!(key.open((&account, &device), 0, &sealed).err(), no);
    assert_eq!(key.open((&account, &PublicKey([7; 32])), 1, &sealed).err(), no);
    assert_eq!(key.open((&AccountId([7; 32]), &device), 1, &sealed).err(), no);
    assert_eq!(other.open((&account, &device), 1, &sealed).err(), no);
    for at in [0, 10, sealed.len() - 1] {
        let mut altered = sealed.clone();
        altered[at] ^= 1;
        assert_eq!(key.open((&account, &device), 1, &altered).err(), no);
    }
    assert_eq!(key.open((&account, &device), 1, &vec![1; MAX_SEALED_PART + 1]).err(), no);
}

#[test]
fn parts_are_full_and_no_longer_than_they_may_be() {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let text = "x".repeat(20_000);
    // Over the cap, in rooms that take turns, and one with a name that is none.
    let many = (0..300_u16).map(|n| {
        let mut message = message(n.to_be_bytes()[1], &text, None);
        if n == 7 {
            message.name = "a\nb".to_owned();
        }
        (LogId([n.to_be_bytes()[1] % 40; 32]), message)
    });
    let (made, count) = parts(many);
    assert_eq!(made.len(), MAX_PARTS);
    let inside: usize = made.iter().flatten().map(|room| room.messages.len()).sum();
    assert_eq!(inside as u64, count);
    assert!((190..=208).contains(&count), "{count}");
    let (account, device) = whose();
    let key = HistoryKey::generate(&mut rng);
    for (number, part) in (0_u8..).zip(&made) {
        let sealed = key.seal((&account, &device), number, part, &mut rng);
        assert!(sealed.len() <= MAX_SEALED_PART, "{}", sealed.len());
        assert!(key.open((&account, &device), number, &sealed).as_ref() == Ok(part));
    }
    assert!(parts(Vec::new()) == (Vec::new(), 0));
}

#[test]
fn a_message_costs_no_more_than_is_counted() {
    let one = message(1, "text", Some(u32::MAX));
    let room = RoomPast { log: LogId([1; 32]), messages: vec![one.clone()] };
    assert!(room.encode().len() <= one.cost() + ROOM_COST);
}
