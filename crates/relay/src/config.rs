//! What a relay is told when it starts. It knows nothing of flags and files of settings: the command line does.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::site::Site;

/// All that a relay needs to know to start.
#[derive(Clone, Debug)]
pub struct RelayConfig {
    /// Where to accept sessions; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The folder of the store, the relay's key, its entry code and its own certificate. Made when it is missing.
    pub data: PathBuf,
    /// How sessions are carried.
    pub tls: Tls,
    /// Who may create logs.
    pub entry: Entry,
    /// Where to tell metrics, if anywhere. A listener of its own, so that it can stay private.
    pub metrics: Option<SocketAddr>,
    /// The bounds of the relay's rules.
    pub hub: estoile_hub::config::Config,
    /// The bounds of its sockets.
    pub sockets: SocketBounds,
    /// The bounds of blobs.
    pub blobs: BlobBounds,
    /// What browsers load; without it they find a page that names the program.
    pub site: Option<Arc<Site>>,
}

impl RelayConfig {
    /// The defaults for this address and folder.
    #[must_use]
    pub fn new(listen: SocketAddr, data: impl Into<PathBuf>) -> Self {
        Self {
            listen,
            data: data.into(),
            tls: Tls::ByAddress { names: Vec::new() },
            entry: Entry::ByAddress,
            metrics: None,
            hub: estoile_hub::config::Config::default(),
            sockets: SocketBounds::default(),
            blobs: BlobBounds::default(),
            site: None,
        }
    }
}

/// How sessions are carried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Plain when listening on loopback, else [`Tls::SelfMade`] with these host names and addresses.
    ByAddress {
        /// The names and addresses under which the relay is reached.
        names: Vec<String>,
    },
    /// A certificate that the relay makes itself and keeps in its folder; clients trust it by the relay's key.
    SelfMade {
        /// The names and addresses under which the relay is reached.
        names: Vec<String>,
    },
    /// A certificate chain and its key, as PEM files.
    Files {
        /// The chain, the relay's own certificate first.
        cert: PathBuf,
        /// The private key.
        key: PathBuf,
    },
}

/// Who may create logs here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Anybody when listening on loopback, else who has the entry code.
    ByAddress,
    /// Who has the entry code; for a relay on loopback that a proxy shows to the world.
    Required,
    /// Anybody.
    Open,
}

/// The bounds of sockets, each with its reason. Those of sessions (silence, pings, queues) are the hub's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketBounds {
    /// A connection that is not a session after so long is dropped: who opens sockets and says nothing holds few.
    pub handshake: Duration,
    /// So many connections may be on their way to become sessions at once.
    pub max_handshakes: usize,
    /// So many connections may read the site at once, each for as long as a transfer may take; what they read lies in
    /// memory once. More are served in the time of a handshake.
    pub max_visits: usize,
    /// So long may goodbyes take before sockets are simply closed.
    pub goodbye: Duration,
    /// A graceful end takes at most so long.
    pub shutdown: Duration,
}

impl Default for SocketBounds {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            max_handshakes: 1_024,
            max_visits: 512,
            goodbye: Duration::from_secs(2),
            shutdown: Duration::from_secs(8),
        }
    }
}

/// The bounds of blobs, each with its reason. How large one may be is the hub's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobBounds {
    /// A token is good for so long: what is seen of one is soon worth nothing.
    pub grant: Duration,
    /// An upload that nobody goes on with for so long is thrown away: until then it takes its log's quota and its place on
    /// the disk.
    pub unfinished: Duration,
    /// A transfer in which no byte moves for so long is ended.
    pub idle: Duration,
    /// A transfer takes at most so long; one that is slower goes on with another request.
    pub longest: Duration,
    /// Transfers at a time: each has a socket, a file and half a megabyte of memory.
    pub max_transfers: usize,
    /// Uploads that are granted and not whole: each has up to 16 KiB in memory.
    pub max_uploads: usize,
    /// Those of one log: whoever may write into one room, or has a ticket, keeps nobody else from putting theirs.
    pub max_uploads_a_log: usize,
    /// Blobs on this relay in all: each costs about 400 bytes of memory and a file.
    pub max_blobs: usize,
}

impl Default for BlobBounds {
    fn default() -> Self {
        Self {
            grant: Duration::from_secs(600),
            unfinished: Duration::from_secs(3_600),
            idle: Duration::from_secs(30),
            longest: Duration::from_secs(600),
            max_transfers: 256,
            max_uploads: 4_096,
            max_uploads_a_log: 64,
            max_blobs: 200_000,
        }
    }
}

impl BlobBounds {
    pub(crate) fn grant_ms(&self) -> u64 {
        u64::try_from(self.grant.as_millis()).unwrap_or(u64::MAX)
    }

    pub(crate) fn unfinished_ms(&self) -> u64 {
        u64::try_from(self.unfinished.as_millis()).unwrap_or(u64::MAX)
    }
}
