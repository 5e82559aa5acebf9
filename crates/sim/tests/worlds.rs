//! Worlds by seed. `ESTOILE_SEED=n` runs one and tells its story, `ESTOILE_SEEDS=n` so many; else as many as fit into some
//! seconds, always the same ones first.

use std::time::{Duration, Instant};

use estoile_sim::{Plan, World};

/// So long the test takes new seeds.
const BUDGET: Duration = Duration::from_secs(15);

/// A number from the environment; anything else there is as good as nothing.
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn a_calm_world_keeps_every_promise() {
    for seed in 0..3 {
        World::with_plan(seed, Plan::calm()).run().unwrap_or_else(|failure| panic!("{failure}"));
    }
}

#[test]
fn troubled_worlds_keep_every_promise() {
    if let Some(seed) = number("ESTOILE_SEED") {
        return World::new(seed).run().unwrap_or_else(|failure| panic!("{failure}"));
    }
    let (begin, seeds) = (Instant::now(), number("ESTOILE_SEEDS"));
    let mut seed = 0;
    while seeds.map_or_else(|| begin.elapsed() < BUDGET, |seeds| seed < seeds) {
        World::new(seed).run().unwrap_or_else(|failure| panic!("{failure}"));
        seed += 1;
    }
    println!("{seed} worlds in {:?}", begin.elapsed());
    assert!(seed >= 3, "only {seed} worlds fit: this machine is too busy, or the engine too slow");
}
