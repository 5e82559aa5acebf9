//! Deterministic maps with integer keys, read in order: what accounts, cards, mailbox letters and shelf items are made of.
//!
//! A strict map ends with its last known key. An open one may go on: what a later version adds under greater keys is kept as
//! it is and written again ([`Later`]). This layer does not know what the fields mean.

use core::convert::Infallible;

use estoile_wire::{LogId, PublicKey, Signature};
use minicbor::decode::Error as Bad;
use minicbor::encode::Error;
use minicbor::{Decoder, Encoder};

use crate::cbor;

/// The writer of all our maps.
pub(crate) type Out = Encoder<Vec<u8>>;
/// What writing gives: a vector refuses nothing.
pub(crate) type Written = Result<(), Error<Infallible>>;

/// An open map keeps at most this many bytes of fields that this version does not know: enough for a few keys and hashes.
pub(crate) const MAX_LATER: usize = 4096;

/// The bytes are not what they should be; no more is said of a peer's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("these bytes are none that this version can read")]
pub struct Malformed;

impl From<Bad> for Malformed {
    fn from(_: Bad) -> Self {
        Self
    }
}

/// Fields of a map that this version does not know: kept, and written again, so that an older device loses nothing that a
/// newer one wrote.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Later {
    count: u64,
    bytes: Vec<u8>,
}

crate::closed_debug!(Later);

impl Later {
    /// How many fields they are.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.count
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Writes them after the known fields.
    pub(crate) fn put(&self, e: &mut Out) -> Written {
        e.writer_mut().extend_from_slice(&self.bytes);
        Ok(())
    }
}

/// A map that is being read, in the order of its keys.
pub(crate) struct Fields<'a, 'b> {
    d: &'a mut Decoder<'b>,
    left: u64,
}

impl<'a, 'b> Fields<'a, 'b> {
    /// Begins to read a map. The bytes around it must have passed [`cbor::deterministic`].
    pub(crate) fn begin(d: &'a mut Decoder<'b>) -> Result<Self, Malformed> {
        let left = d.map()?.ok_or(Malformed)?;
        Ok(Self { d, left })
    }

    /// The value of the next key, if that is `key`.
    pub(crate) fn may(&mut self, key: u64) -> Result<Option<&mut Decoder<'b>>, Malformed> {
        if self.left == 0 || self.d.probe().u64()? != key {
            return Ok(None);
        }
        self.d.u64()?;
        self.left -= 1;
        Ok(Some(self.d))
    }

    /// The value of the next key, which must be `key`.
    pub(crate) fn need(&mut self, key: u64) -> Result<&mut Decoder<'b>, Malformed> {
        self.may(key)?.ok_or(Malformed)
    }

    /// A strict map ends here.
    pub(crate) const fn end(self) -> Result<(), Malformed> {
        if self.left == 0 { Ok(()) } else { Err(Malformed) }
    }

    /// An open map may go on: what follows is kept. Keys are in order, so none of them is a known one that was passed over
    /// if `last`, the greatest known key, is below them all.
    pub(crate) fn later(self, last: u64) -> Result<Later, Malformed> {
        let start = self.d.position();
        for _ in 0..self.left {
            if self.d.u64()? <= last {
                return Err(Malformed);
            }
            self.d.skip()?;
        }
        let bytes = self.d.input().get(start..self.d.position()).ok_or(Malformed)?;
        if bytes.len() > MAX_LATER {
            return Err(Malformed);
        }
        Ok(Later { count: self.left, bytes: bytes.to_vec() })
    }
}

/// Checks the whole, then reads it with `read`, which must use all of it.
pub(crate) fn whole<'b, T>(
    bytes: &'b [u8],
    depth: usize,
    read: impl FnOnce(&mut Decoder<'b>) -> Result<T, Malformed>,
) -> Result<T, Malformed> {
    if !cbor::deterministic(bytes, depth) {
        return Err(Malformed);
    }
    let mut d = Decoder::new(bytes);
    let value = read(&mut d)?;
    if d.position() == bytes.len() { Ok(value) } else { Err(Malformed) }
}

/// A byte string of exactly this size.
pub(crate) fn array<const N: usize>(d: &mut Decoder<'_>) -> Result<[u8; N], Malformed> {
    d.bytes()?.try_into().map_err(|_| Malformed)
}

/// A byte string of at most `most` bytes.
pub(crate) fn bytes(d: &mut Decoder<'_>, most: usize) -> Result<Vec<u8>, Malformed> {
    let bytes = d.bytes()?;
    if bytes.len() <= most { Ok(bytes.to_vec()) } else { Err(Malformed) }
}

/// A text of at most `most` bytes.
pub(crate) fn text(d: &mut Decoder<'_>, most: usize) -> Result<String, Malformed> {
    let text = d.str()?;
    if text.len() <= most { Ok(text.to_owned()) } else { Err(Malformed) }
}

/// A name, as people and rooms have one.
pub(crate) fn name(d: &mut Decoder<'_>) -> Result<String, Malformed> {
    let name = d.str()?;
    if crate::names::is_name(name) { Ok(name.to_owned()) } else { Err(Malformed) }
}

/// An Ed25519 public key.
pub(crate) fn public_key(d: &mut Decoder<'_>) -> Result<PublicKey, Malformed> {
    array(d).map(PublicKey)
}

/// An Ed25519 signature.
pub(crate) fn signature(d: &mut Decoder<'_>) -> Result<Signature, Malformed> {
    array(d).map(Signature)
}

/// A log's id.
pub(crate) fn log_id(d: &mut Decoder<'_>) -> Result<LogId, Malformed> {
    array(d).map(LogId)
}

/// An array of at most `most` items. Items are read before they are kept, so that a false count allocates nothing.
pub(crate) fn list<'b, T>(
    d: &mut Decoder<'b>,
    most: usize,
    mut item: impl FnMut(&mut Decoder<'b>) -> Result<T, Malformed>,
) -> Result<Vec<T>, Malformed> {
    let count = d.array()?.filter(|&n| n <= most as u64).ok_or(Malformed)?;
    (0..count).map(|_| item(d)).collect()
}

/// Writes an array.
pub(crate) fn put_list<T>(e: &mut Out, items: &[T], mut put: impl FnMut(&mut Out, &T) -> Written) -> Written {
    e.array(items.len() as u64)?;
    items.iter().try_for_each(|item| put(e, item))
}
