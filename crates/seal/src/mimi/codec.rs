//! Content's bytes: written in the deterministic encoding, read in no other.
//!
//! This layer does not know what a part is for.

use core::convert::Infallible;

use minicbor::data::Type;
use minicbor::decode::Error as Bad;
use minicbor::encode::Error;
use minicbor::{Decoder, Encoder};

use super::{
    Body, Content, Disposition, Expires, Extension, ExtensionName, External, MAX_DEPTH, MAX_EXTENSION_NAME,
    MAX_EXTENSION_VALUE, MAX_EXTENSIONS, MAX_PARTS, MessageId, MimiError, Part, Semantics,
};
use crate::cbor;

/// Arrays and maps inside each other: the message, then two for each level of parts (a part and its list), and what an
/// extension's value may hold.
const MAX_NESTING: usize = 16;

const NULL_PART: u64 = 0;
const SINGLE_PART: u64 = 1;
const EXTERNAL_PART: u64 = 2;
const MULTI_PART: u64 = 3;

impl From<Bad> for MimiError {
    fn from(_: Bad) -> Self {
        Self::Malformed
    }
}

type Put = Result<(), Error<Infallible>>;

pub(super) fn encode(content: &Content) -> Vec<u8> {
    cbor::write(|e| {
        e.array(7)?.bytes(&content.salt)?;
        put_id(e, content.replaces.as_ref())?;
        e.bytes(&content.topic)?;
        match content.expires {
            Some(Expires { relative, time }) => e.array(2)?.bool(relative)?.u32(time)?,
            None => e.null()?,
        };
        put_id(e, content.in_reply_to.as_ref())?;
        put_extensions(e, &content.extensions)?;
        put_part(e, &content.part)
    })
}

fn put_id(e: &mut Encoder<Vec<u8>>, id: Option<&MessageId>) -> Put {
    match id {
        Some(id) => e.bytes(&id.0)?.ok(),
        None => e.null()?.ok(),
    }
}

/// In the order of the encoded names, whatever order they are held in.
fn put_extensions(e: &mut Encoder<Vec<u8>>, extensions: &[Extension]) -> Put {
    let mut pairs: Vec<_> = extensions.iter().map(|x| (encode_name(&x.name), &x.value)).collect();
    pairs.sort();
    e.map(extensions.len() as u64)?;
    for (name, value) in pairs {
        e.writer_mut().extend_from_slice(&name);
        e.writer_mut().extend_from_slice(value);
    }
    Ok(())
}

fn encode_name(name: &ExtensionName) -> Vec<u8> {
    cbor::write(|e| match name {
        ExtensionName::Number(n) => e.i64(*n)?.ok(),
        ExtensionName::Text(text) => e.str(text)?.ok(),
    })
}

fn put_part(e: &mut Encoder<Vec<u8>>, part: &Part) -> Put {
    let fields = match part.body {
        Body::Null => 3,
        Body::Single { .. } | Body::Multi { .. } => 5,
        Body::External(_) => 15,
    };
    e.array(fields)?.u8(part.disposition.0)?.str(&part.language)?;
    match &part.body {
        Body::Null => e.u64(NULL_PART)?.ok(),
        Body::Single { content_type, content } => e.u64(SINGLE_PART)?.str(content_type)?.bytes(content)?.ok(),
        Body::External(x) => {
            e.u64(EXTERNAL_PART)?.str(&x.content_type)?.str(&x.url)?.u32(x.expires)?.u64(x.size)?;
            e.u16(x.enc_alg)?.bytes(&x.key)?.bytes(&x.nonce)?.bytes(&x.aad)?;
            e.u8(x.hash_alg)?.bytes(&x.content_hash)?.str(&x.description)?.str(&x.filename)?.ok()
        }
        Body::Multi { semantics, parts } => {
            e.u64(MULTI_PART)?.u8(*semantics as u8)?.array(parts.len() as u64)?;
            parts.iter().try_for_each(|part| put_part(e, part))
        }
    }
}

pub(super) fn decode(bytes: &[u8]) -> Result<Content, MimiError> {
    if !cbor::deterministic(bytes, MAX_NESTING) {
        return Err(MimiError::Malformed);
    }
    let mut d = Decoder::new(bytes);
    array(&mut d, 7)?;
    let salt = d.bytes()?.try_into().map_err(|_| MimiError::Malformed)?;
    let replaces = id(&mut d)?;
    let topic = d.bytes()?.to_vec();
    let expires = expires(&mut d)?;
    let in_reply_to = id(&mut d)?;
    let extensions = extensions(&mut d)?;
    let mut left = MAX_PARTS;
    let part = part(&mut d, MAX_DEPTH, &mut left)?;
    Ok(Content { salt, replaces, topic, expires, in_reply_to, extensions, part })
}

