//! What the relay keeps to itself, and what others only pretend was there.

use estoile_engine::{DeliveryState, NoticeKind};
use estoile_seal::letter::Reference;
use estoile_wire::PublicKey;

use super::room;
use crate::bench::{Bench, On};
use crate::hostile::withhold;
use crate::insider::Guest;
use crate::world::{Broken, Done, Switch};

/// Longer than every question that is asked about what is missing.
const ASKED: u64 = 700_000;

/// B7.
pub(super) fn dropped(bench: &mut Bench) -> Done {
    let (mut w, cast) = room(bench, &["Alice", "Bob"])?;
    let (alice, bob) = (cast.at(0)?, cast.at(1)?);
    w.says(alice, "first")?;
    w.pass(1_000)?;
    let on = Switch::default();
    on.on();
    let mut victim = None;
    w.misbehave(withhold(bob.0, &on, move |record| *victim.get_or_insert(record.cursor) == record.cursor));
    w.says(alice, "dropped")?;
    w.says(alice, "next")?;
    w.pass(ASKED)?;
    let printed = w.printed(bob.0);
    bench.expect(
        On::Screen,
        printed.starts_with(&["first".into(), "next".into()]) || printed.len() == 3,
        "work goes on",
    );
    let told = w.notices(bob.0, NoticeKind::Withheld);
    let named = told.first().and_then(|n| n.from.clone());
    let healed = printed.iter().any(|text| text == "dropped");
    bench.expect(
        On::Screen,
        told.len() == 1 && named.as_deref() == Some("Alice") || healed,
        "Bob is told that one message of Alice's is missing",
    );
    w.misbehaviours.clear();
    w.misbehave(withhold(bob.0, &on, |_| true));
    let tail = w.says(alice, "does anybody hear me?")?;
    w.pass(ASKED)?;
    let state = w.message(alice, tail)?.map(|m| m.state);
    bench.expect(On::Screen, state == Some(DeliveryState::Kept), "Alice's tail is kept and never seen");
    let told = w.notices(alice.0, NoticeKind::Unseen).len();
    bench.expect(On::Screen, told == 1, "and Alice is told that nobody confirms it");
    bench.saw("a hole is named with its sender, a cut tail shows at its author as never seen");
    bench.keep_story(w);
    Ok(())
}

/// B8.
pub(super) fn holes(bench: &mut Bench) -> Done {
    let (mut w, cast) = room(bench, &["Alice", "Bob"])?;
    let (alice, bob) = (cast.at(0)?, cast.at(1)?);
    w.says(alice, "0")?;
    w.pass(1_000)?;
    w.kill(bob.0)?;
    for n in 1..=80 {
        w.says(alice, &n.to_string())?;
        w.pass(200)?;
    }
    let on = Switch::default();
    on.on();
    let mut count = 0_u32;
    w.tell("Bob was away; the relay leaves out every fortieth record of what he missed");
    let gone = std::rc::Rc::new(std::cell::RefCell::new(std::collections::BTreeSet::new()));
    w.misbehave(withhold(bob.0, &on, move |record| {
        if gone.borrow().contains(&record.cursor) {
            return true;
        }
        count = count.saturating_add(1);
        let drop = count == 40;
        if drop {
            gone.borrow_mut().insert(record.cursor);
        }
        drop
    }));
    w.start(bob.0)?;
    w.pass(ASKED)?;
    let missing = 81_usize.saturating_sub(w.texts(bob)?.len());
    let told: u64 = w.notices(bob.0, NoticeKind::Withheld).iter().map(|n| n.count).sum();
    bench.expect(On::Screen, told >= missing as u64, format!("Bob is told of what is missing: {told} of {missing}"));
    let healed = w.notices(bob.0, NoticeKind::Found).len();
    bench.expect(On::Screen, missing > 0 || healed > 0 || w.texts(bob)?.len() == 81, "nothing is missing in silence");
    bench.expect(On::Screen, told > 0, "the hole is told");
    bench.saw(format!("{missing} of 81 left out for good, {told} told"));
    bench.keep_story(w);
    Ok(())
}

/// B24.
pub(super) fn invented(bench: &mut Bench) -> Done {
    let (mut w, cast) = room(bench, &["Alice", "Bob", "Carol"])?;
    let (alice, bob) = (cast.at(0)?, cast.at(1)?);
    w.says(bob, "hello")?;
    w.pass(1_000)?;
    let people = w.shown(alice)?.people;
    let bobs = people.into_iter().find(|p| p.name == "Bob").ok_or_else(|| Broken("Bob is not seen".into()))?;
    let sender = PublicKey(unhex(&bobs.key).ok_or_else(|| Broken("Bob's key is no key".into()))?);
    let never = Reference { hash: [66; 32], sender, counter: 1, epoch: 0, sent_at: w.now, ends_at: None };
    let mut mallory = Guest::new(&w, "Mallory", 3);
    mallory.says("Bob wrote something bad just now", alice.0, &mut w, |letter| letter.parents = vec![never])?;
    w.pass(ASKED)?;
    let told = w.notices(alice.0, NoticeKind::Invented);
    let named = told.first().and_then(|n| n.from.clone());
    bench.expect(On::Screen, told.len() == 1 && named.as_deref() == Some("Mallory"), "who named it is named");
    bench.expect(
        On::Screen,
        w.notices(alice.0, NoticeKind::Withheld).is_empty(),
        "neither Bob nor the relay is blamed",
    );
    bench.saw("the invention is told, with Mallory's name");
    bench.keep_story(w);
    Ok(())
}

/// 32 bytes from 64 hexadecimal digits.
fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut out = [0; 32];
    for (at, byte) in out.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(out)
}
