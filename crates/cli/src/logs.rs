//! The log on stderr. What may stand in it is settled where it is written; here only how much of it is shown.

use std::io::IsTerminal as _;

use tracing_subscriber::filter::{EnvFilter, LevelFilter};
use tracing_subscriber::fmt;
use tracing_subscriber::prelude::*;

use crate::args::LogFormat;
use crate::fail::Failure;

/// The variable that sets how much is told.
const VARIABLE: &str = "ESTOILE_LOG";

/// Libraries on the client's side that tell hosts or a frame's bytes at their lower levels. No line of ours may hold a
/// user's address, so theirs are told from `warn` on. The relay uses none of them.
const DISCREET: [&str; 4] = ["tungstenite", "tokio_tungstenite", "rustls::client", "zbus"];

/// Begins to log, at `default` unless the environment says otherwise.
pub(crate) fn begin(format: LogFormat, default: LevelFilter) -> Result<(), Failure> {
    let wanted = std::env::var(VARIABLE).unwrap_or_default();
    let mut filter = EnvFilter::builder().with_default_directive(default.into()).parse(&wanted).map_err(|e| {
        Failure::usage(format_args!(
            "{VARIABLE} is not understood ({e}); set it to error, warn, info, debug or trace, or to target=level,…"
        ))
    })?;
    for library in DISCREET {
        if let Ok(directive) = format!("{library}=warn").parse() {
            filter = filter.add_directive(directive);
        }
    }
    let lines = fmt::layer().with_writer(std::io::stderr);
    let registry = tracing_subscriber::registry().with(filter);
    let begun = match format {
        LogFormat::Human => registry.with(lines.with_ansi(colours())).try_init(),
        LogFormat::Json => registry.with(lines.json()).try_init(),
    };
    begun.map_err(Failure::new)
}

fn colours() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
}
