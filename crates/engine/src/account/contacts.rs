//! Contacts: links, requests, answers, and what happens when somebody's devices change.

mod theirs;

use std::str::FromStr;

use estoile_seal::account::AccountId;
use estoile_seal::link::ContactLink;
use estoile_seal::mailbox::{self, Kind};
use estoile_seal::shelf_item::ShelfItem;
use estoile_seal::ticket::TicketSecret;
use estoile_wire::{LogId, Refusal};

use super::jobs::Then;
use super::own::{address_of, no_relay_key};
use super::stored::{Stage, StoredContact, StoredForgotten, StoredReach};
use super::{Accounts, MAX_CONTACTS, Wish, create::seed};
use crate::board::Draft;
use crate::book::{Contact, Learned};
use crate::channel::job::{Act, Item, Outcome};
use crate::command::{Answer, CommandError};
use crate::notice::NoticeKind;
use crate::out::Cx;
use crate::room::refusal_in_words;
use crate::stored::StoredAddress;
use crate::turn::CommandId;
use crate::view::ContactId;

/// Why a stopped contact is stopped, when a chain contradicts the one known.
const FORKED: &str = "the list of this contact's devices contradicts the one that was known: their relay, or somebody with their keys, shows two; call them, compare the words again, then accept them once more or forget them";

type Waiting = Option<(CommandId, Answer)>;

/// What others see of a contact.
pub(super) fn flags(id: ContactId, contact: &StoredContact) -> Contact {
    Contact {
        id,
        name: contact.name.clone(),
        verified: contact.verified.is_some(),
        accepted: contact.stage == Stage::Accepted,
        stopped: (contact.stage == Stage::Stopped).then(|| contact.why.clone().unwrap_or_default()),
    }
}

impl Accounts {
    pub(super) fn next_contact(&mut self) -> ContactId {
        let id = ContactId(self.counters.contact);
        self.counters.contact = id.0.saturating_add(1);
        id
    }

    pub(crate) fn find_contact(&self, account: &[u8; 32]) -> Option<ContactId> {
        self.contacts.iter().find(|(_, c)| c.account == *account).map(|(id, _)| *id)
    }

    pub(crate) fn contact(&self, id: ContactId) -> Result<&StoredContact, CommandError> {
        self.contacts.get(&id).ok_or(CommandError::NoSuchContact)
    }

    /// Changes a contact; the account's log will say so.
    pub(super) fn change_contact(&mut self, id: ContactId, change: impl FnOnce(&mut StoredContact)) {
        self.touch();
        let revision = self.own.as_ref().map_or(0, |own| own.stored.revision);
        if let Some(contact) = self.contacts.get_mut(&id) {
            change(contact);
            contact.revision = revision;
        }
        self.keep_contact(id);
    }

    pub(crate) fn contact_link(&mut self, rotate: bool, cx: &mut Cx<'_>) -> Result<String, CommandError> {
        self.need()?;
        if rotate {
            let ticket = seed(cx.rng);
            self.touch();
            if let Some(own) = self.own.as_mut() {
                own.stored.keys.link_ticket = ticket;
                own.stored.shared = own.stored.revision;
            }
            self.set_tickets();
        }
        let own = self.need()?;
        let relay = own.relay_url().ok_or_else(no_relay_key)?;
        let link = ContactLink {
            relay,
            account: own.id(),
            mailbox: own.mailbox(),
            shelf: own.shelf(),
            ticket: own.link_ticket(),
            shelf_key: own.shelf_key(),
        };
        Ok(link.to_string())
    }

    /// Uses a contact link: takes from their shelf, then asks.
    pub(crate) fn add_contact(
        &mut self,
        link: &str,
        text: String,
        command: CommandId,
        cx: &mut Cx<'_>,
    ) -> Result<(), CommandError> {
        let own = self.need()?;
        let link = ContactLink::from_str(link).map_err(|e| CommandError::Account(e.to_string()))?;
        let ticket = own.contact_ticket(&link.account.0);
        if link.account == own.id() {
            let why = "this is your own contact link; give it to somebody else, and use theirs";
            return Err(CommandError::Account(why.to_owned()));
        }
        if text.len() > mailbox::MAX_TEXT {
            return Err(CommandError::TooLong { bytes: text.len(), limit: mailbox::MAX_TEXT });
        }
        let reach = StoredReach {
            address: StoredAddress::of(&address_of(&link.relay)),
            mailbox: link.mailbox,
            shelf: link.shelf,
            ticket: *link.ticket.as_bytes(),
            shelf_key: *link.shelf_key.as_bytes(),
            hpke: None,
        };
        if let Some(id) = self.find_contact(&link.account.0) {
            return self.add_again(id, text, reach, command, cx);
        }
        if self.contacts.len() >= MAX_CONTACTS {
            return Err(full());
        }
        let id = self.next_contact();
        let short = link.account.short();
        let contact = StoredContact {
            account: link.account.0,
            name: short,
            stage: Stage::Asked,
            verified: None,
            card: None,
            card_at: 0,
            reach: Some(reach),
            ticket,
            text,
            last_heard: None,
            why: None,
            before: None,
            revision: 0,
            other_chain: None,
            chain: Vec::new(),
        };
        self.contacts.insert(id, contact);
        self.change_contact(id, |_| {});
        self.set_tickets();
        self.take_by_link(id, Some((command, Answer::Contact(id))), cx);
        Ok(())
    }

