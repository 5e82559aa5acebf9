//! Golden screens: what the user sees in many states, to be read by people when they change.

use crossterm::event::KeyCode;
use estoile_engine::{ConnectionView, DeliveryState, Event, MessageView};
use ratatui::style::Color;

use crate::app::tests::{Face, NOON, drawn, letter, message, notice, person, room_view, screen, talk};
use crate::app::{Msg, Overlay};
use crate::{Options, ThemeName};

/// Where the machine's own time zone, names or colours could get in, they don't: all comes from the options.
macro_rules! golden {
    ($name:ident, $face:expr) => {
        #[test]
        fn $name() {
            insta::assert_snapshot!(stringify!($name), screen(&$face.app));
        }
    };
}

const SIZES: [(u16, u16); 4] = [(80, 24), (120, 40), (40, 12), (20, 6)];

fn talking(size: (u16, u16)) -> Face {
    Face::in_garden(size, Options::default(), talk())
}

fn with_key(size: (u16, u16), line: &str) -> Face {
    let mut face = talking(size);
    face.enter(line);
    face
}

fn typing(size: (u16, u16), line: &str) -> Face {
    let mut face = talking(size);
    face.type_text(line);
    face
}

/// A fresh room, as its maker sees it.
fn fresh(size: (u16, u16)) -> Face {
    let notes = vec!["The link reaches everybody in this network.".to_owned()];
    let mut face = Face::new(size, Options { notes, ..Options::default() });
    face.feed(Msg::Rooms(vec![room_view(1, "garden")]));
    face.load(1, Vec::new(), false);
    face.engine(Event::People { room: estoile_engine::RoomId(1), people: vec![person("Alice", true)] });
    face
}

fn offline(size: (u16, u16)) -> Face {
    let mut face = talking(size);
    let mut view = room_view(1, "garden");
    let why = "the relay does not answer".to_owned();
    view.connection = ConnectionView::Offline { why, retry_at: Some(NOON + 4000) };
    face.engine(Event::Room(view));
    let sending = MessageView { state: DeliveryState::Sending, ..message(60, "Alice", "Is anybody still there?") };
    face.engine(Event::Message { message: sending, after: Some(letter(9)) });
    let why = "the relay has no room left for this room; try again later with /retry, or /discard it".to_owned();
    let failed = MessageView { state: DeliveryState::Failed { why }, ..message(61, "Alice", "And this?") };
    face.engine(Event::Message { message: failed, after: Some(letter(60)) });
    face
}

fn noticed(size: (u16, u16)) -> Face {
    let mut face = talking(size);
    let told = [
        (
            "2 messages from Bob are missing; the relay was asked again and does not have them.",
            "Ask Bob to send them again.",
        ),
        (
            "Your clock is 42 s behind the others'.",
            "Set your machine's clock; until then short-lived messages may be refused.",
        ),
        (
            "Somebody else uses the name Carol here and is shown as Carol·7f3a.",
            "Ask both who they are by another way, then go by the mark.",
        ),
    ];
    for (id, (detail, advice)) in (1..).zip(told) {
        face.engine(Event::Notice(notice(id, Some(1), detail, advice)));
    }
    face
}

/// What a hostile peer can put on the screen.
fn hostile(size: (u16, u16)) -> Face {
    let texts = [
        "\x1b[31mred\x1b[0m \x1b]52;c;ZXZpbA==\x07 \u{9b}2J",
        "invoice\u{202e}fdp.exe \u{2066}isolated\u{2069}",
        "Z\u{300}\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}algo\u{200b}\u{200b}",
        "👨\u{200d}👩\u{200d}👧 👍🏽 ❤\u{fe0f} 🇫🇷 e\u{301} 漢字かな交じり文は空白なしで続くので折り返す必要がある",
        "مرحبا بالعالم, this is שלום עולם and नमस्ते दुनिया",
        "a\tb\tc\n\n  indented\r\nnext",
        "averyveryveryveryveryveryveryveryverylongwordthatmustbebrokenanywhere",
    ];
    let mut messages: Vec<MessageView> = (1..).zip(texts).map(|(n, t)| message(n, "Bob", t)).collect();
    let long = "\u{1b}[2JAlice\u{202e} with a very long name that fills rows".to_owned();
    messages.push(MessageView { shown: long, key: "77aa".repeat(16), ..message(8, "Carol", "hi") });
    messages.push(MessageView {
        shown: "\u{200b}".to_owned(),
        key: "12cd".repeat(16),
        ..message(9, "Carol", "who am I?")
    });
    let mut face = Face::in_garden(size, Options::default(), messages);
    let mut view = room_view(1, "gar\x1b]0;owned\x07den");
    view.host = "evil\x1b[2J:7070".into();
    face.engine(Event::Room(view));
    face
}

