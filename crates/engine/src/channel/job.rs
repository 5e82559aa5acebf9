//! What is done at logs and shelves that others hold: letters posted by ticket, packages taken, blobs got.
//!
//! A job is in the vault until the relay has answered for good, and is tried again after every reconnection. What its end
//! means is [`Then`], which the account part knows.

use alloc::sync::Arc;

use estoile_wire::frame::{BlobAsk, Kept, Post, Refused, Take, Taken};
use estoile_wire::id::{BlobHash, TicketSecret};
use estoile_wire::refusal::Retry;
use estoile_wire::{ClientFrame, Id16, LogId, Millis, Refusal};
use minicbor::{Decode, Encode};

use super::attach::later;
use crate::account::Then;
use crate::command::{Answer, RelayAddress};
use crate::link::Session;
use crate::names;
use crate::out::Cx;
use crate::stored::StoredAddress;
use crate::turn::{BlobError, CommandId, Effect};
use crate::view::RelayId;

/// A job of this vault, by a number that never leaves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct JobId(pub(crate) u64);

/// Jobs of one vault that wait: a removal is told to 1,000 contacts, and there is room for a second.
pub(crate) const MAX_JOBS: usize = 4_000;
/// After a refusal that only a new session can end.
const RECONNECT_PAUSE_MS: u64 = 250;
/// A contact's devices may not all have told their relay of a new ticket yet: a dead one is tried so often again while
/// somebody waits for the answer, …
const TICKET_TRIES: u32 = 4;
/// … and so often where nobody does: some minutes, in which a device of theirs that was away is back, …
const TICKET_TRIES_ALONE: u32 = 10;
/// … each time after twice as long, from here …
const TICKET_PAUSE_MS: u64 = 1_000;
/// … up to here.
const TICKET_LONGEST_PAUSE_MS: u64 = 60_000;
/// After a blob did not travel.
const BLOB_PAUSE_MS: u64 = 2_000;

/// What is done.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) enum Act {
    /// Puts a letter into a mailbox or door.
    #[n(0)]
    Post {
        #[n(0)]
        log: LogId,
        #[n(1)]
        #[cbor(with = "minicbor::bytes")]
        ticket: [u8; 32],
        #[n(2)]
        id16: Id16,
        #[n(3)]
        #[cbor(with = "minicbor::bytes")]
        body: Vec<u8>,
        /// What is put at the relay before it.
        #[n(4)]
        blob: Option<StoredBlob>,
    },
    /// Takes one item of each slot of a shelf.
    #[n(1)]
    Take {
        #[n(0)]
        shelf: LogId,
        #[n(1)]
        #[cbor(with = "minicbor::bytes")]
        ticket: [u8; 32],
    },
    /// Gets a blob.
    #[n(2)]
    Get {
        #[n(0)]
        #[cbor(with = "minicbor::bytes")]
        hash: [u8; 32],
        #[n(1)]
        size: u64,
    },
}

/// A sealed file to put.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StoredBlob {
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) hash: [u8; 32],
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) bytes: Vec<u8>,
}

/// A job as the vault has it.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StoredJob {
    #[n(0)]
    pub(crate) address: StoredAddress,
    #[n(1)]
    pub(crate) act: Act,
    #[n(2)]
    pub(crate) then: Then,
    /// How often its ticket was refused.
    #[n(3)]
    pub(crate) dead: Option<u32>,
}

/// How far a job is at its relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Idle,
    /// The blob's grant, or the last answer, is asked for.
    Asked(u64),
    /// The driver carries the blob.
    Carrying,
}

/// A job.
pub(crate) struct Job {
    pub(crate) id: JobId,
    pub(crate) relay: RelayId,
    pub(crate) stored: StoredJob,
    /// Who waits for it in this process, and what they are answered.
    pub(crate) waiting: Option<(CommandId, Answer)>,
    stage: Stage,
    /// The relay has the blob.
    blob_there: bool,
    not_before: Millis,
    taken: Vec<Item>,
}

