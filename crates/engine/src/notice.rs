//! What the engine tells its user. Every notice says what happened, and ends with what one can do.

use crate::view::{LetterId, RoomId};

/// What a notice is about; the slug is stable for scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum NoticeKind {
    /// Letters that should be here are not, and the relay was asked again.
    Withheld,
    /// A letter that was here before came again, and not as an answer to our own retry.
    Replayed,
    /// Letters came in another order than they were sent.
    Reordered,
    /// A letter came after its time was over, and was refused.
    Expired,
    /// A letter from the future is held until its time has come, or was refused.
    Future,
    /// This clock, or somebody's, is off by more than 5 s.
    Clock,
    /// The relay says that we read too slowly; read back from the log.
    Lagged,
    /// Somebody named parents that nobody else knows.
    Invented,
    /// One sender has said two things under one counter.
    TwoFaced,
    /// A body that no key of the room opens, or a signature that does not hold.
    Forged,
    /// A letter of ours came back that this vault does not know: it was copied or rolled back.
    Copied,
    /// A name is used by a second key.
    NameTaken,
    /// A letter of ours could not be sent.
    NotSent,
    /// A letter of ours is kept but nobody has seen it for long.
    Unseen,
    /// The relay could not be reached, or refused.
    Relay,
    /// The room is not there, or has ended.
    NoRoom,
    /// Letters that were told as withheld are here now.
    Found,
    /// What this client keeps could not be written (told by the driver).
    Vault,
    /// Somebody, or a device, was added to a private room, and by whom.
    Joined,
    /// Somebody, or a device, was removed from a private room or left it, and by whom; the keys were changed.
    Removed,
    /// Roles, name or links of a private room were changed, and by whom.
    Roster,
    /// A commit that must be refused, or a fork: the room is stopped until it moves.
    Poisoned,
    /// Two views of one room were found: the relay, or a member, shows different people different things.
    Split,
    /// The room goes on in a new log and group.
    Moved,
    /// A contact asks, answers, or changed.
    Contact,
    /// A device was added to or removed from an account.
    Device,
    /// The one-time key packages at the relay were used up faster than people were met.
    Drained,
    /// An invitation to a private room came, or was joined.
    Invited,
    /// Somebody knocks at a private room, or was let in by its link.
    Knocked,
    /// A private room nears its greatest size, or has it.
    Full,
}

impl NoticeKind {
    /// All of them, in the order of their numbers in the vault: new ones go to the end.
    pub const ALL: &'static [Self] = &[
        Self::Withheld,
        Self::Replayed,
        Self::Reordered,
        Self::Expired,
        Self::Future,
        Self::Clock,
        Self::Lagged,
        Self::Invented,
        Self::TwoFaced,
        Self::Forged,
        Self::Copied,
        Self::NameTaken,
        Self::NotSent,
        Self::Unseen,
        Self::Relay,
        Self::NoRoom,
        Self::Found,
        Self::Vault,
        Self::Joined,
        Self::Removed,
        Self::Roster,
        Self::Poisoned,
        Self::Split,
        Self::Moved,
        Self::Contact,
        Self::Device,
        Self::Drained,
        Self::Invited,
        Self::Knocked,
        Self::Full,
    ];

    /// The word used in JSON.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Withheld => "withheld",
            Self::Replayed => "replayed",
            Self::Reordered => "reordered",
            Self::Expired => "expired",
            Self::Future => "future",
            Self::Clock => "clock",
            Self::Lagged => "lagged",
            Self::Invented => "invented",
            Self::TwoFaced => "two-faced",
            Self::Forged => "forged",
            Self::Copied => "copied",
            Self::NameTaken => "name-taken",
            Self::NotSent => "not-sent",
            Self::Unseen => "unseen",
            Self::Relay => "relay",
            Self::NoRoom => "no-room",
            Self::Found => "found",
            Self::Vault => "vault",
            Self::Joined => "joined",
            Self::Removed => "removed",
            Self::Roster => "roster",
            Self::Poisoned => "poisoned",
            Self::Split => "split",
            Self::Moved => "moved",
            Self::Contact => "contact",
            Self::Device => "device",
            Self::Drained => "drained",
            Self::Invited => "invited",
            Self::Knocked => "knocked",
            Self::Full => "full",
        }
    }
}

/// Something to tell the user, once.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Notice {
    /// Counts up within a vault: a face that has shown it does not show it again.
    pub id: u64,
    /// Its room; none: about this client as a whole.
    pub room: Option<RoomId>,
    /// What it is about.
    pub kind: NoticeKind,
    /// The name, as they sent it, of whom it concerns; `detail` has it as shown.
    pub from: Option<String>,
    /// How many letters, where that makes sense; else 1.
    pub count: u64,
    /// The letter it concerns, if there is one.
    pub letter: Option<LetterId>,
    /// What happened, in a whole plain sentence.
    pub detail: String,
    /// What one can do, in a whole plain sentence.
    pub advice: String,
    /// When, by this clock, milliseconds since 1970.
    pub at: u64,
}
