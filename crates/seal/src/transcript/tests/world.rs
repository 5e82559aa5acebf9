//! A room of honest members around a log, without seals: what tests observe.

use estoile_wire::{Millis, PublicKey};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

use crate::letter::Reference;
use crate::transcript::{Act, Finding, Hash, Observed, Outcome, Transcript};

/// Where the tests' time begins.
pub(super) const START: Millis = 1_700_000_000_000;
pub(super) const DAY: Millis = 86_400_000;

pub(super) fn key(n: u8) -> PublicKey {
    PublicKey([n; 32])
}

pub(super) fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

pub(super) fn below(rng: &mut ChaCha20Rng, n: usize) -> usize {
    usize::try_from(rng.next_u64() % n as u64).unwrap()
}

/// A letter that owns its names.
#[derive(Clone, Debug)]
pub(super) struct Letter {
    pub(super) hash: Hash,
    pub(super) sender: PublicKey,
    pub(super) counter: u64,
    pub(super) epoch: u64,
    pub(super) sent_at: Millis,
    pub(super) ends_at: Option<Millis>,
    pub(super) parents: Vec<Reference>,
    pub(super) shows: bool,
}

impl Letter {
    pub(super) fn new(sender: PublicKey, counter: u64, sent_at: Millis, parents: Vec<Reference>) -> Self {
        let mut letter =
            Self { hash: [0; 32], sender, counter, epoch: 0, sent_at, ends_at: None, parents, shows: true };
        letter.rehash();
        letter
    }

    pub(super) fn rehash(&mut self) {
        let mut hash = Sha256::new();
        hash.update(self.sender.0);
        hash.update(self.counter.to_be_bytes());
        hash.update(self.sent_at.to_be_bytes());
        hash.update([u8::from(self.shows)]);
        self.parents.iter().for_each(|p| hash.update(p.hash));
        self.hash = hash.finalize().into();
    }

    pub(super) fn ending(mut self, ends_at: Millis) -> Self {
        self.ends_at = Some(ends_at);
        self
    }

    pub(super) fn silent(mut self) -> Self {
        self.shows = false;
        self.rehash();
        self
    }

    pub(super) fn name(&self) -> Reference {
        Reference {
            hash: self.hash,
            sender: self.sender,
            counter: self.counter,
            epoch: self.epoch,
            sent_at: self.sent_at,
            ends_at: self.ends_at,
        }
    }

    pub(super) fn observed(&self) -> Observed<'_> {
        Observed {
            hash: self.hash,
            sender: self.sender,
            counter: self.counter,
            epoch: self.epoch,
            sent_at: self.sent_at,
            ends_at: self.ends_at,
            parents: &self.parents,
            shows: self.shows,
            expected: false,
        }
    }
}

/// A member: a transcript, a clock that may be off, and how far the log was read.
pub(super) struct Member {
    pub(super) key: PublicKey,
    pub(super) transcript: Transcript,
    pub(super) read: usize,
    pub(super) offset: i64,
}

impl Member {
    pub(super) fn new(n: u8, offset: i64) -> Self {
        Self { key: key(n), transcript: Transcript::new(key(n), 0), read: 0, offset }
    }

    pub(super) fn write(&mut self, now: Millis, ttl: Option<Millis>, shows: bool) -> Letter {
        let sent_at = now.saturating_add_signed(self.offset);
        let parents = self.transcript.parents(sent_at);
        let mut letter = Letter::new(self.key, self.transcript.next_counter(), sent_at, parents);
        letter.ends_at = ttl.map(|ttl| sent_at + ttl);
        letter.shows = shows;
        letter.rehash();
        let outcome = self.transcript.wrote(&letter.observed(), now);
        assert_eq!(outcome.verdict, crate::transcript::Verdict::New);
        letter
    }
}

/// What each member told while a room talked.
#[derive(Default)]
pub(super) struct Room {
    pub(super) members: Vec<Member>,
    pub(super) log: Vec<Letter>,
    pub(super) now: Millis,
    pub(super) findings: Vec<Finding>,
}

impl Room {
    /// Members whose clocks are up to `skew` off.
    pub(super) fn new(members: u8, skew: u64, rng: &mut ChaCha20Rng) -> Self {
        let offset = |rng: &mut ChaCha20Rng| {
            i64::try_from(rng.next_u64() % (2 * skew + 1)).unwrap() - i64::try_from(skew).unwrap()
        };
        let members = (1..=members).map(|n| Member::new(n, offset(rng))).collect();
        Self { members, log: Vec::new(), now: START, findings: Vec::new() }
    }

    /// One member reads on, up to `to`.
    pub(super) fn read(&mut self, who: usize, to: usize) {
        let member = &mut self.members[who];
        for letter in &self.log[member.read.min(to)..to] {
            let outcome = member.transcript.observe(&letter.observed(), self.now);
            self.findings.extend(outcome.findings);
        }
        member.read = member.read.max(to);
    }

    pub(super) fn say(&mut self, who: usize, ttl: Option<Millis>, shows: bool) -> Letter {
        let letter = self.members[who].write(self.now, ttl, shows);
        self.log.push(letter.clone());
        letter
    }

    /// Everybody reads everything and says a last word: so each letter has somebody's word for it.
    pub(super) fn farewell(&mut self) {
        for who in 0..self.members.len() {
            self.now += 10;
            self.read(who, self.log.len());
            self.say(who, None, true);
        }
    }

    /// So many letters by random members who have read to random points.
    pub(super) fn chat(&mut self, letters: usize, rng: &mut ChaCha20Rng) {
        for _ in 0..letters {
            self.now += rng.next_u64() % 2_000;
            let who = below(rng, self.members.len());
            let read = self.members[who].read;
            let to = read + below(rng, self.log.len() - read + 1);
            self.read(who, to);
            let shows = !rng.next_u64().is_multiple_of(8);
            self.say(who, None, shows);
        }
    }
}

/// A stranger to the talk: reads letters in a given order.
pub(super) fn reader() -> Transcript {
    Transcript::new(key(250), 0)
}

pub(super) fn observe_all(transcript: &mut Transcript, letters: &[Letter], now: Millis) -> Vec<Outcome> {
    letters.iter().map(|l| transcript.observe(&l.observed(), now)).collect()
}

pub(super) fn timeline(transcript: &Transcript) -> Vec<Hash> {
    transcript.timeline(None).collect()
}

pub(super) fn shuffle<T>(items: &mut [T], rng: &mut ChaCha20Rng) {
    for i in (1..items.len()).rev() {
        items.swap(i, below(rng, i + 1));
    }
}

/// Lets time pass, online, with a relay that is asked and brings nothing and authors who are silent, until nothing is due
/// for a while. Returns all that was to be done but beats.
pub(super) fn wait(transcript: &mut Transcript, from: Millis, rng: &mut ChaCha20Rng) -> Vec<Act> {
    let mut acts = Vec::new();
    let mut now = from;
    while now < from + 300_000 {
        for act in transcript.due(now, true, rng) {
            match act {
                Act::Beat => {}
                Act::AskRelay => {
                    transcript.relay_answered();
                    acts.push(act);
                }
                act => acts.push(act),
            }
        }
        match transcript.next_timeout() {
            Some(at) => now = at.max(now + 1),
            None => break,
        }
    }
    acts
}

pub(super) fn told(acts: &[Act]) -> Vec<Finding> {
    acts.iter()
        .filter_map(|act| match act {
            Act::Tell(finding) => Some(finding.clone()),
            _ => None,
        })
        .collect()
}
