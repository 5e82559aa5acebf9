//! The files that browsers load: bytes, headers, and who may read them how long.

use std::sync::Arc;
use std::time::Duration;

use estoile_relay::{RelayConfig, Site};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{World, get, http, soon};

const INDEX: &str = "<!doctype html><title>page</title>";
const SCRIPT: &str = "a/0123456789abcdef/main.js";

fn with_site(config: &mut RelayConfig) {
    let mut site = Site::new("0123456789abcdef");
    site.add("index.html", INDEX, None);
    site.add(SCRIPT, "export {};", Some("small".into()));
    site.add("a/0123456789abcdef/page_bg.wasm", vec![7; 3 << 20], None);
    config.site = Some(Arc::new(site));
}

async fn ask(world: &World, method: &str, path: &str, headers: &str) -> String {
    let address = world.relay.address();
    http(address, &format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn files_have_their_kind_their_policy_and_nothing_may_embed_them() {
    let world = World::with(with_site);
    let address = world.relay.address();
    let page = get(address, "/").await;
    let (head, body) = page.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && body == INDEX, "{page}");
    for header in [
        "content-type: text/html; charset=utf-8",
        "cache-control: no-cache",
        "cross-origin-opener-policy: same-origin",
        "cross-origin-embedder-policy: require-corp",
        "cross-origin-resource-policy: same-origin",
        "referrer-policy: no-referrer",
        "x-content-type-options: nosniff",
        "permissions-policy: accelerometer=(), autoplay=(), camera=(self), ",
        "content-security-policy: default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; ",
        "require-trusted-types-for 'script'; trusted-types estoile; frame-ancestors 'none'; ",
        &format!("connect-src 'self' ws://{address} wss://{address}"),
    ] {
        assert!(head.contains(header), "{header} is missing in {head}");
    }
    for never in ["unsafe-inline", "'unsafe-eval'", "http:", "https:", "*"] {
        let policy = head.lines().find(|l| l.starts_with("content-security-policy")).unwrap();
        assert!(!policy.contains(never), "{never} in {policy}");
    }
    assert!(get(address, "/index.html").await.ends_with(INDEX));
    assert!(get(address, "/elsewhere").await.starts_with("HTTP/1.1 404 "));
    assert!(get(address, "/a/../index.html").await.starts_with("HTTP/1.1 404 "));
    assert!(ask(&world, "POST", "/", "").await.starts_with("HTTP/1.1 405 "));
    assert!(get(address, "/health").await.ends_with("\r\n\r\nok\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_never_changes_is_kept_and_the_rest_asked_for_again() {
    let world = World::with(with_site);
    let script = format!("/{SCRIPT}");
    let plain = ask(&world, "GET", &script, "").await;
    assert!(
        plain.contains("immutable") && plain.contains("content-type: text/javascript") && plain.ends_with("export {};")
    );
    assert!(plain.contains("vary: accept-encoding") && !plain.contains("content-encoding"), "{plain}");
    let small = ask(&world, "GET", &script, "Accept-Encoding: gzip, br;q=0.9\r\n").await;
    assert!(small.contains("content-encoding: br\r\n") && small.ends_with("\r\n\r\nsmall"), "{small}");
    assert!(ask(&world, "GET", &script, "Accept-Encoding: gzip, br;q=0\r\n").await.ends_with("export {};"));

    let tag = |answer: &str| answer.lines().find_map(|l| l.strip_prefix("etag: ")).unwrap().to_owned();
    assert_ne!(tag(&plain), tag(&small), "two forms of a file have two tags");
    let again = ask(&world, "GET", &script, &format!("If-None-Match: \"x\", W/{}\r\n", tag(&plain))).await;
    let (head, body) = again.split_once("\r\n\r\n").unwrap();
    assert!(
        head.starts_with("HTTP/1.1 304 ") && body.is_empty() && head.contains("content-security-policy"),
        "{again}"
    );
    let other = ask(&world, "GET", &script, &format!("If-None-Match: {}\r\n", tag(&small))).await;
    assert!(other.starts_with("HTTP/1.1 200 "), "{other}");
    let head = ask(&world, "HEAD", &script, "").await;
    assert!(head.contains("content-length: 10\r\n") && head.ends_with("\r\n\r\n"), "{head}");
}

#[tokio::test(flavor = "multi_thread")]
async fn version_names_program_and_bundle() {
    let with = World::with(with_site);
    let version = get(with.relay.address(), "/version").await;
    assert!(version.contains("content-type: application/json"), "{version}");
    let body = version.split_once("\r\n\r\n").unwrap().1.trim();
    assert_eq!(body, format!("{{\"version\":\"{}\",\"bundle\":\"0123456789abcdef\"}}", env!("CARGO_PKG_VERSION")));
    let without = World::new();
    assert!(get(without.relay.address(), "/version").await.trim().ends_with("\"bundle\":null}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_reads_many_files_and_opens_no_session() {
    let world = World::with(with_site);
    let address = world.relay.address();
    let file = format!("GET /{SCRIPT} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let upgrade = format!(
        "GET /v1/session HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: estoile.v1\r\n\r\n"
    );
    let answers = http(address, &format!("{file}{file}{upgrade}")).await;
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 2, "{answers}");
    assert!(answers.contains("HTTP/1.1 400 ") && !answers.contains("101 Switching"), "{answers}");
}

/// A reader that is slow gets its file, though a handshake may take no longer than a moment; one that reads nothing
/// does not stay for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_outlives_the_handshake_and_one_that_stands_still_does_not() {
    let world = World::with(|config| {
        with_site(config);
        config.sockets.handshake = Duration::from_millis(300);
        config.blobs.idle = Duration::from_millis(900);
    });
    let address = world.relay.address();
    let request =
        format!("GET /a/0123456789abcdef/page_bg.wasm HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let mut slow = TcpStream::connect(address).await.unwrap();
    slow.write_all(request.as_bytes()).await.unwrap();
    let mut still = TcpStream::connect(address).await.unwrap();
    still.write_all(request.as_bytes()).await.unwrap();
    let mut read = 0;
    let mut piece = vec![0; 256 << 10];
    soon(async {
        loop {
            match slow.read(&mut piece).await.unwrap() {
                0 => break,
                some => read += some,
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    assert!(read > 3 << 20, "the slow reader got {read} bytes");
    let mut rest = Vec::new();
    let _ = soon(async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        still.read_to_end(&mut rest).await
    })
    .await;
    assert!(rest.len() < 3 << 20, "who reads nothing was waited for: {}", rest.len());
}

/// When all places are taken, files still come, each on a connection of its own.
#[tokio::test(flavor = "multi_thread")]
async fn too_many_readers_are_served_briefly() {
    let world = World::with(|config| {
        with_site(config);
        config.sockets.max_visits = 1;
    });
    let address = world.relay.address();
    let mut first = TcpStream::connect(address).await.unwrap();
    first.write_all(format!("GET / HTTP/1.1\r\nHost: {address}\r\n\r\n").as_bytes()).await.unwrap();
    let mut piece = vec![0; 4 << 10];
    assert!(soon(first.read(&mut piece)).await.unwrap() > 0, "the first has the place, and keeps it");
    let second = http(address, &format!("GET / HTTP/1.1\r\nHost: {address}\r\n\r\n")).await;
    assert!(second.contains("connection: close") && second.ends_with(INDEX), "{second}");
}
