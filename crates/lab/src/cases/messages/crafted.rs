//! What was made by hand: altered, respelled, malformed, or written by somebody with a program of their own.

use estoile_engine::{ConnectionView, NoticeKind};
use estoile_seal::mimi::{self, Body, Content, Semantics};
use estoile_wire::{Id16, RelayFrame};
use rand_core::Rng;

use super::{changed, last_record, room};
use crate::bench::{Bench, On};
use crate::hostile::{again, records, with_body};
use crate::insider::Guest;
use crate::outcome::Seal;
use crate::world::{Broken, Done, World};

/// B6.
pub(super) fn altered(bench: &mut Bench) -> Done {
    let (mut w, cast) = room(bench, &["Alice", "Bob"])?;
    let (alice, bob) = (cast.at(0)?, cast.at(1)?);
    let to = bob.0;
    w.misbehave(records("it gives each record in many altered forms before the true one", move |passing, record| {
        let mut out = Vec::new();
        if passing.who == to && record.advance.is_none() {
            for bit in (0..record.body.len().saturating_mul(8)).step_by(7) {
                let mut body = record.body.to_vec();
                if let Some(byte) = body.get_mut(bit / 8) {
                    *byte ^= 1 << (bit % 8);
                }
                out.push(with_body(&record, &body));
            }
            out.extend(respelled(record.body).iter().map(|body| with_body(&record, body)));
        }
        out.push(again(&record));
        out
    }));
    w.says(alice, "once and whole")?;
    w.pass(61_000)?;
    let printed = w.printed(bob.0);
    bench.expect(On::Screen, printed == ["once and whole"], format!("shown once, as it was written: {printed:?}"));
    let people = w.shown(bob)?.people.len();
    bench.expect(On::Screen, people <= 2, format!("nobody came to be by it: {people} people"));
    let told: u64 = w.notices(bob.0, NoticeKind::Forged).iter().map(|n| n.count).sum();
    bench.expect(On::Screen, told > 0, "Bob is told, in few words");
    bench.expect(On::Store, w.texts(bob)? == ["once and whole"], "the vault has it once");
    bench.saw(format!("{told} altered forms refused"));
    bench.keep_story(w);
    Ok(())
}

/// Other spellings of the same token.
fn respelled(body: &[u8]) -> Vec<Vec<u8>> {
    let swap = |from: u8, to: u8| body.iter().map(|b| if *b == from { to } else { *b }).collect::<Vec<u8>>();
    vec![
        [body, b"="].concat(),
        [body, b"\n"].concat(),
        [b" ", body].concat(),
        swap(b'-', b'+'),
        swap(b'_', b'/'),
        body.iter().copied().filter(|b| *b != b'=').collect(),
    ]
}

/// B10.
pub(super) fn oracle(bench: &mut Bench) -> Done {
    let (mut w, cast) = room(bench, &["Alice", "Bob"])?;
    let (alice, bob) = (cast.at(0)?, cast.at(1)?);
    w.says(alice, "a secret of sixteen")?;
    w.pass(ASKED)?;
    let record = last_record(&w, bob.0)?;
    let (mark, asked) = (w.tape.mark(), w.client(bob.0)?.fetched.len());
    w.tell("the relay gives Bob four hundred altered records and watches the wire");
    for n in 0..400_u64 {
        let altered = changed_body(&record, n)?;
        w.relay_says(bob.0, altered)?;
    }
    let fetched = w.client(bob.0)?.fetched.len().saturating_sub(asked);
    let reactions = w.tape.utterances(bob.0, mark).saturating_add(fetched);
    bench.expect(On::Wire, reactions == 0, format!("Bob's client says nothing: {reactions} frames"));
    let printed = w.printed(bob.0);
    bench.expect(On::Screen, printed.len() == 1, "nothing more is shown");
    bench.saw("400 altered records, no frame in answer");
    bench.keep_story(w);
    Ok(())
}

/// Longer than every question and beat that is under way.
const ASKED: u64 = 4_000_000;

