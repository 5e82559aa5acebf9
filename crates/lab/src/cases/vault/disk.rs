//! What lies on the disk: altered, put back, guessed at, and half written.

use std::time::Instant;

use estoile_engine::{DeliveryState, NoticeKind};
use estoile_seal::passphrase::stretch;

use crate::bench::{Bench, On};
use crate::world::{Broken, Death, Done, Who, World};

/// C1.
pub(super) fn swapped(bench: &mut Bench) -> Done {
    let mut w = bench.world()?;
    let cast = w.quick(&["Alice", "Bob"])?;
    let (alice, bob) = (cast.at(0)?, cast.at(1)?);
    for text in ["one", "two", "three"] {
        w.says(alice, text)?;
        w.pass(1_000)?;
    }
    w.kill(bob.0)?;
    let whole = w.client(bob.0)?.disk.clone();
    let names: Vec<Vec<u8>> = whole.entries().keys().cloned().collect();
    let letters: Vec<&Vec<u8>> = names.iter().filter(|n| n.first() == Some(&b'r') && n.get(5) == Some(&b'm')).collect();
    let (Some(first), Some(second)) = (letters.first(), letters.get(1)) else {
        return Err(Broken("no letters are kept".into()));
    };
    w.tell("a thief of the disk swaps two values of Bob's vault");
    let swapped = {
        let mut disk = whole.clone();
        let (a, b) = (disk.entries().get(*first).cloned(), disk.entries().get(*second).cloned());
        let (Some(a), Some(b)) = (a, b) else { return Err(Broken("no such entries".into())) };
        disk.entries_mut().insert((*first).clone(), b);
        disk.entries_mut().insert((*second).clone(), a);
        disk
    };
    let mut refused = 0_u32;
    let mut tries = 0_u32;
    let mut attempt = |w: &mut World, disk: estoile_engine::MemoryBackend, what: &str| -> Done<bool> {
        w.client_mut(bob.0)?.disk = disk;
        let opened = w.try_start(bob.0)?;
        w.tell(format!("{what}: {}", opened.as_ref().err().cloned().unwrap_or_else(|| "it opens".into())));
        w.kill(bob.0)?;
        tries = tries.saturating_add(1);
        refused = refused.saturating_add(u32::from(opened.is_err()));
        Ok(opened.is_err())
    };
    let held = attempt(&mut w, swapped, "swapped")?;
    bench.expect(On::Store, held, "two swapped values are refused, and the user is told that the vault is damaged");
    let mut renamed = whole.clone();
    if let Some(value) = renamed.entries().get(*first).cloned() {
        let mut name = (*first).clone();
        if let Some(last) = name.last_mut() {
            *last ^= 0x40;
        }
        renamed.entries_mut().insert(name, value);
    }
    let held = attempt(&mut w, renamed, "one value a second time, under another name")?;
    bench.expect(On::Store, held, "a value under another name is refused");
    for cut in [0, 1, 30] {
        let mut short = whole.clone();
        if let Some(value) = short.entries_mut().get_mut(*first) {
            value.truncate(value.len().saturating_sub(cut));
            if cut == 0 {
                value.reverse();
            }
        }
        let held = attempt(&mut w, short, "a shortened or reversed value")?;
        bench.expect(On::Store, held, "a shortened or reversed value is refused");
    }
    w.client_mut(bob.0)?.disk = whole;
    w.start(bob.0)?;
    let texts = w.texts(bob)?;
    bench.expect(On::Screen, texts == ["one", "two", "three"], "the untouched vault opens");
    bench.saw(format!("{refused} of {tries} altered vaults refused"));
    bench.keep_story(w);
    Ok(())
}

/// C2.
pub(super) fn put_back(bench: &mut Bench) -> Done {
    let mut w = bench.world()?;
    let cast = w.quick(&["Alice", "Bob"])?;
    let (alice, bob) = (cast.at(0)?, cast.at(1)?);
    w.says(alice, "before")?;
    w.kill(alice.0)?;
    let old = w.client(alice.0)?.disk.clone();
    w.start(alice.0)?;
    w.says(alice, "after")?;
    w.pass(1_000)?;
    w.kill(alice.0)?;
    w.tell("a thief of the disk puts Alice's vault back");
    w.client_mut(alice.0)?.disk = old;
    w.forget_events(alice.0)?;
    w.start(alice.0)?;
    let mark = w.tape.mark();
    w.pass(30_000)?;
    let told = w.notices(alice.0, NoticeKind::Copied).len();
    bench.expect(On::Screen, told == 1, "Alice is told at the first contact with the relay");
    let appended = w.tape.appended(mark).into_iter().filter(|(who, _)| *who == alice.0).count();
    bench.expect(On::Wire, appended == 0, "and nothing is written under a number that was used before");
    bench.expect(On::Store, w.texts(bob)? == ["before", "after"], "Bob has what was said, once");
    bench.saw("told at the first contact; no number is used twice");
    bench.keep_story(w);
    Ok(())
}

