//! The keys that work everywhere, and the arrows in lists.

use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent};

use super::prelude::*;
use crate::app::Over;

/// A key, wherever the focus is.
pub(crate) fn pressed(app: App, event: &KeyboardEvent) {
    let ctrl = event.ctrl_key() || event.meta_key();
    let room = app.screen.with_untracked(Screen::room);
    match (event.key().as_str(), ctrl, event.alt_key()) {
        ("k" | "K", true, false) => app.over.update(|o| {
            *o = if *o == Some(Over::Switcher) { None } else { Some(Over::Switcher) };
        }),
        ("ArrowUp" | "ArrowDown", false, true) => {
            let down = event.key() == "ArrowDown";
            if let Some(next) = room.and_then(|r| app.rooms.with_untracked(|rooms| rooms.neighbour(r, down))) {
                app.go(Screen::Room(next));
            }
        }
        ("n" | "N", false, true) => {
            if let Some(next) = app.rooms.with_untracked(|r| r.next_unread(room)) {
                app.go(Screen::Room(next));
            }
        }
        // A dialog closes by itself.
        ("Escape", false, false) if !in_dialog() => escape(app, room),
        _ => return,
    }
    event.prevent_default();
}

fn in_dialog() -> bool {
    let document = web_sys::window().and_then(|w| w.document());
    document.and_then(|d| d.query_selector("dialog[open]").ok().flatten()).is_some()
}

/// Out of what one is in: a screen about a room leads to the room, a room to its newest message and its field.
fn escape(app: App, room: Option<estoile_engine::RoomId>) {
    if app.flash.with_untracked(Option::is_some) {
        app.flash.set(None);
        return;
    }
    match (app.screen.get_untracked(), room) {
        (Screen::Room(room), _) => {
            app.to_end(room);
            focus("composer");
        }
        (_, Some(room)) => app.go(Screen::Room(room)),
        (Screen::Contact(_) | Screen::Verify(_) | Screen::Devices | Screen::Recovery | Screen::NewPrivate, _) => {
            app.go(Screen::People);
        }
        _ => app.go(Screen::Home),
    }
}

fn focus(id: &str) {
    let element = web_sys::window().and_then(|w| w.document()).and_then(|d| d.get_element_by_id(id));
    if let Some(element) = element.and_then(|e| e.dyn_into::<HtmlElement>().ok()) {
        drop(element.focus());
    }
}

/// Arrows, Home and End move the focus among the buttons of a list.
pub(crate) fn arrows(event: KeyboardEvent) {
    if event.alt_key() || event.ctrl_key() || event.meta_key() {
        return;
    }
    let Some(list) = event.current_target().and_then(|t| t.dyn_into::<Element>().ok()) else { return };
    step(&event, &list, "button:not([disabled])", &["ArrowDown", "ArrowRight"], &["ArrowUp", "ArrowLeft"]);
}

/// In the timeline, arrows move the focus from message to message; C copies the one that has it.
pub(crate) fn in_timeline(event: KeyboardEvent) {
    if event.alt_key() || event.ctrl_key() || event.meta_key() {
        return;
    }
    let Some(list) = event.current_target().and_then(|t| t.dyn_into::<Element>().ok()) else { return };
    if matches!(event.key().as_str(), "c" | "C") {
        let focused = list.query_selector(".msg:focus .copy").ok().flatten();
        if let Some(copy) = focused.and_then(|c| c.dyn_into::<HtmlElement>().ok()) {
            copy.click();
            event.prevent_default();
        }
        return;
    }
    if matches!(event.key().as_str(), "Home" | "End") {
        // The scroller's own: to the oldest in memory, to the newest.
        return;
    }
    step(&event, &list, ".msg", &["ArrowDown"], &["ArrowUp"]);
}

fn step(event: &KeyboardEvent, list: &Element, of: &str, down: &[&str], up: &[&str]) {
    let key = event.key();
    let Ok(all) = list.query_selector_all(of) else { return };
    let count = all.length();
    let active = web_sys::window().and_then(|w| w.document()).and_then(|d| d.active_element());
    let at =
        (0..count).find(|&i| all.item(i).is_some_and(|n| active.as_ref().is_some_and(|a| a.is_same_node(Some(&n)))));
    let to = match key.as_str() {
        key if down.contains(&key) => at.map_or(0, |at| (at + 1).min(count.saturating_sub(1))),
        key if up.contains(&key) => at.map_or(count.saturating_sub(1), |at| at.saturating_sub(1)),
        "Home" => 0,
        "End" => count.saturating_sub(1),
        _ => return,
    };
    if let Some(next) = all.item(to).and_then(|n| n.dyn_into::<HtmlElement>().ok()) {
        drop(next.focus());
        event.prevent_default();
    }
}
