//! The vault's own tests.
