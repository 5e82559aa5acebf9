//! Every bound of the protocol, with its reason. Bounds that a relay's owner may set travel in [`Limits`].

use minicbor::{Decode, Encode};

/// A frame is at most this many bytes: one body and its envelope fit, and a hostile peer can make the other side hold no more.
pub const MAX_FRAME: usize = 64 * 1024;
/// A record's body is at most this many bytes; longer content travels as a blob (DESIGN §2).
pub const MAX_BODY: usize = 48 * 1024;
/// A signal's body is at most this many bytes: typing and presence are small, and signals are never stored.
pub const MAX_SIGNAL: usize = 2 * 1024;
/// A session that says nothing for this long is closed, and all that it held is freed.
pub const SILENCE_MS: u64 = 90_000;
/// The relay pings this often; an answer counts as life.
pub const PING_MS: u64 = 30_000;
/// A client offers at most this many protocol versions in its hello.
pub const MAX_VERSIONS: usize = 16;
/// A session is attached to at most this many logs at once; a person's rooms fit, a crawler's do not.
pub const MAX_ATTACHMENTS: usize = 256;
/// An entry code is at most this many bytes.
pub const MAX_ENTRY_CODE: usize = 64;
/// A time to live on the wire is at most this many seconds (ten years): sums with it can't overflow milliseconds.
pub const MAX_TTL_SECONDS: u64 = 315_360_000;
/// A log or shelf has at most this many tickets: a list of them fits one frame.
pub const MAX_TICKETS: usize = 1024;
/// An item of a shelf is at most this many bytes: a key package with what identifies its owner, sealed.
pub const MAX_ITEM: usize = 12 * 1024;
/// One put has at most this many items; the frame's own bound comes first if they are large.
pub const MAX_ITEMS_A_PUT: usize = 16;
/// A shelf has at most this many slots: one for each device of an account.
pub const MAX_SLOTS: usize = 8;
/// A slot has at most this many items beside its last resort: who fills it does so again before they are gone.
pub const MAX_ITEMS: usize = 100;
/// A relay grants no larger blob unless its owner says so: files are sent in parts.
pub const MAX_BLOB: u64 = 32 << 20;

/// What this relay allows, told in its welcome so that a client can refuse before it seals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Limits {
    /// Bytes of one frame.
    #[n(0)]
    pub max_frame: u64,
    /// Bytes of one record's body.
    #[n(1)]
    pub max_body: u64,
    /// Seconds that any record may live here.
    #[n(2)]
    pub max_ttl: u64,
    /// Bytes that one log may hold.
    #[n(3)]
    pub max_log_bytes: u64,
    /// Milliseconds of silence after which a session ends.
    #[n(4)]
    pub silence_ms: u64,
    /// Logs that one session may be attached to.
    #[n(5)]
    pub max_attachments: u64,
    /// Bytes of one blob; absent: this relay takes none.
    #[n(6)]
    pub max_blob: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_frame: MAX_FRAME as u64,
            max_body: MAX_BODY as u64,
            max_ttl: 30 * 24 * 3600,
            max_log_bytes: 1 << 30,
            silence_ms: SILENCE_MS,
            max_attachments: MAX_ATTACHMENTS as u64,
            max_blob: None,
        }
    }
}
