//! Contacts, invitations, private rooms: through the public door.

use estoile_engine::{AccountCommand, Answer, Command, CommandError, ContactState, NoticeKind, PrivateCommand, Verify};

use crate::accounts_world::world;

#[test]
fn two_people_meet_and_talk() {
    let mut w = world(1);
    let (anna, words) = w.person("Anna");
    assert_eq!(words.split(' ').count(), 24);
    let (ben, _) = w.person("Ben");
    w.befriend(anna, ben);
    assert_eq!(w.state(anna, "Ben"), ContactState::Accepted, "{:?}", w.told(anna));
    assert_eq!(w.state(ben, "Anna"), ContactState::Accepted);

    let room = w.new_room(anna, "study");
    assert_eq!(w.invite(anna, room, "Ben"), Ok(Answer::Done));
    w.settle();
    let there = w.inside(ben, "study").unwrap_or_else(|| panic!("{:?}", w.told(ben)));
    w.tell(anna, room, "are you here?");
    w.settle();
    w.tell(ben, there, "I am");
    w.settle();
    assert_eq!(w.texts_in(anna, room), ["are you here?", "I am"]);
    assert_eq!(w.texts_in(ben, there), ["are you here?", "I am"]);
    assert_eq!(w.notices(ben, NoticeKind::Invited).len(), 1);
    assert_eq!(w.account(ben, AccountCommand::Sync), Ok(Answer::Done));
}

#[test]
fn using_each_others_links_needs_no_yes() {
    let mut w = world(2);
    let (anna, _) = w.person("Anna");
    let (ben, _) = w.person("Ben");
    let (link_a, link_b) = (w.contact_link(anna, false), w.contact_link(ben, false));
    let text = String::new();
    w.account(anna, AccountCommand::AddContact { link: link_b, text: text.clone() }).unwrap();
    w.account(ben, AccountCommand::AddContact { link: link_a, text }).unwrap();
    w.settle();
    assert_eq!(w.state(anna, "Ben"), ContactState::Accepted);
    assert_eq!(w.state(ben, "Anna"), ContactState::Accepted);
}

#[test]
fn a_stranger_waits_and_can_be_forgotten() {
    let mut w = world(3);
    let (anna, _) = w.person("Anna");
    let (ben, _) = w.person("Ben");
    let link = w.contact_link(ben, false);
    w.account(anna, AccountCommand::AddContact { link, text: "it's me".into() }).unwrap();
    w.settle();
    assert_eq!(w.state(ben, "Anna"), ContactState::Request { text: "it's me".into() });
    assert_eq!(w.state(anna, "Ben"), ContactState::Asked);
    let room = w.new_room(ben, "study");
    let refused = w.invite(ben, room, "Anna");
    assert!(matches!(refused, Err(CommandError::Account(why)) if why.contains("accept")));
    let id = w.contact(ben, "Anna").unwrap().0;
    assert_eq!(w.account(ben, AccountCommand::ForgetContact(id)), Ok(Answer::Done));
    assert!(w.contact(ben, "Anna").is_none());
}

#[test]
fn ones_own_link_and_other_links_are_refused() {
    let mut w = world(4);
    let (anna, _) = w.person("Anna");
    let link = w.contact_link(anna, false);
    let own = w.account(anna, AccountCommand::AddContact { link, text: String::new() });
    assert!(matches!(own, Err(CommandError::Account(why)) if why.contains("your own")));
    let other = AccountCommand::AddContact { link: "https://relay.example.org/#e/AAAA".into(), text: String::new() };
    assert!(matches!(w.account(anna, other), Err(CommandError::Account(_))));
}

#[test]
fn a_new_link_ends_the_old_one_and_no_contact_notices() {
    let mut w = world(5);
    let (anna, _) = w.person("Anna");
    let (ben, _) = w.person("Ben");
    let (cleo, _) = w.person("Cleo");
    w.befriend(anna, ben);
    let old = w.contact_link(ben, false);
    let new = w.contact_link(ben, true);
    assert_ne!(old, new);
    w.settle();
    let dead = w.account(cleo, AccountCommand::AddContact { link: old, text: String::new() });
    assert!(matches!(&dead, Err(CommandError::Account(why)) if why.contains("dead")), "{dead:?}");
    assert!(w.overview(cleo).contacts.is_empty());
    let fresh = w.account(cleo, AccountCommand::AddContact { link: new, text: String::new() });
    assert!(matches!(fresh, Ok(Answer::Contact(_))), "{fresh:?}");
    let room = w.new_room(anna, "study");
    assert_eq!(w.invite(anna, room, "Ben"), Ok(Answer::Done));
    w.settle();
    assert!(w.inside(ben, "study").is_some());
}

