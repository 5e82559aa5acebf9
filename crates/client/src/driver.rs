//! The one loop. All that can wake a client is on this screen: a request of its face, a socket, the engine's timer.
//!
//! 1. Wait for one of them, and take what else has come by then, up to a bound: it makes one turn.
//! 2. Hand it to the engine.
//! 3. Commit the turn to the vault.
//! 4. Release its effects against the proof of the commit.
//!
//! When the vault refuses a turn nothing of it happens: its commands are answered with why, every connection is ended,
//! and the engine is loaded again from what the vault holds.

#[cfg(test)]
mod tests;

use core::time::Duration;
use std::collections::BTreeMap;

use estoile_engine::{
    Answer, Backend, CommandError, CommandId, ConnectionView, DeliveryState, Effect, Engine, Env, Event, Input,
    MessageView, Notice, NoticeKind, RelayId, RoomView, Turn, Vault,
};
use getrandom::SysRng;
use rand_core::UnwrapErr;
use tokio::sync::{mpsc, oneshot};

use crate::clock::Clock;
use crate::events::Listeners;
use crate::handle::{Page, Request};
use crate::net::{SocketEvent, Sockets};

/// Inputs that make one turn at most: enough to share a sync among many, few enough that answers stay quick.
const BATCH: usize = 256;
/// The wall clock may jump; the engine is asked at least this often whether its time has come.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);
/// How long a vault that refuses to be written or read is left alone before it is tried again.
const VAULT_PAUSE: Duration = Duration::from_secs(2);
/// How often.
const VAULT_TRIES: usize = 5;
/// Of each room's newest messages so many are looked at for letters under way.
const RECENT: usize = 64;
/// What is under way at the end gets this long.
const FAREWELL: Duration = Duration::from_secs(2);

type Waiting = oneshot::Sender<Result<Answer, CommandError>>;

/// The system's generator: the only one.
pub(crate) fn system_rng() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

/// A client at work.
pub(crate) struct Driver<B> {
    pub(crate) engine: Engine,
    pub(crate) vault: Vault<B>,
    pub(crate) clock: Clock,
    pub(crate) requests: mpsc::Receiver<Request>,
    pub(crate) events: Listeners,
    pub(crate) sockets: Sockets,
    pub(crate) commands: Commands,
    /// What releasing effects led to, for the next turn.
    pub(crate) follow_ups: Vec<Input>,
    /// How often the vault has refused a turn.
    pub(crate) failures: u64,
    /// The face wants to end, or is gone.
    pub(crate) closing: bool,
}

/// Commands that the engine has not answered yet.
#[derive(Default)]
pub(crate) struct Commands {
    last: u64,
    waiting: BTreeMap<CommandId, Waiting>,
}

impl Commands {
    fn add(&mut self, waiting: Waiting) -> CommandId {
        self.last = self.last.saturating_add(1);
        let id = CommandId(self.last);
        self.waiting.insert(id, waiting);
        id
    }

    fn answer(&mut self, id: CommandId, answer: Result<Answer, CommandError>) {
        if let Some(waiting) = self.waiting.remove(&id) {
            // A face that no longer waits has dropped its end, and that is its right.
            let _ = waiting.send(answer);
        }
    }

    /// An engine that was dropped answers none of them any more.
    fn fail_all(&mut self, why: &str) {
        for (_, waiting) in core::mem::take(&mut self.waiting) {
            let _ = waiting.send(Err(CommandError::Vault(why.to_owned())));
        }
    }
}

impl<B: Backend> Driver<B> {
    /// Runs until the face closes it or is gone.
    pub(crate) async fn run(mut self) {
        let mut inputs = vec![Input::Timer];
        while !self.closing {
            if !self.turn(core::mem::take(&mut inputs)).await {
                return;
            }
            inputs.append(&mut self.follow_ups);
            if inputs.is_empty() {
                self.wake(&mut inputs).await;
            }
            self.gather(&mut inputs).await;
        }
        self.finish(inputs).await;
    }

    /// Waits for something to happen.
    async fn wake(&mut self, inputs: &mut Vec<Input>) {
        let sleep = self.engine.next_timeout().map_or(LONGEST_SLEEP, |at| self.clock.until(at).min(LONGEST_SLEEP));
        let full = self.events.full();
        tokio::select! {
            request = self.requests.recv() => match request {
                Some(request) => self.request(request, inputs).await,
                None => self.closing = true,
            },
            Some((relay, event)) = self.sockets.next(), if !full => inputs.push(socket_input(relay, event)),
            () = self.events.drained(), if full => {}
            () = tokio::time::sleep(sleep) => inputs.push(Input::Timer),
        }
    }

    /// Takes what else has come already, so that it shares the turn.
    async fn gather(&mut self, inputs: &mut Vec<Input>) {
        while inputs.len() < BATCH && !self.events.full() {
            let Some((relay, event)) = self.sockets.try_next() else { break };
            inputs.push(socket_input(relay, event));
        }
        while inputs.len() < BATCH && !self.closing {
            let Ok(request) = self.requests.try_recv() else { break };
            self.request(request, inputs).await;
        }
    }

