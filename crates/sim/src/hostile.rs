//! Worlds under a relay that cheats: what it does is drawn from the seed, beside everything else that goes wrong. Then it
//! behaves, everybody says a last word, and the world is held to what is promised under any relay.
//!
//! A world that breaks a promise is tried again without each scheme and each kind of trouble, so that the failure tells the
//! simplest story that still shows it.

mod check;

use estoile_wire::Millis;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use crate::cheat::Scheme;
use crate::plan::Plan;
use crate::private::PrivateWorld;
use crate::world::{Failure, World};

/// After the trouble, so long is enough for every wait and question to be over.
const HEALING: Millis = 25 * 60_000;
/// And so long for the last words.
const LAST_WORDS: Millis = 10 * 60_000;
/// A failure is made simpler in at most so many lives.
const TRIES: u32 = 60;

/// A world of a seed under a relay that cheats.
#[derive(Clone, Debug)]
pub struct HostileWorld {
    seed: u64,
    plan: Plan,
    schemes: Vec<Scheme>,
    private: Option<Private>,
}

#[derive(Clone, Copy, Debug)]
struct Private {
    wall: Millis,
    devices: usize,
}

/// What was lived through under a relay that cheats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Withstood {
    /// Letters that somebody wrote.
    pub said: u64,
    /// Letters that the relay acknowledged and somebody never got; each was told.
    pub lost: u64,
    /// Notices that were given.
    pub told: u64,
    /// Clients whose room stands still, and says why.
    pub stopped: u64,
}

impl HostileWorld {
    /// A quick room.
    #[must_use]
    pub fn quick(seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed ^ 0x4848);
        let plan = Plan::draw(&mut rng);
        let schemes = Scheme::draw(&mut rng, plan.trouble, plan.members);
        Self { seed, plan, schemes, private: None }
    }

    /// A private room of people with so many devices each; `wall`: this machine's time, for MLS looks at it too.
    #[must_use]
    pub fn private(seed: u64, wall: Millis, devices: usize) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed ^ 0x4849);
        let plan = PrivateWorld::draw(&mut rng, devices);
        let schemes = Scheme::draw(&mut rng, plan.trouble, plan.members);
        Self { seed, plan, schemes, private: Some(Private { wall, devices }) }
    }

    /// Lives through it.
    ///
    /// # Errors
    /// The first promise that is broken, with the simplest story that was found for it.
    pub fn run(self) -> Result<Withstood, Failure> {
        let mut failure = match self.once() {
            Ok(lived) => return Ok(lived),
            Err(failure) => failure,
        };
        let (mut simplest, mut tries) = (self, 0);
        'again: while tries < TRIES {
            for simpler in simplest.simpler() {
                tries = tries.saturating_add(1);
                if let Err(also) = simpler.once() {
                    (simplest, failure) = (simpler, also);
                    continue 'again;
                }
            }
            break;
        }
        Err(failure)
    }

    /// The same with one thing less that goes wrong.
    fn simpler(&self) -> Vec<Self> {
        let mut all = Vec::new();
        for at in (0..self.schemes.len()).filter(|_| self.schemes.len() > 1) {
            let mut schemes = self.schemes.clone();
            schemes.remove(at);
            all.push(Self { schemes, ..self.clone() });
        }
        let calm = Plan::calm();
        let plans = [
            (self.plan.dies != 0, Plan { dies: 0, ..self.plan.clone() }),
            (self.plan.commit_fails != 0, Plan { commit_fails: 0, ..self.plan.clone() }),
            (self.plan.cut != 0, Plan { cut: 0, ..self.plan.clone() }),
            (self.plan.relay_dies != 0, Plan { relay_dies: 0, ..self.plan.clone() }),
            (self.plan.slow != 0, Plan { slow: 0, ..self.plan.clone() }),
            (self.plan.skew != 0, Plan { skew: 0, ..self.plan.clone() }),
            (self.plan.queue != calm.queue, Plan { queue: calm.queue, ..self.plan.clone() }),
            (self.plan.latency != calm.latency, Plan { latency: calm.latency, ..self.plan.clone() }),
        ];
        all.extend(plans.into_iter().filter(|(more, _)| *more).map(|(_, plan)| Self { plan, ..self.clone() }));
        all
    }

    fn once(&self) -> Result<Withstood, Failure> {
        match self.private {
            None => {
                let rng = ChaCha20Rng::seed_from_u64(self.seed);
                let mut world = World::quick(self.seed, self.plan.clone(), rng);
                let outcome = self.live(&mut world);
                outcome.map_err(|what| named(&mut world, "ESTOILE_HOSTILE_SEED", what))
            }
            Some(Private { wall, devices }) => {
                let rng = ChaCha20Rng::seed_from_u64(self.seed);
                let mut world = PrivateWorld::bare(self.seed, wall, &self.plan, rng, devices);
                let outcome = world.set_up().map_err(|what| format!("setting up: {what}"));
                let outcome = outcome.and_then(|()| {
                    world.plan = self.plan.clone();
                    world.play_on();
                    self.live(&mut world)
                });
                outcome.map_err(|what| named(&mut world, "ESTOILE_HOSTILE_PRIVATE_SEED", what))
            }
        }
    }

    fn live(&self, world: &mut World) -> Result<Withstood, String> {
        let plan = self.plan.clone();
        world.tell(|| format!("{plan:?}"));
        world.cheat(&self.schemes);
        world.until(world.now.saturating_add(self.plan.trouble))?;
        world.tell(|| "the relay behaves from here on".to_owned());
        world.heal();
        world.until(world.now.saturating_add(HEALING))?;
        world.last_words()?;
        world.until(world.now.saturating_add(LAST_WORDS))?;
        world.check_hostile()
    }
}

fn named(world: &mut World, name: &'static str, what: String) -> Failure {
    Failure { name, ..world.failure(what) }
}
