//! docs/protocol.md says what this code does: its example frames and its table of refusals are compared with the code.
//! They are frozen: a difference means that the protocol changed, not that the document must follow.
#![expect(clippy::unwrap_used, reason = "a test: what is missing must stop it")]

mod common;

use std::collections::BTreeMap;

use estoile_wire::frame::Ticket;
use estoile_wire::id::{LogKind, Nonce, SlotId, TicketSecret};
use estoile_wire::refusal::{Refusal, Retry};
use estoile_wire::{ClientFrame, LogId, PublicKey, RelayFrame, limits, proof};

const DOCUMENT: &str = include_str!("../../../docs/protocol.md");

/// The lines `name: hex` of the document's block of that kind.
fn block(kind: &str) -> BTreeMap<String, String> {
    let after = DOCUMENT.split_once(&format!("```{kind}\n")).unwrap().1;
    let inside = after.split_once("```").unwrap().0;
    let pair = |line: &str| line.split_once(": ").map(|(name, hex)| (name.to_owned(), hex.to_owned()));
    inside.lines().map(|line| pair(line).unwrap()).collect()
}

/// Two such blocks; no name is in both.
fn blocks(one: &str, two: &str) -> BTreeMap<String, String> {
    let (one, two) = (block(one), block(two));
    let all = one.len() + two.len();
    let both: BTreeMap<String, String> = one.into_iter().chain(two).collect();
    assert_eq!(both.len(), all, "a name stands twice");
    both
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
    let documented = blocks("client-frames", "client-frames-2");
    let ours: BTreeMap<String, String> =
        common::client_frames().iter().map(|(name, f)| ((*name).to_owned(), hex(&f.encode()))).collect();
    compare(&documented, &ours);
    for (name, frame) in common::client_frames() {
        assert_eq!(ClientFrame::decode(&unhex(&documented[name])), Ok(frame), "{name}");
    }
}

#[test]
fn relay_frames_are_as_documented() {
    let documented = blocks("relay-frames", "relay-frames-2");
    let ours: BTreeMap<String, String> =
        common::relay_frames().iter().map(|(name, f)| ((*name).to_owned(), hex(&f.encode()))).collect();
    compare(&documented, &ours);
    for (name, frame) in common::relay_frames() {
        assert_eq!(RelayFrame::decode(&unhex(&documented[name])), Ok(frame), "{name}");
    }
}

/// The bytes that a ticket's, a shelf's and an advancing log's owner hashes and signs. The keys are those of the first
/// example; the hub's tests check how they sign.
#[test]
fn signed_bytes_are_as_documented() {
    let first = block("worked-example");
    let key = |name: &str| PublicKey(unhex(&first[name]).try_into().unwrap());
    let (relay, access, nonce) = (key("relay key"), key("access key"), Nonce([4; 32]));
    let secret = TicketSecret([6; 32]);
    let (advancing, shelf) = (LogId::derive(LogKind::Advancing, &access), LogId::derive(LogKind::Shelf, &access));
    let tickets = [Ticket { hash: secret.hash(), per_day: 20, bytes_per_day: 1 << 20 }];
    let put = |clear, items: &[&[u8]], last| proof::put(&relay, &nonce, &shelf, &SlotId([7; 16]), clear, items, last);
    let ours = [
        ("advancing log id", advancing.0.to_vec()),
        ("shelf id", shelf.0.to_vec()),
        ("create bytes of the shelf", proof::create(&relay, &nonce, LogKind::Shelf, &access, 86_400, 0)),
        ("attach bytes of epoch 3", proof::attach(&relay, &nonce, &advancing, 3)),
        ("ticket hash", secret.hash().0.to_vec()),
        ("tickets bytes", proof::tickets(&relay, &nonce, &advancing, 3, &tickets)),
        ("tickets bytes of no tickets", proof::tickets(&relay, &nonce, &shelf, 0, &[])),
        ("put bytes", put(false, &[b"one", b"two"], Some(b"last"))),
        ("put bytes of an emptied slot", put(true, &[], None)),
        ("count bytes", proof::count(&relay, &nonce, &shelf)),
    ];
    compare(&block("signed-bytes"), &ours.map(|(name, bytes)| (name.to_owned(), hex(&bytes))).into());
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
        ("MAX_TICKETS", limits::MAX_TICKETS as u64),
        ("MAX_ITEM", limits::MAX_ITEM as u64),
        ("MAX_ITEMS_A_PUT", limits::MAX_ITEMS_A_PUT as u64),
        ("MAX_SLOTS", limits::MAX_SLOTS as u64),
        ("MAX_ITEMS", limits::MAX_ITEMS as u64),
        ("MAX_BLOB", limits::MAX_BLOB),
    ];
    for (name, value) in limits {
        assert!(DOCUMENT.contains(&format!("| `{name}` | {value} |")), "{name} is {value}");
    }
}
