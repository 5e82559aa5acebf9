//! The one loop of the worker: what it holds, what it takes, what it posts.

use std::collections::BTreeMap;

use estoile_engine::vault::Vault;
use estoile_engine::{Answer, CommandError, CommandId, Event, Input, face};
use estoile_port::{Ask, Down, Place, Progress, Reply, Stage, Up, Work};
use estoile_seal::vault_key::VaultKey;
use estoile_wire::Millis;

use crate::head::Head;
use crate::inbox::{Inbox, Incoming};
use crate::lines::Lines;
use crate::mind::{Mind, Next, Waking};
use crate::outside::Outside;
use crate::proof::Unproved;
use crate::relays::Relays;
use crate::shelf::Shelf;
use crate::stages::Pending;

/// Things that make one turn at most: enough to share a write among many, few enough that answers stay quick.
const BATCH: usize = 256;
/// The wall clock may jump; the engine is asked at least this often whether its time has come.
const LONGEST_SLEEP_MS: u64 = 30_000;
/// A page that would get more events at once is told to look anew instead: a snapshot is cheaper than they are.
const MOST_EVENTS: usize = 4096;

/// A client at work.
pub struct Client<O: Outside> {
    pub(crate) out: O,
    pub(crate) inbox: Inbox,
    pub(crate) stage: Stage,
    /// From [`Ask::Begin`] on.
    pub(crate) relays: Option<Relays>,
    /// This place's store, and what stands at its head.
    pub(crate) store: Option<O::Store>,
    pub(crate) head: Option<Head>,
    /// Why there is no store, in a sentence.
    pub(crate) refused: Option<String>,
    pub(crate) open: Option<Open<O::Store>>,
    /// What will speak for the open vault, where it takes its time.
    pub(crate) waking: Option<Waking>,
    /// What must be right before the first turn.
    pub(crate) unproved: Unproved,
    pub(crate) lines: Lines,
    /// For the next turn.
    pub(crate) inputs: Vec<Input>,
    pub(crate) asked: Asked,
    downs: Vec<Down>,
}

/// An open vault.
pub(crate) struct Open<S> {
    pub(crate) mind: Mind,
    pub(crate) vault: Vault<Shelf<S>>,
    /// For what is sealed beside the engine's entries.
    pub(crate) shelf: Shelf<S>,
    pub(crate) key: VaultKey,
    pub(crate) place: Place,
    /// How often the vault has refused a turn.
    pub(crate) failures: u64,
}

impl<O: Outside> core::fmt::Debug for Client<O> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Client({:?})", self.stage)
    }
}

/// What was asked and is not answered yet.
#[derive(Default)]
pub(crate) struct Asked {
    last: u64,
    commands: BTreeMap<CommandId, (u64, Want)>,
    pub(crate) stretching: BTreeMap<u64, Pending>,
}

/// What a command's answer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Want {
    /// The answer itself.
    Answer,
    /// The room that it opens.
    Room,
}

impl Asked {
    pub(crate) fn command(&mut self, number: u64, want: Want) -> CommandId {
        self.last = self.last.saturating_add(1);
        let id = CommandId(self.last);
        self.commands.insert(id, (number, want));
        id
    }

    pub(crate) fn answered(&mut self, id: CommandId, result: Result<Answer, CommandError>) -> Option<Down> {
        let (number, want) = self.commands.remove(&id)?;
        let reply = match (want, result) {
            (Want::Answer, result) => Ok(Reply::Face(face::Reply::Command(result))),
            (Want::Room, Ok(Answer::Room(room))) => Ok(Reply::Room(room)),
            (Want::Room, Ok(_)) => Err("the room was not opened; try again".to_owned()),
            (Want::Room, Err(error)) => Err(error.to_string()),
        };
        Some(Down::Reply(number, reply.map(Box::new)))
    }

    /// An engine that was dropped answers none of them any more.
    pub(crate) fn fail_all(&mut self, why: &str) -> Vec<Down> {
        let ids: Vec<CommandId> = self.commands.keys().copied().collect();
        ids.into_iter().filter_map(|id| self.answered(id, Err(CommandError::Vault(why.to_owned())))).collect()
    }
}

impl<O: Outside> Client<O> {
    /// A client that takes from an inbox. It says its first word at once.
    pub fn new(out: O, inbox: Inbox) -> Self {
        let mut client = Self {
            out,
            inbox,
            stage: Stage::Loaded,
            relays: None,
            store: None,
            head: None,
            refused: None,
            open: None,
            waking: None,
            unproved: Unproved::AT_FIRST,
            lines: Lines::default(),
            inputs: Vec::new(),
            asked: Asked::default(),
            downs: Vec::new(),
        };
        client.enter(Stage::Loaded);
        client.flush();
        client
    }

    /// Runs until the inbox is closed.
    pub async fn run(mut self) {
        while let Some(first) = self.next().await {
            Box::pin(self.round(first)).await;
        }
    }

