//! Commits that race, acknowledgements that are lost, refusals that lie.

use super::world::{Log, Person, add, agree, room};
use crate::notice::NoticeKind;
use crate::private::{Intent, News};
use crate::view::Role;

#[test]
fn the_loser_of_a_race_rebases_by_itself() {
    let (mut ada, mut bob, mut cy) = (Person::new("Ada", 1), Person::new("Bob", 2), Person::new("Cy", 3));
    let mut log = room(&mut [&mut ada, &mut bob]);
    ada.want(Intent::SetRole { account: bob.id(), role: Role::Admin }, 1);
    ada.sync(&mut log);
    bob.sync(&mut log);
    let packages = vec![cy.package()];
    ada.want(Intent::Add { account: cy.id(), packages, role: Role::Member, via: None, token: 4 }, 2);
    bob.want(Intent::Rename("Race".into()), 3);
    let (first, second) = (bob.outgoing().unwrap(), ada.outgoing().unwrap());
    assert!(log.append(&first).is_ok());
    assert_eq!(log.append(&second), Err(log.epoch), "stale");
    ada.restart();
    assert_eq!(ada.outgoing().unwrap().id16, second.id16, "a refusal decides nothing");
    assert!(!ada.news.iter().any(|n| matches!(n, News::Welcome { token: 4, .. })));
    ada.sync(&mut log);
    bob.sync(&mut log);
    let (by, id, news) = (ada.id(), ada.p().log(), ada.welcome());
    cy.join(id, by, &news).unwrap();
    agree(&log, &mut [&mut ada, &mut bob, &mut cy]);
    assert_eq!(cy.p().name(), "Race");
    assert!(ada.answers.iter().chain(&bob.answers).all(|(_, answer)| answer.is_ok()));
}

#[test]
fn who_is_let_in_by_two_at_once_keeps_the_leaf_of_the_first() {
    let (mut ada, mut bob, mut cy) = (Person::new("Ada", 1), Person::new("Bob", 2), Person::new("Cy", 3));
    let mut log = room(&mut [&mut ada, &mut bob]);
    ada.want(Intent::SetRole { account: bob.id(), role: Role::Admin }, 1);
    ada.sync(&mut log);
    bob.sync(&mut log);
    // One knock, that both answer.
    let packages = vec![cy.package()];
    let add =
        |token| Intent::Add { account: cy.id(), packages: packages.clone(), role: Role::Member, via: None, token };
    ada.want(add(4), 2);
    bob.want(add(5), 3);
    let (first, second) = (ada.outgoing().unwrap(), bob.outgoing().unwrap());
    assert!(log.append(&first).is_ok());
    assert_eq!(log.append(&second), Err(log.epoch), "stale");
    bob.restart();
    bob.sync(&mut log);
    assert!(bob.outgoing().is_none(), "somebody was quicker");
    assert!(bob.news.iter().any(|n| matches!(n, News::Added { token: 5 })));
    assert!(!bob.news.iter().any(|n| matches!(n, News::Welcome { .. })));
    ada.sync(&mut log);
    let (by, id, news) = (ada.id(), ada.p().log(), ada.welcome());
    cy.join(id, by, &news).unwrap();
    agree(&log, &mut [&mut ada, &mut bob, &mut cy]);
    assert!(!cy.p().is_gone());
}

#[test]
fn a_wish_that_the_race_made_impossible_is_answered_with_the_reason() {
    let (mut ada, mut bob) = (Person::new("Ada", 1), Person::new("Bob", 2));
    let mut log = room(&mut [&mut ada, &mut bob]);
    ada.want(Intent::SetRole { account: bob.id(), role: Role::Owner }, 1);
    ada.sync(&mut log);
    bob.sync(&mut log);
    bob.want(Intent::Rename("Late".into()), 2);
    let late = bob.outgoing().unwrap();
    ada.want(Intent::SetRole { account: bob.id(), role: Role::Member }, 3);
    ada.sync(&mut log);
    assert!(log.append(&late).is_err());
    bob.sync(&mut log);
    assert!(bob.answers[0].1.as_ref().is_err_and(|why| why.contains("only an owner or admin renames")));
    assert!(bob.outgoing().is_none());
    agree(&log, &mut [&mut ada, &mut bob]);
}

#[test]
fn a_lost_acknowledgement_and_a_lying_stale_end_in_one_epoch() {
    let (mut ada, mut bob) = (Person::new("Ada", 1), Person::new("Bob", 2));
    ada.reload = true;
    let mut log = room(&mut [&mut ada, &mut bob]);
    ada.want(Intent::Refresh, 1);
    let out = ada.outgoing().unwrap();
    log.append(&out).unwrap();
    // The answer is lost, and to the retry the relay lies: stale. Nothing is merged, nothing dropped.
    let (epoch, again) = (ada.p().epoch(), ada.outgoing().unwrap());
    assert_eq!((again.id16, again.body.clone(), epoch), (out.id16, out.body.clone(), out.epoch));
    assert!(!ada.p().can_seal());
    bob.want(Intent::Refresh, 2);
    bob.read(&log);
    bob.sync(&mut log);
    agree(&log, &mut [&mut ada, &mut bob]);
    assert!(ada.told(NoticeKind::Copied).is_empty());
    assert!(ada.say("on", &mut log));
    agree(&log, &mut [&mut ada, &mut bob]);
}

#[test]
fn welcomes_wait_for_the_merge_and_survive_a_crash_before_it() {
    let (mut ada, mut bob) = (Person::new("Ada", 1), Person::new("Bob", 2));
    let mut log = Log::default();
    ada.found(true);
    let packages = vec![bob.package()];
    ada.want(Intent::Add { account: bob.id(), packages, role: Role::Member, via: None, token: 6 }, 1);
    let out = ada.outgoing().unwrap();
    log.append(&out).unwrap();
    assert!(ada.news.iter().all(|n| !matches!(n, News::Welcome { .. })));
    ada.restart();
    ada.read(&log);
    let News::Welcome { token, cursor, .. } = ada.welcome() else { panic!() };
    assert_eq!((token, cursor), (6, 1));
}

#[test]
fn many_who_want_the_same_come_to_rest() {
    let mut people: Vec<Person> = (0..5).map(|i| Person::new("P", 10 + i)).collect();
    let mut log = Log::default();
    let (owner, others) = people.split_first_mut().unwrap();
    owner.found(true);
    for i in 0..others.len() {
        add(&mut log, owner, &mut others[i], Role::Member);
        for other in &mut others[..i] {
            other.sync(&mut log);
        }
    }
    for person in &mut people {
        person.want(Intent::Refresh, 9);
    }
    // All make theirs on one epoch; one wins each time.
    for _ in 0..6 {
        let made: Vec<_> = people.iter_mut().filter_map(Person::outgoing).collect();
        for out in &made {
            let _ = log.append(out);
        }
        for person in &mut people {
            person.read(&log);
        }
    }
    assert_eq!(log.epoch, 4 + 5);
    let mut all: Vec<&mut Person> = people.iter_mut().collect();
    agree(&log, &mut all);
    assert!(people.iter().all(|p| p.answers.contains(&(crate::turn::CommandId(9), Ok(())))));
}
