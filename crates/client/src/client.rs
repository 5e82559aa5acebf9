//! Opening a client: unlock the vault, load the engine, start the loop.
//!
//! A client lives on one thread of its own with a runtime of its own: a vault's sync, Argon2id or a question to the user
//! holds up nobody's tasks, and the face's runtime may end when it likes.

use estoile_engine::{Engine, Env, LoadError};
use tokio::sync::{mpsc, oneshot, watch};

use crate::clock::Clock;
use crate::config::{ClientConfig, Unlock};
use crate::driver::{Commands, Driver, system_rng};
use crate::error::OpenError;
use crate::events::{self, EventSender, Events};
use crate::handle::{Ended, Handle, REQUESTS, Request, VaultPlace};
use crate::net::Sockets;
use crate::store::{Store, refused, unlock};

use std::path::PathBuf;

/// Where every client begins.
#[derive(Debug)]
pub struct Client;

/// What the client's thread starts with.
struct Start {
    data: Option<PathBuf>,
    unlock: Unlock,
    clock: Clock,
    requests: mpsc::Receiver<Request>,
    events: EventSender,
}

impl Client {
    /// Unlocks the vault, loads what it holds and starts the driver on a thread of its own.
    ///
    /// # Errors
    /// [`OpenError`] says what is wrong with the folder or its key.
    pub async fn open(config: ClientConfig) -> Result<(Handle, Events), OpenError> {
        let (events, listener) = events::queue(config.delivery);
        let (requests, inbox) = mpsc::channel(REQUESTS);
        let (living, ended) = watch::channel(());
        let (ready, opened) = oneshot::channel();
        let start = Start {
            data: config.data,
            unlock: config.unlock,
            clock: Clock::shifted(config.clock_offset_ms),
            requests: inbox,
            events,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(cant_start)?;
        std::thread::Builder::new()
            .name("estoile-client".into())
            .spawn(move || {
                runtime.block_on(live(start, ready));
                // A name that is still being looked up must not hold up the end.
                runtime.shutdown_background();
                drop(living);
            })
            .map_err(cant_start)?;
        let place = opened.await.map_err(|_| OpenError::Start("its thread ended".into()))??;
        Ok((Handle::new(requests, place, Ended(ended)), listener))
    }
}

fn cant_start(error: std::io::Error) -> OpenError {
    OpenError::Start(error.to_string())
}

/// The whole life of a client.
async fn live(start: Start, ready: oneshot::Sender<Result<VaultPlace, OpenError>>) {
    match load(start).await {
        Ok((driver, place)) => {
            if ready.send(Ok(place)).is_ok() {
                driver.run().await;
            }
        }
        Err(error) => drop(ready.send(Err(error))),
    }
}

async fn load(start: Start) -> Result<(Driver<Store>, VaultPlace), OpenError> {
    let mut rng = system_rng();
    let (vault, place) = unlock(start.data.as_deref(), start.unlock, &mut rng).await?;
    let mut env = Env { now: start.clock.now(), rng: &mut rng };
    let engine = Engine::load(&vault, &mut env).await.map_err(|error| unreadable(start.data.clone(), &error))?;
    let driver = Driver {
        engine,
        vault,
        clock: start.clock,
        requests: start.requests,
        events: start.events,
        sockets: Sockets::new(),
        commands: Commands::default(),
        follow_ups: Vec::new(),
        failures: 0,
        closing: false,
    };
    Ok((driver, place))
}

fn unreadable(data: Option<PathBuf>, error: &LoadError) -> OpenError {
    let folder = data.unwrap_or_default();
    match error {
        LoadError::Vault(error) => refused(&folder, error),
        other => OpenError::Corrupt { folder, why: other.to_string() },
    }
}
