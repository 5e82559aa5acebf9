//! What the vault keeps of the account. CBOR maps with integer keys, so that later versions can add fields.

use estoile_seal::account::summary::ContactState;
use estoile_wire::{LogId, Millis, PublicKey};
use minicbor::{Decode, Encode};
use zeroize::Zeroize;

use crate::stored::StoredAddress;

mod under_way;

pub(crate) use under_way::{
    StoredHistory, StoredInvitation, StoredInvite, StoredKnock, StoredLogBlob, StoredPackage, StoredPart,
    StoredPartRef, StoredPending, StoredSeen, StoredTo,
};

/// The account part's counters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StoredCounters {
    #[n(0)]
    pub(crate) channel: u32,
    #[n(1)]
    pub(crate) job: u64,
    #[n(2)]
    pub(crate) contact: u32,
    #[n(3)]
    pub(crate) token: u64,
    #[n(4)]
    pub(crate) package: u64,
    #[n(5)]
    pub(crate) seen: u64,
    #[n(6)]
    pub(crate) invitation: u64,
    #[n(7)]
    pub(crate) pending: u64,
}

/// The secrets that all devices of the account share.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StoredKeys {
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) mailbox: [u8; 32],
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) shelf: [u8; 32],
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) shelf_key: [u8; 32],
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) link_ticket: [u8; 32],
    /// The seed of the account's HPKE key.
    #[n(4)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) hpke: [u8; 32],
}

impl Drop for StoredKeys {
    fn drop(&mut self) {
        self.mailbox.zeroize();
        self.shelf.zeroize();
        self.shelf_key.zeroize();
        self.link_ticket.zeroize();
        self.hpke.zeroize();
    }
}

/// A device of the account, as its others know it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StoredDevice {
    #[n(0)]
    pub(crate) key: PublicKey,
    #[n(1)]
    pub(crate) name: String,
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) hpke: Vec<u8>,
}

/// A private room, as the account's log names it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StoredPlace {
    #[n(0)]
    pub(crate) log: LogId,
    #[n(1)]
    pub(crate) relay: String,
    #[n(2)]
    pub(crate) name: String,
    #[n(3)]
    pub(crate) door: Option<LogId>,
    #[n(4)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) ticket: Option<[u8; 32]>,
    /// The revision of the last change made here, as a contact's.
    #[n(5)]
    pub(crate) revision: Option<u64>,
}

impl StoredPlace {
    /// Changed here since the log was last written.
    pub(crate) fn is_newer(&self, written: u64) -> bool {
        self.revision.is_some_and(|revision| revision > written)
    }

    /// It says the same of the room.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        (&self.relay, &self.name, self.log, self.door, self.ticket)
            == (&other.relay, &other.name, other.log, other.door, other.ticket)
    }
}

/// The account, as this device is in it.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StoredOwn {
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) chain: Vec<u8>,
    #[n(1)]
    pub(crate) generation: u32,
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) secret: [u8; 32],
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) device: [u8; 32],
    /// The seed of this device's own HPKE key, for hand-overs.
    #[n(4)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) device_hpke: [u8; 32],
    #[n(5)]
    pub(crate) device_name: String,
    #[n(6)]
    pub(crate) name: String,
    #[n(7)]
    pub(crate) address: StoredAddress,
    #[n(8)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) entry: Option<Vec<u8>>,
    #[n(9)]
    pub(crate) keys: StoredKeys,
    #[n(10)]
    pub(crate) devices: Vec<StoredDevice>,
    /// Everything was made at the relay once, and the words were shown.
    #[n(11)]
    pub(crate) made: bool,
    /// How often what the log should say has changed …
    #[n(12)]
    pub(crate) revision: u64,
    /// … and up to which change it says so.
    #[n(13)]
    pub(crate) written: u64,
    /// When it was last written.
    #[n(14)]
    pub(crate) written_at: Millis,
    /// Why the account can't go on here.
    #[n(15)]
    pub(crate) stopped: Option<String>,
    /// A removal that waits for a second device.
    #[n(16)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) proposal: Option<Vec<u8>>,
    /// Private rooms of the account that this device is not in.
    #[n(17)]
    pub(crate) places: Vec<StoredPlace>,
    /// When the last-resort package was put, if it was.
    #[n(18)]
    pub(crate) last_resort_at: Option<Millis>,
    /// How often the relay says that it was taken.
    #[n(19)]
    pub(crate) last_resort_taken: u64,
    /// The last records of the earlier generation's log, still to be written.
    #[n(20)]
    pub(crate) farewell: Vec<minicbor::bytes::ByteVec>,
    /// The revision of the last change of name, keys or devices made here.
    #[n(21)]
    pub(crate) shared: u64,
    /// How many entries of the chain the log has.
    #[n(22)]
    pub(crate) chain_written: u64,
    /// The log has the proposal.
    #[n(23)]
    pub(crate) proposal_written: bool,
    /// Contacts that were taken away here, and at which revision.
    #[n(24)]
    pub(crate) forgotten: Vec<StoredForgotten>,
    /// The chain that is shown to contacts was sent to them when it was this long.
    #[n(25)]
    pub(crate) chain_told: u64,
    /// Knocks of ours that wait for an answer.
    #[n(26)]
    pub(crate) knocks: Vec<StoredKnock>,
    /// Linked, and nothing was read of the account's log yet: the shared keys are not known.
    #[n(27)]
    pub(crate) joined: bool,
    /// When this device came into an account that was there: no words are to be shown, and what lies in the mailbox from
    /// before was for others.
    #[n(28)]
    pub(crate) since: Option<Millis>,
    /// Rooms that were taken off the list here, and at which revision.
    #[n(29)]
    pub(crate) gone: Option<Vec<StoredGone>>,
    /// What another device wrote last, which is a blob and is not here yet.
    #[n(30)]
    pub(crate) summary_blob: Option<StoredLogBlob>,
    /// The messages that come along from the old device.
    #[n(31)]
    pub(crate) history: Option<StoredHistory>,
}

