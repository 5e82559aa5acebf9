//! The cheapest client that a relay takes for one: it opens sessions and logs by the book, then counts frames.
//!
//! Its masks are zero, which the protocol allows, and it looks at a frame's type and nothing else unless asked to.

use std::net::SocketAddr;
use std::sync::Arc;

use ed25519_dalek::{Signer, SigningKey};
use estoile_wire::frame::{Append, Attach, ClientFrame, Create, Hello, RelayFrame};
use estoile_wire::id::{LogKind, Nonce};
use estoile_wire::{Id16, LogId, PublicKey, Signature, proof};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, Error as TlsError, SignatureScheme};

use crate::{BODY, Outcome};

/// Types of the relay's frames that the load counts.
pub(crate) const RECORD: u8 = 4;
pub(crate) const LIVE: u8 = 5;
pub(crate) const KEPT: u8 = 6;
pub(crate) const REFUSED: u8 = 7;
pub(crate) const LAGGED: u8 = 9;

/// Reads so much at once when there is much.
const LARGEST_BUFFER: usize = 256 * 1024;

/// A byte stream, plain or not.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Stream for T {}

/// One session.
pub(crate) struct Peer {
    stream: Box<dyn Stream>,
    buffer: Vec<u8>,
    start: usize,
    filled: usize,
    relay_key: PublicKey,
    nonce: Nonce,
}

/// A room's key.
pub(crate) fn key(n: u16) -> SigningKey {
    let mut seed = [7; 32];
    for (to, from) in seed.iter_mut().zip(n.to_le_bytes()) {
        *to = from;
    }
    SigningKey::from_bytes(&seed)
}

/// A room's log.
pub(crate) fn log(key: &SigningKey) -> LogId {
    LogId::derive(LogKind::Fixed, &PublicKey(key.verifying_key().to_bytes()))
}

/// Writes a frame as a client's WebSocket message.
pub(crate) fn wrap(out: &mut Vec<u8>, payload: &[u8]) {
    out.push(0x82);
    match u16::try_from(payload.len()) {
        Ok(length @ 0..=125) => out.push(0x80 | length.to_le_bytes()[0]),
        Ok(length) => {
            out.push(0x80 | 126);
            out.extend_from_slice(&length.to_be_bytes());
        }
        Err(_) => {
            out.push(0x80 | 127);
            out.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(payload);
}

/// The first whole message: its bytes' place, and where the next one begins.
fn unwrap(bytes: &[u8]) -> Option<(u8, std::ops::Range<usize>)> {
    let (opcode, length) = (*bytes.first()? & 0x0F, *bytes.get(1)? & 0x7F);
    let (start, length) = match length {
        126 => (4, usize::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?))),
        127 => (10, usize::try_from(u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?)).ok()?),
        length => (2, usize::from(length)),
    };
    (bytes.len() >= start + length).then_some((opcode, start..start + length))
}

