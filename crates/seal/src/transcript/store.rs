//! The transcript in the vault: one small entry a letter, a sender and a question, each with a version byte.
//!
//! An entry is written when it changed; a letter that was only moved is not, because its place follows from its parents.
//! When a parent goes for good, what it gave its children is written with them.

use estoile_wire::{Millis, PublicKey};
use minicbor::{Decode, Encode};

use super::graph::{Graph, Kind, Node, Number};
use super::questions::{Question, Questions, Stage};
use super::senders::{Sender, Senders};
use super::types::{Change, Hash, RestoreError};
use super::{MAX_LETTERS, Transcript};
use crate::account::AccountId;
use crate::letter::Reference;

/// The version of every entry.
const VERSION: u8 = 1;
const META: u8 = b'm';
const LETTER: u8 = b'l';
const SENDER: u8 = b's';
const QUESTION: u8 = b'q';

#[derive(Encode, Decode)]
#[cbor(map)]
struct MetaEntry {
    #[n(0)]
    joined: Millis,
    #[n(1)]
    max_life: u64,
    #[n(2)]
    forgot_until: Millis,
    #[n(3)]
    last_beat: Option<Millis>,
    #[n(4)]
    own_last: Option<OwnLast>,
    #[n(5)]
    first_epoch: Option<u64>,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct OwnLast {
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    hash: Hash,
    #[n(1)]
    counter: u64,
    #[n(2)]
    sent_at: Millis,
    #[n(3)]
    ends_at: Option<Millis>,
    /// None: 0, as in every quick room.
    #[n(4)]
    epoch: Option<u64>,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct LetterEntry {
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    hash: Hash,
    #[n(1)]
    sender: PublicKey,
    #[n(2)]
    author: u32,
    #[n(3)]
    counter: u64,
    #[n(4)]
    sent_at: Millis,
    #[n(5)]
    ends_at: Option<Millis>,
    #[n(6)]
    kind: u8,
    #[n(7)]
    ended: bool,
    #[n(8)]
    time: Millis,
    #[n(9)]
    step: u32,
    #[n(10)]
    reaches: u64,
    /// Hashes, one after the other.
    #[n(11)]
    #[cbor(with = "minicbor::bytes")]
    parents: Vec<u8>,
    /// None: 0, as in every quick room.
    #[n(12)]
    epoch: Option<u64>,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct SenderEntry {
    #[n(0)]
    key: PublicKey,
    #[n(1)]
    next: u64,
    #[n(2)]
    gaps: Vec<(u64, u64)>,
    #[n(3)]
    seen_to: u64,
    #[n(4)]
    last_end: Millis,
    #[n(5)]
    heard: Millis,
    /// None in a quick room.
    #[n(6)]
    #[cbor(with = "minicbor::bytes")]
    account: Option<Vec<u8>>,
    /// None: it is in the room.
    #[n(7)]
    gone: Option<bool>,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct QuestionEntry {
    #[n(0)]
    author: PublicKey,
    #[n(1)]
    from: u64,
    #[n(2)]
    to: u64,
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    hash: Option<Vec<u8>>,
    #[n(4)]
    by: PublicKey,
    #[n(5)]
    sent_at: Millis,
    #[n(6)]
    ends_at: Millis,
    /// 0 waiting, 1 relay, 2 unasked, 3 author, 4 told.
    #[n(7)]
    stage: u8,
    #[n(8)]
    until: Millis,
    #[n(9)]
    author_denies: bool,
    #[n(10)]
    other_denies: bool,
}

fn value<T: Encode<()>>(entry: &T) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    // Writing into a vector can't fail: its error type is `Infallible`.
    let _ = minicbor::encode(entry, &mut bytes);
    bytes
}

fn read<'b, T: Decode<'b, ()>>(value: &'b [u8]) -> Result<T, RestoreError> {
    match value.split_first() {
        Some((&VERSION, rest)) => minicbor::decode(rest).map_err(|_| RestoreError::Damaged),
        Some(_) => Err(RestoreError::Version),
        None => Err(RestoreError::Damaged),
    }
}

fn key(kind: u8, number: u32) -> Vec<u8> {
    let mut key = vec![kind];
    key.extend_from_slice(&number.to_be_bytes());
    key
}

impl Transcript {
    /// What changed since the last call: the vault keeps it in the same turn.
    pub fn take_changes(&mut self) -> Vec<Change> {
        let mut changes = Vec::new();
        if core::mem::take(&mut self.meta_dirty) {
            changes.push(Change { key: vec![META], value: Some(value(&self.meta())) });
        }
        for number in self.senders.take_dirty() {
            let sender = self.senders.by_number(number);
            changes.push(Change { key: key(SENDER, number), value: sender.map(|s| value(&SenderEntry::of(s))) });
        }
        for number in self.graph.take_dirty() {
            let letter = self.graph.node(number).map(|n| value(&LetterEntry::of(n, &self.graph)));
            changes.push(Change { key: key(LETTER, number), value: letter });
        }
        for number in self.questions.take_dirty() {
            let question = self.questions.get(number).map(|q| value(&QuestionEntry::of(q)));
            changes.push(Change { key: key(QUESTION, number), value: question });
        }
        changes
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
        let mut meta: Option<MetaEntry> = None;
        let mut senders = Senders::default();
        let mut questions = Questions::default();
        let mut letters: Vec<(Number, LetterEntry)> = Vec::new();
        for (key, value) in entries {
            let (kind, number) = key.split_first().ok_or(RestoreError::Damaged)?;
            let number = || number.try_into().map(u32::from_be_bytes).map_err(|_| RestoreError::Damaged);
            match *kind {
                META => meta = Some(read(value)?),
                SENDER => senders.put(number()?, read::<SenderEntry>(value)?.sender()?),
                LETTER => letters.push((number()?, read(value)?)),
                QUESTION => questions.put(number()?, read::<QuestionEntry>(value)?.question()?),
                _ => return Err(RestoreError::Version),
            }
        }
        let Some(meta) = meta else {
            let nothing = senders.len() == 0 && letters.is_empty();
            return if nothing { Ok(Self::new(own, joined)) } else { Err(RestoreError::Damaged) };
        };
        let me = senders.number(&own).ok_or(RestoreError::Damaged)?;
        senders.forgot_until = meta.forgot_until;
        let mut transcript = Self { senders, questions, graph: Graph::new(me), ..Self::new(own, meta.joined) };
        transcript.max_life = meta.max_life;
        transcript.first_epoch = meta.first_epoch;
        transcript.beats.last = meta.last_beat;
        transcript.own_last = meta.own_last.map(|last| last.reference(own));
        transcript.restore_letters(letters)?;
        transcript.senders.restored();
        transcript.meta_dirty = false;
        Ok(transcript)
    }

    fn restore_letters(&mut self, mut letters: Vec<(Number, LetterEntry)>) -> Result<(), RestoreError> {
        // Parents mostly first: then nothing has to be moved on the way.
        letters.sort_by_key(|(_, l)| (l.time, l.step));
        let limit = MAX_LETTERS.saturating_mul(2);
        for (number, letter) in letters {
            if usize::try_from(number).map_or(true, |n| n > limit) {
                return Err(RestoreError::Damaged);
            }
            let parents: Vec<Hash> = letter.parents.chunks_exact(32).filter_map(|c| c.try_into().ok()).collect();
            let mut node = letter.node().ok_or(RestoreError::Damaged)?;
            node.person = self.senders.person(node.author);
            if !node.kind.real() {
                self.shadows = self.shadows.saturating_add(1);
            }
            self.graph.restore_at(number, node, &parents).ok_or(RestoreError::Damaged)?;
            self.set_alarm(number);
        }
        self.graph.restored();
        Ok(())
    }

    fn meta(&self) -> MetaEntry {
        MetaEntry {
            joined: self.joined,
            max_life: self.max_life,
            forgot_until: self.senders.forgot_until,
            last_beat: self.beats.last,
            own_last: self.own_last.map(|r| OwnLast {
                hash: r.hash,
                counter: r.counter,
                sent_at: r.sent_at,
                ends_at: r.ends_at,
                epoch: stored_epoch(r.epoch),
            }),
            first_epoch: self.first_epoch,
        }
    }
}

/// Quick rooms' entries stay as they were.
fn stored_epoch(epoch: u64) -> Option<u64> {
    (epoch > 0).then_some(epoch)
}

impl OwnLast {
    fn reference(self, sender: PublicKey) -> Reference {
        let Self { hash, counter, sent_at, ends_at, epoch } = self;
        Reference { hash, sender, counter, epoch: epoch.unwrap_or(0), sent_at, ends_at }
    }
}

impl LetterEntry {
    fn of(node: &Node, graph: &Graph) -> Self {
        let known = node.known.iter().filter_map(|n| graph.node(*n)).map(|n| n.hash);
        let parents = known.chain(node.missing.iter().copied()).flatten().collect();
        Self {
            hash: node.hash,
            sender: node.sender,
            author: node.author,
            counter: node.counter,
            sent_at: node.sent_at,
            ends_at: node.ends_at,
            kind: match node.kind {
                Kind::Shows => 0,
                Kind::Silent => 1,
                Kind::Refused => 2,
                Kind::Held => 3,
            },
            ended: node.ended,
            time: node.time,
            step: node.step,
            reaches: node.reaches,
            parents,
            epoch: stored_epoch(node.epoch),
        }
    }

    fn node(&self) -> Option<Node> {
        Some(Node {
            hash: self.hash,
            sender: self.sender,
            author: self.author,
            person: self.author,
            counter: self.counter,
            epoch: self.epoch.unwrap_or(0),
            sent_at: self.sent_at,
            ends_at: self.ends_at,
            kind: match self.kind {
                0 => Kind::Shows,
                1 => Kind::Silent,
                2 => Kind::Refused,
                3 => Kind::Held,
                _ => return None,
            },
            ended: self.ended,
            time: self.time,
            step: self.step,
            reaches: self.reaches,
            marks: [0; 3],
            known: Vec::new(),
            missing: Vec::new(),
            heirs: 0,
        })
    }
}

impl SenderEntry {
    fn of(s: &Sender) -> Self {
        let Sender { key, next, gaps, seen_to, last_end, heard, account, gone } = s.clone();
        let account = account.map(|account| account.0.to_vec());
        Self { key, next, gaps, seen_to, last_end, heard, account, gone: gone.then_some(true) }
    }

    fn sender(self) -> Result<Sender, RestoreError> {
        let Self { key, next, gaps, seen_to, last_end, heard, account, gone } = self;
        let account = account.map(<[u8; 32]>::try_from).transpose().map_err(|_| RestoreError::Damaged)?;
        let (account, gone) = (account.map(AccountId), gone.unwrap_or(false));
        Ok(Sender { key, next, gaps, seen_to, last_end, heard, account, gone })
    }
}

impl QuestionEntry {
    fn of(q: &Question) -> Self {
        let (stage, until) = match q.stage {
            Stage::Waiting(until) => (0, until),
            Stage::Relay(until) => (1, until),
            Stage::Unasked => (2, 0),
            Stage::Author(until) => (3, until),
            Stage::Told => (4, 0),
        };
        Self {
            author: q.author,
            from: q.from,
            to: q.to,
            hash: q.hash.map(Vec::from),
            by: q.by,
            sent_at: q.sent_at,
            ends_at: q.ends_at,
            stage,
            until,
            author_denies: q.author_denies,
            other_denies: q.other_denies,
        }
    }

    fn question(self) -> Result<Question, RestoreError> {
        let stage = match self.stage {
            0 => Stage::Waiting(self.until),
            1 => Stage::Relay(self.until),
            2 => Stage::Unasked,
            3 => Stage::Author(self.until),
            4 => Stage::Told,
            _ => return Err(RestoreError::Damaged),
        };
        let hash = self.hash.map(Hash::try_from).transpose().map_err(|_| RestoreError::Damaged)?;
        Ok(Question {
            author: self.author,
            from: self.from,
            to: self.to,
            hash,
            by: self.by,
            sent_at: self.sent_at,
            ends_at: self.ends_at,
            stage,
            author_denies: self.author_denies,
            other_denies: self.other_denies,
        })
    }
}
