//! Worlds under a relay that cheats, by seed. `ESTOILE_HOSTILE_SEED=n` (a quick room) and `ESTOILE_HOSTILE_PRIVATE_SEED=n`
//! run one and tell its story, `ESTOILE_HOSTILE_SEEDS=n` so many of each; else as many as fit into the time that CI has.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that is surprised fails, and tells its seeds"
)]

use std::time::{Duration, Instant, SystemTime};

use estoile_sim::{DEVICES, HostileWorld, Withstood};

/// So long each part takes new seeds.
const BUDGET: Duration = Duration::from_secs(25);
/// And at most so many, so that a quick machine tries what a slow one does.
const SEEDS: u64 = 100;
/// Parts of each kind, which run beside each other.
const PARTS: u64 = 2;

/// A number from the environment; anything else there is as good as nothing.
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// This machine's time: MLS looks at it too.
fn wall() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    u64::try_from(since.as_millis()).expect("fits")
}

fn quick(seed: u64) -> HostileWorld {
    HostileWorld::quick(seed)
}

fn private(seed: u64) -> HostileWorld {
    HostileWorld::private(seed, wall(), DEVICES)
}

/// The seeds of one part, and what was lived through in all.
fn part(name: &str, part: u64, world: fn(u64) -> HostileWorld) {
    let run = |seed: u64| world(seed).run().unwrap_or_else(|failure| panic!("{failure}"));
    if let Some(seed) = number(name) {
        if seed % PARTS == part {
            println!("{:?}", run(seed));
        }
        return;
    }
    let (begin, seeds) = (Instant::now(), number("ESTOILE_HOSTILE_SEEDS"));
    let (mut worlds, mut all) = (0, Withstood::default());
    while seeds.map_or_else(|| begin.elapsed() < BUDGET && worlds < SEEDS, |seeds| worlds < seeds) {
        let seed = worlds * PARTS + part;
        let one = Instant::now();
        let lived = run(seed);
        println!("seed {seed}: {lived:?} in {:?}", one.elapsed());
        all.said += lived.said;
        all.lost += lived.lost;
        all.told += lived.told;
        all.stopped += lived.stopped;
        worlds += 1;
    }
    println!("{worlds} worlds in {:?}: {all:?}", begin.elapsed());
    assert!(worlds >= 1 && all.said > 0 && all.told > 0, "a hostile world in which nothing happens: {all:?}");
}

#[test]
fn quick_rooms_withstand_a_relay_that_cheats_0() {
    part("ESTOILE_HOSTILE_SEED", 0, quick);
}

#[test]
fn quick_rooms_withstand_a_relay_that_cheats_1() {
    part("ESTOILE_HOSTILE_SEED", 1, quick);
}

#[test]
fn private_rooms_withstand_a_relay_that_cheats_0() {
    part("ESTOILE_HOSTILE_PRIVATE_SEED", 0, private);
}

#[test]
fn private_rooms_withstand_a_relay_that_cheats_1() {
    part("ESTOILE_HOSTILE_PRIVATE_SEED", 1, private);
}
