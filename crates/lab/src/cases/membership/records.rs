//! What the relay can change around a sealed record, and what it can pass off as another kind of thing.

use estoile_engine::NoticeKind;
use estoile_wire::{Id16, LogId, RelayFrame};

use super::super::messages::{changed, last_record, room};
use crate::bench::{Bench, On};
use crate::hostile::{again, records, with_body};
use crate::insider::Guest;
use crate::outcome::Seal;
use crate::world::{Broken, Done};

/// A11.
pub(super) fn outside_the_seal(bench: &mut Bench) -> Done {
    let (mut w, cast) = room(bench, &["Alice", "Bob"])?;
    let (alice, bob) = (cast.at(0)?, cast.at(1)?);
    w.says(alice, "by Alice alone")?;
    w.pass(5_000)?;
    let last = last_record(&w, bob.0)?;
    let (before, mark) = (w.shown(bob)?, w.tape.mark());
    w.tell("the relay gives Bob the record with each field outside the seal changed");
    for n in 1..=6_u8 {
        let many = u64::from(n);
        let altered = changed(&last, |r| {
            r.id16 = Id16([n; 16]);
            match n {
                1 => r.cursor = r.cursor.saturating_add(500_000),
                2 => r.time = r.time.saturating_add(3_600_000),
                3 => r.time = 0,
                4 => r.expires = r.expires.saturating_add(86_400_000),
                5 => r.cursor = r.cursor.saturating_add(500_000_u64.saturating_add(many)),
                _ => r.epoch = r.epoch.saturating_sub(1),
            }
        })?;
        w.relay_says(bob.0, altered)?;
    }
    w.pass(30_000)?;
    let shown = w.shown(bob)?;
    let who = |snapshot: &estoile_engine::RoomSnapshot| -> Vec<(String, String, u64)> {
        snapshot.messages.iter().map(|m| (m.shown.clone(), m.text.clone(), m.sent_at)).collect()
    };
    bench.expect(On::Screen, who(&shown) == who(&before), format!("sender, text and time stay: {:?}", who(&shown)));
    bench.expect(On::Store, shown.messages.len() == 1, "it is kept once");
    let printed = w.printed(bob.0);
    bench.expect(On::Screen, printed == ["by Alice alone"], format!("and printed once: {printed:?}"));
    let said = w.tape.since(mark).iter().filter(|f| f.up && f.who == bob.0).count();
    bench.expect(On::Wire, said < 10, format!("Bob's client does not chatter about it: {said} frames"));
    bench.saw("who, what and when stand inside the seal");
    bench.keep_story(w);
    Ok(())
}

/// A20.
pub(super) fn truncated(bench: &mut Bench) -> Done {
    let (mut w, cast) = room(bench, &["Alice", "Bob"])?;
    let (alice, bob) = (cast.at(0)?, cast.at(1)?);
    let to = bob.0;
    w.misbehave(records("it gives each record with its end cut off, byte by byte, and with another sender's place", {
        move |passing, record| {
            let mut out = Vec::new();
            if passing.who == to && record.advance.is_none() {
                for cut in 1..=32_usize {
                    let kept = record.body.len().saturating_sub(cut);
                    out.push(with_body(&record, record.body.get(..kept).unwrap_or_default()));
                }
                // The sender's leaf is sealed by itself, ahead of the letter: every byte there is tried.
                for at in 0..record.body.len().min(120) {
                    let mut body = record.body.to_vec();
                    if let Some(byte) = body.get_mut(at) {
                        *byte = 0xff_u8.wrapping_sub(*byte);
                    }
                    out.push(with_body(&record, &body));
                }
            }
            out.push(again(&record));
            out
        }
    }));
    w.says(alice, "whole and once")?;
    w.pass(61_000)?;
    let printed = w.printed(bob.0);
    bench.expect(On::Screen, printed == ["whole and once"], format!("shown once: {printed:?}"));
    bench.expect(On::Wire, !w.tape.holds(b"whole and once"), "and never readable on the way");
    let told: u64 = w.notices(bob.0, NoticeKind::Forged).iter().map(|n| n.count).sum();
    bench.expect(On::Screen, told > 0, "Bob is told");
    bench.expect(On::Store, w.stopped(bob)?.is_none(), "the room stands");
    bench.saw(format!("{told} cut or redirected forms refused"));
    bench.keep_story(w);
    Ok(())
}

/// A7.
pub(super) fn confused(bench: &mut Bench) -> Done {
    let (mut w, cast) = room(bench, &["Alice", "Bob"])?;
    let (alice, bob) = (cast.at(0)?, cast.at(1)?);
    w.says(alice, "the only letter")?;
    w.pass(5_000)?;
    let last = last_record(&w, bob.0)?;
    let Ok(RelayFrame::Record(record)) = RelayFrame::decode(&last) else { return Err(Broken("no record".into())) };
    let mut bodies: Vec<Vec<u8>> = w.tape.since(0).iter().map(|crossed| crossed.bytes.clone()).collect();
    bodies.extend(w.held(0).into_iter().filter(|held| held.log != record.log).map(|held| held.body));
    w.tell(format!("the relay gives Bob {} things of every kind as records of the room", bodies.len()));
    for body in bodies {
        w.relay_says(bob.0, with_body(&record, &body))?;
    }
    if bench.seal == Seal::Quick {
        let mut mallory = Guest::new(&w, "Mallory", 3);
        let letter = mallory.letter("signed for something else", w.now);
        let written = letter.write(&mallory.key, &LogId([9; 32])).map_err(|e| Broken(e.to_string()))?;
        let body = mallory.seals_bytes(&written.to_bytes(), w.now / 1000, &mut w);
        w.tell("and a letter whose signature was made for something else");
        mallory.sends(&body, 3, bob.0, &mut w)?;
    }
    w.pass(61_000)?;
    let shown = w.texts(bob)?;
    bench.expect(On::Screen, shown == ["the only letter"], format!("nothing else is taken for a letter: {shown:?}"));
    bench.expect(On::Store, w.stopped(bob)?.is_none(), "the room stands");
    bench.saw("each kind of thing has a key and a label of its own");
    bench.keep_story(w);
    Ok(())
}
