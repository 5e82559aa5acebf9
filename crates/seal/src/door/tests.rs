//! Strangers, members and the relay at a door.

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::*;
use crate::account::RootKey;
use crate::account::recovery::Recovery;
use crate::moving::tests::announcement;
use crate::roster::Door;

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(3)
}

fn door(seed: u64) -> DoorKeys {
    DoorKeys::from(&Door::generate(&mut ChaCha20Rng::seed_from_u64(seed)))
}

fn device() -> SenderKey {
    SenderKey::from_seed(&[0xa; 32])
}

fn root() -> RootKey {
    Recovery::generate(&mut rng()).root()
}

fn knock() -> Knock {
    Knock {
        why: Why::Link([5; 8]),
        chain: Chain::create(&root(), &device(), 1_760_000_000_000),
        name: "Dora".to_owned(),
        device: device().public(),
        key_packages: vec![vec![1; 2_700], vec![2; 2_700]],
        answer: Answer {
            relay: format!("https://relay.example.org:7070/#e//{}", "A".repeat(43)).parse().unwrap(),
            mailbox: LogId([6; 32]),
            ticket: TicketSecret::from_bytes([7; 32]),
            hpke: vec![8; 1_216],
        },
        sent_at: 1_760_000_000_123,
    }
}

fn seal(knock: &Knock) -> Vec<u8> {
    knock.seal(&door(1).address(), &device(), &mut rng()).unwrap()
}

#[test]
fn members_read_who_knocks_and_why() {
    for why in [Why::Link([5; 8]), Why::Moved(LogId([9; 32])), Why::Back] {
        let knock = Knock { why, ..knock() };
        let body = seal(&knock);
        assert!(body.len() <= MAX_BODY);
        let opened = door(1).open(&[], &body).unwrap();
        assert!(opened == AtDoor::Knock(Box::new(knock.clone())));
        assert_eq!(knock.account(), knock.chain.id());
    }
}

#[test]
fn a_door_is_found_from_the_roster_alone_and_another_one_is_another_log() {
    assert_eq!(door(1).log(), door(1).log());
    assert_ne!(door(1).log(), door(2).log());
    let access = door(1).access().public();
    assert_eq!(door(1).log(), LogId::derive(LogKind::Fixed, &access));
    let (relay, nonce) = (PublicKey([1; 32]), Nonce([2; 32]));
    let message = proof::attach(&relay, &nonce, &door(1).log(), 0);
    assert!(sender::verify(&access, &message, &door(1).sign_attach(&relay, &nonce)));
    let message = proof::create(&relay, &nonce, LogKind::Fixed, &access, 60, 70);
    assert!(sender::verify(&access, &message, &door(1).sign_create(&relay, &nonce, 60, 70)));
}

#[test]
fn knocks_of_another_door_and_altered_ones_are_refused() {
    let body = seal(&knock());
    assert_eq!(door(2).open(&[], &body).err(), Some(DoorError::Seal));
    for at in [0, 1, 2, 40, body.len() / 2, body.len() - 1] {
        let mut altered = body.clone();
        altered[at] ^= 4;
        let expected = if at == 0 { DoorError::Malformed } else { DoorError::Seal };
        assert_eq!(door(1).open(&[], &altered).err(), Some(expected), "byte {at}");
    }
    assert_eq!(door(1).open(&[], &[]).err(), Some(DoorError::Seal));
    assert_eq!(door(1).open(&[], &vec![1; MAX_BODY + 1]).err(), Some(DoorError::Seal));
    // The relay can't take a knock for an announcement either.
    let mut told = body;
    told[0] = TOLD;
    assert_eq!(door(1).open(&[], &told).err(), Some(DoorError::Seal));
}

