//! What a segment's groups hold: a log's state, a log's end, and sealed records.
//!
//! All numbers are little-endian. Only a record's hour, its nonce's counter and its length stand in the open: which log
//! it belongs to, its times and its letter's id are sealed with the body, and end with the hour's key.
//!
//! This layer does not know files or the index.

use std::collections::BTreeMap;
use std::sync::Arc;

use chacha20poly1305::ChaCha20Poly1305;
use chacha20poly1305::aead::AeadInOut;
use estoile_hub::store::{Advance, LogMeta, NewRecord};
use estoile_wire::frame::Ticket;
use estoile_wire::id::{LogKind, TicketHash};
use estoile_wire::{Cursor, Id16, LogId, Millis, PublicKey};

use super::hours::Hours;

const PUT: u8 = 1;
const DROP: u8 = 2;
const RECORD: u8 = 3;
/// A record that was moved here when its segment was cleaned; it says nothing new about its log.
const MOVED: u8 = 4;
const EXPIRED: u8 = 5;
// Since format 2:
/// A log's state as `PUT` has it, then its tickets.
const PUT_WITH_TICKETS: u8 = 6;
/// A log's tickets.
const TICKETS: u8 = 7;
/// A record is gone.
const REMOVE: u8 = 8;
/// A record that ended its epoch.
const COMMIT: u8 = 9;
/// And one that was moved.
const MOVED_COMMIT: u8 = 10;
/// A record's frame before its sealed part: kind, hour, counter, length.
const RECORD_HEAD: usize = 1 + 4 + 8 + 4;
/// What is sealed before the body: log, cursor, time, expiry, epoch, id.
const INNER_HEAD: usize = 8 + 8 + 8 + 8 + 8 + 16;
/// What is sealed between that and the body in a record that ended its epoch: the key before, the key after.
const KEYS: usize = 32 + 32;
const TAG: usize = 16;
const TICKET: usize = 32 + 8 + 8;
/// A log's state without tickets, whole.
const PUT_SIZE: usize = 1 + 8 + 32 + 1 + 8 + 32 + 8 + 8 + 8 + 8 + 9 + 8 + 9;
/// A log's end, whole.
pub(super) const DROP_SIZE: usize = 1 + 8;
/// A record's end, whole.
pub(super) const REMOVE_SIZE: usize = 1 + 8 + 8;
/// How far records were taken, whole.
pub(super) const EXPIRED_SIZE: usize = 1 + 8;

/// The bytes that a log's tickets take behind its number or its state.
const fn tickets_size(tickets: usize) -> usize {
    4 + tickets * TICKET
}

/// The bytes that the frame of a log's state takes.
pub(super) fn put_size(meta: &LogMeta) -> usize {
    if meta.tickets.is_empty() { PUT_SIZE } else { PUT_SIZE + tickets_size(meta.tickets.len()) }
}

/// The bytes that the frame of a log's tickets takes.
pub(super) const fn tickets_frame_size(tickets: usize) -> usize {
    1 + 8 + tickets_size(tickets)
}

const fn keys(commit: bool) -> usize {
    if commit { KEYS } else { 0 }
}

/// The bytes that the frame of a record with this body takes.
pub(super) const fn record_size(body: usize, commit: bool) -> usize {
    RECORD_HEAD + INNER_HEAD + keys(commit) + body + TAG
}

/// The body's size in a record whose frame takes this many bytes.
pub(super) const fn body_size(frame: usize, commit: bool) -> usize {
    frame.saturating_sub(RECORD_HEAD + INNER_HEAD + keys(commit) + TAG)
}

/// A record as its frame tells it after it was opened. `body` is what is left of the buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Inner {
    pub(super) number: u64,
    pub(super) cursor: Cursor,
    pub(super) time: Millis,
    pub(super) expires: Millis,
    pub(super) epoch: u64,
    pub(super) id16: Id16,
    pub(super) advance: Option<Advance>,
    pub(super) body: Vec<u8>,
}

/// One frame, records still sealed.
#[derive(Debug)]
pub(super) enum Frame<'a> {
    Put(u64, Box<LogMeta>),
    Drop(u64),
    Tickets(u64, Arc<[Ticket]>),
    Remove(u64, Cursor),
    Record(Sealed<'a>),
    /// All records before this frame whose time was over at this moment had been taken.
    Expired(Millis),
}

/// A sealed record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sealed<'a> {
    pub(super) hour: u32,
    /// It only moved: its log's state already counts it.
    pub(super) moved: bool,
    /// It ended its epoch.
    commit: bool,
    counter: u64,
    sealed: &'a [u8],
}

#[cfg(test)]
impl Sealed<'_> {
    pub(super) const fn counter(&self) -> u64 {
        self.counter
    }
}

