//! The program and a second client, written in Python from docs/protocol.md and docs/seal.md alone (`peer/`), in one room.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that is surprised fails")]

mod common;
#[path = "peer/driver.rs"]
mod driver;

use std::path::Path;

use common::{Relay, Running, estoile, finish, follow, json, run, run_with, start_command};
use driver::{Peer, page, python};
use serde_json::{Value, json};

/// A `tail` that keeps a vault, and so says that it is here and sends beats.
fn sociable(link: &str, folder: &Path, name: &str) -> Running {
    let mut command =
        estoile(&["tail", link, "--json", "--all", "--as", name, "--data", folder.join("vault").to_str().unwrap()]);
    command.env("ESTOILE_PASSPHRASE", "correct horse battery");
    let tail = start_command(command);
    tail.says("following");
    tail
}

#[track_caller]
fn notice(tail: &Running, kind: &str) -> Value {
    let line = json(&tail.line());
    assert_eq!((&line["type"], &line["kind"]), (&"notice".into(), &kind.into()), "{line}");
    line
}

#[track_caller]
fn message(tail: &Running) -> Value {
    let line = json(&tail.line());
    assert_eq!(line["type"], "message", "{line}");
    line
}

#[test]
fn the_pages_examples_are_what_the_second_client_makes() {
    let mut check = python("check.py");
    check.args([page("protocol.md"), page("seal.md")]);
    let done = finish(check, b"").ok();
    assert_eq!(done.text().lines().count(), 4, "{done:?}");
}

#[test]
fn text_and_ttl_go_both_ways() {
    let relay = Relay::start();
    let made = Peer::start().ask(&json!({"do": "create", "relay": relay.url, "name": " Tee  Küche ", "max_ttl": 3600}));
    let link = made["link"].as_str().unwrap_or_else(|| panic!("{made}"));
    assert!(link.starts_with(&format!("{}/#q/Tee%20K%C3%BCche/", relay.url)), "{link}");
    assert_eq!((&made["max_ttl"], &made["again"]), (&3600.into(), &true.into()));

    let tail = follow(link, &["--as", "Bob"]);
    let mut peer = Peer::join(link, "Pía 🦀");
    let text = "Grüße,\n*Bob* \u{1b}[31m";
    let kept = peer.ask(&json!({"do": "send", "text": text, "ttl": 600}));
    let heard = message(&tail);
    assert_eq!((&heard["text"], &heard["ttl"], &heard["from"]), (&text.into(), &600.into(), &"Pía 🦀".into()));
    assert_eq!((&heard["id"], &heard["cursor"]), (&kept["id"], &kept["cursor"]));
    assert_eq!((&heard["key"], &heard["room"]), (&peer.key.as_str().into(), &"Tee Küche".into()));
    let kept = peer.send("as long as the relay keeps it");
    let heard = message(&tail);
    assert_eq!((&heard["id"], &heard["ttl"]), (&kept["id"], &Value::Null));

    let sent = run(&["send", link, text, "--as", "Alice", "--json", "--ttl", "10m"]).ok();
    let sent = json(sent.text().trim());
    let heard = peer.next("message");
    assert_eq!((&heard["text"], &heard["ttl"], &heard["from"]), (&text.into(), &600.into(), &"Alice".into()));
    assert_eq!((&heard["id"], &heard["cursor"], &heard["counter"]), (&sent["id"], &sent["cursor"], &0.into()));
    assert_eq!(heard["parents"], json!([kept["id"]]), "the program names the newest letter that it read");
    peer.is_quiet();
}

