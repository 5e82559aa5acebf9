//! `serve`, `room`, `send`, `tail` and `up` together: what is printed where, and how each ends.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that is surprised fails")]

mod common;

use std::process::Command;

use common::{Relay, estoile, finish, follow, json, run, run_with, start, start_command};
use rustix::process::Signal;

#[test]
fn a_message_goes_from_send_to_tail() {
    let relay = Relay::start();
    let link = relay.room(&[]);
    assert!(link.starts_with(&format!("{}/#q/kitchen/", relay.url)), "{link}");
    let tail = follow(&link, &["--as", "Bob"]);
    let sent = run(&["send", &link, "Hello from the shell", "--as", "Alice", "--json", "--ttl", "10m"]).ok();
    let kept = json(sent.text().trim());
    assert_eq!(kept["state"], "kept");
    assert_eq!(kept.as_object().unwrap().keys().collect::<Vec<_>>(), ["cursor", "id", "state"]);

    let heard = json(&tail.line());
    assert_eq!(heard["type"], "message");
    assert_eq!((&heard["id"], &heard["cursor"]), (&kept["id"], &kept["cursor"]));
    assert_eq!((&heard["from"], &heard["room"]), (&"Alice".into(), &"kitchen".into()));
    assert_eq!((&heard["text"], &heard["ttl"]), (&"Hello from the shell".into(), &600.into()));
    assert_eq!(heard["id"].as_str().unwrap().len(), 64);
    assert_eq!(heard["key"].as_str().unwrap().len(), 64);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    let sent_at = u128::from(heard["sent_at"].as_u64().unwrap());
    assert!(now.abs_diff(sent_at) < 90_000, "{sent_at} is milliseconds since 1970");
    let keys = ["cursor", "from", "id", "key", "room", "sent_at", "text", "ttl", "type"];
    assert_eq!(heard.as_object().unwrap().keys().collect::<Vec<_>>(), keys);
}

#[test]
fn stdin_is_one_message_a_line_each_sent_when_it_is_read() {
    let relay = Relay::start();
    let link = relay.room(&[]);
    let tail = follow(&link, &[]);
    let mut send = start(&["send", &link, "--as", "Alice", "--json"]);
    let mut ids = Vec::new();
    for text in ["first", "second", "  third, with blanks  "] {
        send.type_line(text);
        // Kept, and heard, before the next line is even written.
        ids.push(json(&send.line())["id"].clone());
        let heard = json(&tail.line());
        assert_eq!((heard["text"].as_str(), &heard["id"]), (Some(text), ids.last().unwrap()));
    }
    assert_eq!(send.wait(), Some(0));
    assert_eq!(send.line_or_end(), None);
}

#[test]
fn all_is_from_the_start_and_count_ends_it() {
    let relay = Relay::start();
    let link = relay.room(&[]);
    run_with(&["send", &link], b"one\ntwo\nthree\nfour\n").ok();
    let texts = |args: &[&str]| -> Vec<String> {
        let done = run(&[&["tail", &link, "--json"], args].concat()).ok();
        done.text().lines().map(|l| json(l)["text"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(texts(&["--all", "--count", "3"]), ["one", "two", "three"]);
    assert_eq!(texts(&["--all", "--for", "3s"]), ["one", "two", "three", "four"]);
    assert_eq!(texts(&["--for", "1s"]), Vec::<String>::new());
}

#[test]
fn for_people_a_line_has_a_name_and_nothing_that_acts() {
    let relay = Relay::start();
    let link = relay.room(&[]);
    run(&["send", &link, "evil \x1b[31mred\x1b[0m\nsecond line", "--as", "Eve"]).ok();
    let done = run(&["tail", &link, "--all", "--count", "1"]).ok();
    assert!(!done.out.contains(&0x1b), "{done:?}");
    assert!(done.text().starts_with("Eve: evil ") && done.text().contains("\n     second line"), "{done:?}");
}

#[test]
fn a_reader_that_goes_away_ends_tail_quietly() {
    let relay = Relay::start();
    let link = relay.room(&[]);
    run_with(&["send", &link], b"one\ntwo\n").ok();
    let program = env!("CARGO_BIN_EXE_estoile");
    let mut pipe = Command::new("sh");
    // Nothing more is ever said: it must notice by itself that nobody reads.
    pipe.args(["-c", &format!("{{ {program} tail '{link}' --all; echo code $? >&2; }} | head -1")]);
    pipe.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let done = finish(pipe, b"");
    assert!(done.text().ends_with(": one\n"), "{done:?}");
    // The reader may be gone before all was read.
    assert_eq!(done.err.trim_start_matches("following kitchen\n"), "code 0\n");
}

#[test]
fn signals_end_it_with_their_codes() {
    let relay = Relay::start();
    let link = relay.room(&[]);
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 0)] {
        let mut tail = follow(&link, &[]);
        tail.signal(signal);
        assert_eq!(tail.wait_open(), Some(code));
        let mut serve = Relay::start();
        serve.running.signal(signal);
        let begun = std::time::Instant::now();
        assert_eq!(serve.running.wait_open(), Some(code));
        assert!(begun.elapsed().as_secs() < 10);
    }
    let mut send = start(&["send", &link, "--json"]);
    send.type_line("one");
    // Once it has said this, it listens for signals: before, the system's own way to end it would count.
    send.line();
    send.signal(Signal::INT);
    assert_eq!(send.wait_open(), Some(130));
}

#[test]
fn a_passphrase_opens_a_room_made_with_it() {
    let relay = Relay::start();
    let made = run(&["room", "new", "--relay", &relay.url, "--name", "Tea Room", "--passphrase"]).ok();
    let link = made.text().trim();
    assert!(link.starts_with(&format!("{}/#p/Tea%20Room/", relay.url)), "{link}");
    let words = made.err.lines().last().unwrap().to_owned();
    assert_eq!(words.split(' ').count(), 5, "{words}");
    let with = |passphrase: &str, args: &[&str]| {
        let mut command = estoile(args);
        command.env("ESTOILE_ROOM_PASSPHRASE", passphrase);
        finish(command, b"")
    };
    with(&words, &["send", link, "tea is ready", "--as", "Alice"]).ok();
    let heard = with(&format!("  {}  ", words.replace(' ', "   ")), &["tail", link, "--all", "--count", "1"]).ok();
    assert_eq!(heard.text(), "Alice: tea is ready\n");
    with("five other words of mine", &["tail", link, "--all"])
        .fails(1, &["no such room here", "wrong link or passphrase"]);
    run(&["tail", link, "--all"]).fails(1, &["ESTOILE_ROOM_PASSPHRASE"]);
    with("weak", &["room", "new", "--relay", &relay.url, "--passphrase"]).fails(1, &["64"]);
}

#[test]
fn the_rooms_ttl_is_the_default_and_the_longest() {
    let relay = Relay::start();
    let link = relay.room(&["--ttl", "1h"]);
    run(&["send", &link, "by default"]).ok();
    run(&["send", &link, "shorter", "--ttl", "30s"]).ok();
    run(&["send", &link, "longer", "--ttl", "2h"]).fails(1, &["3600"]);
    let done = run(&["tail", &link, "--all", "--json", "--count", "2"]).ok();
    let ttls: Vec<_> = done.text().lines().map(|l| json(l)["ttl"].as_u64()).collect();
    assert_eq!(ttls, [Some(3600), Some(30)]);
}

#[test]
fn without_a_terminal_up_prints_the_link_alone_and_serves() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let mut up = start(&["up", "--listen", "127.0.0.1:0", "--data", data, "--name", "kitchen"]);
    let link = up.line();
    assert!(link.starts_with("http://127.0.0.1:") && link.contains("/#q/kitchen/"), "{link}");
    up.says("this machine alone");
    run(&["send", &link, "hello"]).ok();
    up.signal(Signal::TERM);
    assert_eq!(up.wait_open(), Some(0));
    assert_eq!(up.line_or_end(), None);
}