fn changed_body(frame: &[u8], n: u64) -> Done<Vec<u8>> {
    let Ok(RelayFrame::Record(record)) = RelayFrame::decode(frame) else { return Err(Broken("no record".into())) };
    let mut body = record.body.to_vec();
    let at = usize::try_from(n).unwrap_or_default().checked_rem(body.len()).unwrap_or_default();
    if let Some(byte) = body.get_mut(at) {
        *byte ^= 1;
    }
    let with = RelayFrame::decode(frame).map(|_| with_body(&record, &body));
    let with = with.map_err(|error| Broken(error.to_string()))?;
    changed(&with, |r| (r.cursor, r.id16) = (1_000_u64.saturating_add(n), Id16([n.to_be_bytes()[7]; 16])))
}

/// B13.
pub(super) fn bombs(bench: &mut Bench) -> Done {
    let (mut w, cast) = room(bench, &["Alice", "Bob"])?;
    let (alice, bob) = (cast.at(0)?, cast.at(1)?);
    w.tell("the relay sends bombs");
    for bomb in [nested(30_000), giant_count(), vec![0x9f; 65_536], vec![0xff; 65_536], vec![0x82, 0x04, 0xbf]] {
        w.relay_says(bob.0, bomb)?;
        w.pass(60_000)?;
    }
    let mut mallory = Guest::new(&w, "Mallory", 3);
    // Nested deeper than a content may be: an honest program can't even write it, so its bytes are made by hand.
    let mut deep = mallory.letter("deeply nested", w.now);
    deep.content = Some(mimi::text("deeply nested", [7; 16]));
    let written = deep.write(&mallory.key, &mallory.keys.log_id()).map_err(|e| Broken(e.to_string()))?;
    let bytes = written.to_bytes();
    for _ in 0..3 {
        let token = mallory.seals_bytes(&[bytes.as_slice(), &nested(20_000)].concat(), w.now / 1000, &mut w);
        mallory.sends(&token, 1, bob.0, &mut w)?;
    }
    // An honest program refuses to write what is nested deeper than others would read.
    let mut deep = mallory.letter("", w.now);
    deep.content = Some(nest(6));
    if let Ok(body) = mallory.seals(&deep, &mallory.keys.log_id(), &mut w) {
        mallory.sends(&body, 4, bob.0, &mut w)?;
    }
    let long = "x".repeat(32 * 1024);
    mallory.says(&long, bob.0, &mut w, |_| {})?;
    w.pass(120_000)?;
    let online = w.shown(bob)?.room.connection == ConnectionView::Online;
    bench.expect(On::Screen, online, "Bob's client is there");
    w.says(alice, "still here")?;
    w.pass(1_000)?;
    let printed = w.printed(bob.0);
    bench.expect(On::Screen, printed.last().map(String::as_str) == Some("still here"), "and reads on");
    bench.expect(
        On::Screen,
        !printed.iter().any(|text| text.contains("deeply nested")),
        "what follows a letter's end spoils it",
    );
    let stored: usize = w.client(bob.0)?.disk.entries().values().map(Vec::len).sum();
    bench.expect(On::Store, stored < 512 * 1024, format!("the vault stays small: {stored} bytes"));
    bench.saw("frames refused at their bounds; the room goes on");
    bench.keep_story(w);
    Ok(())
}

/// A content of parts in one another.
fn nest(depth: usize) -> Content {
    let mut content = mimi::text("deeply nested", [7; 16]);
    for _ in 1..depth {
        let beside = mimi::text("beside", [7; 16]).part;
        let part = core::mem::replace(&mut content.part, beside.clone());
        content.part.body = Body::Multi { semantics: Semantics::ProcessAll, parts: vec![part, beside] };
    }
    content
}

/// CBOR: arrays of one in one another.
fn nested(depth: usize) -> Vec<u8> {
    let mut bytes = vec![0x82, 0x04];
    bytes.extend(core::iter::repeat_n(0x81, depth));
    bytes.push(0x00);
    bytes
}

/// CBOR: a map that claims to have 2^32 entries.
fn giant_count() -> Vec<u8> {
    vec![0x82, 0x04, 0xba, 0xff, 0xff, 0xff, 0xff, 0x00]
}

