//! A client: an engine over a vault on a disk. It can die at any moment and be started again from the disk.

use estoile_engine::vault::ready;
use estoile_engine::{
    Command, CommandError, CommandId, CreateRoom, DeviceLinkView, Effect, Engine, Env, Input, OpenRoom, Past,
    RelayAddress, RelayId, RoomId, RoomSnapshot, RoomView, Turn, Vault,
};
use estoile_seal::quick::RoomSecret;
use estoile_seal::vault_key::VaultKey;
use estoile_wire::{Millis, RelayKeyHash};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use crate::disk::Disk;
use crate::face::Face;
use crate::net::ConnectionId;

/// The room's name; no disk and no relay may hold it in the clear.
pub(crate) const ROOM_NAME: &str = "observatory-of-the-nine";
/// More messages than a world says.
const ALL: usize = 10_000;

/// Where the relay is.
pub(crate) fn relay_address(pin: RelayKeyHash) -> RelayAddress {
    RelayAddress { host: "127.0.0.1".to_owned(), port: 7070, tls: false, pin: Some(pin) }
}

/// The room that counts: the one that the client is in, else the one that it waits for.
fn home(rooms: &[RoomView]) -> Option<RoomId> {
    let inside = |room: &&RoomView| room.private.as_ref().is_none_or(|p| p.role.is_some());
    rooms.iter().find(inside).or_else(|| rooms.first()).map(|room| room.id)
}

/// When in a turn a client dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Not.
    Lives,
    /// Before the commit: the turn is lost.
    BeforeCommit,
    /// After the commit, when so many effects have happened: the rest is lost.
    After(usize),
    /// The commit fails: nothing is kept, and the client starts again from its disk.
    CommitFails,
}

/// One life of a client.
#[derive(Debug)]
pub(crate) struct Life {
    engine: Engine,
    vault: Vault<Disk>,
    /// The connection that is there.
    pub(crate) connection: Option<ConnectionId>,
    /// The attempt that waits, by number.
    pub(crate) attempt: Option<u64>,
    /// When the next timer is set for, by the world's clock.
    pub(crate) wake: Option<Millis>,
    /// How often in a row the timer was wanted again at once.
    pub(crate) hurried: u32,
}

/// A client, alive or not.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) index: usize,
    pub(crate) offset: i64,
    rng: ChaCha20Rng,
    disk: Disk,
    key: VaultKey,
    pub(crate) life: Option<Life>,
    /// Counts lives: what was meant for an earlier one is passed over.
    pub(crate) lives: u64,
    pub(crate) room: Option<RoomId>,
    pub(crate) relay: Option<RelayId>,
    pub(crate) face: Face,
    /// How its device link goes, in a world of accounts.
    pub(crate) link: Option<DeviceLinkView>,
    /// When it was in the private room, by epochs.
    pub(crate) stays: Vec<Stay>,
}

/// A time in a private room.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stay {
    /// The first epoch.
    pub(crate) from: u64,
    /// It is over.
    pub(crate) over: bool,
}

/// What a turn led to.
pub(crate) struct Happened {
    pub(crate) effects: Vec<Effect>,
    /// Commands that were answered with "the vault could not be written".
    pub(crate) refused: Vec<(CommandId, CommandError)>,
    /// The client is dead now.
    pub(crate) died: bool,
}

impl Client {
    pub(crate) fn new(index: usize, offset: i64, seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let key = VaultKey::generate(&mut rng);
        Self {
            index,
            offset,
            rng,
            disk: Disk::default(),
            key,
            life: None,
            lives: 0,
            room: None,
            relay: None,
            face: Face::default(),
            link: None,
            stays: Vec::new(),
        }
    }

    pub(crate) fn name(&self) -> String {
        format!("Member-{}-Vermeer", self.index)
    }

    /// This client's clock.
    pub(crate) fn clock(&self, now: Millis) -> Millis {
        now.saturating_add_signed(self.offset)
    }

    /// The world's time of a moment by this client's clock.
    pub(crate) fn world_time(&self, at: Millis) -> Millis {
        at.saturating_sub_signed(self.offset)
    }

