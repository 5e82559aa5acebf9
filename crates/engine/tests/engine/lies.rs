//! A relay that shows two histories, a commit that nobody can open, an account that forks: what people with accounts are told,
//! what stops, and how they go on. And a room that needs blobs.

use std::cell::Cell;
use std::rc::Rc;

use estoile_engine::{AccountCommand, Answer, Command, CommandError, NoticeKind, PrivateCommand, Role, RoomId, Verify};
use estoile_wire::RelayFrame;
use zeroize::Zeroizing;

use crate::accounts_world::world;
use crate::world::World;

/// Anna and Ben are contacts and share a room of Anna's, in which Ben is an admin; what joining schedules is behind them.
fn two(seed: u64) -> (World, (usize, RoomId), (usize, RoomId)) {
    let mut w = world(seed);
    let (anna, _) = w.person("Anna");
    let (ben, _) = w.person("Ben");
    w.befriend(anna, ben);
    let room = w.new_room(anna, "study");
    assert_eq!(w.invite(anna, room, "Ben"), Ok(Answer::Done));
    w.settle();
    let bens = w.inside(ben, "study").unwrap();
    let account = w.overview(ben).account.unwrap().id;
    let role = PrivateCommand::SetRole { room, account, role: Role::Admin };
    assert_eq!(w.private(anna, role), Ok(Answer::Done));
    w.pass(90_000);
    (w, (anna, room), (ben, bens))
}

fn stopped(w: &World, at: usize, room: RoomId) -> Option<String> {
    w.clients[at].engine.as_ref().unwrap().snapshot(room, 0).unwrap().room.stopped
}

fn rename(room: RoomId, name: &str) -> PrivateCommand {
    PrivateCommand::Rename { room, name: name.into() }
}

/// From here on the relay has one history for each of the two: a commit of one's own in each, with the other away. What comes
/// back is Ben's; the relay stands in Anna's.
fn part(w: &mut World, anna: (usize, RoomId), ben: (usize, RoomId)) -> estoile_hub::memory::MemoryStore {
    let other = w.parted();
    w.kill(ben.0);
    w.start_relay();
    assert_eq!(w.private(anna.0, rename(anna.1, "study of Anna")), Ok(Answer::Done));
    w.pass(2_000);
    w.kill(anna.0);
    let annas = w.go_on_from(other);
    w.start(ben.0);
    assert_eq!(w.private(ben.0, rename(ben.1, "study of Ben")), Ok(Answer::Done));
    w.pass(2_000);
    let bens = w.go_on_from(annas);
    w.kill_relay();
    w.start(anna.0);
    bens
}

fn show(w: &mut World, at: usize, other: &str) -> String {
    let contact = w.contact(at, other).unwrap().0;
    match w.ask(at, Command::Account(AccountCommand::ShowVerification(contact))) {
        Ok(Answer::Verify(view)) => view.qr,
        other => panic!("{other:?}"),
    }
}

#[test]
fn two_histories_of_one_room_show_when_people_verify_each_other() {
    let (mut w, anna, ben) = two(60);
    let code = show(&mut w, anna.0, "Ben");
    let annas = w.contact(ben.0, "Anna").unwrap().0;
    let verify = |code: String| Command::Account(AccountCommand::VerifyContact(annas, Verify::Qr(code)));
    assert_eq!(w.ask(ben.0, verify(code)), Ok(Answer::Done), "before the relay lies");
    part(&mut w, anna, ben);
    // Both are offline: what they hold in their hands is enough.
    let code = show(&mut w, anna.0, "Ben");
    let told = w.ask(ben.0, verify(code));
    assert!(matches!(&told, Err(CommandError::Mismatch(why)) if why.contains("two histories")), "{told:?}");
    let why = stopped(&w, ben.0, ben.1).unwrap_or_else(|| panic!("{:?}", w.told(ben.0)));
    assert!(why.contains("Anna and you see two different histories"), "{why}");
    assert_eq!(stopped(&w, anna.0, anna.1), None, "she knows nothing yet");
    // She hears of it from him as soon as the relay gives her his letter.
    w.start_relay();
    w.pass(30_000);
    let told = w.notices(anna.0, NoticeKind::Split);
    assert!(told.iter().any(|n| n.detail.contains("Ben and you see two different histories")), "{:?}", w.told(anna.0));
    assert!(stopped(&w, anna.0, anna.1).is_some());
    assert_eq!(w.notices(ben.0, NoticeKind::Split).len(), 1, "{:?}", w.told(ben.0));
}

