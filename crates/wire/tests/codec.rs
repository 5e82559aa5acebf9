//! Whatever is encoded comes back; whatever arrives is refused or understood in one way only, and never panics.
#![expect(clippy::unwrap_used, reason = "a test: what is missing must stop it")]

mod common;

use estoile_wire::frame::*;
use estoile_wire::id::{LogKind, Nonce};
use estoile_wire::{ClientFrame, DecodeError, Id16, LogId, PublicKey, Refusal, RelayFrame, Signature, limits, proof};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

fn b32() -> impl Strategy<Value = [u8; 32]> {
    any::<[u8; 32]>()
}

fn signature() -> impl Strategy<Value = Signature> {
    (b32(), b32()).prop_map(|(a, b)| Signature([a, b].concat().try_into().unwrap()))
}

proptest! {
    #[test]
    fn client_frames_come_back(
        (n, m, k) in any::<(u64, u64, u64)>(), key in b32(), id in any::<[u8; 16]>(), sig in signature(),
        some in option::of(any::<u64>()), entry in option::of(vec(any::<u8>(), 0..100)),
        versions in vec(any::<u64>(), 0..=limits::MAX_VERSIONS), body in vec(any::<u8>(), 0..2000),
    ) {
        let log = LogId(key);
        let frames = [
            ClientFrame::Hello(Hello { versions, challenge: Nonce(key) }),
            ClientFrame::Create(Create {
                request: n, kind: m, access_key: PublicKey(key), max_ttl: k, quota: n, signature: sig, entry,
            }),
            ClientFrame::Attach(Attach { request: n, log, epoch: m, after: k, signature: sig, newest: some }),
            ClientFrame::Detach(Detach { log }),
            ClientFrame::Append(Append { request: n, log, id16: Id16(id), epoch: m, ttl: some, body: &body, advance: None }),
            ClientFrame::Signal(Signal { log, body: &body }),
            ClientFrame::Ping(Ping { request: n }),
        ];
        for frame in frames {
            let bytes = frame.encode();
            prop_assert_eq!(ClientFrame::decode(&bytes), Ok(frame));
        }
    }

    #[test]
    fn relay_frames_come_back(
        (n, m, k) in any::<(u64, u64, u64)>(), key in b32(), id in any::<[u8; 16]>(), code in any::<u16>(),
        some in option::of(any::<u64>()), body in vec(any::<u8>(), 0..2000), with_log: bool,
    ) {
        let log = LogId(key);
        let code = Refusal::from_code(code);
        let frames = [
            RelayFrame::Created(Created { request: n, log, max_ttl: m, quota: k }),
            RelayFrame::Attached(Attached { request: n, log, epoch: m, last: k, max_ttl: n }),
            RelayFrame::Record(Record { log, cursor: n, time: m, expires: k, epoch: n, id16: Id16(id), body: &body, advance: None }),
            RelayFrame::Live(Live { log, cursor: n }),
            RelayFrame::Kept(Kept { request: n, cursor: m, time: k }),
            RelayFrame::Refused(Refused { request: some, code, limit: some, wait_ms: some, log: with_log.then_some(log) }),
            RelayFrame::Signalled(Signalled { log, body: &body }),
            RelayFrame::Lagged(Lagged { log, cursor: n }),
            RelayFrame::Pong(Pong { request: n, time: m }),
            RelayFrame::Closing(Closing { code }),
        ];
        for frame in frames {
            let bytes = frame.encode();
            prop_assert_eq!(RelayFrame::decode(&bytes), Ok(frame));
        }
    }

    #[test]
    fn any_bytes_are_refused_or_have_one_meaning(bytes in vec(any::<u8>(), 0..300)) {
        if let Ok(frame) = ClientFrame::decode(&bytes) {
            let again = frame.encode();
            prop_assert_eq!(ClientFrame::decode(&again), Ok(frame));
        }
        if let Ok(frame) = RelayFrame::decode(&bytes) {
            let again = frame.encode();
            prop_assert_eq!(RelayFrame::decode(&again), Ok(frame));
        }
    }

    /// Bytes that were a frame once come further than random ones.
    #[test]
    fn broken_frames_are_refused_or_have_one_meaning(
        which in any::<prop::sample::Index>(), cuts in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), shorter in 0_usize..40,
    ) {
        let client: Vec<Vec<u8>> = common::client_frames().iter().map(|(_, f)| f.encode()).collect();
        let relay: Vec<Vec<u8>> = common::relay_frames().iter().map(|(_, f)| f.encode()).collect();
        for frames in [client, relay] {
            let mut bytes = frames[which.index(frames.len())].clone();
            for (at, byte) in &cuts {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            bytes.truncate(bytes.len() - shorter.min(bytes.len()));
            // What is understood is said in exactly these bytes: unknown keys apart, there is no second spelling.
            if let Ok(frame) = ClientFrame::decode(&bytes) {
                prop_assert!(frame.encode().len() <= bytes.len());
                let again = frame.encode();
            prop_assert_eq!(ClientFrame::decode(&again), Ok(frame));
            }
            if let Ok(frame) = RelayFrame::decode(&bytes) {
                prop_assert!(frame.encode().len() <= bytes.len());
                let again = frame.encode();
            prop_assert_eq!(RelayFrame::decode(&again), Ok(frame));
            }
        }
    }

    /// No two lists of parts share the bytes that are signed, and no two purposes do.
    #[test]
    fn signed_bytes_say_what_they_are_for(a in b32(), b in b32(), n in any::<u64>(), m in any::<u64>()) {
        let create = proof::create(&PublicKey(a), &Nonce(b), LogKind::Fixed, &PublicKey(a), n, m);
        let attach = proof::attach(&PublicKey(a), &Nonce(b), &LogId(a), n);
        let welcome = proof::welcome(&Nonce(a), &Nonce(b), n, None);
        prop_assert!(create != attach && attach != welcome && create != welcome);
        prop_assert!(n == m || create != proof::create(&PublicKey(a), &Nonce(b), LogKind::Fixed, &PublicKey(a), m, n));
        prop_assert!(a == b || attach != proof::attach(&PublicKey(b), &Nonce(a), &LogId(a), n));
    }
}

