//! When to say what we have seen without having anything to say. Knows nothing of letters but that some are unconfirmed.
//!
//! After activity ends each member waits a random time that grows with the room: most hear two others first and stay
//! silent. Beside that at most one beat an hour.

use estoile_wire::Millis;
use rand_core::CryptoRng;

/// Activity has ended when nothing that shows has come for so long.
const QUIET: Millis = 4_000;
/// The random wait is up to so much for each member, so that about one a second would speak.
const SPREAD_A_MEMBER: Millis = 1_000;
/// And up to so much in all.
const MAX_SPREAD: Millis = 600_000;
/// At most one beat in this time.
const EVERY: Millis = 3_600_000;

/// The policy's state.
#[derive(Clone, Debug)]
pub(super) struct Beats {
    /// Off for clients that keep no vault.
    pub(super) sociable: bool,
    online: bool,
    quiet_since: Millis,
    at: Option<Millis>,
    /// When we last sent one.
    pub(super) last: Option<Millis>,
}

impl Beats {
    pub(super) fn new() -> Self {
        Self { sociable: true, online: false, quiet_since: 0, at: None, last: None }
    }

    /// Something that shows came: wait until it is quiet again.
    pub(super) fn activity(&mut self, now: Millis) {
        self.quiet_since = now;
        self.at = None;
    }

    fn quiet_at(&self) -> Millis {
        self.quiet_since.saturating_add(QUIET)
    }

    pub(super) fn next_timeout(&self, needed: bool) -> Option<Millis> {
        (needed && self.online && self.sociable).then(|| self.at.unwrap_or(self.quiet_at()))
    }

    /// Whether to send a beat now.
    pub(super) fn due(
        &mut self,
        now: Millis,
        online: bool,
        needed: bool,
        members: usize,
        rng: &mut dyn CryptoRng,
    ) -> bool {
        self.online = online;
        // A clock that was ahead and has been set back must not keep us silent until then.
        self.quiet_since = self.quiet_since.min(now);
        self.last = self.last.map(|last| last.min(now));
        self.at = self.at.filter(|at| *at <= now.saturating_add(EVERY));
        if !(needed && online && self.sociable) {
            self.at = None;
            return false;
        }
        if now < self.quiet_at() {
            return false;
        }
        let at = *self.at.get_or_insert_with(|| {
            let members = Millis::try_from(members).unwrap_or(Millis::MAX);
            let spread = members.saturating_mul(SPREAD_A_MEMBER).clamp(SPREAD_A_MEMBER, MAX_SPREAD);
            let drawn = now.saturating_add(rng.next_u64().checked_rem(spread).unwrap_or(0));
            drawn.max(self.last.map_or(0, |last| last.saturating_add(EVERY)))
        });
        if now < at {
            return false;
        }
        // Should the caller not manage to send it, it is due again after a while.
        self.activity(now);
        true
    }
}
