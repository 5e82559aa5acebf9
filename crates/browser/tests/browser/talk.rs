//! Rooms, links, messages: two people in two browsers, at a real relay.

use estoile_engine::{ConnectionView, Event, NoticeKind, face};
use estoile_port::{Ask, LinkKind, Reply, Stage};

use crate::world::World;
use crate::{new_room, open_tab, place, send};

#[test]
fn two_people_chat_by_a_link() {
    let mut world = World::new();
    let mut ann = open_tab(&mut world, &place());
    let room = new_room(&mut ann);
    let view = ann.rooms().remove(0);
    assert_eq!(view.connection, ConnectionView::Online);
    let mut bea = open_tab(&mut world, &place());
    let Ok(Reply::Link(link)) = bea.ask(Ask::ReadLink { link: view.link.clone() }) else { panic!("a link") };
    assert_eq!((link.kind, link.name.as_str(), link.here, link.room), (LinkKind::Quick, "Tea", true, None));
    let fragment = format!("#{}", view.link.split_once('#').unwrap().1);
    let open = Ask::OpenLink { link: fragment, own_name: "Bea".into(), passphrase: None };
    let Ok(Reply::Room(theirs)) = bea.ask(open) else { panic!("a room") };
    assert!(send(&mut ann, room, "hello, Bea"));
    bea.settle();
    assert_eq!(bea.texts(), ["hello, Bea"]);
    assert!(send(&mut bea, theirs, "hello, Ann"));
    ann.settle();
    assert!(ann.texts().contains(&"hello, Ann".to_owned()));
    let Ok(Reply::Link(link)) = bea.ask(Ask::ReadLink { link: view.link }) else { panic!("a link") };
    assert_eq!(link.room, Some(theirs), "it is open already");
    assert_eq!(ann.dialled, ["ws://127.0.0.1:7070/v1/session"], "one connection for all rooms of a relay");
}

#[test]
fn a_second_room_shares_the_connection_of_the_first() {
    let mut world = World::new();
    let mut ann = open_tab(&mut world, &place());
    new_room(&mut ann);
    new_room(&mut ann);
    assert_eq!((ann.rooms().len(), ann.dialled.len()), (2, 1));
}

#[test]
fn a_passphrase_room_opens_by_its_words() {
    let mut world = World::new();
    let mut ann = open_tab(&mut world, &place());
    let new = |passphrase: &str| Ask::NewRoom {
        name: "Garden".into(),
        own_name: "Ann".into(),
        passphrase: Some(passphrase.to_owned().into()),
        ttl: Some(3_600),
        entry: None,
    };
    assert!(ann.ask(new("secret")).unwrap_err().contains("bits"), "weak words are refused before they are stretched");
    let Ok(Reply::Passphrase(words)) = ann.ask(Ask::SuggestPassphrase) else { panic!("words") };
    let Ok(Reply::Room(room)) = ann.ask(new(&words)) else { panic!("a room") };
    assert!(send(&mut ann, room, "in the garden"));
    let link = ann.rooms().remove(0).link;
    let mut bea = open_tab(&mut world, &place());
    let open = |passphrase: Option<String>| Ask::OpenLink {
        link: link.clone(),
        own_name: "Bea".into(),
        passphrase: passphrase.map(Into::into),
    };
    assert!(bea.ask(open(None)).unwrap_err().contains("passphrase"));
    assert!(bea.ask(open(Some(words.to_string()))).is_ok());
    bea.settle();
    assert_eq!(bea.texts(), ["in the garden"]);
    let max_ttl = bea.rooms().remove(0).max_ttl;
    assert_eq!(max_ttl, Some(3_600));
}

