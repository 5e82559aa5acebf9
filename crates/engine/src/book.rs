//! What is known of accounts: their chains as they were last seen, and which of them are contacts.
//!
//! Rooms ask it whether a leaf's chain is what was seen before; the account part says who is a contact.

use std::collections::{BTreeMap, BTreeSet};

use estoile_wire::PublicKey;

use crate::view::ContactId;

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

/// An account as it is known here.
#[derive(Clone, Debug, Default)]
struct Known {
    chain: Vec<u8>,
    contact: Option<Contact>,
}

/// The accounts known here.
#[derive(Debug, Default)]
pub(crate) struct Book {
    accounts: BTreeMap<[u8; 32], Known>,
    changed: BTreeSet<[u8; 32]>,
}

impl Book {
    /// Looks at a chain that somebody showed as an account's, and keeps it if it is the longest.
    pub(crate) fn learn(&mut self, account: &[u8; 32], chain: &[u8]) -> Learned {
        let known = self.accounts.entry(*account).or_default();
        known.chain = chain.to_vec();
        self.changed.insert(*account);
        Learned::Same
    }

    /// The longest chain seen of an account.
    pub(crate) fn chain(&self, account: &[u8; 32]) -> Option<&[u8]> {
        self.accounts.get(account).map(|k| k.chain.as_slice()).filter(|c| !c.is_empty())
    }

    /// The contact that an account is, if it is one.
    pub(crate) fn contact(&self, account: &[u8; 32]) -> Option<&Contact> {
        self.accounts.get(account)?.contact.as_ref()
    }

    /// Says that an account is a contact, or is none any more.
    pub(crate) fn set_contact(&mut self, account: [u8; 32], contact: Option<Contact>) {
        self.accounts.entry(account).or_default().contact = contact;
    }
}
