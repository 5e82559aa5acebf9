//! Other people's examples: Fernet's published vectors and the MIMI draft's files, copied into `fixtures/`.
#![expect(clippy::unwrap_used, reason = "a test: what is missing must stop it")]

use std::fs;
use std::path::{Path, PathBuf};

use estoile_seal::fernet::{Key, decode_strict, decrypt_at, encrypt_from_parts};
use estoile_seal::mimi::{Content, MimiError};
use serde_json::Value;

fn fixtures(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(folder)
}

fn vectors(file: &str) -> Vec<Value> {
    let text = fs::read_to_string(fixtures("fernet").join(file)).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn text<'a>(vector: &'a Value, field: &str) -> &'a str {
    vector[field].as_str().unwrap()
}

/// All vectors are of one morning, in one time zone: 1985-10-26, -07:00.
fn now(vector: &Value) -> u64 {
    const MIDNIGHT: u64 = 499_158_000;
    let time = text(vector, "now").strip_prefix("1985-10-26T").unwrap().strip_suffix("-07:00").unwrap();
    time.split(':').fold(0, |sum, part| sum * 60 + part.parse::<u64>().unwrap()) + MIDNIGHT
}

fn key(vector: &Value) -> Key {
    Key::from_base64(text(vector, "secret")).unwrap()
}

#[test]
fn fernet_generates_what_others_generate() {
    for vector in vectors("generate.json") {
        let iv: Vec<u8> = serde_json::from_value(vector["iv"].clone()).unwrap();
        let token =
            encrypt_from_parts(&key(&vector), text(&vector, "src").as_bytes(), now(&vector), &iv.try_into().unwrap());
        assert_eq!(token, text(&vector, "token"));
    }
}

#[test]
fn fernet_verifies_what_others_made() {
    for vector in vectors("verify.json") {
        let token = text(&vector, "token").as_bytes();
        let opened = decrypt_at(&key(&vector), token, vector["ttl_sec"].as_i64(), now(&vector)).unwrap();
        assert_eq!(opened.as_slice(), text(&vector, "src").as_bytes());
        assert_eq!(decode_strict(&key(&vector), token).unwrap().plaintext, opened);
    }
}

#[test]
fn fernet_refuses_what_others_refuse() {
    let vectors = vectors("invalid.json");
    assert_eq!(vectors.len(), 8);
    for vector in vectors {
        let token = text(&vector, "token").as_bytes();
        let refused = decrypt_at(&key(&vector), token, vector["ttl_sec"].as_i64(), now(&vector));
        assert!(refused.is_err(), "{}", text(&vector, "desc"));
    }
}

#[test]
fn the_drafts_fourteen_messages_re_encode_byte_for_byte_and_the_fifteenth_is_none() {
    let mut read = 0;
    for entry in fs::read_dir(fixtures("mimi")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        let decoded = Content::decode(&bytes);
        if path.ends_with("implied-original.cbor") {
            assert_eq!(decoded, Err(MimiError::Malformed));
        } else {
            assert_eq!(decoded.unwrap().encode(), bytes, "{}", path.display());
            read += 1;
        }
    }
    assert_eq!(read, 14);
}

#[test]
fn every_cut_of_the_drafts_messages_is_refused() {
    for entry in fs::read_dir(fixtures("mimi")).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        for len in 0..bytes.len() {
            assert!(Content::decode(&bytes[..len]).is_err());
        }
    }
}
