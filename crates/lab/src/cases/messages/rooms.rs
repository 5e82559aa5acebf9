//! What stops a private room: two histories, a copied vault, a member and the relay together.

use estoile_engine::{Command, NoticeKind, PrivateCommand, RoomId};
use estoile_mls::Plan;
use estoile_wire::frame::Record;
use estoile_wire::{Id16, PublicKey, RelayFrame};

use super::room;
use crate::bench::{Bench, On};
use crate::world::{Broken, Done, Who, World};

fn rename(room: RoomId, name: &str) -> PrivateCommand {
    PrivateCommand::Rename { room, name: name.into() }
}

/// B9.
pub(super) fn two_histories(bench: &mut Bench) -> Done {
    let (mut w, cast) = room(bench, &["Anna", "Ben"])?;
    let (anna, ben) = (cast.at(0)?, cast.at(1)?);
    let account = w.overview(ben.0)?.account.map(|a| a.id).unwrap_or_default();
    let role = PrivateCommand::SetRole { room: anna.1, account, role: estoile_engine::Role::Admin };
    w.private(anna.0, role)?.map_err(|error| Broken(error.to_string()))?;
    w.pass(10_000)?;
    w.split_history(&[ben.0])?;
    w.pass(30_000)?;
    w.private(anna.0, rename(anna.1, "study of Anna"))?.map_err(|error| Broken(error.to_string()))?;
    w.private(ben.0, rename(ben.1, "study of Ben"))?.map_err(|error| Broken(error.to_string()))?;
    w.says(anna, "in the one half")?;
    w.says(ben, "in the other half")?;
    w.pass(60_000)?;
    let crossed = w.texts(ben)?.contains(&"in the one half".to_owned());
    bench.expect(On::Screen, !crossed, "the halves are apart");
    let heard = w.shown(ben)?.people.into_iter().find(|p| p.name == "Anna").and_then(|p| p.last_heard);
    bench.expect(
        On::Screen,
        heard.is_some_and(|at| at < w.now.saturating_sub(60_000)),
        "Ben sees since when Anna is silent",
    );
    w.tell("one letter of Anna's to Ben crosses: an invitation to another room");
    // Ben's mailbox lies in the relay's first history; of the shared room it shows him nothing that would open.
    w.loses_connection(ben.0, 1)?;
    w.client_mut(ben.0)?.history = 0;
    let garden = w.found(anna.0, "garden")?;
    let contact = w.known(anna.0, "Ben")?;
    w.private(anna.0, PrivateCommand::Invite { room: garden, contact })?.map_err(|error| Broken(error.to_string()))?;
    w.pass(60_000)?;
    let why = w.stopped(ben)?;
    bench.expect(On::Screen, why.is_some(), format!("Ben's room stands still: {why:?}"));
    let told = w.notices(ben.0, NoticeKind::Split).len();
    bench.expect(On::Screen, told > 0, "Ben is told that there are two histories");
    let refused = w.act(ben.0, Command::Send { room: ben.1, text: "to whom?".into(), ttl: None })?.is_err();
    bench.expect(On::Wire, refused, "nothing more is sent there");
    bench.saw("told as silence while nothing crosses; the first letter that does stops the room");
    bench.keep_story(w);
    Ok(())
}

/// A second program with a copy of somebody's vault.
fn thief(w: &mut World, of: Who) -> Done<Who> {
    let (disk, key) = {
        let client = w.client(of)?;
        (client.disk.clone(), client.key)
    };
    let thief = w.new_client("Thief")?;
    w.kill(thief)?;
    let client = w.client_mut(thief)?;
    (client.disk, client.key) = (disk, key);
    w.tell("somebody has a copy of Ben's vault");
    Ok(thief)
}

