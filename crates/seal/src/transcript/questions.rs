//! Letters that should be here and aren't: asked of the relay, then of the author, then told.
//!
//! A question is judged by what a *name* of the letter says of it (when it was signed, when it ends), never by a clock of
//! the relay. One is only opened for a letter that should still live with a minute to spare and is younger than our own
//! joining, and it dies in silence when that ends. Knows nothing of places and contents.

mod answers;

use std::collections::{BTreeMap, BTreeSet};

use estoile_wire::{Millis, PublicKey};

use super::senders::Senders;
use super::types::{Act, Finding, Hash};
use crate::letter::Reference;
use crate::signal::MAX_HASHES;

/// Clocks of honest members differ by up to this much, so a life is over or not only beyond it.
pub(super) const SKEW: Millis = 60_000;
/// How long a missing letter may be under way before anybody is asked.
pub(super) const UNDER_WAY: Millis = 3_000;
/// How long reading the log again may take.
const RELAY_WAIT: Millis = 60_000;
/// The log is read again at most this often at first, and half as often each time that it brought nothing: members who
/// invent letters can't make the others read without end.
const RELAY_EVERY: Millis = 10_000;
/// The longest that this grows to.
const RELAY_EVERY_MOST: Millis = 3_600_000;
/// How long an author has to answer.
const AUTHOR_WAIT: Millis = 20_000;
/// Open questions that one member's letters may raise.
pub(super) const MAX_OPEN_BY_SENDER: usize = 64;
/// Questions in all, told ones (kept so that nothing is told twice) included.
pub(super) const MAX_QUESTIONS: usize = 1024;
/// Letters that others asked for and whose coming again is no replay.
const MAX_OVERHEARD: usize = 256;
/// How long an answer to another's question may take.
const OVERHEARD_FOR: Millis = 120_000;

/// How far a question has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The letter may be under way until then.
    Waiting(Millis),
    /// The relay is asked; it has until then.
    Relay(Millis),
    /// The author is to be asked.
    Unasked,
    /// The author is asked; there is time until then.
    Author(Millis),
    /// The user knows.
    Told,
}

/// Letters of one sender that should be here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) author: PublicKey,
    /// The run of missing counters that ends with the one in question.
    pub(super) from: u64,
    /// One more than the counter in question.
    pub(super) to: u64,
    /// Its hash; none when only the gap is known.
    pub(super) hash: Option<Hash>,
    /// Whose letter raised it.
    pub(super) by: PublicKey,
    pub(super) sent_at: Millis,
    pub(super) ends_at: Millis,
    pub(super) stage: Stage,
    /// The author knows nothing of it.
    pub(super) author_denies: bool,
    /// Another member, who didn't name it, knows nothing of it.
    pub(super) other_denies: bool,
}

/// All questions of a room.
#[derive(Clone, Debug, Default)]
pub(super) struct Questions {
    list: BTreeMap<u32, Question>,
    by_hash: BTreeMap<Hash, u32>,
    by_author: BTreeSet<(PublicKey, u32)>,
    last: u32,
    online: bool,
    relay_asked: Option<Millis>,
    relay_every: Millis,
    overheard: BTreeMap<Hash, Millis>,
    dirty: BTreeSet<u32>,
}

impl Questions {
    /// Whether a letter may still come by itself or from the relay.
    pub(super) fn under_way(&self, hash: &Hash) -> bool {
        let question = self.by_hash.get(hash).and_then(|n| self.list.get(n));
        question.is_some_and(|q| matches!(q.stage, Stage::Waiting(_) | Stage::Relay(_)))
    }

    pub(super) fn get(&self, number: u32) -> Option<&Question> {
        self.list.get(&number)
    }

    pub(super) fn take_dirty(&mut self) -> BTreeSet<u32> {
        core::mem::take(&mut self.dirty)
    }

    fn of(&self, author: &PublicKey) -> Vec<u32> {
        self.by_author.range((*author, 0)..=(*author, u32::MAX)).map(|(_, n)| *n).collect()
    }

    /// Asks, unless it is asked already or too much is. Returns whether it was new.
    pub(super) fn open(&mut self, question: Question) -> bool {
        let same = match question.hash {
            Some(hash) => self.by_hash.contains_key(&hash),
            None => self
                .of(&question.author)
                .iter()
                .any(|n| self.list.get(n).is_some_and(|q| q.hash.is_none() && q.to == question.to)),
        };
        let open = self.list.values().filter(|q| q.by == question.by && q.stage != Stage::Told);
        if same || open.count() >= MAX_OPEN_BY_SENDER {
            return false;
        }
        if self.list.len() >= MAX_QUESTIONS {
            let told = self.list.iter().find(|(_, q)| q.stage == Stage::Told).map(|(n, _)| *n);
            let Some(told) = told else { return false };
            self.close(told);
        }
        self.last = self.last.wrapping_add(1);
        self.put(self.last, question);
        self.dirty.insert(self.last);
        true
    }

