//! What a private room's group is given and answers: the seam with rooms and the account part.

use std::sync::Arc;

use estoile_seal::SenderKey;
use estoile_wire::{Cursor, Id16, LogId, Millis, PublicKey};
use zeroize::Zeroizing;

use crate::view::{Role, RoomId};

/// An account's id.
pub(crate) type AccountId = [u8; 32];

/// This device as it enters groups; the account part gives it.
#[derive(Clone)]
pub(crate) struct Me {
    pub(crate) account: AccountId,
    pub(crate) name: String,
    pub(crate) device: SenderKey,
    pub(crate) chain: Vec<u8>,
}

impl core::fmt::Debug for Me {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Me(..)")
    }
}

/// How a group is made.
#[derive(Clone, Debug)]
pub(crate) struct Founding {
    pub(crate) room: RoomId,
    pub(crate) name: String,
    /// Suite 0x0001 instead of 0x004E.
    pub(crate) classic: bool,
    /// Seconds that the log's records may live: the log must be made with the same.
    pub(crate) max_ttl: u64,
}

/// What a Welcome must lead to: the letter that brought it says so.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected {
    pub(crate) room: RoomId,
    pub(crate) log: LogId,
    /// Who signed that letter.
    pub(crate) by: AccountId,
}

/// Finds the secret part of a key package of ours by its reference.
pub(crate) type Secrets<'a> = dyn FnMut(&[u8]) -> Option<Zeroizing<Vec<u8>>> + 'a;

/// Why a Welcome was not taken, in a sentence for the user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JoinError {
    /// Its key package is none that this vault holds (any more).
    #[error("the invitation is for a key that this device does not have (any more); ask for another one")]
    NotForUs,
    /// It does not lead to what the letter said, or the inviter had no right, or somebody in it is not who they say.
    #[error("the invitation was refused: {0}; ask the inviter what happened")]
    Refused(String),
}

/// A record of the room's log.
#[derive(Clone, Copy)]
pub(crate) struct Incoming<'a> {
    pub(crate) body: &'a [u8],
    pub(crate) cursor: Cursor,
    pub(crate) epoch: u64,
    /// The relay's time.
    pub(crate) time: Millis,
    /// The record is a commit, and the next epoch's access key is this.
    pub(crate) advance: Option<PublicKey>,
    /// Its place was passed before: the log is read again for what is missing. If it doesn't open, that is told to nobody.
    pub(crate) again: bool,
}

impl core::fmt::Debug for Incoming<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Incoming({} bytes)", self.body.len())
    }
}

/// A blob's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlobRef {
    pub(crate) hash: [u8; 32],
    pub(crate) size: u64,
}

/// What a record was.
#[derive(Debug)]
pub(crate) enum Taken {
    /// A letter by a member's device: the packet inside, for [`estoile_seal::letter::Written::from_private_bytes`].
    Letter { sender: PublicKey, account: AccountId, packet: Zeroizing<Vec<u8>> },
    /// A letter of our own, by SHA-256 of the record's body and the trace of its sender (none of a body that has none).
    /// Whoever seals knows them, or calls [`super::Private::copied`].
    Ours { digest: [u8; 32], trace: Option<[u8; 32]> },
    /// Nothing to be done: a wish to leave, an old commit read again, something refused and told.
    Nothing,
    /// A commit was merged: the log stands in [`super::Private::epoch`] now, and opens with [`super::Private::access`].
    Merged,
    /// The commit lies in this blob: get it and call [`super::Private::blob_got`]; nothing of this log is read until
    /// then. The same record, handed in again, has the same answer.
    Fetch(BlobRef),
    /// The commit can't be judged now (told): nothing of this log is read until [`super::Private::due`] says otherwise.
    Waiting,
    /// We are out: removed, or left. Told; also [`News::Gone`].
    Gone,
    /// The room can't go on, and this is why (told too).
    Stopped(String),
}

/// What is to be appended. The same again until the log has decided.
#[derive(Clone)]
pub(crate) struct Outgoing {
    pub(crate) id16: Id16,
    pub(crate) epoch: u64,
    /// The next epoch's access key; none: a wish to leave, which is no commit.
    pub(crate) advance: Option<PublicKey>,
    pub(crate) body: Arc<[u8]>,
    /// To be put at the relay first, for as long as the log keeps records.
    pub(crate) blob: Option<([u8; 32], Arc<[u8]>)>,
}

impl core::fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Outgoing({} bytes)", self.body.len())
    }
}

/// A change of the group that somebody here wants. Kept until it is merged or impossible; survives lost races.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Intent {
    /// Adds an account's devices (their key packages); a device that has a leaf already gets a new one in its place.
    Add {
        account: AccountId,
        packages: Vec<Vec<u8>>,
        role: Role,
        via: Option<[u8; 8]>,
        token: u64,
    },
    /// Removes a member with all devices.
    RemoveAccount(AccountId),
    /// Removes devices: our own account's, or those that their account's chain has removed.
    RemoveDevices(Vec<PublicKey>),
    SetRole {
        account: AccountId,
        role: Role,
    },
    Rename(String),
    AddLink {
        id: [u8; 8],
        uses: Option<u32>,
        expires: Option<Millis>,
    },
    /// One link, or all.
    RevokeLink(Option<[u8; 8]>),
    /// Fresh keys for this device.
    Refresh,
    /// Our chain or name has changed: it stands in our leaf.
    Chain,
    /// We want to be removed.
    Leave,
}

/// What the account part must do after a turn.
#[derive(Debug)]
pub(crate) enum News {
    /// The Add with this token is merged: this is for the added.
    Welcome { token: u64, welcome: Arc<[u8]>, cursor: Cursor },
    /// Those whom the Add with this token is for are in: by us, after [`News::Welcome`], or by somebody who was quicker.
    Added { token: u64 },
    /// The Add with this token can't be done, and why.
    AddFailed { token: u64, why: String },
    /// The door's keys are others now, or we may answer knocks now, or no more.
    Door,
    /// We are no member any more.
    Gone,
    /// This device has another leaf than ours, made of a key package that is good from then on; `old`: from before we came.
    Replaced { from: Millis, old: bool },
}

/// What a vault has kept of a group: name suffixes and values, all of [`crate::names::Tag::Group`] and the two beside it.
#[derive(Debug, Default)]
pub(crate) struct KeptGroup {
    pub(crate) journal: Vec<(Vec<u8>, Zeroizing<Vec<u8>>)>,
    pub(crate) state: Option<Zeroizing<Vec<u8>>>,
    pub(crate) pending: Option<Zeroizing<Vec<u8>>>,
}
