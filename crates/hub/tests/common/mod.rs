//! A relay in memory, and people with keys who talk to it.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test: what is missing must stop it")]

use ed25519_dalek::{Signer, SigningKey};
use estoile_hub::SessionId;
use estoile_hub::config::Config;
use estoile_hub::hub::Hub;
use estoile_hub::memory::MemoryStore;
use estoile_hub::rules::{Entry, EntryHash, Identity, Rules};
use estoile_wire::frame::*;
use estoile_wire::id::{LogKind, Nonce};
use estoile_wire::{ClientFrame, Id16, LogId, Millis, PublicKey, Refusal, RelayFrame, Signature, proof};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

pub(crate) const START: Millis = 1_700_000_000_000;
pub(crate) const DAY: Millis = 86_400_000;

/// A relay, its clock, and what arrived at its clients.
pub(crate) struct World {
    pub(crate) hub: Hub,
    pub(crate) now: Millis,
    pub(crate) relay_key: PublicKey,
    rng: ChaCha20Rng,
}

/// A connected client.
#[derive(Clone, Copy)]
pub(crate) struct Client {
    pub(crate) session: SessionId,
    pub(crate) nonce: Nonce,
}

/// A room's key.
pub(crate) struct Room(SigningKey);

impl Room {
    pub(crate) fn new(n: u8) -> Self {
        Self(SigningKey::from_bytes(&[n; 32]))
    }

    pub(crate) fn key(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    pub(crate) fn log(&self) -> LogId {
        LogId::derive(LogKind::Fixed, &self.key())
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign(message).to_bytes())
    }
}

pub(crate) fn rules(config: Config, entry: Option<&[u8]>) -> Rules {
    let entry = entry.map_or(Entry::Open, |code| Entry::Code(EntryHash::of(code)));
    Rules { config, identity: Identity::new(&[1; 32], None), entry }
}

