//! Rooms that go on elsewhere: a quick room as a private one, a private one in a new log with new keys.

use estoile_engine::{Answer, Command, CommandError, NoticeKind, PrivateCommand, RoomId};

use crate::accounts_world::world;
use crate::world::World;

fn quick(w: &mut World, people: &[(usize, &str)]) -> Vec<RoomId> {
    let mut rooms = Vec::new();
    for (n, (at, name)) in people.iter().enumerate() {
        let opening = w.opening(name, n == 0);
        rooms.push(w.open(*at, opening));
        w.settle();
    }
    rooms
}

fn turned(w: &mut World, at: usize, room: RoomId) -> RoomId {
    match w.private(at, PrivateCommand::FromQuick { room }) {
        Ok(Answer::Room(room)) => room,
        other => panic!("{other:?} {:?}", w.told(at)),
    }
}

fn refused(answer: &Result<Answer, CommandError>, because: &str) {
    assert!(matches!(answer, Err(CommandError::Private(why)) if why.contains(because)), "{answer:?}");
}

#[test]
fn a_quick_room_goes_on_as_a_private_one() {
    let mut w = world(40);
    let (anna, _) = w.person("Anna");
    let (ben, _) = w.person("Ben");
    let cleo = w.client();
    let rooms = quick(&mut w, &[(anna, "Anna"), (ben, "Ben"), (cleo, "Cleo")]);
    w.tell(anna, rooms[0], "shall we?");
    w.settle();
    let early = w.private(ben, PrivateCommand::FollowQuick { room: rooms[1] });
    refused(&early, "nobody has turned");

    let new = turned(&mut w, anna, rooms[0]);
    w.settle();
    let told = w.notices(ben, NoticeKind::Moved);
    assert_eq!(told.len(), 1, "{:?}", w.told(ben));
    assert!(told[0].detail.contains("Anna") && told[0].detail.contains("garden"), "{told:?}");
    assert!(told[0].advice.contains("/follow"), "{told:?}");
    let shown = w.texts_in(ben, rooms[1]);
    assert_eq!((shown.len(), shown[1].contains("private room")), (2, true), "{shown:?}");
    assert_eq!(w.texts_in(anna, rooms[0]), shown);
    let outside = w.private(cleo, PrivateCommand::FollowQuick { room: rooms[2] });
    assert_eq!(outside, Err(CommandError::NoAccount));

    // What was said is known after a restart as well.
    w.kill(ben);
    w.start(ben);
    w.pass(2_000);
    let there = match w.private(ben, PrivateCommand::FollowQuick { room: rooms[1] }) {
        Ok(Answer::Room(room)) => room,
        other => panic!("{other:?}"),
    };
    w.pass(20_000);
    assert_eq!(w.inside(ben, "garden"), Some(there), "{:?} {:?}", w.told(anna), w.told(ben));
    w.tell(ben, there, "among ourselves");
    w.settle();
    assert_eq!(w.texts_in(anna, new), ["among ourselves"]);
    assert_eq!(w.notices(ben, NoticeKind::Moved).len(), 1);

    // The quick room goes on, too.
    w.tell(cleo, rooms[2], "still here?");
    w.settle();
    assert_eq!(w.texts_in(ben, rooms[1]).last().map(String::as_str), Some("still here?"));
    assert_eq!(w.private(anna, PrivateCommand::FollowQuick { room: rooms[0] }), Ok(Answer::Room(new)));
    let again = w.private(anna, PrivateCommand::FromQuick { room: new });
    refused(&again, "private room already");
}

#[test]
fn two_who_turn_a_quick_room_are_not_followed() {
    let mut w = world(41);
    let (anna, _) = w.person("Anna");
    let (ben, _) = w.person("Ben");
    let (cleo, _) = w.person("Cleo");
    let rooms = quick(&mut w, &[(anna, "Anna"), (ben, "Ben"), (cleo, "Cleo")]);
    turned(&mut w, anna, rooms[0]);
    turned(&mut w, ben, rooms[1]);
    w.settle();
    assert_eq!(w.notices(cleo, NoticeKind::Moved).len(), 2, "{:?}", w.told(cleo));
    let answer = w.private(cleo, PrivateCommand::FollowQuick { room: rooms[2] });
    refused(&answer, "two people");
    assert_eq!(w.inside(cleo, "garden"), None);
}

#[test]
fn without_an_account_no_room_is_made_private() {
    let mut w = world(42);
    let cleo = w.client();
    let rooms = quick(&mut w, &[(cleo, "Cleo")]);
    let refused = w.private(cleo, PrivateCommand::FromQuick { room: rooms[0] });
    assert_eq!(refused, Err(CommandError::NoAccount));
}

fn rooms_of(w: &World, at: usize) -> usize {
    w.clients[at].engine.as_ref().unwrap().rooms().len()
}

#[test]
fn a_moved_room_is_the_same_room_without_the_culprit() {
    let mut w = world(43);
    let (anna, _) = w.person("Anna");
    let (ben, _) = w.person("Ben");
    let (eve, _) = w.person("Eve");
    w.befriend(anna, ben);
    w.befriend(anna, eve);
    let room = w.new_room(anna, "study");
    for name in ["Ben", "Eve"] {
        assert_eq!(w.invite(anna, room, name), Ok(Answer::Done));
        w.settle();
    }
    let (bens, eves) = (w.inside(ben, "study").unwrap(), w.inside(eve, "study").unwrap());
    w.tell(anna, room, "before");
    w.settle();

    let by_ben = w.private(ben, PrivateCommand::Move { room: bens, without: Vec::new(), classic: true });
    assert!(matches!(by_ben, Err(CommandError::NotAllowed(_))), "{by_ben:?}");
    let eve_id = w.overview(eve).account.unwrap().id;
    let without = vec![eve_id];
    let moved = w.private(anna, PrivateCommand::Move { room, without, classic: true });
    assert_eq!(moved, Ok(Answer::Room(room)), "{:?}", w.told(anna));
    w.pass(30_000);
    let names = |w: &World, at: usize, room| {
        let members = w.clients[at].engine.as_ref().unwrap().members(room).unwrap();
        members.into_iter().map(|m| m.shown).collect::<Vec<_>>()
    };
    assert_eq!(names(&w, anna, room).len(), 2, "{:?} {:?}", w.told(anna), w.told(ben));
    assert_eq!(names(&w, ben, bens).len(), 2);
    assert_eq!((rooms_of(&w, anna), rooms_of(&w, ben), rooms_of(&w, eve)), (1, 1, 1));

    // What was said stays, what is said comes, for those who came along.
    w.tell(ben, bens, "after");
    w.settle();
    for (at, room) in [(anna, room), (ben, bens)] {
        assert_eq!(w.texts_in(at, room), ["before", "after"], "{:?}", w.told(at));
    }
    assert_eq!(w.texts_in(eve, eves), ["before"]);
    let told = w.notices(eve, NoticeKind::Moved);
    assert!(told.iter().any(|n| n.detail.contains("without you")), "{:?}", w.told(eve));
    assert_eq!(w.notices(ben, NoticeKind::Moved).len(), 1, "{:?}", w.told(ben));

    // After a restart it is still that room.
    for at in [anna, ben] {
        w.kill(at);
        w.start(at);
    }
    w.pass(5_000);
    assert_eq!(w.ask(ben, Command::MarkRead { room: bens }), Ok(Answer::Done));
    w.tell(anna, room, "and on");
    w.settle();
    assert_eq!(w.texts_in(ben, bens), ["before", "after", "and on"], "{:?}", w.told(ben));
}
