//! Who only looks at an opened vault is answered before anything is proved, written or connected.

use core::cell::RefCell;
use std::rc::Rc;

use estoile_engine::{RoomId, face};
use estoile_port::{Ask, Down, Reply, Settings, Stage};

use crate::world::{Place, Tab, World};
use crate::{new_room, open_tab, place, send};

/// A tab over a vault with a room, opened again.
fn opened_again(world: &mut World, place: &Rc<RefCell<Place>>) -> Tab {
    let mut tab = open_tab(world, place);
    new_room(&mut tab);
    drop(tab);
    let mut tab = world.tab(place);
    tab.begin(false);
    assert!(matches!(tab.stage(), Stage::Open(_)));
    tab
}

#[test]
fn who_looks_is_answered_before_anything_is_done() {
    let (mut world, place) = (World::new(), place());
    let mut tab = opened_again(&mut world, &place);
    let before = place.borrow().writers.len();
    assert!(matches!(tab.ask(Ask::Settings), Ok(Reply::Settings(_))));
    let rooms = tab.rooms();
    assert_eq!((rooms.len(), tab.dialled.len()), (1, 0));
    assert_eq!(place.borrow().writers.len(), before, "nothing is written for who only looks");
    let asked = tab.put(Ask::Face(face::Ask::Snapshot(rooms[0].id, 10)));
    tab.settle();
    let shown = |down: &Down| matches!(down, Down::Reply(number, _) if *number == asked);
    let told = |down: &Down| matches!(down, Down::Event(_));
    let (shown, told) = (tab.seen.iter().position(shown), tab.seen.iter().position(told));
    assert!(shown.is_some() && told.is_none_or(|told| shown < Some(told)), "first what is looked at");
    assert_eq!(tab.dialled.len(), 1, "and then it is connected");
}

#[test]
fn a_page_that_shows_no_room_is_connected_in_a_moment() {
    let (mut world, place) = (World::new(), place());
    let mut tab = opened_again(&mut world, &place);
    tab.wait(300);
    assert_eq!(tab.dialled.len(), 0);
    tab.wait(200);
    assert_eq!(tab.dialled.len(), 1);
}

#[test]
fn who_does_something_at_once_does_not_wait() {
    let (mut world, place) = (World::new(), place());
    let mut tab = opened_again(&mut world, &place);
    send(&mut tab, RoomId(0), "at once");
    assert_eq!(tab.dialled.len(), 1);
    let mut tab = {
        drop(tab);
        world.tab(&place)
    };
    tab.begin(false);
    assert!(matches!(tab.ask(Ask::Remember(Settings::default())), Ok(Reply::Done)));
    assert_eq!(tab.dialled.len(), 1, "what is sealed beside the engine's entries waits for the proof, too");
}
