//! A room has room for 250 devices: it warns at 100, and says no at 250, each in time and in words.

use super::world::{Log, Person, agree, room};
use crate::notice::NoticeKind;
use crate::private::Intent;
use crate::turn::CommandId;
use crate::view::Role;

/// Adds somebody with so many devices, in the commit that the owner makes next.
fn add(owner: &mut Person, seed: u8, devices: u8, command: u64) {
    let mut guest = Person::new("Guest", seed);
    let mut all: Vec<Person> = (1..devices).map(|n| guest.second_device((seed % 64) * 4 + n)).collect();
    let chain = guest.me.chain.clone();
    all.iter_mut().for_each(|device| device.me.chain.clone_from(&chain));
    let packages = all.iter_mut().chain([&mut guest]).map(Person::package).collect();
    owner.want(Intent::Add { account: guest.id(), packages, role: Role::Member, via: None, token: command }, command);
}

fn devices(person: &mut Person) -> usize {
    person.p().devices().len()
}

/// Two people, and guests up to so many devices.
fn filled(to: u8) -> (Log, Person, Person) {
    let (mut ada, mut bob) = (Person::new("Ada", 1), Person::new("Bob", 2));
    let mut log = room(&mut [&mut ada, &mut bob]);
    let mut left = to - 2;
    let mut seed = 10;
    while left > 0 {
        let devices = left.min(5);
        add(&mut ada, seed, devices, u64::from(seed));
        left -= devices;
        seed += 1;
        if seed % 8 == 0 || left == 0 {
            ada.sync(&mut log);
        }
    }
    assert_eq!(devices(&mut ada), usize::from(to), "{:?}", ada.answers);
    (log, ada, bob)
}

#[test]
fn a_hundred_devices_are_warned_of_once() {
    let (mut log, mut ada, mut bob) = filled(99);
    bob.read(&log);
    assert!(ada.told(NoticeKind::Full).is_empty() && bob.told(NoticeKind::Full).is_empty(), "99 are not many");
    add(&mut ada, 200, 1, 200);
    ada.sync(&mut log);
    add(&mut ada, 201, 1, 201);
    ada.sync(&mut log);
    bob.reload = true;
    agree(&log, &mut [&mut ada, &mut bob]);
    for person in [&ada, &bob] {
        let told = person.told(NoticeKind::Full);
        assert_eq!(told.len(), 1, "once: {told:?}");
        assert!(told[0].contains("100 devices and holds 250"), "{told:?}");
    }
}

#[test]
fn a_full_room_says_no_and_goes_on() {
    let (mut log, mut ada, mut bob) = filled(250);
    add(&mut ada, 200, 1, 777);
    ada.sync(&mut log);
    let answer = ada.answers.iter().find(|(id, _)| *id == CommandId(777)).expect("an answer");
    let why = answer.1.as_ref().unwrap_err();
    assert!(why.contains("the room is full: it holds 250 devices; remove somebody"), "{why}");
    assert_eq!(devices(&mut ada), 250);
    // Nothing of it went out, and the room is as it was.
    assert!(ada.say("still here", &mut log));
    agree(&log, &mut [&mut ada, &mut bob]);
    assert_eq!(bob.letters.len(), 1);
    assert_eq!(devices(&mut bob), 250);
}
