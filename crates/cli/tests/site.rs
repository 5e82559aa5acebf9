//! What browsers are served: by a relay, checked by `verify`, and by `estoile web` from one's own machine.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that is surprised fails")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;

use common::{run, start};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

const SCRIPT: &str = "a/0123456789abcdef/main.js";
/// "export {};" as brotli writes it without compressing: a header, the length, the bytes, the end.
const SMALL: &[u8] = b"\x8b\x04\x80export {};\x03";

/// A small bundle in a folder.
fn bundle() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let put = |path: &str, bytes: &[u8]| {
        fs::create_dir_all(folder.path().join(path).parent().unwrap()).unwrap();
        fs::write(folder.path().join(path), bytes).unwrap();
    };
    let files: [(&str, &[u8]); 3] = [
        ("index.html", b"<!doctype html><title>a page</title>"),
        (SCRIPT, b"export {};"),
        ("a/0123456789abcdef/page_bg.wasm", b"\0asm\x01\0\0\0"),
    ];
    let sums: BTreeMap<&str, String> =
        files.iter().map(|(path, bytes)| (*path, HEXLOWER.encode(&Sha256::digest(bytes)))).collect();
    files.iter().for_each(|(path, bytes)| put(path, bytes));
    put(&format!("{SCRIPT}.br"), SMALL);
    put("manifest.json", serde_json::to_string(&sums).unwrap().as_bytes());
    folder
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A relay that serves this folder, and its URL.
fn serve(web: &Path, more: &[&str]) -> (common::Running, String, TempDir) {
    let data = tempfile::tempdir().unwrap();
    let mut args = vec!["serve", "--listen", "127.0.0.1:0", "--data", text(data.path()), "--web", text(web)];
    args.extend(more);
    let relay = start(&args);
    let url = relay.line().strip_prefix("listening on ").unwrap().to_owned();
    (relay, url, data)
}

