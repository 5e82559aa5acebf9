//! Knocks: ours at rooms' doors, and those at our doors until their turn has come.

use estoile_mls::{Suite, Validity, key_package};
use estoile_seal::account::Door;
use estoile_seal::door::{self, Answer as DoorAnswer, Knock, Why};
use estoile_seal::mailbox::{Kind, Letter};
use estoile_seal::ticket::TicketSecret;
use estoile_wire::{LogId, Millis, PublicKey};

use super::jobs::Then;
use super::own::no_relay_key;
use super::stored::{StoredKnock, StoredPackage, StoredPending};
use super::{Accounts, Entry, Wish, mailbox};
use crate::channel::Purpose;
use crate::channel::job::{Act, Job};
use crate::command::{Answer, CommandError, RelayAddress};
use crate::names;
use crate::out::Cx;
use crate::stored::StoredAddress;
use crate::turn::CommandId;
use crate::view::RoomId;

/// Knocks of ours that wait for an answer.
const MAX_KNOCKS: usize = 200;
/// Knocks at our doors that wait for their turn.
const MAX_PENDING: usize = 200;
/// Who would answer next waits this much longer, so that not all answer at once.
const TURN_MS: u64 = 3_000;
/// Nobody waits longer than this to answer.
const LONGEST_TURN_MS: u64 = 60_000;

impl Accounts {
    /// Knocks at a door; the room waits. Answered when the knock is kept.
    #[expect(clippy::too_many_arguments, reason = "where, at which door, why, and who waits")]
    pub(crate) fn knock(
        &mut self,
        room: RoomId,
        address: &RelayAddress,
        door: &Door,
        why: Why,
        place: (&str, Option<LogId>),
        waiting: Option<(CommandId, Answer)>,
        cx: &mut Cx<'_>,
    ) -> Result<(), CommandError> {
        let own = self.own.as_ref().ok_or(CommandError::NoAccount)?;
        if own.stored.knocks.len() >= MAX_KNOCKS {
            let why = "too many knocks wait for an answer already; forget some of the rooms first";
            return Err(CommandError::Private(why.to_owned()));
        }
        let relay = own.relay_url().ok_or_else(no_relay_key)?;
        let me = estoile_mls::Me {
            account: own.id().0,
            name: &own.stored.name,
            device_seed: &own.stored.device,
            chain: &own.stored.chain,
        };
        let made: Vec<_> = [Suite::XWing, Suite::Classic]
            .into_iter()
            .filter_map(|suite| key_package(suite, &me, Validity::at(cx.now), false).ok())
            .collect();
        let ticket = own.knock_ticket(&own.device.public());
        let knock = Knock {
            why,
            chain: own.chain.clone(),
            name: own.stored.name.clone(),
            device: own.device.public(),
            key_packages: made.iter().map(|p| p.public.clone()).collect(),
            answer: DoorAnswer { relay, mailbox: own.mailbox(), ticket, hpke: own.hpke_public.clone() },
            sent_at: cx.now,
        };
        let body = knock.seal(door, &own.device, cx.rng).map_err(|e| CommandError::Private(e.to_string()))?;
        let chain_len = own.chain.len();
        for package in made {
            let number = self.counters.package;
            self.counters.package = number.saturating_add(1);
            let stored = StoredPackage {
                reference: package.reference,
                secret: package.secret.to_vec(),
                made_at: cx.now,
                last_resort: false,
                item: None,
                chain_len,
                twin: None,
            };
            cx.put(names::own_numbered(Entry::Package, number), &stored);
            self.packages.insert(number, stored);
        }
        if let Some(own) = self.own.as_mut() {
            own.stored.knocks.retain(|k| k.room != room.0);
            let (name, log) = (place.0.to_owned(), place.1);
            let stored = StoredKnock::new(room.0, name, cx.now);
            own.stored.knocks.push(StoredKnock { log, ..at_door(stored, address, door, why) });
            self.own_dirty = true;
        }
        self.set_tickets();
        let act =
            Act::Post { log: door.log, ticket: door.ticket.relay_ticket(), id16: door::id16(&body), body, blob: None };
        self.job(&StoredAddress::of(address), act, Then::Knocked(room.0), waiting, cx);
        Ok(())
    }

    /// Somebody knocks: it is our turn at once, or later.
    ///
    /// Of one device only the last knock counts: what the others ask for it has given up.
    pub(crate) fn knocked(&mut self, room: RoomId, device: PublicKey, body: Vec<u8>, rank: u64, cx: &mut Cx<'_>) {
        self.pending.retain(|number, p| {
            let older = p.room == room.0 && p.device == Some(device);
            if older {
                cx.delete(names::own_numbered(Entry::Want, *number));
            }
            !older
        });
        if self.pending.len() >= MAX_PENDING {
            return;
        }
        let due = cx.now.saturating_add(rank.saturating_mul(TURN_MS).min(LONGEST_TURN_MS));
        let number = self.counters.pending;
        self.counters.pending = number.saturating_add(1);
        let pending = StoredPending { room: room.0, due, body, device: Some(device) };
        cx.put(names::own_numbered(Entry::Want, number), &pending);
        self.pending.insert(number, pending);
    }

    pub(super) fn pending_timeout(&self) -> Option<Millis> {
        self.pending.values().filter(|p| self.has_read_door(p.room)).map(|p| p.due).min()
    }

    /// All that stands at a room's door was read: a knock that was repeated is answered once.
    fn has_read_door(&self, room: u32) -> bool {
        self.channel(Purpose::Door(room)).is_some_and(|c| c.is_live() && c.read_up)
    }

