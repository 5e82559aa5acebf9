//! What contacts do: their requests, answers and cards, and what follows when their devices change.

use estoile_seal::account::AccountId;
use estoile_seal::card::Card;
use estoile_seal::mailbox::Kind;

use super::FORKED;
use crate::account::jobs::Then;
use crate::account::record::reach;
use crate::account::stored::{Stage, StoredContact};
use crate::account::{Accounts, MAX_CONTACTS, MAX_REQUESTS, Wish};
use crate::board::Draft;
use crate::book::{BookNews, Learned};
use crate::notice::NoticeKind;
use crate::out::Cx;
use crate::room::hex;
use crate::view::ContactId;

impl Accounts {
    /// A request came.
    pub(in crate::account) fn requested(
        &mut self,
        from: AccountId,
        chain: &[u8],
        card: Vec<u8>,
        text: String,
        cx: &mut Cx<'_>,
    ) {
        let Some(card_read) = self.checked_card(&from.0, &card, cx) else { return };
        let known = self.find_contact(&from.0);
        let stage = known.and_then(|id| self.contacts.get(&id)).map(|c| c.stage);
        match (known, stage) {
            (Some(_), Some(Stage::Stopped)) => {}
            (Some(id), Some(Stage::Request)) => {
                self.take_card(id, &card_read, card);
                self.change_contact(id, |c| c.text = text);
            }
            (Some(id), stage) => {
                // Whom we have asked needs no second yes.
                self.take_card(id, &card_read, card);
                self.change_contact(id, |c| c.stage = Stage::Accepted);
                if stage == Some(Stage::Asked) {
                    self.told(
                        id,
                        "and you are contacts now: both have asked",
                        "Compare the words to be sure who it is.",
                        cx,
                    );
                }
                self.send_answer(id, None, cx);
            }
            _ => self.stranger(from, chain, &card_read, card, text, cx),
        }
    }

    fn stranger(&mut self, from: AccountId, chain: &[u8], read: &Card, card: Vec<u8>, text: String, cx: &mut Cx<'_>) {
        let waiting = self.contacts.values().filter(|c| c.stage == Stage::Request).count();
        if waiting >= MAX_REQUESTS || self.contacts.len() >= MAX_CONTACTS {
            cx.tell(Draft::new(
                None,
                NoticeKind::Contact,
                "a request came and was dropped, because too many wait already",
                "Answer or forget those that wait; make a new contact link if they are spam.",
            ));
            return;
        }
        let Some(ticket) = self.own.as_ref().map(|own| own.contact_ticket(&from.0)) else { return };
        let before = self.same_words(&from, cx);
        let id = self.next_contact();
        let contact = StoredContact {
            account: from.0,
            name: read.name.clone(),
            stage: Stage::Request,
            verified: None,
            card: Some(card),
            card_at: read.at,
            reach: Some(reach(read)),
            ticket,
            text,
            last_heard: Some(cx.now),
            why: None,
            before: None,
            revision: 0,
            other_chain: None,
            chain: chain.to_vec(),
        };
        self.contacts.insert(id, contact);
        self.change_contact(id, |_| {});
        match before {
            None => {
                self.told(id, "asks to be your contact", "Say yes (estoile contact accept) or forget the request.", cx)
            }
            Some(name) => {
                let what = format!("asks to be your contact, and has the same recovery words as your contact {name}");
                let advice = "Their relay may have lost the account, so that they began anew; or somebody else has their words. Ask them in another way before you say yes.";
                self.told(id, &what, advice, cx);
            }
        }
    }

    /// A contact whose account has the same root key: the account was begun anew after its log was lost.
    fn same_words(&self, from: &AccountId, cx: &Cx<'_>) -> Option<String> {
        let root = cx.book.verified_chain(&from.0)?.root();
        let same = |c: &&StoredContact| cx.book.verified_chain(&c.account).is_some_and(|chain| chain.root() == root);
        self.contacts.values().find(same).map(|c| c.name.clone())
    }

    /// Somebody says yes.
    pub(in crate::account) fn answered(&mut self, from: AccountId, card: Vec<u8>, cx: &mut Cx<'_>) {
        let Some(id) = self.find_contact(&from.0) else { return };
        let Some(read) = self.checked_card(&from.0, &card, cx) else { return };
        let stage = self.contacts.get(&id).map(|c| c.stage);
        if !matches!(stage, Some(Stage::Asked | Stage::Accepted)) {
            return;
        }
        self.take_card(id, &read, card);
        if stage == Some(Stage::Asked) {
            self.change_contact(id, |c| c.stage = Stage::Accepted);
            self.told(id, "has said yes, and you are contacts now", "Compare the words to be sure who it is.", cx);
        }
    }

