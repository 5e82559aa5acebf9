//! One example of every frame, with values that a reader recognises in the hex.

use estoile_wire::frame::*;
use estoile_wire::id::{BlobHash, BlobToken, CertificateHash, Nonce, SlotId, TicketHash, TicketSecret};
use estoile_wire::{ClientFrame, Id16, Limits, LogId, PublicKey, Refusal, RelayFrame, Signature};

const LOG: LogId = LogId([0xAA; 32]);
const ID: Id16 = Id16([0x1D; 16]);
const NEXT: PublicKey = PublicKey([0xAE; 32]);
const TICKET: TicketSecret = TicketSecret([0x7C; 32]);
const SLOT: SlotId = SlotId([0x5D; 16]);
const BLOB: BlobHash = BlobHash([0xB1; 32]);

/// What clients say, by the name it has in docs/protocol.md.
pub(crate) fn client_frames() -> Vec<(&'static str, ClientFrame<'static>)> {
    let mut frames = client_frames_of_fixed_logs();
    frames.extend(client_frames_of_the_rest());
    frames
}

fn client_frames_of_fixed_logs() -> Vec<(&'static str, ClientFrame<'static>)> {
    vec![
        ("hello", ClientFrame::Hello(Hello { versions: vec![1], challenge: Nonce([0xC1; 32]) })),
        ("create", ClientFrame::Create(create(None))),
        ("create with entry code", ClientFrame::Create(create(Some(b"sesame".to_vec())))),
        ("attach", ClientFrame::Attach(attach(5, None))),
        ("attach to the newest", ClientFrame::Attach(attach(0, Some(100)))),
        ("detach", ClientFrame::Detach(Detach { log: LOG })),
        ("append", ClientFrame::Append(append(Some(3600)))),
        ("append without ttl", ClientFrame::Append(append(None))),
        ("signal", ClientFrame::Signal(Signal { log: LOG, body: b"sealed" })),
        ("ping", ClientFrame::Ping(Ping { request: 4 })),
    ]
}

fn client_frames_of_the_rest() -> Vec<(&'static str, ClientFrame<'static>)> {
    let signature = Signature([0x54; 64]);
    let commit = Append { epoch: 3, advance: Some(NEXT), ..append(None) };
    let post = Post { request: 6, log: LOG, ticket: TICKET, id16: ID, ttl: Some(3600), body: b"sealed" };
    let put = Put { request: 7, shelf: LOG, slot: SLOT, clear: false, items: vec![], last_resort: None, signature };
    let ask = BlobAsk { request: 10, log: LOG, hash: BLOB, size: 100_000, ttl: Some(3600), ticket: None };
    vec![
        ("create an advancing log", ClientFrame::Create(Create { kind: 1, ..create(None) })),
        ("create a shelf", ClientFrame::Create(Create { kind: 2, ..create(None) })),
        ("attach with a later epoch", ClientFrame::Attach(Attach { epoch: 3, ..attach(5, None) })),
        ("append with advance", ClientFrame::Append(commit)),
        ("tickets", ClientFrame::Tickets(Tickets { request: 5, log: LOG, tickets: tickets(), signature })),
        ("no tickets", ClientFrame::Tickets(Tickets { request: 5, log: LOG, tickets: vec![], signature })),
        ("post", ClientFrame::Post(post.clone())),
        ("post without ttl", ClientFrame::Post(Post { ttl: None, ..post })),
        ("put", ClientFrame::Put(Put { items: vec![b"one", b"two"], last_resort: Some(b"last"), ..put.clone() })),
        ("put that empties a slot", ClientFrame::Put(Put { clear: true, ..put })),
        ("take", ClientFrame::Take(Take { request: 8, shelf: LOG, ticket: TICKET })),
        ("count", ClientFrame::Count(Count { request: 9, shelf: LOG, signature })),
        ("blob ask", ClientFrame::BlobAsk(ask.clone())),
        ("blob ask by ticket", ClientFrame::BlobAsk(BlobAsk { ttl: None, ticket: Some(TICKET), ..ask })),
    ]
}

fn tickets() -> Vec<Ticket> {
    vec![
        Ticket { hash: TicketHash([0x7D; 32]), per_day: 20, bytes_per_day: 1 << 20 },
        Ticket { hash: TicketHash([0x7E; 32]), per_day: 3, bytes_per_day: 0 },
    ]
}

fn create(entry: Option<Vec<u8>>) -> Create {
    Create {
        request: 1,
        kind: 0,
        access_key: PublicKey([0xAC; 32]),
        max_ttl: 86_400,
        quota: 0,
        signature: Signature([0x51; 64]),
        entry,
    }
}

