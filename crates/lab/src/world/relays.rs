//! The relay: a real hub over a store in memory; several of them when it shows several histories.

use estoile_hub::config::Config;
use estoile_hub::hub::Hub;
use estoile_hub::memory::MemoryStore;
use estoile_hub::rules::{Entry, Identity, Rules};
use estoile_hub::store::{Reader, Store};
use estoile_wire::LogId;

use super::{Done, Who, World, broken};

/// More than any log of an experiment holds.
const ALL: usize = 100_000;

/// One history.
#[derive(Default)]
pub(crate) struct Relay {
    pub(crate) hub: Option<Hub>,
    /// The store while the hub is down.
    store: Option<MemoryStore>,
}

/// What the relay holds of one record.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) log: LogId,
    pub(crate) body: Vec<u8>,
}

impl World {
    pub(crate) fn relay_identity(&self) -> Identity {
        Identity::new(&self.identity, None)
    }

    fn rules(&self) -> Rules {
        Rules { config: Config::default(), identity: self.relay_identity(), entry: Entry::Open }
    }

    /// A history's hub starts.
    pub(crate) fn relay_starts(&mut self, at: usize) -> Done {
        let rules = self.rules();
        let now = self.now;
        let Some(relay) = self.relays.get_mut(at).filter(|r| r.hub.is_none()) else { return Ok(()) };
        let store = relay.store.take().unwrap_or_default();
        match Hub::start(now, rules, store) {
            Ok(hub) => relay.hub = Some(hub),
            Err(error) => return broken(format!("the relay does not start: {error}")),
        }
        Ok(())
    }

    /// A history's hub dies; what it had committed stays.
    pub(crate) fn relay_stops(&mut self, at: usize) -> Done {
        let Some(relay) = self.relays.get_mut(at) else { return Ok(()) };
        if let Some(hub) = relay.hub.take() {
            relay.store = Some(hub.crash());
        }
        let all: Vec<Who> = (0..self.clients.len()).map(Who).collect();
        all.into_iter().try_for_each(|who| self.loses_connection(who, at))
    }

    /// It stops and starts: sessions end, and everybody attaches again.
    pub(crate) fn relay_restarts(&mut self) -> Done {
        self.relay_stops(0)?;
        self.relay_starts(0)
    }

    /// The relay begins a second history at this point; those named live in it from now on. Its number is answered.
    pub(crate) fn split_history(&mut self, who: &[Who]) -> Done<usize> {
        self.relay_stops(0)?;
        let Some(store) = self.relays.first().and_then(|r| r.store.as_ref()).map(MemoryStore::parted) else {
            return broken("the relay has no store to part");
        };
        let at = self.relays.len();
        self.relays.push(Relay { hub: None, store: Some(store) });
        for who in who {
            self.client_mut(*who)?.history = at;
        }
        self.relay_starts(0)?;
        self.relay_starts(at)?;
        self.tell("the relay keeps two histories from here on");
        Ok(at)
    }

    /// A copy of all that the relay holds now, to go back to.
    pub(crate) fn relay_backup(&mut self) -> Done<MemoryStore> {
        self.relay_stops(0)?;
        let copy = self.relays.first().and_then(|r| r.store.as_ref()).map(MemoryStore::parted);
        self.relay_starts(0)?;
        copy.map_or_else(|| broken("the relay has no store to copy"), Ok)
    }

    /// The relay goes back to an older state of its own.
    pub(crate) fn relay_rolls_back(&mut self, to: MemoryStore) -> Done {
        self.tell("the relay rolls itself back");
        self.relay_stops(0)?;
        if let Some(relay) = self.relays.first_mut() {
            relay.store = Some(to);
        }
        self.relay_starts(0)
    }

    /// Every record that a history holds.
    pub(crate) fn held(&mut self, at: usize) -> Vec<Held> {
        let now = self.now;
        let Some(hub) = self.relays.get_mut(at).and_then(|r| r.hub.as_mut()) else { return Vec::new() };
        let reader = hub.store().reader();
        let logs = reader.logs().unwrap_or_default();
        let mut held = Vec::new();
        for log in logs {
            let page = reader.read(&log.meta.id, 0, now, ALL, usize::MAX).unwrap_or_default();
            held.extend(page.records.into_iter().map(|r| Held { log: log.meta.id, body: r.body.to_vec() }));
        }
        held
    }

    /// Whether the relay's whole state holds these bytes in any spelling.
    pub(crate) fn relay_holds(&mut self, needle: &[u8]) -> bool {
        let all: Vec<usize> = (0..self.relays.len()).collect();
        all.into_iter().any(|at| self.held(at).iter().any(|record| crate::search::holds(&record.body, needle)))
    }
}
