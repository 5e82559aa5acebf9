//! Frames: one CBOR item (RFC 8949, deterministic encoding §4.2.1) inside one WebSocket binary message.
//!
//! A frame is an array of two: its type, and a map with integer keys. Each frame has one spelling and others are refused;
//! unknown keys are skipped, unknown types survive as [`DecodeError::UnknownType`] so that each side can refuse them by
//! name. Bodies are borrowed, never copied, on decoding; `Debug` of a frame shows no body, id or code.

mod blobs;
mod client;
mod lists;
mod relay;
mod shelves;
mod strict;
mod tickets;

pub use blobs::{BlobAsk, BlobGrant};
pub use client::{Append, Attach, ClientFrame, Create, Detach, Hello, Ping, Signal};
pub use relay::{
    Attached, Closing, Created, Kept, Lagged, Live, Pong, Record, Refused, RelayFrame, Signalled, Welcome,
};
pub use shelves::{Count, Counted, Put, SlotCount, Take, Taken};
pub use tickets::{Done, Post, Ticket, Tickets};

use minicbor::{Decode, Decoder, Encode, Encoder};

use crate::limits::MAX_FRAME;

/// Why bytes are not a frame.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Longer than [`MAX_FRAME`].
    #[error("the frame is longer than {MAX_FRAME} bytes")]
    TooLarge,
    /// Not the CBOR that the protocol describes.
    #[error("the frame is malformed")]
    Malformed,
    /// A type that this version does not know; the number is kept.
    #[error("frame type {0} is unknown")]
    UnknownType(u64),
}

impl From<minicbor::decode::Error> for DecodeError {
    fn from(_: minicbor::decode::Error) -> Self {
        Self::Malformed
    }
}

/// What a frame takes beside its body: the fixed fields of a record are the most, at 3 + 34 + 5 × 10 + 18 + 4 + 7 keys.
const ENVELOPE: usize = 128;

/// Writes `[type, map]`, in one allocation if the sealed body in it has `size` bytes.
fn put<T: Encode<()>>(kind: u8, size: usize, body: &T) -> Vec<u8> {
    let mut e = Encoder::new(Vec::with_capacity(ENVELOPE + size));
    // Writing into a vector can't fail: its error type is `Infallible`.
    if let Ok(e) = e.array(2).and_then(|e| e.u8(kind)) {
        let _ = e.encode(body);
    }
    e.into_writer()
}

/// Reads the `[type, …` of a frame and leaves the decoder at the map.
fn open(bytes: &[u8]) -> Result<(u64, Decoder<'_>), DecodeError> {
    if bytes.len() > MAX_FRAME {
        return Err(DecodeError::TooLarge);
    }
    strict::check(bytes)?;
    let mut d = Decoder::new(bytes);
    if d.array()? != Some(2) {
        return Err(DecodeError::Malformed);
    }
    let kind = d.u64()?;
    Ok((kind, d))
}

/// Reads the map and insists that nothing follows it.
fn body<'b, T: Decode<'b, ()>>(mut d: Decoder<'b>) -> Result<T, DecodeError> {
    let value = d.decode()?;
    if d.position() == d.input().len() { Ok(value) } else { Err(DecodeError::Malformed) }
}
