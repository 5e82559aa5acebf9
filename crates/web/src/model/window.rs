//! Which part of a timeline is drawn, and where: only what is visible and a little around it.
//!
//! Rows have the height at which they were last drawn, or a guess. The reader holds on to one row ([`Anchor`]): whatever
//! comes, goes, or turns out taller above it, that row stays where it is on the screen.

use core::ops::Range;

use crate::model::heights::Heights;
use crate::model::timeline::{Key, Timeline};

/// Pixels drawn above and below what is visible.
const OVERSCAN: f64 = 600.0;

/// Rows farther away than this are taken off; between the two they stay as they are, so that going back and forth costs nothing.
const KEPT: f64 = 800.0;

/// Nearer to the end than this is at the end.
const NEAR_END: f64 = 24.0;

/// Nearer to the top than this asks for older messages.
const NEAR_TOP: f64 = 6000.0;

/// How far from where it was a row is looked for first: a page may have come in front of it.
const NEARBY: usize = 256;

/// What the reader holds on to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Anchor {
    /// The newest message, whatever comes.
    #[default]
    End,
    /// A row, of which so many pixels are above the upper edge (fewer than none: it is below the edge).
    Row(Key, f64),
}

/// Where the rows of a timeline stand.
#[derive(Clone, Debug, Default)]
pub struct Window {
    /// The upper edge of each row, and the lower one of the last.
    tops: Vec<f64>,
    /// Where the anchor's row was when it was looked for last.
    at: usize,
    /// What the reader holds on to.
    pub anchor: Anchor,
    /// How much is visible.
    pub viewport: f64,
}

impl Window {
    /// Takes in that rows came, went or changed their heights.
    pub fn lay(&mut self, timeline: &Timeline, heights: &Heights) {
        self.tops.clear();
        let mut top = 0.0;
        for item in timeline.iter() {
            self.tops.push(top);
            top += item.drawn.map_or_else(|| heights.guess(item.guess), f64::from);
        }
        self.tops.push(top);
        if let Anchor::Row(key, _) = self.anchor {
            match timeline.position_near(key, self.at, NEARBY) {
                Some(at) => self.at = at,
                None => self.anchor = Anchor::End,
            }
        }
    }

    /// The height of everything.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.tops.last().copied().unwrap_or_default()
    }

    /// The upper edge of a row.
    #[must_use]
    pub fn top_of(&self, at: usize) -> f64 {
        self.tops.get(at).copied().unwrap_or_else(|| self.total())
    }

    /// How far must be scrolled for the anchor to be where it was.
    #[must_use]
    pub fn scroll_top(&self) -> f64 {
        let end = (self.total() - self.viewport).max(0.0);
        match self.anchor {
            Anchor::End => end,
            Anchor::Row(_, above) => (self.top_of(self.at) + above).clamp(0.0, end),
        }
    }

    /// The reader has scrolled: a new anchor.
    pub fn scrolled(&mut self, timeline: &Timeline, to: f64) {
        if to + self.viewport + NEAR_END >= self.total() {
            self.anchor = Anchor::End;
            return;
        }
        let at = self.row_at(to);
        if let Some(item) = timeline.get(at) {
            self.anchor = Anchor::Row(item.key(), to - self.top_of(at));
            self.at = at;
        }
    }

    /// Holds on to a row, at the upper edge.
    pub fn go_to(&mut self, key: Key) {
        self.anchor = Anchor::Row(key, -48.0);
    }

    /// A row went: its neighbour takes its part as the anchor.
    pub fn replace(&mut self, gone: Key, neighbour: Option<Key>) {
        if let Anchor::Row(key, above) = self.anchor
            && key == gone
        {
            self.anchor = neighbour.map_or(Anchor::End, |key| Anchor::Row(key, above));
        }
    }

    /// The rows to draw at most `limit` of in one go, when these are drawn.
    #[must_use]
    pub fn draw(&self, drawn: Range<usize>, limit: usize) -> Range<usize> {
        let (seen, wanted, kept) = (self.around(0.0), self.around(OVERSCAN), self.around(KEPT));
        let mut have = drawn.start.max(kept.start)..drawn.end.min(kept.end);
        let apart = have.is_empty() || have.start > seen.end || have.end < seen.start;
        let mut left = limit.max(1);
        if apart {
            // From the newest of what is visible upwards.
            have = seen.end..seen.end;
        }
        for reach in [seen, wanted] {
            let down = reach.end.saturating_sub(have.end).min(left);
            have.end += down;
            left -= down;
            let up = have.start.saturating_sub(reach.start).min(left);
            have.start -= up;
            left -= up;
        }
        have
    }

    /// Whether all is drawn that should be.
    #[must_use]
    pub fn is_drawn(&self, drawn: &Range<usize>) -> bool {
        let wanted = self.around(OVERSCAN);
        drawn.start <= wanted.start && drawn.end >= wanted.end
    }

    /// The rows that are visible, or so near to it.
    fn around(&self, more: f64) -> Range<usize> {
        let count = self.tops.len().saturating_sub(1);
        let top = self.scroll_top();
        self.row_at((top - more).max(0.0)).min(count)..(self.row_at(top + self.viewport + more) + 1).min(count)
    }

    /// Whether the reader is so near the top that older messages are wanted.
    #[must_use]
    pub fn wants_older(&self, timeline: &Timeline) -> bool {
        timeline.more && self.scroll_top() < NEAR_TOP
    }

    /// The row at a height.
    fn row_at(&self, y: f64) -> usize {
        self.tops.partition_point(|&top| top <= y).saturating_sub(1)
    }
}

#[cfg(test)]
mod tests;