fn array(d: &mut Decoder<'_>, len: u64) -> Result<(), MimiError> {
    if d.array()? == Some(len) { Ok(()) } else { Err(MimiError::Malformed) }
}

fn null(d: &mut Decoder<'_>) -> Result<bool, MimiError> {
    let null = d.datatype()? == Type::Null;
    if null {
        d.null()?;
    }
    Ok(null)
}

fn id(d: &mut Decoder<'_>) -> Result<Option<MessageId>, MimiError> {
    if null(d)? {
        return Ok(None);
    }
    d.bytes()?.try_into().map(|bytes| Some(MessageId(bytes))).map_err(|_| MimiError::Malformed)
}

fn expires(d: &mut Decoder<'_>) -> Result<Option<Expires>, MimiError> {
    if null(d)? {
        return Ok(None);
    }
    array(d, 2)?;
    Ok(Some(Expires { relative: d.bool()?, time: d.u32()? }))
}

fn extensions(d: &mut Decoder<'_>) -> Result<Vec<Extension>, MimiError> {
    let count = d.map()?.ok_or(MimiError::Malformed)?;
    if count > MAX_EXTENSIONS as u64 {
        return Err(MimiError::TooComplex);
    }
    (0..count).map(|_| extension(d)).collect()
}

fn extension(d: &mut Decoder<'_>) -> Result<Extension, MimiError> {
    let name = if d.datatype()? == Type::String {
        let text = d.str()?;
        if !(1..=MAX_EXTENSION_NAME).contains(&text.len()) {
            return Err(MimiError::Malformed);
        }
        ExtensionName::Text(text.to_owned())
    } else {
        ExtensionName::Number(d.i64()?)
    };
    let start = d.position();
    d.skip()?;
    let value = d.input().get(start..d.position()).ok_or(MimiError::Malformed)?;
    if value.len() > MAX_EXTENSION_VALUE {
        return Err(MimiError::TooComplex);
    }
    Ok(Extension { name, value: value.to_vec() })
}

fn part(d: &mut Decoder<'_>, depth: usize, left: &mut usize) -> Result<Part, MimiError> {
    let depth = depth.checked_sub(usize::from(!estoile_wire::weak::is("nesting"))).ok_or(MimiError::TooComplex)?;
    *left = left.checked_sub(1).ok_or(MimiError::TooComplex)?;
    let fields = d.array()?;
    let disposition = Disposition(d.u8()?);
    let language = d.str()?.to_owned();
    let body = match (d.u64()?, fields) {
        (NULL_PART, Some(3)) => Body::Null,
        (SINGLE_PART, Some(5)) => Body::Single { content_type: d.str()?.to_owned(), content: d.bytes()?.to_vec() },
        (EXTERNAL_PART, Some(15)) => Body::External(Box::new(external(d)?)),
        (MULTI_PART, Some(5)) => multi(d, depth, left)?,
        _ => return Err(MimiError::Malformed),
    };
    Ok(Part { disposition, language, body })
}

fn multi(d: &mut Decoder<'_>, depth: usize, left: &mut usize) -> Result<Body, MimiError> {
    let semantics = match d.u8()? {
        0 => Semantics::ChooseOne,
        1 => Semantics::SingleUnit,
        2 => Semantics::ProcessAll,
        _ => return Err(MimiError::Malformed),
    };
    let count = d.array()?.filter(|&n| n >= 2).ok_or(MimiError::Malformed)?;
    if count > MAX_PARTS as u64 {
        return Err(MimiError::TooComplex);
    }
    let parts = (0..count).map(|_| part(d, depth, left)).collect::<Result<_, _>>()?;
    Ok(Body::Multi { semantics, parts })
}

fn external(d: &mut Decoder<'_>) -> Result<External, MimiError> {
    Ok(External {
        content_type: d.str()?.to_owned(),
        url: d.str()?.to_owned(),
        expires: d.u32()?,
        size: d.u64()?,
        enc_alg: d.u16()?,
        key: d.bytes()?.to_vec(),
        nonce: d.bytes()?.to_vec(),
        aad: d.bytes()?.to_vec(),
        hash_alg: d.u8()?,
        content_hash: d.bytes()?.to_vec(),
        description: d.str()?.to_owned(),
        filename: d.str()?.to_owned(),
    })
}
