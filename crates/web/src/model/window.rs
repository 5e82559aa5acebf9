//! Which part of a timeline is drawn, and where: only what is visible and a little around it.
//!
//! Rows have the height at which they were last drawn, or a guess. The reader holds on to one row ([`Anchor`]): whatever
//! comes, goes, or turns out taller above it, that row stays where it is on the screen.

use core::ops::Range;

use crate::model::timeline::{Body, Key, Timeline};

/// Pixels drawn above and below what is visible.
const OVERSCAN: f64 = 800.0;

/// Rows at whose multiples the drawn part begins and ends, so that it does not change with every pixel.
const STEP: usize = 8;

/// Nearer to the end than this is at the end.
const NEAR_END: f64 = 24.0;

/// Nearer to the top than this asks for older messages.
const NEAR_TOP: f64 = 2000.0;

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
            top += item.drawn.map_or_else(|| heights.guess(&item.body), f64::from);
        }
        self.tops.push(top);
        if let Anchor::Row(key, _) = self.anchor
            && timeline.position(key).is_none()
        {
            self.anchor = Anchor::End;
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
    pub fn scroll_top(&self, timeline: &Timeline) -> f64 {
        let end = (self.total() - self.viewport).max(0.0);
        match self.anchor {
            Anchor::End => end,
            Anchor::Row(key, above) => match timeline.position(key) {
                Some(at) => (self.top_of(at) + above).clamp(0.0, end),
                None => end,
            },
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

    /// The rows to draw.
    #[must_use]
    pub fn range(&self, timeline: &Timeline) -> Range<usize> {
        let count = self.tops.len().saturating_sub(1);
        let top = self.scroll_top(timeline);
        let from = self.row_at((top - OVERSCAN).max(0.0)) / STEP * STEP;
        let to = (self.row_at(top + self.viewport + OVERSCAN) / STEP + 1) * STEP;
        from.min(count)..to.min(count)
    }

    /// Whether the reader is so near the top that older messages are wanted.
    #[must_use]
    pub fn wants_older(&self, timeline: &Timeline) -> bool {
        timeline.more && self.scroll_top(timeline) < NEAR_TOP
    }

    /// The row at a height.
    fn row_at(&self, y: f64) -> usize {
        self.tops.partition_point(|&top| top <= y).saturating_sub(1)
    }
}

/// Guesses for rows that were never drawn, good enough that a scroll bar does not jump much.
#[derive(Clone, Copy, Debug)]
pub struct Heights {
    /// Characters that fit into a line.
    pub columns: u32,
    /// A line of text.
    pub line: f64,
    /// All of a row but its text.
    pub rest: f64,
}

impl Default for Heights {
    fn default() -> Self {
        Self { columns: 70, line: 23.0, rest: 34.0 }
    }
}

impl Heights {
    fn guess(self, body: &Body) -> f64 {
        let bytes = match body {
            Body::Message(m) => m.text.len(),
            Body::Notice(n) => n.detail.len() + n.advice.len() + 60,
        };
        let lines = u32::try_from(bytes).unwrap_or(u32::MAX) / self.columns.max(1) + 1;
        f64::from(lines.min(crate::model::shown::FOLD_LINES)).mul_add(self.line, self.rest)
    }
}

#[cfg(test)]
mod tests;
