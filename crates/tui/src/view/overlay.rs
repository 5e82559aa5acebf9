//! Pages over the rest: help, link, people, rooms, a passphrase, a question.

use estoile_engine::PersonView;
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Color, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;

use super::{contacts, list_start, panes, put, qr, welcome};
use crate::app::{App, Confirm, Overlay};
use crate::commands;
use crate::{inert, text, time};

/// Rows that the words of the link page take when none of them wraps.
const LINK_WORDS: usize = 8;

/// Keys worth knowing, as help shows them.
const KEYS: [(&str, &str); 17] = [
    ("Enter", "send"),
    ("Alt-Enter, Ctrl-J", "a new line in the message"),
    ("Tab", "complete a command or a name"),
    ("Up, Down", "what you sent before; lines of the message"),
    ("PageUp, PageDown", "scroll; so do Shift-Up, Shift-Down and the wheel"),
    ("Home, End", "oldest and newest (Ctrl-Home, Ctrl-End while typing)"),
    ("Esc", "to the newest message; closes lists and pages"),
    ("Alt-Up, Alt-Down", "the room above, below"),
    ("Alt-1 … Alt-9", "a room by its place"),
    ("Alt-N", "the next room with something unread"),
    ("F2, F3", "hide or show rooms, people"),
    ("Ctrl-R", "try the relay now"),
    ("Ctrl-O", "unfold long messages"),
    ("Ctrl-A E B F, Alt-B F", "move in the line"),
    ("Ctrl-K U W, Alt-D", "delete; Ctrl-Y brings it back"),
    ("Ctrl-L", "draw the screen anew"),
    ("Ctrl-C twice, Ctrl-D", "leave"),
];

pub(super) fn draw(app: &App, frame: &mut Frame<'_>, screen: Rect) {
    match &app.overlay {
        None => {}
        Some(Overlay::Help { scroll }) => help(app, frame, screen, *scroll),
        Some(Overlay::People { scroll }) => people(app, frame, screen, *scroll),
        Some(Overlay::Link) => link(app, frame, screen),
        Some(Overlay::Rooms { chosen }) => rooms(app, frame, screen, *chosen),
        Some(Overlay::Passphrase { room, entered, .. }) => {
            passphrase(app, frame, screen, room, entered.chars().count())
        }
        Some(Overlay::Confirm(what)) => confirm(app, frame, screen, what),
        Some(Overlay::Contacts { chosen }) => contacts::contacts(app, frame, screen, *chosen),
        Some(Overlay::Verify(page)) => contacts::verify(app, frame, screen, page),
        Some(Overlay::Share { title, about, link }) => contacts::share(app, frame, screen, title, about, link),
        Some(Overlay::Device { words, old, history }) => {
            contacts::device(app, frame, screen, words, old.then_some(*history));
        }
        Some(Overlay::Devices) => contacts::devices(app, frame, screen),
    }
}

/// A cleared box in the middle with a title in its frame; answers the room inside.
pub(super) fn boxed(app: &App, frame: &mut Frame<'_>, screen: Rect, width: u16, height: u16, title: &str) -> Rect {
    let (width, height) = (width.min(screen.width), height.min(screen.height));
    let area = Rect::new((screen.width - width) / 2, (screen.height - height) / 2, width, height);
    frame.render_widget(Clear, area);
    frame.buffer_mut().set_style(area, app.theme.base());
    let glyphs = app.theme.glyphs;
    let corners = if app.ascii { ["+"; 4] } else { ["┌", "┐", "└", "┘"] };
    let [tl, tr, bl, br] = corners;
    let across = usize::from(width).saturating_sub(2);
    let title = text::fit(&format!(" {title} "), across.saturating_sub(2));
    let rest = across.saturating_sub(text::width(&title) + 1);
    let top = Line::from_iter([
        Span::styled(format!("{tl}{}", glyphs.rule), app.theme.quiet()),
        Span::styled(title, app.theme.accent()),
        Span::styled(format!("{}{tr}", glyphs.rule.repeat(rest)), app.theme.quiet()),
    ]);
    put(frame, area, 0, &top);
    for row in 1..height.saturating_sub(1) {
        let side = Line::styled(glyphs.vertical, app.theme.quiet());
        put(frame, area, row, &side);
        put(frame, Rect { x: area.right().saturating_sub(1), width: 1, ..area }, row, &side);
    }
    let bottom = format!("{bl}{}{br}", glyphs.rule.repeat(across));
    put(frame, area, height.saturating_sub(1), &Line::styled(bottom, app.theme.quiet()));
    Rect::new(area.x + 2, area.y + 1, width.saturating_sub(4), height.saturating_sub(2))
}

/// A page that is longer than the screen scrolls; the frame says how it is left.
pub(super) fn scrolled(
    app: &App,
    frame: &mut Frame<'_>,
    screen: Rect,
    title: &str,
    lines: Vec<Line<'static>>,
    scroll: usize,
) {
    let height = text::columns(lines.len() + 2).min(screen.height);
    let shown = usize::from(height.saturating_sub(2));
    let more = lines.len() > shown;
    let title = match (more, screen.width >= 50) {
        (true, true) => format!("{title}: Up and Down scroll, Esc closes"),
        _ => format!("{title}: Esc closes"),
    };
    let area = boxed(app, frame, screen, 78, height, &title);
    let first = scroll.min(lines.len().saturating_sub(shown));
    for (i, line) in lines.iter().skip(first).take(shown).enumerate() {
        put(frame, area, text::columns(i), line);
    }
}