/// B16.
pub(super) fn copied_vault(bench: &mut Bench) -> Done {
    let (mut w, cast) = room(bench, &["Anna", "Ben"])?;
    let (anna, ben) = (cast.at(0)?, cast.at(1)?);
    w.kill(ben.0)?;
    let copy = thief(&mut w, ben.0)?;
    w.start(ben.0)?;
    w.settle()?;
    w.private(ben.0, PrivateCommand::Refresh(ben.1))?.map_err(|error| Broken(error.to_string()))?;
    w.tell("Ben makes fresh keys");
    w.kill(ben.0)?;
    w.says(anna, "after the commit")?;
    w.start(copy)?;
    w.pass(30_000)?;
    let read = w.texts((copy, ben.1)).unwrap_or_default();
    bench.expect(On::Screen, !read.contains(&"after the commit".to_owned()), "the copy reads nothing after one commit");
    w.kill(copy)?;
    w.start(ben.0)?;
    w.pass(30_000)?;
    let reads = w.texts(ben)?;
    bench.expect(On::Screen, reads == ["after the commit"], format!("Ben reads on: {reads:?}"));
    bench.expect(On::Store, w.stopped(ben)?.is_none(), "and is not stopped");
    // The other way round: the copy is quicker, and commits as Ben's leaf.
    w.kill(ben.0)?;
    let copy = thief(&mut w, ben.0)?;
    w.start(copy)?;
    w.settle()?;
    w.private(copy, PrivateCommand::Refresh(ben.1))?.map_err(|error| Broken(error.to_string()))?;
    w.tell("the copy makes fresh keys first");
    w.kill(copy)?;
    w.start(ben.0)?;
    w.pass(30_000)?;
    let told = w.notices(ben.0, NoticeKind::Copied).len();
    bench.expect(On::Screen, told == 1, "Ben is told that his vault was copied");
    bench.expect(On::Screen, w.stopped(ben)?.is_some(), "and sends nothing more with those keys");
    bench.saw("the copy is out after one commit of Ben's; when the copy commits, Ben is told");
    bench.keep_story(w);
    Ok(())
}

/// B22.
pub(super) fn poisoned(bench: &mut Bench) -> Done {
    let (mut w, cast) = room(bench, &["Anna", "Ben", "Mallory"])?;
    let (anna, ben, mallory) = (cast.at(0)?, cast.at(1)?, cast.at(2)?);
    let culprit = w.overview(mallory.0)?.account.map(|a| a.id).unwrap_or_default();
    w.says(mallory, "before")?;
    w.pass(60_000)?;
    let mut insider = w.insider(mallory)?;
    let plan = Plan { now_ms: w.now, ..Plan::default() };
    let epoch = insider.group.epoch();
    let made = insider.group.commit(plan).map_err(|error| Broken(error.to_string()))?;
    let body = [&[1], made.commit.as_slice()].concat();
    w.tell("Mallory makes a valid commit, and the relay reports another key for what follows");
    for (who, _) in [anna, ben] {
        let last = super::last_record(&w, who)?;
        let Ok(RelayFrame::Record(last)) = RelayFrame::decode(&last) else { return Err(Broken("no record".into())) };
        let record = Record {
            cursor: last.cursor.saturating_add(1),
            epoch,
            id16: Id16([8; 16]),
            body: &body,
            advance: Some(PublicKey([9; 32])),
            log: insider.log,
            ..last.clone()
        };
        w.relay_says(who, RelayFrame::Record(record).encode())?;
    }
    for at in [anna, ben] {
        let why = w.stopped(at)?;
        bench.expect(On::Screen, why.is_some(), format!("the room stands still: {why:?}"));
        let told = w.notices(at.0, NoticeKind::Poisoned);
        bench.expect(On::Screen, told.len() == 1, "and it is told once");
    }
    let sent = w.act(anna.0, Command::Send { room: anna.1, text: "no".into(), ttl: None })?;
    bench.expect(On::Wire, sent.is_err(), "nothing is sent into it");
    let without = vec![culprit];
    let moved = w.private(anna.0, PrivateCommand::Move { room: anna.1, without, classic: true })?;
    bench.expect(On::Screen, moved.is_ok(), format!("Anna moves the room without Mallory: {moved:?}"));
    w.pass(90_000)?;
    w.says(anna, "after")?;
    w.pass(30_000)?;
    let reads = w.texts(ben)?;
    bench.expect(On::Screen, reads == ["before", "after"], format!("Ben came along: {reads:?}"));
    let members = w.client(ben.0)?.engine.as_ref().and_then(|e| e.members(ben.1)).unwrap_or_default();
    bench.expect(On::Store, members.len() == 2, format!("{} people are in it", members.len()));
    bench.saw("stopped at once for all; moved on without Mallory");
    bench.keep_story(w);
    Ok(())
}
