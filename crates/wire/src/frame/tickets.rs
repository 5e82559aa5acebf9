//! Tickets: with one of them, somebody who does not hold a log's key posts into it, and takes from a shelf.

use core::fmt;

use minicbor::{Decode, Decoder, Encode, decode};

use super::lists;
use crate::id::{Id16, LogId, Signature, TicketHash, TicketSecret};
use crate::limits::MAX_TICKETS;

/// One ticket, as the owner of a log or shelf tells it to the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Ticket {
    /// The hash of its secret.
    #[n(0)]
    pub hash: TicketHash,
    /// Posts, takes and blobs that it is good for in a day.
    #[n(1)]
    pub per_day: u64,
    /// Bytes of posts and blobs that it is good for in a day.
    #[n(2)]
    pub bytes_per_day: u64,
}

impl Ticket {
    /// Bytes that one takes in a list: two numbers, a hash, keys and heads.
    pub(super) const MOST: usize = 1 + 3 + 34 + 2 * 9;
}

/// Replaces the tickets of a log or shelf. Answered by `Done` when that is durable, or by `Refused`.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Tickets {
    /// Comes back in the answer.
    #[n(0)]
    pub request: u64,
    /// Which log or shelf.
    #[n(1)]
    pub log: LogId,
    /// All of them, at most [`crate::limits::MAX_TICKETS`]; the order means nothing, of two with one hash the last counts.
    #[n(2)]
    #[cbor(decode_with = "few")]
    pub tickets: Vec<Ticket>,
    /// The current access key's signature over [`crate::proof::tickets`].
    #[n(3)]
    pub signature: Signature,
}

fn few<C>(d: &mut Decoder<'_>, c: &mut C) -> Result<Vec<Ticket>, decode::Error> {
    lists::read(d, c, MAX_TICKETS)
}

impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tickets")
            .field("request", &self.request)
            .field("tickets", &self.tickets.len())
            .finish_non_exhaustive()
    }
}

/// What was asked for is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Done {
    /// As in the request.
    #[n(0)]
    pub request: u64,
}

/// Adds a record to a fixed log by ticket; the session need not be attached. Answered by `Kept` when it is durable, or by
/// `Refused`.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Post<'b> {
    /// Comes back in the answer.
    #[n(0)]
    pub request: u64,
    /// Which log.
    #[n(1)]
    pub log: LogId,
    /// The ticket's secret.
    #[n(2)]
    pub ticket: TicketSecret,
    /// The letter's id: while its record lives, a repeat is answered with the first cursor.
    #[n(3)]
    pub id16: Id16,
    /// Seconds left to live, as in `Append`.
    #[n(4)]
    pub ttl: Option<u64>,
    /// The sealed letter, 1 to [`crate::limits::MAX_BODY`] bytes.
    #[b(5)]
    #[cbor(with = "minicbor::bytes")]
    pub body: &'b [u8],
}

impl fmt::Debug for Post<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Post")
            .field("request", &self.request)
            .field("ttl", &self.ttl)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}
