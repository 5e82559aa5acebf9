//! Rooms, unread marks, drafts, commands that ask the engine.

use super::*;

fn garden() -> Face {
    let mut face = Face::in_garden((80, 24), Options::default(), talk());
    face.acts.clear();
    face
}

fn unread(n: u32, text: &str) -> MessageView {
    MessageView { unread: true, ..message(n, "Bob", text) }
}

#[test]
fn each_room_keeps_its_draft() {
    let mut face = garden();
    face.type_text("for the garden");
    face.press(KeyCode::Down, KeyModifiers::ALT);
    assert_eq!(face.app.current, Some(RoomId(2)));
    assert!(face.app.editor().is_empty());
    face.type_text("for the kitchen");
    face.alt('1');
    assert_eq!(face.app.editor().text(), "for the garden");
    face.alt('2');
    assert_eq!(face.app.editor().text(), "for the kitchen");
}

#[test]
fn a_room_is_loaded_when_it_is_first_shown() {
    let mut face = garden();
    face.alt('3');
    assert!(matches!(face.acts.as_slice(), [Act::Snapshot(RoomId(3))]), "{:?}", face.acts);
    face.alt('1');
    face.alt('3');
    assert_eq!(face.acts.len(), 1, "and asked for once");
}

#[test]
fn next_goes_to_what_is_unread() {
    let mut face = garden();
    face.enter("/next");
    assert_eq!(face.app.current, Some(RoomId(2)));
    face.load(2, vec![unread(50, "soup?")], false);
    let marked = face.commands();
    assert!(marked.iter().any(|(_, c)| matches!(c, Command::MarkRead { room: RoomId(2) })), "{marked:?}");
    assert!(screen(&face.app).contains("── new ─"), "{}", screen(&face.app));
    assert_eq!(face.app.unread(), 0);
}

#[test]
fn what_nobody_looks_at_stays_unread() {
    let mut face = garden();
    face.feed(Msg::Focus(false));
    let mut view = room_view(1, "garden");
    view.unread = 1;
    face.engine(Event::Message { message: unread(60, "are you there?"), after: Some(letter(9)) });
    face.engine(Event::Room(view));
    assert!(face.commands().is_empty());
    assert_eq!(face.app.unread(), 4);
    assert!(screen(&face.app).contains("── new ─"));
    face.feed(Msg::Focus(true));
    assert!(matches!(face.commands().as_slice(), [(_, Command::MarkRead { .. })]));
    face.enter("yes");
    assert!(!screen(&face.app).contains("── new ─"), "an answer takes the line away");
}

#[test]
fn marks_as_read_do_not_run_in_circles() {
    let mut face = garden();
    let mut view = room_view(1, "garden");
    view.unread = 1;
    for _ in 0..100 {
        face.engine(Event::Room(view.clone()));
        for (id, _) in face.commands() {
            face.feed(Msg::Answered(id, Ok(Answer::Done)));
        }
    }
    assert!(face.app.next_wake().is_some_and(|at| at > NOON), "the next mark waits");
    face.engine(Event::Room(view));
    assert!(face.commands().is_empty());
}

#[test]
fn slash_commands_ask_the_engine() {
    let mut face = garden();
    face.enter("/ttl 10m");
    face.enter("/ttl none");
    face.enter("/name Alice Liddell");
    face.ctrl('r');
    let commands: Vec<Command> = face.commands().into_iter().map(|(_, c)| c).collect();
    let [
        Command::SetTtl { ttl: Some(600), .. },
        Command::SetTtl { ttl: None, .. },
        Command::SetName { name, .. },
        Command::ReconnectNow { room: RoomId(1) },
    ] = commands.as_slice()
    else {
        panic!("{commands:?}");
    };
    assert_eq!(name, "Alice Liddell");
}

#[test]
fn what_failed_is_sent_again_or_given_up() {
    let mut face = garden();
    let why = String::from("the relay has no room for it; try again later");
    let failed = |n| MessageView { state: DeliveryState::Failed { why: why.clone() }, ..message(n, "Alice", "lost") };
    face.engine(Event::Message { message: failed(70), after: Some(letter(9)) });
    face.engine(Event::Message { message: failed(71), after: Some(letter(70)) });
    face.acts.clear();
    face.enter("/retry");
    face.enter("/discard");
    let commands = face.commands();
    let retried = commands.iter().filter(|(_, c)| matches!(c, Command::Retry { .. })).count();
    assert_eq!(retried, 2);
    assert!(commands.iter().any(|(_, c)| matches!(c, Command::Discard { id, .. } if *id == letter(71))));
    assert!(screen(&face.app).contains("not sent"));
}

