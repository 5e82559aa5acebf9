//! A room: its bar, its messages, what is written, who is there.

use estoile_engine::{Notice, PersonView, RoomId};

use super::prelude::*;
use crate::app::Over;
use crate::model::notices::{Remedy, remedy, weight};
use crate::model::rooms::{connection, invites};
use crate::model::{composer, inert, places, shown, time};

/// The main pane of a room.
pub(crate) fn room(app: App, id: RoomId) -> AnyView {
    let known = Memo::new(move |_| app.rooms.with(|r| r.get(id).is_some()));
    (move || {
        if known.get() {
            (
                bar(app, id),
                stopped(app, id),
                super::timeline::timeline(app, id),
                empty(app, id),
                typing(app, id),
                super::composer::composer(app, id),
            )
                .into_any()
        } else {
            p().attr("role", "status").class("page").child("Opening the room…").into_any()
        }
    })
    .into_any()
}

fn bar(app: App, id: RoomId) -> AnyView {
    let view = Memo::new(move |_| app.rooms.with(|r| r.get(id).cloned()));
    let title = move || view.with(|v| v.as_ref().map(|v| inert::line(&v.name)));
    let private = move || view.with(|v| v.as_ref().is_some_and(|v| v.private.is_some()));
    let sub = move || {
        let now = app.now.get();
        let here = app.talks.with(|t| t.get(&id).map_or(0, crate::model::talk::Talk::here));
        view.with(|v| {
            v.as_ref().map(|v| {
                let (class, state) = connection(v, now);
                let people = v
                    .private
                    .as_ref()
                    .map_or_else(|| format!("{here} here"), |p| format!("{} members, {here} here", p.members));
                let text = if class == "good" { people } else { state };
                (class, text)
            })
        })
        .unwrap_or(("", String::new()))
    };
    let sub = Memo::new(move |_| sub());
    header()
        .class("bar")
        .child((
            button()
                .attr("type", "button")
                .class("icon-button back")
                .attr("aria-label", "Back to the rooms")
                .on(ev::click, move |_| app.go(Screen::Home))
                .child(parts::icon("back")),
            div().class("bar-text").child((
                h1().class("bar-title")
                    .attr("dir", "auto")
                    .attr("tabindex", "-1")
                    .child((title, move || private().then(|| parts::icon("lock")))),
                div()
                    .class(move || format!("bar-sub {}", sub.get().0))
                    .attr("role", "status")
                    .child(move || sub.get().1),
            )),
            div().class("bar-actions").child((
                retry(app, id),
                parts::icon_act("link", "Invite others", move || app.share_room(id)),
                parts::icon_act("people", "Who is here", move || app.over.set(Some(Over::People(id)))),
                parts::icon_act("more", "About this room", move || app.go(Screen::RoomSettings(id))),
            )),
        ))
        .into_any()
}

/// While the relay is gone: a way to try it now.
fn retry(app: App, id: RoomId) -> AnyView {
    let gone = Memo::new(move |_| {
        app.rooms
            .with(|r| r.get(id).is_some_and(|r| matches!(r.connection, estoile_engine::ConnectionView::Offline { .. })))
    });
    (move || {
        gone.get().then(|| {
            parts::icon_act("refresh", "Try the relay now", move || {
                app.run(estoile_engine::Command::ReconnectNow { room: id });
            })
        })
    })
    .into_any()
}

/// Why the room can't go on, where it can't.
fn stopped(app: App, id: RoomId) -> AnyView {
    let why = Memo::new(move |_| app.rooms.with(|r| r.get(id).and_then(|r| r.stopped.clone())));
    (move || {
        why.get().map(|why| {
            div().class("callout bad").attr("role", "alert").child((
                p().attr("dir", "auto").child(inert::sentence(&why)),
                parts::act("", "See the way out", move || app.go(Screen::RoomSettings(id))),
            ))
        })
    })
    .into_any()
}

/// What is said in a room in which nothing stands.
fn empty(app: App, id: RoomId) -> AnyView {
    let bare =
        Memo::new(move |_| app.talks.with(|t| t.get(&id).filter(|t| t.is_bare()).map(crate::model::talk::Talk::alone)));
    (move || {
        bare.get().map(|alone| {
            let about = app.rooms.with_untracked(|r| r.get(id).map(invites)).unwrap_or_default();
            let first =
                if alone { "You are the first one here." } else { "Nothing has been said here that is still kept." };
            div().class("empty").child((
                p().class("lead").child(first),
                p().child(about),
                parts::act("primary", "Invite others", move || app.share_room(id)),
            ))
        })
    })
    .into_any()
}

