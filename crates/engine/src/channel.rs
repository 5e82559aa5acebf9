//! Channels: logs and shelves that are no rooms (the account's log, the mailbox and shelf, doors, device links).
//!
//! A channel makes its log where it may, keeps the tickets that it should have, reads on from where this vault stands, and
//! sends what waits in it. It opens no body: what comes is given to the account part. [`job`] has what is done at logs that
//! others hold: posts, takes, blobs.

mod attach;
mod frames;
pub(crate) mod job;

use estoile_seal::access::AccessKey;
use estoile_seal::account::Generation;
use estoile_wire::id::LogKind;
use estoile_wire::{Cursor, Id16, LogId, Millis, PublicKey};
use minicbor::{Decode, Encode};

use crate::command::RelayAddress;
use crate::names;
use crate::out::Cx;
use crate::patience::Patience;
use crate::stored::StoredAddress;
use crate::view::RelayId;

pub(crate) use attach::Attach;

/// A channel of this vault, by a number that never leaves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ChannelId(pub(crate) u32);

/// Letters that wait in one channel for its relay: device links have three, nothing else has more than a few.
pub(crate) const MAX_OUTGOING: usize = 16;

/// What a channel is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub(crate) enum Purpose {
    /// The account's own log, of one generation.
    #[n(0)]
    Account(#[n(0)] u32),
    /// Where letters to the account arrive.
    #[n(1)]
    Mailbox,
    /// The account's one-time key packages.
    #[n(2)]
    Shelf,
    /// A private room's door.
    #[n(3)]
    Door(#[n(0)] u32),
    /// A device link under way.
    #[n(4)]
    Link,
}

/// A ticket that a log or shelf should take.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StoredTicket {
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) hash: [u8; 32],
    #[n(1)]
    pub(crate) per_day: u64,
    #[n(2)]
    pub(crate) bytes_per_day: u64,
}

/// A letter that waits in a channel.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StoredOutgoing {
    #[n(0)]
    pub(crate) id16: Id16,
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) body: Vec<u8>,
}

/// A channel as the vault has it.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StoredChannel {
    #[n(0)]
    pub(crate) address: StoredAddress,
    #[n(1)]
    pub(crate) purpose: Purpose,
    /// The access key's seed; of an account's log: its generation's secret.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) seed: [u8; 32],
    /// Make it where it is missing.
    #[n(3)]
    pub(crate) create: bool,
    #[n(4)]
    pub(crate) max_ttl: u64,
    #[n(5)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) entry: Option<Vec<u8>>,
    /// The newest record taken in.
    #[n(6)]
    pub(crate) cursor: Cursor,
    /// The epoch to attach at (advancing logs).
    #[n(7)]
    pub(crate) epoch: u64,
    #[n(8)]
    pub(crate) tickets: Vec<StoredTicket>,
    /// The relay has these tickets.
    #[n(9)]
    pub(crate) tickets_set: bool,
    #[n(10)]
    pub(crate) outgoing: Vec<StoredOutgoing>,
    /// Why it can't go on.
    #[n(11)]
    pub(crate) stopped: Option<String>,
    /// It was there once: if it is gone now, the relay has lost it.
    #[n(12)]
    pub(crate) made: bool,
}

impl Drop for StoredChannel {
    fn drop(&mut self) {
        use zeroize::Zeroize;
        self.seed.zeroize();
    }
}

impl core::fmt::Debug for StoredChannel {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("StoredChannel(..)")
    }
}

impl StoredChannel {
    /// A channel that nothing was read of yet.
    pub(crate) fn new(address: &RelayAddress, purpose: Purpose, seed: [u8; 32]) -> Self {
        Self {
            address: StoredAddress::of(address),
            purpose,
            seed,
            create: false,
            max_ttl: 0,
            entry: None,
            cursor: 0,
            epoch: 0,
            tickets: Vec::new(),
            tickets_set: true,
            outgoing: Vec::new(),
            stopped: None,
            made: false,
        }
    }
}

/// A record that came in a channel.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) cursor: Cursor,
    pub(crate) epoch: u64,
    pub(crate) body: Vec<u8>,
}

/// A channel.
#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) id: ChannelId,
    pub(crate) relay: RelayId,
    pub(crate) stored: StoredChannel,
    log: LogId,
    attach: Attach,
    patience: Patience,
    /// Everything that waited was read since this connection was made.
    pub(crate) read_up: bool,
    tickets_request: Option<u64>,
    /// The tickets are not the account's last word: they are not told now.
    pub(crate) tickets_wait: bool,
    flights: Vec<(u64, Id16)>,
    /// The epoch of the last append (advancing logs).
    appended_in: u64,
    /// See [`Self::hold_from`].
    held_from: Option<Cursor>,
    pause_until: Millis,
    changed: bool,
    /// What happened that the account part must look at.
    news: Vec<ChannelNews>,
}

/// What a channel has to say.
#[derive(Debug)]
pub(crate) enum ChannelNews {
    /// A record came.
    Record(Heard),
    /// All that waited was read; a shelf is there.
    Live,
    /// A letter that waited in it is kept.
    Kept,
    /// The relay has the tickets.
    TicketsSet,
    /// It can't go on, and why; `lost`: it was there, and the relay does not know it any more.
    Stopped { why: String, lost: bool },
    /// It was there, the relay does not know it any more, and it is made anew: nothing is in it.
    Remade,
    /// An append was stale: the log has gone on (advancing logs).
    Stale,
    /// What this request asked for was not taken, for good.
    Refused { request: u64, why: String },
    /// What this request asked for was put off.
    Later { request: u64 },
    /// An append of this request is kept.
    Appended { request: u64 },
    /// The relay takes a blob.
    Granted { request: u64, token: [u8; 32], received: u64 },
    /// The shelf says what is left in each slot.
    Counted { request: u64, frame: Box<estoile_wire::frame::Counted> },
}

