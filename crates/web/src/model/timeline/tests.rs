//! The window's edges, and the whole against a plain list.

use estoile_engine::{NoticeKind, RoomId};
use proptest::prelude::*;

use super::*;

pub(crate) fn letter(n: u32) -> LetterId {
    let mut id = [0; 32];
    id[..4].copy_from_slice(&n.to_be_bytes());
    LetterId(id)
}

pub(crate) fn message(n: u32, from: &str, text: &str) -> MessageView {
    MessageView {
        room: RoomId(1),
        id: letter(n),
        from: from.into(),
        shown: from.into(),
        key: "ab".repeat(32),
        own: false,
        text: text.into(),
        sent_at: 1_700_000_000_000 + u64::from(n) * 60_000,
        ttl: None,
        ends_at: None,
        cursor: Some(u64::from(n)),
        state: DeliveryState::Kept,
        unread: false,
        account: None,
        verified: false,
    }
}

pub(crate) fn notice(id: u64, at: u64) -> Notice {
    Notice {
        id,
        room: Some(RoomId(1)),
        kind: NoticeKind::Relay,
        from: None,
        count: 1,
        letter: None,
        detail: "It happened.".into(),
        advice: "Look.".into(),
        at,
    }
}

fn late(id: u64) -> Notice {
    notice(id, 1_800_000_000_000)
}

fn texts(timeline: &Timeline) -> Vec<String> {
    let words = timeline.iter().map(|i| match &i.body {
        Body::Message(m) => m.text.clone(),
        Body::Notice(n) => format!("!{}", n.id),
    });
    words.collect()
}

pub(crate) fn filled(count: u32) -> Timeline {
    let mut timeline = Timeline::default();
    for n in 1..=count {
        let after = (n > 1).then(|| letter(n - 1));
        assert!(matches!(timeline.insert(message(n, "Bob", &n.to_string()), after), Placed::New(_)));
    }
    timeline
}

#[test]
fn what_is_above_the_window_is_left_to_paging() {
    let mut timeline = filled(3);
    timeline.more = true;
    assert_eq!(timeline.insert(message(9, "Bob", "old"), None), Placed::Outside);
    assert_eq!(timeline.insert(message(9, "Bob", "old"), Some(letter(77))), Placed::Outside);
    assert_eq!(texts(&timeline), ["1", "2", "3"]);
}

#[test]
fn notices_stand_at_their_time_and_once() {
    let mut timeline = filled(2);
    let early = notice(1, message(1, "Bob", "").sent_at + 1);
    for n in [late(2), early, late(2)] {
        timeline.tell(n);
    }
    assert_eq!(texts(&timeline), ["1", "!1", "2", "!2"]);
    timeline.insert(message(3, "Bob", "3"), Some(letter(2)));
    assert_eq!(texts(&timeline), ["1", "!1", "2", "!2", "3"], "a new message comes after what was told before it");
    timeline.put_away(1);
    assert_eq!(texts(&timeline), ["1", "2", "!2", "3"]);
}

#[test]
fn notices_are_bounded() {
    let mut timeline = filled(5);
    (0..10_000).for_each(|id| timeline.tell(late(id)));
    assert_eq!(timeline.len(), 5 + MAX_NOTICES);
    assert_eq!(timeline.iter().filter_map(Item::message).count(), 5);
}

