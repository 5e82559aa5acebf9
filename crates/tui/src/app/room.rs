//! One room as the face holds it: the engine's view of it, its timeline, its draft, where the reader is.

use estoile_engine::{ConnectionView, DeliveryState, MemberView, PersonView, RoomView};

use crate::editor::Editor;
use crate::timeline::{Item, Key, Timeline};

/// The least time between two marks of one room as read.
const MARK_EVERY_MS: u64 = 500;

/// Where the reader is. Without an anchor: at the newest, and staying there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scroll {
    /// The item at the bottom of the pane, and how many of its rows are below the edge.
    pub(crate) anchor: Option<(Key, usize)>,
    /// Messages that came below since.
    pub(crate) below: u32,
}

/// A room.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) view: RoomView,
    pub(crate) people: Vec<PersonView>,
    /// In a private room.
    pub(crate) members: Vec<MemberView>,
    pub(crate) timeline: Timeline,
    pub(crate) editor: Editor,
    pub(crate) scroll: Scroll,
    /// Its snapshot has come.
    pub(crate) loaded: bool,
    /// Its snapshot is on its way.
    pub(super) loading: bool,
    /// A page of older messages is on its way.
    pub(crate) paging: bool,
    pub(super) marking: bool,
    pub(super) marked_at: u64,
}

impl Room {
    pub(super) fn new(view: RoomView) -> Self {
        Self {
            view,
            people: Vec::new(),
            members: Vec::new(),
            timeline: Timeline::default(),
            editor: Editor::default(),
            scroll: Scroll::default(),
            loaded: false,
            loading: false,
            paging: false,
            marking: false,
            marked_at: 0,
        }
    }

    /// Takes over who is in the room. Whoever has not spoken yet is not known by a key, and is here all the same: the
    /// user must find themselves in the list.
    pub(super) fn set_people(&mut self, mut people: Vec<PersonView>) {
        if people.iter().all(|p| !p.own) {
            let name = self.view.own_name.clone();
            let (shown, key) = (name.clone(), String::new());
            people.insert(
                0,
                PersonView {
                    name,
                    shown,
                    key,
                    own: true,
                    here: true,
                    typing: false,
                    last_heard: None,
                    account: None,
                    role: None,
                    verified: false,
                },
            );
        }
        self.people = people;
    }

    /// Messages of ours that the relay does not have yet, as far as they are in memory.
    pub(super) fn unsent(&self) -> usize {
        let messages = self.timeline.iter().filter_map(Item::message);
        messages.filter(|m| matches!(m.state, DeliveryState::Sending | DeliveryState::Failed { .. })).count()
    }

    pub(crate) fn here(&self) -> usize {
        self.people.iter().filter(|p| p.here || p.own).count()
    }

    /// Nobody but this client has ever been here, as far as it knows.
    pub(crate) fn alone(&self) -> bool {
        self.people.iter().all(|p| p.own)
    }

    pub(super) const fn retry_at(&self) -> Option<u64> {
        match self.view.connection {
            ConnectionView::Offline { retry_at, .. } => retry_at,
            _ => None,
        }
    }

    pub(super) const fn may_mark(&self, now: u64) -> bool {
        !self.marking && now >= self.marked_at.saturating_add(MARK_EVERY_MS)
    }

    /// When it can be marked as read again, if that is to be done.
    pub(super) fn mark_again_at(&self, now: u64) -> Option<u64> {
        let again = self.marked_at.saturating_add(MARK_EVERY_MS);
        (self.view.unread > 0 && self.scroll.anchor.is_none() && !self.marking && again > now).then_some(again)
    }
}
