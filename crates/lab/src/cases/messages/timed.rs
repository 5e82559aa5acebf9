//! Times: held past the end, repeated before it, clocks that are off.

use estoile_engine::NoticeKind;
use estoile_wire::Id16;

use super::{changed, last_record, room};
use crate::bench::{Bench, On};
use crate::hostile::withhold;
use crate::world::{Done, Switch};

/// B18.
pub(super) fn held_past(bench: &mut Bench) -> Done {
    for (clock, shown) in [(0_i64, false), (-60_000, true), (-61_000, true), (60_000, false), (61_000, false)] {
        let (mut w, cast) = room(bench, &["Alice", "Bob"])?;
        let (alice, bob) = (cast.at(0)?, cast.at(1)?);
        let on = Switch::default();
        on.on();
        w.misbehave(withhold(bob.0, &on, |_| true));
        let mark = w.tape.mark();
        w.says_for(alice, "for your eyes only", Some(Some(30)))?;
        // What the author got back is what the relay holds.
        let record = last_record(&w, alice.0)?;
        w.client_mut(bob.0)?.clock = clock;
        w.pass(45_000)?;
        w.tell(format!("45 s later the relay gives it to Bob, whose clock is {} s off", clock.saturating_div(1000)));
        w.misbehaviours.clear();
        w.relay_says(bob.0, record.clone())?;
        let seen = w.printed(bob.0).contains(&"for your eyes only".to_owned());
        // A clock that is behind by more than the rest of its life can't know better; it is told that it is off.
        bench.expect(
            On::Screen,
            seen == shown,
            format!("with a clock {} s off it is {}", clock / 1000, if shown { "shown" } else { "refused" }),
        );
        w.relay_says(bob.0, changed(&record, |r| (r.cursor, r.id16) = (1_001, Id16([1; 16])))?)?;
        let times = w.printed(bob.0).iter().filter(|t| *t == "for your eyes only").count();
        bench.expect(On::Screen, times <= 1, "and never twice");
        w.pass(200_000)?;
        let kept = w.texts(bob)?;
        bench.expect(On::Store, !kept.contains(&"for your eyes only".to_owned()), "in the end nobody has it");
        bench.expect(On::Wire, !w.tape.since(mark).is_empty(), "frames crossed");
        if clock == 0 {
            bench.expect(On::Screen, !w.notices(bob.0, NoticeKind::Expired).is_empty(), "Bob is told what was refused");
            bench.keep_story(w);
        }
    }
    bench.saw("refused after its end by every clock that is right or ahead, never shown twice, gone everywhere");
    Ok(())
}

/// B21.
pub(super) fn classroom(bench: &mut Bench) -> Done {
    let (mut w, cast) = room(bench, &["Alice", "Bob"])?;
    let (alice, bob) = (cast.at(0)?, cast.at(1)?);
    let on = Switch::default();
    on.on();
    w.misbehave(withhold(bob.0, &on, |_| true));
    w.says_for(alice, "stamped 45 s ago", Some(Some(30)))?;
    let stale = last_record(&w, alice.0)?;
    w.pass(45_000)?;
    w.misbehaviours.clear();
    w.tell("the relay gives out a message that was stamped 45 s ago with 30 s to live");
    w.relay_says(bob.0, stale)?;
    w.says_for(alice, "still good", Some(Some(3_600)))?;
    w.pass(1_000)?;
    let good = last_record(&w, bob.0)?;
    w.tell("and repeats another one inside its time");
    for cursor in 1_001..1_004_u64 {
        let byte = cursor.to_be_bytes()[7];
        w.relay_says(bob.0, changed(&good, |r| (r.cursor, r.id16) = (cursor, Id16([byte; 16])))?)?;
    }
    let printed = w.printed(bob.0);
    bench.expect(
        On::Screen,
        printed == ["still good"],
        format!("the old one is refused, the other shown once: {printed:?}"),
    );
    bench.expect(On::Screen, w.notices(bob.0, NoticeKind::Expired).len() == 1, "and Bob is told which and why");
    let kept = w.texts(bob)?;
    bench.expect(On::Store, kept == ["still good"], "the vault has one message");
    bench.saw("45 s in the past under 30 s: refused and told; a repeat inside its time: dropped");
    bench.keep_story(w);
    Ok(())
}