/// B14.
pub(super) fn poison(bench: &mut Bench) -> Done {
    let (mut w, cast) = room(bench, &["Alice", "Bob"])?;
    let (alice, bob) = (cast.at(0)?, cast.at(1)?);
    w.says(alice, "before")?;
    w.pass(1_000)?;
    let good = last_record(&w, bob.0)?;
    w.tell("the relay sends cut, doubled and random frames, and bodies that have crashed parsers");
    for body in bodies(&mut w) {
        let altered = match RelayFrame::decode(&good) {
            Ok(RelayFrame::Record(record)) => with_body(&record, &body),
            _ => return Err(Broken("no record".into())),
        };
        w.relay_says(bob.0, altered)?;
    }
    if bench.seal == Seal::Quick {
        // Who has the link can stamp a token with any time: here the last second that there is.
        let mut mallory = Guest::new(&w, "Mallory", 3);
        let letter = mallory.letter("from the end of time", w.now);
        let written = letter.write(&mallory.key, &mallory.keys.log_id()).map_err(|e| Broken(e.to_string()))?;
        for seconds in [u64::MAX, u64::MAX / 1000, 0, 1 << 63] {
            let token = mallory.seals_bytes(&written.to_bytes(), seconds, &mut w);
            mallory.sends(&token, 5, bob.0, &mut w)?;
        }
    }
    let whole = good.len();
    for cut in (0..whole).step_by(13) {
        w.relay_says(bob.0, good.get(..cut).unwrap_or_default().to_vec())?;
        if cut % 5 == 0 {
            w.pass(60_000)?;
        }
    }
    w.relay_says(bob.0, [good.as_slice(), good.as_slice()].concat())?;
    w.pass(180_000)?;
    w.says(alice, "after")?;
    w.pass(60_000)?;
    let shown = w.texts(bob)?;
    bench.expect(
        On::Screen,
        shown == ["before", "after"],
        format!("nothing foreign is shown, work goes on: {shown:?}"),
    );
    let stopped = w.stopped(bob)?;
    bench.expect(On::Screen, stopped.is_none(), format!("the room stands: {stopped:?}"));
    bench.saw("refused one by one; the room goes on");
    bench.keep_story(w);
    Ok(())
}

/// Bodies of all sorts.
fn bodies(w: &mut World) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = vec![
        Vec::new(),
        vec![0],
        vec![1],
        vec![2],
        vec![0x80],
        vec![1, 0, 1, 0, 2, 0],
        vec![2; 25],
        b"gAAAAA==".to_vec(),
        b"gAAAAAD//////////w==".to_vec(),
        [b"gP//////////".as_slice(), &[b'A'; 88]].concat(),
        vec![b'A'; 49_152],
    ];
    for n in 0..40_usize {
        let mut random = vec![0; n.saturating_mul(37)];
        w.rng.fill_bytes(&mut random);
        if let Some(first) = random.first_mut() {
            *first = 1;
        }
        all.push(random);
    }
    all
}

/// B19.
pub(in crate::cases) fn remote(bench: &mut Bench) -> Done {
    let (mut w, cast) = room(bench, &["Alice", "Bob"])?;
    let (alice, bob) = (cast.at(0)?, cast.at(1)?);
    w.says(alice, "hello")?;
    w.pass(ASKED)?;
    let mark = w.tape.mark();
    let before = w.client(bob.0)?.fetched.len();
    for text in [
        "![pixel](https://evil.example/p.gif)",
        "<img src=https://evil.example/p.gif onerror=fetch('/')>",
        "https://evil.example/preview-me",
        "[x](javascript:alert(1))",
        "file:///etc/passwd",
    ] {
        w.says(alice, text)?;
        w.pass(100)?;
    }
    let _ = w.shown(bob)?;
    let fetched = w.client(bob.0)?.fetched.len().saturating_sub(before);
    let said = w.tape.utterances(bob.0, mark);
    bench.expect(
        On::Wire,
        fetched == 0 && said == 0,
        format!("nothing is asked for: {fetched} fetches, {said} frames"),
    );
    bench.expect(On::Screen, w.printed(bob.0).len() == 6, "the texts are shown as texts");
    bench.saw("five texts with addresses in them, no request");
    bench.keep_story(w);
    Ok(())
}
