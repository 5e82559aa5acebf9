//! What a letter is: new, a repeat, one of two faces, ours; and who has seen it.

use super::world::{DAY, Letter, Member, START, key, reader, rng, timeline};
use crate::transcript::{Act, Aside, Transcript, Verdict};

#[test]
fn a_repeat_is_told_unless_we_or_somebody_asked_for_it() {
    let letter = Letter::new(key(1), 0, START, vec![]);
    let mut reader = reader();
    assert_eq!(reader.observe(&letter.observed(), START).verdict, Verdict::New);
    assert_eq!(reader.observe(&letter.observed(), START).verdict, Verdict::Repeat { tell: true });
    let mut expected = letter.observed();
    expected.expected = true;
    assert_eq!(reader.observe(&expected, START).verdict, Verdict::Repeat { tell: false });
    reader.overheard(&[letter.hash], START);
    assert_eq!(reader.observe(&letter.observed(), START).verdict, Verdict::Repeat { tell: false });
    let later = START + 10 * 60_000;
    assert_eq!(reader.observe(&letter.observed(), later).verdict, Verdict::Repeat { tell: true });
}

#[test]
fn replay_memory_outlives_the_letter() {
    let letter = Letter::new(key(1), 0, START, vec![]).ending(START + 1_000);
    let mut reader = reader();
    reader.observe(&letter.observed(), START);
    let acts = reader.due(START + 1_001, true, &mut rng(0));
    assert_eq!(acts, [Act::Ended(letter.hash)]);
    assert!(timeline(&reader).is_empty());
    assert_eq!(reader.observe(&letter.observed(), START).verdict, Verdict::Repeat { tell: true });
    reader.due(START + DAY, true, &mut rng(0));
    assert!(!reader.knows(&letter.hash), "hashes end with their letters");
    assert_eq!(reader.observe(&letter.observed(), START).verdict, Verdict::Forgotten { tell: true });
}

#[test]
fn a_letter_lives_to_its_last_millisecond() {
    let letter = Letter::new(key(1), 0, START, vec![]).ending(START + 1_000);
    let mut reader = reader();
    reader.observe(&letter.observed(), START);
    assert_eq!(reader.due(START + 1_000, false, &mut rng(0)), []);
    assert_eq!(reader.next_timeout(), Some(START + 1_001));
}

#[test]
fn two_letters_under_one_counter_are_both_shown_and_named() {
    let one = Letter::new(key(1), 0, START, vec![]);
    let other = Letter::new(key(1), 0, START + 1, vec![]);
    let third = Letter::new(key(1), 0, START + 2, vec![]);
    let mut reader = reader();
    reader.observe(&one.observed(), START);
    let outcome = reader.observe(&other.observed(), START);
    assert_eq!(outcome.verdict, Verdict::TwoFaced { other: one.hash });
    assert_eq!(outcome.after, Some(one.hash));
    assert_eq!(reader.observe(&third.observed(), START).verdict, Verdict::Broken, "more say nothing new");
    assert_eq!(reader.observe(&third.observed(), START).verdict, Verdict::Repeat { tell: false });
}

#[test]
fn our_own_letters_come_back_as_echoes_and_strange_ones_as_a_copy() {
    let mut us = Member::new(1, 0);
    let ours = us.write(START, None, true);
    assert_eq!(us.transcript.observe(&ours.observed(), START).verdict, Verdict::Echo);
    assert_eq!(us.transcript.observe(&ours.observed(), START).verdict, Verdict::Echo);
    let face = Letter::new(key(1), 0, START + 9, vec![]);
    assert_eq!(us.transcript.observe(&face.observed(), START).verdict, Verdict::Copied);
    let later = Letter::new(key(1), 1, START + 9, vec![ours.name()]);
    assert_eq!(us.transcript.observe(&later.observed(), START).verdict, Verdict::Copied);
}

#[test]
fn letters_that_no_honest_sender_writes_are_dropped() {
    let future = Letter::new(key(1), 5, START, vec![]);
    let backwards = Letter::new(key(1), 4, START, vec![future.name()]);
    let crowd = (0..17).map(|n| Letter::new(key(100 + n), 0, START, vec![]).name()).collect();
    let too_many = Letter::new(key(1), 0, START, crowd);
    let endless = Letter::new(key(1), u64::MAX, START, vec![]);
    for letter in [backwards, too_many, endless] {
        let mut reader = reader();
        let outcome = reader.observe(&letter.observed(), START);
        assert_eq!(outcome.verdict, Verdict::Broken);
        assert!(timeline(&reader).is_empty());
    }
}

