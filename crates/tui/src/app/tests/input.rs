//! What is typed, pasted and clicked.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};

use super::*;

fn garden() -> Face {
    let mut face = Face::in_garden((80, 24), Options::default(), talk());
    face.acts.clear();
    face
}

fn click(face: &mut Face, column: u16, row: u16) {
    let kind = MouseEventKind::Down(MouseButton::Left);
    face.feed(Msg::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }));
}

/// Where on the screen a text stands.
fn find(face: &Face, what: &str) -> (u16, u16) {
    for (row, line) in screen(&face.app).lines().enumerate() {
        if let Some((before, _)) = line.split_once(what) {
            let column = crate::text::width(before);
            return (u16::try_from(column).unwrap(), u16::try_from(row).unwrap());
        }
    }
    panic!("{what:?} is not on the screen:\n{}", screen(&face.app));
}

#[test]
fn enter_sends_and_alt_enter_makes_a_line() {
    let mut face = garden();
    face.type_text("one");
    face.press(KeyCode::Enter, KeyModifiers::ALT);
    face.type_text("two");
    face.ctrl('j');
    face.type_text("three");
    assert!(face.sent().is_empty());
    face.tap(KeyCode::Enter);
    assert_eq!(face.sent(), ["one\ntwo\nthree"]);
    assert!(face.app.editor().is_empty());
}

#[test]
fn a_paste_never_sends_and_loses_its_controls() {
    let mut face = garden();
    face.feed(Msg::Paste("rm -rf\r\n\x1b[31mx\x1b[0m\r\n".into()));
    assert!(face.sent().is_empty());
    assert_eq!(face.app.editor().text(), "rm -rf\n[31mx[0m\n");
    face.tap(KeyCode::Enter);
    assert_eq!(face.sent().len(), 1);

    face.feed(Msg::Paste("x".repeat(40_000)));
    assert!(face.app.editor().is_empty());
    assert!(face.said().contains("in parts"), "{}", face.said());
}

#[test]
fn two_slashes_send_one() {
    let mut face = garden();
    face.enter("//etc/passwd");
    face.enter("/nosuch");
    assert_eq!(face.sent(), ["/etc/passwd"]);
    assert!(face.said().contains("/help"), "{}", face.said());
    assert_eq!(face.app.editor().text(), "/nosuch", "what was refused can be mended");
}

#[test]
fn what_the_engine_refuses_comes_back_into_the_input() {
    let mut face = garden();
    face.enter("important");
    let id = face.commands().into_iter().find(|(_, c)| matches!(c, Command::Send { .. })).unwrap().0;
    face.feed(Msg::Answered(id, Err(CommandError::OutboxFull { waiting: 9 })));
    assert_eq!(face.app.editor().text(), "important");
    assert!(face.said().contains("wait for the relay"), "{}", face.said());
}

#[test]
fn history_comes_back_and_keeps_the_draft() {
    let mut face = garden();
    face.enter("first");
    face.enter("second");
    face.type_text("draft");
    face.tap(KeyCode::Up);
    assert_eq!(face.app.editor().text(), "second");
    face.tap(KeyCode::Up);
    face.tap(KeyCode::Up);
    assert_eq!(face.app.editor().text(), "first");
    face.tap(KeyCode::Down);
    face.tap(KeyCode::Down);
    assert_eq!(face.app.editor().text(), "draft");
}

#[test]
fn the_readline_keys() {
    let mut face = garden();
    face.type_text("one two three");
    face.ctrl('w');
    face.ctrl('a');
    face.alt('f');
    face.ctrl('k');
    assert_eq!(face.app.editor().text(), "one");
    face.ctrl('y');
    face.ctrl('e');
    face.alt('b');
    face.alt('d');
    assert_eq!(face.app.editor().text(), "one  ");
    face.ctrl('b');
    face.ctrl('f');
    face.ctrl('u');
    assert_eq!(face.app.editor().text(), " ");
    face.ctrl('l');
    assert!(face.acts.iter().any(|a| matches!(a, Act::Redraw)));
}

