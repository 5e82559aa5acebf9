//! What a face asks the engine to do. Only a command gets a command error; a peer's bytes become notices.

mod account;
mod plain;

pub use account::{AccountCommand, PrivateCommand, Verify};

use plain::{pin, secret};

use estoile_seal::quick::RoomSecret;
use estoile_wire::RelayKeyHash;

use crate::view::{ContactId, LetterId, RoomId, VerifyView};

/// Where a relay is, as the driver needs it to connect.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct RelayAddress {
    /// Lower case, without brackets for IPv6.
    pub host: String,
    /// Always given.
    pub port: u16,
    /// Whether TLS is spoken; without it only loopback is allowed.
    pub tls: bool,
    /// What the relay's key must hash to; none only before a first `create`.
    #[serde(with = "pin")]
    pub pin: Option<RelayKeyHash>,
}

/// How much of a room's past is read when it is opened for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Past {
    /// All that lives.
    All,
    /// Only the newest so many records, for parents' sake, told as context and not as messages.
    Newest(u64),
}

/// A quick room to open.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub struct OpenRoom {
    /// Where.
    pub relay: RelayAddress,
    /// The room's name.
    pub name: String,
    /// The name to use there.
    pub own_name: String,
    /// The link's secret, or the stretched passphrase.
    #[serde(with = "secret")]
    pub secret: RoomSecret,
    /// Whether a passphrase opens it, so that its link carries no secret.
    pub passphrase: bool,
    /// The time to live of letters sent from here, unless one says otherwise; none: the room's own maximum if it was made
    /// with one, else as long as the relay keeps them.
    pub ttl: Option<u64>,
    /// Make the log if it is missing (`up`, `room new`).
    pub create: Option<CreateRoom>,
    /// How much of its past to read.
    pub past: Past,
    /// Whether to send beats and presence (off for `send` and `tail` without a vault).
    pub sociable: bool,
}

/// How to make a room's log.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct CreateRoom {
    /// Seconds that records may live; 0: the relay's maximum.
    pub max_ttl: u64,
    /// The relay's entry code.
    pub entry: Option<Vec<u8>>,
}

/// What a face asks for.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub enum Command {
    /// Opens a room (again). Answered with its id.
    Open(Box<OpenRoom>),
    /// Sends a text.
    Send {
        /// Where.
        room: RoomId,
        /// What, at most [`crate::MAX_TEXT`] bytes.
        text: String,
        /// Its own time to live instead of the room's: `Some(None)` is "as long as the relay keeps it".
        ttl: Option<Option<u64>>,
    },
    /// Sets the time to live of letters sent from here from now on.
    SetTtl {
        /// Where.
        room: RoomId,
        /// Seconds; none: as long as the relay keeps them.
        ttl: Option<u64>,
    },
    /// Sets the name used in a room from now on.
    SetName {
        /// Where.
        room: RoomId,
        /// The name.
        name: String,
    },
    /// Everything up to the newest message is read.
    MarkRead {
        /// Where.
        room: RoomId,
    },
    /// The user is typing (sent at most every few seconds).
    Typing {
        /// Where.
        room: RoomId,
    },
    /// Tries a failed letter again.
    Retry {
        /// Where.
        room: RoomId,
        /// Which.
        id: LetterId,
    },
    /// Takes a letter that was never kept out of the outbox.
    Discard {
        /// Where.
        room: RoomId,
        /// Which.
        id: LetterId,
    },
    /// Tries to reach the room's relay now instead of later.
    ReconnectNow {
        /// Where.
        room: RoomId,
    },
    /// Forgets a room and all that is kept of it here.
    Forget {
        /// Which.
        room: RoomId,
    },
    /// About the account, contacts and devices.
    Account(AccountCommand),
    /// About private rooms.
    Private(PrivateCommand),
}

impl core::fmt::Debug for OpenRoom {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("OpenRoom(..)")
    }
}

