//! The list of rooms, and the foot of the page.

use estoile_engine::{RoomId, RoomView};

use super::prelude::*;
use crate::app::Over;
use crate::model::inert;
use crate::model::rooms::connection;

/// The left side; on a narrow page the first pane, which is `alone` then, and the page's main part.
pub(crate) fn side(app: App, alone: Memo<bool>) -> AnyView {
    let brand = move || if alone.get() { h1().child("Estoile").into_any() } else { span().child("Estoile").into_any() };
    div()
        .class("side")
        .attr("role", move || if alone.get() { "main" } else { "navigation" })
        .attr("aria-label", "Rooms")
        .child((
            div().class("side-head").child((
                div().class("brand").child(brand),
                parts::icon_act("search", "Go to… (Ctrl-K)", move || app.over.set(Some(Over::Switcher))),
                parts::icon_act("plus", "Make a room or open a link", move || app.go(Screen::NewRoom)),
            )),
            rooms(app),
            in_memory(app),
            div().class("side-foot").child((
                place(app, "people", "People", Screen::People, waiting(app)),
                place(app, "settings", "Settings", Screen::Settings, Memo::new(|_| 0)),
                place(app, "help", "Help", Screen::Help, Memo::new(|_| 0)),
                foot(app),
            )),
        ))
        .into_any()
}

/// Where nothing outlives the tab: said all the time.
fn in_memory(app: App) -> AnyView {
    let why = Memo::new(move |_| match app.stage.get() {
        estoile_port::Stage::Open(estoile_port::Place::Memory(why)) => Some(why),
        _ => None,
    });
    (move || {
        why.get().map(|why| {
            div().class("callout warn").attr("role", "note").child((
                strong().child("Nothing here outlives this tab."),
                p().attr("dir", "auto").child(inert::sentence(&why)),
            ))
        })
    })
    .into_any()
}

/// Requests and invitations that wait for a yes.
fn waiting(app: App) -> Memo<u32> {
    Memo::new(move |_| {
        app.overview.with(|o| {
            let request =
                |c: &&estoile_engine::ContactView| matches!(c.state, estoile_engine::ContactState::Request { .. });
            u32::try_from(o.contacts.iter().filter(request).count() + o.invitations.len()).unwrap_or(u32::MAX)
        })
    })
}

fn place(app: App, icon: &'static str, name: &'static str, screen: Screen, count: Memo<u32>) -> AnyView {
    let to = screen.clone();
    button()
        .attr("type", "button")
        .class("room-row")
        .attr("aria-current", move || (app.screen.get() == screen).then_some("page"))
        .on(ev::click, move |_| app.go(to.clone()))
        .child((parts::icon(icon), span().class("room-name").child(name), move || badge(count.get())))
        .into_any()
}

fn badge(count: u32) -> Option<AnyView> {
    let text = if count > 999 { String::from("999+") } else { count.to_string() };
    (count > 0).then(|| {
        span()
            .class("badge")
            .child((
                span().attr("aria-hidden", "true").child(text),
                span().class("visually-hidden").child(format!(", {count} new")),
            ))
            .into_any()
    })
}

fn rooms(app: App) -> AnyView {
    let ids = move || app.rooms.with(|r| r.list.iter().map(|r| r.id).collect::<Vec<_>>());
    let empty = move || {
        app.rooms.with(|r| {
            (r.known && r.list.is_empty())
                .then(|| p().class("rooms-empty muted").child("No room yet. Make one, or open a link."))
        })
    };
    (
        div().class("rooms").attr("role", "list").on(ev::keydown, super::keys::arrows).child(parts::each(
            ids,
            |id| *id,
            move |id| row(app, id),
        )),
        empty,
    )
        .into_any()
}

fn row(app: App, id: RoomId) -> AnyView {
    let view = Memo::new(move |_| app.rooms.with(|r| r.get(id).cloned()));
    let here = move || app.screen.with(|s| s.room() == Some(id)).then_some("page");
    div()
        .attr("role", "listitem")
        .child(
            button()
                .attr("type", "button")
                .class("room-row")
                .attr("aria-current", here)
                .on(ev::click, move |_| app.go(Screen::Room(id)))
                .child(move || view.get().map(|view| inside(app, &view))),
        )
        .into_any()
}

fn inside(app: App, view: &RoomView) -> AnyView {
    let private = view.private.is_some();
    let icon = if private { "lock" } else { "star" };
    let kind = if private { "private room" } else { "quick room" };
    let (class, state) = connection(view, app.now.get_untracked());
    let calm = class == "good";
    let verified = view.private.as_ref().is_some_and(|p| p.verified && p.members > 1);
    let sub = if calm { kind.to_owned() } else { format!("{kind} · {state}") };
    (
        span().class("room-icon").child(parts::icon(icon)),
        span().class("room-text").child((
            span().class("room-name").attr("dir", "auto").child(inert::line(&view.name)),
            span().class(format!("room-sub {class}")).child(sub),
        )),
        verified.then(|| {
            span()
                .class("chip good")
                .child((parts::icon("verified"), span().class("visually-hidden").child("all verified")))
        }),
        badge(view.unread),
    )
        .into_any()
}

/// Which of the three levels of trust serves this page, and which bundle it is.
fn foot(app: App) -> AnyView {
    let document = web_sys::window().and_then(|w| w.document());
    let bundle = document
        .and_then(|d| d.query_selector("meta[name=estoile-bundle]").ok().flatten())
        .and_then(|m| m.get_attribute("content"))
        .unwrap_or_default();
    let short: String = bundle.chars().take(8).collect();
    let host = web_sys::window().and_then(|w| w.location().host().ok()).unwrap_or_default();
    button()
        .attr("type", "button")
        .class("foot")
        .on(ev::click, move |_| app.over.set(Some(Over::Trust)))
        .child((span().child(move || app.trust.get().short(&host)), " · ", span().class("mono").child(short)))
        .into_any()
}
