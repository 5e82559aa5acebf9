//! One device's part in one MLS group (RFC 9420): the only crate that knows OpenMLS.
//!
//! It does not know relays, logs, roles or letters: bytes in, bytes out, and what must be kept in between.
#![forbid(unsafe_code)]
