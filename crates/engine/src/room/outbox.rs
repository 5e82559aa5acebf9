//! The outbox: letters on their way, in the order of their counters, many at a time, again after every reconnection, until
//! the relay has acknowledged them.
//!
//! It never makes a second letter of one, and never says kept what the relay has not acknowledged. In a private room a
//! letter is sealed once an epoch: a retry sends the same sealed bytes, and the next epoch's sealing is a new one.

use std::collections::{BTreeSet, VecDeque};

use estoile_seal::letter::{self, Written};
use estoile_seal::transcript::Hash;
use estoile_wire::frame::{Append, Kept, Refused};
use estoile_wire::limits::MAX_TTL_SECONDS;
use estoile_wire::refusal::Retry;
use estoile_wire::{ClientFrame, Cursor, LogId, Millis, PublicKey, Refusal};

use super::ask::UNSEEN_MS;
use super::attach::{later, refusal_in_words};
use super::lock::Lock;
use super::sealed::{Sealing, id16_again};
use super::{Letter, Room};
use crate::board::Draft;
use crate::link::Session;
use crate::names::{self, Tag};
use crate::notice::NoticeKind;
use crate::out::Cx;
use crate::stored::StoredState;
use crate::view::{Event, LetterId};

/// Letters of one room that wait for the relay; who sends more waits for room.
pub(crate) const MAX_OUTBOX: usize = 10_000;
/// Appends in flight: enough to fill group commits, few enough that a refusal in the middle reorders little.
const WINDOW: usize = 64;
/// Bytes in flight: what a relay may queue for one session without complaint.
const WINDOW_BYTES: usize = 1 << 20;

/// After a refusal that only a new session, or a new attachment, can end.
const RECONNECT_PAUSE_MS: u64 = 250;
/// Letters taken back whose coming in spite of that is noticed.
const MAX_DISCARDED: usize = 256;

/// A letter on its way.
#[derive(Debug)]
pub(super) struct Outgoing {
    seq: u64,
    pub(super) written: Written,
    request: Option<u64>,
    /// In a private room: its sealing in this epoch.
    pub(super) sealing: Option<Sealing>,
}

/// The letters that the relay has not acknowledged, in the order of their counters.
#[derive(Debug)]
pub(super) struct Outbox {
    queue: VecDeque<Outgoing>,
    window: usize,
    pause_until: Millis,
    told: Option<Refusal>,
    discarded: BTreeSet<Hash>,
}

impl Default for Outbox {
    fn default() -> Self {
        Self { queue: VecDeque::new(), window: WINDOW, pause_until: 0, told: None, discarded: BTreeSet::new() }
    }
}

impl Outbox {
    /// Brings a letter back from the vault; none if its bytes are not a letter of this log.
    pub(super) fn restore(&mut self, letter: &Letter, log: &LogId, own: PublicKey) -> Option<()> {
        let (written, _) = Written::restore(log, own, letter.stored.written.as_deref()?).ok()?;
        self.push(letter.seq, written);
        Some(())
    }

    /// Those that wait, in order.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Outgoing> {
        self.queue.iter_mut()
    }

    pub(super) const fn clock_went_back(&mut self, by: u64) {
        self.pause_until = self.pause_until.saturating_sub(by);
    }

    pub(super) fn push(&mut self, seq: u64, written: Written) {
        self.queue.push_back(Outgoing { seq, written, request: None, sealing: None });
    }

    pub(super) fn has(&self, hash: &Hash) -> bool {
        self.queue.iter().any(|o| o.written.hash() == *hash)
    }

    /// Takes a letter back that is not in flight, and says its local number.
    pub(super) fn discard(&mut self, hash: &Hash) -> Option<u64> {
        // What was sealed may have gone out, and nobody here could tell when it comes back.
        let free = |o: &Outgoing| o.request.is_none() && o.sealing.is_none();
        let outgoing = self.take(|o| o.written.hash() == *hash && free(o))?;
        if self.discarded.len() >= MAX_DISCARDED {
            self.discarded.pop_first();
        }
        self.discarded.insert(*hash);
        Some(outgoing.seq)
    }

    /// Whether a letter that came was taken back; true once.
    pub(super) fn was_discarded(&mut self, hash: &Hash) -> bool {
        self.discarded.remove(hash)
    }

    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn lowest_seq(&self) -> Option<u64> {
        self.queue.front().map(|o| o.seq)
    }

    /// The session is gone, or detached: what was not acknowledged is sent again.
    pub(super) fn nothing_in_flight(&mut self) {
        for outgoing in &mut self.queue {
            outgoing.request = None;
        }
    }

    /// Nothing goes out before this time.
    pub(super) fn pause(&mut self, until: Millis) {
        self.pause_until = self.pause_until.max(until);
    }

    /// The epoch is another: what waits is sealed and sent anew.
    pub(super) fn begin_epoch(&mut self) {
        self.nothing_in_flight();
        self.pause_until = 0;
    }

    /// All letters that wait.
    pub(super) fn hashes(&self) -> Vec<Hash> {
        self.queue.iter().map(|o| o.written.hash()).collect()
    }

    pub(super) fn next_timeout(&self) -> Option<Millis> {
        (self.pause_until > 0 && !self.queue.is_empty()).then_some(self.pause_until)
    }

    fn take(&mut self, which: impl Fn(&Outgoing) -> bool) -> Option<Outgoing> {
        let at = self.queue.iter().position(which)?;
        self.queue.remove(at)
    }
}