fn typing(app: App, id: RoomId) -> AnyView {
    let who = Memo::new(move |_| {
        app.talks.with(|t| {
            let people = t.get(&id).map(|t| t.people.iter()).into_iter().flatten();
            let names: Vec<String> = people.filter(|p| p.typing && !p.own).map(|p| inert::line(&p.shown)).collect();
            composer::typing(&names)
        })
    });
    div().class("typing").attr("dir", "auto").child(move || who.get()).into_any()
}

/// Who is there.
pub(crate) fn here(app: App, id: RoomId) -> AnyView {
    let people = Memo::new(move |_| app.talks.with(|t| t.get(&id).map(|t| t.people.clone()).unwrap_or_default()));
    let private = Memo::new(move |_| app.rooms.with(|r| r.get(id).is_some_and(|r| r.private.is_some())));
    let count = move || app.talks.with(|t| t.get(&id).map_or(1, crate::model::talk::Talk::here));
    (
        h2().class("here-title").child(("Here ", span().class("chip").child(move || count().to_string()))),
        div().class("list people").attr("role", "list").child(parts::each(
            move || people.get(),
            person_key,
            move |person| self::person(app, &person),
        )),
        move || {
            private.get().then(|| parts::act("", "Members and roles", move || app.go(Screen::Members(id)))).or_else(
                || {
                    Some(
                        p().class("hint")
                            .child("In a quick room a name proves nothing; the key behind it does.")
                            .into_any(),
                    )
                },
            )
        },
    )
        .into_any()
}

fn person_key(person: &PersonView) -> (String, String, bool, bool, bool, Option<u64>) {
    // Minutes are shown, so minutes make a difference.
    let heard = person.last_heard.map(|at| at / 60_000);
    (person.key.clone(), person.shown.clone(), person.here, person.typing, person.verified, heard)
}

fn person(app: App, person: &PersonView) -> AnyView {
    let state = if person.own {
        String::from("you")
    } else if person.typing {
        String::from("typing")
    } else if person.here {
        String::from("here")
    } else {
        person
            .last_heard
            .map_or_else(|| String::from("away"), |at| format!("heard {}", time::ago(at, app.now.get_untracked())))
    };
    let mark = person.account.clone().unwrap_or_else(|| person.key.clone());
    let role = person.role.filter(|r| *r != estoile_engine::Role::Member).map(|r| span().class("chip").child(r.word()));
    div()
        .attr("role", "listitem")
        .class(if person.here || person.own { "list-row" } else { "list-row away" })
        .child((
            span().class(format!("dot hue-{}", shown::hue(&mark))).attr("aria-hidden", "true"),
            span().class("list-main").child((
                span().class("list-title").child((bdi().child(inert::line(&person.shown)), verified(person.verified))),
                span().class("list-sub").child((
                    state,
                    " · ",
                    span().class("mono").attr("title", mark.clone()).child(shown::key_mark(&mark)),
                )),
            )),
            role,
        ))
        .into_any()
}

/// The mark of somebody whom one has verified.
pub(crate) fn verified(yes: bool) -> Option<AnyView> {
    yes.then(|| {
        span()
            .class("verified")
            .attr("title", "verified")
            .child((parts::icon("verified"), span().class("visually-hidden").child("verified")))
            .into_any()
    })
}

/// A notice: what happened, what one can do, and a button where that can be done at once.
pub(crate) fn notice(app: App, notice: &Notice) -> AnyView {
    let weight = weight(notice.kind);
    let id = notice.id;
    let room = notice.room;
    let act = remedy(notice).map(|r| match r {
        Remedy::Go(text, screen) => parts::act("quiet", text, move || app.go(screen.clone())),
        Remedy::Reconnect(room) => parts::act("quiet", "Try the relay now", move || {
            app.run(estoile_engine::Command::ReconnectNow { room });
        }),
        Remedy::Retry(room) => parts::act("quiet", "Send again", move || app.retry_all(room)),
    });
    let put_away = move || {
        app.lobby.update(|l| l.put_away(id));
        if let Some(room) = room.or_else(|| app.screen.with_untracked(Screen::room)) {
            app.talk(room, |t| {
                t.timeline.put_away(id);
                t.lay();
            });
        }
    };
    div()
        .class(weight.class())
        .attr("role", "note")
        .child((
            parts::icon(weight.icon()),
            div().class("notice-text").child((
                span().class("visually-hidden").child(format!("{}: ", weight.word())),
                p().attr("dir", "auto").child(places::here(&inert::block(&notice.detail))),
                p().class("notice-advice").attr("dir", "auto").child(places::here(&inert::block(&notice.advice))),
                act,
            )),
            parts::icon_act("close", "Put this notice away", put_away),
        ))
        .into_any()
}

/// Notices about no room.
pub(crate) fn lobby(app: App) -> AnyView {
    div()
        .class("lobby")
        .child(parts::each(move || app.lobby.with(|l| l.all().to_vec()), |n: &Notice| n.id, move |n| notice(app, &n)))
        .into_any()
}
