//! Announcements, believed and not.

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::*;
use crate::account::recovery::Recovery;

fn device() -> SenderKey {
    SenderKey::from_seed(&[0xa; 32])
}

/// A private room's; its mover is the account of nines' neighbour.
pub(crate) fn announcement() -> Announcement {
    Announcement {
        from: MovedFrom { log: LogId([1; 32]), epoch: 41 },
        check: [2; 16],
        relay: format!("https://relay.example.org:7070/#e//{}", "A".repeat(43)).parse().unwrap(),
        log: LogId([3; 32]),
        door: account::Door { log: LogId([4; 32]), ticket: TicketSecret::from_bytes([5; 32]) },
        name: "Study".to_owned(),
        suite: 0x004e,
        people: vec![AccountId([6; 32]), AccountId([7; 32])],
        link: None,
        by: AccountId([6; 32]),
        chain: None,
        sent_at: 1_760_000_000_123,
    }
}

/// A quick room's.
fn quick() -> Announcement {
    let root = Recovery::generate(&mut ChaCha20Rng::seed_from_u64(1)).root();
    let chain = Chain::create(&root, &device(), 1_760_000_000_000);
    let from = MovedFrom { log: LogId([1; 32]), epoch: 0 };
    let (by, check, link) = (chain.id(), [0; 16], Some([8; 8]));
    Announcement { from, check, people: vec![], link, by, chain: Some(chain), ..announcement() }
}

#[test]
fn members_believe_a_device_of_the_mover() {
    let signed = announcement().sign(&device()).unwrap();
    let mover = Leaf { account: AccountId([6; 32]), device: device().public() };
    assert!(Announcement::open_among(&signed, &[mover]).unwrap() == announcement());
    let other = Leaf { device: PublicKey([9; 32]), ..mover };
    assert_eq!(Announcement::open_among(&signed, &[other]).err(), Some(MoveError::Device));
    for at in 0..signed.len() {
        let mut altered = signed.clone();
        altered[at] ^= 1;
        assert_eq!(Announcement::open_among(&altered, &[mover]).err(), Some(MoveError::Signature), "byte {at}");
    }
    assert_eq!(Announcement::open_with_chain(&signed).err(), Some(MoveError::Malformed), "it brings no chain");
}

#[test]
fn a_quick_rooms_people_believe_the_chain_that_it_brings() {
    let sent = quick();
    let content = content(sent.sign(&device()).unwrap(), [1; 16]);
    let read = Content::decode(&content.encode()).unwrap();
    assert!(announced(&read) == Some(sent.clone()));
    let mallory = SenderKey::from_seed(&[0xe; 32]);
    let forged = sent.sign(&mallory).unwrap();
    assert_eq!(Announcement::open_with_chain(&forged).err(), Some(MoveError::Device));
    assert!(announced(&self::content(forged, [1; 16])).is_none());
    let other = Announcement { by: AccountId([6; 32]), ..sent };
    assert_eq!(Announcement::open_with_chain(&other.sign(&device()).unwrap()).err(), Some(MoveError::Device));
    assert!(announced(&crate::mimi::text("hello", [1; 16])).is_none());
    assert!(content.text().contains(MEDIA_TYPE), "who can't read it is told what came: {}", content.text());
}

#[test]
fn an_announcement_has_bounds() {
    let people = |count: u8| (0..count).map(|n| AccountId([n; 32])).collect();
    let signed = |a: Announcement| a.sign(&device());
    let largest = Announcement { people: people(250), ..quick() };
    assert!(signed(largest).unwrap().len() <= MAX_ANNOUNCEMENT);
    assert_eq!(signed(Announcement { people: people(251), ..quick() }).err(), Some(MoveError::Bounds));
    let doubled = vec![AccountId([1; 32]); 2];
    assert_eq!(signed(Announcement { people: doubled, ..announcement() }).err(), Some(MoveError::Bounds));
    assert_eq!(signed(Announcement { name: String::new(), ..announcement() }).err(), Some(MoveError::Bounds));
    assert_eq!(Announcement::open_among(&[0; MAX_ANNOUNCEMENT + 1], &[]).err(), Some(MoveError::Malformed));
}

#[test]
fn signed_nonsense_is_refused_or_reads_as_it_is_written() {
    use rand_core::Rng;
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    for body in [announcement().body(), quick().body()] {
        for _ in 0..5_000 {
            let mut altered = body.clone();
            for _ in 0..1 + rng.next_u64() % 3 {
                let at = usize::try_from(rng.next_u64()).unwrap() % body.len();
                altered[at] = rng.next_u64().to_le_bytes()[0];
            }
            if let Ok(read) = read(&altered) {
                assert!(read.body() == altered);
            }
        }
    }
}
