//! The clients' side of the world: what they are handed, what they do, how they die.

use estoile_engine::{Answer, Command, CommandId, Effect, Input, Lost, RelayId};
use estoile_wire::Millis;

use super::{Happening, MARK, Said, World};
use crate::client::{Client, Fate};
use crate::net::{Connection, ConnectionId};
use crate::plan::{below, one_in, pick};
use crate::story;

/// A client that died is back after up to this long.
const CLIENT_DOWN: Millis = 15_000;

/// Timers that a client may want at one moment: more, and it would never sleep.
const TIMERS_AT_ONCE: u32 = 32;

impl World {
    fn client(&mut self, index: usize, life: u64) -> Option<&mut Client> {
        self.clients.get_mut(index).filter(|c| c.lives == life && c.life.is_some())
    }

    pub(super) fn start_client(&mut self, index: usize) -> Result<(), String> {
        let (now, pin, secret) = (self.now, self.pin(), self.secret);
        let Some(client) = self.clients.get_mut(index).filter(|c| c.life.is_none()) else { return Ok(()) };
        client.start(now).map_err(|e| format!("member {index}: {e}"))?;
        let (known, opening) = (client.room.is_some(), client.opening(pin, &secret));
        self.tell(|| format!("member {index} starts{}", if known { " again" } else { "" }));
        self.look_in(index);
        if known || self.play.is_some() {
            self.hand(index, Input::Timer)
        } else {
            let id = self.command();
            self.hand(index, Input::Command(id, opening))
        }
    }

    /// A fresh number for a command.
    pub(crate) fn command(&mut self) -> CommandId {
        self.attempts = self.attempts.saturating_add(1);
        CommandId(self.attempts)
    }

    pub(crate) fn plan_say(&mut self, client: usize) {
        let after = below(&mut self.rng, self.plan.pause.saturating_mul(2));
        self.later(after, Happening::Say { client });
    }

    pub(super) fn say(&mut self, index: usize) -> Result<(), String> {
        if self.quiet {
            return Ok(());
        }
        self.plan_say(index);
        let ttl = pick(&mut self.rng, &[None, None, None, Some(Some(20)), Some(Some(240)), Some(None)]);
        let Some(client) = self.clients.get(index).filter(|c| c.life.is_some()) else { return Ok(()) };
        let Some(room) = client.room else { return Ok(()) };
        let id = self.command();
        let text = format!("{MARK} {:06} by {index}", id.0);
        self.tell(|| format!("member {index} says {:06}, ttl {ttl:?}", id.0));
        self.said
            .insert(id, Said { client: index, text: text.clone(), letter: None, brief: matches!(ttl, Some(Some(_))) });
        self.hand(index, Input::Command(id, Command::Send { room, text, ttl }))
    }

    pub(super) fn wake(&mut self, index: usize, life: u64) -> Result<(), String> {
        let now = self.now;
        let Some(client) = self.client(index, life) else { return Ok(()) };
        if let Some(life) = &mut client.life
            && life.wake.is_some_and(|at| at <= now)
        {
            life.wake = None;
        }
        if client.next_timeout().is_none_or(|at| at > now) {
            self.set_timer(index);
            return Ok(());
        }
        self.hand(index, Input::Timer)?;
        let Some(client) = self.client(index, life) else { return Ok(()) };
        let again = client.next_timeout().is_some_and(|at| at <= now);
        let Some(life) = &mut client.life else { return Ok(()) };
        life.hurried = if again { life.hurried.saturating_add(1) } else { 0 };
        if life.hurried > TIMERS_AT_ONCE {
            return Err(format!("member {index} wants its timer again and again"));
        }
        Ok(())
    }

    fn set_timer(&mut self, index: usize) {
        let now = self.now;
        let Some(client) = self.clients.get_mut(index) else { return };
        let (Some(at), number) = (client.next_timeout(), client.lives) else { return };
        let Some(life) = &mut client.life else { return };
        let soonest = if life.hurried > TIMERS_AT_ONCE { 200 } else { 1 };
        let at = at.max(now.saturating_add(soonest));
        if life.wake.is_some_and(|set| set <= at) {
            return;
        }
        life.wake = Some(at);
        self.at(at, Happening::Wake { client: index, life: number });
    }

    /// Hands an input to a client, and does what it wants done, as far as it lives.
    pub(crate) fn hand(&mut self, index: usize, input: Input) -> Result<(), String> {
        let fate = self.fate();
        let now = self.now;
        let Some(client) = self.clients.get_mut(index) else { return Ok(()) };
        let happened = client.turn(input, now, fate).map_err(|e| format!("member {index}: {e}"))?;
        for (id, error) in happened.refused {
            if let Some(play) = &mut self.play {
                play.answered(id, Err(error.clone()))?;
            }
            if let Some(said) = self.said.get_mut(&id) {
                said.letter = Some(Err(error.to_string()));
            }
        }
        for effect in happened.effects {
            self.effect(index, effect).map_err(|e| format!("member {index}: {e}"))?;
        }
        if happened.died {
            self.client_dies(index, fate, CLIENT_DOWN);
        } else {
            self.set_timer(index);
        }
        Ok(())
    }

