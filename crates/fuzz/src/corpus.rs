//! Valid inputs to start from, made by the encoders themselves.

use estoile_seal::letter::{self, Letter, SenderKey};
use estoile_seal::signal::{SignalKind, SignalMessage};
use estoile_seal::{fernet, mimi};
use estoile_wire::frame::{
    Append, Attach, Attached, BlobAsk, BlobGrant, Closing, Count, Counted, Create, Created, Detach, Done, Hello, Kept,
    Lagged, Live, Ping, Pong, Post, Put, Record, Refused, Signal, Signalled, SlotCount, Take, Taken, Ticket, Tickets,
    Welcome,
};
use estoile_wire::id::{BlobHash, BlobToken, CertificateHash, LogKind, Nonce, SlotId, TicketSecret};
use estoile_wire::{ClientFrame, Id16, Limits, LogId, PublicKey, Refusal, RelayFrame, Signature};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use crate::seals::{fernet_test_key, keys, vault_test_key};

/// 2025-10-09, so that no corpus depends on today.
pub(crate) const NOW: u64 = 1_760_000_000_000;

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(11)
}

fn sender() -> SenderKey {
    SenderKey::from_seed(&[3; 32])
}

pub(crate) fn client_frames() -> Vec<Vec<u8>> {
    let log = keys().log_id();
    [
        ClientFrame::Hello(Hello { versions: vec![1, 2], challenge: Nonce([1; 32]) }),
        ClientFrame::Create(Create {
            request: 1,
            kind: 0,
            access_key: keys().access_public(),
            max_ttl: 86_400,
            quota: 0,
            signature: Signature([2; 64]),
            entry: Some(vec![3; 16]),
        }),
        ClientFrame::Attach(Attach {
            request: 2,
            log,
            epoch: 0,
            after: 9,
            signature: Signature([4; 64]),
            newest: Some(50),
        }),
        ClientFrame::Detach(Detach { log }),
        ClientFrame::Append(Append {
            request: 3,
            log,
            id16: Id16([5; 16]),
            epoch: 0,
            ttl: Some(60),
            body: b"sealed",
            advance: None,
        }),
        ClientFrame::Signal(Signal { log, body: b"sealed" }),
        ClientFrame::Ping(Ping { request: 4 }),
    ]
    .iter()
    .chain(&later_client_frames())
    .map(ClientFrame::encode)
    .collect()
}

/// Advancing logs, tickets, shelves and blobs.
fn later_client_frames() -> Vec<ClientFrame<'static>> {
    let key = keys().access_public();
    let log = LogId::derive(LogKind::Advancing, &key);
    let shelf = LogId::derive(LogKind::Shelf, &key);
    let (ticket, signature) = (TicketSecret([6; 32]), Signature([2; 64]));
    let create = |kind: LogKind| Create {
        request: 5,
        kind: kind as u64,
        access_key: key,
        max_ttl: 86_400,
        quota: 0,
        signature,
        entry: None,
    };
    let commit = Append {
        request: 6,
        log,
        id16: Id16([5; 16]),
        epoch: 3,
        ttl: None,
        body: b"sealed",
        advance: Some(PublicKey([7; 32])),
    };
    vec![
        ClientFrame::Create(create(LogKind::Advancing)),
        ClientFrame::Create(create(LogKind::Shelf)),
        ClientFrame::Attach(Attach { request: 6, log, epoch: 3, after: 9, signature, newest: None }),
        ClientFrame::Append(commit),
        ClientFrame::Tickets(Tickets {
            request: 7,
            log: shelf,
            tickets: vec![Ticket { hash: ticket.hash(), per_day: 20, bytes_per_day: 1 << 20 }; 2],
            signature,
        }),
        ClientFrame::Post(Post {
            request: 8,
            log: keys().log_id(),
            ticket,
            id16: Id16([8; 16]),
            ttl: Some(60),
            body: b"sealed",
        }),
        ClientFrame::Put(Put {
            request: 9,
            shelf,
            slot: SlotId([9; 16]),
            clear: true,
            items: vec![b"one", b"two"],
            last_resort: Some(b"last"),
            signature,
        }),
        ClientFrame::Take(Take { request: 10, shelf, ticket }),
        ClientFrame::Count(Count { request: 11, shelf, signature }),
        ClientFrame::BlobAsk(BlobAsk {
            request: 12,
            log,
            hash: BlobHash::of(b"sealed"),
            size: 6,
            ttl: Some(60),
            ticket: Some(ticket),
        }),
    ]
}