    /// Knocks whose turn it is.
    pub(crate) fn due_knocks(&mut self, cx: &mut Cx<'_>) -> Vec<(RoomId, Vec<u8>)> {
        let ready = |p: &StoredPending| p.due <= cx.now && self.has_read_door(p.room);
        let due: Vec<u64> = self.pending.iter().filter(|(_, p)| ready(p)).map(|(n, _)| *n).collect();
        due.into_iter()
            .filter_map(|number| {
                cx.delete(names::own_numbered(Entry::Want, number));
                self.pending.remove(&number).map(|p| (RoomId(p.room), p.body))
            })
            .collect()
    }

    /// The room in which we wait at a door of this name.
    pub(crate) fn knocking_at(&self, name: &str) -> Option<RoomId> {
        let own = self.own.as_ref()?;
        own.stored.knocks.iter().find(|k| k.name == name && k.log.is_none()).map(|k| RoomId(k.room))
    }

    /// The room for which we knock at the door of this log.
    pub(crate) fn knocking_for(&self, log: &LogId) -> Option<RoomId> {
        let own = self.own.as_ref()?;
        own.stored.knocks.iter().find(|k| k.log == Some(*log)).map(|k| RoomId(k.room))
    }

    /// Whether we knocked at this door for the room of a log, and wait.
    pub(crate) fn knocked_at(&self, log: &LogId, door: &LogId) -> bool {
        let Some(own) = self.own.as_ref() else { return false };
        own.stored.knocks.iter().any(|k| k.log == Some(*log) && k.door.as_ref() == Some(door))
    }

    /// Nobody answers at this room's door.
    pub(crate) fn knock_over(&mut self, room: RoomId) {
        if let Some(own) = self.own.as_mut() {
            own.stored.knocks.retain(|k| k.room != room.0);
        }
        self.keep_own();
    }

    /// The answer to a knock of ours, by a device that its account has removed since: it can't be believed, and those who could
    /// let us in see this device as one that is in. It knocks again, and gets a new leaf. True if it was that.
    pub(super) fn lost_welcome(&mut self, ticket: &TicketSecret, body: &[u8], cx: &mut Cx<'_>) -> bool {
        let Some(own) = self.own.as_ref().filter(|own| own.knock_ticket(&own.device.public()) == *ticket) else {
            return false;
        };
        // What it says decides nothing but which of our knocks is sent once more.
        let read = |packet: &[u8], me: &_, _: Option<&_>| Letter::open(packet, me, None);
        let Ok(opened) = mailbox::open(own, ticket, body, read, cx) else { return false };
        let Kind::Welcome(welcome) = opened.letter.kind else { return false };
        let knocks = &own.stored.knocks;
        let known = knocks.iter().find(|k| k.log == Some(welcome.log));
        let by_name = || knocks.iter().find(|k| k.log.is_none() && k.name == welcome.name);
        let Some(room) = known.or_else(by_name).map(|k| RoomId(k.room)) else { return false };
        if self.first_time(opened.letter.id, cx) {
            self.wish(Wish::KnockAgain { room });
        }
        true
    }

    /// Knocks once more where a room waits, with new key packages.
    pub(crate) fn knock_again(&mut self, room: RoomId, cx: &mut Cx<'_>) -> Result<(), CommandError> {
        let knock = self.own.as_ref().and_then(|own| own.stored.knocks.iter().find(|k| k.room == room.0)).cloned();
        let Some(knock) = knock else { return Ok(()) };
        let (Some(address), Some(door), Some(ticket)) = (&knock.address, knock.door, knock.ticket) else {
            return Ok(());
        };
        let why = match (knock.link, knock.from) {
            (Some(link), _) => Why::Link(link),
            (None, Some(from)) => Why::Moved(from),
            (None, None) => Why::Back,
        };
        let door = Door { log: door, ticket: TicketSecret::from_bytes(ticket) };
        self.knock(room, &address.to_address(), &door, why, (&knock.name, knock.log), None, cx)
    }

    /// We are in: what was to be posted at the door by itself, and was not yet, is not.
    pub(crate) fn knock_no_longer(&mut self, room: RoomId, cx: &mut Cx<'_>) {
        let ours = |job: &Job| matches!(job.stored.then, Then::Knocked(at) if at == room.0) && job.waiting.is_none();
        self.drop_jobs(ours, cx);
    }

    /// Whether this vault has made a key package that is good from then on.
    pub(crate) fn made_package(&self, from: Millis) -> bool {
        self.packages.values().any(|p| Validity::at(p.made_at).from_ms / 1_000 == from / 1_000)
    }

    /// This device was let in again, by a later knock than the one that was answered first: it waits for that answer.
    pub(crate) fn waits_again(&mut self, room: RoomId, name: &str, log: LogId, cx: &mut Cx<'_>) {
        if let Some(own) = self.own.as_mut()
            && !own.stored.knocks.iter().any(|k| k.room == room.0)
        {
            let mut knock = StoredKnock::new(room.0, name.to_owned(), cx.now);
            knock.log = Some(log);
            own.stored.knocks.push(knock);
        }
        self.keep_own();
    }
}

/// Where a knock was posted and why, so that it can be sent once more.
fn at_door(knock: StoredKnock, address: &RelayAddress, door: &Door, why: Why) -> StoredKnock {
    let (link, from) = match why {
        Why::Link(link) => (Some(link), None),
        Why::Moved(from) => (None, Some(from)),
        Why::Back => (None, None),
    };
    let ticket = Some(*door.ticket.as_bytes());
    StoredKnock { door: Some(door.log), address: Some(StoredAddress::of(address)), ticket, link, from, ..knock }
}
