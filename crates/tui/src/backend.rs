//! What the face needs of a client: a few questions and an open ear. The real client answers; so can a test.

use core::future::Future;
use core::pin::Pin;

use futures_util::FutureExt;

use estoile_client::{Events, Handle, Link, LinkKind, OpenOptions, Page, open_link};
use estoile_engine::{
    Answer, Command, CommandError, Event, LetterId, MemberView, Overview, RoomId, RoomSnapshot, RoomView,
};
use zeroize::Zeroizing;

/// An answer on its way.
pub type Wait<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What a link could not do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenFailure {
    /// The room opens with a passphrase: ask for it and try again.
    NeedsPassphrase {
        /// The link, to give again.
        link: String,
        /// The room's name.
        room: String,
    },
    /// Not opened; the sentence says why and what to do.
    Refused(String),
}

/// The client as the face sees it. Every method returns at once; what takes time is in what it returns.
pub trait Backend: Send + Sync + 'static {
    /// Puts a command in line. The outer wait ends when it stands in line, the inner one when it is done: commands are
    /// done in the order in which the outer waits ended.
    fn submit(&self, command: Command) -> Wait<Wait<Result<Answer, CommandError>>>;
    /// The rooms of the vault.
    fn rooms(&self) -> Wait<Vec<RoomView>>;
    /// Everything about the account, its contacts and devices.
    fn overview(&self) -> Wait<Overview>;
    /// The members of a private room.
    fn members(&self, room: RoomId) -> Wait<Option<Vec<MemberView>>>;
    /// A room with its newest messages.
    fn snapshot(&self, room: RoomId, newest: usize) -> Wait<Option<RoomSnapshot>>;
    /// Messages right before one.
    fn older(&self, room: RoomId, before: LetterId, count: usize) -> Wait<Option<Page>>;
    /// Opens a link's room.
    fn open(
        &self,
        link: String,
        passphrase: Option<Zeroizing<String>>,
        own_name: String,
    ) -> Wait<Result<RoomId, OpenFailure>>;
}

/// Where events come from.
pub trait EventSource: Send {
    /// The next event; none when the client has ended. Must be cancel-safe.
    fn next(&mut self) -> impl Future<Output = Option<Event>> + Send;
    /// The next event if one waits.
    fn try_next(&mut self) -> Option<Event>;
}

impl EventSource for Events {
    fn next(&mut self) -> impl Future<Output = Option<Event>> + Send {
        Self::next(self)
    }

    fn try_next(&mut self) -> Option<Event> {
        Self::try_next(self)
    }
}

impl Backend for Handle {
    #[expect(clippy::async_yields_async, reason = "the first wait is for a place in line, the second for the answer")]
    fn submit(&self, command: Command) -> Wait<Wait<Result<Answer, CommandError>>> {
        let handle = self.clone();
        let stands = async move { Self::submit(&handle, command).await };
        Box::pin(stands.map(|pending| -> Wait<Result<Answer, CommandError>> { Box::pin(pending) }))
    }

    fn rooms(&self) -> Wait<Vec<RoomView>> {
        let handle = self.clone();
        Box::pin(async move { Self::rooms(&handle).await })
    }

    fn overview(&self) -> Wait<Overview> {
        let handle = self.clone();
        Box::pin(async move { Self::overview(&handle).await })
    }

    fn members(&self, room: RoomId) -> Wait<Option<Vec<MemberView>>> {
        let handle = self.clone();
        Box::pin(async move { Self::members(&handle, room).await })
    }

    fn snapshot(&self, room: RoomId, newest: usize) -> Wait<Option<RoomSnapshot>> {
        let handle = self.clone();
        Box::pin(async move { Self::snapshot(&handle, room, newest).await })
    }

    fn older(&self, room: RoomId, before: LetterId, count: usize) -> Wait<Option<Page>> {
        let handle = self.clone();
        Box::pin(async move { Self::older(&handle, room, before, count).await })
    }

    fn open(
        &self,
        link: String,
        passphrase: Option<Zeroizing<String>>,
        own_name: String,
    ) -> Wait<Result<RoomId, OpenFailure>> {
        let handle = self.clone();
        Box::pin(async move { open_room(&handle, &link, passphrase, &own_name).await })
    }
}

async fn open_room(
    handle: &Handle,
    text: &str,
    passphrase: Option<Zeroizing<String>>,
    own_name: &str,
) -> Result<RoomId, OpenFailure> {
    let refused = |why: String| OpenFailure::Refused(why);
    let link: Link = text.trim().parse().map_err(|e| refused(format!("{e}")))?;
    let secret = match (&link.kind, passphrase) {
        (LinkKind::Quick(_), _) => None,
        (LinkKind::Passphrase, None) => {
            return Err(OpenFailure::NeedsPassphrase { link: text.to_owned(), room: link.name.clone() });
        }
        (LinkKind::Passphrase, Some(passphrase)) => {
            let stretched = handle.stretch(&passphrase, &link.host_port(), &link.name).await;
            Some(stretched.map_err(|e| refused(e.to_string()))?)
        }
    };
    let Some(open) = open_link(&link, own_name, secret, OpenOptions::default()) else {
        return Err(refused(String::from("this link can't be opened here; ask for it again")));
    };
    match handle.command(Command::Open(Box::new(open))).await {
        Ok(Answer::Room(id)) => Ok(id),
        Ok(_) => Err(refused(String::from("the room was not opened; try again"))),
        Err(e) => Err(refused(e.to_string())),
    }
}
