//! Devices: linking, removing, restoring; and what survives a death at any turn.

use estoile_engine::{
    AccountCommand, Answer, Command, CommandError, ContactState, DeviceLinkView, Event, PrivateCommand,
};
use zeroize::Zeroizing;

use crate::accounts_world::world;
use crate::world::{Death, World};

fn words_shown(w: &World, at: usize) -> Option<String> {
    w.clients[at].events.iter().rev().find_map(|e| match e {
        Event::DeviceLink(DeviceLinkView::Compare { words, .. }) => Some(words.clone()),
        _ => None,
    })
}

/// Links a new client as a device of `old`'s account.
pub(crate) fn link(w: &mut World, old: usize) -> usize {
    let new = compared(w, old);
    assert_eq!(w.account(old, AccountCommand::ConfirmDevice { yes: true, history: false }), Ok(Answer::Done));
    w.pass(30_000);
    new
}

/// A new client that shows the same words as `old`, which has to say yes.
pub(crate) fn compared(w: &mut World, old: usize) -> usize {
    let text = match w.account(old, AccountCommand::LinkDevice) {
        Ok(Answer::Link(link)) => link,
        other => panic!("{other:?}"),
    };
    w.settle();
    let new = w.client();
    assert_eq!(w.account(new, AccountCommand::JoinDevice { link: text, device: "phone".into() }), Ok(Answer::Done));
    w.settle();
    assert_eq!(words_shown(w, old).expect("words"), words_shown(w, new).expect("words"));
    new
}

#[test]
fn a_linked_device_has_contacts_and_rooms() {
    let mut w = world(20);
    let (anna, _) = w.person("Anna");
    let (ben, _) = w.person("Ben");
    w.befriend(anna, ben);
    let room = w.new_room(anna, "study");
    assert_eq!(w.invite(anna, room, "Ben"), Ok(Answer::Done));
    let phone = link(&mut w, anna);
    assert_eq!(w.overview(phone).account.map(|a| a.name), Some("Anna".into()), "{:?}", w.told(phone));
    assert_eq!(w.state(phone, "Ben"), ContactState::Accepted);
    let there = w.inside(phone, "study").unwrap_or_else(|| panic!("{:?} {:?}", w.told(anna), w.told(phone)));
    w.tell(ben, w.inside(ben, "study").unwrap(), "hello to both");
    w.settle();
    assert_eq!(w.texts_in(phone, there), ["hello to both"]);
    // Out again, without words: the device removes itself.
    let own = w.overview(phone).account.unwrap().devices.into_iter().find(|d| d.own).unwrap().id;
    let gone = AccountCommand::RemoveDevice { device: own, words: None };
    assert_eq!(w.account(phone, gone), Ok(Answer::Done));
    w.pass(30_000);
    assert!(w.overview(phone).account.unwrap().stopped.is_some());
    assert_eq!(w.overview(anna).account.unwrap().devices.iter().filter(|d| !d.removed).count(), 1);
}

#[test]
fn a_device_is_removed_by_the_words() {
    let mut w = world(21);
    let (anna, words) = w.person("Anna");
    let phone = link(&mut w, anna);
    let typo = Zeroizing::new(words.replacen(' ', " zzzz", 1));
    let device = w.overview(phone).account.unwrap().devices.into_iter().find(|d| d.own).unwrap().id;
    let refused = w.account(anna, AccountCommand::RemoveDevice { device: device.clone(), words: Some(typo) });
    assert!(matches!(refused, Err(CommandError::Account(_))));
    let removal = AccountCommand::RemoveDevice { device, words: Some(Zeroizing::new(words)) };
    assert_eq!(w.account(anna, removal), Ok(Answer::Done));
    w.pass(10_000);
    let stopped = w.overview(phone).account.unwrap().stopped;
    assert!(stopped.is_some_and(|why| why.contains("removed")), "{:?}", w.told(phone));
}

