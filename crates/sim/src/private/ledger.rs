//! The room's log as the relay has it: where letters and epochs stand.

use std::collections::BTreeMap;

use estoile_engine::LetterId;
use estoile_hub::store::{Reader as _, Store as _};
use estoile_seal::letter::id16;
use estoile_wire::id::LogKind;
use estoile_wire::{Id16, LogId};

use crate::world::World;

/// See the module.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) log: LogId,
    /// The current epoch.
    pub(super) epoch: u64,
    pub(super) last: u64,
    /// What stands last before each epoch.
    begins: BTreeMap<u64, u64>,
    places: BTreeMap<Id16, u64>,
}

impl Ledger {
    /// Where a letter stands: the first record with its name.
    pub(super) fn place(&self, letter: &LetterId) -> Option<u64> {
        self.places.get(&id16(&letter.0)).copied()
    }

    /// Behind which cursor an epoch begins.
    pub(super) fn begin(&self, epoch: u64) -> Option<u64> {
        if epoch == 0 { Some(0) } else { self.begins.get(&epoch).copied() }
    }
}

impl World {
    /// The room's log: the advancing one with the most records.
    pub(super) fn ledger(&mut self) -> Result<Ledger, String> {
        let now = self.now;
        let hub = self.hub.as_mut().ok_or("the relay is down")?;
        let reader = hub.store().reader();
        let logs = reader.logs().map_err(|e| e.to_string())?;
        let advancing = logs.iter().filter(|log| log.meta.kind == LogKind::Advancing);
        let room = advancing.max_by_key(|log| log.records).ok_or("the relay has no room")?;
        let page = reader.read(&room.meta.id, 0, now, usize::MAX, usize::MAX).map_err(|e| e.to_string())?;
        let mut ledger = Ledger {
            log: room.meta.id,
            epoch: room.meta.epoch,
            last: room.meta.last,
            begins: BTreeMap::new(),
            places: BTreeMap::new(),
        };
        for record in &page.records {
            if record.advance.is_some() {
                ledger.begins.insert(record.epoch.saturating_add(1), record.cursor);
            }
            ledger.places.entry(record.id16).or_insert(record.cursor);
        }
        Ok(ledger)
    }
}
