//! The attacks on the four lower rungs. Each is carried out; nothing here is written down beforehand.

use super::rungs::{GUESSES, TTL, Toy, decrypt};
use crate::outcome::{Outcome, Seal};

/// When the classroom's clock begins, seconds since 1970.
const NOON: u64 = 1_750_000_000;
const LOWER: [Seal; 4] = [Seal::Plain, Seal::AesCtr, Seal::Fernet, Seal::FernetTtl];

/// What became of an attack, and what was seen.
type Seen = (Outcome, String);

/// An attack on a rung.
type Attack = fn(&mut Toy) -> Seen;

const ATTACKS: [(&str, Attack); 11] = [
    ("B1", replay),
    ("B2", order),
    ("B3", reflect),
    ("B5", order),
    ("B6", alter),
    ("B7", drop_one),
    ("B8", drop_one),
    ("B18", past_its_time),
    ("B20", impersonate),
    ("B21", classroom),
    ("C3", read),
];

/// The lower rungs that an attack is tried on.
pub(crate) fn rungs(id: &str) -> &'static [Seal] {
    if ATTACKS.iter().any(|(attack, _)| *attack == id) { &LOWER } else { &[] }
}

/// Tries an attack on a rung.
pub(crate) fn attack(id: &str, rung: Seal, seed: u64) -> (Outcome, String) {
    let mut toy = Toy::new(rung, seed);
    match ATTACKS.iter().find(|(attack, _)| *attack == id) {
        Some((_, attack)) => attack(&mut toy),
        None => (Outcome::Unreached, "not about messages".into()),
    }
}

/// The attack worked if this holds.
fn verdict(worked: bool, seen: impl Into<String>) -> Seen {
    (if worked { Outcome::Breached } else { Outcome::Impossible }, seen.into())
}

/// C3: the server reads what it stores.
fn read(toy: &mut Toy) -> Seen {
    let stored = toy.seal("Alice", "the exam is on page nine", NOON);
    if crate::search::holds(&stored, b"page nine") {
        return verdict(true, "the server reads every message as it is");
    }
    if toy.rung() == Seal::AesCtr {
        let tried =
            GUESSES.iter().position(|guess| decrypt(guess, &stored).is_some_and(|plain| plain.starts_with(b"Alice: ")));
        if let Some(at) = tried {
            let count = at.saturating_add(1);
            return verdict(
                true,
                format!("the server guesses the password, and finds it at guess {count}: one hash a guess"),
            );
        }
    }
    verdict(false, "the server stores what it can't read: the key is random, and not there")
}

/// B6: ten becomes ninety.
fn alter(toy: &mut Toy) -> Seen {
    let mut sent = toy.seal("Alice", "I owe Bob 10 euros", NOON);
    // The server knows the form of such a message, and where the number stands in it.
    let at = "Alice: I owe Bob ".len() + if toy.rung() == Seal::AesCtr { 16 } else { 0 };
    if let Some(byte) = sent.get_mut(at) {
        *byte ^= b'1' ^ b'9';
    }
    match toy.open(&sent, NOON) {
        Some(shown) if shown.contains("90 euros") => {
            verdict(true, format!("Bob reads “{shown}”; the key was not needed"))
        }
        Some(shown) => verdict(true, format!("Bob reads something that nobody wrote: “{shown}”")),
        None => verdict(false, "the altered token is refused"),
    }
}

/// How often a record is shown that is given out at these times.
fn shown_at(toy: &Toy, record: &[u8], times: &[u64]) -> usize {
    times.iter().filter(|at| toy.open(record, **at).is_some()).count()
}

/// B1: once more at once, and a day later.
fn replay(toy: &mut Toy) -> Seen {
    let record = toy.seal("Alice", "pay Carol ten", NOON);
    let soon = shown_at(toy, &record, &[NOON, NOON + 5]);
    let late = shown_at(toy, &record, &[NOON + 86_400]);
    let detail = match (soon, late) {
        (2, 1) => "shown again at once, and again a day later",
        (2, 0) => "shown again inside its time to live; refused a day later",
        _ => "shown once",
    };
    verdict(soon > 1 || late > 0, detail)
}

