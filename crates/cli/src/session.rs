//! One command on a vault: open it, bring it up to date with its relays, act, bring it up to date again, close.
//!
//! Notices that come meanwhile are told on stderr; data is each command's own.

use core::time::Duration;
use std::collections::VecDeque;

use estoile_client::{Delivery, Events, Handle, VaultPlace};
use estoile_engine::{
    AccountCommand, AccountView, Answer, Command, CommandError, ConnectionView, ContactView, DeviceLinkView, Event,
    Overview, PrivateCommand, RoomView,
};
use serde::Serialize;
use tokio::time::Instant;

use crate::args::Common;
use crate::fail::{Failure, Outcome, say};
use crate::out::{self, Reader};
use crate::signals::{Signals, Stop};
use crate::values::spoken;
use crate::{places, plain, unlock};

/// A vault at work.
pub(crate) struct Session {
    pub(crate) handle: Handle,
    pub(crate) events: Events,
    signals: Signals,
    wait: Duration,
    pub(crate) json: bool,
    /// How a device link went on while something else was asked.
    passed: VecDeque<DeviceLinkView>,
}

impl Session {
    /// Opens the vault.
    pub(crate) async fn open(common: &Common) -> Result<Self, Failure> {
        let data = places::vault(common.data.clone())?;
        let (handle, events) = unlock::client(Some(data), common.clock, Delivery::Lossless).await?;
        if let VaultPlace::MemoryForWantOfKey { why, .. } = handle.vault() {
            let text = format!("an account must be kept somewhere, and {why}");
            handle.close().await;
            return Err(Failure::new(text));
        }
        let signals = Signals::listen()?;
        Ok(Self {
            handle,
            events,
            signals,
            wait: Duration::from_secs(common.wait.0),
            json: common.json,
            passed: VecDeque::new(),
        })
    }

    /// Opens the vault and brings it up to date.
    pub(crate) async fn begin(common: &Common) -> Result<Self, Failure> {
        let mut session = Self::open(common).await?;
        session.sync().await?;
        Ok(session)
    }

    /// Brings the vault up to date, tells how it went, and closes.
    pub(crate) async fn end(mut self, outcome: Outcome) -> Outcome {
        let outcome = match outcome {
            Ok(()) => self.sync().await,
            Err(failure) => Err(failure),
        };
        self.handle.close().await;
        outcome
    }

    /// Asks the engine; notices that come meanwhile are told.
    pub(crate) async fn ask(&mut self, command: Command) -> Result<Answer, Failure> {
        self.try_ask(command).await?.map_err(Failure::new)
    }

    /// About the account, its contacts and devices.
    pub(crate) async fn account(&mut self, command: AccountCommand) -> Result<Answer, Failure> {
        self.ask(Command::Account(command)).await
    }

    /// About private rooms.
    pub(crate) async fn private(&mut self, command: PrivateCommand) -> Result<Answer, Failure> {
        self.ask(Command::Private(command)).await
    }

    /// The inner error is the command's own, to be looked at.
    async fn try_ask(&mut self, command: Command) -> Result<Result<Answer, CommandError>, Failure> {
        let pending = self.handle.submit(command).await;
        tokio::pin!(pending);
        let end = Instant::now().checked_add(self.wait);
        loop {
            tokio::select! {
                biased;
                stop = self.signals.stop() => return Err(ended(stop)),
                event = self.events.next() => match event {
                    Some(Event::DeviceLink(view)) => self.passed.push_back(view),
                    Some(event) => tell(&event),
                    None => return Err(Failure::new("the client ended before that was done; try again")),
                },
                answer = &mut pending => return Ok(answer),
                () = until(end) => return Err(self.exhausted("it did not answer")),
            }
        }
    }