impl Room {
    /// Whether letters go out. Not before the log was read: a vault that was put back would use its counters twice, and
    /// its owner would look two-faced.
    pub(super) const fn sends(&self) -> bool {
        self.attach.open() && self.read_up && !self.progress.copied
    }

    /// Sends as much of the outbox as may be in flight.
    pub(crate) fn pump(&mut self, session: &mut Session, cx: &mut Cx<'_>) {
        if !self.sends() {
            return;
        }
        if self.outbox.pause_until > cx.now {
            return;
        }
        self.outbox.pause_until = 0;
        let mut bytes = 0;
        for at in 0..self.outbox.window.min(self.outbox.queue.len()) {
            let Some(sent) = self.append(at, session, cx) else { break };
            bytes += sent;
            if bytes > WINDOW_BYTES {
                break;
            }
        }
    }

    /// Sends what stands at a place of the queue, unless it is on its way or over; its size. None: it can't be sealed now.
    fn append(&mut self, at: usize, session: &mut Session, cx: &mut Cx<'_>) -> Option<usize> {
        let log = self.log()?;
        let outgoing = self.outbox.queue.get_mut(at)?;
        let size = outgoing.written.bytes().len();
        if outgoing.request.is_some() {
            return Some(size);
        }
        let Some(ttl) = ttl_left(&outgoing.written, cx.now, self.progress.max_ttl) else { return Some(0) };
        let body = match &mut self.lock {
            Lock::Quick { keys, .. } => letter::seal(keys, &outgoing.written, cx.rng),
            Lock::Private(private) => {
                if outgoing.sealing.is_none() {
                    let sealing =
                        self.sealed.seal(self.id, &mut self.progress, private, &outgoing.written, true, cx)?;
                    outgoing.sealing = Some(sealing);
                }
                outgoing.sealing.as_ref()?.body.clone()
            }
            Lock::Outside(_) => return None,
        };
        let request = session.request(self.id);
        outgoing.request = Some(request);
        let (id16, epoch) = (outgoing.written.id16(), self.lock.epoch());
        let frame = Append { request, log, id16, epoch, ttl, body: &body, advance: None };
        session.say(&ClientFrame::Append(frame), cx);
        Some(size)
    }

    /// Sends a letter of ours that is kept once more, because somebody misses it.
    pub(super) fn append_again(&mut self, hash: &[u8; 32], session: &mut Session, cx: &mut Cx<'_>) -> bool {
        let Some(stored) = self.timeline.get(hash).map(|l| &l.stored) else { return false };
        let Some(bytes) = &stored.written else { return false };
        if stored.state == StoredState::Sending || matches!(stored.state, StoredState::Failed(_)) {
            return true;
        }
        let Some(log) = self.log() else { return false };
        let Ok((written, _)) = Written::restore(&log, self.own, bytes) else { return false };
        let Some(ttl) = ttl_left(&written, cx.now, self.progress.max_ttl) else { return true };
        // Who came later than a letter of a private room is not to read it now.
        if self.progress.newcomers.is_some_and(|since| stored.epoch.is_none_or(|epoch| epoch < since)) {
            return true;
        }
        let epoch = self.lock.epoch();
        let (id16, body) = match &mut self.lock {
            Lock::Quick { keys, .. } => (written.id16(), letter::seal(keys, &written, cx.rng)),
            Lock::Private(private) => {
                let sealing = self.sealed.seal(self.id, &mut self.progress, private, &written, false, cx);
                let Some(sealing) = sealing else { return true };
                (id16_again(&written.hash(), epoch), sealing.body)
            }
            Lock::Outside(_) => return false,
        };
        let request = session.request(self.id);
        let frame = Append { request, log, id16, epoch, ttl, body: &body, advance: None };
        session.say(&ClientFrame::Append(frame), cx);
        true
    }

    /// The relay has kept a letter.
    pub(crate) fn kept(&mut self, frame: &Kept, session: &mut Session, cx: &mut Cx<'_>) {
        if let Some(outgoing) = self.outbox.take(|o| o.request == Some(frame.request)) {
            self.outbox.window = self.outbox.window.saturating_add(1).min(WINDOW);
            self.outbox.told = None;
            self.settle(&outgoing, frame.cursor, cx);
        } else {
            self.commits.kept(frame.request, cx.now);
        }
        self.pump(session, cx);
    }

    /// A letter of ours stands in the log, whether or not its acknowledgement came. True if the outbox had it.
    pub(super) fn echoed(&mut self, hash: &[u8; 32], cursor: Cursor, cx: &mut Cx<'_>) -> bool {
        if self.timeline.get(hash).is_some_and(|l| l.stored.state != StoredState::Sending) {
            return true;
        }
        match self.outbox.take(|o| o.written.hash() == *hash) {
            Some(outgoing) => {
                self.settle(&outgoing, cursor, cx);
                true
            }
            None => false,
        }
    }

