//! What a world is like and what goes wrong in it: all of it drawn from the seed.

use estoile_wire::Millis;
use rand_chacha::ChaCha20Rng;
use rand_core::Rng;

/// One in so many; 0: never.
pub(crate) type OneIn = u64;

/// A world's character.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Engines in the room.
    pub members: usize,
    /// How long there is trouble, milliseconds.
    pub trouble: Millis,
    /// Milliseconds between two texts of one member, on average.
    pub pause: Millis,
    /// Clocks are off by up to so many milliseconds, in either direction.
    pub skew: u64,
    /// The longest latency of a connection, milliseconds.
    pub latency: u64,
    /// A client dies in one of so many turns, before its commit, after it, or between its effects.
    pub dies: OneIn,
    /// One of so many commits of a vault fails.
    pub commit_fails: OneIn,
    /// A connection is cut at one of so many frames.
    pub cut: OneIn,
    /// One of so many cuts is noticed by neither side for a long time at the relay.
    pub half_open: OneIn,
    /// The relay dies at one of so many frames.
    pub relay_dies: OneIn,
    /// One of so many connections is read slowly.
    pub slow: OneIn,
    /// The relay's queues are this short (frames).
    pub queue: usize,
    /// Frames that the relay handles before it must commit, at most; more are grouped.
    pub group: u64,
}

/// A number below `n`, or 0.
pub(crate) fn below(rng: &mut ChaCha20Rng, n: u64) -> u64 {
    rng.next_u64().checked_rem(n).unwrap_or(0)
}

/// Whether it happens this time.
pub(crate) fn one_in(rng: &mut ChaCha20Rng, n: OneIn) -> bool {
    n != 0 && below(rng, n) == 0
}

/// One of these.
pub(crate) fn pick<T: Copy + Default>(rng: &mut ChaCha20Rng, of: &[T]) -> T {
    let index = below(rng, of.len() as u64);
    usize::try_from(index).ok().and_then(|i| of.get(i)).copied().unwrap_or_default()
}

impl Plan {
    /// A plan from a seed's generator: some worlds are calm, some have one kind of trouble, some all.
    pub(crate) fn draw(rng: &mut ChaCha20Rng) -> Self {
        Self {
            members: pick(rng, &[3, 3, 3, 4, 5]),
            trouble: pick(rng, &[30_000, 60_000, 120_000]),
            pause: pick(rng, &[500, 2_000, 5_000]),
            skew: pick(rng, &[0, 2_000, 25_000]),
            latency: pick(rng, &[5, 50, 400]),
            dies: pick(rng, &[0, 30, 100, 300]),
            commit_fails: pick(rng, &[0, 0, 50, 200]),
            cut: pick(rng, &[0, 20, 60, 200]),
            half_open: pick(rng, &[0, 3]),
            relay_dies: pick(rng, &[0, 0, 100, 400]),
            slow: pick(rng, &[0, 0, 3]),
            queue: pick(rng, &[4, 16, 4_096]),
            group: pick(rng, &[1, 10, 100]),
        }
    }

    /// A plan in which nothing goes wrong.
    #[must_use]
    pub fn calm() -> Self {
        Self {
            members: 3,
            trouble: 60_000,
            pause: 2_000,
            skew: 0,
            latency: 20,
            dies: 0,
            commit_fails: 0,
            cut: 0,
            half_open: 0,
            relay_dies: 0,
            slow: 0,
            queue: 4_096,
            group: 10,
        }
    }

    /// The trouble is over; what the world is like stays.
    pub(crate) fn heal(&mut self) {
        (self.dies, self.commit_fails, self.cut, self.relay_dies, self.slow) = (0, 0, 0, 0, 0);
    }
}
