//! The relay through its public doors: real sockets, and `tokio-tungstenite` as the other end.
#![allow(missing_docs, unreachable_pub)]

mod abuse;
mod browser;
mod endings;
mod limits;
mod secure;
mod sessions;
mod support;