#[test]
fn what_is_elsewhere_is_refused_and_never_dialled() {
    let (mut world, browser) = (World::new(), place());
    let mut ann = open_tab(&mut world, &browser);
    new_room(&mut ann);
    let link = ann.rooms().remove(0).link.replace("127.0.0.1:7070", "127.0.0.1:7071");
    let open = Ask::OpenLink { link, own_name: "Ann".into(), passphrase: None };
    assert!(ann.ask(open).unwrap_err().contains("estoile web"));
    drop(ann);
    // The same browser's vault under a page that came from elsewhere: its room waits, and says why.
    let mut ann = world.tab(&browser);
    ann.begin_at("http://127.0.0.1:9999", false);
    ann.wait(120_000);
    assert_eq!(ann.dialled, Vec::<String>::new());
    let ConnectionView::Offline { why, .. } = ann.rooms().remove(0).connection else { panic!("offline") };
    assert!(why.contains("estoile web"), "{why}");
    let tries = ann.events().filter(|event| matches!(event, Event::Room(_))).count();
    assert!(tries < 40, "it is not tried all the time: {tries}");
}

#[test]
fn a_write_that_fails_undoes_its_turn_and_says_so() {
    let (mut world, browser) = (World::new(), place());
    let mut ann = open_tab(&mut world, &browser);
    let room = new_room(&mut ann);
    browser.borrow_mut().full = 1;
    let kept = browser.borrow().entries.entries().clone();
    assert!(!send(&mut ann, room, "lost"), "the command is answered with why");
    assert!(ann.events().any(|event| *event == Event::Reload));
    assert!(ann.events().any(|event| matches!(event, Event::Notice(n) if n.kind == NoticeKind::Vault)));
    assert!(!ann.texts().contains(&"lost".to_owned()));
    assert!(kept.keys().all(|name| browser.borrow().entries.entries().contains_key(name)));
    ann.wait(5_000);
    assert!(matches!(ann.stage(), Stage::Open(_)));
    assert!(send(&mut ann, room, "again"), "it works on");
    let mut bea = open_tab(&mut world, &place());
    let link = ann.rooms().remove(0).link;
    bea.ask(Ask::OpenLink { link, own_name: "Bea".into(), passphrase: None }).unwrap();
    bea.wait(1_000);
    assert_eq!(bea.texts(), ["again"]);
}

#[test]
fn questions_before_a_vault_is_open_are_answered_with_what_to_do() {
    let mut world = World::new();
    let mut tab = world.tab(&place());
    assert!(tab.ask(Ask::Face(face::Ask::Rooms)).unwrap_err().contains("unlock"));
    assert!(tab.ask(Ask::ReadLink { link: "#q/x".into() }).is_err());
    let begin = |origin: &str| Ask::Begin { origin: origin.into(), relays: Vec::new(), take_over: false };
    assert!(tab.ask(begin("file:///tmp")).is_err());
    assert!(tab.ask(begin("http://relay.example")).unwrap_err().contains("https"), "not in the clear over a network");
    tab.begin(false);
    assert!(tab.ask(begin("http://127.0.0.1:7070")).is_err(), "once is enough");
    let new = Ask::NewRoom { name: "x".into(), own_name: "y".into(), passphrase: None, ttl: None, entry: None };
    assert!(tab.ask(new).is_err());
}

#[test]
fn older_messages_come_in_pages() {
    let mut world = World::new();
    let mut ann = open_tab(&mut world, &place());
    let room = new_room(&mut ann);
    for n in 0..30 {
        assert!(send(&mut ann, room, &format!("number {n}")));
    }
    let face::Reply::Snapshot(Some(snapshot)) = ann.face(face::Ask::Snapshot(room, 10)) else { panic!("a snapshot") };
    assert_eq!((snapshot.messages.len(), snapshot.more), (10, true));
    let before = snapshot.messages[0].id;
    let face::Reply::Older(Some(page)) = ann.face(face::Ask::Older(room, before, 15)) else { panic!("a page") };
    assert_eq!((page.messages.len(), page.more), (15, true));
    assert_eq!(page.messages[14].text, "number 19");
    let before = page.messages[0].id;
    let face::Reply::Older(Some(page)) = ann.face(face::Ask::Older(room, before, 15)) else { panic!("a page") };
    assert_eq!((page.messages.len(), page.more), (5, false));
}
