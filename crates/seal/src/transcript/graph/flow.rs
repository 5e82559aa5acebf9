//! What flows along the graph's edges: places downwards, confirmations upwards.

use std::collections::{BTreeMap, BTreeSet};

use estoile_wire::Millis;

use super::{Graph, Kind, Node, Number, SenderNumber};
use crate::transcript::types::{Hash, Moved, Place};

impl Graph {
    /// A letter was sent in a later epoch than it was written in.
    pub(in crate::transcript) fn set_epoch(&mut self, hash: &Hash, epoch: u64) {
        let Some(number) = self.number(hash) else { return };
        if let Some(node) = self.node_mut(number).filter(|n| n.epoch < epoch) {
            node.epoch = epoch;
            self.dirty.insert(number);
        }
    }

    /// Puts every descendant of these where it must stand now. Returns those that changed, with their old places.
    pub(super) fn settle(&mut self, starts: &[Number]) -> Vec<(Number, Place)> {
        let children: Vec<_> = starts.iter().flat_map(|n| self.children(*n)).collect();
        self.settle_from(&children)
    }

    /// Puts these and their descendants where they must stand now. Each is visited once: they are taken in the order in
    /// which they stood, and what lies before one stood before it.
    pub(super) fn settle_from(&mut self, starts: &[Number]) -> Vec<(Number, Place)> {
        let mut work: BTreeMap<Place, Number> = BTreeMap::new();
        let mut changed: Vec<(Number, Place)> = Vec::new();
        self.queue(starts, &mut work);
        while let Some((old, number)) = work.pop_first() {
            let Some((time, step, reaches)) = self.stand(number) else { continue };
            let Some(node) = self.node_mut(number) else { continue };
            if (node.time, node.step, node.reaches) == (time, step, reaches) {
                continue;
            }
            (node.time, node.step, node.reaches) = (time, step, reaches);
            changed.push((number, old));
            let children = self.children(number);
            self.queue(&children, &mut work);
        }
        self.reindex(&changed);
        changed
    }

    /// Where a letter must stand, by its living parents, and how far it reaches, by all of them.
    fn stand(&self, number: Number) -> Option<(Millis, u32, u64)> {
        let node = self.node(number)?;
        let mut place = (node.sent_at, 0);
        let mut reaches = node.reaches;
        for parent in node.known.iter().filter_map(|n| self.node(*n)).filter(|p| p.kind.real()) {
            reaches = reaches.max(parent.reaches);
            if parent.lives() {
                place = place.max((parent.time, parent.step.saturating_add(1)));
            }
        }
        Some((place.0, place.1, reaches))
    }

    fn queue(&self, numbers: &[Number], work: &mut BTreeMap<Place, Number>) {
        for number in numbers {
            if let Some(node) = self.node(*number).filter(|n| n.kind.real()) {
                work.insert(node.place(), *number);
            }
        }
    }

    /// Puts letters into the indices where they stand now.
    fn reindex(&mut self, changed: &[(Number, Place)]) {
        let was: Vec<_> = changed
            .iter()
            .map(|(_, old)| (self.all.remove(old), self.timeline.remove(old), self.heads.remove(old)))
            .collect();
        for ((number, _), (_, shown, head)) in changed.iter().zip(was) {
            let Some(new) = self.node(*number).map(Node::place) else { continue };
            self.all.insert(new, *number);
            if shown {
                self.timeline.insert(new);
            }
            if head.is_some() {
                self.heads.insert(new, *number);
            }
        }
    }

    /// What a face has to know of letters that changed.
    pub(super) fn moved(&self, changed: &[(Number, Place)]) -> Vec<Moved> {
        let places = changed.iter().filter_map(|(n, old)| Some((self.node(*n)?.place(), old)));
        let moved = places.filter(|(place, old)| place != *old && self.timeline.contains(place));
        let mut places: Vec<_> = moved.map(|(place, _)| place).collect();
        places.sort_unstable();
        places.into_iter().map(|p| Moved { hash: p.hash, place: p, after: self.after(&p) }).collect()
    }

    /// Who has the new letter among what lies before their own: its author, and whoever had its children.
    pub(super) fn mark_new(&mut self, number: Number) {
        let Some(author) = self.node(number).map(|n| n.person) else { return };
        if self.node(number).is_some_and(|n| self.needs_confirming(n)) {
            self.unconfirmed.insert(number);
        }
        self.mark(number, author);
        let mut below = BTreeSet::new();
        for child in self.children(number) {
            below.extend(self.node(child).filter(|c| c.kind.real()).map_or([0; 3], |c| c.marks));
        }
        for who in below.into_iter().filter(|w| *w != 0) {
            self.mark(number, who);
        }
    }

    fn needs_confirming(&self, node: &Node) -> bool {
        node.lives()
            && node.kind == Kind::Shows
            && node.person != self.me
            && !node.marks.contains(&self.me)
            && node.marks.contains(&0)
    }

    /// Marks a letter and all before it as known to `who`. Stops where that was so already, or where enough know: what
    /// lies before such a letter is in the same state. So each letter is entered at most three times ever.
    fn mark(&mut self, start: Number, who: SenderNumber) {
        let mut stack = vec![start];
        while let Some(number) = stack.pop() {
            let Some(node) = self.node_mut(number).filter(|n| n.kind.real()) else { continue };
            if node.marks.contains(&who) {
                continue;
            }
            let Some(free) = node.marks.iter_mut().find(|m| **m == 0) else { continue };
            *free = who;
            stack.extend(&node.known);
            if self.node(number).is_some_and(|n| !self.needs_confirming(n)) {
                self.unconfirmed.remove(&number);
            }
        }
    }
}
