//! A running relay, from its start to its end.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use estoile_hub::codes::Codes;
use estoile_hub::rules::{Entry as HubEntry, EntryHash, Identity, Rules};
use estoile_hub::shard::Shard;
use estoile_hub::store::{Expired, LogState, Reader, Store};
use estoile_wire::RelayKeyHash;
use estoile_wire::id::CertificateHash;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;

use crate::blobs::Blobs;
use crate::committer::Committer;
use crate::config::{Entry, RelayConfig};
use crate::core::{Core, now};
use crate::error::{StartError, StopError};
use crate::folder::Folder;
use crate::http::{self, Door};
use crate::identity::{self, EntryCode};
use crate::log::{self, Count, Elapsed, Own};
use crate::metrics::Metrics;
use crate::reading::{Disk, Offload};
use crate::session::End;
use crate::store::StoreOptions;
use crate::{files, store, tls};

/// Connections that wait in the system's queue while the relay is busy.
const BACKLOG: i32 = 1024;
/// The store's folder in the relay's.
const STORE: &str = "store";
/// The blobs' folder beside it.
const BLOBS: &str = "blobs";
/// Between two looks for blobs whose time is over.
const BLOBS_EVERY: Duration = Duration::from_secs(1);

/// A running relay. Dropping it without [`Relay::shutdown`] ends it at once, like a crash: nothing that was acknowledged
/// is lost.
pub struct Relay {
    core: Arc<Core>,
    folder: Arc<Folder>,
    key: SigningKey,
    certificate: Option<CertificateHash>,
    entry: Mutex<Option<EntryCode>>,
    address: SocketAddr,
    metrics: Option<SocketAddr>,
    committer: Option<Committer>,
    listeners: Vec<AbortHandle>,
}

impl fmt::Debug for Relay {
    /// Where it listens, and nothing that is secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Relay {
    /// Opens the store, begins to listen and to accept sessions. Must be called inside a multi-threaded tokio runtime.
    ///
    /// # Errors
    /// [`StartError`] says what to do.
    pub fn start(mut config: RelayConfig) -> Result<Self, StartError> {
        check_runtime()?;
        let folder = Arc::new(Folder::take(&config.data)?);
        let key = identity::relay_key(&folder)?;
        let secure = tls::prepare(&config.tls, config.listen, &folder)?;
        let certificate = secure.as_ref().map(|secure| secure.certificate);
        let entry = entry_code(&config, &folder)?;
        let metrics = Arc::new(Metrics::new(End::WORDS));
        let max_sessions = share_files(&mut config);

        // The addresses first: to learn that one is taken should not need the store.
        let (listener, address) = listen(config.listen)?;
        let told = config.metrics.map(listen).transpose()?;

        let store = open_store(&folder, config.hub.max_disk)?;
        let reader = Offload(store.reader());
        let mut states = reader.logs().map_err(|e| StartError::Store(e.to_string()))?;
        let blobs = open_blobs(&folder, &config, metrics, &mut states)?;
        let rules = rules(config.hub, &key, certificate, entry.as_ref());
        let local_only = http::is_local_only(address, &rules.entry);
        let codes = Codes::default();
        let shard = |config| Shard::new(config, codes.clone());
        let patience = config.sockets.handshake;
        let site = config.site.take();
        let visits = Arc::new(Semaphore::new(config.sockets.max_visits));
        let core = Arc::new(Core::new(rules, shard, config.sockets, max_sessions, reader, blobs));
        core.load(now(), states);
        let committer = Committer::start(&core, store, folder.clone())?;

        let tls = secure.map(|s| TlsAcceptor::from(s.config));
        let door = Door { core: core.clone(), tls, local_only, site, visits };
        let mut listeners = vec![tokio::spawn(http::accept_sessions(listener, Arc::new(door))).abort_handle()];
        listeners.push(tokio::spawn(forget_blobs(core.clone())).abort_handle());
        let mut metrics_address = None;
        if let Some((listener, address)) = told {
            let telling = http::tell_metrics(listener, core.metrics.clone(), patience);
            listeners.push(tokio::spawn(telling).abort_handle());
            metrics_address = Some(address);
            log::metrics_listening(Own(address));
        }
        log::listening(Own(address), Count(max_sessions));
        Ok(Self {
            core,
            folder,
            key,
            certificate,
            entry: Mutex::new(entry),
            address,
            metrics: metrics_address,
            committer: Some(committer),
            listeners,
        })
    }