impl Channel {
    pub(crate) fn new(id: ChannelId, stored: StoredChannel) -> Self {
        let mut channel = Self {
            id,
            relay: RelayId(u32::MAX),
            log: LogId([0; 32]),
            attach: Attach::Out,
            patience: Patience::default(),
            read_up: false,
            tickets_request: None,
            tickets_wait: matches!(stored.purpose, Purpose::Mailbox | Purpose::Shelf),
            flights: Vec::new(),
            pause_until: 0,
            appended_in: 0,
            held_from: None,
            changed: false,
            news: Vec::new(),
            stored,
        };
        channel.log = channel.key(0).log_id(channel.kind());
        channel
    }

    pub(crate) fn address(&self) -> RelayAddress {
        self.stored.address.to_address()
    }

    pub(crate) const fn kind(&self) -> LogKind {
        match self.stored.purpose {
            Purpose::Account(_) => LogKind::Advancing,
            Purpose::Shelf => LogKind::Shelf,
            Purpose::Mailbox | Purpose::Door(_) | Purpose::Link => LogKind::Fixed,
        }
    }

    /// The key of an epoch; fixed logs and shelves have one for all time.
    pub(crate) fn key(&self, epoch: u64) -> AccessKey {
        match self.stored.purpose {
            Purpose::Account(number) => Generation::from_parts(number, self.stored.seed).access(epoch),
            _ => AccessKey::from_seed(&self.stored.seed),
        }
    }

    pub(crate) const fn log(&self) -> LogId {
        self.log
    }

    /// The key that the relay asks for now.
    pub(crate) fn access(&self) -> AccessKey {
        self.key(self.stored.epoch)
    }

    pub(crate) fn next_access(&self) -> PublicKey {
        self.key(self.stored.epoch.saturating_add(1)).public()
    }

    pub(crate) const fn wanted(&self) -> bool {
        self.stored.stopped.is_none()
    }

    pub(crate) const fn is_live(&self) -> bool {
        matches!(self.attach, Attach::Live)
    }

    /// Says which tickets the relay should take.
    pub(crate) fn set_tickets(&mut self, tickets: Vec<StoredTicket>) {
        if self.stored.tickets != tickets || self.tickets_request.is_some() {
            self.stored.tickets = tickets;
            self.stored.tickets_set = false;
            self.tickets_request = None;
            self.changed = true;
        }
    }

    /// The relay may have another list by now.
    pub(crate) fn tell_tickets_again(&mut self) {
        if !self.stored.tickets.is_empty() {
            self.stored.tickets_set = false;
            self.tickets_request = None;
            self.changed = true;
        }
    }

    /// Nothing more is told of tickets.
    pub(crate) fn tickets_told(&mut self) {
        self.stored.tickets_set = true;
        self.tickets_request = None;
        self.changed = true;
    }

    /// Puts a letter into the channel's own log.
    pub(crate) fn push(&mut self, id16: Id16, body: Vec<u8>) {
        if self.stored.outgoing.len() < MAX_OUTGOING {
            self.stored.outgoing.push(StoredOutgoing { id16, body });
            self.changed = true;
        }
    }

    /// From this record on they are read again after a restart: what they mean is not known yet. None: all is understood.
    pub(crate) fn hold_from(&mut self, cursor: Option<Cursor>) {
        if self.held_from != cursor {
            self.held_from = cursor;
            self.changed = true;
        }
    }

    pub(crate) const fn changed(&mut self) {
        self.changed = true;
    }

    /// Something of ours is on its way.
    pub(crate) fn busy(&self) -> bool {
        !self.flights.is_empty()
    }

    pub(crate) fn take_news(&mut self) -> Vec<ChannelNews> {
        core::mem::take(&mut self.news)
    }

    /// Nothing of ours is on its way, and all that is there was read.
    pub(crate) fn quiet(&self) -> bool {
        !self.wanted() || (self.is_live() && self.read_up && self.stored.tickets_set && self.stored.outgoing.is_empty())
    }

    /// The session is gone.
    pub(crate) fn offline(&mut self) {
        self.attach = Attach::Out;
        self.read_up = false;
        self.tickets_request = None;
        self.tickets_wait = matches!(self.stored.purpose, Purpose::Mailbox | Purpose::Shelf);
        self.flights.clear();
    }

    pub(crate) fn clock_went_back(&mut self, by: u64) {
        self.pause_until = self.pause_until.saturating_sub(by);
        self.attach.clock_went_back(by);
        self.patience.clock_went_back(by);
    }

    pub(crate) fn flush(&mut self, cx: &mut Cx<'_>) {
        if core::mem::take(&mut self.changed) {
            let mut stored = self.stored.clone();
            if let Some(held) = self.held_from {
                stored.cursor = stored.cursor.min(held.saturating_sub(1));
            }
            cx.put(names::channel(self.id.0), &stored);
        }
    }

    pub(crate) fn stop(&mut self, why: String, lost: bool) {
        self.attach = Attach::Out;
        self.stored.stopped = Some(why.clone());
        self.changed = true;
        self.news.push(ChannelNews::Stopped { why, lost });
    }

    /// Looks once more.
    pub(crate) fn forgive(&mut self) {
        if self.stored.stopped.take().is_some() {
            self.changed = true;
        }
    }
}
