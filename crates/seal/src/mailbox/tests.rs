//! Mailbox letters between Alice, who knows Bob, and those who would like to be one of them.

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::*;
use crate::account::chain::sign_join;
use crate::account::{Recovery, Signer};

fn device(seed: u8) -> SenderKey {
    SenderKey::from_seed(&[seed; 32])
}

/// Alice's account with devices 1 to `count`.
fn alice(count: u8) -> Chain {
    let first = Chain::create(&Recovery::from_entropy([1; 32]).root(), &device(1), 5);
    (2..=count).fold(first, |chain, n| {
        let proof = sign_join(&chain.id(), &chain.head(), &device(n));
        chain.add_device(&Signer::Device(&device(1)), &device(n).public(), &proof, 6).unwrap()
    })
}

const BOB: AccountId = AccountId([0xb0; 32]);

fn relay() -> RelayUrl {
    let link: crate::link::Link = format!("https://relay.example.org:7070/#p/x/{}", "A".repeat(43)).parse().unwrap();
    link.relay_url()
}

fn letter(kind: Kind) -> Letter {
    Letter {
        from: ChainPart::Whole(alice(2)),
        device: device(1).public(),
        kind,
        views: vec![View { tag: [1; 8], epoch: 2, check: [3; 16] }],
        sent_at: 1_760_000_000_000,
        id: [7; 16],
    }
}

fn welcome(bytes: WelcomeBytes) -> Kind {
    Kind::Welcome(Box::new(Welcome {
        name: "lobby".to_owned(),
        log: LogId([4; 32]),
        relay: relay(),
        welcome: bytes,
        cursor: 9,
        later: Later::default(),
    }))
}

#[test]
fn every_kind_arrives_and_fits() {
    for kind in [
        Kind::Request { card: vec![1; 2000], text: "x".repeat(MAX_TEXT) },
        Kind::Answer { card: vec![2; 2000] },
        welcome(WelcomeBytes::Inline(vec![3; MAX_INLINE_WELCOME])),
        welcome(WelcomeBytes::Blob(BlobRef { hash: [1; 32], key: [2; 32], size: 1 << 20 })),
        Kind::Chain,
        Kind::Ticket(TicketSecret::from_bytes([5; 32])),
        Kind::Views,
        Kind::Card { card: vec![2; 2000] },
        Kind::Unknown(99),
    ] {
        let sent = letter(kind);
        let packet = sent.sign(&BOB, &device(1)).unwrap();
        assert_eq!(packet.len() % STEP, 0, "sizes are rounded");
        assert_eq!(claimed_sender(&packet), Ok(alice(2).id()));
        let opened = Letter::open(&packet, &BOB, None).unwrap();
        assert!(opened.letter == sent && opened.chain == alice(2) && opened.standing.is_none());
    }
    let longest = sealed_box::OVERHEAD + 8 + HPKE_OVERHEAD + MAX_PACKET;
    assert!(longest <= MAX_BODY, "{longest}");
}

#[test]
fn a_letter_is_for_one_recipient_by_one_device() {
    let packet = letter(Kind::Views).sign(&BOB, &device(1)).unwrap();
    let other = AccountId([0xb1; 32]);
    assert_eq!(Letter::open(&packet, &other, None).err(), Some(MailboxError::Signature), "forwarded");
    assert_eq!(letter(Kind::Views).sign(&BOB, &device(2)).err(), Some(MailboxError::Bounds), "another's name");
    // Signed by one who is no device of hers.
    let forged = Letter { device: device(9).public(), ..letter(Kind::Views) }.sign(&BOB, &device(9)).unwrap();
    assert_eq!(Letter::open(&forged, &BOB, None).err(), Some(MailboxError::Device));
    for i in 0..packet.len() {
        let mut altered = packet.to_vec();
        altered[i] ^= 1;
        assert!(Letter::open(&altered, &BOB, None).is_err(), "byte {i}");
    }
}

