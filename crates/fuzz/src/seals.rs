//! What opens bodies: under keys that the fuzzer has, so that it reaches what lies behind the authentication.

use std::str::FromStr;

use estoile_seal::letter::{self, Written};
use estoile_seal::link::{Link, RelayUrl};
use estoile_seal::mimi::Content;
use estoile_seal::quick::{RoomKeys, RoomSecret};
use estoile_seal::signal::SignalMessage;
use estoile_seal::vault_key::VaultKey;
use estoile_seal::{fernet, passphrase as phrase};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

/// The room whose keys the fuzzer has.
pub(crate) fn keys() -> RoomKeys {
    RoomKeys::derive(&RoomSecret::from_bytes([7; 32]))
}

/// The Fernet key of the token targets.
pub(crate) fn fernet_test_key() -> fernet::Key {
    fernet::Key::from_bytes(&[9; 32])
}

/// The vault key of the vault target.
pub(crate) fn vault_test_key() -> VaultKey {
    VaultKey::generate(&mut ChaCha20Rng::seed_from_u64(5))
}

pub(crate) fn fernet_lenient(bytes: &[u8]) {
    for ttl in [None, Some(60), Some(i64::MAX), Some(i64::MIN)] {
        for now in [0, 1_760_000_000, u64::MAX] {
            let _ = fernet::decrypt_at(&fernet_test_key(), bytes, ttl, now);
        }
    }
}

pub(crate) fn fernet_strict(bytes: &[u8]) {
    let strict = fernet::decode_strict(&fernet_test_key(), bytes);
    let lenient = fernet::decrypt_at(&fernet_test_key(), bytes, None, 0);
    if let Ok(token) = strict {
        assert_eq!(lenient.as_deref(), Ok(&*token.plaintext), "what is strictly a token is one");
    }
}

pub(crate) fn fernet_key(bytes: &[u8]) {
    if let Some(key) = std::str::from_utf8(bytes).ok().and_then(|text| fernet::Key::from_base64(text).ok()) {
        assert!(fernet::Key::from_base64(&key.to_base64()).is_ok(), "a key that was read can be read again");
    }
}

pub(crate) fn content(bytes: &[u8]) {
    if let Ok(content) = Content::decode(bytes) {
        assert_eq!(content.encode(), bytes, "content has one encoding");
        let _ = (content.text(), content.kind());
    }
}

pub(crate) fn letter_body(bytes: &[u8]) {
    let _ = letter::open(&keys(), bytes);
}

pub(crate) fn letter_inside(bytes: &[u8]) {
    if let Ok((written, _)) = Written::from_bytes(&keys().log_id(), bytes) {
        assert_eq!(written.to_bytes(), bytes, "a letter has one encoding");
    }
}

pub(crate) fn signal(bytes: &[u8]) {
    let _ = SignalMessage::open(&keys(), bytes);
}

pub(crate) fn link(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(link) = Link::from_str(&text) {
        assert_eq!(Link::from_str(&link.to_string()).as_ref(), Ok(&link), "a link reads what it writes");
    }
    if let Ok(url) = RelayUrl::from_str(&text) {
        assert_eq!(RelayUrl::from_str(&url.to_string()).as_ref(), Ok(&url), "an address reads what it writes");
    }
}

pub(crate) fn passphrase(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let once = phrase::normalise(&text);
    assert_eq!(*phrase::normalise(&once), *once, "normal is normal");
    let _ = phrase::check_strength(&text);
}

pub(crate) fn vault_value(bytes: &[u8]) {
    let _ = vault_test_key().open(b"name", bytes);
}
