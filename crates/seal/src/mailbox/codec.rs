//! A mailbox letter's bytes: a deterministic map.
//!
//! Keys: 0 version, 1 the whole chain or 2 a tail (account, length, entries), 3 device, 4 kind, 5 what the kind says, 6
//! `sent_at`, 7 id, 8 views. The map ends there; kinds that this version does not know are kept by their number alone. This layer
//! knows no signatures.

use minicbor::Decoder;

use super::{
    BlobRef, ChainPart, Kind, Letter, MAX_INLINE_WELCOME, MAX_PACKET, MAX_TEXT, MailboxError, Welcome, WelcomeBytes,
};
use crate::account::{AccountId, Chain, chain::MAX_CHAIN};
use crate::card::{self, MAX_CARD};
use crate::cbor;
use crate::fields::{self, Fields, Malformed, Out, Written};
use crate::ticket::TicketSecret;
use crate::views;

const VERSION: u64 = 1;
/// A map, a welcome, its blob; and what later versions may nest.
const MAX_NESTING: usize = 6;

impl Kind {
    const fn number(&self) -> u64 {
        match self {
            Self::Request { .. } => 0,
            Self::Answer { .. } => 1,
            Self::Welcome(_) => 2,
            Self::Chain => 3,
            Self::Ticket(_) => 4,
            Self::Views => 5,
            Self::Card { .. } => 6,
            Self::Unknown(number) => *number,
        }
    }

    /// Kinds below this number are known.
    const KNOWN: u64 = 7;
}

pub(super) fn encode(letter: &Letter) -> Vec<u8> {
    cbor::write(|e| {
        e.map(8)?.u8(0)?.u64(VERSION)?;
        match &letter.from {
            ChainPart::Whole(chain) => e.u8(1)?.bytes(&chain.encode())?.ok()?,
            ChainPart::Tail { account, len, entries } => {
                e.u8(2)?.array(3)?.bytes(&account.0)?.u64(*len)?.bytes(entries)?.ok()?;
            }
        }
        e.u8(3)?.bytes(&letter.device.0)?.u8(4)?.u64(letter.kind.number())?.u8(5)?;
        put_kind(e, &letter.kind)?;
        e.u8(6)?.u64(letter.sent_at)?.u8(7)?.bytes(&letter.id)?.u8(8)?;
        views::put(e, &letter.views)
    })
}

fn put_kind(e: &mut Out, kind: &Kind) -> Written {
    match kind {
        Kind::Request { card, text } => e.array(2)?.bytes(card)?.str(text)?.ok(),
        Kind::Answer { card } | Kind::Card { card } => e.bytes(card)?.ok(),
        Kind::Welcome(welcome) => put_welcome(e, welcome),
        Kind::Ticket(ticket) => e.bytes(ticket.as_bytes())?.ok(),
        Kind::Chain | Kind::Views | Kind::Unknown(_) => e.null()?.ok(),
    }
}

fn put_welcome(e: &mut Out, welcome: &Welcome) -> Written {
    e.map(5 + welcome.later.len())?.u8(0)?.str(&welcome.name)?.u8(1)?.bytes(&welcome.log.0)?;
    e.u8(2)?.str(&welcome.relay.to_string())?.u8(3)?.u64(welcome.cursor)?;
    match &welcome.welcome {
        WelcomeBytes::Inline(bytes) => e.u8(4)?.bytes(bytes)?.ok()?,
        WelcomeBytes::Blob(blob) => e.u8(5)?.array(3)?.bytes(&blob.hash)?.bytes(&blob.key)?.u64(blob.size)?.ok()?,
    }
    welcome.later.put(e)
}

pub(super) fn decode(body: &[u8]) -> Result<Letter, MailboxError> {
    if body.len() > MAX_PACKET {
        return Err(MailboxError::Malformed);
    }
    let mut whole = None;
    let mut letter = fields::whole(body, MAX_NESTING, |d| {
        let mut map = Fields::begin(d)?;
        if map.need(0)?.u64()? != VERSION {
            return Err(Malformed);
        }
        whole = map.may(1)?.map(|d| fields::bytes(d, MAX_CHAIN)).transpose()?;
        let from = match &whole {
            // Put in below: its own error is worth telling.
            Some(_) => ChainPart::Tail { account: AccountId([0; 32]), len: 0, entries: vec![] },
            None => tail(map.need(2)?)?,
        };
        let device = fields::public_key(map.need(3)?)?;
        let number = map.need(4)?.u64()?;
        let kind = kind(map.need(5)?, number)?;
        let sent_at = map.need(6)?.u64()?;
        let id = fields::array(map.need(7)?)?;
        let views = views::get(map.need(8)?).ok_or(Malformed)?;
        map.end()?;
        Ok(Letter { from, device, kind, views, sent_at, id })
    })?;
    if let Some(chain) = whole {
        letter.from = ChainPart::Whole(Chain::verify(&chain).map_err(MailboxError::Chain)?);
    }
    Ok(letter)
}

fn tail(d: &mut Decoder<'_>) -> Result<ChainPart, Malformed> {
    if d.array()? != Some(3) {
        return Err(Malformed);
    }
    let account = AccountId(fields::array(d)?);
    Ok(ChainPart::Tail { account, len: d.u64()?, entries: fields::bytes(d, MAX_CHAIN)? })
}

fn kind(d: &mut Decoder<'_>, number: u64) -> Result<Kind, Malformed> {
    let kind = match number {
        0 if d.array()? == Some(2) => {
            Kind::Request { card: fields::bytes(d, MAX_CARD)?, text: fields::text(d, MAX_TEXT)? }
        }
        1 => Kind::Answer { card: fields::bytes(d, MAX_CARD)? },
        2 => Kind::Welcome(Box::new(welcome(d)?)),
        3 => d.null().map(|()| Kind::Chain)?,
        4 => Kind::Ticket(TicketSecret::from_bytes(fields::array(d)?)),
        5 => d.null().map(|()| Kind::Views)?,
        6 => Kind::Card { card: fields::bytes(d, MAX_CARD)? },
        Kind::KNOWN.. => {
            d.skip()?;
            Kind::Unknown(number)
        }
        _ => return Err(Malformed),
    };
    Ok(kind)
}

fn welcome(d: &mut Decoder<'_>) -> Result<Welcome, Malformed> {
    let mut map = Fields::begin(d)?;
    let name = fields::name(map.need(0)?)?;
    let log = fields::log_id(map.need(1)?)?;
    let relay = card::relay(map.need(2)?.str()?)?;
    let cursor = map.need(3)?.u64()?;
    let welcome = match map.may(4)? {
        Some(d) => WelcomeBytes::Inline(fields::bytes(d, MAX_INLINE_WELCOME)?),
        None => WelcomeBytes::Blob(blob(map.need(5)?)?),
    };
    Ok(Welcome { name, log, relay, welcome, cursor, later: map.later(5)? })
}

fn blob(d: &mut Decoder<'_>) -> Result<BlobRef, Malformed> {
    if d.array()? != Some(3) {
        return Err(Malformed);
    }
    Ok(BlobRef { hash: fields::array(d)?, key: fields::array(d)?, size: d.u64()? })
}
