//! Letters from account to account: sealed and posted, read and judged.

use estoile_mls::hpke;
use estoile_seal::account::{AccountId, Chain};
use estoile_seal::mailbox::{self, ChainPart, Kind, Letter, MailboxError, Opened};
use estoile_seal::ticket::TicketSecret;
use estoile_seal::views::View;
use estoile_wire::Id16;

use super::create::seed;
use estoile_wire::Millis;

use super::jobs::Then;
use super::own::Own;
use super::stored::{Stage, StoredReach};
use super::{Accounts, Wish};
use crate::board::Draft;
use crate::channel::job::{Act, StoredBlob};
use crate::channel::{Channel, Heard, Purpose};
use crate::command::{Answer, CommandError};
use crate::notice::NoticeKind;
use crate::out::Cx;
use crate::turn::CommandId;
use crate::view::ContactId;

/// A letter under a ticket that is not known here waits so long for another device's word of it: that comes by the account's
/// log, which is read in steps of a round trip.
const HOLD_MS: u64 = 60_000;
/// Letters that wait so; more are somebody's flood.
const MAX_HELD: usize = 64;
const UNKNOWN_TICKET: &str = "a letter came under a ticket that is not known here (any more), and was left out";

/// A letter under a ticket that is not known here yet.
#[derive(Debug)]
pub(super) struct HeldLetter {
    /// So long another device's word of it is waited for.
    until: Millis,
    /// It lay there before this device came: nothing is told of it.
    old: bool,
    heard: Heard,
}

impl Accounts {
    /// After a restart the mailbox is read again from the first letter that waits.
    fn note_held(&mut self) {
        let first = self.held.iter().map(|held| held.heard.cursor).min();
        if let Some(channel) = self.channel_mut(Purpose::Mailbox) {
            channel.hold_from(first);
        }
    }

    /// When the wait of a letter ends: not before the account's log was read, which may know its ticket.
    pub(super) fn held_timeout(&self) -> Option<Millis> {
        self.held.iter().map(|held| held.until).min().filter(|_| self.log_is_live())
    }

    fn log_is_live(&self) -> bool {
        let log = self.own.as_ref().and_then(|own| self.channel(Purpose::Account(own.stored.generation)));
        log.is_none_or(Channel::is_live)
    }

    /// Judges letters again whose tickets were not known: those that are known now, and those whose time is over.
    pub(super) fn held_again(&mut self, cx: &mut Cx<'_>) {
        if self.held.is_empty() {
            return;
        }
        let live = self.log_is_live();
        for held in core::mem::take(&mut self.held) {
            if self.ticket_of(&held.heard.body).is_some() {
                self.letter(&held.heard, cx);
            } else if !live || (held.until > cx.now && !held.old) {
                self.held.push(held);
            } else if !held.old {
                forged(UNKNOWN_TICKET, cx);
            }
        }
        self.note_held();
    }

    /// Writes to a contact.
    pub(super) fn post_to(
        &mut self,
        id: ContactId,
        kind: Kind,
        then: Then,
        waiting: Option<(CommandId, Answer)>,
        cx: &mut Cx<'_>,
    ) {
        let Some((account, reach)) = self.contacts.get(&id).map(|c| (c.account, c.reach.clone())) else { return };
        let Some(reach) = reach else {
            self.failed(waiting, "it is not known here how to reach this contact; ask them for their contact link", cx);
            return;
        };
        self.post(&account, &reach, kind, None, then, waiting, cx);
    }

    /// Writes to an account, and has the relay keep it.
    #[expect(clippy::too_many_arguments, reason = "whom, where, what, and what then")]
    pub(super) fn post(
        &mut self,
        account: &[u8; 32],
        reach: &StoredReach,
        kind: Kind,
        blob: Option<StoredBlob>,
        then: Then,
        waiting: Option<(CommandId, Answer)>,
        cx: &mut Cx<'_>,
    ) {
        let Some(own) = &self.own else { return };
        let views = self.views_shared(account);
        let ticket = TicketSecret::from_bytes(reach.ticket);
        match sealed(own, account, reach, kind, views, cx) {
            Ok(body) => {
                let id16 = Id16(seed(cx.rng).first_chunk().copied().unwrap_or_default());
                let act = Act::Post { log: reach.mailbox, ticket: ticket.relay_ticket(), id16, body, blob };
                let address = reach.address.clone();
                self.job(&address, act, then, waiting, cx);
            }
            Err(error) => self.failed(waiting, &error.to_string(), cx),
        }
    }

