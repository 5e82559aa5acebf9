//! What faces see of accounts: the own one, contacts, devices, members of private rooms. Plain data, never keys' secrets.

use crate::view::RoomId;

/// A contact of this vault, by a number that never leaves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct ContactId(pub u32);

/// The account that this vault belongs to.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct AccountView {
    /// The name that contacts and members see.
    pub name: String,
    /// The account's id, 64 hex digits.
    pub id: String,
    /// The relay of its mailbox, `host:port`.
    pub host: String,
    /// All its devices, this one first; removed ones last.
    pub devices: Vec<DeviceView>,
    /// Why the account can't go on (this device was removed, its chain forked, its relay lost it), in a sentence that says what to do.
    pub stopped: Option<String>,
    /// Everything that waited at its relay has been read since the connection was made.
    pub caught_up: bool,
}

/// One device of the own account.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct DeviceView {
    /// The device key, 64 hex digits; commands take a unique beginning of it too.
    pub id: String,
    /// What its owner calls it; may be empty.
    pub name: String,
    /// This device.
    pub own: bool,
    /// When the chain says that it was added, milliseconds since 1970.
    pub added_at: u64,
    /// It was removed: it is out of every room.
    pub removed: bool,
}

/// How far a contact has come.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum ContactState {
    /// We used their link; they have not answered yet.
    Asked,
    /// They used our link and wait for a yes.
    Request {
        /// What they wrote with it.
        text: String,
    },
    /// Both said yes.
    Accepted,
    /// Stopped until the user looks: what happened, in a sentence that says what to do.
    Stopped {
        /// The sentence.
        why: String,
    },
}

/// A contact.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ContactView {
    /// Its local number.
    pub id: ContactId,
    /// The name that they give themselves.
    pub name: String,
    /// The account's id, 64 hex digits.
    pub account: String,
    /// How far it has come.
    pub state: ContactState,
    /// Compared in person, by phone or by QR.
    pub verified: bool,
    /// How many live devices their chain says they have.
    pub devices: u32,
    /// The relay of their mailbox, `host:port`.
    pub host: String,
    /// When this client last heard from them, by this client's clock, milliseconds since 1970.
    pub last_heard: Option<u64>,
}

/// What two people compare.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct VerifyView {
    /// With whom.
    pub contact: ContactId,
    /// Six words, the same on both sides.
    pub words: String,
    /// Sixty digits in groups of five, the same on both sides.
    pub number: String,
    /// The text of the QR code that the other scans.
    pub qr: String,
}

/// What a member may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Role {
    /// Talks.
    Member,
    /// Adds and removes members, makes links.
    Admin,
    /// Everything.
    Owner,
}

impl Role {
    /// The word used in JSON and commands.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// The role with this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Member, Self::Admin, Self::Owner].into_iter().find(|role| role.word() == word)
    }
}

/// A member of a private room: an account, with all its devices there.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MemberView {
    /// The account's id, 64 hex digits.
    pub account: String,
    /// The name that they give themselves.
    pub name: String,
    /// What to show: marked `Alice·7f3a` when another member has the name too.
    pub shown: String,
    /// What they may do.
    pub role: Role,
    /// Ourselves.
    pub own: bool,
    /// A verified contact.
    pub verified: bool,
    /// The contact, if they are one.
    pub contact: Option<ContactId>,
    /// How many devices of theirs are in the room.
    pub devices: u32,
    /// When this client last had a letter or signal of theirs, by this client's clock, milliseconds since 1970.
    pub last_heard: Option<u64>,
}

/// A link that lets people knock at a private room.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RoomLinkView {
    /// Its id, 16 hex digits: what revokes it.
    pub id: String,
    /// How many more may use it; none: any number.
    pub uses_left: Option<u32>,
    /// When it ends, milliseconds since 1970; none: not by itself.
    pub expires_at: Option<u64>,
}

/// What a private room is beyond a room.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PrivateView {
    /// What we may do there; none while we wait to be let in.
    pub role: Option<Role>,
    /// Accounts.
    pub members: u32,
    /// Devices.
    pub devices: u32,
    /// The MLS epoch.
    pub epoch: u64,
    /// Post-quantum keys (suite 0x004E).
    pub post_quantum: bool,
    /// We knocked and wait for somebody with the right to let us in.
    pub waiting: bool,
    /// All its members but us are verified contacts.
    pub verified: bool,
}

/// A device link under way, on either side.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum DeviceLinkView {
    /// The old side: the link is out, nobody has used it yet.
    Waiting {
        /// When the link ends, milliseconds since 1970.
        until: u64,
    },
    /// Both sides: these words must be the same on both; the old one answers.
    Compare {
        /// The words.
        words: String,
        /// This is the old device, whose user answers.
        old: bool,
    },
    /// Done: the new device belongs to the account.
    Done,
    /// Ended without success, and why, in a sentence that says what to do.
    Failed {
        /// The sentence.
        why: String,
    },
}

/// Messages that come along to a new device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct HistoryView {
    /// How many there are; on the old device: how many the relay does not have yet.
    pub messages: u64,
    /// How many are here.
    pub brought: u64,
    /// This is the old device, which brings them.
    pub old: bool,
}

/// An invitation that waits for a yes: by somebody who is not an accepted contact.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct InvitationView {
    /// The room that it would be.
    pub room: RoomId,
    /// The room's name.
    pub name: String,
    /// Who invites, by the name that they give themselves.
    pub from: String,
    /// Their account's id, 64 hex digits.
    pub account: String,
}

/// Everything about the account at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Overview {
    /// The account; none: this vault has none.
    pub account: Option<AccountView>,
    /// Contacts and requests, by name.
    pub contacts: Vec<ContactView>,
    /// Invitations that wait for a yes.
    pub invitations: Vec<InvitationView>,
    /// A device link under way.
    pub device_link: Option<DeviceLinkView>,
    /// Messages on their way to a new device of the account, or from the old one.
    #[serde(default)]
    pub history: Option<HistoryView>,
}
