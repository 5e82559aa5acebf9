//! The world: what happens when, and to whom. Everything that is drawn comes from one generator.

mod blobs;
mod cheats;
mod clients;
mod relay;

use std::collections::BTreeMap;
use std::sync::Arc;

use estoile_engine::{CommandId, Input, LetterId, RelayId};
use estoile_hub::hub::Hub;
use estoile_hub::memory::MemoryStore;
use estoile_wire::Millis;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use crate::cheat::Cheat;
use crate::client::Client;
use crate::net::{ConnectionId, Net};
use crate::plan::{Plan, below};
use crate::private::Play;

/// When every world begins.
const START: Millis = 1_750_000_000_000;
/// A world in which more happens than this doesn't come to rest.
const MOST_HAPPENINGS: u64 = 400_000;
/// Lines of the story that a failure tells.
const STORY: usize = 20_000;
/// After trouble, so long is enough for every wait and question to be over.
const HEALING: Millis = 20 * 60_000;
/// What a text says beside its number; no disk, relay or connection may carry it in the clear.
pub(crate) const MARK: &str = "zephyr-over-lisbon";

/// Why a world broke its promises.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The world's seed.
    pub seed: u64,
    /// The variable that runs it again.
    pub name: &'static str,
    /// Which promise.
    pub what: String,
    /// What happened last.
    pub story: Vec<String>,
}

impl core::fmt::Display for Failure {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.story.iter().try_for_each(|line| writeln!(f, "{line}"))?;
        writeln!(f, "seed {}: {}", self.seed, self.what)?;
        write!(f, "again: {}={} cargo nextest run -p estoile-sim --no-capture", self.name, self.seed)
    }
}

impl core::error::Error for Failure {}

/// Something that is going to happen.
#[derive(Debug)]
pub(crate) enum Happening {
    /// A client starts, or starts again.
    Start { client: usize },
    /// A client's timer.
    Wake { client: usize, life: u64 },
    /// A member says something.
    Say { client: usize },
    /// A client's attempt to connect reaches the relay.
    Dial { client: usize, life: u64, attempt: u64, relay: RelayId },
    /// Nobody answered it.
    Unreachable { client: usize, life: u64, attempt: u64, relay: RelayId },
    /// The handshake is done at the client.
    Opened { connection: ConnectionId, attempt: u64, relay: RelayId },
    /// A frame arrives.
    ToRelay { connection: ConnectionId, bytes: Vec<u8> },
    /// A frame arrives.
    ToClient { connection: ConnectionId, bytes: Vec<u8> },
    /// The end of a connection is noticed.
    RelayHears { connection: ConnectionId },
    /// The end of a connection is noticed.
    ClientHears { connection: ConnectionId },
    /// A slow reader reads on.
    Read { connection: ConnectionId },
    /// The relay makes durable what is staged.
    Commit { relay_life: u64 },
    /// The relay's clock.
    Tick { relay_life: u64 },
    /// The relay starts.
    RelayUp,
    /// A person does something beside talking.
    Act { client: usize },
    /// A longer undertaking goes on.
    Plot { plot: usize },
    /// A client's part of a blob reaches the relay.
    Put { client: usize, life: u64, relay: RelayId, hash: [u8; 32], token: [u8; 32], from: u64, bytes: Arc<[u8]> },
    /// The relay keeps a copy of all that it has, for a cheat.
    Copy { cheat: usize },
    /// The relay goes back to that copy.
    GoBack { cheat: usize },
    /// A client's wish for a blob reaches the relay.
    Get { client: usize, life: u64, relay: RelayId, hash: [u8; 32], size: u64 },
}

/// What somebody wanted to say, and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) client: usize,
    pub(crate) text: String,
    /// The engine's answer; none: it died before.
    pub(crate) letter: Option<Result<LetterId, String>>,
    /// It has an end of its own.
    pub(crate) brief: bool,
}

