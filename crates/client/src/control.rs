//! A data folder belongs to one process; further commands on it act through a socket in it (`control`, for its owner
//! alone). This module carries a face's requests and events over that socket; it knows nothing of what they mean.
//!
//! [`serve`] is the side of the process that has the folder, [`Remote`] the other.

mod frame;
mod remote;
mod serve;

use std::path::{Path, PathBuf};

use estoile_engine::Event;
use estoile_engine::face::{Ask, Reply};
use serde::{Deserialize, Serialize};

pub(crate) use remote::Remote;
pub(crate) use serve::serve;

/// The socket's name in the folder.
const SOCKET: &str = "control";

/// Where the socket of a folder is.
fn socket(folder: &Path) -> PathBuf {
    folder.join(SOCKET)
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