    fn settle(&mut self, outgoing: &Outgoing, cursor: Cursor, cx: &mut Cx<'_>) {
        cx.delete(names::numbered(self.id, Tag::Outbox, outgoing.seq));
        let hash = outgoing.written.hash();
        if let Some(sealing) = &outgoing.sealing {
            sealing.settled(self.id, &hash, cx);
        }
        if let Some(letter) = self.timeline.get_mut(&hash) {
            letter.stored.cursor = Some(cursor);
            letter.stored.kept_at = Some(cx.now);
            self.answers.unseen.get_or_insert(cx.now.saturating_add(UNSEEN_MS));
            if letter.stored.state == StoredState::Sending {
                letter.stored.state = StoredState::Kept;
            }
        }
        self.keep_state(&hash, cx);
    }

    /// Writes a letter's state down and tells it.
    pub(super) fn keep_state(&mut self, hash: &[u8; 32], cx: &mut Cx<'_>) {
        let Some(letter) = self.timeline.get(hash) else { return };
        cx.put(names::numbered(self.id, Tag::Letter, letter.seq), &letter.stored);
        if letter.stored.text.is_some() {
            let (state, cursor) = (letter.state(), letter.stored.cursor);
            cx.event(Event::State { room: self.id, id: LetterId(*hash), state, cursor });
        }
    }

    /// The relay did not take a letter.
    pub(super) fn append_refused(&mut self, request: u64, frame: &Refused, cx: &mut Cx<'_>) {
        let Some(outgoing) = self.outbox.queue.iter_mut().find(|o| o.request == Some(request)) else { return };
        outgoing.request = None;
        let hash = outgoing.written.hash();
        if frame.code == Refusal::StaleEpoch && self.lock.private().is_some() {
            // A commit is on its way to us; it is sealed anew when that has come.
            self.stale(cx);
            return;
        }
        match frame.code.retry() {
            // The session is about to end, or the log is attached to anew: nothing is gained by asking again at once.
            Retry::Reconnect => self.outbox.pause_until = cx.now.saturating_add(RECONNECT_PAUSE_MS),
            Retry::Later => {
                // What stands behind it in flight may be kept before it: with a smaller window that is less.
                self.outbox.window = (self.outbox.window / 2).max(1);
                self.outbox.pause_until = cx.now.saturating_add(later(frame, cx));
                self.tell_waiting(frame.code, cx);
            }
            Retry::Never => {
                let why = match (frame.code, frame.limit) {
                    (Refusal::BadTtl, Some(max)) => {
                        format!(
                            "the relay did not take it: this room keeps messages for at most {max} s; send it again with a shorter time to live"
                        )
                    }
                    (code, _) => {
                        format!("the relay did not take it: {}; change it and send it again", refusal_in_words(code))
                    }
                };
                self.fail(&hash, why, cx);
            }
        }
    }

    fn tell_waiting(&mut self, code: Refusal, cx: &mut Cx<'_>) {
        let worth = !matches!(code, Refusal::RateLimited | Refusal::Busy);
        if worth && self.outbox.told.replace(code) != Some(code) {
            cx.tell(Draft::new(
                Some(self.id),
                NoticeKind::Relay,
                format!("the relay can't keep new messages now: {}", refusal_in_words(code)),
                "They wait here and are sent as soon as it can; tell the relay's owner if it lasts.",
            ));
        }
    }

    /// Gives a letter up: it stays to be seen, and says why.
    pub(super) fn fail(&mut self, hash: &[u8; 32], why: String, cx: &mut Cx<'_>) {
        let Some(outgoing) = self.outbox.take(|o| o.written.hash() == *hash) else { return };
        cx.delete(names::numbered(self.id, Tag::Outbox, outgoing.seq));
        if let Some(sealing) = &outgoing.sealing {
            sealing.settled(self.id, hash, cx);
        }
        self.transcript.gave_up(hash, cx.now);
        let Some(letter) = self.timeline.get_mut(hash) else { return };
        let shows = letter.stored.text.is_some();
        letter.stored.state = StoredState::Failed(why.clone());
        self.keep_state(hash, cx);
        if shows {
            let advice = "Look at the message to try it again, or discard it.";
            let draft =
                Draft::new(Some(self.id), NoticeKind::NotSent, format!("a message was not sent: {why}"), advice);
            cx.tell(draft.letter(*hash));
        }
    }
}

/// What the relay is told of a letter's life: the seconds that remain; none: its time is over.
#[expect(clippy::option_option, reason = "three answers: over, none given, so many seconds")]
fn ttl_left(written: &Written, now: Millis, max_ttl: Option<u64>) -> Option<Option<u64>> {
    let Some(ends_at) = letter::ends_at(written.sent_at(), written.ttl()) else { return Some(None) };
    let left = ends_at.checked_sub(now).filter(|left| *left > 0)?.div_ceil(1_000);
    Some(Some(left.min(max_ttl.unwrap_or(MAX_TTL_SECONDS))))
}
