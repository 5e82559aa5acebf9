//! The line between messages and input: the relay's state, what was just done or refused, who types.

use estoile_engine::ConnectionView;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{panes, put, put_right};
use crate::app::{App, Room};
use crate::{inert, text, time};

/// Rows that a sentence may take when it does not fit into one.
const MAX_ROWS: usize = 4;

/// What the line says.
struct Says {
    text: String,
    style: Style,
}

/// Rows it takes: one, or more for a sentence that must be read whole.
pub(super) fn rows(app: &App, width: usize) -> usize {
    if app.size.1 < 4 {
        return 0;
    }
    match (&app.flash, app.size.1 >= 12) {
        (Some(flash), true) => text::wrap(&flash.text, width.saturating_sub(4)).len().clamp(1, MAX_ROWS),
        _ => 1,
    }
}

pub(super) fn draw(app: &App, frame: &mut Frame<'_>, area: Rect) {
    if area.height == 0 {
        return;
    }
    let rule = app.theme.glyphs.rule.repeat(usize::from(area.width));
    put(frame, area, 0, &Line::styled(rule, app.theme.quiet()));
    if let Some(flash) = &app.flash {
        let style = if flash.error { app.theme.bad() } else { app.theme.good() };
        let mut lines = text::wrap(&flash.text, usize::from(area.width).saturating_sub(4));
        if lines.len() > usize::from(area.height) {
            lines = vec![text::fit(&flash.text, usize::from(area.width).saturating_sub(4))];
        }
        for (row, line) in lines.into_iter().enumerate() {
            let lead = if row == 0 { app.theme.glyphs.rule } else { " " };
            let line = [
                Span::styled(format!("{lead} "), app.theme.quiet()),
                Span::styled(line, style),
                Span::styled(" ", app.theme.quiet()),
            ];
            put(frame, area, text::columns(row), &Line::from_iter(line));
        }
        return;
    }
    let says = says(app);
    let (aside, aside_style) = aside(app);
    let room = usize::from(area.width).saturating_sub(5 + text::width(&aside));
    let mut spans = vec![Span::styled(format!("{} ", app.theme.glyphs.rule), app.theme.quiet())];
    if let Some(here) = app.here() {
        let (glyph, style) = panes::mark(app, &here.view);
        spans.push(Span::styled(format!("{glyph} "), style));
    }
    spans.push(Span::styled(text::fit(&says.text, room.saturating_sub(2)), says.style));
    spans.push(Span::raw(" "));
    put(frame, area, 0, &Line::from(spans));
    let before_edge = Rect { width: area.width.saturating_sub(1), ..area };
    put_right(frame, before_edge, 0, &Line::styled(aside, aside_style));
}

/// What stands at the right: that newer messages are below, else where help is.
fn aside(app: &App) -> (String, Style) {
    let narrow = app.size.0 < 48;
    let Some(room) = app.here().filter(|r| r.scroll.anchor.is_some()) else {
        return (String::from(if narrow { "" } else { " /help " }), app.theme.quiet());
    };
    let down = app.theme.glyphs.down;
    match (room.scroll.below, narrow) {
        (0, false) => (format!(" {down} newer below: Esc "), app.theme.accent()),
        (0, true) => (format!(" {down} Esc "), app.theme.accent()),
        (n, false) => (format!(" {down} {n} new below: Esc "), app.theme.unread()),
        (n, true) => (format!(" {down} {n} new "), app.theme.unread()),
    }
}

fn says(app: &App) -> Says {
    let theme = &app.theme;
    if app.opening {
        return Says { text: String::from("opening the room…"), style: theme.warning() };
    }
    let Some(room) = app.here() else {
        let text = if app.known { "no room yet: /open and a link" } else { "opening your rooms" };
        return Says { text: text.to_owned(), style: theme.quiet() };
    };
    if let Some(why) = &room.view.stopped {
        return Says { text: inert::line(why), style: theme.bad() };
    }
    match &room.view.connection {
        ConnectionView::Online => online(app, room),
        ConnectionView::Connecting => Says { text: String::from("reaching the relay…"), style: theme.warning() },
        ConnectionView::CatchingUp => Says { text: String::from("reading what is waiting…"), style: theme.warning() },
        ConnectionView::Offline { why, retry_at } => {
            let text = match retry_at {
                Some(at) if *at > app.now => gone(app, (at - app.now).div_ceil(1000)),
                Some(_) => String::from("relay gone, trying again now"),
                None => format!("{} Ctrl-R tries again", inert::line(why)),
            };
            Says { text, style: theme.bad() }
        }
    }
}

/// When the relay is tried again and how to do it now, in as many words as there is room for.
fn gone(app: &App, seconds: u64) -> String {
    let whole = format!("relay gone, trying again in {seconds} s: Ctrl-R now");
    let shorter = format!("gone, again in {seconds} s: Ctrl-R now");
    let room = usize::from(app.size.0).saturating_sub(7);
    [whole, shorter].into_iter().find(|t| text::width(t) <= room).unwrap_or_else(|| format!("again in {seconds} s"))
}

/// Nothing is wrong: who types, else who one is and how long one's messages live.
fn online(app: &App, room: &Room) -> Says {
    let typing: Vec<String> =
        room.people.iter().filter(|p| p.typing && !p.own).map(|p| inert::line(&p.shown)).collect();
    let text = match typing.as_slice() {
        [] => {
            let name = inert::line(&room.view.own_name);
            match room.view.ttl {
                Some(ttl) => format!("you are {name}, your messages live {}", time::span(ttl)),
                None => format!("you are {name}"),
            }
        }
        [one] => format!("{one} is typing"),
        [one, two] => format!("{one} and {two} are typing"),
        [one, rest @ ..] => format!("{one} and {} others are typing", rest.len()),
    };
    Says { text, style: app.theme.quiet() }
}
