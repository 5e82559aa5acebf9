//! One attempt to reach a relay: name, TCP, TLS, WebSocket, each within its time.

use core::time::Duration;
use std::sync::PoisonError;

use estoile_engine::RelayAddress;
use estoile_wire::limits::MAX_FRAME;
use estoile_wire::{SESSION_PATH, SUBPROTOCOL};
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::SEC_WEBSOCKET_PROTOCOL;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, http};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::tls::{self, SeenCertificate};
use crate::glue::loopback_host;

/// A machine that does not answer within this is not there.
const TCP_TIME: Duration = Duration::from_secs(10);
/// TLS and WebSocket are a round trip or two each; a relay that needs longer for one of them is stuck.
const HANDSHAKE_TIME: Duration = Duration::from_secs(15);
/// What one read or write carries at most: a few full frames, since a client has few connections.
const BUFFER: usize = 64 * 1024;

/// Why a relay was not reached. The texts are half sentences: the engine says which relay and when it is tried again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error(
        "plain http is for this machine alone, because anybody on the way could read who talks to whom; use the relay's https link"
    )]
    PlainOffLoopback,
    #[error("its name {0:?} is no host name; check the link")]
    BadName(String),
    #[error("its name can't be looked up ({0}); check the link and this machine's network")]
    Unknown(std::io::Error),
    #[error("nothing listens there ({0}); check that the relay runs, and the port in the link")]
    Refused(std::io::Error),
    #[error("it can't be reached ({0}); check this machine's network")]
    Unreachable(std::io::Error),
    #[error("it did not answer within {} s; check this machine's network and that the relay runs", .0.as_secs())]
    Silent(Duration),
    #[error("the TLS handshake failed ({0}); check that the link says https or http as the relay does")]
    Tls(std::io::Error),
    #[error("the server there is no estoile relay ({0}); check the link's host and port")]
    NoRelay(String),
}

/// A socket to a relay, with TLS or, on loopback, without.
pub(crate) type Socket = WebSocketStream<Box<dyn Stream>>;

/// What a WebSocket can run on.
pub trait Stream: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin {}
impl<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin> Stream for T {}

/// Reaches a relay, or says why not.
pub(crate) async fn connect(address: &RelayAddress) -> Result<(Socket, Option<SeenCertificate>), ConnectError> {
    let (stream, seen) = reach_stream(address).await?;
    let socket = tokio::time::timeout(HANDSHAKE_TIME, upgrade(address, stream)).await;
    Ok((socket.map_err(|_| ConnectError::Silent(HANDSHAKE_TIME))??, seen))
}

/// Reaches a relay's address, with TLS or, on loopback, without, and says which certificate it showed.
pub(crate) async fn reach_stream(
    address: &RelayAddress,
) -> Result<(Box<dyn Stream>, Option<SeenCertificate>), ConnectError> {
    if !address.tls && !loopback_host(&address.host) {
        return Err(ConnectError::PlainOffLoopback);
    }
    let tcp = tokio::time::timeout(TCP_TIME, reach(&address.host, address.port))
        .await
        .map_err(|_| ConnectError::Silent(TCP_TIME))??;
    // Without it small frames wait for acknowledgements; if it can't be set, things are only slower.
    let _ = tcp.set_nodelay(true);
    tokio::time::timeout(HANDSHAKE_TIME, secure(address, tcp))
        .await
        .map_err(|_| ConnectError::Silent(HANDSHAKE_TIME))?
}

async fn reach(host: &str, port: u16) -> Result<TcpStream, ConnectError> {
    let found = tokio::net::lookup_host((host, port)).await.map_err(ConnectError::Unknown)?;
    let mut last = std::io::Error::other("it has no address");
    // What opens without TLS, or without a pin, because it is this machine must be this machine, whatever a resolver says.
    let local = loopback_host(host);
    for address in found.filter(|address| !local || address.ip().is_loopback()) {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(e) => last = e,
        }
    }
    Err(match last.kind() {
        std::io::ErrorKind::ConnectionRefused => ConnectError::Refused(last),
        _ => ConnectError::Unreachable(last),
    })
}

async fn secure(
    address: &RelayAddress,
    tcp: TcpStream,
) -> Result<(Box<dyn Stream>, Option<SeenCertificate>), ConnectError> {
    if !address.tls {
        return Ok((Box::new(tcp), None));
    }
    let name = ServerName::try_from(address.host.clone()).map_err(|_| ConnectError::BadName(address.host.clone()))?;
    let (config, seen) = tls::handshake().map_err(|e| ConnectError::Tls(std::io::Error::other(e)))?;
    let stream = TlsConnector::from(config).connect(name, tcp).await.map_err(ConnectError::Tls)?;
    let seen = *seen.lock().unwrap_or_else(PoisonError::into_inner);
    Ok((Box::new(stream), seen))
}

/// Asks for a WebSocket with our subprotocol.
async fn upgrade(address: &RelayAddress, stream: Box<dyn Stream>) -> Result<Socket, ConnectError> {
    let host = if address.host.contains(':') { format!("[{}]", address.host) } else { address.host.clone() };
    let scheme = if address.tls { "wss" } else { "ws" };
    let mut request = format!("{scheme}://{host}:{}{SESSION_PATH}", address.port)
        .into_client_request()
        .map_err(|_| ConnectError::BadName(address.host.clone()))?;
    request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    let config = WebSocketConfig::default()
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        .max_message_size(Some(MAX_FRAME))
        .max_frame_size(Some(MAX_FRAME));
    let (socket, _) = client_async_with_config(request, stream, Some(config))
        .await
        .map_err(|e| ConnectError::NoRelay(no_relay(&e)))?;
    Ok(socket)
}

/// What a failed upgrade says about the server, without a word of its answer's body.
fn no_relay(error: &tungstenite::Error) -> String {
    match error {
        tungstenite::Error::Http(answer) => status(answer.status()),
        tungstenite::Error::Protocol(ProtocolError::HandshakeIncomplete) => "it hung up".into(),
        other => other.to_string(),
    }
}

fn status(status: http::StatusCode) -> String {
    format!("it answers with HTTP status {}", status.as_u16())
}
