//! The client's brain: inputs in, turns out; no I/O
