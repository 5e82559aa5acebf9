//! Worlds of private rooms: three people with two devices each, met, linked and let in through the engines' public door;
//! then trouble, in which they talk while keys, roles, links, members and devices change; then quiet, and the promises.
//!
//! Times begin near this machine's own, because MLS holds key packages against that clock by itself; and no decision hangs on
//! ciphertext, because MLS draws entropy by itself. So a seed tells the same story on any day.

mod act;
mod check;
mod ledger;
mod plots;
mod scan;
mod setup;
mod tape;

use std::collections::BTreeMap;

use estoile_engine::{Answer, CommandError, CommandId, Event};
use estoile_wire::Millis;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use crate::plan::{Plan, below, one_in, pick};
use crate::world::{Failure, World};

use plots::Plot;
pub(crate) use setup::name_of;
use tape::Tape;

/// People; each has two devices at first.
pub(crate) const PEOPLE: usize = 3;
/// Devices of a person, unless a world is simpler.
pub const DEVICES: usize = 2;
/// Milliseconds of a day: worlds begin when one does, so that a seed's story is the same all day.
const DAY: Millis = 24 * 3_600_000;
/// So long there is trouble.
const TROUBLE: Millis = 10 * 60_000;
/// After trouble, so long is enough for every wait, question and undertaking to be over.
const HEALING: Millis = 25 * 60_000;
/// Until everybody has confirmed everything: a beat an hour and member, and some.
const LATER: Millis = 3 * 3_600_000;
/// So long a device is away: the others have made fresh keys by then, as the schedule of those who send says.
const AWAY: Millis = 26 * 3_600_000;

/// What somebody asked for, and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) client: usize,
    /// Of which life of the client.
    pub(crate) life: u64,
    pub(crate) what: String,
    pub(crate) answer: Option<Result<Answer, CommandError>>,
}

/// What is going on in a world of private rooms.
#[derive(Debug)]
pub(crate) struct Play {
    /// Without post-quantum keys.
    classic: bool,
    /// Devices of a person at first.
    pub(crate) devices: usize,
    /// All that clients sent.
    pub(crate) tape: Tape,
    asked: BTreeMap<CommandId, Asked>,
    plots: Vec<Plot>,
    /// Milliseconds between two acts of one client, on average.
    pause: Millis,
    /// Counts names that the room was given.
    renamed: u64,
    /// What clients may not have: their way out, by the room's last cursor at that time.
    out: BTreeMap<usize, u64>,
}

impl Play {
    /// A command has its answer.
    pub(crate) fn answered(&mut self, id: CommandId, answer: Result<Answer, CommandError>) -> Result<(), String> {
        let Some(asked) = self.asked.get_mut(&id) else { return Ok(()) };
        if asked.answer.is_some() {
            return Err(format!("{} is answered twice", asked.what));
        }
        asked.answer = Some(answer);
        Ok(())
    }
}

/// The person behind a client: the first devices, the second ones, and later ones.
pub(crate) const fn person_of(client: usize) -> usize {
    client % PEOPLE
}

/// A world of private rooms.
#[derive(Debug)]
pub struct PrivateWorld {
    world: World,
    trouble: Plan,
    /// Connections break and the relay dies while people meet, too.
    rough: bool,
    lasting: bool,
    /// In the end this device is away for long.
    away: Option<usize>,
}

/// What goes wrong, drawn as for quick rooms; calmer in what is said, because every commit is work for all.
fn draw(rng: &mut ChaCha20Rng) -> Plan {
    Plan {
        members: PEOPLE * DEVICES,
        trouble: TROUBLE,
        pause: pick(rng, &[5_000, 10_000, 20_000]),
        skew: pick(rng, &[0, 2_000, 4_000]),
        latency: pick(rng, &[5, 50, 400]),
        dies: pick(rng, &[0, 60, 150, 400]),
        commit_fails: pick(rng, &[0, 0, 200]),
        cut: pick(rng, &[0, 60, 150, 400]),
        half_open: pick(rng, &[0, 3]),
        relay_dies: pick(rng, &[0, 0, 200, 600]),
        slow: pick(rng, &[0, 0, 3]),
        queue: pick(rng, &[16, 64, 4_096]),
        group: pick(rng, &[1, 10, 100]),
    }
}

