//! Section A: who belongs to a room, and who somebody is.

mod people;
mod records;
mod rooms;

use estoile_engine::NoticeKind;

use super::messages::room;
use crate::bench::{Bench, On};
use crate::case::Case;
use crate::outcome::{Outcome, Seal};
use crate::world::Done;

use Outcome::{Impossible, Stopped, Told};
use Seal::{None, Private, Quick};

/// The cases.
pub(super) const CASES: &[Case] = &[
    Case {
        id: "A1",
        precedent: "WhatsApp's groups, 2017 and 2025: the server adds members",
        does: "puts an addition into the room's log: made up, or made by a member who may not invite",
        defence: "a change opens with the members' keys alone, ends the epoch under a key that follows from it, and keeps to the roster's rules, or nobody follows",
        weakness: "roster",
        tries: &[(Private, Impossible, rooms::forged_add)],
    },
    Case {
        id: "A2",
        precedent: "Signal's groups, 2017: a leaked group id lets outsiders in",
        does: "lets somebody with the log's id and a retired access key ask for the log, and hands over what it holds",
        defence: "each epoch has an access key of its own, which only its members can derive; what was sealed since opens with no older key",
        weakness: "proof",
        tries: &[(Private, Impossible, rooms::retired_key)],
    },
    Case {
        id: "A3",
        precedent: "Threema's groups, 2017: a replayed update lets the removed back in",
        does: "gives old changes, welcomes and letters again after a removal, in their old places and as new ones",
        defence: "a change belongs to its epoch, a welcome is used once, and what an epoch's end has closed is not opened again",
        weakness: "old records",
        tries: &[(Private, Impossible, rooms::replayed_changes)],
    },
    Case {
        id: "A4",
        precedent: "Matrix, 2022: the server controls who is in a room",
        does: "puts a removal into the room's log, made by a member who may not remove anybody",
        defence: "the list of members is part of the group that all agree on, and only who has the role changes it",
        weakness: "roster",
        tries: &[(Private, Impossible, rooms::forged_removal)],
    },
    Case {
        id: "A5",
        precedent: "Matrix, 2022: the server adds an unsigned device and is sent keys",
        does: "ends an epoch with a change that adds, as Ben's, a device that Ben's account never took in",
        defence: "every device in a room shows its account's chain, in which it must be named",
        weakness: "leaf chain",
        // The list says: impossible, told. With a member's help the log itself has moved on, so that the room stands still
        // as well until it moves without the culprit; nothing is sealed to the device.
        tries: &[(Private, Stopped, rooms::uncertified_device)],
    },
    Case {
        id: "A6",
        precedent: "Matrix, 2022 (CVE-2022-39250): identities swapped during verification",
        does: "stands between two people with accounts of its own under their names",
        defence: "code, number and words come from both accounts' ids and are compared by people, not over the relay",
        weakness: "compare",
        tries: &[(None, Stopped, people::in_the_middle)],
    },
    Case {
        id: "A7",
        precedent: "Matrix, 2022 (CVE-2022-39251): one kind of message taken for another",
        does: "gives every frame and every sealed thing that there is as a letter of the room, and a letter with a signature made for something else",
        defence: "each kind of thing is sealed under a key, and signed for a place and a purpose, of its own",
        weakness: "altered",
        tries: &[(Quick, Impossible, records::confused), (Private, Impossible, records::confused)],
    },
    Case {
        id: "A8",
        precedent: "Matrix SDKs, 2022 (CVE-2022-39249): forged forwarded keys",
        does: "sends history and key shares that nobody asked for",
        defence: "no keys are ever forwarded; messages for a new device come over its device link alone. Tried by the engine's tests of links, not by the laboratory yet",
        weakness: "",
        tries: &[],
    },
    Case {
        id: "A9",
        precedent: "Matrix clients, 2021 (CVE-2021-40823): keys shared with the wrong device",
        does: "asks in a device's name for keys, or for history",
        defence: "no message of the protocol asks for keys or history, so there is nothing to carry out: docs/protocol.md lists them all",
        weakness: "",
        tries: &[],
    },
    Case {
        id: "A10",
        precedent: "Matrix clients, 2024 (CVE-2024-40648): a verified identity changes in silence",
        does: "shows a verified contact's account with other devices than before",
        defence: "an account is its chain: what contradicts the chain that was seen stops the contact",
        weakness: "fork",
        tries: &[(None, Stopped, people::changed_identity)],
    },
    Case {
        id: "A11",
        precedent: "Matrix clients, 2025 (CVE-2025-48937): the sender rewritten by the server",
        does: "changes every field outside the seal: place, time, end, id, epoch",
        defence: "who, what and when stand inside the seal; what is outside names nobody",
        weakness: "repeats",
        tries: &[(Quick, Impossible, records::outside_the_seal), (Private, Impossible, records::outside_the_seal)],
    },
    Case {
        id: "A12",
        precedent: "Matrix, 2025: a room's state rolled back",
        does: "goes back to a copy of all its logs from before a change of the room",
        defence: "a group never goes back to an older epoch; that the relay did is told",
        weakness: "silence relay no-room",
        tries: &[(Quick, Told, rolled_back), (Private, Told, rooms::rolled_back)],
    },
    Case {
        id: "A13",
        precedent: "WhatsApp's retransmission, 2017: a forced key change",
        does: "changes a member's key while messages to it wait",
        defence: "what waits is sealed for the room's epoch, in which a key changes by a member's commit alone. Tried by the simulation's private worlds, not by the laboratory yet",
        weakness: "",
        tries: &[],
    },
    Case {
        id: "A14",
        precedent: "iMessage's directory, 2013; the ghost user, 2018",
        does: "answers for a contact's keys with one key more",
        defence: "there is no directory: the contact link names the account, and a key that is not certified by it is not used",
        weakness: "shelf owner",
        tries: &[(None, Impossible, people::one_key_more)],
    },
    Case {
        id: "A15",
        precedent: "Signal's linked devices, 2021; codes photographed, 2025",
        does: "links a device with a code that it saw, before the owner does, and once more afterwards",
        defence: "a device comes in when its owner has compared words on both, and a link serves once",
        weakness: "device words",
        tries: &[(None, Impossible, people::unapproved_device)],
    },
    Case {
        id: "A16",
        precedent: "XChat, 2025: unsigned identity keys",
        does: "shows an account's chain with an entry whose signature does not hold",
        defence: "each entry is signed over all before it, and an account is its first entry's hash",
        weakness: "chain signature",
        // As with A5: a member's help has moved the log on, and the room stands still.
        tries: &[(Private, Stopped, rooms::unsigned_entry)],
    },
    Case {
        id: "A17",
        precedent: "BouncyCastle, 2026 (CVE-2026-71890): an external commit removes anyone",
        does: "joins by an external commit that removes somebody else",
        defence: "external commits are refused unseen. Tried by the tests of crates/mls with bare OpenMLS, not by the laboratory yet",
        weakness: "",
        tries: &[],
    },
    Case {
        id: "A18",
        precedent: "OpenMLS's default, reproduced: whoever holds a GroupInfo joins under any name",
        does: "joins by an external commit as a member who is there already",
        defence: "external commits are refused unseen. Tried by the tests of crates/mls with bare OpenMLS, not by the laboratory yet",
        weakness: "",
        tries: &[],
    },
    Case {
        id: "A19",
        precedent: "OpenMLS, 2026 (GHSA-94v4): a removed member stays in",
        does: "lets a removed device read and write on, in the old and the new epoch",
        defence: "a removal changes all keys, the relay's access key too",
        weakness: "proof",
        tries: &[(Private, Impossible, rooms::stays_in)],
    },
    Case {
        id: "A20",
        precedent: "OpenMLS, 2026 (GHSA-8x3w): cut tags, senders outside the tree",
        does: "cuts every letter short, byte by byte, and alters where it says whose it is",
        defence: "a letter opens whole, under the key of a leaf of the tree, or not at all",
        weakness: "unsealed",
        tries: &[(Private, Impossible, records::truncated)],
    },
    Case {
        id: "A21",
        precedent: "TextSecure, 2014; Telegram, 2021: a key believed to be another's",
        does: "gives another account's keys from a contact's shelf",
        defence: "what lies on a shelf is signed by a device of the account that the contact link names",
        weakness: "shelf owner",
        tries: &[(None, Impossible, people::swapped_packages)],
    },
    Case {
        id: "A22",
        precedent: "Olm and hpke-rs, 2026: Diffie-Hellman that comes to zero",
        does: "sends keys of low order, and keys that are none",
        defence: "a secret of zeros is refused. Tried by the tests of crates/mls and by known answers, not by the laboratory yet",
        weakness: "",
        tries: &[],
    },
];

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
