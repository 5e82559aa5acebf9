//! Pages about people: contacts and requests, comparing, a link to share, devices.

use estoile_engine::{ContactState, ContactView, HistoryView};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;

use super::overlay::{boxed, scrolled};
use super::{list_start, put, qr};
use crate::app::{App, Comparing};
use crate::{inert, text, time};

pub(super) fn contacts(app: &App, frame: &mut Frame<'_>, screen: Rect, chosen: usize) {
    let mut lines: Vec<(String, Style)> = Vec::new();
    for contact in &app.overview.contacts {
        lines.push(contact_line(app, contact));
    }
    for invitation in &app.overview.invitations {
        let (room, from) = (inert::line(&invitation.name), inert::line(&invitation.from));
        lines.push((format!("{} {room}: {from} invites you", app.theme.glyphs.notice), app.theme.warning()));
    }
    let height = text::columns(lines.len().max(3) + 4);
    let area = boxed(app, frame, screen, 78, height, "Contacts: Enter accepts or compares, Esc closes");
    if lines.is_empty() {
        let empty = match app.overview.account {
            None => "There is no account here yet. Leave with /quit and run: estoile account new --as NAME --relay URL",
            Some(_) => "Nobody yet. /me shows your contact link; /add LINK asks somebody by theirs.",
        };
        for (i, row) in text::wrap(empty, usize::from(area.width)).into_iter().enumerate() {
            put(frame, area, text::columns(i), &Line::raw(row));
        }
        return;
    }
    let rows = usize::from(area.height).saturating_sub(2);
    let first = list_start(chosen, rows);
    for (i, (line, style)) in lines.into_iter().enumerate().skip(first).take(rows) {
        let style = if i == chosen { app.theme.chosen().patch(app.theme.strong()) } else { style };
        let line = text::pad(&text::fit(&line, usize::from(area.width)), usize::from(area.width));
        put(frame, area, text::columns(i - first), &Line::styled(line, style));
    }
    let about = "/me is your contact link, /add LINK asks somebody by theirs.";
    put(frame, area, area.height.saturating_sub(1), &Line::styled(about, app.theme.quiet()));
}

fn contact_line(app: &App, contact: &ContactView) -> (String, Style) {
    let name = inert::line(&contact.name);
    let glyphs = app.theme.glyphs;
    let heard = contact.last_heard.map_or(String::new(), |at| format!(", last heard {}", time::ago(at, app.now)));
    match &contact.state {
        ContactState::Accepted if contact.verified => {
            (format!("{} {name}: verified{heard}", glyphs.kept), app.theme.good())
        }
        ContactState::Accepted => (format!("  {name}: not compared yet{heard}"), Style::new()),
        ContactState::Asked => (format!("  {name}: asked, has not answered yet"), app.theme.quiet()),
        ContactState::Request { text } => {
            let said = if text.is_empty() { String::new() } else { format!(": {}", inert::line(text)) };
            (format!("{} {name} asks to be your contact{said}", glyphs.notice), app.theme.warning())
        }
        ContactState::Stopped { why } => (format!("{} {name}: {}", glyphs.stopped, inert::line(why)), app.theme.bad()),
    }
}

pub(super) fn verify(app: &App, frame: &mut Frame<'_>, screen: Rect, page: &Comparing) {
    let width = usize::from(screen.width.min(78)).saturating_sub(4);
    let mut lines = Vec::new();
    let intro = format!(
        "Call {0}, or meet. You see the same words and the same number as {0} does, or somebody stands between you.",
        page.name
    );
    lines.extend(text::wrap(&intro, width).into_iter().map(Line::raw));
    lines.push(Line::default());
    lines.extend(text::wrap(&page.view.words, width).into_iter().map(|r| Line::styled(r, app.theme.accent())));
    lines.push(Line::default());
    lines.extend(text::wrap(&page.view.number, width).into_iter().map(|r| Line::styled(r, app.theme.strong())));
    lines.push(Line::default());
    let ask = format!("Type the words or the number that {} reads out, and press Enter:", page.name);
    lines.extend(text::wrap(&ask, width).into_iter().map(Line::raw));
    let prompt = Span::styled(format!("{} ", app.theme.glyphs.prompt), app.theme.accent());
    let typed = if page.said.is_empty() { String::new() } else { inert::line(&page.said) };
    let mut said = text::wrap(&typed, width.saturating_sub(2)).into_iter();
    lines.push(Line::from_iter([prompt, Span::raw(said.next().unwrap_or_default())]));
    lines.extend(said.map(|row| Line::raw(format!("  {row}"))));
    lines.push(Line::default());
    lines.push(Line::styled("Ctrl-S: I compared both screens, they are the same", app.theme.quiet()));
    if let Some(code) = qr::rows(&page.view.qr).filter(|_| !app.ascii)
        && lines.len() + code.len() + 3 <= usize::from(screen.height)
    {
        lines.extend(code.into_iter().map(|row| Line::styled(row, code_style(app))));
    }
    scrolled(app, frame, screen, &format!("Comparing with {}", page.name), lines, 0);
}

