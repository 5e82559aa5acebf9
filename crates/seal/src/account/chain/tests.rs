//! Chains as honest devices grow them, and as others would like them to be.

use super::*;
use crate::account::Recovery;
use crate::cbor;

fn root(seed: u8) -> RootKey {
    Recovery::from_entropy([seed; 32]).root()
}

fn device(seed: u8) -> SenderKey {
    SenderKey::from_seed(&[seed; 32])
}

fn created() -> Chain {
    Chain::create(&root(1), &device(1), 100)
}

/// `chain` with device `new`, taken in by `by`.
fn add(chain: &Chain, by: &Signer<'_>, new: u8) -> Result<Chain, ChainError> {
    let proof = sign_join(&chain.id(), &chain.head(), &device(new));
    chain.add_device(by, &device(new).public(), &proof, 200)
}

/// An account with devices 1 to `count`.
fn with_devices(count: u8) -> Chain {
    (2..=count).fold(created(), |chain, n| add(&chain, &Signer::Device(&device(1)), n).unwrap())
}

fn publics(seeds: &[u8]) -> Vec<PublicKey> {
    seeds.iter().map(|&seed| device(seed).public()).collect()
}

/// A chain's bytes with entries made by hand, right or not.
fn forged(entries: &[(Entry, Vec<Signature>)]) -> Vec<u8> {
    let proven = |(entry, signatures): &(Entry, Vec<Signature>)| Proven {
        entry: entry.clone(),
        signatures: signatures.clone(),
        head: [0; 32],
    };
    codec::encode(&entries.iter().map(proven).collect::<Vec<_>>())
}

fn parts(chain: &Chain) -> Vec<(Entry, Vec<Signature>)> {
    chain.entries.iter().map(|proven| (proven.entry.clone(), proven.signatures.clone())).collect()
}

