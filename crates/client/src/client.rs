//! Opening a client: unlock the vault, load the engine, start the loop.
//!
//! A client lives on one thread of its own with a runtime of its own: a vault's sync, Argon2id or a question to the user
//! holds up nobody's tasks, and the face's runtime may end when it likes.

use estoile_engine::{Engine, Env, LoadError, WrongAnswer, known_answers};
use tokio::sync::{mpsc, oneshot, watch};

use crate::clock::Clock;
use crate::config::{ClientConfig, Unlock};
use crate::driver::{Commands, Driver, system_rng};
use crate::error::OpenError;
use crate::events::{Events, Listeners};
use crate::handle::{Ended, Handle, REQUESTS, Request, VaultPlace};
use crate::net::Sockets;
use crate::store::{Folder, Store, refused, unlock};

use std::path::PathBuf;

/// How long a folder that is taken, and whose owner does not answer, is tried: a short command ends in less.
const PATIENCE: core::time::Duration = core::time::Duration::from_secs(10);
/// How often meanwhile: neither the end of another process nor of its lock is an event that this one can wait for, and
/// nobody notices 50 ms.
const AGAIN: core::time::Duration = core::time::Duration::from_millis(50);

/// Where every client begins.
#[derive(Debug)]
pub struct Client;

/// What the client's thread starts with.
struct Start {
    data: Option<PathBuf>,
    unlock: Unlock,
    clock: Clock,
    requests: mpsc::Receiver<Request>,
    events: Listeners,
    /// For those who act through this process.
    door: mpsc::WeakSender<Request>,
}

impl Client {
    /// Computes the known answers, unlocks the vault, loads what it holds and starts the driver on a thread of its own.
    ///
    /// # Errors
    /// [`OpenError`] says what is wrong with the machine, the folder or its key.
    pub async fn open(config: ClientConfig) -> Result<(Handle, Events), OpenError> {
        Self::open_if(known_answers, config).await
    }

    /// Nothing is touched before the machine has shown that it computes rightly.
    async fn open_if(
        known: fn() -> Result<(), WrongAnswer>,
        config: ClientConfig,
    ) -> Result<(Handle, Events), OpenError> {
        known()?;
        let events = Listeners::default();
        let listener = events.add(config.delivery);
        let (requests, inbox) = mpsc::channel(REQUESTS);
        let (living, ended) = watch::channel(());
        let (ready, opened) = oneshot::channel();
        let start = Start {
            data: config.data,
            unlock: config.unlock,
            clock: Clock::shifted(config.clock_offset_ms),
            requests: inbox,
            events,
            door: requests.downgrade(),
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

/// The whole life of a client: as the folder's owner, or through the process that is.
async fn live(mut start: Start, ready: oneshot::Sender<Result<VaultPlace, OpenError>>) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        match own(&mut start).await {
            Ok(Some(owner)) => return owner.run(ready).await,
            Ok(None) => {}
            Err(error) => return drop(ready.send(Err(error))),
        }
        #[cfg(unix)]
        if let Some(folder) = start.data.clone()
            && let Some(remote) = crate::control::Remote::connect(&folder).await
        {
            if ready.send(Ok(VaultPlace::Folder(folder))).is_ok() {
                remote.run(start.requests, start.events).await;
            }
            return;
        }
        // Between two owners: one has let go of its socket and not yet of the folder, or the other way round.
        if tokio::time::Instant::now() >= deadline {
            let folder = start.data.unwrap_or_default();
            return drop(ready.send(Err(OpenError::InUse(folder))));
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// The folder, if nobody else has it.
async fn own(start: &mut Start) -> Result<Option<Owner>, OpenError> {
    let folder = match start.data.as_deref().map(Folder::take).transpose() {
        Ok(folder) => folder,
        Err(OpenError::InUse(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut rng = system_rng();
    let unlocking = core::mem::take(&mut start.unlock);
    let (vault, place) = unlock(start.data.as_deref().zip(folder), unlocking, &mut rng).await?;
    let mut env = Env { now: start.clock.now(), rng: &mut rng };
    let engine = Engine::load(&vault, &mut env).await.map_err(|error| unreadable(start.data.clone(), &error))?;
    let (_, nobody) = mpsc::channel(1);
    let driver = Driver {
        engine,
        vault,
        clock: start.clock,
        requests: core::mem::replace(&mut start.requests, nobody),
        events: start.events.clone(),
        sockets: Sockets::new(),
        commands: Commands::default(),
        follow_ups: Vec::new(),
        failures: 0,
        closing: false,
    };
    Ok(Some(Owner { driver, place, events: start.events.clone(), door: start.door.clone() }))
}

/// What the folder's owner runs.
struct Owner {
    driver: Driver<Store>,
    place: VaultPlace,
    events: Listeners,
    door: mpsc::WeakSender<Request>,
}

impl Owner {
    async fn run(self, ready: oneshot::Sender<Result<VaultPlace, OpenError>>) {
        let Self { driver, place, events, door } = self;
        #[cfg(unix)]
        let serving = match &place {
            VaultPlace::Folder(folder) => crate::control::serve(folder, door, events.clone()).ok(),
            VaultPlace::Memory | VaultPlace::MemoryForWantOfKey { .. } => None,
        };
        if ready.send(Ok(place)).is_ok() {
            Box::pin(driver.run()).await;
        }
        events.close();
        #[cfg(unix)]
        drop(serving);
        #[cfg(not(unix))]
        drop(door);
    }
}

fn unreadable(data: Option<PathBuf>, error: &LoadError) -> OpenError {
    let folder = data.unwrap_or_default();
    match error {
        LoadError::Vault(error) => refused(&folder, error),
        other => OpenError::Corrupt { folder, why: other.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Delivery;

    #[tokio::test]
    async fn a_machine_that_computes_wrongly_starts_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("vault");
        let config = ClientConfig {
            data: Some(data.clone()),
            unlock: Unlock::default(),
            clock_offset_ms: 0,
            delivery: Delivery::Lossless,
        };
        let refused = Client::open_if(|| Err(WrongAnswer("X-Wing")), config).await;
        let why = refused.err().unwrap().to_string();
        assert!(why.starts_with("this machine computes X-Wing wrongly"), "{why}");
        assert!(why.contains("install estoile again"), "{why}");
        assert!(!data.exists(), "the folder was not touched");
    }
}