    /// A command becomes an input; a question is answered at once, but after the inputs that came before it.
    async fn request(&mut self, request: Request, inputs: &mut Vec<Input>) {
        if let Request::Command(command, waiting) = request {
            inputs.push(Input::Command(self.commands.add(waiting), command));
            return;
        }
        self.turn(core::mem::take(inputs)).await;
        match request {
            Request::Command(..) => {}
            Request::Rooms(answer) => drop(answer.send(self.engine.rooms())),
            Request::Snapshot(room, newest, answer) => drop(answer.send(self.engine.snapshot(room, newest))),
            Request::Older(room, before, count, answer) => {
                let found = self.engine.older(&self.vault, room, before, count.saturating_add(1)).await;
                drop(answer.send(found.ok().map(|messages| page(messages, count))));
            }
            Request::Overview(answer) => drop(answer.send(self.engine.overview())),
            Request::Members(room, answer) => drop(answer.send(self.engine.members(room))),
            Request::RoomLinks(room, answer) => drop(answer.send(self.engine.room_links(room))),
            Request::Close => self.closing = true,
        }
    }

    /// Hands inputs to the engine, keeps the turn, and lets its effects happen. False if the vault is lost for good.
    async fn turn(&mut self, inputs: Vec<Input>) -> bool {
        if inputs.is_empty() {
            return true;
        }
        let mut rng = system_rng();
        let turn = self.engine.handle_all(inputs, &mut Env { now: self.clock.now(), rng: &mut rng });
        let proof = match self.vault.commit(&turn, &mut rng).await {
            Ok(proof) => proof,
            Err(error) => return self.recover(turn, &error.to_string()).await,
        };
        // The proof is this turn's own, so releasing can't fail.
        for effect in turn.release(proof).unwrap_or_default() {
            self.effect(effect);
        }
        true
    }

    fn effect(&mut self, effect: Effect) {
        match effect {
            Effect::Connect { relay, address, at } => self.sockets.connect(relay, address, self.clock.until(at)),
            Effect::Send { relay, bytes } => {
                if let Err(why) = self.sockets.send(relay, bytes) {
                    self.follow_ups.push(Input::Disconnected { relay, why });
                }
            }
            Effect::Disconnect { relay } => self.sockets.disconnect(relay),
            Effect::PutBlob { relay, address, hash, token, from, bytes } => {
                self.sockets.put_blob(relay, (address, hash), token, from, bytes);
            }
            Effect::GetBlob { relay, address, hash, size } => self.sockets.get_blob(relay, address, hash, size),
            Effect::Answer(id, answer) => self.commands.answer(id, answer),
            Effect::Event(event) => self.events.push(event),
        }
    }

    /// Takes the engine back to what the vault holds. False if that can't be read any more.
    async fn recover(&mut self, turn: Turn, why: &str) -> bool {
        tracing::warn!("the vault could not be written; going back to what it holds");
        for (id, error) in turn.failed(why) {
            self.commands.answer(id, Err(error));
        }
        self.commands.fail_all(why);
        self.sockets.disconnect_all();
        self.follow_ups.clear();
        for _ in 0..VAULT_TRIES {
            tokio::time::sleep(VAULT_PAUSE).await;
            let mut rng = system_rng();
            match Engine::load(&self.vault, &mut Env { now: self.clock.now(), rng: &mut rng }).await {
                Ok(engine) => {
                    self.engine = engine;
                    self.events.push(Event::Reload);
                    self.failures = self.failures.saturating_add(1);
                    self.events.push(Event::Notice(not_kept(self.failures, why, self.clock.now())));
                    self.follow_ups.push(Input::Timer);
                    return true;
                }
                Err(_) => tracing::warn!("the vault could not be read"),
            }
        }
        false
    }

    /// Lets what is under way arrive, within a time, and ends the connections after their last frame.
    async fn finish(mut self, inputs: Vec<Input>) {
        self.requests.close();
        let _ = tokio::time::timeout(FAREWELL, self.settle(inputs)).await;
        self.turn(vec![Input::Closing]).await;
        self.sockets.finish().await;
    }

    /// Works on until no letter waits for a relay that can be reached.
    async fn settle(&mut self, mut inputs: Vec<Input>) {
        while self.turn(core::mem::take(&mut inputs)).await && self.under_way() {
            inputs.append(&mut self.follow_ups);
            if inputs.is_empty() {
                self.wake(&mut inputs).await;
            }
        }
    }

    fn under_way(&self) -> bool {
        let online = |room: &RoomView| room.connection == ConnectionView::Online;
        let sending = |m: &MessageView| m.own && m.state == DeliveryState::Sending;
        self.engine
            .rooms()
            .iter()
            .filter(|room| online(room))
            .filter_map(|room| self.engine.snapshot(room.id, RECENT))
            .any(|snapshot| snapshot.messages.iter().any(sending))
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
        advice: "Make room on the disk or check the folder; what was under way was not done, and can be done again."
            .into(),
        at,
    }
}

fn socket_input(relay: RelayId, event: SocketEvent) -> Input {
    match event {
        SocketEvent::Up(seen) => Input::Connected {
            relay,
            certificate: seen.map(|s| s.hash),
            publicly_trusted: seen.is_some_and(|s| s.publicly_trusted),
        },
        SocketEvent::Frame(bytes) => Input::Frame { relay, bytes: bytes.into() },
        SocketEvent::Down(why) => Input::Disconnected { relay, why },
        SocketEvent::BlobPut(hash, result) => Input::BlobPut { relay, hash, result },
        SocketEvent::BlobGot(hash, result, place) => {
            // What is in the engine's hands keeps no other out.
            drop(place);
            Input::BlobGot { relay, hash, result }
        }
    }
}

/// One message more than asked for was read: whether it is there says whether there are older ones.
fn page(mut messages: Vec<MessageView>, count: usize) -> Page {
    let surplus = messages.len().saturating_sub(count);
    messages.drain(..surplus);
    Page { messages, more: surplus > 0 }
}
