//! A whole relay in one thread without sockets: one shard, a store in memory, sessions. For simulation and for the
//! hostile-relay laboratory; the real driver does the same with many shards, threads and a disk.
//!
//! Nothing is acknowledged before [`Hub::commit`], so a caller may crash the relay between any two steps:
//! [`Hub::crash`] gives the store back with exactly what was committed.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use estoile_wire::id::{BlobHash, BlobToken};
use estoile_wire::{LogId, Millis, Refusal};
use rand_core::CryptoRng;

use crate::blobs::{MemoryBlobs, PutRefused};
use crate::codes::Codes;
use crate::config::Config;
use crate::log::SessionId;
use crate::memory::{MemoryReader, MemoryStore};
use crate::queue::{Class, Outbox, Queue};
use crate::rules::Rules;
use crate::session::{Due, Flow, Session, Shards};
use crate::shard::{Failure, Shard};
use crate::store::{Expired, Reader as _, Store as _, StoreError, Write};

/// Records that one [`Hub::tick`] takes from the store at a time.
const EXPIRE_STEP: usize = 1_000;

/// A session's queue, shared by the session and the logs that it is attached to.
#[derive(Clone, Debug)]
pub struct SharedQueue(Arc<Mutex<Queue>>);

impl SharedQueue {
    /// An empty queue with this relay's bounds.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self(Arc::new(Mutex::new(Queue::new(config))))
    }

    /// The queue.
    pub fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many handles to this queue there are: one, when no log knows the session any more.
    #[must_use]
    pub fn handles(&self) -> usize {
        Arc::strong_count(&self.0)
    }
}

impl Outbox for SharedQueue {
    fn push(&self, frame: Bytes, class: Class) -> bool {
        self.lock().push(frame, class)
    }
}

/// The shards of a relay that has one.
#[derive(Debug)]
struct OneShard(RefCell<Shard<SharedQueue>>);

impl Shards<SharedQueue> for OneShard {
    fn with<T>(&self, _: &LogId, f: impl FnOnce(&mut Shard<SharedQueue>) -> T) -> T {
        f(&mut self.0.borrow_mut())
    }
}

#[derive(Debug)]
struct Peer {
    session: Session<SharedQueue>,
    outbox: SharedQueue,
}

/// A relay in memory. See the module.
#[derive(Debug)]
pub struct Hub {
    rules: Rules,
    shards: OneShard,
    store: MemoryStore,
    reader: MemoryReader,
    blobs: MemoryBlobs,
    peers: BTreeMap<SessionId, Peer>,
    /// Sessions that ended, and what they have not been sent yet.
    ended: BTreeMap<SessionId, SharedQueue>,
    next: u64,
}

impl Hub {
    /// Starts a relay over a store, new or left by another.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't be read.
    pub fn start(now: Millis, rules: Rules, store: MemoryStore) -> Result<Self, StoreError> {
        let reader = store.reader();
        let mut shard = Shard::new(Arc::new(rules.config.clone()), Codes::default());
        let blobs = store.blobs();
        blobs.restart();
        let charges = blobs.charges();
        let mut states = reader.logs()?;
        for state in &mut states {
            state.bytes = state.bytes.saturating_add(charges.get(&state.meta.id).copied().unwrap_or(0));
        }
        shard.load(now, states);
        let shards = OneShard(RefCell::new(shard));
        let (peers, ended) = (BTreeMap::new(), BTreeMap::new());
        let mut hub = Self { rules, shards, store, reader, blobs, peers, ended, next: 1 };
        hub.look_at_disk();
        Ok(hub)
    }

    /// Dies at once: sessions, staged appends and queues are gone, the store keeps what was committed.
    #[must_use]
    pub fn crash(self) -> MemoryStore {
        self.store.reopen()
    }

    /// The store, to make it fail.
    pub fn store(&mut self) -> &mut MemoryStore {
        &mut self.store
    }

