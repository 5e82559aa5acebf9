//! What a relay says to a client.

use core::fmt;

use minicbor::{Decode, Encode};

use super::{BlobGrant, Counted, DecodeError, Done, SlotCount, Taken, body, open, put};
use crate::Millis;
use crate::id::{CertificateHash, Cursor, Id16, LogId, Nonce, PublicKey, Signature};
use crate::limits::Limits;
use crate::refusal::Refusal;

/// The answer to a hello.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Welcome {
    /// The highest version that both sides speak.
    #[n(0)]
    pub version: u64,
    /// The relay's long-term key; links carry its hash.
    #[n(1)]
    pub relay_key: PublicKey,
    /// This session's nonce, part of every proof in it.
    #[n(2)]
    pub nonce: Nonce,
    /// The relay's clock.
    #[n(3)]
    pub time: Millis,
    /// The relay key's signature over [`crate::proof::welcome`].
    #[n(4)]
    pub signature: Signature,
    /// The hash of the certificate that the relay presents itself; absent without TLS.
    #[n(5)]
    pub certificate: Option<CertificateHash>,
    /// What this relay allows.
    #[n(6)]
    pub limits: Limits,
}

/// The log is there.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Created {
    /// As in `Create`.
    #[n(0)]
    pub request: u64,
    /// The log's id.
    #[n(1)]
    pub log: LogId,
    /// Seconds that a record may live in it.
    #[n(2)]
    pub max_ttl: u64,
    /// Bytes that it may hold.
    #[n(3)]
    pub quota: u64,
}

/// The session is attached; records follow, then `Live`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Attached {
    /// As in `Attach`.
    #[n(0)]
    pub request: u64,
    /// Which log.
    #[n(1)]
    pub log: LogId,
    /// The log's current epoch.
    #[n(2)]
    pub epoch: u64,
    /// The cursor of the newest record that the log ever had; 0 for none.
    #[n(3)]
    pub last: Cursor,
    /// Seconds that a record may live in it.
    #[n(4)]
    pub max_ttl: u64,
}

/// A record of a log. Encoded once, sent to every attached session as the same bytes.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Record<'b> {
    /// Which log.
    #[n(0)]
    pub log: LogId,
    /// Its place in the log.
    #[n(1)]
    pub cursor: Cursor,
    /// When the relay got it, by the relay's clock.
    #[n(2)]
    pub time: Millis,
    /// When the relay deletes it, by the relay's clock.
    #[n(3)]
    pub expires: Millis,
    /// The epoch in which it was appended.
    #[n(4)]
    pub epoch: u64,
    /// As in `Append`.
    #[n(5)]
    pub id16: Id16,
    /// The sealed letter.
    #[b(6)]
    #[cbor(with = "minicbor::bytes")]
    pub body: &'b [u8],
    /// As in `Append`: this record ended its epoch, and the next one has this access key.
    #[n(7)]
    pub advance: Option<PublicKey>,
}

impl Record<'_> {
    /// Bytes that stand behind the body in the encoded frame.
    #[must_use]
    pub const fn tail(&self) -> usize {
        // A key, the head of a byte string of 32, and these.
        if self.advance.is_some() { 1 + 2 + PublicKey::SIZE } else { 0 }
    }
}

impl fmt::Debug for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("cursor", &self.cursor)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// All that was asked for has been sent; what follows is new.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Live {
    /// Which log.
    #[n(0)]
    pub log: LogId,
    /// Everything up to here has been sent, or was not asked for.
    #[n(1)]
    pub cursor: Cursor,
}

/// The record is durable.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Kept {
    /// As in `Append`.
    #[n(0)]
    pub request: u64,
    /// Its place in the log: the first one, if this is a repeat.
    #[n(1)]
    pub cursor: Cursor,
    /// When the relay got it first.
    #[n(2)]
    pub time: Millis,
}

/// No, and why.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Refused {
    /// As in the frame refused; absent where it had none.
    #[n(0)]
    pub request: Option<u64>,
    /// Why.
    #[n(1)]
    pub code: Refusal,
    /// The number that explains it: the limit exceeded, or the current epoch.
    #[n(2)]
    pub limit: Option<u64>,
    /// Milliseconds after which trying again makes sense.
    #[n(3)]
    pub wait_ms: Option<u64>,
    /// Which log, where it concerns one.
    #[n(4)]
    pub log: Option<LogId>,
}

