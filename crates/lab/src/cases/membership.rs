//! Section A: who belongs to a room, and who somebody is.

use estoile_engine::NoticeKind;

use super::messages::room;
use crate::bench::{Bench, On};
use crate::case::Case;
use crate::outcome::{Outcome, Seal};
use crate::world::Done;

/// The cases.
pub(super) const CASES: &[Case] = &[Case {
    id: "A12",
    precedent: "Matrix “Hydra”, 2025: a room's state rolled back",
    does: "rolls the whole log back to an older state",
    defence: "clients know how far they have read; a log that ends before that was restored or made anew",
    weakness: "silence relay",
    tries: &[(Seal::Quick, Outcome::Told, rolled_back)],
}];

/// A12.
fn rolled_back(bench: &mut Bench) -> Done {
    let (mut w, cast) = room(bench, &["Alice", "Bob"])?;
    let (alice, bob) = (cast.at(0)?, cast.at(1)?);
    w.says(alice, "before")?;
    w.pass(1_000)?;
    let old = w.relay_backup()?;
    w.pass(10_000)?;
    w.says(alice, "after")?;
    w.pass(1_000)?;
    w.relay_rolls_back(old)?;
    w.pass(60_000)?;
    for at in [alice, bob] {
        let told = w.notices(at.0, NoticeKind::Relay).len();
        bench.expect(On::Screen, told > 0, "everybody is told that the relay's log is an old one");
        let kept = w.texts(at)?;
        bench.expect(On::Store, kept == ["before", "after"], format!("and keeps what was read: {kept:?}"));
    }
    w.says(bob, "still here")?;
    w.pass(60_000)?;
    let reads = w.texts(alice)?;
    bench.expect(
        On::Screen,
        reads.last().map(String::as_str) == Some("still here"),
        format!("work goes on: {reads:?}"),
    );
    bench.saw("told to everybody; nothing that was read is lost");
    bench.keep_story(w);
    Ok(())
}
