//! `estoile room`: quick rooms by link, private rooms by name.

use clap::{Args, Subcommand, ValueEnum};

use super::account::Common;
use crate::values::{Seconds, Ttl};

/// Make and keep rooms.
#[derive(Debug, Args)]
pub(crate) struct Room {
    #[command(subcommand)]
    pub(crate) action: RoomAction,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum RoomAction {
    /// Make a room: a quick one on a relay (prints its link), or with --private one of your account's (prints its name)
    New(NewRoom),
    /// List the rooms of the vault, and invitations that wait
    List(Common),
    /// List a private room's members
    Members(OneRoom),
    /// Add a contact, with all their devices, to a private room
    Invite(Invite),
    /// Make a link by which people knock at a private room
    Link(RoomLink),
    /// Revoke a link of a private room, or all of them
    Unlink(Unlink),
    /// Knock at a private room by its link, or say yes to an invitation that waits
    Join(Join),
    /// Remove somebody from a private room; its keys are changed at once
    Remove(Person),
    /// Make somebody owner, admin or member of a private room
    Role(SetRole),
    /// Give a private room another name
    Rename(Rename),
    /// Leave a private room
    Leave(OneRoom),
    /// Make fresh keys for this device in a private room
    Refresh(OneRoom),
    /// Go on in a new log and group with the same people, less some: the way out of a stopped room
    Move(Move),
    /// Make a private room out of a quick one, with those present who have accounts
    Private(Quick),
    /// Follow a quick room that has turned private
    Follow(Quick),
}

/// Make a room.
#[derive(Debug, Args)]
pub(crate) struct NewRoom {
    /// A private room, of people who are who they say they are; needs an account
    #[arg(long, conflicts_with_all = ["relay", "passphrase"])]
    pub(crate) private: bool,
    /// A quick room's relay: http://127.0.0.1:7070, or https://HOST:PORT/#e/CODE/RELAY as its owner hands it out
    #[arg(long, value_name = "URL", required_unless_present = "private")]
    pub(crate) relay: Option<String>,
    /// The room's name, which its link shows; without it a made-up one
    #[arg(long, value_name = "ROOM")]
    pub(crate) name: Option<String>,
    /// Open a quick room by words that people can say: asks for a passphrase, or makes five words and prints them on stderr
    #[arg(long)]
    pub(crate) passphrase: bool,
    /// How long messages live there at most, and by default: 30s, 10m, 2h, 7d; none: as long as the relay allows
    #[arg(long, value_name = "DUR", default_value = "none", hide_default_value = true)]
    pub(crate) ttl: Ttl,
    /// A private room without post-quantum keys: smaller and faster, weaker against the future
    #[arg(long, requires = "private")]
    pub(crate) classic: bool,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// One room.
#[derive(Debug, Args)]
pub(crate) struct OneRoom {
    /// The room: its name, or its number in the list
    #[arg(value_name = "ROOM")]
    pub(crate) room: String,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Add a contact.
#[derive(Debug, Args)]
pub(crate) struct Invite {
    /// The room: its name, or its number in the list
    #[arg(value_name = "ROOM")]
    pub(crate) room: String,
    /// The contact: name, number, or a beginning of the account's id
    #[arg(value_name = "CONTACT")]
    pub(crate) contact: String,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// A room link.
#[derive(Debug, Args)]
pub(crate) struct RoomLink {
    /// The room: its name, or its number in the list
    #[arg(value_name = "ROOM")]
    pub(crate) room: String,
    /// How many people may come by it; without it any number
    #[arg(long, value_name = "N")]
    pub(crate) uses: Option<u32>,
    /// How long it is good; without it until it is revoked
    #[arg(long, value_name = "DUR")]
    pub(crate) expires: Option<Seconds>,
    /// Show it as a QR code on stderr too
    #[arg(long)]
    pub(crate) qr: bool,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Revoke links.
#[derive(Debug, Args)]
pub(crate) struct Unlink {
    /// The room: its name, or its number in the list
    #[arg(value_name = "ROOM")]
    pub(crate) room: String,
    /// Which, by the id that `room members --json` shows; without it all
    #[arg(value_name = "ID")]
    pub(crate) link: Option<String>,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Knock, or say yes.
#[derive(Debug, Args)]
pub(crate) struct Join {
    /// A private room's link, or the name or number of an invitation that waits
    #[arg(value_name = "LINK|ROOM")]
    pub(crate) what: String,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Somebody in a room.
#[derive(Debug, Args)]
pub(crate) struct Person {
    /// The room: its name, or its number in the list
    #[arg(value_name = "ROOM")]
    pub(crate) room: String,
    /// The member: name, contact, or a beginning of the account's id
    #[arg(value_name = "CONTACT")]
    pub(crate) person: String,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// A role for somebody.
#[derive(Debug, Args)]
pub(crate) struct SetRole {
    /// The room: its name, or its number in the list
    #[arg(value_name = "ROOM")]
    pub(crate) room: String,
    /// The member: name, contact, or a beginning of the account's id
    #[arg(value_name = "CONTACT")]
    pub(crate) person: String,
    /// What they may do
    #[arg(value_name = "ROLE")]
    pub(crate) role: RoleWord,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// What a member may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoleWord {
    /// Everything
    Owner,
    /// Adds and removes members, makes links
    Admin,
    /// Talks
    Member,
}

/// Another name.
#[derive(Debug, Args)]
pub(crate) struct Rename {
    /// The room: its name, or its number in the list
    #[arg(value_name = "ROOM")]
    pub(crate) room: String,
    /// The new name
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Go on elsewhere.
#[derive(Debug, Args)]
pub(crate) struct Move {
    /// The room: its name, or its number in the list
    #[arg(value_name = "ROOM")]
    pub(crate) room: String,
    /// Somebody who doesn't come along (may be given again)
    #[arg(long, value_name = "CONTACT")]
    pub(crate) without: Vec<String>,
    /// Go on without post-quantum keys
    #[arg(long)]
    pub(crate) classic: bool,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// A quick room of the vault.
#[derive(Debug, Args)]
pub(crate) struct Quick {
    /// The quick room: its link, name, or number in the list
    #[arg(value_name = "ROOM")]
    pub(crate) room: String,
    #[command(flatten)]
    pub(crate) common: Common,
}