#[test]
fn old_notices_find_their_place_in_a_page() {
    let mut timeline = Timeline::default();
    timeline.insert(message(50, "Bob", "50"), None);
    timeline.more = true;
    timeline.tell(notice(1, message(20, "Bob", "").sent_at));
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
fn what_is_held_is_bounded_at_both_ends() {
    let limit = u32::try_from(MAX_ITEMS).unwrap();
    let mut timeline = filled(limit + 10);
    assert_eq!((timeline.len(), timeline.more, timeline.cut), (MAX_ITEMS, true, false));
    let first = timeline.first_message().unwrap().id;
    assert_eq!(first, letter(11));
    let page = (1..=10).map(|n| message(n, "Bob", "old")).collect();
    timeline.prepend(first, page, false);
    assert_eq!((timeline.len(), timeline.more, timeline.cut), (MAX_ITEMS, false, true));
    let last = timeline.last_message().unwrap().id;
    assert_eq!(last, letter(limit));
    assert_eq!(timeline.insert(message(limit + 50, "Bob", "new"), Some(last)), Placed::Outside);
}

#[test]
fn unread_is_a_line_that_survives_its_message() {
    let mut timeline = filled(2);
    for n in 3..=5 {
        timeline.insert(MessageView { unread: true, ..message(n, "Bob", "new") }, Some(letter(n - 1)));
    }
    timeline.mark_unread();
    assert_eq!(timeline.unread_from, Some(letter(3)));
    assert_eq!(timeline.remove(letter(3)), Some(Key::Message(letter(2))));
    assert_eq!(timeline.unread_from, Some(letter(4)));
    timeline.mark_read();
    timeline.unread_from = None;
    timeline.mark_unread();
    assert_eq!(timeline.unread_from, None);
}

#[derive(Clone, Debug)]
enum Step {
    Insert(u32, Option<u32>),
    Move(u32, Option<u32>),
    End(u32),
    State(u32, u32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let id = 0..30_u32;
    let after = prop::option::weighted(0.8, 0..30_u32);
    prop::collection::vec(
        prop_oneof![
            4 => (id.clone(), after.clone()).prop_map(|(n, a)| Step::Insert(n, a)),
            2 => (id.clone(), after).prop_map(|(n, a)| Step::Move(n, a)),
            1 => id.clone().prop_map(Step::End),
            1 => (id, 0..9_u32).prop_map(|(n, by)| Step::State(n, by)),
        ],
        0..120,
    )
}

/// A list that does the same the slow way. A new one that names an unknown place is not taken in.
fn plainly(list: &mut Vec<(u32, u32)>, step: &Step) {
    let place = |list: &[(u32, u32)], after: Option<u32>| match after {
        None => Some(0),
        Some(a) => list.iter().position(|(n, _)| *n == a).map(|at| at + 1),
    };
    match *step {
        Step::Insert(n, after) => {
            if let Some(known) = list.iter_mut().find(|(m, _)| *m == n) {
                known.1 = 0;
            } else if let Some(at) = place(list, after) {
                list.insert(at, (n, 0));
            }
        }
        Step::Move(n, after) => {
            if let Some(at) = list.iter().position(|(m, _)| *m == n) {
                list.remove(at);
                if let Some(to) = place(list, after) {
                    list.insert(to, (n, 0));
                }
            }
        }
        Step::End(n) => list.retain(|(m, _)| *m != n),
        Step::State(n, by) => list.iter_mut().filter(|(m, _)| *m == n).for_each(|m| m.1 = by),
    }
}

proptest! {
    #[test]
    fn it_does_what_a_plain_list_does(steps in steps()) {
        let (mut timeline, mut list) = (Timeline::default(), Vec::new());
        for step in steps {
            // A moved message keeps its state; the plain list knows that too.
            let state = match &step {
                Step::Move(n, _) => list.iter().find(|(m, _)| m == n).map(|(_, by)| *by),
                _ => None,
            };
            plainly(&mut list, &step);
            if let (Step::Move(n, _), Some(by)) = (&step, state) {
                list.iter_mut().filter(|(m, _)| m == n).for_each(|m| m.1 = by);
            }
            match step {
                Step::Insert(n, after) => { let _ = timeline.insert(message(n, "Bob", "x"), after.map(letter)); },
                Step::Move(n, after) => timeline.relocate(letter(n), after.map(letter)),
                Step::End(n) => { let _ = timeline.remove(letter(n)); },
                Step::State(n, by) => timeline.set_state(letter(n), DeliveryState::Seen { by }, None),
            }
            let here: Vec<(LetterId, u32)> = timeline
                .iter()
                .filter_map(Item::message)
                .map(|m| (m.id, if let DeliveryState::Seen { by } = m.state { by } else { 0 }))
                .collect();
            let there: Vec<(LetterId, u32)> = list.iter().map(|(n, by)| (letter(*n), *by)).collect();
            prop_assert_eq!(here, there);
            prop_assert!(timeline.iter().all(|i| timeline.message(i.message().unwrap().id).is_some()));
        }
    }
}
