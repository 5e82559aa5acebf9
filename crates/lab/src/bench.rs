//! One experiment: a world, what is expected of it, and what was seen. Every expectation is about what a user sees, what goes
//! over the wire, or what is stored; one that fails makes the attack a breach.

use estoile_wire::Millis;

use crate::outcome::{Outcome, Row, Seal};
use crate::world::{Broken, Done, World};

/// Where an expectation looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum On {
    /// The user's screen.
    Screen,
    /// The wire.
    Wire,
    /// A vault, or the relay's store.
    Store,
}

impl On {
    const fn word(self) -> &'static str {
        match self {
            Self::Screen => "on the screen",
            Self::Wire => "on the wire",
            Self::Store => "in the store",
        }
    }
}

/// An experiment under way.
pub(crate) struct Bench {
    pub(crate) seed: u64,
    pub(crate) wall: Millis,
    pub(crate) seal: Seal,
    /// How a face shows the text of others.
    pub(crate) show: fn(&str) -> String,
    failed: Vec<String>,
    passed: usize,
    saw: Vec<String>,
    /// The story of the world that was looked at last.
    story: Vec<crate::story::Line>,
}

impl Bench {
    pub(crate) fn new(seed: u64, wall: Millis, seal: Seal, show: fn(&str) -> String) -> Self {
        Self { seed, wall, seal, show, failed: Vec::new(), passed: 0, saw: Vec::new(), story: Vec::new() }
    }

    /// A world for this experiment.
    pub(crate) fn world(&self) -> Done<World> {
        World::new(self.seed, self.wall)
    }

    /// Expects this; `what` says what holds when it does.
    pub(crate) fn expect(&mut self, on: On, holds: bool, what: impl Into<String>) {
        let what = what.into();
        if holds {
            self.passed = self.passed.saturating_add(1);
        } else {
            self.failed.push(format!("{}: not so: {what}", on.word()));
        }
    }

    /// Something worth saying in the row.
    pub(crate) fn saw(&mut self, what: impl Into<String>) {
        self.saw.push(what.into());
    }

    /// The world is looked at no more: its story is this experiment's.
    pub(crate) fn keep_story(&mut self, world: World) {
        self.story.extend(world.story.into_lines());
    }

    /// The row: `promised` is what the outcome must be.
    pub(crate) fn row(self, attack: &'static str, promised: Outcome, result: Done) -> Row {
        let Self { seal, failed, passed, saw, story, .. } = self;
        let row = |outcome, held, detail| Row { attack, seal, outcome, held, detail, story };
        match result {
            Err(Broken(why)) => row(Outcome::Breached, Some(false), format!("the experiment broke down: {why}")),
            Ok(()) if !failed.is_empty() => row(Outcome::Breached, Some(false), failed.join("; ")),
            Ok(()) if passed == 0 => row(Outcome::Breached, Some(false), "the experiment looked at nothing".into()),
            Ok(()) => row(promised, Some(true), saw.join("; ")),
        }
    }
}