    /// Where it listens, with the port that it got.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it tells metrics, with the port that it got.
    #[must_use]
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics
    }

    /// `http://ADDR` or `https://ADDR`, as `serve` prints it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", if self.is_secure() { "https" } else { "http" }, self.address)
    }

    /// Whether sessions are carried by TLS.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.certificate.is_some()
    }

    /// What links pin.
    #[must_use]
    pub fn key_hash(&self) -> RelayKeyHash {
        self.core.rules().identity.key_hash()
    }

    /// The entry code in base64url, if creating takes one here. Frames carry the bytes that it decodes to.
    #[must_use]
    pub fn entry_code(&self) -> Option<String> {
        self.entry.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(EntryCode::to_text)
    }

    /// Replaces the entry code, if there is one: the old one counts no longer, and what it made stays.
    ///
    /// # Errors
    /// When the new code can't be written to the folder; the old one counts on.
    pub fn rotate_entry(&self) -> Result<Option<String>, StartError> {
        let mut entry = self.entry.lock().unwrap_or_else(PoisonError::into_inner);
        if entry.is_some() {
            let code = identity::new_entry_code(&self.folder)?;
            let config = self.core.rules().config.clone();
            self.core.set_rules(rules(config, &self.key, self.certificate, Some(&code)));
            *entry = Some(code);
        }
        Ok(entry.as_ref().map(EntryCode::to_text))
    }

    /// How many sessions the relay takes: the hub's bound, or what the system's limit of open files allows.
    #[must_use]
    pub fn capacity(&self) -> u64 {
        self.core.max_sessions
    }

    /// Waits until the relay can't go on, because its store is damaged; a healthy relay waits for ever.
    pub async fn failed(&self) {
        self.core.broken.notified().await;
    }

    /// Ends well, within [`crate::SocketBounds::shutdown`]: accepts no more, tells the sessions, commits what is staged,
    /// closes the store.
    ///
    /// # Errors
    /// [`StopError`]; what was acknowledged is durable in any case.
    pub async fn shutdown(mut self) -> Result<(), StopError> {
        let started = Instant::now();
        log::closing(Count(self.core.metrics.sessions.get()));
        self.stop_listening();
        let patience = self.core.sockets.shutdown;
        let Some(committer) = self.committer.take() else { return Ok(()) };
        let ended = tokio::time::timeout(patience, async {
            // What is staged now is acknowledged before its session is told.
            committer.flush(&self.core).await;
            self.core.dismiss_all();
            self.core.blobs.close();
            self.core.all_gone().await;
            self.core.blobs.all_gone().await;
            committer.stop(&self.core).await;
        });
        let ended = ended.await;
        log::closed(Elapsed(started.elapsed()));
        ended.map_err(|_| StopError::Late)
    }

    fn stop_listening(&mut self) {
        for listener in self.listeners.drain(..) {
            listener.abort();
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stop_listening();
        self.core.dismiss_all();
        self.core.blobs.close();
        if let Some(committer) = &self.committer {
            committer.abandon(&self.core);
        }
    }
}

/// Bounds handshakes by what the system's limit of open files allows, and says how many sessions that leaves room for.
fn share_files(config: &mut RelayConfig) -> u64 {
    let handshakes = config.sockets.max_handshakes;
    // A transfer has a socket and a file.
    let transfers = u64::try_from(config.blobs.max_transfers).unwrap_or(u64::MAX).saturating_mul(2);
    let visits = u64::try_from(config.sockets.max_visits).unwrap_or(u64::MAX);
    let segments = (config.hub.max_disk / store::LARGEST_FILE).saturating_add(transfers).saturating_add(visits);
    let shares = files::raise_limit(segments, u64::try_from(handshakes).unwrap_or(u64::MAX));
    config.sockets.max_handshakes = usize::try_from(shares.handshakes).unwrap_or(handshakes);
    shares.sessions.min(config.hub.max_sessions)
}

