//! How a letter comes in: what it is, where it stands, what it leaves open.

use estoile_wire::{Millis, PublicKey};

use super::graph::{Effects, Kind, Node};
use super::questions::{Question, SKEW, Stage, UNDER_WAY, end_of_life};
use super::senders::Fresh;
use super::types::{Aside, Finding, Hash, Observed, Outcome, Verdict};
use super::{RUN, Transcript};
use crate::letter::{MAX_PARENTS, Reference};

/// Letters that one sender may put under one counter: two prove that the sender says two things, more say nothing new.
const MAX_FACES: usize = 2;
/// No honest sender counts further, and sums with a counter can't overflow.
const MAX_COUNTER: u64 = u64::MAX / 2;
/// Letters set aside that are remembered by hash at a time.
const MAX_SHADOWS: usize = 4096;
/// How long a letter set aside without an end is remembered: longer than any relay keeps one by default.
const SHADOW_LIFE: Millis = 31 * 24 * 3600 * 1000;

impl Transcript {
    /// A letter that came, opened, and whose time is right.
    pub fn observe(&mut self, letter: &Observed<'_>, now: Millis) -> Outcome {
        let expected = letter.expected || self.questions.was_overheard(&letter.hash, now);
        let verdict = self.judge(letter, expected);
        match verdict {
            Verdict::New | Verdict::TwoFaced { .. } => self.take_in(letter, verdict, now),
            Verdict::Echo => {
                self.echoed(letter);
                Outcome::dropped(verdict)
            }
            Verdict::Broken if letter.sender != self.own => {
                self.shadow(letter, Kind::Refused, now);
                Outcome::dropped(verdict)
            }
            _ => Outcome::dropped(verdict),
        }
    }

    /// A letter of ours, before it is sent for the first time.
    pub fn wrote(&mut self, letter: &Observed<'_>, now: Millis) -> Outcome {
        let fits = letter.sender == self.own
            && letter.counter == self.next_counter()
            && self.graph.number(&letter.hash).is_none()
            && self.keeps_the_rules(letter);
        if !fits {
            return Outcome::dropped(Verdict::Broken);
        }
        self.own_last = Some(Reference {
            hash: letter.hash,
            sender: letter.sender,
            counter: letter.counter,
            epoch: letter.epoch,
            sent_at: letter.sent_at,
            ends_at: letter.ends_at,
        });
        if !letter.shows {
            self.beats.last = Some(now);
        }
        self.meta_dirty = true;
        self.take_in(letter, Verdict::New, now)
    }

    /// One of ours came back, perhaps in a later epoch than it was written in: others know it by that one.
    fn echoed(&mut self, letter: &Observed<'_>) {
        self.graph.set_epoch(&letter.hash, letter.epoch);
        if let Some(last) = self.own_last.as_mut().filter(|l| l.hash == letter.hash && l.epoch < letter.epoch) {
            last.epoch = letter.epoch;
            self.meta_dirty = true;
        }
    }

    /// A letter of ours that was given up and is in the log all the same: it counts as if it never had been.
    pub fn readmit(&mut self, letter: &Observed<'_>, now: Millis) -> Outcome {
        match self.judge(letter, true) {
            verdict @ Verdict::Forgotten { .. } if letter.sender == self.own && self.keeps_the_rules(letter) => {
                self.take_in(letter, verdict, now)
            }
            verdict => Outcome::dropped(verdict),
        }
    }

    /// A letter that the caller refuses, or holds until its time has come. What names it will not ask for it.
    pub fn set_aside(&mut self, letter: &Observed<'_>, why: Aside, now: Millis) {
        let kind = match why {
            Aside::Refused => Kind::Refused,
            Aside::Held => Kind::Held,
        };
        if letter.sender != self.own && self.keeps_the_rules(letter) {
            self.shadow(letter, kind, now);
        }
    }

