//! What a face asks of accounts, contacts, devices and private rooms. "Ends when" says what the answer waits for: always
//! the relay, never a person.

use zeroize::Zeroizing;

use crate::command::RelayAddress;
use crate::view::{ContactId, Role, RoomId};

/// How a contact is verified.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub enum Verify {
    /// The words or the number that the other reads out, as typed.
    Said(String),
    /// The text of the other's QR code.
    Qr(String),
    /// The user has compared what both screens show, and says that it is the same.
    Compared,
}

/// About the account, its contacts and its devices.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub enum AccountCommand {
    /// Makes an account and certifies this device. Answered with [`crate::Answer::Words`]. Ends when its logs and shelf are made.
    New {
        /// The name that contacts see.
        name: String,
        /// What this device is called; may be empty.
        device: String,
        /// The relay of its mailbox.
        relay: RelayAddress,
        /// The relay's entry code.
        entry: Option<Vec<u8>>,
    },
    /// Takes an account up again with its recovery words, on a new device: removes its other devices, and knocks at its
    /// rooms. Ends when the account's log is read and the removal is kept.
    Restore {
        /// The 24 words.
        words: Zeroizing<String>,
        /// What this device is called; may be empty.
        device: String,
        /// The relay of its mailbox.
        relay: RelayAddress,
        /// The relay's entry code.
        entry: Option<Vec<u8>>,
        /// Leave the other devices in (else they are removed as lost).
        keep_devices: bool,
        /// Where the relay has lost the account's log, or what it held: go on anew under this name, with the same words. Its
        /// contacts must be asked again.
        anew: Option<String>,
    },
    /// The account's contact link. Answered with [`crate::Answer::Link`].
    ContactLink {
        /// Make a new one; the old one's ticket is dead from then on, and accepted contacts don't notice.
        rotate: bool,
    },
    /// Uses somebody's contact link. Answered with [`crate::Answer::Contact`]. Ends when the request is kept in their mailbox.
    AddContact {
        /// The link.
        link: String,
        /// A word to them.
        text: String,
    },
    /// Says yes to a request, or to a stopped contact that the user has looked at. Ends when the answer is kept.
    AcceptContact(ContactId),
    /// Takes a contact or a request away.
    ForgetContact(ContactId),
    /// What to compare. Answered with [`crate::Answer::Verify`].
    ShowVerification(ContactId),
    /// Marks a contact as verified if it fits; an error says that it does not.
    VerifyContact(ContactId, Verify),
    /// Makes a device link, good once and for ten minutes. Answered with [`crate::Answer::Link`]; then
    /// [`crate::Event::DeviceLink`] tells how it goes.
    LinkDevice,
    /// The old device's user answers whether the words are the same.
    ConfirmDevice {
        /// They are.
        yes: bool,
        /// Bring the messages along.
        history: bool,
    },
    /// Takes the new device's side of a device link. Answered when the link is taken up; then events.
    JoinDevice {
        /// The link.
        link: String,
        /// What this device is called; may be empty.
        device: String,
    },
    /// Gives a device link up, on either side.
    CancelDeviceLink,
    /// Removes a device of this account (64 hex digits, or a unique beginning, or its name). Itself: without words. Another:
    /// with the recovery words, or as the second device that asks for it. Ends when the removal is kept.
    RemoveDevice {
        /// Which.
        device: String,
        /// The recovery words, if given.
        words: Option<Zeroizing<String>>,
    },
    /// Ends when everything that waits in every log of this vault was read and all that we had to say is kept, or when that
    /// can't be done now (then an error says why).
    Sync,
}

/// About private rooms.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub enum PrivateCommand {
    /// Makes a private room with us as its owner. Answered with [`crate::Answer::Room`]. Ends when its log is made.
    New {
        /// Its name.
        name: String,
        /// Seconds that messages live unless one says otherwise.
        ttl: Option<u64>,
        /// Seconds that records may live; 0: the relay's maximum.
        max_ttl: u64,
        /// Without post-quantum keys (suite 0x0001); smaller and faster, weaker against the future.
        classic: bool,
    },
    /// Adds an accepted contact with all its devices. Ends when the invitation is kept in their mailbox.
    Invite {
        /// Where.
        room: RoomId,
        /// Whom.
        contact: ContactId,
    },
    /// Says yes to an invitation by somebody who is not an accepted contact.
    AcceptInvitation(RoomId),
    /// Makes a link by which people knock at the room. Answered with [`crate::Answer::Link`]. Ends when the room knows it.
    Link {
        /// Where.
        room: RoomId,
        /// How many may use it; none: any number.
        uses: Option<u32>,
        /// Seconds until it ends; none: not by itself.
        expires: Option<u64>,
    },
    /// Revokes a room link, or all of them.
    RevokeLink {
        /// Where.
        room: RoomId,
        /// Which (16 hex digits); none: all.
        link: Option<String>,
    },
    /// Knocks at a private room by its link. Answered with [`crate::Answer::Room`]. Ends when the knock is kept.
    Knock {
        /// The link.
        link: String,
    },
    /// Removes a member with all devices, and so rekeys the room. Ends when the commit is kept.
    Remove {
        /// Where.
        room: RoomId,
        /// The account, 64 hex digits.
        account: String,
    },
    /// Gives a member a role. Ends when the commit is kept.
    SetRole {
        /// Where.
        room: RoomId,
        /// The account, 64 hex digits.
        account: String,
        /// The role.
        role: Role,
    },
    /// Renames the room for all.
    Rename {
        /// Where.
        room: RoomId,
        /// The new name.
        name: String,
    },
    /// Asks to be removed; the next member who is online does it. Ends when that wish is kept.
    Leave(RoomId),
    /// Makes fresh keys for this device in the room now. In a room that stopped since this vault was copied or put back, or was
    /// away for too long: knocks, and comes back as a new leaf when somebody's device there answers. Ends when that is kept.
    Refresh(RoomId),
    /// Goes on in a new log and group with the same people, less some. For owners and admins of the last good epoch.
    Move {
        /// Where.
        room: RoomId,
        /// Accounts (64 hex digits) that don't come along.
        without: Vec<String>,
        /// The new group's suite: without post-quantum keys.
        classic: bool,
    },
    /// Makes a private room out of a quick one, with those present who have accounts. Answered with [`crate::Answer::Room`].
    FromQuick {
        /// The quick room.
        room: RoomId,
    },
    /// Says yes to a quick room's turning private: knocks at the new one. Answered with [`crate::Answer::Room`].
    FollowQuick {
        /// The quick room.
        room: RoomId,
    },
}

impl core::fmt::Debug for AccountCommand {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Account")
    }
}

impl core::fmt::Debug for PrivateCommand {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Private")
    }
}