    /// A card, if it is one and its chain is known.
    pub(in crate::account) fn checked_card(&self, account: &[u8; 32], card: &[u8], cx: &mut Cx<'_>) -> Option<Card> {
        let opened = Card::open(card, cx.book.verified_chain(account)?);
        match opened {
            Ok(card) => Some(card),
            Err(error) => {
                let why = error.to_string();
                cx.tell(Draft::new(None, NoticeKind::Forged, why, "Ask the sender for a new contact link."));
                None
            }
        }
    }

    pub(in crate::account) fn take_card(&mut self, id: ContactId, read: &Card, card: Vec<u8>) {
        if self.contacts.get(&id).is_some_and(|c| c.card_at > read.at) {
            return;
        }
        self.change_contact(id, |c| {
            c.name.clone_from(&read.name);
            c.card_at = read.at;
            c.reach = Some(reach(read));
            c.card = Some(card);
        });
    }

    pub(in crate::account) fn told(&self, id: ContactId, what: &str, advice: &'static str, cx: &mut Cx<'_>) {
        let Some(contact) = self.contacts.get(&id) else { return };
        let key = estoile_wire::PublicKey(contact.account);
        let detail = format!("{} ({}…) {what}", contact.name, hex(&contact.account).get(..8).unwrap_or_default());
        cx.tell(Draft::new(None, NoticeKind::Contact, detail, advice).about(key, &contact.name));
    }

    /// Somebody's devices are others now.
    pub(in crate::account) fn chain_news(&mut self, news: &BookNews, cx: &mut Cx<'_>) {
        if self.own.as_ref().is_some_and(|own| own.id().0 == news.account) {
            return;
        }
        let id = self.find_contact(&news.account);
        match &news.learned {
            Learned::Longer { added, removed } => {
                let chain = cx.book.chain(&news.account).map(<[u8]>::to_vec);
                if let (Some(id), Some(chain)) = (id, chain) {
                    self.change_contact(id, |c| c.chain = chain);
                    self.tell_devices(id, added.len(), removed.len(), cx);
                }
                if !removed.is_empty() {
                    self.wish(Wish::DevicesRemoved { account: news.account, removed: removed.clone() });
                }
            }
            Learned::Forked => {
                if let Some(id) = id {
                    self.stop_contact(id, FORKED, None, cx);
                }
            }
            Learned::Same | Learned::Shorter | Learned::Invalid => {}
        }
    }

    fn tell_devices(&self, id: ContactId, added: usize, removed: usize, cx: &mut Cx<'_>) {
        let Some(contact) = self.contacts.get(&id) else { return };
        let what = match (added, removed) {
            (0, 1) => "has removed a device".to_owned(),
            (0, n) => format!("has removed {n} devices"),
            (1, 0) => "has added a device".to_owned(),
            (n, 0) => format!("has added {n} devices"),
            (n, m) => format!("has added {n} and removed {m} devices"),
        };
        let key = estoile_wire::PublicKey(contact.account);
        let draft = Draft::new(
            None,
            NoticeKind::Device,
            format!("{} {what}", contact.name),
            "If that surprises you, ask them by another way whether it was they.",
        );
        cx.tell(draft.about(key, &contact.name));
    }

    /// Nothing is done with this contact, nor in rooms with it, until the user has looked.
    pub(in crate::account) fn stop_contact(
        &mut self,
        id: ContactId,
        why: &str,
        other: Option<Vec<u8>>,
        cx: &mut Cx<'_>,
    ) {
        let Some(contact) = self.contacts.get(&id) else { return };
        if contact.stage == Stage::Stopped {
            return;
        }
        self.change_contact(id, |c| {
            c.before = Some(c.stage);
            c.stage = Stage::Stopped;
            c.why = Some(why.to_owned());
            c.other_chain = other;
        });
        self.told(
            id,
            "was stopped: the list of their devices contradicts the one that was known",
            "Call them, compare the words, then accept them once more or forget them.",
            cx,
        );
        self.wish(Wish::ContactStopped);
    }

    /// Tells our contacts that our chain has grown.
    pub(in crate::account) fn tell_chain(&mut self, cx: &mut Cx<'_>) {
        let Some(own) = self.own.as_ref().filter(|own| own.stored.chain_told < own.chain.len()) else { return };
        let len = own.chain.len();
        let ids: Vec<ContactId> =
            self.contacts.iter().filter(|(_, c)| c.stage == Stage::Accepted).map(|(id, _)| *id).collect();
        for id in ids {
            self.post_to(id, Kind::Chain, Then::Nothing, None, cx);
        }
        if let Some(own) = self.own.as_mut() {
            own.stored.chain_told = len;
        }
        self.keep_own();
    }
}
