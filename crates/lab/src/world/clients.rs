//! The clients: an engine with a vault in memory, driven as a real driver does it: commit first, then the effects.

use std::collections::BTreeMap;

use estoile_engine::vault::ready;
use estoile_engine::{
    Answer, BlobError, Command, CommandError, CommandId, Effect, Engine, Env, Event, Input, Lost, MemoryBackend,
    NoticeKind, RelayId, Turn, Vault,
};
use estoile_hub::SessionId;
use estoile_seal::vault_key::VaultKey;
use estoile_wire::Millis;
use estoile_wire::id::{BlobHash, BlobToken};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use super::{Broken, Done, Who, World, broken};

/// When a program dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Death {
    /// At the commit with this number.
    pub(crate) commit: u64,
    /// When it is kept, and nothing was done of it; else before it is kept.
    pub(crate) after: bool,
}

/// One person's program.
pub(crate) struct Client {
    pub(crate) name: String,
    pub(crate) engine: Option<Engine>,
    vault: Option<Vault<MemoryBackend>>,
    /// The store while no engine runs.
    pub(crate) disk: MemoryBackend,
    pub(crate) key: [u8; 32],
    rng: ChaCha20Rng,
    pub(crate) session: Option<SessionId>,
    pub(crate) connect: Option<(RelayId, Millis)>,
    pub(crate) relay: RelayId,
    /// In which of the relay's histories.
    pub(crate) history: usize,
    pub(crate) events: Vec<Event>,
    pub(crate) answers: BTreeMap<CommandId, Result<Answer, CommandError>>,
    /// Milliseconds that its clock is ahead.
    pub(crate) clock: i64,
    /// Turns that changed something.
    pub(crate) commits: u64,
    pub(crate) death: Option<Death>,
    next_command: u64,
    /// What its face asked the driver to fetch by address.
    pub(crate) fetched: Vec<[u8; 32]>,
}

impl World {
    pub(crate) fn client(&self, who: Who) -> Done<&Client> {
        self.clients.get(who.0).ok_or_else(|| Broken(format!("there is no client {}", who.0)))
    }

    pub(crate) fn client_mut(&mut self, who: Who) -> Done<&mut Client> {
        self.clients.get_mut(who.0).ok_or_else(|| Broken(format!("there is no client {}", who.0)))
    }

    /// A new client with an empty vault.
    pub(crate) fn new_client(&mut self, name: &str) -> Done<Who> {
        let who = Who(self.clients.len());
        let mut key = [0; 32];
        self.rng.fill_bytes(&mut key);
        self.clients.push(Client {
            name: name.to_owned(),
            engine: None,
            vault: None,
            disk: MemoryBackend::default(),
            key,
            rng: ChaCha20Rng::from_rng(&mut self.rng),
            session: None,
            connect: None,
            relay: RelayId(0),
            history: 0,
            events: Vec::new(),
            answers: BTreeMap::new(),
            clock: 0,
            commits: 0,
            death: None,
            next_command: 0,
            fetched: Vec::new(),
        });
        self.start(who)?;
        Ok(who)
    }

    /// Starts a client from its vault.
    pub(crate) fn start(&mut self, who: Who) -> Done {
        self.try_start(who)?.map_err(|why| Broken(format!("the vault does not open: {why}")))
    }

    /// Starts a client from its vault, which may have been tampered with.
    pub(crate) fn try_start(&mut self, who: Who) -> Done<Result<(), String>> {
        let now = self.clock_of(who)?;
        let client = self.client_mut(who)?;
        let opening = Vault::open(client.disk.clone(), VaultKey::from_bytes(client.key), &mut client.rng);
        let vault = match ready(opening) {
            Some(Ok(vault)) => vault,
            Some(Err(error)) => return Ok(Err(error.to_string())),
            None => return broken("a vault in memory waits"),
        };
        let mut env = Env { now, rng: &mut client.rng };
        match ready(Engine::load(&vault, &mut env)) {
            Some(Ok(engine)) => client.engine = Some(engine),
            Some(Err(error)) => return Ok(Err(error.to_string())),
            None => return broken("an engine waits"),
        }
        client.vault = Some(vault);
        self.give(who, vec![Input::Timer])?;
        Ok(Ok(()))
    }

    /// A client's process dies; its disk stays.
    pub(crate) fn kill(&mut self, who: Who) -> Done {
        let now = self.now;
        let client = self.client_mut(who)?;
        client.engine = None;
        client.connect = None;
        if let Some(vault) = client.vault.take() {
            client.disk = vault.into_backend();
        }
        let (session, history) = (client.session.take(), client.history);
        self.hangs_up(session, history, now);
        Ok(())
    }

    fn hangs_up(&mut self, session: Option<SessionId>, history: usize, now: Millis) {
        let hub = self.relays.get_mut(history).and_then(|r| r.hub.as_mut());
        if let (Some(session), Some(hub)) = (session, hub) {
            hub.disconnect(now, session);
        }
    }

    /// The relay's end of a connection is gone.
    pub(crate) fn loses_connection(&mut self, who: Who, history: usize) -> Done {
        let client = self.client_mut(who)?;
        if client.history != history || client.session.take().is_none() {
            return Ok(());
        }
        let relay = client.relay;
        self.give(who, vec![Input::Disconnected { relay, why: Lost::Closed }])
    }

    /// The time on a client's clock.
    pub(crate) fn clock_of(&self, who: Who) -> Done<Millis> {
        Ok(self.now.saturating_add_signed(self.client(who)?.clock))
    }