struct Cut<'a>(&'a [u8]);

impl<'a> Cut<'a> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn optional(&mut self) -> Option<Option<[u8; 8]>> {
        let [flag] = self.array()?;
        let value = self.array()?;
        match flag {
            0 => Some(None),
            1 => Some(Some(value)),
            _ => None,
        }
    }

    fn slice(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head)
    }
}

fn put_tickets(out: &mut Vec<u8>, tickets: &[Ticket]) {
    out.extend_from_slice(&u32::try_from(tickets.len()).unwrap_or(u32::MAX).to_le_bytes());
    for ticket in tickets {
        out.extend_from_slice(&ticket.hash.0);
        out.extend_from_slice(&ticket.per_day.to_le_bytes());
        out.extend_from_slice(&ticket.bytes_per_day.to_le_bytes());
    }
}

fn read_tickets(cut: &mut Cut<'_>) -> Option<Arc<[Ticket]>> {
    let count = usize::try_from(cut.u32()?).ok()?;
    let mut tickets = Cut(cut.slice(count.checked_mul(TICKET)?)?);
    let one = |_| {
        let hash = TicketHash(tickets.array()?);
        Some(Ticket { hash, per_day: tickets.u64()?, bytes_per_day: tickets.u64()? })
    };
    (0..count).map(one).collect()
}

fn put_optional(out: &mut Vec<u8>, value: Option<[u8; 8]>) {
    out.push(u8::from(value.is_some()));
    out.extend_from_slice(&value.unwrap_or_default());
}

/// Writes a log's state.
pub(super) fn write_put(out: &mut Vec<u8>, number: u64, meta: &LogMeta) {
    out.push(if meta.tickets.is_empty() { PUT } else { PUT_WITH_TICKETS });
    out.extend_from_slice(&number.to_le_bytes());
    out.extend_from_slice(meta.id.as_bytes());
    out.push(meta.kind as u8);
    out.extend_from_slice(&meta.epoch.to_le_bytes());
    out.extend_from_slice(meta.access_key.as_bytes());
    for value in [meta.max_ttl, meta.quota, meta.last, meta.created] {
        out.extend_from_slice(&value.to_le_bytes());
    }
    put_optional(out, meta.last_write.map(u64::to_le_bytes));
    out.extend_from_slice(&meta.last_expiry.to_le_bytes());
    put_optional(out, meta.entry);
    if !meta.tickets.is_empty() {
        put_tickets(out, &meta.tickets);
    }
}

fn read_put(cut: &mut Cut<'_>) -> Option<(u64, LogMeta)> {
    let number = cut.u64()?;
    let id = LogId(cut.array()?);
    let [kind] = cut.array()?;
    let meta = LogMeta {
        id,
        kind: LogKind::from_wire(kind.into())?,
        epoch: cut.u64()?,
        access_key: PublicKey(cut.array()?),
        max_ttl: cut.u64()?,
        quota: cut.u64()?,
        last: cut.u64()?,
        created: cut.u64()?,
        last_write: cut.optional()?.map(u64::from_le_bytes),
        last_expiry: cut.u64()?,
        entry: cut.optional()?,
        tickets: Arc::from([]),
    };
    Some((number, meta))
}

/// Writes a log's tickets.
pub(super) fn write_tickets(out: &mut Vec<u8>, number: u64, tickets: &[Ticket]) {
    out.push(TICKETS);
    out.extend_from_slice(&number.to_le_bytes());
    put_tickets(out, tickets);
}

/// Writes a record's end.
pub(super) fn write_remove(out: &mut Vec<u8>, number: u64, cursor: Cursor) {
    out.push(REMOVE);
    out.extend_from_slice(&number.to_le_bytes());
    out.extend_from_slice(&cursor.to_le_bytes());
}

/// Writes a log's end.
pub(super) fn write_drop(out: &mut Vec<u8>, number: u64) {
    out.push(DROP);
    out.extend_from_slice(&number.to_le_bytes());
}

/// Writes how far records were taken.
pub(super) fn write_expired(out: &mut Vec<u8>, through: Millis) {
    out.push(EXPIRED);
    out.extend_from_slice(&through.to_le_bytes());
}

