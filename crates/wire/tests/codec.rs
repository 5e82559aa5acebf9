//! Whatever is encoded comes back; whatever arrives is refused or understood in one way only, and never panics.
#![expect(clippy::unwrap_used, reason = "a test: what is missing must stop it")]

mod common;

use estoile_wire::frame::*;
use estoile_wire::id::{BlobHash, BlobToken, LogKind, Nonce, SlotId, TicketHash, TicketSecret};
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

fn ticket() -> impl Strategy<Value = Ticket> {
    (b32(), any::<u64>(), any::<u64>()).prop_map(|(hash, per_day, bytes_per_day)| Ticket {
        hash: TicketHash(hash),
        per_day,
        bytes_per_day,
    })
}

fn slot_count() -> impl Strategy<Value = SlotCount> {
    (any::<[u8; 16]>(), any::<u64>(), any::<bool>(), any::<u64>()).prop_map(|(slot, left, last_resort, taken)| {
        SlotCount { slot: SlotId(slot), left, last_resort, last_resort_taken: taken }
    })
}

proptest! {
    #[test]
    fn client_frames_come_back(
        (n, m, k) in any::<(u64, u64, u64)>(), key in b32(), id in any::<[u8; 16]>(), sig in signature(),
        some in option::of(any::<u64>()), entry in option::of(vec(any::<u8>(), 0..100)),
        versions in vec(any::<u64>(), 0..=limits::MAX_VERSIONS), body in vec(any::<u8>(), 0..2000),
        next in option::of(b32()),
    ) {
        let advance = next.map(PublicKey);
        let log = LogId(key);
        let frames = [
            ClientFrame::Hello(Hello { versions, challenge: Nonce(key) }),
            ClientFrame::Create(Create {
                request: n, kind: m, access_key: PublicKey(key), max_ttl: k, quota: n, signature: sig, entry,
            }),
            ClientFrame::Attach(Attach { request: n, log, epoch: m, after: k, signature: sig, newest: some }),
            ClientFrame::Detach(Detach { log }),
            ClientFrame::Append(Append { request: n, log, id16: Id16(id), epoch: m, ttl: some, body: &body, advance }),
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
        some in option::of(any::<u64>()), body in vec(any::<u8>(), 0..2000), with_log: bool, next in option::of(b32()),
    ) {
        let advance = next.map(PublicKey);
        let log = LogId(key);
        let code = Refusal::from_code(code);
        let frames = [
            RelayFrame::Created(Created { request: n, log, max_ttl: m, quota: k }),
            RelayFrame::Attached(Attached { request: n, log, epoch: m, last: k, max_ttl: n }),
            RelayFrame::Record(Record { log, cursor: n, time: m, expires: k, epoch: n, id16: Id16(id), body: &body, advance }),
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

    /// Tickets, shelves and blobs.
    #[test]
    fn what_came_later_comes_back(
        (n, m) in any::<(u64, u64)>(), key in b32(), id in any::<[u8; 16]>(), sig in signature(),
        some in option::of(any::<u64>()), by_ticket in option::of(b32()), (yes, no) in any::<(bool, bool)>(),
        tickets in vec(ticket(), 0..50), slots in vec(slot_count(), 0..=limits::MAX_SLOTS),
        held in vec(vec(any::<u8>(), 0..200), 0..=limits::MAX_ITEMS_A_PUT), last in option::of(vec(any::<u8>(), 0..200)),
    ) {
        let (log, ticket, slot) = (LogId(key), TicketSecret(key), SlotId(id));
        let items: Vec<&[u8]> = held.iter().map(Vec::as_slice).collect();
        let (body, hash) = (items.first().copied().unwrap_or_default(), BlobHash(key));
        let client = [
            ClientFrame::Tickets(Tickets { request: n, log, tickets, signature: sig }),
            ClientFrame::Post(Post { request: n, log, ticket, id16: Id16(id), ttl: some, body }),
            ClientFrame::Put(Put {
                request: n, shelf: log, slot, clear: yes, items: items.clone(), last_resort: last.as_deref(), signature: sig,
            }),
            ClientFrame::Take(Take { request: n, shelf: log, ticket }),
            ClientFrame::Count(Count { request: n, shelf: log, signature: sig }),
            ClientFrame::BlobAsk(BlobAsk {
                request: n, log, hash, size: m, ttl: some, ticket: by_ticket.map(TicketSecret),
            }),
        ];
        for frame in client {
            let bytes = frame.encode();
            prop_assert_eq!(ClientFrame::decode(&bytes), Ok(frame));
        }
        let relay = [
            RelayFrame::Done(Done { request: n }),
            RelayFrame::Counted(Counted { request: n, slots }),
            RelayFrame::Taken(Taken { request: n, slot, item: body, last_resort: yes, more: no }),
            RelayFrame::BlobGrant(BlobGrant { request: n, token: BlobToken(key), received: m }),
        ];
        for frame in relay {
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
        prop_assert!(create != proof::create(&PublicKey(a), &Nonce(b), LogKind::Shelf, &PublicKey(a), n, m));
        prop_assert!(a == b || attach != proof::attach(&PublicKey(b), &Nonce(a), &LogId(a), n));
    }

    /// A signature for tickets, a put or a count says for which, where and when.
    #[test]
    fn owners_sign_what_they_mean(
        a in b32(), b in b32(), one in vec(ticket(), 0..4), two in vec(ticket(), 0..4), (n, m) in any::<(u64, u64)>(),
        some in vec(vec(any::<u8>(), 0..4), 0..4), more in vec(vec(any::<u8>(), 0..4), 0..4),
        last in option::of(vec(any::<u8>(), 0..4)), (yes, no) in any::<(bool, bool)>(),
    ) {
        let (relay, nonce, log) = (PublicKey(a), Nonce(b), LogId(a));
        let tickets = |epoch, list: &[Ticket]| proof::tickets(&relay, &nonce, &log, epoch, list);
        prop_assert_eq!(tickets(n, &one) == tickets(m, &two), n == m && one == two);
        prop_assert!(a == b || tickets(n, &one) != proof::tickets(&relay, &Nonce(a), &log, n, &one));
        let (some, more): (Vec<&[u8]>, Vec<&[u8]>) =
            (some.iter().map(Vec::as_slice).collect(), more.iter().map(Vec::as_slice).collect());
        let slot = SlotId([0; 16]);
        let put = |clear, items: &[&[u8]], last| proof::put(&relay, &nonce, &log, &slot, clear, items, last);
        let (x, y) = ((yes, &some, last.as_deref()), (no, &more, None));
        prop_assert_eq!(put(x.0, x.1, x.2) == put(y.0, y.1, y.2), x == y);
        // The last item, as last resort.
        if let Some((end, rest)) = some.split_last() {
            prop_assert!(put(yes, &some, None) != put(yes, rest, Some(*end)));
        }
        let count = proof::count(&relay, &nonce, &log);
        prop_assert!(count != put(yes, &some, None) && count != tickets(n, &one));
        prop_assert!(a == b || count != proof::count(&relay, &nonce, &LogId(b)));
    }
}

#[test]
fn labels_differ_and_none_begins_another() {
    let labels = [
        proof::LABEL_LOG_ID,
        proof::LABEL_RELAY_KEY,
        proof::LABEL_WELCOME,
        proof::LABEL_CREATE,
        proof::LABEL_ATTACH,
        proof::LABEL_TICKET,
        proof::LABEL_TICKETS,
        proof::LABEL_PUT,
        proof::LABEL_COUNT,
    ];
    assert!(labels.iter().all(|label| label.ends_with(b"\0")), "no label goes on in what it labels");
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
    for (name, frame) in common::relay_frames() {
        let bytes = frame.encode();
        for size in 0..bytes.len() {
            assert_eq!(RelayFrame::decode(&bytes[..size]), Err(DecodeError::Malformed), "{name} cut at {size}");
        }
        assert_eq!(RelayFrame::decode(&[&bytes[..], &[0]].concat()), Err(DecodeError::Malformed), "{name} and a byte");
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
fn what_ends_an_epoch_stands_behind_the_body() {
    let body = vec![9; limits::MAX_BODY];
    let largest = u64::MAX;
    let record = |advance| Record {
        log: LogId([0; 32]),
        cursor: largest,
        time: largest,
        expires: largest,
        epoch: largest,
        id16: Id16([0; 16]),
        body: &body,
        advance,
    };
    for record in [record(None), record(Some(PublicKey([7; 32])))] {
        let (tail, bytes) = (record.tail(), RelayFrame::Record(record.clone()).encode());
        let end = bytes.len() - tail;
        assert_eq!(&bytes[end - body.len()..end], body);
        assert_eq!(tail > 0, record.advance.is_some());
        assert!(bytes.len() <= limits::MAX_FRAME && bytes.capacity() <= limits::MAX_BODY + 128 + tail);
        assert_eq!(RelayFrame::decode(&bytes), Ok(RelayFrame::Record(record)));
    }
}

#[test]
fn lists_are_bounded() {
    let (log, signature, slot) = (LogId([0; 32]), Signature([0; 64]), SlotId([0; 16]));
    let largest = u64::MAX;
    let ticket = Ticket { hash: TicketHash([0; 32]), per_day: largest, bytes_per_day: largest };
    let tickets =
        |count| ClientFrame::Tickets(Tickets { request: largest, log, tickets: vec![ticket; count], signature });
    let most = tickets(limits::MAX_TICKETS);
    let bytes = most.encode();
    assert_eq!(ClientFrame::decode(&bytes), Ok(most), "all tickets fit one frame, whatever they allow");
    assert_eq!(ClientFrame::decode(&tickets(limits::MAX_TICKETS + 1).encode()), Err(DecodeError::Malformed));
    let put = |count: usize, size: usize| {
        let item = vec![1; size];
        let items: Vec<&[u8]> = vec![&item; count];
        let (shelf, last_resort) = (log, Some(item.as_slice()));
        ClientFrame::Put(Put { request: largest, shelf, slot, clear: true, items, last_resort, signature }).encode()
    };
    assert!(ClientFrame::decode(&put(limits::MAX_ITEMS_A_PUT, 100)).is_ok());
    assert_eq!(ClientFrame::decode(&put(limits::MAX_ITEMS_A_PUT + 1, 100)), Err(DecodeError::Malformed));
    assert!(ClientFrame::decode(&put(4, limits::MAX_ITEM)).is_ok(), "four of the largest items and a last resort fit");
    assert_eq!(ClientFrame::decode(&put(5, limits::MAX_ITEM)), Err(DecodeError::TooLarge));
    let count = SlotCount { slot, left: largest, last_resort: true, last_resort_taken: largest };
    let counted = |slots| RelayFrame::Counted(Counted { request: largest, slots }).encode();
    assert!(RelayFrame::decode(&counted(vec![count; limits::MAX_SLOTS])).is_ok());
    assert_eq!(RelayFrame::decode(&counted(vec![count; limits::MAX_SLOTS + 1])), Err(DecodeError::Malformed));
    // A list that says it is endless costs nothing: [20, {0: 5, 1: log, 2: [2^64 - 1 tickets…
    let lie = [&[0x82, 20, 0xa4, 0, 5, 1, 0x58, 32][..], &[0; 32], &[2, 0x9b], &[0xff; 8]].concat();
    assert_eq!(ClientFrame::decode(&lie), Err(DecodeError::Malformed));
}

#[test]
fn ids_say_nothing_when_printed() {
    let shown = format!("{:?}", common::client_frames()) + &format!("{:?}", common::relay_frames());
    // Bytes of the keys, ids, signatures, bodies, tickets, slots, blobs and the entry code of the examples.
    let later = ["124,", "125,", "126,", " 93,", " 94,", "174,", "177,", "183,", "111, 110"];
    for secret in ["aaaa", "170,", "172,", " 29,", "115,", "b\"", " 101,"].into_iter().chain(later) {
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
