//! `estoile web` and `estoile verify`: the browser client from one's own machine, and a look at somebody else's.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

/// Serve the browser client from this machine: no relay can change what the browser runs.
#[derive(Debug, Args)]
pub(crate) struct Web {
    /// A relay that the client may speak to: its address or any link to it; may be given more than once
    #[arg(long = "relay", value_name = "URL", required = true)]
    pub(crate) relays: Vec<String>,
    /// Where the browser finds it, on this machine. The browser keeps the vault under this very address
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7071")]
    pub(crate) listen: SocketAddr,
    /// A folder of `cargo xtask web` to serve instead of the client that this program carries
    #[arg(long, value_name = "DIR")]
    pub(crate) web: Option<PathBuf>,
}

/// Compare what a relay serves to browsers with the client that this program carries.
#[derive(Debug, Args)]
pub(crate) struct VerifySite {
    /// The relay: https://HOST[:PORT]
    #[arg(value_name = "URL")]
    pub(crate) url: String,
    /// A folder of `cargo xtask web` to compare with instead
    #[arg(long, value_name = "DIR")]
    pub(crate) web: Option<PathBuf>,
}
