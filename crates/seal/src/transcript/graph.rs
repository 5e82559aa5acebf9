//! The letters that live, who names whom, and where each stands. Knows nothing of replay, questions or time of day.
//!
//! A letter's *place* is the latest `sent_at` among itself and all living letters before it, then the number of steps
//! since; so a parent always stands before its child, whatever the clocks said, and members who know the same living
//! letters agree, whatever they have read that has ended. A letter that comes late, or ends, may move its descendants.
//!
//! Either costs at most one visit of each descendant, each with at most 16 parents.

mod flow;

use std::collections::{BTreeMap, BTreeSet};

use estoile_wire::{Millis, PublicKey};

use super::types::{Hash, Moved, Place};

/// A letter's number in its graph and in the vault; used again when the letter is gone.
pub(super) type Number = u32;
/// A sender's number; 0 is nobody.
pub(super) type SenderNumber = u32;

/// What a node stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A letter that shows something.
    Shows,
    /// A beat, or a letter that shows nothing.
    Silent,
    /// Refused: known to have been, nothing more.
    Refused,
    /// Held until its time has come.
    Held,
}

impl Kind {
    /// Whether it is a letter and not only the memory of one.
    pub(super) fn real(self) -> bool {
        matches!(self, Self::Shows | Self::Silent)
    }
}

/// One letter.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) hash: Hash,
    pub(super) sender: PublicKey,
    pub(super) author: SenderNumber,
    /// Whose sender that is: one number for all devices of an account.
    pub(super) person: SenderNumber,
    pub(super) counter: u64,
    pub(super) epoch: u64,
    pub(super) sent_at: Millis,
    pub(super) ends_at: Option<Millis>,
    pub(super) kind: Kind,
    /// Its time is over; its place in the graph stays for a while.
    pub(super) ended: bool,
    pub(super) time: Millis,
    pub(super) step: u32,
    /// One more than the highest counter of our own among itself and what lies before it; 0: none. Our letters are a
    /// chain, so this one number says which of them are among its ancestors.
    pub(super) reaches: u64,
    /// Whose it is, then the first two others (persons) who have it among their ancestors: enough to know that no beat is needed.
    pub(super) marks: [SenderNumber; 3],
    pub(super) known: Vec<Number>,
    pub(super) missing: Vec<Hash>,
    /// How many living letters name it that live at least as long: without any it is a head. So whoever reads a letter
    /// while some of its past lives finds that past connected to it by letters that live as well.
    pub(super) heirs: u32,
}

impl Node {
    pub(super) fn place(&self) -> Place {
        Place { time: self.time, step: self.step, sent_at: self.sent_at, hash: self.hash }
    }

    fn lives(&self) -> bool {
        self.kind.real() && !self.ended
    }

    /// Stands after a living parent.
    fn stand_after(&mut self, (time, step): (Millis, u32)) {
        (self.time, self.step) = (self.time, self.step).max((time, step.saturating_add(1)));
    }
}

/// What an insertion did besides inserting.
#[derive(Default)]
pub(super) struct Effects {
    /// Senders whose letters now reach further along our own chain.
    pub(super) reached: Vec<(PublicKey, u64)>,
    /// Letters that show something and changed their order.
    pub(super) moved: Vec<Moved>,
}

/// The graph.
#[derive(Clone, Debug, Default)]
pub(super) struct Graph {
    nodes: Vec<Option<Node>>,
    free: Vec<Number>,
    by_hash: BTreeMap<Hash, Number>,
    /// (author, counter, number).
    by_counter: BTreeSet<(SenderNumber, u64, Number)>,
    /// (parent, child).
    edges: BTreeSet<(Number, Number)>,
    /// (missing parent, child).
    waiting: BTreeSet<(Hash, Number)>,
    /// Every real letter.
    all: BTreeMap<Place, Number>,
    /// Living letters that show something.
    timeline: BTreeSet<Place>,
    /// Living letters without an heir.
    heads: BTreeMap<Place, Number>,
    /// Letters of others that we have not confirmed, and fewer than two others have.
    unconfirmed: BTreeSet<Number>,
    /// Children of letters that have ended: their places may have to change.
    orphaned: BTreeSet<Number>,
    /// Our own person.
    me: SenderNumber,
    dirty: BTreeSet<Number>,
}

impl Graph {
    pub(super) fn new(me: SenderNumber) -> Self {
        Self { me, ..Self::default() }
    }

    pub(super) fn number(&self, hash: &Hash) -> Option<Number> {
        self.by_hash.get(hash).copied()
    }

    pub(super) fn node(&self, number: Number) -> Option<&Node> {
        self.nodes.get(usize::try_from(number).ok()?)?.as_ref()
    }

    pub(super) fn get(&self, hash: &Hash) -> Option<&Node> {
        self.node(self.number(hash)?)
    }

