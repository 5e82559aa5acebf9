//! When this device makes fresh keys, and when it commits what others have asked for.
//!
//! Fresh keys heal: whoever copied this vault is locked out with the next commit of this device.

use estoile_wire::Millis;

use super::{Intent, Private};
use crate::out::Cx;

const SECOND: u64 = 1_000;
const HOUR: u64 = 3_600 * SECOND;
const DAY: u64 = 24 * HOUR;

/// After joining a device renews its leaf within this time of being online: a fresh tree fills, so that commits get small,
/// and who has stolen the key package has nothing. Not at once, because ten who join together would race.
pub(super) const JOIN_MIN_MS: u64 = 5 * SECOND;
/// The end of that time.
pub(super) const JOIN_MAX_MS: u64 = 60 * SECOND;
/// A device that only reads renews its keys so often: a copied vault is worth a week at most.
pub(super) const HEAL_MS: u64 = 7 * DAY;
/// A device that has sent since renews them a day after the last time.
pub(super) const HEAL_SENT_MS: u64 = DAY;
/// Devices are spread over this time, so that they don't race: a tenth of a week …
const HEAL_JITTER_MS: u64 = 16 * HOUR;
/// … and of a day.
const HEAL_SENT_JITTER_MS: u64 = 2 * HOUR;
/// Who leaves waits for the next member: one of those who are online commits it after this time at least, so that it is
/// seldom two, …
pub(super) const LEAVE_MIN_MS: u64 = 200;
/// … and at most this much later, because nobody can write before.
pub(super) const LEAVE_MAX_MS: u64 = 5 * SECOND;
/// A removed device's leaves are removed by one of those who may after this time …
pub(super) const REVOKE_MIN_MS: u64 = SECOND;
/// … and before this.
pub(super) const REVOKE_MAX_MS: u64 = 30 * SECOND;
/// A commit that this clock forbids is tried again so often.
pub(super) const LIFETIME_RETRY_MS: u64 = 60 * SECOND;

impl Private {
    fn between(from: u64, to: u64, cx: &mut Cx<'_>) -> Millis {
        let wait = from.saturating_add(cx.below(to.saturating_sub(from)));
        cx.now.saturating_add(wait)
    }

    /// This device's keys are fresh.
    pub(super) fn schedule_heal(&mut self, cx: &mut Cx<'_>) {
        self.state.healed_at = cx.now;
        self.state.sent_since = false;
        self.join_at = None;
        self.state.heal_at = Some(Self::between(HEAL_MS, HEAL_MS.saturating_add(HEAL_JITTER_MS), cx));
    }

    /// A letter was sealed.
    pub(super) fn note_sent(&mut self, cx: &mut Cx<'_>) {
        if self.state.sent_since {
            return;
        }
        self.state.sent_since = true;
        let jitter = cx.below(HEAL_SENT_JITTER_MS);
        let at = self.state.healed_at.saturating_add(HEAL_SENT_MS).saturating_add(jitter);
        self.state.heal_at = self.state.heal_at.map(|heal| heal.min(at));
    }

    /// Somebody asks to be removed.
    pub(super) fn schedule_leave(&mut self, cx: &mut Cx<'_>) {
        if self.leave_at.is_none() {
            self.leave_at = Some(Self::between(LEAVE_MIN_MS, LEAVE_MAX_MS, cx));
        }
    }

    /// A removed device has a leaf here that we may remove.
    pub(super) fn schedule_revoke(&mut self, cx: &mut Cx<'_>) {
        if self.revoke_at.is_none() {
            self.revoke_at = Some(Self::between(REVOKE_MIN_MS, REVOKE_MAX_MS, cx));
        }
    }

    /// Whether fresh keys are due; the first time that a fresh device is asked, it chooses when.
    pub(super) fn heal_due(&mut self, cx: &mut Cx<'_>) -> bool {
        match (self.state.heal_at, self.join_at) {
            (Some(at), _) | (None, Some(at)) => at <= cx.now,
            (None, None) => {
                self.join_at = Some(Self::between(JOIN_MIN_MS, JOIN_MAX_MS, cx));
                false
            }
        }
    }

    /// When [`Self::due`] or [`Self::commit_to_send`] has something to do; `online`: the room is attached and has read all.
    pub(crate) fn next_timeout(&self, online: bool) -> Option<Millis> {
        if !self.runs() {
            return None;
        }
        if let Some(held) = &self.held {
            return held.again_at;
        }
        if !online || self.pending.is_some() || self.left_here() {
            return None;
        }
        [self.state.heal_at.or(self.join_at), self.leave_at, self.revoke_at].into_iter().flatten().min()
    }

    /// Our wish to leave stands in this epoch: somebody else commits it.
    pub(super) fn left_here(&self) -> bool {
        self.state.left_in == Some(self.group.epoch())
    }

    /// Whether a link of this id is here, or still to be made.
    pub(crate) fn may_get_link(&self, link: &[u8; 8]) -> bool {
        let made = |stored: &super::stored::StoredIntent| matches!(stored.clone().intent(), Some(Intent::AddLink { id, .. }) if id == *link);
        self.roster.link(link).is_some() || self.state.intents.iter().any(made)
    }

    /// Whether the room has a wish of this kind already.
    pub(super) fn wants(&self, intent: &Intent) -> bool {
        self.state.intents.iter().any(|stored| stored.clone().intent().as_ref() == Some(intent))
    }
}
