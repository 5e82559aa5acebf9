//! The process that has the folder listens, and does what others ask as if its own face had asked it.

use core::time::Duration;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use estoile_engine::CommandError;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::{Ask, Down, Reply, Up, frame, socket};
use crate::config::Delivery;
use crate::events::{Events, Listeners};
use crate::handle::Request;

/// Processes that act through one folder at a time; more wait.
const CONNECTIONS: usize = 32;
/// Answers of one connection that wait to be written.
const REPLIES: usize = 64;
/// A process that takes nothing for this long is let go of: it would hold up everybody.
const STALL: Duration = Duration::from_secs(30);

/// After a connection that could not be taken: the system has no descriptors left, says at once that somebody still waits,
/// and tells nobody when it has some again. Without a breath this would be a busy loop.
const BREATH: Duration = Duration::from_millis(100);

/// Listens in the folder until dropped.
pub(crate) struct Serving {
    path: PathBuf,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.task.abort();
        // A socket that nobody listens on would make others wait; the next owner removes what a crash leaves.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Listens in a folder that this process has.
pub(crate) fn serve(folder: &Path, requests: mpsc::WeakSender<Request>, events: Listeners) -> std::io::Result<Serving> {
    let path = socket(folder);
    match std::fs::remove_file(&path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    // The folder is its owner's alone, so nobody else gets here even before the next line.
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    let task = tokio::spawn(accept(listener, requests, events));
    Ok(Serving { path, task })
}

async fn accept(listener: UnixListener, requests: mpsc::WeakSender<Request>, events: Listeners) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(BREATH).await;
            continue;
        };
        let (requests, events) = (requests.clone(), events.add(Delivery::Lossless));
        tokio::spawn(async move {
            converse(stream, requests, events).await;
            drop(place);
        });
    }
}

/// One connection, until either side ends it.
async fn converse(stream: UnixStream, requests: mpsc::WeakSender<Request>, events: Events) {
    let (mut from, to) = stream.into_split();
    let (replies, answered) = mpsc::channel(REPLIES);
    let writer = tokio::spawn(write(to, answered, events));
    let watch = async {
        loop {
            let Ok(up) = frame::read::<Up>(&mut from).await else { return };
            let Some(requests) = requests.upgrade() else { return };
            let Ok(place) = replies.clone().reserve_owned().await else { return };
            tokio::spawn(async move {
                let reply = ask(requests, up.ask).await;
                if let Some(reply) = reply {
                    place.send(Down::Reply(up.number, reply));
                }
            });
        }
    };
    let stop = writer.abort_handle();
    tokio::select! {
        () = watch => {}
        _ = writer => {}
    }
    stop.abort();
}

async fn write(mut to: tokio::net::unix::OwnedWriteHalf, mut replies: mpsc::Receiver<Down>, mut events: Events) {
    let mut next = Down::Welcome;
    loop {
        if !matches!(tokio::time::timeout(STALL, frame::write(&mut to, &next)).await, Ok(Ok(()))) {
            return;
        }
        // Events first: what a command led to is told before its answer, as to this process's own face.
        next = tokio::select! {
            biased;
            event = events.next() => match event { Some(event) => Down::Event(Box::new(event)), None => return },
            reply = replies.recv() => match reply { Some(reply) => reply, None => return },
        };
    }
}

async fn ask(requests: mpsc::Sender<Request>, ask: Ask) -> Option<Reply> {
    Some(match ask {
        Ask::Command(command) => {
            let (answer, pending) = oneshot::channel();
            requests.send(Request::Command(*command, answer)).await.ok()?;
            let ended =
                || Err(CommandError::Vault("the process that has this data folder has ended; try again".into()));
            Reply::Command(pending.await.unwrap_or_else(|_| ended()))
        }
        Ask::Rooms => Reply::Rooms(of(&requests, Request::Rooms).await?),
        Ask::Snapshot(room, newest) => {
            let snapshot = of(&requests, |answer| Request::Snapshot(room, newest, answer)).await?;
            Reply::Snapshot(snapshot.map(Box::new))
        }
        Ask::Older(room, before, count) => {
            Reply::Older(of(&requests, |answer| Request::Older(room, before, count, answer)).await?)
        }
        Ask::Overview => Reply::Overview(Box::new(of(&requests, Request::Overview).await?)),
        Ask::Members(room) => Reply::Members(of(&requests, |answer| Request::Members(room, answer)).await?),
        Ask::RoomLinks(room) => Reply::RoomLinks(of(&requests, |answer| Request::RoomLinks(room, answer)).await?),
    })
}

async fn of<T>(requests: &mpsc::Sender<Request>, request: impl FnOnce(oneshot::Sender<T>) -> Request) -> Option<T> {
    let (answer, pending) = oneshot::channel();
    requests.send(request(answer)).await.ok()?;
    pending.await.ok()
}
