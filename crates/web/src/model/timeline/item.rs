//! What stands in a timeline.

use estoile_engine::{LetterId, MessageView, Notice};

use crate::model::heights::Guess;

/// What stands in a timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Said by somebody.
    Message(Box<MessageView>),
    /// Told by the engine.
    Notice(Box<Notice>),
}

/// Which item, whatever moves around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// A message.
    Message(LetterId),
    /// A notice.
    Notice(u64),
}

/// An item, with how often it changed: a view of it that knows another number is out of date.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// What it is.
    pub body: Body,
    /// Counts up within the timeline.
    pub revision: u64,
    /// A long message shown whole, because the user asked.
    pub unfolded: bool,
    /// How tall it was when it was drawn last, pixels.
    pub drawn: Option<f32>,
    /// What its height is guessed by until then.
    pub guess: Guess,
}

impl Item {
    /// Which it is.
    #[must_use]
    pub fn key(&self) -> Key {
        match &self.body {
            Body::Message(m) => Key::Message(m.id),
            Body::Notice(n) => Key::Notice(n.id),
        }
    }

    /// When it was sent or told.
    #[must_use]
    pub fn at(&self) -> u64 {
        match &self.body {
            Body::Message(m) => m.sent_at,
            Body::Notice(n) => n.at,
        }
    }

    /// The message that it is.
    #[must_use]
    pub fn message(&self) -> Option<&MessageView> {
        match &self.body {
            Body::Message(m) => Some(m),
            Body::Notice(_) => None,
        }
    }
}

/// What became of a message that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placed {
    /// A new one, at this place.
    New(usize),
    /// One that was here already.
    Known,
    /// Its place is not in memory.
    Outside,
}
