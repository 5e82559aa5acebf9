//! The face over a client that is played: three rooms, Bob who answers, a relay that goes away when it is told to.
//! To look at the screens without a relay, and for the tests that drive a real terminal.
//!
//! What is typed decides what happens: `offline`, `online`, `panic`, `hostile`, `flood N`; all else Bob answers.

use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use estoile_client::Page;
use estoile_engine::{
    Answer, Command, CommandError, ConnectionView, DeliveryState, Event, LetterId, MemberView, MessageView, Notice,
    NoticeKind, Overview, PersonView, RoomId, RoomSnapshot, RoomView,
};
use estoile_tui::{Backend, EventSource, Exit, OpenFailure, Options, Wait, run_with};
use tokio::sync::mpsc;
use zeroize::Zeroizing;

/// Events that may wait for the face.
const QUEUE: usize = 100_000;

#[derive(Clone)]
struct Played {
    events: mpsc::Sender<Event>,
    last: Arc<Mutex<(u32, Option<LetterId>)>>,
}

struct Heard(mpsc::Receiver<Event>);

impl EventSource for Heard {
    async fn next(&mut self) -> Option<Event> {
        self.0.recv().await
    }

    fn try_next(&mut self) -> Option<Event> {
        self.0.try_recv().ok()
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(0)
}

fn room(id: u32, name: &str, connection: ConnectionView) -> RoomView {
    RoomView {
        id: RoomId(id),
        name: name.into(),
        link: format!("http://127.0.0.1:7070/#q/{name}/{}/{}", "cmVsYXk".repeat(6), "c2VjcmV0".repeat(5)),
        host: "127.0.0.1:7070".into(),
        own_name: "Alice".into(),
        unread: if id == 2 { 3 } else { 0 },
        connection,
        ttl: None,
        max_ttl: Some(2_592_000),
        stopped: None,
        private: None,
    }
}

fn person(name: &str, key: &str, here: bool) -> PersonView {
    let last_heard = Some(now().saturating_sub(7_200_000));
    let key = key.repeat(16);
    PersonView {
        name: name.into(),
        shown: name.into(),
        key,
        own: name == "Alice",
        here,
        typing: false,
        last_heard,
        account: None,
        role: None,
        verified: false,
    }
}

fn people() -> Vec<PersonView> {
    vec![person("Alice", "a1f3", true), person("Bob", "0b5e", true), person("Carol", "c4d2", false)]
}

impl Played {
    fn message(&self, own: bool, text: &str, state: DeliveryState) -> (MessageView, Option<LetterId>) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.0 += 1;
        let mut id = [0; 32];
        for (to, from) in id.iter_mut().zip(last.0.to_be_bytes()) {
            *to = from;
        }
        let after = last.1.replace(LetterId(id));
        let name = if own { "Alice" } else { "Bob" };
        let ttl = text.contains("secret").then_some(30);
        let message = MessageView {
            room: RoomId(1),
            id: LetterId(id),
            from: name.into(),
            shown: name.into(),
            key: if own { "a1f3".repeat(16) } else { "0b5e".repeat(16) },
            own,
            text: text.into(),
            sent_at: now(),
            ttl,
            ends_at: ttl.map(|s| now() + s * 1000),
            cursor: None,
            state,
            unread: !own,
            account: None,
            verified: false,
        };
        (message, after)
    }

    async fn tell(&self, event: Event) {
        let _ = self.events.send(event).await;
    }

    async fn say(&self, own: bool, text: &str, state: DeliveryState) -> LetterId {
        let (message, after) = self.message(own, text, state);
        let id = message.id;
        self.tell(Event::Message { message, after }).await;
        id
    }

    async fn state(&self, id: LetterId, state: DeliveryState) {
        self.tell(Event::State { room: RoomId(1), id, state, cursor: None }).await;
    }

