//! What one can change about a room: the own name, the time to live; its link; leaving it.

use estoile_engine::{Command, PrivateCommand, RoomId};

use super::prelude::*;
use crate::app::Over;
use crate::model::inert;
use crate::model::landing::wrong_name;
use crate::model::rooms::invites;

/// The screen.
pub(crate) fn room_settings(app: App, id: RoomId) -> AnyView {
    let Some(view) = app.rooms.with_untracked(|r| r.get(id).cloned()) else {
        return p().class("page").child("There is no such room here any more.").into_any();
    };
    let private = view.private.is_some();
    div()
        .class("page")
        .child((
            div().class("bar").child((
                button()
                    .attr("type", "button")
                    .class("icon-button")
                    .attr("aria-label", "Back to the room")
                    .on(ev::click, move |_| app.go(Screen::Room(id)))
                    .child(parts::icon("back")),
                div().class("bar-text").child((
                    parts::heading(inert::line(&view.name)),
                    p().class("bar-sub").child((
                        if private { "private room at " } else { "quick room at " },
                        bdi().child(inert::line(&view.host)),
                    )),
                )),
            )),
            view.stopped.as_ref().filter(|_| !private).map(|why| {
                div()
                    .class("callout bad")
                    .child((p().attr("dir", "auto").child(inert::sentence(why)), try_again(app, id)))
            }),
            private.then(|| super::people::room_settings(app, id)),
            own_name(app, id, &view.own_name),
            ttl(app, id, view.ttl, view.max_ttl),
            (!private).then(|| {
                section().class("section").child((
                    h2().child("Invite"),
                    p().child(invites(&view)),
                    div().class("actions").child(parts::act("", "Show the link", move || app.share_room(id))),
                ))
            }),
            (!private).then(|| turn_private(app, id)),
            section().class("section").child((
                h2().child("Forget"),
                p().child(
                    if private {
                        "Takes its messages out of this browser, and you stay a member for the others. Leave first, if you want out."
                    } else {
                        "Takes the room and all that is kept of it out of this browser. The others keep what they have."
                    },
                ),
                div()
                    .class("actions")
                    .child(parts::act("danger", "Forget this room…", move || app.over.set(Some(Over::Forget(id))))),
            )),
        ))
        .into_any()
}

fn try_again(app: App, id: RoomId) -> AnyView {
    parts::act("primary", "Try the relay again", move || app.run(Command::ReconnectNow { room: id }))
}

fn own_name(app: App, id: RoomId, own: &str) -> AnyView {
    let (name, why, busy) = (RwSignal::new(inert::line(own)), RwSignal::new(String::new()), RwSignal::new(false));
    let run = move || {
        let wanted = name.get_untracked().trim().to_owned();
        if let Some(wrong) = wrong_name(&wanted) {
            why.set(wrong.to_owned());
            return;
        }
        why.set(String::new());
        let done = format!("You are {} here from now on.", inert::line(&wanted));
        app.run_and_tell(Command::SetName { room: id, name: wanted }, done);
    };
    let fields = (
        parts::field("Your name in this room", "text", "", name),
        parts::complaint(why),
        div().class("actions").child(parts::submit("Change", busy)),
    );
    section().class("section").child((h2().child("Name"), parts::form_of(run, fields.into_any()))).into_any()
}

fn ttl(app: App, id: RoomId, now: Option<u64>, most: Option<u64>) -> AnyView {
    let ttl = RwSignal::new(now);
    Effect::new(move |before: Option<Option<u64>>| {
        let chosen = ttl.get();
        if before.is_some_and(|b| b != chosen) {
            app.set_ttl(id, chosen);
        }
        chosen
    });
    section()
        .class("section")
        .child((
            h2().child("Time to live"),
            super::composer::ttl_choice("Messages that you send from now on live", most, ttl),
        ))
        .into_any()
}

fn turn_private(app: App, id: RoomId) -> AnyView {
    let turn = move || {
        let done = "The room is private from here on. Those present who have accounts are asked to follow.";
        app.into_room(Command::Private(PrivateCommand::FromQuick { room: id }), done);
    };
    section()
        .class("section")
        .child((
            h2().child("Make it private"),
            p().child(
                "A private room has members with accounts: who is in is proven, who is removed is out, and keys change. \
                 Those here who have accounts are asked to follow.",
            ),
            div().class("actions").child((
                parts::act("", "Make this room private", turn),
                parts::act("quiet", "Follow where it turned private", move || {
                    app.slash(id, crate::model::slash::Slash::Follow);
                }),
            )),
        ))
        .into_any()
}
