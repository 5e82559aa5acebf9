//! Holding back: a letter whose parents are not here waits a moment, so that what scrolls by is in causal order; a letter
//! from the future waits until its time has come.

use std::collections::BTreeMap;

use estoile_seal::letter::{Letter as SealLetter, Reference, Written};
use estoile_seal::transcript::{Aside, Hash, Moved, Place};
use estoile_wire::Millis;

use super::receive::{Origin, duration};
use super::{Letter, Room};
use crate::board::Draft;
use crate::names::{self, Tag};
use crate::notice::NoticeKind;
use crate::out::Cx;
use crate::stored::{StoredHeld, StoredOrigin};
use crate::view::{Event, LetterId};

/// So long a letter waits for its parents at most: they may be under way for three seconds before the log is read again,
/// and that takes a moment.
pub(crate) const HOLD_MS: u64 = 5_000;
/// Letters that wait for parents; one more, and all are shown.
const MAX_HELD_BACK: usize = 256;
/// Letters from the future that are held; one more is refused, and may be sent again.
const MAX_FUTURE: usize = 256;

/// Letters that wait for their parents.
#[derive(Debug, Default)]
pub(super) struct Hold {
    /// Each with the letters that it names.
    back: BTreeMap<Hash, Vec<Hash>>,
    until: Option<Millis>,
}

impl Hold {
    pub(super) fn holds(&self, hash: &Hash) -> bool {
        self.back.contains_key(hash)
    }

    pub(super) fn next_timeout(&self) -> Option<Millis> {
        self.until.filter(|_| !self.back.is_empty())
    }

    pub(super) fn clock_went_back(&mut self, by: u64) {
        self.until = self.until.map(|at| at.saturating_sub(by));
    }

    /// A letter is gone.
    pub(super) fn forget(&mut self, hash: &Hash) {
        self.back.remove(hash);
    }
}

impl Room {
    /// Puts a letter into the timeline, and shows it unless it has to wait for one of its parents.
    pub(super) fn show(&mut self, letter: Letter, parents: &[Reference], cx: &mut Cx<'_>) {
        let (hash, shows) = (letter.stored.hash, letter.stored.text.is_some());
        let unread = self.is_unread(&letter);
        if letter.stored.text.as_ref().is_some_and(|text| text.contains("://")) {
            cx.blab("fetch");
        }
        self.timeline.insert(letter, unread);
        if !shows {
            return;
        }
        let named: Vec<Hash> = parents.iter().map(|p| p.hash).collect();
        if self.waits(&hash, &named) {
            self.hold.back.insert(hash, named);
            self.hold.until = self.hold.until.or(Some(cx.now.saturating_add(HOLD_MS)));
            if self.hold.back.len() > MAX_HELD_BACK {
                self.show_all(cx);
            }
        } else {
            self.reveal(&hash, cx);
        }
    }

    /// Whether a letter names one that may still come, or one that is itself waiting.
    fn waits(&self, hash: &Hash, named: &[Hash]) -> bool {
        self.transcript.waits_for_parents(hash) || named.iter().any(|parent| self.hold.holds(parent))
    }

    fn reveal(&mut self, hash: &Hash, cx: &mut Cx<'_>) {
        self.hold.back.remove(hash);
        let Some(letter) = self.timeline.get(hash) else { return };
        let after = self.stands_after(letter.place());
        if let Some(message) = self.message(letter) {
            cx.event(Event::Message { message, after });
        }
    }

    /// What stands right before a place on the screen.
    pub(super) fn stands_after(&self, place: Place) -> Option<LetterId> {
        self.timeline.shown_before(place).find(|l| !self.hold.holds(&l.stored.hash)).map(Letter::id)
    }

    /// Letters stand elsewhere now: kept so, and told if the order on the screen is another.
    pub(super) fn re_place(&mut self, moved: &[Moved], cx: &mut Cx<'_>) {
        let here = moved.iter().filter(|m| self.timeline.get(&m.hash).is_some()).collect::<Vec<_>>();
        let before = |m: &&Moved| self.stands_after(self.timeline.get(&m.hash)?.place());
        let was: Vec<_> = here.iter().map(before).collect();
        for moved in &here {
            if let Some(letter) = self.timeline.re_place(&moved.hash, moved.place) {
                cx.put(names::numbered(self.id, Tag::Letter, letter.seq), &letter.stored);
            }
        }
        let after: Vec<_> = here.iter().map(|m| self.stands_after(m.place)).collect();
        if was == after {
            return;
        }
        // One that keeps its neighbour may have moved with it: a face is told all of them, in order.
        for (moved, after) in here.into_iter().zip(after) {
            if !self.hold.holds(&moved.hash) {
                cx.event(Event::Moved { room: self.id, id: LetterId(moved.hash), after });
            }
        }
    }

