//! `estoile fernet`.

use std::ffi::OsString;

use clap::{Args, Subcommand};

/// Encrypt and decrypt Fernet tokens.
#[derive(Debug, Args)]
pub(crate) struct Fernet {
    #[command(subcommand)]
    pub(crate) action: FernetAction,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum FernetAction {
    /// Print a fresh key (url-safe base64, 44 characters)
    Key,
    /// Print the token of a text
    Encrypt {
        #[command(flatten)]
        key: KeyArg,
        /// Stamp the token with this time, seconds since 1970, instead of the clock's
        #[arg(long, value_name = "UNIX")]
        now: Option<u64>,
        /// The text, byte for byte; without it stdin, to its end, a last newline included
        #[arg(value_name = "TEXT", allow_hyphen_values = true)]
        text: Option<OsString>,
    },
    /// Print the text of a token, if its key is right and its time is not over
    Decrypt {
        #[command(flatten)]
        key: KeyArg,
        /// Refuse tokens that are older than so many seconds, or more than 60 s in the future; without it time does not matter
        #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
        ttl: Option<i64>,
        /// Judge by this time, seconds since 1970, instead of the clock's
        #[arg(long, value_name = "UNIX")]
        now: Option<u64>,
        /// The token; without it stdin. White space around it does not matter
        #[arg(value_name = "TOKEN", allow_hyphen_values = true)]
        token: Option<OsString>,
    },
}

/// The key of a token.
#[derive(Debug, Args)]
pub(crate) struct KeyArg {
    /// Fernet's key, url-safe base64 (it may begin with -); others on this machine can see a command line, not the environment
    #[arg(long, value_name = "KEY", env = "ESTOILE_FERNET_KEY", hide_env_values = true, allow_hyphen_values = true)]
    pub(crate) key: Option<OsString>,
}
