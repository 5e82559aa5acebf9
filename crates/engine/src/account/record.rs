//! The account's own log: what it should say, writing it under the epoch guard, and reading what the other devices wrote.

mod blob;
mod taking;

pub(crate) use blob::LogBlobs;

use estoile_seal::Later;
use estoile_seal::account::summary::{ContactEntry, DeviceEntry, Door, Keys, RoomEntry, Summary};
use estoile_seal::account::{AccountId, Chain, HandOver, Proposal, Record, Standing};
use estoile_seal::card::Card;
use estoile_seal::ticket::TicketSecret;
use estoile_wire::{Id16, Millis};

use blob::Put;

use super::own::{Own, address_of};
use super::stored::{StoredContact, StoredLogBlob, StoredReach};
use super::{Accounts, Waits, Wish};
use crate::board::Draft;
use crate::channel::{ChannelId, ChannelNews, Heard, Purpose};
use crate::link::Session;
use crate::notice::NoticeKind;
use crate::out::Cx;
use crate::stored::StoredAddress;

/// The log is written anew at least this often: records end with the log's longest time, which is a month.
const REWRITE_MS: u64 = 7 * 24 * 60 * 60 * 1000;

/// A record on its way into the log.
#[derive(Clone, Copy, Debug)]
pub(super) struct Writing {
    request: u64,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Chain(u64),
    Proposal,
    Summary(u64),
}

impl Accounts {
    /// When the log is written anew though nothing has changed.
    pub(super) fn log_timeout(&self) -> Option<Millis> {
        let own = self.own.as_ref().filter(|own| own.stored.made && own.stored.stopped.is_none())?;
        let live = self.channel(Purpose::Account(own.stored.generation)).is_some_and(|c| c.is_live());
        (live && own.is_written()).then(|| own.stored.written_at.saturating_add(REWRITE_MS))
    }

    /// Writes what the log should say, if it does not.
    pub(crate) fn write_log(&mut self, session: &mut Session, cx: &mut Cx<'_>) {
        let Some(own) = self.own.as_mut().filter(|own| own.may_write()) else { return };
        if own.is_written() && cx.now.saturating_sub(own.stored.written_at) >= REWRITE_MS {
            own.stored.chain_written = 0;
            own.stored.revision = own.stored.revision.saturating_add(1);
        }
        let idle = self.writing.is_none();
        let ready = |own: &&Own| idle && !own.is_written() && (own.stored.summary_blob.is_none() || own.is_urgent());
        let Some(own) = self.own.as_ref().filter(ready) else { return };
        let purpose = Purpose::Account(own.stored.generation);
        let Some(channel) = self.channel(purpose).filter(|c| c.is_live()) else { return };
        let (epoch, advance) = (channel.stored.epoch, channel.next_access());
        let (generation, urgent) = (own.generation(), own.is_urgent());
        if urgent {
            self.log_blob_named();
        }
        let (what, record) = match self.log_blob_put(generation.number(), epoch) {
            Put::None => {
                let Some(own) = &self.own else { return };
                self.next_record(own, cx.now)
            }
            Put::Going => return,
            Put::There { what, hash, size } => (what, Record::Blob { hash, size }),
            Put::Failed => return self.too_long(cx),
        };
        let Ok(body) = generation.seal(epoch, &record, cx.rng) else { return self.too_long(cx) };
        if Record::needs_blob(&body) {
            return self.put_log_blob(what, generation.number(), epoch, &body);
        }
        let id16 = Id16(super::create::seed(cx.rng).first_chunk().copied().unwrap_or_default());
        let Some(channel) = self.channel_mut(purpose) else { return };
        self.writing = channel.append(id16, &body, advance, session, cx).map(|request| Writing { request, what });
    }

    fn next_record(&self, own: &Own, now: Millis) -> (What, Record) {
        if own.stored.chain_written < own.chain.len() {
            return (What::Chain(own.chain.len()), Record::Chain(own.chain.clone()));
        }
        let proposal = own.stored.proposal.as_deref().filter(|_| !own.stored.proposal_written);
        if let Some(Ok(proposal)) = proposal.map(Proposal::decode) {
            return (What::Proposal, Record::Proposal(proposal));
        }
        (What::Summary(own.stored.revision), Record::Summary(Box::new(self.summary(own, now))))
    }

    fn too_long(&mut self, cx: &mut Cx<'_>) {
        if let Some(own) = self.own.as_mut() {
            own.stored.written = own.stored.revision;
        }
        self.keep_own();
        cx.tell(Draft::new(
            None,
            NoticeKind::Relay,
            "the list of contacts and rooms is longer than the account's relay takes, so it was not written there",
            "Take contacts or rooms away that are no longer needed; until then the recovery words restore the list as it was.",
        ));
    }

