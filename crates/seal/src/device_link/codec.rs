//! The device link's messages as bytes: `[kind, …]`, deterministic and strict.
//!
//! Both sides hash what stands here, so there is one spelling. This layer does not judge.

use minicbor::Decoder;

use super::{Candidate, DeviceLinkError, Granted, MAX_SEALED, Message, Offer, Why};
use crate::account::chain::MAX_CHAIN;
use crate::account::{AccountId, Chain, ChainPoint, Generation};
use crate::card::{hpke_key, relay};
use crate::cbor;
use crate::fields::{self, Fields, Malformed, Out, Written};
use crate::history::Offer as Offered;

/// A message, what it carries, its fields.
const MAX_NESTING: usize = 3;
/// What is granted is a map, and later versions may nest.
const MAX_GRANTED_NESTING: usize = 6;
const VERSION: u64 = 1;

fn put_candidate(e: &mut Out, c: &Candidate) -> Written {
    e.array(4)?.bytes(&c.device.0)?.bytes(&c.hpke)?.str(&c.name)?.bytes(&c.nonce)?.ok()
}

fn put_offer(e: &mut Out, o: &Offer) -> Written {
    e.array(5)?.bytes(&o.account.0)?.u64(o.point.len)?.bytes(&o.point.head)?.bytes(&o.device.0)?.bytes(&o.nonce)?.ok()
}

pub(super) fn candidate(candidate: &Candidate) -> Vec<u8> {
    cbor::write(|e| put_candidate(e, candidate))
}

pub(super) fn offer(offer: &Offer) -> Vec<u8> {
    cbor::write(|e| put_offer(e, offer))
}

impl Why {
    const fn number(self) -> u8 {
        match self {
            Self::No => 0,
            Self::Used => 1,
            Self::Late => 2,
            Self::Wrong => 3,
        }
    }

    /// A later version's reason is a no.
    const fn from_number(n: u64) -> Self {
        match n {
            1 => Self::Used,
            2 => Self::Late,
            3 => Self::Wrong,
            _ => Self::No,
        }
    }
}

pub(super) fn encode(message: &Message) -> Vec<u8> {
    cbor::write(|e| match message {
        Message::Hello { commitment } => e.array(2)?.u8(0)?.bytes(commitment)?.ok(),
        Message::Offer(offer) => {
            e.array(2)?.u8(1)?;
            put_offer(e, offer)
        }
        Message::Reveal { candidate, proof } => {
            e.array(3)?.u8(2)?;
            put_candidate(e, candidate)?;
            e.bytes(&proof.0)?.ok()
        }
        Message::Grant { sealed, signature } => e.array(3)?.u8(3)?.bytes(sealed)?.bytes(&signature.0)?.ok(),
        Message::Refused(why) => e.array(2)?.u8(4)?.u8(why.number())?.ok(),
    })
}

pub(super) fn decode(text: &[u8]) -> Result<Message, Malformed> {
    fields::whole(text, MAX_NESTING, |d| {
        let message = match (d.array()?, d.u64()?) {
            (Some(2), 0) => Message::Hello { commitment: fields::array(d)? },
            (Some(2), 1) => Message::Offer(read_offer(d)?),
            (Some(3), 2) => Message::Reveal { candidate: read_candidate(d)?, proof: fields::signature(d)? },
            (Some(3), 3) => Message::Grant { sealed: fields::bytes(d, MAX_SEALED)?, signature: fields::signature(d)? },
            (Some(2), 4) => Message::Refused(Why::from_number(d.u64()?)),
            _ => return Err(Malformed),
        };
        Ok(message)
    })
}

fn read_candidate(d: &mut Decoder<'_>) -> Result<Candidate, Malformed> {
    if d.array()? != Some(4) {
        return Err(Malformed);
    }
    let device = fields::public_key(d)?;
    let hpke = hpke_key(d.bytes()?)?;
    Ok(Candidate { device, hpke, name: fields::name(d)?, nonce: fields::array(d)? })
}

fn read_offer(d: &mut Decoder<'_>) -> Result<Offer, Malformed> {
    if d.array()? != Some(5) {
        return Err(Malformed);
    }
    let account = AccountId(fields::array(d)?);
    let point = ChainPoint { len: d.u64()?, head: fields::array(d)? };
    Ok(Offer { account, point, device: fields::public_key(d)?, nonce: fields::array(d)? })
}

pub(super) fn granted(granted: &Granted) -> Vec<u8> {
    cbor::write(|e| {
        let fields = 5 + u64::from(granted.history.is_some()) + granted.later.len();
        e.map(fields)?.u8(0)?.u64(VERSION)?.u8(1)?.bytes(&granted.chain.encode())?;
        e.u8(2)?.u32(granted.generation.number())?.u8(3)?.bytes(granted.generation.secret())?;
        e.u8(4)?.str(&granted.relay.to_string())?;
        if let Some(history) = &granted.history {
            e.u8(5)?;
            history.put(e)?;
        }
        granted.later.put(e)
    })
}

pub(super) fn read_granted(text: &[u8]) -> Result<Granted, DeviceLinkError> {
    if text.len() > MAX_SEALED {
        return Err(DeviceLinkError::Malformed);
    }
    let (chain, generation, relay, history, later) = fields::whole(text, MAX_GRANTED_NESTING, |d| {
        let mut map = Fields::begin(d)?;
        if map.need(0)?.u64()? != VERSION {
            return Err(Malformed);
        }
        let chain = fields::bytes(map.need(1)?, MAX_CHAIN)?;
        let number = map.need(2)?.u32()?;
        let generation = Generation::from_parts(number, fields::array(map.need(3)?)?);
        let relay = relay(map.need(4)?.str()?)?;
        let history = map.may(5)?.map(Offered::read).transpose()?;
        Ok((chain, generation, relay, history, map.later(5)?))
    })?;
    Ok(Granted { chain: Chain::verify(&chain)?, generation, relay, history, later })
}
