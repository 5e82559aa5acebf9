//! What happens now, and what happens when time passes.

use estoile_engine::{Engine, Input, Lost};
use estoile_hub::hub::Hub;
use estoile_wire::Millis;

use super::{Done, Who, World, broken};
use crate::hostile::Passing;

/// A world that does more than this without time passing, or in one span, has a loop in it.
const MOST_ROUNDS: usize = 100_000;
/// How often relays look at their clocks.
const TICK: Millis = 10_000;

impl World {
    /// Lets everything happen that happens now.
    pub(crate) fn settle(&mut self) -> Done {
        for _ in 0..MOST_ROUNDS {
            let connected = self.connect_due()?;
            let delivered = self.deliver()?;
            let staged = self.relays.iter().any(|r| r.hub.as_ref().is_some_and(Hub::has_staged));
            if !connected && !delivered && !staged {
                return Ok(());
            }
        }
        broken("the world does not come to rest")
    }

    /// Lets time pass, event by event.
    pub(crate) fn pass(&mut self, ms: Millis) -> Done {
        let end = self.now.saturating_add(ms);
        self.settle()?;
        for _ in 0..MOST_ROUNDS {
            if self.now >= end {
                return Ok(());
            }
            let tick = self.now.saturating_sub(self.now.checked_rem(TICK).unwrap_or(0)).saturating_add(TICK);
            let timers = self.clients.iter().filter_map(|client| {
                let due = client.engine.as_ref()?.next_timeout()?;
                Some(due.saturating_add_signed(client.clock.saturating_neg()))
            });
            let connects = self.clients.iter().filter_map(|client| client.connect.map(|(_, at)| at));
            let next = timers.chain(connects).chain([tick]).min().unwrap_or(tick);
            self.now = next.max(self.now.saturating_add(u64::from(next <= self.now))).min(end);
            if self.now == tick {
                self.tick()?;
            }
            for who in self.everybody() {
                let now = self.clock_of(who)?;
                if self.client(who)?.engine.as_ref().and_then(Engine::next_timeout).is_some_and(|due| due <= now) {
                    self.give(who, vec![Input::Timer])?;
                }
            }
            self.settle()?;
        }
        broken("timers spin")
    }

    /// Everybody there is.
    pub(crate) fn everybody(&self) -> Vec<Who> {
        (0..self.clients.len()).map(Who).collect()
    }

    fn tick(&mut self) -> Done {
        let now = self.now;
        for hub in self.relays.iter_mut().filter_map(|r| r.hub.as_mut()) {
            let Ok(pinged) = hub.tick(now) else { return broken("the relay's store fails") };
            for session in pinged {
                hub.pong(now, session);
            }
        }
        Ok(())
    }

    fn connect_due(&mut self) -> Done<bool> {
        let mut any = false;
        for who in self.everybody() {
            let client = self.client_mut(who)?;
            let Some((relay, _)) = client.connect.filter(|(_, at)| *at <= self.now) else { continue };
            any = true;
            let client = self.client_mut(who)?;
            client.connect = None;
            let history = client.history;
            let (now, rng) = (self.now, &mut self.rng);
            let hub = self.relays.get_mut(history).and_then(|r| r.hub.as_mut());
            let session = hub.and_then(|hub| hub.connect(now, rng).ok());
            self.client_mut(who)?.session = session;
            let input = match session {
                Some(_) => Input::Connected { relay, certificate: None, publicly_trusted: false },
                None => Input::Disconnected { relay, why: Lost::Unreachable("connection refused".into()) },
            };
            self.give(who, vec![input])?;
        }
        Ok(any)
    }

    fn deliver(&mut self) -> Done<bool> {
        let now = self.now;
        for hub in self.relays.iter_mut().filter_map(|r| r.hub.as_mut()) {
            if hub.commit(now).is_err() {
                return broken("the relay's store fails");
            }
        }
        let mut any = false;
        for who in self.everybody() {
            let client = self.client(who)?;
            let (history, relay) = (client.history, client.relay);
            let Some(session) = client.session else { continue };
            let Some(hub) = self.relays.get_mut(history).and_then(|r| r.hub.as_mut()) else { continue };
            let frames = hub.take(now, session, 64);
            let over = !hub.is_connected(session);
            let mut inputs = Vec::new();
            for frame in frames {
                any = true;
                for bytes in self.as_the_relay_wants(who, false, &frame) {
                    self.tape.note(who, false, &bytes);
                    inputs.push(Input::Frame { relay, bytes });
                }
            }
            if over && inputs.is_empty() {
                self.client_mut(who)?.session = None;
                inputs.push(Input::Disconnected { relay, why: Lost::Closed });
                any = true;
            }
            if !inputs.is_empty() {
                self.give(who, inputs)?;
            }
        }
        Ok(any)
    }

    /// A frame of a client, on its way to the hub.
    pub(crate) fn goes_up(&mut self, who: Who, bytes: &[u8]) -> Done {
        self.tape.note(who, true, bytes);
        let now = self.now;
        for bytes in self.as_the_relay_wants(who, true, bytes) {
            let client = self.client(who)?;
            let (session, history) = (client.session, client.history);
            let hub = self.relays.get_mut(history).and_then(|r| r.hub.as_mut());
            if let (Some(session), Some(hub)) = (session, hub) {
                let _ = hub.receive(now, session, &bytes);
            }
        }
        Ok(())
    }

    /// What the misbehaviours make of a frame, one after the other.
    fn as_the_relay_wants(&mut self, who: Who, up: bool, bytes: &[u8]) -> Vec<Vec<u8>> {
        let passing = Passing { who, up };
        let mut frames = vec![bytes.to_vec()];
        for how in &mut self.misbehaviours {
            frames = frames.iter().flat_map(|frame| how.takes(&passing, frame)).collect();
        }
        frames
    }

    /// The relay says something to a client that its hub never said.
    pub(crate) fn relay_says(&mut self, who: Who, bytes: Vec<u8>) -> Done {
        let relay = self.client(who)?.relay;
        self.tape.note(who, false, &bytes);
        self.give(who, vec![Input::Frame { relay, bytes }])?;
        self.settle()
    }
}