    fn fate(&mut self) -> Fate {
        if one_in(&mut self.rng, self.plan.commit_fails) {
            return Fate::CommitFails;
        }
        if !one_in(&mut self.rng, self.plan.dies) {
            return Fate::Lives;
        }
        match below(&mut self.rng, 3) {
            0 => Fate::BeforeCommit,
            1 => Fate::After(0),
            _ => Fate::After(usize::try_from(below(&mut self.rng, 6)).unwrap_or(0)),
        }
    }

    /// A client is gone, and back after up to `down`.
    pub(crate) fn client_dies(&mut self, index: usize, fate: Fate, down: Millis) {
        self.tell(|| format!("member {index} dies ({fate:?})"));
        let after = below(&mut self.rng, down);
        self.sleeps(index, after);
    }

    /// A client is gone, and back after this time.
    pub(crate) fn sleeps(&mut self, index: usize, down: Millis) {
        self.tell(|| format!("member {index} is gone for {down} ms"));
        let now = self.now;
        let Some(client) = self.clients.get_mut(index) else { return };
        let life = client.life.take();
        if let Some(id) = life.and_then(|l| l.connection) {
            if let Some(connection) = self.net.get_mut(id) {
                connection.client_knows = true;
                connection.cut = connection.cut.or(Some(now.saturating_add(connection.latency)));
            }
            let after = below(&mut self.rng, 2_000);
            self.later(after, Happening::RelayHears { connection: id });
        }
        self.later(down, Happening::Start { client: index });
    }

    fn effect(&mut self, index: usize, effect: Effect) -> Result<(), String> {
        match effect {
            Effect::Connect { relay, at, .. } => self.connect(index, relay, at),
            Effect::Send { bytes, .. } => self.send(index, bytes),
            Effect::Disconnect { .. } => self.disconnect(index),
            Effect::PutBlob { relay, hash, token, from, bytes, .. } => {
                self.put_blob(index, relay, hash, token, from, &bytes);
            }
            Effect::GetBlob { relay, hash, size, .. } => self.get_blob(index, relay, hash, size),
            Effect::Answer(id, answer) => {
                if let Some(play) = &mut self.play {
                    play.answered(id, answer.clone())?;
                }
                let letter = match answer {
                    Ok(Answer::Letter(letter)) => Some(Ok(letter)),
                    Ok(Answer::Room(room)) => {
                        if let Some(client) = self.clients.get_mut(index) {
                            client.room = Some(room);
                        }
                        None
                    }
                    Ok(_) => None,
                    Err(error) => Some(Err(error.to_string())),
                };
                self.tell(|| format!("member {index} is answered {:06}: {letter:?}", id.0));
                if let Some(said) = self.said.get_mut(&id)
                    && said.letter.replace(letter.unwrap_or_else(|| Err("not a letter".to_owned()))).is_some()
                {
                    return Err(format!("command {} is answered twice", id.0));
                }
            }
            Effect::Event(event) => {
                if let estoile_engine::Event::Notice(notice) = &event {
                    let line = format!("member {index} is told {:?}: {}", notice.kind, notice.detail);
                    self.tell(|| line);
                }
                self.overheard(index, &event);
                let Some(client) = self.clients.get_mut(index) else { return Ok(()) };
                client.face.event(event)?;
            }
        }
        Ok(())
    }

    fn connect(&mut self, index: usize, relay: RelayId, at: Millis) {
        self.attempts = self.attempts.saturating_add(1);
        let attempt = self.attempts;
        let latency = below(&mut self.rng, self.plan.latency).saturating_add(1);
        let now = self.now;
        let Some(client) = self.clients.get_mut(index) else { return };
        let (at, number) = (client.world_time(at).max(now), client.lives);
        client.relay = Some(relay);
        if let Some(life) = &mut client.life {
            life.attempt = Some(attempt);
        }
        let at = at.saturating_add(latency);
        self.at(at, Happening::Dial { client: index, life: number, attempt, relay });
    }

    fn waits_for(&mut self, index: usize, life: u64, attempt: u64) -> Option<&mut Client> {
        self.client(index, life).filter(|c| c.life.as_ref().is_some_and(|l| l.attempt == Some(attempt)))
    }

