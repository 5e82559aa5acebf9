//! What must be right before anything is sealed here, and when it is asked: the known answers of the primitives.
//!
//! They take as long as all else of a start. Whoever opens what is kept looks at it first: until the page has a room to show, or
//! asks for something to be done, or a moment has passed, nothing is done here that would need them.

use estoile_engine::{Input, WrongAnswer, face, known_answers_of_groups, known_answers_of_seals};
use estoile_port::{Ask, Stage};

use crate::client::Client;
use crate::mind::Mind;
use crate::outside::Outside;

/// How long a page has to ask for what it shows, in milliseconds: on a machine that is four times slower than ours it takes 50.
/// A page that has no room to show is connected after it.
const LOOK_MS: u64 = 400;

/// Known answers that were not asked yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unproved {
    seals: bool,
    groups: bool,
}

impl Unproved {
    /// Groups are asked where there is an account.
    pub(crate) const AT_FIRST: Self = Self { seals: true, groups: false };
    const NOTHING: Self = Self { seals: false, groups: false };

    pub(crate) const fn any(self) -> bool {
        self.seals || self.groups
    }
}

impl<O: Outside> Client<O> {
    /// Asks the known answers that are due, and lets an opened vault's first turn come; a wrong one ends all work here.
    pub(crate) fn prove(&mut self) {
        let due = core::mem::replace(&mut self.unproved, Unproved::NOTHING);
        let seals = if due.seals { known_answers_of_seals() } else { Ok(()) };
        let groups = if due.groups { known_answers_of_groups() } else { Ok(()) };
        if let Err(wrong) = sound(seals.and(groups)) {
            self.let_go(&wrong);
            self.enter(Stage::Unable(wrong));
        } else if self.open.is_some() {
            self.inputs.insert(0, Input::Timer);
        }
    }

    /// Proves what has to be before this is done.
    pub(crate) fn prove_for(&mut self, ask: &Ask) {
        let looks = match ask {
            Ask::Face(face::Ask::Command(_)) => false,
            // What it opens decides for itself.
            Ask::Begin { .. } => true,
            Ask::Face(_) | Ask::ReadLink { .. } | Ask::Settings | Ask::Scan { .. } | Ask::Cancel(_) => true,
            _ => false,
        };
        if self.unproved.any() && !looks {
            self.prove();
        }
    }

    /// An opened vault's first turn comes at once, when somebody has looked, or when it is awake. `account`: it stands on the
    /// answers of groups, too.
    pub(crate) fn first_turn(&mut self, account: bool, waking: bool) {
        self.unproved.groups |= account;
        if waking {
            return;
        }
        if self.unproved.any() {
            self.out.alarm(LOOK_MS);
        } else {
            self.inputs.push(Input::Timer);
        }
    }

    /// The page has what it shows: the first turn can come.
    pub(crate) fn looked(&mut self) {
        let waking = self.open.as_ref().is_none_or(|open| matches!(open.mind, Mind::Waking(_)));
        if !waking && self.unproved.any() {
            self.flush();
            self.prove();
        }
    }
}

/// Whether this machine computes as it must, by what it answered where the answers are published.
pub(crate) fn sound(answers: Result<(), WrongAnswer>) -> Result<(), String> {
    answers.map_err(|wrong| format!("{wrong}"))
}
