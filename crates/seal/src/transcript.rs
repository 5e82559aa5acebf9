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

mod beats;
mod graph;
mod intake;
mod questions;
mod senders;
mod store;
mod types;

pub use types::{Act, Aside, Change, Finding, Hash, Moved, Observed, Outcome, Place, RestoreError, Verdict};

use std::collections::BTreeSet;

use estoile_wire::{Millis, PublicKey};
use rand_core::CryptoRng;

use self::beats::Beats;
use self::graph::{Graph, Node, Number};
use self::questions::{Questions, SKEW};
use self::senders::Senders;
use crate::account::AccountId;
use crate::letter::{MAX_PARENTS, Reference};

/// Letters that a transcript holds; the first in order go beyond it, as if they had ended. A relay's default gigabyte a
/// log fills it with letters of 8 KiB.
pub const MAX_LETTERS: usize = 131_072;
/// Counters of one leaf in a private room: the first one's is its epoch times this. A device begins a new epoch long before it
/// has used so many, so that no two leaves of a device share one.
pub const RUN: u64 = 1 << 16;
/// Of the letters that nothing names yet, so many of the newest are named; the rest of the names go to the oldest, so that
/// in a crowd none waits for ever.
const NEWEST_HEADS: usize = 8;

/// What one member knows of a room's letters.
#[derive(Clone, Debug)]
pub struct Transcript {
    own: PublicKey,
    joined: Millis,
    max_life: u64,
    /// Our last letter, ended or not: the next one names it, so that others know what became of it.
    own_last: Option<Reference>,
    /// In a private room: the epoch in which we came.
    first_epoch: Option<u64>,
    graph: Graph,
    senders: Senders,
    questions: Questions,
    beats: Beats,
    /// When each letter has to be looked at again.
    alarms: BTreeSet<(Millis, Number)>,
    /// Letters whose places changed because others ended.
    moved: BTreeSet<Hash>,
    /// How many letters in the graph are only remembered.
    shadows: usize,
    meta_dirty: bool,
}

impl Transcript {
    /// An empty transcript. Letters signed before `joined` are never asked for; 0 asks for all.
    #[must_use]
    pub fn new(own: PublicKey, joined: Millis) -> Self {
        let mut senders = Senders::default();
        let me = senders.admit(own, &own, joined);
        Self {
            own,
            joined,
            max_life: u64::MAX,
            own_last: None,
            first_epoch: None,
            graph: Graph::new(me),
            senders,
            questions: Questions::default(),
            beats: Beats::new(),
            alarms: BTreeSet::new(),
            moved: BTreeSet::new(),
            shadows: 0,
            meta_dirty: true,
        }
    }

    /// The longest that the relay keeps a letter, milliseconds, as soon as it is known: letters without a time to live
    /// are not asked for beyond it.
    pub fn set_max_life(&mut self, millis: u64) {
        self.meta_dirty |= self.max_life != millis;
        self.max_life = millis;
    }

    /// Whether this client sends beats (yes, unless told otherwise). Not kept in the vault.
    pub fn set_sociable(&mut self, sociable: bool) {
        self.beats.sociable = sociable;
    }

    /// This is a private room's transcript, and we came in this epoch: what was sent before it was never for us, and is not
    /// missing.
    pub fn set_first_epoch(&mut self, epoch: u64) {
        self.meta_dirty |= self.first_epoch != Some(epoch);
        self.first_epoch = Some(epoch);
    }

    /// A leaf of the room's group: this sender is a device of this account. To be said of every leaf when a group is joined or
    /// made, and of those that a commit adds. A letter is *seen* by accounts, each once, and never by our own.
    pub fn set_account(&mut self, sender: PublicKey, account: AccountId, now: Millis) {
        self.senders.admit(sender, &self.own, now);
        self.senders.set_account(&sender, account);
    }

    /// A device was removed from the room: what is missing of its letters is told without asking it any more. What came of it
    /// before stays, and so does what it has seen.
    pub fn set_gone(&mut self, sender: &PublicKey) {
        if let Some(sender) = self.senders.get_mut(sender) {
            sender.gone = true;
        }
    }

