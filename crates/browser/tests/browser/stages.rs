//! Where a vault lies, what opens it, and what is said when it doesn't.

use estoile_browser::inbox::Incoming;
use estoile_port::{Ask, Down, Place as Where, Reply, Settings, Stage, Work};
use zeroize::Zeroizing;

use crate::world::World;
use crate::{new_room, open_tab, place, send};

fn kept(passphrase: bool) -> Stage {
    Stage::Open(Where::Kept { passphrase, persistent: true })
}

fn rekey(passphrase: Option<&str>) -> Ask {
    Ask::Rekey { passphrase: passphrase.map(|text| Zeroizing::new(text.to_owned())) }
}

#[test]
fn a_vault_under_the_browsers_key_opens_by_itself_the_next_time() {
    let (mut world, place) = (World::new(), place());
    let mut tab = world.tab(&place);
    assert_eq!(*tab.stage(), Stage::Loaded);
    tab.begin(false);
    assert_eq!(*tab.stage(), Stage::Fresh);
    tab.unlock(None).unwrap();
    assert_eq!(*tab.stage(), kept(false));
    new_room(&mut tab);
    drop(tab);
    let mut tab = world.tab(&place);
    tab.begin(false);
    assert_eq!(*tab.stage(), kept(false));
    assert_eq!(tab.rooms().len(), 1);
}

#[test]
fn a_passphrase_opens_and_nothing_else_does() {
    let (mut world, place) = (World::new(), place());
    let mut tab = world.tab(&place);
    tab.begin(false);
    let number = tab.say(Ask::Unlock { passphrase: Some("one good phrase".to_owned().into()), memory: false });
    let stretching = |down: &Down| matches!(down, Down::Progress(n, p) if *n == number && p.work == Work::Stretching);
    assert!(tab.seen.iter().any(stretching), "it is said what takes its time");
    tab.stretch();
    assert!(matches!(tab.answer(number), Some(Ok(Reply::Done))));
    new_room(&mut tab);
    drop(tab);
    let mut tab = world.tab(&place);
    tab.begin(false);
    assert_eq!(*tab.stage(), Stage::Locked);
    assert!(tab.unlock(None).is_err());
    assert!(tab.unlock(Some("another phrase")).unwrap_err().contains("not the passphrase"));
    assert_eq!(*tab.stage(), Stage::Locked, "it may be tried again");
    tab.unlock(Some(" one  good phrase")).unwrap();
    assert_eq!(*tab.stage(), kept(true));
    assert_eq!(tab.rooms().len(), 1);
}

#[test]
fn another_lock_needs_no_entry_written_anew() {
    let (mut world, place) = (World::new(), place());
    let mut tab = open_tab(&mut world, &place);
    new_room(&mut tab);
    let before = place.borrow().entries.entries().clone();
    tab.ask(rekey(Some("first phrase"))).unwrap();
    assert_eq!(*tab.stage(), kept(true));
    assert_eq!(place.borrow().wrapping, None, "what wrapped the key is gone");
    assert_eq!(*place.borrow().entries.entries(), before);
    drop(tab);
    let mut tab = world.tab(&place);
    tab.begin(false);
    tab.unlock(Some("first phrase")).unwrap();
    tab.ask(rekey(None)).unwrap();
    drop(tab);
    let mut tab = open_tab(&mut world, &place);
    assert_eq!(*tab.stage(), kept(false));
    assert_eq!(tab.rooms().len(), 1);
}

#[test]
fn stretching_is_cancelled_and_tried_again() {
    let (mut world, place) = (World::new(), place());
    let mut tab = world.tab(&place);
    tab.begin(false);
    let unlock = || Ask::Unlock { passphrase: Some("phrase".to_owned().into()), memory: false };
    let number = tab.say(unlock());
    assert_eq!((tab.jobs(), tab.answer(number).is_some()), (1, false));
    assert!(tab.ask_unstretched(unlock()).unwrap_err().contains("already"), "two at a time are none");
    assert!(matches!(tab.ask_unstretched(Ask::Cancel(number)), Ok(Reply::Done)));
    assert_eq!(tab.jobs(), 0, "its work is stopped");
    assert!(tab.answer(number).unwrap().unwrap_err().contains("cancelled"));
    assert_eq!(*tab.stage(), Stage::Fresh);
    assert!(tab.ask(unlock()).is_ok());
}

#[test]
fn where_nothing_can_be_kept_it_is_said_why() {
    let (mut world, place) = (World::new(), place());
    place.borrow_mut().refuses = true;
    let mut tab = open_tab(&mut world, &place);
    assert_eq!(*tab.stage(), Stage::Open(Where::Memory("This window keeps nothing.".into())));
    new_room(&mut tab);
    assert!(tab.ask(rekey(None)).is_err());
    tab.ask(Ask::Remember(Settings { notify: true, ..Settings::default() })).unwrap();
    let Ok(Reply::Settings(settings)) = tab.ask(Ask::Settings) else { panic!("settings") };
    assert!(settings.notify, "memory remembers as long as it lasts");
    assert!(place.borrow().writers.is_empty());
}

