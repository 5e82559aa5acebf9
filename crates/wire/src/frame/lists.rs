//! Lists within frames, none longer than its bound.

use minicbor::encode::Write;
use minicbor::{Decode, Decoder, Encoder, decode, encode};

fn too_many(at: usize) -> decode::Error {
    decode::Error::message("a list is too long").at(at)
}

/// Reads a list that is not longer than `most`; a count that lies ends at the end of the bytes.
pub(super) fn read<'b, C, T: Decode<'b, C>>(
    d: &mut Decoder<'b>,
    c: &mut C,
    most: usize,
) -> Result<Vec<T>, decode::Error> {
    let at = d.position();
    match d.array()? {
        Some(n) if n <= most as u64 => (0..n).map(|_| d.decode_with(c)).collect(),
        _ => Err(too_many(at)),
    }
}

/// Reads a list of byte strings that is not longer than `most`.
pub(super) fn read_bytes<'b>(d: &mut Decoder<'b>, most: usize) -> Result<Vec<&'b [u8]>, decode::Error> {
    let at = d.position();
    match d.array()? {
        Some(n) if n <= most as u64 => (0..n).map(|_| d.bytes()).collect(),
        _ => Err(too_many(at)),
    }
}

/// Writes a list of byte strings.
pub(super) fn write_bytes<C, W: Write>(
    list: &[&[u8]],
    e: &mut Encoder<W>,
    _: &mut C,
) -> Result<(), encode::Error<W::Error>> {
    e.array(list.len() as u64)?;
    list.iter().try_for_each(|bytes| e.bytes(bytes)?.ok())
}
