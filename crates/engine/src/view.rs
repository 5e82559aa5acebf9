//! What faces see: plain data in the user's words, never keys, groups or sealed bytes.
//!
//! Text in these types comes from peers and is *not* made inert here: each face does that for its own medium.

mod account;

pub use account::{
    AccountView, ContactId, ContactState, ContactView, DeviceLinkView, DeviceView, HistoryView, InvitationView,
    MemberView, Overview, PrivateView, Role, RoomLinkView, VerifyView,
};

use crate::notice::Notice;

/// A room of this vault, by a number that never leaves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct RoomId(pub u32);

/// A relay of this vault, by a number that never leaves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelayId(pub u32);

/// A letter's hash: its id everywhere, shown as hex.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct LetterId(pub [u8; 32]);

impl core::fmt::Display for LetterId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl core::fmt::Debug for LetterId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("LetterId")
    }
}

/// Somebody in a room.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PersonView {
    /// The name as they sent it.
    pub name: String,
    /// What to show: the name, marked `Alice·7f3a` when the name belongs to another key here.
    pub shown: String,
    /// The whole signing key, hex, 64 digits.
    pub key: String,
    /// This client itself.
    pub own: bool,
    /// Known to be connected now.
    pub here: bool,
    /// Typing now.
    pub typing: bool,
    /// When this client last had a letter or signal of theirs, milliseconds since 1970, by this client's clock.
    pub last_heard: Option<u64>,
    /// In a private room: the account's id, 64 hex digits; such an entry stands for the person, not for one device.
    pub account: Option<String>,
    /// In a private room: what they may do.
    pub role: Option<Role>,
    /// A verified contact.
    pub verified: bool,
}

/// How far a letter of ours has come. Peers' letters are always `Kept`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum DeliveryState {
    /// Not acknowledged by the relay yet.
    Sending,
    /// Durable at the relay.
    Kept,
    /// So many others have named it among what they have seen.
    Seen {
        /// How many.
        by: u32,
    },
    /// Given up, and why, in a sentence that ends with what one can do.
    Failed {
        /// The sentence.
        why: String,
    },
}

/// A message of a room.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MessageView {
    /// Its room.
    pub room: RoomId,
    /// Its id.
    pub id: LetterId,
    /// The sender's name as sent.
    pub from: String,
    /// The sender's name as shown (marked where needed).
    pub shown: String,
    /// The sender's signing key, hex.
    pub key: String,
    /// Sent by this client.
    pub own: bool,
    /// The text (GFM-MIMI markdown or plain), as sent.
    pub text: String,
    /// When it was signed, by the sender's clock, milliseconds since 1970.
    pub sent_at: u64,
    /// Seconds to live from `sent_at`; none: as long as the relay keeps it.
    pub ttl: Option<u64>,
    /// When it ends, milliseconds since 1970.
    pub ends_at: Option<u64>,
    /// Its place in the relay's log, once known.
    pub cursor: Option<u64>,
    /// How far it has come.
    pub state: DeliveryState,
    /// Not yet read here.
    pub unread: bool,
    /// In a private room: the sender's account id, 64 hex digits.
    pub account: Option<String>,
    /// The sender is a verified contact.
    pub verified: bool,
}

/// How a relay is reached at the moment.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum ConnectionView {
    /// A first or further attempt is under way.
    Connecting,
    /// Attached; reading what is waiting.
    CatchingUp,
    /// Live.
    Online,
    /// Not reached; tried again at `retry_at` (milliseconds since 1970).
    Offline {
        /// What happened, in a sentence.
        why: String,
        /// When it is tried again; none: not on its own.
        retry_at: Option<u64>,
    },
}

/// A room, as a list shows it. Its `Debug` leaves the link out: it opens the room.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RoomView {
    /// Its id.
    pub id: RoomId,
    /// Its name.
    pub name: String,
    /// The whole link that opens it, to be shown only when the user asks; empty until the relay's key is known.
    pub link: String,
    /// The relay's `host:port`.
    pub host: String,
    /// The name this client uses there.
    pub own_name: String,
    /// Letters not yet read.
    pub unread: u32,
    /// How its relay is reached.
    pub connection: ConnectionView,
    /// The time to live of letters sent from here, seconds; none: as long as the relay keeps them.
    pub ttl: Option<u64>,
    /// The longest the log allows, seconds, once known.
    pub max_ttl: Option<u64>,
    /// The room can't go on by itself (wrong link, ended, another relay answers), and why, in a sentence that says what to do.
    pub stopped: Option<String>,
    /// What a private room is beyond that; none: a quick room.
    pub private: Option<PrivateView>,
}

impl core::fmt::Debug for RoomView {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("RoomView")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("unread", &self.unread)
            .field("connection", &self.connection)
            .field("ttl", &self.ttl)
            .field("max_ttl", &self.max_ttl)
            .field("stopped", &self.stopped)
            .finish_non_exhaustive()
    }
}

/// What changed, in the order in which it changed. A face that misses one reloads with a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Event {
    /// A room is new or something in its view changed.
    Room(RoomView),
    /// A room was forgotten.
    RoomGone(RoomId),
    /// A new message, at its place: right after `after` in the timeline, at the top if none.
    Message {
        /// The message.
        message: MessageView,
        /// What stands before it.
        after: Option<LetterId>,
    },
    /// A message stands elsewhere now, because one that lies before it came late: right after `after`, at the top if none.
    Moved {
        /// Its room.
        room: RoomId,
        /// Which.
        id: LetterId,
        /// What stands before it.
        after: Option<LetterId>,
    },
    /// A message's state changed.
    State {
        /// Its room.
        room: RoomId,
        /// Which.
        id: LetterId,
        /// Its new state.
        state: DeliveryState,
        /// Its place in the relay's log, once known.
        cursor: Option<u64>,
    },
    /// A message's time is over: it is gone from the vault and must go from the screen.
    Ended {
        /// Its room.
        room: RoomId,
        /// Which.
        id: LetterId,
    },
    /// Who is in a room changed.
    People {
        /// Its room.
        room: RoomId,
        /// All of them, those here first.
        people: Vec<PersonView>,
    },
    /// Something to tell.
    Notice(Notice),
    /// The account, its contacts, requests or devices changed: ask for the overview again.
    Overview,
    /// The members, roles or links of a private room changed: ask for them again.
    Members(RoomId),
    /// A device link goes on.
    DeviceLink(DeviceLinkView),
    /// Everything that was waiting in this room has been read.
    CaughtUp(RoomId),
    /// Events were lost because the face was too slow: reload with a snapshot.
    Reload,
}

/// All of a room at one moment.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RoomSnapshot {
    /// The room.
    pub room: RoomView,
    /// The newest messages in timeline order (as many as were asked for).
    pub messages: Vec<MessageView>,
    /// Whether older ones exist.
    pub more: bool,
    /// Who is in it.
    pub people: Vec<PersonView>,
    /// Notices still worth showing, oldest first.
    pub notices: Vec<Notice>,
}
