//! That a letter which should be here is missed, by whose and how many, and nothing else ever is.

use std::collections::BTreeMap;

use estoile_wire::PublicKey;
use proptest::prelude::*;

use super::world::{DAY, Letter, Room, START, below, key, observe_all, reader, rng, shuffle, timeline, told, wait};
use crate::transcript::{Act, Aside, Finding, Transcript, Verdict};

fn withheld(findings: &[Finding]) -> BTreeMap<PublicKey, u64> {
    let mut counts = BTreeMap::new();
    for finding in findings {
        let Finding::Withheld { sender, count, .. } = finding else { panic!("{finding:?}") };
        *counts.entry(*sender).or_default() += count;
    }
    counts
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_relay_that_drops_is_told_of_by_whose_and_how_many(
        seed in any::<u64>(), members in 2u8..6, letters in 2usize..50, drops in 1usize..6, permute in any::<bool>(),
    ) {
        let mut rng = rng(seed);
        let mut room = Room::new(members, 20_000, &mut rng);
        room.chat(letters, &mut rng);
        let talk = room.log.len();
        room.farewell();
        let mut dropped: Vec<usize> = (0..drops).map(|_| below(&mut rng, talk)).collect();
        dropped.sort_unstable();
        dropped.dedup();
        let mut left: Vec<Letter> = room.log.iter().enumerate()
            .filter(|(i, _)| !dropped.contains(i)).map(|(_, l)| l.clone()).collect();
        if permute {
            shuffle(&mut left, &mut rng);
        }
        let mut reader = reader();
        observe_all(&mut reader, &left, room.now);
        let mut expected: BTreeMap<PublicKey, u64> = BTreeMap::new();
        for i in &dropped {
            *expected.entry(room.log[*i].sender).or_default() += 1;
        }
        let acts = wait(&mut reader, room.now, &mut rng);
        prop_assert_eq!(acts.iter().filter(|a| **a == Act::AskRelay).count(), 1, "the relay was asked again first");
        prop_assert_eq!(withheld(&told(&acts)), expected);

        // The author sends them again after all: the order heals, and that is told too.
        let lost: Vec<Letter> = dropped.iter().map(|i| room.log[*i].clone()).collect();
        let outcomes = observe_all(&mut reader, &lost, room.now + 600_000);
        prop_assert!(outcomes.iter().all(|o| o.verdict == Verdict::New));
        let mut honest = super::world::reader();
        observe_all(&mut honest, &room.log, room.now);
        prop_assert_eq!(timeline(&honest), timeline(&reader));
        prop_assert!(told(&wait(&mut reader, room.now + 600_000, &mut rng)).is_empty(), "nothing twice");
    }

    #[test]
    fn what_has_ended_or_is_refused_is_never_missed(seed in any::<u64>(), letters in 2usize..50) {
        let mut rng = rng(seed);
        let mut room = Room::new(4, 20_000, &mut rng);
        for _ in 0..letters {
            let who = below(&mut rng, 4);
            let to = room.members[who].read.max(below(&mut rng, room.log.len() + 1));
            room.read(who, to);
            let ttl = (below(&mut rng, 2) == 0).then_some(30_000);
            room.say(who, ttl, true);
            room.now += 500;
        }
        room.farewell();
        room.now += DAY;
        let mut reader = reader();
        for letter in &room.log {
            match letter.ends_at {
                Some(_) if below(&mut rng, 2) == 0 => {
                    reader.set_aside(&letter.observed(), Aside::Refused, room.now);
                }
                Some(_) => {}
                None => {
                    reader.observe(&letter.observed(), room.now);
                }
            }
        }
        prop_assert_eq!(told(&wait(&mut reader, room.now, &mut rng)), vec![]);
    }
}

#[test]
fn a_held_letter_is_not_missed_and_new_when_its_time_comes() {
    let mut rng = rng(1);
    let ahead = Letter::new(key(1), 0, START + 120_000, vec![]);
    let answer = Letter::new(key(2), 0, START, vec![ahead.name()]);
    let mut reader = reader();
    reader.set_aside(&ahead.observed(), Aside::Held, START);
    reader.observe(&answer.observed(), START);
    assert!(wait(&mut reader, START, &mut rng).is_empty());
    assert_eq!(reader.observe(&ahead.observed(), START + 120_000).verdict, Verdict::New);
    assert_eq!(timeline(&reader), [answer.hash, ahead.hash]);
    let again = reader.observe(&ahead.observed(), START + 120_001);
    assert_eq!(again.verdict, Verdict::Repeat { tell: true });
}

