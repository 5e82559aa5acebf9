//! Shelf items, right and swapped.

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::*;
use crate::account::Recovery;

fn device(seed: u8) -> SenderKey {
    SenderKey::from_seed(&[seed; 32])
}

fn chain(at: u64) -> Chain {
    Chain::create(&Recovery::from_entropy([1; 32]).root(), &device(1), at)
}

fn item() -> ShelfItem {
    ShelfItem {
        chain: chain(5),
        name: "Alice".to_owned(),
        hpke: vec![6; 1216],
        key_packages: vec![vec![7; 4000], vec![8; 700]],
        device: device(1).public(),
        later: Later::default(),
    }
}

fn key() -> ShelfKey {
    ShelfKey::from_bytes([9; 32])
}

fn seal(item: &ShelfItem, device: &SenderKey) -> Result<Vec<u8>, ShelfItemError> {
    item.seal(&key(), &LogId([2; 32]), device, &mut ChaCha20Rng::seed_from_u64(1))
}

fn open(sealed: &[u8]) -> Result<ShelfItem, ShelfItemError> {
    ShelfItem::open(&key(), &LogId([2; 32]), &chain(5).id(), sealed)
}

#[test]
fn an_item_opens_on_its_own_shelf_only() {
    let sealed = seal(&item(), &device(1)).unwrap();
    assert!(open(&sealed).unwrap() == item());
    assert_eq!((sealed.len() - 41) % STEP, 0);
    let other = ShelfItem::open(&ShelfKey::from_bytes([8; 32]), &LogId([2; 32]), &chain(5).id(), &sealed);
    assert_eq!(other.err(), Some(ShelfItemError::Seal));
    let swapped = ShelfItem::open(&key(), &LogId([3; 32]), &chain(5).id(), &sealed);
    assert_eq!(swapped.err(), Some(ShelfItemError::Seal));
    for i in (0..sealed.len()).step_by(97) {
        let mut altered = sealed.clone();
        altered[i] ^= 1;
        assert_eq!(open(&altered).err(), Some(ShelfItemError::Seal), "byte {i}");
    }
    assert_eq!(open(&[]).err(), Some(ShelfItemError::Seal));
}

/// Everybody with a contact link has the shelf's key: only the signature says whose item it is.
#[test]
fn who_has_the_link_can_put_nothing_of_their_own_there() {
    let mine = ShelfItem { chain: chain(6), ..item() };
    assert_eq!(open(&seal(&mine, &device(1)).unwrap()).err(), Some(ShelfItemError::Account));

    // Another's device under the owner's chain.
    let body = ShelfItem { device: device(2).public(), ..item() }.body();
    let packet = |signature: &Signature, body: &[u8]| {
        let packet = sealed_box::pad(&[signature.0.as_slice(), body].concat(), STEP);
        sealed_box::seal(&key().0, LABEL_ITEM, &[&[2; 32]], &packet, &mut ChaCha20Rng::seed_from_u64(1))
    };
    let signature = device(2).sign(&message(&chain(5).id(), &body));
    assert_eq!(open(&packet(&signature, &body)).err(), Some(ShelfItemError::Device));
    let honest = item().body();
    assert_eq!(open(&packet(&signature, &honest)).err(), Some(ShelfItemError::Signature));
    let right = device(1).sign(&message(&chain(5).id(), &honest));
    assert!(open(&packet(&right, &honest)).is_ok());
}

#[test]
fn bounds_hold_on_both_sides() {
    for broken in [
        ShelfItem { key_packages: vec![], ..item() },
        ShelfItem { key_packages: vec![vec![1]; 3], ..item() },
        ShelfItem { key_packages: vec![vec![1; MAX_ITEM]], ..item() },
        ShelfItem { name: " ".to_owned(), ..item() },
        ShelfItem { hpke: vec![], ..item() },
        ShelfItem { device: device(2).public(), ..item() },
    ] {
        assert_eq!(seal(&broken, &device(1)).err(), Some(ShelfItemError::Bounds));
    }
    assert_eq!(seal(&item(), &device(2)).err(), Some(ShelfItemError::Bounds), "another's key");
}
