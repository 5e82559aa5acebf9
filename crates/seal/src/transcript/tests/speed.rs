//! That hostile and large rooms cost what they should. Nothing is timed here: with the right order of growth each takes a
//! few seconds, with the wrong one it does not end.

use super::world::{Letter, START, key, reader};
use crate::transcript::Transcript;

const MANY: u64 = 100_000;

/// A room of twenty where each letter names the last of sixteen others.
fn busy_room() -> Vec<Letter> {
    let mut letters: Vec<Letter> = Vec::new();
    for n in 0..MANY {
        let sender = key(u8::try_from(n % 20).unwrap());
        let mut parents: Vec<_> = letters.iter().rev().take(15).map(Letter::name).collect();
        parents.extend(letters.len().checked_sub(20).map(|i| letters[i].name()));
        letters.push(Letter::new(sender, n / 20, START + n, parents));
    }
    letters
}

fn observe(transcript: &mut Transcript, letters: &[Letter]) {
    for letter in letters {
        transcript.observe(&letter.observed(), START);
    }
}

#[test]
fn a_hundred_thousand_letters_take_seconds() {
    let letters = busy_room();
    let mut reader = reader();
    observe(&mut reader, &letters);
    let changes = reader.take_changes();
    let entries = changes.iter().filter_map(|c| Some((c.key.as_slice(), c.value.as_deref()?)));
    let restored = Transcript::restore(key(250), 0, entries).unwrap();
    assert_eq!(restored.timeline(None).count(), letters.len());
}

#[test]
fn a_late_root_of_a_hundred_thousand_moves_each_once() {
    let root = Letter::new(key(1), 0, START + 50_000, vec![]);
    let mut letters = vec![Letter::new(key(2), 0, START, vec![root.name()])];
    for n in 1..MANY {
        let parents = letters.iter().rev().take(16).map(Letter::name).collect();
        letters.push(Letter::new(key(2), n, START, parents));
    }
    let mut reader = reader();
    observe(&mut reader, &letters);
    let outcome = reader.observe(&root.observed(), START);
    assert!(outcome.place.is_some());
    assert_eq!(reader.timeline(None).last(), Some(root.hash));
}

#[test]
fn a_hundred_thousand_letters_that_name_one_missing_cost_no_more() {
    let missing = Letter::new(key(1), 0, START + 50_000, vec![]);
    let mut letters = Vec::new();
    for n in 0..MANY {
        letters.push(Letter::new(key(2), n, START, vec![missing.name()]).ending(START + 1));
    }
    let mut reader = reader();
    observe(&mut reader, &letters);
    reader.observe(&missing.observed(), START);
    reader.due(START + 2, false, &mut super::world::rng(0));
    reader.due(START + 200_000, false, &mut super::world::rng(0));
    assert_eq!(reader.timeline(None).count(), 1);
}