#[test]
fn a_store_that_is_cleared_while_it_is_open_is_told_at_once() {
    for told in [true, false] {
        let (mut world, place) = (World::new(), place());
        let mut tab = open_tab(&mut world, &place);
        let room = new_room(&mut tab);
        place.borrow_mut().clear();
        if told {
            tab.inbox.push(Incoming::Gone);
            tab.settle();
        } else {
            // The browser's word may come after the first write that fails.
            assert!(!send(&mut tab, room, "hello"));
        }
        assert!(matches!(tab.stage(), Stage::Lost(why) if why.contains("thrown away")), "{:?}", tab.stage());
        assert_eq!(tab.connections(), 0);
        drop(tab);
        place.borrow_mut().gone = false;
        let mut tab = open_tab(&mut world, &place);
        assert!(tab.rooms().is_empty(), "the page begins anew");
    }
}

#[test]
fn who_wants_nothing_kept_gets_that() {
    let (mut world, place) = (World::new(), place());
    let mut tab = world.tab(&place);
    tab.begin(false);
    tab.ask(Ask::Unlock { passphrase: None, memory: true }).unwrap();
    assert!(matches!(tab.stage(), Stage::Open(Where::Memory(_))));
    new_room(&mut tab);
    assert!(place.borrow().writers.is_empty());
    place.borrow_mut().clear();
    tab.inbox.push(Incoming::Gone);
    tab.settle();
    assert_eq!(tab.rooms().len(), 1, "a store that holds nothing is not missed");
}

#[test]
fn settings_are_kept_and_sealed() {
    let (mut world, place) = (World::new(), place());
    let mut tab = world.tab(&place);
    let settings = Settings { dark: Some(true), notify: true, notify_text: false, name: "Annabella".into() };
    tab.begin(false);
    assert!(tab.ask(Ask::Settings).is_err(), "they are not there before the vault is open");
    tab.unlock(None).unwrap();
    let Ok(Reply::Settings(first)) = tab.ask(Ask::Settings) else { panic!("settings") };
    assert_eq!(first, Settings::default());
    tab.ask(Ask::Remember(settings.clone())).unwrap();
    assert!(tab.ask(Ask::Remember(Settings { name: "x".repeat(1 << 20), ..Settings::default() })).is_err());
    drop(tab);
    let mut tab = open_tab(&mut world, &place);
    let Ok(Reply::Settings(again)) = tab.ask(Ask::Settings) else { panic!("settings") };
    assert_eq!(again, settings);
    let clear = |value: &Vec<u8>| value.windows(9).any(|part| part == b"Annabella");
    assert!(!place.borrow().entries.entries().values().any(clear));
}

#[test]
fn damage_is_told_and_can_be_left_behind() {
    let (mut world, place) = (World::new(), place());
    let mut tab = open_tab(&mut world, &place);
    new_room(&mut tab);
    drop(tab);
    place.borrow_mut().entries.entries_mut().values_mut().for_each(|value| *value.last_mut().unwrap() ^= 1);
    let mut tab = world.tab(&place);
    tab.begin(false);
    assert!(matches!(tab.stage(), Stage::Lost(why) if why.contains("Erase it")), "{:?}", tab.stage());
    tab.ask(Ask::Erase).unwrap();
    assert_eq!(*tab.stage(), Stage::Fresh);
    assert!(place.borrow().entries.entries().is_empty() && place.borrow().head.is_none());
    tab.unlock(None).unwrap();
    assert!(tab.rooms().is_empty());
}

#[test]
fn a_lost_wrapping_key_and_a_later_head_are_no_fresh_vaults() {
    let (mut world, place) = (World::new(), place());
    drop(open_tab(&mut world, &place));
    place.borrow_mut().wrapping = None;
    let mut tab = world.tab(&place);
    tab.begin(false);
    assert!(matches!(tab.stage(), Stage::Lost(_)));
    drop(tab);
    // The map's head, the key 0, the format.
    place.borrow_mut().head.as_mut().unwrap()[2] = 9;
    let mut tab = world.tab(&place);
    tab.begin(false);
    assert!(matches!(tab.stage(), Stage::Lost(why) if why.contains("later version")));
}

#[test]
fn erasing_takes_everything_out_and_says_goodbye_to_nobody() {
    let (mut world, place) = (World::new(), place());
    let mut tab = open_tab(&mut world, &place);
    new_room(&mut tab);
    assert_eq!(tab.connections(), 1);
    tab.ask(Ask::Erase).unwrap();
    assert_eq!((tab.stage(), tab.connections()), (&Stage::Fresh, 0));
    assert!(place.borrow().entries.entries().is_empty() && place.borrow().wrapping.is_none());
    tab.wait(60_000);
    assert!(place.borrow().entries.entries().is_empty(), "nothing is written afterwards");
}