#[test]
fn letters_older_than_our_joining_are_never_missed() {
    let mut rng = rng(2);
    let old = Letter::new(key(1), 7, START - 1, vec![]);
    let new = Letter::new(key(1), 8, START + 1, vec![old.name()]);
    let mut late = Transcript::new(key(9), START);
    assert!(late.observe(&new.observed(), START + 1).findings.is_empty());
    assert!(wait(&mut late, START + 1, &mut rng).is_empty());
}

#[test]
fn a_letter_without_an_end_is_missed_for_as_long_as_the_relay_keeps_it() {
    let mut rng = rng(3);
    let old = Letter::new(key(1), 0, START, vec![]);
    let new = Letter::new(key(2), 0, START + 3 * DAY, vec![old.name()]);
    for (life, missed) in [(2 * DAY, false), (4 * DAY, true)] {
        let mut reader = reader();
        reader.set_max_life(life);
        reader.observe(&new.observed(), START + 3 * DAY);
        assert_eq!(!told(&wait(&mut reader, START + 3 * DAY, &mut rng)).is_empty(), missed);
    }
}

#[test]
fn questions_go_to_the_relay_then_to_the_author_and_wait_for_the_connection() {
    let mut rng = rng(4);
    let lost = Letter::new(key(1), 0, START, vec![]);
    let next = Letter::new(key(1), 1, START + 1, vec![lost.name()]);
    let mut reader = reader();
    reader.observe(&next.observed(), START);
    assert!(reader.due(START + DAY / 2, false, &mut rng).is_empty());
    assert_eq!(reader.next_timeout(), None, "offline nothing is due");
    let now = START + DAY / 2;
    assert!(reader.due(now, true, &mut rng).is_empty(), "it may still be under way");
    let now = reader.next_timeout().unwrap().max(now + 3_000);
    assert_eq!(reader.due(now, true, &mut rng)[0], Act::AskRelay);
    assert!(reader.waits_for_parents(&next.hash));
    reader.relay_answered();
    assert!(!reader.waits_for_parents(&next.hash), "the relay has no more of it");
    let ask = Act::AskAuthor { author: key(1), hashes: vec![lost.hash] };
    assert!(reader.due(now, true, &mut rng).contains(&ask));
    assert_eq!(reader.observe(&lost.observed(), now + 1).findings, [], "an answer is nothing to tell");
    assert_eq!(told(&wait(&mut reader, now + 2, &mut rng)), []);
}

#[test]
fn a_letter_before_its_parent_is_told_once() {
    let parent = Letter::new(key(1), 0, START, vec![]);
    let child = Letter::new(key(2), 0, START + 1, vec![parent.name()]);
    let mut reader = reader();
    reader.observe(&child.observed(), START + 1);
    let outcome = reader.observe(&parent.observed(), START + 2);
    assert_eq!(outcome.findings, [Finding::Reordered { sender: key(1), letter: parent.hash }]);
}

/// Somebody (2) names a letter of 1 that never was.
fn with_invention() -> (Transcript, Letter) {
    let invented = Letter::new(key(1), 5, START, vec![]);
    let namer = Letter::new(key(2), 0, START + 1, vec![invented.name()]);
    let mut reader = reader();
    reader.observe(&namer.observed(), START + 1);
    (reader, invented)
}

#[test]
fn an_invented_parent_is_blamed_on_who_named_it() {
    let (mut reader, invented) = with_invention();
    assert_eq!(reader.denied(&invented.hash, &key(1)), None, "the author may be the liar");
    assert_eq!(reader.denied(&invented.hash, &key(2)), None, "who named it doesn't count");
    let finding = Finding::Invented { by: key(2), author: key(1), letter: invented.hash };
    assert_eq!(reader.denied(&invented.hash, &key(3)), Some(finding));
    assert_eq!(reader.denied(&invented.hash, &key(4)), None);
    assert_eq!(told(&wait(&mut reader, START, &mut rng(5))), [], "and not on the relay");
}

