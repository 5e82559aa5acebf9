//! Every decoder of the seals against arbitrary and altered bytes: it never panics, and what it takes it writes back alike.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test: what is missing must stop it")]

use ed25519_dalek::{Signer, SigningKey};
use estoile_seal::SenderKey;
use estoile_seal::fernet::{self, Key};
use estoile_seal::letter::{self, LABEL_LETTER, Letter, Reference, Written};
use estoile_seal::link::{Link, LinkKind, RelayUrl};
use estoile_seal::mimi::{
    Body, Content, Disposition, Expires, Extension, ExtensionName, External, MessageId, Part, Semantics,
};
use estoile_seal::names;
use estoile_seal::passphrase;
use estoile_seal::quick::{RoomKeys, RoomSecret};
use estoile_seal::signal::{SignalKind, SignalMessage};
use estoile_seal::vault_key::VaultKey;
use estoile_wire::{PublicKey, RelayKeyHash};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(1)
}

fn room() -> RoomKeys {
    RoomKeys::derive(&RoomSecret::from_bytes([1; 32]))
}

fn short_bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..40)
}

fn external() -> impl Strategy<Value = Body> {
    let texts = ("[a-z/;=]{0,30}", "\\PC{0,40}", "\\PC{0,30}", "\\PC{0,30}");
    let numbers = (any::<u32>(), any::<u64>(), any::<u16>(), any::<u8>());
    (texts, numbers, [short_bytes(), short_bytes(), short_bytes(), short_bytes()]).prop_map(|(t, n, b)| {
        let (content_type, url, description, filename) = t;
        let (expires, size, enc_alg, hash_alg) = n;
        let [key, nonce, aad, content_hash] = b;
        Body::External(Box::new(External {
            content_type,
            url,
            expires,
            size,
            enc_alg,
            key,
            nonce,
            aad,
            hash_alg,
            content_hash,
            description,
            filename,
        }))
    })
}

fn part() -> impl Strategy<Value = Part> {
    let single = ("[a-z]{1,10}/[a-z]{1,10}", short_bytes())
        .prop_map(|(content_type, content)| Body::Single { content_type, content });
    let text = "\\PC{0,60}"
        .prop_map(|text| Body::Single { content_type: "text/plain".to_owned(), content: text.into_bytes() });
    let whole = |body| {
        (any::<u8>(), "[a-z-]{0,8}", body).prop_map(|(disposition, language, body)| Part {
            disposition: Disposition(disposition),
            language,
            body,
        })
    };
    let leaf = whole(prop_oneof![Just(Body::Null), single, text, external()].boxed());
    leaf.prop_recursive(3, 24, 3, move |inner| {
        let semantics =
            prop_oneof![Just(Semantics::ChooseOne), Just(Semantics::SingleUnit), Just(Semantics::ProcessAll)];
        let multi = (semantics, vec(inner, 2..4)).prop_map(|(semantics, parts)| Body::Multi { semantics, parts });
        whole(multi.boxed())
    })
}

fn extensions() -> impl Strategy<Value = Vec<Extension>> {
    let name = prop_oneof![any::<i64>().prop_map(ExtensionName::Number), "[a-z]{1,30}".prop_map(ExtensionName::Text),];
    // A byte string of at most 23 bytes, a small number, true, or an empty map.
    let value = prop_oneof![
        vec(any::<u8>(), 0..24).prop_map(|bytes| [vec![0x40 | u8::try_from(bytes.len()).unwrap()], bytes].concat()),
        (0..24_u8).prop_map(|n| vec![n]),
        Just(vec![0xf5]),
        Just(vec![0xa0]),
    ];
    vec((name, value), 0..4).prop_map(|pairs| {
        let mut out: Vec<Extension> = Vec::new();
        for (name, value) in pairs {
            if out.iter().all(|x| x.name != name) {
                out.push(Extension { name, value });
            }
        }
        out
    })
}

fn content() -> impl Strategy<Value = Content> {
    let id = || option::of(any::<[u8; 32]>().prop_map(MessageId));
    let expires = option::of((any::<bool>(), any::<u32>()).prop_map(|(relative, time)| Expires { relative, time }));
    let head = (any::<[u8; 16]>(), id(), short_bytes(), expires, id());
    (head, extensions(), part()).prop_map(|((salt, replaces, topic, expires, in_reply_to), extensions, part)| Content {
        salt,
        replaces,
        topic,
        expires,
        in_reply_to,
        extensions,
        part,
    })
}