    /// Starts, or starts again, from the disk; the face shows what the engine has.
    pub(crate) fn start(&mut self, now: Millis) -> Result<(), String> {
        let opening = Vault::open(self.disk.clone(), self.key.clone(), &mut self.rng);
        let vault = ready(opening).ok_or("opening a vault waits")?.map_err(|e| format!("opening: {e}"))?;
        let clock = self.clock(now);
        let mut env = Env { now: clock, rng: &mut self.rng };
        let loading = ready(Engine::load(&vault, &mut env)).ok_or("loading waits")?;
        let engine = loading.map_err(|e| format!("loading: {e}"))?;
        self.room = home(&engine.rooms());
        self.life = Some(Life { engine, vault, connection: None, attempt: None, wake: None, hurried: 0 });
        self.lives = self.lives.saturating_add(1);
        match self.snapshot() {
            Some(snapshot) => self.face.reload(snapshot),
            None => Ok(()),
        }
    }

    /// Hands in an input, with a fate.
    pub(crate) fn turn(&mut self, input: Input, now: Millis, fate: Fate) -> Result<Happened, String> {
        let clock = self.clock(now);
        let Some(life) = &mut self.life else { return Ok(Happened::nothing()) };
        let mut env = Env { now: clock, rng: &mut self.rng };
        let turn = life.engine.handle(input, &mut env);
        if fate == Fate::BeforeCommit {
            return Ok(Happened { died: true, ..Happened::nothing() });
        }
        if fate == Fate::CommitFails && !turn.changes().is_empty() {
            self.disk.fail_next();
            return self.fail(turn);
        }
        let proof = ready(life.vault.commit(&turn, &mut self.rng)).ok_or("a commit waits")?;
        let proof = proof.map_err(|e| format!("commit: {e}"))?;
        let mut effects = turn.release(proof).map_err(|e| e.to_string())?;
        let died = matches!(fate, Fate::After(_));
        if let Fate::After(most) = fate {
            effects.truncate(most);
        }
        Ok(Happened { effects, refused: Vec::new(), died })
    }

    fn fail(&mut self, turn: Turn) -> Result<Happened, String> {
        let life = self.life.as_mut().ok_or("no life")?;
        let failed = ready(life.vault.commit(&turn, &mut self.rng)).ok_or("a commit waits")?;
        match failed {
            Ok(_) => Err("a commit succeeds on a disk that fails".to_owned()),
            Err(error) => Ok(Happened { effects: Vec::new(), refused: turn.failed(&error.to_string()), died: true }),
        }
    }

    /// When the engine wants a timer, by the world's clock.
    pub(crate) fn next_timeout(&self) -> Option<Millis> {
        self.life.as_ref()?.engine.next_timeout().map(|at| self.world_time(at))
    }

    /// Everything in the room.
    pub(crate) fn snapshot(&self) -> Option<RoomSnapshot> {
        self.life.as_ref()?.engine.snapshot(self.room?, ALL)
    }

    /// The engine, while it lives.
    pub(crate) fn engine(&self) -> Option<&Engine> {
        self.life.as_ref().map(|life| &life.engine)
    }

    /// What a room looks like now: whether this device is in it.
    pub(crate) fn note_room(&mut self, view: &RoomView) {
        let Some(private) = &view.private else { return };
        if private.role.is_some() || self.room.is_none() {
            self.room = Some(view.id);
        }
        if self.room != Some(view.id) {
            return;
        }
        let inside = !private.waiting && private.role.is_some() && view.stopped.is_none();
        match (self.stays.last_mut().filter(|stay| !stay.over), inside) {
            (None, true) => self.stays.push(Stay { from: private.epoch, over: false }),
            (Some(stay), false) => stay.over = true,
            _ => {}
        }
    }

    /// The disk, to look for what must not be there.
    pub(crate) fn disk(&self) -> &Disk {
        &self.disk
    }

    /// How this client opens the room.
    pub(crate) fn opening(&self, pin: RelayKeyHash, secret: &[u8; 32]) -> Command {
        Command::Open(Box::new(OpenRoom {
            relay: relay_address(pin),
            name: ROOM_NAME.to_owned(),
            own_name: self.name(),
            secret: RoomSecret::from_bytes(*secret),
            passphrase: false,
            ttl: None,
            create: Some(CreateRoom { max_ttl: 0, entry: None }),
            past: Past::All,
            sociable: true,
        }))
    }
}

impl Happened {
    fn nothing() -> Self {
        Self { effects: Vec::new(), refused: Vec::new(), died: false }
    }
}
