//! Asking for leave to put a blob. The blob itself travels over HTTP (docs/protocol.md §13).

use minicbor::{Decode, Encode};

use crate::id::{BlobHash, BlobToken, LogId, TicketSecret};

/// Asks for leave to put a blob, which counts in a log's quota. Answered by `BlobGrant` or `Refused`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct BlobAsk {
    /// Comes back in the answer.
    #[n(0)]
    pub request: u64,
    /// In which log it counts.
    #[n(1)]
    pub log: LogId,
    /// SHA-256 of its bytes.
    #[n(2)]
    pub hash: BlobHash,
    /// How many they are.
    #[n(3)]
    pub size: u64,
    /// Seconds left to live, as in `Append`: as long as the record that names it, or longer.
    #[n(4)]
    pub ttl: Option<u64>,
    /// The secret of a ticket of the log; absent: the session is attached to it.
    #[n(5)]
    pub ticket: Option<TicketSecret>,
}

/// Leave to put a blob.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct BlobGrant {
    /// As in `BlobAsk`.
    #[n(0)]
    pub request: u64,
    /// To be shown with every part.
    #[n(1)]
    pub token: BlobToken,
    /// How many bytes the relay has: the next part begins here. All of them: nothing is to be put.
    #[n(2)]
    pub received: u64,
}
