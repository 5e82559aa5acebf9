//! `estoile fernet` at the shell: what is printed, byte for byte, and what is refused.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that is surprised fails")]

mod common;

use common::{estoile, finish, run, run_with};

/// The specification's own example key and token (<https://github.com/fernet/spec>).
const KEY: &str = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
const TOKEN: &str =
    "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==";
/// When it was made.
const MADE: u64 = 499_162_800;

#[test]
fn the_specifications_token_opens() {
    assert_eq!(run(&["fernet", "decrypt", "--key", KEY, TOKEN]).ok().text(), "hello");
}

#[test]
fn both_borders_of_ttl_and_skew_are_inside() {
    let at = |now: u64| run(&["fernet", "decrypt", "--key", KEY, "--ttl", "60", "--now", &now.to_string(), TOKEN]);
    assert_eq!(at(MADE + 60).ok().text(), "hello");
    at(MADE + 61).fails(1, &["past its time to live"]);
    assert_eq!(at(MADE - 60).ok().text(), "hello");
    at(MADE - 61).fails(1, &["in the future"]);
    let without = run(&["fernet", "decrypt", "--key", KEY, "--now", &(MADE - 10_000).to_string(), TOKEN]);
    assert_eq!(without.ok().text(), "hello");
}

#[test]
fn stdin_goes_through_byte_for_byte() {
    let key = run(&["fernet", "key"]).ok();
    let key = key.text().trim();
    assert_eq!(key.len(), 44);
    let all: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    for text in [b"".as_slice(), b"\n", b"line\n", b"no end", b"\0\xff", &all] {
        let token = run_with(&["fernet", "encrypt", "--key", key], text).ok();
        assert!(token.text().ends_with('\n'));
        let opened = run_with(&["fernet", "decrypt", "--key", key], &token.out).ok();
        assert_eq!(opened.out, text);
    }
}

#[test]
fn an_empty_argument_is_a_text_and_one_may_begin_with_a_hyphen() {
    for text in ["", "-", "--key", "-rf", "with space"] {
        let token = run_with(&["fernet", "encrypt", "--key", KEY, "--", text], b"not this").ok();
        let opened = run(&["fernet", "decrypt", "--key", KEY, token.text().trim()]).ok();
        assert_eq!(opened.text(), text);
    }
    let token = run_with(&["fernet", "encrypt", "--key", KEY, ""], b"not this").ok();
    assert_eq!(run(&["fernet", "decrypt", "--key", KEY, token.text().trim()]).ok().text(), "");
}

#[test]
fn a_key_may_begin_with_a_hyphen() {
    let key = "-_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let token = run(&["fernet", "encrypt", "--key", key, "text"]).ok();
    assert_eq!(run(&["fernet", "decrypt", "--key", key, token.text().trim()]).ok().text(), "text");
    let glued = format!("--key={key}");
    assert_eq!(run(&["fernet", "decrypt", &glued, token.text().trim()]).ok().text(), "text");
}

#[test]
fn the_key_may_stand_in_the_environment() {
    let mut command = estoile(&["fernet", "decrypt", TOKEN]);
    command.env("ESTOILE_FERNET_KEY", KEY);
    assert_eq!(finish(command, b"").ok().text(), "hello");
}

#[test]
fn what_is_refused_is_refused_with_its_reason() {
    let other = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    run(&["fernet", "decrypt", "--key", other, TOKEN]).fails(1, &["key"]);
    run(&["fernet", "decrypt", "--key", KEY, "no token"]).fails(1, &["not a Fernet token"]);
    run(&["fernet", "decrypt", "--key", KEY, ""]).fails(1, &["not a Fernet token"]);
    run(&["fernet", "decrypt", "--key", "short", TOKEN]).fails(2, &["32 bytes"]);
    run(&["fernet", "decrypt", TOKEN]).fails(2, &["--key"]);
    run(&["fernet", "encrypt", "--key", KEY, "--now", "soon", "text"]).fails(2, &["--now"]);
}

#[test]
fn encryption_takes_the_time_it_is_given() {
    let token = run(&["fernet", "encrypt", "--key", KEY, "--now", &MADE.to_string(), "hello"]).ok();
    assert!(token.text().starts_with("gAAAAAAdwJ6w"));
}
