//! Sync: everything that waits was read, and all that we had to say is kept.

use super::{Accounts, Waits};
use crate::command::CommandError;
use crate::out::Cx;
use crate::view::RelayId;

impl Accounts {
    /// Nothing of the account's waits to be read or kept.
    pub(crate) fn quiet(&self) -> bool {
        let own = self.own.as_ref().filter(|own| own.stored.stopped.is_none());
        let written = own.is_none_or(|own| {
            let read = own.stored.summary_blob.is_none();
            (own.is_written() && read) || (!read && self.log_blobs.is_missing())
        });
        written
            && self.jobs.values().all(crate::channel::job::Job::is_put_off)
            && self.pending.is_empty()
            && self.history_quiet()
            && self.channels.values().all(crate::channel::Channel::quiet)
            && (own.is_none() || self.shelf.filled())
            && self.invites.values().all(|invite| !invite.wanted)
    }

    /// Answers who waits for that.
    pub(crate) fn synced(&mut self, rooms_quiet: bool, offline: Option<&str>, cx: &mut Cx<'_>) {
        if !self.waits.iter().any(|(w, ..)| *w == Waits::Sync) {
            return;
        }
        if let Some(why) = offline {
            let error = CommandError::Offline(format!(
                "not everything could be read and sent: {why}; it goes on when the relay is back"
            ));
            self.answer(&Waits::Sync, Some(&error), cx);
        } else if rooms_quiet && self.quiet() {
            self.answer(&Waits::Sync, None, cx);
        }
    }

    /// The relays that the account needs.
    pub(crate) fn wants(&self, relay: RelayId) -> bool {
        self.channels.values().any(|c| c.relay == relay && c.wanted()) || self.jobs.values().any(|j| j.relay == relay)
    }
}
