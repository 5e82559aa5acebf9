//! Replays every target's corpus, then mutates it for a while: `ESTOILE_FUZZ_SECONDS` (1) each, seed `ESTOILE_FUZZ_SEED` (today's is printed).
//!
//! A failure prints the target, the seed and the input in hex.

#![expect(clippy::panic, reason = "a test reports by panicking, in its helpers too")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use estoile_fuzz::{Mutator, TARGETS, Target};

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |v| v.parse().unwrap_or_else(|_| panic!("{name} is a whole number")))
}

fn feed(target: &Target, seed: u64, input: &[u8]) {
    let hex = || input.iter().map(|b| format!("{b:02x}")).collect::<String>();
    if catch_unwind(AssertUnwindSafe(|| (target.run)(input))).is_err() {
        panic!("target {} fails: seed {seed}, input {}", target.name, hex());
    }
}

#[test]
fn every_corpus_replays() {
    for target in TARGETS {
        let corpus = (target.corpus)();
        assert!(!corpus.is_empty(), "{} has nothing to start from", target.name);
        corpus.iter().for_each(|input| feed(target, 0, input));
        feed(target, 0, &[]);
    }
}

#[test]
fn no_mutation_breaks_a_decoder() {
    let seconds = number("ESTOILE_FUZZ_SECONDS", 1);
    let seed = number("ESTOILE_FUZZ_SEED", 1);
    for target in TARGETS {
        let mut mutator = Mutator::new(seed, (target.corpus)());
        let (start, mut inputs) = (Instant::now(), 0u64);
        while start.elapsed() < Duration::from_secs(seconds) {
            feed(target, seed, &mutator.input());
            inputs += 1;
        }
        println!("{:<16} {inputs:>8} inputs, seed {seed}", target.name);
        assert!(inputs > 100, "{} is too slow to fuzz: {inputs} inputs in {seconds} s", target.name);
    }
}