fn reference() -> impl Strategy<Value = Reference> {
    let numbers = (any::<u64>(), any::<u64>(), any::<u64>(), option::of(any::<u64>()));
    (any::<[u8; 32]>(), any::<[u8; 32]>(), numbers).prop_map(|(hash, sender, (counter, epoch, sent_at, ends_at))| {
        Reference { hash, sender: PublicKey(sender), counter, epoch, sent_at, ends_at }
    })
}

fn alice() -> SenderKey {
    SenderKey::from_seed(&[0xa; 32])
}

fn letter() -> impl Strategy<Value = Letter> {
    let times = (any::<u64>(), any::<u64>(), option::of(1..=315_360_000_u32));
    (option::of(content()), vec(reference(), 0..=16), times, "[a-zé🦀]{1,64}").prop_map(
        |(content, parents, (counter, sent_at, ttl), name)| Letter {
            content,
            counter,
            parents,
            sent_at,
            ttl,
            name,
            sender: alice().public(),
            private: None,
        },
    )
}

/// Bytes like these, with one of them changed, taken out or put in.
fn altered(bytes: &[u8], at: prop::sample::Index, with: u8, how: u8) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let at = at.index(bytes.len());
    match how % 4 {
        0 => out[at] ^= with.max(1),
        1 => drop(out.remove(at)),
        2 => out.insert(at, with),
        _ => out.truncate(at),
    }
    out
}

