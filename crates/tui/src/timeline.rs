//! One room's timeline in memory: messages in the engine's order, notices between them, a bounded window of it.
//!
//! Pure data. How an item is laid out is remembered beside it ([`Item::laid`]); what it looks like is the view's.

use core::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;

use estoile_engine::{DeliveryState, LetterId, MessageView, Notice, RoomSnapshot};

use crate::lay::Laid;

/// Items a room keeps in memory: some hours of a busy room; what is older is paged in from the vault when it is read.
pub(crate) const MAX_ITEMS: usize = 4000;

/// Messages asked for at a time.
pub(crate) const PAGE: usize = 200;

/// Notices that one room's timeline shows; beyond that the oldest go, so that a peer who provokes many hides nothing.
const MAX_NOTICES: usize = 200;

/// What stands in a timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    Message(MessageView),
    Notice(Notice),
}

/// Which item, whatever moves around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Message(LetterId),
    Notice(u64),
}

/// An item and how it was laid out last.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) body: Body,
    /// A long message shown whole, because the user asked.
    pub(crate) unfolded: bool,
    pub(crate) laid: RefCell<Option<Rc<Laid>>>,
}

impl Item {
    fn new(body: Body) -> Self {
        Self { body, unfolded: false, laid: RefCell::new(None) }
    }

    pub(crate) const fn key(&self) -> Key {
        match &self.body {
            Body::Message(m) => Key::Message(m.id),
            Body::Notice(n) => Key::Notice(n.id),
        }
    }

    /// When it was sent or told.
    pub(crate) const fn at(&self) -> u64 {
        match &self.body {
            Body::Message(m) => m.sent_at,
            Body::Notice(n) => n.at,
        }
    }

    pub(crate) const fn message(&self) -> Option<&MessageView> {
        match &self.body {
            Body::Message(m) => Some(m),
            Body::Notice(_) => None,
        }
    }

    fn forget_layout(&self) {
        self.laid.replace(None);
    }
}

/// A window on a room's timeline.
#[derive(Clone, Debug, Default)]
pub(crate) struct Timeline {
    items: VecDeque<Item>,
    /// The messages among them, so that a new one is known to be new without a search.
    ids: BTreeSet<LetterId>,
    notices: usize,
    /// Older messages exist that are not in memory.
    pub(crate) more: bool,
    /// Newer messages exist that are not in memory: the reader paged so far back that the end was let go.
    pub(crate) cut: bool,
    /// Where the line of unread messages stands: above this one.
    pub(crate) unread_from: Option<LetterId>,
}

