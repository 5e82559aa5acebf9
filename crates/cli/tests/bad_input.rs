//! Whatever is wrong: what happened, why, and what to do, with the exit code that says so.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that is surprised fails")]

mod common;

use common::{Relay, estoile, finish, follow, json, run, run_with, start};

const NOWHERE: &str = "http://127.0.0.1:1/#q/kitchen/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[test]
fn a_link_that_is_none_is_not_repeated() {
    for command in ["send", "tail"] {
        run(&[command, "not a link"]).fails(1, &["no room", "link"]);
        let cut = NOWHERE.get(..NOWHERE.len() - 5).unwrap();
        let done = run(&[command, cut]);
        assert!(!done.err.contains("/AAAA"), "{done:?}");
        done.fails(2, &["link"]);
        run(&[command, "http://127.0.0.1:7070"]).fails(2, &["#q/"]);
    }
}

#[test]
fn plain_http_is_for_this_machine_alone() {
    let link = NOWHERE.replace("127.0.0.1:1", "192.168.7.7:7070");
    run(&["send", &link, "text", "--wait", "5s"]).fails(2, &["http", "https"]);
    run(&["room", "new", "--relay", "http://chat.example:7070", "--wait", "5s"]).fails(2, &["http", "https"]);
}

#[test]
fn an_unknown_relay_is_waited_for_and_then_told() {
    for args in [&["send", NOWHERE, "text"][..], &["tail", NOWHERE], &["room", "new", "--relay", "http://127.0.0.1:1"]]
    {
        run(&[args, &["--wait", "1s"]].concat()).fails(1, &["127.0.0.1:1", "nothing listens there", "--wait"]);
    }
    let done = run(&["send", NOWHERE, "text", "--json", "--wait", "1s"]);
    assert_eq!(done.code, Some(1));
    assert!(done.out.is_empty() || json(done.text().trim())["state"] == "failed", "{done:?}");
}

#[test]
fn a_wrong_link_is_told() {
    let relay = Relay::start();
    let link = relay.room(&[]);
    let (start, _) = link.rsplit_once('/').unwrap();
    let other = format!("{start}/{}", "A".repeat(43));
    for args in [&["send", &other, "text"][..], &["tail", &other], &["tail", &other, "--all", "--for", "5s"]] {
        run(args).fails(1, &["no such room here: wrong link or passphrase, or it has ended"]);
    }
}

#[test]
fn a_text_over_the_limit_is_refused_with_the_limit() {
    let relay = Relay::start();
    let link = relay.room(&[]);
    let long = "x".repeat(32 * 1024 + 1);
    let input = format!("before\n{long}\nafter\n");
    let done = run_with(&["send", &link, "--json"], input.as_bytes());
    assert_eq!(done.code, Some(1));
    assert!(done.err.contains("32768"), "{}", done.err);
    let mut states: Vec<_> = done.text().lines().map(|l| json(l)["state"].as_str().unwrap().to_owned()).collect();
    states.sort();
    assert_eq!(states, ["failed", "kept", "kept"]);
    let heard = run(&["tail", &link, "--all", "--count", "2"]).ok();
    assert!(heard.text().contains("before") && heard.text().contains("after"));
    run(&["send", &link, ""]).fails(1, &["nothing to send"]);
}

#[test]
fn times_and_names_are_checked() {
    run(&["send", NOWHERE, "text", "--ttl", "10"]).fails(2, &["30s, 10m, 2h"]);
    run(&["send", NOWHERE, "text", "--clock", "yesterday"]).fails(2, &["-45s"]);
    run(&["send", NOWHERE, "text", "--as", ""]).fails(1, &["name"]);
    run(&["serve", "--max-disk", "lots"]).fails(2, &["10G"]);
    run(&["serve", "--ping", "90s"]).fails(2, &["--silence"]);
    run(&["chat", NOWHERE]).fails(2, &["terminal", "estoile send"]);
    let mut command = estoile(&["tail", NOWHERE]);
    command.env("ESTOILE_LOG", "everything=please=now");
    finish(command, b"").fails(2, &["ESTOILE_LOG"]);
}