#[test]
fn an_invitation_by_a_stranger_waits_for_a_yes() {
    let mut w = world(6);
    let (anna, _) = w.person("Anna");
    let (ben, _) = w.person("Ben");
    w.befriend(anna, ben);
    // Ben forgets Anna while her invitation is on its way.
    let room = w.new_room(anna, "study");
    let id = w.contact(ben, "Anna").unwrap().0;
    w.kill(ben);
    assert_eq!(w.invite(anna, room, "Ben"), Ok(Answer::Done));
    w.start(ben);
    assert_eq!(w.ask(ben, Command::Account(AccountCommand::ForgetContact(id))), Ok(Answer::Done));
    w.settle();
    // Her letter came under a ticket that ended with the contact: no other device knows it either, so it is left out, and said.
    w.pass(61_000);
    assert!(w.inside(ben, "study").is_none());
    assert_eq!(w.notices(ben, NoticeKind::Forged).len(), 1, "{:?}", w.told(ben));
}

#[test]
fn words_and_numbers_are_the_same_on_both_sides() {
    let mut w = world(7);
    let (anna, _) = w.person("Anna");
    let (ben, _) = w.person("Ben");
    w.befriend(anna, ben);
    let (for_ben, for_anna) = (w.contact(anna, "Ben").unwrap().0, w.contact(ben, "Anna").unwrap().0);
    let show = |answer| match answer {
        Ok(Answer::Verify(view)) => view,
        other => panic!("{other:?}"),
    };
    let one = show(w.account(anna, AccountCommand::ShowVerification(for_ben)));
    let other = show(w.account(ben, AccountCommand::ShowVerification(for_anna)));
    assert_eq!((&one.words, &one.number), (&other.words, &other.number));
    for said in [one.words.to_uppercase(), one.number.replace(' ', "")] {
        let verify = AccountCommand::VerifyContact(for_anna, Verify::Said(said));
        assert_eq!(w.account(ben, verify), Ok(Answer::Done));
    }
    assert!(w.overview(ben).contacts[0].verified);
    let wrong = AccountCommand::VerifyContact(for_ben, Verify::Said("one two three four five six".into()));
    assert!(matches!(w.account(anna, wrong), Err(CommandError::Mismatch(_))));
    let scanned = AccountCommand::VerifyContact(for_ben, Verify::Qr(other.qr.clone()));
    assert_eq!(w.account(anna, scanned), Ok(Answer::Done));
    let mirrored = AccountCommand::VerifyContact(for_ben, Verify::Qr(one.qr));
    assert!(matches!(w.account(anna, mirrored), Err(CommandError::Mismatch(_))));
}

#[test]
fn a_room_link_lets_in_as_often_as_it_says() {
    let mut w = world(8);
    let (anna, _) = w.person("Anna");
    let (ben, _) = w.person("Ben");
    let (cleo, _) = w.person("Cleo");
    let room = w.new_room(anna, "study");
    let link = match w.private(anna, PrivateCommand::Link { room, uses: Some(1), expires: None }) {
        Ok(Answer::Link(link)) => link,
        other => panic!("{other:?}"),
    };
    w.settle();
    let knocked = w.private(ben, PrivateCommand::Knock { link: link.clone() });
    assert!(matches!(knocked, Ok(Answer::Room(_))), "{knocked:?}");
    w.pass(10_000);
    assert!(w.inside(ben, "study").is_some(), "{:?} {:?}", w.told(anna), w.told(ben));
    w.private(cleo, PrivateCommand::Knock { link }).unwrap();
    w.pass(10_000);
    assert!(w.inside(cleo, "study").is_none());
    let told = w.notices(anna, NoticeKind::Knocked);
    assert!(told.iter().any(|n| n.detail.contains("Cleo") && n.detail.contains("not let in")), "{:?}", w.told(anna));
}

#[test]
fn a_drained_shelf_is_told_and_filled_again() {
    let mut w = world(9);
    let (anna, _) = w.person("Anna");
    let link = w.contact_link(anna, false);
    for n in 0..22 {
        let (at, _) = w.person(&format!("Visitor{n}"));
        w.account(at, AccountCommand::AddContact { link: link.clone(), text: String::new() }).unwrap();
        w.kill(at);
    }
    w.pass(11 * 60 * 1000);
    assert_eq!(w.notices(anna, NoticeKind::Drained).len(), 1, "{:?}", w.told(anna));
    let (last, _) = w.person("Last");
    assert!(w.account(last, AccountCommand::AddContact { link, text: String::new() }).is_ok());
}
