//! One room as the page holds it: its timeline, where the reader is in it, who is there.

use estoile_engine::face::Page;
use estoile_engine::{DeliveryState, LetterId, MessageView, PersonView, RoomSnapshot, RoomView};

use crate::model::heights::Heights;
use crate::model::timeline::{Key, Placed, Timeline};
use crate::model::window::{Anchor, Window};

/// A room is marked as read at most this often, milliseconds.
const MARK_EVERY_MS: u64 = 1000;

/// What a message that came led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    /// Nothing more.
    Known,
    /// A new one that is not drawn where the reader is, or is.
    New {
        /// It is the newest of all.
        newest: bool,
    },
    /// What is held here does not fit any more: a snapshot is wanted.
    Reload,
}

/// A room.
#[derive(Clone, Debug, Default)]
pub struct Talk {
    /// Its messages.
    pub timeline: Timeline,
    /// Where the reader is.
    pub window: Window,
    /// How rows are guessed.
    pub heights: Heights,
    /// Who is there, those here first.
    pub people: Vec<PersonView>,
    /// A snapshot has come.
    pub loaded: bool,
    /// One is on its way.
    pub loading: bool,
    /// Older messages are on their way.
    pub paging: bool,
    /// New messages below what the reader sees.
    pub below: u32,
    /// Counts up whenever a row may have come, gone or changed.
    pub version: u64,
    /// Where rows stand is not known yet.
    moved: bool,
    marking: bool,
    marked_at: u64,
}

impl Talk {
    /// Everything, as the vault has it. `here`: the reader looks at it.
    pub fn snapshot(&mut self, snapshot: RoomSnapshot, here: bool) {
        let mut snapshot = snapshot;
        self.people = core::mem::take(&mut snapshot.people);
        self.timeline.load(snapshot);
        if here && !self.loaded {
            self.timeline.mark_unread();
        }
        (self.loaded, self.loading, self.paging, self.below) = (true, false, false, 0);
        self.lay();
    }

    /// Rows came, went, or changed. Where they stand now is found out when it is asked for: many may come at once.
    pub fn lay(&mut self) {
        self.version = self.version.wrapping_add(1);
        self.moved = true;
        if self.window.anchor == Anchor::End && !self.timeline.cut {
            self.below = 0;
        }
    }

    /// Where the rows stand.
    pub fn laid(&mut self) -> &Window {
        if core::mem::take(&mut self.moved) {
            self.window.lay(&self.timeline, &self.heights);
        }
        &self.window
    }

    /// What was drawn: the first row's place, and each one's key and height. Whether that moves anything.
    pub fn drawn(&mut self, first: usize, heights: impl IntoIterator<Item = (Key, f32)>) -> bool {
        let mut news = false;
        for (at, (key, height)) in (first..).zip(heights) {
            if let Some(guess) = self.timeline.set_drawn(at, key, height) {
                self.heights.learn(guess, height);
                news = true;
            }
        }
        self.moved |= news;
        news
    }

    /// So much of it is visible now.
    pub fn resized(&mut self, viewport: f64) {
        self.moved |= (self.window.viewport - viewport).abs() > 0.5;
        self.window.viewport = viewport;
    }

    /// The reader sees the newest message.
    #[must_use]
    pub fn at_end(&self) -> bool {
        self.window.anchor == Anchor::End && !self.timeline.cut
    }

    /// It is known that nothing stands here.
    #[must_use]
    pub fn is_bare(&self) -> bool {
        self.loaded && self.timeline.is_empty()
    }

    /// A message came. `reading`: the reader looks at this room now.
    pub fn message(&mut self, message: MessageView, after: Option<LetterId>, reading: bool) -> Came {
        if !self.loaded {
            return Came::Known;
        }
        let (id, own, unread) = (message.id, message.own, message.unread);
        let newest = after == self.timeline.last_message().map(|m| m.id);
        match self.timeline.insert(message, after) {
            Placed::Known => {
                self.lay();
                Came::Known
            }
            Placed::Outside if self.timeline.cut => {
                self.below = self.below.saturating_add(1);
                Came::Known
            }
            Placed::Outside if self.timeline.more || self.loading => Came::Known,
            // Its neighbour is gone from here in the meantime: start over.
            Placed::Outside => Came::Reload,
            Placed::New(_) => {
                if own && newest {
                    self.window.anchor = Anchor::End;
                }
                if !self.at_end() && newest {
                    self.below = self.below.saturating_add(1);
                }
                let seen = reading && self.at_end();
                if unread && !own && !seen && self.timeline.unread_from.is_none() {
                    self.timeline.unread_from = Some(id);
                }
                self.lay();
                Came::New { newest }
            }
        }
    }

    /// A message has come further.
    pub fn state(&mut self, id: LetterId, state: DeliveryState, cursor: Option<u64>) {
        self.timeline.set_state(id, state, cursor);
        self.version = self.version.wrapping_add(1);
    }

    /// A message stands elsewhere.
    pub fn moved(&mut self, id: LetterId, after: Option<LetterId>) {
        self.timeline.relocate(id, after);
        self.lay();
    }

    /// A message's time is over.
    pub fn ended(&mut self, id: LetterId) {
        let neighbour = self.timeline.remove(id);
        self.window.replace(Key::Message(id), neighbour);
        self.lay();
    }

    /// Older messages came.
    pub fn older(&mut self, before: LetterId, page: Option<Page>) {
        self.paging = false;
        match page {
            Some(page) => self.timeline.prepend(before, page.messages, page.more),
            None => self.timeline.more = false,
        }
        self.lay();
    }