#[test]
fn a_removed_device_is_heard_no_more() {
    let words = Recovery::from_entropy([1; 32]).root();
    let newer = alice(2).remove_device(&Signer::Root(&words), &device(2).public(), 9).unwrap();
    let packet = Letter { device: device(2).public(), ..letter(Kind::Views) }.sign(&BOB, &device(2)).unwrap();
    assert!(Letter::open(&packet, &BOB, Some(&alice(2))).is_ok());
    // Its letter brings the old chain along, which does not help it.
    assert_eq!(Letter::open(&packet, &BOB, Some(&newer)).err(), Some(MailboxError::Removed));
    // The other device's letter with the old chain is an old letter, and good.
    let old = letter(Kind::Views).sign(&BOB, &device(1)).unwrap();
    let opened = Letter::open(&old, &BOB, Some(&newer)).unwrap();
    assert!(opened.standing == Some(Standing::Shorter) && opened.chain == newer);
}

#[test]
fn chains_grow_by_letters_and_a_fork_stops() {
    let known = alice(1);
    let grown = Letter::open(&letter(Kind::Chain).sign(&BOB, &device(1)).unwrap(), &BOB, Some(&known)).unwrap();
    assert!(grown.standing == Some(Standing::Longer) && grown.chain == alice(2));

    let tail = |account: AccountId, len: u64| ChainPart::Tail { account, len, entries: alice(2).tail(len) };
    let by_tail = Letter { from: tail(known.id(), 1), ..letter(Kind::Chain) }.sign(&BOB, &device(1)).unwrap();
    let opened = Letter::open(&by_tail, &BOB, Some(&known)).unwrap();
    assert!(opened.chain == alice(2) && opened.standing == Some(Standing::Longer));
    assert_eq!(Letter::open(&by_tail, &BOB, None).err(), Some(MailboxError::ChainMissing));
    let further = Letter { from: tail(known.id(), 2), ..letter(Kind::Chain) }.sign(&BOB, &device(1)).unwrap();
    assert_eq!(Letter::open(&further, &BOB, Some(&known)).err(), Some(MailboxError::ChainMissing));

    // Alice's words sign two continuations.
    let proof = sign_join(&known.id(), &known.head(), &device(5));
    let fork = known.add_device(&Signer::Device(&device(1)), &device(5).public(), &proof, 6).unwrap();
    let packet = letter(Kind::Chain).sign(&BOB, &device(1)).unwrap();
    assert_eq!(Letter::open(&packet, &BOB, Some(&fork)).err(), Some(MailboxError::Forked));
    assert_eq!(Letter::open(&by_tail, &BOB, Some(&fork)).err(), Some(MailboxError::Forked));
}

#[test]
fn a_wrapped_letter_opens_under_its_ticket_in_its_mailbox() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let (ticket, other) = (TicketSecret::from_bytes([1; 32]), TicketSecret::from_bytes([2; 32]));
    let mailbox = LogId([3; 32]);
    let body = wrap(&ticket, &mailbox, b"sealed with HPKE", &mut rng);
    assert_eq!(tag_of(&body), Some(ticket.tag()));
    assert_ne!(ticket.tag(), other.tag());
    assert_eq!(unwrap(&ticket, &mailbox, &body).unwrap().as_slice(), b"sealed with HPKE");
    assert_eq!(unwrap(&other, &mailbox, &body).err(), Some(MailboxError::Seal));
    assert_eq!(unwrap(&ticket, &LogId([4; 32]), &body).err(), Some(MailboxError::Seal));
    for i in 0..body.len() {
        let mut altered = body.clone();
        altered[i] ^= 1;
        assert_eq!(unwrap(&ticket, &mailbox, &altered).err(), Some(MailboxError::Seal), "byte {i}");
        assert_eq!(unwrap(&ticket, &mailbox, &body[..i]).err(), Some(MailboxError::Seal), "{i} bytes");
    }
}

#[test]
fn our_own_broken_letters_stay_here() {
    let view = |n| View { tag: [n; 8], epoch: 0, check: [0; 16] };
    for broken in [
        letter(Kind::Request { card: vec![], text: "x".repeat(MAX_TEXT + 1) }),
        letter(Kind::Answer { card: vec![0; MAX_PACKET] }),
        letter(welcome(WelcomeBytes::Inline(vec![0; MAX_INLINE_WELCOME + 1]))),
        letter(Kind::Unknown(3)),
        Letter { views: (0..5).map(view).collect(), ..letter(Kind::Views) },
        Letter { views: vec![view(1), view(1)], ..letter(Kind::Views) },
    ] {
        assert_eq!(broken.sign(&BOB, &device(1)).err(), Some(MailboxError::Bounds));
    }
}
