//! What the account part does with rooms: rooms that wait, members who leave, links between rooms.

use super::star::{ROOM, Star};
use crate::command::{Command, CommandError};
use crate::notice::NoticeKind;
use crate::private::Intent;
use crate::room::Room;
use crate::view::RelayId;

#[test]
fn a_room_that_waits_says_so_survives_a_restart_and_sends_nothing() {
    let mut star = Star::new(31);
    let ann = star.person("Ann");
    let address = star.world.address.clone();
    star.world.turn(ann, |engine, env| {
        engine.put_room(env, |id, cx| Some(Room::waiting_private(id, RelayId(u32::MAX), &address, "garden", true, cx)))
    });
    for _ in 0..2 {
        star.world.pass(10_000);
        let view = star.world.room(ann).room;
        assert_eq!(view.name, "garden");
        assert!(view.stopped.is_none() && view.private.is_some_and(|p| p.waiting && p.role.is_none()));
        let sent = star.world.ask(ann, Command::Send { room: ROOM, text: "hello".into(), ttl: None });
        assert!(matches!(sent, Err(CommandError::Private(_))), "{sent:?}");
        star.world.kill(ann);
        star.world.start(ann);
    }
}

#[test]
fn who_leaves_is_removed_by_the_next_who_is_online() {
    let mut star = Star::together(32, &["Ann", "Ben", "Cleo"]);
    star.want(2, Intent::Leave);
    star.world.pass(30_000);
    assert!(star.world.room(2).room.stopped.is_some(), "out");
    star.world.say(0, "without Cleo");
    star.world.pass(1_000);
    assert_eq!(star.world.texts(1), ["without Cleo"]);
    assert!(star.world.texts(2).is_empty());
    assert_eq!(star.world.room(0).room.private.unwrap().members, 2);
    assert_eq!(star.epoch(0), star.epoch(1));
}

/// A relay that lost the log: the room stops instead of beginning anew under a group that has moved on.
#[test]
fn a_lost_log_stops_the_room_and_says_what_to_do() {
    let mut star = Star::together(33, &["Ann", "Ben"]);
    star.world.lose_store();
    star.world.start_relay();
    star.world.pass(60_000);
    for at in 0..2 {
        assert!(star.world.room(at).room.stopped.is_some(), "client {at}");
        assert_eq!(star.world.notices(at, NoticeKind::NoRoom).len(), 1);
    }
}
