//! What an experiment showed.

use core::fmt;

use serde::Serialize;

use crate::story::Line;

/// What became of an attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The client refuses: nothing is shown or leaked, and work goes on.
    Impossible,
    /// The client goes on and names the cause to its user.
    Told,
    /// The room or contact stands still until its user decides.
    Stopped,
    /// Something that can't be prevented, with its figure.
    Measured,
    /// The attack succeeded.
    Breached,
    /// What it attacks does not exist here yet.
    Unreached,
}

impl Outcome {
    /// The word used in tables and JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Impossible => "impossible",
            Self::Told => "told",
            Self::Stopped => "stopped",
            Self::Measured => "measured",
            Self::Breached => "breached",
            Self::Unreached => "unreached",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What seals the messages that are attacked: the rungs of the ladder, or none where an attack is not about one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seal {
    /// The classroom's first server: text as it is.
    Plain,
    /// AES in counter mode under a key from a password.
    AesCtr,
    /// Fernet.
    Fernet,
    /// Fernet whose tokens are over after a while.
    FernetTtl,
    /// A quick room.
    Quick,
    /// A private room.
    Private,
    /// Not about a seal.
    None,
}

impl Seal {
    /// The six rungs, lowest first.
    pub const LADDER: [Self; 6] =
        [Self::Plain, Self::AesCtr, Self::Fernet, Self::FernetTtl, Self::Quick, Self::Private];

    /// The word used in tables and JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::AesCtr => "aes-ctr",
            Self::Fernet => "fernet",
            Self::FernetTtl => "fernet-ttl",
            Self::Quick => "quick",
            Self::Private => "private",
            Self::None => "none",
        }
    }

    /// Whether this is one of ours, of which a promise is kept.
    #[must_use]
    pub const fn promises(self) -> bool {
        matches!(self, Self::Quick | Self::Private | Self::None)
    }
}

/// One row of the table: an attack against a seal, and what became of it.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The attack's number.
    pub attack: &'static str,
    /// Against what.
    pub seal: Seal,
    /// What became of it.
    pub outcome: Outcome,
    /// Whether that is what we promise; none where nothing is promised, or nothing was tried.
    pub held: Option<bool>,
    /// What was seen, in a sentence.
    pub detail: String,
    /// What happened, step by step.
    #[serde(skip)]
    pub story: Vec<Line>,
}
