//! One room's timeline in memory: messages in the engine's order, notices between them, a bounded window of it.
//!
//! Pure data; what an item looks like is the view's, where it stands on the screen is [`crate::model::window`]'s.

use std::collections::{BTreeSet, VecDeque};

use estoile_engine::{DeliveryState, LetterId, MessageView, Notice, RoomSnapshot};

use crate::model::heights::Guess;
use crate::model::shown::together;

mod item;
pub use item::{Body, Item, Key, Placed};

/// Items a room keeps in memory; what is older is paged in from the vault when it is read.
pub const MAX_ITEMS: usize = 20_000;

/// Messages asked for at a time: few enough that taking them in stays far below a frame on a slow phone.
pub const PAGE: usize = 100;

/// Notices that one room's timeline shows; beyond that the oldest go, so that a peer who provokes many hides nothing.
const MAX_NOTICES: usize = 200;

/// A window on a room's timeline.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    items: VecDeque<Item>,
    /// The messages among them, so that a new one is known to be new without a search.
    ids: BTreeSet<LetterId>,
    notices: usize,
    revision: u64,
    /// Older messages exist that are not in memory.
    pub more: bool,
    /// Newer messages exist that are not in memory: the reader paged so far back that the end was let go.
    pub cut: bool,
    /// Where the line of unread messages stands: above this one.
    pub unread_from: Option<LetterId>,
}

impl Timeline {
    /// How many items.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The item at a place.
    #[must_use]
    pub fn get(&self, at: usize) -> Option<&Item> {
        self.items.get(at)
    }