impl Timeline {
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    pub(crate) fn get(&self, at: usize) -> Option<&Item> {
        self.items.get(at)
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Item> {
        self.items.iter()
    }

    /// Where an item stands; looked for from the end, where nearly all that changes is.
    pub(crate) fn position(&self, key: Key) -> Option<usize> {
        self.items.iter().rposition(|i| i.key() == key)
    }

    pub(crate) fn last_message(&self) -> Option<&MessageView> {
        self.items.iter().rev().find_map(Item::message)
    }

    pub(crate) fn first_message(&self) -> Option<&MessageView> {
        self.items.iter().find_map(Item::message)
    }

    /// Takes over all that a snapshot says. Notices shown here that it no longer carries stay.
    pub(crate) fn load(&mut self, snapshot: RoomSnapshot) {
        let mut notices: Vec<Notice> = snapshot.notices;
        for item in self.items.drain(..) {
            if let Body::Notice(n) = item.body
                && notices.iter().all(|other| other.id != n.id)
            {
                notices.push(n);
            }
        }
        notices.sort_by_key(|n| n.id);
        self.notices = 0;
        self.more = snapshot.more;
        self.cut = false;
        self.ids = snapshot.messages.iter().map(|m| m.id).collect();
        self.items = snapshot.messages.into_iter().map(|m| Item::new(Body::Message(m))).collect();
        for notice in notices {
            self.tell(notice);
        }
    }

    /// Puts a message at its place; false if its place is not in memory.
    pub(crate) fn insert(&mut self, message: MessageView, after: Option<LetterId>) -> bool {
        if self.ids.contains(&message.id)
            && let Some(at) = self.position(Key::Message(message.id))
        {
            self.replace(at, message);
            return true;
        }
        let place = match after {
            Some(id) => match self.position(Key::Message(id)) {
                Some(at) => self.behind(at),
                None => return false,
            },
            None if self.more => return false,
            // At the top of everything. Notices that stood alone until now were there before it.
            None if self.first_message().is_none() && !self.cut => self.items.len(),
            None => 0,
        };
        self.ids.insert(message.id);
        self.items.insert(place, Item::new(Body::Message(message)));
        self.refresh(place + 1);
        self.trim_front();
        true
    }

    /// Moves a message to its new place; one whose new place is not in memory leaves the window.
    pub(crate) fn relocate(&mut self, id: LetterId, after: Option<LetterId>) {
        let Some(at) = self.position(Key::Message(id)) else { return };
        let Some(item) = self.items.remove(at) else { return };
        self.refresh(at);
        self.gone(&item);
        if let Body::Message(message) = item.body
            && self.insert(message, after)
            && item.unfolded
            && let Some(at) = self.position(Key::Message(id))
        {
            self.unfold(at);
        }
    }

    /// The place right after an item: behind the notices too, when it is the last message.
    fn behind(&self, at: usize) -> usize {
        let only_notices_follow = self.items.iter().skip(at + 1).all(|i| i.message().is_none());
        if only_notices_follow { self.items.len() } else { at + 1 }
    }

    fn replace(&mut self, at: usize, message: MessageView) {
        if let Some(item) = self.items.get_mut(at) {
            item.body = Body::Message(message);
            item.forget_layout();
        }
    }

    pub(crate) fn set_state(&mut self, id: LetterId, state: DeliveryState, cursor: Option<u64>) {
        if let Some(at) = self.position(Key::Message(id))
            && let Some(item) = self.items.get_mut(at)
            && let Body::Message(m) = &mut item.body
        {
            m.state = state;
            m.cursor = cursor.or(m.cursor);
            item.forget_layout();
        }
    }

    /// Takes a message off; answers what to hold on to in its place.
    pub(crate) fn remove(&mut self, id: LetterId) -> Option<Key> {
        let at = self.position(Key::Message(id))?;
        self.items.remove(at);
        self.ids.remove(&id);
        if self.unread_from == Some(id) {
            self.unread_from = self.items.iter().skip(at).find_map(Item::message).map(|m| m.id);
        }
        self.refresh(at);
        self.items.get(at.saturating_sub(1)).map(Item::key)
    }

    /// Adds a notice where its time is: after the last message that is not younger.
    pub(crate) fn tell(&mut self, notice: Notice) {
        if self.position(Key::Notice(notice.id)).is_some() {
            return;
        }
        if self.notices == MAX_NOTICES
            && let Some(at) = self.items.iter().position(|i| i.message().is_none())
        {
            self.items.remove(at);
            self.refresh(at);
            self.notices -= 1;
        }
        let place = self.items.iter().rposition(|i| i.at() <= notice.at).map_or(0, |at| at + 1);
        self.items.insert(place, Item::new(Body::Notice(notice)));
        self.notices += 1;
        self.refresh(place + 1);
    }

    /// Takes in a page that ends right before `before`.
    pub(crate) fn prepend(&mut self, before: LetterId, messages: Vec<MessageView>, more: bool) {
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
                self.items.push_front(Item::new(Body::Message(message)));
            }
        }
        for notice in notices {
            self.tell(notice);
        }
        self.refresh_all();
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

    pub(crate) fn unfold(&mut self, at: usize) {
        if let Some(item) = self.items.get_mut(at) {
            item.unfolded = !item.unfolded;
            item.forget_layout();
        }
    }

    /// Draws the unread line above the first message not yet read, if there is one and none is drawn.
    pub(crate) fn mark_unread(&mut self) {
        if self.unread_from.is_none() {
            let first = self.iter().filter_map(Item::message).find(|m| m.unread && !m.own).map(|m| m.id);
            self.unread_from = first;
            self.refresh_all();
        }
    }

    /// All is read: the next time only newer messages stand below the line.
    pub(crate) fn mark_read(&mut self) {
        for item in &mut self.items {
            if let Body::Message(m) = &mut item.body {
                m.unread = false;
            }
        }
    }

    pub(crate) fn clear_unread_line(&mut self) {
        if self.unread_from.take().is_some() {
            self.refresh_all();
        }
    }

    pub(crate) fn refresh_all(&self) {
        for item in &self.items {
            item.forget_layout();
        }
    }

    /// What stands above an item decides whether it shows a day and a name.
    fn refresh(&self, at: usize) {
        for item in self.items.iter().skip(at.saturating_sub(1)).take(2) {
            item.forget_layout();
        }
    }

    fn trim_front(&mut self) {
        while self.items.len() > MAX_ITEMS {
            if let Some(item) = self.items.pop_front() {
                self.gone(&item);
                self.more |= item.message().is_some();
                self.refresh(0);
            }
        }
    }
}

#[cfg(test)]
mod tests;
