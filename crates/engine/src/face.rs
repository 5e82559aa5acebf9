//! What a face asks of a driver that it does not share memory with (another process, a browser's worker), and what it is
//! answered: plain data that travels. Events travel as [`crate::view::Event`].
//!
//! This module carries nothing and knows no socket: the drivers do.

use serde::{Deserialize, Serialize};

use crate::command::{Answer, Command, CommandError};
use crate::view::{LetterId, MemberView, MessageView, Overview, RoomId, RoomLinkView, RoomSnapshot, RoomView};

/// A question, or something to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Ask {
    /// Do this; answered when the vault has it, or when its doc says.
    Command(Box<Command>),
    /// All rooms.
    Rooms,
    /// A room with its newest messages, so many at most.
    Snapshot(RoomId, usize),
    /// Messages before that one, so many at most.
    Older(RoomId, LetterId, usize),
    /// The account, contacts, requests, a device link under way.
    Overview,
    /// Who is in a private room.
    Members(RoomId),
    /// The links that let people into a private room.
    RoomLinks(RoomId),
}

/// The answer to an [`Ask`] of the same name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Reply {
    /// Done, or why not.
    Command(Result<Answer, CommandError>),
    /// All rooms.
    Rooms(Vec<RoomView>),
    /// None: no such room.
    Snapshot(Option<Box<RoomSnapshot>>),
    /// None: no such room or message.
    Older(Option<Page>),
    /// As [`crate::Engine::overview`].
    Overview(Box<Overview>),
    /// None: no such private room.
    Members(Option<Vec<MemberView>>),
    /// None: no such private room.
    RoomLinks(Option<Vec<RoomLinkView>>),
}

/// Older messages of a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// In timeline order, the newest of them right before the one asked about.
    pub messages: Vec<MessageView>,
    /// Whether still older ones exist.
    pub more: bool,
}
