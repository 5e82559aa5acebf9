//! The worker's client through its inbox, as a page would use it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a crate of tests: its helpers fail by panicking too"
)]

mod large;
mod proof;
mod stages;
mod tabs;
mod talk;
mod world;

use core::cell::RefCell;
use std::rc::Rc;

use estoile_engine::{Command, RoomId, face};
use estoile_port::{Ask, Reply};

use world::{Place, Tab, World};

/// A browser that keeps nothing yet.
fn place() -> Rc<RefCell<Place>> {
    Rc::default()
}

/// A tab of it with an open vault, under the browser's own key.
fn open_tab(world: &mut World, place: &Rc<RefCell<Place>>) -> Tab {
    let mut tab = world.tab(place);
    tab.begin(false);
    if place.borrow().head.is_none() {
        tab.unlock(None).unwrap();
    }
    tab
}

fn new_room(tab: &mut Tab) -> RoomId {
    let ask = Ask::NewRoom { name: "Tea".into(), own_name: "Ann".into(), passphrase: None, ttl: None, entry: None };
    match tab.ask(ask) {
        Ok(Reply::Room(room)) => room,
        other => panic!("{other:?}"),
    }
}

/// Puts a text in; true if it is in the vault.
fn send(tab: &mut Tab, room: RoomId, text: &str) -> bool {
    let command = Command::Send { room, text: text.into(), ttl: None };
    matches!(tab.face(face::Ask::Command(Box::new(command))), face::Reply::Command(Ok(_)))
}
