//! Found, join, talk, change, leave, heal, and come back from the vault after every step.

use estoile_mls::{OpenError, Suite, Validity};
use estoile_seal::account::Chain;

use super::world::{Log, Person, add, agree, room};
use crate::notice::NoticeKind;
use crate::private::{Incoming, Intent, News, Taken, schedule};
use crate::view::Role;

const DAY: u64 = 24 * 3_600_000;

#[test]
fn three_people_talk_and_each_step_survives_a_restart() {
    let (mut ada, mut bob, mut cy) = (Person::new("Ada", 1), Person::new("Bob", 2), Person::new("Cy", 3));
    for person in [&mut ada, &mut bob, &mut cy] {
        person.reload = true;
    }
    let mut log = room(&mut [&mut ada, &mut bob, &mut cy]);
    for round in 0..3 {
        assert!(ada.say("hello", &mut log) && bob.say("hi", &mut log), "round {round}");
        agree(&log, &mut [&mut ada, &mut bob, &mut cy]);
    }
    assert_eq!((cy.letters.len(), ada.letters.len(), ada.ours), (6, 3, 3));
    assert!(cy.letters.iter().any(|(by, _)| *by == bob.id()));
    assert_eq!(bob.told(NoticeKind::Joined), ["Ada added Cy to this room."]);
    assert!(ada.told(NoticeKind::Joined).is_empty(), "she did it herself");
    assert!(ada.told(NoticeKind::Forged).is_empty());
}

#[test]
fn roles_names_and_links_are_changed_by_those_who_may_and_told() {
    let (mut ada, mut bob, mut cy) = (Person::new("Ada", 1), Person::new("Bob", 2), Person::new("Cy", 3));
    let mut log = room(&mut [&mut ada, &mut bob, &mut cy]);
    bob.want(Intent::Rename("Mine".into()), 10);
    bob.want(Intent::RemoveAccount(cy.id()), 11);
    bob.want(Intent::SetRole { account: bob.id(), role: Role::Owner }, 12);
    bob.want(Intent::AddLink { id: [1; 8], uses: None, expires: None }, 13);
    bob.sync(&mut log);
    assert_eq!(bob.answers.len(), 4);
    assert!(bob.answers.iter().all(|(_, a)| a.as_ref().is_err_and(|why| why.contains("only an owner"))));
    ada.want(Intent::SetRole { account: bob.id(), role: Role::Admin }, 20);
    ada.sync(&mut log);
    bob.sync(&mut log);
    bob.want(Intent::Rename("Ours".into()), 21);
    bob.want(Intent::AddLink { id: [1; 8], uses: Some(2), expires: None }, 22);
    bob.sync(&mut log);
    agree(&log, &mut [&mut ada, &mut bob, &mut cy]);
    assert_eq!((cy.role(&bob), cy.p().name()), (Some(Role::Admin), "Ours"));
    assert_eq!(cy.p().links().len(), 1);
    assert_eq!(cy.told(NoticeKind::Roster).len(), 3);
    // A stranger comes by the link: a use less. A removal changes the door, and the link is gone with it.
    let (mut dan, door) = (Person::new("Dan", 4), ada.p().roster().door.clone());
    let packages = vec![dan.package()];
    bob.want(Intent::Add { account: dan.id(), packages, role: Role::Owner, via: Some([1; 8]), token: 5 }, 23);
    bob.sync(&mut log);
    let (by, id, news) = (bob.id(), bob.p().log(), bob.welcome());
    dan.join(id, by, &news).unwrap();
    agree(&log, &mut [&mut ada, &mut bob, &mut cy, &mut dan]);
    assert_eq!(ada.role(&dan), Some(Role::Member), "a link lets members in");
    assert_eq!(ada.p().links()[0].uses_left, Some(1));
    bob.news.clear();
    bob.want(Intent::RemoveAccount(dan.id()), 24);
    bob.sync(&mut log);
    dan.read(&log);
    assert!(dan.p().is_gone() && !dan.told(NoticeKind::Removed).is_empty());
    agree(&log, &mut [&mut ada, &mut bob, &mut cy]);
    assert!(ada.p().roster().door != door && ada.p().links().is_empty());
    assert!(bob.news.iter().any(|news| matches!(news, News::Door)));
    assert_eq!(cy.told(NoticeKind::Removed), ["Bob removed Dan from this room; its keys were changed."]);
    assert!(bob.answers[4..].iter().all(|(_, answer)| answer.is_ok()));
}