    /// We came (again) with a leaf of this epoch: our counters go on at its run (S21). What a vault that was put back does not
    /// know of lies below it.
    pub fn begin_run(&mut self, epoch: u64) {
        let begin = epoch.saturating_mul(RUN);
        if let Some(own) = self.senders.get_mut(&self.own.clone()).filter(|own| own.next < begin) {
            own.next = begin;
        }
    }

    /// The counter of our next letter.
    #[must_use]
    pub fn next_counter(&self) -> u64 {
        self.senders.get(&self.own).map_or(0, |s| s.next)
    }

    /// Whom our next letter names: our own last letter (always, so that nobody has to guess what came between), then
    /// living letters that nothing names yet which lives as long as they do.
    #[must_use]
    pub fn parents(&self, now: Millis) -> Vec<Reference> {
        let lives = |n: &&Node| n.ends_at.is_none_or(|end| end >= now);
        let other = |n: &&Node| self.own_last.is_none_or(|own| own.hash != n.hash);
        let heads: Vec<_> = self.graph.heads().filter(lives).filter(other).collect();
        let mut parents: Vec<_> = self.own_last.into_iter().collect();
        let room = MAX_PARENTS.saturating_sub(parents.len());
        let newest = if heads.len() > room { NEWEST_HEADS } else { room };
        let oldest = room.saturating_sub(newest).min(heads.len().saturating_sub(newest));
        let chosen = heads.iter().take(newest).chain(heads.iter().rev().take(oldest));
        parents.extend(chosen.map(|n| Reference {
            hash: n.hash,
            sender: n.sender,
            counter: n.counter,
            epoch: n.epoch,
            sent_at: n.sent_at,
            ends_at: n.ends_at,
        }));
        parents
    }

    /// By how many others our letter with this counter has been seen: accounts in a private room, senders in a quick one.
    #[must_use]
    pub fn seen_by(&self, counter: u64) -> u32 {
        let seen = self.senders.seen_to(&self.own).into_iter().filter(|s| *s > counter).count();
        u32::try_from(seen).unwrap_or(u32::MAX)
    }

    /// Where a letter stands, if it is here.
    #[must_use]
    pub fn place(&self, hash: &Hash) -> Option<Place> {
        self.graph.get(hash).filter(|n| n.kind.real()).map(Node::place)
    }

    /// The letter that shows something right before a place.
    #[must_use]
    pub fn after(&self, place: &Place) -> Option<Hash> {
        self.graph.after(place)
    }

    /// Whether a letter is known here: what answers another member's question.
    #[must_use]
    pub fn knows(&self, hash: &Hash) -> bool {
        self.graph.number(hash).is_some()
    }

    /// Whether a letter names one that is missing here and that the relay has not been asked for again yet: its place may
    /// still change.
    #[must_use]
    pub fn waits_for_parents(&self, hash: &Hash) -> bool {
        self.graph.get(hash).is_some_and(|n| n.missing.iter().any(|m| self.questions.under_way(m)))
    }

