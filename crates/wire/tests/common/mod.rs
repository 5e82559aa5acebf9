//! One example of every frame, with values that a reader recognises in the hex.

use estoile_wire::frame::*;
use estoile_wire::id::{CertificateHash, Nonce};
use estoile_wire::{ClientFrame, Id16, Limits, LogId, PublicKey, Refusal, RelayFrame, Signature};

const LOG: LogId = LogId([0xAA; 32]);
const ID: Id16 = Id16([0x1D; 16]);

/// What clients say, by the name it has in docs/protocol.md.
pub(crate) fn client_frames() -> Vec<(&'static str, ClientFrame<'static>)> {
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
    let time = 1_700_000_000_000;
    vec![
        ("welcome", RelayFrame::Welcome(welcome(None))),
        ("welcome with certificate", RelayFrame::Welcome(welcome(Some(CertificateHash([0xCE; 32]))))),
        ("created", RelayFrame::Created(Created { request: 1, log: LOG, max_ttl: 86_400, quota: 1 << 30 })),
        ("attached", RelayFrame::Attached(Attached { request: 2, log: LOG, epoch: 0, last: 7, max_ttl: 86_400 })),
        (
            "record",
            RelayFrame::Record(Record {
                log: LOG,
                cursor: 6,
                time,
                expires: time + 3_600_000,
                epoch: 0,
                id16: ID,
                body: b"sealed",
                advance: None,
            }),
        ),
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
