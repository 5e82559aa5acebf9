//! Cards, from honest devices and others.

use super::*;
use crate::account::chain::sign_join;
use crate::account::{Recovery, Signer};

fn device(seed: u8) -> SenderKey {
    SenderKey::from_seed(&[seed; 32])
}

fn chain() -> Chain {
    let chain = Chain::create(&Recovery::from_entropy([1; 32]).root(), &device(1), 5);
    let proof = sign_join(&chain.id(), &chain.head(), &device(2));
    chain.add_device(&Signer::Device(&device(1)), &device(2).public(), &proof, 6).unwrap()
}

fn relay_url() -> RelayUrl {
    let link: crate::link::Link = format!("https://relay.example.org:7070/#p/x/{}", "A".repeat(43)).parse().unwrap();
    link.relay_url()
}

fn card() -> Card {
    Card {
        account: chain().id(),
        name: "Alice".to_owned(),
        relay: relay_url(),
        mailbox: LogId([2; 32]),
        shelf: LogId([3; 32]),
        ticket: TicketSecret::from_bytes([4; 32]),
        shelf_key: ShelfKey::from_bytes([5; 32]),
        hpke: vec![6; 1216],
        at: 7,
        later: Later::default(),
    }
}

#[test]
fn a_card_is_read_by_who_knows_the_chain() {
    for seed in [1, 2] {
        let signed = card().sign(&device(seed)).unwrap();
        assert!(Card::open(&signed, &chain()).unwrap() == card());
        assert!(Card::reopen(&signed).unwrap() == card());
    }
}

#[test]
fn strangers_removed_devices_and_other_accounts_sign_no_card() {
    let signed = card().sign(&device(2)).unwrap();
    let words = Recovery::from_entropy([1; 32]).root();
    let less = chain().remove_device(&Signer::Root(&words), &device(2).public(), 9).unwrap();
    assert_eq!(Card::open(&signed, &less).err(), Some(CardError::Device));
    assert_eq!(Card::open(&card().sign(&device(3)).unwrap(), &chain()).err(), Some(CardError::Device));
    let other = Chain::create(&words, &device(1), 6);
    assert_eq!(Card::open(&signed, &other).err(), Some(CardError::Account));
    for i in 0..signed.len() {
        let mut altered = signed.clone();
        altered[i] ^= 1;
        assert!(Card::open(&altered, &chain()).is_err(), "byte {i}");
        assert!(Card::open(&signed[..i], &chain()).is_err(), "{i} bytes");
    }
}

#[test]
fn our_own_broken_cards_stay_here() {
    let entry = "https://relay:7070/#e/Y29kZQ".parse().unwrap();
    for broken in [
        Card { name: String::new(), ..card() },
        Card { hpke: vec![0; 31], ..card() },
        Card { hpke: vec![0; MAX_HPKE_KEY + 1], ..card() },
        Card { relay: entry, ..card() },
        Card { relay: "https://relay:7070".parse().unwrap(), ..card() },
    ] {
        assert_eq!(broken.sign(&device(1)).err(), Some(CardError::Bounds));
    }
}