    /// Hands inputs to a client as one turn, commits, and does what comes out.
    pub(crate) fn give(&mut self, who: Who, inputs: Vec<Input>) -> Done {
        self.turn(who, |engine, env| engine.handle_all(inputs, env))
    }

    fn turn(&mut self, who: Who, make: impl FnOnce(&mut Engine, &mut Env<'_>) -> Turn) -> Done {
        let now = self.clock_of(who)?;
        let client = self.client_mut(who)?;
        let (Some(engine), Some(vault)) = (client.engine.as_mut(), client.vault.as_mut()) else { return Ok(()) };
        let turn = make(engine, &mut Env { now, rng: &mut client.rng });
        let changes = !turn.changes().is_empty();
        client.commits = client.commits.saturating_add(u64::from(changes));
        let dies = client.death.filter(|death| changes && death.commit == client.commits);
        if dies.is_some_and(|death| !death.after) {
            return self.dies(who);
        }
        let Some(Ok(proof)) = ready(vault.commit(&turn, &mut client.rng)) else {
            return broken("a vault in memory does not commit");
        };
        if dies.is_some() {
            return self.dies(who);
        }
        let Ok(effects) = turn.release(proof) else { return broken("a turn does not take its own proof") };
        effects.into_iter().try_for_each(|effect| self.effect(who, effect))
    }

    fn dies(&mut self, who: Who) -> Done {
        let name = self.client(who)?.name.clone();
        self.tell(format!("{name}'s program dies"));
        self.kill(who)
    }

    fn effect(&mut self, who: Who, effect: Effect) -> Done {
        let now = self.now;
        let client = self.client_mut(who)?;
        match effect {
            Effect::Connect { relay, at, .. } => {
                // The client's clock may be off; the world's time is what counts here.
                client.connect = Some((relay, at.saturating_add_signed(client.clock.saturating_neg()).max(now)));
                client.relay = relay;
            }
            Effect::Send { bytes, .. } => return self.goes_up(who, &bytes),
            Effect::Disconnect { .. } => {
                client.connect = None;
                let (session, history) = (client.session.take(), client.history);
                self.hangs_up(session, history, now);
            }
            Effect::PutBlob { relay, hash, token, from, bytes, .. } => {
                let history = client.history;
                self.tape.note_blob(&bytes);
                let rest = usize::try_from(from).ok().and_then(|from| bytes.get(from..)).unwrap_or_default();
                let hub = self.relays.get_mut(history).and_then(|r| r.hub.as_mut());
                let result = match hub.map(|hub| hub.put_blob(&BlobToken(token), from, rest)) {
                    Some(Ok(_)) => Ok(()),
                    other => Err(BlobError::Later(format!("{other:?}"))),
                };
                return self.give(who, vec![Input::BlobPut { relay, hash, result }]);
            }
            Effect::GetBlob { relay, hash, size, .. } => {
                let history = client.history;
                client.fetched.push(hash);
                let hub = self.relays.get(history).and_then(|r| r.hub.as_ref());
                let got = hub.and_then(|hub| hub.get_blob(now, &BlobHash(hash), 0..size)).map(|bytes| bytes.to_vec());
                let result = got.ok_or_else(|| BlobError::Never("not there".into()));
                return self.give(who, vec![Input::BlobGot { relay, hash, result }]);
            }
            Effect::Answer(id, answer) => {
                if client.answers.insert(id, answer).is_some() {
                    return broken("a command was answered twice");
                }
            }
            Effect::Event(event) => self.heard(who, event)?,
        }
        Ok(())
    }

    /// A face is told something; the story keeps what a person would notice.
    fn heard(&mut self, who: Who, event: Event) -> Done {
        let name = self.client(who)?.name.clone();
        match &event {
            Event::Message { message, .. } if !message.own => {
                self.tell(format!("{name} sees a message by {}: “{}”", message.shown, message.text));
            }
            Event::Notice(notice) => {
                self.tell(format!("{name} is told ({}): {} {}", notice.kind.slug(), notice.detail, notice.advice));
            }
            _ => {}
        }
        self.client_mut(who)?.events.push(event);
        Ok(())
    }

    /// Asks a client's engine; the number of the answer.
    pub(crate) fn command(&mut self, who: Who, command: Command) -> Done<CommandId> {
        let client = self.client_mut(who)?;
        let id = CommandId(client.next_command);
        client.next_command = client.next_command.saturating_add(1);
        self.give(who, vec![Input::Command(id, command)])?;
        Ok(id)
    }

    /// The notices of a kind that a client was told, in order.
    pub(crate) fn notices(&self, who: Who, kind: NoticeKind) -> Vec<estoile_engine::Notice> {
        let events = self.clients.get(who.0).map(|c| c.events.as_slice()).unwrap_or_default();
        let notices = events.iter().filter_map(|e| match e {
            Event::Notice(notice) if notice.kind == kind => Some(notice.clone()),
            _ => None,
        });
        notices.collect()
    }

    /// The texts of others in the order in which they came up, as `tail` prints them.
    pub(crate) fn printed(&self, who: Who) -> Vec<String> {
        let events = self.clients.get(who.0).map(|c| c.events.as_slice()).unwrap_or_default();
        let texts = events.iter().filter_map(|e| match e {
            Event::Message { message, .. } if !message.own => Some(message.text.clone()),
            _ => None,
        });
        texts.collect()
    }

    /// What a face that has been told nothing yet is told from now on.
    pub(crate) fn forget_events(&mut self, who: Who) -> Done {
        self.client_mut(who)?.events.clear();
        Ok(())
    }
}
