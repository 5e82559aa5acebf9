//! The `estoile` program: relay, chat and tools in one.
#![forbid(unsafe_code)]

fn main() {}
