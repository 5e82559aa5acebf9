//! Every decoder that meets bytes from outside, as a plain function that any fuzzer can call.
//!
//! A target takes bytes and returns; it panics only if a decoder breaks its promise. CI replays each corpus and mutates it for
//! a few seconds on stable (`tests/mutate.rs`); `fuzz_targets/` holds the same functions for `cargo fuzz` by hand.
//! This crate knows no sockets and no files.
#![forbid(unsafe_code)]
// A target's only way to report a broken promise is to panic, and it is no part of any program.
#![expect(clippy::panic, reason = "a fuzz target reports by panicking")]

mod accounts;
mod corpus;
mod history;
mod mutate;
mod private;
mod rooms;
mod seals;
mod wire;

pub use mutate::Mutator;

/// A decoder under test.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name, for the report.
    pub name: &'static str,
    /// Feeds it bytes.
    pub run: fn(&[u8]),
    /// Valid inputs to start from.
    pub corpus: fn() -> Vec<Vec<u8>>,
}

/// All targets.
pub const TARGETS: &[Target] = &[
    Target { name: "client-frame", run: wire::client_frame, corpus: corpus::client_frames },
    Target { name: "relay-frame", run: wire::relay_frame, corpus: corpus::relay_frames },
    Target { name: "fernet-lenient", run: seals::fernet_lenient, corpus: corpus::tokens },
    Target { name: "fernet-strict", run: seals::fernet_strict, corpus: corpus::tokens },
    Target { name: "fernet-key", run: seals::fernet_key, corpus: corpus::keys_text },
    Target { name: "content", run: seals::content, corpus: corpus::contents },
    Target { name: "letter-body", run: seals::letter_body, corpus: corpus::bodies },
    Target { name: "letter-inside", run: seals::letter_inside, corpus: corpus::letters },
    Target { name: "signal", run: seals::signal, corpus: corpus::signals },
    Target { name: "link", run: seals::link, corpus: corpus::links },
    Target { name: "passphrase", run: seals::passphrase, corpus: corpus::passphrases },
    Target { name: "vault-value", run: seals::vault_value, corpus: corpus::vault_values },
    Target { name: "private-letter", run: private::letter, corpus: private::letters },
    Target { name: "roster", run: private::roster, corpus: private::rosters },
    Target { name: "at-door", run: private::at_door, corpus: private::door_bodies },
    Target { name: "announcement", run: private::announcement, corpus: private::announcements },
    Target { name: "remembered-views", run: private::remembered, corpus: private::views },
    Target { name: "recovery-words", run: accounts::recovery, corpus: accounts::recoveries },
    Target { name: "chain", run: accounts::chain, corpus: accounts::chains },
    Target { name: "chain-proposal", run: accounts::proposal, corpus: accounts::proposals },
    Target { name: "account-record", run: accounts::record, corpus: accounts::records },
    Target { name: "card", run: accounts::card, corpus: accounts::cards },
    Target { name: "shelf-item", run: accounts::shelf_item, corpus: accounts::shelf_items },
    Target { name: "mailbox-letter", run: accounts::mailbox_letter, corpus: accounts::mailbox_letters },
    Target { name: "mailbox-body", run: accounts::mailbox_body, corpus: accounts::mailbox_bodies },
    Target { name: "device-message", run: accounts::device_message, corpus: accounts::device_messages },
    Target { name: "device-granted", run: accounts::device_granted, corpus: accounts::device_grants },
    Target { name: "history", run: history::history, corpus: history::histories },
    Target { name: "account-link", run: accounts::link, corpus: accounts::links },
    Target { name: "verify-code", run: accounts::verify_code, corpus: accounts::verify_codes },
    Target { name: "hub-session", run: rooms::hub_session, corpus: corpus::client_frames },
    Target { name: "engine-frames", run: rooms::engine_frames, corpus: corpus::relay_frames },
];

/// Feeds one target: the first byte chooses it, the rest is its input (the shape that `cargo fuzz` wants).
pub fn any(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else { return };
    if let Some(target) = TARGETS.get(usize::from(*first) % TARGETS.len()) {
        (target.run)(rest);
    }
}
