//! How a turn goes: handed to the engine, committed, released. The native driver has the same loop.
//!
//! When the vault refuses a turn nothing of it happens: its commands are answered with why, every connection is ended, and
//! the engine is loaded again from what the vault holds. When another tab has taken the vault, this one is at its end.

use estoile_engine::{
    BlobError, Committed, Effect, Engine, Env, Event, Input, Notice, NoticeKind, RelayAddress, RelayId, Turn,
};
use estoile_port::{Down, Place, Stage};

use crate::client::Client;
use crate::mind::Mind;
use crate::outside::{Keep, Outside, Transfer, Way};
use crate::relays::ELSEWHERE;

/// How long a vault that refuses to be written or read is left alone before it is tried again.
const VAULT_PAUSE_MS: u64 = 2_000;
/// How often.
const VAULT_TRIES: usize = 5;
/// Why nothing is here any more, where the browser took the open store away.
const GONE: &str = "This browser has thrown away what Estoile kept here: its data for this site were cleared, or the disk is full. Load the page again, then open your rooms with their links, or take your account up again with its recovery words.";

impl<O: Outside> Client<O> {
    /// Turns until nothing more follows from what has happened.
    pub(crate) async fn turns(&mut self) {
        loop {
            match &self.open {
                None => return self.inputs.clear(),
                // What is to be done waits.
                Some(open) if matches!(open.mind, Mind::Waking(_)) => return,
                // Nothing is to be done.
                Some(_) if self.unproved.any() && self.inputs.is_empty() => return,
                Some(_) if self.unproved.any() => {
                    self.prove();
                    continue;
                }
                Some(_) => {}
            }
            if let Some(relays) = &self.relays {
                self.inputs.extend(self.lines.due(relays, &mut self.out));
            }
            if self.inputs.is_empty() {
                return;
            }
            let inputs = core::mem::take(&mut self.inputs);
            Box::pin(self.turn(inputs)).await;
        }
    }

    /// Hands inputs to the engine, keeps the turn, and lets its effects happen.
    async fn turn(&mut self, inputs: Vec<Input>) {
        if !self.out.owns() {
            return self.taken();
        }
        let Some(open) = &mut self.open else { return };
        let Some(engine) = open.mind.awake() else { return };
        let mut rng = self.out.rng();
        let turn = engine.handle_all(inputs, &mut Env { now: self.out.now(), rng: &mut rng });
        match open.vault.commit(&turn, &mut rng).await {
            Ok(proof) => self.release(turn, proof),
            Err(error) => self.recover(turn, &error.to_string()).await,
        }
    }

    /// The turn is kept: its effects happen. What it led to is told before what it answers.
    fn release(&mut self, turn: Turn, proof: Committed) {
        let mut answers = Vec::new();
        // The proof is this turn's own, so releasing can't fail.
        for effect in turn.release(proof).unwrap_or_default() {
            match effect {
                Effect::Connect { relay, address, at } => self.lines.connect(relay, address, at, &mut self.out),
                Effect::Send { relay, bytes } => {
                    self.inputs.extend(self.lines.send(relay, &bytes, &mut self.out));
                }
                Effect::Disconnect { relay } => self.lines.disconnect(relay, &mut self.out),
                Effect::PutBlob { relay, address, hash, token, from, bytes } => {
                    self.transfer(relay, &address, hash, Way::Put { token, from, bytes });
                }
                Effect::GetBlob { relay, address, hash, size } => {
                    self.transfer(relay, &address, hash, Way::Get { size });
                }
                Effect::Answer(id, answer) => answers.extend(self.asked.answered(id, answer)),
                Effect::Event(event) => self.tell(event),
            }
        }
        self.say(answers);
    }

