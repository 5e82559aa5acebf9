//! Whole state machines behind a session: the relay's hub and the client's engine, fed frames in a row.

use estoile_engine::vault::ready;
use estoile_engine::{Command, CreateRoom, Engine, Env, Input, MemoryBackend, OpenRoom, Past, RelayAddress, Vault};
use estoile_engine::{Effect, RelayId, turn::CommandId};
use estoile_hub::SessionId;
use estoile_hub::config::Config;
use estoile_hub::hub::Hub;
use estoile_hub::memory::MemoryStore;
use estoile_hub::rules::{Entry, Identity, Rules};
use estoile_seal::quick::RoomSecret;
use estoile_seal::vault_key::VaultKey;
use estoile_wire::frame::{Hello, Record};
use estoile_wire::id::Nonce;
use estoile_wire::{ClientFrame, Id16, RelayFrame};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use crate::corpus::{self, NOW};
use crate::seals::keys;

fn hub() -> Hub {
    let rules = Rules { config: Config::default(), identity: Identity::new(&[1; 32], None), entry: Entry::Open };
    match Hub::start(NOW, rules, MemoryStore::new()) {
        Ok(hub) => hub,
        Err(e) => panic!("an empty store opens: {e}"),
    }
}

/// Cuts the input into frames of at most 200 bytes, and hands each to a greeted session of a hub.
pub(crate) fn hub_session(bytes: &[u8]) {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let mut hub = hub();
    let Ok(session) = hub.connect(NOW, &mut rng) else { panic!("the first session is let in") };
    let hello = ClientFrame::Hello(Hello { versions: vec![1], challenge: Nonce([1; 32]) });
    let _ = hub.receive(NOW, session, &hello.encode());
    let _ = hub.receive(NOW, session, bytes);
    for (n, frame) in (0..).zip(bytes.chunks(200)) {
        let _ = hub.receive(NOW + n, session, frame);
    }
    if let Err(e) = hub.commit(NOW) {
        panic!("a store in memory commits: {e}");
    }
    hub.disconnect(NOW, session);
    assert_eq!(hub.sessions(), 0, "nothing of a session is left when it ends");
}

/// A client in a room, with its hub: enough of a world that frames reach every state.
struct Client {
    engine: Engine,
    vault: Vault<MemoryBackend>,
    rng: ChaCha20Rng,
    hub: Hub,
    session: SessionId,
    relay: RelayId,
}

impl Client {
    fn new() -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let key = VaultKey::generate(&mut rng);
        let Some(Ok(vault)) = ready(Vault::open(MemoryBackend::default(), key, &mut rng)) else {
            panic!("an empty vault opens")
        };
        let loaded = ready(Engine::load(&vault, &mut Env { now: NOW, rng: &mut rng }));
        let Some(Ok(engine)) = loaded else { panic!("an empty vault loads") };
        let mut hub = hub();
        let Ok(session) = hub.connect(NOW, &mut rng) else { panic!("the first session is let in") };
        let mut client = Self { engine, vault, rng, hub, session, relay: RelayId(0) };
        let open = OpenRoom {
            relay: RelayAddress { host: "127.0.0.1".into(), port: 7070, tls: false, pin: None },
            name: "lounge".into(),
            own_name: "Alice".into(),
            secret: RoomSecret::from_bytes([7; 32]),
            passphrase: false,
            ttl: None,
            create: Some(CreateRoom { max_ttl: 0, entry: None }),
            past: Past::All,
            sociable: true,
        };
        client.turn(Input::Command(CommandId(1), Command::Open(Box::new(open))));
        let relay = client.relay;
        client.turn(Input::Connected { relay, certificate: None, publicly_trusted: false });
        client.exchange();
        client
    }

    /// One turn; its frames go to the hub.
    fn turn(&mut self, input: Input) {
        let turn = self.engine.handle(input, &mut Env { now: NOW, rng: &mut self.rng });
        let Some(Ok(proof)) = ready(self.vault.commit(&turn, &mut self.rng)) else {
            panic!("a vault in memory commits")
        };
        let Ok(effects) = turn.release(proof) else { panic!("the proof is this turn's") };
        for effect in effects {
            match effect {
                Effect::Connect { relay, .. } => self.relay = relay,
                Effect::Send { bytes, .. } => drop(self.hub.receive(NOW, self.session, &bytes)),
                _ => {}
            }
        }
    }

    /// Carries the hub's answers back until it has none.
    fn exchange(&mut self) {
        for _ in 0..8 {
            let _ = self.hub.commit(NOW);
            for frame in self.hub.take(NOW, self.session, 64) {
                self.turn(Input::Frame { relay: self.relay, bytes: frame.to_vec() });
            }
        }
    }
}

/// Hands the engine the input as a frame, then as a record's body between the letters of the corpus, in an order that it chooses.
pub(crate) fn engine_frames(bytes: &[u8]) {
    let mut client = Client::new();
    let relay = client.relay;
    client.turn(Input::Frame { relay, bytes: bytes.to_vec() });
    let mut bodies = corpus::bodies();
    let turns = usize::from(bytes.first().copied().unwrap_or(0)) % bodies.len();
    bodies.rotate_left(turns);
    bodies.insert(1, bytes.to_vec());
    for (n, body) in (0u8..).zip(&bodies) {
        let record = Record {
            log: keys().log_id(),
            cursor: 900 + u64::from(n),
            time: NOW,
            expires: NOW + 60_000,
            epoch: 0,
            id16: Id16([n; 16]),
            body,
            advance: None,
        };
        client.turn(Input::Frame { relay, bytes: RelayFrame::Record(record).encode() });
    }
    client.turn(Input::Timer);
    client.exchange();
}
