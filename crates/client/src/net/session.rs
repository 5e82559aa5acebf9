//! Connections under way: one task each, which connects, reads and writes until the connection or the driver ends it.
//!
//! Frames to a relay wait in a queue with a bound in bytes, and a writer takes all that waits at once, so that many small
//! frames make one system call. Frames from relays go through one bounded channel: a driver that doesn't read makes TCP
//! hold the relay back.

use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use estoile_engine::{BlobError, Lost, RelayAddress, RelayId};
use estoile_wire::limits::SILENCE_MS;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::{JoinHandle, JoinSet};
use tokio_tungstenite::tungstenite::{Bytes, Message};

use super::connect::{ConnectError, Socket, connect};
use super::tls::SeenCertificate;
use crate::blob::{self, Place};

/// Frames from all relays that may wait for the driver: at the largest 16 MiB.
const INCOMING: usize = 256;
/// Bytes that may wait for one relay. The engine sends within a window far smaller; more means that the relay is stuck.
const OUTGOING_BYTES: usize = 8 * 1024 * 1024;
/// A relay pings every 30 s; one that says nothing at all for this long is gone without a goodbye.
const SILENCE: Duration = Duration::from_millis(SILENCE_MS);

/// Blobs that travel at a time: each may take 32 MiB of memory.
const TRANSFERS: usize = 2;
/// How long a connection's last frames may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// What happened on a connection.
#[derive(Debug)]
pub(crate) enum SocketEvent {
    /// It is made.
    Up(Option<SeenCertificate>),
    /// A binary message.
    Frame(Bytes),
    /// It ended, or was never made.
    Down(Lost),
    /// How putting a blob ended.
    BlobPut([u8; 32], Result<(), BlobError>),
    /// How getting a blob ended. While it waits for the driver it keeps its place among the transfers.
    BlobGot([u8; 32], Result<Vec<u8>, BlobError>, OwnedSemaphorePermit),
}

type Report = (RelayId, u64, SocketEvent);

#[derive(Default)]
struct Queue {
    frames: Vec<Bytes>,
    bytes: usize,
    closing: bool,
}

/// What waits to be written to one relay.
#[derive(Default)]
pub(crate) struct Outgoing {
    queue: Mutex<Queue>,
    filled: Notify,
}

impl Outgoing {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a frame in line; false if the line is too long.
    fn push(&self, frame: Bytes) -> bool {
        let mut queue = self.lock();
        queue.bytes = queue.bytes.saturating_add(frame.len());
        if queue.bytes > OUTGOING_BYTES {
            return false;
        }
        queue.frames.push(frame);
        drop(queue);
        self.filled.notify_one();
        true
    }

    /// Write what waits, then say goodbye.
    fn close(&self) {
        self.lock().closing = true;
        self.filled.notify_one();
    }

    /// All that waits, once something does; none when it is closing and empty.
    async fn take(&self) -> Option<Vec<Bytes>> {
        loop {
            let filled = self.filled.notified();
            {
                let mut queue = self.lock();
                if !queue.frames.is_empty() {
                    queue.bytes = 0;
                    return Some(core::mem::take(&mut queue.frames));
                }
                if queue.closing {
                    return None;
                }
            }
            filled.await;
        }
    }
}

struct Connection {
    generation: u64,
    outgoing: Arc<Outgoing>,
    task: JoinHandle<()>,
    /// Made, and what it showed.
    up: Option<Option<SeenCertificate>>,
}

/// All connections of a client.
pub(crate) struct Sockets {
    connections: BTreeMap<RelayId, Connection>,
    generations: u64,
    reports: mpsc::Sender<Report>,
    incoming: mpsc::Receiver<Report>,
    /// Connections that write their last frames.
    goodbyes: JoinSet<()>,
    /// Blobs on their way, and their places.
    transfers: JoinSet<()>,
    places: Arc<Semaphore>,
}

