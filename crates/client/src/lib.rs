//! The client's driver: sockets, vault, timers
