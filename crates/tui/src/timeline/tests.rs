//! The window's edges.

use super::*;
use crate::app::tests::{letter, message, notice};

fn texts(timeline: &Timeline) -> Vec<String> {
    let words = timeline.iter().map(|i| match &i.body {
        Body::Message(m) => m.text.clone(),
        Body::Notice(n) => format!("!{}", n.id),
    });
    words.collect()
}

fn filled(count: u32) -> Timeline {
    let mut timeline = Timeline::default();
    for n in 1..=count {
        let after = (n > 1).then(|| letter(n - 1));
        assert!(timeline.insert(message(n, "Bob", &n.to_string()), after));
    }
    timeline
}

#[test]
fn what_is_above_the_window_is_left_to_paging() {
    let mut timeline = filled(3);
    timeline.more = true;
    assert!(!timeline.insert(message(9, "Bob", "old"), None));
    assert!(!timeline.insert(message(9, "Bob", "old"), Some(letter(77))));
    assert_eq!(texts(&timeline), ["1", "2", "3"]);
}

#[test]
fn notices_stand_at_their_time_and_once() {
    let mut timeline = filled(2);
    let early = Notice { at: message(1, "Bob", "").sent_at + 1, ..notice(1, Some(1), "a", "b") };
    let late = notice(2, Some(1), "a", "b");
    for n in [&late, &early, &late] {
        timeline.tell(n.clone());
    }
    assert_eq!(texts(&timeline), ["1", "!1", "2", "!2"]);
    assert!(timeline.insert(message(3, "Bob", "3"), Some(letter(2))));
    assert_eq!(texts(&timeline), ["1", "!1", "2", "!2", "3"], "a new message comes after what was told before it");
}

#[test]
fn notices_are_bounded() {
    let mut timeline = filled(5);
    for id in 0..10_000 {
        timeline.tell(notice(id, Some(1), "again", "look"));
    }
    assert_eq!(timeline.len(), 5 + MAX_NOTICES);
    assert_eq!(timeline.iter().filter_map(Item::message).count(), 5);
}

#[test]
fn old_notices_find_their_place_in_a_page() {
    let mut timeline = filled(1);
    timeline.remove(letter(1));
    timeline.insert(message(50, "Bob", "50"), None);
    timeline.more = true;
    let old = Notice { at: message(20, "Bob", "").sent_at, ..notice(1, Some(1), "a", "b") };
    timeline.tell(old);
    assert_eq!(texts(&timeline), ["!1", "50"]);
    timeline.prepend(letter(50), vec![message(10, "Bob", "10"), message(30, "Bob", "30")], false);
    assert_eq!(texts(&timeline), ["10", "!1", "30", "50"]);
}

#[test]
fn a_page_for_another_place_is_ignored() {
    let mut timeline = filled(2);
    timeline.prepend(letter(2), vec![message(9, "Bob", "wrong")], true);
    assert_eq!(texts(&timeline), ["1", "2"]);
}

#[test]
fn a_late_message_moves_what_it_came_before() {
    let mut timeline = filled(4);
    timeline.relocate(letter(2), Some(letter(3)));
    assert_eq!(texts(&timeline), ["1", "3", "2", "4"]);
    timeline.relocate(letter(4), None);
    assert_eq!(texts(&timeline), ["4", "1", "3", "2"]);
    timeline.relocate(letter(99), None);
    assert_eq!(timeline.len(), 4);
}
