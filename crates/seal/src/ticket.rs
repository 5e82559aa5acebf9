//! Tickets: one secret that lets a stranger post to a mailbox or door, or take from a shelf, and seal what is posted.
//!
//! From the secret come the ticket that the relay is shown, its hash that the relay keeps, and a key that the relay never
//! learns. This layer does not know mailboxes, doors or shelves.

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::sealed_box;

/// HKDF's label of the ticket that a relay is shown.
pub const LABEL_RELAY: &[u8] = b"estoile.v1 ticket relay";
/// HKDF's label of the key that seals what is posted under the ticket.
pub const LABEL_SEAL: &[u8] = b"estoile.v1 ticket seal";
/// HKDF's label of the tag by which a ticket's owner knows what was posted under it.
pub const LABEL_TAG: &[u8] = b"estoile.v1 ticket tag";
/// Under the hash of a ticket, which a relay keeps.
pub const LABEL_HASH: &[u8] = b"estoile.v1 ticket\0";

/// Stands before each body that was posted under a ticket, so that its owner finds the key among many.
pub type TicketTag = [u8; 8];

crate::secret::secret_bytes!(
    /// The secret of a ticket: for links one, for each contact one. Wiped on drop.
    TicketSecret
);

impl TicketSecret {
    /// What the relay is shown with a post or a take.
    #[must_use]
    pub fn relay_ticket(&self) -> [u8; 32] {
        *sealed_box::expand(&self.0, &[LABEL_RELAY])
    }

    /// What the relay keeps.
    #[must_use]
    pub fn relay_hash(&self) -> [u8; 32] {
        Sha256::new().chain_update(LABEL_HASH).chain_update(self.relay_ticket()).finalize().into()
    }

    /// What stands before a body posted under this ticket.
    #[must_use]
    pub fn tag(&self) -> TicketTag {
        let whole = sealed_box::expand(&self.0, &[LABEL_TAG]);
        whole.first_chunk().copied().unwrap_or_default()
    }

    /// The key that seals what is posted under this ticket.
    #[must_use]
    pub fn seal_key(&self) -> Zeroizing<[u8; 32]> {
        sealed_box::expand(&self.0, &[LABEL_SEAL])
    }
}