#[test]
fn who_leaves_is_removed_by_the_next_member_and_the_last_owner_has_an_heir() {
    let (mut ada, mut bob, mut cy) = (Person::new("Ada", 1), Person::new("Bob", 2), Person::new("Cy", 3));
    let mut log = room(&mut [&mut ada, &mut bob, &mut cy]);
    ada.want(Intent::Leave, 30);
    ada.sync(&mut log);
    assert_eq!(ada.answers.last(), Some(&(crate::turn::CommandId(30), Ok(()))), "the wish is kept");
    bob.sync(&mut log);
    assert!(!bob.say("before", &mut log), "nobody writes while a leave stands");
    assert!(bob.outgoing().is_none() && bob.p().next_timeout(true).is_some_and(|at| at > bob.now));
    bob.wait(schedule::LEAVE_MIN_MS + schedule::LEAVE_MAX_MS);
    bob.sync(&mut log);
    ada.read(&log);
    assert!(ada.p().is_gone());
    agree(&log, &mut [&mut bob, &mut cy]);
    assert_eq!((cy.role(&bob), cy.role(&ada)), (Some(Role::Owner), None));
    assert_eq!(cy.told(NoticeKind::Removed), ["Ada left this room; its keys were changed."]);
    assert!(bob.say("after", &mut log));
    // A wish that lost against another commit is said again by itself.
    cy.want(Intent::Leave, 31);
    cy.read(&log);
    let wish = cy.outgoing().unwrap();
    bob.want(Intent::Refresh, 32);
    bob.sync(&mut log);
    assert!(log.append(&wish).is_err());
    cy.sync(&mut log);
    bob.sync(&mut log);
    bob.wait(60_000);
    bob.sync(&mut log);
    cy.read(&log);
    assert!(cy.p().is_gone());
    // Alone: gone at once.
    bob.want(Intent::Leave, 33);
    bob.sync(&mut log);
    assert!(bob.p().is_gone() && bob.news.iter().any(|news| matches!(news, News::Gone)));
}

#[test]
fn fresh_keys_come_soon_after_joining_then_weekly_or_a_day_after_having_sent() {
    let (mut ada, mut bob) = (Person::new("Ada", 1), Person::new("Bob", 2));
    let mut log = room(&mut [&mut ada, &mut bob]);
    assert!(bob.outgoing().is_none());
    let at = bob.p().next_timeout(true).unwrap();
    assert!((schedule::JOIN_MIN_MS..=schedule::JOIN_MAX_MS).contains(&(at - bob.now)));
    assert_eq!(bob.p().next_timeout(false), None, "only while online");
    bob.now = at;
    bob.sync(&mut log);
    assert_eq!(log.epoch, 2);
    let at = bob.p().next_timeout(true).unwrap() - bob.now;
    assert!((schedule::HEAL_MS..schedule::HEAL_MS + DAY).contains(&at), "{at}");
    assert!(bob.say("x", &mut log));
    let at = bob.p().next_timeout(true).unwrap();
    assert!((schedule::HEAL_SENT_MS..schedule::HEAL_SENT_MS + DAY).contains(&(at - bob.now)));
    bob.restart();
    assert_eq!(bob.p().next_timeout(true), Some(at), "the schedule is kept");
    bob.now = at;
    bob.sync(&mut log);
    assert_eq!(log.epoch, 3);
    ada.now = at;
    agree(&log, &mut [&mut ada, &mut bob]);
}