/// Sends a request's head, and reads to the end.
fn ask(host: &str, path: &str, headers: &str) -> String {
    let mut socket = TcpStream::connect(host).unwrap();
    socket.set_read_timeout(Some(common::DEADLINE)).unwrap();
    write!(socket, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n").unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn verify_finds_one_flipped_byte_in_what_a_relay_serves() {
    let ours = bundle();
    let (_honest, url, _data) = serve(ours.path(), &[]);
    let good = run(&["verify", &url, "--web", text(ours.path())]).ok();
    assert!(good.text().contains("0123456789abcdef"), "{good:?}");

    for (path, word) in [
        (SCRIPT.to_owned(), SCRIPT),
        ("index.html".to_owned(), "index.html"),
        ("a/0123456789abcdef/page_bg.wasm".to_owned(), "page_bg.wasm"),
        // The form that browsers get, when the other one is as it should be.
        (format!("{SCRIPT}.br"), "main.js differs (compressed)"),
    ] {
        let theirs = bundle();
        let mut bytes = fs::read(theirs.path().join(&path)).unwrap();
        bytes[5] ^= 1;
        fs::write(theirs.path().join(&path), bytes).unwrap();
        let (_lying, url, _data) = serve(theirs.path(), &[]);
        run(&["verify", &url, "--web", text(ours.path())]).fails(1, &[word, "does not serve what this program has"]);
    }
}

#[test]
fn verify_finds_a_missing_file_another_bundle_and_a_relay_without_one() {
    let ours = bundle();
    let theirs = bundle();
    let manifest = fs::read_to_string(theirs.path().join("manifest.json")).unwrap();
    fs::write(theirs.path().join("manifest.json"), manifest.replace("index.html", "index.htm")).unwrap();
    fs::rename(theirs.path().join("index.html"), theirs.path().join("index.htm")).unwrap();
    let (_other, url, _data) = serve(theirs.path(), &[]);
    run(&["verify", &url, "--web", text(ours.path())]).fails(1, &["index.html is not there"]);

    let data = tempfile::tempdir().unwrap();
    let bare = start(&["serve", "--listen", "127.0.0.1:0", "--data", text(data.path())]);
    let url = bare.line().strip_prefix("listening on ").unwrap().to_owned();
    run(&["verify", &url, "--web", text(ours.path())]).fails(1, &[SCRIPT, "content-security-policy", "/version"]);

    let gone = "http://127.0.0.1:1";
    run(&["verify", gone, "--web", text(ours.path())]).fails(1, &["can't be had from 127.0.0.1:1"]);
}

#[test]
fn verify_reads_by_tls_too() {
    let ours = bundle();
    let data = tempfile::tempdir().unwrap();
    let folder = [text(data.path()), text(ours.path())].map(str::to_owned);
    let relay = start(&["serve", "--listen", "0.0.0.0:0", "--data", &folder[0], "--web", &folder[1]]);
    let url = relay.line().strip_prefix("listening on ").unwrap().replace("0.0.0.0", "127.0.0.1");
    assert!(url.starts_with("https://"), "{url}");
    run(&["verify", &url, "--web", &folder[1]]).ok();
}

#[test]
fn a_folder_that_is_no_bundle_is_refused_with_what_to_do() {
    let empty = tempfile::tempdir().unwrap();
    let data = tempfile::tempdir().unwrap();
    let args = ["serve", "--listen", "127.0.0.1:0", "--data", text(data.path()), "--web", text(empty.path())];
    run(&args).fails(1, &["manifest.json", "cargo xtask web"]);
    fs::write(empty.path().join("manifest.json"), "{\"../secret\": \"00\"}").unwrap();
    run(&args).fails(1, &["manifest.json"]);
}

#[test]
fn the_local_client_opens_once_for_pages_of_its_own_address() {
    let ours = bundle();
    let (_relay, url, _data) = serve(ours.path(), &[]);
    let web = start(&["web", "--listen", "127.0.0.1:0", "--relay", &url, "--web", text(ours.path())]);
    let opens = web.line();
    let (host, path) = opens.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let path = format!("/{path}");

    assert!(ask(host, "/", "").starts_with("HTTP/1.1 403 "), "who has not opened the address gets nothing");
    assert!(ask(host, "/open/guess", "").starts_with("HTTP/1.1 403 "));
    let opened = ask(host, &path, "");
    assert!(opened.starts_with("HTTP/1.1 303 ") && opened.contains("location: /\r\n"), "{opened}");
    let cookie = opened.lines().find_map(|l| l.strip_prefix("set-cookie: ")).unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let cookie = format!("Cookie: {}\r\n", cookie.split(';').next().unwrap());
    assert!(ask(host, &path, "").starts_with("HTTP/1.1 403 "), "it opens once");
    assert_ne!(web.line(), opens, "and another address is printed");

    let page = ask(host, "/", &cookie);
    assert!(page.starts_with("HTTP/1.1 200 ") && page.contains("<title>a page</title>"), "{page}");
    assert!(page.contains("content-security-policy: default-src 'none'"), "{page}");
    let relays = ask(host, "/relays", &cookie);
    assert!(relays.ends_with(&format!("[\"{url}\"]")), "{relays}");
    assert!(ask(host, "/relays", "").starts_with("HTTP/1.1 403 "));
    let foreign = format!("{cookie}Origin: http://evil.example\r\n");
    assert!(ask(host, "/relays", &foreign).starts_with("HTTP/1.1 403 "));
    let mut rebound = TcpStream::connect(host).unwrap();
    write!(rebound, "GET /relays HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n{cookie}\r\n").unwrap();
    let mut answer = String::new();
    rebound.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 403 "), "a name that points here is not this address: {answer}");
}

#[test]
fn the_local_client_passes_sessions_and_blobs_of_chosen_relays_and_nothing_else() {
    let ours = bundle();
    let data = tempfile::tempdir().unwrap();
    let secure = start(&["serve", "--listen", "0.0.0.0:0", "--data", text(data.path()), "--web", text(ours.path())]);
    let url = secure.line().strip_prefix("listening on ").unwrap().replace("0.0.0.0", "127.0.0.1");
    let name = url.strip_prefix("https://").unwrap();
    let web = start(&["web", "--listen", "127.0.0.1:0", "--relay", &url, "--web", text(ours.path())]);
    let opens = web.line();
    let (host, path) = opens.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let opened = ask(host, &format!("/{path}"), "");
    let cookie = opened.lines().find_map(|l| l.strip_prefix("set-cookie: ")).unwrap();
    let cookie = format!("Cookie: {}\r\n", cookie.split(';').next().unwrap());

    let blob = format!("/relay/{name}/v1/blob/{}", "0".repeat(64));
    let none = ask(host, &blob, &cookie);
    assert!(none.starts_with("HTTP/1.1 404 ") && none.ends_with("There is no such blob.\n"), "{none}");
    assert!(none.contains("content-type: application/octet-stream"), "a relay's word is never a page here: {none}");
    assert!(ask(host, &blob, "").starts_with("HTTP/1.1 403 "));
    assert!(ask(host, &format!("/relay/{name}/"), &cookie).starts_with("HTTP/1.1 404 "), "its pages don't pass");
    assert!(ask(host, "/relay/127.0.0.1:1/v1/session", &cookie).starts_with("HTTP/1.1 404 "), "nor do other relays");

    let mut socket = TcpStream::connect(host).unwrap();
    socket.set_read_timeout(Some(common::DEADLINE)).unwrap();
    write!(
        socket,
        "GET /relay/{name}/v1/session HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n{cookie}Connection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: estoile.v1\r\n\r\n"
    )
    .unwrap();
    let mut answer = Vec::new();
    let mut piece = [0; 1024];
    while !answer.windows(4).any(|w| w == b"\r\n\r\n") {
        let read = socket.read(&mut piece).unwrap();
        assert!(read > 0, "{}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&piece[..read]);
    }
    let head = String::from_utf8_lossy(&answer).into_owned();
    assert!(head.starts_with("HTTP/1.1 101 ") && head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");
    // A ping (masked with zeros): the relay's answer comes through.
    socket.write_all(&[0x89, 0x82, 0, 0, 0, 0, b'h', b'i']).unwrap();
    let mut pong = answer.split_off(answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4);
    while pong.len() < 4 {
        let read = socket.read(&mut piece).unwrap();
        assert!(read > 0, "the session ended");
        pong.extend_from_slice(&piece[..read]);
    }
    assert_eq!(&pong[..4], &[0x8a, 2, b'h', b'i']);
}

#[test]
fn the_local_client_serves_this_machine_alone() {
    let ours = bundle();
    let folder = text(ours.path());
    run(&["web", "--listen", "0.0.0.0:0", "--relay", "http://127.0.0.1:7070", "--web", folder])
        .fails(2, &["this machine alone"]);
    run(&["web", "--web", folder]).fails(2, &["--relay"]);
    run(&["web", "--relay", "http://127.0.0.1:7070"]).fails(1, &["cargo xtask web", "--web"]);
}
