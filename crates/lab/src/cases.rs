//! All attacks, in the order of their numbers.

mod membership;
mod messages;
mod sight;
mod vault;

use crate::case::Case;

/// Every attack that there is, tried or not.
pub(crate) fn all() -> impl Iterator<Item = &'static Case> {
    [membership::CASES, messages::CASES, vault::CASES, sight::CASES].into_iter().flatten()
}