impl core::fmt::Debug for StoredOwn {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("StoredOwn(..)")
    }
}

impl Drop for StoredOwn {
    fn drop(&mut self) {
        self.secret.zeroize();
        self.device.zeroize();
        self.device_hpke.zeroize();
    }
}

/// A room that was taken off the account's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StoredGone {
    #[n(0)]
    pub(crate) log: LogId,
    #[n(1)]
    pub(crate) revision: u64,
}

/// A contact that was taken away.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StoredForgotten {
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) account: [u8; 32],
    #[n(1)]
    pub(crate) revision: u64,
}

/// How far a contact has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub(crate) enum Stage {
    #[n(0)]
    Asked,
    #[n(1)]
    Request,
    #[n(2)]
    Accepted,
    #[n(3)]
    Stopped,
}

impl Stage {
    pub(crate) const fn state(self) -> ContactState {
        match self {
            Self::Asked => ContactState::Asked,
            Self::Request => ContactState::Asking,
            Self::Accepted => ContactState::Accepted,
            Self::Stopped => ContactState::Stopped,
        }
    }

    pub(crate) const fn of(state: ContactState) -> Self {
        match state {
            ContactState::Asked => Self::Asked,
            ContactState::Asking => Self::Request,
            ContactState::Accepted => Self::Accepted,
            ContactState::Blocked | ContactState::Stopped => Self::Stopped,
        }
    }
}

/// Where a contact can be reached.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StoredReach {
    #[n(0)]
    pub(crate) address: StoredAddress,
    #[n(1)]
    pub(crate) mailbox: LogId,
    #[n(2)]
    pub(crate) shelf: LogId,
    /// The ticket's secret that they gave us.
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) ticket: [u8; 32],
    #[n(4)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) shelf_key: [u8; 32],
    /// None before anything of theirs was read.
    #[n(5)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) hpke: Option<Vec<u8>>,
}

impl Drop for StoredReach {
    fn drop(&mut self) {
        self.ticket.zeroize();
        self.shelf_key.zeroize();
    }
}

/// A contact.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StoredContact {
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) account: [u8; 32],
    #[n(1)]
    pub(crate) name: String,
    #[n(2)]
    pub(crate) stage: Stage,
    #[n(3)]
    pub(crate) verified: Option<Millis>,
    /// Their last card, signed.
    #[n(4)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) card: Option<Vec<u8>>,
    /// When that card was signed.
    #[n(5)]
    pub(crate) card_at: Millis,
    #[n(6)]
    pub(crate) reach: Option<StoredReach>,
    /// The ticket's secret that we gave them.
    #[n(7)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) ticket: [u8; 32],
    /// What they wrote, or what we write to them, with the request.
    #[n(8)]
    pub(crate) text: String,
    #[n(9)]
    pub(crate) last_heard: Option<Millis>,
    /// Why it is stopped.
    #[n(10)]
    pub(crate) why: Option<String>,
    /// The stage before it was stopped.
    #[n(11)]
    pub(crate) before: Option<Stage>,
    /// The revision of the last change made here: later than what is written, and the log's word does not count.
    #[n(12)]
    pub(crate) revision: u64,
    /// The chain that stopped it, to be taken when the user says so.
    #[n(13)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) other_chain: Option<Vec<u8>>,
    /// Their chain as last known; empty before anything of theirs was read.
    #[n(14)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) chain: Vec<u8>,
}

impl Drop for StoredContact {
    fn drop(&mut self) {
        self.ticket.zeroize();
    }
}
