//! The relay's only door to `tracing`. What passes is a type that can't hold anything of a user's: counts, sizes,
//! durations, refusal codes, fixed words, random connection numbers, and the relay's own listen address.
//!
//! No other module of this crate names `tracing` (`tests/quiet.rs` looks), so a body, name, key, log id, link
//! or peer's address can't slip into a line: there is no type here that would take it. Level `error` means a bug; nothing
//! on the happy path is above `debug`.

use std::net::SocketAddr;
use std::time::Duration;

use estoile_wire::Refusal;
use tracing::field::{DisplayValue, display};

/// Libraries whose records at the finest levels hold what a peer sent, with the finest level that holds none. A program
/// that sets up a subscriber must not let them say more, whatever level its owner asks for.
pub const LIBRARY_LEVELS: &[(&str, tracing::level_filters::LevelFilter, &str)] = &[(
    "rustls",
    tracing::level_filters::LevelFilter::DEBUG,
    "at trace it prints hellos and certificates: names that peers ask for, addresses, public keys",
)];

mod sealed {
    pub(crate) trait Sealed {}
}

/// What may stand in a log line. Sealed: the list of safe types is this module.
pub(crate) trait Safe: sealed::Sealed {
    type Value: tracing::Value;
    fn value(&self) -> Self::Value;
}

macro_rules! safe {
    ($($(#[$doc:meta])* $name:ident($inner:ty) as $value:ty = $to:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub(crate) struct $name(pub(crate) $inner);
        impl sealed::Sealed for $name {}
        impl Safe for $name {
            type Value = $value;
            fn value(&self) -> $value { $to(self.0) }
        }
    )*};
}

safe! {
    /// How many.
    Count(u64) as u64 = |n| n;
    /// How many bytes.
    Size(u64) as u64 = |n| n;
    /// How long, in seconds.
    Elapsed(Duration) as f64 = |d: Duration| d.as_secs_f64();
    /// Why a frame was refused.
    Code(Refusal) as &'static str = Refusal::slug;
    /// A word that stands in this program's source.
    Word(&'static str) as &'static str = |word| word;
    /// A connection's number: random, of this process only.
    Connection(u64) as u64 = |n| n;
    /// The relay's own listen address: the one address that may be told.
    Own(SocketAddr) as DisplayValue<SocketAddr> = display;
}

macro_rules! say {
    ($level:ident, $text:literal $(, $name:ident = $value:expr)* $(,)?) => {
        tracing::event!(target: "estoile_relay", tracing::Level::$level, $($name = Safe::value(&$value),)* $text)
    };
}

pub(crate) fn listening(address: Own, capacity: Count) {
    say!(DEBUG, "listening", address = address, sessions_possible = capacity);
}

pub(crate) fn metrics_listening(address: Own) {
    say!(DEBUG, "metrics listening", address = address);
}

pub(crate) fn file_limit(files: Count, sessions: Count) {
    say!(DEBUG, "the limit of open files was raised", files = files, sessions_possible = sessions);
}

pub(crate) fn accept_failed(why: Word, wait: Elapsed) {
    say!(WARN, "can't accept connections for a moment", why = why, wait_seconds = wait);
}

pub(crate) fn session_opened(connection: Connection, sessions: Count) {
    say!(DEBUG, "session opened", connection = connection, sessions = sessions);
}

pub(crate) fn session_ended(connection: Connection, why: Word, lasted: Elapsed) {
    say!(DEBUG, "session ended", connection = connection, why = why, seconds = lasted);
}

pub(crate) fn handshake_failed(connection: Connection, why: Word) {
    say!(DEBUG, "no session came of a connection", connection = connection, why = why);
}

pub(crate) fn frame_received(connection: Connection, size: Size) {
    say!(TRACE, "frame received", connection = connection, bytes = size);
}

pub(crate) fn refused(code: Code) {
    say!(DEBUG, "refused", code = code);
}

pub(crate) fn committed(appends: Count, size: Size, took: Elapsed) {
    say!(TRACE, "committed", appends = appends, bytes = size, seconds = took);
}

pub(crate) fn commit_failed(why: Word, appends: Count) {
    say!(WARN, "the store refused a batch; nothing of it was kept", why = why, appends = appends);
}

pub(crate) fn read_failed(why: Word) {
    say!(WARN, "the store could not be read; the session was told to come back", why = why);
}

pub(crate) fn expired(records: Count, took: Elapsed) {
    say!(DEBUG, "expired", records = records, seconds = took);
}

pub(crate) fn expire_failed(why: Word) {
    say!(WARN, "the store could not delete what is over; it is tried again", why = why);
}

pub(crate) fn store_broken(why: Word) {
    say!(ERROR, "the store can't go on", why = why);
}

pub(crate) fn transferred(how: Word, size: Size, took: Elapsed) {
    say!(DEBUG, "a blob's transfer ended", how = how, bytes = size, seconds = took);
}

pub(crate) fn blobs_failed() {
    say!(WARN, "blobs that are over could not be deleted; it is tried again");
}

pub(crate) fn closing(sessions: Count) {
    say!(DEBUG, "closing", sessions = sessions);
}

pub(crate) fn closed(took: Elapsed) {
    say!(DEBUG, "closed", seconds = took);
}