    fn node_mut(&mut self, number: Number) -> Option<&mut Node> {
        self.nodes.get_mut(usize::try_from(number).ok()?)?.as_mut()
    }

    pub(super) fn len(&self) -> usize {
        self.by_hash.len()
    }

    /// The letters under one counter (more than one: two-faced).
    pub(super) fn under(&self, author: SenderNumber, counter: u64) -> impl Iterator<Item = &Node> {
        self.by_counter
            .range((author, counter, 0)..=(author, counter, Number::MAX))
            .filter_map(|&(_, _, n)| self.node(n))
    }

    /// The letters of one sender from one counter to another (exclusive).
    pub(super) fn between(&self, author: SenderNumber, from: u64, to: u64) -> impl Iterator<Item = &Node> {
        self.by_counter
            .range((author, from, 0)..(author, to, 0))
            .filter_map(|&(_, _, n)| self.node(n))
            .filter(|n| n.kind.real())
    }

    /// Numbers whose entries changed or went since the last call.
    pub(super) fn take_dirty(&mut self) -> BTreeSet<Number> {
        core::mem::take(&mut self.dirty)
    }

    pub(super) fn unconfirmed(&self) -> bool {
        !self.unconfirmed.is_empty()
    }

    /// Heads, newest first.
    pub(super) fn heads(&self) -> impl DoubleEndedIterator<Item = &Node> {
        self.heads.values().rev().filter_map(|&n| self.node(n))
    }

