//! The account of this vault: its chain, contacts, requests, devices, shelf, mailbox and doors.
//!
//! It says what should be so (in its log, on its shelf, in others' mailboxes) and keeps that; [`crate::channel`] makes it so.
//! What rooms must do is handed to the engine as a [`Wish`]; what rooms have done comes back as [`crate::private::News`].

mod contacts;
mod create;
mod devices;
mod doors;
mod history;
mod invite;
mod jobs;
mod knocks;
mod link;
mod load;
mod mailbox;
mod own;
mod record;
mod restore;
mod shelf;
mod stored;
mod sync;
mod verify;
mod views;

use std::collections::{BTreeMap, BTreeSet};

use estoile_wire::Millis;

pub(crate) use create::{NewAccount, check_relay};
pub(crate) use doors::{door_of, is_stale, link_fault};
pub(crate) use history::Packed;
pub(crate) use invite::{Into, Place};
pub(crate) use jobs::Then;
pub(crate) use own::{Own, address_of, relay_url};
pub(crate) use restore::Restore;
pub(crate) use stored::{
    StoredContact, StoredCounters, StoredInvitation, StoredInvite, StoredPackage, StoredPlace, StoredSeen,
};

use crate::board::Draft;
use crate::channel::job::{Job, JobId};
use crate::channel::{Channel, ChannelId, ChannelNews, Purpose, StoredChannel};
use crate::command::{Answer, CommandError, RelayAddress};
use crate::names::{self, Own as Entry};
use crate::notice::NoticeKind;
use crate::out::Cx;
use crate::private::Intent;
use crate::turn::CommandId;
use crate::view::{ContactId, Event, RoomId};

/// Contacts of one account, requests included: what the account's log holds.
pub(crate) const MAX_CONTACTS: usize = 1_000;
/// Requests that wait for a yes: more than anybody reads; further ones are told by number.
pub(crate) const MAX_REQUESTS: usize = 200;
/// Invitations that wait for a yes.
pub(crate) const MAX_INVITATIONS: usize = 100;
/// Invitations of ours under way.
pub(crate) const MAX_INVITES: usize = 1_000;
/// Ids of mailbox letters that are remembered, so that a relay that was put back does not make them count twice.
pub(crate) const MAX_SEEN: usize = 4_096;

/// What the engine must do for the account part.
#[derive(Debug)]
pub(crate) enum Wish {
    /// A room's group is to change.
    Want { room: RoomId, intent: Intent, answer: Option<CommandId> },
    /// Our chain or name has changed: every private room's leaf shows it.
    Chain,
    /// Somebody's chain has removed devices.
    DevicesRemoved { account: [u8; 32], removed: Vec<estoile_wire::PublicKey> },
    /// A contact is stopped: rooms with them show it.
    ContactStopped,
    /// The user has looked at what stopped a contact.
    ContactLooked,
    /// A Welcome is to be taken.
    Join { invitation: u64 },
    /// Somebody's views of rooms that we may share.
    Views { by: [u8; 32], views: Vec<estoile_seal::views::View> },
    /// Knock at these rooms, which the account is in and this device is not.
    Knock { place: stored::StoredPlace },
    /// The answer to this room's knock is lost: it is knocked again.
    KnockAgain { room: RoomId },
    /// The account is not in this room any more: a device that waits there waits in vain.
    Unknock { log: estoile_wire::LogId },
    /// What another device says of rooms was taken over: those that this one is in stand in the list.
    Places,
    /// A door's record.
    Door { room: RoomId, body: Vec<u8> },
    /// This device was removed: private rooms end here.
    Removed,
}

/// Who waits for what in this process.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Waits {
    /// Until the account's log says what it should.
    Written(u64),
    /// Until everything of a new account is made.
    Made,
    /// Until an invitation is kept.
    Invite(u64),
    /// Until everything is read and kept.
    Sync,
    /// Until the device link is taken up.
    Link,
    /// Until the restored account is there.
    Restored,
    /// Until a room is made.
    Room(RoomId),
}

/// The account part.
#[derive(Default)]
pub(crate) struct Accounts {
    pub(crate) own: Option<Own>,
    pub(crate) contacts: BTreeMap<ContactId, StoredContact>,
    pub(crate) invites: BTreeMap<u64, StoredInvite>,
    pub(crate) invitations: BTreeMap<u64, StoredInvitation>,
    pub(crate) packages: BTreeMap<u64, StoredPackage>,
    /// Knocks at our doors whose turn has not come.
    pub(crate) pending: BTreeMap<u64, stored::StoredPending>,
    pub(crate) channels: BTreeMap<ChannelId, Channel>,
    pub(crate) jobs: BTreeMap<JobId, Job>,
    seen: BTreeMap<u64, [u8; 16]>,
    /// Letters under tickets that are not known here yet, and until when they wait for another device's word.
    held: Vec<mailbox::HeldLetter>,
    pub(crate) link: Option<link::DeviceLink>,
    pub(crate) restoring: Option<restore::Restoring>,
    counters: StoredCounters,
    counters_kept: StoredCounters,
    wishes: Vec<Wish>,
    /// What we see of each private room, and who is in it.
    pub(crate) sights: BTreeMap<RoomId, (Vec<[u8; 32]>, estoile_seal::views::View)>,
    waits: Vec<(Waits, CommandId, Answer)>,
    shelf: shelf::Shelf,
    /// A record on its way into the account's log.
    writing: Option<record::Writing>,
    log_blobs: record::LogBlobs,
    /// Messages that come along to a new device, or from the old one.
    history: history::History,
    /// Things that faces show have changed.
    pub(crate) changed: bool,
    dirty_contacts: BTreeSet<ContactId>,
    own_dirty: bool,
    link_told: Option<crate::view::DeviceLinkView>,
}