fn attach(after: u64, newest: Option<u64>) -> Attach {
    Attach { request: 2, log: LOG, epoch: 0, after, signature: Signature([0x52; 64]), newest }
}

fn append(ttl: Option<u64>) -> Append<'static> {
    Append { request: 3, log: LOG, id16: ID, epoch: 0, ttl, body: b"sealed", advance: None }
}

/// What relays say, by the name it has in docs/protocol.md.
pub(crate) fn relay_frames() -> Vec<(&'static str, RelayFrame<'static>)> {
    let mut frames = relay_frames_of_fixed_logs();
    frames.extend(relay_frames_of_the_rest());
    frames
}

fn relay_frames_of_fixed_logs() -> Vec<(&'static str, RelayFrame<'static>)> {
    let time = 1_700_000_000_000;
    vec![
        ("welcome", RelayFrame::Welcome(welcome(None))),
        ("welcome with certificate", RelayFrame::Welcome(welcome(Some(CertificateHash([0xCE; 32]))))),
        ("created", RelayFrame::Created(Created { request: 1, log: LOG, max_ttl: 86_400, quota: 1 << 30 })),
        ("attached", RelayFrame::Attached(Attached { request: 2, log: LOG, epoch: 0, last: 7, max_ttl: 86_400 })),
        ("record", RelayFrame::Record(record())),
        ("live", RelayFrame::Live(Live { log: LOG, cursor: 7 })),
        ("kept", RelayFrame::Kept(Kept { request: 3, cursor: 8, time })),
        ("refused", RelayFrame::Refused(refused(Refusal::StaleEpoch, Some(2), None))),
        ("refused for a while", RelayFrame::Refused(refused(Refusal::RateLimited, None, Some(250)))),
        ("signalled", RelayFrame::Signalled(Signalled { log: LOG, body: b"sealed" })),
        ("lagged", RelayFrame::Lagged(Lagged { log: LOG, cursor: 7 })),
        ("pong", RelayFrame::Pong(Pong { request: 4, time })),
        ("closing", RelayFrame::Closing(Closing { code: Refusal::Silent })),
    ]
}

fn relay_frames_of_the_rest() -> Vec<(&'static str, RelayFrame<'static>)> {
    let limits = Limits { max_blob: Some(32 << 20), ..Limits::default() };
    let taken = Taken { request: 8, slot: SLOT, item: b"one", last_resort: false, more: true };
    let slots = vec![
        SlotCount { slot: SLOT, left: 2, last_resort: true, last_resort_taken: 1 },
        SlotCount { slot: SlotId([0x5E; 16]), left: 100, last_resort: false, last_resort_taken: 0 },
    ];
    let grant = BlobGrant { request: 10, token: BlobToken([0xB7; 32]), received: 65_536 };
    vec![
        ("welcome with blobs", RelayFrame::Welcome(Welcome { limits, ..welcome(None) })),
        ("record with advance", RelayFrame::Record(Record { epoch: 3, advance: Some(NEXT), ..record() })),
        (
            "refused unasked",
            RelayFrame::Refused(Refused { request: None, ..refused(Refusal::StaleEpoch, Some(4), None) }),
        ),
        ("done", RelayFrame::Done(Done { request: 5 })),
        ("counted", RelayFrame::Counted(Counted { request: 7, slots })),
        ("counted nothing", RelayFrame::Counted(Counted { request: 9, slots: vec![] })),
        ("taken", RelayFrame::Taken(taken.clone())),
        ("taken last resort", RelayFrame::Taken(Taken { item: b"last", last_resort: true, more: false, ..taken })),
        ("blob grant", RelayFrame::BlobGrant(grant)),
    ]
}

fn record() -> Record<'static> {
    let time = 1_700_000_000_000;
    Record { log: LOG, cursor: 6, time, expires: time + 3_600_000, epoch: 0, id16: ID, body: b"sealed", advance: None }
}

fn welcome(certificate: Option<CertificateHash>) -> Welcome {
    Welcome {
        version: 1,
        relay_key: PublicKey([0x4B; 32]),
        nonce: Nonce([0x0C; 32]),
        time: 1_700_000_000_000,
        signature: Signature([0x53; 64]),
        certificate,
        limits: Limits::default(),
    }
}

fn refused(code: Refusal, limit: Option<u64>, wait_ms: Option<u64>) -> Refused {
    Refused { request: Some(3), code, limit, wait_ms, log: Some(LOG) }
}
