//! Connections and transfers under way: which still count, which wait for their time, and which may not be made at all.

use std::collections::{BTreeMap, VecDeque};

use estoile_engine::{Input, Lost, RelayAddress, RelayId};
use estoile_wire::Millis;

use crate::inbox::SocketEvent;
use crate::outside::{Outside, Transfer};
use crate::relays::{ELSEWHERE, Relays};

/// Blobs that travel at a time: each may take 32 MiB of memory.
const TRANSFERS: usize = 2;

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// The number of the newest connection to each relay; numbers are never used again.
    current: BTreeMap<RelayId, u64>,
    last: u64,
    /// Asked for, and not yet due.
    waiting: BTreeMap<RelayId, (Millis, RelayAddress)>,
    /// The number of the transfers' round: what an engine asked for is not another's.
    round: u64,
    transfers: VecDeque<Transfer>,
    running: usize,
}

impl Lines {
    /// Connect, when it is time.
    pub(crate) fn connect(&mut self, relay: RelayId, address: RelayAddress, at: Millis, out: &mut impl Outside) {
        self.disconnect(relay, out);
        self.waiting.insert(relay, (at, address));
    }

    /// When something of this is due.
    pub(crate) fn next_timeout(&self) -> Option<Millis> {
        self.waiting.values().map(|(at, _)| *at).min()
    }

    /// Makes the connections that are due; what leads where this client may not go is answered instead.
    pub(crate) fn due(&mut self, relays: &Relays, out: &mut impl Outside) -> Vec<Input> {
        let now = out.now();
        let due: Vec<RelayId> = self.waiting.iter().filter(|(_, (at, _))| *at <= now).map(|(id, _)| *id).collect();
        let mut inputs = Vec::new();
        for relay in due {
            let Some((_, address)) = self.waiting.remove(&relay) else { continue };
            if let Some(url) = relays.session(&address) {
                self.last = self.last.saturating_add(1);
                self.current.insert(relay, self.last);
                out.connect(relay, self.last, &url);
            } else {
                inputs.push(Input::Disconnected { relay, why: Lost::Unreachable(ELSEWHERE.into()) });
            }
        }
        inputs
    }

    /// Sends; a connection that can't take it is given up, which the engine hears.
    pub(crate) fn send(&mut self, relay: RelayId, frame: &[u8], out: &mut impl Outside) -> Option<Input> {
        self.current.get(&relay)?;
        let why = out.send(relay, frame).err()?;
        self.disconnect(relay, out);
        Some(Input::Disconnected { relay, why })
    }

    /// Ends a connection, or forgets that it was wanted.
    pub(crate) fn disconnect(&mut self, relay: RelayId, out: &mut impl Outside) {
        self.waiting.remove(&relay);
        if self.current.remove(&relay).is_some() {
            out.disconnect(relay);
        }
    }

    /// Ends all of it, and forgets blobs on their way.
    pub(crate) fn reset(&mut self, out: &mut impl Outside) {
        let relays: Vec<RelayId> = self.current.keys().copied().collect();
        relays.into_iter().for_each(|relay| self.disconnect(relay, out));
        self.waiting.clear();
        self.transfers.clear();
        self.running = 0;
        self.round = self.round.saturating_add(1);
    }

    /// What happened on a connection, if it still counts.
    pub(crate) fn heard(&mut self, relay: RelayId, connection: u64, event: SocketEvent) -> Option<Input> {
        if self.current.get(&relay) != Some(&connection) {
            return None;
        }
        Some(match event {
            // A browser shows no certificate; it has checked it, or the connection would not be.
            SocketEvent::Up => Input::Connected { relay, certificate: None, publicly_trusted: true },
            SocketEvent::Frame(bytes) => Input::Frame { relay, bytes },
            SocketEvent::Down(why) => {
                self.current.remove(&relay);
                Input::Disconnected { relay, why }
            }
        })
    }

    /// Puts a transfer in line.
    pub(crate) fn transfer(&mut self, transfer: Transfer, out: &mut impl Outside) {
        self.transfers.push_back(transfer);
        self.start(out);
    }

    /// A transfer of that round has ended; false if nobody asks for it any more.
    pub(crate) fn ended(&mut self, round: u64, out: &mut impl Outside) -> bool {
        if round != self.round {
            return false;
        }
        self.running = self.running.saturating_sub(1);
        self.start(out);
        true
    }

    fn start(&mut self, out: &mut impl Outside) {
        while self.running < TRANSFERS {
            let Some(transfer) = self.transfers.pop_front() else { return };
            self.running = self.running.saturating_add(1);
            out.transfer(self.round, transfer);
        }
    }
}