#[test]
fn a_passphrase_opens_the_same_room_in_both() {
    let relay = Relay::start();
    let words = "abacus abdomen zoology zoom clarinet";
    let with = |args: &[&str]| {
        let mut command = estoile(args);
        command.env("ESTOILE_ROOM_PASSPHRASE", words);
        finish(command, b"").ok()
    };
    let made = with(&["room", "new", "--relay", &relay.url, "--name", "Tea Room", "--passphrase"]);
    let link = made.text().trim();
    with(&["send", link, "tea is ready", "--as", "Alice"]);
    let mut peer = Peer::start();
    let spelled = "\u{a0} abacus   abdomen\tzoology zoom ｃlarinet ";
    peer.ask(&json!({"do": "open", "link": link, "name": "Pia", "passphrase": spelled}));
    assert_eq!(peer.next("message")["text"], "tea is ready");

    let made = Peer::start().ask(&json!({"do": "create", "relay": relay.url, "name": "Café", "passphrase": words}));
    let link = made["link"].as_str().unwrap();
    with(&["send", link, "un café", "--as", "Alice"]);
    let wrong = Peer::start().ask(&json!({"do": "open", "link": link, "name": "Pia", "passphrase": "wrong"}));
    assert_eq!(wrong["refused"], 10, "no such room under another passphrase: {wrong}");
}

#[test]
fn a_letter_that_comes_too_late_is_refused_by_both() {
    let relay = Relay::start();
    let link = relay.room(&[]);
    let tail = follow(&link, &["--as", "Bob"]);
    let mut peer = Peer::join(&link, "Pia");
    let late = |ttl: u64, text: &str| json!({"do": "send", "text": text, "ttl": ttl, "shift_ms": -45_000});
    assert!(peer.ask(&late(30, "too late"))["cursor"].is_u64(), "the relay can't know");
    let told = notice(&tail, "expired");
    assert!(told["detail"].as_str().unwrap().contains("with 30 s to live"), "{told}");
    peer.ask(&late(300, "in time"));
    assert_eq!(message(&tail)["text"], "in time");

    let send = |ttl: &str, text: &str| run(&["send", &link, text, "--clock", "-45s", "--ttl", ttl]);
    send("30s", "too late").ok();
    assert_eq!(peer.next("dropped")["why"], "expired");
    assert_eq!(notice(&tail, "expired")["count"], 1);
    send("300s", "in time").ok();
    assert_eq!(peer.next("message")["text"], "in time");
    assert_eq!(message(&tail)["text"], "in time");

    peer.ask(&json!({"do": "send", "text": "from tomorrow", "shift_ms": 90_000_000}));
    notice(&tail, "future");
    run(&["send", &link, "from tomorrow", "--clock", "+25h"]).ok();
    assert_eq!(peer.next("dropped")["why"], "future");
}

#[test]
fn a_wrong_signature_is_refused_by_both() {
    let relay = Relay::start();
    let link = relay.room(&[]);
    let tail = follow(&link, &["--as", "Bob"]);
    let reader = Peer::join(&link, "Rhea");
    let mut peer = Peer::join(&link, "Mallory");
    let forged = peer.ask(&json!({"do": "forge", "text": "not signed so"}));
    assert!(forged["cursor"].is_u64(), "the relay can't know: {forged}");
    assert_eq!(reader.next("dropped")["why"], "forged");
    assert!(notice(&tail, "forged")["detail"].as_str().unwrap().contains("signature"));
    let kept = peer.send("signed");
    assert_eq!(message(&tail)["id"], kept["id"]);
    assert_eq!(reader.next("message")["id"], kept["id"]);
}

#[test]
fn what_breaks_a_rule_of_the_page_is_shown_by_neither() {
    let relay = Relay::start();
    let link = relay.room(&[]);
    let tail = follow(&link, &["--as", "Bob"]);
    let mut peer = Peer::join(&link, "Mallory");
    let mut reader = Peer::join(&link, "Rhea");
    let broken = peer.ask(&json!({"do": "break_rules"}));
    let broken = broken["names"].as_array().unwrap_or_else(|| panic!("{broken}"));
    let kept = peer.send("by the rules");
    for name in broken {
        let dropped = reader.next("dropped");
        assert!(dropped["cursor"].is_u64(), "{name}: {dropped}");
    }
    assert_eq!(reader.next("message")["id"], kept["id"]);
    reader.is_quiet();
    // The program may tell several in one notice.
    let mut told = 0;
    let heard = loop {
        let line = json(&tail.line());
        if line["type"] == "message" {
            break line;
        }
        assert_eq!(line["kind"], "forged", "{line}");
        told += line["count"].as_u64().unwrap();
    };
    assert_eq!(heard["id"], kept["id"]);
    assert!(told > 0);
}

