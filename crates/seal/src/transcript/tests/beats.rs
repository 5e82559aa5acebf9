//! When a beat is due, and when silence is enough.

use super::world::{Letter, Member, START, key, reader, rng};
use crate::transcript::{Act, Transcript};
use estoile_wire::Millis;
use rand_chacha::ChaCha20Rng;

/// Runs one member online until `to`; when the beats were due.
fn beats(transcript: &mut Transcript, from: Millis, to: Millis, rng: &mut ChaCha20Rng) -> Vec<Millis> {
    let (mut now, mut beats) = (from, Vec::new());
    while now <= to {
        if transcript.due(now, true, rng).contains(&Act::Beat) {
            beats.push(now);
        }
        match transcript.next_timeout() {
            Some(at) => now = at.max(now + 1),
            None => break,
        }
    }
    beats
}

#[test]
fn a_letter_is_confirmed_once_it_is_quiet() {
    let mut us = Member::new(1, 0);
    let mut rng = rng(0);
    us.transcript.due(START, true, &mut rng);
    us.transcript.observe(&Letter::new(key(2), 0, START, vec![]).observed(), START);
    let due = beats(&mut us.transcript, START, START + 30_000, &mut rng);
    assert!(due.first().is_some_and(|at| (START + 4_000..START + 10_000).contains(at)), "{due:?}");
    us.write(due[0], None, false);
    assert!(beats(&mut us.transcript, due[0], START + 9_000_000, &mut rng).is_empty());
}

#[test]
fn a_beat_is_never_confirmed_and_neither_is_what_we_wrote() {
    let mut us = Member::new(1, 0);
    let mut rng = rng(1);
    us.write(START, None, true);
    us.transcript.observe(&Letter::new(key(2), 0, START, vec![]).silent().observed(), START);
    assert!(beats(&mut us.transcript, START, START + 9_000_000, &mut rng).is_empty());
}

#[test]
fn an_answer_confirms_as_well_as_a_beat() {
    let mut us = Member::new(1, 0);
    let mut rng = rng(2);
    us.transcript.observe(&Letter::new(key(2), 0, START, vec![]).observed(), START);
    us.write(START + 1_000, None, true);
    assert!(beats(&mut us.transcript, START, START + 9_000_000, &mut rng).is_empty());
}

#[test]
fn with_two_others_confirming_we_stay_silent() {
    let mut rng = rng(3);
    for (others, silent) in [(1, false), (2, true)] {
        let mut us = reader();
        let letter = Letter::new(key(2), 0, START, vec![]);
        us.observe(&letter.observed(), START);
        // The author's own next letter confirms nothing.
        let mut last = Letter::new(key(2), 1, START + 1, vec![letter.name()]);
        us.observe(&last.observed(), START + 1);
        for n in 0..others {
            last = Letter::new(key(3 + n), 0, START + 2, vec![last.name()]).silent();
            us.observe(&last.observed(), START + 2);
        }
        assert_eq!(beats(&mut us, START, START + 30_000, &mut rng).is_empty(), silent);
    }
}

#[test]
fn at_most_one_an_hour() {
    let mut us = Member::new(1, 0);
    let mut rng = rng(4);
    let mut sent: Vec<Millis> = Vec::new();
    for n in 0..60 {
        let now = START + n * 240_000;
        us.transcript.observe(&Letter::new(key(2), n, now, vec![]).observed(), now);
        for at in beats(&mut us.transcript, now, now + 239_999, &mut rng).into_iter().take(1) {
            us.write(at, None, false);
            sent.push(at);
        }
    }
    assert!((4..=5).contains(&sent.len()), "{} in four hours", sent.len());
    assert!(sent.windows(2).all(|w| w[1] - w[0] >= 3_600_000));
}

#[test]
fn an_unsociable_client_sends_none() {
    let mut us = Transcript::new(key(1), 0);
    us.set_sociable(false);
    us.observe(&Letter::new(key(2), 0, START, vec![]).observed(), START);
    assert!(beats(&mut us, START, START + 9_000_000, &mut rng(5)).is_empty());
}

#[test]
fn a_large_room_has_few_beats() {
    let mut rng = rng(6);
    let mut members: Vec<_> = (1..=100).map(|n| Member::new(n, 0)).collect();
    // Everybody has spoken before.
    let hellos: Vec<_> = members.iter_mut().map(|m| m.write(START, None, true)).collect();
    let mut all = vec![members[0].write(START + 1, None, true)];
    for member in &mut members {
        for hello in &hellos {
            member.transcript.observe(&hello.observed(), START);
        }
        member.transcript.observe(&all[0].observed(), START + 1);
        member.transcript.due(START + 1, true, &mut rng);
    }
    let mut sent = 0;
    // A tenth of a second from one to all.
    for now in (START..START + 200_000).step_by(100) {
        for letter in all.drain(..) {
            members.iter_mut().for_each(|m| {
                m.transcript.observe(&letter.observed(), now);
            });
        }
        for member in &mut members {
            if member.transcript.due(now, true, &mut rng).contains(&Act::Beat) {
                all.push(member.write(now, None, false));
                sent += 1;
            }
        }
    }
    assert!((2..=12).contains(&sent), "{sent} beats of 100 members");
}
