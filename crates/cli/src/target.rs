//! The room that `send` and `tail` are about: a link, or a room of the vault by name or number.

use core::time::Duration;
use std::collections::VecDeque;
use std::path::PathBuf;

use estoile_client::{Delivery, Events, Handle, OpenOptions, Pending};
use estoile_engine::{AccountCommand, Answer, Command, CommandError, Event, RoomId, RoomView};
use tokio::time::Instant;

use crate::fail::Failure;
use crate::values::{Seconds, Shift};
use crate::{link, names, pick, places, room, session, unlock};

/// What to open and as whom.
pub(crate) struct Wanted {
    pub(crate) room: String,
    pub(crate) own_name: Option<String>,
    pub(crate) data: Option<PathBuf>,
    pub(crate) clock: Shift,
    /// How long a relay that is away is waited for, where the room is not known yet.
    pub(crate) wait: Seconds,
    /// For a link.
    pub(crate) options: OpenOptions,
}

/// A room, opened.
pub(crate) struct Target {
    pub(crate) handle: Handle,
    pub(crate) events: Listener,
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
    Ok(Target { handle, events: Listener { early: VecDeque::new(), events }, room, name: link.name })
}

async fn by_name(wanted: Wanted) -> Result<Target, Failure> {
    let data = places::vault(wanted.data)?;
    let (handle, events) = unlock::client(Some(data), wanted.clock, Delivery::Lossless).await?;
    let mut events = Listener { early: VecDeque::new(), events };
    let found = match find(&handle, &mut events, &wanted.room, wanted.wait).await {
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

/// A room of the vault, once the vault is up to date: an invitation may have come. A room that is known already is not
/// waited for when its relay is away; that is for whoever sends or follows.
async fn find(handle: &Handle, events: &mut Listener, wanted: &str, wait: Seconds) -> Result<RoomView, Failure> {
    let end = Instant::now().checked_add(Duration::from_secs(wait.0));
    loop {
        // Looked at before the try, so that the last one is made when the time is over.
        let last = session::over(end);
        let synced = events.hear(handle.submit(Command::Account(AccountCommand::Sync)).await, end).await;
        let rooms = handle.rooms().await;
        let found = pick::room(&rooms, wanted).cloned();
        match (found, synced) {
            (Ok(found), _) => return Ok(found),
            (Err(_), Some(Err(CommandError::Offline(_)))) if !last => events.hear_a_relay(end).await,
            (Err(failure), _) => return Err(failure),
        }
    }
}

/// Events, with those that came while the vault was brought up to date before the others.
pub(crate) struct Listener {
    early: VecDeque<Event>,
    events: Events,
}

impl Listener {
    /// The next event; none when the client has ended. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        match self.early.pop_front() {
            Some(event) => Some(event),
            None => self.events.next().await,
        }
    }

    /// Until a relay is heard from, the time is over or the client has ended; the engine tries again at its own pace.
    async fn hear_a_relay(&mut self, end: Option<Instant>) {
        loop {
            tokio::select! {
                biased;
                event = self.events.next() => {
                    let Some(event) = event else { return };
                    let heard = session::is_sign_of_life(&event);
                    self.early.push_back(event);
                    if heard {
                        return;
                    }
                }
                () = session::until(end) => return,
            }
        }
    }

    /// Waits for a command's answer, and keeps what is told meanwhile; none when the time is over or the client ended.
    async fn hear(&mut self, pending: Pending, end: Option<Instant>) -> Option<Result<Answer, CommandError>> {
        tokio::pin!(pending);
        let over = session::until(end);
        tokio::pin!(over);
        loop {
            tokio::select! {
                biased;
                event = self.events.next() => self.early.push_back(event?),
                answer = &mut pending => return Some(answer),
                () = &mut over => return None,
            }
        }
    }
}
