//! A group's ordinary life: made, joined, written in, changed, left; with both suites.

use crate::people::{self, adding, agree, all_take, found, join, letter, now, take, three};
use estoile_mls::{Group, Incoming, MlsError, OpenError, Plan, Suite, Validity, key_package};

const SUITES: [Suite; 2] = [Suite::XWing, Suite::Classic];

#[test]
fn three_people_write_to_each_other() {
    for suite in SUITES {
        let (people, mut groups) = three(suite);
        assert_eq!(groups[0].suite(), suite);
        assert_eq!(groups[0].epoch(), 1);
        agree(&groups.iter().collect::<Vec<_>>());
        let leaves = groups[2].leaves();
        assert_eq!(leaves.len(), 3);
        for (i, (leaf, person)) in leaves.iter().zip(&people).enumerate() {
            assert_eq!(leaf.index as usize, i);
            assert_eq!(leaf.member.account, person.account());
            assert_eq!(leaf.member.name, person.name);
            assert_eq!(leaf.member.chain, person.chain);
        }
        for from in 0..3 {
            let text = format!("hello from {}", people[from].name);
            let sealed = groups[from].encrypt(text.as_bytes()).unwrap();
            for to in (0..3).filter(|to| *to != from) {
                assert_eq!(letter(&mut groups[to], &sealed), (u32::try_from(from).unwrap(), text.clone().into_bytes()));
                assert_eq!(groups[to].open(&sealed).unwrap_err(), OpenError::Undecryptable, "once and no more");
            }
            assert_eq!(groups[from].open(&sealed).unwrap_err(), OpenError::OwnMessage);
        }
    }
}

#[test]
fn a_welcome_is_looked_at_before_it_is_taken() {
    for suite in SUITES {
        let (alice, bob) = (people::Person::new("Alice", 1), people::Person::new("Bob", 2));
        let mut group = found(&alice, suite, b"the roster");
        assert_eq!((group.epoch(), group.roster()), (0, &b"the roster"[..]));
        let offer = bob.offer(suite);
        let pending = group.commit(adding(&[&offer])).unwrap();
        assert_eq!(pending.facts.adds[0].name, "Bob");
        let next = group.pending_export("estoile access", 32).unwrap();
        let welcome = pending.welcome.clone().unwrap();
        let nobody = Group::join(&welcome, &bob.seed, &mut |_| None);
        assert_eq!(nobody.unwrap_err(), MlsError::NotForUs);
        let joining = Group::join(&welcome, &bob.seed, &mut |r| (r == offer.reference).then(|| offer.secret.clone()));
        let joining = joining.unwrap();
        assert_eq!(joining.group().roster(), b"the roster");
        assert_eq!(joining.group().leaf(joining.adder()).unwrap().member.name, "Alice");
        assert_eq!((joining.reference(), joining.last_resort()), (&offer.reference[..], false));
        assert_eq!(joining.group().export("estoile access", 32).unwrap(), next, "the pending commit's exporter");
        assert_eq!(group.epoch(), 0, "nothing is merged before the log says so");
        group.merge_pending().unwrap();
        agree(&[&group, joining.group()]);
    }
}

#[test]
fn a_last_resort_key_package_opens_two_welcomes() {
    let (alice, bob) = (people::Person::new("Alice", 1), people::Person::new("Bob", 2));
    let offer = key_package(Suite::Classic, &bob.me(), Validity::at(now()), true).unwrap();
    for roster in [b"one", b"two"] {
        let mut group = found(&alice, Suite::Classic, roster);
        let pending = group.commit(adding(&[&offer])).unwrap();
        group.merge_pending().unwrap();
        let find = &mut |_: &[u8]| Some(offer.secret.clone());
        let joining = Group::join(&pending.welcome.unwrap(), &bob.seed, find).unwrap();
        assert!(joining.last_resort());
        agree(&[&group, joining.group()]);
    }
}

#[test]
fn somebody_is_removed_and_reads_their_own_removal_and_nothing_more() {
    for suite in SUITES {
        let (_, mut groups) = three(suite);
        let mut carol = groups.pop().unwrap();
        let plan = Plan { removes: vec![2], roster: Some(b"without Carol".to_vec()), now_ms: now(), ..Plan::default() };
        let pending = groups[0].commit(plan).unwrap();
        assert!(pending.welcome.is_none());
        let Incoming::Commit(staged) = carol.open(&pending.commit).unwrap() else { panic!() };
        assert!(staged.facts().self_removed);
        assert_eq!(staged.facts().committer.member.name, "Alice");
        assert_eq!(staged.facts().roster.as_deref(), Some(&b"without Carol"[..]));
        assert!(staged.export("estoile access", 32).is_err() && staged.authenticator().is_none());
        carol.accept(*staged).unwrap();
        all_take(&mut groups, 0, &pending);
        agree(&[&groups[0], &groups[1]]);
        assert_eq!(groups[1].roster(), b"without Carol");
        assert_eq!(groups[1].leaves().len(), 2);
        let sealed = groups[1].encrypt(b"she is gone").unwrap();
        assert_eq!(carol.open(&sealed).unwrap_err(), OpenError::Removed);
        assert_eq!(carol.encrypt(b"hello?").unwrap_err(), MlsError::Removed);
        assert_eq!(carol.commit(Plan::default()).unwrap_err(), MlsError::Removed);
        assert!(carol.export("estoile access", 32).is_err());
    }
}