    fn transfer(&mut self, relay: RelayId, address: &RelayAddress, hash: [u8; 32], way: Way) {
        if let Some(url) = self.relays.as_ref().and_then(|relays| relays.blob(address, &hash)) {
            return self.lines.transfer(Transfer { relay, url, hash, way }, &mut self.out);
        }
        let why = BlobError::Never(ELSEWHERE.into());
        self.inputs.push(match way {
            Way::Put { .. } => Input::BlobPut { relay, hash, result: Err(why) },
            Way::Get { .. } => Input::BlobGot { relay, hash, result: Err(why) },
        });
    }

    /// Takes the engine back to what the vault holds, or ends if that can't be read any more.
    async fn recover(&mut self, turn: Turn, why: &str) {
        if !self.out.owns() {
            return self.taken();
        }
        let failed: Vec<Down> =
            turn.failed(why).into_iter().filter_map(|(id, error)| self.asked.answered(id, Err(error))).collect();
        self.say(failed);
        let failed = self.asked.fail_all(why);
        self.say(failed);
        self.lines.reset(&mut self.out);
        self.inputs.clear();
        // Whoever waits hears of it now: trying again takes a while.
        self.flush();
        for _ in 0..VAULT_TRIES {
            if self.is_gone() {
                return self.gone();
            }
            self.out.pause(VAULT_PAUSE_MS).await;
            if !self.out.owns() {
                return self.taken();
            }
            let Some(open) = &mut self.open else { return };
            let (now, mut rng) = (self.out.now(), self.out.rng());
            let Ok(engine) = Engine::load(&open.vault, &mut Env { now, rng: &mut rng }).await else { continue };
            open.mind = Mind::Awake(Box::new(engine));
            open.failures = open.failures.saturating_add(1);
            let notice = not_kept(open.failures, why, now);
            self.tell(Event::Reload);
            self.tell(Event::Notice(notice));
            self.inputs.push(Input::Timer);
            return;
        }
        self.lose(format!(
            "What you keep here can't be read or written any more: {why}. Reload the page; if that does not help, make room on this device."
        ));
    }

    /// Another tab took the vault: nothing is written or sent from here any more.
    pub(crate) fn taken(&mut self) {
        if self.out.owns() || matches!(self.stage, Stage::Taken | Stage::Loaded | Stage::ElsewhereOpen) {
            return;
        }
        self.let_go("another tab has taken over; go on there, or take it back");
        self.enter(Stage::Taken);
    }

    /// The browser took a store away: this tab's, or one that it does not need any more.
    pub(crate) fn gone(&mut self) {
        if self.is_gone() {
            self.lose(GONE.into());
        }
    }

    fn is_gone(&self) -> bool {
        let in_memory = matches!(self.stage, Stage::Open(Place::Memory(_)));
        !in_memory && self.store.as_ref().is_some_and(Keep::is_gone)
    }

    /// The store failed for good.
    pub(crate) fn lose(&mut self, why: String) {
        self.let_go(&why);
        self.enter(Stage::Lost(why));
    }

    /// Drops engine, vault, connections and keys; everybody who waits hears why.
    pub(crate) fn let_go(&mut self, why: &str) {
        self.lines.reset(&mut self.out);
        self.inputs.clear();
        self.open = None;
        self.waking = None;
        self.store = None;
        self.head = None;
        let failed = self.asked.fail_all(why);
        self.say(failed);
        for (number, _) in core::mem::take(&mut self.asked.stretching) {
            self.out.stop(number);
            self.refuse(number, why);
        }
    }
}

/// What the user is told when a turn could not be kept. The vault numbers its own notices from 0; these count from the middle.
fn not_kept(failure: u64, why: &str, at: u64) -> Notice {
    Notice {
        id: (u64::MAX / 2).saturating_add(failure),
        room: None,
        kind: NoticeKind::Vault,
        from: None,
        count: 1,
        letter: None,
        detail: format!("What you keep here could not be written: {why}."),
        advice: "Make room on this device; what was under way was not done, and can be done again.".into(),
        at,
    }
}
