//! The log on stderr. What may stand in it is settled where it is written; here only how much of it is shown.

use std::io::IsTerminal as _;

use tracing_subscriber::filter::{EnvFilter, LevelFilter, filter_fn};
use tracing_subscriber::fmt;
use tracing_subscriber::prelude::*;

use crate::args::LogFormat;
use crate::fail::Failure;

/// The variable that sets how much is told.
const VARIABLE: &str = "ESTOILE_LOG";

/// Libraries on the client's side that tell hosts or a frame's bytes at their lower levels: no line may hold a user's
/// address, so only what they warn of is told, whatever is asked for. The relay uses none of them.
const CLIENT_LIBRARIES: [&str; 4] = ["tungstenite", "tokio_tungstenite", "rustls::client", "zbus"];

/// Libraries that tell keys' inputs and group contexts, rosters among them, at their lower levels: nothing of theirs is told.
const SILENT_LIBRARIES: [&str; 3] = ["openmls", "hpke_rs", "libcrux"];

/// Whether a record may be told at all. The relay's libraries have a list of their own.
fn discreet(target: &str, level: tracing::Level) -> bool {
    let client = CLIENT_LIBRARIES.iter().map(|library| (*library, LevelFilter::WARN));
    let relay = estoile_relay::log::LIBRARY_LEVELS.iter().map(|(library, finest, _)| (*library, *finest));
    let silent = SILENT_LIBRARIES.iter().map(|library| (*library, LevelFilter::OFF));
    client.chain(relay).chain(silent).all(|(library, finest)| level <= finest || !target.starts_with(library))
}

/// Begins to log, at `default` unless the environment says otherwise.
pub(crate) fn begin(format: LogFormat, default: LevelFilter) -> Result<(), Failure> {
    let wanted = std::env::var(VARIABLE).unwrap_or_default();
    let filter = EnvFilter::builder().with_default_directive(default.into()).parse(&wanted).map_err(|e| {
        Failure::usage(format_args!(
            "{VARIABLE} is not understood ({e}); set it to error, warn, info, debug or trace, or to target=level,…"
        ))
    })?;
    let lines = fmt::layer().with_writer(std::io::stderr);
    let quiet = filter_fn(|record| discreet(record.target(), *record.level()));
    let registry = tracing_subscriber::registry().with(filter).with(quiet);
    let begun = match format {
        LogFormat::Human => registry.with(lines.with_ansi(colours())).try_init(),
        LogFormat::Json => registry.with(lines.json()).try_init(),
    };
    begun.map_err(Failure::new)
}

fn colours() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    #[test]
    fn libraries_are_told_as_far_as_they_are_discreet() {
        assert!(!discreet("tungstenite::protocol", Level::TRACE));
        assert!(discreet("tungstenite::protocol", Level::WARN));
        assert!(!discreet("rustls::server::hs", Level::TRACE));
        assert!(discreet("rustls::server::hs", Level::DEBUG));
        assert!(discreet("hyper::proto", Level::TRACE));
        assert!(discreet("estoile_relay::log", Level::TRACE));
        for level in [Level::TRACE, Level::DEBUG, Level::INFO, Level::WARN, Level::ERROR] {
            assert!(!discreet("openmls::schedule", level) && !discreet("openmls_rust_crypto::provider", level));
        }
    }
}
