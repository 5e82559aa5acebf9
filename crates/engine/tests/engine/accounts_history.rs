//! A new device with the messages of the old one.

use estoile_engine::{AccountCommand, Answer, Command, Event, NoticeKind, RoomId};

use crate::accounts_devices::compared;
use crate::accounts_world::world;
use crate::world::{Death, World};

const DAY: u64 = 24 * 60 * 60 * 1000;

/// Anna and Ben in one room, in which both have spoken; the room as each has it.
fn talk(seed: u64) -> (World, [usize; 2], [RoomId; 2]) {
    let mut w = world(seed);
    let (anna, _) = w.person("Anna");
    let (ben, _) = w.person("Ben");
    w.befriend(anna, ben);
    let room = w.new_room(anna, "study");
    assert_eq!(w.invite(anna, room, "Ben"), Ok(Answer::Done));
    let bens = w.inside(ben, "study").unwrap();
    w.tell(anna, room, "one");
    w.tell(ben, bens, "two");
    w.pass(2_000);
    (w, [anna, ben], [room, bens])
}

fn yes(w: &mut World, old: usize) {
    let yes = AccountCommand::ConfirmDevice { yes: true, history: true };
    assert_eq!(w.account(old, yes), Ok(Answer::Done), "{:?}", w.told(old));
}

/// Neither replay nor gap nor anything else that would be wrong with these messages was told.
fn nothing_is_odd(w: &World, at: usize) {
    for kind in [NoticeKind::Replayed, NoticeKind::Withheld, NoticeKind::Forged, NoticeKind::Invented] {
        assert!(w.notices(at, kind).is_empty(), "{:?}", w.told(at));
    }
}

fn restarted(w: &mut World, at: usize) {
    w.kill(at);
    w.start(at);
    w.pass(2_000);
}

#[test]
fn messages_come_along_stand_first_and_end_in_time() {
    let (mut w, [anna, ben], [room, bens]) = talk(40);
    let brief = Command::Send { room, text: "brief".into(), ttl: Some(Some(600)) };
    assert!(matches!(w.act(anna, brief), Ok(Answer::Letter(_))));
    let briefer = Command::Send { room, text: "briefer".into(), ttl: Some(Some(10)) };
    assert!(matches!(w.act(anna, briefer), Ok(Answer::Letter(_))));
    let phone = compared(&mut w, anna);
    yes(&mut w, anna);
    assert!(w.overview(anna).history.is_some_and(|h| h.old && h.messages == 4) || w.blobs_put > 0);
    w.tell(ben, bens, "three");
    w.pass(30_000);
    let there = w.inside(phone, "study").unwrap_or_else(|| panic!("{:?}", w.told(phone)));
    w.tell(ben, bens, "four");
    w.pass(5_000);
    let texts = w.texts_in(phone, there);
    assert_eq!(texts.iter().filter(|t| ["one", "two", "brief"].contains(&t.as_str())).count(), 3, "{texts:?}");
    assert_eq!(texts[..3], ["one", "two", "brief"], "older messages stand first: {texts:?}");
    assert_eq!(texts.last().map(String::as_str), Some("four"));
    assert!(!w.printed(phone).iter().any(|text| ["one", "two"].contains(&text.as_str())), "they are no news");
    assert!(w.clients[phone].events.contains(&Event::Reload));
    assert_eq!((w.overview(phone).history, w.overview(anna).history), (None, None));
    assert!(
        w.told(phone).iter().any(|told| told.contains("3 messages of the old device are here")
            || told.contains("4 messages of the old device are here")),
        "{:?}",
        w.told(phone)
    );
    let engine = w.clients[phone].engine.as_ref().unwrap();
    let shown = engine.snapshot(there, 1_000).unwrap();
    assert_eq!((shown.room.unread, shown.more), (u32::try_from(texts.len() - 3).unwrap(), false));
    assert_eq!(shown.messages[1].shown, "Ben");
    nothing_is_odd(&w, phone);

    // What was sent is a part of this device's past from now on, also for the next one.
    w.pass(600_000);
    restarted(&mut w, phone);
    let kept: Vec<String> = texts.into_iter().filter(|text| text != "brief").collect();
    assert_eq!(w.texts_in(phone, there), kept, "what is over is gone");
    let tablet = compared(&mut w, phone);
    yes(&mut w, phone);
    w.pass(30_000);
    let there = w.inside(tablet, "study").unwrap_or_else(|| panic!("{:?}", w.told(tablet)));
    assert_eq!(w.texts_in(tablet, there), kept);
    nothing_is_odd(&w, tablet);
}

