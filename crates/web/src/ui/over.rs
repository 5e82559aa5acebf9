//! Dialogs over everything: the switcher, a link's true target, a link to share, questions before something is done.

use estoile_engine::{Command, PrivateCommand, RoomId};

use super::prelude::*;
use crate::app::Over;
use crate::model::inert;
use crate::model::switcher::{Place, places};

/// What lies over the screens, if anything does.
pub(crate) fn over(app: App) -> AnyView {
    (move || app.over.get().map(|over| shown(app, over))).into_any()
}

fn shown(app: App, over: Over) -> AnyView {
    let open = RwSignal::new(true);
    Effect::new(move |_| {
        if !open.get() {
            app.over.set(None);
        }
    });
    let (title, body): (&'static str, AnyView) = match over {
        Over::Switcher => ("Go to", switcher(app)),
        Over::Target(target) => ("Open this address?", self::target(app, &target)),
        Over::Share { title, about, link } => ("A link", share(app, &title, &about, &link)),
        Over::Forget(room) => ("Forget this room?", forget(app, room)),
        Over::Leave(room) => ("Leave this room?", leave(app, room)),
        Over::Remove { room, account, name } => ("Remove somebody?", remove(app, room, &account, &name)),
        Over::People(room) => ("Who is here", super::room::here(app, room)),
        Over::Trust => ("Where this program is from", trust(app)),
    };
    parts::dialog_shown(open, title, body)
}

fn close(app: App) -> AnyView {
    parts::act("quiet", "Cancel", move || app.over.set(None))
}

/// Rooms, people, screens by a few letters.
fn switcher(app: App) -> AnyView {
    let (typed, chosen) = (RwSignal::new(String::new()), RwSignal::new(0_usize));
    let found: Memo<Vec<Place>> =
        Memo::new(move |_| app.rooms.with(|r| app.overview.with(|o| typed.with(|t| places(r, o, t)))));
    let go = move |at: usize| {
        if let Some(place) = found.with_untracked(|f| f.get(at).cloned()) {
            app.over.set(None);
            app.go(place.screen);
        }
    };
    let key = move |event: web_sys::KeyboardEvent| {
        let count = found.with_untracked(Vec::len).max(1);
        match event.key().as_str() {
            "ArrowDown" => chosen.update(|c| *c = (*c + 1) % count),
            "ArrowUp" => chosen.update(|c| *c = (*c + count - 1) % count),
            "Enter" if !event.is_composing() => go(chosen.get_untracked()),
            _ => return,
        }
        event.prevent_default();
    };
    let one = move |(at, place): (usize, Place)| {
        div()
            .class("suggest-row")
            .attr("role", "option")
            .attr("id", format!("place-{at}"))
            .attr("aria-selected", move || if chosen.get() == at { "true" } else { "false" })
            .on(ev::click, move |_| go(at))
            .child((
                strong().attr("dir", "auto").child(place.name),
                span().class("muted").child(place.kind),
                (place.unread > 0).then(|| span().class("badge").child(place.unread.to_string())),
            ))
            .into_any()
    };
    let rows = move || found.get().into_iter().enumerate().map(one).collect::<Vec<_>>();
    div()
        .class("switcher")
        .child((
            input()
                .attr("type", "text")
                .attr("autofocus", "")
                .attr("role", "combobox")
                .attr("aria-label", "Where to")
                .attr("aria-expanded", "true")
                .attr("aria-controls", "places")
                .attr("aria-activedescendant", move || {
                    found.with(|f| (!f.is_empty()).then(|| format!("place-{}", chosen.get())))
                })
                .attr("autocomplete", "off")
                .attr("spellcheck", "false")
                .on_target(ev::input, move |event| {
                    typed.set(event.target().value());
                    chosen.set(0);
                })
                .on(ev::keydown, key),
            div().attr("id", "places").attr("role", "listbox").attr("aria-label", "Places").child(rows),
        ))
        .into_any()
}

/// A link's true target, before it opens.
fn target(app: App, target: &str) -> AnyView {
    let copied = target.to_owned();
    div()
        .class("target")
        .child((
            p().child("A message links to this address. What waits there is not Estoile's, and its owner learns that you came."),
            p().child(bdi().class("code").attr("dir", "ltr").child(target.to_owned())),
            div().class("actions").child((
                a().class("button primary")
                    .attr("href", target.to_owned())
                    .attr("target", "_blank")
                    .attr("rel", "noopener noreferrer")
                    .attr("referrerpolicy", "no-referrer")
                    .on(ev::click, move |_| app.over.set(None))
                    .child("Open in a new tab"),
                parts::act("", "Copy", move || app.copy(copied.clone(), "The address is in your clipboard.")),
                close(app),
            )),
        ))
        .into_any()
}

fn share(app: App, title: &str, about: &str, link: &str) -> AnyView {
    let copied = link.to_owned();
    div()
        .class("share")
        .child((
            p().class("lead").child(title.to_owned()),
            p().child(about.to_owned()),
            p().child(bdi().class("code").attr("dir", "ltr").child(link.to_owned())),
            super::people::qr(link),
            div().class("actions").child(parts::act("primary", "Copy the link", move || {
                app.copy(copied.clone(), "The link is in your clipboard.");
            })),
        ))
        .into_any()
}

fn name_of(app: App, room: RoomId) -> String {
    app.rooms.with_untracked(|r| r.get(room).map(|r| inert::line(&r.name))).unwrap_or_default()
}

/// A question with what it means, and the button that does it.
fn question(app: App, text: String, word: &'static str, command: Command, done: String) -> AnyView {
    let act = move || {
        app.over.set(None);
        app.run_and_tell(command.clone(), done.clone());
    };
    div()
        .child((
            p().attr("dir", "auto").child(text),
            div().class("actions").child((parts::act("danger", word, act), close(app))),
        ))
        .into_any()
}

fn forget(app: App, room: RoomId) -> AnyView {
    let text = format!("{} and all that is kept of it here goes. Only its link brings it back.", name_of(app, room));
    question(app, text, "Forget", Command::Forget { room }, String::from("The room is forgotten here."))
}

fn leave(app: App, room: RoomId) -> AnyView {
    let text =
        format!("You leave {}: its keys change, and what is written from then on is not for you.", name_of(app, room));
    let done = String::from("You asked to leave; the next member who is online sees to it.");
    question(app, text, "Leave", Command::Private(PrivateCommand::Leave(room)), done)
}

fn remove(app: App, room: RoomId, account: &str, name: &str) -> AnyView {
    let name = inert::line(name);
    let text = format!("{name} is taken out of {}, and its keys change.", name_of(app, room));
    let done = format!("{name} is removed, and the room's keys are changed.");
    let command = PrivateCommand::Remove { room, account: account.to_owned() };
    question(app, text, "Remove", Command::Private(command), done)
}

/// Which of the levels of trust serves this page.
fn trust(app: App) -> AnyView {
    let document = web_sys::window().and_then(|w| w.document());
    let bundle = document
        .and_then(|d| d.query_selector("meta[name=estoile-bundle]").ok().flatten())
        .and_then(|m| m.get_attribute("content"))
        .unwrap_or_default();
    let origin = web_sys::window().and_then(|w| w.location().origin().ok()).unwrap_or_default();
    div()
        .child((
            p().child(app.trust.get_untracked().long()),
            p().child(("Bundle ", code().child(bundle))),
            p().child("To compare it with what your own program carries:"),
            p().child(code().class("code").child(format!("estoile verify {origin}"))),
        ))
        .into_any()
}
