//! The roster of a private room: who is in it, who may do what, and the keys of its door. It stands in the group's context, so
//! that all members of an epoch have the same one and no relay can touch it.
//!
//! [`check`] is the one judge of a commit: every client asks it before it merges, and all answer alike, because nothing goes
//! in but what all members share. This layer knows no MLS, no chain and no clock but the one that a link's maker used; which
//! devices an account has is told in [`CommitFacts`].

mod breach;
mod change;
mod check;
mod codec;
mod moved;

use std::collections::BTreeMap;

use estoile_wire::{LogId, Millis};
use zeroize::{Zeroize, ZeroizeOnDrop};

pub use self::breach::{Attempt, Breach};
pub use self::change::ChangeError;
pub use self::check::{CommitFacts, Leaf, Removal, check};
pub use self::moved::check_move;
pub use crate::account::AccountId;
use crate::fields::Malformed;

/// The version of the roster's layout.
pub const VERSION: u64 = 1;
/// Devices in a room: a commit in a fresh group of so many is 307 kB under the hybrid suite, more is no chat.
pub const MAX_DEVICES: usize = 250;
/// From so many devices on people are warned that commits get large.
pub const WARN_DEVICES: usize = 100;
/// Accounts in a room: each has a device there.
pub const MAX_MEMBERS: usize = MAX_DEVICES;
/// Devices of one account in a room: as many as a chain has.
pub const MAX_ACCOUNT_DEVICES: usize = 8;
/// Room links at a time: one for each place where an invitation stands, not one for each guest.
pub const MAX_LINKS: usize = 64;
/// A link lets in at most this many accounts: more than a room holds is no bound.
pub const MAX_LINK_USES: u32 = 250;
/// A roster's bytes: 250 members and 64 links take 17 KiB at most. It stands whole in each commit that changes it and in each
/// Welcome.
pub const MAX_ROSTER: usize = 20 * 1024;

/// What a member may do; a later one may do all that an earlier one may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Talks.
    Member = 0,
    /// Adds and removes members (as the policy says), and makes links.
    Admin = 1,
    /// May do everything.
    Owner = 2,
}

impl Role {
    /// The role with this number, if there is one.
    #[must_use]
    pub const fn from_number(n: u64) -> Option<Self> {
        match n {
            0 => Some(Self::Member),
            1 => Some(Self::Admin),
            2 => Some(Self::Owner),
            _ => None,
        }
    }

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }
}

/// The least role that may do each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Add accounts, and make links.
    pub add: Role,
    /// Remove members.
    pub remove: Role,
    /// Give the room another name.
    pub rename: Role,
}

impl Default for Policy {
    fn default() -> Self {
        Self { add: Role::Admin, remove: Role::Admin, rename: Role::Admin }
    }
}

/// One account in the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// What it may do.
    pub role: Role,
    /// The epoch that began with its joining: who is older inherits the room.
    pub since: u64,
}

/// The name of a room link.
pub type RoomLinkId = [u8; 8];

/// A link that lets accounts in, as members.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RoomLink {
    /// Stands in the link.
    pub id: RoomLinkId,
    /// How many more accounts it lets in, 1 to [`MAX_LINK_USES`].
    pub uses: u32,
    /// From when on nobody is let in by it, by the clock of who adds. Nobody else judges by it: clocks differ, and a room must
    /// not split over one.
    pub expires: Millis,
    /// Who made it.
    pub by: AccountId,
}

/// The secrets of a room's door: a fixed log that all members read, and whose ticket the room's links carry.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Door {
    /// The seed of the door's access key.
    pub access_seed: [u8; 32],
    /// The secret of its ticket, see [`crate::ticket`].
    pub ticket: [u8; 32],
    /// What members seal for each other there.
    pub seal_key: [u8; 32],
}

/// The key under which members say in other places what they see of this room.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct ViewKey(pub [u8; 32]);

/// Where a room was before it moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MovedFrom {
    /// Its log.
    pub log: LogId,
    /// Its last good epoch.
    pub epoch: u64,
}

/// Who is in a private room, and who may do what.
#[derive(Clone, PartialEq, Eq)]
pub struct Roster {
    /// The room's name.
    pub name: String,
    /// Who may do what.
    pub policy: Policy,
    /// The accounts: at least one of them an owner.
    pub members: BTreeMap<AccountId, Member>,
    /// The links, in the order in which they were made.
    pub links: Vec<RoomLink>,
    /// The door; another one after each removal.
    pub door: Door,
    /// The view key; another one after each removal.
    pub view_key: ViewKey,
    /// The log's longest time to live in seconds, as it was made.
    pub max_ttl: u64,
    /// Where the room was before.
    pub moved_from: Option<MovedFrom>,
}

crate::closed_debug!(RoomLink, Door, ViewKey, Roster);

impl Roster {
    /// The roster in these bytes.
    ///
    /// # Errors
    /// When they are not exactly one, in the one encoding, within its bounds.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        codec::decode(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// What an account may do here; none: it is no member.
    #[must_use]
    pub fn role(&self, account: &AccountId) -> Option<Role> {
        self.members.get(account).map(|m| m.role)
    }

    /// Whether an account may add others and make links.
    #[must_use]
    pub fn may_add(&self, account: &AccountId) -> bool {
        self.role(account).is_some_and(|role| role >= self.policy.add)
    }

    /// Whether an account may remove another one: an owner anybody, others by the policy, and then members alone.
    #[must_use]
    pub fn may_remove(&self, account: &AccountId, other: &AccountId) -> bool {
        match (self.role(account), self.role(other)) {
            (Some(Role::Owner), Some(_)) => true,
            (Some(role), Some(Role::Member)) => role >= self.policy.remove,
            _ => false,
        }
    }

    /// Whether an account may rename the room.
    #[must_use]
    pub fn may_rename(&self, account: &AccountId) -> bool {
        self.role(account).is_some_and(|role| role >= self.policy.rename)
    }

    /// Who becomes owner when no owner stays: the oldest of the highest role among those who stay.
    #[must_use]
    pub fn heir<'a>(&self, staying: impl IntoIterator<Item = &'a AccountId>) -> Option<AccountId> {
        let staying = staying.into_iter().filter_map(|account| Some((self.members.get(account)?, *account)));
        let first = |m: &Member, account: AccountId| (core::cmp::Reverse(m.role), m.since, account);
        staying.map(|(m, account)| first(m, account)).min().map(|(_, _, account)| account)
    }

    /// Whether the group's leaves are exactly this roster's: each member has one, and nobody else. For who joins, before the
    /// Welcome is taken. The account that is wrong otherwise.
    ///
    /// # Errors
    /// When they are not.
    pub fn fits(&self, leaves: &[Leaf]) -> Result<(), AccountId> {
        check::fits(self, leaves)
    }

    /// The link with this id.
    #[must_use]
    pub fn link(&self, id: &RoomLinkId) -> Option<&RoomLink> {
        self.links.iter().find(|link| link.id == *id)
    }
}

#[cfg(test)]
mod tests;
