//! The opening handshake, header by header.

use super::*;

fn good() -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("host", "127.0.0.1:7070"),
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "WebSocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-protocol", "chat, estoile.v1"),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers
}

fn judge(headers: &HeaderMap, local_only: bool) -> Result<HeaderValue, Problem> {
    accept(&Method::GET, Version::HTTP_11, headers, local_only)
}

#[test]
fn the_example_of_rfc_6455_is_accepted() {
    assert_eq!(judge(&good(), true).unwrap(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

#[test]
fn every_missing_or_wrong_header_is_refused() {
    for (name, wrong, problem) in [
        ("connection", "close", Problem::NotWebSocket),
        ("upgrade", "h2c", Problem::NotWebSocket),
        ("sec-websocket-version", "8", Problem::Version),
        ("sec-websocket-key", "c2hvcnQ=", Problem::NotWebSocket),
        ("sec-websocket-key", "!", Problem::NotWebSocket),
        ("sec-websocket-protocol", "estoile.v2", Problem::Subprotocol),
    ] {
        let mut headers = good();
        headers.insert(name, HeaderValue::from_static(wrong));
        assert_eq!(judge(&headers, false), Err(problem), "{name}: {wrong}");
        headers.remove(name);
        assert_eq!(judge(&headers, false), Err(problem), "no {name}");
    }
    let mut headers = good();
    headers.append("sec-websocket-key", HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ=="));
    assert_eq!(judge(&headers, false), Err(Problem::NotWebSocket), "two keys");
    for (name, value) in [("content-length", "5"), ("transfer-encoding", "chunked")] {
        let mut headers = good();
        headers.insert(name, HeaderValue::from_static(value));
        assert_eq!(judge(&headers, false), Err(Problem::NotWebSocket), "a body: {name}");
    }
    assert_eq!(accept(&Method::POST, Version::HTTP_11, &good(), false), Err(Problem::NotWebSocket));
    assert_eq!(accept(&Method::GET, Version::HTTP_10, &good(), false), Err(Problem::NotWebSocket));
}

#[test]
fn pages_of_other_sites_are_refused() {
    for (host, origin, local_only, allowed) in [
        ("127.0.0.1:7070", "http://127.0.0.1:7070", true, true),
        ("localhost:7070", "http://localhost:7070", true, true),
        ("[::1]:7070", "http://[::1]:7070", true, true),
        ("127.0.0.1:7070", "http://evil.example", true, false),
        ("127.0.0.1:7070", "http://127.0.0.1:8080", true, false),
        ("127.0.0.1:7070", "null", true, false),
        // A name that its owner points at this machine.
        ("evil.example:7070", "http://evil.example:7070", true, false),
        ("chat.example", "https://chat.example", false, true),
        ("chat.example", "https://evil.example", false, false),
    ] {
        let mut headers = good();
        headers.insert(HOST, HeaderValue::from_str(host).unwrap());
        headers.insert(ORIGIN, HeaderValue::from_str(origin).unwrap());
        assert_eq!(judge(&headers, local_only).is_ok(), allowed, "{origin} at {host}");
    }
}
