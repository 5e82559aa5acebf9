//! What a browser finds, and what HTTP may not do here.

use crate::support::{World, get, http};

#[tokio::test(flavor = "multi_thread")]
async fn the_page_says_what_a_link_is_and_runs_nothing() {
    let world = World::new();
    let answer = get(world.relay.address(), "/").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(body.contains("estoile chat 'LINK'") && body.contains("never send that part to a server"));
    assert!(!body.contains("<script") && !body.contains("http://") && !body.contains("https://"));
    for header in [
        "content-security-policy: default-src 'none'",
        "x-content-type-options: nosniff",
        "referrer-policy: no-referrer",
    ] {
        assert!(head.contains(header), "{header} is missing in {head}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_paths_and_methods_find_nothing() {
    let world = World::new();
    let address = world.relay.address();
    assert!(get(address, "/health").await.ends_with("\r\n\r\nok\n"));
    assert!(get(address, "/elsewhere").await.starts_with("HTTP/1.1 404 "));
    assert!(get(address, "/metrics").await.starts_with("HTTP/1.1 404 "), "metrics have a listener of their own");
    let post = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc";
    assert!(http(address, post).await.starts_with("HTTP/1.1 405 "));
    let upgrade = get(address, "/v1/session").await;
    assert!(upgrade.starts_with("HTTP/1.1 426 ") && upgrade.contains("sec-websocket-version: 13"), "{upgrade}");
    let long = format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "y".repeat(40_000));
    assert!(!http(address, &long).await.contains(" 200 "));
    assert!(http(address, "\u{1}nonsense\r\n\r\n").await.starts_with("HTTP/1.1 400 "));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_other_sites_open_no_sessions() {
    let world = World::new();
    let ask = |origin: &str| {
        format!(
            "GET /v1/session HTTP/1.1\r\nHost: {}\r\nOrigin: {origin}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Protocol: estoile.v1\r\n\r\n",
            world.relay.address()
        )
    };
    assert!(http(world.relay.address(), &ask("https://evil.example")).await.starts_with("HTTP/1.1 403 "));
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_tell_counts_of_everything() {
    let world = World::new();
    let text = world.metrics().await;
    for name in [
        "estoile_sessions",
        "estoile_logs",
        "estoile_records",
        "estoile_bytes",
        "estoile_append_seconds_count",
        "estoile_deliveries_total",
        "estoile_lagged_total",
        "estoile_signals_total",
        "estoile_commits_total",
        "estoile_committed_writes_total",
        "estoile_expired_total",
        "estoile_uptime_seconds",
        "process_resident_memory_bytes",
        "process_open_fds",
        "estoile_refusals_total{code=\"disk-full\"}",
    ] {
        assert!(text.lines().any(|line| line.starts_with(&format!("{name} "))), "{name} is missing in {text}");
    }
    assert!(get(world.relay.metrics_address().unwrap(), "/").await.starts_with("HTTP/1.1 404 "));
}
