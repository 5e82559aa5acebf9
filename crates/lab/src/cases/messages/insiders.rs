//! Members who speak as others, or with what is not of this room.

use estoile_engine::{Event, NoticeKind, RoomId};
use estoile_seal::SenderKey;
use estoile_seal::letter::{self, Letter};
use estoile_seal::mimi;
use estoile_seal::quick::{RoomKeys, RoomSecret};
use estoile_wire::{Id16, PublicKey, RelayFrame};

use super::{changed, last_record, room};
use crate::bench::{Bench, On};
use crate::hostile::with_body;
use crate::insider::Guest;
use crate::outcome::Seal;
use crate::world::{Broken, Cast, Done, Who, World};

/// B20.
pub(super) fn in_anothers_name(bench: &mut Bench) -> Done {
    let (mut w, cast) = room(bench, &["Alice", "Bob", "Mallory"])?;
    let (alice, bob, mallory) = (cast.at(0)?, cast.at(1)?, cast.at(2)?);
    w.says(alice, "it is me")?;
    w.pass(1_000)?;
    if bench.seal == Seal::Quick {
        guest_as_another(&mut w, &cast)?
    } else {
        member_as_another(&mut w, mallory, bob)?
    }
    w.pass(10_000)?;
    let resigns = w.shown(bob)?.messages.into_iter().find(|m| m.text == "I resign").map(|m| m.shown);
    if bench.seal == Seal::Quick {
        bench.expect(On::Screen, resigns.is_none(), format!("it is not shown as {resigns:?}'s"));
        let told = w.notices(bob.0, NoticeKind::Forged).len();
        bench.expect(On::Screen, told > 0, "Bob is told that somebody tried");
    } else {
        // The inside of a letter names nobody: MLS says whose it is.
        let own = resigns.as_deref().is_none_or(|name| name == "Mallory");
        bench.expect(On::Screen, own, format!("it is shown as Mallory's own, or not at all: {resigns:?}"));
    }
    w.says(alice, "and I stay")?;
    w.pass(1_000)?;
    bench.expect(On::Screen, w.printed(bob.0).last().map(String::as_str) == Some("and I stay"), "the room goes on");
    bench.saw("what Alice never signed is not shown as hers");
    bench.keep_story(w);
    Ok(())
}

/// A letter of the guest's own, with Alice's key written over the guest's.
fn guest_as_another(w: &mut World, cast: &Cast) -> Done {
    let (bob, alice) = (cast.at(1)?, cast.at(0)?);
    let own = w.shown(alice)?.people.into_iter().find(|p| p.own).map(|p| p.key).unwrap_or_default();
    let alices: Vec<u8> = (0..32).filter_map(|i| u8::from_str_radix(own.get(2 * i..2 * i + 2)?, 16).ok()).collect();
    let mut mallory = Guest::new(w, "Alice", 3);
    let letter = Letter { counter: 1, ..mallory.letter("I resign", w.now) };
    let written = letter.write(&mallory.key, &mallory.keys.log_id()).map_err(|e| Broken(e.to_string()))?;
    let forged = replaced(&written.to_bytes(), &mallory.key.public().0, &alices);
    let body = mallory.seals_bytes(&forged, w.now / 1000, w);
    w.tell("Mallory writes “I resign” with Alice's key in it, and the relay gives it to Bob");
    mallory.sends(&body, 1, bob.0, w)
}

