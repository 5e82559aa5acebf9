//! Private rooms: made, renamed, refreshed, moved, left.

use estoile_engine::{Answer, Command, PrivateCommand, PrivateView, RoomId, RoomView};

use crate::model::inert;
use crate::model::people::{members, said};
use crate::model::time;
use crate::ui::prelude::*;

use super::Doing;

/// Making one.
pub(crate) fn new_private(app: App) -> AnyView {
    let has = Memo::new(move |_| app.overview.with(|o| o.account.is_some()));
    (move || {
        if has.get() {
            return form(app);
        }
        div()
            .class("page")
            .child((
                parts::heading("A private room"),
                p().class("lead")
                    .child("In a private room everybody has an account, so that everybody is who they say they are."),
                div().class("actions").child(parts::act("primary", "Make an account", move || app.go(Screen::People))),
            ))
            .into_any()
    })
    .into_any()
}

fn form(app: App) -> AnyView {
    let doing = Doing::new(app);
    let (name, ttl) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let classic = RwSignal::new(false);
    let run = move || {
        let typed = ttl.get_untracked();
        let ttl = match time::Ttl::parse(typed.trim()) {
            _ if typed.trim().is_empty() => None,
            Some(ttl) => ttl.seconds(),
            None => return doing.complain("Type how long messages live as 30s, 10m, 2h or 7d, or leave it empty."),
        };
        let name = name.get_untracked().trim().to_owned();
        let command = PrivateCommand::New { name, ttl, max_ttl: 0, classic: classic.get_untracked() };
        doing.command(Command::Private(command), move |answer| {
            app.tell("The room is made. Invite your contacts.");
            if let Answer::Room(room) = answer {
                app.go(Screen::Members(room));
            }
        });
    };
    let body = div().class("stack").child((
        parts::field("The room's name", "text", "Its members see it, the relay does not.", name),
        parts::field("Messages live", "text", "30s, 10m, 2h, 7d; empty: as long as the relay keeps them.", ttl),
        parts::tick("Without post-quantum keys: smaller and faster, weaker against the future", classic),
        doing.shown(),
        div().class("actions").child(parts::submit("Make the room", doing.busy)),
    ));
    div()
        .class("page")
        .child((
            parts::heading("A private room"),
            p().class("lead").child("No link opens it: people are invited, and each of them is who they say they are."),
            parts::form_of(run, body.into_any()),
        ))
        .into_any()
}

/// What only private rooms have of the screen about a room: facts, their name, keys, the way out.
pub(crate) fn room_settings(app: App, id: RoomId) -> AnyView {
    let room = Memo::new(move |_| app.rooms.with(|r| r.get(id).cloned()));
    let doing = Doing::new(app);
    let leaving = RwSignal::new(false);
    let name = app.rooms.with_untracked(|r| r.get(id).map(|r| r.name.clone())).unwrap_or_default();
    let renamed = RwSignal::new(name.clone());
    let rename = move || {
        let name = renamed.get_untracked().trim().to_owned();
        doing.command(Command::Private(PrivateCommand::Rename { room: id, name }), move |_| {
            app.tell("The room is renamed for all.")
        });
    };
    let rename_body = move || {
        div()
            .class("stack")
            .child((
                parts::field("The room's name", "text", "Everybody in the room sees the new name.", renamed),
                div().class("actions").child(parts::submit("Rename", doing.busy)),
            ))
            .into_any()
    };
    let manages = Memo::new(move |_| {
        room.with(|r| members::manages(r.as_ref().and_then(|r| r.private.as_ref()).and_then(|p| p.role)))
    });
    let refresh = move || {
        doing.command(Command::Private(PrivateCommand::Refresh(id)), move |_| {
            app.tell("This device has fresh keys in the room.")
        });
    };
    let acts = div().class("actions").child((
        parts::act("", "Fresh keys for this device", refresh),
        parts::act("danger", "Leave the room…", move || leaving.set(true)),
    ));
    let renaming = move || {
        manages.get().then(|| {
            section().class("section").child((h2().child("The room's name"), parts::form_of(rename, rename_body())))
        })
    };
    let facts = section().class("section").child((
        h2().child("Members"),
        move || room.get().map(|room| about(app, &room, doing)),
        doing.shown(),
        div().class("actions").child(parts::act("", "Members and links", move || app.go(Screen::Members(id)))),
    ));
    (
        facts,
        renaming,
        section().class("section").child((h2().child("Keys and end"), acts)),
        parts::dialog(leaving, "Leave this room?", move || leave(app, id, leaving, doing)),
    )
        .into_any()
}

fn about(app: App, room: &RoomView, doing: Doing) -> AnyView {
    let Some(private) = &room.private else { return ().into_any() };
    let stopped = room.stopped.as_ref().map(|why| stopped(app, room.id, why, private, doing));
    let yes = |b: bool| String::from(if b { "yes" } else { "no" });
    let rows = [
        ("Relay", inert::line(&room.host)),
        ("You are", private.role.map_or_else(|| String::from("waiting to be let in"), |r| r.word().to_owned())),
        ("Members", format!("{}, with {} devices", private.members, private.devices)),
        ("All of them verified", yes(private.verified)),
        ("Post-quantum keys", yes(private.post_quantum)),
        ("Messages live", room.ttl.map_or_else(|| String::from("as long as the relay keeps them"), time::span)),
        ("Changes of keys so far", private.epoch.to_string()),
    ];
    let rows: Vec<AnyView> = rows.into_iter().map(|(what, is)| (dt().child(what), dd().child(is)).into_any()).collect();
    div().class("stack").child((stopped, dl().class("facts").child(rows))).into_any()
}

fn stopped(app: App, room: RoomId, why: &str, private: &PrivateView, doing: Doing) -> AnyView {
    let may = members::manages(private.role);
    let advice = if may {
        "You may let it go on elsewhere: with fresh keys, a new log, and the same people. Whoever broke it can be left out under Members first."
    } else {
        "An owner or admin can let it go on elsewhere, with the same people. Ask one of them, on another way."
    };
    let go_on = move || {
        let command = PrivateCommand::Move { room, without: Vec::new(), classic: false };
        doing.command(Command::Private(command), move |_| {
            app.tell("The room goes on in a new log; the others follow as soon as they are online.");
        });
    };
    // As `estoile room refresh` there: the device knocks, and comes back as a new one.
    let refresh = move || {
        doing.command(Command::Private(PrivateCommand::Refresh(room)), move |_| {
            app.tell("This device asks for new keys; it is back as soon as somebody there is online.");
        });
    };
    section()
        .class("callout bad")
        .child((
            h2().child("This room is stopped"),
            p().attr("dir", "auto").child(said(why)),
            p().child(advice),
            div().class("actions").child((
                parts::act("", "Ask for new keys", refresh),
                may.then(|| parts::act("primary", "Go on elsewhere", go_on)),
            )),
        ))
        .into_any()
}

fn leave(app: App, room: RoomId, open: RwSignal<bool>, doing: Doing) -> AnyView {
    let yes = move || {
        open.set(false);
        doing.command(Command::Private(PrivateCommand::Leave(room)), move |_| {
            app.tell("You asked to leave; the next member who is online sees to it.");
        });
    };
    div()
        .class("stack")
        .child((
            p().child("You are out when the next member is online, and read nothing from then on. To come back you need an invitation."),
            div().class("actions").child((parts::act("danger primary", "Leave", yes), parts::act("", "Stay", move || open.set(false)))),
        ))
        .into_any()
}