#[test]
fn devices_of_an_account_come_and_go_by_its_own_hand() {
    let (mut ada, mut bob) = (Person::new("Ada", 1), Person::new("Bob", 2));
    let mut log = room(&mut [&mut ada, &mut bob]);
    let mut tablet = bob.second_device(9);
    bob.sync(&mut log);
    let packages = vec![tablet.package()];
    bob.want(Intent::Add { account: bob.id(), packages, role: Role::Member, via: None, token: 3 }, 40);
    bob.sync(&mut log);
    let (by, id, news) = (bob.id(), bob.p().log(), bob.welcome());
    tablet.join(id, by, &news).unwrap();
    agree(&log, &mut [&mut ada, &mut bob, &mut tablet]);
    assert_eq!(ada.p().members(&crate::book::Book::default()).iter().map(|m| m.devices).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(ada.told(NoticeKind::Joined).last(), Some(&"Bob has another device in this room, by Bob."));
    // The chain loses the first device: the second one puts it out, and nobody is asked.
    let chain = tablet.without_device(&bob.me.device.public());
    tablet.set_chain(&chain);
    tablet.sync(&mut log);
    tablet.wait(schedule::REVOKE_MAX_MS + 1_000);
    tablet.sync(&mut log);
    bob.read(&log);
    assert!(bob.p().is_gone());
    agree(&log, &mut [&mut ada, &mut tablet]);
    assert_eq!(ada.p().devices().len(), 2);
    assert!(ada.role(&bob).is_some(), "the account stays");
    // A member without rights can't put out somebody's device.
    tablet.want(Intent::RemoveDevices(vec![ada.me.device.public()]), 41);
    tablet.sync(&mut log);
    assert_eq!(ada.p().devices().len(), 2);
}

#[test]
fn an_admin_removes_a_device_that_a_leaf_shows_as_removed() {
    let (mut ada, mut bob) = (Person::new("Ada", 1), Person::new("Bob", 2));
    let mut log = room(&mut [&mut ada, &mut bob]);
    let lost = bob.me.device.public();
    let mut tablet = bob.second_device(9);
    bob.private = None;
    // All devices lost but a new one, taken in by the words: it knocks, and is added in place of the lost one.
    let chain = tablet.without_device(&lost);
    tablet.set_chain(&chain);
    let packages = vec![tablet.package()];
    ada.turn(|cx| cx.book.learn(&chain.id().0, &chain.encode()));
    ada.act(|private, cx| private.devices_removed(&chain.id().0, &[lost], cx));
    ada.sync(&mut log);
    assert_eq!(log.epoch, 1, "others don't know it yet: the wish waits");
    ada.want(Intent::Add { account: tablet.id(), packages, role: Role::Member, via: None, token: 8 }, 50);
    ada.sync(&mut log);
    let (by, id, news) = (ada.id(), ada.p().log(), ada.welcome());
    tablet.join(id, by, &news).unwrap();
    agree(&log, &mut [&mut ada, &mut tablet]);
    assert!(ada.p().account_of(&lost).is_none() && ada.p().devices().len() == 2);
    assert!(ada.outgoing().is_none(), "the wish is fulfilled");
}

#[test]
fn key_packages_that_would_split_the_room_are_refused_with_a_reason() {
    let (mut ada, mut bob) = (Person::new("Ada", 1), Person::new("Bob", 2));
    let mut log = Log::default();
    ada.found(true);
    let now = bob.now;
    let short = Validity { from_ms: now - DAY, until_ms: now + 39 * DAY };
    let old = bob.package_until(Suite::Classic, short);
    let wrong = bob.package_until(Suite::XWing, Validity::at(now));
    let mut cy = Person::new("Cy", 3);
    let swapped = cy.package();
    for (token, package) in [(1, old), (2, wrong), (3, swapped), (4, vec![0; 3])] {
        let packages = vec![package];
        ada.want(Intent::Add { account: bob.id(), packages, role: Role::Member, via: None, token }, token);
    }
    ada.sync(&mut log);
    assert_eq!(log.epoch, 0);
    let failed: Vec<_> = ada
        .news
        .drain(..)
        .filter_map(|n| if let News::AddFailed { token, why } = n { Some((token, why)) } else { None })
        .collect();
    assert_eq!(failed.iter().map(|(token, _)| *token).collect::<Vec<_>>(), [1, 2, 3, 4]);
    for ((_, why), part) in failed.iter().zip(["too old", "another suite", "not theirs", "does not hold"]) {
        assert!(why.contains(part), "{why}");
    }
    add(&mut log, &mut ada, &mut bob, Role::Admin);
    agree(&log, &mut [&mut ada, &mut bob]);
}

#[test]
fn a_large_commit_travels_as_a_blob() {
    let (mut ada, mut bob, mut cy) = (Person::new("Ada", 1), Person::new("Bob", 2), Person::new("Cy", 3));
    cy.reload = true;
    let mut log = room(&mut [&mut ada, &mut bob, &mut cy]);
    // Chains of some kilobytes in each key package: nine people are more than a record holds.
    let mut many: Vec<Person> = (0..30).map(|i| Person::new("Guest", 100 + i)).collect();
    for guest in &mut many {
        for i in 0..6 {
            guest.second_device(50 + i);
        }
        let packages = vec![guest.package()];
        ada.want(Intent::Add { account: guest.id(), packages, role: Role::Member, via: None, token: 1 }, 60);
    }
    ada.sync(&mut log);
    assert_eq!(log.blobs.len(), 1);
    assert!(log.records.last().unwrap().body.len() < 200);
    agree(&log, &mut [&mut ada, &mut bob, &mut cy]);
    assert_eq!(cy.p().devices().len(), 33);
    // Lost at the relay: nobody can follow.
    for guest in &mut many {
        let account = guest.id();
        guest.wait(1_000);
        let packages = vec![guest.package()];
        ada.want(Intent::Add { account, packages, role: Role::Member, via: None, token: 1 }, 61);
    }
    ada.sync(&mut log);
    log.blobs.clear();
    cy.read(&log);
    assert!(cy.stopped.as_ref().is_some_and(|why| why.contains("lost it")), "{:?}", cy.stopped);
}

#[test]
fn a_changed_chain_that_forks_stops_the_room_until_the_user_looks() {
    let (mut ada, mut bob) = (Person::new("Ada", 1), Person::new("Bob", 2));
    let mut log = room(&mut [&mut ada, &mut bob]);
    // Ada knows a chain of Bob's that the one in his next leaf contradicts.
    let known = {
        let mut other = Person::new("Bob", 2);
        other.second_device(77);
        Chain::verify(&other.me.chain).unwrap()
    };
    ada.book.learn(&bob.id(), &known.encode());
    bob.second_device(9);
    bob.sync(&mut log);
    ada.read(&log);
    assert!(ada.stopped.take().is_some_and(|why| why.contains("two different histories")));
    let (now, epoch) = (ada.now, ada.p().epoch());
    assert_eq!(epoch, log.epoch, "the group has gone on like everybody's");
    assert!(!ada.say("no", &mut log), "nothing is sent meanwhile");
    assert!(ada.act(|private, _| private.look()));
    assert!(ada.say("yes", &mut log));
    assert!(matches!(ada.act(|private, cx| private.due(cx)), Taken::Nothing) && now > 0);
}

#[test]
fn a_commit_that_only_the_clock_forbids_waits_and_never_forks() {
    let (mut ada, mut bob) = (Person::new("Ada", 1), Person::new("Bob", 2));
    let mut log = room(&mut [&mut ada, &mut bob]);
    ada.sync(&mut log);
    bob.want(Intent::Refresh, 1);
    bob.sync(&mut log);
    let entry = log.records.last().unwrap().clone();
    let cursor = log.records.len() as u64;
    let advance = entry.advance.unwrap();
    let record =
        Incoming { body: &entry.body, cursor, epoch: entry.epoch, time: 0, advance: Some(advance), again: false };
    for _ in 0..3 {
        let taken = ada.act(|private, cx| private.refused_commit(&OpenError::Lifetime, advance, &record, cx));
        assert!(matches!(taken, Taken::Waiting));
    }
    assert_eq!(ada.told(NoticeKind::Clock).len(), 1, "told once");
    assert!(!ada.say("no", &mut log) && ada.outgoing().is_none() && ada.stopped.is_none());
    assert!(matches!(ada.act(|private, cx| private.due(cx)), Taken::Nothing), "not yet");
    ada.now = ada.p().next_timeout(false).unwrap();
    // The clock is right now: the same record opens.
    assert!(matches!(ada.act(|private, cx| private.due(cx)), Taken::Merged));
    ada.cursor = cursor;
    agree(&log, &mut [&mut ada, &mut bob]);
}

#[test]
fn the_hybrid_suite_works_alike() {
    let (mut ada, mut bob) = (Person::new("Ada", 1), Person::new("Bob", 2));
    let mut log = Log::default();
    ada.found(false);
    let now = bob.now;
    let packages = vec![bob.package_until(Suite::XWing, Validity::at(now))];
    ada.want(Intent::Add { account: bob.id(), packages, role: Role::Member, via: None, token: 1 }, 1);
    ada.sync(&mut log);
    let (by, id, news) = (ada.id(), ada.p().log(), ada.welcome());
    // Another log or inviter than the letter says: refused, and the key package stays good.
    assert!(bob.join(id, bob.id(), &news).is_err_and(|why| why.contains("somebody else added")));
    bob.join(id, by, &news).unwrap();
    assert!(bob.join(id, by, &news).is_err_and(|why| why.contains("does not have")), "a key package is good once");
    assert!(bob.say("hello", &mut log) && ada.say("hi", &mut log));
    agree(&log, &mut [&mut ada, &mut bob]);
    assert!(bob.p().view(&crate::book::Book::default()).post_quantum);
    assert_eq!(ada.answers, [(crate::turn::CommandId(1), Ok(()))]);
}
