//! What traffic tells.

use std::collections::BTreeSet;

use estoile_seal::mimi::{self, Body};
use estoile_wire::{ClientFrame, RelayFrame};

use crate::bench::{Bench, On};
use crate::cases::messages::room;
use crate::insider::Guest;
use crate::outcome::Seal;
use crate::world::{Done, Who};

/// D1.
pub(super) fn linked(bench: &mut Bench) -> Done {
    let (mut w, cast) = room(bench, &["Anna", "Ben", "Carol"])?;
    let mark = w.tape.mark();
    for n in 0..10 {
        let from = cast.at(if n % 3 == 0 { 0 } else { 1 })?;
        w.says(from, &format!("message {n}"))?;
        w.pass(1_000)?;
    }
    // The relay's whole view: which connection appended, and to which ones it gave that record.
    let mut linked = 0_u32;
    let frames = w.tape.since(mark);
    for (at, frame) in frames.iter().enumerate() {
        let Ok(ClientFrame::Append(append)) = ClientFrame::decode(&frame.bytes) else { continue };
        if !frame.up {
            continue;
        }
        let readers: BTreeSet<Who> = frames
            .iter()
            .skip(at)
            .filter(|f| {
                !f.up && matches!(RelayFrame::decode(&f.bytes), Ok(RelayFrame::Record(r)) if r.id16 == append.id16)
            })
            .map(|f| f.who)
            .collect();
        linked = linked.saturating_add(u32::from(readers.len() > 1));
    }
    bench.expect(On::Wire, linked >= 10, format!("{linked} messages linked"));
    bench.saw("10 of 10: a relay that watches links each message's connection with those that read it");
    bench.keep_story(w);
    Ok(())
}

/// D2.
pub(super) fn probed(bench: &mut Bench) -> Done {
    let (mut w, cast) = room(bench, &["Alice", "Bob"])?;
    let (alice, bob) = (cast.at(0)?, cast.at(1)?);
    w.says(alice, "hello")?;
    w.pass(7_200_000)?;
    let mut mallory = Guest::new(&w, "Mallory", 3);
    // Whoever is new in a room is greeted; what comes after that is the experiment.
    mallory.says("let me in", bob.0, &mut w, |_| {})?;
    w.pass(7_200_000)?;
    // What a client says by itself while nothing happens: that somebody is here, every minute or so.
    let mark = w.tape.mark();
    w.pass(3_600_000)?;
    let quiet = w.tape.utterances(bob.0, mark);
    let mark = w.tape.mark();
    for n in 0..5_u8 {
        mallory.says("", bob.0, &mut w, |letter| {
            let mut content = mimi::text("", [n; 16]);
            content.part.body = Body::Null;
            letter.content = Some(content);
        })?;
        w.pass(720_000)?;
    }
    let answers = w.tape.utterances(bob.0, mark);
    let letters = w.tape.appended(mark).len();
    bench.expect(On::Wire, letters == 0, format!("Bob's client confirms nothing: {letters} letters"));
    let usual = answers <= quiet.saturating_add(1);
    bench.expect(On::Wire, usual, format!("and says no more than in any hour: {answers} frames, before {quiet}"));
    let shown = w.texts(bob)?;
    bench.expect(On::Screen, shown == ["hello", "let me in"], format!("and shows nothing: {shown:?}"));
    bench.saw("five letters that show nothing, no confirmation within the hour");
    bench.keep_story(w);
    Ok(())
}

/// D3.
pub(super) fn sizes(bench: &mut Bench) -> Done {
    let (mut w, cast) = room(bench, &["Alice", "Bob"])?;
    let alice = cast.at(0)?;
    let mark = w.tape.mark();
    for length in (1..=200).step_by(4) {
        w.says(alice, &"x".repeat(length))?;
        w.pass(2_000)?;
    }
    let sizes: BTreeSet<usize> =
        w.tape.appended(mark).into_iter().filter(|(who, _)| *who == alice.0).map(|(_, size)| size).collect();
    let most = if bench.seal == Seal::Private { 6 } else { 20 };
    bench.expect(On::Wire, (1..=most).contains(&sizes.len()), format!("{} sizes, at most {most}", sizes.len()));
    bench.saw(format!("50 texts of 1 to 200 bytes have {} sizes on the wire", sizes.len()));
    bench.keep_story(w);
    Ok(())
}

/// D4.
pub(super) fn enumerated(bench: &mut Bench) -> Done {
    let mut w = bench.world()?;
    let cast = w.study(&["Annabella", "Benedetto"])?;
    let (anna, ben) = (cast.at(0)?, cast.at(1)?);
    w.says(anna, "meet me at the lighthouse")?;
    w.says(ben, "at the lighthouse, then")?;
    w.pass(60_000)?;
    let mut needles: Vec<Vec<u8>> =
        ["Annabella", "Benedetto", "study", "laptop", "lighthouse"].iter().map(|t| t.as_bytes().to_vec()).collect();
    for (who, _) in [anna, ben] {
        let account = w.overview(who)?.account;
        let ids = account.iter().flat_map(|a| a.devices.iter().map(|d| d.id.clone()).chain([a.id.clone()]));
        needles.extend(ids.filter_map(|id| bytes(&id)));
    }
    for needle in &needles {
        let held = w.relay_holds(needle);
        bench.expect(On::Store, !held, format!("the relay's store has no {:?}", String::from_utf8_lossy(needle)));
        let crossed = w.tape.holds(needle);
        bench.expect(On::Wire, !crossed, format!("nothing that crosses has {:?}", String::from_utf8_lossy(needle)));
    }
    let logs: BTreeSet<_> = w.held(0).into_iter().map(|record| record.log).collect();
    let stranger = w.stranger()?;
    let answers = w.stranger_says(&stranger, &[0x82, 0x18, 0x63, 0xa0])?;
    let records = answers.iter().filter(|f| matches!(RelayFrame::decode(f), Ok(RelayFrame::Record(_)))).count();
    bench.expect(On::Wire, records == 0, "there is no frame that lists anything");
    bench.saw(format!("{} names, ids and words looked for in {} logs: none found", needles.len(), logs.len()));
    bench.keep_story(w);
    Ok(())
}

/// Bytes of hexadecimal digits.
fn bytes(hex: &str) -> Option<Vec<u8>> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok()).collect()
}