    /// What follows a message of the user's.
    async fn play(self, text: String) {
        let id = self.say(true, &text, DeliveryState::Sending).await;
        match text.as_str() {
            "offline" => {
                let gone =
                    ConnectionView::Offline { why: "the relay does not answer".into(), retry_at: Some(now() + 60_000) };
                return self.tell(Event::Room(room(1, "garden", gone))).await;
            }
            "online" => self.tell(Event::Room(room(1, "garden", ConnectionView::Online))).await,
            "hostile" => {
                self.say(false, "\x1b[2J\x1b]0;owned\x07\x1b]52;c;eA==\x07 tidy\u{202e}yad", DeliveryState::Kept).await;
            }
            "notice" => self.tell(Event::Notice(withheld())).await,
            _ => {}
        }
        if let Some(count) = text.strip_prefix("flood ").and_then(|n| n.parse::<u32>().ok()) {
            for n in 1..=count {
                self.say(false, &format!("drop {n}"), DeliveryState::Kept).await;
            }
        }
        tokio::time::sleep(Duration::from_millis(150)).await;
        self.state(id, DeliveryState::Kept).await;
        tokio::time::sleep(Duration::from_millis(150)).await;
        self.state(id, DeliveryState::Seen { by: 1 }).await;
        self.say(false, &format!("you said: {text}"), DeliveryState::Kept).await;
    }
}

fn withheld() -> Notice {
    Notice {
        id: now(),
        room: Some(RoomId(1)),
        kind: NoticeKind::Withheld,
        from: Some("Bob".into()),
        count: 2,
        letter: None,
        detail: "2 messages from Bob are missing; the relay was asked again and does not have them.".into(),
        advice: "Ask Bob to send them again.".into(),
        at: now(),
    }
}

fn done<T: Send + 'static>(value: T) -> Wait<T> {
    Box::pin(async move { value })
}

impl Backend for Played {
    fn submit(&self, command: Command) -> Wait<Wait<Result<Answer, CommandError>>> {
        if let Command::Send { text, .. } = command {
            assert!(text != "panic", "as was asked for");
            tokio::spawn(self.clone().play(text));
        }
        done(done(Ok(Answer::Done)))
    }

    fn rooms(&self) -> Wait<Vec<RoomView>> {
        let online = ConnectionView::Online;
        done(vec![room(1, "garden", online.clone()), room(2, "kitchen", online.clone()), room(3, "workshop", online)])
    }

    fn overview(&self) -> Wait<Overview> {
        done(Overview::default())
    }

    fn members(&self, _room: RoomId) -> Wait<Option<Vec<MemberView>>> {
        done(None)
    }

    fn snapshot(&self, id: RoomId, _newest: usize) -> Wait<Option<RoomSnapshot>> {
        let room = room(
            id.0,
            match id.0 {
                1 => "garden",
                2 => "kitchen",
                _ => "workshop",
            },
            ConnectionView::Online,
        );
        done(Some(RoomSnapshot { room, messages: Vec::new(), more: false, people: people(), notices: Vec::new() }))
    }

    fn older(&self, _room: RoomId, _before: LetterId, _count: usize) -> Wait<Option<Page>> {
        done(None)
    }

    fn open(
        &self,
        link: String,
        passphrase: Option<Zeroizing<String>>,
        _name: String,
    ) -> Wait<Result<RoomId, OpenFailure>> {
        done(match passphrase {
            None if link.contains("#p/") => Err(OpenFailure::NeedsPassphrase { link, room: "den".into() }),
            _ => Err(OpenFailure::Refused("this is only played; run estoile chat for a real room".into())),
        })
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let (events, heard) = mpsc::channel(QUEUE);
    let played = Played { events, last: Arc::default() };
    let options = Options::from_environment(|name| std::env::var(name).ok());
    match run_with(Arc::new(played), Heard(heard), options).await {
        Ok(Exit::Interrupted) => ExitCode::from(130),
        Ok(_) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
