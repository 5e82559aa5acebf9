//! Section B: what is done to messages.

mod crafted;
mod doors;
mod insiders;
mod lost;
mod repeated;
mod rooms;
mod timed;

use estoile_wire::RelayFrame;
use estoile_wire::frame::Record;

use crate::bench::Bench;
use crate::case::Case;
use crate::outcome::{Outcome, Seal};
use crate::world::{Broken, Cast, Done, Who, World};

use Outcome::{Impossible, Stopped, Told};
use Seal::{None, Private, Quick};

pub(super) use crafted::remote;

/// People in a room of the experiment's kind.
pub(super) fn room(bench: &Bench, names: &[&str]) -> Done<(World, Cast)> {
    let mut world = bench.world()?;
    let cast = if bench.seal == Private { world.study(names)? } else { world.quick(names)? };
    world.tell(format!("{} are in one room", names.join(", ")));
    Ok((world, cast))
}

/// The newest record that reached somebody, as the relay gave it.
pub(super) fn last_record(world: &World, who: Who) -> Done<Vec<u8>> {
    world.tape.records_to(who).pop().ok_or_else(|| Broken("no record came".into()))
}

/// The same record, changed.
pub(super) fn changed(frame: &[u8], change: impl FnOnce(&mut Record<'_>)) -> Done<Vec<u8>> {
    match RelayFrame::decode(frame) {
        Ok(RelayFrame::Record(mut record)) => {
            change(&mut record);
            Ok(RelayFrame::Record(record).encode())
        }
        _ => Err(Broken("that is no record".into())),
    }
}

/// The cases.
pub(super) const CASES: &[Case] = &[
    Case {
        id: "B1",
        precedent: "LINE's first protocol, 2017: replay and forgery",
        does: "gives a record once more: after a second, after a day, as a new one, in another room, in another epoch",
        defence: "each sender counts its letters, and what was here is never forgotten; in private rooms each key opens once",
        weakness: "repeats",
        tries: &[(Quick, Impossible, repeated::replayed), (Private, Impossible, repeated::replayed)],
    },
    Case {
        id: "B2",
        precedent: "LINE's second protocol, 2025: reordering and impersonation",
        does: "lies in every place and time that it gives to records",
        defence: "messages stand by what they answer and when they were signed, never by the relay's places and times",
        weakness: "silence relay",
        tries: &[(Quick, Told, repeated::wrong_places)],
    },
    Case {
        id: "B3",
        precedent: "Threema, 2023: reordering, withholding, reflection after a reinstall",
        does: "gives people their own messages back as new ones, also after their vault was put back",
        defence: "a letter under the own key that this vault never wrote means that the vault was copied or put back",
        weakness: "silence copied",
        tries: &[(Quick, Told, repeated::reflected), (Private, Told, repeated::reflected)],
    },
    Case {
        id: "B4",
        precedent: "Threema's login, 2023: one protocol's proof in another",
        does: "replays a login, and moves a signature under another label",
        defence: "each proof names the relay, the session, the log, the epoch and its own purpose",
        weakness: "proof",
        tries: &[(Quick, Impossible, doors::replayed_login), (Private, Impossible, doors::replayed_login)],
    },
    Case {
        id: "B5",
        precedent: "Telegram, 2021: messages in another order",
        does: "permutes the messages of one sender, and of several",
        defence: "each letter names what its sender had seen; it waits for that a moment, and is put where it belongs",
        weakness: "parents",
        tries: &[(Quick, Told, repeated::permuted)],
    },
    Case {
        id: "B6",
        precedent: "Telegram, 2015: malleable padding; Fernet's many spellings",
        does: "flips every seventh bit of a record, and spells it otherwise",
        defence: "every byte is authenticated twice, by the seal and by its sender; one spelling is taken, the others are refused",
        weakness: "altered",
        tries: &[(Quick, Impossible, crafted::altered), (Private, Impossible, crafted::altered)],
    },
    Case {
        id: "B7",
        precedent: "group messengers, 2017: forged receipts, silent drops",
        does: "drops one message of several, then cuts the tail, and confirms what it never gave to anybody",
        defence: "letters name those before them; “seen” comes from people and can't be made by a relay",
        weakness: "silence withheld",
        tries: &[(Quick, Told, lost::dropped), (Private, Told, lost::dropped)],
    },
    Case {
        id: "B8",
        precedent: "Synapse, CVE-2022-39374: history with holes",
        does: "leaves records out where one page of history ends and the next begins",
        defence: "holes in a sender's count and in what letters name are seen, asked about and told",
        weakness: "silence withheld",
        tries: &[(Quick, Told, lost::holes)],
    },
    Case {
        id: "B9",
        precedent: "MLS without agreement on who sees what",
        does: "accepts two commits of one epoch, one for each half of the room",
        defence: "letters, mailboxes and verification carry what each sees of shared rooms; where two differ, the room stops",
        weakness: "views",
        tries: &[(Private, Stopped, rooms::two_histories)],
    },
    Case {
        id: "B10",
        precedent: "iMessage, 2016: the client as a decryption oracle",
        does: "alters what it gives out, and watches whether anything comes back",
        defence: "what does not open causes no frame at all",
        weakness: "oracle",
        tries: &[(Quick, Impossible, crafted::oracle), (Private, Impossible, crafted::oracle)],
    },
    Case {
        id: "B11",
        precedent: "invisible salamanders, 2018; XChat, 2025",
        does: "keeps one attachment that opens under two keys",
        defence: "attachments are not built yet",
        weakness: "",
        tries: &[],
    },
    Case {
        id: "B12",
        precedent: "XChat's attachments, 2025: a confused deputy",
        does: "swaps the blobs of two messages",
        defence: "attachments are not built yet; commits and welcomes that travel as blobs are checked by their hash",
        weakness: "",
        tries: &[],
    },
    Case {
        id: "B13",
        precedent: "Bridgefy, 2020 to 2022: one message shuts everybody down",
        does: "sends bombs: nests, giant counts, the longest frames, and a guest's letters with the same inside",
        defence: "every depth, count and length has its bound before anything is set aside for it",
        weakness: "nesting",
        tries: &[(Quick, Impossible, crafted::bombs)],
    },
    Case {
        id: "B14",
        precedent: "parsers that fell: OpenMLS, libcrux, the `fernet` crate",
        does: "sends what has crashed parsers: times at the end of the range, cut and doubled frames, heads without bodies",
        defence: "no arithmetic on what was not checked, no index, and nothing that can panic",
        weakness: "outer time",
        tries: &[(Quick, Impossible, crafted::poison), (Private, Impossible, crafted::poison)],
    },
    Case {
        id: "B15",
        precedent: "Prekey Pogo, 2025: drained prekeys",
        does: "drains and replays one-time keys until only the last resort is left",
        defence: "the owner's client counts, tells, fills up again, and changes the last resort",
        weakness: "silence drained",
        tries: &[(None, Told, doors::drained)],
    },
    Case {
        id: "B16",
        precedent: "sender keys, 2017 and 2023: groups that never heal",
        does: "works with a thief who has a copy of a member's vault, before and after one commit, also committing as that member",
        defence: "every commit gives a leaf new keys; a commit of our own leaf that we never made means a copy",
        weakness: "silence copied",
        tries: &[(Private, Impossible, rooms::copied_vault)],
    },
    Case {
        id: "B17",
        precedent: "hpke-rs, 2025: a nonce that wraps",
        does: "runs on a machine, or a build, that computes wrongly",
        defence: "known answers of every primitive are computed before anything is opened; one that is wrong ends the start",
        weakness: "primitive",
        tries: &[(None, Impossible, doors::known)],
    },
    Case {
        id: "B18",
        precedent: "abuse of view-once messages, 2024",
        does: "holds a message until its time is over; gives one again inside its time; to clocks that are off by 60 and 61 s",
        defence: "the end of a letter's life is signed, judged by the reader's own clock, and kept apart from replay",
        weakness: "expired",
        tries: &[(Quick, Impossible, timed::held_past), (Private, Impossible, timed::held_past)],
    },
    Case {
        id: "B19",
        precedent: "EFAIL, 2018: remote content and parts that nobody authenticated",
        does: "waits for a request that a message makes when it is shown",
        defence: "nothing is fetched because of a text",
        weakness: "fetch",
        tries: &[(Quick, Impossible, crafted::remote)],
    },
    Case {
        id: "B20",
        precedent: "Zoom, 2021: an insider and the server speak as somebody else",
        does: "works with a member who writes in a third person's name",
        defence: "each letter is signed by its sender's own key; in private rooms by the leaf that MLS names",
        weakness: "altered",
        tries: &[(Quick, Impossible, insiders::in_anothers_name), (Private, Impossible, insiders::in_anothers_name)],
    },
    Case {
        id: "B21",
        precedent: "the classroom's own question",
        does: "gives out a message that was stamped 45 s ago with 30 s to live; repeats one inside its time",
        defence: "age is judged by the signed time, and repeats by count, whatever the clocks say",
        weakness: "expired",
        tries: &[(Quick, Impossible, timed::classroom), (Private, Impossible, timed::classroom)],
    },
    Case {
        id: "B22",
        precedent: "insiders: our own review",
        does: "works with a member: a valid commit with another key for what follows, so that the others are locked out",
        defence: "members compare the key that the relay reports with the one that they derive; the room stops, and moves on without the culprit",
        weakness: "next key",
        tries: &[(Private, Stopped, rooms::poisoned)],
    },
    Case {
        id: "B23",
        precedent: "insiders: our own review",
        does: "works with a guest who takes another's name, moves a letter from another room, and seals an old one anew",
        defence: "a name belongs to the key that used it first here; room and sender stand in what is signed",
        weakness: "unmarked",
        tries: &[(Quick, Impossible, insiders::guest)],
    },
    Case {
        id: "B24",
        precedent: "insiders: our own review",
        does: "works with a member who names letters that never were, so that another looks guilty",
        defence: "author and others are asked; if nobody knows it, who named it is named",
        weakness: "silence invented",
        tries: &[(Quick, Told, lost::invented)],
    },
];
