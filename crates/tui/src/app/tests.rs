//! A room with people in it, and the messages that a test feeds the face with.

mod input;
mod rooms;
mod stories;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use estoile_engine::{ConnectionView, DeliveryState, MessageView, NoticeKind, PersonView};

use super::*;

/// Sunday 22 November 2026, 12:00 UTC.
pub(crate) const NOON: u64 = 1_795_348_800_000;

pub(crate) const ALICE: &str = "a1f37c02b4d95566";
pub(crate) const BOB: &str = "0b5e99d1e2a87744";
pub(crate) const CAROL: &str = "c4d20e7719f35b11";

pub(crate) fn key_of(name: &str) -> String {
    let stem = match name {
        "Alice" => ALICE,
        "Bob" => BOB,
        _ => CAROL,
    };
    stem.repeat(4)
}

pub(crate) fn letter(n: u32) -> LetterId {
    let mut id = [0; 32];
    id[..4].copy_from_slice(&n.to_be_bytes());
    LetterId(id)
}

pub(crate) fn room_view(id: u32, name: &str) -> RoomView {
    RoomView {
        id: RoomId(id),
        name: name.into(),
        link: format!(
            "https://192.168.1.20:7070/#q/{name}/bXkgcmVsYXkga2V5IGhhc2gsIDMyIGJ5dGVzIGxvbmc/c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IHM"
        ),
        host: "192.168.1.20:7070".into(),
        own_name: "Alice".into(),
        unread: 0,
        connection: ConnectionView::Online,
        ttl: Some(86_400),
        max_ttl: Some(2_592_000),
        stopped: None,
        private: None,
    }
}

pub(crate) fn message(n: u32, from: &str, text: &str) -> MessageView {
    MessageView {
        room: RoomId(1),
        id: letter(n),
        from: from.into(),
        shown: from.into(),
        key: key_of(from),
        own: from == "Alice",
        text: text.into(),
        sent_at: NOON - 3_600_000 + u64::from(n) * 60_000,
        ttl: None,
        ends_at: None,
        cursor: Some(u64::from(n)),
        state: DeliveryState::Kept,
        unread: false,
        account: None,
        verified: false,
    }
}

pub(crate) fn person(name: &str, here: bool) -> PersonView {
    PersonView {
        name: name.into(),
        shown: name.into(),
        key: key_of(name),
        own: name == "Alice",
        here,
        typing: false,
        last_heard: Some(NOON - 7_500_000),
        account: None,
        role: None,
        verified: false,
    }
}

pub(crate) fn notice(id: u64, room: Option<u32>, detail: &str, advice: &str) -> Notice {
    Notice {
        id,
        room: room.map(RoomId),
        kind: NoticeKind::Withheld,
        from: None,
        count: 1,
        letter: None,
        detail: detail.into(),
        advice: advice.into(),
        at: NOON,
    }
}

/// The face with a way to feed it and to see what it asked for.
pub(crate) struct Face {
    pub(crate) app: App,
    pub(crate) acts: Vec<Act>,
}

impl Face {
    pub(crate) fn new(size: (u16, u16), options: Options) -> Self {
        let mut app = App::new(options, size, NOON);
        let acts = app.start();
        Self { app, acts }
    }

    /// Rooms garden, kitchen and workshop; garden is open and has these messages.
    pub(crate) fn in_garden(size: (u16, u16), options: Options, messages: Vec<MessageView>) -> Self {
        let mut face = Self::new(size, options);
        let mut kitchen = room_view(2, "kitchen");
        kitchen.unread = 3;
        face.feed(Msg::Rooms(vec![room_view(1, "garden"), kitchen, room_view(3, "workshop")]));
        face.load(1, messages, false);
        face
    }

    pub(crate) fn load(&mut self, room: u32, messages: Vec<MessageView>, more: bool) {
        let view = self.app.room(RoomId(room)).unwrap().view.clone();
        let people = vec![person("Alice", true), person("Bob", true), person("Carol", false)];
        let snapshot = RoomSnapshot { room: view, messages, more, people, notices: Vec::new() };
        self.feed(Msg::Snapshot(RoomId(room), Some(Box::new(snapshot))));
    }