impl core::fmt::Debug for Command {
    /// What kind of command it is, and nothing of what it says.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Open(_) => "Open",
            Self::Send { .. } => "Send",
            Self::SetTtl { .. } => "SetTtl",
            Self::SetName { .. } => "SetName",
            Self::MarkRead { .. } => "MarkRead",
            Self::Typing { .. } => "Typing",
            Self::Retry { .. } => "Retry",
            Self::Discard { .. } => "Discard",
            Self::ReconnectNow { .. } => "ReconnectNow",
            Self::Forget { .. } => "Forget",
            Self::Account(_) => "Account",
            Self::Private(_) => "Private",
        })
    }
}

/// What a command answers when it succeeds. Its `Debug` shows no link and no words.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Answer {
    /// Done.
    Done,
    /// The room it opened.
    Room(RoomId),
    /// The letter it made.
    Letter(LetterId),
    /// A link, to be shown to those who may have it.
    Link(String),
    /// The recovery words, to be shown once.
    Words(zeroize::Zeroizing<String>),
    /// The contact it is about.
    Contact(ContactId),
    /// What to compare.
    Verify(Box<VerifyView>),
}

impl core::fmt::Debug for Answer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Done => f.write_str("Done"),
            Self::Room(room) => write!(f, "Room({})", room.0),
            Self::Letter(_) => f.write_str("Letter"),
            Self::Link(_) => f.write_str("Link"),
            Self::Words(_) => f.write_str("Words"),
            Self::Contact(contact) => write!(f, "Contact({})", contact.0),
            Self::Verify(_) => f.write_str("Verify"),
        }
    }
}

/// Why a command was not done; the text ends with what one can do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum CommandError {
    /// No such room in this vault.
    #[error("there is no such room here; open it with its link")]
    NoSuchRoom,
    /// The text is empty.
    #[error("there is nothing to send; type a text first")]
    Empty,
    /// The text is longer than a message may be.
    #[error("this text has {bytes} bytes and a message holds {limit}; send it in parts")]
    TooLong {
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The time to live is longer than the room allows.
    #[error("this room keeps messages for at most {max} s; choose a time to live up to that")]
    TtlTooLong {
        /// The room's limit in seconds.
        max: u64,
    },
    /// A name is empty, too long or has control characters.
    #[error("a name has 1 to 64 characters and no control characters; choose another")]
    BadName,
    /// Too many letters wait to be sent.
    #[error("{waiting} messages wait for the relay already; send more when it is back")]
    OutboxFull {
        /// How many wait.
        waiting: usize,
    },
    /// No such letter, or it is past that.
    #[error("there is no such message to do that with; look at its state again")]
    NoSuchLetter,
    /// Too many rooms.
    #[error("this vault holds {limit} rooms, which is its limit; forget one first")]
    TooManyRooms {
        /// The limit.
        limit: usize,
    },
    /// Without TLS a relay is only spoken to on this machine.
    #[error("without TLS only a relay on this machine is spoken to, and {host} is none; use its https:// link")]
    PlainText {
        /// The host.
        host: String,
    },
    /// The room can't go on.
    #[error("{0}")]
    Stopped(String),
    /// This vault has no account yet.
    #[error(
        "there is no account here yet; make one (estoile account new --as NAME --relay URL) or take yours up again (estoile account restore)"
    )]
    NoAccount,
    /// This vault has an account already.
    #[error("this data folder has an account already; use another folder (--data DIR) for another account")]
    HasAccount,
    /// No such contact.
    #[error("there is no such contact here; see `estoile contact list`, or add them by their contact link")]
    NoSuchContact,
    /// Something about an account, contact or device, in a sentence that says what to do.
    #[error("{0}")]
    Account(String),
    /// What was compared is not the same.
    #[error("{0}")]
    Mismatch(String),
    /// The right is missing, in a sentence that says who has it.
    #[error("{0}")]
    NotAllowed(String),
    /// Something about a private room, in a sentence that says what to do.
    #[error("{0}")]
    Private(String),
    /// The relay could not be asked now, in a sentence that says what to do.
    #[error("{0}")]
    Offline(String),
    /// The vault could not be written, so nothing was done.
    #[error("nothing was done, because the vault could not be written: {0}")]
    Vault(String),
}