    /// The rules, to change them while the relay runs.
    pub fn rules(&mut self) -> &mut Rules {
        &mut self.rules
    }

    /// Looks into the shard.
    pub fn shard<T>(&self, f: impl FnOnce(&Shard<SharedQueue>) -> T) -> T {
        f(&self.shards.0.borrow())
    }

    // ── Sessions ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// A client connects.
    ///
    /// # Errors
    /// `TooManySessions`; a driver sends `Closing` with it.
    pub fn connect(&mut self, now: Millis, rng: &mut dyn CryptoRng) -> Result<SessionId, Refusal> {
        if self.peers.len() as u64 >= self.rules.config.max_sessions {
            return Err(Refusal::TooManySessions);
        }
        let id = SessionId(self.next);
        self.next = self.next.saturating_add(1);
        let outbox = SharedQueue::new(&self.rules.config);
        let session = Session::new(id, outbox.clone(), now, rng);
        self.peers.insert(id, Peer { session, outbox });
        Ok(id)
    }

    /// A client's socket ended, for whatever reason. What it has not been sent is lost.
    pub fn disconnect(&mut self, now: Millis, session: SessionId) {
        self.end(now, session);
        self.ended.remove(&session);
    }

    fn end(&mut self, now: Millis, id: SessionId) {
        if let Some(peer) = self.peers.remove(&id) {
            peer.session.end(now, &self.shards);
            self.ended.insert(id, peer.outbox);
        }
    }

    /// A client's message arrives. What it causes at once is in the queues ([`Hub::take`]); a session that is told to
    /// close has ended, and its last words may still be taken. A message to a session that has ended is passed over.
    pub fn receive(&mut self, now: Millis, session: SessionId, bytes: &[u8]) -> Flow {
        let Some(peer) = self.peers.get_mut(&session) else { return Flow::Close(Refusal::Closing) };
        let mut flow = peer.session.receive(now, bytes, &self.rules, &self.shards, &self.reader, &self.blobs);
        peer.session.heard(now);
        if peer.outbox.lock().overflowed() {
            flow = Flow::Close(Refusal::Busy);
        }
        if flow != Flow::Continue {
            self.end(now, session);
        }
        self.pump(now, session);
        flow
    }

    /// A client answered a ping.
    pub fn pong(&mut self, now: Millis, session: SessionId) {
        if let Some(peer) = self.peers.get_mut(&session) {
            peer.session.heard(now);
        }
    }

    /// A session's queue.
    #[must_use]
    pub fn queue(&self, session: SessionId) -> Option<SharedQueue> {
        self.peers.get(&session).map(|peer| peer.outbox.clone())
    }

    /// Whether a session is there.
    #[must_use]
    pub fn is_connected(&self, session: SessionId) -> bool {
        self.peers.contains_key(&session)
    }