impl PrivateWorld {
    /// The world of a seed. `wall`: this machine's time; `devices` of each person: [`DEVICES`], or one for simpler stories.
    /// One seed in sixteen is under the post-quantum suite.
    #[must_use]
    pub fn new(seed: u64, wall: Millis, devices: usize) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed ^ 0x5052_4956);
        let trouble = Plan { members: PEOPLE.saturating_mul(devices), ..draw(&mut rng) };
        Self::planned(seed, wall, trouble, rng, seed % 16 != 7, devices)
    }

    /// A world in which nothing goes wrong.
    #[must_use]
    pub fn calm(seed: u64, wall: Millis, classic: bool, devices: usize) -> Self {
        let plan = Plan { members: PEOPLE.saturating_mul(devices), trouble: TROUBLE, pause: 20_000, ..Plan::calm() };
        Self::planned(seed, wall, plan, ChaCha20Rng::seed_from_u64(seed), classic, devices)
    }

    /// What goes wrong in a world under a relay that cheats.
    pub(crate) fn draw(rng: &mut ChaCha20Rng, devices: usize) -> Plan {
        Plan { members: PEOPLE.saturating_mul(devices), ..draw(rng) }
    }

    /// A world that nothing has happened in yet, and in which nothing goes wrong until its plan is changed.
    pub(crate) fn bare(seed: u64, wall: Millis, trouble: &Plan, rng: ChaCha20Rng, devices: usize) -> World {
        Self::planned(seed, wall, trouble.clone(), rng, seed % 16 != 7, devices).world
    }

    fn planned(seed: u64, wall: Millis, trouble: Plan, mut rng: ChaCha20Rng, classic: bool, devices: usize) -> Self {
        let today = wall.saturating_sub(wall.checked_rem(DAY).unwrap_or(0));
        // A world lasts a day and more, and must not get further ahead of this machine's clock than keys are valid before.
        let start = today.saturating_sub(DAY);
        let play = Play {
            classic,
            devices,
            tape: Tape::default(),
            asked: BTreeMap::new(),
            plots: Plot::draw(&mut rng, devices),
            pause: pick(&mut rng, &[15_000, 40_000]),
            renamed: 0,
            out: BTreeMap::new(),
        };
        let rough = one_in(&mut rng, 2);
        let lasting = one_in(&mut rng, 4);
        let away = one_in(&mut rng, 3).then(|| pick(&mut rng, &[0, 1, 2]));
        let mut calm = trouble.clone();
        calm.heal();
        Self { world: World::planned(seed, calm, rng, start, Some(Box::new(play))), trouble, rough, lasting, away }
    }

    /// Sets everything up, runs through the trouble, lets the world heal, and holds it to its promises.
    ///
    /// # Errors
    /// The first promise that is broken.
    pub fn run(mut self) -> Result<Lived, Failure> {
        match self.live() {
            Ok(()) => Ok(self.world.lived()),
            Err(what) => Err(self.world.failure(what)),
        }
    }

    fn live(&mut self) -> Result<(), String> {
        let world = &mut self.world;
        if self.rough {
            // Nobody dies: who asked for something waits for the answer.
            world.plan = Plan { dies: 0, commit_fails: 0, ..self.trouble.clone() };
        }
        world.set_up().map_err(|what| format!("setting up: {what}"))?;
        world.plan = self.trouble.clone();
        let story = format!("trouble begins: {:?}", world.plan);
        world.tell(|| story);
        world.play_on();
        world.until(world.now.saturating_add(TROUBLE))?;
        world.tell(|| "the trouble is over".to_owned());
        world.heal();
        world.until(world.now.saturating_add(HEALING))?;
        world.check_private()?;
        if self.lasting {
            world.until(world.now.saturating_add(LATER))?;
            world.check_private()?;
            world.check_seen()?;
        }
        if let Some(index) = self.away.filter(|_| self.lasting) {
            world.sleeps(index, AWAY);
            world.until(world.now.saturating_add(AWAY).saturating_add(HEALING))?;
            world.check_private()?;
        }
        Ok(())
    }
}

/// What a world has lived through, for whoever counts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lived {
    /// Messages that everybody has.
    pub messages: u64,
    /// The room's epoch in the end.
    pub epochs: u64,
    /// Starts of clients.
    pub starts: u64,
    /// Blobs put.
    pub blobs: u64,
}

impl World {
    pub(crate) fn play(&self) -> Result<&Play, String> {
        self.play.as_deref().ok_or_else(|| "no play".to_owned())
    }

    pub(crate) fn play_mut(&mut self) -> Result<&mut Play, String> {
        self.play.as_deref_mut().ok_or_else(|| "no play".to_owned())
    }

    /// Everybody begins to talk, to act, and to carry out what was planned.
    pub(crate) fn play_on(&mut self) {
        for client in 0..self.clients.len() {
            self.plan_say(client);
            self.plan_act(client);
        }
        for plot in 0..self.play.as_ref().map_or(0, |p| p.plots.len()) {
            let after = below(&mut self.rng, TROUBLE);
            self.later(after, crate::world::Happening::Plot { plot });
        }
    }

    /// A client starts: what its face would ask first.
    pub(crate) fn look_in(&mut self, index: usize) {
        if self.play.is_none() {
            return;
        }
        let Some(client) = self.clients.get_mut(index) else { return };
        let Some((rooms, link)) = client.engine().map(|e| (e.rooms(), e.overview().device_link)) else { return };
        client.link = link;
        rooms.iter().for_each(|room| client.note_room(room));
    }

    /// A client's face is told something.
    pub(crate) fn overheard(&mut self, index: usize, event: &Event) {
        if self.play.is_none() {
            return;
        }
        let Some(client) = self.clients.get_mut(index) else { return };
        let line = match event {
            Event::Room(view) => {
                client.note_room(view);
                let epoch = view.private.as_ref().map(|p| (p.epoch, p.members, p.devices));
                format!(
                    "member {index} shows epoch, members, devices {epoch:?}, {:?} {:?}",
                    view.connection, view.stopped
                )
            }
            Event::DeviceLink(link) => {
                client.link = Some(link.clone());
                format!("member {index}: {link:?}")
            }
            _ => return,
        };
        self.tell(|| line);
    }

    fn lived(&self) -> Lived {
        let room = self.clients.first().and_then(crate::client::Client::snapshot);
        Lived {
            messages: room.as_ref().map_or(0, |r| r.messages.len() as u64),
            epochs: room.and_then(|r| r.room.private).map_or(0, |p| p.epoch),
            starts: self.clients.iter().map(|c| c.lives).sum(),
            blobs: self.play.as_ref().map_or(0, |p| p.tape.blobs()),
        }
    }
}
