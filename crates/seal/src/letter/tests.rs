//! Letters between two people of one room, and what a guest or the relay might try.

use estoile_wire::Signature;
use estoile_wire::limits::MAX_BODY;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::*;
use crate::mimi;
use crate::quick::RoomSecret;

const NOW: Millis = 1_760_000_000_123;

fn room(seed: u8) -> RoomKeys {
    RoomKeys::derive(&RoomSecret::from_bytes([seed; 32]))
}

fn alice() -> SenderKey {
    SenderKey::from_seed(&[0xa; 32])
}

fn letter(text: &str) -> Letter {
    Letter {
        content: Some(mimi::text(text, [3; 16])),
        counter: 7,
        parents: vec![],
        sent_at: NOW,
        ttl: Some(3600),
        name: "Alice".to_owned(),
        sender: alice().public(),
        private: None,
    }
}

fn parent(n: u8) -> Reference {
    let big = u64::MAX - 1;
    Reference { hash: [n; 32], sender: PublicKey([n; 32]), counter: big, epoch: big, sent_at: big, ends_at: Some(big) }
}

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(4)
}

fn write(letter: &Letter) -> Written {
    letter.write(&alice(), &room(1).log_id()).unwrap()
}

#[test]
fn a_letter_arrives_as_it_was_written() {
    let mut sent = letter("hello");
    sent.parents = vec![parent(1), Reference { ends_at: None, ..parent(2) }];
    let written = write(&sent);
    let opened = open(&room(1), &seal(&room(1), &written, &mut rng())).unwrap();
    assert!(opened.letter == sent && opened.written == written);
    assert_eq!((opened.hash, opened.id16), (written.hash(), written.id16()));
    assert_eq!(opened.letter.ends_at(), Some(NOW + 3_600_000));
    assert_eq!(opened.letter.reference(opened.hash, 0).hash, written.hash());
}

#[test]
fn a_beat_has_no_content_and_no_ttl_is_none() {
    let beat = Letter { content: None, ttl: None, parents: vec![parent(1)], ..letter("") };
    let opened = open(&room(1), &seal(&room(1), &write(&beat), &mut rng())).unwrap();
    assert!(opened.letter == beat);
    assert_eq!(opened.letter.ends_at(), None);
}

#[test]
fn a_second_sealing_is_the_same_letter() {
    let written = write(&letter("hello"));
    let mut rng = rng();
    let [one, two] = [(); 2].map(|()| open(&room(1), &seal(&room(1), &written, &mut rng)).unwrap());
    assert_ne!(one.mac, two.mac);
    assert_eq!((one.hash, one.id16), (two.hash, two.id16));
    assert_ne!(write(&letter("hello!")).hash(), written.hash());
}

#[test]
fn a_vault_keeps_the_written_bytes() {
    let written = write(&letter("hello"));
    let (again, read) = Written::from_bytes(&room(1).log_id(), &written.to_bytes()).unwrap();
    assert!(again == written && read == letter("hello"));
    assert_eq!((again.sent_at(), again.ttl(), again.sender()), (NOW, Some(3600), alice().public()));
}

#[test]
fn the_largest_letter_fits_into_a_record() {
    let name = "🦀".repeat(MAX_NAME_CHARS);
    let parents = (0..16).map(parent).collect();
    let text = "x".repeat(32 * 1024);
    let largest = Letter { parents, name, counter: u64::MAX, ttl: Some(315_360_000), ..letter(&text) };
    let body = seal(&room(1), &write(&largest), &mut rng());
    assert!(body.len() <= MAX_BODY, "{} bytes", body.len());
    assert!(open(&room(1), &body).unwrap().letter == largest);
}

#[test]
fn the_packet_bound_is_exactly_what_a_body_holds() {
    let short = write(&letter("")).to_bytes().len();
    let longest = MAX_PACKET - short;
    // Two more bytes of length before the text, and again before the content that holds it.
    let fit = |n: usize| letter(&"x".repeat(n)).write(&alice(), &room(1).log_id());
    let most = (longest - 8..=longest).rev().find(|&n| fit(n).is_ok()).unwrap();
    let written = fit(most).unwrap();
    assert_eq!(written.to_bytes().len(), MAX_PACKET);
    assert!(seal(&room(1), &written, &mut rng()).len() <= MAX_BODY);
    assert_eq!(fit(most + 1).err(), Some(WriteError::TooLong { bytes: MAX_PACKET + 1, most: MAX_PACKET }));
    let one_more = fernet::encrypt_at(room(1).fernet(), &vec![0; MAX_PACKET + 1], 0, &mut rng());
    assert!(one_more.len() > MAX_BODY, "the bound gives nothing away");
}

#[test]
fn what_no_peer_would_read_is_not_written() {
    let refused = |letter: Letter| letter.write(&alice(), &room(1).log_id()).err();
    assert_eq!(refused(Letter { name: String::new(), ..letter("x") }), Some(WriteError::BadName));
    assert_eq!(refused(Letter { name: "a\u{7}".into(), ..letter("x") }), Some(WriteError::BadName));
    assert_eq!(refused(Letter { parents: (0..17).map(parent).collect(), ..letter("x") }), Some(WriteError::BadParents));
    assert_eq!(refused(Letter { parents: vec![parent(1); 2], ..letter("x") }), Some(WriteError::BadParents));
    assert_eq!(refused(Letter { ttl: Some(0), ..letter("x") }), Some(WriteError::BadTtl));
    assert_eq!(refused(Letter { ttl: Some(u32::MAX), ..letter("x") }), Some(WriteError::BadTtl));
    assert_eq!(refused(Letter { sender: PublicKey([1; 32]), ..letter("x") }), Some(WriteError::WrongSender));
}