#[test]
fn many_messages_are_paged_below_those_that_come_later() {
    let (mut w, [anna, ben], [room, bens]) = talk(41);
    let many: Vec<String> = (0..1_100).map(|n| format!("{n:04}")).collect();
    for text in &many {
        let id = w.command(anna, Command::Send { room, text: text.clone(), ttl: None });
        if text.ends_with("50") {
            w.pass(60_000);
        }
        let _ = id;
    }
    w.pass(120_000);
    let phone = compared(&mut w, anna);
    yes(&mut w, anna);
    w.pass(30_000);
    let there = w.inside(phone, "study").unwrap_or_else(|| panic!("{:?}", w.told(phone)));
    for n in 0..3 {
        w.tell(ben, bens, &format!("new {n}"));
    }
    restarted(&mut w, phone);
    let texts = w.texts_in(phone, there);
    assert_eq!(texts.len(), 1_000);
    assert_eq!(texts[997..], ["new 0", "new 1", "new 2"]);
    assert_eq!(texts[..997], many[103..]);
    let (vault, engine) = (w.clients[phone].vault.take().unwrap(), w.clients[phone].engine.as_mut().unwrap());
    let first = engine.snapshot(there, 1_000).unwrap().messages[0].id;
    let older = estoile_engine::vault::ready(engine.older(&vault, there, first, 50)).unwrap().unwrap();
    let older: Vec<String> = older.into_iter().map(|m| m.text).collect();
    assert_eq!(older, many[100..103], "the newest thousand came along");
    w.clients[phone].vault = Some(vault);
}

#[test]
fn an_altered_part_is_asked_for_again_and_given_up_in_the_end() {
    let (mut w, [anna, ben], [_, bens]) = talk(42);
    let phone = compared(&mut w, anna);
    w.spoil = 3;
    yes(&mut w, anna);
    w.pass(60_000);
    let there = w.inside(phone, "study").unwrap();
    assert_eq!(w.texts_in(phone, there), ["one", "two"], "{:?}", w.told(phone));

    let tablet = compared(&mut w, anna);
    w.spoil = usize::MAX;
    yes(&mut w, anna);
    w.pass(180_000);
    let there = w.inside(tablet, "study").unwrap();
    assert!(w.texts_in(tablet, there).is_empty());
    assert!(w.told(tablet).iter().any(|told| told.contains("not all here yet")), "{:?}", w.told(tablet));
    // All else goes on.
    w.tell(ben, bens, "three");
    w.now += 2 * DAY;
    w.pass(60_000);
    assert!(w.texts_in(tablet, there).contains(&"three".to_owned()));
    assert!(w.told(tablet).iter().any(|told| told.contains("did not come")), "{:?}", w.told(tablet));
    assert_eq!(w.overview(tablet).history, None);
}

#[test]
fn without_the_wish_nothing_is_put_and_a_no_hands_nothing_over() {
    let (mut w, [anna, _], _) = talk(43);
    let phone = compared(&mut w, anna);
    assert_eq!(w.account(anna, AccountCommand::ConfirmDevice { yes: false, history: true }), Ok(Answer::Done));
    w.pass(30_000);
    assert_eq!((w.blobs_put, w.overview(phone).account), (0, None));
    let tablet = compared(&mut w, anna);
    assert_eq!(w.account(anna, AccountCommand::ConfirmDevice { yes: true, history: false }), Ok(Answer::Done));
    w.pass(30_000);
    assert_eq!(w.blobs_put, 0);
    let there = w.inside(tablet, "study").unwrap();
    assert!(w.texts_in(tablet, there).is_empty());
    // Another account's devices have no say in it.
    let nothing = w.account(anna, AccountCommand::ConfirmDevice { yes: true, history: true });
    assert!(nothing.is_err(), "history goes along with a yes, to the device that was compared, and never else");
}

/// Another device is linked, and at a turn after the yes the old device (0) or the new one (1) dies. The new device, and
/// whether one died: there may be fewer turns than that.
fn link_and_die(w: &mut World, anna: usize, who: usize, death: impl Fn(u64) -> Death) -> (usize, bool) {
    let mut died = false;
    loop {
        let phone = compared(w, anna);
        let at = [anna, phone][who];
        let first = !died;
        w.clients[at].death = first.then(|| death(w.clients[at].commits));
        let yes = || Command::Account(AccountCommand::ConfirmDevice { yes: true, history: true });
        w.try_act(anna, |_| yes(), &mut died);
        for _ in 0..2 {
            w.pass(20_000);
            w.revive(&mut died);
        }
        // A link that died with one of them before the account was handed over is of no use: another one.
        if w.overview(phone).account.is_some() {
            return (phone, died);
        }
        assert!(first, "the second link leads in");
    }
}

fn deaths(seed: u64, who: usize, after: bool) {
    let (mut w, [anna, ben], [_, bens]) = talk(seed);
    let mut said = vec!["one".to_owned(), "two".to_owned()];
    // The account takes eight devices.
    for n in 1..=4 {
        let death = |at: u64| if after { Death::AfterCommit(at + n) } else { Death::BeforeCommit(at + n) };
        let (phone, died) = link_and_die(&mut w, anna, who, death);
        assert!(died || n > 3, "{n} {:?}", w.told(phone));
        let there = w.inside(phone, "study").unwrap_or_else(|| panic!("{n} {:?}", w.told(phone)));
        said.push(format!("after {n}"));
        w.tell(ben, bens, &format!("after {n}"));
        w.pass(2_000);
        assert_eq!(w.texts_in(phone, there), said, "{n} {:?}", w.told(phone));
        nothing_is_odd(&w, phone);
    }
}

#[test]
fn a_death_of_the_old_device_at_any_turn_loses_and_doubles_nothing() {
    deaths(44, 0, false);
    deaths(45, 0, true);
}

#[test]
fn a_death_of_the_new_device_at_any_turn_loses_and_doubles_nothing() {
    deaths(46, 1, false);
    deaths(47, 1, true);
}
