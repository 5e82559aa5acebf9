//! The process that finds the folder taken: its requests travel to the owner, and the owner's events come here.

use std::collections::BTreeMap;
use std::path::Path;

use estoile_engine::CommandError;
use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot};

use super::frame;
use super::{Ask, Down, Reply, Up, socket};
use crate::events::Listeners;
use crate::handle::Request;

/// Replies and events read ahead.
const AHEAD: usize = 256;

/// A connection to the process that has the folder.
pub(crate) struct Remote(UnixStream);

/// Who waits for a reply.
enum Waiting {
    Command(oneshot::Sender<Result<estoile_engine::Answer, CommandError>>),
    Rooms(oneshot::Sender<Vec<estoile_engine::RoomView>>),
    Snapshot(oneshot::Sender<Option<estoile_engine::RoomSnapshot>>),
    Older(oneshot::Sender<Option<crate::handle::Page>>),
    Overview(oneshot::Sender<estoile_engine::Overview>),
    Members(oneshot::Sender<Option<Vec<estoile_engine::MemberView>>>),
    RoomLinks(oneshot::Sender<Option<Vec<estoile_engine::RoomLinkView>>>),
}

impl Remote {
    /// Connects; none if nobody listens there (any more, or yet).
    pub(crate) async fn connect(folder: &Path) -> Option<Self> {
        let mut stream = UnixStream::connect(socket(folder)).await.ok()?;
        match frame::read(&mut stream).await.ok()? {
            Down::Welcome => Some(Self(stream)),
            Down::Reply(..) | Down::Event(_) => None,
        }
    }

    /// Carries requests there and events here, until either side ends.
    pub(crate) async fn run(self, mut requests: mpsc::Receiver<Request>, events: Listeners) {
        let (mut from, mut to) = self.0.into_split();
        let (sender, mut downs) = mpsc::channel(AHEAD);
        let reader = tokio::spawn(async move {
            while let Ok(down) = frame::read::<Down>(&mut from).await {
                if sender.send(down).await.is_err() {
                    return;
                }
            }
        });
        let mut waiting: BTreeMap<u64, Waiting> = BTreeMap::new();
        let mut number = 0_u64;
        let mut closing = false;
        while !(closing && waiting.is_empty()) {
            let full = events.full();
            tokio::select! {
                down = downs.recv(), if !full => match down {
                    Some(Down::Event(event)) => events.push(*event),
                    Some(Down::Reply(number, reply)) => if let Some(waiting) = waiting.remove(&number) { give(waiting, reply) },
                    Some(Down::Welcome) => {}
                    None => break,
                },
                request = requests.recv(), if !closing => match request.map(split) {
                    Some(Some((ask, who))) => {
                        number = number.saturating_add(1);
                        waiting.insert(number, who);
                        if frame::write(&mut to, &Up { number, ask }).await.is_err() {
                            break;
                        }
                    }
                    Some(None) | None => closing = true,
                },
                () = events.drained(), if full => {}
            }
        }
        reader.abort();
        events.close();
    }
}

/// What is asked, and who waits; none for the request to close, which ends this connection and not the owner.
fn split(request: Request) -> Option<(Ask, Waiting)> {
    Some(match request {
        Request::Command(command, answer) => (Ask::Command(Box::new(command)), Waiting::Command(answer)),
        Request::Rooms(answer) => (Ask::Rooms, Waiting::Rooms(answer)),
        Request::Snapshot(room, newest, answer) => (Ask::Snapshot(room, newest), Waiting::Snapshot(answer)),
        Request::Older(room, before, count, answer) => (Ask::Older(room, before, count), Waiting::Older(answer)),
        Request::Overview(answer) => (Ask::Overview, Waiting::Overview(answer)),
        Request::Members(room, answer) => (Ask::Members(room), Waiting::Members(answer)),
        Request::RoomLinks(room, answer) => (Ask::RoomLinks(room), Waiting::RoomLinks(answer)),
        Request::Close => return None,
    })
}

/// Who has gone meanwhile has dropped its end, and that is its right.
fn give(waiting: Waiting, reply: Reply) {
    match (waiting, reply) {
        (Waiting::Command(to), Reply::Command(answer)) => drop(to.send(answer)),
        (Waiting::Rooms(to), Reply::Rooms(rooms)) => drop(to.send(rooms)),
        (Waiting::Snapshot(to), Reply::Snapshot(snapshot)) => drop(to.send(snapshot.map(|s| *s))),
        (Waiting::Older(to), Reply::Older(page)) => drop(to.send(page)),
        (Waiting::Overview(to), Reply::Overview(overview)) => drop(to.send(*overview)),
        (Waiting::Members(to), Reply::Members(members)) => drop(to.send(members)),
        (Waiting::RoomLinks(to), Reply::RoomLinks(links)) => drop(to.send(links)),
        // The other end is this program; another answer is none.
        _ => {}
    }
}