#[test]
fn labels_differ_and_none_begins_another() {
    let labels =
        [proof::LABEL_LOG_ID, proof::LABEL_RELAY_KEY, proof::LABEL_WELCOME, proof::LABEL_CREATE, proof::LABEL_ATTACH];
    for (i, a) in labels.iter().enumerate() {
        for b in &labels[i + 1..] {
            assert!(!a.starts_with(b) && !b.starts_with(a));
        }
    }
}

#[test]
fn every_truncation_is_malformed() {
    for (name, frame) in common::client_frames() {
        let bytes = frame.encode();
        for size in 0..bytes.len() {
            assert_eq!(ClientFrame::decode(&bytes[..size]), Err(DecodeError::Malformed), "{name} cut at {size}");
        }
        assert_eq!(ClientFrame::decode(&[&bytes[..], &[0]].concat()), Err(DecodeError::Malformed), "{name} and a byte");
    }
}

#[test]
fn unknown_fields_are_skipped_and_unknown_types_are_named() {
    // Ping {request: 4}, then with field 9: [{"x": -1}] and field 24: h'00'.
    let plain = [0x82, 7, 0xa1, 0, 4];
    let more = [0x82, 7, 0xa3, 0, 4, 9, 0x81, 0xa1, 0x61, b'x', 0x20, 0x18, 24, 0x41, 0];
    assert_eq!(ClientFrame::decode(&plain), ClientFrame::decode(&more));
    assert_eq!(ClientFrame::decode(&plain), Ok(ClientFrame::Ping(Ping { request: 4 })));
    assert_eq!(ClientFrame::decode(&[0x82, 19, 0xa0]), Err(DecodeError::UnknownType(19)));
    assert_eq!(RelayFrame::decode(&[0x82, 0x18, 39, 0xa0]), Err(DecodeError::UnknownType(39)));
    assert_eq!(ClientFrame::decode(&[0x82, 7, 0xa0]), Err(DecodeError::Malformed), "a field is missing");
    assert_eq!(ClientFrame::decode(&[0x83, 7, 0xa1, 0, 4, 0]), Err(DecodeError::Malformed), "an item too many");
}

#[test]
fn sizes_are_bounded() {
    let body = vec![0; limits::MAX_FRAME];
    let log = LogId([0; 32]);
    let too_large = ClientFrame::Signal(Signal { log, body: &body }).encode();
    assert_eq!(ClientFrame::decode(&too_large), Err(DecodeError::TooLarge));
    let body = &body[..limits::MAX_BODY];
    let largest = u64::MAX;
    let record = RelayFrame::Record(Record {
        log,
        cursor: largest,
        time: largest,
        expires: largest,
        epoch: largest,
        id16: Id16([0; 16]),
        body,
        advance: None,
    });
    assert!(record.encode().len() <= limits::MAX_BODY + 128, "the envelope is bounded");
    assert!(record.encode().capacity() <= limits::MAX_BODY + 128, "one allocation is enough");
    let bytes = record.encode();
    assert_eq!(RelayFrame::decode(&bytes), Ok(record));
    let versions = vec![1; limits::MAX_VERSIONS + 1];
    let hello = ClientFrame::Hello(Hello { versions, challenge: Nonce([0; 32]) }).encode();
    assert_eq!(ClientFrame::decode(&hello), Err(DecodeError::Malformed));
}

#[test]
fn ids_say_nothing_when_printed() {
    let shown = format!("{:?}", common::client_frames()) + &format!("{:?}", common::relay_frames());
    // Bytes of the keys, ids, signatures, bodies and the entry code of the examples.
    for secret in ["aaaa", "170,", "172,", " 29,", "115,", "b\"", " 101,"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[test]
fn unknown_refusals_survive() {
    assert_eq!(Refusal::from_code(999).code(), 999);
    for refusal in Refusal::ALL {
        assert_eq!(Refusal::from_code(refusal.code()), *refusal);
    }
}