impl Sockets {
    pub(crate) fn new() -> Self {
        let (reports, incoming) = mpsc::channel(INCOMING);
        Self {
            connections: BTreeMap::new(),
            generations: 0,
            reports,
            incoming,
            goodbyes: JoinSet::new(),
            transfers: JoinSet::new(),
            places: Arc::new(Semaphore::new(TRANSFERS)),
        }
    }

    /// Connects after a while, in the place of any earlier connection.
    pub(crate) fn connect(&mut self, relay: RelayId, address: RelayAddress, after: Duration) {
        self.disconnect(relay);
        self.generations = self.generations.saturating_add(1);
        let generation = self.generations;
        let outgoing = Arc::new(Outgoing::default());
        let reporter = Reporter { relay, generation, reports: self.reports.clone() };
        let task = tokio::spawn(run(address, after, Arc::clone(&outgoing), reporter));
        self.connections.insert(relay, Connection { generation, outgoing, task, up: None });
    }

    /// Sends a frame. A connection whose line is too long is ended, and reported as such.
    pub(crate) fn send(&mut self, relay: RelayId, frame: Vec<u8>) -> Result<(), Lost> {
        let fits = self.connections.get(&relay).is_none_or(|c| c.outgoing.push(frame.into()));
        if fits {
            return Ok(());
        }
        self.disconnect(relay);
        Err(Lost::Closed)
    }

    /// Ends a connection after what waits for it is written; nothing more of it is heard.
    pub(crate) fn disconnect(&mut self, relay: RelayId) {
        while self.goodbyes.try_join_next().is_some() {}
        if let Some(connection) = self.connections.remove(&relay) {
            connection.outgoing.close();
            // What can't be written in a moment is not worth waiting for.
            let task = connection.task;
            self.goodbyes.spawn(async move {
                let abort = task.abort_handle();
                if tokio::time::timeout(GOODBYE, task).await.is_err() {
                    abort.abort();
                }
            });
        }
    }

    /// Puts a blob to a relay, from a position on; reported when it has ended.
    pub(crate) fn put_blob(
        &mut self,
        relay: RelayId,
        place: (RelayAddress, [u8; 32]),
        token: [u8; 32],
        from: u64,
        bytes: Arc<[u8]>,
    ) {
        let (address, hash) = place;
        let place = self.place(relay, address, hash);
        self.transfer(relay, move |permit| async move {
            let result = match place {
                Ok(place) => blob::put(&place, token, from, bytes).await,
                Err(error) => Err(error),
            };
            drop(permit);
            SocketEvent::BlobPut(hash, result)
        });
    }

    /// Gets a blob of this length from a relay; reported when it has ended.
    pub(crate) fn get_blob(&mut self, relay: RelayId, address: RelayAddress, hash: [u8; 32], size: u64) {
        let place = self.place(relay, address, hash);
        self.transfer(relay, move |permit| async move {
            let result = match place {
                Ok(place) => blob::get(&place, size).await,
                Err(error) => Err(error),
            };
            SocketEvent::BlobGot(hash, result, permit)
        });
    }

    /// Where a blob is: where the session is, and nowhere while there is none.
    fn place(&self, relay: RelayId, address: RelayAddress, hash: [u8; 32]) -> Result<Place, BlobError> {
        let up = self.connections.get(&relay).and_then(|connection| connection.up);
        let certificate = up.ok_or_else(|| BlobError::Later("there is no connection to the relay".into()))?;
        Ok(Place { address, hash, certificate })
    }

    fn transfer<F>(&mut self, relay: RelayId, work: impl FnOnce(OwnedSemaphorePermit) -> F + Send + 'static)
    where
        F: Future<Output = SocketEvent> + Send,
    {
        while self.transfers.try_join_next().is_some() {}
        let (places, reports) = (Arc::clone(&self.places), self.reports.clone());
        self.transfers.spawn(async move {
            let Ok(permit) = places.acquire_owned().await else { return };
            let event = work(permit).await;
            // The driver is gone, and nobody wants to know any more.
            let _ = reports.send((relay, 0, event)).await;
        });
    }

    /// Ends all of them at once, and forgets blobs on their way.
    pub(crate) fn disconnect_all(&mut self) {
        self.transfers.abort_all();
        let all: Vec<_> = self.connections.keys().copied().collect();
        for relay in all {
            self.disconnect(relay);
        }
    }

    /// Ends every connection, each after what waits for it is written.
    pub(crate) async fn finish(&mut self) {
        self.incoming.close();
        self.disconnect_all();
        // Each goodbye has its own end.
        while self.goodbyes.join_next().await.is_some() {}
    }

    /// The next thing that happened on a connection that still counts. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Option<(RelayId, SocketEvent)> {
        loop {
            let report = self.incoming.recv().await?;
            if let Some(event) = self.current(report) {
                return Some(event);
            }
        }
    }

