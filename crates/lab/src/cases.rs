//! All attacks, in the order of their numbers.

mod membership;
mod messages;

use crate::case::Case;

/// Every attack that there is, tried or not.
pub(crate) fn all() -> impl Iterator<Item = &'static Case> {
    membership::CASES.iter().chain(messages::CASES)
}
