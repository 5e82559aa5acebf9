//! That members who know the same letters see the same order, however those came.

use proptest::prelude::*;

use super::world::{Letter, Room, START, below, key, observe_all, reader, rng, shuffle, timeline, told, wait};
use crate::transcript::{Finding, Hash, Outcome, Verdict};

/// Rebuilds a screen from what outcomes say, as a face does.
fn screen(outcomes: &[Outcome], letters: &[Letter]) -> Vec<Hash> {
    let mut screen: Vec<Hash> = Vec::new();
    let put = |screen: &mut Vec<Hash>, hash: Hash, after: Option<Hash>| {
        screen.retain(|h| *h != hash);
        let at = after.map_or(0, |a| screen.iter().position(|h| *h == a).expect("told before") + 1);
        screen.insert(at, hash);
    };
    for (outcome, letter) in outcomes.iter().zip(letters) {
        if letter.shows {
            put(&mut screen, letter.hash, outcome.after);
        }
        for moved in &outcome.moved {
            put(&mut screen, moved.hash, moved.after);
        }
    }
    screen
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_arrival_ends_in_the_same_order(seed in any::<u64>(), members in 2u8..7, letters in 1usize..80) {
        let mut rng = rng(seed);
        let mut room = Room::new(members, 30_000, &mut rng);
        room.chat(letters, &mut rng);
        room.farewell();
        let mut plain = reader();
        let in_order = observe_all(&mut plain, &room.log, room.now);
        prop_assert!(in_order.iter().all(|o| o.verdict == Verdict::New && o.findings.is_empty()));

        let mut shuffled = room.log.clone();
        shuffle(&mut shuffled, &mut rng);
        let mut other = reader();
        let outcomes = observe_all(&mut other, &shuffled, room.now);
        let reordered = |f: &Finding| matches!(f, Finding::Reordered { .. });
        prop_assert!(outcomes.iter().all(|o| o.findings.iter().all(reordered)));
        prop_assert_eq!(timeline(&plain), timeline(&other));
        let mut shown = screen(&outcomes, &shuffled);
        shown.reverse();
        prop_assert_eq!(shown, timeline(&other), "a face that follows the outcomes shows the same");
        prop_assert!(told(&wait(&mut other, room.now, &mut rng)).is_empty());

        for who in 0..room.members.len() {
            room.read(who, room.log.len());
            prop_assert_eq!(timeline(&room.members[who].transcript), timeline(&plain));
        }
        prop_assert!(room.findings.is_empty(), "nobody is told anything about honest members");
    }

    #[test]
    fn parents_and_counters_come_first(seed in any::<u64>()) {
        let mut rng = rng(seed);
        let mut room = Room::new(5, 60_000, &mut rng);
        room.chat(60, &mut rng);
        let mut letters = room.log.clone();
        shuffle(&mut letters, &mut rng);
        let mut reader = reader();
        observe_all(&mut reader, &letters, room.now);
        for letter in &letters {
            let place = reader.place(&letter.hash).unwrap();
            for parent in &letter.parents {
                prop_assert!(reader.place(&parent.hash).unwrap() < place);
            }
            let before = letters.iter().filter(|l| l.sender == letter.sender && l.counter < letter.counter);
            for earlier in before {
                prop_assert!(reader.place(&earlier.hash).unwrap() < place);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn who_comes_late_sees_the_order_that_those_see_who_read_what_has_ended(seed in any::<u64>(), letters in 2usize..60) {
        let mut rng = rng(seed);
        let mut room = Room::new(4, 30_000, &mut rng);
        let mut steady = reader();
        for _ in 0..letters {
            let who = below(&mut rng, 4);
            let to = room.members[who].read.max(below(&mut rng, room.log.len() + 1));
            room.read(who, to);
            room.members[who].transcript.due(room.now, false, &mut rng);
            let ttl = (below(&mut rng, 2) == 0).then_some(20_000 * (1 + below(&mut rng, 4) as u64));
            let letter = room.say(who, ttl, true);
            steady.observe(&letter.observed(), room.now);
            steady.due(room.now, false, &mut rng);
            room.now += below(&mut rng, 8_000) as u64;
        }
        room.now += 200_000;
        steady.due(room.now, false, &mut rng);
        let mut living: Vec<_> = room.log.iter().filter(|l| l.ends_at.is_none()).cloned().collect();
        shuffle(&mut living, &mut rng);
        let mut late = reader();
        observe_all(&mut late, &living, room.now);
        prop_assert_eq!(timeline(&steady), timeline(&late));
        // And what the steady reader was told of places is what it has.
        for hash in timeline(&steady) {
            prop_assert_eq!(steady.place(&hash), late.place(&hash));
        }
        let member = &mut room.members[0];
        let ours: Vec<_> = living.iter().filter(|l| l.sender == member.key).cloned().collect();
        for pair in ours.iter().filter(|l| l.counter > 0) {
            prop_assert!(pair.parents.iter().any(|p| p.counter + 1 == pair.counter && p.sender == pair.sender));
        }
    }
}

#[test]
fn letters_that_know_nothing_of_each_other_stand_by_time_then_hash() {
    let early = Letter::new(key(1), 0, START, vec![]);
    let late = Letter::new(key(2), 0, START + 1, vec![]);
    let (a, b) = (Letter::new(key(3), 0, START + 2, vec![]), Letter::new(key(4), 0, START + 2, vec![]));
    let (first, second) = if a.hash < b.hash { (a, b) } else { (b, a) };
    let mut reader = reader();
    observe_all(&mut reader, &[second.clone(), late.clone(), first.clone(), early.clone()], START);
    assert_eq!(timeline(&reader), [second.hash, first.hash, late.hash, early.hash]);
}

#[test]
fn an_answer_from_a_slow_clock_stands_after_its_question() {
    let question = Letter::new(key(1), 0, START, vec![]);
    let answer = Letter::new(key(2), 0, START - 50_000, vec![question.name()]);
    let meanwhile = Letter::new(key(3), 0, START - 20_000, vec![]);
    let mut reader = reader();
    let outcomes = observe_all(&mut reader, &[answer.clone(), meanwhile.clone(), question.clone()], START);
    assert_eq!(timeline(&reader), [answer.hash, question.hash, meanwhile.hash]);
    let moved = &outcomes[2].moved;
    assert_eq!(moved.len(), 1, "the answer had to move");
    assert_eq!((moved[0].hash, moved[0].after), (answer.hash, Some(question.hash)));
}

#[test]
fn a_late_letter_that_changes_no_order_moves_nothing() {
    let first = Letter::new(key(1), 0, START, vec![]);
    let second = Letter::new(key(2), 0, START + 1, vec![first.name()]);
    let third = Letter::new(key(1), 1, START + 2, vec![first.name(), second.name()]);
    let mut reader = reader();
    let outcomes = observe_all(&mut reader, &[second, third, first], START + 2);
    assert!(outcomes.iter().all(|o| o.moved.is_empty()));
}

#[test]
fn in_a_crowd_every_letter_is_named_in_the_end() {
    let mut rng = rng(7);
    let mut room = Room::new(60, 1_000, &mut rng);
    for who in 0..60 {
        room.say(who, None, true);
    }
    for round in 0..8 {
        room.now += 1_000;
        room.read(0, room.log.len());
        room.say(0, None, true);
        let names = room.log.last().unwrap().parents.len();
        assert!(names <= 16 && (round > 0 || names == 16));
    }
    let log = &room.log;
    assert!(log[..60].iter().all(|l| log.iter().any(|c| c.parents.contains(&l.name()))));
}
