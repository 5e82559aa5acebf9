//! HTTP to a relay's address, one request a connection.

use core::time::Duration;

use bytes::Bytes;
use estoile_client::reach;
use estoile_engine::RelayAddress;
use http::header::{ACCEPT_ENCODING, CONNECTION, HOST};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use super::bundle::MAX_FILE;
use crate::fail::Failure;

/// A file that has not come after so long does not come.
const PATIENCE: Duration = Duration::from_secs(120);

/// An answer.
pub(crate) struct Fetched {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// The `host:port` of an address, as a browser writes it: without the port where it is the scheme's own.
pub(crate) fn host(address: &RelayAddress) -> String {
    let name = if address.host.contains(':') { format!("[{}]", address.host) } else { address.host.clone() };
    if address.port == if address.tls { 443 } else { 80 } { name } else { format!("{name}:{}", address.port) }
}

/// Gets a path, in one encoding.
pub(crate) async fn get(address: &RelayAddress, path: &str, encoding: &'static str) -> Result<Fetched, Failure> {
    let asked = tokio::time::timeout(PATIENCE, asked(address, path, encoding)).await;
    let why = match asked {
        Ok(Ok(fetched)) => return Ok(fetched),
        Ok(Err(why)) => why,
        Err(_) => "it took too long".to_owned(),
    };
    Err(Failure::new(format_args!("{path} can't be had from {}: {why}", host(address))))
}

async fn asked(address: &RelayAddress, path: &str, encoding: &'static str) -> Result<Fetched, String> {
    let road = reach(address).await.map_err(|e| e.to_string())?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(road.stream)).await.map_err(|e| format!("no HTTP is spoken there ({e})"))?;
    // It ends with its answer.
    let driving = tokio::spawn(connection);
    let request = Request::get(path)
        .header(HOST, host(address))
        .header(ACCEPT_ENCODING, encoding)
        .header(CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|e| e.to_string())?;
    let answer = sender.send_request(request).await.map_err(|e| e.to_string())?;
    let (head, body) = answer.into_parts();
    let body = Limited::new(body, MAX_FILE).collect().await.map_err(|e| e.to_string())?.to_bytes();
    driving.abort();
    Ok(Fetched { status: head.status, headers: head.headers, body })
}