    /// The letters that show something, before `before` (the newest, if none), newest first.
    pub fn timeline(&self, before: Option<Place>) -> impl Iterator<Item = Hash> + '_ {
        self.graph.timeline(before)
    }

    /// A letter of ours will never be sent (again): what we write from now on says that its life is over, and
    /// [`Self::knows`] denies it to those who ask.
    pub fn gave_up(&mut self, hash: &Hash, now: Millis) {
        let Some(number) = self.graph.number(hash) else { return };
        if self.graph.node(number).is_none_or(|n| n.sender != self.own) {
            return;
        }
        self.graph.remove(number);
        self.moved.extend(self.graph.settle_orphans().iter().map(|m| m.hash));
        if let Some(last) = self.own_last.as_mut().filter(|last| last.hash == *hash) {
            last.ends_at = Some(last.ends_at.map_or(now, |end| end.min(now)));
            self.meta_dirty = true;
        }
    }

    /// When [`Self::due`] has something to do next.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Millis> {
        let alarm = self.alarms.first().map(|(at, _)| *at);
        let full = (self.graph.len() > MAX_LETTERS).then_some(0);
        let beat = self.beats.next_timeout(self.graph.unconfirmed());
        [alarm, full, beat, self.questions.next_timeout()].into_iter().flatten().min()
    }

    /// What is to be done now. Call it at [`Self::next_timeout`] and whenever `online` (attached, and everything that was
    /// waiting read) changes: questions and beats wait while it is false.
    pub fn due(&mut self, now: Millis, online: bool, rng: &mut dyn CryptoRng) -> Vec<Act> {
        let mut acts = self.end_what_is_over(now);
        self.moved.extend(self.graph.settle_orphans().iter().map(|m| m.hash));
        acts.extend(self.questions.due(now, online, &self.senders));
        let members = self.senders.len();
        if self.beats.due(now, online, self.graph.unconfirmed(), members, rng) {
            acts.push(Act::Beat);
        }
        acts
    }

    /// Letters whose places have changed since the last call because others ended, each once, in order: to be asked for
    /// after [`Self::due`] and [`Self::gave_up`].
    pub fn take_moved(&mut self) -> Vec<Moved> {
        let moved = core::mem::take(&mut self.moved);
        let places = moved.iter().filter_map(|hash| self.place(hash));
        let mut places: Vec<_> = places.filter(|place| self.graph.is_shown(place)).collect();
        places.sort_unstable();
        places.iter().map(|p| Moved { hash: p.hash, place: *p, after: self.after(p) }).collect()
    }

    fn end_what_is_over(&mut self, now: Millis) -> Vec<Act> {
        let mut acts = Vec::new();
        while let Some((at, number)) = self.alarms.first().copied().filter(|(at, _)| *at <= now) {
            self.alarms.remove(&(at, number));
            let Some(node) = self.graph.node(number).filter(|n| alarm(n) == Some(at)) else {
                continue;
            };
            if node.kind.real() && !node.ended {
                acts.push(Act::Ended(node.hash));
                self.graph.end(number);
                self.set_alarm(number);
            } else {
                self.remove(number);
            }
        }
        while self.graph.len() > MAX_LETTERS {
            let Some(node) = self.graph.first().and_then(|n| self.remove(n)) else { break };
            if !node.ended {
                acts.push(Act::Ended(node.hash));
            }
        }
        acts
    }

    fn remove(&mut self, number: Number) -> Option<Node> {
        let node = self.graph.remove(number)?;
        if !node.kind.real() {
            self.shadows = self.shadows.saturating_sub(1);
        }
        if let Some(at) = alarm(&node) {
            self.alarms.remove(&(at, number));
        }
        Some(node)
    }

    fn set_alarm(&mut self, number: Number) {
        if let Some(at) = self.graph.node(number).and_then(alarm) {
            self.alarms.insert((at, number));
        }
    }

    /// The log was read again, as [`Act::AskRelay`] asked.
    pub fn relay_answered(&mut self) {
        self.questions.relay_answered();
    }

    /// A member says to know nothing of a letter (a signal, signed).
    pub fn denied(&mut self, hash: &Hash, by: &PublicKey) -> Option<Finding> {
        let (finding, withdrawn) = self.questions.denied(hash, by, &self.own);
        let sender = withdrawn.as_ref().and_then(|q| self.senders.get_mut(&q.author));
        if let (Some(sender), Some(q)) = (sender, withdrawn) {
            sender.take(q.to.saturating_sub(1));
        }
        finding
    }

    /// Another member asked for these letters: answers that come are no replays.
    pub fn overheard(&mut self, hashes: &[Hash], now: Millis) {
        self.questions.overhear(hashes, now);
    }
}

/// When a letter is to be looked at next: its life is over one millisecond after it ends, and a minute later nobody can
/// name it any more without knowing that.
fn alarm(node: &Node) -> Option<Millis> {
    let grace = if node.kind.real() && !node.ended { 1 } else { SKEW };
    node.ends_at.map(|end| end.saturating_add(grace))
}

#[cfg(test)]
mod tests;
