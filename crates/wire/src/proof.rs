//! The exact bytes under each signature and hash of the protocol. Every one begins with its own label, so that a
//! signature made for one purpose never counts for another (ATTACKS B4).
//!
//! All parts have a fixed size, or are preceded by their size, so that no two lists of parts share their bytes.

use sha2::{Digest, Sha256};

use crate::frame::Ticket;
use crate::id::{CertificateHash, LogId, LogKind, Nonce, PublicKey, SlotId};

/// Under a log's id.
pub const LABEL_LOG_ID: &[u8] = b"estoile.v1 log id\0";
/// Under the hash of a relay's key.
pub const LABEL_RELAY_KEY: &[u8] = b"estoile.v1 relay key\0";
/// Under a relay's signature in its welcome.
pub const LABEL_WELCOME: &[u8] = b"estoile.v1 welcome\0";
/// Under the first access key's signature that makes a log.
pub const LABEL_CREATE: &[u8] = b"estoile.v1 create\0";
/// Under an access key's signature that attaches a session to a log.
pub const LABEL_ATTACH: &[u8] = b"estoile.v1 attach\0";
/// Under a ticket's hash.
pub const LABEL_TICKET: &[u8] = b"estoile.v1 ticket\0";
/// Under an access key's signature that replaces a log's or shelf's tickets.
pub const LABEL_TICKETS: &[u8] = b"estoile.v1 tickets\0";
/// Under a shelf's key's signature that fills a slot.
pub const LABEL_PUT: &[u8] = b"estoile.v1 put\0";
/// Under a shelf's key's signature that asks what is left.
pub const LABEL_COUNT: &[u8] = b"estoile.v1 count\0";

/// What the relay's key signs in its welcome: (label, the client's challenge, the session's nonce, the relay's time as
/// 8 bytes big-endian, 1 and the hash of the certificate presented or 0 for none).
#[must_use]
pub fn welcome(challenge: &Nonce, nonce: &Nonce, time: u64, certificate: Option<&CertificateHash>) -> Vec<u8> {
    let mut m = LABEL_WELCOME.to_vec();
    m.extend_from_slice(&challenge.0);
    m.extend_from_slice(&nonce.0);
    m.extend_from_slice(&time.to_be_bytes());
    match certificate {
        Some(hash) => {
            m.push(1);
            m.extend_from_slice(&hash.0);
        }
        None => m.push(0),
    }
    m
}

/// What the first access key signs to make a log: (label, relay key, session nonce, kind, access key, `max_ttl` in seconds
/// and quota in bytes, 8 bytes big-endian each; 0 stands for the relay's own maximum).
#[must_use]
pub fn create(
    relay_key: &PublicKey,
    nonce: &Nonce,
    kind: LogKind,
    access_key: &PublicKey,
    max_ttl: u64,
    quota: u64,
) -> Vec<u8> {
    let mut m = LABEL_CREATE.to_vec();
    m.extend_from_slice(&relay_key.0);
    m.extend_from_slice(&nonce.0);
    m.push(kind as u8);
    m.extend_from_slice(&access_key.0);
    m.extend_from_slice(&max_ttl.to_be_bytes());
    m.extend_from_slice(&quota.to_be_bytes());
    m
}

/// What an access key signs to attach: (label, relay key, session nonce, log id, epoch as 8 bytes big-endian).
#[must_use]
pub fn attach(relay_key: &PublicKey, nonce: &Nonce, log: &LogId, epoch: u64) -> Vec<u8> {
    let mut m = LABEL_ATTACH.to_vec();
    m.extend_from_slice(&relay_key.0);
    m.extend_from_slice(&nonce.0);
    m.extend_from_slice(&log.0);
    m.extend_from_slice(&epoch.to_be_bytes());
    m
}

/// What the current access key signs to replace tickets: (label, relay key, session nonce, log id, epoch as 8 bytes
/// big-endian, SHA-256 of the tickets in order: hash, then `per_day` and `bytes_per_day` as 8 bytes big-endian each).
#[must_use]
pub fn tickets(relay_key: &PublicKey, nonce: &Nonce, log: &LogId, epoch: u64, tickets: &[Ticket]) -> Vec<u8> {
    let mut list = Sha256::new();
    for ticket in tickets {
        list.update(ticket.hash.0);
        list.update(ticket.per_day.to_be_bytes());
        list.update(ticket.bytes_per_day.to_be_bytes());
    }
    let mut m = LABEL_TICKETS.to_vec();
    m.extend_from_slice(&relay_key.0);
    m.extend_from_slice(&nonce.0);
    m.extend_from_slice(&log.0);
    m.extend_from_slice(&epoch.to_be_bytes());
    m.extend_from_slice(&list.finalize());
    m
}

/// What a shelf's key signs to fill a slot: (label, relay key, session nonce, shelf id, slot, SHA-256 of: 1 to clear or 0,
/// then for each item its length as 8 bytes big-endian and its bytes, then for the last resort 1, its length and its
/// bytes, or 0 for none). The number of items comes first, as 8 bytes big-endian.
#[must_use]
pub fn put(
    relay_key: &PublicKey,
    nonce: &Nonce,
    shelf: &LogId,
    slot: &SlotId,
    clear: bool,
    items: &[&[u8]],
    last_resort: Option<&[u8]>,
) -> Vec<u8> {
    let mut content = Sha256::new();
    content.update((items.len() as u64).to_be_bytes());
    content.update([u8::from(clear)]);
    for item in items {
        content.update((item.len() as u64).to_be_bytes());
        content.update(item);
    }
    content.update([u8::from(last_resort.is_some())]);
    if let Some(item) = last_resort {
        content.update((item.len() as u64).to_be_bytes());
        content.update(item);
    }
    let mut m = LABEL_PUT.to_vec();
    m.extend_from_slice(&relay_key.0);
    m.extend_from_slice(&nonce.0);
    m.extend_from_slice(&shelf.0);
    m.extend_from_slice(&slot.0);
    m.extend_from_slice(&content.finalize());
    m
}

/// What a shelf's key signs to ask what is left: (label, relay key, session nonce, shelf id).
#[must_use]
pub fn count(relay_key: &PublicKey, nonce: &Nonce, shelf: &LogId) -> Vec<u8> {
    let mut m = LABEL_COUNT.to_vec();
    m.extend_from_slice(&relay_key.0);
    m.extend_from_slice(&nonce.0);
    m.extend_from_slice(&shelf.0);
    m
}
