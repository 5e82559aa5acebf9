//! Connections: each carries frames in order in both directions, late, until it is cut; what is under way then is lost.
//! Frames of different connections overtake each other.

use std::collections::BTreeMap;

use estoile_hub::SessionId;
use estoile_wire::Millis;

/// A connection's number.
pub(crate) type ConnectionId = u64;

/// One connection.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    pub(crate) client: usize,
    /// Of which life of the client.
    pub(crate) life: u64,
    pub(crate) session: SessionId,
    pub(crate) latency: u64,
    pub(crate) slow: bool,
    /// A slow reader's next look is planned.
    pub(crate) reads: bool,
    /// When the last frame arrives that is under way.
    to_relay: Millis,
    to_client: Millis,
    /// Cut: nothing arrives from then on.
    pub(crate) cut: Option<Millis>,
    pub(crate) client_knows: bool,
    pub(crate) relay_knows: bool,
}

impl Connection {
    pub(crate) fn new(client: usize, life: u64, session: SessionId, latency: u64, slow: bool) -> Self {
        Self {
            client,
            life,
            session,
            latency,
            slow,
            reads: false,
            to_relay: 0,
            to_client: 0,
            cut: None,
            client_knows: false,
            relay_knows: false,
        }
    }

    /// When a frame to the relay arrives that is sent now, with so much delay beside the latency.
    pub(crate) fn arrives_at_relay(&mut self, now: Millis, jitter: u64) -> Millis {
        self.to_relay = self.to_relay.max(now.saturating_add(self.latency).saturating_add(jitter));
        self.to_relay
    }

    /// When a frame to the client arrives that is sent now.
    pub(crate) fn arrives_at_client(&mut self, now: Millis, jitter: u64) -> Millis {
        self.to_client = self.to_client.max(now.saturating_add(self.latency).saturating_add(jitter));
        self.to_client
    }

    /// Whether something that arrives now is lost.
    pub(crate) fn is_cut(&self, now: Millis) -> bool {
        self.cut.is_some_and(|at| at <= now)
    }
}

/// All connections.
#[derive(Debug, Default)]
pub(crate) struct Net {
    connections: BTreeMap<ConnectionId, Connection>,
    last: ConnectionId,
}

impl Net {
    pub(crate) fn open(&mut self, connection: Connection) -> ConnectionId {
        self.last = self.last.saturating_add(1);
        self.connections.insert(self.last, connection);
        self.last
    }

    pub(crate) fn get(&self, id: ConnectionId) -> Option<&Connection> {
        self.connections.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.connections.get_mut(&id)
    }

    pub(crate) fn by_session(&self, session: SessionId) -> Option<ConnectionId> {
        let mut all = self.connections.iter();
        all.find(|(_, c)| c.session == session && !c.relay_knows).map(|(id, _)| *id)
    }

    /// Those that the relay has not heard the end of.
    pub(crate) fn at_relay(&self) -> Vec<(ConnectionId, SessionId)> {
        let open = self.connections.iter().filter(|(_, c)| !c.relay_knows);
        open.map(|(id, c)| (*id, c.session)).collect()
    }

    /// Forgets connections that both ends know to be over.
    pub(crate) fn sweep(&mut self) {
        self.connections.retain(|_, c| !(c.client_knows && c.relay_knows));
    }
}
