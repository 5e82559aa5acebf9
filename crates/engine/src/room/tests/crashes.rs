//! Clients die between any two turns, before or after the commit to the vault: no ratchet key seals twice, nothing shows twice.

use super::star::Star;
use super::world::Death;
use crate::private::Intent;

fn dies(seed: u64, death: fn(u64) -> Death) {
    for at_commit in 1..16 {
        let mut star = Star::together(seed, &["Ann", "Ben"]);
        let base = star.world.clients[0].commits;
        star.world.clients[0].death = Some(death(base + at_commit));
        star.try_say(0, "one");
        if star.world.clients[0].engine.is_some() {
            star.try_want(0, Intent::Refresh);
        }
        if star.world.clients[0].engine.is_some() {
            star.world.settle();
        }
        if star.world.clients[0].engine.is_some() {
            star.try_say(0, "two");
        }
        star.world.pass(500);
        star.world.clients[0].death = None;
        if star.world.clients[0].engine.is_none() {
            star.world.start(0);
        }
        star.world.say(1, "and Ben");
        star.world.pass(60_000);
        star.assert_sealed_once();
        star.assert_one_epoch();
        assert_eq!(star.world.texts(0), star.world.texts(1), "death at {at_commit}");
        let mut printed = star.world.printed(1);
        printed.sort();
        printed.dedup();
        assert_eq!(printed.len(), star.world.texts(1).len(), "nothing twice, death at {at_commit}");
        assert!(star.world.room(0).room.stopped.is_none(), "{:?}", star.world.room(0).room.stopped);
        star.world.say(0, "goes on");
        star.world.pass(1_000);
        assert!(star.world.texts(1).iter().any(|t| t == "goes on"), "death at {at_commit}");
    }
}

#[test]
fn before_the_commit() {
    dies(21, Death::BeforeCommit);
}

#[test]
fn after_the_commit() {
    dies(22, Death::AfterCommit);
}

/// A vault that was put back is found by its own letters in the log.
#[test]
fn a_vault_put_back_stops_and_says_so() {
    let mut star = Star::together(23, &["Ann", "Ben"]);
    star.world.kill(0);
    let old = star.world.clients[0].disk.clone();
    star.world.start(0);
    star.world.pass(1_000);
    star.world.say(0, "never known to the copy");
    star.world.pass(1_000);
    star.world.kill(0);
    star.world.clients[0].disk = old;
    star.world.start(0);
    star.world.pass(5_000);
    let stopped = star.world.room(0).room.stopped.expect("stopped");
    assert!(stopped.contains("copied"), "{stopped}");
    star.world.say(1, "still fine");
    star.world.pass(1_000);
    assert_eq!(star.world.texts(1).len(), 2);
}
