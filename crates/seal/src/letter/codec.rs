//! A letter's bytes: a CBOR map with integer keys, in the deterministic encoding and no other.
//!
//! Keys: 0 content (bytes; absent in a beat), 1 counter, 2 parents, 3 `sent_at`, 4 ttl (absent: none); in a quick room 5
//! name; in a private room 6 the account's chain and 7 views (absent: none). Nothing else may stand there: another layout
//! is another version of the packet around it. This layer knows no signatures.

use core::convert::Infallible;

use estoile_wire::limits::MAX_TTL_SECONDS;
use estoile_wire::{Millis, PublicKey};
use minicbor::data::Type;
use minicbor::decode::Error as Bad;
use minicbor::encode::Error;
use minicbor::{Decoder, Encoder};

use super::{Letter, MAX_PARENTS, Private, Reference};
use crate::cbor;
use crate::mimi::Content;
use crate::names::is_name;
use crate::views;

/// A map, its list of parents, a parent, its fields.
const MAX_NESTING: usize = 4;

/// The bytes are not a letter; no more is said of a peer's bytes.
pub(super) struct Malformed;

impl From<Bad> for Malformed {
    fn from(_: Bad) -> Self {
        Self
    }
}

pub(super) fn encode(letter: &Letter) -> Vec<u8> {
    let views = letter.private.as_ref().is_some_and(|p| !p.views.is_empty());
    let optional = u64::from(letter.content.is_some()) + u64::from(letter.ttl.is_some()) + u64::from(views);
    cbor::write(|e| {
        e.map(4 + optional)?;
        if let Some(content) = &letter.content {
            e.u8(0)?.bytes(&content.encode())?;
        }
        e.u8(1)?.u64(letter.counter)?;
        e.u8(2)?.array(letter.parents.len() as u64)?;
        letter.parents.iter().try_for_each(|parent| put_reference(e, parent))?;
        e.u8(3)?.u64(letter.sent_at)?;
        if let Some(ttl) = letter.ttl {
            e.u8(4)?.u32(ttl)?;
        }
        let Some(private) = &letter.private else { return e.u8(5)?.str(&letter.name)?.ok() };
        e.u8(6)?.array(2)?.u64(private.chain_length)?.bytes(&private.chain_head)?;
        if views {
            e.u8(7)?;
            views::put(e, &private.views)?;
        }
        e.ok()
    })
}

fn put_reference(e: &mut Encoder<Vec<u8>>, r: &Reference) -> Result<(), Error<Infallible>> {
    e.array(6)?.bytes(&r.hash)?.bytes(&r.sender.0)?.u64(r.counter)?.u64(r.epoch)?.u64(r.sent_at)?;
    match r.ends_at {
        Some(end) => e.u64(end)?.ok(),
        None => e.null()?.ok(),
    }
}

/// The quick room's letter in these bytes; its sender stands around them, not in them.
pub(super) fn decode(bytes: &[u8], sender: PublicKey) -> Result<Letter, Malformed> {
    let (mut d, mut left, letter) = common(bytes, sender)?;
    expect(&mut d, &mut left, 5)?;
    let name = d.str()?.to_owned();
    if left > 0 || !is_name(&name) {
        return Err(Malformed);
    }
    Ok(Letter { name, ..letter })
}

/// The private room's letter in these bytes; MLS said whose it is.
pub(super) fn decode_private(bytes: &[u8], sender: PublicKey) -> Result<Letter, Malformed> {
    let (mut d, mut left, letter) = common(bytes, sender)?;
    expect(&mut d, &mut left, 6)?;
    if d.array()? != Some(2) {
        return Err(Malformed);
    }
    let chain_length = d.u64()?;
    let chain_head = d.bytes()?.try_into().map_err(|_| Malformed)?;
    let views = match key(&mut d, &mut left, 7)? {
        true => views::get(&mut d).filter(|views| !views.is_empty()).ok_or(Malformed)?,
        false => Vec::new(),
    };
    if left > 0 {
        return Err(Malformed);
    }
    Ok(Letter { private: Some(Private { chain_length, chain_head, views }), ..letter })
}

/// What both kinds begin with; the decoder stands behind it, before so many more keys.
fn common(bytes: &[u8], sender: PublicKey) -> Result<(Decoder<'_>, u64, Letter), Malformed> {
    if !cbor::deterministic(bytes, MAX_NESTING) {
        return Err(Malformed);
    }
    let mut d = Decoder::new(bytes);
    let mut left = d.map()?.ok_or(Malformed)?;
    let content = match key(&mut d, &mut left, 0)? {
        true => Some(Content::decode(d.bytes()?).map_err(|_| Malformed)?),
        false => None,
    };
    expect(&mut d, &mut left, 1)?;
    let counter = d.u64()?;
    expect(&mut d, &mut left, 2)?;
    let parents = parents(&mut d)?;
    expect(&mut d, &mut left, 3)?;
    let sent_at = d.u64()?;
    let ttl = match key(&mut d, &mut left, 4)? {
        true => Some(ttl(&mut d)?),
        false => None,
    };
    let letter = Letter { content, counter, parents, sent_at, ttl, name: String::new(), sender, private: None };
    Ok((d, left, letter))
}

/// Whether the next key is this one; then it is read.
fn key(d: &mut Decoder<'_>, left: &mut u64, expected: u64) -> Result<bool, Malformed> {
    let next = *left > 0 && d.probe().u64()? == expected;
    if next {
        d.u64()?;
        *left -= 1;
    }
    Ok(next)
}

fn expect(d: &mut Decoder<'_>, left: &mut u64, expected: u64) -> Result<(), Malformed> {
    if key(d, left, expected)? { Ok(()) } else { Err(Malformed) }
}

fn ttl(d: &mut Decoder<'_>) -> Result<u32, Malformed> {
    let ttl = d.u32()?;
    if is_ttl(ttl) { Ok(ttl) } else { Err(Malformed) }
}

/// A life of no second shows nobody anything; a longer one than the protocol's is not one the relay can take.
pub(super) fn is_ttl(ttl: u32) -> bool {
    (1..=MAX_TTL_SECONDS).contains(&u64::from(ttl))
}

fn parents(d: &mut Decoder<'_>) -> Result<Vec<Reference>, Malformed> {
    let count = d.array()?.filter(|&n| n <= MAX_PARENTS as u64).ok_or(Malformed)?;
    let parents = (0..count).map(|_| reference(d)).collect::<Result<Vec<_>, _>>()?;
    if are_distinct(&parents) { Ok(parents) } else { Err(Malformed) }
}

/// A letter names each parent once.
pub(super) fn are_distinct(parents: &[Reference]) -> bool {
    (1..parents.len()).all(|i| {
        let (before, rest) = parents.split_at(i);
        rest.first().is_none_or(|parent| before.iter().all(|other| other.hash != parent.hash))
    })
}

fn reference(d: &mut Decoder<'_>) -> Result<Reference, Malformed> {
    if d.array()? != Some(6) {
        return Err(Malformed);
    }
    let hash = d.bytes()?.try_into().map_err(|_| Malformed)?;
    let sender = PublicKey::try_from(d.bytes()?).map_err(|_| Malformed)?;
    let (counter, epoch, sent_at) = (d.u64()?, d.u64()?, d.u64()?);
    let ends_at: Option<Millis> = if d.datatype()? == Type::Null {
        d.null()?;
        None
    } else {
        Some(d.u64()?)
    };
    Ok(Reference { hash, sender, counter, epoch, sent_at, ends_at })
}
