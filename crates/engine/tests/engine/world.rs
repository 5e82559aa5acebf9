//! A world in one thread: real engines, a real hub in memory, virtual time. Tests say who does what, and look at what faces
//! would see.

use std::collections::BTreeMap;

use estoile_engine::vault::ready;
use estoile_engine::{
    Answer, BlobError, Command, CommandError, CommandId, CreateRoom, Effect, Engine, Env, Event, Input, LetterId, Lost,
    MemoryBackend, MessageView, Notice, NoticeKind, OpenRoom, Past, RelayAddress, RelayId, RoomId, RoomSnapshot, Turn,
    Vault,
};
use estoile_hub::SessionId;
use estoile_hub::config::Config;
use estoile_hub::hub::Hub;
use estoile_hub::memory::MemoryStore;
use estoile_hub::rules::{Entry, Identity, Rules};
use estoile_seal::quick::RoomSecret;
use estoile_seal::vault_key::VaultKey;
use estoile_wire::id::{BlobHash, BlobToken};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

/// When every world begins.
pub(crate) const START: u64 = 1_750_000_000_000;

/// What a test does to frames on their way from the relay to a client: none or several come out.
pub(crate) type Filter = Box<dyn FnMut(usize, &[u8]) -> Vec<Vec<u8>>>;

/// What a test sees of frames on their way from a client to the relay.
pub(crate) type Watch = Box<dyn FnMut(usize, &[u8])>;

/// When a client dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Death {
    /// Before the commit of its turn with this number.
    BeforeCommit(u64),
    /// After the commit, before any effect.
    AfterCommit(u64),
}

pub(crate) struct Client {
    pub(crate) engine: Option<Engine>,
    pub(crate) vault: Option<Vault<MemoryBackend>>,
    pub(crate) disk: MemoryBackend,
    pub(crate) rng: ChaCha20Rng,
    pub(crate) session: Option<SessionId>,
    pub(crate) connect: Option<(RelayId, u64)>,
    pub(crate) relay: RelayId,
    pub(crate) events: Vec<Event>,
    pub(crate) answers: BTreeMap<CommandId, Result<Answer, CommandError>>,
    /// Added to the world's time.
    pub(crate) clock: i64,
    pub(crate) commits: u64,
    pub(crate) death: Option<Death>,
    next_command: u64,
}

pub(crate) struct World {
    pub(crate) hub: Option<Hub>,
    store: Option<MemoryStore>,
    pub(crate) now: u64,
    pub(crate) rng: ChaCha20Rng,
    pub(crate) clients: Vec<Client>,
    pub(crate) filter: Option<Filter>,
    /// Looks at every frame that a client sends.
    pub(crate) watch: Option<Watch>,
    pub(crate) identity: [u8; 32],
    pub(crate) address: RelayAddress,
    pub(crate) secret: RoomSecret,
    /// How many blobs were put.
    pub(crate) blobs_put: usize,
    /// So many blobs are altered when they are got.
    pub(crate) spoil: usize,
}

