//! The same again, elsewhere, or in another order.

use estoile_engine::{Command, NoticeKind};
use estoile_seal::quick::{RoomKeys, RoomSecret};
use estoile_wire::Id16;

use super::{changed, last_record, room};
use crate::bench::{Bench, On};
use crate::hostile::{again, records};
use crate::outcome::Seal;
use crate::world::{Done, Switch};

const DAY: u64 = 24 * 3_600_000;

/// B1.
pub(super) fn replayed(bench: &mut Bench) -> Done {
    let (mut w, cast) = room(bench, &["Alice", "Bob"])?;
    let (alice, bob) = (cast.at(0)?, cast.at(1)?);
    w.says(alice, "pay Carol ten")?;
    w.pass(1_000)?;
    let record = last_record(&w, bob.0)?;
    w.tell("the relay gives Bob the same record once more");
    w.relay_says(bob.0, record.clone())?;
    w.tell("and as a new one");
    let anew = |cursor| {
        changed(&record, |r| {
            r.cursor = cursor;
            r.id16 = Id16([cursor.to_be_bytes()[7]; 16]);
        })
    };
    w.relay_says(bob.0, anew(1_001)?)?;
    w.pass(DAY)?;
    w.tell("and a day later");
    w.relay_says(bob.0, anew(1_002)?)?;
    w.relay_says(bob.0, changed(&record, |r| (r.cursor, r.epoch) = (1_003, r.epoch.saturating_add(1)))?)?;
    if bench.seal == Seal::Quick {
        let secret = RoomSecret::from_bytes([77; 32]);
        let other = RoomKeys::derive(&secret).log_id();
        let open = estoile_engine::OpenRoom { name: "other".into(), secret, ..w.opening("Bob") };
        w.act(bob.0, Command::Open(Box::new(open)))?.ok();
        w.tell("and in another room of Bob's");
        w.relay_says(bob.0, changed(&record, |r| (r.log, r.cursor) = (other, 1))?)?;
    }
    w.pass(10_000)?;
    let printed = w.printed(bob.0);
    bench.expect(On::Screen, printed == ["pay Carol ten"], format!("Bob reads it once: {printed:?}"));
    let kept = w.texts(bob)?;
    bench.expect(On::Store, kept == ["pay Carol ten"], "Bob's vault has it once");
    bench.expect(On::Wire, !w.tape.holds(b"pay Carol ten"), "nobody on the way reads it");
    bench.saw("given out five times, shown once");
    bench.keep_story(w);
    Ok(())
}

/// B2.
pub(super) fn wrong_places(bench: &mut Bench) -> Done {
    let (mut w, cast) = room(bench, &["Alice", "Bob"])?;
    let (alice, bob) = (cast.at(0)?, cast.at(1)?);
    let on = Switch::default();
    let (lying, to) = (on.clone(), bob.0);
    on.on();
    w.misbehave(records("places run backwards, times are years off", move |passing, mut record| {
        if passing.who == to && lying.is_on() {
            record.cursor = u64::MAX.saturating_sub(record.cursor);
            record.time = record.time.saturating_add(1 << 40);
            record.expires = u64::MAX;
        }
        vec![again(&record)]
    }));
    for text in ["one", "two", "three"] {
        w.says(alice, text)?;
        w.pass(1_000)?;
    }
    on.off();
    w.relay_restarts()?;
    w.says(alice, "four")?;
    w.pass(60_000)?;
    let shown = w.texts(bob)?;
    bench.expect(On::Screen, shown == ["one", "two", "three", "four"], format!("the order is the writers': {shown:?}"));
    let told = w.notices(bob.0, NoticeKind::Relay).len();
    bench.expect(On::Screen, told > 0, "Bob is told that the relay's places make no sense");
    bench.saw("all messages in their writers' order, and the relay's lie is told");
    bench.keep_story(w);
    Ok(())
}

/// B3.
pub(super) fn reflected(bench: &mut Bench) -> Done {
    let (mut w, cast) = room(bench, &["Alice", "Bob"])?;
    let (alice, bob) = (cast.at(0)?, cast.at(1)?);
    w.says(alice, "before")?;
    w.pass(1_000)?;
    let record = last_record(&w, alice.0)?;
    w.tell("the relay gives Alice her own message as a new one");
    // A place that the log never reaches would stop a private room as soon as the relay answers truly.
    let private = bench.seal == Seal::Private;
    let place = |cursor| if private { cursor } else { 1_001 };
    w.relay_says(alice.0, changed(&record, |r| (r.cursor, r.id16) = (place(r.cursor), Id16([9; 16])))?)?;
    let shown = w.texts(alice)?;
    bench.expect(On::Screen, shown == ["before"], format!("Alice sees it once, as her own: {shown:?}"));
    w.kill(alice.0)?;
    let old = w.client(alice.0)?.disk.clone();
    w.start(alice.0)?;
    w.settle()?;
    w.says(alice, "after")?;
    w.pass(1_000)?;
    w.kill(alice.0)?;
    w.tell("Alice's vault is put back to where it was before her last message");
    w.client_mut(alice.0)?.disk = old;
    w.forget_events(alice.0)?;
    w.start(alice.0)?;
    w.pass(30_000)?;
    let told = w.notices(alice.0, NoticeKind::Copied).len();
    bench.expect(On::Screen, told == 1, "Alice is told that her vault was copied or put back");
    let foreign = w.printed(alice.0);
    bench.expect(On::Screen, !foreign.contains(&"after".to_owned()), "and never reads her own words as another's");
    let kept = w.texts(bob)?;
    bench.expect(On::Store, kept == ["before", "after"], "Bob has each message once");
    bench.saw("an echo changes nothing; a vault that was put back is told at the first contact");
    bench.keep_story(w);
    Ok(())
}

/// B5.
pub(super) fn permuted(bench: &mut Bench) -> Done {
    let (mut w, cast) = room(bench, &["Alice", "Bob", "Carol"])?;
    let (alice, bob, carol) = (cast.at(0)?, cast.at(1)?, cast.at(2)?);
    let (on, to) = (Switch::default(), bob.0);
    on.on();
    let (holding, mut held) = (on.clone(), Vec::new());
    w.misbehave(records("it keeps records back and gives them out in reverse", move |passing, record| {
        if passing.who != to {
            return vec![again(&record)];
        }
        held.insert(0, again(&record));
        if holding.is_on() { Vec::new() } else { core::mem::take(&mut held) }
    }));
    for (who, text) in
        [(alice, "Who brings the tent?"), (carol, "I do."), (alice, "And who the stove?"), (carol, "Bob?")]
    {
        w.says(who, text)?;
        w.pass(500)?;
    }
    on.off();
    w.says(alice, "Bob?!")?;
    w.pass(60_000)?;
    let shown = w.texts(bob)?;
    let want = ["Who brings the tent?", "I do.", "And who the stove?", "Bob?", "Bob?!"];
    bench.expect(On::Screen, shown == want, format!("answers stand under what they answer: {shown:?}"));
    let told = w.notices(bob.0, NoticeKind::Reordered).len() + w.notices(bob.0, NoticeKind::Withheld).len();
    bench.saw(format!("five messages in reverse, shown in order; {told} notices"));
    bench.expect(On::Screen, told > 0, "and Bob is told");
    bench.keep_story(w);
    Ok(())
}
