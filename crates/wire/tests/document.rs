//! docs/protocol.md says what this code does: its example frames and its table of refusals are compared with the code.
//! They are frozen: a difference means that the protocol changed, not that the document must follow.
#![expect(clippy::unwrap_used, reason = "a test: what is missing must stop it")]

mod common;

use std::collections::BTreeMap;

use estoile_wire::refusal::{Refusal, Retry};
use estoile_wire::{ClientFrame, RelayFrame, limits};

const DOCUMENT: &str = include_str!("../../../docs/protocol.md");

/// The lines `name: hex` of the document's block of that kind.
fn block(kind: &str) -> BTreeMap<String, String> {
    let after = DOCUMENT.split_once(&format!("```{kind}\n")).unwrap().1;
    let inside = after.split_once("```").unwrap().0;
    let pair = |line: &str| line.split_once(": ").map(|(name, hex)| (name.to_owned(), hex.to_owned()));
    inside.lines().map(|line| pair(line).unwrap()).collect()
}

/// Fails with what the document would have to say.
fn compare(documented: &BTreeMap<String, String>, ours: &BTreeMap<String, String>) {
    let lines: Vec<String> = ours.iter().map(|(name, hex)| format!("{name}: {hex}")).collect();
    assert!(documented == ours, "the document and the code differ; the code makes:\n{}\n", lines.join("\n"));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn unhex(hex: &str) -> Vec<u8> {
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    hex.as_bytes().chunks(2).map(byte).collect()
}

#[test]
fn client_frames_are_as_documented() {
    let documented = block("client-frames");
    let ours: BTreeMap<String, String> =
        common::client_frames().iter().map(|(name, f)| ((*name).to_owned(), hex(&f.encode()))).collect();
    compare(&documented, &ours);
    for (name, frame) in common::client_frames() {
        assert_eq!(ClientFrame::decode(&unhex(&documented[name])), Ok(frame), "{name}");
    }
}

#[test]
fn relay_frames_are_as_documented() {
    let documented = block("relay-frames");
    let ours: BTreeMap<String, String> =
        common::relay_frames().iter().map(|(name, f)| ((*name).to_owned(), hex(&f.encode()))).collect();
    compare(&documented, &ours);
    for (name, frame) in common::relay_frames() {
        assert_eq!(RelayFrame::decode(&unhex(&documented[name])), Ok(frame), "{name}");
    }
}

#[test]
fn refusals_are_as_documented() {
    let row = |refusal: &Refusal| {
        let retry = match refusal.retry() {
            Retry::Never => "never",
            Retry::Later => "later",
            Retry::Reconnect => "reconnect",
        };
        format!("| {} | `{}` | {retry} |", refusal.code(), refusal.slug())
    };
    for refusal in Refusal::ALL {
        let start = row(refusal);
        assert!(DOCUMENT.lines().any(|line| line.starts_with(&start)), "no row begins with {start}");
    }
    let rows =
        DOCUMENT.lines().filter(|l| l.starts_with("| ") && l.split(" | ").nth(1).is_some_and(|s| s.starts_with('`')));
    let codes = rows.filter(|l| l.contains("never |") || l.contains("later |") || l.contains("reconnect |")).count();
    assert_eq!(codes, Refusal::ALL.len(), "the table has rows that the code does not know");
}

#[test]
fn limits_are_as_documented() {
    let limits = [
        ("MAX_FRAME", limits::MAX_FRAME as u64),
        ("MAX_BODY", limits::MAX_BODY as u64),
        ("MAX_SIGNAL", limits::MAX_SIGNAL as u64),
        ("SILENCE_MS", limits::SILENCE_MS),
        ("PING_MS", limits::PING_MS),
        ("MAX_VERSIONS", limits::MAX_VERSIONS as u64),
        ("MAX_ATTACHMENTS", limits::MAX_ATTACHMENTS as u64),
        ("MAX_ENTRY_CODE", limits::MAX_ENTRY_CODE as u64),
        ("MAX_TTL_SECONDS", limits::MAX_TTL_SECONDS),
    ];
    for (name, value) in limits {
        assert!(DOCUMENT.contains(&format!("| `{name}` | {value} |")), "{name} is {value}");
    }
}
