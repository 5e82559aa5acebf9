//! Two members compare what they saw.

use super::*;

const KEY: [u8; 32] = [7; 32];

#[test]
fn the_same_group_looks_the_same_and_another_does_not() {
    let ours = View::make(&KEY, 5, b"authenticator");
    assert_eq!(ours.compare(&View::make(&KEY, 5, b"authenticator")), Sight::Same);
    assert_eq!(ours.compare(&View::make(&KEY, 5, b"another")), Sight::Split);
    assert_eq!(ours.compare(&View::make(&KEY, 6, b"another")), Sight::AnotherEpoch);
    assert_eq!(ours.compare(&View::make(&[8; 32], 5, b"authenticator")), Sight::Elsewhere);
    assert_ne!(View::make(&KEY, 6, b"authenticator").check, ours.check, "the epoch is part of it");
}

#[test]
fn what_was_seen_is_compared_for_long_and_not_for_ever() {
    let mut ours = Remembered::default();
    assert_eq!((ours.compare(&View::make(&KEY, 0, b"x")), ours.newest()), (Sight::Elsewhere, None));
    for epoch in 0..300 {
        ours.note(View::make(&KEY, epoch, &epoch.to_be_bytes()));
    }
    let theirs = |epoch: u64, of: u64| View::make(&KEY, epoch, &of.to_be_bytes());
    assert_eq!(ours.compare(&theirs(299, 299)), Sight::Same);
    assert_eq!(ours.compare(&theirs(44, 44)), Sight::Same);
    assert_eq!(ours.compare(&theirs(44, 45)), Sight::Split);
    assert_eq!(ours.compare(&theirs(43, 45)), Sight::AnotherEpoch, "256 are remembered");
    assert_eq!(ours.compare(&theirs(300, 45)), Sight::AnotherEpoch, "not reached yet");
    assert!(ours.newest() == Some(&theirs(299, 299)));
    assert!(Remembered::from_bytes(&ours.to_bytes()) == Some(ours.clone()));
    let mut longer = ours.to_bytes();
    longer.push(0);
    assert!(Remembered::from_bytes(&longer).is_none());
}

#[test]
fn a_room_with_a_new_view_key_is_compared_by_both() {
    let mut ours = Remembered::default();
    ours.note(View::make(&KEY, 4, b"four"));
    ours.note(View::make(&[9; 32], 5, b"five"));
    assert_eq!(ours.compare(&View::make(&KEY, 4, b"other")), Sight::Split, "who is behind says the old tag");
    assert_eq!(ours.compare(&View::make(&[9; 32], 5, b"five")), Sight::Same);
}

#[test]
fn at_most_four_views_of_four_rooms_are_read() {
    let views: Vec<_> = (0..5).map(|n| View::make(&[n; 32], 1, b"x")).collect();
    let read = |views: &[View]| {
        let bytes = crate::cbor::write(|e| put(e, views));
        get(&mut Decoder::new(&bytes))
    };
    assert!(read(&views[..4]).is_some_and(|read| read == views[..4]));
    assert!(read(&views).is_none());
    assert!(read(&[views[0], View { epoch: 9, ..views[0] }]).is_none(), "two of one room");
    assert!(read(&[]).is_some_and(|read| read.is_empty()));
}
