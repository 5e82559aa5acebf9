//! What the end of a job means, and the tickets that must be in force before one is sent.

use minicbor::{Decode, Encode};

use super::stored::Stage;
use super::{Accounts, Entry, Waits};
use crate::channel::job::{Act, Job, JobId, MAX_JOBS, Outcome, StoredJob};
use crate::channel::{Channel, Purpose, StoredTicket};
use crate::command::{Answer, CommandError};
use crate::names;
use crate::out::Cx;
use crate::stored::StoredAddress;
use crate::turn::CommandId;
use crate::view::ContactId;
use estoile_seal::ticket::TicketSecret;

/// Posts and takes of a day by one contact's ticket: a busy day, and a lid on a wicked one.
const CONTACT_PER_DAY: u64 = 500;
/// Posts and takes of a day by the ticket of links, which anybody may have.
const LINK_PER_DAY: u64 = 200;
/// Bytes of a day by one ticket: some Welcomes into large rooms.
const BYTES_PER_DAY: u64 = 64 * 1024 * 1024;
/// Bytes of a day by the ticket of links: requests are small.
const LINK_BYTES_PER_DAY: u64 = 8 * 1024 * 1024;

/// What a job's end means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) enum Then {
    /// Nothing more.
    #[n(0)]
    Nothing,
    /// What was taken by a contact link: the request is written.
    #[n(1)]
    Ask(#[n(0)] u32),
    /// A request is kept.
    #[n(2)]
    Asked(#[n(0)] u32),
    /// An answer to a request is kept.
    #[n(3)]
    Answered(#[n(0)] u32),
    /// What was taken for an invitation.
    #[n(4)]
    Invite(#[n(0)] u64),
    /// An invitation is kept.
    #[n(5)]
    Invited(#[n(0)] u64),
    /// A Welcome that lay in a blob.
    #[n(6)]
    Welcome(#[n(0)] u64),
    /// A knock is kept.
    #[n(7)]
    Knocked(#[n(0)] u32),
    /// The word at an old door that this room has moved: said when the new door takes knocks.
    #[n(8)]
    Moved(#[n(0)] u32),
}

impl Accounts {
    /// Something to be done at another's log, until it is done.
    pub(crate) fn job(
        &mut self,
        address: &StoredAddress,
        act: Act,
        then: Then,
        waiting: Option<(CommandId, Answer)>,
        cx: &mut Cx<'_>,
    ) {
        if self.jobs.len() >= MAX_JOBS {
            if let Some((id, _)) = waiting {
                let why = "too much waits to be sent already; try again when the relays are back";
                cx.answer(id, Err(CommandError::Offline(why.to_owned())));
            }
            return;
        }
        let id = JobId(self.counters.job);
        self.counters.job = id.0.saturating_add(1);
        let mut job = Job::new(id, StoredJob { address: address.clone(), act, then, dead: None });
        job.waiting = waiting;
        job.keep(cx);
        self.jobs.insert(id, job);
    }

    /// A job has ended: it goes, and what follows is begun in the same turn.
    pub(crate) fn job_done(&mut self, id: JobId, outcome: Outcome, cx: &mut Cx<'_>) {
        let Some(mut job) = self.jobs.remove(&id) else { return };
        cx.delete(names::job(id.0));
        self.changed = true;
        let waiting = job.waiting.take();
        match (job.stored.then, outcome) {
            (Then::Ask(contact), outcome) => self.asked_shelf(ContactId(contact), outcome, waiting, cx),
            (Then::Asked(contact) | Then::Answered(contact), outcome) => {
                self.letter_done(ContactId(contact), &outcome, waiting, cx);
            }
            (Then::Invite(token), outcome) => self.took_for_invite(token, outcome, cx),
            (Then::Invited(token), outcome) => self.invited(token, &outcome, cx),
            (Then::Welcome(invitation), outcome) => self.welcome_got(invitation, outcome, cx),
            (Then::Knocked(_) | Then::Moved(_) | Then::Nothing, outcome) => knocked(&outcome, waiting, cx),
        }
    }

    /// The tickets that the mailbox and the shelf take: one of links, the devices' own, and one for each contact and knock.
    pub(crate) fn set_tickets(&mut self) {
        let Some(own) = self.own.as_ref().filter(|own| own.stored.stopped.is_none()) else { return };
        let link = own.link_ticket();
        let mut tickets = vec![
            ticket(&link, LINK_PER_DAY, LINK_BYTES_PER_DAY),
            ticket(&own.own_ticket(), CONTACT_PER_DAY, BYTES_PER_DAY),
        ];
        // Who only asks has none of ours yet, or one from before they were forgotten.
        let contacts = self.contacts.values().filter(|c| c.stage != Stage::Request).map(|c| c.ticket);
        let knocks = own.chain.devices().iter().map(|d| own.knock_ticket(d));
        tickets.extend(
            contacts.map(TicketSecret::from_bytes).chain(knocks).map(|t| ticket(&t, CONTACT_PER_DAY, BYTES_PER_DAY)),
        );
        for purpose in [Purpose::Mailbox, Purpose::Shelf] {
            if let Some(channel) = self.channel_mut(purpose) {
                channel.set_tickets(tickets.clone());
            }
        }
    }

    /// The relay is given the tickets once more: another device may have put a list there that it made before it knew ours.
    pub(crate) fn set_tickets_again(&mut self) {
        self.set_tickets();
        let shared = self.own.as_ref().is_some_and(|own| own.is_shared() && own.stored.stopped.is_none());
        if !shared {
            return;
        }
        for purpose in [Purpose::Mailbox, Purpose::Shelf] {
            if let Some(channel) = self.channel_mut(purpose) {
                channel.tell_tickets_again();
            }
        }
    }

    /// The list of tickets is that of the whole account: all that the other devices wrote was read, and they can read all that
    /// was changed here. Only then it replaces the list at the relay, so that no device's older list outlives a newer one.
    pub(crate) fn steady(&self) -> bool {
        let Some(own) = self.own.as_ref() else { return false };
        let live = || self.channel(Purpose::Account(own.stored.generation)).is_some_and(Channel::is_live);
        own.stored.stopped.is_none() && !own.stored.joined && own.is_written() && live()
    }

    /// Says to mailbox and shelf whether their tickets may be told now.
    pub(crate) fn hold_tickets(&mut self) {
        let wait = !self.steady();
        for purpose in [Purpose::Mailbox, Purpose::Shelf] {
            if let Some(channel) = self.channel_mut(purpose) {
                channel.tickets_wait = wait;
            }
        }
    }

    /// Letters carry tickets of ours: they are sent when the relay knows those.
    pub(crate) fn tickets_set(&self) -> bool {
        [Purpose::Mailbox, Purpose::Shelf].iter().all(|p| self.channel(*p).is_some_and(|c| c.stored.tickets_set))
    }

    /// Our other devices can know every ticket that our letters carry, and the relay takes it.
    pub(crate) fn ready_to_post(&self) -> bool {
        let Some(own) = self.own.as_ref() else { return false };
        own.stored.stopped.is_some() || (own.is_written() && self.tickets_set())
    }

    /// A job that waits for something else of ours: who hears that a room has moved knocks at once.
    pub(crate) fn waits_for_door(&self, id: JobId) -> bool {
        match self.jobs.get(&id).map(|job| &job.stored.then) {
            Some(Then::Moved(room)) => self.channel(Purpose::Door(*room)).is_some_and(|c| !c.stored.tickets_set),
            _ => false,
        }
    }

    /// Takes away everything of one kind that waits.
    pub(crate) fn drop_jobs(&mut self, which: impl Fn(&Job) -> bool, cx: &mut Cx<'_>) {
        self.jobs.retain(|id, job| {
            let gone = which(job);
            if gone {
                cx.delete(names::job(id.0));
            }
            !gone
        });
    }

    pub(crate) fn answer_waits_invite(&mut self, token: u64, error: Option<&CommandError>, cx: &mut Cx<'_>) {
        self.answer(&Waits::Invite(token), error, cx);
    }

    pub(crate) fn keep_invite(&self, token: u64, cx: &mut Cx<'_>) {
        let name = names::own_numbered(Entry::Invite, token);
        match self.invites.get(&token) {
            Some(invite) => cx.put(name, invite),
            None => cx.delete(name),
        }
    }
}

fn knocked(outcome: &Outcome, waiting: Option<(CommandId, Answer)>, cx: &mut Cx<'_>) {
    let Some((id, answer)) = waiting else { return };
    let error = |why: &str| CommandError::Private(why.to_owned());
    cx.answer(
        id,
        match outcome {
            Outcome::Refused(estoile_wire::Refusal::BadTicket | estoile_wire::Refusal::NoSuchLog) => {
                Err(error("this link does not open the room's door any more: it was revoked, or the room has changed its keys since; ask for a new link"))
            }
            Outcome::Refused(code) => Err(error(&format!("the relay did not take it: {}", crate::room::refusal_in_words(*code)))),
            _ => Ok(answer),
        },
    );
}

fn ticket(secret: &TicketSecret, per_day: u64, bytes_per_day: u64) -> StoredTicket {
    StoredTicket { hash: secret.relay_hash(), per_day, bytes_per_day }
}
