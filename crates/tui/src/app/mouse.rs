//! The mouse: click a room, a person, a folded message, a line of a list; the wheel scrolls.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

use super::{App, Overlay};
use crate::inert;
use crate::lay::Row;
use crate::view::{areas, list_start, popup_area};

/// Rows that one notch of the wheel moves.
const NOTCH: usize = 3;

impl App {
    pub(super) fn mouse(&mut self, event: MouseEvent) {
        let at = Position::new(event.column, event.row);
        match event.kind {
            MouseEventKind::ScrollUp => self.wheel(false),
            MouseEventKind::ScrollDown => self.wheel(true),
            MouseEventKind::Down(MouseButton::Left) => self.click(at),
            _ => {}
        }
    }

    fn wheel(&mut self, down: bool) {
        match &mut self.overlay {
            Some(Overlay::Help { scroll } | Overlay::People { scroll }) => {
                *scroll = if down { scroll.saturating_add(NOTCH) } else { scroll.saturating_sub(NOTCH) };
            }
            Some(_) => {}
            None if down => self.scroll_down(NOTCH),
            None => self.scroll_up(NOTCH),
        }
    }

    fn click(&mut self, at: Position) {
        if let Some(overlay) = &self.overlay {
            // A click leaves a page that only shows something; a question wants its answer.
            if matches!(overlay, Overlay::Help { .. } | Overlay::Link | Overlay::People { .. }) {
                self.close_overlay();
            }
            return;
        }
        let areas = areas(self);
        if let Some(popup) = &mut self.popup {
            let area = popup_area(areas.status, popup);
            if area.contains(at) {
                let rows = usize::from(area.height);
                let row = usize::from(at.y - area.y) + list_start(popup.chosen, rows);
                popup.choose(row);
                self.accept();
                return;
            }
        }
        if let Some(row) = areas.rooms.and_then(|area| list_row(area, at)) {
            let shown = usize::from(areas.rooms.map_or(0, |a| a.height)).saturating_sub(1);
            let chosen = self.rooms.iter().position(|r| Some(r.view.id) == self.current).unwrap_or(0);
            let row = row + list_start(chosen, shown);
            if let Some(id) = self.rooms.get(row).map(|r| r.view.id) {
                self.go_to(id);
            }
            return;
        }
        if let Some(row) = areas.people.and_then(|area| list_row(area, at)) {
            self.mention(row);
            return;
        }
        if areas.timeline.contains(at) {
            self.click_timeline(areas.timeline, at);
        } else if areas.status.contains(at) {
            self.scroll_to_newest();
        }
    }

    /// A click on a person writes their name, as one does to address somebody.
    fn mention(&mut self, row: usize) {
        let Some(person) = self.here().and_then(|r| r.people.get(row)).filter(|p| !p.own) else { return };
        let name = inert::line(&person.shown);
        let first = self.editor().before().is_empty();
        let spaced = first || self.editor().before().ends_with(char::is_whitespace);
        let text = match (first, spaced) {
            (true, _) => format!("{name}: "),
            (false, true) => format!("{name} "),
            (false, false) => format!(" {name} "),
        };
        self.editor_mut().insert(&text);
        self.edited();
    }

    fn click_timeline(&mut self, area: Rect, at: Position) {
        let Some(room) = self.here() else { return };
        let visible = self.visible(room);
        let used: usize = visible.iter().map(|v| v.rows.len()).sum();
        // Few rows stand at the bottom of the pane.
        let first = usize::from(area.height).saturating_sub(used);
        let Some(mut row) = usize::from(at.y - area.y).checked_sub(first) else { return };
        for v in visible {
            if row < v.rows.len() {
                let folded = room.timeline.get(v.at).is_some_and(|item| {
                    let laid = item.laid.borrow();
                    laid.as_ref().is_some_and(|l| matches!(l.rows.get(v.rows.start + row), Some(Row::Fold(_))))
                });
                if folded {
                    self.unfold(v.at);
                }
                return;
            }
            row -= v.rows.len();
        }
    }
}

/// Which row of a list with one line of title was clicked.
fn list_row(area: Rect, at: Position) -> Option<usize> {
    let inside = area.contains(at);
    let row = at.y.checked_sub(area.y)?.checked_sub(1)?;
    inside.then_some(usize::from(row))
}