    pub(super) fn dial(&mut self, index: usize, life: u64, attempt: u64, relay: RelayId) {
        if self.waits_for(index, life, attempt).is_none() {
            return;
        }
        let latency = below(&mut self.rng, self.plan.latency).saturating_add(1);
        let slow = one_in(&mut self.rng, self.plan.slow);
        let now = self.now;
        let session = self.hub.as_mut().and_then(|hub| hub.connect(now, &mut self.rng).ok());
        match session {
            Some(session) => {
                let connection = self.net.open(Connection::new(index, life, session, latency, slow));
                self.later(latency, Happening::Opened { connection, attempt, relay });
            }
            None => self.later(latency, Happening::Unreachable { client: index, life, attempt, relay }),
        }
    }

    pub(super) fn unreachable(&mut self, index: usize, life: u64, attempt: u64, relay: RelayId) -> Result<(), String> {
        let Some(client) = self.waits_for(index, life, attempt) else { return Ok(()) };
        if let Some(life) = &mut client.life {
            life.attempt = None;
        }
        self.hand(index, Input::Disconnected { relay, why: Lost::Unreachable("nobody listens".to_owned()) })
    }

    pub(super) fn opened(&mut self, id: ConnectionId, attempt: u64, relay: RelayId) -> Result<(), String> {
        let Some((index, life)) = self.net.get(id).map(|c| (c.client, c.life)) else { return Ok(()) };
        let Some(client) = self.waits_for(index, life, attempt) else {
            // Nobody wants it any more.
            if let Some(connection) = self.net.get_mut(id) {
                connection.client_knows = true;
            }
            self.later(5, Happening::RelayHears { connection: id });
            return Ok(());
        };
        if let Some(life) = &mut client.life {
            life.attempt = None;
            life.connection = Some(id);
        }
        self.tell(|| format!("member {index} is connected by {id}"));
        self.hand(index, Input::Connected { relay, certificate: None, publicly_trusted: false })
    }

    fn send(&mut self, index: usize, bytes: Vec<u8>) {
        self.listen(&bytes);
        if let Some(play) = &mut self.play {
            play.tape.hear(index, &bytes);
        }
        let now = self.now;
        let id = self.clients.get(index).and_then(|c| c.life.as_ref()?.connection);
        let jitter = below(&mut self.rng, 10);
        let Some((id, connection)) = id.and_then(|id| Some((id, self.net.get_mut(id)?))) else { return };
        let at = connection.arrives_at_relay(now, jitter);
        self.at(at, Happening::ToRelay { connection: id, bytes });
    }

    fn disconnect(&mut self, index: usize) {
        let Some(life) = self.clients.get_mut(index).and_then(|c| c.life.as_mut()) else { return };
        life.attempt = None;
        let Some(id) = life.connection.take() else { return };
        let mut after = 5;
        if let Some(connection) = self.net.get_mut(id) {
            connection.client_knows = true;
            after = connection.latency;
        }
        self.tell(|| format!("member {index} ends connection {id}"));
        self.later(after, Happening::RelayHears { connection: id });
    }

    /// Whose connection this is, if the client still has it.
    fn holder(&self, id: ConnectionId) -> Option<usize> {
        let connection = self.net.get(id).filter(|c| !c.client_knows)?;
        let client = self.clients.get(connection.client).filter(|c| c.lives == connection.life)?;
        (client.life.as_ref()?.connection == Some(id)).then_some(connection.client)
    }

    pub(super) fn at_client(&mut self, id: ConnectionId, bytes: Vec<u8>) -> Result<(), String> {
        self.listen(&bytes);
        let Some(index) = self.holder(id) else { return Ok(()) };
        if self.net.get(id).is_none_or(|c| c.is_cut(self.now)) {
            return Ok(());
        }
        if one_in(&mut self.rng, self.plan.cut) {
            self.cut(id);
            return Ok(());
        }
        self.tell(|| format!("member {index} <- {}", story::from_relay(&bytes)));
        let relay = self.clients.get(index).and_then(|c| c.relay).ok_or("no relay")?;
        self.hand(index, Input::Frame { relay, bytes })
    }

    pub(super) fn client_hears(&mut self, id: ConnectionId) -> Result<(), String> {
        let holder = self.holder(id);
        if let Some(connection) = self.net.get_mut(id) {
            connection.client_knows = true;
        }
        let Some(index) = holder else { return Ok(()) };
        let Some(client) = self.clients.get_mut(index) else { return Ok(()) };
        let relay = client.relay.ok_or("no relay")?;
        if let Some(life) = &mut client.life {
            life.connection = None;
        }
        self.tell(|| format!("member {index} hears the end of {id}"));
        self.hand(index, Input::Disconnected { relay, why: Lost::Closed })
    }
}
