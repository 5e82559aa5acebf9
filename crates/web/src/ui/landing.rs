//! The ways in: from a link, and from nothing.

use estoile_port::{Ask, LinkView, Progress, Reply, Work};

use super::prelude::*;
use crate::model::inert;
use crate::model::landing::{Way, pasted, way, wrong_name};

/// What one can begin with. On a narrow page the list of rooms lies over it.
pub(crate) fn home(app: App) -> AnyView {
    let choice = move |icon: &'static str, title: &'static str, text: &'static str, screen: Screen| {
        button().attr("type", "button").class("choice").on(ev::click, move |_| app.go(screen.clone())).child((
            parts::icon(icon),
            strong().child(title),
            span().class("muted").child(text),
        ))
    };
    div()
        .class("page landing")
        .child((
            parts::heading("Estoile"),
            p().class("lead").child("Chat for people who do not have to trust the machine in the middle."),
            div().class("choices").child((
                choice("plus", "Make a room", "Share its link: whoever has it is in. No account.", Screen::NewRoom),
                choice("link", "Open a link", "One that somebody gave you.", Screen::Link(String::new())),
                choice("people", "People and private rooms", "An account, contacts, verification.", Screen::People),
                choice("settings", "Settings", "Passphrase, colours, notifications.", Screen::Settings),
            )),
            super::room::lobby(app),
        ))
        .into_any()
}

/// A link: what it opens. An empty one is asked for.
pub(crate) fn link(app: App, given: String) -> AnyView {
    if given.is_empty() {
        return ask_for_link(app);
    }
    let known = app.read.try_update_value(Option::take).flatten().filter(|(link, _)| *link == given);
    let read: RwSignal<Option<Result<LinkView, String>>> = RwSignal::new(known.map(|(_, view)| Ok(view)));
    if read.with_untracked(Option::is_none) {
        let asked = given.clone();
        app.spawn(async move {
            let answer = match app.ask(Ask::ReadLink { link: asked }).await {
                Ok(Reply::Link(view)) => Ok(view),
                Ok(_) => Err(String::from("the link could not be read; try again")),
                Err(why) => Err(why),
            };
            read.try_set(Some(answer));
        });
    }
    (move || match read.get() {
        None => page(p().attr("role", "status").child("Reading the link…").into_any()),
        Some(Err(why)) => page(damaged(app, &why)),
        Some(Ok(view)) => leads(app, &given, &view),
    })
    .into_any()
}

/// One card in the middle of the sky.
fn page(inside: AnyView) -> AnyView {
    div().class("page landing").child(div().class("card").child(inside)).into_any()
}

/// What is shown for a link that was read.
fn leads(app: App, link: &str, view: &LinkView) -> AnyView {
    match way(view) {
        Way::Open(room) => {
            app.go(Screen::Room(room));
            p().child("…").into_any()
        }
        Way::Join { room, host, passphrase } => page(join(app, link.to_owned(), &room, &host, passphrase)),
        Way::Elsewhere { host } => page(elsewhere(app, link.to_owned(), &host)),
        Way::Contact | Way::Door { .. } | Way::Device => super::people::link(app, link.to_owned(), view.clone()),
        Way::Relay => new_room_at(app, link.to_owned()),
    }
}

fn damaged(app: App, why: &str) -> AnyView {
    (
        parts::heading("This link does not open anything"),
        p().class("lead").attr("dir", "auto").child(inert::sentence(why)),
        p().child(
            "Links break when they are cut short or changed on the way. Ask for it again, and copy the whole of it.",
        ),
        div().class("actions").child((
            parts::act("primary", "Try another link", move || app.go(Screen::Link(String::new()))),
            parts::act("", "To the rooms", move || app.go(Screen::Home)),
        )),
    )
        .into_any()
}