#[test]
fn two_histories_of_one_room_stop_it_when_anything_crosses() {
    let (mut w, anna, ben) = two(61);
    part(&mut w, anna, ben);
    // The relay lets a letter between contacts cross: an invitation of Anna's to another room. Of the shared room it gives Ben
    // nothing that would show him the other history by itself.
    w.start_relay();
    let garden = w.new_room(anna.0, "garden");
    assert_eq!(w.invite(anna.0, garden, "Ben"), Ok(Answer::Done));
    w.pass(30_000);
    let why = stopped(&w, ben.0, ben.1).unwrap_or_else(|| panic!("{:?}", w.told(ben.0)));
    assert!(!why.is_empty());
    let refused = w.ask(ben.0, Command::Send { room: ben.1, text: "to whom?".into(), ttl: None });
    assert!(refused.is_err(), "{refused:?}");
    let told = w.clients[ben.0].events.clone();
    assert!(told.iter().any(|e| matches!(e, estoile_engine::Event::Notice(n) if n.room == Some(ben.1))), "{told:?}");
    assert!(w.texts_in(anna.0, anna.1).is_empty());
}

#[test]
fn a_commit_that_nobody_can_open_stops_the_room_which_moves_without_who_made_it() {
    let mut w = world(62);
    let (anna, _) = w.person("Anna");
    let (ben, _) = w.person("Ben");
    let (eve, _) = w.person("Eve");
    w.befriend(anna, ben);
    w.befriend(anna, eve);
    let room = w.new_room(anna, "study");
    for name in ["Ben", "Eve"] {
        assert_eq!(w.invite(anna, room, name), Ok(Answer::Done));
        w.settle();
    }
    let (bens, eves) = (w.inside(ben, "study").unwrap(), w.inside(eve, "study").unwrap());
    w.tell(eve, eves, "before");
    w.pass(90_000);
    // Eve and the relay: her commit ends the epoch, and what the others get of it opens for nobody.
    let armed = Rc::new(Cell::new(true));
    let poisoning = Rc::clone(&armed);
    w.filter = Some(Box::new(move |at, bytes| match RelayFrame::decode(bytes) {
        Ok(RelayFrame::Record(record)) if at != eve && record.advance.is_some() && poisoning.get() => {
            let mut body = record.body.to_vec();
            *body.last_mut().unwrap() ^= 1;
            let mut record = record;
            record.body = &body;
            vec![RelayFrame::Record(record).encode()]
        }
        _ => vec![bytes.to_vec()],
    }));
    assert_eq!(w.private(eve, PrivateCommand::Refresh(eves)), Ok(Answer::Done));
    w.pass(2_000);
    for (at, room) in [(anna, room), (ben, bens)] {
        let why = stopped(&w, at, room).unwrap_or_else(|| panic!("{at}: {:?}", w.told(at)));
        assert!(why.contains("a change that can't be opened"), "{why}");
        assert_eq!(w.notices(at, NoticeKind::Poisoned).len(), 1, "{:?}", w.told(at));
        assert!(w.ask(at, Command::Send { room, text: "no".into(), ttl: None }).is_err());
    }
    armed.set(false);
    let without = vec![w.overview(eve).account.unwrap().id];
    let moved = w.private(anna, PrivateCommand::Move { room, without, classic: true });
    assert_eq!(moved, Ok(Answer::Room(room)), "{:?}", w.told(anna));
    w.pass(60_000);
    w.tell(anna, room, "after");
    w.pass(10_000);
    assert_eq!(w.texts_in(ben, bens).last().map(String::as_str), Some("after"), "{:?}", w.told(ben));
    assert!(!w.texts_in(eve, eves).contains(&"after".to_owned()));
    let members = w.clients[ben].engine.as_ref().unwrap().members(bens).unwrap();
    assert_eq!(members.iter().map(|m| m.shown.as_str()).filter(|name| *name == "Eve").count(), 0);
}

