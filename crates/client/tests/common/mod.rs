//! People and a relay for tests: real sockets on loopback, real folders, no waiting but for what must come.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test file uses its part of this")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that is surprised fails")]

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use estoile_client::{Client, ClientConfig, Delivery, Events, Handle, Link, LinkKind, OpenOptions, Unlock, open_link};
use estoile_engine::{Answer, Command, ConnectionView, CreateRoom, DeliveryState, Event, LetterId, RoomId};
use estoile_relay::{Relay, RelayConfig};
use estoile_seal::quick::RoomSecret;
use tempfile::TempDir;
use zeroize::Zeroizing;

/// Longer than anything takes on a loaded machine; reaching it is a failure.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// A relay in a folder of its own, which outlives it.
pub struct TestRelay {
    pub folder: TempDir,
    pub address: SocketAddr,
    relay: Option<Relay>,
    configure: fn(&mut RelayConfig),
}

impl TestRelay {
    pub fn start() -> Self {
        Self::with(|_| {})
    }

    pub fn with(configure: fn(&mut RelayConfig)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = "127.0.0.1:0".parse().unwrap();
        let mut this = Self { folder, address, relay: None, configure };
        this.begin();
        this
    }

    /// Starts again where it listened before.
    pub fn begin(&mut self) {
        let mut config = RelayConfig::new(self.address, self.folder.path());
        (self.configure)(&mut config);
        // One that was dropped a moment ago may not have let go of its folder and port yet.
        let end = std::time::Instant::now() + DEADLINE;
        let relay = loop {
            match Relay::start(config.clone()) {
                Ok(relay) => break relay,
                Err(error) if std::time::Instant::now() > end => panic!("{error}"),
                Err(_) => std::thread::sleep(Duration::from_millis(10)),
            }
        };
        self.address = relay.address();
        self.relay = Some(relay);
    }

    /// Ends without a goodbye.
    pub fn crash(&mut self) {
        drop(self.relay.take().unwrap());
    }

    pub async fn stop(&mut self) {
        self.relay.take().unwrap().shutdown().await.unwrap();
    }

    pub fn relay(&self) -> &Relay {
        self.relay.as_ref().unwrap()
    }

    /// A link to a room that does not exist yet.
    pub fn link(&self, name: &str, secret: u8) -> Link {
        Link {
            tls: self.relay().is_secure(),
            host: "127.0.0.1".into(),
            port: self.address.port(),
            name: name.into(),
            relay: self.relay().key_hash(),
            kind: LinkKind::Quick(RoomSecret::from_bytes([secret; 32])),
        }
    }
}

/// Somebody with a client.
pub struct Person {
    pub handle: Handle,
    pub events: Events,
}

pub fn config(data: Option<&Path>) -> ClientConfig {
    ClientConfig {
        data: data.map(Path::to_owned),
        unlock: Unlock { passphrase: Some(Zeroizing::new("correct horse battery".into())), keyring: false, ask: None },
        clock_offset_ms: 0,
        delivery: Delivery::Lossless,
    }
}

impl Person {
    pub async fn open(data: Option<&Path>) -> Self {
        let (handle, events) = Client::open(config(data)).await.unwrap();
        Self { handle, events }
    }

    /// Enters a room as its maker or a guest, and waits until it is live.
    pub async fn enter(&mut self, link: &Link, name: &str, make: bool) -> RoomId {
        let id = self.start_entering(link, name, make).await;
        self.online(id).await;
        id
    }

    pub async fn start_entering(&mut self, link: &Link, name: &str, make: bool) -> RoomId {
        let create = make.then_some(CreateRoom { max_ttl: 0, entry: None });
        let open = open_link(link, name, None, OpenOptions { create, ..OpenOptions::default() }).unwrap();
        match self.handle.command(Command::Open(Box::new(open))).await.unwrap() {
            Answer::Room(id) => id,
            other => panic!("{other:?}"),
        }
    }

    pub async fn online(&mut self, id: RoomId) {
        self.until("the room is live", |event| match event {
            Event::Room(room) if room.id == id => {
                assert_eq!(room.stopped, None);
                (room.connection == ConnectionView::Online).then_some(())
            }
            _ => None,
        })
        .await;
    }

    pub async fn say(&self, room: RoomId, text: &str) -> LetterId {
        match self.handle.command(Command::Send { room, text: text.into(), ttl: None }).await.unwrap() {
            Answer::Letter(id) => id,
            other => panic!("{other:?}"),
        }
    }

    /// Waits until a letter is kept, or seen, and gives its cursor.
    pub async fn kept(&mut self, letter: LetterId) -> u64 {
        self.until("the letter is kept", |event| match event {
            Event::State { id, state: DeliveryState::Kept | DeliveryState::Seen { .. }, cursor, .. }
                if *id == letter =>
            {
                *cursor
            }
            Event::State { id, state: DeliveryState::Failed { why }, .. } if *id == letter => panic!("{why}"),
            _ => None,
        })
        .await
    }

    /// Waits for the next message of somebody else.
    pub async fn hear(&mut self) -> String {
        self.until("somebody speaks", |event| match event {
            Event::Message { message, .. } if !message.own => Some(message.text.clone()),
            _ => None,
        })
        .await
    }

    /// Waits for an event that answers.
    pub async fn until<T>(&mut self, what: &str, mut answer: impl FnMut(&Event) -> Option<T>) -> T {
        let wait = async {
            loop {
                let event = self.events.next().await.unwrap_or_else(|| panic!("the client ended before {what}"));
                if let Some(answer) = answer(&event) {
                    return answer;
                }
            }
        };
        tokio::time::timeout(DEADLINE, wait).await.unwrap_or_else(|_| panic!("not within {DEADLINE:?}: {what}"))
    }
}
