//! The lists at the sides and the line above the messages.

use estoile_engine::{ConnectionView, PersonView, RoomView};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{list_start, put, put_right};
use crate::app::App;
use crate::{inert, text, time};

/// A room's connection as one mark.
pub(super) fn mark(app: &App, room: &RoomView) -> (&'static str, Style) {
    let (theme, glyphs) = (&app.theme, &app.theme.glyphs);
    if room.stopped.is_some() {
        return (glyphs.stopped, theme.bad());
    }
    match room.connection {
        ConnectionView::Online => (glyphs.here, theme.good()),
        ConnectionView::Connecting | ConnectionView::CatchingUp => (glyphs.busy, theme.warning()),
        ConnectionView::Offline { .. } => (glyphs.lost, theme.bad()),
    }
}

fn rule_beside(app: &App, frame: &mut Frame<'_>, x: u16, area: Rect) {
    for row in 0..area.height {
        let column = Rect { x, width: 1, ..area };
        put(frame, column, row, &Line::styled(app.theme.glyphs.vertical, app.theme.quiet()));
    }
}

pub(super) fn rooms(app: &App, frame: &mut Frame<'_>, area: Option<Rect>) {
    let Some(area) = area else { return };
    rule_beside(app, frame, area.right(), area);
    put(frame, area, 0, &Line::styled(" Rooms", app.theme.quiet()));
    let rows = usize::from(area.height.saturating_sub(1));
    let chosen = app.rooms.iter().position(|r| Some(r.view.id) == app.current).unwrap_or(0);
    let first = list_start(chosen, rows);
    for (i, room) in app.rooms.iter().enumerate().skip(first).take(rows) {
        let here = Some(room.view.id) == app.current;
        let line = room_line(app, &room.view, here, usize::from(area.width));
        put(frame, area, text::columns(i - first + 1), &line);
    }
    if app.rooms.is_empty() && app.known {
        put(frame, area, 1, &Line::styled(" none yet", app.theme.quiet()));
    }
}

/// One room of a list: mark, name, unread count at the end.
pub(super) fn room_line(app: &App, room: &RoomView, chosen: bool, width: usize) -> Line<'static> {
    let (glyph, style) = mark(app, room);
    let count = if room.unread > 0 { format!(" {}", room.unread.min(9999)) } else { String::new() };
    let lock = if room.private.is_some() { format!(" {}", app.theme.glyphs.private) } else { String::new() };
    let name = format!("{}{lock}", inert::line(&room.name));
    let name = text::pad(&name, width.saturating_sub(4 + count.len()));
    let name_style = match (chosen, room.unread > 0) {
        (true, _) => app.theme.chosen().patch(app.theme.strong()),
        (_, true) => app.theme.strong(),
        _ => Style::new(),
    };
    let edge = if chosen { app.theme.chosen() } else { Style::new() };
    Line::from_iter([
        Span::styled(" ", edge),
        Span::styled(glyph, if chosen { edge } else { style }),
        Span::styled(" ", edge),
        Span::styled(name, name_style),
        Span::styled(count, if chosen { name_style } else { app.theme.unread() }),
        Span::styled(" ", edge),
    ])
}

pub(super) fn people(app: &App, frame: &mut Frame<'_>, area: Option<Rect>) {
    let (Some(area), Some(room)) = (area, app.here()) else { return };
    rule_beside(app, frame, area.x.saturating_sub(1), area);
    let title = format!(" Here {}", room.here());
    put(frame, area, 0, &Line::styled(title, app.theme.quiet()));
    let rows = usize::from(area.height.saturating_sub(1));
    for (i, person) in room.people.iter().take(rows).enumerate() {
        let last = i + 1 == rows && room.people.len() > rows;
        let line = if last {
            Line::styled(format!(" and {} more", room.people.len() - i), app.theme.quiet())
        } else {
            person_line(app, person, usize::from(area.width))
        };
        put(frame, area, text::columns(i + 1), &line);
    }
}

/// One person of a list: mark, name, and a word beside it.
fn person_line(app: &App, person: &PersonView, width: usize) -> Line<'static> {
    let present = person.here || person.own;
    let verified = if person.verified { format!(" {}", app.theme.glyphs.kept) } else { String::new() };
    let beside = if person.own {
        String::from(" you")
    } else if person.typing {
        String::from(" …")
    } else if present {
        String::new()
    } else {
        person.last_heard.map_or(String::new(), |at| format!(" {}", time::ago(at, app.now)))
    };
    let beside = if app.ascii { beside.replace('…', "...") } else { beside };
    let beside = format!("{beside}{verified}");
    let name = text::pad(&inert::line(&person.shown), width.saturating_sub(4 + text::width(&beside)));
    let (glyph, style) = if present {
        (app.theme.person_mark(&person.key), app.theme.person(&person.key))
    } else {
        (app.theme.glyphs.away, app.theme.quiet())
    };
    Line::from_iter([
        Span::raw(" "),
        Span::styled(glyph, style),
        Span::raw(" "),
        Span::styled(name, style),
        Span::styled(beside, app.theme.quiet()),
    ])
}

pub(super) fn head(app: &App, frame: &mut Frame<'_>, area: Option<Rect>) {
    let Some(area) = area else { return };
    let Some(room) = app.here() else {
        put(frame, area, 0, &Line::styled(" Estoile", app.theme.accent()));
        return;
    };
    let elsewhere = app.unread().saturating_sub(room.view.unread);
    let listed = |pane: Option<Rect>| pane.is_some();
    let areas = super::areas(app);
    let beside = match (listed(areas.rooms), elsewhere, listed(areas.people)) {
        (false, 1.., _) => format!("{elsewhere} unread elsewhere: Alt-N "),
        (_, _, false) => format!("{} here ", room.here()),
        _ => String::new(),
    };
    let name = inert::line(&room.view.name);
    let name = text::fit(&name, usize::from(area.width).saturating_sub(2));
    let room_left = usize::from(area.width).saturating_sub(text::width(&name) + 1);
    put(frame, area, 0, &Line::from_iter([Span::raw(" "), Span::styled(name, app.theme.accent())]));
    let host = inert::line(&room.view.host);
    let with_host = if beside.is_empty() { format!("{host} ") } else { format!("{host} · {beside}") };
    let with_host = if app.ascii { with_host.replace('·', "-") } else { with_host };
    for candidate in [with_host, beside] {
        if text::width(&candidate) < room_left {
            put_right(frame, area, 0, &Line::styled(candidate, app.theme.quiet()));
            break;
        }
    }
}