impl Peer {
    /// Opens a session.
    pub(crate) async fn open(address: SocketAddr, tls: Option<&TlsConnector>) -> Outcome<Self> {
        let socket = TcpStream::connect(address).await?;
        socket.set_nodelay(true)?;
        let stream: Box<dyn Stream> = match tls {
            None => Box::new(socket),
            Some(tls) => Box::new(tls.connect(ServerName::try_from("localhost")?, socket).await?),
        };
        let none = (PublicKey([0; 32]), Nonce([0; 32]));
        let mut peer = Self { stream, buffer: vec![0; 2048], start: 0, filled: 0, relay_key: none.0, nonce: none.1 };
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\
             Sec-WebSocket-Protocol: {}\r\n\r\n",
            estoile_wire::SESSION_PATH,
            estoile_wire::SUBPROTOCOL
        );
        peer.stream.write_all(request.as_bytes()).await?;
        loop {
            let head = peer.buffer.get(..peer.filled).unwrap_or_default();
            if let Some(end) = head.windows(4).position(|w| w == b"\r\n\r\n") {
                if !head.starts_with(b"HTTP/1.1 101") {
                    return Err("the relay opens no session".into());
                }
                peer.start = end + 4;
                break;
            }
            peer.fill().await?;
        }
        let hello = Hello { versions: vec![1], challenge: Nonce([1; 32]) };
        peer.send(&ClientFrame::Hello(hello)).await?;
        let bytes = peer.next().await?;
        let RelayFrame::Welcome(welcome) = RelayFrame::decode(&bytes)? else { return Err("no welcome".into()) };
        peer.relay_key = welcome.relay_key;
        peer.nonce = welcome.nonce;
        Ok(peer)
    }

    pub(crate) async fn send(&mut self, frame: &ClientFrame<'_>) -> Outcome<()> {
        let mut out = Vec::new();
        wrap(&mut out, &frame.encode());
        self.write(&out).await
    }

    /// Writes messages that are wrapped.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Outcome<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await?;
        Ok(())
    }

    /// Waits for more bytes.
    async fn fill(&mut self) -> Outcome<()> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.filled, 0);
            self.filled -= self.start;
            self.start = 0;
        }
        if self.filled == self.buffer.len() {
            let larger = (self.buffer.len() * 4).clamp(2048, LARGEST_BUFFER);
            self.buffer.resize(larger.max(self.buffer.len() + 1), 0);
        }
        let space = self.buffer.get_mut(self.filled..).unwrap_or_default();
        let n = self.stream.read(space).await?;
        if n == 0 {
            return Err("the relay closed a session".into());
        }
        self.filled += n;
        Ok(())
    }

    /// The next frame.
    pub(crate) async fn next(&mut self) -> Outcome<Vec<u8>> {
        loop {
            let bytes = self.buffer.get(self.start..self.filled).unwrap_or_default();
            if let Some((opcode, place)) = unwrap(bytes) {
                let payload = bytes.get(place.clone()).unwrap_or_default().to_vec();
                self.start += place.end;
                if opcode == 2 {
                    return Ok(payload);
                }
                self.control(opcode, &payload).await?;
                continue;
            }
            self.fill().await?;
        }
    }

    async fn control(&mut self, opcode: u8, payload: &[u8]) -> Outcome<()> {
        match opcode {
            8 => Err("the relay closes a session".into()),
            9 => {
                let mut pong = vec![0x8A, 0x80 | u8::try_from(payload.len())?, 0, 0, 0, 0];
                pong.extend_from_slice(payload);
                self.write(&pong).await
            }
            _ => Ok(()),
        }
    }

    /// Waits for bytes and counts the frames in them by type.
    pub(crate) async fn count(&mut self, counts: &mut [u64; 16]) -> Outcome<()> {
        self.fill().await?;
        let mut pings = 0;
        loop {
            let bytes = self.buffer.get(self.start..self.filled).unwrap_or_default();
            let Some((opcode, place)) = unwrap(bytes) else { break };
            match opcode {
                2 => {
                    // "An array of two", then the type.
                    let kind = bytes.get(place.start + 1).copied().unwrap_or(0);
                    if let Some(count) = counts.get_mut(usize::from(kind & 15)) {
                        *count += 1;
                    }
                }
                9 => pings += 1,
                8 => return Err("the relay closes a session".into()),
                _ => {}
            }
            self.start += place.end;
        }
        for _ in 0..pings {
            self.control(9, &[]).await?;
        }
        Ok(())
    }

    /// Makes a room.
    pub(crate) async fn create(&mut self, key: &SigningKey) -> Outcome<()> {
        let access_key = PublicKey(key.verifying_key().to_bytes());
        let message = proof::create(&self.relay_key, &self.nonce, LogKind::Fixed, &access_key, 0, 0);
        let signature = Signature(key.sign(&message).to_bytes());
        let kind = LogKind::Fixed as u64;
        let create = Create { request: 1, kind, access_key, max_ttl: 0, quota: 0, signature, entry: None };
        self.send(&ClientFrame::Create(create)).await?;
        match RelayFrame::decode(&self.next().await?)? {
            RelayFrame::Created(_) => Ok(()),
            other => Err(format!("no room: {other:?}").into()),
        }
    }

    /// Attaches to a room, for what comes from now on.
    pub(crate) async fn attach(&mut self, key: &SigningKey) -> Outcome<()> {
        let log = log(key);
        let message = proof::attach(&self.relay_key, &self.nonce, &log, 0);
        let signature = Signature(key.sign(&message).to_bytes());
        let attach = Attach { request: 2, log, epoch: 0, after: 0, signature, newest: Some(0) };
        self.send(&ClientFrame::Attach(attach)).await?;
        loop {
            let bytes = self.next().await?;
            if bytes.get(1) == Some(&LIVE) {
                return Ok(());
            }
            if bytes.get(1) == Some(&REFUSED) {
                return Err(format!("not attached: {:?}", RelayFrame::decode(&bytes)?).into());
            }
        }
    }
}

/// Makes appends with the least work: one frame, whose request and id are written over.
pub(crate) struct Appends {
    wrapped: Vec<u8>,
    request_at: usize,
    id_at: usize,
    next: u64,
}

impl Appends {
    /// For a room; `sender` keeps ids of several senders apart.
    pub(crate) fn new(log: LogId, sender: u16) -> Outcome<Self> {
        // Numbers from here on all take nine bytes.
        let next = (1 << 40) + (u64::from(sender) << 48);
        let marks = (0xA1B2_C3D4_E5F6_0718_u64, [0x5A; 16]);
        let body = [0x42; BODY];
        let append = Append {
            request: marks.0,
            log,
            id16: Id16(marks.1),
            epoch: 0,
            ttl: Some(86_400),
            body: &body,
            advance: None,
        };
        let mut wrapped = Vec::new();
        wrap(&mut wrapped, &ClientFrame::Append(append).encode());
        let find = |mark: &[u8]| wrapped.windows(mark.len()).position(|w| w == mark).ok_or("no such mark");
        let (request_at, id_at) = (find(&marks.0.to_be_bytes())?, find(&marks.1)?);
        Ok(Self { wrapped, request_at, id_at, next })
    }

    /// Adds so many appends to what will be written.
    pub(crate) fn add(&mut self, out: &mut Vec<u8>, count: u64) {
        for _ in 0..count {
            self.next += 1;
            let number = self.next.to_be_bytes();
            for at in [self.request_at, self.id_at] {
                if let Some(place) = self.wrapped.get_mut(at..at + 8) {
                    place.copy_from_slice(&number);
                }
            }
            out.extend_from_slice(&self.wrapped);
        }
    }
}

/// Takes any certificate: what is measured is the cost of TLS, not its trust.
#[derive(Debug)]
struct AnyCertificate(Vec<SignatureScheme>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.clone()
    }
}

/// A client's side of TLS.
pub(crate) fn tls() -> Outcome<TlsConnector> {
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let schemes = provider.signature_verification_algorithms.supported_schemes();
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(schemes)))
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}
