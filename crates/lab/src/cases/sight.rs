//! Section D: what the relay can still see. Stated, measured, reduced.

mod traffic;

use super::messages::remote;
use crate::case::Case;
use crate::outcome::{Outcome, Seal};

use Outcome::{Impossible, Measured};
use Seal::{None, Private, Quick};

/// The cases.
pub(super) const CASES: &[Case] = &[
    Case {
        id: "D1",
        precedent: "sealed sender and statistical disclosure, 2021",
        does: "links who writes with who reads, from ten messages",
        defence: "nothing: a relay sees which connection appends and which ones read the same log; it is said, not denied",
        weakness: "",
        tries: &[(Private, Measured, traffic::linked)],
    },
    Case {
        id: "D2",
        precedent: "“Careless Whisper”, 2024: silent receipts",
        does: "works with a member who sends what shows nothing: invalid edits, reactions to what is not there",
        defence: "what shows nothing is not confirmed",
        weakness: "receipts",
        tries: &[(Quick, Impossible, traffic::probed)],
    },
    Case {
        id: "D3",
        precedent: "sizes and actions, 2014",
        does: "tells actions apart by their size",
        defence: "private rooms pad what they seal; a quick room's tokens grow in steps of sixteen bytes",
        weakness: "padding",
        tries: &[(Quick, Measured, traffic::sizes), (Private, Measured, traffic::sizes)],
    },
    Case {
        id: "D4",
        precedent: "contact crawling, 2021",
        does: "enumerates people",
        defence: "the relay knows no people: logs are called by hashes of keys, and all that it holds is sealed",
        weakness: "unsealed",
        tries: &[(None, Impossible, traffic::enumerated)],
    },
    Case {
        id: "D5",
        precedent: "link previews and stickers, 2020 and 2025",
        does: "waits for requests to third parties",
        defence: "a client speaks to its relays, and to nobody else",
        weakness: "fetch",
        tries: &[(None, Impossible, remote)],
    },
];
