//! What the relay's rules cost alone, on one core, without sockets and without a disk: `cargo bench -p estoile-hub`.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints, and stops at what is missing")]
#![expect(clippy::disallowed_methods, reason = "a benchmark needs a clock; the rules themselves have none")]

use std::time::Instant;

use ed25519_dalek::{Signer, SigningKey};
use estoile_hub::SessionId;
use estoile_hub::config::{Config, Rate};
use estoile_hub::hub::Hub;
use estoile_hub::memory::MemoryStore;
use estoile_hub::rules::{Entry, Identity, Rules};
use estoile_hub::session::Session;
use estoile_wire::frame::*;
use estoile_wire::id::{LogKind, Nonce};
use estoile_wire::{ClientFrame, Id16, LogId, PublicKey, RelayFrame, Signature, proof};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

const NOW: u64 = 1_700_000_000_000;

struct Bench {
    hub: Hub,
    relay: PublicKey,
    rng: ChaCha20Rng,
    next: u64,
}

impl Bench {
    fn new() -> Self {
        let config = Config {
            appends: Rate::per_second(1 << 40),
            max_disk: u64::MAX,
            max_log_bytes: u64::MAX >> 1,
            queue_frames: 1 << 20,
            queue_bytes: 1 << 30,
            staged_bytes: 1 << 30,
            staged_bytes_in_all: 1 << 30,
            creations: Rate::per_second(1 << 20),
            ..Config::default()
        };
        let rules = Rules { config, identity: Identity::new(&[1; 32], None), entry: Entry::Open };
        let relay = rules.identity.public();
        let hub = Hub::start(NOW, rules, MemoryStore::new()).unwrap();
        Self { hub, relay, rng: ChaCha20Rng::seed_from_u64(1), next: 0 }
    }

    fn say(&mut self, session: SessionId, frame: &ClientFrame<'_>) {
        let _ = self.hub.receive(NOW, session, &frame.encode());
        self.hub.commit(NOW).unwrap();
    }

    fn join(&mut self, key: &SigningKey) -> SessionId {
        let session = self.hub.connect(NOW, &mut self.rng).unwrap();
        self.say(session, &ClientFrame::Hello(Hello { versions: vec![1], challenge: Nonce([0; 32]) }));
        let welcome = self.hub.take(NOW, session, 1).pop().unwrap();
        let RelayFrame::Welcome(Welcome { nonce, .. }) = RelayFrame::decode(&welcome).unwrap() else { return session };
        let access_key = PublicKey(key.verifying_key().to_bytes());
        let log = LogId::derive(LogKind::Fixed, &access_key);
        let sign = |message: Vec<u8>| Signature(key.sign(&message).to_bytes());
        let signature = sign(proof::create(&self.relay, &nonce, LogKind::Fixed, &access_key, 0, 0));
        let create = Create { request: 0, kind: 0, access_key, max_ttl: 0, quota: 0, signature, entry: None };
        self.say(session, &ClientFrame::Create(create));
        let signature = sign(proof::attach(&self.relay, &nonce, &log, 0));
        self.say(
            session,
            &ClientFrame::Attach(Attach { request: 0, log, epoch: 0, after: 0, signature, newest: None }),
        );
        session
    }

    fn append(&mut self, log: LogId) -> Vec<u8> {
        self.next += 1;
        let mut id = [0; 16];
        id.iter_mut().zip(self.next.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes()).for_each(|(a, b)| *a = b);
        let body = [7; 300];
        ClientFrame::Append(Append { request: 1, log, id16: Id16(id), epoch: 0, ttl: None, body: &body, advance: None })
            .encode()
    }
}

fn log_of(key: &SigningKey) -> LogId {
    LogId::derive(LogKind::Fixed, &PublicKey(key.verifying_key().to_bytes()))
}

/// 64 senders in 64 rooms, commits of 64: decoding, rules, staging, memory store, acknowledgement.
fn appends() {
    let mut bench = Bench::new();
    let keys: Vec<SigningKey> = (1..65).map(|n| SigningKey::from_bytes(&[n; 32])).collect();
    let senders: Vec<(SessionId, LogId)> = keys.iter().map(|key| (bench.join(key), log_of(key))).collect();
    let rounds = 4_000;
    let frames: Vec<Vec<u8>> = (0..rounds).flat_map(|_| senders.clone()).map(|(_, log)| bench.append(log)).collect();
    let start = Instant::now();
    for (round, frames) in frames.chunks(senders.len()).enumerate() {
        for ((session, _), frame) in senders.iter().zip(frames) {
            let _ = bench.hub.receive(NOW, *session, frame);
        }
        bench.hub.commit(NOW).unwrap();
        if round % 16 == 0 {
            drop(bench.hub.take_all(NOW));
        }
    }
    report("appends, 64 senders in 64 rooms", frames.len(), start);
}

/// One room of so many: one sender, everybody is sent everything.
fn deliveries(people: usize, per_commit: usize) {
    let mut bench = Bench::new();
    let key = SigningKey::from_bytes(&[2; 32]);
    let log = log_of(&key);
    let sessions: Vec<SessionId> = (0..people).map(|_| bench.join(&key)).collect();
    let sender = sessions.first().copied().unwrap();
    let rounds = 2_000_000 / people / per_commit;
    let frames: Vec<Vec<u8>> = (0..rounds * per_commit).map(|_| bench.append(log)).collect();
    drop(bench.hub.take_all(NOW));
    let start = Instant::now();
    for (round, frames) in frames.chunks(per_commit).enumerate() {
        for frame in frames {
            let _ = bench.hub.receive(NOW, sender, frame);
        }
        bench.hub.commit(NOW).unwrap();
        if round % 16 == 0 {
            drop(bench.hub.take_all(NOW));
        }
    }
    report(&format!("deliveries, room of {people}, {per_commit} a commit"), frames.len() * people, start);
}

fn report(what: &str, count: usize, start: Instant) {
    let nanos = start.elapsed().as_nanos();
    let each = nanos / count as u128;
    println!("{what}: {each} ns each, {} a second", 1_000_000_000 / each.max(1));
}

fn main() {
    appends();
    deliveries(100, 1);
    deliveries(100, 16);
    deliveries(1000, 1);
    println!("a session: {} bytes and what it holds", size_of::<Session<estoile_hub::hub::SharedQueue>>());
}