/// Two columns when there is room, else the explanation on a line of its own.
fn pair(app: &App, width: usize, left: &str, right: &str, lines: &mut Vec<Line<'static>>) {
    const LEFT: usize = 30;
    let left = if app.ascii { left.replace('…', "...") } else { left.to_owned() };
    if width >= 60 {
        let mut rows = text::wrap(right, width - LEFT).into_iter();
        let first = rows.next().unwrap_or_default();
        lines.push(Line::from_iter([Span::styled(text::pad(&left, LEFT), app.theme.accent()), Span::raw(first)]));
        lines.extend(rows.map(|row| Line::raw(format!("{}{row}", " ".repeat(LEFT)))));
    } else {
        lines.push(Line::styled(left, app.theme.accent()));
        lines.extend(text::wrap(right, width.saturating_sub(2)).into_iter().map(|row| Line::raw(format!("  {row}"))));
    }
}

fn help(app: &App, frame: &mut Frame<'_>, screen: Rect, scroll: usize) {
    let width = usize::from(screen.width.min(78)).saturating_sub(4);
    let mut lines = Vec::new();
    for spec in commands::all() {
        pair(app, width, &format!("/{} {}", spec.name, spec.takes), spec.does, &mut lines);
    }
    lines.push(Line::default());
    for (key, does) in KEYS {
        pair(app, width, key, does, &mut lines);
    }
    lines.push(Line::default());
    let states = [
        ("sending", "the relay does not have it yet"),
        ("kept", "the relay has it on its disk"),
        ("seen 2", "two others have told that they saw it; no relay can fake that"),
    ];
    for (state, means) in states {
        pair(app, width, state, means, &mut lines);
    }
    scrolled(app, frame, screen, "Help", lines, scroll);
}

fn people(app: &App, frame: &mut Frame<'_>, screen: Rect, scroll: usize) {
    let Some(room) = app.here() else { return };
    let width = usize::from(screen.width.min(78)).saturating_sub(4);
    let mut lines = Vec::new();
    for person in &room.people {
        let style = app.theme.person(&person.key);
        let name = text::fit(&inert::line(&person.shown), width.saturating_sub(2));
        lines.push(Line::from_iter([
            Span::styled(format!("{} ", app.theme.person_mark(&person.key)), style),
            Span::styled(name, style),
            Span::styled(format!("  {}", whereabouts(app, person)), app.theme.quiet()),
        ]));
        if let Some(account) = &person.account {
            let role = person.role.map_or("", estoile_engine::Role::word);
            let verified = if person.verified {
                ", verified"
            } else if person.own {
                ""
            } else {
                ", not compared yet: /verify"
            };
            let about = format!("  {role}{verified}, account {account:.16}");
            lines.push(Line::styled(text::fit(&about, width), app.theme.quiet()));
            continue;
        }
        let key = if person.key.is_empty() {
            String::from("your key here comes with your first message")
        } else {
            inert::line(&person.key)
        };
        let rows = text::wrap(&key, width.saturating_sub(4).clamp(2, 64));
        lines.extend(rows.into_iter().map(|row| Line::styled(format!("  {row}"), app.theme.quiet())));
    }
    if lines.is_empty() {
        lines.push(Line::raw("Nobody is known here yet."));
    }
    lines.push(Line::default());
    let about =
        "Under each name stands their key. Whoever compares it with you by another way is who you think they are.";
    lines.extend(text::wrap(about, width).into_iter().map(Line::raw));
    scrolled(app, frame, screen, "People", lines, scroll);
}

fn whereabouts(app: &App, person: &PersonView) -> String {
    if person.own {
        return String::from("you");
    }
    match (person.here, person.last_heard) {
        (true, _) => String::from("here"),
        (false, Some(at)) => match time::ago(at, app.now).as_str() {
            "now" => String::from("heard just now"),
            ago => format!("last heard {ago} ago"),
        },
        (false, None) => String::from("not heard yet"),
    }
}

