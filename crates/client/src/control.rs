//! A data folder belongs to one process; further commands on it act through a socket in it (`control`, for its owner
//! alone). This module carries a face's requests and events over that socket; it knows nothing of what they mean.
//!
//! [`serve`] is the side of the process that has the folder, [`Remote`] the other.

mod frame;
mod remote;
mod serve;

use std::path::{Path, PathBuf};

use estoile_engine::{
    Answer, Command, CommandError, Event, LetterId, MemberView, Overview, RoomId, RoomLinkView, RoomSnapshot, RoomView,
};
use serde::{Deserialize, Serialize};

pub(crate) use remote::Remote;
pub(crate) use serve::serve;

use crate::handle::Page;

/// The socket's name in the folder.
const SOCKET: &str = "control";

/// Where the socket of a folder is.
fn socket(folder: &Path) -> PathBuf {
    folder.join(SOCKET)
}

/// What the other process asks.
#[derive(Deserialize, Serialize)]
enum Ask {
    Command(Box<Command>),
    Rooms,
    Snapshot(RoomId, usize),
    Older(RoomId, LetterId, usize),
    Overview,
    Members(RoomId),
    RoomLinks(RoomId),
}

/// What it is answered.
#[derive(Deserialize, Serialize)]
enum Reply {
    Command(Result<Answer, CommandError>),
    Rooms(Vec<RoomView>),
    Snapshot(Option<Box<RoomSnapshot>>),
    Older(Option<Page>),
    Overview(Box<Overview>),
    Members(Option<Vec<MemberView>>),
    RoomLinks(Option<Vec<RoomLinkView>>),
}

/// From the other process: a request with its number.
#[derive(Deserialize, Serialize)]
struct Up {
    number: u64,
    ask: Ask,
}

/// To the other process.
#[derive(Deserialize, Serialize)]
enum Down {
    /// The first word: it is heard, and gets every event from here on.
    Welcome,
    /// An answer to the request with that number.
    Reply(u64, Reply),
    /// Something happened.
    Event(Box<Event>),
}
