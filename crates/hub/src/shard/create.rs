//! Creating logs in a shard. Signature and entry code were checked before.

use std::sync::Arc;

use estoile_wire::id::LogKind;
use estoile_wire::{LogId, Millis, PublicKey, Refusal};

use super::{BUSY_WAIT_MS, No, Pending, Shard};
use crate::log::{Asker, Life, Log};
use crate::queue::{Class, Outbox};
use crate::store::{EntryTag, LogMeta, Write};

/// A creation whose signature and entry code were checked: [`Session`](crate::session::Session) makes these.
#[derive(Clone, Debug)]
pub(crate) struct Admitted {
    pub(crate) id: LogId,
    pub(crate) kind: LogKind,
    pub(crate) access_key: PublicKey,
    pub(crate) max_ttl: u64,
    pub(crate) quota: u64,
    pub(crate) entry: Option<EntryTag>,
}

impl<Q: Outbox> Shard<Q> {
    /// Makes a log, or answers a repeat.
    pub(crate) fn create(&mut self, now: Millis, asker: Asker<Q>, new: &Admitted) {
        let request = asker.request;
        let outbox = asker.outbox.clone();
        if let Err(no) = self.try_create(now, asker, new) {
            outbox.push(no.frame(Some(request), Some(new.id)), Class::Answer);
        }
    }

    fn try_create(&mut self, now: Millis, asker: Asker<Q>, new: &Admitted) -> Result<(), No> {
        if let Some(log) = self.logs.get_mut(&new.id) {
            if matches!(log.life, Life::Ending) {
                return Err(No::wait(Refusal::Busy, BUSY_WAIT_MS));
            }
            if log.meta.max_ttl != new.max_ttl || log.meta.quota != new.quota {
                return Err(No::because(Refusal::Exists));
            }
            match &mut log.life {
                Life::Here => {
                    asker.outbox.push(log.created(asker.request), Class::Answer);
                }
                Life::Creating(waiting) if waiting.len() < self.config.max_waiting_repeats => waiting.push(asker),
                Life::Creating(_) | Life::Ending => return Err(No::wait(Refusal::Busy, BUSY_WAIT_MS)),
            }
            return Ok(());
        }
        if self.disk_full {
            return Err(No::above(Refusal::DiskFull, self.config.max_disk));
        }
        if !self.may_stage(1) {
            return Err(No::wait(Refusal::Busy, BUSY_WAIT_MS));
        }
        let share = self.codes.open(now, new.entry, &self.config)?;
        let meta = LogMeta {
            id: new.id,
            kind: new.kind,
            epoch: 0,
            access_key: new.access_key,
            max_ttl: new.max_ttl,
            quota: new.quota,
            last: 0,
            created: now,
            last_write: None,
            last_expiry: 0,
            entry: new.entry,
            tickets: Arc::from([]),
        };
        self.batch.writes.push(Write::PutLog(meta.clone()));
        self.batch.pending.push(Pending::Create(new.id));
        self.staging(size_of::<LogMeta>());
        self.logs.insert(new.id, Log::new(meta, Life::Creating(vec![asker]), 0, share, now));
        Ok(())
    }
}