#[test]
fn an_empty_plan_renews_keys_and_a_name_can_change_with_it() {
    let (mut people, mut groups) = three(Suite::XWing);
    let before = groups[0].export("estoile access", 32).unwrap();
    let pending = groups[1].commit(Plan::default()).unwrap();
    let told = groups[1].pending_export("estoile access", 32).unwrap();
    let authenticator = groups[1].pending_authenticator();
    all_take(&mut groups, 1, &pending);
    agree(&groups.iter().collect::<Vec<_>>());
    assert_ne!(groups[0].export("estoile access", 32).unwrap(), before);
    assert_eq!(groups[0].export("estoile access", 32).unwrap(), told);
    assert_eq!(Some(groups[0].authenticator()), authenticator);
    people[1].name = "Bobby".to_owned();
    people[1].chain = b"a longer chain".to_vec();
    let pending = groups[1].commit(Plan { me: Some(people[1].me()), ..Plan::default() }).unwrap();
    let Incoming::Commit(staged) = groups[0].open(&pending.commit).unwrap() else { panic!() };
    assert_eq!((staged.facts().committer.member.name.as_str(), staged.facts().updated.name.as_str()), ("Bob", "Bobby"));
    assert_eq!(staged.facts().updated.chain, b"a longer chain");
    groups[0].accept(*staged).unwrap();
    assert_eq!(groups[0].leaf(1).unwrap().member.name, "Bobby");
}

#[test]
fn who_leaves_asks_and_the_next_commit_does_it() {
    for suite in SUITES {
        let (_, mut groups) = three(suite);
        let leave = groups[2].leave().unwrap();
        assert_eq!(groups[2].standing_leaves(), [2]);
        assert_eq!(groups[2].encrypt(b"one more word").unwrap_err(), MlsError::LeaveStands);
        assert_eq!(groups[2].commit(Plan::default()).unwrap_err(), MlsError::Leaving);
        assert_eq!(groups[2].open(&leave).unwrap_err(), OpenError::OwnLeave);
        for g in &mut groups[..2] {
            assert!(matches!(g.open(&leave), Ok(Incoming::Leave { leaf: 2 })));
            assert_eq!(g.standing_leaves(), [2]);
            assert_eq!(g.encrypt(b"not now").unwrap_err(), MlsError::LeaveStands);
        }
        // Removing who leaves anyway is no contradiction.
        let pending = groups[1].commit(Plan { removes: vec![2], ..Plan::default() }).unwrap();
        assert_eq!(pending.facts.left, [2]);
        let Incoming::Commit(staged) = groups[2].open(&pending.commit).unwrap() else { panic!() };
        assert!(staged.facts().self_removed);
        assert_eq!(staged.facts().left, [2]);
        let mut rest = groups.drain(..2).collect::<Vec<_>>();
        all_take(&mut rest, 1, &pending);
        agree(&[&rest[0], &rest[1]]);
        assert!(rest[0].standing_leaves().is_empty());
        rest[0].encrypt(b"writing goes on").unwrap();
    }
}

#[test]
fn a_leave_ends_with_its_epoch_and_can_be_asked_again() {
    let (_, mut groups) = three(Suite::Classic);
    let mut carol = groups.pop().unwrap();
    carol.leave().unwrap();
    let pending = groups[0].commit(Plan::default()).unwrap();
    all_take(&mut groups, 0, &pending);
    take(&mut carol, &pending.commit);
    assert!(carol.is_member() && carol.standing_leaves().is_empty());
    let leave = carol.leave().unwrap();
    assert!(matches!(groups[1].open(&leave), Ok(Incoming::Leave { leaf: 2 })));
}

#[test]
fn a_removed_leaf_is_used_again_by_who_comes_next() {
    let (_, mut groups) = three(Suite::Classic);
    let dora = people::Person::new("Dora", 4);
    let pending = groups[0].commit(Plan { removes: vec![1], ..Plan::default() }).unwrap();
    let mut rest = vec![groups.remove(0), groups.remove(1)];
    all_take(&mut rest, 0, &pending);
    let offer = dora.offer(Suite::Classic);
    let pending = rest[1].commit(adding(&[&offer])).unwrap();
    all_take(&mut rest, 1, &pending);
    let mut dora = join(&dora, &offer, &pending.welcome.unwrap());
    assert_eq!(dora.own_index(), 1);
    let sealed = dora.encrypt(b"I have Bob's chair").unwrap();
    assert_eq!(letter(&mut rest[0], &sealed), (1, b"I have Bob's chair".to_vec()));
}

#[test]
fn letters_go_on_while_a_commit_is_pending() {
    let (_, mut groups) = three(Suite::XWing);
    let pending = groups[0].commit(Plan::default()).unwrap();
    let sealed = groups[0].encrypt(b"still the old epoch").unwrap();
    assert_eq!(letter(&mut groups[1], &sealed).1, b"still the old epoch");
    assert_eq!(groups[0].commit(Plan::default()).unwrap_err(), MlsError::CommitPending);
    assert_eq!(groups[0].leave().unwrap_err(), MlsError::CommitPending);
    all_take(&mut groups, 0, &pending);
    agree(&groups.iter().collect::<Vec<_>>());
}
