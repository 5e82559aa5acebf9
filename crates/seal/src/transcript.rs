//! The transcript: the graph that a room's letters build through their parents, as one member knows it.
//!
//! It answers what a relay can't be trusted with: what is new and what a repeat, in which order letters stand, which are
//! missing that should be here, who has seen ours. It does no I/O, opens no seal and checks no signature (only letters
//! that [`crate::quick`] or a later seal has opened come here), reads no clock and keeps no content.
//!
//! - [`Transcript::observe`] takes a letter that came, [`Transcript::wrote`] one of ours before it is sent,
//!   [`Transcript::set_aside`] one that the caller refused or holds;
//! - [`Transcript::due`] is called at [`Transcript::next_timeout`] and says what to do: ask, send a beat, forget;
//! - [`Transcript::parents`] is what our next letter names;
//! - [`Transcript::take_changes`] is what the vault must keep, [`Transcript::restore`] brings it back.

mod types;

pub use types::{Act, Aside, Change, Finding, Hash, Moved, Observed, Outcome, Place, RestoreError, Verdict};

use estoile_wire::{Millis, PublicKey};
use rand_core::CryptoRng;

use crate::letter::Reference;

/// What one member knows of a room's letters.
#[derive(Clone, Debug)]
pub struct Transcript {
    own: PublicKey,
    joined: Millis,
}

impl Transcript {
    /// An empty transcript. Letters signed before `joined` are never asked for: 0 where everything that lives was read.
    #[must_use]
    pub fn new(own: PublicKey, joined: Millis) -> Self {
        Self { own, joined }
    }

    /// Brings back what [`Self::take_changes`] gave out, in any order. `joined` counts only if nothing was kept.
    ///
    /// # Errors
    /// When the entries are of a newer version, or damaged.
    pub fn restore<'a>(
        own: PublicKey,
        joined: Millis,
        entries: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Result<Self, RestoreError> {
        let _ = entries.into_iter();
        Ok(Self::new(own, joined))
    }

    /// What changed since the last call: the vault keeps it in the same turn.
    pub fn take_changes(&mut self) -> Vec<Change> {
        Vec::new()
    }

    /// The longest that the relay keeps a letter, milliseconds, as soon as it is known: letters without a time to live
    /// are not asked for beyond it.
    pub fn set_max_life(&mut self, millis: u64) {
        let _ = millis;
    }

    /// A letter that came, opened, and whose time is right.
    pub fn observe(&mut self, letter: &Observed<'_>, now: Millis) -> Outcome {
        let _ = (letter, now, self.own, self.joined);
        Outcome::dropped(Verdict::Broken)
    }

    /// A letter of ours, before it is sent for the first time.
    pub fn wrote(&mut self, letter: &Observed<'_>, now: Millis) -> Outcome {
        self.observe(letter, now)
    }

    /// A letter that the caller refuses, or holds until its time has come. What names it will not ask for it.
    pub fn set_aside(&mut self, letter: &Observed<'_>, why: Aside, now: Millis) {
        let _ = (letter, why, now);
    }

    /// The counter of our next letter.
    #[must_use]
    pub fn next_counter(&self) -> u64 {
        0
    }

    /// Whom our next letter names: our own last letter (always, so that nobody has to guess what came between), then
    /// letters that nothing we know of names yet.
    #[must_use]
    pub fn parents(&self, now: Millis) -> Vec<Reference> {
        let _ = now;
        Vec::new()
    }

    /// By how many other senders this letter of ours has been seen.
    #[must_use]
    pub fn seen_by(&self, counter: u64) -> u32 {
        let _ = counter;
        0
    }

    /// Where a letter stands, if it is here.
    #[must_use]
    pub fn place(&self, hash: &Hash) -> Option<Place> {
        let _ = hash;
        None
    }

    /// Whether a letter is, or was, known here: what answers another member's question.
    #[must_use]
    pub fn knows(&self, hash: &Hash) -> bool {
        let _ = hash;
        false
    }

    /// The letters that show something, before `before` (the newest, if none), newest first.
    pub fn timeline(&self, before: Option<Place>) -> impl Iterator<Item = Hash> + '_ {
        let _ = before;
        core::iter::empty()
    }

    /// When [`Self::due`] has something to do next.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Millis> {
        None
    }

    /// What is to be done now. Questions wait while `online` is false.
    pub fn due(&mut self, now: Millis, online: bool, rng: &mut dyn CryptoRng) -> Vec<Act> {
        let _ = (now, online, rng);
        Vec::new()
    }

    /// The log was read again, as [`Act::AskRelay`] asked.
    pub fn relay_answered(&mut self, now: Millis) {
        let _ = now;
    }

    /// A member says to know nothing of a letter (a signal, signed).
    pub fn denied(&mut self, hash: &Hash, by: &PublicKey, now: Millis) {
        let _ = (hash, by, now);
    }

    /// Another member asked for these letters: answers that come are no replays.
    pub fn overheard(&mut self, hashes: &[Hash], now: Millis) {
        let _ = (hashes, now);
    }
}

#[cfg(test)]
mod tests;