/// An item that a shelf gave.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) bytes: Vec<u8>,
}

/// How a job ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    Kept,
    Taken(Vec<Item>),
    Got(Vec<u8>),
    /// Never: the same will be refused again.
    Refused(Refusal),
    /// A blob that is not there, or was refused.
    NoBlob(String),
}

impl core::fmt::Debug for Job {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Job({})", self.id.0)
    }
}

impl Job {
    pub(crate) fn new(id: JobId, stored: StoredJob) -> Self {
        Self {
            id,
            relay: RelayId(u32::MAX),
            stored,
            waiting: None,
            stage: Stage::Idle,
            blob_there: false,
            not_before: 0,
            taken: Vec::new(),
        }
    }

    pub(crate) fn address(&self) -> RelayAddress {
        self.stored.address.to_address()
    }

    pub(crate) fn keep(&self, cx: &mut Cx<'_>) {
        cx.put(names::job(self.id.0), &self.stored);
    }

    pub(crate) fn offline(&mut self) {
        if self.stage != Stage::Carrying {
            self.stage = Stage::Idle;
        }
        self.taken.clear();
    }

    pub(crate) const fn clock_went_back(&mut self, by: u64) {
        self.not_before = self.not_before.saturating_sub(by);
    }

    /// When it is tried again, if it waits for that.
    pub(crate) fn next_timeout(&self) -> Option<Millis> {
        (self.stage == Stage::Idle && self.not_before > 0).then_some(self.not_before)
    }

    /// Its ticket is dead for now, and nobody waits for it here.
    pub(crate) const fn is_put_off(&self) -> bool {
        self.stored.dead.is_some() && self.not_before > 0 && self.waiting.is_none()
    }

    /// Its wait is over: it is done as soon as that can be, and no timer is wanted for it any more.
    pub(crate) const fn ripen(&mut self, now: Millis) {
        if self.not_before <= now {
            self.not_before = 0;
        }
    }

    /// Asks the relay, if that is to be done now.
    pub(crate) fn due(&mut self, address: &RelayAddress, session: &mut Session, cx: &mut Cx<'_>) {
        if self.stage != Stage::Idle || self.not_before > cx.now {
            return;
        }
        self.not_before = 0;
        if let Act::Get { hash, size } = &self.stored.act {
            let (relay, address) = (self.relay, address.clone());
            cx.out.effects.push(Effect::GetBlob { relay, address, hash: *hash, size: *size });
            self.stage = Stage::Carrying;
            return;
        }
        let request = session.request(self.id);
        self.stage = Stage::Asked(request);
        match &self.stored.act {
            Act::Post { log, ticket, blob: Some(blob), .. } if !self.blob_there => {
                let size = u64::try_from(blob.bytes.len()).unwrap_or(u64::MAX);
                let (log, hash, ticket) = (*log, BlobHash(blob.hash), Some(TicketSecret(*ticket)));
                session.say(&ClientFrame::BlobAsk(BlobAsk { request, log, hash, size, ttl: None, ticket }), cx);
            }
            Act::Post { log, ticket, id16, body, .. } => {
                let frame = Post { request, log: *log, ticket: TicketSecret(*ticket), id16: *id16, ttl: None, body };
                session.say(&ClientFrame::Post(frame), cx);
            }
            Act::Take { shelf, ticket } => {
                self.taken.clear();
                session.say(&ClientFrame::Take(Take { request, shelf: *shelf, ticket: TicketSecret(*ticket) }), cx);
            }
            Act::Get { .. } => {}
        }
    }

    const fn asked(&self, request: u64) -> bool {
        matches!(self.stage, Stage::Asked(r) if r == request)
    }

    pub(crate) fn kept(&self, frame: &Kept) -> Option<Outcome> {
        self.asked(frame.request).then_some(Outcome::Kept)
    }

