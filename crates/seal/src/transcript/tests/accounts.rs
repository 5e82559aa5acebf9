//! Private rooms: several devices a person, epochs, and devices that were removed.

use super::world::*;
use crate::account::AccountId;
use crate::letter::Reference;
use crate::transcript::{Act, Finding, Transcript, Verdict};

fn account(n: u8) -> AccountId {
    AccountId([n; 32])
}

/// Device 1 and 2 are Alice's, 3 and 4 Bob's, 5 is Carol's. We are device 1.
fn alice() -> Transcript {
    let mut transcript = Transcript::new(key(1), 0);
    transcript.set_first_epoch(0);
    for (device, owner) in [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3)] {
        transcript.set_account(key(device), account(owner), START);
    }
    transcript
}

fn restored(transcript: &mut Transcript, own: u8) -> Transcript {
    let changes = transcript.take_changes();
    let kept: Vec<_> = changes.into_iter().filter_map(|c| Some((c.key, c.value?))).collect();
    Transcript::restore(key(own), 0, kept.iter().map(|(k, v)| (k.as_slice(), v.as_slice()))).unwrap()
}

fn write(transcript: &mut Transcript, epoch: u64) -> Letter {
    let mut letter = Letter::new(key(1), transcript.next_counter(), START, transcript.parents(START));
    letter.epoch = epoch;
    assert_eq!(transcript.wrote(&letter.observed(), START).verdict, Verdict::New);
    letter
}

/// A letter of a device that has seen this one.
fn answer(device: u8, counter: u64, seen: &Letter) -> Letter {
    Letter::new(key(device), counter, START + 10, vec![seen.name()])
}

#[test]
fn seen_counts_accounts_and_never_our_own() {
    let mut transcript = alice();
    let ours = write(&mut transcript, 0);
    let mut seen = |letter: &Letter| transcript.observe(&letter.observed(), START + 20).seen;
    assert_eq!(seen(&answer(2, 0, &ours)), [], "our own other device");
    assert_eq!(seen(&answer(3, 0, &ours)), [(ours.hash, 1)], "Bob");
    assert_eq!(seen(&answer(4, 0, &ours)), [], "Bob's other device is Bob");
    assert_eq!(seen(&answer(5, 0, &ours)), [(ours.hash, 2)], "Carol");
    assert_eq!(transcript.seen_by(0), 2);
    assert_eq!(restored(&mut transcript, 1).seen_by(0), 2, "and after a restart");
}

#[test]
fn what_one_device_has_seen_the_other_need_not_say_again() {
    let mut transcript = alice();
    let first = write(&mut transcript, 0);
    let second = write(&mut transcript, 0);
    let mut seen = |letter: &Letter| transcript.observe(&letter.observed(), START + 20).seen;
    assert_eq!(seen(&answer(3, 0, &second)), [(first.hash, 1), (second.hash, 1)]);
    assert_eq!(seen(&answer(4, 0, &first)), [], "less than Bob's first device");
    let third = write(&mut transcript, 0);
    let seen = transcript.observe(&answer(4, 1, &third).observed(), START + 20).seen;
    assert_eq!(seen, [(third.hash, 1)], "more than it");
}

#[test]
fn in_a_quick_room_each_sender_is_a_person() {
    let mut transcript = Transcript::new(key(1), 0);
    let ours = write(&mut transcript, 0);
    for (n, device) in (1..).zip(2..5) {
        let seen = transcript.observe(&answer(device, 0, &ours).observed(), START + 20).seen;
        assert_eq!(seen, [(ours.hash, n)]);
    }
}

#[test]
fn two_devices_of_the_author_do_not_confirm_for_two_others() {
    // Bob wrote; his second device has it. Nobody else has said so: we still owe a beat.
    let mut transcript = alice();
    let bobs = Letter::new(key(3), 0, START, vec![]);
    transcript.observe(&bobs.observed(), START);
    transcript.observe(&answer(4, 0, &bobs).silent().observed(), START);
    let beats = |transcript: &mut Transcript| {
        let mut rng = rng(1);
        let mut beats = 0;
        for second in 0..60 {
            let acts = transcript.due(START + second * 1_000, true, &mut rng);
            beats += acts.iter().filter(|a| **a == Act::Beat).count();
            if beats > 0 {
                break;
            }
        }
        beats
    };
    assert_eq!(beats(&mut transcript.clone()), 1);
    // Our own second device has said it for us.
    transcript.observe(&answer(2, 0, &bobs).silent().observed(), START);
    assert_eq!(beats(&mut transcript), 0);
}