#[test]
fn a_refused_letter_stays_refused() {
    let letter = Letter::new(key(1), 0, START + 2 * DAY, vec![]);
    let mut reader = reader();
    reader.set_aside(&letter.observed(), Aside::Refused, START);
    assert_eq!(reader.observe(&letter.observed(), START).verdict, Verdict::Repeat { tell: false });
    assert!(timeline(&reader).is_empty());
}

#[test]
fn our_next_letter_always_names_our_last() {
    let mut us = Member::new(1, 0);
    let first = us.write(START, Some(1_000), true);
    us.transcript.due(START + DAY, true, &mut rng(0));
    assert!(!us.transcript.knows(&first.hash));
    let second = us.write(START + DAY, None, true);
    assert_eq!(second.parents, [first.name()], "ended long ago, and said so");
}

#[test]
fn what_lives_is_connected_by_letters_that_live_as_long() {
    let lasting = Letter::new(key(1), 0, START, vec![]);
    let brief = Letter::new(key(2), 0, START + 1, vec![lasting.name()]).ending(START + 1_000);
    let mut reader = reader();
    reader.observe(&lasting.observed(), START);
    reader.observe(&brief.observed(), START);
    assert_eq!(reader.parents(START), [brief.name(), lasting.name()]);
    let both = Letter::new(key(1), 1, START + 2, reader.parents(START));
    reader.observe(&both.observed(), START + 2);
    assert_eq!(reader.parents(START + 2), [both.name()]);
}

#[test]
fn a_late_reader_sees_each_senders_order_though_letters_between_have_ended() {
    let mut us = Member::new(1, 0);
    let first = us.write(START + 10, None, true);
    us.write(START + 11, Some(1_000), true);
    us.offset = -60_000;
    let last = us.write(START + 12, None, true);
    assert!(last.sent_at < first.sent_at, "the clock was set back");
    let mut reader = reader();
    reader.observe(&last.observed(), START + DAY);
    reader.observe(&first.observed(), START + DAY);
    assert_eq!(timeline(&reader), [last.hash, first.hash]);
}

#[test]
fn seen_says_by_how_many_others() {
    let mut us = Member::new(1, 0);
    let first = us.write(START, None, true);
    let second = us.write(START + 1, None, true);
    let by = |n, counter, parents| Letter::new(key(n), counter, START + 5, parents);
    let half = by(2, 0, vec![first.name()]);
    let outcome = us.transcript.observe(&half.observed(), START);
    assert_eq!(outcome.seen, [(first.hash, 1)]);
    let through = by(3, 0, vec![half.name()]).silent();
    let outcome = us.transcript.observe(&through.observed(), START);
    assert_eq!(outcome.seen, [(first.hash, 2)], "a beat, through another's letter");
    let all = by(2, 1, vec![half.name(), second.name()]);
    let outcome = us.transcript.observe(&all.observed(), START);
    assert_eq!(outcome.seen, [(second.hash, 1)], "the same sender counts once");
    assert_eq!((us.transcript.seen_by(0), us.transcript.seen_by(1)), (2, 1));
}

#[test]
fn a_late_link_makes_letters_seen() {
    let mut us = Member::new(1, 0);
    let ours = us.write(START, None, true);
    let link = Letter::new(key(2), 0, START + 1, vec![ours.name()]);
    let end = Letter::new(key(3), 0, START + 2, vec![link.name()]);
    assert_eq!(us.transcript.observe(&end.observed(), START + 2).seen, []);
    let outcome = us.transcript.observe(&link.observed(), START + 3);
    assert_eq!(outcome.seen, [(ours.hash, 2)]);
}

#[test]
fn a_name_without_the_letters_hash_makes_nothing_seen() {
    let mut us = Member::new(1, 0);
    let ours = us.write(START, None, true);
    let mut forged = ours.name();
    forged.hash = [9; 32];
    let letter = Letter::new(key(2), 0, START, vec![forged]);
    assert_eq!(us.transcript.observe(&letter.observed(), START).seen, []);
    assert_eq!(us.transcript.seen_by(0), 0);
}

#[test]
fn an_empty_transcript_has_nothing_to_do() {
    let transcript = Transcript::new(key(1), START);
    assert_eq!(transcript.next_timeout(), None);
    assert!(transcript.parents(START).is_empty());
    assert_eq!(transcript.next_counter(), 0);
}
