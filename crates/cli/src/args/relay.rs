//! `estoile serve` and `estoile up`: the relay's flags, each bound with its default and its reason.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use crate::values::{Bytes, Seconds, Ttl};

/// Run the relay alone.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Where to accept sessions; port 0 takes a free one. Off loopback sessions are carried by TLS
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7070")]
    pub(crate) listen: SocketAddr,
    /// The folder of records, relay key and certificate; without it the platform's own for estoile
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) tls: TlsArgs,
    /// Let anybody create rooms, on any address
    #[arg(long, conflicts_with = "entry")]
    pub(crate) open: bool,
    /// Ask for the entry code on loopback too: for a relay behind a proxy
    #[arg(long)]
    pub(crate) entry: bool,
    /// Replace the entry code by a new one; what the old one made stays
    #[arg(long, conflicts_with = "open")]
    pub(crate) rotate_entry: bool,
    /// Tell metrics (Prometheus) on an address of their own
    #[arg(long, value_name = "ADDR")]
    pub(crate) metrics: Option<SocketAddr>,
    /// Serve browsers the client in this folder (of `cargo xtask web`) instead of the one that this program carries
    #[arg(long, value_name = "DIR")]
    pub(crate) web: Option<PathBuf>,
    /// The address under which others reach this relay, for the URL that it prints
    #[arg(long, value_name = "URL")]
    pub(crate) public: Option<String>,
    #[command(flatten)]
    pub(crate) bounds: Bounds,
}

/// A certificate of the owner's own.
#[derive(Clone, Debug, Args)]
pub(crate) struct TlsArgs {
    /// A certificate chain (PEM) instead of one that the relay makes itself
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) cert: Option<PathBuf>,
    /// The certificate's private key (PEM)
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(crate) key: Option<PathBuf>,
}

/// Start here.
#[derive(Debug, Args)]
pub(crate) struct Up {
    /// Where to accept sessions: all addresses of this machine, with TLS, unless told
    #[arg(long, value_name = "ADDR", default_value = "0.0.0.0:7070")]
    pub(crate) listen: SocketAddr,
    /// The folder of the relay, and of the vault; without it the relay's is the platform's own, and the chat keeps nothing
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// The room's name, which its link shows; without it a made-up one
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// The name to use in the chat; without it a made-up one
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) own_name: Option<String>,
    /// How long messages live at most, and by default: 30s, 10m, 2h, 7d; none: as long as the relay allows
    #[arg(long, value_name = "DUR", default_value = "none", hide_default_value = true)]
    pub(crate) ttl: Ttl,
    /// Serve browsers the client in this folder (of `cargo xtask web`) instead of the one that this program carries
    #[arg(long, value_name = "DIR")]
    pub(crate) web: Option<PathBuf>,
    /// The address under which friends reach this machine, for the link: https://HOST:PORT
    #[arg(long, value_name = "URL")]
    pub(crate) public: Option<String>,
    /// Tell metrics (Prometheus) on an address of their own
    #[arg(long, value_name = "ADDR")]
    pub(crate) metrics: Option<SocketAddr>,
    #[command(flatten)]
    pub(crate) tls: TlsArgs,
    #[command(flatten)]
    pub(crate) bounds: Bounds,
}

/// Every bound of the relay that its owner may set.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Bounds")]
pub(crate) struct Bounds {
    /// The longest that a record may live: a stolen disk shows nothing older
    #[arg(long, value_name = "DUR", default_value = "30d")]
    pub(crate) max_ttl: Seconds,
    /// What records and files may take of the disk; above it appends are refused, and reading and expiry go on
    #[arg(long, value_name = "SIZE", default_value = "10G")]
    pub(crate) max_disk: Bytes,
    /// What one room's log may hold: no room takes the whole disk
    #[arg(long, value_name = "SIZE", default_value = "1G")]
    pub(crate) max_log: Bytes,
    /// Logs that one entry code may have at a time: a leaked code costs no more
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub(crate) max_logs: u64,
    /// What all logs of one entry code may hold together: a leaked code costs no more
    #[arg(long, value_name = "SIZE", default_value = "10G")]
    pub(crate) max_code: Bytes,
    /// Records in all: each takes about 60 bytes of memory while it lives, twice that in a room in use; above it appends are refused
    #[arg(long, value_name = "N", default_value_t = 20_000_000)]
    pub(crate) max_records: u64,
    /// Logs in all: each takes memory, even if nobody writes
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    pub(crate) max_all_logs: u64,
    /// One sealed file beside the logs; 0: none are taken, and private rooms stay small
    #[arg(long, value_name = "SIZE", default_value = "32M")]
    pub(crate) max_blob: Bytes,
    /// Creations of one connection a minute: each costs a signature check and a write
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub(crate) creations: u64,
    /// Creations of all connections together a second, in the long run: new connections can't fill the relay with empty logs
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) all_creations: u64,
    /// Attach attempts of one connection a second, failed ones too: guesses at a passphrase room go through here
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) attaches: u64,
    /// Appends of one connection a second: no client takes the whole disk's bandwidth
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    pub(crate) appends: u64,
    /// Signals (typing, presence) of one connection a second: each goes to everybody in the room
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) signals: u64,
    /// Sessions at a time; the file limit may allow fewer, which is told at the start
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub(crate) max_sessions: u64,
    /// Rooms that one session may have open: a person's fit, a crawler's do not
    #[arg(long, value_name = "N", default_value_t = 256)]
    pub(crate) max_attachments: usize,
    /// What may wait for one slow reader; above it the reader is told that it lags, and reads back from the log
    #[arg(long, value_name = "SIZE", default_value = "1M")]
    pub(crate) queue: Bytes,
    /// A session that says nothing for so long is closed, and what it held is freed
    #[arg(long, value_name = "DUR", default_value = "90s")]
    pub(crate) silence: Seconds,
    /// How often the relay pings: an answer counts as life
    #[arg(long, value_name = "DUR", default_value = "30s")]
    pub(crate) ping: Seconds,
    /// A log that nobody has written to is gone after so long
    #[arg(long, value_name = "DUR", default_value = "1d")]
    pub(crate) idle_log: Seconds,
}