fn code_style(app: &App) -> Style {
    if app.theme.has_colour() { Style::new().fg(Color::Indexed(231)).bg(Color::Indexed(16)) } else { Style::new() }
}

/// A link with its QR code, above it where it fits.
pub(super) fn share(app: &App, frame: &mut Frame<'_>, screen: Rect, title: &str, about: &str, link: &str) {
    frame.render_widget(Clear, screen);
    frame.buffer_mut().set_style(screen, app.theme.base());
    let width = usize::from(screen.width).saturating_sub(2);
    let mut words: Vec<(String, Style)> = vec![(title.to_owned(), app.theme.strong()), (String::new(), Style::new())];
    words.extend(text::wrap(&inert::line(link), width).into_iter().map(|row| (row, app.theme.accent())));
    words.push((String::new(), Style::new()));
    words.extend(text::wrap(about, width).into_iter().map(|row| (row, Style::new())));
    words.push((String::from("c copies it, any other key goes back."), app.theme.quiet()));
    let code = qr::rows(link).filter(|code| !app.ascii && code.len() + words.len() <= usize::from(screen.height));
    let mut y = 0;
    for row in code.unwrap_or_default() {
        put(frame, screen, y, &Line::styled(row, code_style(app)));
        y += 1;
    }
    let area = Rect { x: screen.x + 1.min(screen.width), width: screen.width.saturating_sub(2), ..screen };
    for (row, style) in words {
        put(frame, area, y, &Line::styled(row, style));
        y += 1;
    }
}

/// The words of a device link; `history`: on the old device, whether the messages come along.
pub(super) fn device(app: &App, frame: &mut Frame<'_>, screen: Rect, words: &str, history: Option<bool>) {
    let width = usize::from(screen.width.min(60)).saturating_sub(4);
    let mut lines = Vec::new();
    let intro = "Does the new device show these words?";
    lines.extend(text::wrap(intro, width).into_iter().map(Line::raw));
    lines.push(Line::default());
    lines.extend(text::wrap(&inert::line(words), width).into_iter().map(|r| Line::styled(r, app.theme.accent())));
    lines.push(Line::default());
    // Only the old device answers, and says whether the messages come along.
    let answer = match history {
        Some(brought) => {
            let tick = if brought { "x" } else { " " };
            lines.push(Line::raw(format!("[{tick}] h: bring the messages of the private rooms along")));
            lines.push(Line::default());
            "y: yes, the same    n: no, refuse it"
        }
        None => "The old device must say yes.",
    };
    lines.push(Line::styled(answer, app.theme.strong()));
    scrolled(app, frame, screen, "New device", lines, 0);
}

pub(super) fn devices(app: &App, frame: &mut Frame<'_>, screen: Rect) {
    let mut lines = Vec::new();
    match &app.overview.account {
        None => lines.push(Line::raw("There is no account here yet.")),
        Some(account) => {
            lines
                .push(Line::styled(format!("{}, at {}", inert::line(&account.name), account.host), app.theme.strong()));
            if let Some(history) = &app.overview.history {
                lines.push(Line::raw(bringing(history)));
            }
            for device in &account.devices {
                let name = if device.name.is_empty() { "device".to_owned() } else { inert::line(&device.name) };
                let mark = match (device.own, device.removed) {
                    (true, _) => ", this one",
                    (false, true) => ", removed",
                    (false, false) => "",
                };
                lines.push(Line::raw(format!("  {name} {:.16}{mark}", device.id)));
            }
        }
    }
    lines.push(Line::default());
    lines.push(Line::styled("/device links a new one; to remove one: estoile device remove DEVICE", app.theme.quiet()));
    scrolled(app, frame, screen, "Your devices", lines, 0);
}

/// How far the messages are that come along to a new device.
fn bringing(history: &HistoryView) -> String {
    if history.old {
        format!("  Bringing {} messages along: leave this program open.", history.messages)
    } else {
        format!("  {} of {} messages of the old device are here.", history.brought, history.messages)
    }
}
