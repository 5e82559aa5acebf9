//! A case: one row of the list of attacks, with what is promised and how it is tried.

use crate::bench::Bench;
use crate::outcome::{Outcome, Seal};
use crate::world::Done;

/// How an attack is tried against one seal.
pub(crate) type Try = fn(&mut Bench) -> Done;

/// One attack.
pub(crate) struct Case {
    /// Its number: a letter for what it aims at, and a count.
    pub(crate) id: &'static str,
    /// Whom it hit before.
    pub(crate) precedent: &'static str,
    /// What the relay does.
    pub(crate) does: &'static str,
    /// What stands in its way, in a sentence.
    pub(crate) defence: &'static str,
    /// The defence that can be switched off in a weakened build, to prove that the case would notice.
    pub(crate) weakness: &'static str,
    /// Against what, what is promised, and how.
    pub(crate) tries: &'static [(Seal, Outcome, Try)],
}