#[test]
fn a_relays_folder_belongs_to_one_relay_and_its_port_too() {
    let relay = Relay::start();
    let folder = relay.folder.path().to_str().unwrap();
    run(&["serve", "--listen", "127.0.0.1:0", "--data", folder]).fails(1, &["in use", "--data"]);
    let other = tempfile::tempdir().unwrap();
    let address = relay.url.strip_prefix("http://").unwrap();
    run(&["serve", "--listen", address, "--data", other.path().to_str().unwrap()])
        .fails(1, &["can't listen on", "--listen"]);
}

#[test]
fn a_vault_says_what_is_wrong_with_it() {
    let relay = Relay::start();
    let link = relay.room(&[]);
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("vault");
    let send = |passphrase: Option<&str>| {
        let mut command = estoile(&["send", &link, "text", "--data", data.to_str().unwrap()]);
        if let Some(passphrase) = passphrase {
            command.env("ESTOILE_PASSPHRASE", passphrase);
        }
        finish(command, b"")
    };
    let unkept = send(None).ok();
    assert!(unkept.err.contains("nothing is kept on this machine"), "{}", unkept.err);
    send(Some("correct")).ok();
    send(Some("wrong")).fails(1, &["wrong passphrase", "ESTOILE_PASSPHRASE"]);
    send(None).fails(1, &["locked with a passphrase", "ESTOILE_PASSPHRASE"]);
    std::fs::write(data.join("vault.redb"), b"something else").unwrap();
    send(Some("correct")).fails(1, &["is damaged", "backup"]);
}

#[test]
fn a_corrupted_store_is_told() {
    let mut relay = Relay::start();
    relay.room(&[]);
    relay.crash();
    let mut spoiled = 0;
    for file in walk(relay.folder.path()) {
        let length = std::fs::metadata(&file).unwrap().len();
        if length > 0 {
            std::fs::write(&file, vec![0xa5; usize::try_from(length.min(4096)).unwrap()]).unwrap();
            spoiled += 1;
        }
    }
    assert!(spoiled > 0);
    let done = run(&["serve", "--listen", "127.0.0.1:0", "--data", relay.folder.path().to_str().unwrap()]);
    done.fails(1, &["estoile:"]);
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] })
        .collect()
}

#[test]
fn stamped_45_s_ago_under_30_s_is_refused_and_told() {
    let relay = Relay::start();
    let link = relay.room(&["--ttl", "30s"]);
    let tail = follow(&link, &[]);
    let sent = run(&["send", &link, "too late", "--as", "Alice", "--clock", "-45s"]).ok();
    assert!(sent.err.contains("clock"), "the sender is told how far its clock is off: {}", sent.err);
    let notice = json(&tail.line());
    assert_eq!((notice["type"].as_str(), notice["kind"].as_str()), (Some("notice"), Some("expired")), "{notice}");
    assert_eq!((notice["from"].as_str(), notice["count"].as_u64()), (Some("Alice"), Some(1)), "{notice}");
    assert!(notice["detail"].as_str().unwrap().len() > 20);
    run(&["send", &link, "in time", "--as", "Alice", "--clock", "-15s"]).ok();
    loop {
        let line = json(&tail.line());
        if line["type"] == "message" {
            assert_eq!(line["text"], "in time");
            return;
        }
    }
}

/// That it is shown when its time has come is for the engine's tests, whose time is virtual.
#[test]
fn a_letter_from_the_future_is_held_and_told() {
    let relay = Relay::start();
    let link = relay.room(&[]);
    let tail = follow(&link, &[]);
    run(&["send", &link, "from tomorrow", "--clock", "+30m", "--as", "Alice"]).ok();
    let notice = json(&tail.line());
    assert_eq!((notice["type"].as_str(), notice["kind"].as_str()), (Some("notice"), Some("future")), "{notice}");
    assert_eq!(notice["from"], "Alice");
    run(&["send", &link, "from now", "--as", "Bob"]).ok();
    loop {
        let line = json(&tail.line());
        if line["type"] == "message" {
            assert_eq!(line["text"], "from now");
            return;
        }
    }
}

#[test]
fn a_tail_with_a_wrong_clock_is_told_by_how_much() {
    let relay = Relay::start();
    let link = relay.room(&[]);
    let tail = start(&["tail", &link, "--json", "--clock", "+2m"]);
    let notice = json(&tail.line());
    assert_eq!(notice["kind"], "clock", "{notice}");
    // A second may have passed between the two clocks' readings.
    let detail = notice["detail"].as_str().unwrap();
    assert!(detail.contains("2 min ahead") || detail.contains("119 s ahead"), "{notice}");
}
