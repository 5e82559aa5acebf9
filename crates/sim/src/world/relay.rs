//! The relay's side of the world: the hub, its crashes, its queues.

use estoile_hub::SessionId;
use estoile_hub::config::{Config, Rate};
use estoile_hub::hub::Hub;
use estoile_hub::rules::{Entry, Identity, Rules};
use estoile_wire::{Millis, RelayKeyHash};

use super::{Happening, MARK, World};
use crate::client::ROOM_NAME;
use crate::disk::holds;
use crate::net::ConnectionId;
use crate::plan::{below, one_in};
use crate::story;

/// The relay looks at its clock this often, seldom enough not to be most of what happens.
const TICK: Millis = 5_000;
/// A slow reader takes one frame in this time.
const SLOW: Millis = 300;
/// A relay that died is back after up to this long.
const RELAY_DOWN: Millis = 8_000;

impl World {
    fn rules(&self) -> Rules {
        let config = Config {
            queue_frames: self.plan.queue,
            page_records: self.plan.queue.clamp(2, 64),
            attaches: Rate::per_second(1_000),
            ..Config::default()
        };
        Rules { config, identity: self.identity(), entry: Entry::Open }
    }

    fn identity(&self) -> Identity {
        Identity::new(&self.relay_seed, None)
    }

    pub(crate) fn pin(&self) -> RelayKeyHash {
        self.identity().key_hash()
    }

    pub(super) fn relay_up(&mut self) -> Result<(), String> {
        let Some(disk) = self.disk.take() else { return Ok(()) };
        let hub = Hub::start(self.now, self.rules(), disk).map_err(|e| format!("the relay does not start: {e}"))?;
        self.hub = Some(hub);
        self.relay_life = self.relay_life.saturating_add(1);
        self.commit_planned = false;
        let relay_life = self.relay_life;
        self.later(TICK, Happening::Tick { relay_life });
        self.tell(|| "the relay is up".to_owned());
        Ok(())
    }

    /// The relay dies: what was not durable is gone, and so are all sessions.
    pub(super) fn relay_dies(&mut self) {
        let Some(hub) = self.hub.take() else { return };
        self.tell(|| "the relay dies".to_owned());
        self.disk = Some(hub.crash());
        for (id, _) in self.net.at_relay() {
            let after = below(&mut self.rng, 2_000);
            if let Some(connection) = self.net.get_mut(id) {
                connection.relay_knows = true;
                connection.cut = connection.cut.or(Some(self.now.saturating_add(connection.latency)));
            }
            self.later(after, Happening::ClientHears { connection: id });
        }
        let after = below(&mut self.rng, RELAY_DOWN);
        self.later(after, Happening::RelayUp);
    }

    pub(super) fn at_relay(&mut self, id: ConnectionId, bytes: &[u8]) -> Result<(), String> {
        self.listen(bytes);
        let Some(connection) = self.net.get(id).filter(|c| !c.relay_knows && !c.is_cut(self.now)) else {
            return Ok(());
        };
        let (session, client) = (connection.session, connection.client);
        if one_in(&mut self.rng, self.plan.relay_dies) {
            self.relay_dies();
            return Ok(());
        }
        if one_in(&mut self.rng, self.plan.cut) {
            self.cut(id);
            return Ok(());
        }
        let (now, secret) = (self.now, self.play.is_none().then_some(self.secret));
        self.tell(|| format!("relay <- member {client} by {id}: {}", story::from_client(bytes, secret.as_ref())));
        let Some(bytes) = self.cheat_up(id, client, bytes) else { return Ok(()) };
        if let Some(hub) = &mut self.hub {
            let _ = hub.receive(now, session, &bytes);
        }
        self.after_hub();
        Ok(())
    }

    /// Whoever listens must learn nothing.
    pub(super) fn listen(&mut self, bytes: &[u8]) {
        if self.play.is_some() {
            // Looked through in the end, when all that it must not hold is known.
            return;
        }
        let needles = self.clear_texts();
        self.leaked |= holds(bytes, &needles);
    }

    /// What must not be seen in the clear anywhere.
    pub(crate) fn clear_texts(&self) -> Vec<Vec<u8>> {
        vec![MARK.into(), ROOM_NAME.into(), b"-Vermeer".to_vec(), self.secret.to_vec()]
    }

