//! Replay memory, the vault's entries, and their bounds.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::world::{DAY, Letter, Room, START, below, key, observe_all, reader, rng, shuffle, timeline, told, wait};
use crate::transcript::senders::{MAX_GAPS, MAX_SENDERS};
use crate::transcript::{Act, Aside, Observed, RestoreError, Transcript, Verdict};
use estoile_wire::PublicKey;

/// A vault: entries by key.
#[derive(Clone, Default)]
struct Vault(BTreeMap<Vec<u8>, Vec<u8>>);

impl Vault {
    fn keep(&mut self, transcript: &mut Transcript) {
        for change in transcript.take_changes() {
            assert!(change.key.len() <= 9);
            match change.value {
                Some(value) => self.0.insert(change.key, value),
                None => self.0.remove(&change.key),
            };
        }
    }

    fn restore(&self, n: u8) -> Transcript {
        let entries = self.0.iter().map(|(k, v)| (k.as_slice(), v.as_slice()));
        Transcript::restore(key(n), 0, entries).unwrap()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_restored_transcript_goes_on_as_if_nothing_had_been(seed in any::<u64>(), letters in 2usize..60) {
        let mut rng = rng(seed);
        let mut room = Room::new(4, 20_000, &mut rng);
        for _ in 0..letters {
            let who = below(&mut rng, 4);
            let to = room.members[who].read.max(below(&mut rng, room.log.len() + 1));
            room.read(who, to);
            let ttl = (below(&mut rng, 3) == 0).then_some(40_000);
            room.say(who, ttl, true);
            room.now += 1_500;
        }
        room.farewell();
        let mut log: Vec<_> = room.log.iter().filter(|l| l.sender != key(1)).cloned().collect();
        if below(&mut rng, 2) == 0 {
            shuffle(&mut log, &mut rng);
        }
        log.retain(|_| below(&mut rng, 10) != 0);
        // Two readers get the same; one is restored from its vault after every step.
        let mut steady = Transcript::new(key(1), 0);
        let (mut restored, mut vault) = (Transcript::new(key(1), 0), Vault::default());
        for own in room.log.iter().filter(|l| l.sender == key(1)) {
            steady.wrote(&own.observed(), room.now);
            restored.wrote(&own.observed(), room.now);
        }
        let mut ended = (Vec::new(), Vec::new());
        for letter in &log {
            vault.keep(&mut restored);
            restored = vault.restore(1);
            let a = steady.observe(&letter.observed(), room.now);
            let b = restored.observe(&letter.observed(), room.now);
            prop_assert_eq!(a, b);
            if below(&mut rng, 4) == 0 {
                room.now += 30_000;
                ended.0.extend(steady.due(room.now, false, &mut rng));
                ended.1.extend(restored.due(room.now, false, &mut rng));
            }
        }
        vault.keep(&mut restored);
        restored = vault.restore(1);
        prop_assert_eq!(ended.0, ended.1);
        prop_assert_eq!(timeline(&steady), timeline(&restored));
        prop_assert_eq!(steady.parents(room.now), restored.parents(room.now));
        prop_assert_eq!(steady.next_counter(), restored.next_counter());
        for counter in 0..steady.next_counter() {
            prop_assert_eq!(steady.seen_by(counter), restored.seen_by(counter));
        }
        let told_steady = told(&wait(&mut steady, room.now, &mut rng));
        let told_restored = told(&wait(&mut restored, room.now, &mut rng));
        prop_assert_eq!(told_steady, told_restored);
        vault.keep(&mut restored);
        prop_assert!(told(&wait(&mut vault.restore(1), room.now, &mut rng)).is_empty(), "nothing is told twice");
    }

    #[test]
    fn damaged_entries_are_an_error_and_never_a_panic(
        entries in proptest::collection::vec(
            (proptest::collection::vec(any::<u8>(), 0..6), proptest::collection::vec(any::<u8>(), 0..80)), 0..4),
        flip in any::<(usize, usize)>(),
    ) {
        let _ = Transcript::restore(key(1), 0, entries.iter().map(|(k, v)| (k.as_slice(), v.as_slice())));
        let mut us = super::world::Member::new(1, 0);
        let ours = us.write(START, None, true);
        us.transcript.observe(&Letter::new(key(2), 1, START, vec![ours.name()]).observed(), START);
        let mut vault = Vault::default();
        vault.keep(&mut us.transcript);
        let which = flip.0 % vault.0.len();
        let value = vault.0.values_mut().nth(which).unwrap();
        let at = flip.1 % value.len();
        value[at] ^= 1 << (flip.0 % 8);
        let entries = vault.0.iter().map(|(k, v)| (k.as_slice(), v.as_slice()));
        if let Ok(mut transcript) = Transcript::restore(key(1), 0, entries) {
            transcript.due(START + DAY, true, &mut rng(0));
        }
    }
}

#[test]
fn a_newer_versions_entries_are_refused_by_name() {
    let entries = [(b"m".as_slice(), [2u8].as_slice())];
    let restored = Transcript::restore(key(1), 0, entries);
    assert_eq!(restored.unwrap_err(), RestoreError::Version);
}

#[test]
fn nothing_ended_stays_in_the_vault() {
    let mut vault = Vault::default();
    let mut reader = reader();
    vault.keep(&mut reader);
    let letters: Vec<_> =
        (0..20).map(|n| Letter::new(key(1), n, START + n, vec![]).ending(START + 1_000 + n)).collect();
    observe_all(&mut reader, &letters, START);
    vault.keep(&mut reader);
    assert!(vault.0.len() > 20);
    let mut ended = reader.due(START + 10_000, true, &mut rng(0));
    ended.retain(|act| matches!(act, Act::Ended(_)));
    assert_eq!(ended.len(), 20);
    reader.due(START + DAY, true, &mut rng(0));
    vault.keep(&mut reader);
    assert_eq!(vault.0.len(), 3, "what is left: the room's entry, our own and the sender's");
}

#[test]
fn a_sender_with_more_gaps_than_we_remember_loses_the_oldest() {
    let mut reader = reader();
    let gappy = MAX_GAPS as u64 + 1;
    for n in 0..gappy {
        reader.observe(&Letter::new(key(1), 2 * n + 1, START, vec![]).observed(), START);
    }
    let oldest = reader.observe(&Letter::new(key(1), 0, START, vec![]).observed(), START);
    assert_eq!(oldest.verdict, Verdict::Forgotten { tell: true });
    let next = reader.observe(&Letter::new(key(1), 2, START, vec![]).observed(), START);
    assert_eq!(next.verdict, Verdict::New);
}

fn numbered(n: usize) -> PublicKey {
    let mut key = [7; 32];
    key[..8].copy_from_slice(&(n as u64).to_be_bytes());
    PublicKey(key)
}

#[test]
fn of_too_many_senders_those_whose_letters_have_ended_are_forgotten_first() {
    let mut reader = reader();
    let now = START + DAY;
    for n in 0..MAX_SENDERS - 1 {
        let mut letter = Letter::new(numbered(n), 0, START, vec![]);
        if n == 77 {
            letter = letter.ending(START + 1_000);
        }
        reader.observe(&letter.observed(), START);
    }
    reader.due(now, true, &mut rng(0));
    let ended = Letter::new(numbered(77), 0, START, vec![]);
    assert_eq!(reader.observe(&ended.observed(), now).verdict, Verdict::Forgotten { tell: true });
    reader.observe(&Letter::new(key(1), 0, now, vec![]).observed(), now);
    assert_eq!(reader.observe(&ended.observed(), now).verdict, Verdict::New, "forgotten");
    let living = Letter::new(numbered(78), 0, START, vec![]);
    assert_eq!(reader.observe(&living.observed(), now).verdict, Verdict::Repeat { tell: true });
}

#[test]
fn a_forgotten_sender_is_not_asked_about_what_we_forgot() {
    let mut reader = reader();
    let first = Letter::new(numbered(0), 0, START, vec![]);
    reader.observe(&first.observed(), START);
    for n in 1..=MAX_SENDERS {
        reader.observe(&Letter::new(numbered(n), 0, START + 1, vec![]).observed(), START + 1);
    }
    let next = Letter::new(numbered(0), 2, START + 2, vec![]);
    assert_eq!(reader.observe(&next.observed(), START + 2).verdict, Verdict::New);
}

#[test]
fn refused_letters_cant_crowd_out_a_held_one() {
    let mut reader = reader();
    for n in 0..5_000 {
        let refused = Letter::new(key(7), n, START + n, vec![]);
        reader.set_aside(&refused.observed(), Aside::Refused, START);
    }
    let held = Letter::new(key(2), 0, START + 90_000, vec![]);
    reader.set_aside(&held.observed(), Aside::Held, START);
    let released = Observed { expected: true, ..held.observed() };
    assert_eq!(reader.observe(&released, START + 90_000).verdict, Verdict::New);
}

#[test]
fn a_relay_that_mixes_a_long_run_loses_none_of_it() {
    let mut reader = reader();
    let letters: Vec<_> = (0..1_500).map(|n| Letter::new(key(2), n, START + n, vec![])).collect();
    let (even, odd): (Vec<_>, Vec<_>) = letters.iter().partition(|l| l.counter % 2 == 0);
    for letter in even.into_iter().chain(odd) {
        assert_eq!(reader.observe(&letter.observed(), START + 10_000).verdict, Verdict::New, "{}", letter.counter);
    }
}