    /// Somebody's link who is known already.
    fn add_again(
        &mut self,
        id: ContactId,
        text: String,
        new: StoredReach,
        command: CommandId,
        cx: &mut Cx<'_>,
    ) -> Result<(), CommandError> {
        match self.contact(id)?.stage {
            // They have asked: using their link is a yes.
            Stage::Request => self.accept(id, Some((command, Answer::Contact(id))), cx),
            Stage::Accepted => {
                cx.answer(command, Ok(Answer::Contact(id)));
                Ok(())
            }
            Stage::Asked => {
                self.change_contact(id, |c| {
                    c.reach = Some(new);
                    c.text = text;
                });
                self.drop_jobs(|job| matches!(job.stored.then, Then::Ask(c) | Then::Asked(c) if c == id.0), cx);
                self.take_by_link(id, Some((command, Answer::Contact(id))), cx);
                Ok(())
            }
            Stage::Stopped => {
                let why = self.contact(id)?.why.clone().unwrap_or_default();
                Err(CommandError::Account(why))
            }
        }
    }

    fn take_by_link(&mut self, id: ContactId, waiting: Waiting, cx: &mut Cx<'_>) {
        let Some(reach) = self.contacts.get(&id).and_then(|c| c.reach.clone()) else { return };
        let ticket = TicketSecret::from_bytes(reach.ticket).relay_ticket();
        self.job(&reach.address, Act::Take { shelf: reach.shelf, ticket }, Then::Ask(id.0), waiting, cx);
    }

    /// What lay on the shelf of somebody whom we want to ask.
    pub(super) fn asked_shelf(&mut self, id: ContactId, outcome: Outcome, waiting: Waiting, cx: &mut Cx<'_>) {
        let result = match outcome {
            Outcome::Taken(items) => self.meet(id, &items, cx),
            Outcome::Refused(code) => Err(take_refused(code)),
            _ => Err("the relay answered with something else".to_owned()),
        };
        match result {
            Ok(()) => self.send_request(id, waiting, cx),
            Err(why) => {
                let _ = self.forget_contact(id, cx);
                self.failed(waiting, &why, cx);
            }
        }
    }

    /// Who they are, by what lay on their shelf.
    fn meet(&mut self, id: ContactId, items: &[Item], cx: &mut Cx<'_>) -> Result<(), String> {
        let contact = self.contact(id).map_err(|e| e.to_string())?;
        let account = contact.account;
        let Some(reach) = contact.reach.clone() else { return Err("their link is not known any more".to_owned()) };
        let item = open_items(&reach, &account, items)?.into_iter().max_by_key(|i| i.chain.len());
        let item = item.ok_or_else(|| take_refused(Refusal::ShelfEmpty))?;
        let chain = item.chain.encode();
        if cx.book.learn(&account, &chain) == Learned::Forked {
            return Err(FORKED.to_owned());
        }
        self.change_contact(id, |c| {
            c.name = item.name.clone();
            c.chain = chain;
            if let Some(reach) = c.reach.as_mut() {
                reach.hpke = Some(item.hpke.clone());
            }
        });
        Ok(())
    }

    fn send_request(&mut self, id: ContactId, waiting: Waiting, cx: &mut Cx<'_>) {
        let Ok(contact) = self.contact(id) else { return };
        let (ticket, text) = (contact.ticket, contact.text.clone());
        match self.need().and_then(|own| own.card(ticket, cx.now)) {
            Ok(card) => self.post_to(id, Kind::Request { card, text }, Then::Asked(id.0), waiting, cx),
            Err(error) => self.failed(waiting, &error.to_string(), cx),
        }
    }

    /// A letter to a contact was kept, or will never be.
    pub(super) fn letter_done(&mut self, id: ContactId, outcome: &Outcome, waiting: Waiting, cx: &mut Cx<'_>) {
        match outcome {
            Outcome::Refused(code) => {
                let name = self.contacts.get(&id).map_or("they", |c| c.name.as_str());
                let why = match code {
                    Refusal::BadTicket => format!(
                        "the mailbox of {name} does not take our letters any more: they have forgotten this contact, or made a new link since; ask them for a new link"
                    ),
                    Refusal::NoSuchLog => {
                        format!("the mailbox of {name} is not at that relay any more; ask them for a new link")
                    }
                    code => format!("the relay of {name} did not take the letter: {}", refusal_in_words(*code)),
                };
                self.failed(waiting, &why, cx);
            }
            _ => {
                if let Some((command, answer)) = waiting {
                    cx.answer(command, Ok(answer));
                }
            }
        }
    }