    /// The message before which older ones are wanted now, if any are; from then on they are on their way.
    pub fn want_older(&mut self) -> Option<LetterId> {
        if !self.loaded || self.paging || self.loading {
            return None;
        }
        self.laid();
        if !self.window.wants_older(&self.timeline) {
            return None;
        }
        let first = self.timeline.first_message()?.id;
        self.paging = true;
        Some(first)
    }

    /// The reader has scrolled.
    pub fn scrolled(&mut self, to: f64) {
        self.laid();
        self.window.scrolled(&self.timeline, to);
        if self.at_end() {
            self.below = 0;
        }
    }

    /// To the newest message; whether a snapshot must be asked for, because it is not in memory.
    pub fn to_end(&mut self) -> bool {
        self.window.anchor = Anchor::End;
        self.below = 0;
        core::mem::replace(&mut self.timeline.cut, false)
    }

    /// The reader goes elsewhere: the line of unread messages has done its work.
    pub fn left(&mut self) {
        self.timeline.unread_from = None;
        self.version = self.version.wrapping_add(1);
    }

    /// The reader comes back.
    pub fn entered(&mut self) {
        if self.loaded {
            self.timeline.mark_unread();
            self.version = self.version.wrapping_add(1);
        }
    }

    /// Whether the room is to be marked as read now; from then on it is being marked.
    pub fn mark(&mut self, room: &RoomView, looking: bool, now: u64) -> bool {
        let due = now >= self.marked_at.saturating_add(MARK_EVERY_MS);
        if !looking || !self.loaded || !self.at_end() || room.unread == 0 || self.marking || !due {
            return false;
        }
        (self.marking, self.marked_at) = (true, now);
        self.timeline.mark_read();
        true
    }

    /// It was marked, or that failed.
    pub const fn marked(&mut self) {
        self.marking = false;
    }

    /// Those who are here now, and oneself.
    #[must_use]
    pub fn here(&self) -> usize {
        self.people.iter().filter(|p| p.here && !p.own).count() + 1
    }

    /// Nobody but this client has ever been here, as far as it knows.
    #[must_use]
    pub fn alone(&self) -> bool {
        self.people.iter().all(|p| p.own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::rooms::tests::room;
    use crate::model::timeline::tests::{letter, message};

    fn opened(count: u32, more: bool) -> Talk {
        let mut talk = Talk::default();
        talk.window.viewport = 500.0;
        talk.loading = true;
        let snapshot = RoomSnapshot {
            room: room(1, "Garden"),
            messages: (1..=count).map(|n| message(n, "Bob", "hi")).collect(),
            more,
            people: Vec::new(),
            notices: Vec::new(),
        };
        talk.snapshot(snapshot, true);
        talk
    }

    fn unread(n: u32) -> MessageView {
        MessageView { unread: true, ..message(n, "Bob", "new") }
    }

    #[test]
    fn who_reads_at_the_end_stays_there() {
        let mut talk = opened(50, false);
        assert_eq!(talk.message(unread(51), Some(letter(50)), true), Came::New { newest: true });
        assert_eq!((talk.at_end(), talk.below, talk.timeline.unread_from), (true, 0, None));
        talk.message(unread(52), Some(letter(51)), false);
        assert_eq!(talk.timeline.unread_from, Some(letter(52)), "nobody looked: a line is drawn");
    }

    #[test]
    fn who_reads_above_is_told_of_what_comes_below() {
        let mut talk = opened(50, false);
        talk.scrolled(100.0);
        talk.message(unread(51), Some(letter(50)), true);
        assert_eq!((talk.below, talk.timeline.unread_from), (1, Some(letter(51))));
        assert!(!talk.mark(&RoomView { unread: 1, ..room(1, "a") }, true, 5000), "not seen yet");
        assert!(!talk.to_end());
        assert!(talk.mark(&RoomView { unread: 1, ..room(1, "a") }, true, 5000));
        assert!(!talk.mark(&RoomView { unread: 1, ..room(1, "a") }, true, 9000), "being marked");
        talk.marked();
        assert!(!talk.mark(&RoomView { unread: 1, ..room(1, "a") }, true, 5500), "too soon");
        assert!(talk.mark(&RoomView { unread: 1, ..room(1, "a") }, true, 6000));
        let own = MessageView { own: true, ..message(52, "Ann", "me") };
        talk.scrolled(100.0);
        talk.message(own, Some(letter(51)), true);
        assert!(talk.at_end(), "what one sends, one sees");
    }

    #[test]
    fn older_pages_are_asked_for_once() {
        let mut talk = opened(50, true);
        talk.scrolled(100.0);
        assert_eq!(talk.want_older(), Some(letter(1)));
        assert_eq!(talk.want_older(), None);
        let page = Page { messages: vec![message(900, "Bob", "old")], more: false };
        talk.older(letter(1), Some(page));
        assert_eq!((talk.timeline.len(), talk.want_older()), (51, None));
        talk.timeline.more = true;
        talk.paging = true;
        talk.older(letter(900), None);
        assert_eq!((talk.timeline.more, talk.want_older()), (false, None));
    }

    #[test]
    fn what_does_not_fit_is_asked_for_again() {
        let mut talk = opened(5, false);
        assert_eq!(talk.message(unread(9), Some(letter(77)), true), Came::Reload);
        talk.loading = true;
        assert_eq!(talk.message(unread(9), Some(letter(77)), true), Came::Known);
        assert_eq!(
            Talk::default().message(unread(9), None, true),
            Came::Known,
            "not loaded: the snapshot will have it"
        );
        talk.ended(letter(3));
        talk.moved(letter(5), None);
        assert_eq!(talk.timeline.first_message().map(|m| m.id), Some(letter(5)));
        assert_eq!((talk.timeline.len(), talk.alone(), talk.here()), (4, true, 1));
    }
}