    pub(crate) fn feed(&mut self, msg: Msg) {
        let acts = self.app.update(self.app.now, msg);
        self.acts.extend(acts);
    }

    pub(crate) fn engine(&mut self, event: Event) {
        self.feed(Msg::Engine(event));
    }

    pub(crate) fn at(&mut self, now: u64) {
        let acts = self.app.update(now, Msg::Tick);
        self.acts.extend(acts);
    }

    pub(crate) fn press(&mut self, code: KeyCode, modifiers: KeyModifiers) {
        self.feed(Msg::Key(KeyEvent::new(code, modifiers)));
    }

    pub(crate) fn tap(&mut self, code: KeyCode) {
        self.press(code, KeyModifiers::NONE);
    }

    pub(crate) fn ctrl(&mut self, c: char) {
        self.press(KeyCode::Char(c), KeyModifiers::CONTROL);
    }

    pub(crate) fn alt(&mut self, c: char) {
        self.press(KeyCode::Char(c), KeyModifiers::ALT);
    }

    pub(crate) fn type_text(&mut self, text: &str) {
        for c in text.chars() {
            self.tap(KeyCode::Char(c));
        }
    }

    /// Types a line and sends it.
    pub(crate) fn enter(&mut self, text: &str) {
        self.type_text(text);
        self.tap(KeyCode::Enter);
    }

    /// The commands asked for since the last time, in order.
    pub(crate) fn commands(&mut self) -> Vec<(u64, Command)> {
        let mut out = Vec::new();
        for act in self.acts.drain(..) {
            if let Act::Call(id, command) = act {
                out.push((id, command));
            }
        }
        out
    }

    /// The texts sent since the last time.
    pub(crate) fn sent(&mut self) -> Vec<String> {
        let commands = self.commands().into_iter();
        commands.filter_map(|(_, c)| if let Command::Send { text, .. } = c { Some(text) } else { None }).collect()
    }

    pub(crate) fn said(&self) -> &str {
        self.app.flash.as_ref().map_or("", |f| &f.text)
    }
}

/// The screen as text, one line a row.
pub(crate) fn screen(app: &App) -> String {
    let buffer = drawn(app);
    let width = usize::from(buffer.area.width);
    let mut out = String::new();
    for row in buffer.content().chunks(width) {
        let mut skip = 0;
        let mut line = String::new();
        for cell in row {
            if skip > 0 {
                skip -= 1;
                continue;
            }
            line.push_str(cell.symbol());
            skip = crate::text::width(cell.symbol()).saturating_sub(1);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

pub(crate) fn drawn(app: &App) -> ratatui::buffer::Buffer {
    let backend = ratatui::backend::TestBackend::new(app.size.0, app.size.1);
    let mut terminal = ratatui::Terminal::new(backend).unwrap();
    terminal.draw(|frame| crate::view::view(app, frame)).unwrap();
    terminal.backend().buffer().clone()
}

/// An hour of talk.
pub(crate) fn talk() -> Vec<MessageView> {
    let mut yesterday = message(0, "Carol", "See you all tomorrow then.");
    yesterday.sent_at = NOON - 86_400_000;
    let mut seen = message(4, "Alice", "I can bring the ladder, and two pairs of gloves.");
    seen.state = DeliveryState::Seen { by: 2 };
    let mut short = message(9, "Bob", "The gate's code is 4711, gone in a minute.");
    short.ttl = Some(60);
    short.ends_at = Some(NOON + 42_000);
    short.sent_at = NOON - 18_000;
    vec![
        yesterday,
        message(1, "Bob", "Good morning! Who has time for the apple trees today?"),
        message(2, "Bob", "They need cutting before the frost."),
        seen,
        message(5, "Carol", "I'm there from two o'clock."),
        message(7, "Alice", "Perfect."),
        short,
    ]
}
