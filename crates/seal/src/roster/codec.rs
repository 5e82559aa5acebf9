//! A roster's bytes: one deterministic CBOR map, strict, so that all members of an epoch read the same.
//!
//! Keys: 0 version, 1 name, 2 policy, 3 members in the order of their ids, 4 links, 5 door, 6 view key, 7 `max_ttl`, 8 where
//! the room was (absent: nowhere). This layer does not know who may change what.

use std::collections::BTreeMap;

use estoile_wire::limits::MAX_TTL_SECONDS;
use minicbor::Decoder;

use super::{
    Door, MAX_LINK_USES, MAX_LINKS, MAX_MEMBERS, MAX_ROSTER, Member, MovedFrom, Policy, Role, RoomLink, Roster,
    VERSION, ViewKey,
};
use crate::account::AccountId;
use crate::cbor;
use crate::fields::{Fields, Malformed, Out, Written, array, list, log_id, name, whole};

/// A map, its list of members, a member, its fields.
const MAX_NESTING: usize = 4;

pub(super) fn encode(roster: &Roster) -> Vec<u8> {
    cbor::write(|e| {
        e.map(8 + u64::from(roster.moved_from.is_some()))?;
        e.u8(0)?.u64(VERSION)?.u8(1)?.str(&roster.name)?;
        e.u8(2)?.array(3)?;
        for role in [roster.policy.add, roster.policy.remove, roster.policy.rename] {
            e.u8(role as u8)?;
        }
        e.u8(3)?.array(roster.members.len() as u64)?;
        for (account, member) in &roster.members {
            e.array(3)?.bytes(&account.0)?.u8(member.role as u8)?.u64(member.since)?;
        }
        e.u8(4)?.array(roster.links.len() as u64)?;
        roster.links.iter().try_for_each(|link| put_link(e, link))?;
        e.u8(5)?.array(3)?;
        e.bytes(&roster.door.access_seed)?.bytes(&roster.door.ticket)?.bytes(&roster.door.seal_key)?;
        e.u8(6)?.bytes(&roster.view_key.0)?.u8(7)?.u64(roster.max_ttl)?;
        if let Some(from) = &roster.moved_from {
            e.u8(8)?.array(2)?.bytes(&from.log.0)?.u64(from.epoch)?;
        }
        e.ok()
    })
}

fn put_link(e: &mut Out, link: &RoomLink) -> Written {
    e.array(4)?.bytes(&link.id)?.u32(link.uses)?.u64(link.expires)?.bytes(&link.by.0)?.ok()
}

pub(super) fn decode(bytes: &[u8]) -> Result<Roster, Malformed> {
    if bytes.len() > MAX_ROSTER {
        return Err(Malformed);
    }
    whole(bytes, MAX_NESTING, read)
}

fn read(d: &mut Decoder<'_>) -> Result<Roster, Malformed> {
    let mut fields = Fields::begin(d)?;
    if fields.need(0)?.u64()? != VERSION {
        return Err(Malformed);
    }
    let name = name(fields.need(1)?)?;
    let policy = policy(fields.need(2)?)?;
    let members = members(fields.need(3)?)?;
    let links = list(fields.need(4)?, MAX_LINKS, link)?;
    let door = door(fields.need(5)?)?;
    let view_key = ViewKey(array(fields.need(6)?)?);
    let max_ttl = fields.need(7)?.u64()?;
    let moved_from = fields.may(8)?.map(moved_from).transpose()?;
    fields.end()?;
    let doubled = |(i, link): (usize, &RoomLink)| links.iter().take(i).any(|other| other.id == link.id);
    let owned = members.values().any(|m| m.role == Role::Owner);
    if !owned || max_ttl > MAX_TTL_SECONDS || links.iter().enumerate().any(doubled) {
        return Err(Malformed);
    }
    Ok(Roster { name, policy, members, links, door, view_key, max_ttl, moved_from })
}

fn exactly(d: &mut Decoder<'_>, count: u64) -> Result<(), Malformed> {
    if d.array()? == Some(count) { Ok(()) } else { Err(Malformed) }
}

fn role(d: &mut Decoder<'_>) -> Result<Role, Malformed> {
    Role::from_number(d.u64()?).ok_or(Malformed)
}

fn policy(d: &mut Decoder<'_>) -> Result<Policy, Malformed> {
    exactly(d, 3)?;
    Ok(Policy { add: role(d)?, remove: role(d)?, rename: role(d)? })
}

/// In the order of their ids, so that one roster has one encoding.
fn members(d: &mut Decoder<'_>) -> Result<BTreeMap<AccountId, Member>, Malformed> {
    let one = |d: &mut Decoder<'_>| {
        exactly(d, 3)?;
        Ok((AccountId(array(d)?), Member { role: role(d)?, since: d.u64()? }))
    };
    let members = list(d, MAX_MEMBERS, one)?;
    let ascending = members.windows(2).all(|pair| matches!(pair, [(a, _), (b, _)] if a < b));
    if ascending { Ok(members.into_iter().collect()) } else { Err(Malformed) }
}

fn link(d: &mut Decoder<'_>) -> Result<RoomLink, Malformed> {
    exactly(d, 4)?;
    let (id, uses, expires) = (array(d)?, d.u32()?, d.u64()?);
    let link = RoomLink { id, uses, expires, by: AccountId(array(d)?) };
    if (1..=MAX_LINK_USES).contains(&uses) { Ok(link) } else { Err(Malformed) }
}

fn door(d: &mut Decoder<'_>) -> Result<Door, Malformed> {
    exactly(d, 3)?;
    Ok(Door { access_seed: array(d)?, ticket: array(d)?, seal_key: array(d)? })
}

fn moved_from(d: &mut Decoder<'_>) -> Result<MovedFrom, Malformed> {
    exactly(d, 2)?;
    Ok(MovedFrom { log: log_id(d)?, epoch: d.u64()? })
}
