//! The relay's rules: what a session may do and what a log answers; no I/O, no seals
