//! The account as this device is in it: keys at hand, cards, links.

use estoile_mls::hpke;
use estoile_seal::access::AccessKey;
use estoile_seal::account::{AccountId, Chain, Generation};
use estoile_seal::card::Card;
use estoile_seal::link::RelayUrl;
use estoile_seal::shelf_item::ShelfKey;
use estoile_seal::ticket::TicketSecret;
use estoile_seal::{Later, SenderKey};
use estoile_wire::id::LogKind;
use estoile_wire::{LogId, Millis, PublicKey};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::stored::StoredOwn;
use crate::command::{CommandError, RelayAddress};
use crate::private::Me;

/// Under the ticket of a device's knocks.
const LABEL_KNOCK: &[u8] = b"estoile.v1 knock ticket\0";
/// Under the ticket of a contact.
const LABEL_CONTACT: &[u8] = b"estoile.v1 contact ticket\0";

/// The account.
pub(crate) struct Own {
    pub(crate) stored: StoredOwn,
    pub(crate) chain: Chain,
    pub(crate) device: SenderKey,
    pub(crate) hpke_secret: Zeroizing<Vec<u8>>,
    pub(crate) hpke_public: Vec<u8>,
}

impl Own {
    /// The account as the vault has it; none if that can't be read.
    pub(crate) fn new(stored: StoredOwn) -> Option<Self> {
        let chain = Chain::verify(&stored.chain).ok()?;
        let device = SenderKey::from_seed(&stored.device);
        let (hpke_secret, hpke_public) = hpke::derive(&stored.keys.hpke).ok()?;
        Some(Self { stored, chain, device, hpke_secret, hpke_public })
    }

    /// The log says all that it should.
    pub(crate) fn is_written(&self) -> bool {
        let s = &self.stored;
        s.written >= s.revision && s.chain_written >= self.chain.len() && (s.proposal.is_none() || s.proposal_written)
    }

    /// The chain or a proposal is to be written: neither waits for a long summary to come or go.
    pub(crate) fn is_urgent(&self) -> bool {
        let s = &self.stored;
        s.chain_written < self.chain.len() || (s.proposal.is_some() && !s.proposal_written)
    }

    /// Whether this device writes into the log: not when it is out, but for the word that it goes; not before it knows what
    /// the others wrote.
    pub(crate) fn may_write(&self) -> bool {
        let s = &self.stored;
        !s.joined && (s.stopped.is_none() || s.chain_written < self.chain.len())
    }

    pub(crate) const fn id(&self) -> AccountId {
        self.chain.id()
    }

    pub(crate) fn me(&self) -> Me {
        Me {
            account: self.id().0,
            name: self.stored.name.clone(),
            device: self.device.clone(),
            chain: self.stored.chain.clone(),
        }
    }

    /// The chain is another now: longer.
    pub(crate) fn set_chain(&mut self, chain: Chain) {
        self.stored.chain = chain.encode();
        self.chain = chain;
    }

    pub(crate) fn generation(&self) -> Generation {
        Generation::from_parts(self.stored.generation, self.stored.secret)
    }

    pub(crate) fn mailbox(&self) -> LogId {
        AccessKey::from_seed(&self.stored.keys.mailbox).log_id(LogKind::Fixed)
    }

    pub(crate) fn shelf(&self) -> LogId {
        AccessKey::from_seed(&self.stored.keys.shelf).log_id(LogKind::Shelf)
    }

    pub(crate) fn shelf_key(&self) -> ShelfKey {
        ShelfKey::from_bytes(self.stored.keys.shelf_key)
    }

    pub(crate) fn link_ticket(&self) -> TicketSecret {
        TicketSecret::from_bytes(self.stored.keys.link_ticket)
    }

    /// The ticket by which the account's own devices write to each other and take from each other.
    pub(crate) fn own_ticket(&self) -> TicketSecret {
        let generation = self.generation();
        // The first access key's seed is known to the account's devices alone, and changes with each generation.
        TicketSecret::from_bytes(*generation.access(u64::MAX).seed())
    }

    /// The ticket by which a door's members answer a device's knock: all devices know all of them, so that none takes
    /// another's out of force.
    pub(crate) fn knock_ticket(&self, device: &PublicKey) -> TicketSecret {
        let hash =
            Sha256::new().chain_update(LABEL_KNOCK).chain_update(self.stored.keys.mailbox).chain_update(device.0);
        TicketSecret::from_bytes(hash.finalize().into())
    }

    /// The ticket that a contact gets: the same whichever of the account's devices gives it, so that two that meet somebody at
    /// the same time never give two, of which one would be dead.
    pub(crate) fn contact_ticket(&self, account: &[u8; 32]) -> [u8; 32] {
        let hash =
            Sha256::new().chain_update(LABEL_CONTACT).chain_update(self.stored.keys.mailbox).chain_update(account);
        hash.finalize().into()
    }

    /// Several devices keep the tickets at the relay, and one may have put an older list there.
    pub(crate) fn is_shared(&self) -> bool {
        self.chain.devices().len() > 1
    }

    /// Where the home relay is, as others write it down; none before its key is known.
    pub(crate) fn relay_url(&self) -> Option<RelayUrl> {
        relay_url(&self.stored.address.to_address())
    }

    /// What a contact gets: how to reach us, with a ticket of its own.
    pub(crate) fn card(&self, ticket: [u8; 32], now: Millis) -> Result<Vec<u8>, CommandError> {
        let relay = self.relay_url().ok_or_else(no_relay_key)?;
        let card = Card {
            account: self.id(),
            name: self.stored.name.clone(),
            relay,
            mailbox: self.mailbox(),
            shelf: self.shelf(),
            ticket: TicketSecret::from_bytes(ticket),
            shelf_key: self.shelf_key(),
            hpke: self.hpke_public.clone(),
            at: now,
            later: Later::default(),
        };
        card.sign(&self.device).map_err(|e| CommandError::Account(e.to_string()))
    }

    /// The name of a device of the account; empty if nobody gave it one.
    pub(crate) fn device_name(&self, device: &PublicKey) -> &str {
        self.stored.devices.iter().find(|d| d.key == *device).map_or("", |d| d.name.as_str())
    }
}

/// A relay's address as links and cards have it.
pub(crate) fn relay_url(address: &RelayAddress) -> Option<RelayUrl> {
    let pin = Some(address.pin?);
    Some(RelayUrl { tls: address.tls, host: address.host.clone(), port: address.port, entry: None, pin })
}

/// A relay's address out of a link or card.
pub(crate) fn address_of(url: &RelayUrl) -> RelayAddress {
    RelayAddress { host: url.host.clone(), port: url.port, tls: url.tls, pin: url.pin }
}

pub(crate) fn no_relay_key() -> CommandError {
    CommandError::Offline(
        "the account's relay was not reached yet, so its key is not known; try again when it is there".to_owned(),
    )
}
