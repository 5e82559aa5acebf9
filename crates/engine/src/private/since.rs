//! How young each leaf is, and devices that come back with new keys.
//!
//! A device whose vault was copied or put back knocks, and its leaf is replaced in one commit. The copy has the same device key
//! and may knock as well, and a relay may show an old knock again. So members answer only a knock whose key package is younger
//! than the one that the leaf was made of, by the device's own clock; each of them remembers that of every leaf.

use estoile_mls::{Facts, Validity};
use estoile_wire::{Millis, PublicKey};

use super::stored::{StoredSince, StoredStop};
use super::{News, Private, Taken};
use crate::out::Cx;

/// Other devices' clocks may be off by so much before a knock of before our coming is taken for a later one. (If they are off by
/// more, the device that is wrongly replaced knocks again by itself.)
const CLOCKS_MS: u64 = 10 * 60 * 1_000;
/// What a device reads in the room whose keys were replaced.
pub(crate) const REPLACED: &str = "this device was let in here again with newer keys than the ones in this vault: by a knock of its own whose answer is on the way, or of a copy of this vault";
/// And what to do if it was not this vault that knocked.
pub(crate) const ADVICE_REPLACED: &str = "If this data folder was copied, or is an old backup, and you use the other one: forget this one. If not, somebody else has it: remove this device from your account, and link it anew as a new one.";

impl Private {
    /// Those who were here before us are as young as our coming, as far as we know, and as far as their clocks are right.
    pub(super) fn begin_since(&mut self, now: Millis) {
        let own = self.me.device.public();
        let from = |device| Validity::at(now.saturating_add(if device == own { 0 } else { CLOCKS_MS })).from_ms;
        let all = self.tree.devices.keys().map(|device| StoredSince { device: *device, from: from(*device) });
        self.state.since = Some(all.collect());
    }

    /// A commit has changed the leaves.
    pub(super) fn note_since(&mut self, facts: &Facts) {
        let Some(since) = self.state.since.as_mut() else { return };
        for (member, from) in facts.adds.iter().zip(&facts.adds_from_ms) {
            since.retain(|s| s.device != member.device);
            since.push(StoredSince { device: member.device, from: *from });
        }
        since.retain(|s| self.tree.devices.contains_key(&s.device));
    }

    /// Whether a device that has a leaf may have it replaced by this key package, which is good from then on. One that has none
    /// may come anyhow.
    pub(crate) fn comes_later(&self, device: &PublicKey, from: Millis) -> bool {
        !self.tree.devices.contains_key(device) || from > self.since(device)
    }

    fn since(&self, device: &PublicKey) -> Millis {
        let known = self.state.since.iter().flatten().find(|s| s.device == *device).map(|s| s.from);
        // A vault of before this was remembered.
        known.unwrap_or_else(|| Validity::at(self.state.healed_at).from_ms)
    }

    /// Our own leaf was replaced by a younger one of this device.
    pub(super) fn replaced(&mut self, facts: &Facts, cx: &mut Cx<'_>) -> Option<Taken> {
        let own = self.me.device.public();
        let at = facts.adds.iter().position(|member| member.device == own)?;
        let from = facts.adds_from_ms.get(at).copied().unwrap_or_default();
        // By our own clock it was made before we came: a knock of ours was answered twice.
        self.news.push(News::Replaced { from, old: from <= self.since(&own) });
        self.held = None;
        self.state.stopped = Some(StoredStop { why: REPLACED.to_owned(), look: false, back: Some(true) });
        self.answer_all(REPLACED, cx);
        Some(Taken::Stopped(REPLACED.to_owned()))
    }

    /// Whether this device may come back as a new leaf: nothing but its own keys is wrong here.
    pub(crate) fn can_come_back(&self) -> bool {
        self.broken.is_some() || self.state.stopped.as_ref().is_some_and(|stop| stop.back == Some(true))
    }
}