#[test]
fn who_has_the_link_knocks_for_nobody_else() {
    let mallory = SenderKey::from_seed(&[0xe; 32]);
    // With Dora's chain and an own device.
    let forged = Knock { device: mallory.public(), ..knock() };
    let sealed = forged.seal(&door(1).address(), &mallory, &mut rng());
    assert_eq!(sealed.err(), Some(DoorError::Bounds), "not even made");
    let packet = |signature: &Signature, body: &[u8]| {
        let padded = sealed_box::pad(&[signature.0.as_slice(), body].concat(), STEP);
        let key = door(1).ticket.seal_key();
        let sealed = sealed_box::seal(&key, LABEL_KNOCK, &[&door(1).log().0], &padded, &mut rng());
        door(1).open(&[], &[[KNOCK].as_slice(), &sealed].concat()).err()
    };
    let body = forged.body();
    assert_eq!(packet(&mallory.sign(&message(&door(1).log(), &body)), &body), Some(DoorError::Account));
    // With Dora's device.
    let body = knock().body();
    assert_eq!(packet(&mallory.sign(&message(&door(1).log(), &body)), &body), Some(DoorError::Signature));
    // With what Dora signed for another room's door.
    assert_eq!(packet(&device().sign(&message(&door(2).log(), &body)), &body), Some(DoorError::Signature));
    assert_eq!(packet(&device().sign(&message(&door(1).log(), &body)), &body), None, "as it should be");
}

#[test]
fn a_knock_has_bounds() {
    let sealed = |knock: Knock| knock.seal(&door(1).address(), &device(), &mut rng());
    let with = |key_packages: Vec<Vec<u8>>| sealed(Knock { key_packages, ..knock() });
    assert_eq!(with(vec![]).err(), Some(DoorError::Bounds));
    assert_eq!(with(vec![vec![1]; 9]).err(), Some(DoorError::Bounds));
    let largest = with(vec![vec![1; 5_600]; 8]).unwrap();
    assert!(largest.len() <= MAX_BODY, "{} bytes", largest.len());
    assert_eq!(with(vec![vec![1; 7_000]; 8]).err(), Some(DoorError::Bounds));
    assert_eq!(sealed(Knock { name: "\n".into(), ..knock() }).err(), Some(DoorError::Bounds));
    let largest = door(1).tell(&vec![0; MAX_INSIDE], &mut rng()).unwrap();
    assert!(largest.len() <= MAX_BODY && largest.len() + STEP > MAX_BODY);
    assert_eq!(door(1).tell(&vec![0; MAX_INSIDE + 1], &mut rng()).err(), Some(DoorError::Bounds));
}

#[test]
fn a_move_is_told_to_members_and_by_members() {
    let moved = announcement();
    let body = door(1).tell(&moved.sign(&device()).unwrap(), &mut rng()).unwrap();
    let mover = Leaf { account: moved.by, device: device().public() };
    assert!(door(1).open(&[mover], &body).unwrap() == AtDoor::Moved(Box::new(moved)));
    let other = Leaf { account: AccountId([9; 32]), ..mover };
    assert_eq!(door(1).open(&[other], &body).err(), Some(DoorError::Signature), "another account's device");
    assert_eq!(door(1).open(&[], &body).err(), Some(DoorError::Signature));
    // Who has only the link has not the members' key.
    let stranger = DoorKeys { told: ToldKey([0; 32]), ..door(1) };
    assert_eq!(stranger.open(&[mover], &body).err(), Some(DoorError::Seal));
}

#[test]
fn one_sealing_has_one_id() {
    let body = seal(&knock());
    assert_eq!(id16(&body), id16(&body.clone()));
    assert_ne!(id16(&body), id16(&body[1..]));
}

#[test]
fn signed_nonsense_is_refused_or_reads_as_it_is_written() {
    use rand_core::Rng;
    let (body, mut rng) = (knock().body(), rng());
    for _ in 0..3_000 {
        let mut altered = body.clone();
        // Near the ends, where the fields' heads are: the middle is key packages and keys.
        for _ in 0..1 + rng.next_u64() % 3 {
            let near = usize::try_from(rng.next_u64() % 600).unwrap();
            let at = if rng.next_u64() % 2 == 0 { near } else { body.len() - 1 - near };
            altered[at] = rng.next_u64().to_le_bytes()[0];
        }
        let signature = device().sign(&message(&door(1).log(), &altered));
        if let Ok(knock) = Knock::read(&[signature.0.as_slice(), &altered].concat(), &door(1).log()) {
            assert!(knock.body() == altered);
        }
    }
}