pub(crate) fn relay_frames() -> Vec<Vec<u8>> {
    let log = keys().log_id();
    let body = bodies().into_iter().next().unwrap_or_default();
    let mut frames = vec![RelayFrame::Welcome(Welcome {
        version: 1,
        relay_key: PublicKey([1; 32]),
        nonce: Nonce([2; 32]),
        time: NOW,
        signature: Signature([3; 64]),
        certificate: Some(CertificateHash([4; 32])),
        limits: Limits::default(),
    })];
    frames.extend([
        RelayFrame::Created(Created { request: 1, log, max_ttl: 60, quota: 1 << 30 }),
        RelayFrame::Attached(Attached { request: 2, log, epoch: 0, last: 7, max_ttl: 60 }),
        RelayFrame::Live(Live { log, cursor: 7 }),
        RelayFrame::Kept(Kept { request: 3, cursor: 8, time: NOW }),
        RelayFrame::Refused(Refused {
            request: Some(3),
            code: Refusal::LogFull,
            limit: Some(9),
            wait_ms: Some(10),
            log: Some(log),
        }),
        RelayFrame::Lagged(Lagged { log, cursor: 7 }),
        RelayFrame::Pong(Pong { request: 4, time: NOW }),
        RelayFrame::Closing(Closing { code: Refusal::Closing }),
    ]);
    let signal = signals().into_iter().next().unwrap_or_default();
    frames.push(RelayFrame::Signalled(Signalled { log, body: &signal }));
    frames.push(RelayFrame::Record(Record {
        log,
        cursor: 8,
        time: NOW,
        expires: NOW + 60_000,
        epoch: 0,
        id16: Id16([5; 16]),
        body: &body,
        advance: None,
    }));
    frames.iter().chain(&later_relay_frames(&body)).map(RelayFrame::encode).collect()
}

/// Advancing logs, tickets, shelves and blobs.
fn later_relay_frames(body: &[u8]) -> Vec<RelayFrame<'_>> {
    let log = LogId::derive(LogKind::Advancing, &keys().access_public());
    let slot = SlotId([9; 16]);
    vec![
        RelayFrame::Record(Record {
            log,
            cursor: 9,
            time: NOW,
            expires: NOW + 60_000,
            epoch: 3,
            id16: Id16([6; 16]),
            body,
            advance: Some(PublicKey([7; 32])),
        }),
        RelayFrame::Refused(Refused {
            request: None,
            code: Refusal::StaleEpoch,
            limit: Some(4),
            wait_ms: None,
            log: Some(log),
        }),
        RelayFrame::Done(Done { request: 7 }),
        RelayFrame::Counted(Counted {
            request: 9,
            slots: vec![SlotCount { slot, left: 2, last_resort: true, last_resort_taken: 1 }; 2],
        }),
        RelayFrame::Taken(Taken { request: 10, slot, item: b"one", last_resort: false, more: true }),
        RelayFrame::BlobGrant(BlobGrant { request: 12, token: BlobToken([1; 32]), received: 3 }),
    ]
}

pub(crate) fn tokens() -> Vec<Vec<u8>> {
    let token = |text: &[u8]| fernet::encrypt_at(&fernet_test_key(), text, 1_760_000_000, &mut rng()).into_bytes();
    vec![token(b""), token(b"hello"), token(&[b'x'; 100]), b"gAAAAA==".to_vec()]
}

pub(crate) fn keys_text() -> Vec<Vec<u8>> {
    vec![fernet_test_key().to_base64().as_bytes().to_vec(), b"AAAA".to_vec()]
}

pub(crate) fn contents() -> Vec<Vec<u8>> {
    vec![mimi::text("hello *there*", [1; 16]).encode(), mimi::text("", [2; 16]).encode()]
}

fn written() -> Vec<letter::Written> {
    let mut parents = vec![];
    let mut made = vec![];
    for counter in 0..3 {
        let letter = Letter {
            content: (counter != 1).then(|| mimi::text("hello", [1; 16])),
            counter,
            parents: parents.clone(),
            sent_at: NOW + counter,
            ttl: (counter == 2).then_some(60),
            name: "Alice".to_owned(),
            sender: sender().public(),
            private: None,
        };
        if let Ok(fixed) = letter.write(&sender(), &keys().log_id()) {
            parents.push(letter.reference(fixed.hash(), 0));
            made.push(fixed);
        }
    }
    made
}

pub(crate) fn letters() -> Vec<Vec<u8>> {
    written().iter().map(letter::Written::to_bytes).collect()
}

pub(crate) fn bodies() -> Vec<Vec<u8>> {
    written().iter().map(|w| letter::seal(&keys(), w, &mut rng())).collect()
}

pub(crate) fn signals() -> Vec<Vec<u8>> {
    let kinds = [SignalKind::Here, SignalKind::WhoIsHere, SignalKind::NeverKnown { hashes: vec![[1; 32], [2; 32]] }];
    let seal = |kind: SignalKind| {
        let signal = SignalMessage { kind, name: "Alice".to_owned(), sender: sender().public(), sent_at: NOW };
        signal.seal(&keys(), &sender(), &mut rng()).ok()
    };
    kinds.into_iter().filter_map(seal).collect()
}

pub(crate) fn links() -> Vec<Vec<u8>> {
    let part = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    [
        format!("https://example.org:7070/#q/caf%C3%A9%20au%20lait/{part}/{part}"),
        format!("http://127.0.0.1:7070/#p/lounge/{part}"),
        format!("https://[::1]:7070/#e/AAAA/{part}"),
        "http://localhost".to_owned(),
    ]
    .map(String::into_bytes)
    .to_vec()
}

pub(crate) fn passphrases() -> Vec<Vec<u8>> {
    vec![b"correct horse battery staple again".to_vec(), "ﬁne \u{3000} Straße e\u{301}".as_bytes().to_vec()]
}

pub(crate) fn vault_values() -> Vec<Vec<u8>> {
    vec![vault_test_key().seal(b"name", b"value", &mut rng())]
}
