//! The relay through its public doors: real sockets, and `tokio-tungstenite` as the other end.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::cast_possible_truncation,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking"
)]

mod abuse;
mod blobs;
mod browser;
mod endings;
mod holder;
mod hostile;
mod limits;
mod rooms;
mod secure;
mod sessions;
mod site;
mod support;
mod tls;
