//! Four senders and a relay that is killed again and again: what was reported kept is there, in order, none twice.
//!
//! `ESTOILE_TEST_MESSAGES` sets how many messages in all (400 unless told), `ESTOILE_TEST_KILLS` how many times.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that is surprised fails")]

mod common;

use std::collections::BTreeMap;

use common::{Relay, estoile, finish, json, run, start, start_command};

const SENDERS: usize = 4;

fn from_environment(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default)
}

/// All that a late reader finds: sender's name to texts, in the order printed.
fn late_reader(link: &str, count: usize) -> BTreeMap<String, Vec<(String, String)>> {
    let done = run(&["tail", link, "--all", "--json", "--count", &count.to_string(), "--for", "60s"]).ok();
    let mut found = BTreeMap::<String, Vec<_>>::new();
    for line in done.text().lines().map(json).filter(|l| l["type"] == "message") {
        let field = |name: &str| line[name].as_str().unwrap().to_owned();
        found.entry(field("from")).or_default().push((field("text"), field("id")));
    }
    found
}

#[test]
fn four_senders_and_a_relay_that_is_killed() {
    let each = from_environment("ESTOILE_TEST_MESSAGES", 400) / SENDERS;
    let kills = from_environment("ESTOILE_TEST_KILLS", 3);
    let mut relay = Relay::start();
    let link = relay.room(&[]);
    let mut senders: Vec<_> =
        (0..SENDERS).map(|n| start(&["send", &link, "--json", "--as", &format!("sender-{n}")])).collect();
    let mut kept: Vec<Vec<String>> = vec![Vec::new(); SENDERS];
    // Between two kills every sender has messages under way, and at least one is known to be kept.
    let mut sent = 0;
    for round in 0..=kills {
        let until = each * (round + 1) / (kills + 1);
        for n in sent..until {
            for (who, sender) in senders.iter_mut().enumerate() {
                sender.type_line(&format!("sender {who} message {n}"));
            }
        }
        sent = until;
        for (who, sender) in senders.iter().enumerate() {
            kept[who].push(id_of_kept(&sender.line()));
        }
        if round < kills {
            relay.crash_and_return();
        }
    }
    for (who, sender) in senders.iter_mut().enumerate() {
        assert_eq!(sender.wait(), Some(0), "{:?}", sender.talk());
        while let Some(line) = sender.line_or_end() {
            kept[who].push(id_of_kept(&line));
        }
        assert_eq!(kept[who].len(), each, "one line a message");
    }
    let found = late_reader(&link, each * SENDERS);
    for (who, kept) in kept.iter().enumerate() {
        let heard = &found[&format!("sender-{who}")];
        let texts: Vec<_> = heard.iter().map(|(text, _)| text.clone()).collect();
        let expected: Vec<_> = (0..each).map(|n| format!("sender {who} message {n}")).collect();
        let wrong = texts.iter().zip(&expected).position(|(text, expected)| text != expected);
        assert_eq!((texts.len(), wrong), (each, None), "sender {who}: how many, and the first that stands elsewhere");
        let mut ids: Vec<_> = heard.iter().map(|(_, id)| id.clone()).collect();
        let mut kept = kept.clone();
        ids.sort();
        kept.sort();
        assert!(ids == kept, "what was reported kept is what was read");
    }
}

fn id_of_kept(line: &str) -> String {
    let line = json(line);
    assert_eq!(line["state"], "kept", "{line}");
    line["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_sender_with_a_vault_that_is_killed_loses_and_doubles_nothing() {
    let relay = Relay::start();
    let link = relay.room(&[]);
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("vault");
    let send = || {
        let mut command = estoile(&["send", &link, "--json", "--as", "Alice", "--data", data.to_str().unwrap()]);
        command.env("ESTOILE_PASSPHRASE", "correct horse battery");
        command
    };
    let mut kept = Vec::new();
    for round in 0..4 {
        let mut alice = start_command(send());
        for n in 0..50 {
            alice.type_line(&format!("round {round} message {n}"));
        }
        // Killed with some kept, some under way and some not even read.
        for _ in 0..round * 15 {
            kept.push(id_of_kept(&alice.line()));
        }
        alice.kill();
        while let Some(line) = alice.line_or_end() {
            kept.push(id_of_kept(&line));
        }
    }
    finish(send(), b"the end\n").ok();
    let done = run(&["tail", &link, "--all", "--json", "--for", "5s"]).ok();
    let lines: Vec<_> = done.text().lines().map(json).collect();
    let notices: Vec<_> = lines.iter().filter(|l| l["type"] == "notice").collect();
    assert!(notices.is_empty(), "nothing looks withheld, doubled or reordered: {notices:?}");
    let texts: Vec<_> = lines.iter().map(|l| l["text"].as_str().unwrap().to_owned()).collect();
    assert_eq!(texts.last().unwrap(), "the end");
    for round in 0..4 {
        let of_round: Vec<_> = texts.iter().filter(|t| t.starts_with(&format!("round {round} "))).collect();
        for (n, text) in of_round.iter().enumerate() {
            assert_eq!(**text, format!("round {round} message {n}"), "in order, none twice, none missing between");
        }
    }
    for id in kept {
        assert!(lines.iter().any(|l| l["id"] == id.as_str()), "a message that was reported kept is not there");
    }
}
