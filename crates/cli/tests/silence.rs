//! A busy chat with the relay's log at `trace`; then its log, folder and memory-mapped files are searched for all that was said.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that is surprised fails")]

mod common;

use std::path::Path;

use common::{estoile, finish, follow, run, start_command};
use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use rustix::process::Signal;

/// How a secret might be written down by mistake.
fn spellings(secret: &[u8]) -> Vec<Vec<u8>> {
    let mut all = vec![secret.to_vec()];
    all.extend([HEXLOWER, HEXUPPER].map(|e| e.encode(secret).into_bytes()));
    for skip in 0..3 {
        // Base64 of a longer text that holds the secret: whole groups from each of the three phases.
        if let Some(rest) = secret.get(skip..).filter(|rest| rest.len() >= 9) {
            let whole = rest.len() / 3 * 3;
            let part = rest.get(..whole).unwrap();
            all.extend([BASE64_NOPAD.encode(part).into_bytes(), BASE64URL_NOPAD.encode(part).into_bytes()]);
        }
    }
    all.extend([BASE64.encode(secret).into_bytes(), BASE64URL.encode(secret).into_bytes()]);
    let debug = secret.iter().map(u8::to_string).collect::<Vec<_>>();
    all.extend([debug.join(", ").into_bytes(), debug.join(",").into_bytes()]);
    all
}

fn files(folder: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
}

#[test]
fn the_relay_writes_down_nothing_that_was_said() {
    for format in ["human", "json"] {
        scan(format);
    }
}

fn scan(format: &str) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap().to_owned();
    let log = folder.path().join("log");
    let mut command =
        estoile(&["serve", "--listen", "127.0.0.1:0", "--data", &format!("{data}/relay"), "--log", format]);
    command.env("ESTOILE_LOG", "trace").stderr(std::fs::File::create(&log).unwrap());
    let mut child = start_command(command);
    let url = child.line().strip_prefix("listening on ").unwrap().to_owned();

    let room = run(&["room", "new", "--relay", &url, "--name", "submarine-parlour"]).ok();
    let link = room.text().trim().to_owned();
    let tail = follow(&link, &["--as", "Wilhelmina"]);
    let texts = ["the-treasure-is-under-the-old-oak", "bring-seventeen-shovels-at-midnight"];
    for text in texts {
        run(&["send", &link, text, "--as", "Bartholomew"]).ok();
        tail.line();
    }
    run(&["tail", &link, "--all", "--count", "2"]).ok();
    let wrong = format!("{}{}", link.rsplit_once('/').unwrap().0, format_args!("/{}", "A".repeat(43)));
    assert_eq!(run(&["tail", &wrong]).code, Some(1));
    let made = run(&["room", "new", "--relay", &url, "--name", "velvet-cellar", "--passphrase"]).ok();
    let words = made.err.lines().last().unwrap().to_owned();
    let mut with = estoile(&["send", made.text().trim(), "a-word-in-the-cellar"]);
    with.env("ESTOILE_ROOM_PASSPHRASE", &words);
    finish(with, b"").ok();
    drop(tail);

    let mut found = Vec::new();
    mapped(&child, &mut found);
    child.signal(Signal::TERM);
    assert_eq!(child.wait_open(), Some(0));
    files(folder.path(), &mut found);
    let written = found.iter().find(|(name, _)| name.ends_with("/log")).unwrap();
    assert!(written.1.len() > 1000, "a log at trace says a lot");

    let secret = BASE64URL_NOPAD.decode(link.rsplit('/').next().unwrap().as_bytes()).unwrap();
    let mut needles: Vec<Vec<u8>> = vec![link.into_bytes(), secret];
    for word in ["submarine-parlour", "velvet-cellar", "Wilhelmina", "Bartholomew", "a-word-in-the-cellar", &words] {
        needles.push(word.as_bytes().to_vec());
    }
    needles.extend(texts.map(|t| t.as_bytes().to_vec()));
    for needle in needles.iter().flat_map(|n| spellings(n)) {
        for (name, bytes) in &found {
            assert!(
                !bytes.windows(needle.len()).any(|w| w == needle),
                "{} stands in {name}",
                String::from_utf8_lossy(&needle)
            );
        }
    }
    // Of addresses the relay's own may stand in the log, and no other.
    let own = url.strip_prefix("http://").unwrap();
    let text = String::from_utf8_lossy(&written.1).replace(own, "OWN");
    assert!(!text.contains("127.0.0.1"), "a peer's address stands in the log");
}

