//! Draws the state. A function of it alone: no state of its own, no I/O, no clock.
//!
//! All text that came from a peer passes through [`crate::inert`] on its way here.

mod contacts;
mod overlay;
mod panes;
mod qr;
mod status;
mod timeline;
mod welcome;

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::Line;

use crate::app::{App, Popup};
use crate::commands::Candidate;
use crate::text;

/// Screens narrower than this show no list of rooms; `/rooms` opens it as a page.
const ROOMS_FROM: u16 = 56;

/// Screens narrower than this show no list of people; `/people` opens it as a page.
const PEOPLE_FROM: u16 = 72;

/// Screens lower than this spend no row on the room's name.
const HEAD_FROM: u16 = 6;

/// Rows of the list of what can be completed.
const POPUP_ROWS: usize = 8;

/// Screens narrower than this show in that list what a command does, and not what it takes.
const NARROW_POPUP: u16 = 60;

/// Columns before the input: the prompt and a space.
const PROMPT: u16 = 2;

/// Where everything is. The mouse asks this too, so a click hits what is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Areas {
    pub(crate) rooms: Option<Rect>,
    pub(crate) people: Option<Rect>,
    pub(crate) head: Option<Rect>,
    pub(crate) timeline: Rect,
    pub(crate) status: Rect,
    pub(crate) input: Rect,
}

impl Areas {
    /// Columns that the input's text has.
    pub(crate) fn input_columns(&self) -> usize {
        usize::from(self.input.width.saturating_sub(PROMPT))
    }
}

/// Divides the screen.
pub(crate) fn areas(app: &App) -> Areas {
    let (width, height) = app.size;
    let side = if width >= 100 { 22 } else { 15 };
    let input_width = usize::from(width.saturating_sub(PROMPT));
    let wanted = text::columns(app.editor().rows(input_width).rows.len());
    let input_rows = wanted.clamp(1, (height / 3).max(1));
    let status_rows = text::columns(status::rows(app, usize::from(width))).min(height.saturating_sub(input_rows + 1));
    let top = height.saturating_sub(input_rows + status_rows);
    let rooms = (width >= ROOMS_FROM && !app.hide_rooms).then(|| Rect::new(0, 0, side, top));
    let people = (width >= PEOPLE_FROM && !app.hide_people && app.current.is_some())
        .then(|| Rect::new(width.saturating_sub(side), 0, side, top));
    // One column between panes is the line that parts them.
    let left = rooms.map_or(0, |r| r.width + 1);
    let right = people.map_or(0, |r| r.width + 1);
    let middle = width.saturating_sub(left + right);
    let head = (height >= HEAD_FROM).then(|| Rect::new(left, 0, middle, 1));
    let head_rows = head.map_or(0, |h| h.height);
    Areas {
        rooms,
        people,
        head,
        timeline: Rect::new(left, head_rows, middle, top.saturating_sub(head_rows)),
        status: Rect::new(0, top, width, status_rows),
        input: Rect::new(0, top + status_rows, width, input_rows.min(height.saturating_sub(top + status_rows))),
    }
}

/// Draws a whole screen.
pub(crate) fn view(app: &App, frame: &mut Frame<'_>) {
    let screen = frame.area();
    frame.buffer_mut().set_style(screen, app.theme.base());
    let areas = areas(app);
    panes::rooms(app, frame, areas.rooms);
    panes::people(app, frame, areas.people);
    panes::head(app, frame, areas.head);
    if app.here().is_some_and(|r| r.timeline.len() > 0) {
        timeline::draw(app, frame, areas.timeline);
    } else {
        welcome::draw(app, frame, areas.timeline);
    }
    status::draw(app, frame, areas.status);
    draw_input(app, frame, areas.input);
    if let Some(popup) = &app.popup {
        draw_popup(app, popup, frame, popup_area(areas.status, popup));
    }
    overlay::draw(app, frame, screen);
}

