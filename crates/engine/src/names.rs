//! What the vault's entries are called: one letter and local numbers, because names stand in the clear on the disk.
//!
//! `a TAG NUMBER` the account and what belongs to it; `e` the engine; `l ROOM` how a room is opened; `n NUMBER` a notice; `r ROOM TAG NUMBER` all else of a room.

use crate::view::RoomId;

/// The engine's own counters.
pub(crate) const ENGINE: &[u8] = b"e";
/// Before each room's opening.
pub(crate) const ROOMS: &[u8] = b"l";
/// Before each notice.
pub(crate) const NOTICES: &[u8] = b"n";

/// Before all that belongs to the account.
pub(crate) const ACCOUNTS: &[u8] = b"a";

/// What belongs to the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Own {
    /// The account itself (one entry).
    Account = b'a',
    /// An account that was seen: its chain.
    Known = b'b',
    /// A contact.
    Contact = b'c',
    /// The account part's counters (one entry).
    Counters = b'e',
    /// A channel.
    Channel = b'h',
    /// An invitation of ours that is under way.
    Invite = b'i',
    /// A job.
    Job = b'j',
    /// An invitation to us.
    Invitation = b'n',
    /// The secret part of a key package of ours.
    Package = b'p',
    /// A mailbox letter that was taken in.
    Seen = b's',
    /// Messages that came along from the old device, until their room is here.
    Past = b't',
    /// A part of the messages that go along to a new device, until the relay has it.
    Part = b'u',
    /// Something that a private room waits for.
    Want = b'w',
}

/// All of one kind that belongs to the account.
pub(crate) fn own(what: Own) -> Vec<u8> {
    let mut name = ACCOUNTS.to_vec();
    name.push(what as u8);
    name
}

/// One numbered entry of what belongs to the account.
pub(crate) fn own_numbered(what: Own, number: u64) -> Vec<u8> {
    let mut name = own(what);
    name.extend_from_slice(&number.to_be_bytes());
    name
}

/// A channel.
pub(crate) fn channel(id: u32) -> Vec<u8> {
    own_numbered(Own::Channel, u64::from(id))
}

/// A job.
pub(crate) fn job(id: u64) -> Vec<u8> {
    own_numbered(Own::Job, id)
}

/// What belongs to a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Tag {
    /// A letter that another device brought along: its hash, under its local number.
    Brought = b'b',
    /// How far it was read.
    Progress = b'c',
    /// An entry of a group's own state (MLS's).
    Group = b'g',
    /// A letter held until its time has come.
    Held = b'h',
    /// A letter that lives here: a message, or a beat of ours.
    Letter = b'm',
    /// A letter of ours that the relay has not acknowledged.
    Outbox = b'o',
    /// Somebody.
    Person = b'p',
    /// What is known of a group beside MLS's state (one entry).
    Private = b'q',
    /// A sealing of a letter of ours.
    Sealed = b's',
    /// The transcript's entries.
    Transcript = b't',
    /// A group's commit that waits for the log's decision (one entry).
    Pending = b'w',
    /// When a letter's life ends.
    End = b'x',
}

/// How a room is opened.
pub(crate) fn opening(room: RoomId) -> Vec<u8> {
    [ROOMS, &room.0.to_be_bytes()].concat()
}

/// A notice.
pub(crate) fn notice(id: u64) -> Vec<u8> {
    [NOTICES, &id.to_be_bytes()].concat()
}

/// All of a room but its opening.
pub(crate) fn room(room: RoomId) -> Vec<u8> {
    [b"r".as_slice(), &room.0.to_be_bytes()].concat()
}

/// All of one kind in a room.
pub(crate) fn kind(id: RoomId, tag: Tag) -> Vec<u8> {
    let mut name = room(id);
    name.push(tag as u8);
    name
}

/// One numbered entry of a room.
pub(crate) fn numbered(id: RoomId, tag: Tag, number: u64) -> Vec<u8> {
    let mut name = kind(id, tag);
    name.extend_from_slice(&number.to_be_bytes());
    name
}

/// A transcript's entry.
pub(crate) fn transcript(id: RoomId, key: &[u8]) -> Vec<u8> {
    let mut name = kind(id, Tag::Transcript);
    name.extend_from_slice(key);
    name
}

/// The number at the end of a numbered entry's name.
pub(crate) fn number(name: &[u8]) -> Option<u64> {
    name.last_chunk::<8>().map(|n| u64::from_be_bytes(*n))
}

/// The room in an opening's name.
pub(crate) fn opened_room(name: &[u8]) -> Option<RoomId> {
    name.last_chunk::<4>().map(|n| RoomId(u32::from_be_bytes(*n)))
}
