//! What is on its way to the disk, and what happens when it got there or not.

use std::sync::Arc;

use bytes::Bytes;
use estoile_wire::frame::{Done, RelayFrame, Ticket};
use estoile_wire::{Id16, LogId, Refusal};

use super::shelf::{Putting, Taking};
use super::{No, Shard};
use crate::log::{Asker, Life};
use crate::queue::{Class, Outbox};
use crate::store::{LogMeta, StoreError, Write};

/// Why a commit failed, as the clients are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No room.
    DiskFull,
    /// Anything else.
    StoreFailed,
}

impl From<&StoreError> for Failure {
    fn from(error: &StoreError) -> Self {
        if *error == StoreError::Full { Self::DiskFull } else { Self::StoreFailed }
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::DiskFull => Self::DiskFull,
            Failure::StoreFailed => Self::StoreFailed,
        }
    }
}

#[derive(Debug)]
pub(crate) enum Pending<Q> {
    Create(LogId),
    Drop(LogId),
    Append { log: LogId, id16: Id16, cost: u64, frame: Bytes },
    Tickets { log: LogId, asker: Asker<Q>, tickets: Arc<[Ticket]>, size: usize },
    Put(Box<Putting<Q>>),
    Take(Box<Taking<Q>>),
}

/// Writes on their way to the disk, in order. It must come back through [`Shard::committed`], or its senders wait for ever.
#[derive(Debug)]
#[must_use = "hand it back through `Shard::committed`"]
pub struct Batch<Q> {
    /// What to commit. The driver may take it out (and put several shards' writes into one commit).
    pub writes: Vec<Write>,
    pub(super) pending: Vec<Pending<Q>>,
}

impl<Q> Default for Batch<Q> {
    fn default() -> Self {
        Self { writes: Vec::new(), pending: Vec::new() }
    }
}

impl<Q> Batch<Q> {
    /// Nothing to commit.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }
}

impl<Q: Outbox> Shard<Q> {
    /// Whether anything waits to be committed.
    #[must_use]
    pub fn has_staged(&self) -> bool {
        !self.batch.is_empty()
    }

    /// Whether so many bytes more may be on their way to the disk.
    pub(super) fn may_stage(&self, more: usize) -> bool {
        self.staged.saturating_add(more) <= self.config.staged_bytes && self.codes.may_stage(more, &self.config)
    }

    pub(super) fn staging(&mut self, bytes: usize) {
        self.staged = self.staged.saturating_add(bytes);
        self.codes.stage(bytes);
    }

    pub(super) fn landed(&mut self, bytes: usize) {
        self.staged = self.staged.saturating_sub(bytes);
        self.codes.land(bytes);
    }

    /// Takes all that waits to be committed.
    pub fn take_staged(&mut self) -> Batch<Q> {
        core::mem::take(&mut self.batch)
    }

    /// Takes a batch back with its outcome: publishes and answers, or says that nothing was kept.
    pub fn committed(&mut self, batch: Batch<Q>, outcome: Result<(), Failure>) {
        let mut fresh: Vec<LogId> = Vec::new();
        for pending in batch.pending {
            match (pending, outcome) {
                (Pending::Append { log, id16, cost, frame }, outcome) => {
                    self.landed(usize::try_from(cost).unwrap_or(usize::MAX));
                    if self.appended(&log, &id16, cost, frame, outcome) {
                        fresh.push(log);
                    }
                }
                (Pending::Create(log), outcome) => {
                    self.landed(size_of::<LogMeta>());
                    self.made(&log, outcome);
                }
                (Pending::Tickets { log, asker, tickets, size }, outcome) => {
                    self.landed(size);
                    self.has_tickets(&log, &asker, tickets, outcome);
                }
                (Pending::Put(putting), outcome) => self.has_put(*putting, outcome.map_err(Refusal::from)),
                (Pending::Take(taking), outcome) => self.has_taken(*taking, outcome.map_err(Refusal::from)),
                (Pending::Drop(log), Ok(())) => {
                    self.logs.remove(&log);
                }
                (Pending::Drop(log), Err(_)) => {
                    if let Some(log) = self.logs.get_mut(&log) {
                        log.life = Life::Here;
                    }
                }
            }
        }
        for log in fresh {
            if let Some(log) = self.logs.get_mut(&log) {
                log.publish();
            }
        }
    }

    /// Says whether the log has something to publish and had not before.
    fn appended(&mut self, id: &LogId, id16: &Id16, cost: u64, frame: Bytes, outcome: Result<(), Failure>) -> bool {
        let Some(log) = self.logs.get_mut(id) else { return false };
        log.landed(cost, outcome.is_ok());
        match outcome {
            Ok(()) => log.kept(id16, frame),
            Err(failure) => {
                for asker in log.lost(id16) {
                    let no = No::because(failure.into());
                    asker.outbox.push(no.frame(Some(asker.request), Some(*id)), Class::Answer);
                }
                false
            }
        }
    }

    fn has_tickets(&mut self, id: &LogId, asker: &Asker<Q>, tickets: Arc<[Ticket]>, outcome: Result<(), Failure>) {
        let frame = match outcome {
            Ok(()) => {
                if let Some(log) = self.logs.get_mut(id) {
                    log.set_tickets(tickets);
                }
                RelayFrame::Done(Done { request: asker.request }).encode().into()
            }
            Err(failure) => No::because(failure.into()).frame(Some(asker.request), Some(*id)),
        };
        asker.outbox.push(frame, Class::Answer);
    }

    fn made(&mut self, id: &LogId, outcome: Result<(), Failure>) {
        let Some(log) = self.logs.get_mut(id) else { return };
        let Life::Creating(waiting) = core::mem::replace(&mut log.life, Life::Here) else { return };
        for asker in waiting {
            let frame = match outcome {
                Ok(()) => log.created(asker.request),
                Err(failure) => No::because(failure.into()).frame(Some(asker.request), Some(*id)),
            };
            asker.outbox.push(frame, Class::Answer);
        }
        if outcome.is_err() {
            self.logs.remove(id);
        }
    }
}
