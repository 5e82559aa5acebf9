//! The messages: days, unread line, headers, texts, states, countdowns, notices.

use estoile_engine::{DeliveryState, MessageView, Notice};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{put, put_right};
use crate::app::App;
use crate::lay::{self, INDENT, Row};
use crate::timeline::{Body, Item};
use crate::{inert, text, time};

pub(super) fn draw(app: &App, frame: &mut Frame<'_>, area: Rect) {
    let Some(room) = app.here() else { return };
    let visible = app.visible(room);
    let used: usize = visible.iter().map(|v| v.rows.len()).sum();
    let mut y = area.height.saturating_sub(text::columns(used));
    if y > 0 && room.timeline.more {
        put(frame, area, y - 1, &Line::styled("  reading older messages…", app.theme.quiet()));
    }
    for v in visible {
        let Some(item) = room.timeline.get(v.at) else { continue };
        let above = v.at.checked_sub(1).and_then(|i| room.timeline.get(i));
        let laid = lay::lay(item, above, usize::from(area.width), room.timeline.unread_from, &app.zone);
        for at in v.rows {
            let Some(row) = laid.rows.get(at) else { continue };
            draw_row(app, frame, area, y, item, row);
            if laid.meta == Some(at)
                && let Some(message) = item.message()
            {
                put_right(frame, Rect { width: area.width.saturating_sub(1), ..area }, y, &meta(app, message));
            }
            y += 1;
        }
    }
}

fn draw_row(app: &App, frame: &mut Frame<'_>, area: Rect, y: u16, item: &Item, row: &Row) {
    let theme = &app.theme;
    let line = match (row, &item.body) {
        (Row::Day(day), _) => rule(app, area, &time::day_name(*day, time::day(app.now, &app.zone)), theme.quiet()),
        (Row::Unread, _) => rule(app, area, "new", theme.unread()),
        (Row::Header, Body::Message(m)) => header(app, m, area),
        (Row::Text(text), Body::Message(m)) => Line::from_iter([gutter(app, m), Span::raw(text.clone())]),
        (Row::Meta, Body::Message(m)) => Line::from_iter([gutter(app, m)]),
        (Row::Fold(n), Body::Message(m)) => {
            let what = format!("… {n} more lines: Ctrl-O or a click shows them");
            let what = if app.ascii { what.replace('…', "...") } else { what };
            Line::from_iter([gutter(app, m), Span::styled(text::fit(&what, inner(area)), theme.accent())])
        }
        (Row::Why(why), Body::Message(m)) => Line::from_iter([gutter(app, m), Span::styled(why.clone(), theme.bad())]),
        (Row::Notice { first, text }, Body::Notice(n)) => {
            let mark = if *first { theme.glyphs.notice } else { " " };
            Line::from_iter([
                Span::styled(format!("{mark} "), theme.warning()),
                Span::styled(text.clone(), notice_style(app, n)),
            ])
        }
        (Row::Advice { first, text }, _) => {
            let mark = if *first { theme.glyphs.arrow } else { "" };
            Line::from_iter([
                Span::styled(format!("  {} ", text::pad(mark, 2)), theme.quiet()),
                Span::raw(text.clone()),
            ])
        }
        _ => Line::default(),
    };
    put(frame, area, y, &line);
}

fn notice_style(app: &App, _notice: &Notice) -> Style {
    app.theme.warning()
}

/// Columns of text beside the marks.
fn inner(area: Rect) -> usize {
    usize::from(area.width).saturating_sub(INDENT + 1)
}

/// `── Today ─────`
fn rule(app: &App, area: Rect, what: &str, style: Style) -> Line<'static> {
    let glyph = app.theme.glyphs.rule;
    let what = text::fit(what, usize::from(area.width).saturating_sub(8));
    let rest = usize::from(area.width).saturating_sub(text::width(&what) + 6);
    Line::styled(format!(" {}{} {what} {}", glyph, glyph, glyph.repeat(rest)), style)
}

/// Our own messages have a bar at their side.
fn gutter(app: &App, message: &MessageView) -> Span<'static> {
    if message.own {
        Span::styled(format!("{} ", app.theme.glyphs.own), app.theme.person(&message.key))
    } else {
        Span::raw("  ")
    }
}

fn header(app: &App, message: &MessageView, area: Rect) -> Line<'static> {
    let clock = time::clock(message.sent_at, &app.zone);
    let you = if message.own { " (you)" } else { "" };
    let room = inner(area).saturating_sub(clock.len() + you.len() + 2);
    let name = text::fit(&inert::line(&message.shown), room);
    let mark = if message.own { app.theme.glyphs.own } else { app.theme.person_mark(&message.key) };
    let style = app.theme.person(&message.key);
    Line::from_iter([
        Span::styled(format!("{mark} "), style),
        Span::styled(name, style),
        Span::styled(format!("{you}  {clock}"), app.theme.quiet()),
    ])
}

/// How far our message has come, and how long anybody's still lives.
fn meta(app: &App, message: &MessageView) -> Line<'static> {
    let (theme, glyphs) = (&app.theme, &app.theme.glyphs);
    let mut spans = Vec::new();
    if let Some(ends_at) = message.ends_at {
        let left = time::left(ends_at, app.now);
        let soon = ends_at.saturating_sub(app.now) < 10_000;
        spans.push(Span::styled(left, if soon { theme.warning() } else { theme.quiet() }));
    }
    if message.own {
        let (what, style) = match &message.state {
            DeliveryState::Sending => (String::from("sending"), theme.warning()),
            DeliveryState::Kept => (format!("{} kept", glyphs.kept), theme.quiet()),
            DeliveryState::Seen { by } => (format!("{} seen {}", glyphs.kept, (*by).min(999)), theme.good()),
            DeliveryState::Failed { .. } => (format!("{} not sent", glyphs.failed), theme.bad()),
        };
        if !spans.is_empty() {
            spans.push(Span::raw(" "));
        }
        spans.push(Span::styled(what, style));
    }
    Line::from(spans)
}
