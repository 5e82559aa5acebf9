//! Which screen is shown.

use estoile_engine::{ContactId, RoomId};

/// The screens behind an open vault.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Screen {
    /// What one can begin with; the list of rooms on a narrow page.
    #[default]
    Home,
    /// A link that was clicked or typed: what it opens, and with which name.
    Link(String),
    /// A quick room to be made.
    NewRoom,
    /// A private room to be made.
    NewPrivate,
    /// A room.
    Room(RoomId),
    /// Members, roles and links of a private room.
    Members(RoomId),
    /// Name, link, time to live and end of a room.
    RoomSettings(RoomId),
    /// The account, or the way to one; contacts, requests, invitations.
    People,
    /// One contact.
    Contact(ContactId),
    /// Comparing with a contact.
    Verify(ContactId),
    /// Devices of the account, and linking one.
    Devices,
    /// The recovery key: showing it, and coming back with it.
    Recovery,
    /// Passphrase of the vault, theme, notifications, erasing.
    Settings,
    /// What the keys do, and the words of `/help`.
    Help,
}

impl Screen {
    /// The room that it is about.
    #[must_use]
    pub const fn room(&self) -> Option<RoomId> {
        match self {
            Self::Room(room) | Self::Members(room) | Self::RoomSettings(room) => Some(*room),
            _ => None,
        }
    }
}
