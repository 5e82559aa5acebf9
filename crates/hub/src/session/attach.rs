//! Attaching: the proof of an epoch's key, what must be known of a log before, and where catching up begins.

use estoile_wire::frame::Attach;
use estoile_wire::id::LogKind;
use estoile_wire::{LogId, Millis, Refusal, proof};

use super::catch_up::CatchUp;
use super::{Session, Shards, rate, verify};
use crate::log::{Entrance, Shelf};
use crate::queue::Outbox;
use crate::rules::Rules;
use crate::shard::{Door, No};
use crate::store::{Reader, StoreError};

/// What a client is told to wait while another session reads a large log's ids, a second or so for a million.
const WARMING_WAIT_MS: u64 = 250;
/// Items of a shelf that are read at a time.
const SHELF_PAGE: usize = 16;

/// Reads what the shard must know of a log before it is used: the ids of its records, or a shelf's items.
pub(super) fn warm<Q: Outbox, S: Shards<Q>, R: Reader>(
    now: Millis,
    id: &LogId,
    door: &Door,
    shards: &S,
    reader: &R,
) -> Result<(), No> {
    let Some(at) = door.cold else { return Ok(()) };
    if !shards.with(id, |shard| shard.may_warm(now, id)) {
        return Err(No::wait(Refusal::Busy, WARMING_WAIT_MS));
    }
    let read = if door.kind == LogKind::Shelf {
        read_shelf(now, id, reader).map(|shelf| {
            shards.with(id, |shard| {
                shard.not_warming(id);
                shard.warm_shelf(id, at, shelf);
            });
        })
    } else {
        reader.ids(id, now).map(|ids| shards.with(id, |shard| shard.warm(id, at, ids)))
    };
    read.map_err(|_| {
        shards.with(id, |shard| shard.not_warming(id));
        No::because(Refusal::StoreFailed)
    })
}

fn read_shelf<R: Reader>(now: Millis, id: &LogId, reader: &R) -> Result<Shelf, StoreError> {
    let (mut shelf, mut after) = (Shelf::default(), 0);
    loop {
        let page = reader.read(id, after, now, SHELF_PAGE, usize::MAX)?;
        page.records.iter().for_each(|record| shelf.learn(record));
        match page.records.last() {
            Some(last) if page.more => after = last.cursor,
            _ => return Ok(shelf),
        }
    }
}

impl<Q: Outbox> Session<Q> {
    pub(super) fn attach<S: Shards<Q>, R: Reader>(
        &mut self,
        now: Millis,
        f: &Attach,
        rules: &Rules,
        shards: &S,
        reader: &R,
    ) {
        if let Err(no) = self.try_attach(now, f, rules, shards, reader) {
            self.refuse(Some(f.request), Some(f.log), no);
        }
    }

    fn try_attach<S: Shards<Q>, R: Reader>(
        &mut self,
        now: Millis,
        f: &Attach,
        rules: &Rules,
        shards: &S,
        reader: &R,
    ) -> Result<(), No> {
        let Rules { config, identity, .. } = rules;
        let door = shards.with(&f.log, |shard| shard.door(&f.log));
        match door {
            Some(Door { kind: LogKind::Advancing, .. }) => rate(&mut self.walks, now, config.walks)?,
            _ => rate(&mut self.attaches, now, config.attaches)?,
        }
        let door = door.ok_or(No::because(Refusal::NoSuchLog))?;
        if door.kind == LogKind::Shelf {
            return Err(No::above(Refusal::Unsupported, LogKind::Shelf as u64));
        }
        let stale = No::above(Refusal::StaleEpoch, door.epoch);
        let past = if f.epoch < door.epoch { reader.past(&f.log, f.epoch, now) } else { Ok(None) };
        let past = past.map_err(|_| No::because(Refusal::StoreFailed))?;
        if f.epoch != door.epoch && past.is_none_or(|past| past.end <= f.after) {
            return Err(stale);
        }
        let access_key = past.map_or(door.access_key, |past| past.access_key);
        verify(&access_key, &proof::attach(&identity.public(), &self.nonce, &f.log, f.epoch), &f.signature)?;
        self.may_hold(&f.log, config.max_attachments, shards)?;
        warm(now, &f.log, &door, shards, reader)?;
        let asker = self.asker(f.request);
        // In an epoch that has ended, the newest are not the log's newest.
        let newest = f.newest.filter(|_| past.is_none());
        let entrance = Entrance { epoch: f.epoch, end: past.map(|past| past.end), after: f.after, newest };
        let attached = shards.with(&f.log, |shard| shard.attach(now, &asker, &f.log, entrance));
        self.catching.retain(|c| c.log != f.log);
        // The log ended, or was written to and left again, while its ids were read: a moment later it will go.
        let behind = attached.ok_or(No::wait(Refusal::Busy, 50))?;
        self.hold(f.log);
        if behind {
            self.serial = self.serial.wrapping_add(1);
            self.catching.push(CatchUp { log: f.log, after: f.after, newest, serial: self.serial, epoch: f.epoch });
        }
        Ok(())
    }
}
