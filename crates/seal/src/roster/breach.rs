//! What a commit tried that its committer had no right to, in words that name them.

use super::{AccountId, Leaf, Role};

/// A commit that no member may merge. The room stops, and tells who made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// The committer.
    pub by: AccountId,
    /// What it tried.
    pub what: Attempt,
}

/// What a commit tried.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Attempt {
    /// To commit without being in the roster.
    Stranger,
    /// To put its own leaf under another account.
    OtherAccount,
    /// To remove a leaf that isn't there.
    NoSuchLeaf(Leaf),
    /// To put one device into the room twice.
    Doubled(Leaf),
    /// To put more than [`super::MAX_DEVICES`] devices into the room.
    Full,
    /// To put more than [`super::MAX_ACCOUNT_DEVICES`] devices of one account into the room.
    TooManyDevices(AccountId),
    /// A device without its account in the roster, or an account in the roster without a device.
    Mismatch(AccountId),
    /// A roster that can't be read, or breaks its bounds.
    Unreadable,
    /// To add an account.
    Add(AccountId),
    /// To remove an account.
    Remove(AccountId),
    /// To remove one device of another's account that is in its account still.
    RemoveDevice(Leaf),
    /// To give a role.
    Role {
        /// To whom.
        account: AccountId,
        /// Which.
        role: Role,
    },
    /// To say that an account joined at another time than it did.
    Since(AccountId),
    /// To leave the room without an owner.
    NoOwner,
    /// To rename the room.
    Rename,
    /// To change who may do what.
    Policy,
    /// To make a room link.
    MakeLink,
    /// To change or end a link that isn't its own, to use one up without adding anybody, or to keep one whose door is gone.
    ChangeLink,
    /// To change the room's door or view key.
    Keys,
    /// To remove an account and leave it the keys of the room's door.
    KeptKeys,
    /// To change what was fixed when the room was made.
    Fixed,
    /// To move the room with somebody who was not in it.
    MoveWith(AccountId),
    /// To move the room.
    Move,
}

impl Breach {
    /// A breach by this account.
    #[must_use]
    pub const fn new(by: AccountId, what: Attempt) -> Self {
        Self { by, what }
    }

    /// A sentence for people; `name` says how they know an account.
    #[must_use]
    pub fn sentence(&self, name: impl Fn(&AccountId) -> String) -> String {
        format!("{} {}", name(&self.by), self.what.words(name))
    }
}

impl Attempt {
    fn words(&self, name: impl Fn(&AccountId) -> String) -> String {
        match self {
            Self::Stranger => "tried to change this room without being in it".to_owned(),
            Self::OtherAccount => "tried to pass as another account".to_owned(),
            Self::NoSuchLeaf(leaf) => format!("removed a device of {} that was not here", name(&leaf.account)),
            Self::Doubled(leaf) => format!("added a device of {} twice", name(&leaf.account)),
            Self::Full => format!("tried to put more than {} devices into this room", super::MAX_DEVICES),
            Self::TooManyDevices(account) => {
                format!("tried to add more than {} devices of {}", super::MAX_ACCOUNT_DEVICES, name(account))
            }
            Self::Mismatch(account) => {
                format!("changed who is here without saying so in the roster ({})", name(account))
            }
            Self::Unreadable => "sent a roster that can't be read".to_owned(),
            Self::Add(account) => format!("tried to add {} without the right to add people", name(account)),
            Self::Remove(account) => format!("tried to remove {} without the right to", name(account)),
            Self::RemoveDevice(leaf) => {
                format!("tried to remove a device of {}, who still has it", name(&leaf.account))
            }
            Self::Role { account, role } => {
                format!("tried to make {} {} without the right to give roles", name(account), role.with_article())
            }
            Self::Since(account) => format!("tried to say wrongly how long {} has been here", name(account)),
            Self::NoOwner => "tried to leave this room without an owner".to_owned(),
            Self::Rename => "tried to rename this room without the right to".to_owned(),
            Self::Policy => "tried to change who may do what here without being an owner".to_owned(),
            Self::MakeLink => "tried to make a room link without the right to add people".to_owned(),
            Self::ChangeLink => "tried to change a room link that is not theirs to change".to_owned(),
            Self::Keys => "tried to change this room's door without the right to".to_owned(),
            Self::KeptKeys => "removed somebody who would have kept the keys of this room's door".to_owned(),
            Self::Fixed => "tried to change what was fixed when this room was made".to_owned(),
            Self::MoveWith(account) => format!("tried to move this room with {}, who was not in it", name(account)),
            Self::Move => "tried to move this room without the right to".to_owned(),
        }
    }
}

impl Role {
    const fn with_article(self) -> &'static str {
        match self {
            Self::Member => "a member",
            Self::Admin => "an admin",
            Self::Owner => "an owner",
        }
    }
}