/// A simulated world.
#[derive(Debug)]
pub struct World {
    pub(crate) seed: u64,
    pub(crate) plan: Plan,
    pub(crate) rng: ChaCha20Rng,
    pub(crate) now: Millis,
    queue: BTreeMap<(Millis, u64), Happening>,
    happened: u64,
    story: Vec<String>,
    pub(crate) clients: Vec<Client>,
    pub(crate) net: Net,
    pub(crate) hub: Option<Hub>,
    /// The relay's disk while it is down.
    disk: Option<MemoryStore>,
    relay_life: u64,
    relay_seed: [u8; 32],
    commit_planned: bool,
    /// How the relay cheats at the moment.
    pub(crate) cheats: Vec<Cheat>,
    /// What it may go back to, by cheat.
    copies: BTreeMap<usize, MemoryStore>,
    pub(crate) secret: [u8; 32],
    pub(crate) said: BTreeMap<CommandId, Said>,
    attempts: u64,
    /// Nobody says anything any more.
    pub(crate) quiet: bool,
    /// Something that must never travel in the clear did.
    pub(crate) leaked: bool,
    /// When it began.
    start: Millis,
    /// What is going on in a world of private rooms; none: a quick room.
    pub(crate) play: Option<Box<Play>>,
}

impl World {
    /// The world of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let plan = Plan::draw(&mut rng);
        Self::planned(seed, plan, rng, START, None)
    }

    /// A world with a plan of one's own.
    #[must_use]
    pub fn with_plan(seed: u64, plan: Plan) -> Self {
        Self::planned(seed, plan, ChaCha20Rng::seed_from_u64(seed), START, None)
    }

    /// A quick room's world with a plan and a generator of one's own.
    pub(crate) fn quick(seed: u64, plan: Plan, rng: ChaCha20Rng) -> Self {
        Self::planned(seed, plan, rng, START, None)
    }

    pub(crate) fn planned(seed: u64, plan: Plan, mut rng: ChaCha20Rng, start: Millis, play: Option<Box<Play>>) -> Self {
        let (mut secret, mut relay_seed) = ([0; 32], [0; 32]);
        rng.fill_bytes(&mut secret);
        rng.fill_bytes(&mut relay_seed);
        let clients = (0..plan.members).map(|index| {
            let width = plan.skew.saturating_mul(2).saturating_add(1);
            let offset = below(&mut rng, width).cast_signed().saturating_sub(plan.skew.cast_signed());
            Client::new(index, offset, rng.next_u64())
        });
        let clients = clients.collect();
        let mut world = Self {
            seed,
            plan,
            rng,
            now: start,
            queue: BTreeMap::new(),
            happened: 0,
            story: Vec::new(),
            clients,
            net: Net::default(),
            hub: None,
            disk: Some(MemoryStore::new()),
            relay_life: 0,
            relay_seed,
            commit_planned: false,
            cheats: Vec::new(),
            copies: BTreeMap::new(),
            secret,
            said: BTreeMap::new(),
            attempts: 0,
            quiet: false,
            leaked: false,
            start,
            play,
        };
        world.later(0, Happening::RelayUp);
        for client in 0..world.clients.len() {
            let after = below(&mut world.rng, 3_000);
            world.later(after, Happening::Start { client });
            if world.play.is_none() {
                world.plan_say(client);
            }
        }
        world
    }

    /// The world's plan.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Runs through the trouble, lets the world heal, and holds it to its promises.
    ///
    /// # Errors
    /// The first promise that is broken.
    pub fn run(mut self) -> Result<(), Failure> {
        let outcome = self.live();
        outcome.map_err(|what| self.failure(what))
    }

    pub(crate) fn failure(&mut self, what: String) -> Failure {
        let name = if self.play.is_some() { "ESTOILE_PRIVATE_SEED" } else { "ESTOILE_SEED" };
        Failure { seed: self.seed, name, what, story: core::mem::take(&mut self.story) }
    }

    fn live(&mut self) -> Result<(), String> {
        let plan = self.plan.clone();
        self.tell(|| format!("{plan:?}"));
        self.until(START.saturating_add(self.plan.trouble))?;
        self.tell(|| "the trouble is over".to_owned());
        self.heal();
        self.until(self.now.saturating_add(HEALING))?;
        self.check()?;
        // Two hours later, and some: every letter with an end has ended, every beat has been sent.
        self.until(self.now.saturating_add(3 * 3_600_000))?;
        self.check_later()
    }

    pub(crate) fn heal(&mut self) {
        self.plan.heal();
        self.cheats.clear();
        self.quiet = true;
        if self.hub.is_none() {
            self.later(0, Happening::RelayUp);
        }
        for client in 0..self.clients.len() {
            if self.clients.get(client).is_some_and(|c| c.life.is_none()) {
                self.later(10, Happening::Start { client });
            }
        }
    }

    pub(crate) fn later(&mut self, after: Millis, happening: Happening) {
        self.at(self.now.saturating_add(after), happening);
    }

    pub(crate) fn at(&mut self, at: Millis, happening: Happening) {
        self.happened = self.happened.saturating_add(1);
        self.queue.insert((at.max(self.now), self.happened), happening);
    }

    /// A line of the story.
    pub(crate) fn tell(&mut self, line: impl FnOnce() -> String) {
        if self.story.len() >= STORY.saturating_mul(2) {
            self.story.drain(..STORY);
        }
        let at = self.now.saturating_sub(self.start);
        self.story.push(format!("{:>8}.{:03} {}", at / 1_000, at % 1_000, line()));
    }

    pub(crate) fn until(&mut self, end: Millis) -> Result<(), String> {
        while let Some(entry) = self.queue.first_entry() {
            if entry.key().0 > end {
                break;
            }
            let ((at, _), happening) = entry.remove_entry();
            self.now = at;
            if self.happened > MOST_HAPPENINGS {
                let next = self.queue.values().take(20).map(|h| format!("{h:?}").chars().take(60).collect());
                let next: Vec<String> = next.collect();
                return Err(format!("the world does not come to rest: next come {next:?}"));
            }
            self.happen(happening)?;
        }
        self.now = end;
        Ok(())
    }

    fn happen(&mut self, happening: Happening) -> Result<(), String> {
        match happening {
            Happening::Start { client } => self.start_client(client)?,
            Happening::Wake { client, life } => self.wake(client, life)?,
            Happening::Say { client } => self.say(client)?,
            Happening::Dial { client, life, attempt, relay } => self.dial(client, life, attempt, relay),
            Happening::Unreachable { client, life, attempt, relay } => {
                self.unreachable(client, life, attempt, relay)?;
            }
            Happening::Opened { connection, attempt, relay } => self.opened(connection, attempt, relay)?,
            Happening::ToRelay { connection, bytes } => self.at_relay(connection, &bytes)?,
            Happening::ToClient { connection, bytes } => self.at_client(connection, bytes)?,
            Happening::RelayHears { connection } => self.relay_hears(connection),
            Happening::ClientHears { connection } => self.client_hears(connection)?,
            Happening::Read { connection } => self.read_on(connection),
            Happening::Commit { relay_life } => self.commit(relay_life)?,
            Happening::Tick { relay_life } => self.tick(relay_life)?,
            Happening::RelayUp => self.relay_up()?,
            Happening::Act { client } => self.act(client)?,
            Happening::Plot { plot } => self.plot(plot)?,
            Happening::Copy { cheat } => self.copy_store(cheat),
            Happening::GoBack { cheat } => self.go_back(cheat),
            Happening::Put { client, life, relay, hash, token, from, bytes } => {
                let result = self.blob_arrives(&token, from, &bytes);
                self.blob_ends(client, life, Input::BlobPut { relay, hash, result })?;
            }
            Happening::Get { client, life, relay, hash, size } => {
                let result = self.blob_asked(&hash, size);
                self.blob_ends(client, life, Input::BlobGot { relay, hash, result })?;
            }
        }
        self.net.sweep();
        Ok(())
    }
}
