//! Commits that members must refuse, and the move away from them.

use estoile_mls::Plan;
use estoile_seal::account::AccountId as Id;
use estoile_seal::door::{AtDoor, DoorKeys};
use estoile_seal::link::RelayUrl;
use estoile_seal::roster::Role as RosterRole;
use estoile_seal::views::View;
use estoile_wire::PublicKey;

use super::world::{Person, agree, room};
use crate::notice::NoticeKind;
use crate::private::{EXPORT_ACCESS, Founding, Intent, access_key, body};
use crate::view::{Role, RoomId};

/// Makes a body that ends the epoch and must not.
type Forge = fn(&mut Person) -> Vec<u8>;

const KEY: PublicKey = PublicKey([9; 32]);

/// A commit that a member's changed program makes, with the key that it gives.
fn commit(by: &mut Person, plan: Plan<'static>) -> (Vec<u8>, PublicKey) {
    let private = by.p();
    let made = private.group.commit(plan).unwrap();
    let key = access_key(&private.group.pending_export(EXPORT_ACCESS, 32).unwrap()).unwrap().public();
    (body::inline(&made.commit).unwrap(), key)
}

#[test]
fn a_commit_without_the_right_stops_the_room_and_names_who_made_it() {
    let (mut ada, mut bob, mut cy) = (Person::new("Ada", 1), Person::new("Bob", 2), Person::new("Cy", 3));
    let mut log = room(&mut [&mut ada, &mut bob, &mut cy]);
    let id = Id(bob.id());
    let roster = bob.p().roster().with_role(&id, RosterRole::Owner).unwrap().encode();
    let (body, key) = commit(&mut bob, Plan { roster: Some(roster), now_ms: cy.now, ..Plan::default() });
    log.forge(body, Some(key));
    for person in [&mut ada, &mut cy] {
        person.reload = true;
        person.read(&log);
        assert!(
            person.stopped.as_ref().is_some_and(|why| why.contains("Bob tried to make Bob an owner")),
            "{:?}",
            person.stopped
        );
        assert_eq!(person.told(NoticeKind::Poisoned).len(), 1);
        assert_eq!(person.notices.last().unwrap().from.as_deref(), Some("Bob"));
        assert_eq!(person.p().epoch(), log.epoch - 1, "the last good epoch");
        assert!(!person.p().can_seal() && person.outgoing().is_none());
    }
}

#[test]
fn a_device_that_is_not_its_accounts_stops_the_room() {
    let (mut ada, mut bob, mut eve) = (Person::new("Ada", 1), Person::new("Bob", 2), Person::new("Eve", 5));
    let mut log = room(&mut [&mut ada, &mut bob]);
    ada.want(Intent::SetRole { account: bob.id(), role: Role::Admin }, 1);
    ada.sync(&mut log);
    bob.sync(&mut log);
    // Bob, an admin, adds Eve's device as Ada's.
    eve.me.account = ada.id();
    let adds = vec![eve.package()];
    let (body, key) = commit(&mut bob, Plan { adds, now_ms: eve.now, ..Plan::default() });
    log.forge(body, Some(key));
    ada.read(&log);
    assert!(ada.stopped.as_ref().is_some_and(|why| why.contains("Bob added a device")), "{:?}", ada.stopped);
}

#[test]
fn a_wrong_key_a_strange_body_and_a_letter_that_ends_the_epoch_stop_the_room() {
    let cases: [(&str, Forge); 4] = [
        ("another key", |bob| commit(bob, Plan { now_ms: bob.now, ..Plan::default() }).0),
        ("can't be opened", |bob| {
            let mut body = commit(bob, Plan { now_ms: bob.now, ..Plan::default() }).0;
            *body.last_mut().unwrap() ^= 1;
            body
        }),
        ("no change of this room", |_| vec![77; 40]),
        ("a letter", |bob| {
            let message = bob.p().group.encrypt(b"hello").unwrap();
            body::inline(&message).unwrap()
        }),
    ];
    for (part, make) in cases {
        let (mut ada, mut bob) = (Person::new("Ada", 1), Person::new("Bob", 2));
        let mut log = room(&mut [&mut ada, &mut bob]);
        let body = make(&mut bob);
        log.forge(body, Some(KEY));
        ada.read(&log);
        assert!(ada.stopped.as_ref().is_some_and(|why| why.contains(part)), "{part}: {:?}", ada.stopped);
        assert_eq!(ada.told(NoticeKind::Poisoned).len(), 1);
        ada.restart();
        assert!(ada.p().stopped().is_some());
    }
}