#[test]
fn another_rooms_letter_is_refused_even_by_who_is_in_both() {
    // A guest of both rooms takes Alice's signed letter out of room 1 and seals it into room 2.
    let written = write(&letter("I agree"));
    let body = seal(&room(2), &written, &mut rng());
    assert_eq!(open(&room(2), &body).err(), Some(OpenError::Signature));
    assert_eq!(open(&room(2), &seal(&room(1), &written, &mut rng())).err(), Some(OpenError::Seal));
}

#[test]
fn nobody_signs_for_another() {
    let written = write(&letter("I agree"));
    let mallory = SenderKey::from_seed(&[0xe; 32]);
    let forged = signed::sign(&mallory, LABEL_LETTER, &room(1).log_id(), written.bytes());
    let packet = signed::pack(&alice().public(), &forged, written.bytes());
    let body = fernet::encrypt_at(room(1).fernet(), &packet, NOW / 1000, &mut rng());
    assert_eq!(open(&room(1), body.as_bytes()).err(), Some(OpenError::Signature));
    // Claiming another's letter as one's own makes another letter: another hash, another id.
    let claimed = Letter { sender: mallory.public(), ..letter("I agree") };
    let claimed = claimed.write(&mallory, &room(1).log_id()).unwrap();
    assert_eq!(claimed.bytes(), written.bytes());
    assert_ne!((claimed.hash(), claimed.id16()), (written.hash(), written.id16()));
}

#[test]
fn the_outer_time_is_the_signed_one() {
    let packet = write(&letter("old")).to_bytes();
    for seconds in [NOW / 1000 - 1, NOW / 1000 + 1, 0, u64::MAX] {
        let body = fernet::encrypt_at(room(1).fernet(), &packet, seconds, &mut rng());
        assert_eq!(open(&room(1), body.as_bytes()).err(), Some(OpenError::Time));
    }
}

#[test]
fn a_small_order_key_signs_nothing() {
    // The identity point verifies any message under a lax check with R = identity, s = 0.
    let mut identity = [0; 32];
    identity[0] = 1;
    let mut signature = [0; 64];
    signature[0] = 1;
    let packet = signed::pack(&PublicKey(identity), &Signature(signature), write(&letter("x")).bytes());
    let body = fernet::encrypt_at(room(1).fernet(), &packet, NOW / 1000, &mut rng());
    assert_eq!(open(&room(1), body.as_bytes()).err(), Some(OpenError::Signature));
}

#[test]
fn every_second_layout_of_a_letter_is_refused() {
    let bytes = write(&Letter { content: None, ..letter("x") }).bytes().to_vec();
    let log = room(1).log_id();
    let open = |bytes: &[u8]| {
        let signature = signed::sign(&alice(), LABEL_LETTER, &log, bytes);
        Written::from_bytes(&log, &signed::pack(&alice().public(), &signature, bytes)).err()
    };
    assert_eq!(open(&bytes), None);
    // {1: 7, 2: [], 3: sent_at, 4: 3600, 5: "Alice"}
    assert_eq!(bytes[..5], [0xa5, 1, 7, 2, 0x80]);
    let altered = |f: &dyn Fn(&mut Vec<u8>)| {
        let mut copy = bytes.clone();
        f(&mut copy);
        open(&copy)
    };
    let malformed = Some(OpenError::Malformed);
    assert_eq!(altered(&|b| b.push(0)), malformed, "something after it");
    assert_eq!(altered(&|b| drop(b.splice(2..3, [0x18, 7]))), malformed, "a long integer");
    assert_eq!(
        altered(&|b| {
            b[0] = 0xa6;
            b.extend([6, 0])
        }),
        malformed,
        "an unknown key"
    );
    assert_eq!(
        altered(&|b| {
            b[0] = 0xa4;
            b.truncate(b.len() - 7)
        }),
        malformed,
        "no name"
    );
    assert_eq!(altered(&|b| b[0] = 0xa6), malformed, "a wrong count");
    assert_eq!(
        altered(&|b| {
            let n = b.len();
            b[n - 1] = 7
        }),
        malformed,
        "a control character in the name"
    );
    assert_eq!(altered(&|b| drop(b.splice(4..5, [0x81, 0x80]))), malformed, "an empty parent");
    assert_eq!(open(&[]), malformed);
    assert_eq!(Written::from_bytes(&log, &[]).err(), malformed);
    assert_eq!(Written::from_bytes(&log, &[2; 200]).err(), malformed, "another version");
}

#[test]
fn times_are_judged_with_fernets_borders() {
    let judge = |ttl, now| judge_time(NOW, ttl, now);
    assert_eq!(judge(Some(30), NOW + 30_000), Timely::Now);
    assert_eq!(judge(Some(30), NOW + 30_001), Timely::Expired { late_ms: 1 });
    assert_eq!(judge(Some(30), NOW + 45_000), Timely::Expired { late_ms: 15_000 });
    assert_eq!(judge(None, u64::MAX), Timely::Now);
    assert_eq!(judge(Some(30), NOW - 60_000), Timely::Now);
    assert_eq!(judge(Some(30), NOW - 60_001), Timely::Held { until: NOW });
    assert_eq!(judge(None, NOW - MAX_HELD_MS), Timely::Held { until: NOW });
    assert_eq!(judge(None, NOW - MAX_HELD_MS - 1), Timely::TooFarAhead { by_ms: MAX_HELD_MS + 1 });
    assert_eq!(judge_time(u64::MAX, Some(u32::MAX), 0), Timely::TooFarAhead { by_ms: u64::MAX });
    assert_eq!(judge_time(0, Some(1), u64::MAX), Timely::Expired { late_ms: u64::MAX - 1000 });
}
