//! A relay that cheats, over real sockets: a man in the middle of a real `serve` and the real program.
//!
//! The laboratory tries every attack in virtual time; a few are tried here as users would meet them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that is surprised fails")]

mod common;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{Relay, follow, json, run, start};
use estoile_wire::RelayFrame;

/// What becomes of a frame on its way to a client.
type Cheat = Box<dyn FnMut(&[u8]) -> Vec<Vec<u8>> + Send>;

/// Stands between a relay and whoever uses the link that it gives out.
struct Middle {
    port: u16,
    cheat: Arc<Mutex<Cheat>>,
}

impl Middle {
    fn of(relay: &Relay, cheat: impl FnMut(&[u8]) -> Vec<Vec<u8>> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let target = relay.url.split("://").nth(1).unwrap().to_owned();
        let cheat: Arc<Mutex<Cheat>> = Arc::new(Mutex::new(Box::new(cheat)));
        let shared = Arc::clone(&cheat);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(relay) = TcpStream::connect(&target) else { continue };
                let (up_from, up_to) = (client.try_clone().unwrap(), relay.try_clone().unwrap());
                std::thread::spawn(move || pass(up_from, up_to));
                let cheat = Arc::clone(&shared);
                std::thread::spawn(move || {
                    let _ = rewrite(&relay, &client, &cheat);
                    let _ = client.shutdown(Shutdown::Both);
                    let _ = relay.shutdown(Shutdown::Both);
                });
            }
        });
        Self { port, cheat }
    }

    /// The same link, through here.
    fn link(&self, link: &str) -> String {
        let (scheme, rest) = link.split_once("://").unwrap();
        let (_, path) = rest.split_once('/').unwrap();
        format!("{scheme}://127.0.0.1:{}/{path}", self.port)
    }

    fn now(&self, cheat: impl FnMut(&[u8]) -> Vec<Vec<u8>> + Send + 'static) {
        *self.cheat.lock().unwrap() = Box::new(cheat);
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream) {
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Both);
}

/// Passes the handshake's answer on as it is, and each WebSocket message (RFC 6455, section 5) as the cheat wants it.
fn rewrite(mut relay: &TcpStream, mut client: &TcpStream, cheat: &Mutex<Cheat>) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        relay.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    client.write_all(&head)?;
    loop {
        let mut start = [0; 2];
        relay.read_exact(&mut start)?;
        let length = match start[1] & 0x7f {
            126 => {
                let mut long = [0; 2];
                relay.read_exact(&mut long)?;
                usize::from(u16::from_be_bytes(long))
            }
            127 => {
                let mut longer = [0; 8];
                relay.read_exact(&mut longer)?;
                usize::try_from(u64::from_be_bytes(longer)).unwrap()
            }
            short => usize::from(short),
        };
        let mut payload = vec![0; length];
        relay.read_exact(&mut payload)?;
        let binary = start[0] & 0x0f == 2;
        let out = if binary { (cheat.lock().unwrap())(&payload) } else { vec![payload] };
        for payload in out {
            client.write_all(&framed(start[0], &payload))?;
        }
    }
}

fn framed(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        n @ 0..126 => frame.push(u8::try_from(n).unwrap()),
        n @ 126..65_536 => {
            frame.push(126);
            frame.extend(u16::try_from(n).unwrap().to_be_bytes());
        }
        n => {
            frame.push(127);
            frame.extend((n as u64).to_be_bytes());
        }
    }
    frame.extend(payload);
    frame
}

fn honest(frame: &[u8]) -> Vec<Vec<u8>> {
    vec![frame.to_vec()]
}

fn is_record(frame: &[u8]) -> bool {
    matches!(RelayFrame::decode(frame), Ok(RelayFrame::Record(_)))
}

/// The next lines of a `tail --json` up to a message with this text: the texts of messages and the kinds of notices.
fn until(tail: &common::Running, text: &str) -> (Vec<String>, Vec<String>) {
    let (mut texts, mut kinds) = (Vec::new(), Vec::new());
    loop {
        let line = json(&tail.line());
        if line["type"] != "message" {
            kinds.push(line["kind"].as_str().unwrap_or_default().to_owned());
            continue;
        }
        texts.push(line["text"].as_str().unwrap().to_owned());
        if texts.last().unwrap() == text {
            return (texts, kinds);
        }
    }
}

#[test]
fn what_is_repeated_altered_and_respelled_on_the_wire_is_read_once() {
    let relay = Relay::start();
    let link = relay.room(&[]);
    let middle = Middle::of(&relay, |frame| {
        let Ok(RelayFrame::Record(record)) = RelayFrame::decode(frame) else { return honest(frame) };
        let mut body = record.body.to_vec();
        let middle = body.len() / 2;
        body[middle] ^= 1;
        let mut altered = record.clone();
        altered.body = &body;
        vec![RelayFrame::Record(altered).encode(), frame.to_vec(), frame.to_vec()]
    });
    let tail = follow(&middle.link(&link), &["--as", "Bob"]);
    for text in ["one", "two", "three"] {
        run(&["send", &link, text, "--as", "Alice"]).ok();
    }
    let (texts, kinds) = until(&tail, "three");
    assert_eq!(texts, ["one", "two", "three"]);
    assert!(kinds.iter().any(|kind| kind == "forged"), "what was altered is told: {kinds:?}");
}

#[test]
fn what_is_dropped_on_the_wire_is_asked_for_again() {
    let relay = Relay::start();
    let link = relay.room(&[]);
    let mut count = 0;
    let middle = Middle::of(&relay, move |frame| {
        count += u32::from(is_record(frame));
        if is_record(frame) && count == 2 { Vec::new() } else { honest(frame) }
    });
    let tail = follow(&middle.link(&link), &["--as", "Bob"]);
    let mut send = start(&["send", &link, "--as", "Alice", "--json"]);
    for text in ["first", "dropped", "last"] {
        send.type_line(text);
        let _ = send.line();
    }
    let (texts, _) = until(&tail, "last");
    assert_eq!(texts, ["first", "dropped", "last"], "in its place, because the next one named it");
}

#[test]
fn what_is_held_past_its_end_is_refused() {
    let relay = Relay::start();
    let link = relay.room(&[]);
    let held: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
    let hold = Arc::clone(&held);
    let middle = Middle::of(&relay, move |frame| {
        if is_record(frame) {
            hold.lock().unwrap().push(frame.to_vec());
            return Vec::new();
        }
        honest(frame)
    });
    let tail = follow(&middle.link(&link), &["--as", "Bob"]);
    run(&["send", &link, "for a second only", "--as", "Alice", "--ttl", "1s"]).ok();
    // Its whole life passes.
    std::thread::sleep(Duration::from_millis(1_500));
    let late = Arc::clone(&held);
    middle.now(move |frame| {
        let mut out = std::mem::take(&mut *late.lock().unwrap());
        out.push(frame.to_vec());
        out
    });
    run(&["send", &link, "for ever", "--as", "Alice"]).ok();
    let (texts, kinds) = until(&tail, "for ever");
    assert_eq!(texts, ["for ever"]);
    assert!(kinds.iter().any(|kind| kind == "expired"), "and it is told: {kinds:?}");
}

#[test]
fn another_relay_under_the_links_address_gets_nothing() {
    let relay = Relay::start();
    let link = relay.room(&[]);
    let other = Relay::start();
    // The link's relay is replaced on the way.
    let middle = Middle::of(&other, honest);
    run(&["send", &middle.link(&link), "not for you", "--as", "Alice"]).fails(1, &["another relay"]);
}
