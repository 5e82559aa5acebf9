//! Why a relay said no. The numbers stand on the wire; unknown ones survive a round trip.

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $slug:literal, $retry:ident;)*) => {
        /// Why a relay refused a frame.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Refusal {
            $($(#[$doc])* $name,)*
            /// A code that this version does not know, kept as it came.
            Unknown(u16),
        }

        impl Refusal {
            /// Every refusal that this version knows, for documents and tests.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The number on the wire.
            #[must_use]
            pub const fn code(self) -> u16 {
                match self { $(Self::$name => $code,)* Self::Unknown(n) => n }
            }

            /// The refusal with this number.
            #[must_use]
            pub const fn from_code(code: u16) -> Self {
                match code { $($code => Self::$name,)* n => Self::Unknown(n) }
            }

            /// A stable word for logs, metrics and scripts.
            #[must_use]
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$name => $slug,)* Self::Unknown(_) => "unknown" }
            }

            /// Whether the same frame may succeed later without anybody changing it.
            #[must_use]
            pub const fn retry(self) -> Retry {
                match self { $(Self::$name => Retry::$retry,)* Self::Unknown(_) => Retry::Never }
            }
        }
    };
}

/// What a client may do about a refusal: a property of the refusal, never of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The same frame will be refused again.
    Never,
    /// The same frame may succeed after a while, on the same session.
    Later,
    /// The same frame may succeed on a new session.
    Reconnect,
}

refusals! {
    /// No protocol version in common.
    UnsupportedVersion = 1, "unsupported-version", Never;
    /// The frame is not what the protocol says.
    Malformed = 2, "malformed", Never;
    /// A frame before the hello, or a second hello.
    OutOfOrder = 3, "out-of-order", Never;
    /// The frame is longer than the relay's limit.
    FrameTooLarge = 4, "frame-too-large", Never;
    /// A frame type, or a log kind, that this relay does not know.
    Unsupported = 5, "unsupported", Never;
    /// No such log here: never made, or ended.
    NoSuchLog = 10, "no-such-log", Never;
    /// The signature does not prove the access key.
    BadProof = 11, "bad-proof", Never;
    /// The session is not attached to that log.
    NotAttached = 12, "not-attached", Reconnect;
    /// The epoch is not the log's current one.
    StaleEpoch = 13, "stale-epoch", Never;
    /// The time to live is over, or longer than the log's own.
    BadTtl = 14, "bad-ttl", Never;
    /// The body is longer than the relay's limit.
    BodyTooLarge = 15, "body-too-large", Never;
    /// The log holds as many bytes as it may; room comes when records expire.
    LogFull = 16, "log-full", Later;
    /// The relay's disk holds as much as it may; reading and expiry go on.
    DiskFull = 17, "disk-full", Later;
    /// Too much, too quickly; `wait_ms` says how long.
    RateLimited = 18, "rate-limited", Later;
    /// The session is attached to as many logs as it may be.
    TooManyAttachments = 19, "too-many-attachments", Never;
    /// Creating here takes the relay's entry code.
    EntryNeeded = 20, "entry-needed", Never;
    /// The entry code is wrong, or has been replaced.
    EntryWrong = 21, "entry-wrong", Never;
    /// The entry code has made as many logs, or holds as many bytes, as it may.
    EntryUsedUp = 22, "entry-used-up", Later;
    /// A log with this id exists, with other limits.
    Exists = 23, "exists", Never;
    /// The log or shelf has no such ticket.
    BadTicket = 24, "bad-ticket", Never;
    /// The ticket was used as often, or for as many bytes, as it may be in a day.
    TicketUsedUp = 25, "ticket-used-up", Later;
    /// The shelf has nothing to take.
    ShelfEmpty = 26, "shelf-empty", Later;
    /// The shelf has as many slots, or the slot as many items, as it may.
    ShelfFull = 27, "shelf-full", Never;
    /// The relay could not write; nothing was kept.
    StoreFailed = 30, "store-failed", Later;
    /// The relay has more to write than it may queue.
    Busy = 31, "busy", Later;
    /// The relay is shutting down.
    Closing = 32, "closing", Reconnect;
    /// The relay holds as many sessions as it may.
    TooManySessions = 33, "too-many-sessions", Reconnect;
    /// The session was silent for too long.
    Silent = 34, "silent", Reconnect;
}

impl<C> Encode<C> for Refusal {
    fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.u16(self.code())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Refusal {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        d.u16().map(Self::from_code)
    }
}