/// A signal from another session.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Signalled<'b> {
    /// Which log.
    #[n(0)]
    pub log: LogId,
    /// The sealed body.
    #[b(1)]
    #[cbor(with = "minicbor::bytes")]
    pub body: &'b [u8],
}

impl fmt::Debug for Signalled<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signalled").field("body_bytes", &self.body.len()).finish_non_exhaustive()
    }
}

/// This session's queue overflowed: nothing after `cursor` was sent for this log, and the session is detached from it.
/// The client attaches again with `after: cursor` when it has caught its breath.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Lagged {
    /// Which log.
    #[n(0)]
    pub log: LogId,
    /// The last record that was sent.
    #[n(1)]
    pub cursor: Cursor,
}

/// The answer to a ping.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Pong {
    /// As in `Ping`.
    #[n(0)]
    pub request: u64,
    /// The relay's clock.
    #[n(1)]
    pub time: Millis,
}

/// The relay ends the session; no frame follows.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Closing {
    /// Why.
    #[n(0)]
    pub code: Refusal,
}

/// A frame from a relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RelayFrame<'b> {
    /// Type 1.
    Welcome(Welcome),
    /// Type 2.
    Created(Created),
    /// Type 3.
    Attached(Attached),
    /// Type 4.
    Record(Record<'b>),
    /// Type 5.
    Live(Live),
    /// Type 6.
    Kept(Kept),
    /// Type 7.
    Refused(Refused),
    /// Type 8.
    Signalled(Signalled<'b>),
    /// Type 9.
    Lagged(Lagged),
    /// Type 10.
    Pong(Pong),
    /// Type 11.
    Closing(Closing),
    /// Type 20.
    Done(Done),
    /// Type 21.
    Counted(Counted),
    /// Type 22.
    Taken(Taken<'b>),
    /// Type 23.
    BlobGrant(BlobGrant),
}

impl<'b> RelayFrame<'b> {
    /// Reads a frame.
    ///
    /// # Errors
    /// [`DecodeError`] says whether the bytes are too many, malformed, or of an unknown type.
    pub fn decode(bytes: &'b [u8]) -> Result<Self, DecodeError> {
        let (kind, d) = open(bytes)?;
        Ok(match kind {
            1 => Self::Welcome(body(d)?),
            2 => Self::Created(body(d)?),
            3 => Self::Attached(body(d)?),
            4 => Self::Record(body(d)?),
            5 => Self::Live(body(d)?),
            6 => Self::Kept(body(d)?),
            7 => Self::Refused(body(d)?),
            8 => Self::Signalled(body(d)?),
            9 => Self::Lagged(body(d)?),
            10 => Self::Pong(body(d)?),
            11 => Self::Closing(body(d)?),
            20 => Self::Done(body(d)?),
            21 => Self::Counted(body(d)?),
            22 => Self::Taken(body(d)?),
            23 => Self::BlobGrant(body(d)?),
            n => return Err(DecodeError::UnknownType(n)),
        })
    }

    /// Writes a frame.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Welcome(f) => put(1, 0, f),
            Self::Created(f) => put(2, 0, f),
            Self::Attached(f) => put(3, 0, f),
            Self::Record(f) => put(4, f.body.len().saturating_add(f.tail()), f),
            Self::Live(f) => put(5, 0, f),
            Self::Kept(f) => put(6, 0, f),
            Self::Refused(f) => put(7, 0, f),
            Self::Signalled(f) => put(8, f.body.len(), f),
            Self::Lagged(f) => put(9, 0, f),
            Self::Pong(f) => put(10, 0, f),
            Self::Closing(f) => put(11, 0, f),
            Self::Done(f) => put(20, 0, f),
            Self::Counted(f) => put(21, f.slots.len().saturating_mul(SlotCount::MOST), f),
            Self::Taken(f) => put(22, f.item.len(), f),
            Self::BlobGrant(f) => put(23, 0, f),
        }
    }
}