    fn judge(&self, letter: &Observed<'_>, expected: bool) -> Verdict {
        if letter.sender == self.own {
            return self.judge_own(letter);
        }
        match self.graph.get(&letter.hash).map(|n| n.kind) {
            Some(Kind::Shows | Kind::Silent) if estoile_wire::weak::is("repeats") => return Verdict::New,
            Some(Kind::Shows | Kind::Silent) => return Verdict::Repeat { tell: !expected },
            Some(Kind::Refused) => return Verdict::Repeat { tell: false },
            Some(Kind::Held) => return Verdict::New,
            None => {}
        }
        if !self.keeps_the_rules(letter) {
            return Verdict::Broken;
        }
        let Some(number) = self.senders.number(&letter.sender) else { return Verdict::New };
        let sender = self.senders.by_number(number);
        if sender.is_none_or(|s| s.fresh(letter.counter) == Fresh::New) {
            return Verdict::New;
        }
        let faces: Vec<_> = self.graph.under(number, letter.counter).map(|n| n.hash).collect();
        match faces.first() {
            None => Verdict::Forgotten { tell: !expected },
            Some(other) if faces.len() < MAX_FACES => Verdict::TwoFaced { other: *other },
            Some(_) => Verdict::Broken,
        }
    }

    fn judge_own(&self, letter: &Observed<'_>) -> Verdict {
        if self.graph.number(&letter.hash).is_some() {
            return Verdict::Echo;
        }
        let mine = self.senders.number(&self.own).unwrap_or(0);
        let ended = letter.counter < self.next_counter() && self.graph.under(mine, letter.counter).next().is_none();
        if ended { Verdict::Forgotten { tell: false } } else { Verdict::Copied }
    }

    fn take_in(&mut self, letter: &Observed<'_>, verdict: Verdict, now: Millis) -> Outcome {
        let mut outcome = Outcome::dropped(verdict);
        let own = letter.sender == self.own;
        let asked = self.received(letter, now);
        outcome.findings.extend(asked.as_ref().and_then(|q| self.late(q, letter, now)));

        let parents: Vec<Hash> = distinct(letter.parents).map(|p| p.hash).collect();
        let kind = if letter.shows { Kind::Shows } else { Kind::Silent };
        if self.graph.number(&letter.hash).is_some() {
            self.shadows = self.shadows.saturating_sub(1);
        }
        let (number, effects) = self.graph.insert(self.node(letter, kind), &parents);
        self.set_alarm(number);
        if !own {
            if letter.shows {
                self.beats.activity(now);
            }
            self.ask(letter, asked.as_ref(), now, &mut outcome.findings);
        }
        outcome.place = self.graph.node(number).map(Node::place);
        outcome.after = outcome.place.and_then(|p| self.graph.after(&p));
        outcome.seen = self.reached(&effects);
        outcome.moved = effects.moved;
        outcome
    }

    /// The sender's counter was here; what asked for the letter is answered.
    fn received(&mut self, letter: &Observed<'_>, now: Millis) -> Option<Question> {
        self.senders.admit(letter.sender, &self.own, now);
        // The sender's own word for what it sent before we were here: what is under those counters is nothing to miss.
        let before_us = letter.parents.iter().filter(|p| p.sender == letter.sender && self.before_us(p.epoch));
        let begin = before_us.map(|p| p.counter.saturating_add(1)).max().unwrap_or(0);
        if let Some(sender) = self.senders.get_mut(&letter.sender) {
            sender.begin_at(begin);
            sender.take(letter.counter);
            sender.heard(letter.ends_at, now);
        }
        self.questions.here(&letter.hash, &letter.sender, &self.senders)
    }

    /// What to tell of a letter that came although, or because, it was missed.
    fn late(&self, question: &Question, letter: &Observed<'_>, now: Millis) -> Option<Finding> {
        let (sender, hash) = (letter.sender, letter.hash);
        if question.stage == Stage::Told {
            return Some(Finding::Found { sender, letter: hash });
        }
        let resent = question.stage.author_asked() || self.questions.was_overheard(&hash, now);
        (!resent).then_some(Finding::Reordered { sender, letter: hash })
    }