fn elsewhere(app: App, link: String, host: &str) -> AnyView {
    let command = format!("estoile web --relay https://{host}");
    (
        parts::heading("This room is at another relay"),
        p().class("lead")
            .child((bdi().child(host.to_owned()), " keeps it, and this page speaks only to the relay that served it.")),
        p().child("Open the link itself, which is served by that relay; or use the estoile program on your machine:"),
        p().child(code().class("code").child(command)),
        p().child(("In a terminal, ", code().child("estoile open LINK"), " opens it too.")),
        div().class("actions").child((
            parts::act("primary", "Copy the link", move || app.copy(link.clone(), "The link is in your clipboard.")),
            parts::act("", "To the rooms", move || app.go(Screen::Home)),
        )),
    )
        .into_any()
}

/// The one question before one is in: a name; for some rooms a passphrase.
fn join(app: App, link: String, room: &str, host: &str, passphrase: bool) -> AnyView {
    let name = RwSignal::new(app.settings.with_untracked(|s| s.name.clone()));
    let (secret, why) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let (busy, progress, number) = (RwSignal::new(false), RwSignal::new(None), RwSignal::new(0));
    let run = move || {
        let own_name = name.get_untracked().trim().to_owned();
        let wrong = wrong_name(&own_name).or_else(|| {
            (passphrase && secret.with_untracked(String::is_empty)).then_some("Type the room's passphrase.")
        });
        if let Some(wrong) = wrong {
            why.set(wrong.to_owned());
            return;
        }
        if app.settings.with_untracked(|s| s.name != own_name) {
            let remembered = own_name.clone();
            app.remember(|s| s.name = remembered);
        }
        let passphrase = passphrase.then(|| secret.get_untracked().into());
        open(app, Ask::OpenLink { link: link.clone(), own_name, passphrase }, Opening { why, busy, progress, number });
    };
    let fields = (
        parts::field("Your name here", "text", "The others see it. Nothing proves it in a quick room.", name),
        passphrase.then(|| parts::field("The room's passphrase", "password", "Whoever sent the link has it.", secret)),
        parts::complaint(why),
        self::progress(app, progress, number),
        div()
            .class("actions")
            .child((parts::submit("Join", busy), parts::act("quiet", "Not now", move || app.go(Screen::Home)))),
    );
    (
        parts::heading(room.to_owned()),
        p().class("lead").child((
            "A room at ",
            bdi().child(host.to_owned()),
            ". Only who has its link can read it; the relay can't.",
        )),
        parts::form_of(run, fields.into_any()),
    )
        .into_any()
}

/// Signals of something that ends in a room.
#[derive(Clone, Copy)]
struct Opening {
    why: RwSignal<String>,
    busy: RwSignal<bool>,
    progress: RwSignal<Option<Progress>>,
    number: RwSignal<u64>,
}

fn open(app: App, ask: Ask, on: Opening) {
    if on.busy.get_untracked() {
        return;
    }
    on.busy.set(true);
    on.why.set(String::new());
    let (number, reply) = app.ask_with(ask, Some(on.progress));
    on.number.set(number);
    app.spawn(async move {
        let result = reply.await;
        on.busy.try_set(false);
        on.progress.try_set(None);
        match result {
            Ok(Reply::Room(room)) => app.go(Screen::Room(room)),
            Ok(_) => {}
            Err(error) => drop(on.why.try_set(inert::sentence(&error))),
        }
    });
}

/// How far it is, and a way to stop it.
pub(crate) fn progress(app: App, progress: RwSignal<Option<Progress>>, number: RwSignal<u64>) -> AnyView {
    (move || {
        progress.get().map(|at| {
            let (work, about) = match at.work {
                Work::Stretching => {
                    ("Making the passphrase expensive to guess…", "It takes a second or two, on purpose.")
                }
                Work::Keys => ("Making keys…", ""),
                Work::CatchingUp => ("Reading what is waiting…", ""),
                Work::Opening => ("Opening what is kept here…", ""),
            };
            let bar = match at.permille {
                Some(permille) => tachys::html::element::progress()
                    .attr("aria-label", work)
                    .attr("max", "1000")
                    .attr("value", permille.to_string())
                    .into_any(),
                None => tachys::html::element::progress().attr("aria-label", work).into_any(),
            };
            let stop = move || app.cancel(number.get_untracked());
            div().class("progress").child((
                p().attr("role", "status").child(work),
                (!about.is_empty()).then(|| p().class("hint").child(about)),
                bar,
                parts::act("quiet", "Cancel", stop),
            ))
        })
    })
    .into_any()
}