    /// One thing that happened, and what else has by then.
    async fn round(&mut self, first: Next) {
        match first {
            Next::Incoming(incoming) => Box::pin(self.take(incoming)).await,
            Next::Awake(engine) => self.awake(*engine),
        }
        for _ in 1..BATCH {
            let Some(next) = self.inbox.try_next() else { break };
            Box::pin(self.take(next)).await;
        }
        self.turns().await;
        self.flush();
        self.set_alarm();
    }

    async fn take(&mut self, incoming: Incoming) {
        match incoming {
            Incoming::Up(text) => match serde_json::from_str::<Up>(&text) {
                Ok(up) => self.ask(up.number, up.ask).await,
                Err(_) => self.out.fault("the page said something that its worker does not understand"),
            },
            Incoming::Socket(relay, connection, event) => {
                self.inputs.extend(self.lines.heard(relay, connection, event));
            }
            Incoming::BlobPut(round, relay, hash, result) => {
                if self.lines.ended(round, &mut self.out) {
                    self.inputs.push(Input::BlobPut { relay, hash, result });
                }
            }
            Incoming::BlobGot(round, relay, hash, result) => {
                if self.lines.ended(round, &mut self.out) {
                    self.inputs.push(Input::BlobGot { relay, hash, result });
                }
            }
            Incoming::Stretched(number, result) => self.stretched(number, result).await,
            Incoming::Alarm => self.inputs.push(Input::Timer),
            Incoming::Robbed => self.taken(),
            Incoming::Gone => self.gone(),
            Incoming::Freed => self.freed().await,
        }
    }

    async fn ask(&mut self, number: u64, ask: Ask) {
        self.prove_for(&ask);
        match ask {
            Ask::Begin { origin, relays, take_over } => self.begin(number, &origin, &relays, take_over).await,
            Ask::Unlock { passphrase, memory } => self.unlock(number, passphrase, memory).await,
            Ask::Rekey { passphrase } => self.rekey(number, passphrase).await,
            Ask::ReadLink { link } => self.read_link(number, &link).await,
            Ask::OpenLink { link, own_name, passphrase } => self.open_link(number, &link, own_name, passphrase),
            Ask::NewRoom { name, own_name, passphrase, ttl, entry } => {
                self.new_room(number, (name, own_name), passphrase, ttl, entry);
            }
            Ask::SuggestPassphrase => {
                let words = estoile_seal::passphrase::suggest(&mut self.out.rng());
                self.reply(number, Ok(Reply::Passphrase(words)));
            }
            Ask::Face(face::Ask::Command(command)) => self.command(number, *command),
            Ask::Face(question) => self.question(number, question).await,
            Ask::Scan { width, height, luma } => {
                self.reply(number, crate::scan::codes(width, height, &luma).map(Reply::Codes));
            }
            Ask::Cancel(other) => self.cancel(number, other),
            Ask::Settings => self.settings(number).await,
            Ask::Remember(settings) => self.remember(number, &settings).await,
            Ask::Erase => self.erase(number).await,
        }
    }

    /// When something must be looked at again, with nobody saying anything.
    fn set_alarm(&mut self) {
        let Some(Mind::Awake(awake)) = self.open.as_ref().map(|open| &open.mind) else { return };
        // The one of the first turn is set.
        if self.unproved.any() {
            return;
        }
        let next: Option<Millis> = awake.next_timeout().into_iter().chain(self.lines.next_timeout()).min();
        let after = next.map_or(LONGEST_SLEEP_MS, |at| at.saturating_sub(self.out.now()).min(LONGEST_SLEEP_MS));
        self.out.alarm(after);
    }

    /// Stands elsewhere now, and says so.
    pub(crate) fn enter(&mut self, stage: Stage) {
        self.stage = stage.clone();
        self.downs.push(Down::Stage(stage));
    }

    pub(crate) fn reply(&mut self, number: u64, reply: Result<Reply, String>) {
        self.downs.push(Down::Reply(number, reply.map(Box::new)));
    }

    pub(crate) fn refuse(&mut self, number: u64, why: impl Into<String>) {
        self.reply(number, Err(why.into()));
    }

    pub(crate) fn say(&mut self, downs: impl IntoIterator<Item = Down>) {
        self.downs.extend(downs);
    }

    pub(crate) fn tell(&mut self, event: Event) {
        self.downs.push(Down::Event(Box::new(event)));
    }

    /// Says at once what is about to take its time.
    pub(crate) fn progress(&mut self, number: u64, work: Work) {
        self.downs.push(Down::Progress(number, Progress { work, permille: None }));
        self.flush();
    }

    /// Posts what there is to say.
    pub(crate) fn flush(&mut self) {
        let is_event = |down: &Down| matches!(down, Down::Event(_));
        if self.downs.iter().filter(|down| is_event(down)).count() > MOST_EVENTS {
            self.downs.retain(|down| !is_event(down));
            self.downs.insert(0, Down::Event(Box::new(Event::Reload)));
        }
        if !self.downs.is_empty() {
            self.out.post(&core::mem::take(&mut self.downs));
        }
    }
}
