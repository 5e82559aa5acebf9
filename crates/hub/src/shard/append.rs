//! Appending to logs of a shard, by their key or by ticket, and forwarding signals. Whether the session is within its rates
//! was checked before.

use bytes::Bytes;
use estoile_wire::frame::{Append, Post, Record, RelayFrame, Signal, Signalled};
use estoile_wire::id::LogKind;
use estoile_wire::limits::{MAX_BODY, MAX_SIGNAL};
use estoile_wire::{Id16, LogId, Millis, PublicKey, Refusal};
use std::sync::Arc;

use super::{BUSY_WAIT_MS, No, Pending, Shard};
use crate::log::{Asker, Log, Seen, SessionId, answer_kept};
use crate::queue::{Class, Outbox};
use crate::store::{Advance, NewRecord, Write, charge};

/// A record to be, as an append or a post says it.
struct Letter<'b> {
    log: LogId,
    id16: Id16,
    ttl: Option<u64>,
    body: &'b [u8],
    advance: Option<PublicKey>,
}

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
        let config = Arc::clone(&self.config);
        let log = self.here(&append.log).ok_or(No::because(Refusal::NotAttached))?;
        let attachment = log.attachment(asker.session).ok_or(No::because(Refusal::NotAttached))?;
        let (epoch, end) = (attachment.epoch, attachment.end);
        let stale = No::above(Refusal::StaleEpoch, log.meta.epoch);
        match log.seen(now, &append.id16, &asker, &config) {
            Seen::New => {}
            Seen::Waits => return Ok(()),
            Seen::Crowded => return Err(No::wait(Refusal::Busy, BUSY_WAIT_MS)),
            // Of what came after its epoch nobody is told anything.
            Seen::Kept(cursor, _) if end.is_some_and(|end| end < cursor) => return Err(stale),
            Seen::Kept(cursor, time) => {
                answer_kept(&asker, cursor, time);
                return Ok(());
            }
        }
        if append.epoch != log.meta.epoch || epoch != log.meta.epoch {
            return Err(stale);
        }
        let Some(asker) = log.overtaken(asker, &config)? else { return Ok(()) };
        if append.advance.is_some() && log.meta.kind != LogKind::Advancing {
            return Err(No::above(Refusal::Unsupported, log.meta.kind as u64));
        }
        let Append { log, id16, ttl, body, advance, .. } = *append;
        self.stage(now, asker, &Letter { log, id16, ttl, body, advance }, |log| {
            if advance.is_some() {
                let wait = log.advances.take(now, config.advances);
                wait.map_err(|wait| No::wait(Refusal::RateLimited, wait))?;
            }
            Ok(())
        })
    }

    /// Stages a record that came by ticket, or answers a repeat. `None`: the log's ids must be read first.
    pub(crate) fn post(&mut self, now: Millis, asker: Asker<Q>, post: &Post<'_>) -> Option<Result<(), No>> {
        let config = Arc::clone(&self.config);
        let Some(log) = self.here(&post.log) else { return Some(Err(No::because(Refusal::NoSuchLog))) };
        // First the ticket: nothing is read for strangers.
        let ticket = match log.ticket(&post.ticket.hash()) {
            Ok(_) if log.meta.kind != LogKind::Fixed => {
                return Some(Err(No::above(Refusal::Unsupported, log.meta.kind as u64)));
            }
            Ok(ticket) => ticket,
            Err(no) => return Some(Err(no)),
        };
        if !log.is_warm() {
            return None;
        }
        log.touch(now);
        match log.seen(now, &post.id16, &asker, &config) {
            Seen::New => {}
            Seen::Waits => return Some(Ok(())),
            Seen::Crowded => return Some(Err(No::wait(Refusal::Busy, BUSY_WAIT_MS))),
            Seen::Kept(cursor, time) => {
                answer_kept(&asker, cursor, time);
                return Some(Ok(()));
            }
        }
        let Post { log, id16, ttl, body, .. } = *post;
        Some(self.stage(now, asker, &Letter { log, id16, ttl, body, advance: None }, |log| {
            log.may_use(now, &ticket, body.len() as u64)?;
            log.use_ticket(now, &ticket, body.len() as u64);
            Ok(())
        }))
    }

    /// Stages a record if there is room for it, and `last` allows it.
    fn stage(
        &mut self,
        now: Millis,
        asker: Asker<Q>,
        letter: &Letter<'_>,
        last: impl FnOnce(&mut Log<Q>) -> Result<(), No>,
    ) -> Result<(), No> {
        let (config, disk_full) = (Arc::clone(&self.config), self.disk_full);
        let may_stage = self.may_stage(letter.body.len());
        let log = self.here(&letter.log).ok_or(No::because(Refusal::NoSuchLog))?;
        // What ends an epoch lives as long as anything may: those who were away walk by it.
        let ttl = lifetime(log.max_ttl(&config), letter.ttl.filter(|_| letter.advance.is_none()))?;
        match letter.body.len() {
            0 => return Err(No::because(Refusal::Malformed)),
            n if n > MAX_BODY => return Err(No::above(Refusal::BodyTooLarge, MAX_BODY as u64)),
            _ => {}
        }
        let cost = charge(letter.body.len());
        log.has_room(cost, &config)?;
        if disk_full {
            return Err(No::above(Refusal::DiskFull, config.max_disk));
        }
        if !may_stage {
            return Err(No::wait(Refusal::Busy, BUSY_WAIT_MS));
        }
        last(log)?;
        let expires = now.saturating_add(ttl.saturating_mul(1000));
        let cursor = log.start(letter.id16, now, expires, asker);
        log.staging(cost);
        let epoch = log.meta.epoch;
        let advance = letter.advance.map(|next| Advance { ended: log.meta.access_key, next });
        if let Some(next) = letter.advance {
            log.advance(letter.id16, next);
        }
        self.write(
            NewRecord {
                log: letter.log,
                cursor,
                time: now,
                expires,
                epoch,
                id16: letter.id16,
                body: Bytes::new(),
                advance,
            },
            letter.body,
            cost,
        );
        Ok(())
    }

    /// Encodes the record once, for the disk and for everybody attached.
    fn write(&mut self, record: NewRecord, body: &[u8], cost: u64) {
        let NewRecord { log, cursor, time, expires, epoch, id16, advance, .. } = record;
        let frame = Record { log, cursor, time, expires, epoch, id16, body, advance: advance.map(|a| a.next) };
        // The disk's copy is a slice of the same bytes: the body stands at the end, before the tail.
        let tail = frame.tail();
        let frame: Bytes = RelayFrame::Record(frame).encode().into();
        let end = frame.len().saturating_sub(tail);
        let body = frame.slice(end.saturating_sub(body.len())..end);
        self.batch.writes.push(Write::Append(NewRecord { body, ..record }));
        self.batch.pending.push(Pending::Append { log, id16, cost, frame });
        self.staging(usize::try_from(cost).unwrap_or(usize::MAX));
    }

    /// Forwards a signal to everybody else who is attached.
    pub(crate) fn signal(&self, session: SessionId, outbox: &Q, signal: &Signal<'_>) {
        let Signal { log: id, body } = *signal;
        let log = self.logs.get(&id).filter(|l| l.is_here());
        let attached = log.and_then(|log| Some((log, log.attachment(session)?.epoch)));
        let refused = match (attached, body.len()) {
            (None, _) => No::because(Refusal::NotAttached),
            (Some((log, epoch)), _) if epoch != log.meta.epoch => No::above(Refusal::StaleEpoch, log.meta.epoch),
            (_, 0) => No::because(Refusal::Malformed),
            (_, n) if n > MAX_SIGNAL => No::above(Refusal::BodyTooLarge, MAX_SIGNAL as u64),
            (Some((log, _)), _) => {
                log.forward(session, &RelayFrame::Signalled(Signalled { log: id, body }).encode().into());
                return;
            }
        };
        outbox.push(refused.frame(None, Some(id)), Class::Answer);
    }
}

/// Seconds that a record, or a blob, lives.
pub(super) fn lifetime(max_ttl: u64, ttl: Option<u64>) -> Result<u64, No> {
    let ttl = ttl.unwrap_or(max_ttl);
    if ttl == 0 || ttl > max_ttl { Err(No::above(Refusal::BadTtl, max_ttl)) } else { Ok(ttl) }
}