    /// Living letters that show something, newest first, before a place.
    pub(super) fn timeline(&self, before: Option<Place>) -> impl Iterator<Item = Hash> + '_ {
        use core::ops::Bound::{Excluded, Unbounded};
        let upper = before.map_or(Unbounded, Excluded);
        self.timeline.range((Unbounded, upper)).rev().map(|p| p.hash)
    }

    /// Whether a living letter that shows something stands here.
    pub(super) fn is_shown(&self, place: &Place) -> bool {
        self.timeline.contains(place)
    }

    /// What shows right before a place.
    pub(super) fn after(&self, place: &Place) -> Option<Hash> {
        self.timeline.range(..*place).next_back().map(|p| p.hash)
    }

    /// The letter that stands first of all.
    pub(super) fn first(&self) -> Option<Number> {
        self.all.values().next().copied()
    }

    fn children(&self, parent: Number) -> Vec<Number> {
        self.edges.range((parent, 0)..=(parent, Number::MAX)).map(|&(_, c)| c).collect()
    }

    fn claim(&mut self) -> Number {
        if let Some(number) = self.free.pop() {
            return number;
        }
        self.nodes.push(None);
        Number::try_from(self.nodes.len().saturating_sub(1)).unwrap_or(Number::MAX)
    }

    /// Puts a node at a number without linking it.
    fn place_at(&mut self, number: Number, node: Node) {
        self.by_hash.insert(node.hash, number);
        self.by_counter.insert((node.author, node.counter, number));
        if let Some(slot) = usize::try_from(number).ok().and_then(|i| self.nodes.get_mut(i)) {
            *slot = Some(node);
        }
        self.dirty.insert(number);
    }

    /// Remembers that a letter was, and nothing more.
    pub(super) fn insert_shadow(&mut self, node: Node) -> Number {
        let number = self.claim();
        let hash = node.hash;
        self.place_at(number, node);
        self.adopt(number, &hash);
        number
    }

    /// Adds a letter (or makes one of its shadow).
    pub(super) fn insert(&mut self, node: Node, parents: &[Hash]) -> (Number, Effects) {
        let number = self.number(&node.hash).unwrap_or_else(|| self.claim());
        (number, self.insert_at(number, node, parents))
    }

    /// Brings an entry of the vault back. The gaps between numbers are free once all are back.
    pub(super) fn restore_at(&mut self, number: Number, node: Node, parents: &[Hash]) -> Option<()> {
        let index = usize::try_from(number).ok()?;
        if index >= self.nodes.len() {
            self.nodes.resize(index.checked_add(1)?, None);
        }
        if self.nodes.get(index)?.is_some() || self.number(&node.hash).is_some() {
            return None;
        }
        if node.kind.real() {
            self.insert_at(number, node, parents);
        } else {
            let hash = node.hash;
            self.place_at(number, node);
            self.adopt(number, &hash);
        }
        Some(())
    }

    /// All entries are back: what is not taken is free, and nothing is to be written.
    pub(super) fn restored(&mut self) {
        let free = self.nodes.iter().zip(0..).filter(|(n, _)| n.is_none()).map(|(_, i)| i);
        self.free = free.collect();
        self.dirty.clear();
    }

    /// Links a letter, places it, moves what lies behind it.
    fn insert_at(&mut self, number: Number, mut node: Node, parents: &[Hash]) -> Effects {
        let hash = node.hash;
        for parent in parents {
            match self.number(parent) {
                Some(n) => node.known.push(n),
                None => node.missing.push(*parent),
            }
        }
        let (known, missing, lives) = (node.known.clone(), node.missing.clone(), node.lives());
        (node.time, node.step) = (node.sent_at, 0);
        for parent in known.iter().filter_map(|n| self.node(*n)).filter(|p| p.kind.real()) {
            node.reaches = node.reaches.max(parent.reaches);
            if parent.lives() {
                node.stand_after((parent.time, parent.step));
            }
        }
        self.place_at(number, node);
        self.waiting.extend(missing.into_iter().map(|m| (m, number)));
        self.adopt(number, &hash);
        for parent in known {
            self.edges.insert((parent, number));
            if lives {
                self.gained_heir(parent, number);
            }
        }
        let changed = self.settle(&[number]);
        self.index(number);
        self.mark_new(number);
        let reached = changed.iter().map(|(n, _)| *n).chain([number]).filter_map(|n| self.node(n));
        let reached = reached.map(|n| (n.sender, n.reaches)).collect();
        Effects { reached, moved: self.moved(&changed) }
    }

    /// Children that waited for this letter find it.
    fn adopt(&mut self, number: Number, hash: &Hash) {
        let children: Vec<_> = self.waiting.range((*hash, 0)..=(*hash, Number::MAX)).map(|&(_, c)| c).collect();
        for child in children {
            self.waiting.remove(&(*hash, child));
            self.edges.insert((number, child));
            if let Some(c) = self.node_mut(child) {
                c.missing.retain(|m| m != hash);
                c.known.push(number);
            }
        }
    }

    /// Whether one letter lives at least as long as another that it names.
    fn outlives(&self, child: Number, parent: Number) -> bool {
        let end = |n| self.node(n).map(|n| n.ends_at.unwrap_or(Millis::MAX));
        end(child) >= end(parent)
    }

    fn gained_heir(&mut self, parent: Number, child: Number) {
        if !self.outlives(child, parent) {
            return;
        }
        let Some(node) = self.node_mut(parent) else { return };
        node.heirs = node.heirs.saturating_add(1);
        let place = node.place();
        self.heads.remove(&place);
    }

    fn lost_heir(&mut self, parent: Number, child: Number) {
        if !self.outlives(child, parent) {
            return;
        }
        let Some(node) = self.node_mut(parent) else { return };
        node.heirs = node.heirs.saturating_sub(1);
        if node.heirs == 0 && node.lives() {
            let place = node.place();
            self.heads.insert(place, parent);
        }
    }

    /// Puts a new letter into the indices.
    fn index(&mut self, number: Number) {
        let children = self.children(number);
        let living = children.iter().filter(|c| self.node(**c).is_some_and(Node::lives));
        let heirs = living.filter(|c| self.outlives(**c, number)).count();
        let Some(node) = self.node_mut(number) else { return };
        node.heirs = u32::try_from(heirs).unwrap_or(u32::MAX);
        let (place, lives, shows) = (node.place(), node.lives(), node.kind == Kind::Shows);
        self.all.insert(place, number);
        if lives && shows {
            self.timeline.insert(place);
        }
        if lives && heirs == 0 {
            self.heads.insert(place, number);
        }
    }

    /// A letter's time is over: it shows no more and is no head; its parents may be heads again.
    pub(super) fn end(&mut self, number: Number) {
        self.orphaned.extend(self.children(number));
        let Some(node) = self.node_mut(number).filter(|n| n.lives()) else { return };
        node.ended = true;
        let (place, parents) = (node.place(), node.known.clone());
        self.timeline.remove(&place);
        self.heads.remove(&place);
        self.unconfirmed.remove(&number);
        self.dirty.insert(number);
        for parent in parents {
            self.lost_heir(parent, number);
        }
    }

    /// Lets the children of letters that have ended stand where they would without those. Returns what moved.
    pub(super) fn settle_orphans(&mut self) -> Vec<Moved> {
        let orphaned: Vec<_> = core::mem::take(&mut self.orphaned).into_iter().collect();
        let changed = self.settle_from(&orphaned);
        self.moved(&changed)
    }

    /// Takes a letter out for good. What it gave to its children stays with them.
    pub(super) fn remove(&mut self, number: Number) -> Option<Node> {
        self.end(number);
        for child in self.children(number) {
            self.edges.remove(&(number, child));
            self.orphaned.insert(child);
            self.dirty.insert(child);
            if let Some(c) = self.node_mut(child) {
                c.known.retain(|n| *n != number);
            }
        }
        let node = self.nodes.get_mut(usize::try_from(number).ok()?)?.take()?;
        for parent in &node.known {
            self.edges.remove(&(*parent, number));
        }
        for missing in &node.missing {
            self.waiting.remove(&(*missing, number));
        }
        self.by_hash.remove(&node.hash);
        self.by_counter.remove(&(node.author, node.counter, number));
        self.all.remove(&node.place());
        self.free.push(number);
        self.dirty.insert(number);
        Some(node)
    }
}
