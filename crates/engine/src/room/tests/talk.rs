//! Talking in a private room.

use super::star::{ROOM, Star};
use crate::command::Command;
use crate::notice::NoticeKind;
use crate::private::Intent;
use crate::view::DeliveryState;

#[test]
fn a_message_each_way_is_kept_seen_and_shown_with_its_account() {
    let mut star = Star::together(1, &["Ann", "Ben"]);
    let hello = star.world.say(0, "hello");
    star.world.settle();
    let answer = star.world.say(1, "hello back");
    star.world.pass(1_000);
    for at in 0..2 {
        assert_eq!(star.world.texts(at), ["hello", "hello back"], "client {at}");
        assert!(star.world.room(at).room.private.is_some());
        assert_eq!(star.world.printed(at), ["hello", "hello back"]);
    }
    assert_eq!(star.state(0, hello), DeliveryState::Seen { by: 1 });
    let shown = star.world.message(0, answer).unwrap();
    assert_eq!(shown.shown, "Ben");
    assert_eq!(shown.account, Some(crate::room::hex(&star.people[1].account)));
    assert!(!shown.verified && !shown.own && shown.unread);
    let people = star.world.room(0).people;
    assert_eq!(people.iter().map(|p| p.shown.as_str()).collect::<Vec<_>>(), ["Ann", "Ben"]);
    assert!(people.iter().all(|p| p.here && p.account.is_some() && p.role.is_some()), "{people:?}");
    // A beat confirms the last one.
    star.world.pass(4_000_000);
    assert_eq!(star.state(1, answer), DeliveryState::Seen { by: 1 });
    star.assert_sealed_once();
}

#[test]
fn presence_and_typing_are_by_account() {
    let mut star = Star::together(2, &["Ann", "Ben"]);
    star.world.ask(1, Command::Typing { room: ROOM }).unwrap();
    star.world.settle();
    let ben = star.world.room(0).people.into_iter().find(|p| p.shown == "Ben").unwrap();
    assert!(ben.here && ben.typing);
    star.world.kill(1);
    star.world.pass(200_000);
    let ben = star.world.room(0).people.into_iter().find(|p| p.shown == "Ben").unwrap();
    assert!(!ben.here && !ben.typing);
}

#[test]
fn who_was_removed_gets_the_own_removal_and_nothing_after() {
    let mut star = Star::together(3, &["Ann", "Ben", "Cleo"]);
    star.world.say(0, "before");
    star.world.settle();
    let cleo = star.people[2].account;
    star.want(0, Intent::RemoveAccount(cleo));
    star.world.settle();
    star.world.say(0, "after");
    star.world.settle();
    star.world.say(1, "after too");
    star.world.pass(30_000);
    assert_eq!(star.world.texts(1), ["before", "after", "after too"]);
    assert_eq!(star.world.texts(2), ["before"]);
    let view = star.world.room(2).room;
    assert!(view.stopped.is_some() && view.private.unwrap().role.is_none());
    let refused = star.world.command(2, Command::Send { room: ROOM, text: "let me".into(), ttl: None });
    assert!(star.world.clients[2].answers[&refused].is_err());
    // Not after a restart either.
    star.world.kill(2);
    star.world.start(2);
    star.world.pass(30_000);
    assert_eq!(star.world.texts(2), ["before"]);
    assert!(star.world.room(2).room.stopped.is_some());
}

#[test]
fn who_was_away_for_many_commits_walks_forward() {
    let mut star = Star::together(4, &["Ann", "Ben"]);
    star.world.kill(1);
    for n in 0..200 {
        if n % 20 == 0 {
            star.world.say(0, &format!("letter {n}"));
        }
        star.want(0, Intent::Rename(format!("garden {n}")));
        star.world.pass(1_000);
    }
    let epoch = star.epoch(0);
    assert!(epoch >= 200, "{epoch}");
    star.world.start(1);
    star.world.pass(5_000);
    assert_eq!(star.epoch(1), epoch);
    assert_eq!(star.world.texts(1).len(), 10);
    assert_eq!(star.world.room(1).room.name, "garden 199");
    assert!(star.world.notices(1, NoticeKind::Forged).is_empty());
    assert!(star.world.notices(1, NoticeKind::Withheld).is_empty());
}

#[test]
fn letters_from_the_future_are_held_and_late_ones_refused() {
    let mut star = Star::together(5, &["Ann", "Ben"]);
    star.world.clients[0].clock = 300_000;
    star.world.say(0, "from tomorrow");
    star.world.pass(1_000);
    assert!(star.world.texts(1).is_empty());
    assert_eq!(star.world.notices(1, NoticeKind::Future).len(), 1);
    // Held across an epoch and a restart.
    star.want(1, Intent::Refresh);
    star.world.settle();
    star.world.kill(1);
    star.world.start(1);
    star.world.pass(320_000);
    assert_eq!(star.world.texts(1), ["from tomorrow"]);
    star.world.clients[0].clock = -100_000;
    star.world.say_for(0, "too late", Some(Some(10)));
    star.world.pass(1_000);
    assert_eq!(star.world.texts(1), ["from tomorrow"]);
}