fn key() -> VaultKey {
    VaultKey::from_bytes([7; 32])
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut world = Self {
            hub: None,
            store: Some(MemoryStore::new()),
            now: START,
            rng: ChaCha20Rng::seed_from_u64(seed),
            clients: Vec::new(),
            filter: None,
            watch: None,
            identity: [9; 32],
            address: RelayAddress { host: "127.0.0.1".into(), port: 7070, tls: false, pin: None },
            secret: RoomSecret::from_bytes([5; 32]),
            blobs_put: 0,
            spoil: 0,
        };
        world.address.pin = Some(Identity::new(&world.identity, None).key_hash());
        world.start_relay();
        world
    }

    pub(crate) fn start_relay(&mut self) {
        let rules =
            Rules { config: Config::default(), identity: Identity::new(&self.identity, None), entry: Entry::Open };
        let store = self.store.take().expect("the relay runs already");
        self.hub = Some(Hub::start(self.now, rules, store).expect("the relay starts"));
    }

    /// The relay dies; what it had committed stays.
    pub(crate) fn kill_relay(&mut self) {
        if let Some(hub) = self.hub.take() {
            self.store = Some(hub.crash());
        }
        for at in 0..self.clients.len() {
            if self.clients[at].session.take().is_some() {
                let relay = self.clients[at].relay;
                self.give(at, vec![Input::Disconnected { relay, why: Lost::Closed }]);
            }
        }
    }

    /// The relay's folder is gone too.
    pub(crate) fn lose_store(&mut self) {
        self.kill_relay();
        self.store = Some(MemoryStore::new());
    }

    /// The relay's whole state as it is now, while it is off: another history may begin here.
    pub(crate) fn parted(&mut self) -> MemoryStore {
        self.kill_relay();
        self.store.as_ref().expect("the relay is off").parted()
    }

    /// The relay goes on from another state, and keeps what it had for later.
    pub(crate) fn go_on_from(&mut self, other: MemoryStore) -> MemoryStore {
        self.kill_relay();
        let before = self.store.replace(other).expect("the relay is off");
        self.start_relay();
        before
    }

    /// A new client with an empty vault.
    pub(crate) fn client(&mut self) -> usize {
        let at = self.clients.len();
        self.clients.push(Client {
            engine: None,
            vault: None,
            disk: MemoryBackend::default(),
            rng: ChaCha20Rng::seed_from_u64(1_000 + at as u64),
            session: None,
            connect: None,
            relay: RelayId(0),
            events: Vec::new(),
            answers: BTreeMap::new(),
            clock: 0,
            commits: 0,
            death: None,
            next_command: 0,
        });
        self.start(at);
        at
    }

    /// Starts a client from its vault.
    pub(crate) fn start(&mut self, at: usize) {
        let now = self.time_of(at);
        let client = &mut self.clients[at];
        let vault = ready(Vault::open(client.disk.clone(), key(), &mut client.rng)).unwrap().expect("the vault opens");
        let mut env = Env { now, rng: &mut client.rng };
        client.engine = Some(ready(Engine::load(&vault, &mut env)).unwrap().expect("the engine loads"));
        client.vault = Some(vault);
        self.give(at, vec![Input::Timer]);
    }

    /// A client's process dies; its disk stays.
    pub(crate) fn kill(&mut self, at: usize) {
        let client = &mut self.clients[at];
        client.engine = None;
        client.connect = None;
        if let Some(vault) = client.vault.take() {
            client.disk = vault.into_backend();
        }
        if let (Some(session), Some(hub)) = (client.session.take(), self.hub.as_mut()) {
            hub.disconnect(self.now, session);
        }
    }

    /// Somebody says *before*, then *after*; then the process ends, and the vault is the one of before *after*.
    pub(crate) fn put_back(&mut self, at: usize) {
        self.say(at, "before");
        self.settle();
        self.kill(at);
        let old = self.clients[at].disk.clone();
        self.start(at);
        self.settle();
        self.say(at, "after");
        self.settle();
        self.kill(at);
        self.clients[at].disk = old;
        self.clients[at].events.clear();
    }

    pub(crate) fn time_of(&self, at: usize) -> u64 {
        self.now.checked_add_signed(self.clients[at].clock).unwrap()
    }

    /// Hands inputs to a client as one turn, commits, and does what comes out.
    pub(crate) fn give(&mut self, at: usize, inputs: Vec<Input>) {
        self.turn(at, |engine, env| engine.handle_all(inputs, env));
    }

    /// Has a client's engine make a turn, commits, and does what comes out.
    pub(crate) fn turn(&mut self, at: usize, make: impl FnOnce(&mut Engine, &mut Env<'_>) -> Turn) {
        let now = self.time_of(at);
        let client = &mut self.clients[at];
        let Some(engine) = client.engine.as_mut() else { return };
        let mut env = Env { now, rng: &mut client.rng };
        let turn = make(engine, &mut env);
        if !turn.changes().is_empty() {
            client.commits += 1;
            if client.death == Some(Death::BeforeCommit(client.commits)) {
                self.kill(at);
                return;
            }
        }
        let commits = client.commits;
        let proof =
            ready(client.vault.as_mut().unwrap().commit(&turn, &mut client.rng)).unwrap().expect("the vault commits");
        if !turn.changes().is_empty() && client.death == Some(Death::AfterCommit(commits)) {
            self.kill(at);
            return;
        }
        for effect in turn.release(proof).expect("the proof is this turn's") {
            self.effect(at, effect);
        }
    }

    fn effect(&mut self, at: usize, effect: Effect) {
        let now = self.now;
        let client = &mut self.clients[at];
        match effect {
            Effect::Connect { relay, at: when, .. } => {
                // The client's clock may be off; the world's time is what counts here.
                let when = when.checked_add_signed(-client.clock).unwrap();
                client.connect = Some((relay, when.max(now)));
                client.relay = relay;
            }
            Effect::Send { bytes, .. } => {
                if let Some(watch) = self.watch.as_mut() {
                    watch(at, &bytes);
                }
                if let (Some(session), Some(hub)) = (client.session, self.hub.as_mut()) {
                    let _ = hub.receive(now, session, &bytes);
                }
            }
            Effect::Disconnect { .. } => {
                client.connect = None;
                if let (Some(session), Some(hub)) = (client.session.take(), self.hub.as_mut()) {
                    hub.disconnect(now, session);
                }
            }
            Effect::PutBlob { relay, hash, token, from, bytes, .. } => {
                let rest = &bytes[usize::try_from(from).unwrap()..];
                let put = self.hub.as_mut().map(|hub| hub.put_blob(&BlobToken(token), from, rest));
                let result = match put {
                    Some(Ok(_)) => Ok(()),
                    other => Err(BlobError::Later(format!("{other:?}"))),
                };
                self.blobs_put += 1;
                self.give(at, vec![Input::BlobPut { relay, hash, result }]);
            }
            Effect::GetBlob { relay, hash, size, .. } => {
                let got = self.hub.as_ref().and_then(|hub| hub.get_blob(now, &BlobHash(hash), 0..size));
                let mut result = got.map(|bytes| bytes.to_vec()).ok_or_else(|| BlobError::Never("not there".into()));
                if let (Ok(bytes), Some(left)) = (&mut result, self.spoil.checked_sub(1)) {
                    self.spoil = left;
                    bytes[100] ^= 1;
                }
                self.give(at, vec![Input::BlobGot { relay, hash, result }]);
            }
            Effect::Answer(id, answer) => {
                assert!(client.answers.insert(id, answer).is_none(), "one answer for each command");
            }
            Effect::Event(event) => client.events.push(event),
        }
    }

    fn connect_due(&mut self) -> bool {
        let mut any = false;
        for at in 0..self.clients.len() {
            let Some((relay, when)) = self.clients[at].connect else { continue };
            if when > self.now {
                continue;
            }
            any = true;
            self.clients[at].connect = None;
            let session = self.hub.as_mut().and_then(|hub| hub.connect(self.now, &mut self.rng).ok());
            self.clients[at].session = session;
            let input = match session {
                Some(_) => Input::Connected { relay, certificate: None, publicly_trusted: false },
                None => Input::Disconnected { relay, why: Lost::Unreachable("connection refused".into()) },
            };
            self.give(at, vec![input]);
        }
        any
    }

    fn deliver(&mut self) -> bool {
        let Some(hub) = self.hub.as_mut() else { return false };
        hub.commit(self.now).expect("the relay's store works");
        let mut any = false;
        for at in 0..self.clients.len() {
            let (Some(session), Some(hub)) = (self.clients[at].session, self.hub.as_mut()) else { continue };
            let frames = hub.take(self.now, session, 64);
            let over = !hub.is_connected(session);
            let relay = self.clients[at].relay;
            let mut inputs = Vec::new();
            for frame in frames {
                any = true;
                let out = match self.filter.as_mut() {
                    Some(filter) => filter(at, &frame),
                    None => vec![frame.to_vec()],
                };
                inputs.extend(out.into_iter().map(|bytes| Input::Frame { relay, bytes }));
            }
            if over && inputs.is_empty() {
                self.clients[at].session = None;
                inputs.push(Input::Disconnected { relay, why: Lost::Closed });
                any = true;
            }
            if !inputs.is_empty() {
                self.give(at, inputs);
            }
        }
        any
    }

    /// Lets everything happen that happens now.
    pub(crate) fn settle(&mut self) {
        for _ in 0..100_000 {
            let connected = self.connect_due();
            let delivered = self.deliver();
            if !connected && !delivered && !self.hub.as_ref().is_some_and(Hub::has_staged) {
                return;
            }
        }
        panic!("the world does not come to rest");
    }

    /// Lets time pass, event by event.
    pub(crate) fn pass(&mut self, ms: u64) {
        let end = self.now + ms;
        self.settle();
        let mut steps = 0;
        while self.now < end {
            let timers = (0..self.clients.len()).filter_map(|at| {
                let timeout = self.clients[at].engine.as_ref()?.next_timeout()?;
                timeout.checked_add_signed(-self.clients[at].clock)
            });
            let connects = self.clients.iter().filter_map(|c| c.connect.map(|(_, at)| at));
            let ticks = self.now - self.now % 10_000 + 10_000;
            let next = timers.chain(connects).chain([end, ticks]).min().unwrap();
            steps += 1;
            assert!(steps < 100_000, "timers spin at {}", self.now - START);
            self.now = next.max(self.now + u64::from(next <= self.now)).min(end);
            if self.now.is_multiple_of(10_000)
                && let Some(hub) = self.hub.as_mut()
            {
                for session in hub.tick(self.now).expect("the relay's store works") {
                    hub.pong(self.now, session);
                }
            }
            for at in 0..self.clients.len() {
                let now = self.time_of(at);
                if self.clients[at].engine.as_ref().and_then(Engine::next_timeout).is_some_and(|t| t <= now) {
                    self.give(at, vec![Input::Timer]);
                }
            }
            self.settle();
        }
    }

    // ── What people do ──────────────────────────────────────────────────────────────────────────────────────────────

    pub(crate) fn command(&mut self, at: usize, command: Command) -> CommandId {
        let id = CommandId(self.clients[at].next_command);
        self.clients[at].next_command += 1;
        self.give(at, vec![Input::Command(id, command)]);
        id
    }

    /// A command that is answered at once.
    pub(crate) fn ask(&mut self, at: usize, command: Command) -> Result<Answer, CommandError> {
        let id = self.command(at, command);
        self.clients[at].answers.get(&id).expect("answered at once").clone()
    }

    pub(crate) fn opening(&self, name: &str, create: bool) -> OpenRoom {
        OpenRoom {
            relay: self.address.clone(),
            name: "garden".into(),
            own_name: name.into(),
            secret: self.secret.clone(),
            passphrase: false,
            ttl: None,
            create: create.then_some(CreateRoom { max_ttl: 0, entry: None }),
            past: Past::All,
            sociable: true,
        }
    }

    pub(crate) fn open(&mut self, at: usize, open: OpenRoom) -> RoomId {
        match self.ask(at, Command::Open(Box::new(open))) {
            Ok(Answer::Room(room)) => room,
            other => panic!("{other:?}"),
        }
    }

    /// A client with the room open, live.
    pub(crate) fn member(&mut self, name: &str, create: bool) -> usize {
        let at = self.client();
        let open = self.opening(name, create);
        self.open(at, open);
        self.settle();
        at
    }

    pub(crate) fn say(&mut self, at: usize, text: &str) -> LetterId {
        self.say_for(at, text, None)
    }

    pub(crate) fn say_for(&mut self, at: usize, text: &str, ttl: Option<Option<u64>>) -> LetterId {
        match self.ask(at, Command::Send { room: RoomId(0), text: text.into(), ttl }) {
            Ok(Answer::Letter(id)) => id,
            other => panic!("{other:?}"),
        }
    }

    // ── What they see ───────────────────────────────────────────────────────────────────────────────────────────────

    pub(crate) fn room(&self, at: usize) -> RoomSnapshot {
        self.clients[at].engine.as_ref().unwrap().snapshot(RoomId(0), 10_000).expect("the room is there")
    }

    pub(crate) fn texts(&self, at: usize) -> Vec<String> {
        self.room(at).messages.into_iter().map(|m| m.text).collect()
    }

    pub(crate) fn message(&self, at: usize, id: LetterId) -> Option<MessageView> {
        self.room(at).messages.into_iter().find(|m| m.id == id)
    }

    pub(crate) fn notices(&self, at: usize, kind: NoticeKind) -> Vec<Notice> {
        let events = self.clients[at].events.iter();
        events
            .filter_map(|e| match e {
                Event::Notice(n) if n.kind == kind => Some(n.clone()),
                _ => None,
            })
            .collect()
    }

    /// The texts in the order in which they were printed, as `tail` would.
    pub(crate) fn printed(&self, at: usize) -> Vec<String> {
        let events = self.clients[at].events.iter();
        events
            .filter_map(|e| match e {
                Event::Message { message, .. } => Some(message.text.clone()),
                _ => None,
            })
            .collect()
    }
}
