//! Devices that come back: whose vault was put back or copied, whose welcome was lost.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use estoile_engine::{AccountCommand, Answer, CommandError, NoticeKind, PrivateCommand, RoomId};
use estoile_wire::RelayFrame;
use zeroize::Zeroizing;

use crate::accounts_devices::link;
use crate::accounts_world::world;
use crate::world::World;

/// Anna and Ben in Anna's room; what joining schedules is behind them.
fn two(seed: u64) -> (World, (usize, RoomId), (usize, RoomId)) {
    let mut w = world(seed);
    let (anna, _) = w.person("Anna");
    let (ben, _) = w.person("Ben");
    w.befriend(anna, ben);
    let room = w.new_room(anna, "study");
    assert_eq!(w.invite(anna, room, "Ben"), Ok(Answer::Done));
    w.settle();
    let bens = w.inside(ben, "study").unwrap();
    w.pass(90_000);
    (w, (anna, room), (ben, bens))
}

fn stopped(w: &World, at: usize, room: RoomId) -> Option<String> {
    w.clients[at].engine.as_ref().unwrap().snapshot(room, 0).unwrap().room.stopped
}

fn no_lies(w: &World, at: usize) {
    for kind in [NoticeKind::TwoFaced, NoticeKind::Withheld, NoticeKind::Invented, NoticeKind::Forged] {
        assert!(w.notices(at, kind).is_empty(), "{kind:?}: {:?}", w.told(at));
    }
}

#[test]
fn a_device_whose_vault_was_put_back_comes_back_with_new_keys() {
    let (mut w, (anna, room), (ben, bens)) = two(80);
    w.tell(ben, bens, "one");
    w.settle();
    w.kill(ben);
    let old = w.clients[ben].disk.clone();
    w.start(ben);
    w.settle();
    for text in ["two", "three"] {
        w.tell(ben, bens, text);
    }
    w.settle();
    w.kill(ben);
    w.clients[ben].disk = old;
    w.clients[ben].events.clear();
    w.start(ben);
    w.pass(2_000);
    let why = stopped(&w, ben, bens).unwrap_or_else(|| panic!("{:?}", w.told(ben)));
    assert!(why.contains("copied"), "{why}");
    let told = w.notices(ben, NoticeKind::Copied);
    assert!(told.len() == 1 && told[0].advice.contains("estoile room refresh"), "{told:?}");
    assert!(matches!(
        w.private(ben, PrivateCommand::Rename { room: bens, name: "x".into() }),
        Err(CommandError::Stopped(_))
    ));

    // The way out, with nobody there at first.
    w.kill(anna);
    assert_eq!(w.private(ben, PrivateCommand::Refresh(bens)), Ok(Answer::Done));
    w.pass(10_000);
    assert!(stopped(&w, ben, bens).is_some());
    w.start(anna);
    w.pass(10_000);
    assert_eq!(stopped(&w, ben, bens), None, "{:?} {:?}", w.told(anna), w.told(ben));
    assert!(w.told(anna).iter().any(|n| n.contains("evice of Ben came back with new keys")), "{:?}", w.told(anna));
    let members = w.clients[anna].engine.as_ref().unwrap().members(room).unwrap();
    assert!(members.len() == 2 && members.iter().all(|m| m.devices == 1), "one leaf each: {members:?}");

    // What was said after the copy was made has its number for good: nothing is said twice under one.
    w.tell(ben, bens, "four");
    w.tell(anna, room, "five");
    w.pass(90_000);
    assert_eq!(w.texts_in(anna, room), ["one", "two", "three", "four", "five"]);
    assert_eq!(w.texts_in(ben, bens), ["one", "four", "five"]);
    no_lies(&w, anna);
    no_lies(&w, ben);
    // The knock stands at the door still: nobody answers it a second time.
    for at in [anna, ben] {
        w.kill(at);
        w.start(at);
    }
    w.pass(90_000);
    w.tell(ben, bens, "six");
    w.settle();
    assert_eq!(w.texts_in(anna, room).last().map(String::as_str), Some("six"));
    let back = w.told(anna).iter().filter(|n| n.contains("came back with new keys")).count();
    assert_eq!(back, 1, "{:?}", w.told(anna));
}