    /// A command can't be done, or what it began can't, and nobody waits for it any more.
    pub(super) fn failed(&mut self, waiting: Waiting, why: &str, cx: &mut Cx<'_>) {
        match waiting {
            Some((command, _)) => cx.answer(command, Err(CommandError::Account(why.to_owned()))),
            None => cx.tell(Draft::new(
                None,
                NoticeKind::Contact,
                why,
                "Nothing more is tried on its own; do it again when that is settled.",
            )),
        }
    }

    /// Says yes to a request, or to a contact that was stopped.
    pub(crate) fn accept(&mut self, id: ContactId, waiting: Waiting, cx: &mut Cx<'_>) -> Result<(), CommandError> {
        self.need()?;
        let contact = self.contact(id)?;
        match contact.stage {
            Stage::Request => {
                self.change_contact(id, |c| c.stage = Stage::Accepted);
                self.set_tickets();
                self.send_answer(id, waiting, cx);
            }
            Stage::Stopped => {
                let (account, other) = (contact.account, contact.other_chain.clone());
                if let Some(chain) = &other {
                    cx.book.replace(&account, chain);
                }
                self.change_contact(id, |c| {
                    c.stage = c.before.take().unwrap_or(Stage::Accepted);
                    c.why = None;
                    // What was compared was another list of devices.
                    c.verified = None;
                    if let Some(chain) = c.other_chain.take() {
                        c.chain = chain;
                    }
                });
                self.wish(Wish::ContactLooked);
                done(waiting, cx);
            }
            Stage::Accepted => done(waiting, cx),
            Stage::Asked => {
                let why =
                    "they have not answered your request yet; wait for them, or tell them to look at their requests";
                return Err(CommandError::Account(why.to_owned()));
            }
        }
        Ok(())
    }

    fn send_answer(&mut self, id: ContactId, waiting: Waiting, cx: &mut Cx<'_>) {
        let Ok(contact) = self.contact(id) else { return };
        let ticket = contact.ticket;
        match self.need().and_then(|own| own.card(ticket, cx.now)) {
            Ok(card) => self.post_to(id, Kind::Answer { card }, Then::Answered(id.0), waiting, cx),
            Err(error) => self.failed(waiting, &error.to_string(), cx),
        }
    }

    pub(crate) fn forget_contact(&mut self, id: ContactId, cx: &mut Cx<'_>) -> Result<(), CommandError> {
        self.need()?;
        let account = self.contact(id)?.account;
        self.touch();
        if let Some(own) = self.own.as_mut() {
            let revision = own.stored.revision;
            own.stored.forgotten.push(StoredForgotten { account, revision });
        }
        self.drop_contact(id, cx);
        self.set_tickets();
        Ok(())
    }

    /// Takes a contact away, and what waits for it.
    pub(super) fn drop_contact(&mut self, id: ContactId, cx: &mut Cx<'_>) {
        if let Some(contact) = self.contacts.remove(&id) {
            cx.book.set_contact(contact.account, None);
        }
        self.drop_jobs(
            |job| matches!(job.stored.then, Then::Ask(c) | Then::Asked(c) | Then::Answered(c) if c == id.0),
            cx,
        );
        self.keep_contact(id);
        self.set_tickets();
    }
}

/// What lay on a shelf, one of each device; an error if nothing of it is of use.
pub(super) fn open_items(reach: &StoredReach, account: &[u8; 32], items: &[Item]) -> Result<Vec<ShelfItem>, String> {
    let key = estoile_seal::shelf_item::ShelfKey::from_bytes(reach.shelf_key);
    let (mut opened, mut why) = (Vec::new(), None);
    for item in items {
        match ShelfItem::open(&key, &LogId(reach.shelf.0), &AccountId(*account), &item.bytes) {
            Ok(item) => opened.push(item),
            Err(error) => why = Some(error.to_string()),
        }
    }
    match (opened.is_empty(), why) {
        (true, Some(why)) => Err(why),
        _ => Ok(opened),
    }
}

/// Why nothing was taken.
pub(super) fn take_refused(code: Refusal) -> String {
    match code {
        Refusal::BadTicket => "this link's ticket is dead: its owner has made a new link since; ask for that one".to_owned(),
        Refusal::ShelfEmpty => "nothing lies on their shelf: they have not been online for long, or somebody drains it; ask them to go online, then try again".to_owned(),
        Refusal::NoSuchLog => "their shelf is not at that relay any more; ask them for a new link".to_owned(),
        code => format!("the relay did not give what lies on their shelf: {}", refusal_in_words(code)),
    }
}

fn full() -> CommandError {
    CommandError::Account(format!("this account has {MAX_CONTACTS} contacts, which is its limit; forget one first"))
}

fn done(waiting: Waiting, cx: &mut Cx<'_>) {
    if let Some((command, answer)) = waiting {
        cx.answer(command, Ok(answer));
    }
}
