//! Where the reader is in a timeline. Walks rows from where the reader is, never over the whole room.

use core::ops::Range;

use super::{Act, App, Room, Scroll};
use crate::lay;
use crate::timeline::Key;
use crate::view::areas;

/// Items this close to the top of what is in memory make the face ask for older ones.
const PAGE_AHEAD: usize = 30;

/// Part of an item that is in sight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Visible {
    /// Where the item stands.
    pub(crate) at: usize,
    /// Which of its rows.
    pub(crate) rows: Range<usize>,
}

/// The timeline's size, worked out once for a walk over its items.
#[derive(Clone, Copy, Debug)]
struct Pane {
    width: usize,
    height: usize,
}

impl App {
    /// Rows that one press of a page key moves: all but two, so that the eye finds its place.
    pub(super) fn page(&self) -> usize {
        usize::from(areas(self).timeline.height).saturating_sub(2).max(1)
    }

    fn pane(&self) -> Pane {
        let area = areas(self).timeline;
        Pane { width: usize::from(area.width), height: usize::from(area.height) }
    }

    /// How many rows an item takes now.
    fn height(&self, room: &Room, at: usize, pane: Pane) -> usize {
        let Some(item) = room.timeline.get(at) else { return 0 };
        let above = at.checked_sub(1).and_then(|i| room.timeline.get(i));
        lay::lay(item, above, pane.width, room.timeline.unread_from, &self.zone).rows.len()
    }

    /// The bottom item and its rows below the edge.
    fn bottom(room: &Room) -> Option<(usize, usize)> {
        let newest = room.timeline.len().checked_sub(1)?;
        match room.scroll.anchor {
            Some((key, hidden)) => Some(room.timeline.position(key).map_or((newest, 0), |at| (at, hidden))),
            None => Some((newest, 0)),
        }
    }

    /// What is in sight, from the top down.
    pub(crate) fn visible(&self, room: &Room) -> Vec<Visible> {
        let pane = self.pane();
        let mut rows_left = pane.height;
        let Some((mut at, hidden)) = Self::bottom(room) else { return Vec::new() };
        let mut out = Vec::new();
        let mut end = self.height(room, at, pane).saturating_sub(hidden);
        loop {
            let start = end.saturating_sub(rows_left);
            rows_left -= end - start;
            out.push(Visible { at, rows: start..end });
            let Some(above) = at.checked_sub(1).filter(|_| rows_left > 0) else { break };
            at = above;
            end = self.height(room, at, pane);
        }
        out.reverse();
        out
    }

    /// Whether everything above the reader is in sight already.
    fn rows_above(&self, room: &Room, wanted: usize, pane: Pane) -> usize {
        let Some((mut at, hidden)) = Self::bottom(room) else { return 0 };
        let mut rows = self.height(room, at, pane).saturating_sub(hidden);
        while rows < wanted {
            let Some(above) = at.checked_sub(1) else { break };
            at = above;
            rows += self.height(room, at, pane);
        }
        rows.min(wanted)
    }

    pub(super) fn scroll_up(&mut self, rows: usize) {
        let pane = self.pane();
        let Some(room) = self.here() else { return };
        // Never further than until the oldest row stands at the top.
        let rows = self.rows_above(room, pane.height + rows, pane).saturating_sub(pane.height);
        let Some((mut at, hidden)) = Self::bottom(room) else { return };
        let mut hidden = hidden + rows;
        loop {
            let height = self.height(room, at, pane);
            if hidden < height || at == 0 {
                break;
            }
            hidden -= height;
            at -= 1;
        }
        let key = room.timeline.get(at).map(crate::timeline::Item::key);
        if rows > 0 {
            self.set_anchor(key, hidden);
        }
        self.page_in();
    }

    pub(super) fn scroll_down(&mut self, rows: usize) {
        let pane = self.pane();
        let Some(room) = self.here() else { return };
        if room.scroll.anchor.is_none() {
            return;
        }
        let Some((mut at, mut hidden)) = Self::bottom(room) else { return };
        let mut rows = rows;
        while rows > hidden {
            rows -= hidden;
            if at + 1 >= room.timeline.len() {
                self.scroll_to_newest();
                return;
            }
            at += 1;
            hidden = self.height(room, at, pane);
        }
        hidden -= rows;
        if hidden == 0 && at + 1 >= room.timeline.len() {
            self.scroll_to_newest();
            return;
        }
        let key = room.timeline.get(at).map(crate::timeline::Item::key);
        self.set_anchor(key, hidden);
    }

    pub(super) fn scroll_to_oldest(&mut self) {
        self.scroll_up(usize::from(u16::MAX));
    }

    pub(super) fn scroll_to_newest(&mut self) {
        let Some(room) = self.here_mut() else { return };
        room.scroll = Scroll::default();
        if room.timeline.cut && !room.loading {
            room.loading = true;
            let id = room.view.id;
            self.acts.push(Act::Snapshot(id));
        }
    }

    fn set_anchor(&mut self, key: Option<Key>, hidden: usize) {
        if let (Some(room), Some(key)) = (self.here_mut(), key) {
            room.scroll.anchor = Some((key, hidden));
        }
    }

    /// Asks for older messages when the reader comes near the top of what is here.
    fn page_in(&mut self) {
        let Some(room) = self.here() else { return };
        let top = self.visible(room).first().map_or(0, |v| v.at);
        let Some(room) = self.here_mut() else { return };
        if top > PAGE_AHEAD || room.paging || !room.timeline.more || !room.loaded {
            return;
        }
        if let Some(before) = room.timeline.first_message().map(|m| m.id) {
            room.paging = true;
            let room = room.view.id;
            self.acts.push(Act::Older { room, before });
        }
    }

    /// Unfolds or folds the long messages in sight.
    pub(super) fn unfold_visible(&mut self) {
        let Some(room) = self.here() else { return };
        let seen: Vec<usize> = self.visible(room).into_iter().map(|v| v.at).collect();
        for at in seen {
            self.unfold(at);
        }
    }

    pub(super) fn unfold(&mut self, at: usize) {
        if let Some(room) = self.here_mut() {
            let key = room.timeline.get(at).map(crate::timeline::Item::key);
            room.timeline.unfold(at);
            // The reader stays at this message instead of being carried to its new end.
            if room.scroll.anchor.is_some_and(|(anchor, _)| Some(anchor) == key)
                && let Some(key) = key
            {
                room.scroll.anchor = Some((key, 0));
            }
        }
    }
}