/// `chain` with an entry whose signatures hold, whatever its right.
fn signed(chain: &Chain, entry: Entry, by: &[&Signer<'_>]) -> Vec<u8> {
    let message = entry_message(&chain.id(), &chain.head(), &codec::body(&entry));
    let signatures = by.iter().map(|signer| signer.sign(&message)).collect();
    let mut all = parts(chain);
    all.push((entry, signatures));
    forged(&all)
}

#[test]
fn an_account_lives() {
    let chain = created();
    assert_eq!((chain.len(), chain.devices(), chain.root()), (1, &*publics(&[1]), root(1).public()));
    let chain = add(&chain, &Signer::Device(&device(1)), 2).unwrap();
    let chain = add(&chain, &Signer::Device(&device(2)), 3).unwrap();
    let chain = chain.remove_device(&Signer::Root(&root(1)), &device(1).public(), 300).unwrap();
    assert_eq!(chain.devices(), publics(&[2, 3]));
    let chain = chain.remove_device(&Signer::Device(&device(3)), &device(3).public(), 400).unwrap();
    let chain = chain.rotate(&root(1), &root(2), 500).unwrap();
    assert_eq!((chain.devices(), chain.root(), chain.len()), (&*publics(&[2]), root(2).public(), 6));
    assert!(chain.is_live(&device(2).public()) && !chain.is_live(&device(1).public()));
    assert!(chain.knew(&device(1).public()) && !chain.knew(&device(9).public()));
    assert_eq!(chain.id(), created().id(), "the account stays who it is");

    let read = Chain::verify(&chain.encode()).unwrap();
    assert!(read == chain && read.point() == chain.point());
    // The old words are worth nothing now, the new ones everything.
    let old = chain.remove_device(&Signer::Root(&root(1)), &device(2).public(), 600);
    assert_eq!(old.err(), Some(ChainError::NotAllowed));
    assert!(chain.remove_device(&Signer::Root(&root(2)), &device(2).public(), 600).unwrap().devices().is_empty());
}

#[test]
fn who_lost_all_devices_comes_back_by_the_words() {
    let chain = created().remove_device(&Signer::Root(&root(1)), &device(1).public(), 200).unwrap();
    assert!(chain.devices().is_empty());
    let back = add(&chain, &Signer::Root(&root(1)), 2).unwrap();
    assert_eq!(back.devices(), publics(&[2]));
    assert!(Chain::verify(&back.encode()).unwrap() == back);
}

#[test]
fn nobody_else_changes_the_devices() {
    let chain = with_devices(3);
    let stranger = device(9);
    let by = |signer: &Signer<'_>, device: &SenderKey| chain.remove_device(signer, &device.public(), 300).err();
    assert_eq!(add(&chain, &Signer::Device(&stranger), 4).err(), Some(ChainError::NotAllowed));
    assert_eq!(add(&chain, &Signer::Root(&root(2)), 4).err(), Some(ChainError::NotAllowed));
    assert_eq!(by(&Signer::Device(&device(1)), &device(2)), Some(ChainError::NotAllowed), "one device alone");
    assert_eq!(by(&Signer::Device(&stranger), &device(2)), Some(ChainError::NotAllowed));
    assert_eq!(by(&Signer::Root(&root(2)), &device(2)), Some(ChainError::NotAllowed));
    assert_eq!(by(&Signer::Root(&root(1)), &stranger), Some(ChainError::NoDevice));
    assert_eq!(chain.rotate(&root(2), &root(3), 300).err(), Some(ChainError::NotAllowed));
    // A removed device has no right any more.
    let less = chain.remove_device(&Signer::Root(&root(1)), &device(2).public(), 300).unwrap();
    assert_eq!(add(&less, &Signer::Device(&device(2)), 4).err(), Some(ChainError::NotAllowed));
    let again = Proposal::sign(&less, &device(2), &device(1).public(), 400).err();
    assert_eq!(again, Some(ChainError::NotAllowed));
}

#[test]
fn a_key_never_comes_back() {
    let chain = with_devices(2).remove_device(&Signer::Root(&root(1)), &device(2).public(), 300).unwrap();
    assert_eq!(add(&chain, &Signer::Root(&root(1)), 2).err(), Some(ChainError::KeyUsed));
    assert_eq!(add(&chain, &Signer::Root(&root(1)), 1).err(), Some(ChainError::KeyUsed));
    assert_eq!(chain.rotate(&root(1), &root(1), 400).err(), Some(ChainError::KeyUsed));
    let turned = chain.rotate(&root(1), &root(2), 400).unwrap();
    assert_eq!(turned.rotate(&root(2), &root(1), 500).err(), Some(ChainError::KeyUsed));
}

#[test]
fn possession_is_proven_for_this_account_and_point() {
    let chain = with_devices(2);
    let by = Signer::Device(&device(1));
    let new = device(3);
    let take = |proof: &Signature| chain.add_device(&by, &new.public(), proof, 300).err();
    assert_eq!(take(&sign_join(&chain.id(), &chain.head(), &device(4))), Some(ChainError::Signature));
    assert_eq!(take(&sign_join(&AccountId([0; 32]), &chain.head(), &new)), Some(ChainError::Signature));
    assert_eq!(take(&sign_join(&chain.id(), &created().head(), &new)), Some(ChainError::Signature));
    assert_eq!(take(&sign_join(&chain.id(), &chain.head(), &new)), None);
}

#[test]
fn a_removal_takes_two_other_devices() {
    let chain = with_devices(4);
    let proposal = Proposal::sign(&chain, &device(1), &device(3).public(), 300).unwrap();
    let read = Proposal::decode(&proposal.encode()).unwrap();
    assert!(read == proposal);
    let done = read.complete(&chain, &device(2)).unwrap();
    assert_eq!(done.devices(), publics(&[1, 2, 4]));
    assert!(Chain::verify(&done.encode()).unwrap() == done);

    assert_eq!(proposal.complete(&chain, &device(1)).err(), Some(ChainError::NotAllowed), "the same twice");
    assert_eq!(proposal.complete(&chain, &device(3)).err(), Some(ChainError::NotAllowed), "its own");
    assert_eq!(proposal.complete(&chain, &device(9)).err(), Some(ChainError::NotAllowed), "a stranger");
    assert_eq!(proposal.complete(&done, &device(2)).err(), Some(ChainError::Stale), "a second time");
    let grown = add(&chain, &Signer::Device(&device(1)), 5).unwrap();
    assert_eq!(proposal.check(&grown), Err(ChainError::Stale), "another chain");

    let own = Proposal::sign(&chain, &device(1), &device(1).public(), 300).err();
    assert_eq!(own, Some(ChainError::NotAllowed));
    assert_eq!(Proposal::sign(&chain, &device(9), &device(1).public(), 300).err(), Some(ChainError::NotAllowed));
    assert_eq!(Proposal::sign(&chain, &device(1), &device(9).public(), 300).err(), Some(ChainError::NoDevice));
    for altered in [
        Proposal { device: device(4).public(), ..proposal },
        Proposal { at: 301, ..proposal },
        Proposal { by: device(2).public(), ..proposal },
    ] {
        assert_eq!(altered.check(&chain), Err(ChainError::Signature));
        assert!(altered.complete(&chain, &device(4)).is_err());
    }
}

#[test]
fn one_of_two_signatures_is_not_enough() {
    let chain = with_devices(3);
    let (one, two) = (device(1), device(2));
    let entry = Entry::Remove { device: device(3).public(), by: vec![one.public(), two.public()], at: 300 };
    let signers = [Signer::Device(&one), Signer::Device(&two)];
    // Two signatures over the whole entry: the first one signs something else (a proposal).
    let bytes = signed(&chain, entry.clone(), &[&signers[0], &signers[1]]);
    assert_eq!(Chain::verify(&bytes).err(), Some(ChainError::Signature));
    // One signature for both.
    let bytes = signed(&chain, entry.clone(), &[&signers[0]]);
    assert_eq!(Chain::verify(&bytes).err(), Some(ChainError::Malformed));
    // A second signature by somebody else in the second's name.
    let proposal = Proposal::sign(&chain, &one, &device(3).public(), 300).unwrap();
    let message = entry_message(&chain.id(), &chain.head(), &codec::body(&entry));
    let mut all = parts(&chain);
    all.push((entry, vec![proposal.signature, one.sign(&message)]));
    assert_eq!(Chain::verify(&forged(&all)).err(), Some(ChainError::Signature));
}

#[test]
fn entries_without_a_right_are_refused_though_they_are_signed() {
    let chain = with_devices(2);
    let (one, nine) = (device(1), device(9));
    let (by_one, by_nine) = (Signer::Device(&one), Signer::Device(&nine));
    for (why, entry, signers) in [
        (
            ChainError::NotAllowed,
            Entry::Remove { device: device(2).public(), by: vec![one.public()], at: 1 },
            vec![&by_one],
        ),
        (ChainError::NotAllowed, Entry::Remove { device: device(2).public(), by: vec![], at: 1 }, vec![]),
        (
            ChainError::NotAllowed,
            Entry::Add { device: nine.public(), by: nine.public(), at: 1 },
            vec![&by_nine, &by_nine],
        ),
        (ChainError::Signature, Entry::Rotate { root: nine.public(), at: 1 }, vec![&by_nine, &by_nine]),
        (ChainError::Signature, Entry::Rotate { root: nine.public(), at: 1 }, vec![&by_one, &by_nine]),
        (
            ChainError::Malformed,
            Entry::Create { root: nine.public(), device: device(8).public(), at: 1 },
            vec![&by_nine, &by_nine],
        ),
    ] {
        assert_eq!(Chain::verify(&signed(&chain, entry, &signers)).err(), Some(why));
    }
}

#[test]
fn every_flipped_bit_is_found() {
    let chain = with_devices(2);
    let bytes = chain.encode();
    for i in 0..bytes.len() {
        let mut altered = bytes.clone();
        altered[i] ^= 1 << (i % 8);
        // A changed first entry would be another account; its own signatures are over the old one.
        assert!(Chain::verify(&altered).is_err(), "byte {i}");
        assert!(Chain::verify(&bytes[..i]).is_err(), "{i} bytes");
    }
    assert!(Chain::verify(&[bytes.as_slice(), &[0]].concat()).is_err());
    assert!(Chain::verify(&forged(&[])).is_err());
}

#[test]
fn entries_can_not_be_left_out_or_swapped_or_brought_from_elsewhere() {
    let chain = with_devices(3);
    let all = parts(&chain);
    let without = forged(&[all[0].clone(), all[2].clone()]);
    assert_eq!(Chain::verify(&without).err(), Some(ChainError::Signature));
    let swapped = forged(&[all[0].clone(), all[2].clone(), all[1].clone()]);
    assert_eq!(Chain::verify(&swapped).err(), Some(ChainError::Signature));
    let twice = forged(&[all[0].clone(), all[1].clone(), all[1].clone()]);
    assert_eq!(Chain::verify(&twice).err(), Some(ChainError::KeyUsed));
    // The same first device and root in another account (made a millisecond later).
    let other = Chain::create(&root(1), &device(1), 101);
    assert_ne!(other.id(), chain.id());
    let grafted = forged(&[parts(&other)[0].clone(), all[1].clone()]);
    assert_eq!(Chain::verify(&grafted).err(), Some(ChainError::Signature));
}

#[test]
fn chains_are_compared() {
    let short = with_devices(2);
    let long = add(&short, &Signer::Device(&device(2)), 3).unwrap();
    let fork = add(&short, &Signer::Device(&device(2)), 4).unwrap();
    let other = Chain::create(&root(2), &device(5), 100);
    for (one, two, standing) in [
        (&short, &short, Standing::Same),
        (&long, &short, Standing::Longer),
        (&short, &long, Standing::Shorter),
        (&long, &fork, Standing::Forked),
        (&short, &other, Standing::Forked),
    ] {
        assert_eq!(one.extends(two), standing);
        assert_eq!(one.stands_to(&two.point()), standing, "by the point alone");
    }
    assert_eq!(other.extends(&long), Standing::Forked);
    assert_eq!(short.stands_to(&ChainPoint { len: 0, head: [0; 32] }), Standing::Forked);
    assert_eq!(short.stands_to(&ChainPoint { len: u64::MAX, head: [0; 32] }), Standing::Shorter);
}

#[test]
fn tails_carry_what_is_new() {
    let short = with_devices(2);
    let removed = with_devices(4).remove_device(&Signer::Root(&root(1)), &device(3).public(), 300).unwrap();
    for len in 1..=removed.len() {
        let tail = removed.tail(len);
        assert!(removed.with_tail(len, &tail).unwrap() == removed);
        let grown = short.with_tail(len, &tail);
        if len <= short.len() {
            assert!(grown.unwrap() == removed, "from {len}");
        } else {
            assert_eq!(grown.err(), Some(ChainError::Stale), "from {len}");
        }
    }
    assert!(short.with_tail(2, &removed.tail(9)).unwrap() == short, "nothing new");
    assert_eq!(short.with_tail(0, &removed.tail(1)).err(), Some(ChainError::Stale));
    assert_eq!(short.with_tail(2, &removed.tail(3)).err(), Some(ChainError::Signature), "with a gap");
    assert!(short.with_tail(2, b"").is_err() && short.with_tail(2, &vec![0; MAX_CHAIN + 1]).is_err());
}

#[test]
fn limits_hold_and_lock_nobody_in() {
    let chain = with_devices(8);
    assert_eq!(add(&chain, &Signer::Device(&device(1)), 9).err(), Some(ChainError::TooManyDevices));
    // Devices come and go until adding is refused.
    let words = root(1);
    let mut chain = chain;
    let mut next = 9;
    loop {
        let first = chain.devices()[0];
        let less = chain.remove_device(&Signer::Root(&words), &first, 300).unwrap();
        let proof = sign_join(&less.id(), &less.head(), &device(next));
        match less.add_device(&Signer::Root(&words), &device(next).public(), &proof, 300) {
            Ok(more) => chain = more,
            Err(why) => {
                assert_eq!(why, ChainError::Full);
                chain = less;
                break;
            }
        }
        next += 1;
    }
    assert!(chain.len() >= 40, "{}", chain.len());
    assert_eq!(chain.devices().len(), 7);
    // Still every device can be removed, by the longest way (two devices), and the words replaced.
    while chain.devices().len() > 2 {
        let devices = chain.devices().to_vec();
        let key = |public: &PublicKey| (1..=next).map(device).find(|key| key.public() == *public).unwrap();
        let proposal = Proposal::sign(&chain, &key(&devices[0]), &devices[2], u64::MAX).unwrap();
        chain = proposal.complete(&chain, &key(&devices[1])).unwrap();
    }
    for device in chain.devices().to_vec() {
        chain = chain.remove_device(&Signer::Root(&words), &device, u64::MAX).unwrap();
    }
    chain = chain.rotate(&words, &root(2), u64::MAX).unwrap();
    assert!(chain.encode().len() <= MAX_CHAIN && Chain::verify(&chain.encode()).unwrap() == chain);
}

#[test]
fn false_counts_and_long_bodies_are_refused_early() {
    let many = cbor::write(|e| {
        e.array(65)?;
        (0..65).try_for_each(|_| e.array(2)?.bytes(&[])?.array(0)?.ok())
    });
    assert_eq!(Chain::verify(&many).err(), Some(ChainError::Malformed));
    assert_eq!(
        Chain::verify(&[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).err(),
        Some(ChainError::Malformed)
    );
    assert_eq!(Chain::verify(&vec![0x80; MAX_CHAIN + 1]).err(), Some(ChainError::Malformed));
    let body = |by: usize| {
        codec::body(&Entry::Remove { device: PublicKey([0; 32]), by: vec![PublicKey([0; 32]); by], at: u64::MAX })
    };
    // The longest entry of all is what adding keeps room for.
    assert!(body(2).len() + 3 + 1 + 2 * 66 < MAX_ENTRY, "{}", body(2).len());
}
