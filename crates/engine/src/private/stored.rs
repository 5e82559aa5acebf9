//! What the vault keeps of a group beside MLS's own state.