#[test]
fn a_repeat_is_one_letter() {
    let relay = Relay::start();
    let link = relay.room(&[]);
    let tail = follow(&link, &["--as", "Bob"]);
    let reader = Peer::join(&link, "Rhea");
    let mut peer = Peer::join(&link, "Pia");
    let kept = peer.send("once");
    // A retry: the relay knows its id16, keeps one record and says where it is.
    let again = peer.ask(&json!({"do": "repeat", "id": kept["id"]}));
    assert_eq!((&again["cursor"], &again["id"]), (&kept["cursor"], &kept["id"]));
    // A replay under another id16: the relay can't know, the readers do.
    let replayed = peer.ask(&json!({"do": "repeat", "id": kept["id"], "elsewhere": true}));
    assert!(replayed["cursor"].as_u64() > kept["cursor"].as_u64(), "{replayed}");
    peer.send("twice");
    assert_eq!(message(&tail)["text"], "once");
    notice(&tail, "replayed");
    assert_eq!(message(&tail)["text"], "twice");
    assert_eq!(reader.next("message")["text"], "once");
    assert_eq!(reader.next("dropped")["why"], "repeat");
    assert_eq!(reader.next("message")["text"], "twice");
    // Who comes later reads the same.
    let all = run(&["tail", &link, "--json", "--all", "--count", "2"]).ok();
    let texts: Vec<_> = all.text().lines().map(json).filter(|l| l["type"] == "message").collect();
    assert_eq!(texts.iter().map(|l| &l["text"]).collect::<Vec<_>>(), ["once", "twice"]);
}

#[test]
fn two_letters_under_one_counter_are_told_by_both() {
    let relay = Relay::start();
    let link = relay.room(&[]);
    let tail = follow(&link, &["--as", "Bob"]);
    let reader = Peer::join(&link, "Rhea");
    let mut peer = Peer::join(&link, "Janus");
    peer.send("yes");
    peer.ask(&json!({"do": "send", "text": "no", "counter": 0, "parents": []}));
    assert_eq!(message(&tail)["text"], "yes");
    notice(&tail, "two-faced");
    assert_eq!(message(&tail)["text"], "no");
    assert_eq!(reader.next("message")["text"], "yes");
    assert_eq!(reader.next("two-faced")["key"], peer.key.as_str());
    assert_eq!(reader.next("message")["text"], "no");
}

#[test]
fn beats_signals_and_missing_letters_are_understood_both_ways() {
    let relay = Relay::start();
    let link = relay.room(&[]);
    let folder = tempfile::tempdir().unwrap();
    let mut peer = Peer::join(&link, "Pia");
    let tail = sociable(&link, folder.path(), "Tess");
    // Who comes asks who is here; whoever asks, is answered.
    let asked = peer.next("signal");
    assert_eq!((&asked["kind"], &asked["from"]), (&3.into(), &"Tess".into()), "{asked}");
    peer.ask(&json!({"do": "signal", "kind": 3}));
    let here = peer.next("signal");
    assert_eq!((&here["kind"], &here["key"]), (&0.into(), &asked["key"]), "{here}");
    peer.ask(&json!({"do": "signal", "kind": 2}));
    peer.ask(&json!({"do": "signal", "kind": 0}));

    // A letter that is named and was never appended is asked for by a signal, and sent then.
    let first = peer.send("first");
    assert_eq!(message(&tail)["text"], "first");
    let kept_back = peer.ask(&json!({"do": "write", "text": "kept back"}));
    peer.send("names it");
    assert_eq!(message(&tail)["text"], "names it");
    let found = message(&tail);
    assert_eq!((&found["text"], &found["id"]), (&"kept back".into(), &kept_back["id"]));
    assert_eq!(peer.next_but_signals("beat")["from"], "Tess");
    let state = peer.ask(&json!({"do": "state"}));
    assert_eq!(state["seen"][first["id"].as_str().unwrap()], json!([asked["key"]]), "the beat confirms all before it");
    assert_eq!(state["missing"], json!([]));

    // A beat of the peer's shows nothing and is not told.
    peer.ask(&json!({"do": "beat"}));
    peer.send("after the beat");
    assert_eq!(message(&tail)["text"], "after the beat");
}