/// B18: held until its time is over; and given again inside it.
fn past_its_time(toy: &mut Toy) -> Seen {
    let record = toy.seal("Alice", "for thirty seconds only", NOON);
    let late = shown_at(toy, &record, &[NOON + TTL + 15]);
    let twice = shown_at(toy, &record, &[NOON + 1, NOON + 10]);
    // A clock that is a minute behind makes an old token young.
    let behind = shown_at(toy, &record, &[NOON + TTL + 15 - 60]);
    let detail = match (late, behind) {
        (0, 1) => {
            "refused after its time by a right clock, shown by one that is a minute behind; shown twice inside its time"
        }
        (0, _) => "refused after its time; shown twice inside it",
        _ => "shown whenever the server likes",
    };
    verdict(late > 0 || twice > 1, detail)
}

/// B21: stamped 45 s ago under 30 s to live; and a repeat inside its time.
fn classroom(toy: &mut Toy) -> Seen {
    let old = toy.seal("Alice", "stamped 45 s ago", NOON - 45);
    let stale = shown_at(toy, &old, &[NOON]);
    let good = toy.seal("Alice", "still good", NOON);
    let repeats = shown_at(toy, &good, &[NOON, NOON + 1, NOON + 2]);
    let detail = match stale {
        0 => format!("the old one is refused; the repeated one is shown {repeats} times"),
        _ => format!("the old one is shown as if it were new; the repeated one {repeats} times"),
    };
    verdict(stale > 0 || repeats > 1, detail)
}

/// B2, B5: in another order.
fn order(toy: &mut Toy) -> Seen {
    let sent: Vec<Vec<u8>> =
        ["Who brings the tent?", "I do."].iter().map(|text| toy.seal("Alice", text, NOON)).collect();
    let shown: Vec<String> = sent.iter().rev().filter_map(|record| toy.open(record, NOON + 1)).collect();
    let reversed = shown.first().is_some_and(|first| first.ends_with("I do."));
    verdict(reversed, "shown in the order that the server likes, and nobody can tell")
}

/// B3: one's own messages come back.
fn reflect(toy: &mut Toy) -> Seen {
    let own = toy.seal("Alice", "I am leaving", NOON);
    let back = toy.open(&own, NOON + 1);
    verdict(back.is_some(), "Alice's own message comes back to her and is shown as received")
}

/// B7, B8: one message is missing.
fn drop_one(toy: &mut Toy) -> Seen {
    let sent: Vec<Vec<u8>> = ["one", "two", "three"].iter().map(|text| toy.seal("Alice", text, NOON)).collect();
    let shown = sent.iter().enumerate().filter(|(at, record)| *at != 1 && toy.open(record, NOON).is_some()).count();
    // Neither of the two that came says anything of the third.
    verdict(shown == 2, "two of three are shown, and nothing says that one is missing")
}

/// B20: a member writes in another's name.
fn impersonate(toy: &mut Toy) -> Seen {
    let forged = toy.seal("Alice", "I resign", NOON);
    let shown = toy.open(&forged, NOON);
    verdict(shown.is_some(), "whoever has the key, or sits at a server without one, writes in any name")
}

#[cfg(test)]
mod tests {
    use super::{LOWER, Outcome, Seal, attack};

    /// What each rung of the classroom's ladder stops, and what it does not.
    #[test]
    fn each_rung_stops_what_its_seal_gives_and_no_more() {
        let stops = |id: &str| LOWER.map(|rung| attack(id, rung, 1).0 == Outcome::Impossible);
        assert_eq!(stops("C3"), [false, false, true, true], "reading: once the key is no password");
        assert_eq!(stops("B6"), [false, false, true, true], "altering: once something authenticates");
        for id in ["B1", "B2", "B3", "B5", "B7", "B8", "B18", "B20", "B21"] {
            assert_eq!(stops(id), [false; 4], "{id}");
        }
        let (_, said) = attack("B21", Seal::FernetTtl, 1);
        assert!(said.starts_with("the old one is refused"), "a ttl stops what is old: {said}");
        let (_, said) = attack("B21", Seal::Fernet, 1);
        assert!(said.starts_with("the old one is shown"), "{said}");
    }
}