    fn node(&self, letter: &Observed<'_>, kind: Kind) -> Node {
        let own = letter.sender == self.own;
        let author = self.senders.number(&letter.sender).unwrap_or(0);
        Node {
            hash: letter.hash,
            sender: letter.sender,
            author,
            person: self.senders.person(author),
            counter: letter.counter,
            epoch: letter.epoch,
            sent_at: letter.sent_at,
            ends_at: letter.ends_at,
            kind,
            ended: false,
            time: letter.sent_at,
            step: 0,
            reaches: if own { letter.counter.saturating_add(1) } else { 0 },
            marks: [0; 3],
            known: Vec::new(),
            missing: Vec::new(),
            heirs: 0,
        }
    }

    fn shadow(&mut self, letter: &Observed<'_>, kind: Kind, now: Millis) {
        if self.graph.number(&letter.hash).is_some() || letter.counter > MAX_COUNTER {
            return;
        }
        self.received(letter, now);
        let end = letter.ends_at.unwrap_or(Millis::MAX).min(now.saturating_add(SHADOW_LIFE));
        // A held one is yet to be shown, so refused ones can't take its place; the caller holds few.
        let most = if kind == Kind::Held { MAX_SHADOWS.saturating_mul(2) } else { MAX_SHADOWS };
        // Names of a letter that has ended say so themselves.
        if end.saturating_add(SKEW) < now || self.shadows >= most {
            return;
        }
        let node = Node { ends_at: Some(end), ..self.node(letter, kind) };
        let number = self.graph.insert_shadow(node);
        self.shadows = self.shadows.saturating_add(1);
        self.set_alarm(number);
    }

    /// Others whose letters now reach further along our chain have seen more of our letters.
    fn reached(&mut self, effects: &Effects) -> Vec<(Hash, u32)> {
        let mut lowest = u64::MAX;
        let mut highest = 0;
        let me = self.senders.number(&self.own);
        for (key, reaches) in &effects.reached {
            let Some(number) = self.senders.number(key) else { continue };
            // Another device of our own account is no other person.
            let mine = Some(self.senders.person(number)) == me;
            let (seen_to, before) =
                (self.senders.get(key).map_or(0, |s| s.seen_to), self.senders.person_seen_to(number));
            if mine || *reaches <= seen_to {
                continue;
            }
            if let Some(sender) = self.senders.get_mut(key) {
                sender.seen_to = *reaches;
            }
            if *reaches > before {
                lowest = lowest.min(before);
                highest = highest.max(*reaches);
            }
        }
        if lowest >= highest {
            return Vec::new();
        }
        let seen_to = self.senders.seen_to(&self.own);
        let Some(mine) = self.senders.number(&self.own) else { return Vec::new() };
        let letters = self.graph.between(mine, lowest, highest);
        let by = |counter: u64| {
            let others = seen_to.len().saturating_sub(seen_to.partition_point(|s| *s <= counter));
            u32::try_from(others).unwrap_or(u32::MAX)
        };
        letters.filter(|n| n.kind == Kind::Shows).map(|n| (n.hash, by(n.counter))).collect()
    }

    /// Opens questions for what a letter shows to be missing.
    fn ask(&mut self, letter: &Observed<'_>, asked: Option<&Question>, now: Millis, findings: &mut Vec<Finding>) {
        // What an author's answer leads to was not at the relay either.
        let author_asked = asked.is_some_and(|q| q.stage.author_asked());
        let stage = if author_asked { Stage::Unasked } else { Stage::Waiting(now.saturating_add(UNDER_WAY)) };
        let missing = distinct(letter.parents).filter(|p| self.graph.number(&p.hash).is_none());
        let missing: Vec<_> = missing.filter(|p| self.should_be_here(p, now)).copied().collect();
        for name in &missing {
            let question = self.question(name, Some(name.hash), letter.sender, stage);
            let new = self.questions.open(question);
            if new && name.sender == self.own {
                findings.extend(self.questions.not_mine(&name.hash, &self.own));
            }
        }
        self.ask_for_gap(letter, stage, now);
    }