#[test]
fn with_the_authors_word_alone_it_is_disputed() {
    let (mut reader, invented) = with_invention();
    reader.denied(&invented.hash, &key(1));
    let finding = Finding::Disputed { by: key(2), author: key(1), letter: invented.hash };
    assert_eq!(told(&wait(&mut reader, START, &mut rng(6))), [finding]);
}

#[test]
fn a_letter_that_is_said_to_be_ours_is_known_to_be_invented() {
    let invented = Letter::new(key(9), 0, START, vec![]);
    let namer = Letter::new(key(2), 0, START + 1, vec![invented.name()]);
    let mut us = Transcript::new(key(9), 0);
    let finding = Finding::Invented { by: key(2), author: key(9), letter: invented.hash };
    assert_eq!(us.observe(&namer.observed(), START + 1).findings, [finding]);
    assert_eq!(told(&wait(&mut us, START, &mut rng(7))), []);
}

#[test]
fn a_letter_that_its_author_withdrew_is_not_missed() {
    let withdrawn = Letter::new(key(1), 0, START, vec![]);
    let next = Letter::new(key(1), 1, START + 1, vec![withdrawn.name()]);
    let mut reader = reader();
    reader.observe(&next.observed(), START + 1);
    assert_eq!(reader.denied(&withdrawn.hash, &key(1)), None);
    assert_eq!(wait(&mut reader, START, &mut rng(8)), []);
}

#[test]
fn a_sender_who_gives_up_a_letter_says_so_with_the_next() {
    let mut sender = super::world::Member::new(1, 0);
    let given_up = sender.write(START, None, true);
    sender.transcript.gave_up(&given_up.hash, START + 1);
    let next = sender.write(START + 2, None, true);
    assert!(!sender.transcript.knows(&given_up.hash));
    let mut reader = reader();
    reader.observe(&next.observed(), START + 2);
    assert_eq!(wait(&mut reader, START + 2, &mut rng(9)), []);
}

#[test]
fn a_gap_without_names_is_judged_by_the_letter_after_it() {
    let first = Letter::new(key(1), 0, START, vec![]);
    let fourth = Letter::new(key(1), 3, START + 1, vec![]);
    for (end, expected) in [(None, 2), (Some(START + 30_000), 0), (Some(START + DAY), 2)] {
        let mut reader = reader();
        let fourth = Letter { ends_at: end, ..fourth.clone() };
        observe_all(&mut reader, &[first.clone(), fourth], START + 1);
        let told = told(&wait(&mut reader, START + 1, &mut rng(10)));
        assert_eq!(withheld(&told).values().sum::<u64>(), expected);
    }
}

#[test]
fn one_members_letters_raise_at_most_64_questions() {
    let mut reader = reader();
    for n in 0..40 {
        let names = (0..16).map(|i| Letter::new(key(100 + i), n, START, vec![]).name()).collect();
        reader.observe(&Letter::new(key(1), n, START + n, names).observed(), START);
    }
    reader.due(START, true, &mut rng(11));
    reader.due(START + 10_000, true, &mut rng(11));
    reader.relay_answered();
    let acts = reader.due(START + 10_000, true, &mut rng(11));
    let hashes = acts.iter().map(|a| match a {
        Act::AskAuthor { hashes, .. } => hashes.len(),
        _ => 0,
    });
    assert_eq!(hashes.sum::<usize>(), 64);
}

#[test]
fn inventions_make_nobody_read_the_log_without_end() {
    let mut reader = reader();
    let mut rng = rng(12);
    let mut asked = 0;
    for n in 0..3_600 {
        let now = START + n * 1_000;
        let name = Letter::new(key(3), n, now, vec![]).name();
        reader.observe(&Letter::new(key(1), n, now, vec![name]).observed(), now);
        let acts = reader.due(now, true, &mut rng);
        asked += acts.iter().filter(|a| **a == Act::AskRelay).count();
        reader.relay_answered();
    }
    assert!((1..=12).contains(&asked), "{asked} times in an hour");
}