fn ask_for_link(app: App) -> AnyView {
    let (text, why) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let run = move || match pasted(&text.get_untracked()) {
        Some(link) => app.go(Screen::Link(link)),
        None => why.set(String::from("That is no link: paste the whole of it, from https:// to its end.")),
    };
    let fields = (
        parts::field("Link", "url", "A room's, a person's, or a device's.", text),
        parts::complaint(why),
        div().class("actions").child((
            parts::submit("Open", RwSignal::new(false)),
            parts::act("quiet", "To the rooms", move || app.go(Screen::Home)),
        )),
    );
    page((parts::heading("Open a link"), parts::form_of(run, fields.into_any())).into_any())
}

/// A quick room to be made.
pub(crate) fn new_room(app: App) -> AnyView {
    new_room_at(app, String::new())
}

/// The same, with the relay's entry code, or the link that has it.
fn new_room_at(app: App, code: String) -> AnyView {
    let name = RwSignal::new(String::new());
    let own_name = RwSignal::new(app.settings.with_untracked(|s| s.name.clone()));
    let (with_passphrase, secret, entry) = (RwSignal::new(false), RwSignal::new(String::new()), RwSignal::new(code));
    let (why, busy) = (RwSignal::new(String::new()), RwSignal::new(false));
    let (progress, number, ttl) = (RwSignal::new(None), RwSignal::new(0), RwSignal::new(None::<u64>));
    let run = move || {
        let (room, own) = (name.get_untracked().trim().to_owned(), own_name.get_untracked().trim().to_owned());
        if room.is_empty() {
            why.set(String::from("Give the room a name."));
            return;
        }
        if let Some(wrong) = wrong_name(&own) {
            why.set(wrong.to_owned());
            return;
        }
        let passphrase = with_passphrase.get_untracked().then(|| secret.get_untracked());
        if passphrase.as_ref().is_some_and(|p| p.chars().count() < 8) {
            why.set(String::from("A passphrase that short is guessed; take the five words that are suggested."));
            return;
        }
        let (remembered, entry) = (own.clone(), entry.get_untracked().trim().to_owned());
        app.remember(|s| s.name = remembered);
        let ask = Ask::NewRoom {
            name: room,
            own_name: own,
            passphrase: passphrase.map(Into::into),
            ttl: ttl.get_untracked(),
            entry: (!entry.is_empty()).then_some(entry),
        };
        open(app, ask, Opening { why, busy, progress, number });
    };
    let fields = (
        parts::field("Name of the room", "text", "Everybody in it sees it; the relay does not.", name),
        parts::field("Your name here", "text", "", own_name),
        passphrase_choice(app, with_passphrase, secret),
        details().class("more").child((
            summary().child("More"),
            super::composer::ttl_choice("How long your messages live", None, ttl),
            parts::field("Entry code", "text", "Only for relays that ask for one.", entry),
        )),
        parts::complaint(why),
        self::progress(app, progress, number),
        div().class("actions").child((
            parts::submit("Make the room", busy),
            parts::act("quiet", "Open a link instead", move || app.go(Screen::Link(String::new()))),
            parts::act("quiet", "To the rooms", move || app.go(Screen::Home)),
        )),
    );
    page(
        (
            parts::heading("Make a room"),
            p().class("lead").child("You get a link. Whoever has it can read and write there."),
            parts::form_of(run, fields.into_any()),
        )
            .into_any(),
    )
}

fn passphrase_choice(app: App, on: RwSignal<bool>, secret: RwSignal<String>) -> AnyView {
    Effect::new(move |_| {
        if on.get() && secret.with_untracked(String::is_empty) {
            app.spawn(async move {
                if let Ok(Reply::Passphrase(words)) = app.ask(Ask::SuggestPassphrase).await {
                    secret.try_set((*words).clone());
                }
            });
        }
    });
    (parts::tick("Open it with a passphrase instead of a secret in the link", on), move || {
        on.get().then(|| parts::field("Passphrase", "text", "Tell it by another way than the link.", secret))
    })
        .into_any()
}