/// The next frame of a group and the bytes it takes; `None` when the bytes are no frame.
pub(super) fn read(group: &[u8]) -> Option<(Frame<'_>, usize)> {
    let mut cut = Cut(group);
    let [kind] = cut.array()?;
    let frame = match kind {
        PUT => {
            let (number, meta) = read_put(&mut cut)?;
            Frame::Put(number, Box::new(meta))
        }
        PUT_WITH_TICKETS => {
            let (number, mut meta) = read_put(&mut cut)?;
            meta.tickets = read_tickets(&mut cut)?;
            Frame::Put(number, Box::new(meta))
        }
        TICKETS => Frame::Tickets(cut.u64()?, read_tickets(&mut cut)?),
        REMOVE => Frame::Remove(cut.u64()?, cut.u64()?),
        DROP => Frame::Drop(cut.u64()?),
        EXPIRED => Frame::Expired(cut.u64()?),
        RECORD | MOVED | COMMIT | MOVED_COMMIT => {
            let (hour, counter, length) = (cut.u32()?, cut.u64()?, cut.u32()?);
            Frame::Record(Sealed {
                hour,
                moved: matches!(kind, MOVED | MOVED_COMMIT),
                commit: matches!(kind, COMMIT | MOVED_COMMIT),
                counter,
                sealed: cut.slice(usize::try_from(length).ok()?)?,
            })
        }
        _ => return None,
    };
    Some((frame, group.len() - cut.0.len()))
}

fn nonce(counter: u64) -> [u8; 12] {
    let mut nonce = [0; 12];
    for (to, from) in nonce.iter_mut().zip(counter.to_le_bytes()) {
        *to = from;
    }
    nonce
}

/// A record to be sealed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a> {
    pub(super) number: u64,
    pub(super) record: &'a NewRecord,
    pub(super) moved: bool,
}

/// Seals the records of one segment. Made anew for each segment and never for one that was written before, so that its
/// counter, under ciphers that only this segment has, never gives a nonce twice.
pub(super) struct Sealer {
    salt: [u8; 32],
    counter: u64,
    ciphers: BTreeMap<u32, ChaCha20Poly1305>,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer")
    }
}

impl Sealer {
    /// For a new segment with this salt.
    pub(super) fn new(salt: [u8; 32]) -> Self {
        Self { salt, counter: 0, ciphers: BTreeMap::new() }
    }

    /// Writes a record's frame; `None` if its hour has no key.
    pub(super) fn write(&mut self, out: &mut Vec<u8>, hours: &Hours, hour: u32, source: Source<'_>) -> Option<()> {
        let Source { number, record, moved } = source;
        if !self.ciphers.contains_key(&hour) {
            self.ciphers.insert(hour, hours.cipher(hour, &self.salt)?);
        }
        let cipher = self.ciphers.get(&hour)?;
        self.counter = self.counter.checked_add(1)?;
        let commit = record.advance.is_some();
        let length = u32::try_from(INNER_HEAD + keys(commit) + record.body.len() + TAG).ok()?;
        out.push(match (moved, commit) {
            (false, false) => RECORD,
            (true, false) => MOVED,
            (false, true) => COMMIT,
            (true, true) => MOVED_COMMIT,
        });
        out.extend_from_slice(&hour.to_le_bytes());
        out.extend_from_slice(&self.counter.to_le_bytes());
        out.extend_from_slice(&length.to_le_bytes());
        let start = out.len();
        for value in [number, record.cursor, record.time, record.expires, record.epoch] {
            out.extend_from_slice(&value.to_le_bytes());
        }
        out.extend_from_slice(record.id16.as_bytes());
        if let Some(Advance { ended, next }) = &record.advance {
            out.extend_from_slice(ended.as_bytes());
            out.extend_from_slice(next.as_bytes());
        }
        out.extend_from_slice(&record.body);
        let buffer = out.get_mut(start..)?;
        let tag = cipher.encrypt_inout_detached(&nonce(self.counter).into(), &[], buffer.into()).ok()?;
        out.extend_from_slice(&tag);
        Some(())
    }

    /// Forgets the ciphers of hours that are over, with their keys.
    pub(super) fn forget_before(&mut self, hour: u32) {
        self.ciphers = self.ciphers.split_off(&hour);
    }
}

/// Opens a sealed record; `None` if it is not what was sealed.
pub(super) fn open(sealed: Sealed<'_>, cipher: &ChaCha20Poly1305) -> Option<Inner> {
    let (content, tag) = sealed.sealed.split_last_chunk::<TAG>()?;
    let mut body = content.to_vec();
    cipher
        .decrypt_inout_detached(&nonce(sealed.counter).into(), &[], body.as_mut_slice().into(), &(*tag).into())
        .ok()?;
    let mut cut = Cut(&body);
    let mut inner = Inner {
        number: cut.u64()?,
        cursor: cut.u64()?,
        time: cut.u64()?,
        expires: cut.u64()?,
        epoch: cut.u64()?,
        id16: Id16(cut.array()?),
        advance: None,
        body: Vec::new(),
    };
    if sealed.commit {
        inner.advance = Some(Advance { ended: PublicKey(cut.array()?), next: PublicKey(cut.array()?) });
    }
    inner.body = body.split_off(INNER_HEAD + keys(sealed.commit));
    Some(inner)
}