    /// What a device with the words alone needs.
    pub(super) fn summary(&self, own: &Own, now: Millis) -> Summary {
        let s = &own.stored;
        let keys = Keys {
            mailbox: s.keys.mailbox,
            shelf: s.keys.shelf,
            shelf_key: s.keys.shelf_key,
            link_ticket: s.keys.link_ticket,
            hpke: vec![s.keys.hpke.to_vec()],
        };
        let devices = s.devices.iter().filter(|d| own.chain.is_live(&d.key)).map(|d| DeviceEntry {
            device: d.key,
            name: d.name.clone(),
            hpke: d.hpke.clone(),
            later: Later::default(),
        });
        let rooms = s.places.iter().map(|p| RoomEntry {
            log: p.log,
            relay: p.relay.clone(),
            name: p.name.clone(),
            door: p.door.zip(p.ticket).map(|(log, t)| Door { log, ticket: TicketSecret::from_bytes(t) }),
            later: Later::default(),
        });
        Summary {
            name: s.name.clone(),
            relay: own.relay_url().map(|url| url.to_string()).unwrap_or_default(),
            keys,
            devices: devices.collect(),
            contacts: self.contacts.values().map(|c| self.contact_entry(c)).collect(),
            rooms: rooms.collect(),
            at: now,
            later: Later::default(),
        }
    }

    fn contact_entry(&self, contact: &StoredContact) -> ContactEntry {
        ContactEntry {
            account: AccountId(contact.account),
            name: contact.name.clone(),
            state: contact.stage.state(),
            verified: contact.verified,
            chain: contact.chain.clone(),
            card: contact.card.clone(),
            ticket: Some(TicketSecret::from_bytes(contact.ticket)),
            later: Later::default(),
        }
    }

    pub(super) fn account_news(&mut self, id: ChannelId, number: u32, news: ChannelNews, cx: &mut Cx<'_>) {
        let current = self.own.as_ref().map_or(number, |own| own.stored.generation);
        match news {
            ChannelNews::Appended { .. } if number != current => self.farewell_kept(number, cx),
            ChannelNews::Live if self.restoring.is_some() => self.restored_live(cx),
            ChannelNews::Record(heard) => self.log_record(id, number, &heard, cx),
            ChannelNews::Appended { request } => self.log_written(request, cx),
            ChannelNews::Granted { request, token, received } => {
                self.log_blob_granted(id, request, (token, received), cx);
                self.history_granted(id, request, (token, received), cx);
            }
            ChannelNews::Later { request } if self.blob_refused(request, None, cx) => {}
            ChannelNews::Refused { request, why } if self.blob_refused(request, Some(&why), cx) => {}
            ChannelNews::Stale | ChannelNews::Later { .. } => self.writing = None,
            ChannelNews::Refused { why, .. } => {
                self.writing = None;
                self.home_lost(&why, cx);
            }
            ChannelNews::Stopped { why, lost } => self.log_lost(id, &why, lost, cx),
            ChannelNews::Remade if number == current => self.write_anew(cx),
            ChannelNews::Live => {
                self.writing = None;
                self.settle_in(cx);
            }
            _ => {}
        }
        if let Some(channel) = self.channels.get(&id) {
            self.changed |= channel.is_live();
        }
    }

    /// The log is gone at the relay: what this device has is written into a new one.
    fn log_lost(&mut self, id: ChannelId, why: &str, lost: bool, cx: &mut Cx<'_>) {
        if self.restoring.is_some() {
            self.search_ended(id, lost, why, cx);
            return;
        }
        if !lost {
            self.home_lost(why, cx);
            return;
        }
        if let Some(channel) = self.channels.get_mut(&id) {
            channel.forgive();
            channel.stored.create = true;
            channel.stored.made = false;
            channel.changed();
        }
        self.write_anew(cx);
    }

    /// Nothing is in the log any more.
    fn write_anew(&mut self, cx: &mut Cx<'_>) {
        let Some(own) = self.own.as_mut() else { return };
        own.stored.chain_written = 0;
        own.stored.proposal_written = false;
        own.stored.revision = own.stored.revision.saturating_add(1);
        self.writing = None;
        self.log_blob_over();
        self.keep_own();
        cx.tell(Draft::new(
            None,
            NoticeKind::Relay,
            "the relay has lost this account's own log; this device writes it anew",
            "Nothing is to be done; if it happens again, ask the relay's owner.",
        ));
    }

    fn log_written(&mut self, request: u64, cx: &mut Cx<'_>) {
        let Some(writing) = self.writing.filter(|w| w.request == request) else { return };
        self.writing = None;
        self.log_blob_named();
        let Some(own) = self.own.as_mut() else { return };
        match writing.what {
            What::Chain(len) => own.stored.chain_written = own.stored.chain_written.max(len),
            What::Proposal => own.stored.proposal_written = true,
            What::Summary(revision) => {
                own.stored.written = own.stored.written.max(revision);
                own.stored.written_at = cx.now;
                let written = own.stored.written;
                own.stored.forgotten.retain(|f| f.revision > written);
                if let Some(gone) = own.stored.gone.as_mut() {
                    gone.retain(|g| g.revision > written);
                }
            }
        }
        self.keep_own();
        self.answer_written(cx);
    }

