//! A chain's bytes: an array of entries, each an array of its body and its signatures.
//!
//! The body is what is hashed and signed: `[0, root, device, at]`, `[1, device, by, at]`, `[2, device, [by, …], at]` or
//! `[3, root, at]`. This layer checks the layout and no signature.

use estoile_wire::Signature;
use minicbor::Decoder;

use super::{ChainError, Entry, MAX_ENTRIES, MAX_ENTRY, Proven};
use crate::cbor;
use crate::fields::{self, Malformed, put_list};

/// The list of entries, an entry, its signatures.
const MAX_NESTING: usize = 4;
/// A body, its list of signers, a signer.
const MAX_BODY_NESTING: usize = 3;

pub(super) fn body(entry: &Entry) -> Vec<u8> {
    cbor::write(|e| match entry {
        Entry::Create { root, device, at } => e.array(4)?.u8(0)?.bytes(&root.0)?.bytes(&device.0)?.u64(*at)?.ok(),
        Entry::Add { device, by, at } => e.array(4)?.u8(1)?.bytes(&device.0)?.bytes(&by.0)?.u64(*at)?.ok(),
        Entry::Remove { device, by, at } => {
            e.array(4)?.u8(2)?.bytes(&device.0)?;
            put_list(e, by, |e, key| e.bytes(&key.0)?.ok())?;
            e.u64(*at)?.ok()
        }
        Entry::Rotate { root, at } => e.array(3)?.u8(3)?.bytes(&root.0)?.u64(*at)?.ok(),
    })
}

fn read_body(bytes: &[u8]) -> Result<Entry, Malformed> {
    fields::whole(bytes, MAX_BODY_NESTING, |d| {
        let entry = match (d.array()?, d.u64()?) {
            (Some(4), 0) => {
                Entry::Create { root: fields::public_key(d)?, device: fields::public_key(d)?, at: d.u64()? }
            }
            (Some(4), 1) => Entry::Add { device: fields::public_key(d)?, by: fields::public_key(d)?, at: d.u64()? },
            (Some(4), 2) => {
                let device = fields::public_key(d)?;
                let by = fields::list(d, 2, fields::public_key)?;
                Entry::Remove { device, by, at: d.u64()? }
            }
            (Some(3), 3) => Entry::Rotate { root: fields::public_key(d)?, at: d.u64()? },
            _ => return Err(Malformed),
        };
        Ok(entry)
    })
}

pub(super) fn encode(entries: &[Proven]) -> Vec<u8> {
    cbor::write(|e| {
        put_list(e, entries, |e, proven| {
            e.array(2)?.bytes(&body(&proven.entry))?;
            put_list(e, &proven.signatures, |e, signature| e.bytes(&signature.0)?.ok())
        })
    })
}

/// Entries with their signatures, unchecked: at most [`MAX_ENTRIES`].
pub(super) fn entries(bytes: &[u8]) -> Result<Vec<(Entry, Vec<Signature>)>, ChainError> {
    Ok(fields::whole(bytes, MAX_NESTING, |d| fields::list(d, MAX_ENTRIES, entry))?)
}

fn entry(d: &mut Decoder<'_>) -> Result<(Entry, Vec<Signature>), Malformed> {
    if d.array()? != Some(2) {
        return Err(Malformed);
    }
    let body = d.bytes()?;
    if body.len() > MAX_ENTRY {
        return Err(Malformed);
    }
    Ok((read_body(body)?, fields::list(d, 2, fields::signature)?))
}