golden!(talk_80, talking((80, 24)));
golden!(talk_120, talking((120, 40)));
golden!(talk_40, talking((40, 12)));
golden!(talk_20, talking((20, 6)));
golden!(fresh_80, fresh((80, 24)));
golden!(fresh_40, fresh((40, 12)));
golden!(offline_80, offline((80, 24)));
golden!(offline_40, offline((40, 12)));
golden!(notices_80, noticed((80, 24)));
golden!(hostile_80, hostile((80, 40)));
golden!(hostile_40, hostile((40, 40)));
golden!(help_80, with_key((80, 24), "/help"));
golden!(help_120, with_key((120, 50), "/help"));
golden!(help_40, with_key((40, 12), "/help"));
golden!(link_80, with_key((80, 24), "/link"));
golden!(link_120, with_key((120, 40), "/link"));
golden!(link_40, with_key((40, 12), "/link"));
golden!(people_80, with_key((80, 24), "/people"));
golden!(rooms_40, with_key((40, 12), "/rooms"));
golden!(forget_80, with_key((80, 24), "/forget"));
golden!(completion_80, typing((80, 24), "/"));
golden!(completion_40, typing((40, 12), "/t"));
golden!(refused_80, with_key((80, 24), "/nosuch"));

#[test]
fn starting() {
    let face = Face::new((80, 24), Options::default());
    insta::assert_snapshot!("starting", screen(&face.app));
}

#[test]
fn no_rooms() {
    let mut face = Face::new((80, 24), Options::default());
    face.feed(Msg::Rooms(Vec::new()));
    insta::assert_snapshot!("no_rooms", screen(&face.app));
}

#[test]
fn passphrase() {
    let mut face = talking((80, 24));
    let entered = String::from("four words are few").into();
    face.app.overlay = Some(Overlay::Passphrase { link: String::new(), room: "den".into(), entered });
    insta::assert_snapshot!("passphrase", screen(&face.app));
}

#[test]
fn several_lines_of_input_and_unread() {
    let mut face = talking((80, 24));
    face.feed(Msg::Focus(false));
    let new = MessageView { unread: true, ..message(60, "Bob", "Bring the ladder, please.") };
    face.engine(Event::Message { message: new, after: Some(letter(9)) });
    face.feed(Msg::Paste("first line\nsecond line with 漢字\nthird".into()));
    insta::assert_snapshot!("several_lines", screen(&face.app));
}

#[test]
fn scrolled_back() {
    let mut face = talking((60, 10));
    face.tap(KeyCode::PageUp);
    let new = message(60, "Bob", "Bring the ladder, please.");
    face.engine(Event::Message { message: new, after: Some(letter(9)) });
    insta::assert_snapshot!("scrolled_back", screen(&face.app));
}

#[test]
fn ascii_only() {
    let mut face = Face::in_garden((80, 24), Options { ascii: true, ..Options::default() }, talk());
    let chrome: String = screen(&face.app);
    assert!(chrome.is_ascii(), "{chrome}");
    for line in ["/help", "/link", "/people", "/forget"] {
        face.enter(line);
        let page = screen(&face.app);
        assert!(page.is_ascii(), "{page}");
        face.tap(KeyCode::Esc);
    }
    insta::assert_snapshot!("ascii", screen(&face.app));
}

/// Every state, drawn in every theme at every size: colours where they are wanted and none at all under `NO_COLOR`.
#[test]
fn themes_change_colours_and_nothing_else() {
    let states: [fn((u16, u16)) -> Face; 5] = [talking, fresh, offline, noticed, hostile];
    for size in SIZES {
        for state in states {
            let mut face = state(size);
            let plain = screen(&face.app);
            for name in ThemeName::ALL {
                for colour in [true, false] {
                    face.app.theme = crate::theme::Theme::new(name, colour, false);
                    assert_eq!(screen(&face.app), plain, "{name:?}");
                    let cells = drawn(&face.app);
                    let coloured = cells.content().iter().any(|c| c.fg != Color::Reset || c.bg != Color::Reset);
                    assert_eq!(coloured, colour, "{name:?} at {size:?}");
                }
            }
        }
    }
}

/// Without colour, what counts is still told apart: the chosen room, the sender, the state.
#[test]
fn without_colour_nothing_is_lost() {
    let options = Options { colour: false, ..Options::default() };
    let face = Face::in_garden((80, 24), options, talk());
    let cells = drawn(&face.app);
    let reversed: String = cells
        .content()
        .iter()
        .filter(|c| c.modifier.contains(ratatui::style::Modifier::REVERSED))
        .map(|c| c.symbol())
        .collect();
    assert!(reversed.contains("garden"), "{reversed:?}");
    let text = screen(&face.app);
    for mark in ["▌ Alice (you)", "▲ Bob", "△ Carol", "✓ seen 2", "✓ kept", "42s"] {
        assert!(text.contains(mark), "{mark} is missing:\n{text}");
    }
}

#[test]
fn no_byte_of_a_peer_acts() {
    for size in SIZES {
        let mut face = hostile(size);
        for line in ["", "/people", "/link", "/rooms", "/forget"] {
            face.enter(line);
            for cell in drawn(&face.app).content() {
                let symbol = cell.symbol();
                let clean = symbol.chars().all(|c| {
                    !c.is_control()
                        && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
                });
                assert!(clean, "{symbol:?}");
            }
            face.tap(KeyCode::Esc);
            face.ctrl('u');
        }
    }
}