    /// Whose ticket a record was posted under.
    fn ticket_of(&self, body: &[u8]) -> Option<TicketSecret> {
        let own = self.own.as_ref()?;
        let tag = mailbox::tag_of(body)?;
        let fits = |t: &TicketSecret| t.tag() == tag;
        let contacts = self.contacts.values().map(|c| c.ticket);
        let knocks = own.chain.devices().iter().map(|d| own.knock_ticket(d));
        let all = contacts.map(TicketSecret::from_bytes).chain(knocks);
        [own.link_ticket(), own.own_ticket()].into_iter().chain(all).find(fits)
    }

    /// A record came in the mailbox.
    pub(super) fn letter(&mut self, heard: &Heard, cx: &mut Cx<'_>) {
        let Some(ticket) = self.ticket_of(&heard.body) else {
            // A new device reads letters to tickets that ended before its time.
            let old = self.reads_old_letters();
            if old && self.log_is_live() {
                return;
            }
            // Another device of ours may have made the ticket: its word of it is on the way.
            if self.held.len() < MAX_HELD {
                let until = cx.now.saturating_add(HOLD_MS);
                self.held.push(HeldLetter { until, old, heard: heard.clone() });
                self.note_held();
            } else {
                forged(UNKNOWN_TICKET, cx);
            }
            return;
        };
        let Some(own) = &self.own else { return };
        let opened = open(own, &ticket, &heard.body, Letter::open, cx);
        let opened = match opened {
            Ok(opened) => opened,
            Err((from, MailboxError::Forked)) => {
                if let Some(id) = from.and_then(|a| self.find_contact(&a.0)) {
                    self.stop_contact(id, &MailboxError::Forked.to_string(), None, cx);
                }
                return;
            }
            Err((_, MailboxError::Removed)) => {
                // A device that was just linked reads what others have answered long since.
                let answers =
                    self.late_welcome(&ticket, &heard.body, cx) || self.lost_welcome(&ticket, &heard.body, cx);
                if !answers && !self.reads_old_letters() {
                    let advice = "Nothing was done with it. Whoever wrote it there can write again on another device.";
                    cx.tell(Draft::new(None, NoticeKind::Device, MailboxError::Removed.to_string(), advice));
                }
                return;
            }
            Err((_, error)) => {
                forged(&error.to_string(), cx);
                return;
            }
        };
        if self.first_time(opened.letter.id, cx) {
            self.opened(opened, &ticket, cx);
        }
    }

    /// The answer to our knock at a room of ours, by a device that was removed from its account after it let us in: the room's
    /// log and its group say whether that holds, and nobody else will answer us. True if it was that.
    fn late_welcome(&mut self, ticket: &TicketSecret, body: &[u8], cx: &mut Cx<'_>) -> bool {
        let Some(own) = self.own.as_ref().filter(|own| own.knock_ticket(&own.device.public()) == *ticket) else {
            return false;
        };
        // By the chain that it brings along, which is the one known, less the removal.
        let read = |packet: &[u8], me: &AccountId, _: Option<&Chain>| Letter::open(packet, me, None);
        let Ok(opened) = open(own, ticket, body, read, cx) else { return false };
        let (from, id) = (opened.chain.id(), opened.letter.id);
        let (ours, Kind::Welcome(welcome)) = (own.id() == from, opened.letter.kind) else { return false };
        if !own.stored.knocks.iter().any(|k| k.log == Some(welcome.log)) {
            return false;
        }
        if self.first_time(id, cx) {
            self.welcomed((from, ours, false), &welcome, ticket, cx);
        }
        true
    }

    /// A device that came into an account that was there reads on what lay in the mailbox before.
    fn reads_old_letters(&self) -> bool {
        let fresh = self.own.as_ref().is_some_and(|own| own.stored.since.is_some());
        fresh && self.channel(Purpose::Mailbox).is_some_and(|c| !c.read_up)
    }