#[test]
fn ctrl_c_clears_then_leaves() {
    let mut face = garden();
    face.type_text("half a thought");
    face.ctrl('c');
    assert!(face.app.editor().is_empty());
    face.ctrl('y');
    assert_eq!(face.app.editor().text(), "half a thought");
    face.ctrl('c');
    face.ctrl('c');
    assert!(!face.acts.iter().any(|a| matches!(a, Act::Quit { .. })));
    face.ctrl('c');
    assert!(face.acts.iter().any(|a| matches!(a, Act::Quit { interrupted: true })));
}

#[test]
fn commands_complete() {
    let mut face = garden();
    face.type_text("/pe");
    assert!(screen(&face.app).contains("/people"), "{}", screen(&face.app));
    face.tap(KeyCode::Tab);
    assert_eq!(face.app.editor().text(), "/people");
    face.tap(KeyCode::Enter);
    assert!(matches!(face.app.overlay, Some(Overlay::People { .. })));
    face.tap(KeyCode::Esc);
    face.type_text("/th");
    face.tap(KeyCode::Tab);
    face.tap(KeyCode::Down);
    face.tap(KeyCode::Enter);
    assert_eq!(face.app.editor().text(), "/theme light");
    face.tap(KeyCode::Enter);
    assert_eq!(face.app.theme.name, crate::ThemeName::Light);
}

#[test]
fn names_complete() {
    let mut face = garden();
    face.type_text("bo");
    face.tap(KeyCode::Tab);
    face.type_text("and ca");
    face.tap(KeyCode::Tab);
    assert_eq!(face.app.editor().text(), "Bob: and Carol ");
}

#[test]
fn clicks_hit_what_is_drawn() {
    let mut face = garden();
    let (x, y) = find(&face, "kitchen");
    click(&mut face, x, y);
    assert_eq!(face.app.current, Some(RoomId(2)));
    let (x, y) = find(&face, "garden");
    click(&mut face, x, y);
    assert_eq!(face.app.current, Some(RoomId(1)));
    // The list of people stands in the last columns.
    let area = crate::view::areas(&face.app).people.unwrap();
    click(&mut face, area.x + 3, area.y + 2);
    assert_eq!(face.app.editor().text(), "Bob: ");
    face.ctrl('u');
    face.type_text("/");
    let (x, y) = find(&face, "/people");
    click(&mut face, x, y);
    assert_eq!(face.app.editor().text(), "/people");
}

#[test]
fn every_key_at_every_size_does_no_harm() {
    let codes = [
        KeyCode::Up,
        KeyCode::Down,
        KeyCode::PageUp,
        KeyCode::PageDown,
        KeyCode::Home,
        KeyCode::End,
        KeyCode::Tab,
        KeyCode::BackTab,
        KeyCode::Esc,
        KeyCode::F(1),
        KeyCode::F(2),
        KeyCode::F(3),
        KeyCode::Char('/'),
        KeyCode::Char('漢'),
        KeyCode::Left,
        KeyCode::Backspace,
        KeyCode::Enter,
    ];
    for (width, height) in [(1, 1), (2, 3), (5, 2), (20, 6), (21, 5), (40, 12), (56, 7), (80, 24), (200, 60)] {
        let mut face = Face::in_garden((width, height), Options::default(), talk());
        for overlay in ["", "/help", "/link", "/people", "/rooms", "/forget"] {
            face.enter(overlay);
            for code in codes {
                for modifiers in [KeyModifiers::NONE, KeyModifiers::CONTROL, KeyModifiers::ALT] {
                    face.press(code, modifiers);
                    drawn(&face.app);
                    click(&mut face, width / 2, height / 2);
                    drawn(&face.app);
                }
            }
            face.tap(KeyCode::Esc);
            face.ctrl('u');
        }
        face.feed(Msg::Paste("漢字 long text\n".repeat(50)));
        drawn(&face.app);
    }
}
