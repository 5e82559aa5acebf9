//! Section A: who belongs to a room, and who somebody is.

use crate::case::Case;

/// The cases.
pub(super) const CASES: &[Case] = &[];