#[test]
fn forgetting_asks_first() {
    let mut face = garden();
    face.enter("/forget");
    face.type_text("n");
    assert!(face.commands().is_empty());
    face.enter("/forget");
    face.type_text("y");
    assert!(matches!(face.commands().as_slice(), [(_, Command::Forget { room: RoomId(1) })]));
    face.engine(Event::RoomGone(RoomId(1)));
    assert_eq!(face.app.current, Some(RoomId(2)), "the next room takes its place");
}

#[test]
fn leaving_with_unsent_messages_asks_when_nothing_is_kept() {
    let mut face = Face::in_garden((80, 24), Options { volatile: true, ..Options::default() }, talk());
    let sending = MessageView { state: DeliveryState::Sending, ..message(70, "Alice", "on its way") };
    face.engine(Event::Message { message: sending, after: Some(letter(9)) });
    face.acts.clear();
    face.enter("/quit");
    assert!(face.acts.is_empty());
    assert!(screen(&face.app).contains("have not reached the relay"));
    face.type_text("y");
    assert!(matches!(face.acts.as_slice(), [Act::Quit { interrupted: false }]));
}

#[test]
fn a_passphrase_room_asks_and_shows_no_letter_of_it() {
    let mut face = garden();
    face.enter("/open https://h:1/#p/den/x");
    assert!(matches!(face.acts.as_slice(), [Act::Open { passphrase: None, .. }]));
    let failure = OpenFailure::NeedsPassphrase { link: "https://h:1/#p/den/x".into(), room: "den".into() };
    face.feed(Msg::Opened(Err(failure)));
    face.acts.clear();
    face.feed(Msg::Paste("five words".into()));
    face.type_text(" long");
    assert!(!screen(&face.app).contains("five"));
    face.tap(KeyCode::Enter);
    match face.acts.as_slice() {
        [Act::Open { passphrase: Some(p), .. }] => assert_eq!(p.as_str(), "five words long"),
        other => panic!("{other:?}"),
    }
    assert!(!format!("{:?}", face.app).contains("five words"), "nothing of it stays");
    face.feed(Msg::Opened(Err(OpenFailure::Refused("wrong passphrase; try again".into()))));
    assert_eq!(face.said(), "Wrong passphrase; try again.");
}

#[test]
fn who_has_not_spoken_is_in_the_list_all_the_same() {
    let mut face = garden();
    face.engine(Event::People { room: RoomId(1), people: vec![person("Bob", true)] });
    let text = screen(&face.app);
    assert!(
        text.contains("Here 2") && text.lines().nth(1).is_some_and(|l| l.contains("Alice") && l.ends_with("you")),
        "{text}"
    );
}

#[test]
fn a_reload_asks_for_everything_again() {
    let mut face = garden();
    face.engine(Event::Reload);
    assert!(matches!(face.acts.as_slice(), [Act::Rooms, Act::Overview, Act::Snapshot(RoomId(1))]), "{:?}", face.acts);
    face.feed(Msg::Rooms(vec![room_view(1, "garden")]));
    assert_eq!(face.app.rooms.len(), 1, "a room forgotten meanwhile is gone");
}

#[test]
fn the_old_device_says_whether_the_messages_come_along() {
    use estoile_engine::{AccountCommand, DeviceLinkView};
    for (keys, wanted) in [("y", true), ("hy", false), ("hhy", true)] {
        let mut face = garden();
        face.engine(Event::DeviceLink(DeviceLinkView::Compare { words: "able baker chef dog".into(), old: true }));
        assert!(screen(&face.app).contains("[x] h: bring the messages"), "{}", screen(&face.app));
        keys.chars().for_each(|key| face.tap(KeyCode::Char(key)));
        let commands = face.commands();
        let said = commands.iter().find_map(|(_, command)| match command {
            Command::Account(AccountCommand::ConfirmDevice { yes, history }) => Some((*yes, *history)),
            _ => None,
        });
        assert_eq!(said, Some((true, wanted)), "{keys}");
    }
    let mut face = garden();
    face.engine(Event::DeviceLink(DeviceLinkView::Compare { words: "able baker chef dog".into(), old: false }));
    assert!(!screen(&face.app).contains("bring the messages"), "the new device is not asked");
}