    /// A connection breaks: each side hears of it later, the relay perhaps only by the silence.
    pub(super) fn cut(&mut self, id: ConnectionId) {
        let half_open = one_in(&mut self.rng, self.plan.half_open);
        let (to_client, to_relay) = (below(&mut self.rng, 5_000), below(&mut self.rng, 5_000));
        let now = self.now;
        let Some(connection) = self.net.get_mut(id) else { return };
        if connection.cut.replace(now).is_some() {
            // Its end was near already; now what is under way is lost too.
            return;
        }
        let client = connection.client;
        self.tell(|| format!("connection {id} of member {client} is cut"));
        self.later(to_client, Happening::ClientHears { connection: id });
        if !half_open {
            self.later(to_relay, Happening::RelayHears { connection: id });
        }
    }

    pub(super) fn relay_hears(&mut self, id: ConnectionId) {
        let now = self.now;
        let Some(connection) = self.net.get_mut(id).filter(|c| !c.relay_knows) else { return };
        connection.relay_knows = true;
        let session = connection.session;
        if let Some(hub) = &mut self.hub {
            hub.disconnect(now, session);
        }
        self.after_hub();
    }

    pub(super) fn commit(&mut self, relay_life: u64) -> Result<(), String> {
        if relay_life != self.relay_life {
            return Ok(());
        }
        self.commit_planned = false;
        let dies = self.plan.relay_dies != 0 && one_in(&mut self.rng, self.plan.relay_dies.saturating_mul(2));
        let now = self.now;
        if let Some(hub) = &mut self.hub {
            hub.commit(now).map_err(|e| format!("the relay's commit fails: {e}"))?;
        }
        if dies {
            // Durable, and nobody has been told.
            self.relay_dies();
        } else {
            self.after_hub();
        }
        Ok(())
    }

    pub(super) fn tick(&mut self, relay_life: u64) -> Result<(), String> {
        if relay_life != self.relay_life || self.hub.is_none() {
            return Ok(());
        }
        let now = self.now;
        let hub = self.hub.as_mut().ok_or("no relay")?;
        let pings = hub.tick(now).map_err(|e| format!("the relay can't expire: {e}"))?;
        for session in pings {
            let alive = self.net.by_session(session).and_then(|id| self.net.get(id));
            let answers = alive.is_some_and(|c| !c.is_cut(now) && !c.client_knows);
            if let (true, Some(hub)) = (answers, &mut self.hub) {
                hub.pong(now, session);
            }
        }
        self.after_hub();
        self.later(TICK, Happening::Tick { relay_life });
        Ok(())
    }

    /// Sends what the hub has queued, plans a commit, and ends the connections of sessions that the hub ended.
    pub(super) fn after_hub(&mut self) {
        for (id, session) in self.net.at_relay() {
            match self.net.get_mut(id) {
                Some(connection) if connection.slow => {
                    if !core::mem::replace(&mut connection.reads, true) {
                        self.later(SLOW, Happening::Read { connection: id });
                    }
                }
                _ => while self.send_queued(id, session, usize::MAX) {},
            }
            self.end_if_over(id, session);
        }
        let staged = self.hub.as_ref().is_some_and(Hub::has_staged);
        if staged && !self.commit_planned {
            self.commit_planned = true;
            let (after, relay_life) = (below(&mut self.rng, self.plan.group), self.relay_life);
            self.later(after, Happening::Commit { relay_life });
        }
    }

    pub(super) fn read_on(&mut self, id: ConnectionId) {
        let Some(connection) = self.net.get_mut(id).filter(|c| !c.relay_knows) else { return };
        connection.reads = false;
        let session = connection.session;
        if self.send_queued(id, session, 1) {
            self.after_hub();
        }
    }

    /// Whether there was anything to send.
    fn send_queued(&mut self, id: ConnectionId, session: SessionId, most: usize) -> bool {
        let now = self.now;
        let Some(hub) = &mut self.hub else { return false };
        let frames = hub.take(now, session, most);
        let any = !frames.is_empty();
        for frame in frames {
            for (later, bytes) in self.cheat_down(id, &frame) {
                let jitter = below(&mut self.rng, 10);
                let Some(connection) = self.net.get_mut(id) else { break };
                let at = connection.arrives_at_client(now, jitter);
                self.at(at.saturating_add(later), Happening::ToClient { connection: id, bytes });
            }
        }
        any
    }

    /// The hub has ended the session: the client hears it after the last words.
    fn end_if_over(&mut self, id: ConnectionId, session: SessionId) {
        if self.hub.as_ref().is_none_or(|hub| hub.is_connected(session)) {
            return;
        }
        let now = self.now;
        let Some(connection) = self.net.get_mut(id).filter(|c| !c.relay_knows) else { return };
        connection.relay_knows = true;
        let at = connection.arrives_at_client(now, 0);
        self.at(at, Happening::ClientHears { connection: id });
    }
}
