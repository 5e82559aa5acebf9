//! The way from the page to a relay: its session and its blobs, and nothing else of it.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use estoile_client::{Road, reach, vouched};
use estoile_engine::RelayAddress;
use estoile_wire::SESSION_PATH;
use estoile_wire::id::CertificateHash;
use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HOST, HeaderName, RANGE,
    SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use super::fetch::host;
use super::local::Body;

/// What of a request reaches the relay: nothing that tells where the page is, and no cookie.
const ASKED: [HeaderName; 10] = [
    AUTHORIZATION,
    CONNECTION,
    CONTENT_LENGTH,
    CONTENT_RANGE,
    CONTENT_TYPE,
    RANGE,
    SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION,
    UPGRADE,
];
/// What of an answer reaches the page: nothing by which a relay could give it pages or scripts of its own.
const TOLD: [HeaderName; 6] =
    [CONNECTION, CONTENT_LENGTH, CONTENT_RANGE, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_PROTOCOL, UPGRADE];
/// Where a relay has blobs.
const BLOBS: &str = "/v1/blob/";

/// A relay that the page may speak to.
pub(super) struct Chosen {
    /// `HOST:PORT`, as the page names it.
    pub(super) name: String,
    address: RelayAddress,
    /// The certificate of its own making that its key has signed for.
    certificate: Mutex<Option<CertificateHash>>,
}

impl Chosen {
    pub(super) fn new(address: RelayAddress) -> Self {
        let host = if address.host.contains(':') { format!("[{}]", address.host) } else { address.host.clone() };
        Self { name: format!("{host}:{}", address.port), address, certificate: Mutex::default() }
    }

    /// Its address in full.
    pub(super) fn url(&self) -> String {
        format!("{}://{}", if self.address.tls { "https" } else { "http" }, self.name)
    }

    fn known(&self) -> Option<CertificateHash> {
        *self.certificate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection on which this relay answers and nobody else.
    async fn road(&self) -> Result<Road, String> {
        let road = reach(&self.address).await.map_err(|e| e.to_string())?;
        if !self.address.tls || road.trusted || (road.certificate.is_some() && road.certificate == self.known()) {
            return Ok(road);
        }
        let proven = vouched(&self.address).await.map_err(|e| e.to_string())?;
        if proven.is_none() || proven != road.certificate {
            return Err("the connection's certificate is not the relay's; try from another network".into());
        }
        *self.certificate.lock().unwrap_or_else(PoisonError::into_inner) = proven;
        Ok(road)
    }
}

/// Passes a request on, and its answer back.
pub(super) async fn forward(
    relay: &Chosen,
    path: &str,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, (StatusCode, String)> {
    let session = path == SESSION_PATH && request.method() == Method::GET;
    let blob = path.starts_with(BLOBS) && [Method::GET, Method::HEAD, Method::PUT].contains(request.method());
    if !session && !blob {
        return Err((StatusCode::NOT_FOUND, "Only sessions and blobs pass here.".into()));
    }
    let failed = |why: String| (StatusCode::BAD_GATEWAY, format!("{} can't be reached: {why}", relay.name));
    let road = relay.road().await.map_err(failed)?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(road.stream)).await.map_err(|e| failed(e.to_string()))?;
    // It ends with its answer, or when both sides of a session have.
    drop(tokio::spawn(connection.with_upgrades()));
    let ours = session.then(|| hyper::upgrade::on(&mut request));
    let (head, body) = request.into_parts();
    let mut onward = Request::new(body);
    *onward.method_mut() = head.method;
    *onward.uri_mut() = path.parse().map_err(|_| (StatusCode::BAD_REQUEST, "This is no path.".to_owned()))?;
    copy(&ASKED, &head.headers, onward.headers_mut());
    if let Ok(host) = HeaderValue::from_str(&host(&relay.address)) {
        onward.headers_mut().insert(HOST, host);
    }
    let mut answer = sender.send_request(onward).await.map_err(|e| failed(e.to_string()))?;
    let mut headers = HeaderMap::new();
    copy(&TOLD, answer.headers(), &mut headers);
    let status = answer.status();
    let body = match ours {
        Some(ours) if status == StatusCode::SWITCHING_PROTOCOLS => {
            let theirs = hyper::upgrade::on(&mut answer);
            drop(tokio::spawn(join(ours, theirs)));
            Empty::<Bytes>::new().map_err(|never| match never {}).boxed()
        }
        _ => {
            // Whatever it says that it is: it is never shown and never run.
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
            answer.into_body().boxed()
        }
    };
    let mut back = Response::new(body);
    *back.status_mut() = status;
    *back.headers_mut() = headers;
    Ok(back)
}

fn copy(names: &[HeaderName], from: &HeaderMap, to: &mut HeaderMap) {
    for name in names {
        for value in from.get_all(name) {
            to.append(name, value.clone());
        }
    }
}

/// Carries a session's bytes until one side ends.
async fn join(ours: hyper::upgrade::OnUpgrade, theirs: hyper::upgrade::OnUpgrade) {
    let (Ok(ours), Ok(theirs)) = tokio::join!(ours, theirs) else { return };
    // How it ended is the page's to find out.
    let _ = tokio::io::copy_bidirectional(&mut TokioIo::new(ours), &mut TokioIo::new(theirs)).await;
}
