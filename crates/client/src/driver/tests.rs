//! The loop over a vault that refuses: nothing of a refused turn happens, and the client goes on from what was kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use estoile_engine::vault::{BackendError, Batch, Entry};
use estoile_engine::{Command, MemoryBackend, OpenRoom, Past, RelayAddress};
use estoile_seal::quick::RoomSecret;
use estoile_seal::vault_key::VaultKey;

use super::*;
use crate::config::Delivery;
use crate::events::Events;

/// A store that refuses to be written while the switch is on.
struct Refusing {
    store: MemoryBackend,
    refuse: Arc<AtomicBool>,
}

impl Backend for Refusing {
    async fn get(&self, name: &[u8]) -> Result<Option<Vec<u8>>, BackendError> {
        self.store.get(name).await
    }

    async fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Entry>, BackendError> {
        self.store.scan(prefix, after, limit).await
    }

    async fn commit(&mut self, batch: Batch) -> Result<(), BackendError> {
        if self.refuse.load(Ordering::Relaxed) {
            return Err(BackendError("no space left on device".into()));
        }
        self.store.commit(batch).await
    }
}

struct Bench {
    requests: mpsc::Sender<Request>,
    events: Events,
    refuse: Arc<AtomicBool>,
}

/// A driver at work on this test's runtime.
async fn bench() -> (Bench, tokio::task::LocalSet) {
    let refuse = Arc::new(AtomicBool::new(false));
    let store = Refusing { store: MemoryBackend::default(), refuse: Arc::clone(&refuse) };
    let mut rng = system_rng();
    let key = VaultKey::generate(&mut rng);
    let vault = Vault::open(store, key, &mut rng).await.unwrap();
    let clock = Clock::default();
    let engine = Engine::load(&vault, &mut Env { now: clock.now(), rng: &mut rng }).await.unwrap();
    let events = Listeners::default();
    let listener = events.add(Delivery::Lossless);
    let (requests, inbox) = mpsc::channel(8);
    let driver = Driver {
        engine,
        vault,
        clock,
        requests: inbox,
        events,
        sockets: Sockets::new(),
        commands: Commands::default(),
        follow_ups: Vec::new(),
        failures: 0,
        closing: false,
    };
    let local = tokio::task::LocalSet::new();
    local.spawn_local(driver.run());
    (Bench { requests, events: listener, refuse }, local)
}

impl Bench {
    async fn open(&self, name: &str) -> Result<Answer, CommandError> {
        let room = OpenRoom {
            // Nobody listens there: this test is about the vault.
            relay: RelayAddress { host: "127.0.0.1".into(), port: 1, tls: false, pin: None },
            name: name.into(),
            own_name: "Alice".into(),
            secret: RoomSecret::from_bytes([7; 32]),
            passphrase: false,
            ttl: None,
            create: None,
            past: Past::All,
            sociable: true,
        };
        let (answer, pending) = oneshot::channel();
        self.requests.send(Request::Command(Command::Open(Box::new(room)), answer)).await.unwrap();
        pending.await.unwrap()
    }

    async fn rooms(&self) -> Vec<RoomView> {
        let (answer, pending) = oneshot::channel();
        self.requests.send(Request::Rooms(answer)).await.unwrap();
        pending.await.unwrap()
    }
}

#[tokio::test]
async fn a_refused_turn_does_not_happen_and_is_told() {
    let (mut bench, local) = bench().await;
    local
        .run_until(async {
            bench.refuse.store(true, Ordering::Relaxed);
            let refused = bench.open("kitchen").await.unwrap_err();
            assert!(refused.to_string().contains("no space left on device"), "{refused}");
            bench.refuse.store(false, Ordering::Relaxed);
            assert!(bench.rooms().await.is_empty(), "the room was never opened");
            let mut told = None;
            while told.is_none() {
                match bench.events.next().await.unwrap() {
                    Event::Notice(notice) => told = Some(notice),
                    Event::Reload => {}
                    other => panic!("nothing of the refused turn may be seen: {other:?}"),
                }
            }
            let told = told.unwrap();
            assert_eq!(told.kind, NoticeKind::Vault);
            assert!(told.detail.contains("no space left on device"), "{}", told.detail);
            bench.open("kitchen").await.unwrap();
            assert_eq!(bench.rooms().await.len(), 1);
        })
        .await;
}

#[tokio::test]
async fn a_driver_whose_face_is_gone_ends() {
    let (bench, local) = bench().await;
    let Bench { requests, mut events, .. } = bench;
    drop(requests);
    local.run_until(async { while events.next().await.is_some() {} }).await;
}
