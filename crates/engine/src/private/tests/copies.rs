//! Vaults that were copied or put back.

use super::world::{Person, agree, room};
use crate::notice::NoticeKind;
use crate::private::{Intent, Taken};

#[test]
fn a_copied_vault_is_locked_out_after_one_commit_and_its_owner_told() {
    let (mut ada, mut bob) = (Person::new("Ada", 1), Person::new("Bob", 2));
    let mut log = room(&mut [&mut ada, &mut bob]);
    bob.sync(&mut log);
    let stolen = bob.vault.clone();
    bob.want(Intent::Refresh, 1);
    bob.sync(&mut log);
    agree(&log, &mut [&mut ada, &mut bob]);
    let before = bob.p().access().public();
    // The thief reads the log with the copy: the commit is its own leaf's, and not its own.
    let mut thief = Person::new("Bob", 2);
    thief.vault = stolen;
    thief.cursor = log.records.len() as u64 - 1;
    thief.restart();
    thief.read(&log);
    assert!(thief.stopped.as_ref().is_some_and(|why| why.contains("copied")));
    assert_ne!(thief.p().access().public(), before, "the next epoch's key is not to be had");
    assert!(thief.outgoing().is_none() && !thief.say("x", &mut log));
    assert!(ada.told(NoticeKind::Copied).is_empty());
}

#[test]
fn the_copy_that_commits_first_stops_the_owner_who_comes_back_as_a_new_leaf() {
    let (mut ada, mut bob) = (Person::new("Ada", 1), Person::new("Bob", 2));
    let mut log = room(&mut [&mut ada, &mut bob]);
    let mut thief = Person::new("Bob", 2);
    thief.me = bob.me.clone();
    thief.vault = bob.vault.clone();
    thief.cursor = bob.cursor;
    thief.restart();
    thief.want(Intent::Refresh, 1);
    thief.sync(&mut log);
    bob.sync(&mut log);
    assert!(bob.stopped.take().is_some() && bob.told(NoticeKind::Copied).len() == 1);
    // Let in again by anybody: its old leaf goes in the same commit, and the thief with it.
    ada.sync(&mut log);
    let role = crate::view::Role::Member;
    // A knock that is as old as the leaf is that leaf's, shown again.
    let packages = vec![bob.package()];
    ada.want(Intent::Add { account: bob.id(), packages, role, via: None, token: 1 }, 2);
    ada.sync(&mut log);
    assert!(ada.told(NoticeKind::Joined).is_empty(), "nothing was replaced");
    bob.wait(1_000);
    let packages = vec![bob.package()];
    ada.want(Intent::Add { account: bob.id(), packages, role, via: None, token: 2 }, 3);
    ada.sync(&mut log);
    let (by, id, news) = (ada.id(), ada.p().log(), ada.welcome());
    bob.join(id, by, &news).unwrap();
    agree(&log, &mut [&mut ada, &mut bob]);
    thief.read(&log);
    let why = thief.stopped.take().expect("the thief's leaf is out");
    assert!(why.contains("newer keys") && thief.p().can_come_back() && !thief.p().can_seal(), "{why}");
    assert_eq!(ada.p().devices().len(), 2);
    assert!(ada.told(NoticeKind::Joined).last().unwrap().contains("came back with new keys"));
}

#[test]
fn a_letter_of_ours_is_named_by_its_hash_and_a_strange_one_stops() {
    let (mut ada, mut bob) = (Person::new("Ada", 1), Person::new("Bob", 2));
    let mut log = room(&mut [&mut ada, &mut bob]);
    let mut copy = Person::new("Bob", 2);
    copy.me = bob.me.clone();
    copy.vault = bob.vault.clone();
    copy.restart();
    assert!(copy.say("not me", &mut log));
    bob.read(&log);
    assert_eq!(bob.ours, 1, "the room knows no sealing of this hash, and says so");
    let why = bob.act(crate::private::Private::copied);
    assert!(bob.p().stopped() == Some(why.as_str()) && !bob.p().can_seal());
    let record = log.records.last().unwrap().clone();
    let taken = bob.act(|private, cx| {
        let epoch = record.epoch;
        private.take(
            &crate::private::Incoming { body: &record.body, cursor: 99, epoch, time: 0, advance: None, again: false },
            cx,
        )
    });
    assert!(matches!(taken, Taken::Stopped(_)));
    bob.restart();
    assert!(bob.p().stopped().is_some());
}