    /// Puts a question at its number, as new or out of the vault.
    pub(super) fn put(&mut self, number: u32, question: Question) {
        self.last = self.last.max(number);
        if let Some(hash) = question.hash {
            self.by_hash.insert(hash, number);
        }
        self.by_author.insert((question.author, number));
        self.list.insert(number, question);
    }

    fn close(&mut self, number: u32) -> Option<Question> {
        let question = self.list.remove(&number)?;
        if let Some(hash) = question.hash {
            self.by_hash.remove(&hash);
        }
        self.by_author.remove(&(question.author, number));
        self.dirty.insert(number);
        Some(question)
    }

    /// A letter is here, or was: its question, if there was one, is answered, and so are gaps that it closed.
    pub(super) fn here(&mut self, hash: &Hash, author: &PublicKey, senders: &Senders) -> Option<Question> {
        let asked = self.by_hash.get(hash).copied().and_then(|n| self.close(n));
        for number in self.of(author) {
            let Some(q) = self.list.get(&number).filter(|q| q.hash.is_none()) else { continue };
            if senders.get(author).is_some_and(|s| s.missing(q.from, q.to) == 0) {
                self.close(number);
            }
        }
        if asked.as_ref().is_some_and(|q| matches!(q.stage, Stage::Relay(_))) {
            self.relay_every = RELAY_EVERY;
        }
        asked
    }

    /// Another member asked for these.
    pub(super) fn overhear(&mut self, hashes: &[Hash], now: Millis) {
        self.overheard.retain(|_, until| *until >= now);
        for hash in hashes {
            if self.overheard.len() < MAX_OVERHEARD {
                self.overheard.insert(*hash, now.saturating_add(OVERHEARD_FOR));
            }
        }
    }

    /// Whether this letter's coming may be an answer to somebody's question.
    pub(super) fn was_overheard(&self, hash: &Hash, now: Millis) -> bool {
        self.overheard.get(hash).is_some_and(|until| *until >= now)
    }

    pub(super) fn next_timeout(&self) -> Option<Millis> {
        if !self.online {
            return None;
        }
        self.list.values().filter_map(|q| q.stage.until()).min()
    }

    /// The log was read again: what is still missing is for the authors.
    pub(super) fn relay_answered(&mut self) {
        self.advance(|stage| matches!(stage, Stage::Relay(_)).then_some(Stage::Unasked));
    }

    /// Gives every question its next stage where `next` has one.
    fn advance(&mut self, next: impl Fn(Stage) -> Option<Stage>) {
        for (number, question) in &mut self.list {
            if let Some(stage) = next(question.stage) {
                question.stage = stage;
                self.dirty.insert(*number);
            }
        }
    }

    /// Takes every open question on as far as it goes now.
    pub(super) fn due(&mut self, now: Millis, online: bool, senders: &Senders) -> Vec<Act> {
        self.heed_clock(now);
        let came_back = online && !self.online;
        self.online = online;
        let over = |q: &Question| {
            let spare = if q.stage == Stage::Told { 0 } else { SKEW };
            q.ends_at <= now.saturating_add(spare)
        };
        let over: Vec<_> = self.list.iter().filter(|(_, q)| over(q)).map(|(n, _)| *n).collect();
        for number in over {
            self.close(number);
        }
        if !online {
            return Vec::new();
        }
        if came_back {
            // What was asked before the connection went may never have arrived.
            self.advance(|stage| match stage {
                Stage::Waiting(_) | Stage::Relay(_) => Some(Stage::Waiting(now.saturating_add(UNDER_WAY))),
                Stage::Author(_) => Some(Stage::Unasked),
                Stage::Unasked | Stage::Told => None,
            });
        }
        let mut acts: Vec<_> = self.ask_relay(now).into_iter().collect();
        self.pass_over_gone(now, senders);
        let told = self.tell(now, senders);
        acts.extend(self.ask_authors(now));
        acts.extend(told.into_iter().map(Act::Tell));
        acts
    }

    /// Waits that are longer than any that is ever begun come from a clock that has since been set back.
    fn heed_clock(&mut self, now: Millis) {
        self.relay_asked = self.relay_asked.map(|at| at.min(now));
        let most = |until: Millis, wait: Millis| (until > now.saturating_add(wait)).then(|| now.saturating_add(wait));
        self.advance(|stage| match stage {
            Stage::Waiting(until) => most(until, UNDER_WAY).map(Stage::Waiting),
            Stage::Relay(until) => most(until, RELAY_WAIT).map(Stage::Relay),
            Stage::Author(until) => most(until, AUTHOR_WAIT).map(Stage::Author),
            Stage::Unasked | Stage::Told => None,
        });
        for until in self.overheard.values_mut() {
            *until = (*until).min(now.saturating_add(OVERHEARD_FOR));
        }
    }

