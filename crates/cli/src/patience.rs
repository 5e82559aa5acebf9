//! How long `send`, `tail` and `room new` put up with a relay that can't be reached, or keeps nothing.

use core::time::Duration;

use estoile_engine::{ConnectionView, RoomView};
use tokio::time::Instant;

use crate::fail::{Failure, say};
use crate::values::{Seconds, spoken};

/// Watches one room's connection.
pub(crate) struct Patience {
    wait: Duration,
    /// Since when nothing has gone forward; none while all is well.
    stuck_since: Option<Instant>,
    why: String,
    host: String,
    told: bool,
}

impl Patience {
    /// Nothing is reached yet.
    pub(crate) fn new(wait: Seconds) -> Self {
        let why = "it did not answer".to_owned();
        Self {
            wait: Duration::from_secs(wait.0),
            stuck_since: Some(Instant::now()),
            why,
            host: String::new(),
            told: false,
        }
    }

    /// Takes note of the room's state; fails where waiting helps nobody.
    pub(crate) fn note(&mut self, room: &RoomView) -> Result<(), Failure> {
        if let Some(why) = &room.stopped {
            return Err(stopped(why));
        }
        self.host.clone_from(&room.host);
        match &room.connection {
            ConnectionView::Online | ConnectionView::CatchingUp => {
                if self.told {
                    say("The relay is back.");
                    self.told = false;
                }
                self.stuck_since = None;
            }
            ConnectionView::Connecting => self.stuck(),
            ConnectionView::Offline { why, .. } => {
                self.stuck();
                self.why = crate::plain::line(why);
                if !core::mem::replace(&mut self.told, true) {
                    let (wait, host, why) = (self.spoken_wait(), &self.host, &self.why);
                    say(format_args!("The relay {host} can't be reached: {why}. Trying again for up to {wait}."));
                }
            }
        }
        Ok(())
    }

    /// Something is awaited of a relay that is there.
    pub(crate) fn stuck(&mut self) {
        self.stuck_since.get_or_insert_with(Instant::now);
    }

    /// Something has gone forward.
    pub(crate) fn moved(&mut self, waiting: bool) {
        self.stuck_since = waiting.then(Instant::now);
    }

    /// Waits until patience has run out; for ever while all is well. Cancel-safe.
    pub(crate) async fn over(&self) {
        match self.stuck_since.and_then(|since| since.checked_add(self.wait)) {
            Some(end) => tokio::time::sleep_until(end).await,
            None => core::future::pending().await,
        }
    }

    /// What to say then.
    pub(crate) fn exhausted(&self) -> Failure {
        let (wait, host, why) = (self.spoken_wait(), &self.host, &self.why);
        Failure::new(format_args!(
            "the relay {host} could not be reached, or took nothing, for {wait}: {why}; check the link and that the relay runs, or wait longer with --wait"
        ))
    }

    fn spoken_wait(&self) -> String {
        spoken(self.wait.as_secs())
    }
}

/// A room that can't go on, and what to do about it.
pub(crate) fn stopped(why: &str) -> Failure {
    let advice = if why.contains(';') { "" } else { "; ask whoever gave you the link for a fresh one" };
    Failure::new(format_args!("{}{advice}", crate::plain::block(why)))
}
