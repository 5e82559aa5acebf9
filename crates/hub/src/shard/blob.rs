//! Room for blobs in logs. Their bytes never come here.

use std::sync::Arc;

use estoile_wire::frame::{BlobAsk, Ticket};
use estoile_wire::id::LogKind;
use estoile_wire::{LogId, Millis, Refusal};

use super::append::lifetime;
use super::{No, Shard};
use crate::blobs::{BlobAsked, blob_charge};
use crate::log::SessionId;
use crate::queue::Outbox;

impl<Q: Outbox> Shard<Q> {
    /// Finds an ask right and takes its charge from the log's quota; [`Shard::blob_granted`] must follow.
    pub(crate) fn blob_ask(
        &mut self,
        now: Millis,
        session: SessionId,
        f: &BlobAsk,
    ) -> Result<(BlobAsked, Option<Ticket>), No> {
        let (config, disk_full) = (Arc::clone(&self.config), self.disk_full);
        let log = self.here(&f.log).ok_or(No::because(Refusal::NoSuchLog))?;
        if log.meta.kind == LogKind::Shelf {
            return Err(No::above(Refusal::Unsupported, LogKind::Shelf as u64));
        }
        let ticket = match &f.ticket {
            Some(secret) => {
                let ticket = log.ticket(&secret.hash())?;
                log.may_use(now, &ticket, f.size)?;
                Some(ticket)
            }
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
        let cost = blob_charge(f.size);
        log.has_room(cost, &config)?;
        if disk_full {
            return Err(No::above(Refusal::DiskFull, config.max_disk));
        }
        log.hold(cost);
        let expires = now.saturating_add(ttl.saturating_mul(1000));
        Ok((BlobAsked { log: f.log, hash: f.hash, size: f.size, expires }, ticket))
    }

    /// What came of a blob that was found right: of its charge only `counted` stays.
    pub(crate) fn blob_granted(&mut self, now: Millis, asked: &BlobAsked, ticket: Option<&Ticket>, counted: u64) {
        let Some(log) = self.logs.get_mut(&asked.log) else { return };
        log.expired(blob_charge(asked.size).saturating_sub(counted));
        if let Some(ticket) = ticket.filter(|_| counted > 0) {
            log.use_ticket(now, ticket, asked.size);
        }
    }

    /// The kind of a log.
    #[must_use]
    pub fn kind(&self, log: &LogId) -> Option<LogKind> {
        self.logs.get(log).filter(|log| log.is_here()).map(|log| log.meta.kind)
    }
}
