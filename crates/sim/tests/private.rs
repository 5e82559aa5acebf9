//! Worlds of private rooms, by seed. `ESTOILE_PRIVATE_SEED=n` runs one and tells its story, `ESTOILE_PRIVATE_SEEDS=n` so many
//! in each part; else as many as fit into the time that CI has, always the same ones first. `ESTOILE_PRIVATE_DEVICES=1`: simpler
//! stories, of one device a person.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that is surprised fails, and tells its seeds"
)]

use std::time::{Duration, Instant, SystemTime};

use estoile_sim::{DEVICES, PrivateWorld};

/// So long each part takes new seeds: eight parts on two cores, a minute in all with the calm ones.
const BUDGET: Duration = Duration::from_secs(8);
/// And at most so many, so that a quick machine tries what a slow one does.
const SEEDS: u64 = 20;
/// Parts, which run beside each other.
const PARTS: u64 = 8;

/// A number from the environment; anything else there is as good as nothing.
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// This machine's time: MLS looks at it too.
fn wall() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    u64::try_from(since.as_millis()).expect("fits")
}

fn devices() -> usize {
    number("ESTOILE_PRIVATE_DEVICES").and_then(|n| usize::try_from(n).ok()).unwrap_or(DEVICES)
}

/// The world of a seed.
fn world(seed: u64) -> PrivateWorld {
    PrivateWorld::new(seed, wall(), devices())
}

fn run(world: PrivateWorld) -> estoile_sim::Lived {
    world.run().unwrap_or_else(|failure| panic!("{failure}"))
}

/// The seeds of one part: every eighth.
fn part(part: u64) {
    if let Some(seed) = number("ESTOILE_PRIVATE_SEED") {
        if seed % PARTS == part {
            println!("{:?}", run(world(seed)));
        }
        return;
    }
    let (begin, seeds) = (Instant::now(), number("ESTOILE_PRIVATE_SEEDS"));
    let mut lived = 0;
    while seeds.map_or_else(|| begin.elapsed() < BUDGET && lived < SEEDS, |seeds| lived < seeds) {
        let seed = lived * PARTS + part;
        let one = Instant::now();
        let life = run(world(seed));
        println!("seed {seed}: {life:?} in {:?}", one.elapsed());
        lived += 1;
    }
    println!("{lived} worlds in {:?}", begin.elapsed());
    assert!(lived >= 1);
}

#[test]
fn a_calm_private_world_keeps_every_promise() {
    let life = run(PrivateWorld::calm(1, wall(), true, devices()));
    assert!(life.messages > 50 && life.epochs > 10, "{life:?}");
}

#[test]
fn a_calm_post_quantum_world_keeps_every_promise() {
    let life = run(PrivateWorld::calm(2, wall(), false, devices()));
    assert!(life.messages > 50 && life.epochs > 10, "{life:?}");
}

macro_rules! parts {
    ($($name:ident: $part:expr),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                part($part);
            }
        )*
    };
}

parts! {
    troubled_private_worlds_0: 0,
    troubled_private_worlds_1: 1,
    troubled_private_worlds_2: 2,
    troubled_private_worlds_3: 3,
    troubled_private_worlds_4: 4,
    troubled_private_worlds_5: 5,
    troubled_private_worlds_6: 6,
    troubled_private_worlds_7: 7,
}