/// Puts one line into the screen, cut at the area's edge; outside of the screen nothing happens.
fn put(frame: &mut Frame<'_>, area: Rect, row: u16, line: &Line<'_>) {
    let area = area.intersection(frame.area());
    if row < area.height && area.width > 0 {
        frame.buffer_mut().set_line(area.x, area.y + row, line, area.width);
    }
}

/// Puts text so that it ends at the area's right edge.
fn put_right(frame: &mut Frame<'_>, area: Rect, row: u16, line: &Line<'_>) {
    let wide = text::columns(line.spans.iter().map(|s| text::width(&s.content)).sum());
    if wide <= area.width {
        put(frame, Rect { x: area.right() - wide, width: wide, ..area }, row, line);
    }
}

fn draw_input(app: &App, frame: &mut Frame<'_>, area: Rect) {
    let editor = app.editor();
    let columns = usize::from(area.width.saturating_sub(PROMPT));
    let rows = editor.rows(columns);
    let shown = usize::from(area.height);
    // The row with the cursor is always in sight.
    let first = list_start(rows.cursor_row, shown).min(rows.rows.len().saturating_sub(shown));
    for (i, row) in rows.rows.iter().skip(first).take(shown).enumerate() {
        let prompt = if first + i == 0 { app.theme.glyphs.prompt } else { " " };
        let line = Line::from_iter([
            ratatui::text::Span::styled(format!("{prompt} "), app.theme.accent()),
            ratatui::text::Span::raw(row.clone()),
        ]);
        put(frame, area, text::columns(i), &line);
    }
    if editor.is_empty() && app.overlay.is_none() {
        let hint = match app.here() {
            Some(_) => "Type a message, or / for commands",
            None => "Type / for commands",
        };
        let at = Rect { x: area.x + PROMPT.min(area.width), width: area.width.saturating_sub(PROMPT), ..area };
        put(frame, at, 0, &Line::styled(text::fit(hint, columns), app.theme.quiet()));
    }
    if app.overlay.is_none() && area.height > 0 {
        let x = area.x + PROMPT + text::columns(rows.cursor_column);
        let y = area.y + text::columns(rows.cursor_row.saturating_sub(first));
        frame.set_cursor_position(Position::new(x.min(area.right().saturating_sub(1)), y.min(area.bottom() - 1)));
    }
}

/// The first row to show of a list so that the chosen one is in sight.
pub(crate) const fn list_start(chosen: usize, rows: usize) -> usize {
    (chosen + 1).saturating_sub(rows)
}

/// Where the list of what can be completed is: right above the status line.
pub(crate) fn popup_area(status: Rect, popup: &Popup) -> Rect {
    let rows = text::columns(popup.completion.candidates.len().min(POPUP_ROWS)).min(status.y);
    Rect::new(status.x, status.y - rows, status.width, rows)
}

fn draw_popup(app: &App, popup: &Popup, frame: &mut Frame<'_>, area: Rect) {
    frame.render_widget(ratatui::widgets::Clear, area);
    frame.buffer_mut().set_style(area, app.theme.base());
    let candidates = &popup.completion.candidates;
    let first = list_start(popup.chosen, usize::from(area.height));
    // On a narrow screen what a command does counts for more than what it takes.
    let takes = |c: &Candidate| if area.width < NARROW_POPUP { "" } else { c.takes };
    let head = |c: &Candidate| format!("{} {}", c.text.trim_end(), takes(c));
    let widest = candidates.iter().map(|c| text::width(&head(c))).max().unwrap_or(0);
    for (i, candidate) in candidates.iter().enumerate().skip(first).take(usize::from(area.height)) {
        let whole = text::pad(
            &format!("  {}  {}", text::pad(&head(candidate), widest), candidate.does),
            usize::from(area.width),
        );
        let style = if i == popup.chosen { app.theme.chosen() } else { Style::new() };
        put(frame, area, text::columns(i - first), &Line::styled(whole, style));
    }
}

#[cfg(test)]
mod golden;
