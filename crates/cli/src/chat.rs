//! `estoile chat`: opens the vault and the link's room, then hands both to the terminal's face.

use core::time::Duration;
use std::io::IsTerminal as _;

use estoile_client::{Delivery, Events, Handle, OpenOptions, VaultPlace};
use estoile_engine::{Command, ConnectionView, Event, RoomId};
use estoile_seal::link::Link;
use estoile_tui::{Exit, Options};

use crate::args::Chat;
use crate::fail::{Failure, Outcome};
use crate::patience::stopped;
use crate::values::Shift;
use crate::{link, names, places, room, unlock};

/// How long a wrong link has to show itself before the screen is drawn: a relay that is there answers far sooner.
const VERDICT: Duration = Duration::from_millis(1500);

pub(crate) async fn run(args: Chat) -> Outcome {
    needs_terminal()?;
    let link = args.link.as_deref().map(link::parse).transpose()?;
    let data = places::vault(args.data)?;
    let (handle, mut events) = unlock::client(Some(data), args.clock, Delivery::Interactive).await?;
    let room = match &link {
        Some(link) => Some(enter(&handle, &mut events, link, args.name.as_deref()).await?),
        None => None,
    };
    let options = options(&handle, room, args.name, args.clock);
    show(handle, events, options).await
}

/// The face's options for this client.
pub(crate) fn options(handle: &Handle, room: Option<RoomId>, name: Option<String>, clock: Shift) -> Options {
    let mut options = Options::from_environment(|variable| std::env::var(variable).ok());
    options.own_name = name.unwrap_or_else(names::person);
    options.first = room;
    options.clock_offset_ms = clock.0;
    options.volatile = !matches!(handle.vault(), VaultPlace::Folder(_));
    if let VaultPlace::MemoryForWantOfKey { why, .. } = handle.vault() {
        options.notes.push(format!("Nothing is kept on this machine: {why}"));
    }
    options
}

/// Shows the chat until the user leaves.
pub(crate) async fn show(handle: Handle, events: Events, options: Options) -> Outcome {
    let exit = estoile_tui::run(handle.clone(), events, options).await;
    handle.close().await;
    match exit.map_err(Failure::new)? {
        Exit::Interrupted => Err(Failure::interrupted()),
        Exit::Quit | Exit::Terminated => Ok(()),
    }
}

pub(crate) fn needs_terminal() -> Outcome {
    if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
        return Ok(());
    }
    Err(Failure::usage("chat needs a terminal; in scripts use estoile send and estoile tail"))
}

/// Opens a link's room; one that isn't there is an error, unless this vault has been in it before.
async fn enter(handle: &Handle, events: &mut Events, link: &Link, name: Option<&str>) -> Result<RoomId, Failure> {
    let text = link.to_string();
    let known = handle.rooms().await.into_iter().find(|room| room.link == text);
    let name = match (name, &known) {
        (Some(name), _) => name.to_owned(),
        (None, Some(room)) => room.own_name.clone(),
        (None, None) => names::person(),
    };
    let open = link::open(handle, link, &name, OpenOptions::default()).await?;
    let id = room::opened(handle, open).await?;
    if known.is_none()
        && let Some(why) = verdict(events, id).await
    {
        // It never was a room of this vault; forgetting it can only fail with the vault, which the next start tells.
        let _ = handle.command(Command::Forget { room: id }).await;
        handle.close().await;
        return Err(stopped(&why));
    }
    Ok(id)
}

/// Why the room can't be entered, if that shows soon.
async fn verdict(events: &mut Events, id: RoomId) -> Option<String> {
    let soon = async {
        while let Some(event) = events.next().await {
            match event {
                Event::Room(room) if room.id == id => match (room.stopped, room.connection) {
                    (Some(why), _) => return Some(why),
                    (None, ConnectionView::Connecting) => {}
                    (None, _) => return None,
                },
                _ => {}
            }
        }
        None
    };
    tokio::time::timeout(VERDICT, soon).await.unwrap_or_default()
}