    fn opened(&mut self, opened: Opened, ticket: &TicketSecret, cx: &mut Cx<'_>) {
        let from = opened.chain.id();
        let chain = opened.chain.encode();
        cx.book.learn(&from.0, &chain);
        let own = self.own.as_ref().is_some_and(|own| own.id() == from);
        let contact = self.find_contact(&from.0);
        if let Some(contact) = contact.and_then(|id| self.contacts.get_mut(&id)) {
            contact.last_heard = Some(cx.now);
        }
        if let Some(id) = contact {
            self.keep_contact(id);
        }
        let stopped = contact.and_then(|id| self.contacts.get(&id)).is_some_and(|c| c.stage == Stage::Stopped);
        if !opened.letter.views.is_empty() && (own || contact.is_some()) {
            self.wish(Wish::Views { by: from.0, views: opened.letter.views.clone() });
        }
        let old = self.own.as_ref().and_then(|own| own.stored.since).is_some_and(|at| opened.letter.sent_at < at);
        match opened.letter.kind {
            _ if stopped => {}
            // Another device of ours has answered what was asked before this one was.
            Kind::Request { .. } | Kind::Answer { .. } if old && contact.is_some() => {}
            Kind::Request { card, text } if !own => self.requested(from, &chain, card, text, cx),
            Kind::Answer { card } if !own => self.answered(from, card, cx),
            Kind::Card { card } if !own => {
                if let (Some(id), Some(read)) = (contact, self.checked_card(&from.0, &card, cx)) {
                    self.take_card(id, &read, card);
                }
            }
            Kind::Ticket(ticket) if !own => {
                if let Some(id) = contact {
                    self.change_contact(id, |c| {
                        if let Some(reach) = c.reach.as_mut() {
                            reach.ticket = *ticket.as_bytes();
                        }
                    });
                }
            }
            Kind::Welcome(welcome) => self.welcomed((from, own, old), &welcome, ticket, cx),
            _ => {}
        }
    }
}

fn forged(why: &str, cx: &mut Cx<'_>) {
    let advice = "Nothing was done with it. If many come, make a new contact link.";
    cx.tell(Draft::new(None, NoticeKind::Forged, why, advice));
}

/// The body of a letter to an account.
fn sealed(
    own: &Own,
    to: &[u8; 32],
    reach: &StoredReach,
    kind: Kind,
    views: Vec<View>,
    cx: &mut Cx<'_>,
) -> Result<Vec<u8>, CommandError> {
    let id = seed(cx.rng).first_chunk().copied().unwrap_or_default();
    let letter = Letter {
        from: ChainPart::Whole(own.chain.clone()),
        device: own.device.public(),
        kind,
        views,
        sent_at: cx.now,
        id,
    };
    let packet = letter.sign(&AccountId(*to), &own.device).map_err(|e| CommandError::Account(e.to_string()))?;
    let key = reach.hpke.as_deref().ok_or(CommandError::NoSuchContact)?;
    let sealed = hpke::seal(key, mailbox::HPKE_INFO, to, &packet)
        .map_err(|_| CommandError::Account("this contact's key is none; ask them for a new contact link".to_owned()))?;
    Ok(mailbox::wrap(&TicketSecret::from_bytes(reach.ticket), &reach.mailbox, &sealed, cx.rng))
}

pub(super) fn open(
    own: &Own,
    ticket: &TicketSecret,
    body: &[u8],
    read: impl FnOnce(&[u8], &AccountId, Option<&Chain>) -> Result<Opened, MailboxError>,
    cx: &Cx<'_>,
) -> Result<Opened, (Option<AccountId>, MailboxError)> {
    let none = |e| (None, e);
    let sealed = mailbox::unwrap(ticket, &own.mailbox(), body).map_err(none)?;
    let me = own.id();
    let packet =
        hpke::open(&own.hpke_secret, mailbox::HPKE_INFO, &me.0, &sealed).map_err(|_| none(MailboxError::Seal))?;
    let from = mailbox::claimed_sender(&packet).map_err(none)?;
    read(&packet, &me, cx.book.verified_chain(&from.0)).map_err(|e| (Some(from), e))
}
