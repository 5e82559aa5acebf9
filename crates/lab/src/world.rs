//! A small world in one thread and virtual time: real engines, a real hub, and between them a relay that misbehaves.
//!
//! A case says who does what and how the relay cheats, and looks at what faces would see, at what crossed the wire, and at
//! what is stored. Whatever keeps a case from being carried out is a [`Broken`] laboratory, never a verdict.

mod clients;
mod people;
mod relays;
mod stranger;
mod tape;
mod time;

pub(crate) use clients::{Client, Death};
pub(crate) use people::Cast;
pub(crate) use relays::Relay;
pub(crate) use tape::Tape;

use std::cell::Cell;
use std::rc::Rc;

use estoile_engine::RelayAddress;
use estoile_seal::quick::RoomSecret;
use estoile_wire::Millis;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use crate::hostile::Misbehaviour;
use crate::story::Story;

/// The experiment could not be carried out: a fault of the laboratory, never a verdict.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Broken(pub(crate) String);

/// What most steps of an experiment answer.
pub(crate) type Done<T = ()> = Result<T, Broken>;

/// The laboratory is broken in this way.
pub(crate) fn broken<T>(why: impl Into<String>) -> Done<T> {
    Err(Broken(why.into()))
}

/// One of the people, or of their devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Who(pub(crate) usize);

/// Turns a misbehaviour on and off from outside.
#[derive(Clone, Debug, Default)]
pub(crate) struct Switch(Rc<Cell<bool>>);

impl Switch {
    /// On from now on.
    pub(crate) fn on(&self) {
        self.0.set(true);
    }

    /// Off from now on.
    pub(crate) fn off(&self) {
        self.0.set(false);
    }

    /// Whether it is on.
    pub(crate) fn is_on(&self) -> bool {
        self.0.get()
    }
}

/// The world of one experiment.
pub(crate) struct World {
    pub(crate) now: Millis,
    pub(crate) rng: ChaCha20Rng,
    /// The relay's histories; an honest relay has one.
    pub(crate) relays: Vec<Relay>,
    pub(crate) clients: Vec<Client>,
    pub(crate) misbehaviours: Vec<Misbehaviour>,
    pub(crate) tape: Tape,
    pub(crate) story: Story,
    pub(crate) address: RelayAddress,
    /// The relay's signing seed.
    pub(crate) identity: [u8; 32],
    /// The quick room's secret.
    pub(crate) secret: RoomSecret,
    started: Millis,
}

impl World {
    /// A world with an honest relay and nobody in it. MLS holds key packages against this machine's clock by itself, so worlds
    /// begin at `wall`, or near it.
    pub(crate) fn new(seed: u64, wall: Millis) -> Done<Self> {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let (mut identity, mut secret) = ([0; 32], [0; 32]);
        rng.fill_bytes(&mut identity);
        rng.fill_bytes(&mut secret);
        let address = RelayAddress { host: "127.0.0.1".into(), port: 7070, tls: false, pin: None };
        let mut world = Self {
            now: wall,
            rng,
            relays: Vec::new(),
            clients: Vec::new(),
            misbehaviours: Vec::new(),
            tape: Tape::default(),
            story: Story::default(),
            address,
            identity,
            secret: RoomSecret::from_bytes(secret),
            started: wall,
        };
        world.address.pin = Some(world.relay_identity().key_hash());
        world.relays.push(Relay::default());
        world.relay_starts(0)?;
        Ok(world)
    }

    /// A line of the story: what somebody does, or what one sees.
    pub(crate) fn tell(&mut self, line: impl Into<String>) {
        self.story.tell(self.now.saturating_sub(self.started), line.into());
    }

    /// From now on the relay misbehaves in this way too.
    pub(crate) fn misbehave(&mut self, how: Misbehaviour) {
        self.tell(format!("the relay begins to cheat: {}", how.name()));
        self.misbehaviours.push(how);
    }
}