#[test]
fn an_account_comes_back_with_its_words() {
    let mut w = world(22);
    let (anna, words) = w.person("Anna");
    let (ben, _) = w.person("Ben");
    w.befriend(anna, ben);
    let room = w.new_room(ben, "study");
    assert_eq!(w.invite(ben, room, "Anna"), Ok(Answer::Done));
    w.pass(10_000);
    w.kill(anna);
    let new = w.client();
    let relay = w.address.clone();
    let restore = AccountCommand::Restore {
        words: Zeroizing::new(words),
        device: "new laptop".into(),
        relay,
        entry: None,
        keep_devices: false,
        anew: None,
    };
    assert_eq!(w.account(new, restore), Ok(Answer::Done), "{:?}", w.told(new));
    w.pass(30_000);
    assert_eq!(w.state(new, "Ben"), ContactState::Accepted);
    let there = w.inside(new, "study").unwrap_or_else(|| panic!("{:?} {:?}", w.told(ben), w.told(new)));
    w.tell(ben, room, "welcome back");
    w.settle();
    assert_eq!(w.texts_in(new, there), ["welcome back"]);
    // The lost device wakes up: it is out.
    w.start(anna);
    w.pass(10_000);
    assert!(w.overview(anna).account.unwrap().stopped.is_some(), "{:?}", w.told(anna));
}

#[test]
fn words_of_no_account_are_told() {
    let mut w = world(23);
    let new = w.client();
    let relay = w.address.clone();
    let words = Zeroizing::new(format!("{}art", "abandon ".repeat(23)));
    let restore =
        AccountCommand::Restore { words, device: String::new(), relay, entry: None, keep_devices: false, anew: None };
    let refused = w.account(new, restore);
    assert!(
        matches!(&refused, Err(CommandError::Account(why)) if why.contains("no account of these words")),
        "{refused:?}"
    );
}

/// Contact and invitation, with a death of one of them at its turn `n`; then everything goes on.
fn story(seed: u64, who: usize, death: Option<Death>) -> (World, bool) {
    let mut w = world(seed);
    let (anna, _) = w.person("Anna");
    let (ben, _) = w.person("Ben");
    let before = w.clients[who].commits;
    w.clients[who].death = death.map(|d| match d {
        Death::BeforeCommit(n) => Death::BeforeCommit(before + n),
        Death::AfterCommit(n) => Death::AfterCommit(before + n),
    });
    let mut died = false;
    let link = w.contact_link_of(ben, &mut died);
    w.try_act(
        anna,
        |_| Command::Account(AccountCommand::AddContact { link: link.clone(), text: String::new() }),
        &mut died,
    );
    if w.contact(anna, "Ben").is_none() {
        w.try_act(
            anna,
            |_| Command::Account(AccountCommand::AddContact { link: link.clone(), text: String::new() }),
            &mut died,
        );
    }
    w.revive(&mut died);
    let accept = |w: &World| w.contact(ben, "Anna").map(|(id, _)| Command::Account(AccountCommand::AcceptContact(id)));
    for _ in 0..2 {
        if let Some(command) = accept(&w) {
            w.try_act(ben, |_| command.clone(), &mut died);
        }
        w.revive(&mut died);
    }
    let new = || PrivateCommand::New { name: "study".into(), ttl: None, max_ttl: 0, classic: true };
    w.try_act(anna, |_| Command::Private(new()), &mut died);
    if w.inside(anna, "study").is_none() {
        w.try_act(anna, |_| Command::Private(new()), &mut died);
    }
    for _ in 0..3 {
        let (room, contact) = (w.inside(anna, "study").unwrap(), w.contact(anna, "Ben").unwrap().0);
        w.try_act(anna, |_| Command::Private(PrivateCommand::Invite { room, contact }), &mut died);
        w.revive(&mut died);
        if w.inside(ben, "study").is_some() {
            break;
        }
    }
    (w, died)
}

#[test]
fn a_death_at_any_turn_of_meeting_and_inviting_ends_well() {
    for who in 0..2 {
        for after in [false, true] {
            for n in 1..80 {
                let death = if after { Death::AfterCommit(n) } else { Death::BeforeCommit(n) };
                let (w, died) = story(30, who, Some(death));
                assert_eq!(w.state(0, "Ben"), ContactState::Accepted, "{who} {death:?} {:?}", w.told(0));
                assert!(w.inside(1, "study").is_some(), "{who} {death:?} {:?} {:?}", w.told(0), w.told(1));
                if !died {
                    break;
                }
            }
        }
    }
}
