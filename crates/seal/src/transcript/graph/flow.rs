//! What flows along the graph's edges: places downwards, confirmations upwards.

use std::collections::{BTreeMap, BTreeSet};

use super::{Effects, Graph, Kind, Node, Number, SenderNumber};
use crate::transcript::types::{Moved, Place};

impl Graph {
    /// Moves every descendant that must stand further down. Each is visited once: they are taken in the order in which
    /// they stood, and what lies before one stood before it.
    pub(super) fn settle(&mut self, start: Number) -> Effects {
        let mut effects = Effects::default();
        let mut work: BTreeMap<Place, Number> = BTreeMap::new();
        let mut changed: Vec<(Number, Place)> = Vec::new();
        self.queue_children(start, &mut work);
        if let Some(node) = self.node(start) {
            effects.reached.push((node.sender, node.reaches));
        }
        while let Some((old, number)) = work.pop_first() {
            let Some(parents) = self.node(number).map(|n| n.known.clone()) else { continue };
            let above: Vec<_> = parents
                .iter()
                .filter_map(|p| self.node(*p))
                .filter(|p| p.kind.real())
                .map(|p| (p.time, p.step, p.reaches))
                .collect();
            let Some(node) = self.node_mut(number) else { continue };
            let mut rose = false;
            for parent in above {
                rose |= node.follow(parent);
            }
            if !rose {
                continue;
            }
            effects.reached.push((node.sender, node.reaches));
            if node.place() != old {
                changed.push((number, old));
            }
            self.queue_children(number, &mut work);
        }
        effects.moved = self.reindex(&changed);
        effects
    }

    fn queue_children(&self, parent: Number, work: &mut BTreeMap<Place, Number>) {
        for child in self.children(parent) {
            if let Some(node) = self.node(child).filter(|c| c.kind.real()) {
                work.insert(node.place(), child);
            }
        }
    }

    /// Puts moved letters where they stand now. Those that show are reported if the order of any has changed.
    fn reindex(&mut self, changed: &[(Number, Place)]) -> Vec<Moved> {
        let before: Vec<_> = changed
            .iter()
            .filter(|(_, old)| self.timeline.contains(old))
            .map(|(n, old)| (*n, self.after(old)))
            .collect();
        let shown: Vec<_> = changed.iter().map(|(_, old)| self.timeline.remove(old)).collect();
        for ((number, old), shown) in changed.iter().zip(shown) {
            let Some(new) = self.node(*number).map(Node::place) else { continue };
            self.all.remove(old);
            self.all.insert(new, *number);
            if shown {
                self.timeline.insert(new);
            }
            if self.heads.remove(old).is_some() {
                self.heads.insert(new, *number);
            }
        }
        let places = before.iter().filter_map(|(n, was)| Some((self.node(*n)?.place(), *was)));
        let mut places: Vec<_> = places.collect();
        if places.iter().all(|(place, was)| self.after(place) == *was) {
            return Vec::new();
        }
        places.sort_unstable();
        places.iter().map(|(p, _)| Moved { hash: p.hash, place: *p, after: None }).collect()
    }

    /// Who has the new letter among what lies before their own: its author, and whoever had its children.
    pub(super) fn mark_new(&mut self, number: Number) {
        let Some(author) = self.node(number).map(|n| n.author) else { return };
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
            && node.author != self.me
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