/// The same in MLS: the letter inside names Alice's device, the leaf that seals it is Mallory's.
fn member_as_another(w: &mut World, mallory: (Who, RoomId), bob: (Who, RoomId)) -> Done {
    let mut insider = w.insider(mallory)?;
    let alices = insider.group.leaf(0).map(|leaf| leaf.member.device).ok_or_else(|| Broken("no leaf".into()))?;
    let letter = Letter {
        content: Some(mimi::text("I resign", [7; 16])),
        counter: 40,
        parents: Vec::new(),
        sent_at: w.now,
        ttl: None,
        name: String::new(),
        sender: PublicKey(alices.0),
        private: Some(letter::Private { chain_length: 1, chain_head: [0; 32], views: Vec::new() }),
    };
    let written = letter.write_private(&insider.log).map_err(|e| Broken(e.to_string()))?;
    let sealed = insider.group.encrypt(&written.to_bytes()).map_err(|e| Broken(e.to_string()))?;
    let body = [&[1], sealed.as_slice()].concat();
    w.tell("Mallory seals “I resign” with Alice's device in it, and the relay gives it to Bob");
    // At a place that Bob has passed: one beyond the log's end would stop the room as soon as the relay answers truly.
    let last = last_record(w, bob.0)?;
    let Ok(RelayFrame::Record(last)) = RelayFrame::decode(&last) else { return Err(Broken("no record".into())) };
    let forged = with_body(&last, &body);
    w.relay_says(bob.0, changed(&forged, |r| r.id16 = Id16([3; 16]))?)
}

/// The bytes with one part replaced everywhere.
fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let mut at = 0_usize;
    while let Some(window) = out.get_mut(at..at.saturating_add(from.len())) {
        if window == from && to.len() == from.len() {
            window.copy_from_slice(to);
        }
        at = at.saturating_add(1);
    }
    out
}

/// B23.
pub(super) fn guest(bench: &mut Bench) -> Done {
    let (mut w, cast) = room(bench, &["Alice", "Bob"])?;
    let (alice, bob) = (cast.at(0)?, cast.at(1)?);
    w.says(alice, "it is me")?;
    w.pass(1_000)?;
    let mut mallory = Guest::new(&w, "Alice", 3);
    mallory.says("no, it is me", bob.0, &mut w, |_| {})?;
    let shown: Vec<String> = w.shown(bob)?.messages.into_iter().map(|m| m.shown).collect();
    let marked = shown.get(1).is_some_and(|name| name.starts_with("Alice·"));
    bench.expect(On::Screen, marked, format!("the second Alice is marked: {shown:?}"));
    // A letter of another room, signed for that room's log.
    let elsewhere = RoomKeys::derive(&RoomSecret::from_bytes([77; 32])).log_id();
    let moved = mallory.letter("from elsewhere", w.now);
    let body = mallory.seals(&moved, &elsewhere, &mut w)?;
    mallory.sends(&body, 10, bob.0, &mut w)?;
    // An old letter of Alice's, with her signature, in a fresh token.
    let old = last_alices(&w, bob, &mallory)?;
    w.pass(5_000)?;
    let fresh = mallory.seals_bytes(&old, w.now / 1000, &mut w);
    mallory.sends(&fresh, 11, bob.0, &mut w)?;
    let same = mallory.seals_bytes(&old, w.now.saturating_sub(6_000) / 1000, &mut w);
    mallory.sends(&same, 12, bob.0, &mut w)?;
    let printed = w.printed(bob.0);
    bench.expect(
        On::Screen,
        printed == ["it is me", "no, it is me"],
        format!("nothing moved or repeated is shown: {printed:?}"),
    );
    let notices = w.client(bob.0)?.events.iter().filter(|e| matches!(e, Event::Notice(_))).count();
    bench.expect(On::Screen, notices > 0, "and it is told");
    bench.saw("a second Alice is marked; what was signed for another room, or sealed anew, is refused");
    bench.keep_story(w);
    Ok(())
}

/// The inside of Alice's letter, as any guest can read it.
fn last_alices(w: &World, bob: (Who, RoomId), guest: &Guest) -> Done<Vec<u8>> {
    for frame in w.tape.records_to(bob.0) {
        let Ok(RelayFrame::Record(record)) = RelayFrame::decode(&frame) else { continue };
        let Ok(inside) = guest.unseals(record.body) else { continue };
        let own: &SenderKey = &guest.key;
        if !inside.windows(32).any(|window| window == own.public().0) {
            return Ok(inside.to_vec());
        }
    }
    Err(Broken("Alice wrote nothing".into()))
}