    fn ask_relay(&mut self, now: Millis) -> Option<Act> {
        self.advance(|stage| match stage {
            Stage::Relay(until) if until <= now => Some(Stage::Unasked),
            _ => None,
        });
        let waited = |stage| matches!(stage, Stage::Waiting(until) if until <= now);
        if !self.list.values().any(|q| waited(q.stage)) {
            return None;
        }
        let every = self.relay_every.max(RELAY_EVERY);
        if self.relay_asked.is_some_and(|at| now < at.saturating_add(every)) {
            self.advance(|stage| waited(stage).then_some(Stage::Unasked));
            return None;
        }
        self.relay_asked = Some(now);
        self.relay_every = every.saturating_mul(2).min(RELAY_EVERY_MOST);
        let until = now.saturating_add(RELAY_WAIT);
        self.advance(|stage| matches!(stage, Stage::Waiting(_)).then_some(Stage::Relay(until)));
        Some(Act::AskRelay)
    }

    fn ask_authors(&mut self, now: Millis) -> Vec<Act> {
        let mut by_author: BTreeMap<PublicKey, Vec<Hash>> = BTreeMap::new();
        for (number, q) in &mut self.list {
            if let (Stage::Unasked, Some(hash)) = (q.stage, q.hash) {
                by_author.entry(q.author).or_default().push(hash);
                q.stage = Stage::Author(now.saturating_add(AUTHOR_WAIT));
                self.dirty.insert(*number);
            }
        }
        let ask = |(author, hashes): (PublicKey, Vec<Hash>)| {
            let parts: Vec<_> = hashes.chunks(MAX_HASHES).map(<[Hash]>::to_vec).collect();
            parts.into_iter().map(move |hashes| Act::AskAuthor { author, hashes })
        };
        by_author.into_iter().flat_map(ask).collect()
    }

    /// Tells what nobody could answer: one finding a sender.
    fn tell(&mut self, now: Millis, senders: &Senders) -> Vec<Finding> {
        let ripe = |q: &Question| match q.stage {
            Stage::Author(until) => until <= now,
            // A gap without a hash: there is nothing to ask an author by.
            Stage::Unasked => q.hash.is_none(),
            _ => false,
        };
        let ripe: Vec<_> = self.list.iter().filter(|(_, q)| ripe(q)).map(|(n, _)| *n).collect();
        let mut withheld: BTreeMap<PublicKey, (u64, Option<Hash>)> = BTreeMap::new();
        let mut findings = Vec::new();
        for number in ripe {
            let count = self.count(number, senders);
            let Some(q) = self.list.get_mut(&number) else { continue };
            q.stage = Stage::Told;
            self.dirty.insert(number);
            match q.hash {
                Some(letter) if q.author_denies => {
                    findings.push(Finding::Disputed { by: q.by, author: q.author, letter });
                }
                _ if count == 0 => {}
                hash => {
                    let entry = withheld.entry(q.author).or_default();
                    entry.0 = entry.0.saturating_add(count);
                    entry.1 = entry.1.or(hash);
                }
            }
        }
        let tell = |(sender, (count, letter))| Finding::Withheld { sender, count, letter };
        findings.extend(withheld.into_iter().map(tell));
        findings
    }

    /// How many letters a question is about that have not been told before.
    fn count(&self, number: u32, senders: &Senders) -> u64 {
        let Some(q) = self.list.get(&number) else { return 0 };
        let missing = |from: u64, to: u64| match senders.get(&q.author) {
            Some(sender) => sender.missing(from, to),
            None => to.saturating_sub(from),
        };
        let told = self.of(&q.author).into_iter().filter_map(|n| self.list.get(&n));
        let told = told.filter(|t| t.stage == Stage::Told);
        // What was told may overlap: each counter of it counts once.
        let mut runs: Vec<_> = told.map(|t| (t.from.max(q.from), t.to.min(q.to))).collect();
        runs.sort_unstable();
        let mut told_to = q.from;
        let mut told = 0_u64;
        for (from, to) in runs.into_iter().filter(|(from, to)| from < to) {
            if to > told_to {
                told = told.saturating_add(missing(from.max(told_to), to));
                told_to = to;
            }
        }
        missing(q.from, q.to).saturating_sub(told)
    }
}

impl Stage {
    /// When it goes on by itself.
    fn until(self) -> Option<Millis> {
        match self {
            Self::Waiting(until) | Self::Relay(until) | Self::Author(until) => Some(until),
            Self::Unasked => Some(0),
            Self::Told => None,
        }
    }

    /// Whether somebody else than time has been asked to send it.
    pub(super) fn author_asked(self) -> bool {
        matches!(self, Self::Author(_) | Self::Told)
    }
}

/// When a letter's life ends by what a name of it says, and by how long the relay keeps one without an end.
pub(super) fn end_of_life(name: &Reference, max_life: u64) -> Millis {
    name.ends_at.unwrap_or(Millis::MAX).min(name.sent_at.saturating_add(max_life))
}
