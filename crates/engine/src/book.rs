//! What is known of accounts: their chains as they were last seen, and which of them are contacts.
//!
//! Rooms ask it whether a leaf's chain is what was seen before; the account part says who is a contact, and hears what
//! changed.

use std::collections::BTreeMap;

use estoile_seal::account::{Chain, Standing};
use estoile_wire::PublicKey;
use minicbor::{Decode, Encode};

use crate::names::{self, Own};
use crate::out::Out;
use crate::view::ContactId;

/// Chains that one vault keeps: some rooms of 250, and a thousand contacts. Beyond, those seen first go, contacts never.
pub(crate) const MAX_KNOWN: usize = 10_000;
/// Changes of chains that wait to be told within one turn.
const MAX_NEWS: usize = 1_000;

/// What a chain that was shown is, beside the one known before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Learned {
    /// Known; or the first one seen of this account.
    Same,
    /// It goes on from the one known: kept, and these devices are new or gone.
    Longer { added: Vec<PublicKey>, removed: Vec<PublicKey> },
    /// A beginning of the one known: old news, and no harm by itself.
    Shorter,
    /// It parts from the one known: somebody has two chains.
    Forked,
    /// No chain of this account.
    Invalid,
}

/// What is known of a contact, for those who show members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Contact {
    pub(crate) id: ContactId,
    pub(crate) name: String,
    pub(crate) verified: bool,
    /// Both said yes.
    pub(crate) accepted: bool,
    /// Stopped until the user looks, and why.
    pub(crate) stopped: Option<String>,
}

/// A chain as the vault has it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StoredKnown {
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) chain: Vec<u8>,
}

/// An account as it is known here.
#[derive(Debug, Default)]
struct Known {
    number: Option<u64>,
    bytes: Vec<u8>,
    chain: Option<Chain>,
    contact: Option<Contact>,
    changed: bool,
}

/// What the account part should hear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BookNews {
    pub(crate) account: [u8; 32],
    pub(crate) learned: Learned,
}

/// The accounts known here.
#[derive(Debug, Default)]
pub(crate) struct Book {
    accounts: BTreeMap<[u8; 32], Known>,
    next: u64,
    news: Vec<BookNews>,
    gone: Vec<u64>,
}

impl Book {
    /// Brings one back from the vault.
    pub(crate) fn restore(&mut self, number: u64, stored: StoredKnown) -> Option<()> {
        let chain = Chain::verify(&stored.chain).ok()?;
        self.next = self.next.max(number.saturating_add(1));
        let known = self.accounts.entry(chain.id().0).or_default();
        known.number = Some(number);
        known.bytes = stored.chain;
        known.chain = Some(chain);
        Some(())
    }

    /// Looks at a chain that somebody showed as an account's, and keeps it if it is the longest.
    pub(crate) fn learn(&mut self, account: &[u8; 32], chain: &[u8]) -> Learned {
        if self.accounts.get(account).is_some_and(|k| k.bytes == chain && k.chain.is_some()) {
            return Learned::Same;
        }
        let Ok(shown) = Chain::verify(chain) else { return Learned::Invalid };
        if shown.id().0 != *account {
            return Learned::Invalid;
        }
        let known = self.accounts.entry(*account).or_default();
        let learned = match known.chain.as_ref().map(|k| (shown.extends(k), k)) {
            None => Learned::Same,
            Some((Standing::Same, _)) => return Learned::Same,
            Some((Standing::Shorter, _)) => return Learned::Shorter,
            Some((Standing::Forked, _)) if !estoile_wire::weak::is("fork") => Learned::Forked,
            Some((Standing::Forked, _)) => Learned::Same,
            Some((Standing::Longer, before)) => Learned::Longer {
                added: shown.devices().iter().filter(|d| !before.is_live(d)).copied().collect(),
                removed: before.devices().iter().filter(|d| !shown.is_live(d)).copied().collect(),
            },
        };
        if learned != Learned::Forked {
            if known.number.is_none() {
                known.number = Some(self.next);
                self.next = self.next.saturating_add(1);
            }
            known.bytes = chain.to_vec();
            known.chain = Some(shown);
            known.changed = true;
        }
        if learned != Learned::Same && self.news.len() < MAX_NEWS {
            self.news.push(BookNews { account: *account, learned: learned.clone() });
        }
        self.make_room();
        learned
    }

    /// Takes a chain in place of the one known, because the user has looked at the change.
    pub(crate) fn replace(&mut self, account: &[u8; 32], chain: &[u8]) {
        if let Some(known) = self.accounts.get_mut(account) {
            known.chain = None;
            known.bytes = Vec::new();
        }
        self.learn(account, chain);
    }

    fn make_room(&mut self) {
        while self.accounts.len() > MAX_KNOWN {
            let oldest = self.accounts.iter().filter(|(_, k)| k.contact.is_none()).min_by_key(|(_, k)| k.number);
            let Some(account) = oldest.map(|(account, _)| *account) else { return };
            if let Some(number) = self.accounts.remove(&account).and_then(|k| k.number) {
                self.gone.push(number);
            }
        }
    }

    /// The longest chain seen of an account.
    pub(crate) fn chain(&self, account: &[u8; 32]) -> Option<&[u8]> {
        self.accounts.get(account).map(|k| k.bytes.as_slice()).filter(|c| !c.is_empty())
    }

    /// The same, verified.
    pub(crate) fn verified_chain(&self, account: &[u8; 32]) -> Option<&Chain> {
        self.accounts.get(account)?.chain.as_ref()
    }

    /// The contact that an account is, if it is one.
    pub(crate) fn contact(&self, account: &[u8; 32]) -> Option<&Contact> {
        self.accounts.get(account)?.contact.as_ref()
    }

    /// Says that an account is a contact, or is none any more.
    pub(crate) fn set_contact(&mut self, account: [u8; 32], contact: Option<Contact>) {
        self.accounts.entry(account).or_default().contact = contact;
    }

    /// What changed since the last time.
    pub(crate) fn take_news(&mut self) -> Vec<BookNews> {
        core::mem::take(&mut self.news)
    }

    /// Writes down what changed.
    pub(crate) fn flush(&mut self, out: &mut Out) {
        for number in core::mem::take(&mut self.gone) {
            out.changes.delete(names::own_numbered(Own::Known, number));
        }
        for known in self.accounts.values_mut().filter(|k| k.changed) {
            known.changed = false;
            if let Some(number) = known.number {
                let stored = StoredKnown { chain: known.bytes.clone() };
                out.changes.put(names::own_numbered(Own::Known, number), crate::stored::encode(&stored));
            }
        }
    }
}
