//! Taking in what another device of the account wrote into its log.

use estoile_seal::account::summary::{ContactEntry, Summary};
use estoile_seal::account::{Chain, Standing};
use estoile_seal::card::Card;
use estoile_wire::LogId;

use super::reach;
use crate::account::own::Own;
use crate::account::stored::{Stage, StoredContact, StoredDevice, StoredPlace};
use crate::account::{Accounts, MAX_CONTACTS, Wish};
use crate::out::Cx;
use crate::view::ContactId;

impl Accounts {
    /// What another device wrote down: it counts, but for what was changed here since.
    pub(in crate::account) fn take_summary(&mut self, summary: &Summary, cx: &mut Cx<'_>) {
        let Some(own) = self.own.as_mut() else { return };
        let written = own.stored.written;
        if own.stored.shared <= written {
            take_shared(own, summary);
        }
        let own_device = own.device.public();
        if own.chain.is_live(&own_device) && !summary.devices.iter().any(|d| d.device == own_device) {
            own.stored.revision = own.stored.revision.saturating_add(1);
        }
        let (new, gone_places) = take_places(own, summary);
        let forgotten: Vec<[u8; 32]> = own.stored.forgotten.iter().map(|f| f.account).collect();
        for entry in summary.contacts.iter().filter(|c| !forgotten.contains(&c.account.0)) {
            self.take_contact(entry, written, cx);
        }
        let gone: Vec<ContactId> = self
            .contacts
            .iter()
            .filter(|(_, c)| c.revision <= written && !summary.contacts.iter().any(|e| e.account.0 == c.account))
            .map(|(id, _)| *id)
            .collect();
        for id in gone {
            self.drop_contact(id, cx);
        }
        // Another device of ours is in a room where this one is not: it knocks there.
        for place in new {
            self.wish(Wish::Knock { place });
        }
        for log in gone_places {
            self.wish(Wish::Unknock { log });
        }
        self.keep_own();
        self.set_tickets();
    }

    /// A linked device has read all that the others wrote: it opens the mailbox and the shelf, and knocks at the rooms.
    pub(super) fn settle_in(&mut self, cx: &mut Cx<'_>) {
        // What they wrote last may be a blob that is not here yet; and where the relay has lost the log, they write it anew.
        let read = |own: &&mut Own| own.stored.summary_blob.is_none() && own.stored.devices.len() > 1;
        let Some(own) = self.own.as_mut().filter(read) else { return };
        if !core::mem::take(&mut own.stored.joined) {
            return;
        }
        let places = own.stored.places.clone();
        self.open_home(true, cx);
        for place in places {
            self.wish(Wish::Knock { place });
        }
        self.keep_own();
    }

    fn take_contact(&mut self, entry: &ContactEntry, written: u64, cx: &mut Cx<'_>) {
        let known = self.contacts.iter().find(|(_, c)| c.account == entry.account.0).map(|(id, _)| *id);
        if known.is_none() && self.contacts.len() >= MAX_CONTACTS {
            return;
        }
        if let Some(id) = known
            && self.contacts.get(&id).is_some_and(|c| c.revision > written)
        {
            self.join_contact(id, entry, cx);
            return;
        }
        if !entry.chain.is_empty() {
            cx.book.learn(&entry.account.0, &entry.chain);
        }
        let Some(ticket) = entry.ticket.as_ref().map(|t| *t.as_bytes()) else { return };
        let before = known.and_then(|id| self.contacts.get(&id)).cloned();
        let reach = entry.card.as_deref().and_then(|c| Card::reopen(c).ok()).map(|c| reach(&c));
        let contact = StoredContact {
            account: entry.account.0,
            name: entry.name.clone(),
            stage: Stage::of(entry.state),
            verified: entry.verified,
            card: entry.card.clone(),
            card_at: entry.card.as_deref().and_then(|c| Card::reopen(c).ok()).map_or(0, |c| c.at),
            reach: reach.or_else(|| before.as_ref().and_then(|b| b.reach.clone())),
            ticket,
            text: before.as_ref().map(|b| b.text.clone()).unwrap_or_default(),
            last_heard: before.as_ref().and_then(|b| b.last_heard),
            why: before.as_ref().and_then(|b| b.why.clone()),
            before: before.as_ref().and_then(|b| b.before),
            revision: 0,
            other_chain: before.as_ref().and_then(|b| b.other_chain.clone()),
            chain: entry.chain.clone(),
        };
        let id = known.unwrap_or_else(|| self.next_contact());
        self.contacts.insert(id, contact);
        self.keep_contact(id);
    }

