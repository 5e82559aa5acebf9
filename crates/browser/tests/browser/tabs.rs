//! One tab has vault and sockets; the others say so, and can take them. A robbed tab writes nothing more.

use estoile_browser::inbox::Incoming;
use estoile_engine::{Command, face};
use estoile_port::{Ask, Down, Place as Where, Stage};

use crate::world::World;
use crate::{new_room, open_tab, place, send};

#[test]
fn a_second_tab_says_that_another_is_open() {
    let (mut world, place) = (World::new(), place());
    let first = open_tab(&mut world, &place);
    let mut second = world.tab(&place);
    second.begin(false);
    assert_eq!(*second.stage(), Stage::ElsewhereOpen);
    assert!(second.ask(Ask::Erase).is_err(), "what another has is not erased from here");
    assert!(second.unlock(None).is_err());
    drop(first);
    second.begin(false);
    assert!(matches!(second.stage(), Stage::Open(Where::Kept { .. })));
}

#[test]
fn when_the_first_tab_closes_the_second_goes_on() {
    let (mut world, place) = (World::new(), place());
    let mut first = open_tab(&mut world, &place);
    let room = new_room(&mut first);
    assert!(send(&mut first, room, "kept"));
    let mut second = world.tab(&place);
    second.begin(false);
    drop(first);
    second.freed();
    assert!(matches!(second.stage(), Stage::Open(_)));
    assert_eq!(second.rooms().len(), 1);
}

#[test]
fn a_robbed_tab_that_does_not_know_it_yet_writes_and_sends_nothing() {
    let (mut world, place) = (World::new(), place());
    let mut first = open_tab(&mut world, &place);
    let room = new_room(&mut first);
    assert!(send(&mut first, room, "before"));
    let mut second = world.tab(&place);
    second.begin(true);
    assert!(matches!(second.stage(), Stage::Open(_)));
    assert_eq!(second.rooms().len(), 1, "the robber has all that was kept");
    let kept = place.borrow().entries.entries().clone();
    assert!(!send(&mut first, room, "after"), "the robbed one's command was not done");
    assert_eq!(*first.stage(), Stage::Taken);
    assert_eq!(first.connections(), 0);
    assert_eq!(*place.borrow().entries.entries(), kept);
    let writers = place.borrow().writers.clone();
    let robbed_at = writers.iter().position(|id| *id == second.id);
    assert!(robbed_at.is_none_or(|at| writers[at..].iter().all(|id| *id == second.id)), "{writers:?}");
    second.wait(1_000);
    assert!(!second.texts().contains(&"after".to_owned()), "it was never sent");
    assert!(send(&mut second, room, "from here"));
}

#[test]
fn a_robbed_tab_that_hears_of_it_lets_go_of_everything_and_can_take_it_back() {
    let (mut world, place) = (World::new(), place());
    let mut first = open_tab(&mut world, &place);
    let room = new_room(&mut first);
    let mut second = world.tab(&place);
    second.begin(true);
    let command = Command::Send { room, text: "late".into(), ttl: None };
    first.rob();
    let number = first.say(Ask::Face(face::Ask::Command(Box::new(command))));
    assert_eq!(*first.stage(), Stage::Taken);
    assert!(first.answer(number).unwrap().unwrap_err().contains("another tab"));
    first.begin(false);
    assert_eq!(*first.stage(), Stage::ElsewhereOpen);
    first.begin(true);
    assert!(matches!(first.stage(), Stage::Open(_)));
    assert_eq!(first.rooms().len(), 1);
    second.rob();
    assert_eq!(*second.stage(), Stage::Taken);
}

#[test]
fn a_stretched_passphrase_of_a_robbed_tab_opens_nothing() {
    let (mut world, place) = (World::new(), place());
    let mut first = open_tab(&mut world, &place);
    let number = first.say(Ask::Rekey { passphrase: Some("phrase".to_owned().into()) });
    let mut second = world.tab(&place);
    second.begin(true);
    let head = place.borrow().head.clone();
    first.stretch();
    assert!(first.answer(number).unwrap().is_err());
    assert_eq!(*first.stage(), Stage::Taken);
    assert_eq!(place.borrow().head, head, "the lock is as the other tab knows it");
    assert!(
        !first.seen.iter().any(|down| matches!(down, Down::Stage(Stage::Open(Where::Kept { passphrase: true, .. }))))
    );
}

#[test]
fn what_comes_to_a_tab_without_a_vault_is_passed_over() {
    let (mut world, place) = (World::new(), place());
    let mut tab = world.tab(&place);
    for incoming in [Incoming::Robbed, Incoming::Freed, Incoming::Alarm] {
        tab.inbox.push(incoming);
    }
    tab.settle();
    assert_eq!(*tab.stage(), Stage::Loaded);
}
