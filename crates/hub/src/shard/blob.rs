//! Room for blobs in logs. Their bytes never come here.

use std::sync::Arc;

use estoile_wire::frame::{BlobAsk, Ticket};
use estoile_wire::id::LogKind;
use estoile_wire::{LogId, Millis, Refusal};

use super::append::lifetime;
use super::{No, Shard};
use crate::blobs::BlobAsked;
use crate::log::SessionId;
use crate::queue::Outbox;

impl<Q: Outbox> Shard<Q> {
    /// Finds an ask right, but for the room.
    pub(crate) fn blob_ask(
        &mut self,
        now: Millis,
        session: SessionId,
        f: &BlobAsk,
    ) -> Result<(BlobAsked, Option<Ticket>), No> {
        let config = Arc::clone(&self.config);
        let log = self.here(&f.log).ok_or(No::because(Refusal::NoSuchLog))?;
        if log.meta.kind == LogKind::Shelf {
            return Err(No::above(Refusal::Unsupported, LogKind::Shelf as u64));
        }
        let ticket = match &f.ticket {
            Some(secret) => Some(log.ticket(&secret.hash())?),
            None => {
                let attachment = log.attachment(session).ok_or(No::because(Refusal::NotAttached))?;
                if attachment.epoch != log.meta.epoch {
                    return Err(No::above(Refusal::StaleEpoch, log.meta.epoch));
                }
                None
            }
        };
        let ttl = lifetime(log.max_ttl(&config), f.ttl)?;
        if f.size == 0 {
            return Err(No::because(Refusal::Malformed));
        }
        if f.size > config.max_blob {
            return Err(No::above(Refusal::BodyTooLarge, config.max_blob));
        }
        let expires = now.saturating_add(ttl.saturating_mul(1000));
        Ok((BlobAsked { log: f.log, hash: f.hash, size: f.size, expires }, ticket))
    }

    /// Takes what a blob will count from its log's quota, and from what its ticket is good for;
    /// [`Shard::blob_granted`] must follow. One that was counted before needs neither.
    pub(crate) fn blob_hold(
        &mut self,
        now: Millis,
        asked: &BlobAsked,
        ticket: Option<&Ticket>,
        cost: u64,
    ) -> Result<(), No> {
        let (config, disk_full) = (Arc::clone(&self.config), self.disk_full);
        let log = self.here(&asked.log).ok_or(No::because(Refusal::NoSuchLog))?;
        if cost > 0 {
            log.has_room(cost, &config)?;
        }
        if disk_full {
            return Err(No::above(Refusal::DiskFull, config.max_disk));
        }
        if let Some(ticket) = ticket.filter(|_| cost > 0) {
            log.may_use(now, ticket, asked.size)?;
            log.use_ticket(now, ticket, asked.size);
        }
        log.hold(cost);
        Ok(())
    }

    /// What came of a blob that was found right: of what was taken for it only `counted` stays.
    pub(crate) fn blob_granted(
        &mut self,
        now: Millis,
        asked: &BlobAsked,
        ticket: Option<&Ticket>,
        held: u64,
        counted: u64,
    ) {
        let Some(log) = self.logs.get_mut(&asked.log) else { return };
        // Between the two another upload of it may have begun, or ended.
        log.expired(held.saturating_sub(counted));
        log.hold(counted.saturating_sub(held));
        match ticket {
            Some(ticket) if held > 0 && counted == 0 => log.unuse_ticket(now, &ticket.hash, asked.size),
            Some(ticket) if held == 0 && counted > 0 => log.use_ticket(now, ticket, asked.size),
            _ => {}
        }
    }

    /// The kind of a log.
    #[must_use]
    pub fn kind(&self, log: &LogId) -> Option<LogKind> {
        self.logs.get(log).filter(|log| log.is_here()).map(|log| log.meta.kind)
    }
}