#[test]
fn off_loopback_there_is_tls_a_pin_and_an_entry_code() {
    let folder = tempfile::tempdir().unwrap();
    let serve = start(&[
        "serve",
        "--listen",
        "0.0.0.0:0",
        "--data",
        folder.path().to_str().unwrap(),
        "--public",
        "https://127.0.0.1",
    ]);
    let first = serve.line();
    let port = first.strip_prefix("listening on https://0.0.0.0:").unwrap_or_else(|| panic!("{first}"));
    let creators = serve.line();
    // The port of --public is https's own; here the relay has another.
    let creators = creators.replacen("https://127.0.0.1:443", &format!("https://127.0.0.1:{port}"), 1);
    assert!(creators.contains("/#e/"), "{creators}");
    let link = run(&["room", "new", "--relay", &creators, "--name", "kitchen"]).ok();
    let link = link.text().trim().to_owned();
    assert!(link.starts_with("https://127.0.0.1:"), "{link}");
    run(&["send", &link, "by TLS", "--as", "Alice"]).ok();
    assert_eq!(run(&["tail", &link, "--all", "--count", "1"]).ok().text(), "Alice: by TLS\n");

    let without_code = creators.split("/#e/").next().unwrap().to_owned();
    run(&["room", "new", "--relay", &without_code, "--wait", "5s"]).fails(1, &[";"]);
    let mut parts = link.split('/').map(str::to_owned).collect::<Vec<_>>();
    parts[5] = "A".repeat(43);
    run(&["send", &parts.join("/"), "x", "--wait", "5s"]).fails(1, &["another relay answers there"]);
}

#[test]
fn a_vault_goes_on_where_it_was() {
    let relay = Relay::start();
    let link = relay.room(&[]);
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("vault");
    let alice = |args: &[&str]| {
        let mut command = estoile(&[args, &["--data", data.to_str().unwrap()]].concat());
        command.env("ESTOILE_PASSPHRASE", "correct horse battery");
        command
    };
    finish(alice(&["send", &link, "one", "--as", "Alice"]), b"").ok();
    finish(alice(&["send", &link, "two", "--as", "Alice"]), b"").ok();
    let done = run(&["tail", &link, "--all", "--count", "2", "--json"]).ok();
    let keys: Vec<_> = done.text().lines().map(|l| json(l)["key"].clone()).collect();
    assert_eq!(keys[0], keys[1], "the same vault signs with the same key");

    let done = finish(alice(&["tail", &link, "--all", "--count", "2"]), b"").ok();
    assert_eq!(done.text(), "Alice: one\nAlice: two\n");
    let tail = start_command(alice(&["tail", &link]));
    tail.says("following");
    // The folder is the follower's now: who comes second acts through it, and needs no passphrase for that.
    let mut second = estoile(&["send", &link, "three", "--as", "Alice", "--json", "--data", data.to_str().unwrap()]);
    second.env_remove("ESTOILE_PASSPHRASE");
    let told = finish(second, b"").ok();
    assert_eq!(json(told.text().trim())["state"], "kept");
    assert_eq!(tail.line(), "Alice: three");
    drop(tail);
    // When the follower has gone, even by SIGKILL, the folder is free again.
    finish(alice(&["send", &link, "four"]), b"").ok();
}
