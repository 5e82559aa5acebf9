//! The relay's cheats at work in a world: between the hub and the connections, and on the relay's disk.

use super::{Happening, World};
use crate::cheat::{Cheat, Frames, Scheme, Trick};
use crate::net::ConnectionId;
use crate::story;

impl World {
    /// From now on the relay carries out these schemes.
    pub(crate) fn cheat(&mut self, schemes: &[Scheme]) {
        for (cheat, scheme) in schemes.iter().enumerate() {
            self.tell(|| format!("a scheme: {scheme:?}"));
            if scheme.trick == Trick::RollBack {
                self.later(scheme.from, Happening::Copy { cheat });
                self.later(scheme.until, Happening::GoBack { cheat });
            }
        }
        let begin = self.now;
        self.cheats = schemes.iter().map(|scheme| Cheat::new(scheme.clone(), begin)).collect();
    }

    /// What goes to a client instead of a frame of the hub.
    pub(super) fn cheat_down(&mut self, id: ConnectionId, frame: &[u8]) -> Frames {
        let mut frames = vec![(0, frame.to_vec())];
        let Some(client) = self.net.get(id).map(|c| c.client) else { return frames };
        for index in 0..self.cheats.len() {
            let now = self.now;
            let Some(cheat) = self.cheats.get_mut(index) else { break };
            let told = |(after, frame): &(u64, Vec<u8>)| {
                let told = cheat.down(client, now, frame);
                told.into_iter().map(|(later, bytes)| (after.saturating_add(later), bytes)).collect::<Frames>()
            };
            let next: Frames = frames.iter().flat_map(told).collect();
            if next != frames {
                let trick = cheat.scheme.trick;
                self.tell(|| format!("the relay cheats member {client} by {trick:?}: {}", story::from_relay(frame)));
            }
            frames = next;
        }
        frames
    }

    /// What goes to the hub instead of a frame of a client; none: nothing.
    pub(super) fn cheat_up(&mut self, id: ConnectionId, client: usize, frame: &[u8]) -> Option<Vec<u8>> {
        let mut passes = Some(frame.to_vec());
        for index in 0..self.cheats.len() {
            let now = self.now;
            let (Some(cheat), Some(frame)) = (self.cheats.get_mut(index), passes.take()) else { break };
            let trick = cheat.scheme.trick;
            let (next, answer) = cheat.up(client, now, frame);
            if next.is_none() || answer.is_some() {
                self.tell(|| format!("the relay cheats member {client} by {trick:?}"));
            }
            if let (Some(bytes), Some(connection)) = (answer, self.net.get_mut(id)) {
                let at = connection.arrives_at_client(now, 0);
                self.at(at, Happening::ToClient { connection: id, bytes });
            }
            passes = next;
        }
        passes
    }

    pub(super) fn copy_store(&mut self, cheat: usize) {
        let copy = self.hub.as_mut().map(|hub| hub.store().parted()).or_else(|| self.disk.as_ref().map(|d| d.parted()));
        if let Some(copy) = copy {
            self.copies.insert(cheat, copy);
        }
    }

    pub(super) fn go_back(&mut self, cheat: usize) {
        // Copies are for the time of trouble only.
        let Some(copy) = self.copies.remove(&cheat).filter(|_| !self.cheats.is_empty()) else { return };
        self.tell(|| "the relay goes back to an older state".to_owned());
        self.relay_dies();
        self.disk = Some(copy);
    }
}
