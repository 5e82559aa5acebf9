//! Who is attached to a log: by which epoch's key, how far, and what they are sent.

use bytes::Bytes;
use estoile_wire::frame::{Attached, Lagged, Live, RelayFrame};
use estoile_wire::{Cursor, LogId, Millis};

use super::{Asker, Life, Log, SessionId, Standing};
use crate::config::Config;
use crate::queue::{Class, Outbox};

/// One session's attachment.
#[derive(Debug)]
pub(crate) struct Attachment<Q> {
    pub(super) session: SessionId,
    pub(super) outbox: Q,
    pub(super) standing: Standing,
    pub(super) sent: Cursor,
    /// Whose access key it has proven.
    pub(crate) epoch: u64,
    /// Where that epoch ended, if it has and the place is known.
    pub(crate) end: Option<Cursor>,
}

/// How somebody comes in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entrance {
    pub(crate) epoch: u64,
    pub(crate) end: Option<Cursor>,
    pub(crate) after: Cursor,
    pub(crate) newest: Option<u64>,
}

/// What came of a page that was the last for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caught {
    Live,
    /// More was published meanwhile, or it is not attached any more.
    Behind,
    /// Its epoch has ended, and the record that ended it is gone; this one is current.
    Over(u64),
}

impl<Q: Outbox> Log<Q> {
    /// Pushes all that became durable to every live attachment. One whose epoch has ended with it is over.
    pub(crate) fn publish(&mut self) {
        let fresh = core::mem::take(&mut self.fresh);
        let frames: Vec<Bytes> = fresh.iter().map(|(_, frame)| frame.clone()).collect();
        let first = fresh.first().map_or(0, |(cursor, _)| *cursor);
        let (log, epoch) = (self.meta.id, self.meta.epoch);
        self.attachments.retain_mut(|a| {
            if a.standing != Standing::Live {
                return true;
            }
            // Whoever went live with a page that the disk already had, has the first of these.
            let skip = if a.sent < first { 0 } else { fresh.partition_point(|(cursor, _)| *cursor <= a.sent) };
            let todo = frames.get(skip..).unwrap_or_default();
            let pushed = a.outbox.push_all(todo);
            if let Some((cursor, _)) = fresh.get(..skip.saturating_add(pushed)).and_then(<[_]>::last) {
                a.sent = a.sent.max(*cursor);
            }
            if pushed < todo.len() {
                let lagged = Lagged { log, cursor: a.sent };
                a.outbox.push(RelayFrame::Lagged(lagged).encode().into(), Class::Answer);
                return false;
            }
            // The last of these may have been the end of its epoch.
            a.epoch == epoch
        });
    }

    fn find(&self, session: SessionId) -> Result<usize, usize> {
        self.attachments.binary_search_by_key(&session, |a| a.session)
    }

    pub(crate) fn standing(&self, session: SessionId) -> Option<Standing> {
        self.attachment(session).map(|a| a.standing)
    }

    /// A session's attachment.
    pub(crate) fn attachment(&self, session: SessionId) -> Option<&Attachment<Q>> {
        self.find(session).ok().and_then(|at| self.attachments.get(at))
    }

    /// Attaches, anew if the session is attached already. Who needs nothing from the store is live at once.
    pub(crate) fn attach(&mut self, now: Millis, asker: &Asker<Q>, entrance: Entrance, config: &Config) {
        let Entrance { epoch, end, after, newest } = entrance;
        let last = self.meta.last;
        let has_all = epoch == self.meta.epoch && (after >= last || newest == Some(0));
        let standing = if has_all { Standing::Live } else { Standing::CatchingUp };
        let sent = if has_all { last } else { after };
        let (session, outbox) = (asker.session, asker.outbox.clone());
        let attachment = Attachment { session, outbox, standing, sent, epoch, end };
        match self.find(asker.session) {
            Ok(at) => {
                if let Some(old) = self.attachments.get_mut(at) {
                    *old = attachment;
                }
            }
            Err(at) => self.attachments.insert(at, attachment),
        }
        self.touched = now;
        let Self { meta, .. } = self;
        let max_ttl = meta.max_ttl.min(config.limits().max_ttl);
        let attached = Attached { request: asker.request, log: meta.id, epoch: meta.epoch, last, max_ttl };
        asker.outbox.push(RelayFrame::Attached(attached).encode().into(), Class::Answer);
        if standing == Standing::Live {
            answer_live(&asker.outbox, meta.id, last);
        }
    }

    /// Makes an attachment live that has everything up to `through`, or says why not.
    pub(crate) fn caught_up(&mut self, session: SessionId, through: Cursor) -> Caught {
        let (last, log, epoch) = (self.meta.last, self.meta.id, self.meta.epoch);
        let Some(a) = self.find(session).ok().and_then(|at| self.attachments.get_mut(at)) else {
            return Caught::Behind;
        };
        if a.epoch != epoch && through >= a.end.unwrap_or(last) {
            return Caught::Over(epoch);
        }
        if a.epoch != epoch || last > through {
            return Caught::Behind;
        }
        a.standing = Standing::Live;
        a.sent = through;
        answer_live(&a.outbox, log, through);
        Caught::Live
    }

    /// An epoch has ended with the record at `end`: those who catch up in it get nothing behind that.
    pub(super) fn end_epoch(&mut self, ended: u64, end: Cursor) {
        for a in self.attachments.iter_mut().filter(|a| a.epoch == ended) {
            a.end = Some(end);
        }
    }

    /// Ends an attachment. Says whether the session still waits for answers from this log.
    pub(crate) fn detach(&mut self, now: Millis, session: SessionId) -> bool {
        if let Ok(at) = self.find(session) {
            self.attachments.remove(at);
            self.last_visit = self.last_visit.max(now);
            self.touched = now;
            if self.attachments.is_empty() {
                self.attachments = Vec::new();
            }
        }
        let overtaken = self.advancing.iter().flat_map(|advancing| &advancing.waiting);
        self.in_flight.values().flat_map(|first| &first.waiting).chain(overtaken).any(|w| w.session == session)
    }

    /// Forgets a session that has ended.
    pub(crate) fn release(&mut self, now: Millis, session: SessionId) {
        self.detach(now, session);
        let creating = if let Life::Creating(waiting) = &mut self.life { Some(waiting) } else { None };
        let overtaken = self.advancing.as_mut().map(|advancing| &mut advancing.waiting);
        let in_flight = self.in_flight.values_mut().map(|first| &mut first.waiting);
        for waiting in in_flight.chain(overtaken).chain(creating) {
            waiting.retain(|w| w.session != session);
        }
    }

    /// Forwards a frame to everybody attached at the current epoch but one.
    pub(crate) fn forward(&self, from: SessionId, frame: &Bytes) {
        for a in self.attachments.iter().filter(|a| a.session != from && a.epoch == self.meta.epoch) {
            // No room: signals may be lost, they tell of a moment.
            let _ = a.outbox.push(frame.clone(), Class::Delivery);
        }
    }
}

fn answer_live<Q: Outbox>(outbox: &Q, log: LogId, cursor: Cursor) {
    outbox.push(RelayFrame::Live(Live { log, cursor }).encode().into(), Class::Answer);
}