#[test]
fn a_contact_whose_devices_have_two_histories_is_stopped_and_told() {
    let mut w = world(63);
    let (anna, words) = w.person("Anna");
    let (ben, _) = w.person("Ben");
    w.befriend(anna, ben);
    w.kill(anna);
    let restore = |w: &World| AccountCommand::Restore {
        words: Zeroizing::new(words.clone()),
        device: "new".into(),
        relay: w.address.clone(),
        entry: None,
        keep_devices: false,
        anew: None,
    };
    // In one history Anna comes back with one device; Ben hears of it.
    let other = w.parted();
    w.start_relay();
    let one = w.client();
    let command = restore(&w);
    assert_eq!(w.account(one, command), Ok(Answer::Done));
    let room = w.new_room(one, "first");
    assert_eq!(w.invite(one, room, "Ben"), Ok(Answer::Done));
    w.pass(30_000);
    assert!(w.inside(ben, "first").is_some(), "{:?}", w.told(ben));
    w.kill(one);
    w.kill(ben);
    // In the other with another one, as whoever has her words and the relay could make it.
    w.go_on_from(other);
    let two = w.client();
    let command = restore(&w);
    assert_eq!(w.account(two, command), Ok(Answer::Done));
    for name in ["second", "third", "fourth", "fifth"] {
        let room = w.new_room(two, name);
        assert_eq!(w.invite(two, room, "Ben"), Ok(Answer::Done));
    }
    w.start(ben);
    w.pass(60_000);
    let told = w.notices(ben, NoticeKind::Contact);
    let told: Vec<_> = told.into_iter().filter(|n| n.detail.contains("was stopped")).collect();
    assert_eq!(told.len(), 1, "once: {:?}", w.told(ben));
    assert_eq!(told[0].from.as_deref(), Some("Anna"));
    for name in ["second", "third", "fourth", "fifth"] {
        assert!(w.inside(ben, name).is_none(), "{name}");
    }
}

#[test]
fn a_welcome_that_is_longer_than_a_record_travels_as_a_blob() {
    let mut w = world(64);
    let (anna, _) = w.person("Anna");
    let new = PrivateCommand::New { name: "hall".into(), ttl: None, max_ttl: 0, classic: false };
    let room = match w.private(anna, new) {
        Ok(Answer::Room(room)) => room,
        other => panic!("{other:?}"),
    };
    let mut guests = Vec::new();
    // Each post-quantum leaf makes the tree longer, until it no longer fits.
    while w.blobs_put == 0 {
        assert!(guests.len() < 40, "a tree of forty leaves is longer than a record");
        let name = format!("Guest{}", guests.len());
        let (guest, _) = w.person(&name);
        w.befriend(anna, guest);
        assert_eq!(w.invite(anna, room, &name), Ok(Answer::Done));
        w.settle();
        guests.push(guest);
    }
    w.pass(90_000);
    let last = *guests.last().unwrap();
    let there = w.inside(last, "hall").unwrap_or_else(|| panic!("{:?} {:?}", w.told(anna), w.told(last)));
    w.tell(last, there, "what a hall");
    w.settle();
    for guest in &guests {
        let there = w.inside(*guest, "hall").unwrap();
        assert_eq!(w.texts_in(*guest, there).last().map(String::as_str), Some("what a hall"), "{:?}", w.told(*guest));
    }
    assert_eq!(w.texts_in(anna, room), ["what a hall"]);
}