    /// Shows those whose parents have come, in their order.
    pub(super) fn show_ready(&mut self, cx: &mut Cx<'_>) {
        while !self.hold.back.is_empty() {
            let ready = self.hold.back.iter().filter(|(hash, named)| !self.waits(hash, named));
            let places = ready.filter_map(|(hash, _)| Some((self.timeline.get(hash)?.place(), *hash)));
            let Some((_, hash)) = places.min() else { break };
            self.reveal(&hash, cx);
        }
        if self.hold.back.is_empty() {
            self.hold.until = None;
        }
    }

    /// Shows those that have waited long enough.
    pub(super) fn show_held_back(&mut self, cx: &mut Cx<'_>) {
        if self.hold.until.is_some_and(|until| until <= cx.now) {
            self.show_all(cx);
        }
    }

    fn show_all(&mut self, cx: &mut Cx<'_>) {
        let mut waiting: Vec<(Place, Hash)> =
            self.hold.back.keys().filter_map(|hash| Some((self.timeline.get(hash)?.place(), *hash))).collect();
        waiting.sort_unstable();
        for (_, hash) in waiting {
            self.reveal(&hash, cx);
        }
        self.hold = Hold::default();
    }

    /// Whether a letter is held until its time has come.
    pub(super) fn is_held(&self, hash: &Hash) -> bool {
        self.future.values().any(|held| held.hash == *hash)
    }

    /// A letter from the future.
    pub(super) fn hold_for_future(
        &mut self,
        letter: &SealLetter,
        written: &Written,
        origin: Origin,
        until: Millis,
        cx: &mut Cx<'_>,
    ) {
        let hash = written.hash();
        let who = self.shown(&letter.name, &letter.sender);
        let ahead = duration(letter.sent_at.saturating_sub(cx.now));
        let full = self.future.len() >= MAX_FUTURE;
        let (why, fate) = if full {
            (Aside::Refused, "was refused, because too many are held already")
        } else {
            (Aside::Held, "is held until its time has come")
        };
        self.set_aside(letter, hash, origin.epoch, why, cx.now);
        if !full {
            let number = self.progress.next_held;
            self.progress.next_held = number.saturating_add(1);
            let account = self.devices.get(&letter.sender).copied().filter(|_| self.is_private());
            let private = account.map(|account| StoredOrigin { sender: letter.sender, epoch: origin.epoch, account });
            let held = StoredHeld { until, cursor: origin.cursor, written: written.to_bytes(), hash, private };
            cx.put(names::numbered(self.id, Tag::Held, number), &held);
            self.future.insert(number, held);
        }
        let detail = format!("a message by {who} is stamped {ahead} in the future and {fate}");
        let advice = "Compare this clock and the sender's with a clock that is right.";
        cx.tell(
            Draft::new(Some(self.id), NoticeKind::Future, detail, advice)
                .about(letter.sender, &letter.name)
                .letter(hash),
        );
    }

    pub(super) fn next_release(&self) -> Option<Millis> {
        self.future.values().map(|held| held.until).min()
    }

    /// Takes in letters whose time has come.
    pub(super) fn release_future(&mut self, cx: &mut Cx<'_>) {
        let due: Vec<u64> = self.future.iter().filter(|(_, h)| h.until <= cx.now).map(|(n, _)| *n).collect();
        for number in due {
            let Some(held) = self.future.remove(&number) else { continue };
            cx.delete(names::numbered(self.id, Tag::Held, number));
            let epoch = held.private.map_or(0, |from| from.epoch);
            if let Some((written, letter)) = self.held_letter(&held)
                && letter.ends_at().is_none_or(|end| end >= cx.now)
            {
                self.admit(&letter, &written, Origin { cursor: held.cursor, expected: true, epoch }, cx);
            }
        }
    }

    fn held_letter(&mut self, held: &StoredHeld) -> Option<(Written, SealLetter)> {
        let log = self.lock.log()?;
        let Some(from) = held.private else { return Written::from_bytes(&log, &held.written).ok() };
        let (written, mut letter) = Written::from_private_bytes(&log, from.sender, &held.written).ok()?;
        // Its sender may have left since.
        self.devices.entry(from.sender).or_insert(from.account);
        letter.name = self.leaf_name(&from.sender);
        Some((written, letter))
    }
}