    /// What has happened already, if anything.
    pub(crate) fn try_next(&mut self) -> Option<(RelayId, SocketEvent)> {
        loop {
            let report = self.incoming.try_recv().ok()?;
            if let Some(event) = self.current(report) {
                return Some(event);
            }
        }
    }

    fn current(&mut self, (relay, generation, event): Report) -> Option<(RelayId, SocketEvent)> {
        if matches!(event, SocketEvent::BlobPut(..) | SocketEvent::BlobGot(..)) {
            return Some((relay, event));
        }
        let connection = self.connections.get_mut(&relay).filter(|c| c.generation == generation)?;
        match &event {
            SocketEvent::Up(seen) => connection.up = Some(*seen),
            SocketEvent::Down(_) => drop(self.connections.remove(&relay)),
            _ => {}
        }
        Some((relay, event))
    }
}

/// How a connection's task speaks to the driver.
struct Reporter {
    relay: RelayId,
    generation: u64,
    reports: mpsc::Sender<Report>,
}

impl Reporter {
    /// False when the driver is gone.
    async fn tell(&self, event: SocketEvent) -> bool {
        self.reports.send((self.relay, self.generation, event)).await.is_ok()
    }
}

async fn run(address: RelayAddress, after: Duration, outgoing: Arc<Outgoing>, reporter: Reporter) {
    tokio::time::sleep(after).await;
    let why = match connect(&address).await {
        Ok((socket, seen)) => {
            if !reporter.tell(SocketEvent::Up(seen)).await {
                return;
            }
            let (sink, stream) = socket.split();
            tokio::select! {
                why = read(stream, &reporter) => why,
                () = write(sink, &outgoing) => Lost::Closed,
            }
        }
        Err(error) => lost(&error),
    };
    let _ = reporter.tell(SocketEvent::Down(why)).await;
}

/// Which failures may pass by themselves.
fn lost(error: &ConnectError) -> Lost {
    let text = error.to_string();
    match error {
        ConnectError::Unknown(_)
        | ConnectError::Refused(_)
        | ConnectError::Unreachable(_)
        | ConnectError::Silent(_) => Lost::Unreachable(text),
        ConnectError::PlainOffLoopback | ConnectError::BadName(_) | ConnectError::Tls(_) | ConnectError::NoRelay(_) => {
            Lost::Refused(text)
        }
    }
}

async fn read(mut stream: SplitStream<Socket>, reporter: &Reporter) -> Lost {
    loop {
        match tokio::time::timeout(SILENCE, stream.next()).await {
            Ok(Some(Ok(Message::Binary(frame)))) => {
                if !reporter.tell(SocketEvent::Frame(frame)).await {
                    return Lost::Closed;
                }
            }
            Ok(Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)))) => {}
            Ok(Some(Ok(Message::Text(_)))) => return Lost::Refused("it sent text, which no relay does".into()),
            Ok(Some(Ok(Message::Close(_)) | Err(_)) | None) | Err(_) => return Lost::Closed,
        }
    }
}

/// Writes until told to say goodbye, or the connection breaks.
async fn write(mut sink: SplitSink<Socket, Message>, outgoing: &Outgoing) {
    while let Some(frames) = outgoing.take().await {
        for frame in frames {
            if sink.feed(Message::Binary(frame)).await.is_err() {
                return;
            }
        }
        if sink.flush().await.is_err() {
            return;
        }
    }
    let _ = sink.close().await;
}