#[test]
fn what_moves_nothing_is_told_and_forgotten() {
    let (mut ada, mut bob) = (Person::new("Ada", 1), Person::new("Bob", 2));
    let mut log = room(&mut [&mut ada, &mut bob]);
    log.forge(vec![], None);
    log.forge(vec![1, 2, 3], None);
    log.forge(vec![2; 100], None);
    let now_ms = bob.now;
    let stray = commit(&mut bob, Plan { now_ms, ..Plan::default() }).0;
    log.forge(stray, None);
    ada.read(&log);
    assert_eq!(ada.stopped, None);
    assert_eq!(ada.told(NoticeKind::Forged).len(), 4);
    bob.p().group.drop_pending().unwrap();
    bob.cursor = log.records.len() as u64;
    assert!(ada.say("still here", &mut log));
    agree(&log, &mut [&mut ada, &mut bob]);
    assert_eq!(bob.letters.len(), 1);
}

#[test]
fn another_commit_in_a_place_that_is_known_is_a_split() {
    let (mut ada, mut bob) = (Person::new("Ada", 1), Person::new("Bob", 2));
    let log = room(&mut [&mut ada, &mut bob]);
    let mut entry = log.records[0].clone();
    entry.body.push(0);
    ada.take(&entry, &log);
    assert!(ada.stopped.is_some() && ada.told(NoticeKind::Split).len() == 1);
    // A view of another group in the same epoch stops as well; an old one and another room's don't.
    let (ours, by) = (bob.p().sight().unwrap(), ada.id());
    let views = [View { tag: [0; 8], ..ours }, View { epoch: 77, ..ours }, ours];
    assert_eq!(bob.act(|private, cx| private.compare(&views, &by, cx)), None);
    let split = View { check: [1; 16], ..ours };
    assert!(bob.act(|private, cx| private.compare(&[split], &by, cx)).is_some());
    assert!(bob.p().stopped().is_some() && bob.p().sight().is_none());
}

#[test]
fn a_poisoned_room_moves_without_the_culprit() {
    let (mut ada, mut bob, mut cy) = (Person::new("Ada", 1), Person::new("Bob", 2), Person::new("Cy", 3));
    let mut log = room(&mut [&mut ada, &mut bob, &mut cy]);
    log.forge(vec![1, 2, 3], Some(KEY));
    for person in [&mut ada, &mut bob, &mut cy] {
        person.read(&log);
    }
    let pin = Some(estoile_wire::RelayKeyHash([4; 32]));
    let relay = RelayUrl { tls: true, host: "relay.example".into(), port: 443, entry: None, pin };
    let founding = Founding { room: RoomId(8), name: "Club".into(), classic: true, max_ttl: 0 };
    let culprit = bob.id();
    let (mut new, signed) = ada.act(|private, cx| private.begin_move(&founding, &[culprit], &relay, cx)).unwrap();
    let refused = cy.act(|private, cx| private.begin_move(&founding, &[], &relay, cx).map(|_| ()));
    assert!(refused.is_err_and(|why| why.to_string().contains("only an owner or admin")));
    assert_eq!(
        (new.expects(&cy.id()), new.expects(&culprit), new.expects(&ada.id())),
        (Some(Role::Member), None, None)
    );
    // It stands on the old door, and each judges it by the last good roster.
    let door = DoorKeys::from(&ada.p().roster().door);
    let body = door.tell(&signed, &mut ada.rng).unwrap();
    let open = |who: &mut Person| {
        let leaves = who.p().leaves();
        let Ok(AtDoor::Moved(said)) = DoorKeys::from(&who.p().roster().door).open(&leaves, &body) else { panic!() };
        said
    };
    let said = open(&mut cy);
    assert_eq!(cy.p().check_move(&said), Ok(()));
    assert!(bob.p().check_move(&said).is_err_and(|why| why.0.contains("without you")));
    let mut with = said.clone();
    with.people.push(Id(Person::new("Eve", 5).id()));
    assert!(cy.p().check_move(&with).is_err(), "a stranger was slipped in");
    let mut by = said.clone();
    by.by = Id(bob.id());
    assert!(cy.p().check_move(&by).is_err(), "a member moves nothing");
    let mut split = said;
    split.check = [0; 16];
    assert!(cy.p().check_move(&split).is_err(), "another history");
    // The new room is what it may be.
    assert_eq!(new.moved_from(), Some((cy.p().log(), cy.p().epoch())));
    let mover = ada.id();
    assert_eq!(cy.p().accepts_moved(&new, &mover), Ok(()));
    new.roster.members.insert(Id([5; 32]), estoile_seal::roster::Member { role: RosterRole::Member, since: 0 });
    assert!(cy.p().accepts_moved(&new, &mover).is_err());
}
