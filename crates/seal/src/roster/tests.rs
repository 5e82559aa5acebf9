//! Rosters.