    /// Reads all that waits and sends all that we have to say; waits for the relay as long as `--wait` says.
    pub(crate) async fn sync(&mut self) -> Outcome {
        let end = Instant::now().checked_add(self.wait);
        loop {
            // Looked at before the try: the last one is made when the time is over, for a relay that came back meanwhile.
            let last = over(end);
            let why = match self.try_ask(Command::Account(AccountCommand::Sync)).await? {
                Ok(_) => return Ok(()),
                Err(CommandError::Offline(why)) => why,
                Err(error) => return Err(Failure::new(error)),
            };
            if last {
                return Err(self.exhausted(&plain::line(&why)));
            }
            self.hear(end).await?;
        }
    }

    /// Until a relay is heard from, or the time is over; the engine tries again at its own pace.
    async fn hear(&mut self, end: Option<Instant>) -> Outcome {
        loop {
            tokio::select! {
                biased;
                stop = self.signals.stop() => return Err(ended(stop)),
                event = self.events.next() => match event {
                    Some(Event::DeviceLink(view)) => self.passed.push_back(view),
                    Some(event) => {
                        tell(&event);
                        if is_sign_of_life(&event) {
                            return Ok(());
                        }
                    }
                    None => return Err(Failure::new("the client ended before that was done; try again")),
                },
                () = until(end) => return Ok(()),
            }
        }
    }

    /// How a device link goes on; notices are told on the way.
    pub(crate) async fn device_link(&mut self) -> Result<DeviceLinkView, Failure> {
        loop {
            if let Some(view) = self.passed.pop_front() {
                return Ok(view);
            }
            tokio::select! {
                biased;
                stop = self.signals.stop() => return Err(ended(stop)),
                event = self.events.next() => match event {
                    Some(Event::DeviceLink(view)) => return Ok(view),
                    Some(event) => tell(&event),
                    None => return Err(Failure::new("the client ended; try again")),
                },
            }
        }
    }

    /// The account of the vault.
    pub(crate) async fn own(&self) -> Result<AccountView, Failure> {
        self.handle.overview().await.account.ok_or_else(|| Failure::new(CommandError::NoAccount))
    }

    pub(crate) async fn overview(&self) -> Overview {
        self.handle.overview().await
    }

    pub(crate) async fn contacts(&self) -> Vec<ContactView> {
        self.handle.overview().await.contacts
    }

    pub(crate) async fn rooms(&self) -> Vec<RoomView> {
        self.handle.rooms().await
    }

    /// Prints what a command found: an object with `--json`, else lines for people.
    pub(crate) fn print<T: Serialize>(&self, value: &T, human: &str) -> Outcome {
        let text = if self.json { serde_json::to_string(value).map_err(Failure::new)? } else { human.to_owned() };
        // Whether anybody reads it does not matter: it is done.
        let (Reader::There | Reader::Gone) = out::line(&text)?;
        Ok(())
    }

    fn exhausted(&self, why: &str) -> Failure {
        let wait = spoken(self.wait.as_secs());
        Failure::new(format_args!(
            "the relay could not be asked within {wait}: {why}; check that it runs and that this machine reaches it, or wait longer with --wait"
        ))
    }
}

fn ended(stop: Stop) -> Failure {
    match stop {
        Stop::Interrupt => Failure::interrupted(),
        Stop::Terminate => Failure::new("ended before that was done; do it again"),
    }
}

fn tell(event: &Event) {
    if let Event::Notice(notice) = event {
        say(plain::notice(notice));
    }
}

/// Whether an event says that a relay answers: then it is worth asking again whether all is read and kept.
pub(crate) const fn is_sign_of_life(event: &Event) -> bool {
    match event {
        Event::Overview | Event::CaughtUp(_) => true,
        Event::Room(room) => matches!(room.connection, ConnectionView::CatchingUp | ConnectionView::Online),
        _ => false,
    }
}

/// Whether a time is over; none never is.
pub(crate) fn over(end: Option<Instant>) -> bool {
    end.is_some_and(|end| Instant::now() >= end)
}

/// Waits for a time; none never comes.
pub(crate) async fn until(end: Option<Instant>) {
    match end {
        Some(end) => tokio::time::sleep_until(end).await,
        None => core::future::pending().await,
    }
}
