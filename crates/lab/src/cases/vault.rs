//! Section C: the vault, the login, the program itself.

mod disk;
mod faces;

use crate::case::Case;
use crate::outcome::{Outcome, Seal};

use Outcome::{Impossible, Measured, Told};
use Seal::{None, Quick};

/// The cases.
pub(super) const CASES: &[Case] = &[
    Case {
        id: "C1",
        precedent: "password managers, 2026: lowered parameters, swapped fields",
        does: "swaps, renames and shortens what a vault holds (a thief of the disk)",
        defence: "each value is sealed under its name; parameters of the passphrase are constants of the program, so nothing can lower them",
        weakness: "value name",
        tries: &[(None, Impossible, disk::swapped)],
    },
    Case {
        id: "C2",
        precedent: "encrypted stores, 2024; MEGA, 2022",
        does: "puts the whole vault back to an older state (a thief of the disk)",
        defence: "the room's log has our own later letters; a vault that never wrote them was copied or put back",
        weakness: "silence copied",
        tries: &[(None, Told, disk::put_back)],
    },
    Case {
        id: "C3",
        precedent: "XChat's Juicebox, 2025: a PIN that can be guessed",
        does: "has the whole database, and guesses the passphrase of a room",
        defence: "Argon2id with 64 MiB and three passes a guess; links and private rooms have random keys, and nothing to guess",
        weakness: "stretch",
        tries: &[(Quick, Measured, disk::guessed)],
    },
    Case {
        id: "C4",
        precedent: "malicious web code, 2007 to 2026",
        does: "serves an altered client",
        defence: "`estoile verify` and the page's own sums are tried by their own tests, not by the laboratory yet",
        weakness: "",
        tries: &[],
    },
    Case {
        id: "C5",
        precedent: "Signal Desktop, 2018: HTML in messages",
        does: "works with a member who writes control codes, overrides, invisible letters, heaps of marks, HTML",
        defence: "faces show the text of others, never obey it: what could act is shown as its picture, or gone",
        weakness: "inert",
        tries: &[(None, Impossible, faces::inert)],
    },
    Case {
        id: "C6",
        precedent: "TLS stripped or replaced, often",
        does: "is replaced by another relay on the way, or reached without TLS",
        defence: "links carry the relay key's hash, and beyond this machine nothing is spoken without TLS",
        weakness: "pin",
        tries: &[(None, Told, faces::replaced_relay)],
    },
    Case {
        id: "C7",
        precedent: "a crash at any instant",
        does: "dies, and has clients die, between any two writes",
        defence: "what changes is kept first and acts afterwards, in one step that is whole or not at all",
        weakness: "persist",
        tries: &[(Quick, Impossible, disk::crashes)],
    },
];
