//! Tickets of logs and shelves. Their owner's proof was checked before.

use std::sync::Arc;

use estoile_wire::frame::Ticket;
use estoile_wire::{LogId, Refusal};

use super::{BUSY_WAIT_MS, No, Pending, Shard};
use crate::log::Asker;
use crate::queue::Outbox;
use crate::store::Write;

impl<Q: Outbox> Shard<Q> {
    /// Stages a log's new tickets; `epoch` is the one whose key signed them.
    pub(crate) fn tickets(&mut self, asker: Asker<Q>, id: &LogId, epoch: u64, tickets: &[Ticket]) -> Result<(), No> {
        let size = size_of_val(tickets).saturating_add(1);
        let (disk_full, may_stage, max_disk) = (self.disk_full, self.may_stage(size), self.config.max_disk);
        let log = self.here(id).ok_or(No::because(Refusal::NoSuchLog))?;
        if log.meta.epoch != epoch {
            return Err(No::above(Refusal::StaleEpoch, log.meta.epoch));
        }
        if disk_full {
            return Err(No::above(Refusal::DiskFull, max_disk));
        }
        if !may_stage {
            return Err(No::wait(Refusal::Busy, BUSY_WAIT_MS));
        }
        let tickets: Arc<[Ticket]> = tickets.into();
        self.batch.writes.push(Write::Tickets { log: *id, tickets: Arc::clone(&tickets) });
        self.batch.pending.push(Pending::Tickets { log: *id, asker, tickets, size });
        self.staging(size);
        Ok(())
    }
}