/// Frames as they arrive, owned.
pub(crate) fn decoded(bytes: &[bytes::Bytes]) -> Vec<RelayFrame<'_>> {
    bytes.iter().map(|b| RelayFrame::decode(b).unwrap()).collect()
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Config::default(), None)
    }

    pub(crate) fn with(config: Config, entry: Option<&[u8]>) -> Self {
        Self::over(config, entry, MemoryStore::new(), START)
    }

    pub(crate) fn over(config: Config, entry: Option<&[u8]>, store: MemoryStore, now: Millis) -> Self {
        let rules = rules(config, entry);
        let relay_key = rules.identity.public();
        let hub = Hub::start(now, rules, store).unwrap();
        Self { hub, now, relay_key, rng: ChaCha20Rng::seed_from_u64(7) }
    }

    /// The relay dies and comes back over what was committed.
    pub(crate) fn crash(self, config: Config) -> Self {
        let now = self.now;
        Self::over(config, None, self.hub.crash(), now)
    }

    /// A connection without a hello.
    pub(crate) fn dial(&mut self) -> SessionId {
        self.hub.connect(self.now, &mut self.rng).unwrap()
    }

    /// A client that has said hello.
    pub(crate) fn client(&mut self) -> Client {
        let session = self.dial();
        let hello = ClientFrame::Hello(Hello { versions: vec![1], challenge: Nonce([3; 32]) });
        let answers = self.say_as(session, &hello);
        match decoded(&answers).first() {
            Some(RelayFrame::Welcome(welcome)) => Client { session, nonce: welcome.nonce },
            other => panic!("{other:?}"),
        }
    }

    /// Says a frame and takes what comes back at once.
    pub(crate) fn say_as(&mut self, session: SessionId, frame: &ClientFrame<'_>) -> Vec<bytes::Bytes> {
        let _ = self.hub.receive(self.now, session, &frame.encode());
        self.hub.take(self.now, session, usize::MAX)
    }

    /// Says a frame, lets the relay commit, and takes what comes back.
    pub(crate) fn say(&mut self, client: Client, frame: &ClientFrame<'_>) -> Vec<bytes::Bytes> {
        let _ = self.hub.receive(self.now, client.session, &frame.encode());
        let _ = self.hub.commit(self.now);
        self.take(client)
    }

    pub(crate) fn take(&mut self, client: Client) -> Vec<bytes::Bytes> {
        let mut all = Vec::new();
        loop {
            let more = self.hub.take(self.now, client.session, usize::MAX);
            if more.is_empty() {
                return all;
            }
            all.extend(more);
        }
    }

    pub(crate) fn create_frame(&self, client: Client, room: &Room, max_ttl: u64, quota: u64) -> Create {
        let message = proof::create(&self.relay_key, &client.nonce, LogKind::Fixed, &room.key(), max_ttl, quota);
        let signature = room.sign(&message);
        Create { request: 1, kind: 0, access_key: room.key(), max_ttl, quota, signature, entry: None }
    }

    pub(crate) fn create(&mut self, client: Client, room: &Room, max_ttl: u64, quota: u64) {
        let frame = ClientFrame::Create(self.create_frame(client, room, max_ttl, quota));
        let answers = self.say(client, &frame);
        assert!(matches!(decoded(&answers)[..], [RelayFrame::Created(_)]), "{:?}", decoded(&answers));
    }

    pub(crate) fn attach_frame(&self, client: Client, room: &Room, after: u64, newest: Option<u64>) -> Attach {
        let signature = room.sign(&proof::attach(&self.relay_key, &client.nonce, &room.log(), 0));
        Attach { request: 2, log: room.log(), epoch: 0, after, signature, newest }
    }

    /// Attaches and gives the cursors of the records that came before `live`.
    pub(crate) fn attach(&mut self, client: Client, room: &Room, after: u64, newest: Option<u64>) -> Vec<u64> {
        let frame = ClientFrame::Attach(self.attach_frame(client, room, after, newest));
        let answers = self.say(client, &frame);
        let frames = decoded(&answers);
        assert!(matches!(frames.first(), Some(RelayFrame::Attached(_))), "{frames:?}");
        assert!(matches!(frames.last(), Some(RelayFrame::Live(_))), "{frames:?}");
        records(&frames)
    }

    /// A client in a room that it has made.
    pub(crate) fn founder(&mut self, room: &Room) -> Client {
        let client = self.client();
        self.create(client, room, 0, 0);
        self.attach(client, room, 0, None);
        client
    }

    /// Appends, commits, and gives what the sender got.
    pub(crate) fn append(&mut self, client: Client, room: &Room, id: u64, ttl: Option<u64>) -> Vec<bytes::Bytes> {
        let body = id.to_be_bytes();
        self.say(client, &ClientFrame::Append(append(room, id, ttl, &body)))
    }

    /// Appends and expects that it is kept.
    pub(crate) fn kept(&mut self, client: Client, room: &Room, id: u64, ttl: Option<u64>) -> u64 {
        let answers = self.append(client, room, id, ttl);
        let frames = decoded(&answers);
        let kept = frames.iter().find_map(|f| if let RelayFrame::Kept(k) = f { Some(k.cursor) } else { None });
        kept.unwrap_or_else(|| panic!("{frames:?}"))
    }

    /// Time passes, in steps of half a minute; everybody answers pings.
    pub(crate) fn pass(&mut self, ms: Millis, alive: &[Client]) {
        let until = self.now + ms;
        while self.now < until {
            self.now = until.min(self.now + 30_000);
            for client in alive {
                self.hub.pong(self.now, client.session);
            }
            self.hub.tick(self.now).unwrap();
        }
    }
}

pub(crate) fn id16(id: u64) -> Id16 {
    Id16([id.to_be_bytes(), id.to_be_bytes()].concat().try_into().unwrap())
}

pub(crate) fn append<'b>(room: &Room, id: u64, ttl: Option<u64>, body: &'b [u8]) -> Append<'b> {
    Append { request: id, log: room.log(), id16: id16(id), epoch: 0, ttl, body, advance: None }
}

pub(crate) fn records(frames: &[RelayFrame<'_>]) -> Vec<u64> {
    frames.iter().filter_map(|f| if let RelayFrame::Record(r) = f { Some(r.cursor) } else { None }).collect()
}

/// The refusal that these frames are.
pub(crate) fn refusal(answers: &[bytes::Bytes]) -> (Refusal, Option<u64>) {
    match decoded(answers)[..] {
        [RelayFrame::Refused(Refused { code, limit, .. })] => (code, limit),
        ref other => panic!("not one refusal: {other:?}"),
    }
}

/// The code that closes.
pub(crate) fn closing(answers: &[bytes::Bytes]) -> Refusal {
    match decoded(answers).last() {
        Some(RelayFrame::Closing(Closing { code })) => *code,
        other => panic!("not closing: {other:?}"),
    }
}
