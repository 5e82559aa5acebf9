//! How tall rows are that were never drawn: guesses that become right.
//!
//! A right guess is worth more than a scroll bar that does not jump: where a row turns out otherwise, all rows above or below
//! move, and the browser lays them out twice in one frame. So this does not average. It takes what most rows say, to the
//! pixel: rows of one line under a name, rows that go on from the one above, and lines each have one height, mostly.

use crate::model::timeline::Body;

/// Letters that fit into a line, mostly.
const COLUMNS: usize = 100;

/// Heights that are nearer to each other than this are one, pixels.
const SAME: f64 = 0.1;

/// What of a row its height is guessed by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Guess {
    /// Lines that its text takes.
    pub lines: u16,
    /// It goes on from the message above: no name.
    pub joined: bool,
}

impl Guess {
    /// On a page of a usual width, for something that stands alone.
    #[must_use]
    pub fn of(body: &Body) -> Self {
        let of = |text: &str| text.len() / COLUMNS + text.matches('\n').count() + 1;
        let lines = match body {
            Body::Message(m) => of(&m.text),
            Body::Notice(n) => of(&n.detail) + of(&n.advice) + 1,
        };
        let lines = u16::try_from(lines).unwrap_or(u16::MAX).min(crate::model::shown::FOLD_LINES);
        Self { lines, joined: false }
    }
}

/// What most of those say that were asked (Boyer and Moore, MJRTY, 1981): a few others change nothing.
#[derive(Clone, Copy, Debug)]
struct Most {
    value: f64,
    lead: u8,
}

impl Most {
    /// A lead that no other value takes away in a screenful of rows.
    const ENOUGH: u8 = 16;

    const fn first(value: f64) -> Self {
        Self { value, lead: 0 }
    }

    fn say(&mut self, value: f64) {
        if (self.value - value).abs() < SAME {
            self.lead = (self.lead + 1).min(Self::ENOUGH);
        } else if self.lead == 0 {
            *self = Self { value, lead: 1 };
        } else {
            self.lead -= 1;
        }
    }
}

/// What is known of rows' heights.
#[derive(Clone, Copy, Debug)]
pub struct Heights {
    /// A row of one line under a name, and one that goes on.
    one: [Most; 2],
    /// A line more.
    line: Most,
}

impl Default for Heights {
    fn default() -> Self {
        Self { one: [Most::first(54.0), Most::first(30.0)], line: Most::first(24.0) }
    }
}

impl Heights {
    /// How tall a row is, probably; pixels.
    #[must_use]
    pub fn guess(&self, guess: Guess) -> f64 {
        let [named, joined] = self.one;
        let one = if guess.joined { joined } else { named };
        f64::from(guess.lines.saturating_sub(1)).mul_add(self.line.value, one.value)
    }

    /// A row turned out so tall.
    pub fn learn(&mut self, guess: Guess, height: f32) {
        let [named, joined] = &mut self.one;
        let one = if guess.joined { joined } else { named };
        match guess.lines {
            1 => one.say(f64::from(height)),
            2 if f64::from(height) - one.value > SAME => self.line.say(f64::from(height) - one.value),
            // A long text that is wrapped elsewhere than was guessed says nothing.
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMED: Guess = Guess { lines: 1, joined: false };
    const JOINED: Guess = Guess { lines: 1, joined: true };

    #[test]
    fn what_most_rows_say_is_guessed_to_the_pixel() {
        let mut heights = Heights::default();
        for at in 0..100_u16 {
            heights.learn(NAMED, if at % 5 == 4 { 90.0 } else { 61.25 });
            heights.learn(JOINED, 33.5);
            heights.learn(Guess { lines: 2, ..JOINED }, 59.0);
        }
        let close = |guess: Guess, height: f64| (heights.guess(guess) - height).abs() < 1e-6;
        assert!(close(NAMED, 61.25) && close(JOINED, 33.5), "{heights:?}");
        assert!(close(Guess { lines: 3, ..NAMED }, 61.25 + 2.0 * 25.5), "{heights:?}");
    }

    #[test]
    fn another_size_of_text_is_learned_anew() {
        let mut heights = Heights::default();
        (0..100).for_each(|_| heights.learn(JOINED, 30.0));
        (0..40).for_each(|_| heights.learn(JOINED, 48.0));
        assert!((heights.guess(JOINED) - 48.0).abs() < 1e-6);
    }

    #[test]
    fn long_texts_count_as_many_lines_and_no_more_than_are_shown() {
        let text = |text: String| {
            let message = crate::model::timeline::tests::message(1, "Ann", &text);
            Guess::of(&Body::Message(Box::new(message))).lines
        };
        assert_eq!(text("x".into()), 1);
        assert_eq!(text("x\n".repeat(3)), 4);
        assert_eq!(text("x".repeat(250)), 3);
        assert_eq!(text("x\n".repeat(1000)), crate::model::shown::FOLD_LINES);
    }
}