    /// Answers who waits until the log says so.
    pub(crate) fn answer_written(&mut self, cx: &mut Cx<'_>) {
        let Some(own) = &self.own else { return };
        // Who is out writes the chain that says so, and nothing after it.
        let out = own.stored.stopped.is_some() && own.stored.chain_written >= own.chain.len();
        if !own.is_written() && !out {
            return;
        }
        let written = if out { u64::MAX } else { own.stored.written };
        for (_, id, answer) in self.waits.extract_if(.., |(w, ..)| matches!(w, Waits::Written(r) if *r <= written)) {
            cx.answer(id, Ok(answer));
        }
    }

    fn log_record(&mut self, id: ChannelId, number: u32, heard: &Heard, cx: &mut Cx<'_>) {
        if self.restoring.is_some() {
            self.restored_record(id, heard, cx);
            return;
        }
        // What stands in the log of an earlier generation is no word of ours any more: a removed device writes there too.
        let Some(own) = self.own.as_ref().filter(|own| own.stored.generation == number) else { return };
        match own.generation().open(heard.epoch, &heard.body) {
            Ok(Record::Chain(chain)) => self.own_chain(chain, cx),
            Ok(Record::Summary(summary)) => {
                self.log_blob_over();
                self.take_summary(&summary, cx);
                self.set_tickets_again();
                self.wish(Wish::Places);
            }
            Ok(Record::Proposal(proposal)) => self.proposed(&proposal, cx),
            Ok(Record::HandOver(over)) => self.handed_over(&over, cx),
            Ok(Record::Blob { hash, size }) => {
                self.log_blob_heard(StoredLogBlob { hash, size, generation: number, epoch: heard.epoch });
            }
            Err(error) => cx.tell(Draft::new(
                None,
                NoticeKind::Forged,
                error.to_string(),
                "If it happens again, ask the relay's owner, and look at the list of your devices.",
            )),
        }
    }

    /// A chain of our own account, as another device wrote it.
    pub(super) fn own_chain(&mut self, chain: Chain, cx: &mut Cx<'_>) {
        let Some(own) = self.own.as_mut() else { return };
        if chain.id() != own.id() {
            return;
        }
        match chain.extends(&own.chain) {
            Standing::Same => own.stored.chain_written = own.stored.chain_written.max(chain.len()),
            Standing::Shorter => {}
            Standing::Longer => {
                let added = chain.devices().iter().any(|d| !own.chain.is_live(d));
                own.stored.chain_written = own.stored.chain_written.max(chain.len());
                self.take_own_chain(chain, cx);
                if added {
                    cx.tell(Draft::new(
                        None,
                        NoticeKind::Device,
                        "a device was added to this account",
                        "If that was not you, remove it with the recovery words at once.",
                    ));
                }
            }
            Standing::Forked => self.stop(
                NoticeKind::Device,
                "this account's list of devices contradicts the one that this device knows: two of your devices changed it at once, or somebody has its keys; restore the account with the recovery words (estoile account restore)",
                cx,
            ),
        }
        self.keep_own();
    }

    /// Our own chain has grown, by whomever.
    pub(super) fn take_own_chain(&mut self, chain: Chain, cx: &mut Cx<'_>) {
        let Some(own) = self.own.as_mut() else { return };
        let removed: Vec<_> = own.chain.devices().iter().filter(|d| !chain.is_live(d)).copied().collect();
        own.set_chain(chain);
        let account = own.id().0;
        cx.book.learn(&account, &own.stored.chain);
        own.stored.proposal = None;
        own.stored.proposal_written = false;
        let live = own.chain.is_live(&own.device.public());
        self.touch();
        if !live {
            self.wish(Wish::Removed);
            self.stop(
                NoticeKind::Device,
                "this device was removed from its account; link it anew as a new device, in another data folder",
                cx,
            );
            return;
        }
        self.set_tickets();
        self.wish(Wish::Chain);
        if !removed.is_empty() {
            self.wish(Wish::DevicesRemoved { account, removed });
        }
        self.tell_chain(cx);
    }
}

/// How the one whose card it is can be reached.
pub(super) fn reach(card: &Card) -> StoredReach {
    StoredReach {
        address: StoredAddress::of(&address_of(&card.relay)),
        mailbox: card.mailbox,
        shelf: card.shelf,
        ticket: *card.ticket.as_bytes(),
        shelf_key: *card.shelf_key.as_bytes(),
        hpke: Some(card.hpke.clone()),
    }
}

impl Accounts {
    /// A hand-over is followed when the root has signed it, by devices that stay.
    fn handed_over(&mut self, over: &HandOver, cx: &mut Cx<'_>) {
        let Some(own) = &self.own else { return };
        if over.number <= own.stored.generation || over.check(&own.chain).is_err() {
            return;
        }
        self.follow(over, cx);
    }
}
