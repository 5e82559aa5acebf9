//! Logins, keys at the relay, and the machine's own arithmetic.

use estoile_engine::{NoticeKind, known_answers};
use estoile_wire::frame::{Attach, Tickets};
use estoile_wire::{ClientFrame, RelayFrame};

use super::room;
use crate::bench::{Bench, On};
use crate::hostile::Misbehaviour;
use crate::world::{Broken, Done};

/// B4.
pub(super) fn replayed_login(bench: &mut Bench) -> Done {
    let (mut w, cast) = room(bench, &["Alice", "Bob"])?;
    let alice = cast.at(0)?;
    w.says(alice, "only for members")?;
    let attach = w.tape.since(0).iter().find_map(|f| match ClientFrame::decode(&f.bytes) {
        Ok(ClientFrame::Attach(attach)) if f.up && f.who == alice.0 => Some(attach),
        _ => None,
    });
    let attach: Attach = attach.ok_or_else(|| Broken("nobody attached".into()))?;
    let stranger = w.stranger()?;
    w.tell("somebody who saw Alice's proof on the wire gives it to an honest relay in a session of their own");
    let answers = w.stranger_says(&stranger, &ClientFrame::Attach(attach.clone()).encode())?;
    let records = |answers: &[Vec<u8>]| {
        answers.iter().filter(|f| matches!(RelayFrame::decode(f), Ok(RelayFrame::Record(_)))).count()
    };
    let refused = |answers: &[Vec<u8>]| {
        answers.iter().any(|f| matches!(RelayFrame::decode(f), Ok(RelayFrame::Refused(_) | RelayFrame::Closing(_))))
    };
    bench.expect(On::Wire, records(&answers) == 0, "no record comes");
    bench.expect(On::Wire, refused(&answers), "the proof is refused: it is for another session");
    let other = w.stranger()?;
    w.tell("and moves the signature under another label: to replace the log's tickets");
    let moved = Tickets { request: 1, log: attach.log, tickets: Vec::new(), signature: attach.signature };
    let answers = w.stranger_says(&other, &ClientFrame::Tickets(moved).encode())?;
    let done = answers.iter().any(|f| matches!(RelayFrame::decode(f), Ok(RelayFrame::Done(_))));
    bench.expect(On::Store, !done, "nothing is changed by it");
    bench.saw("a proof holds in its own session and for its own purpose");
    bench.keep_story(w);
    Ok(())
}

/// B15.
pub(super) fn drained(bench: &mut Bench) -> Done {
    let mut w = bench.world()?;
    let (anna, _) = w.person("Anna")?;
    w.pass(60_000)?;
    w.tell("somebody takes all of Anna's one-time keys, until only the last resort is left, and takes that too");
    let mark = w.tape.mark();
    w.misbehave(Misbehaviour::new("it says that the shelf is empty", move |passing, bytes| {
        match RelayFrame::decode(bytes) {
            Ok(RelayFrame::Counted(mut counted)) if !passing.up => {
                for slot in &mut counted.slots {
                    (slot.left, slot.last_resort_taken) = (0, slot.last_resort_taken.saturating_add(3));
                }
                vec![RelayFrame::Counted(counted).encode()]
            }
            _ => vec![bytes.to_vec()],
        }
    }));
    w.relay_restarts()?;
    w.pass(26 * 3_600_000)?;
    let told = w.notices(anna, NoticeKind::Drained).len();
    bench.expect(On::Screen, told > 0, "Anna is told that her keys were taken");
    let puts =
        w.tape.since(mark).iter().filter(|f| f.up && matches!(ClientFrame::decode(&f.bytes), Ok(ClientFrame::Put(_))));
    let puts = puts.count();
    bench.expect(On::Wire, puts > 0, "and new ones, with another last resort, are put there");
    bench.saw(format!("told, with the way out; {puts} times new keys"));
    bench.keep_story(w);
    Ok(())
}

/// B17.
pub(super) fn known(bench: &mut Bench) -> Done {
    let right = known_answers();
    bench.expect(On::Store, right.is_ok(), format!("all primitives give the published answers: {right:?}"));
    bench.saw(
        "SHA-256, HKDF, Fernet, XChaCha20-Poly1305, Ed25519, Argon2id and MLS's primitives, before anything is opened",
    );
    Ok(())
}
