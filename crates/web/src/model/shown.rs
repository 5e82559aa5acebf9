//! Rows as they are drawn: what stands above a message decides whether it shows a day, a line, a name.

use estoile_engine::{DeliveryState, LetterId, MessageView};

use crate::model::time;
use crate::model::timeline::{Body, Item, Key, Timeline};

/// Messages of one sender within this time stand together under one name.
const TOGETHER_MS: u64 = 5 * 60_000;

/// Lines of a message that are shown until one asks for more.
pub const FOLD_LINES: u16 = 24;

/// Bytes of a message that are shown until one asks for more.
const FOLD_BYTES: usize = 2400;

/// What makes a row look as it does: another one is another row to draw.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Look {
    /// Which item.
    pub key: Key,
    /// Its revision.
    pub revision: u64,
    /// The day that begins with it.
    pub day: Option<String>,
    /// The line of unread messages stands above it.
    pub unread: bool,
    /// It goes on from the message above: no name.
    pub joined: bool,
}

/// A row.
#[derive(Clone, Debug)]
pub struct Row {
    /// What makes it look as it does.
    pub look: Look,
    /// What it is.
    pub body: Body,
    /// `09:05`.
    pub clock: String,
    /// A long message shown whole.
    pub unfolded: bool,
}

/// What the row at a place looks like. `zone` gives minutes east of UTC for a moment.
#[must_use]
pub fn look(timeline: &Timeline, at: usize, now: u64, zone: impl Fn(u64) -> i32) -> Option<Look> {
    let item = timeline.get(at)?;
    let above = at.checked_sub(1).and_then(|at| timeline.get(at));
    let day = time::day(item.at(), zone(item.at()));
    let new_day = above.is_none_or(|a| time::day(a.at(), zone(a.at())) != day);
    let unread = item.message().is_some_and(|m| timeline.unread_from == Some(m.id));
    let joined =
        !new_day && !unread && item.message().zip(above.and_then(Item::message)).is_some_and(|(m, a)| together(m, a));
    Some(Look {
        key: item.key(),
        revision: item.revision,
        day: new_day.then(|| time::day_name(day, time::day(now, zone(now)))),
        unread,
        joined,
    })
}

/// Whether a message goes on from the one above it, when nothing stands between them.
#[must_use]
pub fn together(message: &MessageView, above: &MessageView) -> bool {
    let soon = message.sent_at.abs_diff(above.sent_at) < TOGETHER_MS;
    soon && above.own == message.own && above.key == message.key && above.shown == message.shown
}

/// The row at a place, which looks so.
#[must_use]
pub fn row(timeline: &Timeline, at: usize, look: Look, zone: impl Fn(u64) -> i32) -> Option<Row> {
    let item = timeline.get(at)?;
    let clock = time::clock(item.at(), zone(item.at()));
    Some(Row { look, body: item.body.clone(), clock, unfolded: item.unfolded })
}

/// The part of a long text that is shown at first; none: it is not long.
#[must_use]
pub fn folded(text: &str) -> Option<&str> {
    let by_lines = text.match_indices('\n').nth(usize::from(FOLD_LINES)).map(|(at, _)| at);
    let by_bytes = (text.len() > FOLD_BYTES + FOLD_BYTES / 2).then(|| text.floor_char_boundary(FOLD_BYTES));
    let at = by_lines.into_iter().chain(by_bytes).min()?;
    text.get(..at)
}

/// A delivery state in a word: its kind for the eye, the word, and the whole sentence where there is more to say.
#[must_use]
pub fn delivery(state: &DeliveryState) -> (&'static str, String, Option<String>) {
    match state {
        DeliveryState::Sending => ("sending", String::from("sending"), None),
        DeliveryState::Kept => ("kept", String::from("kept"), None),
        DeliveryState::Seen { by } => ("seen", format!("seen {}", (*by).min(999)), None),
        DeliveryState::Failed { why } => ("failed", String::from("not sent"), Some(crate::model::inert::sentence(why))),
    }
}

/// A short mark of a key, behind names in quick rooms, where nothing else proves who it is.
#[must_use]
pub fn key_mark(key: &str) -> String {
    key.chars().take(4).collect()
}

/// A colour's number (0 to 7) for a person: the same key, the same colour.
#[must_use]
pub fn hue(key: &str) -> u8 {
    key.bytes().fold(0_u8, |sum, b| sum.wrapping_mul(31).wrapping_add(b)) % 8
}

/// What is copied when a whole message is.
#[must_use]
pub fn copied(timeline: &Timeline, id: LetterId) -> Option<String> {
    timeline.message(id).map(|m| crate::model::inert::block(&m.text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::timeline::tests::{letter, message};

    #[test]
    fn rows_know_what_stands_above_them() {
        let mut timeline = Timeline::default();
        let day = 86_400_000;
        let at = |n: u32, sent_at: u64, from: &str| MessageView { sent_at, key: from.into(), ..message(n, from, "x") };
        timeline.insert(at(1, 10 * day, "Ann"), None);
        timeline.insert(at(2, 10 * day + 1000, "Ann"), Some(letter(1)));
        timeline.insert(at(3, 10 * day + 2000, "Bob"), Some(letter(2)));
        timeline.insert(at(4, 10 * day + 3000, "Bob"), Some(letter(3)));
        timeline.insert(at(5, 11 * day, "Bob"), Some(letter(4)));
        timeline.unread_from = Some(letter(4));
        let looks: Vec<Look> = (0..5).filter_map(|i| look(&timeline, i, 11 * day, |_| 0)).collect();
        let days: Vec<_> = looks.iter().map(|l| l.day.as_deref()).collect();
        assert_eq!(days, [Some("Yesterday"), None, None, None, Some("Today")]);
        assert_eq!(looks.iter().map(|l| l.joined).collect::<Vec<_>>(), [false, true, false, false, false]);
        assert_eq!(looks.iter().map(|l| l.unread).collect::<Vec<_>>(), [false, false, false, true, false]);
        assert_eq!(look(&timeline, 5, 11 * day, |_| 0), None);
    }

    #[test]
    fn a_changed_state_is_another_look() {
        let mut timeline = Timeline::default();
        timeline.insert(MessageView { own: true, state: DeliveryState::Sending, ..message(1, "Ann", "x") }, None);
        let before = look(&timeline, 0, 0, |_| 0).unwrap();
        timeline.set_state(letter(1), DeliveryState::Seen { by: 2 }, Some(4));
        let after = look(&timeline, 0, 0, |_| 0).unwrap();
        assert_ne!(before, after);
        let row = row(&timeline, 0, after, |_| 60).unwrap();
        assert_eq!(row.clock, time::clock(message(1, "Ann", "x").sent_at, 60));
        let Body::Message(m) = &row.body else { panic!("a message") };
        assert_eq!(delivery(&m.state), ("seen", "seen 2".into(), None));
        assert_eq!(delivery(&DeliveryState::Failed { why: "too long".into() }).2.as_deref(), Some("Too long."));
    }

    #[test]
    fn long_texts_fold_at_whole_letters() {
        assert_eq!(folded("short"), None);
        let long = "ä".repeat(4000);
        assert_eq!(folded(&long).map(str::len), Some(2400));
        let lines = "x\n".repeat(100);
        assert_eq!(folded(&lines).map(|t| t.lines().count()), Some(25));
    }
}