/// A failure leaves its seed in a file that the next runs begin with: values that hold what people say print nothing.
fn config() -> ProptestConfig {
    let seeds = FileFailurePersistence::Direct(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/properties.seeds"));
    ProptestConfig { cases: 300, failure_persistence: Some(Box::new(seeds)), ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn content_is_read_as_it_was_written(sent in content()) {
        let bytes = sent.encode();
        let mut read = Content::decode(&bytes).unwrap();
        prop_assert_eq!(&read.encode(), &bytes);
        // Extensions come back in the encoding's order.
        read.extensions.sort_by_key(|x| format!("{:?}", x.name));
        let mut sent = sent;
        sent.extensions.sort_by_key(|x| format!("{:?}", x.name));
        prop_assert!(read == sent);
        let _ = (read.text(), read.kind(), read.message_id("a", "b"));
    }

    #[test]
    fn content_has_one_spelling(sent in content(), at: prop::sample::Index, with: u8, how: u8) {
        let bytes = altered(&sent.encode(), at, with, how);
        if let Ok(read) = Content::decode(&bytes) {
            prop_assert_eq!(read.encode(), bytes);
        }
    }

    #[test]
    fn any_bytes_are_content_or_refused(bytes in vec(any::<u8>(), 0..300)) {
        if let Ok(read) = Content::decode(&bytes) {
            prop_assert_eq!(read.encode(), bytes);
        }
    }

    #[test]
    fn letters_arrive_as_they_were_written(sent in letter()) {
        let keys = room();
        let written = sent.write(&alice(), &keys.log_id()).unwrap();
        let opened = letter::open(&keys, &letter::seal(&keys, &written, &mut rng())).unwrap();
        prop_assert!(opened.written == written);
        prop_assert!(opened.letter.write(&alice(), &keys.log_id()) == Ok(written));
    }

    #[test]
    fn letters_have_one_spelling(sent in letter(), at: prop::sample::Index, with: u8, how: u8) {
        let log = room().log_id();
        let written = sent.write(&alice(), &log).unwrap();
        // The sender itself signs something slightly other than a letter.
        let bytes = altered(written.bytes(), at, with, how);
        let message = [LABEL_LETTER, &log.0, &alice().public().0, &bytes].concat();
        let signature = SigningKey::from_bytes(&[0xa; 32]).sign(&message).to_bytes();
        let packet = [[1].as_slice(), &alice().public().0, &signature, &bytes].concat();
        if let Ok((_, read)) = Written::from_bytes(&log, &packet) {
            let again = read.write(&alice(), &log).unwrap();
            prop_assert_eq!(again.bytes(), bytes);
        }
    }

    #[test]
    fn an_altered_record_is_no_letter(sent in letter(), at: prop::sample::Index, with: u8, how: u8) {
        let keys = room();
        let body = letter::seal(&keys, &sent.write(&alice(), &keys.log_id()).unwrap(), &mut rng());
        prop_assert!(letter::open(&keys, &altered(&body, at, with, how)).is_err());
    }

    #[test]
    fn any_bytes_are_refused_everywhere(bytes in vec(any::<u8>(), 0..600)) {
        let keys = room();
        let key = Key::from_bytes(&[1; 32]);
        prop_assert!(letter::open(&keys, &bytes).is_err());
        prop_assert!(Written::from_bytes(&keys.log_id(), &bytes).is_err());
        prop_assert!(SignalMessage::open(&keys, &bytes).is_err());
        prop_assert!(VaultKey::from_bytes([1; 32]).open(b"name", &bytes).is_err());
        prop_assert!(fernet::decode_strict(&key, &bytes).is_err());
        prop_assert!(fernet::decrypt_at(&key, &bytes, Some(60), 0).is_err());
    }

    #[test]
    fn any_fernet_data_under_a_right_mac_is_judged(bytes in vec(any::<u8>(), 0..200), version: bool) {
        use base64::Engine as _;
        use hmac::{Hmac, KeyInit, Mac};
        let mut data = bytes;
        if version && !data.is_empty() {
            data[0] = 0x80;
        }
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&[1; 16]).unwrap();
        mac.update(&data);
        data.extend_from_slice(&mac.finalize().into_bytes());
        let token = base64::engine::general_purpose::URL_SAFE.encode(&data);
        let key = Key::from_bytes(&[1; 32]);
        let lenient = fernet::decrypt_at(&key, token.as_bytes(), None, 0);
        let strict = fernet::decode_strict(&key, token.as_bytes());
        prop_assert_eq!(lenient, strict.map(|token| token.plaintext));
    }

    #[test]
    fn texts_come_out_of_tokens_as_they_went_in(text in vec(any::<u8>(), 0..400), now: u64) {
        let key = Key::from_bytes(&[1; 32]);
        let token = fernet::encrypt_at(&key, &text, now, &mut rng());
        let read = fernet::decode_strict(&key, token.as_bytes()).unwrap();
        prop_assert_eq!((read.plaintext.as_slice(), read.timestamp), (text.as_slice(), now));
    }

    #[test]
    fn signals_arrive(name in "[a-zé🦀]{1,64}", sent_at: u64, author: [u8; 32], hashes in vec(any::<[u8; 32]>(), 1..=16)) {
        let author = PublicKey(author);
        for kind in [SignalKind::Typing, SignalKind::Missing { author, hashes: hashes.clone() }, SignalKind::NeverKnown { hashes }] {
            let sent = SignalMessage { kind, name: name.clone(), sender: alice().public(), sent_at };
            let body = sent.seal(&room(), &alice(), &mut rng()).unwrap();
            prop_assert!(SignalMessage::open(&room(), &body) == Ok(sent));
        }
    }

    #[test]
    fn any_text_is_a_link_or_refused(text in "(https?://)?[a-z0-9.:\\[\\]]{0,20}/?#?[qpe]?/?\\PC{0,60}") {
        if let Ok(read) = text.parse::<Link>() {
            prop_assert!(read.to_string().parse::<Link>() == Ok(read));
        }
        if let Ok(read) = text.parse::<RelayUrl>() {
            prop_assert!(read.to_string().parse::<RelayUrl>() == Ok(read));
        }
    }

    #[test]
    fn every_room_has_a_link(name in "\\PC{1,64}", secret: [u8; 32], relay: [u8; 32]) {
        let url: RelayUrl = "https://relay:7070".parse().unwrap();
        let kind = LinkKind::Quick(RoomSecret::from_bytes(secret));
        if let Ok(made) = url.room(&name, RelayKeyHash(relay), kind) {
            let text = made.to_string();
            prop_assert!(text.is_ascii() && text.parse::<Link>() == Ok(made));
        }
    }

    #[test]
    fn normalising_twice_is_normalising_once(text in any::<String>()) {
        let once = names::normalise(&text);
        prop_assert_eq!(&names::normalise(&once), &once);
        prop_assert_eq!(names::fold(&names::fold(&text)), names::fold(&text));
        let _ = passphrase::estimate_bits(&text);
    }
}