    /// Sessions.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.peers.len()
    }

    /// What a client has been sent: the oldest `most` frames of its queue. When a session that has ended is drained, its
    /// queue is gone.
    pub fn take(&mut self, now: Millis, session: SessionId, most: usize) -> Vec<Bytes> {
        let queue = self.peers.get(&session).map(|p| &p.outbox).or_else(|| self.ended.get(&session));
        let Some(queue) = queue.cloned() else { return Vec::new() };
        let frames: Vec<Bytes> = core::iter::from_fn(|| queue.lock().pop()).take(most).collect();
        if queue.lock().is_empty() {
            self.ended.remove(&session);
        }
        self.pump(now, session);
        frames
    }

    /// All that all clients have been sent, session by session.
    pub fn take_all(&mut self, now: Millis) -> Vec<(SessionId, Bytes)> {
        let mut all = Vec::new();
        loop {
            let before = all.len();
            let ids: Vec<SessionId> = self.peers.keys().chain(self.ended.keys()).copied().collect();
            for id in ids {
                all.extend(self.take(now, id, usize::MAX).into_iter().map(|frame| (id, frame)));
            }
            if all.len() == before {
                return all;
            }
        }
    }

    /// Reads pages for a session that catches up, as long as it has room for them.
    fn pump(&mut self, now: Millis, session: SessionId) {
        if let Some(Peer { session, outbox }) = self.peers.get_mut(&session) {
            while session.catching_up() && outbox.lock().has_room() {
                let Some(request) = session.next_read(&self.rules, &self.shards) else { break };
                let answer = request.run(&self.reader, now);
                session.page(now, answer, &self.shards);
            }
        }
    }

    // ── Blobs, as a driver's HTTP carries them ──────────────────────────────────────────────────────────────────────

    /// Puts a part of a blob that begins at `offset`; gives how much of it is there.
    ///
    /// # Errors
    /// [`PutRefused`].
    pub fn put_blob(&mut self, token: &BlobToken, offset: u64, bytes: &[u8]) -> Result<u64, PutRefused> {
        self.blobs.put(token, offset, bytes)
    }

    /// Gets a part of a blob; nothing if it is not here, or over.
    #[must_use]
    pub fn get_blob(&self, now: Millis, hash: &BlobHash, range: Range<u64>) -> Option<Bytes> {
        self.blobs.get(now, hash, range)
    }

    // ── The disk and the clock ──────────────────────────────────────────────────────────────────────────────────────

    /// Whether anything waits for [`Hub::commit`].
    #[must_use]
    pub fn has_staged(&self) -> bool {
        self.shards.0.borrow().has_staged()
    }

    /// Makes all that is staged durable and releases its acknowledgements, or tells the senders that it failed.
    ///
    /// # Errors
    /// The store's; the senders have been told.
    pub fn commit(&mut self, now: Millis) -> Result<(), StoreError> {
        let batch = self.shards.0.borrow_mut().take_staged();
        if batch.is_empty() {
            return Ok(());
        }
        let outcome = self.store.commit(&batch.writes);
        for write in batch.writes.iter().filter(|_| outcome.is_ok()) {
            if let Write::DropLog(log) = write {
                self.blobs.dropped(log);
            }
        }
        self.shards.0.borrow_mut().committed(batch, outcome.as_ref().copied().map_err(Failure::from));
        self.look_at_disk();
        self.end_overflowed(now);
        outcome
    }

    /// Time passes: silent sessions end, records and logs expire. Says which sessions are to be pinged.
    ///
    /// # Errors
    /// The store's, if it can't expire.
    pub fn tick(&mut self, now: Millis) -> Result<Vec<SessionId>, StoreError> {
        let mut pings = Vec::new();
        let mut silent = Vec::new();
        for (id, peer) in &mut self.peers {
            match peer.session.due(now, &self.rules) {
                Due::Wait(_) => {}
                Due::Ping => pings.push(*id),
                Due::Close(_) => silent.push(*id),
            }
        }
        for id in silent {
            self.end(now, id);
        }
        loop {
            let expired = self.store.expire(now, EXPIRE_STEP)?;
            self.shards.0.borrow_mut().expired(&expired);
            if !expired.more {
                break;
            }
        }
        let logs = self.blobs.expire(now);
        self.shards.0.borrow_mut().expired(&Expired { logs, more: false });
        self.look_at_disk();
        self.shards.0.borrow_mut().sweep(now);
        self.commit(now)?;
        Ok(pings)
    }

    fn look_at_disk(&mut self) {
        let full = self.store.usage().bytes >= self.rules.config.max_disk;
        self.shards.0.borrow_mut().set_disk_full(full);
    }

    fn end_overflowed(&mut self, now: Millis) {
        let over = self.peers.iter().filter(|(_, peer)| peer.outbox.lock().overflowed());
        let over: Vec<SessionId> = over.map(|(id, _)| *id).collect();
        for id in over {
            self.end(now, id);
        }
    }
}