    /// A contact that was changed here, and by another device before: neither takes back what the other has done.
    fn join_contact(&mut self, id: ContactId, entry: &ContactEntry, cx: &mut Cx<'_>) {
        if !entry.chain.is_empty() {
            cx.book.learn(&entry.account.0, &entry.chain);
        }
        let chain = cx.book.chain(&entry.account.0).map(<[u8]>::to_vec);
        let Some(contact) = self.contacts.get_mut(&id) else { return };
        let theirs = Stage::of(entry.state);
        // The user has looked here at what had stopped it: what was compared before then does not count any more.
        let looked = theirs == Stage::Stopped && contact.stage != Stage::Stopped;
        let forked = !entry.chain.is_empty() && chain.as_deref().is_some_and(|chain| !extends(chain, &entry.chain));
        if !looked && !forked && contact.stage != Stage::Stopped {
            contact.verified = contact.verified.or(entry.verified);
        }
        contact.stage = join_stages(contact.stage, theirs);
        let card = entry.card.as_deref().and_then(|bytes| Some((bytes, Card::reopen(bytes).ok()?)));
        if let Some((bytes, card)) = card.filter(|(_, card)| card.at > contact.card_at) {
            contact.name.clone_from(&card.name);
            contact.card_at = card.at;
            contact.reach = Some(reach(&card));
            contact.card = Some(bytes.to_vec());
        }
        // Both say the same, unless one is of a version that drew them by lot.
        if let Some(ticket) = entry.ticket.as_ref().map(|t| *t.as_bytes()) {
            contact.ticket = contact.ticket.min(ticket);
        }
        if let Some(chain) = chain.filter(|chain| contact.chain.is_empty() || extends(chain, &contact.chain)) {
            contact.chain = chain;
        }
        self.keep_contact(id);
    }
}

/// Whether a chain is another one, or goes on from it.
fn extends(chain: &[u8], before: &[u8]) -> bool {
    match (Chain::verify(chain), Chain::verify(before)) {
        (Ok(chain), Ok(before)) => matches!(chain.extends(&before), Standing::Same | Standing::Longer),
        _ => false,
    }
}

/// What a contact is that two devices have changed at once.
const fn join_stages(here: Stage, there: Stage) -> Stage {
    match (here, there) {
        // Stopped here, or looked at here: the other device does not know yet.
        (Stage::Stopped, _) => Stage::Stopped,
        (Stage::Accepted, _) | (_, Stage::Accepted) => Stage::Accepted,
        // One has asked, and the other was asked.
        (Stage::Asked, Stage::Request) | (Stage::Request, Stage::Asked) => Stage::Accepted,
        (here, _) => here,
    }
}

/// Takes the list of rooms over, but for what was changed here since: those whose doors are new here, and those that the
/// account is in no more.
fn take_places(own: &mut Own, summary: &Summary) -> (Vec<StoredPlace>, Vec<LogId>) {
    let written = own.stored.written;
    let gone: Vec<LogId> = own.stored.gone.iter().flatten().filter(|g| g.revision > written).map(|g| g.log).collect();
    let mut new = Vec::new();
    for room in summary.rooms.iter().filter(|room| !gone.contains(&room.log)) {
        let place = StoredPlace {
            log: room.log,
            relay: room.relay.clone(),
            name: room.name.clone(),
            door: room.door.as_ref().map(|d| d.log),
            ticket: room.door.as_ref().map(|d| *d.ticket.as_bytes()),
            revision: None,
        };
        match own.stored.places.iter_mut().find(|p| p.log == room.log) {
            Some(known) if known.is_newer(written) => {}
            Some(known) => {
                // Whoever knocks at a door that is shut is not heard.
                if known.door != place.door && !own.stored.joined {
                    new.push(place.clone());
                }
                *known = place;
            }
            None => {
                if !own.stored.joined {
                    new.push(place.clone());
                }
                own.stored.places.push(place);
            }
        }
    }
    let there = |p: &StoredPlace| p.is_newer(written) || summary.rooms.iter().any(|room| room.log == p.log);
    let lost = own.stored.places.extract_if(.., |p| !there(p)).map(|p| p.log).collect();
    (new, lost)
}

fn take_shared(own: &mut Own, summary: &Summary) {
    own.stored.name.clone_from(&summary.name);
    let keys = &mut own.stored.keys;
    (keys.mailbox, keys.shelf) = (summary.keys.mailbox, summary.keys.shelf);
    (keys.shelf_key, keys.link_ticket) = (summary.keys.shelf_key, summary.keys.link_ticket);
    if let Some(Ok(seed)) = summary.keys.hpke.first().map(|k| <[u8; 32]>::try_from(k.as_slice()))
        && let Ok((secret, public)) = estoile_mls::hpke::derive(&seed)
    {
        keys.hpke = seed;
        (own.hpke_secret, own.hpke_public) = (secret, public);
    }
    for device in &summary.devices {
        let stored = StoredDevice { key: device.device, name: device.name.clone(), hpke: device.hpke.clone() };
        match own.stored.devices.iter_mut().find(|d| d.key == device.device) {
            Some(known) => *known = stored,
            None => own.stored.devices.push(stored),
        }
    }
}