    /// All items.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Item> + ExactSizeIterator {
        self.items.iter()
    }

    /// Where an item stands; looked for from the end, where nearly all that changes is.
    #[must_use]
    pub fn position(&self, key: Key) -> Option<usize> {
        self.items.iter().rposition(|i| i.key() == key)
    }

    /// Where an item stands that was at `at` not long ago; what came or went since is less than `near`, mostly.
    #[must_use]
    pub fn position_near(&self, key: Key, at: usize, near: usize) -> Option<usize> {
        let from = at.saturating_sub(near).min(self.items.len());
        let to = at.saturating_add(near).min(self.items.len());
        let same = |i: usize| self.items.get(i).is_some_and(|item| item.key() == key);
        (same(at).then_some(at)).or_else(|| (from..to).find(|&i| same(i))).or_else(|| self.position(key))
    }

    /// The newest message in memory.
    #[must_use]
    pub fn last_message(&self) -> Option<&MessageView> {
        self.items.iter().rev().find_map(Item::message)
    }

    /// The oldest message in memory.
    #[must_use]
    pub fn first_message(&self) -> Option<&MessageView> {
        self.items.iter().find_map(Item::message)
    }

    /// A message of this room.
    #[must_use]
    pub fn message(&self, id: LetterId) -> Option<&MessageView> {
        self.ids.contains(&id).then(|| self.position(Key::Message(id))).flatten().and_then(|at| self.get(at)?.message())
    }

    fn item(&mut self, body: Body) -> Item {
        self.revision += 1;
        let guess = Guess::of(&body);
        Item { body, revision: self.revision, unfolded: false, drawn: None, guess }
    }

    /// Guesses whether the rows at these places go on from those above them.
    fn join(&mut self, places: core::ops::RangeInclusive<usize>) {
        for at in places {
            let pair =
                at.checked_sub(1).and_then(|above| Some((self.get(above)?.message()?, self.get(at)?.message()?)));
            let joined = pair.is_some_and(|(above, message)| together(message, above));
            if let Some(item) = self.items.get_mut(at) {
                item.guess.joined = joined;
            }
        }
    }

    fn touch(&mut self, at: usize) {
        self.revision += 1;
        if let Some(item) = self.items.get_mut(at) {
            item.revision = self.revision;
        }
    }

    /// Takes over all that a snapshot says. Notices shown here that it no longer carries stay.
    pub fn load(&mut self, snapshot: RoomSnapshot) {
        let mut notices = snapshot.notices;
        for item in self.items.drain(..) {
            if let Body::Notice(n) = item.body
                && notices.iter().all(|other| other.id != n.id)
            {
                notices.push(*n);
            }
        }
        notices.sort_by_key(|n| n.id);
        self.notices = 0;
        self.more = snapshot.more;
        self.cut = false;
        self.ids = snapshot.messages.iter().map(|m| m.id).collect();
        for message in snapshot.messages {
            let item = self.item(Body::Message(Box::new(message)));
            self.items.push_back(item);
        }
        self.join(0..=self.items.len());
        for notice in notices {
            self.tell(notice);
        }
    }

    /// Puts a message at its place.
    pub fn insert(&mut self, message: MessageView, after: Option<LetterId>) -> Placed {
        if self.ids.contains(&message.id)
            && let Some(at) = self.position(Key::Message(message.id))
        {
            if let Some(item) = self.items.get_mut(at) {
                item.body = Body::Message(Box::new(message));
            }
            self.touch(at);
            return Placed::Known;
        }
        let place = match after {
            Some(id) => match self.position(Key::Message(id)) {
                Some(at) => self.behind(at),
                None => return Placed::Outside,
            },
            None if self.more => return Placed::Outside,
            // At the top of everything. Notices that stood alone until now were there before it.
            None if self.first_message().is_none() && !self.cut => self.items.len(),
            None => 0,
        };
        // Behind a last message that is not the room's last, nothing is known to follow directly.
        if self.cut && place == self.items.len() {
            return Placed::Outside;
        }
        self.ids.insert(message.id);
        let item = self.item(Body::Message(Box::new(message)));
        self.items.insert(place, item);
        self.join(place..=place + 1);
        Placed::New(place.saturating_sub(self.trim_front()))
    }

    /// Moves a message to its new place; one whose new place is not in memory leaves the window.
    pub fn relocate(&mut self, id: LetterId, after: Option<LetterId>) {
        let Some(at) = self.position(Key::Message(id)) else { return };
        let Some(item) = self.items.remove(at) else { return };
        self.gone(&item);
        if let Body::Message(message) = item.body
            && let Placed::New(at) = self.insert(*message, after)
            && let Some(moved) = self.items.get_mut(at)
        {
            moved.unfolded = item.unfolded;
        }
    }

    /// The place right after an item: behind the notices too, when it is the last message.
    fn behind(&self, at: usize) -> usize {
        let only_notices_follow = self.items.iter().skip(at + 1).all(|i| i.message().is_none());
        if only_notices_follow { self.items.len() } else { at + 1 }
    }

    /// A message has come further.
    pub fn set_state(&mut self, id: LetterId, state: DeliveryState, cursor: Option<u64>) {
        if let Some(at) = self.position(Key::Message(id))
            && let Some(item) = self.items.get_mut(at)
            && let Body::Message(m) = &mut item.body
        {
            m.state = state;
            m.cursor = cursor.or(m.cursor);
            self.touch(at);
        }
    }

    /// Takes a message off; answers what to hold on to in its place.
    pub fn remove(&mut self, id: LetterId) -> Option<Key> {
        let at = self.position(Key::Message(id))?;
        let item = self.items.remove(at)?;
        self.gone(&item);
        if self.unread_from == Some(id) {
            self.unread_from = self.items.iter().skip(at).find_map(Item::message).map(|m| m.id);
        }
        self.items.get(at.saturating_sub(1)).map(Item::key)
    }

    /// Adds a notice where its time is: after the last message that is not younger.
    pub fn tell(&mut self, notice: Notice) {
        if self.position(Key::Notice(notice.id)).is_some() {
            return;
        }
        if self.notices == MAX_NOTICES
            && let Some(at) = self.items.iter().position(|i| i.message().is_none())
        {
            self.items.remove(at);
            self.notices -= 1;
        }
        let place = self.items.iter().rposition(|i| i.at() <= notice.at).map_or(0, |at| at + 1);
        let item = self.item(Body::Notice(Box::new(notice)));
        self.items.insert(place, item);
        self.notices += 1;
    }

    /// Puts a notice away, because it was read.
    pub fn put_away(&mut self, id: u64) {
        if let Some(at) = self.position(Key::Notice(id))
            && let Some(item) = self.items.remove(at)
        {
            self.gone(&item);
        }
    }

    /// Takes in a page that ends right before `before`.
    pub fn prepend(&mut self, before: LetterId, messages: Vec<MessageView>, more: bool) {
        if self.first_message().is_none_or(|m| m.id != before) {
            return;
        }
        self.more = more;
        // Notices that stood at the top have their place somewhere in the page.
        let mut notices = Vec::new();
        while let Some(Item { body: Body::Notice(notice), .. }) = self.items.pop_front_if(|i| i.message().is_none()) {
            self.notices -= 1;
            notices.push(notice);
        }
        for message in messages.into_iter().rev() {
            if self.ids.insert(message.id) {
                let item = self.item(Body::Message(Box::new(message)));
                self.items.push_front(item);
                self.join(1..=1);
            }
        }
        for notice in notices {
            self.tell(*notice);
        }
        // The reader is at the old end: what goes is at the new one.
        while self.items.len() > MAX_ITEMS {
            if let Some(item) = self.items.pop_back() {
                self.gone(&item);
                self.cut = true;
            }
        }
    }

    fn gone(&mut self, item: &Item) {
        match &item.body {
            Body::Message(m) => {
                self.ids.remove(&m.id);
            }
            Body::Notice(_) => self.notices -= 1,
        }
    }

    /// Shows a long message whole, or folds it again.
    pub fn unfold(&mut self, key: Key) {
        if let Some(at) = self.position(key) {
            if let Some(item) = self.items.get_mut(at) {
                item.unfolded = !item.unfolded;
            }
            self.touch(at);
        }
    }

    /// Draws the unread line above the first message not yet read, if there is one and none is drawn.
    pub fn mark_unread(&mut self) {
        if self.unread_from.is_none() {
            let first = self.iter().filter_map(Item::message).find(|m| m.unread && !m.own).map(|m| m.id);
            self.unread_from = first;
        }
    }

    /// All is read: the next time only newer messages stand below the line.
    pub fn mark_read(&mut self) {
        for item in &mut self.items {
            if let Body::Message(m) = &mut item.body {
                m.unread = false;
            }
        }
    }

    /// How tall the row at a place was drawn, if it is still this one; by what it was guessed, if that is news.
    pub fn set_drawn(&mut self, at: usize, key: Key, height: f32) -> Option<Guess> {
        let item = self.items.get_mut(at).filter(|item| item.key() == key)?;
        let guess = item.guess;
        ((item.drawn.replace(height).unwrap_or(-1.0) - height).abs() > 0.4).then_some(guess)
    }

    /// Messages of ours that the relay does not have, in order.
    pub fn not_sent(&self) -> impl DoubleEndedIterator<Item = &MessageView> {
        let own = self.iter().filter_map(Item::message).filter(|m| m.own);
        own.filter(|m| matches!(m.state, DeliveryState::Sending | DeliveryState::Failed { .. }))
    }

    fn trim_front(&mut self) -> usize {
        let mut trimmed = 0;
        while self.items.len() > MAX_ITEMS {
            if let Some(item) = self.items.pop_front() {
                self.gone(&item);
                self.more |= item.message().is_some();
                trimmed += 1;
            }
        }
        trimmed
    }
}

#[cfg(test)]
pub(crate) mod tests;