#[test]
fn of_two_copies_the_one_that_knocks_later_is_in_and_the_other_told() {
    let (mut w, (anna, room), (ben, bens)) = two(81);
    w.kill(ben);
    // Somebody has the data folder, too.
    let thief = w.client();
    w.kill(thief);
    w.clients[thief].disk = w.clients[ben].disk.clone();
    w.start(thief);
    w.pass(2_000);
    w.tell(thief, bens, "I am Ben");
    w.settle();
    w.start(ben);
    w.pass(5_000);
    assert!(stopped(&w, ben, bens).is_some_and(|why| why.contains("copied")), "{:?}", w.told(ben));
    assert_eq!(w.private(ben, PrivateCommand::Refresh(bens)), Ok(Answer::Done));
    w.pass(20_000);
    assert_eq!(stopped(&w, ben, bens), None, "{:?} {:?}", w.told(anna), w.told(ben));
    let why = stopped(&w, thief, bens).unwrap_or_else(|| panic!("{:?}", w.told(thief)));
    assert!(why.contains("newer keys"), "{why}");
    assert_eq!(w.notices(thief, NoticeKind::Copied).len(), 1, "{:?}", w.told(thief));
    w.tell(ben, bens, "and I am Ben");
    w.settle();
    assert_eq!(w.texts_in(anna, room), ["I am Ben", "and I am Ben"]);
    assert!(!w.texts_in(thief, bens).contains(&"and I am Ben".to_owned()));
    no_lies(&w, anna);
    // The old knock does not win again, whoever reads the door anew.
    w.kill(anna);
    w.start(anna);
    w.pass(90_000);
    assert_eq!(stopped(&w, ben, bens), None, "{:?}", w.told(ben));
}

#[test]
fn a_device_that_is_removed_does_not_come_back_by_asking() {
    let (mut w, (anna, room), (ben, bens)) = two(82);
    let account = w.overview(ben).account.unwrap().id;
    assert_eq!(w.private(anna, PrivateCommand::Remove { room, account }), Ok(Answer::Done));
    w.pass(10_000);
    let refused = w.private(ben, PrivateCommand::Refresh(bens));
    assert!(matches!(&refused, Err(CommandError::Stopped(why)) if why.contains("not in this room")), "{refused:?}");
}

#[test]
fn a_welcome_by_a_device_that_was_removed_before_it_was_read_is_asked_for_again() {
    let mut w = world(83);
    let (anna, words) = w.person("Anna");
    let (ben, _) = w.person("Ben");
    w.befriend(anna, ben);
    let phone = link(&mut w, anna);
    let club = w.new_room(anna, "club");
    assert_eq!(w.invite(anna, club, "Ben"), Ok(Answer::Done));
    let study = w.new_room(anna, "study");
    let to_study = match w.private(anna, PrivateCommand::Link { room: study, uses: None, expires: None }) {
        Ok(Answer::Link(link)) => link,
        other => panic!("{other:?}"),
    };
    w.pass(90_000);
    assert!(w.inside(phone, "study").is_some() && w.inside(ben, "club").is_some(), "{:?}", w.told(phone));
    w.kill(anna);
    // Letters are long on their way to Ben; commits are not.
    let (slow, line) = (Rc::new(Cell::new(true)), Rc::new(RefCell::new(Vec::new())));
    let waits = Rc::clone(&slow);
    w.filter = Some(Box::new(move |at, bytes| {
        let letter = matches!(RelayFrame::decode(bytes), Ok(RelayFrame::Record(r)) if r.advance.is_none());
        let mut line = line.borrow_mut();
        if at == ben && letter && waits.get() {
            line.push(bytes.to_vec());
            return Vec::new();
        }
        let mut all = if at == ben && !waits.get() { std::mem::take(&mut *line) } else { Vec::new() };
        all.push(bytes.to_vec());
        all
    }));
    assert!(matches!(w.private(ben, PrivateCommand::Knock { link: to_study }), Ok(Answer::Room(_))));
    w.pass(20_000);
    assert_eq!(w.inside(ben, "study"), None, "the phone has let him in, and he does not know");
    w.start(anna);
    let device = w.overview(phone).account.unwrap().devices.into_iter().find(|d| d.own).unwrap().id;
    let removal = AccountCommand::RemoveDevice { device, words: Some(Zeroizing::new(words)) };
    assert_eq!(w.account(anna, removal), Ok(Answer::Done));
    w.pass(60_000);
    slow.set(false);
    w.tell(anna, club, "are you coming?");
    w.pass(30_000);
    let told = w.notices(ben, NoticeKind::Knocked);
    assert!(told.iter().any(|n| n.detail.contains("knocks once more")), "{:?}", w.told(ben));
    let there = w.inside(ben, "study").unwrap_or_else(|| panic!("{:?} {:?}", w.told(anna), w.told(ben)));
    w.tell(ben, there, "at last");
    w.settle();
    assert_eq!(w.texts_in(anna, study), ["at last"]);
    let members = w.clients[anna].engine.as_ref().unwrap().members(study).unwrap();
    assert!(members.iter().all(|m| m.devices == 1), "{members:?}");
}
