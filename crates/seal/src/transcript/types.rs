//! What goes into a transcript and what comes out of it: plain data.

use estoile_wire::{Millis, PublicKey};

use crate::letter::Reference;

/// A letter's hash.
pub type Hash = [u8; 32];

/// An opened letter, as far as the transcript cares.
#[derive(Clone, Copy, Debug)]
pub struct Observed<'a> {
    /// Its hash.
    pub hash: Hash,
    /// Who signed it.
    pub sender: PublicKey,
    /// The sender's counter.
    pub counter: u64,
    /// The epoch of the record that it came in; 0 in a quick room. Of our own: the epoch in which it is to be sent.
    pub epoch: u64,
    /// When it was signed.
    pub sent_at: Millis,
    /// When its life ends; none: with the relay's.
    pub ends_at: Option<Millis>,
    /// Whom it names.
    pub parents: &'a [Reference],
    /// Whether it shows something: a beat doesn't, and is never confirmed nor in the timeline.
    pub shows: bool,
    /// It may be an answer to our own retry or question, so a repeat of it is nothing to tell.
    pub expected: bool,
}

/// What a letter is to us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// New. Show it, if it shows something.
    New,
    /// One of ours, come back: how its cursor is learnt. Not told.
    Echo,
    /// A letter that was here before. Drop it.
    Repeat {
        /// Whether it is worth telling: it answers nothing that we asked.
        tell: bool,
    },
    /// New, and its sender has already said something else under this counter. Show it, with a notice.
    TwoFaced {
        /// What was said first.
        other: Hash,
    },
    /// Its counter was here before and its time is over, or was given up: nothing to compare with. Drop it, as a repeat.
    Forgotten {
        /// Whether it is worth telling.
        tell: bool,
    },
    /// Signed by our own key, and we never wrote it: this vault was copied or rolled back. Stop.
    Copied,
    /// It breaks a rule that every honest sender keeps (a parent of its own with a higher counter, too many parents). Drop it.
    Broken,
}

/// Where a letter stands: places compare as every face orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The latest `sent_at` among the letter and all that lie before it.
    pub time: Millis,
    /// How many steps lie between it and the letter that gave it that time.
    pub step: u32,
    /// Its own time.
    pub sent_at: Millis,
    /// Its hash.
    pub hash: Hash,
}

/// A letter whose place changed, because one that lies before it came late or has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Which.
    pub hash: Hash,
    /// Its new place.
    pub place: Place,
    /// The letter that shows something right before it now; none: it is the first.
    pub after: Option<Hash>,
}

/// What became known with one letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What it is.
    pub verdict: Verdict,
    /// Where it stands; none when it is to be dropped.
    pub place: Option<Place>,
    /// The letter that shows something right before it; none: it is the first.
    pub after: Option<Hash>,
    /// Letters that show something and whose place changed, in their new order.
    pub moved: Vec<Moved>,
    /// Letters of ours, and by how many others each is seen now: accounts in a private room, senders in a quick one.
    pub seen: Vec<(Hash, u32)>,
    /// What else to tell.
    pub findings: Vec<Finding>,
}

impl Outcome {
    /// Nothing to show.
    #[must_use]
    pub(super) fn dropped(verdict: Verdict) -> Self {
        Self { verdict, place: None, after: None, moved: Vec::new(), seen: Vec::new(), findings: Vec::new() }
    }
}

/// Something to tell the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Letters of a sender should be here and aren't; the relay and the author were asked.
    Withheld {
        /// Whose.
        sender: PublicKey,
        /// How many.
        count: u64,
        /// One of them, if its hash is known.
        letter: Option<Hash>,
    },
    /// A member named a letter that neither its author nor another member knows.
    Invented {
        /// Who named it.
        by: PublicKey,
        /// Who is said to have written it.
        author: PublicKey,
        /// The name.
        letter: Hash,
    },
    /// A member named a letter that its author says never to have written; nobody else has spoken.
    Disputed {
        /// Who named it.
        by: PublicKey,
        /// Who is said to have written it.
        author: PublicKey,
        /// The name.
        letter: Hash,
    },
    /// A letter came after one that names it, and the author had not been asked for it yet.
    Reordered {
        /// Whose letter came late.
        sender: PublicKey,
        /// Which.
        letter: Hash,
    },
    /// A letter that was told as withheld is here now.
    Found {
        /// Whose.
        sender: PublicKey,
        /// Which.
        letter: Hash,
    },
}

/// What the caller is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Read the log again from the start (or as far back as makes sense), then say [`Transcript::relay_answered`](super::Transcript::relay_answered).
    AskRelay,
    /// Send a signal that asks the author for these; what others say comes back by [`Transcript::denied`](super::Transcript::denied).
    AskAuthor {
        /// Whom.
        author: PublicKey,
        /// At most [`crate::signal::MAX_HASHES`] letters.
        hashes: Vec<Hash>,
    },
    /// Tell the user.
    Tell(Finding),
    /// Write a letter without content, if this client is online and sociable, and tell [`Transcript::wrote`](super::Transcript::wrote).
    Beat,
    /// This letter's time is over: delete it everywhere.
    Ended(Hash),
}

/// One change for the vault: a short key within this transcript and its value, none to delete it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// At most 9 bytes that say nothing.
    pub key: Vec<u8>,
    /// To be sealed and kept.
    pub value: Option<Vec<u8>>,
}

/// Why entries from a vault are not a transcript.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// An entry of a version that this program doesn't know.
    #[error("the vault was written by a newer version; use that one")]
    Version,
    /// Entries that don't fit together.
    #[error("the vault's record of this room is damaged; forget the room and open it again")]
    Damaged,
}

/// Who set a letter aside, and why: it counts as received all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aside {
    /// Refused for good (its time was over, or too far ahead).
    Refused,
    /// Held until its time has come, when [`Transcript::observe`](super::Transcript::observe) gets it.
    Held,
}
