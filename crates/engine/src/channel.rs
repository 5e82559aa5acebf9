//! Channels: logs and shelves that are no rooms (the account's log, mailboxes, doors, device links).

/// A channel of this vault, by a number that never leaves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ChannelId(pub(crate) u32);
