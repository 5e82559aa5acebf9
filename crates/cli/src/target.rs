//! The room that `send` and `tail` are about: a link, or a room of the vault by name or number.

use std::path::PathBuf;

use estoile_client::{Delivery, Events, Handle, OpenOptions};
use estoile_engine::{Command, RoomId};

use crate::fail::Failure;
use crate::values::Shift;
use crate::{link, names, pick, places, room, unlock};

/// What to open and as whom.
pub(crate) struct Wanted {
    pub(crate) room: String,
    pub(crate) own_name: Option<String>,
    pub(crate) data: Option<PathBuf>,
    pub(crate) clock: Shift,
    /// For a link.
    pub(crate) options: OpenOptions,
}

/// A room, opened.
pub(crate) struct Target {
    pub(crate) handle: Handle,
    pub(crate) events: Events,
    pub(crate) room: RoomId,
    pub(crate) name: String,
}

/// Opens the vault and the room.
pub(crate) async fn open(wanted: Wanted) -> Result<Target, Failure> {
    if wanted.room.contains("://") { by_link(wanted).await } else { by_name(wanted).await }
}

async fn by_link(wanted: Wanted) -> Result<Target, Failure> {
    let link = link::parse(&wanted.room)?;
    let options = OpenOptions { sociable: wanted.data.is_some(), ..wanted.options };
    let (handle, events) = unlock::client(wanted.data, wanted.clock, Delivery::Lossless).await?;
    let name = wanted.own_name.unwrap_or_else(names::person);
    let open = link::open(&handle, &link, &name, options).await?;
    let room = room::opened(&handle, open).await?;
    Ok(Target { handle, events, room, name: link.name })
}

async fn by_name(wanted: Wanted) -> Result<Target, Failure> {
    let data = places::vault(wanted.data)?;
    let (handle, events) = unlock::client(Some(data), wanted.clock, Delivery::Lossless).await?;
    let rooms = handle.rooms().await;
    let found = match pick::room(&rooms, &wanted.room) {
        Ok(found) => found,
        Err(failure) => {
            handle.close().await;
            return Err(failure);
        }
    };
    if let Some(name) = wanted.own_name
        && found.private.is_none()
    {
        handle.command(Command::SetName { room: found.id, name }).await.map_err(Failure::new)?;
    }
    Ok(Target { room: found.id, name: found.name.clone(), handle, events })
}