impl core::fmt::Debug for Accounts {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Accounts(..)")
    }
}

impl Accounts {
    /// Makes a channel, or gives the one that is there for this purpose.
    pub(crate) fn open_channel(&mut self, stored: StoredChannel, cx: &mut Cx<'_>) -> ChannelId {
        let id = ChannelId(self.counters.channel);
        self.counters.channel = self.counters.channel.saturating_add(1);
        cx.put(names::channel(id.0), &stored);
        self.channels.insert(id, Channel::new(id, stored));
        id
    }

    pub(crate) fn channel(&self, purpose: Purpose) -> Option<&Channel> {
        self.channels.values().find(|c| c.stored.purpose == purpose)
    }

    pub(crate) fn channel_mut(&mut self, purpose: Purpose) -> Option<&mut Channel> {
        self.channels.values_mut().find(|c| c.stored.purpose == purpose)
    }

    pub(crate) fn close_channel(&mut self, purpose: Purpose, cx: &mut Cx<'_>) {
        self.channels.retain(|id, channel| {
            let gone = channel.stored.purpose == purpose;
            if gone {
                cx.delete(names::channel(id.0));
            }
            !gone
        });
    }

    pub(crate) fn wish(&mut self, wish: Wish) {
        self.wishes.push(wish);
    }

    pub(crate) fn take_wishes(&mut self) -> Vec<Wish> {
        core::mem::take(&mut self.wishes)
    }

    pub(crate) fn wait(&mut self, what: Waits, id: CommandId, answer: Answer) {
        self.waits.push((what, id, answer));
    }

    /// Answers who waited for this.
    pub(crate) fn answer(&mut self, what: &Waits, error: Option<&CommandError>, cx: &mut Cx<'_>) {
        for (_, id, answer) in self.waits.extract_if(.., |(w, _, _)| w == what) {
            cx.answer(id, error.map_or(Ok(answer), |e| Err(e.clone())));
        }
    }

    /// The account, for a command that needs one.
    pub(crate) fn need(&self) -> Result<&Own, CommandError> {
        let own = self.own.as_ref().filter(|own| own.stored.made).ok_or(CommandError::NoAccount)?;
        match &own.stored.stopped {
            Some(why) => Err(CommandError::Account(why.clone())),
            None => Ok(own),
        }
    }

    /// Something that the account's log says has changed: it is written anew.
    pub(crate) fn touch(&mut self) {
        if let Some(own) = self.own.as_mut() {
            own.stored.revision = own.stored.revision.saturating_add(1);
        }
        self.own_dirty = true;
        self.changed = true;
    }

    pub(crate) fn keep_own(&mut self) {
        self.own_dirty = true;
        self.changed = true;
    }

    pub(crate) fn keep_contact(&mut self, id: ContactId) {
        self.dirty_contacts.insert(id);
        self.changed = true;
    }

    /// The account can't go on here, and why.
    pub(crate) fn stop(&mut self, kind: NoticeKind, why: &str, cx: &mut Cx<'_>) {
        let Some(own) = self.own.as_mut() else { return };
        if own.stored.stopped.is_some() {
            return;
        }
        own.stored.stopped = Some(why.to_owned());
        self.keep_own();
        // What the relay takes for this account is for others to say now.
        for purpose in [Purpose::Mailbox, Purpose::Shelf] {
            if let Some(channel) = self.channel_mut(purpose) {
                channel.tickets_told();
            }
        }
        cx.tell(Draft::new(None, kind, why, "What is kept here can still be read."));
        let error = CommandError::Account(why.to_owned());
        let writes = self.own.as_ref().is_some_and(Own::may_write);
        for (_, id, _) in self.waits.extract_if(.., |(w, ..)| !writes || !matches!(w, Waits::Written(_))) {
            cx.answer(id, Err(error.clone()));
        }
    }