    /// A sender who doesn't name the own previous letter: the gap before this one is judged by this one.
    fn ask_for_gap(&mut self, letter: &Observed<'_>, stage: Stage, now: Millis) {
        let Some(previous) = letter.counter.checked_sub(1) else { return };
        if self.first_epoch.is_some_and(|first| letter.epoch <= first) {
            // Its previous one may have been sent before we were here, and nothing says that it wasn't.
            return;
        }
        if self.first_epoch.is_some() && letter.counter.is_multiple_of(RUN) {
            // The first of a leaf: nothing lies between it and the leaf before.
            return;
        }
        let named = letter.parents.iter().any(|p| p.sender == letter.sender && p.counter == previous);
        let here = self.senders.get(&letter.sender).is_none_or(|s| s.fresh(previous) == Fresh::Known);
        let this = Reference {
            hash: letter.hash,
            sender: letter.sender,
            counter: previous,
            epoch: letter.epoch,
            sent_at: letter.sent_at,
            ends_at: letter.ends_at,
        };
        if !named && !here && self.should_be_here(&this, now) {
            let question = self.question(&this, None, letter.sender, stage);
            self.questions.open(question);
        }
    }

    /// Whether a letter, by what a name says of it, should be here: it lives with a minute to spare, is younger than our
    /// joining, and was not here under its counter before.
    fn should_be_here(&self, name: &Reference, now: Millis) -> bool {
        let lives = end_of_life(name, self.max_life) > now.saturating_add(SKEW);
        let old = match self.senders.get(&name.sender) {
            Some(_) => self.joined,
            None => self.joined.max(self.senders.forgot_until),
        };
        let younger = old == 0 || name.sent_at > old;
        lives && younger && !self.before_us(name.epoch) && name.counter <= MAX_COUNTER && !self.let_go(name)
    }

    /// Whether an epoch lies before our first: its letters were never for us.
    fn before_us(&self, epoch: u64) -> bool {
        self.first_epoch.is_some_and(|first| epoch < first)
    }

    /// The rules that every honest sender keeps, whatever came before. In a private room nobody knows letters of epochs
    /// that are yet to come.
    fn keeps_the_rules(&self, letter: &Observed<'_>) -> bool {
        let forward = |p: &Reference| p.sender != letter.sender || p.counter < letter.counter;
        let past = |p: &Reference| self.first_epoch.is_none() || p.epoch <= letter.epoch;
        letter.parents.len() <= MAX_PARENTS
            && letter.counter <= MAX_COUNTER
            && letter.parents.iter().all(|p| forward(p) && past(p) && p.hash != letter.hash)
    }

    /// Whether a letter was here under this counter and nothing of it is left to compare with.
    fn let_go(&self, name: &Reference) -> bool {
        let Some(number) = self.senders.number(&name.sender) else { return false };
        let sender = self.senders.by_number(number);
        sender.is_some_and(|s| s.fresh(name.counter) == Fresh::Known)
            && self.graph.under(number, name.counter).next().is_none()
    }

    /// The first counter of the leaf under which a letter was written.
    const fn run_begin(&self, name: &Reference) -> u64 {
        if self.first_epoch.is_some() { name.counter - name.counter % RUN } else { 0 }
    }

    fn question(&self, name: &Reference, hash: Option<Hash>, by: PublicKey, stage: Stage) -> Question {
        Question {
            author: name.sender,
            from: self.run_begin(name).max(self.senders.get(&name.sender).map_or(0, |s| s.run_to(name.counter))),
            to: name.counter.saturating_add(1),
            hash,
            by,
            sent_at: name.sent_at,
            ends_at: end_of_life(name, self.max_life),
            stage,
            author_denies: false,
            other_denies: false,
        }
    }
}

/// Each name once.
fn distinct(parents: &[Reference]) -> impl Iterator<Item = &Reference> {
    let first = |(i, p): &(usize, &Reference)| !parents.iter().take(*i).any(|q| q.hash == p.hash);
    parents.iter().enumerate().filter(first).map(|(_, p)| p)
}
