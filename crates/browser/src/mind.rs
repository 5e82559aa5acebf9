//! What speaks for an open vault: where a large room takes its time, at first a glance at it, then the engine.
//!
//! With a glance everything kept can be looked at. What is to be done waits in the client's inputs, in its order, until the
//! engine is there; and nothing is connected before.

use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::Poll;

use estoile_engine::{Backend, Engine, Env, Glance, Input, LetterId, MessageView, RoomId, Vault, VaultError};

use crate::client::Client;
use crate::inbox::Incoming;
use crate::outside::Outside;
use crate::stages::{unloaded, unopened};

/// The engine on its way.
pub(crate) type Waking = Pin<Box<dyn Future<Output = Result<Engine, String>>>>;

/// What the loop waits for.
pub(crate) enum Next {
    /// Something came from outside.
    Incoming(Incoming),
    /// All of the vault was read, or could not be.
    Awake(Box<Result<Engine, String>>),
}

/// What speaks for an open vault.
pub(crate) enum Mind {
    /// What there is to look at.
    Waking(Box<Glance>),
    /// The engine.
    Awake(Box<Engine>),
}

impl Mind {
    /// For everything that only looks.
    pub(crate) const fn look(&self) -> &Engine {
        match self {
            Self::Waking(glance) => glance.look(),
            Self::Awake(engine) => engine,
        }
    }

    /// For what is to be done; none yet.
    pub(crate) fn awake(&mut self) -> Option<&mut Engine> {
        match self {
            Self::Waking(_) => None,
            Self::Awake(engine) => Some(engine),
        }
    }

    /// [`Engine::older`].
    pub(crate) async fn older<B: Backend>(
        &mut self,
        vault: &Vault<B>,
        room: RoomId,
        before: LetterId,
        limit: usize,
    ) -> Result<Vec<MessageView>, VaultError> {
        match self {
            Self::Waking(glance) => glance.older(vault, room, before, limit).await,
            Self::Awake(engine) => engine.older(vault, room, before, limit).await,
        }
    }
}

impl<O: Outside> Client<O> {
    /// Begins to read all of a vault, beside the loop.
    pub(crate) fn wake(&mut self) {
        let Some(open) = &self.open else { return };
        let (now, mut rng) = (self.out.now(), self.out.rng());
        let opening = Vault::open(open.shelf.clone(), open.key.clone(), &mut rng);
        self.waking = Some(Box::pin(async move {
            let vault = opening.await.map_err(|error| unopened(&error))?;
            Engine::load(&vault, &mut Env { now, rng: &mut rng }).await.map_err(|error| unloaded(&error))
        }));
    }

    /// All was read: what waited is done now.
    pub(crate) fn awake(&mut self, engine: Result<Engine, String>) {
        let Some(open) = &mut self.open else { return };
        match engine {
            Ok(engine) => open.mind = Mind::Awake(Box::new(engine)),
            Err(why) => return self.lose(why),
        }
        self.inputs.insert(0, Input::Timer);
    }

    /// What happens next; none when nothing will any more.
    pub(crate) async fn next(&mut self) -> Option<Next> {
        let Self { inbox, waking, .. } = self;
        poll_fn(|cx| {
            // Who looks comes first.
            if let Poll::Ready(incoming) = inbox.poll_next(cx) {
                return Poll::Ready(incoming.map(Next::Incoming));
            }
            let Some(future) = waking else { return Poll::Pending };
            future.as_mut().poll(cx).map(|engine| {
                *waking = None;
                Some(Next::Awake(Box::new(engine)))
            })
        })
        .await
    }
}