/// C3.
pub(super) fn guessed(bench: &mut Bench) -> Done {
    let guesses = ["correct horse battery staple gun", "five words that nobody says"];
    let begin = Instant::now();
    for guess in guesses {
        stretch(guess, "chat.example:443", "garden").map_err(|error| Broken(error.to_string()))?;
    }
    let each = begin.elapsed().as_secs_f64() / 2.0;
    // Five words of 7,776 have 64 bits; a guesser with a thousand such cores, half of all on average.
    let years = each * 2_f64.powi(63) / 1_000.0 / 31_557_600.0;
    bench.expect(On::Store, each > 0.02, format!("a guess costs {:.0} ms and 64 MiB on one core", each * 1_000.0));
    let near = stretch("correct horse battery staple gun", "chat.example:443", "garden2");
    let same = stretch("correct horse battery staple gun", "chat.example:443", "garden");
    let apart = match (near, same) {
        (Ok(a), Ok(b)) => a.as_bytes() != b.as_bytes(),
        _ => false,
    };
    bench.expect(On::Store, apart, "and helps with one room alone: relay and name are part of it");
    bench.saw(format!(
        "{:.0} ms and 64 MiB a guess on one core; five suggested words stand for {years:.0e} years on a thousand cores; whoever chooses less is told",
        each * 1_000.0
    ));
    Ok(())
}

/// C7.
pub(super) fn crashes(bench: &mut Bench) -> Done {
    let mut deaths = 0_u32;
    for number in 1..=10 {
        for after in [false, true] {
            let mut w = bench.world()?;
            let cast = w.quick(&["Alice", "Bob"])?;
            let (alice, bob) = (cast.at(0)?, cast.at(1)?);
            for who in [alice.0, bob.0] {
                let commits = w.client(who)?.commits;
                w.client_mut(who)?.death = Some(Death { commit: commits.saturating_add(number), after });
            }
            for text in ["one", "two", "three"] {
                // Whoever is dead says nothing, and says it again when back.
                let _ = w.says(alice, text);
                w.pass(200)?;
                deaths = deaths.saturating_add(revive(&mut w, &[alice.0, bob.0])?);
                if number.checked_rem(3) == Some(0) {
                    w.relay_restarts()?;
                }
            }
            w.pass(60_000)?;
            deaths = deaths.saturating_add(revive(&mut w, &[alice.0, bob.0])?);
            for who in [alice.0, bob.0] {
                w.client_mut(who)?.death = None;
            }
            w.pass(60_000)?;
            let (here, there) = (w.texts(alice)?, w.texts(bob)?);
            bench.expect(On::Screen, here == there, format!("both have the same: {here:?} and {there:?}"));
            let mut once = here.clone();
            once.dedup();
            bench.expect(On::Store, once == here, "nothing twice");
            let lost = w.shown(alice)?.messages.iter().any(|m| m.state == DeliveryState::Sending);
            bench.expect(On::Wire, !lost, "nothing waits for ever");
            let told = w.notices(bob.0, NoticeKind::Copied).len() + w.notices(alice.0, NoticeKind::Copied).len();
            bench.expect(On::Screen, told == 0, "no number was used twice");
            if number == 2 && after {
                bench.keep_story(w);
            }
        }
    }
    bench.expect(On::Store, deaths >= 10, format!("{deaths} deaths"));
    bench.saw(format!("{deaths} deaths before and after a write, and the relay's: nothing lost, nothing twice"));
    Ok(())
}

/// Whoever died comes back; how many.
fn revive(w: &mut World, all: &[Who]) -> Done<u32> {
    let mut died = 0;
    for who in all {
        if w.client(*who)?.engine.is_none() {
            died += 1;
            w.client_mut(*who)?.death = None;
            w.start(*who)?;
            w.pass(2_000)?;
        }
    }
    Ok(died)
}
