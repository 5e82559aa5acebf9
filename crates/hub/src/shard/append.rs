//! Appending to logs of a shard, and forwarding signals. Whether the session is within its rates was checked before.

use bytes::Bytes;
use estoile_wire::frame::{Append, Record, RelayFrame, Signal, Signalled};
use estoile_wire::limits::{MAX_BODY, MAX_SIGNAL};
use estoile_wire::{Cursor, Millis, Refusal};
use std::sync::Arc;

use super::{BUSY_WAIT_MS, No, Pending, Shard};
use crate::log::{Asker, Seen, SessionId, answer_kept};
use crate::queue::{Class, Outbox};
use crate::store::{NewRecord, Write, charge};

impl<Q: Outbox> Shard<Q> {
    /// Stages a record, or answers a repeat.
    pub(crate) fn append(&mut self, now: Millis, asker: Asker<Q>, append: &Append<'_>) {
        let request = asker.request;
        let outbox = asker.outbox.clone();
        if let Err(no) = self.try_append(now, asker, append) {
            outbox.push(no.frame(Some(request), Some(append.log)), Class::Answer);
        }
    }

    fn try_append(&mut self, now: Millis, asker: Asker<Q>, append: &Append<'_>) -> Result<(), No> {
        let (config, disk_full) = (Arc::clone(&self.config), self.disk_full);
        let may_stage = self.may_stage(append.body.len());
        let log = self.here(&append.log).filter(|l| l.standing(asker.session).is_some());
        let log = log.ok_or(No::because(Refusal::NotAttached))?;
        match log.seen(now, &append.id16, &asker, &config) {
            Seen::New => {}
            Seen::Waits => return Ok(()),
            Seen::Crowded => return Err(No::wait(Refusal::Busy, BUSY_WAIT_MS)),
            Seen::Kept(cursor, time) => {
                answer_kept(&asker, cursor, time);
                return Ok(());
            }
        }
        if append.epoch != log.meta.epoch {
            return Err(No::above(Refusal::StaleEpoch, log.meta.epoch));
        }
        let max_ttl = log.max_ttl(&config);
        let ttl = append.ttl.unwrap_or(max_ttl);
        if ttl == 0 || ttl > max_ttl {
            return Err(No::above(Refusal::BadTtl, max_ttl));
        }
        match append.body.len() {
            0 => return Err(No::because(Refusal::Malformed)),
            n if n > MAX_BODY => return Err(No::above(Refusal::BodyTooLarge, MAX_BODY as u64)),
            _ => {}
        }
        let cost = charge(append.body.len());
        let holds = log.bytes.saturating_add(log.staged).saturating_add(cost);
        if holds > log.meta.quota {
            return Err(No::above(Refusal::LogFull, log.meta.quota));
        }
        if !log.code_has_room(cost, &config) {
            return Err(No::above(Refusal::EntryUsedUp, config.bytes_per_code));
        }
        if disk_full {
            return Err(No::above(Refusal::DiskFull, config.max_disk));
        }
        if !may_stage {
            return Err(No::wait(Refusal::Busy, BUSY_WAIT_MS));
        }
        let expires = now.saturating_add(ttl.saturating_mul(1000));
        let cursor = log.start(append.id16, now, expires, asker);
        log.staging(cost);
        self.stage(now, expires, cursor, cost, append);
        Ok(())
    }

    /// Encodes the record once, for the disk and for everybody attached.
    fn stage(&mut self, now: Millis, expires: Millis, cursor: Cursor, cost: u64, append: &Append<'_>) {
        let Append { log, id16, epoch, body, .. } = *append;
        let frame = Record { log, cursor, time: now, expires, epoch, id16, body, advance: None };
        let frame: Bytes = RelayFrame::Record(frame).encode().into();
        // The body is the last thing in the frame, so the disk's copy is a slice of the same bytes.
        let body = frame.slice(frame.len().saturating_sub(body.len())..);
        self.batch.writes.push(Write::Append(NewRecord { log, cursor, time: now, expires, epoch, id16, body, advance: None }));
        self.batch.pending.push(Pending::Append { log, id16, cost, frame });
        self.staging(usize::try_from(cost).unwrap_or(usize::MAX));
    }

    /// Forwards a signal to everybody else who is attached.
    pub(crate) fn signal(&self, session: SessionId, outbox: &Q, signal: &Signal<'_>) {
        let Signal { log: id, body } = *signal;
        let log = self.logs.get(&id).filter(|l| l.is_here() && l.standing(session).is_some());
        let refused = match (log, body.len()) {
            (None, _) => No::because(Refusal::NotAttached),
            (_, 0) => No::because(Refusal::Malformed),
            (_, n) if n > MAX_SIGNAL => No::above(Refusal::BodyTooLarge, MAX_SIGNAL as u64),
            (Some(log), _) => {
                log.forward(session, &RelayFrame::Signalled(Signalled { log: id, body }).encode().into());
                return;
            }
        };
        outbox.push(refused.frame(None, Some(id)), Class::Answer);
    }
}