#[test]
fn both_read_one_order() {
    let relay = Relay::start();
    let link = relay.room(&[]);
    let mut first = Peer::join(&link, "Pia");
    let mut second = Peer::join(&link, "Quin");
    // Answers that are stamped before what they answer, branches, and one time for several letters.
    let root = first.ask(&json!({"do": "send", "text": "question", "shift_ms": 30_000}));
    second.next("message");
    second.ask(&json!({"do": "send", "text": "answer", "shift_ms": -30_000}));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let at = u64::try_from(now.as_millis()).unwrap() - 10_000;
    for (n, back) in [5_000, 0, 0, 9_000].into_iter().enumerate() {
        let write = |by: &str| json!({"do": "send", "text": format!("{by} {n}"), "at": at - back});
        first.ask(&write("first"));
        second.ask(&write("second"));
    }
    run_with(&["send", &link, "--as", "Alice"], b"and then\nthe end\n").ok();
    // A newcomer of either kind reads everything at once.
    let mut reader = Peer::join(&link, "Rhea");
    let own = reader.ask(&json!({"do": "order"}));
    let all = run(&["tail", &link, "--json", "--all", "--count", "12"]).ok();
    let lines: Vec<_> = all.text().lines().map(json).collect();
    let theirs: Vec<_> = lines.iter().filter(|l| l["type"] == "message").map(|l| l["id"].clone()).collect();
    assert_eq!(own["ids"], Value::Array(theirs));
    assert_eq!(own["ids"][0], root["id"], "what is answered stands before its answers: {}", own["texts"]);
    assert_eq!(own["ids"].as_array().map(Vec::len), Some(12));
}

#[test]
fn refusals_are_those_of_the_page() {
    let relay = Relay::start();
    let link = relay.room(&[]);
    let mut peer = Peer::join(&link, "Pia");
    let found = peer.ask(&json!({"do": "refusals"}));
    let wanted = json!({
        "another key": [11, null],
        "no such log": [10, null],
        "another epoch": [13, 0],
        "not attached": [12, null],
        "ttl of 0": [14, 2_592_000],
        "ttl too long": [14, 2_592_000],
        "empty body": [2, null],
        "body too long": [15, 49_152],
        "append in another epoch": [13, 0],
        "another max_ttl": [23, null],
        "unknown type": [5, 39],
        "long signal": [15, 2_048],
        "signal elsewhere": [12, null],
    });
    assert_eq!(found["refusals"], wanted);
    // The pin is checked: the same address with another relay's hash.
    let mut parts: Vec<_> = link.split('/').map(str::to_owned).collect();
    parts[5] = "A".repeat(43);
    let told = Peer::start().ask(&json!({"do": "open", "link": parts.join("/"), "name": "Pia"}));
    assert_eq!(told["failed"], "Distrust: another relay answers there");
}

#[test]
fn a_reader_that_lags_reads_everything_once() {
    const LETTERS: usize = 400;
    let relay = Relay::with(&["--queue", "64K"]);
    let link = relay.room(&[]);
    let mut peer = Peer::start();
    peer.ask(&json!({"do": "open", "link": link, "name": "Pia", "buffer": 4096}));
    peer.ask(&json!({"do": "deaf", "deaf": true}));
    let lines: String = (0..LETTERS).map(|n| format!("{n} {}\n", "x".repeat(30_000))).collect();
    run_with(&["send", &link, "--as", "Alice"], lines.as_bytes()).ok();
    peer.ask(&json!({"do": "deaf", "deaf": false}));
    let (mut read, mut lagged) = (0, 0);
    while read < LETTERS {
        let event = json(&peer.running.line());
        match event["type"].as_str() {
            Some("lagged") => lagged += 1,
            Some("message") => {
                assert_eq!(event["counter"], read, "none is missing, none comes twice");
                read += 1;
            }
            _ => panic!("{event}"),
        }
    }
    assert!(lagged > 0, "the sockets held everything: send more");
    peer.is_quiet();
}
