//! A relay on a free port, clients that speak to it frame by frame, and waiting that has a deadline.

use std::future::Future;
use std::time::Duration;

use ed25519_dalek::{Signer, SigningKey};
use estoile_relay::{Relay, RelayConfig};
use estoile_wire::frame::{
    Append, Attach, Attached, Create, Created, Hello, Kept, Lagged, Live, Record, Refused, Signal, Welcome,
};
use estoile_wire::id::{LogKind, Nonce};
use estoile_wire::{
    ClientFrame, Id16, LogId, PublicKey, Refusal, RelayFrame, SESSION_PATH, SUBPROTOCOL, Signature, VERSION, proof,
};
use futures_util::{SinkExt, StreamExt};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};

/// Long enough for a machine that does much else; a test that works never waits for it.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("it did not happen in time")
}

/// A relay in a folder of its own.
pub struct World {
    pub folder: TempDir,
    pub relay: Relay,
}

impl World {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut RelayConfig)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let relay = start(&folder, change);
        Self { folder, relay }
    }

    pub async fn restart(self, change: impl FnOnce(&mut RelayConfig)) -> Self {
        let Self { folder, relay } = self;
        relay.shutdown().await.unwrap();
        let relay = start(&folder, change);
        Self { folder, relay }
    }

    pub async fn client(&self) -> Client<TcpStream> {
        let socket = TcpStream::connect(self.relay.address()).await.unwrap();
        soon(Client::open(socket)).await
    }

    pub async fn metrics(&self) -> String {
        get(self.relay.metrics_address().unwrap(), "/metrics").await
    }

    pub async fn metric(&self, name: &str) -> u64 {
        let text = self.metrics().await;
        let line = text.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in {text}")).parse().unwrap()
    }

    /// Waits until a metric has this value.
    pub async fn until(&self, name: &str, value: u64) {
        soon(async {
            while self.metric(name).await != value {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
    }
}

pub fn start(folder: &TempDir, change: impl FnOnce(&mut RelayConfig)) -> Relay {
    let mut config = RelayConfig::new("127.0.0.1:0".parse().unwrap(), folder.path());
    config.metrics = Some("127.0.0.1:0".parse().unwrap());
    change(&mut config);
    Relay::start(config).unwrap()
}

/// Everything that an HTTP server answers to a request and then the end.
pub async fn http(address: std::net::SocketAddr, request: &str) -> String {
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A reset after the answer is an end as well.
    let _ = soon(socket.read_to_end(&mut answer)).await;
    String::from_utf8(answer).unwrap()
}

pub async fn get(address: std::net::SocketAddr, path: &str) -> String {
    http(address, &format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")).await
}

/// A room's access key.
pub struct Room {
    pub key: SigningKey,
    pub log: LogId,
}

impl Room {
    pub fn new(seed: u8) -> Self {
        let key = SigningKey::from_bytes(&[seed; 32]);
        let log = LogId::derive(LogKind::Fixed, &PublicKey(key.verifying_key().to_bytes()));
        Self { key, log }
    }

    pub fn access_key(&self) -> PublicKey {
        PublicKey(self.key.verifying_key().to_bytes())
    }
}

/// A frame from the relay, owned.
#[derive(Debug)]
pub struct Frame(Vec<u8>);

impl Frame {
    pub fn get(&self) -> RelayFrame<'_> {
        RelayFrame::decode(&self.0).unwrap()
    }
}

/// A client that has said hello.
pub struct Client<S> {
    pub socket: WebSocketStream<S>,
    pub welcome: Welcome,
    pub challenge: Nonce,
    request: u64,
}

/// How a session ended, as its client sees it.
#[derive(Debug, PartialEq, Eq)]
pub struct Ended {
    pub closing: Option<Refusal>,
    pub code: Option<u16>,
}

pub async fn websocket<S: AsyncRead + AsyncWrite + Unpin>(socket: S) -> WebSocketStream<S> {
    let mut request = format!("ws://127.0.0.1{SESSION_PATH}").into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", SUBPROTOCOL.parse().unwrap());
    // Clients live in the relay's process here, some thousand of them: they should not hide its memory behind theirs.
    let config = WebSocketConfig::default().read_buffer_size(1 << 10).write_buffer_size(0);
    let (socket, response) = tokio_tungstenite::client_async_with_config(request, socket, Some(config)).await.unwrap();
    assert_eq!(response.headers()["sec-websocket-protocol"], SUBPROTOCOL);
    socket
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    pub async fn open(socket: S) -> Self {
        let mut socket = websocket(socket).await;
        let challenge = Nonce([9; 32]);
        let hello = ClientFrame::Hello(Hello { versions: vec![VERSION], challenge }).encode();
        socket.send(Message::Binary(hello.into())).await.unwrap();
        let answer = next_message(&mut socket).await.expect("a welcome");
        let RelayFrame::Welcome(welcome) = RelayFrame::decode(&answer).unwrap() else { panic!("no welcome") };
        Self { socket, welcome, challenge, request: 0 }
    }

    pub async fn send(&mut self, frame: ClientFrame<'_>) {
        self.socket.send(Message::Binary(frame.encode().into())).await.unwrap();
    }

    pub async fn next(&mut self) -> Frame {
        Frame(next_message(&mut self.socket).await.expect("another frame"))
    }

    /// Reads to the end of the session.
    pub async fn ended(&mut self) -> Ended {
        soon(async {
            let mut ended = Ended { closing: None, code: None };
            while let Some(message) = self.socket.next().await {
                match message {
                    Ok(Message::Binary(bytes)) => {
                        if let RelayFrame::Closing(closing) = RelayFrame::decode(&bytes).unwrap() {
                            ended.closing = Some(closing.code);
                        }
                    }
                    Ok(Message::Close(Some(CloseFrame { code, .. }))) => ended.code = Some(code.into()),
                    Ok(_) => {}
                    Err(_) => break,
                }
            }
            ended
        })
        .await
    }

    fn request(&mut self) -> u64 {
        self.request += 1;
        self.request
    }

    pub fn create_frame(&mut self, room: &Room, entry: Option<Vec<u8>>) -> ClientFrame<'static> {
        let Welcome { relay_key, nonce, .. } = &self.welcome;
        let access_key = room.access_key();
        let message = proof::create(relay_key, nonce, LogKind::Fixed, &access_key, 0, 0);
        let signature = Signature(room.key.sign(&message).to_bytes());
        let request = self.request();
        ClientFrame::Create(Create { request, kind: 0, access_key, max_ttl: 0, quota: 0, signature, entry })
    }

    pub async fn create(&mut self, room: &Room) -> Created {
        let frame = self.create_frame(room, None);
        self.send(frame).await;
        match self.next().await.get() {
            RelayFrame::Created(created) => created,
            other => panic!("{other:?}"),
        }
    }

    pub async fn send_attach(&mut self, room: &Room, after: u64) {
        let Welcome { relay_key, nonce, .. } = &self.welcome;
        let signature = Signature(room.key.sign(&proof::attach(relay_key, nonce, &room.log, 0)).to_bytes());
        let request = self.request();
        self.send(ClientFrame::Attach(Attach { request, log: room.log, epoch: 0, after, signature, newest: None }))
            .await;
    }

    pub async fn attach(&mut self, room: &Room, after: u64) -> Attached {
        self.send_attach(room, after).await;
        match self.next().await.get() {
            RelayFrame::Attached(attached) => attached,
            other => panic!("{other:?}"),
        }
    }

    /// Attaches and reads all that lives.
    pub async fn catch_up(&mut self, room: &Room, after: u64) -> (Vec<(u64, Vec<u8>)>, Live) {
        self.attach(room, after).await;
        let mut records = Vec::new();
        loop {
            match self.next().await.get() {
                RelayFrame::Record(Record { cursor, body, .. }) => records.push((cursor, body.to_vec())),
                RelayFrame::Live(live) => return (records, live),
                other => panic!("{other:?}"),
            }
        }
    }

    pub async fn send_append(&mut self, room: &Room, id: u64, body: &[u8]) -> u64 {
        let request = self.request();
        let mut id16 = Id16([0; 16]);
        id16.0[..8].copy_from_slice(&id.to_be_bytes());
        self.send(ClientFrame::Append(Append {
            request,
            log: room.log,
            id16,
            epoch: 0,
            ttl: None,
            body,
            advance: None,
        }))
        .await;
        request
    }

    /// Appends and waits for the answer, whatever comes between.
    pub async fn append(&mut self, room: &Room, id: u64, body: &[u8]) -> Result<Kept, Refused> {
        let sent = self.send_append(room, id, body).await;
        loop {
            match self.next().await.get() {
                RelayFrame::Kept(kept) if kept.request == sent => return Ok(kept),
                RelayFrame::Refused(refused) if refused.request == Some(sent) => return Err(refused),
                _ => {}
            }
        }
    }

    /// The next record, whatever comes between.
    pub async fn record(&mut self) -> (u64, Vec<u8>) {
        loop {
            if let RelayFrame::Record(Record { cursor, body, .. }) = self.next().await.get() {
                return (cursor, body.to_vec());
            }
        }
    }

    pub async fn signal(&mut self, room: &Room, body: &[u8]) {
        self.send(ClientFrame::Signal(Signal { log: room.log, body })).await;
    }

    pub async fn lagged(&mut self) -> (u64, Lagged) {
        let mut records = 0;
        loop {
            match self.next().await.get() {
                RelayFrame::Record(_) => records += 1,
                RelayFrame::Lagged(lagged) => return (records, lagged),
                _ => {}
            }
        }
    }
}

/// The next binary message; `None` at the end.
pub async fn next_message<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut WebSocketStream<S>) -> Option<Vec<u8>> {
    soon(async {
        loop {
            match socket.next().await? {
                Ok(Message::Binary(bytes)) => return Some(bytes.to_vec()),
                Ok(Message::Ping(_) | Message::Pong(_)) => {}
                _ => return None,
            }
        }
    })
    .await
}
