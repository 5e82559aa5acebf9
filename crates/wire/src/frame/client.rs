//! What a client says to a relay.

use core::fmt;

use minicbor::{Decode, Decoder, Encode, decode};

use super::{BlobAsk, Count, DecodeError, Post, Put, Take, Ticket, Tickets, body, open, put};
use crate::id::{Cursor, Id16, LogId, Nonce, PublicKey, Signature};
use crate::limits::MAX_VERSIONS;

/// The first frame of a session.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Hello {
    /// The protocol versions that the client speaks, at most [`crate::limits::MAX_VERSIONS`].
    #[n(0)]
    #[cbor(decode_with = "few")]
    pub versions: Vec<u64>,
    /// Random bytes that the relay signs.
    #[n(1)]
    pub challenge: Nonce,
}

/// Reads a list of versions that is not longer than anybody needs.
fn few<C>(d: &mut Decoder<'_>, _: &mut C) -> Result<Vec<u64>, decode::Error> {
    let at = d.position();
    match d.array()? {
        Some(n) if n <= MAX_VERSIONS as u64 => (0..n).map(|_| d.u64()).collect(),
        _ => Err(decode::Error::message("too many versions").at(at)),
    }
}

/// Makes a log. Answered by `Created` or `Refused`; making a log that exists with the same limits is answered like the first time.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Create {
    /// Chosen by the client, comes back in the answer.
    #[n(0)]
    pub request: u64,
    /// The log's kind, see [`crate::id::LogKind`].
    #[n(1)]
    pub kind: u64,
    /// The first access key; the log's id derives from it and the kind.
    #[n(2)]
    pub access_key: PublicKey,
    /// Seconds that a record may live; 0 for the relay's maximum. A longer one is lowered to it, and told in the answer.
    #[n(3)]
    pub max_ttl: u64,
    /// Bytes that the log may hold; 0 for the relay's maximum. A larger one is lowered to it.
    #[n(4)]
    pub quota: u64,
    /// The access key's signature over [`crate::proof::create`].
    #[n(5)]
    pub signature: Signature,
    /// The relay's entry code, where it asks for one.
    #[n(6)]
    #[cbor(with = "minicbor::bytes")]
    pub entry: Option<Vec<u8>>,
}

impl fmt::Debug for Create {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Create")
            .field("request", &self.request)
            .field("entry_code", &self.entry.is_some())
            .finish_non_exhaustive()
    }
}

/// Opens a log for reading, appending and signals. Answered by `Attached`, then records, then `Live`; or by `Refused`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Attach {
    /// Comes back in the answer.
    #[n(0)]
    pub request: u64,
    /// Which log.
    #[n(1)]
    pub log: LogId,
    /// Whose access key signs.
    #[n(2)]
    pub epoch: u64,
    /// Records after this cursor are sent; 0 for all that live.
    #[n(3)]
    pub after: Cursor,
    /// The access key's signature over [`crate::proof::attach`].
    #[n(4)]
    pub signature: Signature,
    /// If set: of the records after `after`, only the newest so many; 0 for none but those to come.
    #[n(5)]
    pub newest: Option<u64>,
}

/// Leaves a log. Not answered.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Detach {
    /// Which log.
    #[n(0)]
    pub log: LogId,
}

/// Adds a record. Answered by `Kept` when it is durable, or by `Refused`.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Append<'b> {
    /// Comes back in the answer.
    #[n(0)]
    pub request: u64,
    /// Which log; the session must be attached to it.
    #[n(1)]
    pub log: LogId,
    /// The letter's id: while its record lives, a repeat is answered with the first cursor.
    #[n(2)]
    pub id16: Id16,
    /// Must be the log's current epoch.
    #[n(3)]
    pub epoch: u64,
    /// Seconds left to live, counted from arrival, at least 1; absent: the log's `max_ttl`.
    #[n(4)]
    pub ttl: Option<u64>,
    /// The sealed letter, 1 to [`crate::limits::MAX_BODY`] bytes.
    #[b(5)]
    #[cbor(with = "minicbor::bytes")]
    pub body: &'b [u8],
    /// In advancing logs: this ends the epoch, and the next one has this access key. The record lives for the log's
    /// `max_ttl`, whatever `ttl` says.
    #[n(6)]
    pub advance: Option<PublicKey>,
}

impl fmt::Debug for Append<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Append")
            .field("request", &self.request)
            .field("ttl", &self.ttl)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Forwards a sealed body to the other sessions attached now. Not stored, not answered unless refused.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Signal<'b> {
    /// Which log; the session must be attached to it.
    #[n(0)]
    pub log: LogId,
    /// The sealed body, at most [`crate::limits::MAX_SIGNAL`] bytes.
    #[b(1)]
    #[cbor(with = "minicbor::bytes")]
    pub body: &'b [u8],
}

impl fmt::Debug for Signal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signal").field("body_bytes", &self.body.len()).finish_non_exhaustive()
    }
}

/// Asks for a sign of life and the relay's time. Answered by `Pong`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Ping {
    /// Comes back in the answer.
    #[n(0)]
    pub request: u64,
}

/// A frame from a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientFrame<'b> {
    /// Type 1.
    Hello(Hello),
    /// Type 2.
    Create(Create),
    /// Type 3.
    Attach(Attach),
    /// Type 4.
    Detach(Detach),
    /// Type 5.
    Append(Append<'b>),
    /// Type 6.
    Signal(Signal<'b>),
    /// Type 7.
    Ping(Ping),
    /// Type 20.
    Tickets(Tickets),
    /// Type 21.
    Post(Post<'b>),
    /// Type 22.
    Put(Put<'b>),
    /// Type 23.
    Take(Take),
    /// Type 24.
    Count(Count),
    /// Type 25.
    BlobAsk(BlobAsk),
}

impl<'b> ClientFrame<'b> {
    /// Reads a frame.
    ///
    /// # Errors
    /// [`DecodeError`] says whether the bytes are too many, malformed, or of an unknown type.
    pub fn decode(bytes: &'b [u8]) -> Result<Self, DecodeError> {
        let (kind, d) = open(bytes)?;
        Ok(match kind {
            1 => Self::Hello(body(d)?),
            2 => Self::Create(body(d)?),
            3 => Self::Attach(body(d)?),
            4 => Self::Detach(body(d)?),
            5 => Self::Append(body(d)?),
            6 => Self::Signal(body(d)?),
            7 => Self::Ping(body(d)?),
            20 => Self::Tickets(body(d)?),
            21 => Self::Post(body(d)?),
            22 => Self::Put(body(d)?),
            23 => Self::Take(body(d)?),
            24 => Self::Count(body(d)?),
            25 => Self::BlobAsk(body(d)?),
            n => return Err(DecodeError::UnknownType(n)),
        })
    }

    /// Writes a frame.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Hello(f) => put(1, 0, f),
            Self::Create(f) => put(2, 0, f),
            Self::Attach(f) => put(3, 0, f),
            Self::Detach(f) => put(4, 0, f),
            Self::Append(f) => put(5, f.body.len(), f),
            Self::Signal(f) => put(6, f.body.len(), f),
            Self::Ping(f) => put(7, 0, f),
            Self::Tickets(f) => put(20, f.tickets.len().saturating_mul(Ticket::MOST), f),
            Self::Post(f) => put(21, f.body.len(), f),
            Self::Put(f) => put(22, f.bytes(), f),
            Self::Take(f) => put(23, 0, f),
            Self::Count(f) => put(24, 0, f),
            Self::BlobAsk(f) => put(25, 0, f),
        }
    }
}