    /// One item came; none is missing when no more comes.
    pub(crate) fn took(&mut self, frame: &Taken<'_>) -> Option<Outcome> {
        if !self.asked(frame.request) || self.taken.len() > MAX_SLOTS {
            return None;
        }
        self.taken.push(Item { bytes: frame.item.to_vec() });
        (!frame.more).then(|| Outcome::Taken(core::mem::take(&mut self.taken)))
    }

    /// The relay takes the blob: the driver carries it.
    pub(crate) fn granted(
        &mut self,
        request: u64,
        token: [u8; 32],
        received: u64,
        address: &RelayAddress,
        cx: &mut Cx<'_>,
    ) {
        if !self.asked(request) {
            return;
        }
        let Act::Post { blob: Some(blob), .. } = &self.stored.act else { return };
        let bytes: Arc<[u8]> = Arc::from(blob.bytes.as_slice());
        let (relay, address, hash) = (self.relay, address.clone(), blob.hash);
        cx.out.effects.push(Effect::PutBlob { relay, address, hash, token, from: received, bytes });
        self.stage = Stage::Carrying;
    }

    pub(crate) fn carries(&self, wanted: &[u8; 32]) -> bool {
        let hash = match &self.stored.act {
            Act::Post { blob: Some(blob), .. } => &blob.hash,
            Act::Get { hash, .. } => hash,
            _ => return false,
        };
        matches!(self.stage, Stage::Carrying) && hash == wanted
    }

    /// The driver has carried the blob there, or not.
    pub(crate) fn blob_put(&mut self, result: &Result<(), BlobError>, cx: &Cx<'_>) -> Option<Outcome> {
        self.stage = Stage::Idle;
        match result {
            Ok(()) => {
                self.blob_there = true;
                None
            }
            Err(BlobError::Later(_)) => {
                self.not_before = cx.now.saturating_add(BLOB_PAUSE_MS);
                None
            }
            Err(BlobError::Never(why)) => Some(Outcome::NoBlob(why.clone())),
        }
    }

    pub(crate) fn blob_got(&mut self, result: &Result<Vec<u8>, BlobError>, cx: &Cx<'_>) -> Option<Outcome> {
        self.stage = Stage::Idle;
        match result {
            Ok(bytes) => Some(Outcome::Got(bytes.clone())),
            Err(BlobError::Later(_)) => {
                self.not_before = cx.now.saturating_add(BLOB_PAUSE_MS);
                None
            }
            Err(BlobError::Never(why)) => Some(Outcome::NoBlob(why.clone())),
        }
    }

    /// How often a dead ticket is tried again. Of a link that somebody uses for the first time it is told at once.
    const fn tries(&self) -> u32 {
        match self.stored.then {
            Then::Ask(_) | Then::Asked(_) | Then::Welcome(_) => 0,
            Then::Knocked(_) if self.waiting.is_some() => 0,
            Then::Invite(_) | Then::Answered(_) => TICKET_TRIES,
            Then::Nothing | Then::Invited(_) | Then::Knocked(_) | Then::Moved(_) => TICKET_TRIES_ALONE,
        }
    }

    pub(crate) fn refused(&mut self, frame: &Refused, cx: &mut Cx<'_>) -> Option<Outcome> {
        self.stage = Stage::Idle;
        self.taken.clear();
        let dead = self.stored.dead.unwrap_or(0);
        if frame.code == Refusal::BadTicket && dead < self.tries() {
            let pause = TICKET_PAUSE_MS.checked_shl(dead).unwrap_or(u64::MAX).min(TICKET_LONGEST_PAUSE_MS);
            self.not_before = cx.now.saturating_add(pause);
            self.stored.dead = Some(dead.saturating_add(1));
            self.keep(cx);
            return None;
        }
        match frame.code.retry() {
            Retry::Reconnect => self.not_before = cx.now.saturating_add(RECONNECT_PAUSE_MS),
            Retry::Later => self.not_before = cx.now.saturating_add(later(frame, cx)),
            Retry::Never => return Some(Outcome::Refused(frame.code)),
        }
        None
    }
}

/// Items that one take gives at most: one of each slot.
const MAX_SLOTS: usize = 8;
