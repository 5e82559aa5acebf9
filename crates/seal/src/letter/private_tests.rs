//! Letters of private rooms: MLS says whose they are.

use estoile_wire::limits::MAX_BODY;

use super::*;
use crate::mimi;

const LOG: LogId = LogId([3; 32]);
const SENDER: PublicKey = PublicKey([4; 32]);

fn view(n: u8) -> View {
    View::make(&[n; 32], u64::from(n), b"authenticator")
}

fn letter(text: &str) -> Letter {
    Letter {
        content: Some(mimi::text(text, [3; 16])),
        counter: 7,
        parents: vec![],
        sent_at: 1_760_000_000_123,
        ttl: None,
        name: String::new(),
        sender: SENDER,
        private: Some(Private { chain_length: 3, chain_head: [5; 32], views: vec![] }),
    }
}

fn with_views(views: Vec<View>) -> Letter {
    Letter { private: Some(Private { chain_length: 3, chain_head: [5; 32], views }), ..letter("hello") }
}

#[test]
fn a_private_letter_arrives_as_it_was_written() {
    for sent in [letter("hello"), with_views((0..4).map(view).collect()), Letter { content: None, ..letter("") }] {
        let written = sent.write_private(&LOG).unwrap();
        assert_eq!((written.signature(), written.to_bytes()[0]), (None, 2));
        let (again, read) = Written::from_private_bytes(&LOG, SENDER, &written.to_bytes()).unwrap();
        assert!(again == written && read == sent);
        let (restored, _) = Written::restore(&LOG, SENDER, &written.to_bytes()).unwrap();
        assert!(restored == written, "and comes back out of the vault");
    }
}

#[test]
fn the_same_bytes_of_another_sender_or_room_are_another_letter() {
    let written = letter("hello").write_private(&LOG).unwrap();
    let hash = |log, sender| Written::from_private_bytes(&log, sender, &written.to_bytes()).unwrap().0.hash();
    assert_eq!(hash(LOG, SENDER), written.hash());
    assert_ne!(hash(LOG, PublicKey([9; 32])), written.hash());
    assert_ne!(hash(LogId([9; 32]), SENDER), written.hash());
}

#[test]
fn letters_of_one_kind_of_room_are_none_of_the_other() {
    let key = SenderKey::from_seed(&[1; 32]);
    let quick = Letter { name: "Alice".into(), sender: key.public(), private: None, ..letter("hello") };
    let signed = quick.write(&key, &LOG).unwrap();
    let private = letter("hello").write_private(&LOG).unwrap();
    assert_eq!(quick.write_private(&LOG).err(), Some(WriteError::WrongRoom));
    let named = Letter { name: "Alice".into(), ..letter("hello") };
    assert_eq!(named.write_private(&LOG).err(), Some(WriteError::WrongRoom));
    let chained = Letter { private: letter("").private, ..quick };
    assert_eq!(chained.write(&key, &LOG).err(), Some(WriteError::WrongRoom));

    assert_eq!(Written::from_private_bytes(&LOG, SENDER, &signed.to_bytes()).err(), Some(OpenError::Malformed));
    assert_eq!(Written::from_bytes(&LOG, &private.to_bytes()).err(), Some(OpenError::Malformed));
    // Nor does a first byte alone make one of the other.
    let quick_inside = [[2].as_slice(), signed.bytes()].concat();
    assert_eq!(Written::from_private_bytes(&LOG, SENDER, &quick_inside).err(), Some(OpenError::Malformed));
    let signature = signed::sign(&key, LABEL_LETTER, &LOG, private.bytes());
    let private_inside = signed::pack(&key.public(), &signature, private.bytes());
    assert_eq!(Written::from_bytes(&LOG, &private_inside).err(), Some(OpenError::Malformed));
    // The vault knows either by itself, and whose it is.
    assert!(Written::restore(&LOG, key.public(), &signed.to_bytes()).is_ok());
    assert_eq!(Written::restore(&LOG, SENDER, &signed.to_bytes()).err(), Some(OpenError::Signature));
}

#[test]
fn views_are_bounded_and_of_different_rooms() {
    let refused = |views| with_views(views).write_private(&LOG).err();
    assert_eq!(refused((0..5).map(view).collect()), Some(WriteError::BadViews));
    assert_eq!(refused(vec![view(1); 2]), Some(WriteError::BadViews));
    // An empty list has one spelling: none.
    let mut bytes = letter("hello").write_private(&LOG).unwrap().to_bytes();
    bytes[1] += 1;
    bytes.extend([7, 0x80]);
    assert_eq!(Written::from_private_bytes(&LOG, SENDER, &bytes).err(), Some(OpenError::Malformed));
}

#[test]
fn the_largest_private_letter_leaves_room_for_mls() {
    let fit = |n: usize| letter(&"x".repeat(n)).write_private(&LOG);
    let most = (MAX_PRIVATE_PACKET - 300..MAX_PRIVATE_PACKET).rev().find(|&n| fit(n).is_ok()).unwrap();
    let written = fit(most).unwrap();
    assert_eq!(written.to_bytes().len(), MAX_PRIVATE_PACKET);
    assert_eq!(MAX_PRIVATE_PACKET + MLS_OVERHEAD, MAX_BODY);
    assert!(Written::from_private_bytes(&LOG, SENDER, &written.to_bytes()).is_ok());
    let longer = WriteError::TooLong { bytes: MAX_PRIVATE_PACKET + 1, most: MAX_PRIVATE_PACKET };
    assert_eq!(fit(most + 1).err(), Some(longer));
    let parents = (0..16).map(|n| Reference {
        hash: [n; 32],
        sender: SENDER,
        counter: u64::MAX,
        epoch: u64::MAX,
        sent_at: u64::MAX,
        ends_at: Some(u64::MAX),
    });
    let text = Letter { parents: parents.collect(), ..with_views((0..4).map(view).collect()) };
    let text = Letter { content: Some(mimi::text(&"x".repeat(32 * 1024), [1; 16])), ..text };
    assert!(text.write_private(&LOG).is_ok(), "the longest text fits with all that goes along");
}
