//! The first screen: an empty room, a room being read, no room at all. It says what to do next.

use estoile_engine::{ConnectionView, RoomView};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use super::put;
use crate::app::{App, Room};
use crate::{inert, text};

/// How much is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Words {
    All,
    Few,
    Fewest,
}

/// A page as it grows: rows with their styles.
struct Page<'a> {
    app: &'a App,
    words: Words,
    width: usize,
    rows: Vec<(String, Style)>,
}

impl Page<'_> {
    fn say(&mut self, what: &str) {
        self.styled(what, Style::new());
    }

    fn styled(&mut self, what: &str, style: Style) {
        self.rows.extend(text::wrap(what, self.width).into_iter().map(|row| (row, style)));
    }

    fn gap(&mut self) {
        if self.words != Words::All {
            return;
        }
        self.rows.push((String::new(), Style::new()));
    }

    /// A link breaks anywhere, and stands at the edge so that it can be copied.
    fn link(&mut self, link: &str) {
        let style = self.app.theme.accent();
        self.rows.extend(text::wrap(link, self.width).into_iter().map(|row| (row, style)));
    }

    fn command(&mut self, command: &str, does: &str) {
        if self.width >= 50 {
            self.say(&format!("{}{does}", text::pad(command, 14)));
        } else {
            self.say(&format!("{command}: {does}"));
        }
    }
}

pub(super) fn draw(app: &App, frame: &mut Frame<'_>, area: Rect) {
    let inside = Rect { x: area.x + 2.min(area.width), width: area.width.saturating_sub(3), ..area };
    let height = usize::from(inside.height);
    // A low screen gets fewer words, and always those that say what to do.
    let pages = [Words::All, Words::Few, Words::Fewest].map(|words| {
        let mut page = Page { app, words, width: usize::from(inside.width), rows: Vec::new() };
        match app.here() {
            Some(room) => in_room(app, room, &mut page),
            None => lobby(app, &mut page),
        }
        page.rows
    });
    let [all, few, fewest] = pages;
    let rows = [all, few].into_iter().find(|rows| rows.len() <= height).unwrap_or(fewest);
    let top = text::columns(height.saturating_sub(rows.len()).min(1));
    for (i, (row, style)) in rows.into_iter().enumerate() {
        put(frame, inside, text::columns(i) + top, &Line::styled(row, style));
    }
}

fn lobby(app: &App, page: &mut Page<'_>) {
    let theme = app.theme;
    if !app.known {
        page.styled("Opening your rooms", theme.quiet());
        return;
    }
    page.styled("Welcome to Estoile.", theme.accent());
    page.gap();
    page.say("There is no room here yet.");
    page.gap();
    page.command("/open LINK", "joins the room of that link");
    if app.overview.account.is_some() {
        page.command("/new NAME", "makes a private room");
        page.command("/contacts", "shows whom you know, and who asks");
    }
    page.command("/help", "shows all commands and keys");
    page.command("/quit", "leaves");
    page.gap();
    page.say("To make a room of your own, run `estoile up` in another terminal: it prints the link to share.");
    notes(app, page);
    for notice in &app.lobby_notices {
        page.gap();
        page.styled(&format!("{} {}", theme.glyphs.notice, inert::line(&notice.detail)), theme.warning());
        page.say(&inert::line(&notice.advice));
    }
}

fn notes(app: &App, page: &mut Page<'_>) {
    if page.words == Words::Fewest {
        return;
    }
    for note in &app.notes {
        page.gap();
        page.styled(&inert::line(note), app.theme.warning());
    }
}

fn in_room(app: &App, room: &Room, page: &mut Page<'_>) {
    let theme = app.theme;
    let name = inert::line(&room.view.name);
    if page.words == Words::All {
        page.styled(&format!("Welcome to {name}."), theme.accent());
        page.gap();
    }
    if let Some(why) = &room.view.stopped {
        page.styled(&inert::line(why), theme.bad());
        notes(app, page);
        return;
    }
    let settled = room.loaded && matches!(room.view.connection, ConnectionView::Online);
    if !settled {
        page.styled(waiting(&room.view.connection), theme.warning());
        notes(app, page);
        return;
    }
    match (room.alone(), page.words) {
        (true, Words::All) => {
            page.say("You are the first one here. Send this link to whom you want here, by a way that you trust:");
            page.gap();
            page.link(&inert::line(&room.view.link));
            page.gap();
            page.say(who_may(&room.view));
            page.say("/link shows it again with a QR code to scan; /copy copies it.");
        }
        (true, Words::Few) => {
            page.say("Invite others with this link (/copy copies it):");
            page.link(&inert::line(&room.view.link));
        }
        (true, Words::Fewest) => page.say("/link invites others."),
        (false, Words::Fewest) => {}
        (false, _) => page.say("Nothing has been said here that is still kept."),
    }
    page.gap();
    if page.words == Words::All {
        page.say("Type a message and press Enter. /help shows all commands and keys.");
    } else {
        page.say("/help shows the rest.");
    }
    notes(app, page);
}

/// What somebody can do who gets hold of a room's link.
pub(super) fn who_may(room: &RoomView) -> &'static str {
    if room.link.contains("/#p/") {
        "Whoever has it and the passphrase can read and write here. Send the two by different ways."
    } else {
        "Whoever has it can read and write here, so send it by a way that you trust."
    }
}

const fn waiting(connection: &ConnectionView) -> &'static str {
    match connection {
        ConnectionView::Connecting => "Reaching the relay. You can write already; it is sent when the relay answers.",
        ConnectionView::CatchingUp | ConnectionView::Online => "Reading what is waiting here.",
        ConnectionView::Offline { .. } => {
            "The relay can't be reached just now, and is tried again. You can write already; it is sent when the relay \
             is back. If it stays away, ask whoever runs it whether it is up, and check your network."
        }
    }
}
