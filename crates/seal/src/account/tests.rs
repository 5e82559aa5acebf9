//! Recovery words as people type them, ids as people write them, and what the account's log carries.

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use sha2::{Digest, Sha256};

use super::chain::sign_join;
use super::summary::Keys;
use super::*;
use crate::SenderKey;
use crate::fields::Later;
use crate::ticket::TicketSecret;
use estoile_wire::{LogId, PublicKey};

fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

fn recovery() -> Recovery {
    Recovery::generate(&mut rng(1))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// BIP-39's own examples (its reference implementation's vectors of 256 bits).
#[test]
fn the_words_are_bip_39s() {
    let list = include_bytes!("recovery/words.txt");
    assert_eq!(hex(&Sha256::digest(list)), "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda");
    let repeat = |word: &str, last: &str| format!("{}{last}", format!("{word} ").repeat(23));
    for (byte, words) in [
        (0x00, repeat("abandon", "art")),
        (0xff, repeat("zoo", "vote")),
        (0x7f, "legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth title".to_owned()),
        (0x80, "letter advice cage absurd amount doctor acoustic avoid letter advice cage absurd amount doctor acoustic avoid letter advice cage absurd amount doctor acoustic bless".to_owned()),
    ] {
        let recovery = Recovery::from_entropy([byte; 32]);
        assert_eq!(*recovery.words(), words);
        assert!(Recovery::parse(&words).unwrap() == recovery);
    }
}

#[test]
fn words_are_read_however_they_were_noted() {
    let words = recovery().words();
    let split: Vec<&str> = words.split(' ').collect();
    let lines = |form: &dyn Fn(usize, &str) -> String| -> String {
        split.iter().enumerate().map(|(i, word)| form(i + 1, word)).collect()
    };
    for text in [
        words.to_uppercase(),
        format!("\n\t {}  ", words.replace(' ', "   ")),
        words.replace(' ', ", "),
        lines(&|n, word| format!("{n}. {word}\n")),
        lines(&|n, word| format!("({n}) {word};")),
        lines(&|n, word| format!("{n}:{word} ")),
        lines(&|n, word| format!("{n} {word}\r\n")),
        words.replace(' ', "\u{a0}"),
    ] {
        assert!(Recovery::parse(&text).is_ok_and(|read| read == recovery()), "{text}");
    }
}

#[test]
fn a_wrong_word_is_named_by_its_place() {
    let words = recovery().words();
    for place in 1..=24_usize {
        let mut split: Vec<&str> = words.split(' ').collect();
        split[place - 1] = "chocolat";
        let error = Recovery::parse(&split.join(" ")).err().unwrap();
        let RecoveryError::NotInList { position, word, suggestions } = &error else { panic!("{error}") };
        assert_eq!((*position, word.as_str()), (place, "chocolat"));
        assert!(suggestions.0.len() <= 3);
        assert!(error.to_string().starts_with(&format!("word {place} is not one of the list's")), "{error}");
    }
}

#[test]
fn a_wrong_word_gets_its_nearest() {
    let words = recovery().words();
    for (typed, meant) in [
        ("abandn", "abandon"),
        ("abadnon", "abandon"),
        ("abandonn", "abandon"),
        ("zooo", "zoo"),
        ("liberti", "liberty"),
        ("satosi", "satoshi"),
        ("wintr", "winter"),
        ("winners", "winner"),
    ] {
        let text = format!("{typed} {}", words.split_once(' ').unwrap().1);
        let Err(RecoveryError::NotInList { position: 1, suggestions, .. }) = Recovery::parse(&text) else {
            panic!("{typed}")
        };
        assert!(suggestions.0.contains(&meant), "{typed}: {:?}", suggestions.0);
        assert!(suggestions.0.len() <= 3);
    }
    let strange = format!("xxxxxxxxxxxx\u{1b}[2J {}", words.split_once(' ').unwrap().1);
    let error = Recovery::parse(&strange).err().unwrap();
    assert!(!error.to_string().contains('\u{1b}') && !error.to_string().contains("did you mean"), "{error:?}");
}

#[test]
fn counts_and_checksums_are_told_apart() {
    let words = recovery().words();
    let (first, rest) = words.split_once(' ').unwrap();
    assert_eq!(Recovery::parse(rest).err(), Some(RecoveryError::Count { found: 23 }));
    assert_eq!(Recovery::parse(&format!("{} {first}", *words)).err(), Some(RecoveryError::Count { found: 25 }));
    assert_eq!(Recovery::parse("").err(), Some(RecoveryError::NotWords));
    assert_eq!(Recovery::parse(" 1. 2. 3. ").err(), Some(RecoveryError::NotWords));
    assert_eq!(Recovery::parse(&"zoo ".repeat(1000)).err(), Some(RecoveryError::NotWords));

    // The last word carries the checksum: of 2,048 words in its place, 8 bits must fit.
    let start = words.rsplit_once(' ').unwrap().0;
    let list = include_str!("recovery/words.txt");
    let good = list.lines().filter(|last| Recovery::parse(&format!("{start} {last}")).is_ok()).count();
    assert_eq!(good, 8);
    let swapped = format!("{} {}", rest, first);
    assert_eq!(Recovery::parse(&swapped).err(), Some(RecoveryError::Checksum));
    for error in [RecoveryError::Checksum, RecoveryError::NotWords, RecoveryError::Count { found: 3 }] {
        assert!(words.split(' ').all(|word| word.len() < 5 || !error.to_string().contains(word)), "{error}");
    }
}

#[test]
fn each_generation_has_keys_of_its_own() {
    let recovery = recovery();
    let mut seen = std::collections::BTreeSet::new();
    for number in 0..4 {
        let generation = recovery.generation(number);
        assert!(seen.insert(generation.log_id().0));
        for epoch in 0..4 {
            assert!(seen.insert(generation.access(epoch).public().0));
        }
        let copy = Generation::from_parts(number, *generation.secret());
        assert!(copy == generation && copy.log_id() == generation.log_id());
    }
    assert!(seen.insert(recovery.root().public().0));
    assert!(Recovery::generate(&mut rng(2)).generation(0) != recovery.generation(0));
}

#[test]
fn ids_are_written_and_meant() {
    let id = AccountId(core::array::from_fn(|i| u8::try_from(i * 7).unwrap()));
    assert_eq!(AccountId::from_hex(&id.hex()), Some(id));
    assert_eq!(id.short(), "00070e15");
    for typed in ["00070e15", " 00070E15 ", "00070e151c", &id.hex()] {
        assert!(id.is_meant_by(typed), "{typed}");
    }
    for other in ["00070e1", "00070e16", "", &format!("{}0", id.hex())] {
        assert!(!id.is_meant_by(other), "{other}");
    }
    for broken in ["", "00", &"g".repeat(64), &"é".repeat(64), &"0".repeat(63), &"0".repeat(65)] {
        assert_eq!(AccountId::from_hex(broken), None, "{broken}");
    }
}

fn device(seed: u8) -> SenderKey {
    SenderKey::from_seed(&[seed; 32])
}

fn chain() -> Chain {
    let chain = Chain::create(&recovery().root(), &device(1), 5);
    let proof = sign_join(&chain.id(), &chain.head(), &device(2));
    chain.add_device(&Signer::Device(&device(1)), &device(2).public(), &proof, 6).unwrap()
}

fn later() -> Later {
    crate::fields::whole(&[0xa1, 0x18, 0x63, 0x82, 1, 2], 8, |d| crate::fields::Fields::begin(d)?.later(40)).unwrap()
}

pub(super) fn summary() -> Summary {
    let ticket = TicketSecret::from_bytes([9; 32]);
    let contact = ContactEntry {
        account: AccountId([4; 32]),
        name: "Bob".to_owned(),
        state: ContactState::Accepted,
        verified: Some(77),
        chain: vec![1, 2],
        card: Some(vec![3]),
        ticket: Some(ticket.clone()),
        later: later(),
    };
    let asked = ContactEntry {
        account: AccountId([5; 32]),
        state: ContactState::Asked,
        verified: None,
        chain: vec![],
        card: None,
        ticket: None,
        later: Later::default(),
        ..contact.clone()
    };
    let room = RoomEntry {
        log: LogId([6; 32]),
        relay: "https://relay:7070".to_owned(),
        name: "lobby".to_owned(),
        door: Some(Door { log: LogId([7; 32]), ticket }),
        later: later(),
    };
    let closed = RoomEntry { door: None, later: Later::default(), ..room.clone() };
    let keys =
        Keys { mailbox: [1; 32], shelf: [2; 32], shelf_key: [3; 32], link_ticket: [4; 32], hpke: vec![vec![5; 32]] };
    let device =
        DeviceEntry { device: device(1).public(), name: "Laptop".to_owned(), hpke: vec![6; 32], later: later() };
    Summary {
        name: "Alice".to_owned(),
        relay: "https://relay:7070".to_owned(),
        keys,
        devices: vec![device],
        contacts: vec![contact, asked],
        rooms: vec![room, closed],
        at: 1_760_000_000_000,
        later: later(),
    }
}

fn hand_over(recovery: &Recovery) -> HandOver {
    let share = HandOver::share(&recovery.generation(1)).to_vec();
    HandOver::sign(&chain().id(), &recovery.root(), 1, vec![(device(1).public(), share)]).unwrap()
}

#[test]
fn every_record_opens_in_its_own_place_only() {
    let recovery = recovery();
    let (old, new) = (recovery.generation(0), recovery.generation(1));
    let proposal = Proposal::sign(&chain(), &device(1), &device(2).public(), 9);
    // Two devices: a removal of the other by one is a proposal that only a third could complete.
    let records = [
        Record::Chain(chain()),
        Record::Summary(Box::new(summary())),
        Record::Proposal(proposal.unwrap()),
        Record::HandOver(hand_over(&recovery)),
        Record::Blob { hash: [8; 32], size: 1 << 20 },
    ];
    for record in records {
        let sealed = old.seal(3, &record, &mut rng(3)).unwrap();
        assert!(old.open(3, &sealed).unwrap() == record);
        assert_eq!(old.open(4, &sealed).err(), Some(RecordError::Seal), "another epoch");
        assert_eq!(new.open(3, &sealed).err(), Some(RecordError::Seal), "another generation");
        assert_eq!((sealed.len() - 41) % record::STEP, 0, "sizes are rounded");
        let text = record.encode();
        assert!(Record::decode(&text).unwrap() == record);
        assert!(Record::decode(&text[..text.len() - 1]).is_err());
    }
}

#[test]
fn a_summary_keeps_what_a_later_version_wrote() {
    let summary = summary();
    let text = Record::Summary(Box::new(summary.clone())).encode();
    let Ok(Record::Summary(read)) = Record::decode(&text) else { panic!("not read") };
    assert!(*read == summary && read.later.len() == 1 && read.contacts[0].later.len() == 1);
    assert_eq!(*Record::Summary(read).encode(), *text);
}

#[test]
fn a_summary_of_many_contacts_needs_a_blob() {
    let mut summary = summary();
    let contact = ContactEntry { chain: vec![0; 2000], card: Some(vec![0; 1500]), ..summary.contacts[0].clone() };
    summary.contacts = vec![contact; 300];
    let generation = recovery().generation(0);
    let sealed = generation.seal(0, &Record::Summary(Box::new(summary.clone())), &mut rng(4)).unwrap();
    assert!(Record::needs_blob(&sealed));
    assert!(generation.open(0, &sealed).unwrap() == Record::Summary(Box::new(summary.clone())));
    summary.contacts = vec![ContactEntry { chain: vec![0; 12_000], ..summary.contacts[0].clone() }; 400];
    let refused = generation.seal(0, &Record::Summary(Box::new(summary)), &mut rng(4)).err();
    assert_eq!(refused, Some(RecordError::TooLong));
}

#[test]
fn only_the_root_hands_over() {
    let recovery = recovery();
    let over = hand_over(&recovery);
    over.check(&chain()).unwrap();
    assert!(over.open_share(over.share_of(&device(1).public()).unwrap()).unwrap() == recovery.generation(1));
    assert_eq!(over.share_of(&device(2).public()), None);

    // A removed device, which has the old log's secret, can write a record but not the root's signature.
    let forged =
        HandOver::sign(&chain().id(), &Recovery::generate(&mut rng(9)).root(), 1, over.shares.clone()).unwrap();
    assert_eq!(forged.check(&chain()), Err(RecordError::Signature));
    let moved = HandOver { number: 2, ..over.clone() };
    assert_eq!(moved.check(&chain()), Err(RecordError::Signature));
    let other = Chain::create(&recovery.root(), &device(3), 5);
    assert_eq!(over.check(&other), Err(RecordError::Signature), "another account of the same root");
    assert_eq!(moved.open_share(&HandOver::share(&recovery.generation(1))).err(), Some(RecordError::Malformed));
    let too_many = vec![(PublicKey([1; 32]), vec![]); 9];
    assert_eq!(HandOver::sign(&chain().id(), &recovery.root(), 1, too_many).err(), Some(RecordError::TooLong));
}

#[test]
fn a_record_with_a_forged_chain_says_so() {
    let mut bytes = chain().encode();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let text = crate::cbor::write(|e| e.map(3)?.u8(0)?.u8(1)?.u8(1)?.u8(0)?.u8(2)?.bytes(&bytes)?.ok());
    assert_eq!(Record::decode(&text).err(), Some(RecordError::Chain(ChainError::Signature)));
    let newer = crate::cbor::write(|e| e.map(3)?.u8(0)?.u8(2)?.u8(1)?.u8(0)?.u8(2)?.bytes(&bytes)?.ok());
    assert_eq!(Record::decode(&newer).err(), Some(RecordError::Malformed));
}
