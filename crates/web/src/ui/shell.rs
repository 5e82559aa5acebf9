//! The page as a whole: which stage, which screen, and what lies over both.

use estoile_port::Stage;

use super::prelude::*;
use super::{help, landing, over, people, room, room_settings, settings, side, stages};
use crate::model::alerts;

/// Everything.
pub(crate) fn shell(app: App) -> AnyView {
    follow_title(app);
    follow_theme(app);
    let open = Memo::new(move |_| matches!(app.stage.get(), Stage::Open(_)));
    (
        a().class("skip")
            .attr("href", "#main")
            .on(ev::click, |event| {
                // The address stays as it is: what stands behind its # is for links.
                event.prevent_default();
                focus_main();
            })
            .child("Skip to the content"),
        move || if open.get() { opened(app) } else { stages::stage(app) },
        over::over(app),
        flash(app),
        div().class("visually-hidden").attr("role", "status").attr("aria-live", "polite").child(move || app.said.get()),
    )
        .into_any()
}

fn focus_main() {
    let document = web_sys::window().and_then(|w| w.document());
    if let Some(main) = document.and_then(|d| d.get_element_by_id("main")) {
        let main: web_sys::HtmlElement = wasm_bindgen::JsCast::unchecked_into(main);
        drop(main.focus());
    }
}

fn opened(app: App) -> AnyView {
    // On a phone the list is the first pane, once there is something in it.
    let listed = Memo::new(move |_| app.screen.get() == Screen::Home && app.rooms.with(|r| !r.list.is_empty()));
    let pane = move || if listed.get() { "rooms" } else { "main" };
    let in_room = Memo::new(move |_| if let Screen::Room(room) = app.screen.get() { Some(room) } else { None });
    div()
        .class(move || if in_room.get().is_some() { "app in-room" } else { "app" })
        .attr("data-pane", pane)
        .child((
            side::side(app, Memo::new(move |_| listed.get() && app.narrow.get())),
            main().class("main").attr("id", "main").attr("tabindex", "-1").child(move || {
                let shown = app.screen.get();
                (back(app, &shown), screen(app, &shown))
            }),
            move || {
                in_room
                    .get()
                    .map(|room| aside().class("aside").attr("aria-label", "Who is here").child(room::here(app, room)))
            },
        ))
        .into_any()
}

/// On a phone, the way back from a screen that has no bar of its own.
fn back(app: App, screen: &Screen) -> Option<AnyView> {
    let own = matches!(screen, Screen::Home | Screen::Room(_) | Screen::RoomSettings(_));
    (!own).then(|| {
        button()
            .attr("type", "button")
            .class("icon-button back")
            .attr("aria-label", "Back to the rooms")
            .on(ev::click, move |_| app.go(Screen::Home))
            .child(parts::icon("back"))
            .into_any()
    })
}

fn screen(app: App, screen: &Screen) -> AnyView {
    match screen {
        Screen::Home => landing::home(app),
        Screen::Link(link) => landing::link(app, link.clone()),
        Screen::NewRoom => landing::new_room(app),
        Screen::NewPrivate => people::new_private(app),
        Screen::Room(room) => room::room(app, *room),
        Screen::Members(room) => people::members(app, *room),
        Screen::RoomSettings(room) => room_settings::room_settings(app, *room),
        Screen::People => people::people(app),
        Screen::Contact(contact) => people::contact(app, *contact),
        Screen::Verify(contact) => people::verify(app, *contact),
        Screen::Devices => people::devices(app),
        Screen::Recovery => people::recovery(app),
        Screen::Settings => settings::settings(app),
        Screen::Help => help::help(app),
    }
}

/// The sentence for a while, at the lower edge.
fn flash(app: App) -> AnyView {
    const SHOWN_MS: u64 = 8000;
    let since = RwSignal::new(0_u64);
    Effect::new(move |_| {
        if app.flash.with(Option::is_some) {
            since.set(app.now.get_untracked());
        }
    });
    Effect::new(move |_| {
        let over = app.now.get().saturating_sub(since.get()) > SHOWN_MS;
        if over && app.flash.with_untracked(|f| f.as_ref().is_some_and(|f| !f.error)) {
            app.flash.set(None);
        }
    });
    div()
        .class("flash-place")
        .attr("role", "status")
        .attr("aria-live", "polite")
        .child(move || {
            app.flash.get().map(|flash| {
                let class = if flash.error && !flash.newer { "flash error" } else { "flash" };
                div().class(class).child((
                    p().attr("dir", "auto").child(flash.text),
                    flash.newer.then(|| parts::act("primary", "Reload", || dispatch("estoile:reload"))),
                    parts::icon_act("close", "Put this away", move || app.flash.set(None)),
                ))
            })
        })
        .into_any()
}

/// Says something to `main.js`.
pub(crate) fn dispatch(name: &str) {
    if let Some(window) = web_sys::window()
        && let Ok(event) = web_sys::CustomEvent::new(name)
    {
        drop(window.dispatch_event(&event));
    }
}

fn follow_title(app: App) {
    Effect::new(move |_| {
        let room = app.screen.with(Screen::room);
        let title = app.rooms.with(|r| {
            let name = room.and_then(|id| r.get(id)).map(|r| r.name.clone());
            alerts::title(r.unread(), name.as_deref())
        });
        if let Some(document) = web_sys::window().and_then(|w| w.document()) {
            document.set_title(&title);
        }
    });
}

fn follow_theme(app: App) {
    Effect::new(move |_| {
        let dark = app.settings.with(|s| s.dark);
        let Some(root) = web_sys::window().and_then(|w| w.document()).and_then(|d| d.document_element()) else {
            return;
        };
        drop(match dark {
            Some(dark) => root.set_attribute("data-theme", if dark { "dark" } else { "light" }),
            None => root.remove_attribute("data-theme"),
        });
    });
}
