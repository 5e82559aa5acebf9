//! Scrolling, paging, large rooms, messages that end.

use super::*;

fn long_room(count: u32) -> Face {
    let messages =
        (1..=count).map(|n| message(n, if n % 2 == 0 { "Bob" } else { "Carol" }, &format!("line {n}"))).collect();
    let mut face = Face::in_garden((80, 24), Options::default(), Vec::new());
    face.load(1, messages, true);
    face.acts.clear();
    face
}

#[test]
fn scrolling_holds_still_while_messages_come() {
    let mut face = long_room(200);
    face.tap(KeyCode::PageUp);
    face.tap(KeyCode::PageUp);
    let before = screen(&face.app);
    for n in 201..300 {
        face.engine(Event::Message { message: message(n, "Bob", "more"), after: Some(letter(n - 1)) });
    }
    let after = screen(&face.app);
    assert!(after.contains("99 new below"), "{after}");
    let middle = |s: &str| s.lines().skip(1).take(20).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(middle(&before), middle(&after));
    face.tap(KeyCode::Esc);
    assert!(screen(&face.app).contains("more"));
    assert!(!screen(&face.app).contains("below"));
}

#[test]
fn up_and_down_come_back_to_the_same_place() {
    let mut face = long_room(200);
    let newest = screen(&face.app);
    for _ in 0..7 {
        face.tap(KeyCode::PageUp);
    }
    let deep = screen(&face.app);
    for _ in 0..3 {
        face.press(KeyCode::Up, KeyModifiers::SHIFT);
    }
    assert_ne!(screen(&face.app), deep);
    for _ in 0..3 {
        face.press(KeyCode::Down, KeyModifiers::SHIFT);
    }
    assert_eq!(screen(&face.app), deep);
    for _ in 0..7 {
        face.tap(KeyCode::PageDown);
    }
    assert_eq!(screen(&face.app), newest);
}

#[test]
fn older_messages_are_paged_in() {
    let mut face = long_room(200);
    face.tap(KeyCode::Home);
    let before = match face.acts.as_slice() {
        [Act::Older { room: RoomId(1), before }] => *before,
        other => panic!("{other:?}"),
    };
    assert_eq!(before, letter(1));
    let top = screen(&face.app);
    assert!(top.contains("line 1\n") || top.contains("line 1 "), "{top}");
    let page: Vec<_> = (1..=50)
        .map(|n| MessageView { id: letter(10_000 + n), text: format!("old {n}"), ..message(0, "Bob", "") })
        .collect();
    face.feed(Msg::Older { room: RoomId(1), before, page: Some(Page { messages: page, more: false }) });
    face.tap(KeyCode::PageUp);
    assert!(screen(&face.app).contains("old 50"), "{}", screen(&face.app));
    face.tap(KeyCode::Home);
    assert!(screen(&face.app).contains("old 1"));
    assert!(!face.acts.iter().skip(1).any(|a| matches!(a, Act::Older { .. })), "there is nothing older to ask for");
}

#[test]
fn a_room_of_very_many_stays_quick_and_small() {
    const ROUND: u32 = 500;
    let mut face = long_room(10);
    let mut n = 10;
    let mut round = |face: &mut Face| {
        let start = std::time::Instant::now();
        for _ in 0..ROUND {
            n += 1;
            face.engine(Event::Message { message: message(n, "Bob", "one of very many"), after: Some(letter(n - 1)) });
        }
        start.elapsed()
    };
    while round(&mut face).is_zero() || face.app.here().unwrap().timeline.len() < crate::timeline::MAX_ITEMS {}
    // The quickest of several rounds: what a busy machine adds is then in neither.
    let early = (0..8).map(|_| round(&mut face)).min().unwrap();
    for _ in 0..16 {
        round(&mut face);
    }
    let late = (0..8).map(|_| round(&mut face)).min().unwrap();
    assert_eq!(face.app.here().unwrap().timeline.len(), crate::timeline::MAX_ITEMS);
    assert!(late < early * 4, "each message costs more than the one before: {early:?}, then {late:?}");
    for _ in 0..100 {
        face.tap(KeyCode::PageUp);
        drawn(&face.app);
    }
    face.tap(KeyCode::Esc);
}