/// Reading a log's ids moves other tasks out of the way, which a runtime of one thread can't.
fn check_runtime() -> Result<(), StartError> {
    let handle = Handle::try_current().map_err(|e| StartError::Runtime(e.to_string()))?;
    match handle.runtime_flavor() {
        RuntimeFlavor::CurrentThread => Err(StartError::Runtime("it needs a multi-threaded tokio runtime".to_owned())),
        _ => Ok(()),
    }
}

fn entry_code(config: &RelayConfig, folder: &Folder) -> Result<Option<EntryCode>, StartError> {
    match config.entry {
        Entry::Open => Ok(None),
        Entry::ByAddress if config.listen.ip().is_loopback() => Ok(None),
        Entry::ByAddress | Entry::Required => identity::entry_code(folder).map(Some),
    }
}

fn rules(
    config: estoile_hub::config::Config,
    key: &SigningKey,
    certificate: Option<CertificateHash>,
    entry: Option<&EntryCode>,
) -> Rules {
    let entry = entry.map_or(HubEntry::Open, |code| HubEntry::Code(EntryHash::of(code.as_bytes())));
    Rules { config, identity: Identity::new(key.as_bytes(), certificate), entry }
}

fn open_store(folder: &Folder, max_disk: u64) -> Result<Disk, StartError> {
    Disk::open(&folder.file(STORE), StoreOptions { max_disk }).map_err(|e| StartError::Store(e.to_string()))
}

/// Opens the blobs; each log of `states` counts its own from then on, and those of logs that are no more are gone.
fn open_blobs(
    folder: &Folder,
    config: &RelayConfig,
    metrics: Arc<Metrics>,
    states: &mut [LogState],
) -> Result<Arc<Blobs>, StartError> {
    let failed = |error: &dyn fmt::Display| StartError::Store(error.to_string());
    let path = folder.file(BLOBS);
    let blobs = Blobs::open(&path, config.blobs.clone(), config.hub.max_disk, metrics).map_err(|e| failed(&e))?;
    let logs = states.iter().map(|state| state.meta.id).collect();
    blobs.keep_only(&logs).map_err(|source| StartError::Folder { path, source })?;
    let charges = blobs.charges();
    for state in states {
        state.bytes = state.bytes.saturating_add(charges.get(&state.meta.id).copied().unwrap_or(0));
    }
    Ok(Arc::new(blobs))
}

/// Deletes blobs that are over, for ever; to be dropped when the relay closes.
async fn forget_blobs(core: Arc<Core>) {
    loop {
        tokio::time::sleep(BLOBS_EVERY).await;
        let blobs = core.blobs.clone();
        match tokio::task::spawn_blocking(move || blobs.expire(now())).await {
            Ok(Ok(logs)) if logs.is_empty() => {}
            Ok(Ok(logs)) => {
                let expired = Expired { logs, more: false };
                core.each_shard(|shard| shard.expired(&expired));
                core.wake_committer();
            }
            Ok(Err(_)) => log::blobs_failed(),
            // The runtime ends.
            Err(_) => return,
        }
    }
}

fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let bind = || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        if address.is_ipv6() && address.ip().is_unspecified() {
            // All addresses means those of IPv4 as well; where the system can't, IPv6 alone is better than nothing.
            let _ = socket.set_only_v6(false);
        }
        // A relay that comes back at once must get its port back. (Elsewhere the option means something worse.)
        #[cfg(unix)]
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        let listener = TcpListener::from_std(socket.into())?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    bind().map_err(|source| StartError::Listen { address, source })
}
