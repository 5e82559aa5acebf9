//! What the vault keeps of what is under way: invitations, knocks, key packages, letters seen.

use estoile_wire::{LogId, Millis, PublicKey};
use minicbor::{Decode, Encode};
use zeroize::Zeroize;

use super::StoredReach;
use crate::stored::StoredAddress;

/// Whom a Welcome of ours goes to.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[expect(clippy::large_enum_variant, reason = "a handful at a time, and the vault's derive knows no boxes of maps")]
pub(crate) enum StoredTo {
    /// A contact's mailbox.
    #[n(0)]
    Contact(#[n(0)] u32),
    /// Somebody who knocked.
    #[n(2)]
    Knocker {
        #[n(0)]
        reach: StoredReach,
        #[n(1)]
        name: String,
    },
}

/// An invitation of ours that is under way.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StoredInvite {
    #[n(0)]
    pub(crate) room: u32,
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) account: [u8; 32],
    #[n(2)]
    pub(crate) to: StoredTo,
    /// The room has our wish.
    #[n(3)]
    pub(crate) wanted: bool,
    /// The room's suite, by its number in MLS.
    #[n(4)]
    pub(crate) suite: u16,
    /// Milliseconds that the room's records live.
    #[n(5)]
    pub(crate) life: u64,
}

/// A knock at a door of ours, until it is our turn to answer.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StoredPending {
    #[n(0)]
    pub(crate) room: u32,
    #[n(1)]
    pub(crate) due: Millis,
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) body: Vec<u8>,
    /// Who knocks.
    #[n(3)]
    pub(crate) device: Option<PublicKey>,
}

/// An invitation to us that waits.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StoredInvitation {
    /// The room that it would be, once it has a number.
    #[n(0)]
    pub(crate) room: Option<u32>,
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) from: [u8; 32],
    #[n(2)]
    pub(crate) from_name: String,
    #[n(3)]
    pub(crate) name: String,
    #[n(4)]
    pub(crate) address: StoredAddress,
    #[n(5)]
    pub(crate) log: LogId,
    #[n(6)]
    pub(crate) cursor: u64,
    #[n(7)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) welcome: Option<Vec<u8>>,
    #[n(8)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) blob_key: Option<[u8; 32]>,
    /// The user, or the account, has said yes.
    #[n(9)]
    pub(crate) yes: bool,
    /// It was written before this device was there: most likely for another.
    #[n(10)]
    pub(crate) old: bool,
}

/// The secret part of a key package of ours.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StoredPackage {
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) reference: Vec<u8>,
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) secret: Vec<u8>,
    #[n(2)]
    pub(crate) made_at: Millis,
    #[n(3)]
    pub(crate) last_resort: bool,
    /// The sealed item, until the relay has it.
    #[n(4)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) item: Option<Vec<u8>>,
    /// The chain was this long when it was made: an item with an old chain still serves.
    #[n(5)]
    pub(crate) chain_len: u64,
    /// The other package of the same item.
    #[n(6)]
    pub(crate) twin: Option<u64>,
}

impl Drop for StoredPackage {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

/// A mailbox letter that was taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StoredSeen {
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) id: [u8; 16],
}

/// A record of the account's log that is a blob.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StoredLogBlob {
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) hash: [u8; 32],
    #[n(1)]
    pub(crate) size: u64,
    #[n(2)]
    pub(crate) generation: u32,
    /// The epoch for which it is sealed.
    #[n(3)]
    pub(crate) epoch: u64,
}

/// A part of the messages that go along to a new device.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StoredPart {
    /// The new device.
    #[n(0)]
    pub(crate) device: PublicKey,
    /// How many messages are in it.
    #[n(1)]
    pub(crate) messages: u64,
    /// The sealed part.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) sealed: Vec<u8>,
    /// When the new device does not look for it any more.
    #[n(3)]
    pub(crate) until: Millis,
}

/// The messages that come along from the old device.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StoredHistory {
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) key: [u8; 32],
    /// How many there are.
    #[n(1)]
    pub(crate) messages: u64,
    /// Where they lie: hash and size of each part.
    #[n(2)]
    pub(crate) parts: Vec<StoredPartRef>,
    /// The next part to get.
    #[n(3)]
    pub(crate) next: u32,
    /// How many messages were taken in.
    #[n(4)]
    pub(crate) brought: u64,
    /// How many parts did not come, or did not open.
    #[n(5)]
    pub(crate) lost: u32,
    /// When what has not come is given up.
    #[n(6)]
    pub(crate) until: Millis,
}

impl Drop for StoredHistory {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

/// Where a part lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StoredPartRef {
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) hash: [u8; 32],
    #[n(1)]
    pub(crate) size: u64,
}

/// A knock of ours that waits for its answer.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StoredKnock {
    #[n(0)]
    pub(crate) room: u32,
    #[n(1)]
    pub(crate) name: String,
    /// The room's log, where it is known.
    #[n(2)]
    pub(crate) log: Option<LogId>,
    #[n(3)]
    pub(crate) at: Millis,
    /// The door at which it was posted, where the account's log named it.
    #[n(4)]
    pub(crate) door: Option<LogId>,
    /// Where that door is, and what opens it: the knock may have to be sent once more.
    #[n(5)]
    pub(crate) address: Option<StoredAddress>,
    #[n(6)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) ticket: Option<[u8; 32]>,
    /// With which room link.
    #[n(7)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) link: Option<[u8; 8]>,
    /// Or to follow which room's move; neither: as a device of a member.
    #[n(8)]
    pub(crate) from: Option<LogId>,
}

impl StoredKnock {
    pub(crate) const fn new(room: u32, name: String, at: Millis) -> Self {
        Self { room, name, log: None, at, door: None, address: None, ticket: None, link: None, from: None }
    }
}