fn link(app: &App, frame: &mut Frame<'_>, screen: Rect) {
    let Some(room) = app.here() else { return };
    frame.render_widget(Clear, screen);
    frame.buffer_mut().set_style(screen, app.theme.base());
    let link = inert::line(&room.view.link);
    let code = if app.ascii { None } else { qr::rows(&room.view.link) };
    let code_width = code.as_ref().and_then(|c| c.first()).map_or(0, |r| r.chars().count());
    let code_height = code.as_ref().map_or(0, Vec::len);
    let (width, height) = (usize::from(screen.width), usize::from(screen.height));
    // A link that fits into one row stands below the code, where a terminal can select it; else the words stand beside
    // the code if there is room, else below it, else there is no code.
    let one_row = text::width(&link) + 2 <= width && code_height + LINK_WORDS <= height;
    let beside = !one_row && code_height <= height && width >= code_width + 24;
    let words_width = if beside { width - code_width - 3 } else { width.saturating_sub(2) };
    let say = |what: &str, style: Style| {
        let rows = text::wrap(what, words_width);
        rows.into_iter().map(move |row| (row, style)).chain([(String::new(), Style::new())]).collect::<Vec<_>>()
    };
    let mut words = [
        say(&format!("The link of {}:", inert::line(&room.view.name)), app.theme.strong()),
        say(&link, app.theme.accent()),
        say(welcome::who_may(&room.view), Style::new()),
        say("c copies it, any other key goes back.", app.theme.quiet()),
    ]
    .concat();
    let below = !beside && code_height + words.len() <= height && code_width <= width;
    if !beside && !below && code.is_some() {
        words.extend(say("The window is too small for the QR code.", app.theme.quiet()));
    }
    let (x, y) = if beside {
        (code_width + 2, 0)
    } else if below {
        (1, code_height + 1)
    } else {
        (1, 0)
    };
    let words_area = Rect::new(
        text::columns(x),
        text::columns(y),
        text::columns(words_width),
        screen.height.saturating_sub(text::columns(y)),
    );
    for (i, (row, style)) in words.into_iter().enumerate() {
        put(frame, words_area, text::columns(i), &Line::styled(row, style));
    }
    if beside || below {
        let style = if app.theme.has_colour() {
            Style::new().fg(Color::Indexed(231)).bg(Color::Indexed(16))
        } else {
            Style::new()
        };
        for (i, row) in code.unwrap_or_default().into_iter().enumerate() {
            put(frame, screen, text::columns(i), &Line::styled(row, style));
        }
    }
}

fn rooms(app: &App, frame: &mut Frame<'_>, screen: Rect, chosen: usize) {
    let height = text::columns(app.rooms.len().max(1) + 2);
    let title = if screen.width >= 50 { "Rooms: Enter goes there, Esc closes" } else { "Rooms: Enter, Esc closes" };
    let area = boxed(app, frame, screen, 50, height, title);
    if app.rooms.is_empty() {
        put(frame, area, 0, &Line::raw("None yet. /open LINK opens one."));
    }
    let rows = usize::from(area.height);
    let first = list_start(chosen, rows);
    for (i, room) in app.rooms.iter().enumerate().skip(first).take(rows) {
        let line = panes::room_line(app, &room.view, i == chosen, usize::from(area.width));
        put(frame, area, text::columns(i - first), &line);
    }
}

fn passphrase(app: &App, frame: &mut Frame<'_>, screen: Rect, room: &str, typed: usize) {
    let area = boxed(app, frame, screen, 60, 7, "Passphrase");
    let width = usize::from(area.width);
    put(frame, area, 0, &Line::raw(text::fit(&format!("The room {room} opens with a passphrase."), width)));
    let dots = (if app.ascii { "*" } else { "•" }).repeat(typed.min(width.saturating_sub(3)));
    let prompt = Span::styled(format!("{} ", app.theme.glyphs.prompt), app.theme.accent());
    put(frame, area, 2, &Line::from_iter([prompt, Span::raw(dots)]));
    put(frame, area, 4, &Line::styled("Enter opens the room, Esc goes back.", app.theme.quiet()));
    let x = area.x + 2 + text::columns(typed.min(width.saturating_sub(3)));
    if area.height > 2 && x < screen.right() {
        frame.set_cursor_position(Position::new(x, area.y + 2));
    }
}

fn confirm(app: &App, frame: &mut Frame<'_>, screen: Rect, what: &Confirm) {
    let question = match what {
        Confirm::Forget(id) => {
            let name = app.room(*id).map_or(String::new(), |r| inert::line(&r.view.name));
            format!(
                "Forget {name} and all that is kept of it on this machine? Others keep theirs; you need the link to come back."
            )
        }
        Confirm::Leave(id) => {
            let name = app.room(*id).map_or(String::new(), |r| inert::line(&r.view.name));
            format!("Leave {name}? What you have read stays here; you come back only if somebody there adds you again.")
        }
        Confirm::Remove { name, .. } => {
            let name = inert::line(name);
            format!(
                "Remove {name} with all their devices? They can't read what is said from then on; what they have read they keep."
            )
        }
        Confirm::Quit => String::from(
            "Some messages have not reached the relay, and nothing is kept here after you leave. Leave all the same?",
        ),
    };
    let width = screen.width.min(60);
    let rows = text::wrap(&question, usize::from(width).saturating_sub(4));
    let area = boxed(app, frame, screen, width, text::columns(rows.len() + 4), "Sure?");
    let last = text::columns(rows.len() + 1).min(area.height.saturating_sub(1));
    for (i, row) in rows.into_iter().enumerate() {
        put(frame, area, text::columns(i), &Line::raw(row));
    }
    frame.render_widget(Clear, Rect { y: area.y + last, height: 1.min(area.height), ..area }.intersection(screen));
    put(frame, area, last, &Line::styled("y: yes    any other key: no", app.theme.accent()));
}