#[test]
fn what_was_sent_before_we_came_is_not_missing() {
    let mut transcript = alice();
    transcript.set_first_epoch(5);
    let old = Letter { epoch: 4, ..Letter::new(key(3), 7, START - 100, vec![]) };
    let new = Letter { epoch: 5, ..Letter::new(key(3), 8, START, vec![old.name()]) };
    transcript.observe(&new.observed(), START);
    assert_eq!(told(&wait(&mut transcript, START, &mut rng(1))), []);
    // And one of our first epoch is.
    let lost = Letter { epoch: 5, ..Letter::new(key(3), 9, START, vec![new.name()]) };
    let next = Letter { epoch: 6, ..Letter::new(key(3), 10, START + 5, vec![lost.name()]) };
    transcript.observe(&next.observed(), START + 10);
    let findings = told(&wait(&mut transcript, START + 10, &mut rng(1)));
    assert_eq!(findings, [Finding::Withheld { sender: key(3), count: 1, letter: Some(lost.hash) }]);
    let again = restored(&mut transcript, 1);
    let much_later = again.parents(START + 20);
    assert!(much_later.iter().any(|p| p.epoch == 6), "epochs are kept");
}

#[test]
fn how_many_are_missing_does_not_count_what_came_before_us() {
    let mut transcript = alice();
    transcript.set_first_epoch(5);
    let old = Letter { epoch: 4, ..Letter::new(key(5), 70, START - 100, vec![]) };
    let first = Letter { epoch: 5, ..Letter::new(key(5), 71, START, vec![old.name()]) };
    transcript.observe(&first.observed(), START);
    let lost = Letter { epoch: 5, ..Letter::new(key(5), 72, START, vec![first.name()]) };
    let third = Letter { epoch: 5, ..Letter::new(key(5), 73, START + 1, vec![lost.name()]) };
    transcript.observe(&third.observed(), START + 1);
    let findings = told(&wait(&mut transcript, START + 10, &mut rng(1)));
    assert_eq!(findings, [Finding::Withheld { sender: key(5), count: 1, letter: Some(lost.hash) }]);
}

#[test]
fn nobody_knows_letters_of_epochs_to_come() {
    let mut transcript = alice();
    let name = Reference { epoch: 2, ..Letter::new(key(4), 0, START, vec![]).name() };
    let letter = Letter { epoch: 1, ..Letter::new(key(3), 0, START, vec![name]) };
    assert_eq!(transcript.observe(&letter.observed(), START).verdict, Verdict::Broken);
    let letter = Letter { epoch: 2, ..Letter::new(key(5), 0, START, vec![name]) };
    assert_eq!(transcript.observe(&letter.observed(), START).verdict, Verdict::New);
}

#[test]
fn a_letter_that_was_sent_in_a_later_epoch_is_named_by_that_one() {
    let mut transcript = alice();
    let mut ours = write(&mut transcript, 3);
    assert_eq!(transcript.parents(START)[0].epoch, 3);
    ours.epoch = 4;
    assert_eq!(transcript.observe(&ours.observed(), START).verdict, Verdict::Echo);
    assert_eq!(transcript.parents(START)[0].epoch, 4);
    assert_eq!(restored(&mut transcript, 1).parents(START)[0].epoch, 4);
}

#[test]
fn who_was_removed_is_not_asked_and_what_is_missing_of_them_is_told() {
    let mut transcript = alice();
    transcript.set_gone(&key(3));
    let mut transcript = restored(&mut transcript, 1);
    let lost = Letter::new(key(3), 0, START, vec![]);
    transcript.observe(&answer(5, 0, &lost).observed(), START + 10);
    let acts = wait(&mut transcript, START + 10, &mut rng(1));
    let withheld = Finding::Withheld { sender: key(3), count: 1, letter: Some(lost.hash) };
    assert_eq!(acts, [Act::AskRelay, Act::Tell(withheld)], "the relay is asked, the author is not");
}

#[test]
fn a_question_under_way_ends_when_its_author_is_removed() {
    let mut transcript = alice();
    let lost = Letter::new(key(3), 0, START, vec![]);
    transcript.observe(&answer(5, 0, &lost).observed(), START);
    let mut rng = rng(1);
    let mut at = |transcript: &mut Transcript, after: u64| {
        let acts = transcript.due(START + after, true, &mut rng);
        acts.into_iter().filter(|a| *a != Act::Beat).collect::<Vec<_>>()
    };
    assert_eq!(at(&mut transcript, 0), []);
    assert_eq!(at(&mut transcript, 3_001), [Act::AskRelay]);
    transcript.relay_answered();
    assert_eq!(at(&mut transcript, 3_002), [Act::AskAuthor { author: key(3), hashes: vec![lost.hash] }]);
    assert_eq!(at(&mut transcript, 3_003), [], "it has 20 seconds");
    transcript.set_gone(&key(3));
    let told = Act::Tell(Finding::Withheld { sender: key(3), count: 1, letter: Some(lost.hash) });
    assert_eq!(at(&mut transcript, 3_004), [told]);
    // One that comes back is asked again.
    transcript.set_account(key(3), account(2), START);
    let lost = Letter::new(key(3), 1, START + 50_000, vec![]);
    let next = Letter::new(key(5), 1, START + 50_000, vec![lost.name()]);
    transcript.observe(&next.observed(), START + 50_000);
    let acts = wait(&mut transcript, START + 50_000, &mut rng);
    assert!(acts.contains(&Act::AskAuthor { author: key(3), hashes: vec![lost.hash] }), "{acts:?}");
}