#[test]
fn paging_far_back_lets_the_end_go_and_coming_back_reloads() {
    let mut face = long_room(200);
    let mut oldest = letter(1);
    for page in 0..30_u32 {
        let messages: Vec<_> = (0..200)
            .map(|n| MessageView { id: letter(1_000_000 + page * 200 + n), ..message(0, "Bob", "ancient") })
            .collect();
        let first = messages[0].id;
        face.feed(Msg::Older { room: RoomId(1), before: oldest, page: Some(Page { messages, more: true }) });
        oldest = first;
    }
    let room = face.app.here().unwrap();
    assert_eq!(room.timeline.len(), crate::timeline::MAX_ITEMS);
    assert!(room.timeline.cut);
    face.tap(KeyCode::PageUp);
    face.acts.clear();
    face.tap(KeyCode::Esc);
    assert!(face.acts.iter().any(|a| matches!(a, Act::Snapshot(RoomId(1)))), "{:?}", face.acts);
}

#[test]
fn a_message_whose_time_is_over_leaves_the_screen() {
    let mut face = Face::in_garden((80, 24), Options::default(), talk());
    assert!(screen(&face.app).contains("42s"));
    assert_eq!(face.app.next_wake(), Some(NOON + 1000), "a countdown in sight ticks");
    face.at(NOON + 33_000);
    assert!(screen(&face.app).contains("9s"));
    face.engine(Event::Ended { room: RoomId(1), id: letter(9) });
    assert!(!screen(&face.app).contains("4711"));
    assert_eq!(face.app.next_wake(), None, "and nothing wakes the face any more");
}

#[test]
fn the_message_under_the_eye_may_end_too() {
    let mut face = long_room(100);
    face.tap(KeyCode::PageUp);
    for n in (1..=100).rev() {
        face.engine(Event::Ended { room: RoomId(1), id: letter(n) });
        drawn(&face.app);
    }
    assert_eq!(face.app.here().unwrap().timeline.len(), 0);
}

#[test]
fn messages_stand_where_the_engine_puts_them() {
    let mut face =
        Face::in_garden((80, 24), Options::default(), vec![message(1, "Bob", "first"), message(3, "Bob", "third")]);
    face.engine(Event::Message { message: message(2, "Carol", "second"), after: Some(letter(1)) });
    face.engine(Event::Message { message: message(4, "Carol", "zeroth"), after: None });
    face.engine(Event::Message { message: message(2, "Carol", "second again"), after: Some(letter(1)) });
    let room = face.app.here().unwrap();
    let texts: Vec<_> = room.timeline.iter().filter_map(|i| i.message()).map(|m| m.text.as_str()).collect();
    assert_eq!(texts, ["zeroth", "first", "second again", "third"]);
}

#[test]
fn a_long_message_is_folded_until_asked_for() {
    let mut wall = message(10, "Bob", &"spam\n".repeat(5000));
    wall.sent_at = NOON;
    let mut face = Face::in_garden((80, 60), Options::default(), vec![message(1, "Carol", "before"), wall]);
    let folded = screen(&face.app);
    assert!(folded.contains("before") && folded.contains("4970 more lines"), "{folded}");
    face.ctrl('o');
    assert!(!screen(&face.app).contains("before"));
    face.ctrl('o');
    assert_eq!(screen(&face.app), folded);
}

#[test]
fn offline_counts_down_by_the_second() {
    let mut face = Face::in_garden((80, 24), Options::default(), Vec::new());
    let mut view = room_view(1, "garden");
    view.connection =
        ConnectionView::Offline { why: "the relay closed the connection".into(), retry_at: Some(NOON + 4000) };
    face.engine(Event::Room(view));
    assert!(screen(&face.app).contains("relay gone, trying again in 4 s: Ctrl-R now"), "{}", screen(&face.app));
    assert_eq!(face.app.next_wake(), Some(NOON + 1000));
    face.at(NOON + 1000);
    assert!(screen(&face.app).contains("in 3 s"));
}