/// The whole state of a relay after lives of accounts, contacts, devices and private rooms: no account's id, no device's,
/// no name, no roster, no room's name stands in it.
#[test]
fn the_relay_writes_down_nothing_of_who_is_who() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let mut command = estoile(&["serve", "--listen", "127.0.0.1:0", "--data", &at("relay")]);
    command.env("ESTOILE_LOG", "trace").stderr(std::fs::File::create(folder.path().join("relay.log")).unwrap());
    let mut child = start_command(command);
    let url = child.line().strip_prefix("listening on ").unwrap().to_owned();
    let person = |who: &str, args: &[&str]| {
        let mut command = estoile(&[args, &["--data", &at(&format!("people/{who}"))]].concat());
        command.env("ESTOILE_PASSPHRASE", "correct horse battery");
        finish(command, b"").ok().text().trim().to_owned()
    };
    let (one, other) = ("Bartholomew", "Wilhelmina");
    let mut needles: Vec<Vec<u8>> = Vec::new();
    for who in [one, other] {
        needles
            .push(person(who, &["account", "new", "--as", who, "--relay", &url, "--device", "ironclad"]).into_bytes());
    }
    let link = person(one, &["contact", "link"]);
    person(other, &["contact", "add", &link, "--text", "remember-the-lighthouse"]);
    person(one, &["contact", "accept", other]);
    person(one, &["room", "new", "--private", "--name", "obsidian-greenhouse"]);
    person(one, &["room", "invite", "obsidian-greenhouse", other]);
    person(other, &["send", "obsidian-greenhouse", "the-orchid-blooms-at-dawn"]);
    let door = person(one, &["room", "link", "obsidian-greenhouse"]);
    person(one, &["room", "role", "obsidian-greenhouse", other, "admin"]);
    person(one, &["send", "obsidian-greenhouse", "water-it-with-rain-alone"]);
    person(other, &["tail", "obsidian-greenhouse", "--all", "--count", "2"]);
    for who in [one, other] {
        let shown: serde_json::Value = serde_json::from_str(&person(who, &["account", "show", "--json"])).unwrap();
        let ids = [&shown["account"], &shown["devices"][0]["device"]];
        needles.extend(ids.map(|id| HEXLOWER.decode(id.as_str().unwrap().as_bytes()).unwrap()));
        needles.push(who.as_bytes().to_vec());
    }
    let words = ["ironclad", "obsidian-greenhouse", "remember-the-lighthouse", "the-orchid-blooms-at-dawn"];
    needles.extend(words.into_iter().chain(["water-it-with-rain-alone"]).map(|w| w.as_bytes().to_vec()));
    needles.extend([link, door].map(|link| link.rsplit('/').next().unwrap().as_bytes().to_vec()));

    let mut found = Vec::new();
    mapped(&child, &mut found);
    child.signal(Signal::TERM);
    assert_eq!(child.wait_open(), Some(0));
    files(&folder.path().join("relay"), &mut found);
    found.push(("the log".to_owned(), std::fs::read(folder.path().join("relay.log")).unwrap()));
    let kept: usize = found.iter().map(|(_, bytes)| bytes.len()).sum();
    assert!(kept > 50_000, "accounts, shelves and rooms are there: {kept} bytes");
    for needle in needles.iter().flat_map(|n| spellings(n)) {
        for (name, bytes) in &found {
            let stands = bytes.windows(needle.len()).any(|w| w == needle);
            assert!(!stands, "{} stands in {name}", String::from_utf8_lossy(&needle));
        }
    }
}

/// The files that the process has mapped into its memory.
fn mapped(child: &common::Running, found: &mut Vec<(String, Vec<u8>)>) {
    let maps = std::fs::read_to_string(format!("/proc/{}/maps", child.id())).unwrap_or_default();
    let mut paths: Vec<_> = maps.lines().filter_map(|l| l.find('/').map(|at| l.split_at(at).1)).collect();
    paths.sort_unstable();
    paths.dedup();
    for path in paths.into_iter().filter(|p| !p.starts_with("/usr") && !p.starts_with("/lib")) {
        if let Ok(bytes) = std::fs::read(path)
            && !path.contains("/target/")
        {
            found.push((format!("{path} (mapped)"), bytes));
        }
    }
}
