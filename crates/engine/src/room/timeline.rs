//! The letters of a room that are at hand, in the order in which every face shows them.
//!
//! It knows places, not why a letter stands there (that is the transcript's), and writes nothing to the vault.

use std::collections::{BTreeMap, BTreeSet};

use estoile_seal::letter::ends_at;
use estoile_seal::transcript::{Hash, Place};
use estoile_wire::{Millis, PublicKey};

use crate::stored::{StoredLetter, StoredState};
use crate::view::{DeliveryState, LetterId};

/// Letters of a room that stay at hand: several screens of them; older ones are read from the vault.
pub(crate) const AT_HAND: usize = 1_000;

/// A letter at hand.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    /// Its local number: the order in which this vault got its letters.
    pub(crate) seq: u64,
    pub(crate) stored: StoredLetter,
}

impl Letter {
    pub(crate) const fn place(&self) -> Place {
        let s = &self.stored;
        Place { time: s.place_time, step: s.place_step, sent_at: s.sent_at, hash: s.hash }
    }

    pub(crate) const fn id(&self) -> LetterId {
        LetterId(self.stored.hash)
    }

    pub(crate) fn ends_at(&self) -> Option<Millis> {
        ends_at(self.stored.sent_at, self.stored.ttl)
    }

    pub(crate) fn own(&self, key: &PublicKey) -> bool {
        self.stored.sender == *key
    }

    pub(crate) fn state(&self) -> DeliveryState {
        match &self.stored.state {
            StoredState::Sending => DeliveryState::Sending,
            StoredState::Kept => DeliveryState::Kept,
            StoredState::Seen(by) => DeliveryState::Seen { by: *by },
            StoredState::Failed(why) => DeliveryState::Failed { why: why.clone() },
        }
    }
}

/// The letters at hand.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    letters: BTreeMap<Place, Letter>,
    by_hash: BTreeMap<Hash, Place>,
    by_seq: BTreeMap<u64, Hash>,
    unread: BTreeSet<u64>,
}

impl Timeline {
    pub(crate) fn get(&self, hash: &Hash) -> Option<&Letter> {
        self.letters.get(self.by_hash.get(hash)?)
    }

    pub(crate) fn get_mut(&mut self, hash: &Hash) -> Option<&mut Letter> {
        self.letters.get_mut(self.by_hash.get(hash)?)
    }

    pub(crate) fn insert(&mut self, letter: Letter, unread: bool) {
        let (hash, place) = (letter.stored.hash, letter.place());
        self.remove(&hash);
        if unread {
            self.unread.insert(letter.seq);
        }
        self.by_hash.insert(hash, place);
        self.by_seq.insert(letter.seq, hash);
        self.letters.insert(place, letter);
    }

    pub(crate) fn remove(&mut self, hash: &Hash) -> Option<Letter> {
        let letter = self.letters.remove(&self.by_hash.remove(hash)?)?;
        self.by_seq.remove(&letter.seq);
        self.unread.remove(&letter.seq);
        Some(letter)
    }

    /// Puts a letter elsewhere; none if it is not at hand.
    pub(crate) fn re_place(&mut self, hash: &Hash, place: Place) -> Option<&Letter> {
        let unread = self.get(hash).is_some_and(|letter| self.unread.contains(&letter.seq));
        let mut letter = self.remove(hash)?;
        letter.stored.place_time = place.time;
        letter.stored.place_step = place.step;
        self.insert(letter, unread);
        self.get(hash)
    }

    /// How many are not read yet.
    pub(crate) fn unread(&self) -> usize {
        self.unread.len()
    }

    /// All are read.
    pub(crate) fn all_read(&mut self) {
        self.unread.clear();
    }

    /// Those that show something, newest first.
    pub(crate) fn shown(&self) -> impl DoubleEndedIterator<Item = &Letter> {
        self.letters.values().rev().filter(|l| l.stored.text.is_some())
    }

    /// Those that show something and stand before a place, newest first.
    pub(crate) fn shown_before(&self, place: Place) -> impl Iterator<Item = &Letter> {
        self.letters.range(..place).rev().map(|(_, letter)| letter).filter(|l| l.stored.text.is_some())
    }

    /// The lowest local number at hand: everything older is in the vault only.
    pub(crate) fn lowest_seq(&self) -> Option<u64> {
        self.by_seq.first_key_value().map(|(seq, _)| *seq)
    }

    /// Lets go of the oldest that are more than fit, but of none from `keep` on.
    pub(crate) fn shrink(&mut self, keep: u64) {
        while self.by_seq.len() > AT_HAND {
            match self.by_seq.first_key_value() {
                Some((&seq, &hash)) if seq < keep => {
                    self.remove(&hash);
                }
                _ => break,
            }
        }
    }
}
