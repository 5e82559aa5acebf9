//! The relay's driver: sockets, store, timers
