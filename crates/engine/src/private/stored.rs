//! What the vault keeps of a group beside MLS's own state: CBOR maps with integer keys, never seen outside.

use estoile_wire::{Id16, LogId, Millis, PublicKey};
use minicbor::{Decode, Encode};
use zeroize::Zeroize;

use super::{AccountId, Intent};
use crate::view::Role;

/// A wish as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(super) struct StoredIntent {
    #[n(0)]
    pub(super) id: u64,
    #[n(1)]
    pub(super) kind: u8,
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub(super) account: Option<[u8; 32]>,
    #[n(3)]
    pub(super) packages: Vec<Bytes>,
    #[n(4)]
    pub(super) role: u8,
    #[n(5)]
    #[cbor(with = "minicbor::bytes")]
    pub(super) link: Option<[u8; 8]>,
    #[n(6)]
    pub(super) token: u64,
    #[n(7)]
    pub(super) devices: Vec<PublicKey>,
    #[n(8)]
    pub(super) name: Option<String>,
    #[n(9)]
    pub(super) uses: Option<u32>,
    #[n(10)]
    pub(super) expires: Option<Millis>,
    /// One of the devices to be added had a leaf when this was wished for, and gets a new one. Without that, a device that is
    /// in by now was let in by somebody who was quicker: its leaf stays.
    #[n(11)]
    pub(super) again: Option<bool>,
}

/// A byte string in a list.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub(super) struct Bytes(
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub(super) Vec<u8>,
);

const fn number(role: Role) -> u8 {
    match role {
        Role::Member => 0,
        Role::Admin => 1,
        Role::Owner => 2,
    }
}

pub(super) const fn role(number: u8) -> Option<Role> {
    match number {
        0 => Some(Role::Member),
        1 => Some(Role::Admin),
        2 => Some(Role::Owner),
        _ => None,
    }
}

impl StoredIntent {
    pub(super) fn new(id: u64, intent: &Intent) -> Self {
        let mut kept = Self {
            id,
            kind: 0,
            account: None,
            packages: Vec::new(),
            role: 0,
            link: None,
            token: 0,
            devices: Vec::new(),
            name: None,
            uses: None,
            expires: None,
            again: None,
        };
        match intent {
            Intent::Add { account, packages, role, via, token } => {
                kept.account = Some(*account);
                kept.packages = packages.iter().cloned().map(Bytes).collect();
                (kept.role, kept.link, kept.token) = (number(*role), *via, *token);
            }
            Intent::RemoveAccount(account) => (kept.kind, kept.account) = (1, Some(*account)),
            Intent::RemoveDevices(devices) => (kept.kind, kept.devices) = (2, devices.clone()),
            Intent::SetRole { account, role } => {
                (kept.kind, kept.account, kept.role) = (3, Some(*account), number(*role));
            }
            Intent::Rename(name) => (kept.kind, kept.name) = (4, Some(name.clone())),
            Intent::AddLink { id, uses, expires } => {
                (kept.kind, kept.link, kept.uses, kept.expires) = (5, Some(*id), *uses, *expires);
            }
            Intent::RevokeLink(link) => (kept.kind, kept.link) = (6, *link),
            Intent::Refresh => kept.kind = 7,
            Intent::Chain => kept.kind = 8,
            Intent::Leave => kept.kind = 9,
        }
        kept
    }

    pub(super) fn intent(self) -> Option<Intent> {
        Some(match self.kind {
            0 => Intent::Add {
                account: self.account?,
                packages: self.packages.into_iter().map(|p| p.0).collect(),
                role: role(self.role)?,
                via: self.link,
                token: self.token,
            },
            1 => Intent::RemoveAccount(self.account?),
            2 => Intent::RemoveDevices(self.devices),
            3 => Intent::SetRole { account: self.account?, role: role(self.role)? },
            4 => Intent::Rename(self.name?),
            5 => Intent::AddLink { id: self.link?, uses: self.uses, expires: self.expires },
            6 => Intent::RevokeLink(self.link),
            7 => Intent::Refresh,
            8 => Intent::Chain,
            9 => Intent::Leave,
            _ => return None,
        })
    }
}

/// What a commit of an epoch hashed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct StoredCommit {
    #[n(0)]
    pub(super) epoch: u64,
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub(super) hash: [u8; 32],
}

/// A member who was promised a place when the room moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct StoredPromise {
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub(super) account: [u8; 32],
    #[n(1)]
    pub(super) role: u8,
}

/// From when the key package of a device's leaf was good, by that device's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct StoredSince {
    #[n(0)]
    pub(super) device: PublicKey,
    #[n(1)]
    pub(super) from: Millis,
}

/// Why the room can't go on.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(super) struct StoredStop {
    #[n(0)]
    pub(super) why: String,
    /// It ends when the user has looked.
    #[n(1)]
    pub(super) look: bool,
    /// This device can come back with new keys.
    #[n(2)]
    pub(super) back: Option<bool>,
}

/// All of a group that is not MLS's, and small.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(super) struct StoredGroup {
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub(super) account: AccountId,
    #[n(1)]
    pub(super) name: String,
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub(super) device_seed: [u8; 32],
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    pub(super) chain: Vec<u8>,
    #[n(4)]
    pub(super) log: LogId,
    /// Names of the journal's entries are hashed with this: they stand in the clear on the disk.
    #[n(5)]
    #[cbor(with = "minicbor::bytes")]
    pub(super) salt: [u8; 16],
    #[n(6)]
    pub(super) stopped: Option<StoredStop>,
    #[n(7)]
    pub(super) gone: bool,
    #[n(8)]
    pub(super) intents: Vec<StoredIntent>,
    #[n(9)]
    pub(super) next_intent: u64,
    /// When the next fresh keys are due; none: this device has made none here, and does so soon after it is online.
    #[n(10)]
    pub(super) heal_at: Option<Millis>,
    /// When this device's keys were made fresh last.
    #[n(11)]
    pub(super) healed_at: Millis,
    #[n(12)]
    pub(super) sent_since: bool,
    /// The newest commits merged.
    #[n(13)]
    pub(super) commits: Vec<StoredCommit>,
    #[n(14)]
    #[cbor(with = "minicbor::bytes")]
    pub(super) views: Vec<u8>,
    #[n(15)]
    pub(super) promises: Vec<StoredPromise>,
    /// Our wish to leave is in the log, in this epoch.
    #[n(16)]
    pub(super) left_in: Option<u64>,
    #[n(17)]
    pub(super) warned_full: bool,
    /// How young each leaf is: a knock of its device is answered if it was made later.
    #[n(18)]
    pub(super) since: Option<Vec<StoredSince>>,
}

impl Drop for StoredGroup {
    fn drop(&mut self) {
        self.device_seed.zeroize();
    }
}

/// What waits for the log's decision.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(super) struct StoredPending {
    #[n(0)]
    pub(super) id16: Id16,
    #[n(1)]
    pub(super) epoch: u64,
    /// None: a wish to leave.
    #[n(2)]
    pub(super) advance: Option<PublicKey>,
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    pub(super) body: Vec<u8>,
    #[n(4)]
    #[cbor(with = "minicbor::bytes")]
    pub(super) blob_hash: Option<[u8; 32]>,
    #[n(5)]
    #[cbor(with = "minicbor::bytes")]
    pub(super) blob: Option<Vec<u8>>,
    #[n(6)]
    #[cbor(with = "minicbor::bytes")]
    pub(super) welcome: Option<Vec<u8>>,
    /// The wishes that it fulfils.
    #[n(7)]
    pub(super) intents: Vec<u64>,
}