    /// What happened in the channels since the last time.
    pub(crate) fn take_in(&mut self, cx: &mut Cx<'_>) {
        let ids: Vec<ChannelId> = self.channels.keys().copied().collect();
        for id in ids {
            let Some(channel) = self.channels.get_mut(&id) else { continue };
            let purpose = channel.stored.purpose;
            for news in channel.take_news() {
                self.channel_news(id, purpose, news, cx);
            }
        }
        for news in cx.book.take_news() {
            self.chain_news(&news, cx);
        }
        self.held_again(cx);
        self.invitations_again(cx);
    }

    fn channel_news(&mut self, id: ChannelId, purpose: Purpose, news: ChannelNews, cx: &mut Cx<'_>) {
        match (purpose, news) {
            (Purpose::Account(number), news) => self.account_news(id, number, news, cx),
            (Purpose::Mailbox, ChannelNews::Record(heard)) => self.letter(&heard, cx),
            (Purpose::Shelf, ChannelNews::Counted { request, frame }) => self.counted(request, &frame, cx),
            (Purpose::Shelf, ChannelNews::Later { request } | ChannelNews::Refused { request, .. }) => {
                self.shelf.refused(request, cx.now);
            }
            (Purpose::Door(room), ChannelNews::Record(heard)) => {
                self.wish(Wish::Door { room: RoomId(room), body: heard.body });
            }
            (Purpose::Link, news) => self.link_news(news, cx),
            (Purpose::Mailbox | Purpose::Shelf, ChannelNews::Stopped { why, .. }) => self.home_lost(&why, cx),
            _ => {}
        }
        self.changed = true;
    }

    /// The relay of the mailbox does not want us.
    fn home_lost(&mut self, why: &str, cx: &mut Cx<'_>) {
        let error = CommandError::Account(format!("the account's relay does not keep what it needs there: {why}"));
        cx.tell(Draft::new(
            None,
            NoticeKind::Relay,
            error.to_string(),
            "Ask the relay's owner; contacts can't reach this account until that is settled.",
        ));
        for what in [Waits::Made, Waits::Restored] {
            self.answer(&what, Some(&error), cx);
        }
    }

    /// Where the account's relay is.
    pub(crate) fn home(&self) -> Option<RelayAddress> {
        self.own.as_ref().map(|own| own.stored.address.to_address())
    }

    /// When something is due by time.
    pub(crate) fn next_timeout(&self) -> Option<Millis> {
        let channels = self.channels.values().filter_map(Channel::next_timeout);
        let jobs = self.jobs.values().filter_map(Job::next_timeout);
        let stopped = self.own.as_ref().is_none_or(|own| own.stored.stopped.is_some());
        let upkeep = self.shelf.next_timeout(!stopped && self.shelf_live()).into_iter();
        let log = self.log_timeout().into_iter().chain(self.log_blobs_timeout()).chain(self.history_timeout());
        let link = self.link_timeout().into_iter();
        let knocks = self.pending_timeout().into_iter().chain(self.held_timeout());
        channels.chain(jobs).chain(upkeep).chain(log).chain(link).chain(knocks).min()
    }

    pub(crate) fn clock_went_back(&mut self, by: u64) {
        self.channels.values_mut().for_each(|c| c.clock_went_back(by));
        self.jobs.values_mut().for_each(|j| j.clock_went_back(by));
        self.shelf.clock_went_back(by);
    }

    /// Ends the turn: what changed goes to the vault and to the faces.
    pub(crate) fn flush(&mut self, cx: &mut Cx<'_>) {
        for channel in self.channels.values_mut() {
            channel.flush(cx);
        }
        for id in core::mem::take(&mut self.dirty_contacts) {
            let name = names::own_numbered(Entry::Contact, u64::from(id.0));
            match self.contacts.get(&id) {
                Some(contact) => {
                    cx.put(name, contact);
                    cx.book.set_contact(contact.account, Some(contacts::flags(id, contact)));
                }
                None => cx.delete(name),
            }
        }
        if core::mem::take(&mut self.own_dirty) {
            match &self.own {
                Some(own) => cx.put(names::own(Entry::Account), &own.stored),
                None => cx.delete(names::own(Entry::Account)),
            }
        }
        self.flush_link(cx);
        if self.counters != self.counters_kept {
            cx.put(names::own(Entry::Counters), &self.counters);
            self.counters_kept = self.counters.clone();
        }
        if core::mem::take(&mut self.changed) {
            cx.event(Event::Overview);
        }
    }

    /// A letter's id: true the first time.
    pub(crate) fn first_time(&mut self, id: [u8; 16], cx: &mut Cx<'_>) -> bool {
        if self.seen.values().any(|seen| *seen == id) {
            return false;
        }
        let number = self.counters.seen;
        self.counters.seen = number.saturating_add(1);
        self.seen.insert(number, id);
        cx.put(names::own_numbered(Entry::Seen, number), &StoredSeen { id });
        while self.seen.len() > MAX_SEEN {
            if let Some((old, _)) = self.seen.pop_first() {
                cx.delete(names::own_numbered(Entry::Seen, old));
            }
        }
        true
    }
}
