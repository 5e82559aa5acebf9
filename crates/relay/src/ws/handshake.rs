//! The opening handshake (RFC 6455 §4.2), judged on a request's head and answered by a response's.

use data_encoding::BASE64;
use estoile_wire::SUBPROTOCOL;
use http::header::{
    CONNECTION, CONTENT_LENGTH, HOST, HeaderName, ORIGIN, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Version};
use sha1::{Digest, Sha1};

/// RFC 6455 §1.3: what the server appends to the key to show that it speaks WebSocket.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Why a request does not become a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// No WebSocket handshake at all.
    NotWebSocket,
    /// Another version of WebSocket.
    Version,
    /// The subprotocol is not offered.
    Subprotocol,
    /// A page of another site asks, through somebody's browser.
    ForeignOrigin,
}

impl Problem {
    /// The answer's status.
    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Self::NotWebSocket | Self::Version => StatusCode::UPGRADE_REQUIRED,
            Self::Subprotocol => StatusCode::BAD_REQUEST,
            Self::ForeignOrigin => StatusCode::FORBIDDEN,
        }
    }

    /// The answer's body: what happened, and what to do.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::NotWebSocket => "This path speaks WebSocket: open it with an Estoile client.\n",
            Self::Version => "This relay speaks version 13 of WebSocket: update the client.\n",
            Self::Subprotocol => "This relay speaks the subprotocol estoile.v1: update the client or the relay.\n",
            Self::ForeignOrigin => "A page of another site may not open sessions here.\n",
        }
    }
}

/// What a request's head must be; the bound on its size is the HTTP layer's.
pub(crate) fn accept(
    method: &Method,
    version: Version,
    headers: &HeaderMap,
    local_only: bool,
) -> Result<HeaderValue, Problem> {
    let asked = *method == Method::GET
        && version == Version::HTTP_11
        && has_token(headers, &CONNECTION, "upgrade")
        && has_token(headers, &UPGRADE, "websocket")
        // With a body, a proxy in front and this relay might not agree on where the session begins.
        && !headers.contains_key(CONTENT_LENGTH)
        && !headers.contains_key(TRANSFER_ENCODING);
    if !asked {
        return Err(Problem::NotWebSocket);
    }
    if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|v| v != "13") {
        return Err(Problem::Version);
    }
    let key = single(headers, &SEC_WEBSOCKET_KEY).ok_or(Problem::NotWebSocket)?;
    if BASE64.decode(key.as_bytes()).ok().is_none_or(|key| key.len() != 16) {
        return Err(Problem::NotWebSocket);
    }
    check_origin(headers, local_only)?;
    if !has_token(headers, &SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL) {
        return Err(Problem::Subprotocol);
    }
    let digest = Sha1::new().chain_update(key.as_bytes()).chain_update(GUID).finalize();
    HeaderValue::from_str(&BASE64.encode(&digest)).map_err(|_| Problem::NotWebSocket)
}

/// The head that turns the connection into a session.
pub(crate) fn switching<B: Default>(accept: HeaderValue) -> Response<B> {
    let mut response = Response::new(B::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    response
}

/// Browsers name the page that asks; programs don't. Only pages of this relay may ask: elsewhere any page that somebody
/// reads could make logs on the relay of their own machine. `local_only` closes the way round by a name that is made to
/// point here (DNS rebinding): then the host must be written as a loopback one.
fn check_origin(headers: &HeaderMap, local_only: bool) -> Result<(), Problem> {
    if !headers.contains_key(ORIGIN) {
        return Ok(());
    }
    let origin = single(headers, &ORIGIN).ok_or(Problem::ForeignOrigin)?;
    let host = single(headers, &HOST).ok_or(Problem::ForeignOrigin)?;
    let page = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    let known = page.is_some_and(|page| page.eq_ignore_ascii_case(host)) && (!local_only || is_loopback(host));
    if known { Ok(()) } else { Err(Problem::ForeignOrigin) }
}

/// Whether `HOST[:PORT]` names this machine by itself.
fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || address.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The header's only value, as text.
fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    if values.next().is_some() { None } else { first.to_str().ok() }
}

/// Whether a comma-separated header holds this word.
fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let mut values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.any(|value| value.split(',').any(|word| word.trim().eq_ignore_ascii_case(token)))
}

#[cfg(test)]
mod tests;
