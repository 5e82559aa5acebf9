//! A room so large that it is looked at before all of it is read.

use core::cell::RefCell;
use std::rc::Rc;

use estoile_engine::{Command, Event, RoomId, face};
use estoile_port::{Ask, Down, Reply, Stage};

use crate::world::{ORIGIN, Place, Tab, World, begin};
use crate::{new_room, open_tab, place, send};

/// More than are read in one page.
const MANY: usize = 600;

fn snapshot(room: RoomId) -> Ask {
    Ask::Face(face::Ask::Snapshot(room, 5))
}

fn say(room: RoomId, text: &str) -> Ask {
    Ask::Face(face::Ask::Command(Box::new(Command::Send { room, text: text.into(), ttl: None })))
}

/// A room with many messages in a browser, and the tab that wrote them closed.
fn many(world: &mut World, browser: &Rc<RefCell<Place>>) -> RoomId {
    let mut ann = open_tab(world, browser);
    let room = new_room(&mut ann);
    for n in 0..MANY {
        assert!(send(&mut ann, room, &format!("message {n}")));
        ann.wait(200);
    }
    room
}

/// A new tab in which somebody looks and writes before all is read: the two requests' numbers.
fn look_and_write(world: &mut World, browser: &Rc<RefCell<Place>>, room: RoomId) -> (Tab, u64, u64) {
    let mut ann = world.tab(browser);
    ann.put(begin(ORIGIN, false));
    let looked = ann.put(snapshot(room));
    let wrote = ann.put(say(room, "the last one"));
    ann.settle();
    (ann, looked, wrote)
}

#[test]
fn a_large_room_is_looked_at_before_all_of_it_is_read_and_written_to_afterwards() {
    let (mut world, browser) = (World::new(), place());
    let room = many(&mut world, &browser);
    let (mut ann, looked, wrote) = look_and_write(&mut world, &browser, room);
    let at = |wanted: &dyn Fn(&Down) -> bool| ann.seen.iter().position(wanted).expect("it was said");
    let answered = at(&|down| matches!(down, Down::Reply(number, _) if *number == looked));
    let first = at(&|down| matches!(down, Down::Event(event) if matches!(**event, Event::Room(_))));
    assert!(answered < first, "the look was answered before the engine's first turn");
    let Some(Ok(Reply::Face(face::Reply::Snapshot(Some(seen))))) = ann.answer(looked) else { panic!("a snapshot") };
    let texts: Vec<&str> = seen.messages.iter().map(|message| message.text.as_str()).collect();
    assert_eq!(texts, ["message 595", "message 596", "message 597", "message 598", "message 599"]);
    assert!(seen.more);
    assert!(matches!(ann.answer(wrote), Some(Ok(Reply::Face(face::Reply::Command(Ok(_)))))));
    let mut bea = open_tab(&mut world, &place());
    let link = ann.rooms().remove(0).link;
    bea.ask(Ask::OpenLink { link, own_name: "Bea".into(), passphrase: None }).unwrap();
    bea.wait(60_000);
    let texts = bea.texts();
    assert_eq!(texts.len(), MANY + 1, "nothing is missing, and nothing came twice");
    assert_eq!(texts.last().map(String::as_str), Some("the last one"));
    assert!(!bea.events().chain(ann.events()).any(|event| matches!(event, Event::Notice(_))));
}

#[test]
fn what_a_glance_left_out_and_is_damaged_is_told() {
    let (mut world, browser) = (World::new(), place());
    let room = many(&mut world, &browser);
    let prefix = [b"r".as_slice(), &room.0.to_be_bytes(), b"tl"].concat();
    for (name, value) in browser.borrow_mut().entries.entries_mut().iter_mut().rev() {
        if name.starts_with(&prefix) {
            *value.last_mut().unwrap() ^= 1;
            break;
        }
    }
    let (mut ann, looked, wrote) = look_and_write(&mut world, &browser, room);
    assert!(matches!(ann.answer(looked), Some(Ok(Reply::Face(face::Reply::Snapshot(Some(_)))))));
    let Stage::Lost(why) = ann.stage().clone() else { panic!("{:?}", ann.stage()) };
    assert!(why.contains("damaged"), "{why}");
    assert_eq!(ann.answer(wrote).map(|answer| format!("{answer:?}").contains("damaged")), Some(true));
}
