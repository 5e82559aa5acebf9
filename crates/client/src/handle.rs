//! What a face holds: it puts requests into the driver's queue and awaits their answers. It knows no engine.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::path::PathBuf;
use std::sync::Arc;

pub use estoile_engine::face::Page;
use estoile_engine::{
    Answer, Command, CommandError, LetterId, MemberView, Overview, RoomId, RoomLinkView, RoomSnapshot, RoomView,
};
use estoile_seal::passphrase::PassphraseError;
use estoile_seal::quick::RoomSecret;
use tokio::sync::{mpsc, oneshot, watch};

use crate::stretch;

/// Requests that may wait for the driver; a face that has put in this many waits for room.
pub(crate) const REQUESTS: usize = 1024;

/// What a command is answered with when the client has ended.
fn ended() -> CommandError {
    CommandError::Vault("this client has been closed".into())
}

/// What a face asks of the driver.
pub(crate) enum Request {
    Command(Command, oneshot::Sender<Result<Answer, CommandError>>),
    Rooms(oneshot::Sender<Vec<RoomView>>),
    Snapshot(RoomId, usize, oneshot::Sender<Option<RoomSnapshot>>),
    Older(RoomId, LetterId, usize, oneshot::Sender<Option<Page>>),
    Overview(oneshot::Sender<Overview>),
    Members(RoomId, oneshot::Sender<Option<Vec<MemberView>>>),
    RoomLinks(RoomId, oneshot::Sender<Option<Vec<RoomLinkView>>>),
    Close,
}

/// Where what this client keeps is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VaultPlace {
    /// In a folder, sealed.
    Folder(PathBuf),
    /// In memory, because no folder was given: gone at the end.
    Memory,
    /// In memory although a folder was given, because nothing gave a key: gone at the end, and the user must be told.
    MemoryForWantOfKey {
        /// The folder that stays unused.
        folder: PathBuf,
        /// Why, and what to do, in a sentence.
        why: String,
    },
}

/// A client, for its face. Clones are the same client; when the last one is gone the client closes.
#[derive(Clone)]
pub struct Handle {
    requests: mpsc::Sender<Request>,
    place: Arc<VaultPlace>,
    ended: Ended,
}

impl core::fmt::Debug for Handle {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Handle")
    }
}

impl Handle {
    pub(crate) fn new(requests: mpsc::Sender<Request>, place: VaultPlace, ended: Ended) -> Self {
        Self { requests, place: Arc::new(place), ended }
    }

    /// Where this client's vault is.
    #[must_use]
    pub fn vault(&self) -> &VaultPlace {
        &self.place
    }

    /// Does a command; the answer comes when the vault has it.
    ///
    /// # Errors
    /// Why it was not done.
    pub async fn command(&self, command: Command) -> Result<Answer, CommandError> {
        self.submit(command).await.await
    }

    /// Puts a command in line and returns at once, so that many can be under way: they are done in the order of
    /// `submit`, and many share one write of the vault.
    pub async fn submit(&self, command: Command) -> Pending {
        let (answer, pending) = oneshot::channel();
        // A driver that has ended drops the sender, which the pending answer tells.
        let _ = self.requests.send(Request::Command(command, answer)).await;
        Pending(pending)
    }

    /// The rooms of the vault, by name.
    pub async fn rooms(&self) -> Vec<RoomView> {
        self.ask(Request::Rooms).await.unwrap_or_default()
    }

    /// All of a room, with the newest so many messages; none if there is no such room.
    pub async fn snapshot(&self, room: RoomId, newest: usize) -> Option<RoomSnapshot> {
        self.ask(|answer| Request::Snapshot(room, newest, answer)).await.flatten()
    }

    /// Up to `count` messages right before one of them; none if there is no such room or message.
    pub async fn older(&self, room: RoomId, before: LetterId, count: usize) -> Option<Page> {
        self.ask(|answer| Request::Older(room, before, count, answer)).await.flatten()
    }

    /// Everything about the account, its contacts and devices.
    pub async fn overview(&self) -> Overview {
        self.ask(Request::Overview).await.unwrap_or_default()
    }

    /// The members of a private room; none for a quick one.
    pub async fn members(&self, room: RoomId) -> Option<Vec<MemberView>> {
        self.ask(|answer| Request::Members(room, answer)).await.flatten()
    }

    /// The links by which people knock at a private room; none for a quick one.
    pub async fn room_links(&self, room: RoomId) -> Option<Vec<RoomLinkView>> {
        self.ask(|answer| Request::RoomLinks(room, answer)).await.flatten()
    }

    /// Stretches a room's passphrase (Argon2id, some tenths of a second, on a thread of its own).
    ///
    /// # Errors
    /// The passphrase is empty or far too long, or there is no memory for it.
    pub async fn stretch(&self, passphrase: &str, host_port: &str, room: &str) -> Result<RoomSecret, PassphraseError> {
        stretch::stretch(passphrase, host_port, room).await
    }

    /// Says goodbye to the rooms, waits a little for what is on its way, and frees the data folder.
    pub async fn close(&self) {
        let _ = self.requests.send(Request::Close).await;
        self.ended.clone().wait().await;
    }

    async fn ask<T>(&self, request: impl FnOnce(oneshot::Sender<T>) -> Request) -> Option<T> {
        let (answer, pending) = oneshot::channel();
        self.requests.send(request(answer)).await.ok()?;
        pending.await.ok()
    }
}

/// Tells when the driver has let go of everything.
#[derive(Clone)]
pub(crate) struct Ended(pub(crate) watch::Receiver<()>);

impl Ended {
    /// The driver holds the other end for as long as it lives, and never sends.
    async fn wait(mut self) {
        while self.0.changed().await.is_ok() {}
    }
}

/// A command under way. Dropping it does not undo the command.
#[derive(Debug)]
pub struct Pending(oneshot::Receiver<Result<Answer, CommandError>>);

impl Future for Pending {
    type Output = Result<Answer, CommandError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map(|answer| answer.unwrap_or_else(|_| Err(ended())))
    }
}
