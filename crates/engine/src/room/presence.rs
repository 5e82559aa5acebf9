//! Who is here, and who is typing: signals, sealed and never stored. They are believed for a minute, and only once.

use std::collections::BTreeMap;

use estoile_seal::signal::{SignalKind, SignalMessage};
use estoile_wire::frame::{Signal, Signalled};
use estoile_wire::{ClientFrame, Millis, PublicKey};

use super::attach::Attach;
use super::people::MAX_PEOPLE;
use super::{Room, duration};
use crate::board::Draft;
use crate::link::Session;
use crate::notice::NoticeKind;
use crate::out::Cx;

/// A signal whose own time is further away than this is a replay, or a clock that is wrong.
pub(crate) const FRESH_MS: u64 = 60_000;
/// Clocks that differ by less are nobody's concern.
const TOLERANCE_MS: u64 = 5_000;
/// We say that we are here this often, and a random while more.
const HERE_EVERY_MS: u64 = 45_000;
const HERE_SPREAD_MS: u64 = 15_000;
/// In a large room less often: everybody's word goes to everybody.
const HERE_EACH_MS: u64 = 100;
/// Somebody is here until so long after their last word, or two and a half of their periods in a large room.
const HERE_LASTS_MS: u64 = 120_000;
/// Everybody who is asked who is here waits a random while that grows with the room.
const ANSWER_EACH_MS: u64 = 20;
/// Typing is said at most this often.
const TYPING_EVERY_MS: u64 = 3_000;

/// When we speak next.
#[derive(Debug, Default)]
pub(super) struct Presence {
    next_here: Option<Millis>,
    answer_at: Option<Millis>,
    last_typing: Millis,
    last_signal: Millis,
    /// Each sender's newest signal's own time: older ones are replays.
    newest: BTreeMap<PublicKey, Millis>,
}

impl Presence {
    pub(super) fn next_timeout(&self) -> Option<Millis> {
        self.next_here.into_iter().chain(self.answer_at).min()
    }

    pub(super) fn clock_went_back(&mut self, by: u64) {
        self.next_here = self.next_here.map(|at| at.saturating_sub(by));
        self.answer_at = self.answer_at.map(|at| at.saturating_sub(by));
        self.last_typing = self.last_typing.saturating_sub(by);
    }

    pub(super) fn ends(&mut self) {
        self.next_here = None;
        self.answer_at = None;
    }
}

impl Room {
    /// Seals a signal and sends it. One that can't be sealed is no loss.
    pub(super) fn signal(&mut self, kind: SignalKind, session: &Session, cx: &mut Cx<'_>) {
        // Each later than the one before, so that receivers can drop what comes twice.
        // A clock that was far ahead for a while must not make us unbelievable until that time has come.
        let later = self.presence.last_signal.saturating_add(1).min(cx.now.saturating_add(FRESH_MS / 2));
        let sent_at = cx.now.max(later);
        self.presence.last_signal = sent_at;
        let message = SignalMessage { kind, name: self.stored.own_name.clone(), sender: self.own, sent_at };
        let Some(log) = self.lock.log() else { return };
        if let Some(body) = self.lock.seal_signal(&message, cx.rng) {
            session.say(&ClientFrame::Signal(Signal { log, body: &body }), cx);
        }
    }

    /// We are live: ask who is here, which says that we are.
    pub(super) fn presence_begins(&mut self, session: &Session, cx: &mut Cx<'_>) {
        if self.stored.sociable && self.presence.next_here.is_none() {
            self.signal(SignalKind::WhoIsHere, session, cx);
            self.plan_here(cx);
        }
    }

    fn plan_here(&mut self, cx: &mut Cx<'_>) {
        let large = self.people.here_count(cx.now).saturating_mul(HERE_EACH_MS);
        let period = HERE_EVERY_MS.saturating_add(cx.below(HERE_SPREAD_MS)).max(large);
        self.presence.next_here = Some(cx.now.saturating_add(period));
    }

    /// A signal of somebody attached now.
    pub(crate) fn signalled(&mut self, frame: &Signalled<'_>, session: &mut Session, cx: &mut Cx<'_>) {
        let Ok(message) = self.lock.open_signal(frame.body) else {
            // Around a commit signals of the epoch before or after it are under way: no keys are kept for them.
            if self.is_private() {
                return;
            }
            cx.tell(Draft::new(
                Some(self.id),
                NoticeKind::Forged,
                "a signal in this room was not made with the room's key, or was altered on the way; it is ignored",
                "The relay, or somebody on the way, does this; nothing came of it. Tell its owner if it goes on.",
            ));
            return;
        };
        if message.sender != self.own {
            self.compare_clocks(&message, session.clock_off, cx);
        }
        let fresh = message.sent_at.abs_diff(cx.now) <= FRESH_MS;
        if !fresh || message.sender == self.own || !self.first_time(&message, cx) {
            return;
        }
        let key = self.person(&message.sender);
        let ours = key == self.person(&self.own);
        let lasts = self.people.here_count(cx.now).saturating_mul(HERE_EACH_MS * 5 / 2).max(HERE_LASTS_MS);
        let until = cx.now.saturating_add(lasts);
        match message.kind {
            // Another device of our own: we are here anyway.
            SignalKind::Here | SignalKind::Gone | SignalKind::Typing if ours => {}
            SignalKind::Here => self.people.here(&key, until, cx.now),
            SignalKind::Gone => self.people.gone(&key),
            SignalKind::Typing => {
                self.people.here(&key, until, cx.now);
                self.people.typing(&key, cx.now);
            }
            SignalKind::WhoIsHere => {
                self.people.here(&key, until, cx.now);
                let spread = self.people.here_count(cx.now).saturating_mul(ANSWER_EACH_MS);
                let at = cx.now.saturating_add(cx.below(spread));
                self.presence.answer_at = self.presence.answer_at.or(Some(at)).filter(|_| self.stored.sociable);
            }
            SignalKind::Missing { author, hashes } => self.missed(author, &hashes, session, cx),
            SignalKind::NeverKnown { hashes } => {
                for hash in &hashes {
                    if let Some(finding) = self.transcript.denied(hash, &message.sender) {
                        self.finding(&finding, cx);
                    }
                    self.answers.denied(hash);
                }
                self.ask(Some(session), cx);
            }
        }
    }

    /// A time from the future is signed, and no relay can make it: one of the two clocks is wrong, and how far. One from the
    /// past may only have been held back. What the relay's greeting has shown of our own clock is told already.
    fn compare_clocks(&mut self, message: &SignalMessage, clock_off: i64, cx: &mut Cx<'_>) {
        let behind = u64::try_from(clock_off).unwrap_or_default();
        let ahead = message.sent_at.saturating_sub(cx.now.saturating_add(behind));
        let key = self.person(&message.sender);
        let Some(person) = self.people.get_mut(&key) else { return };
        if ahead <= TOLERANCE_MS || ahead.abs_diff(person.ahead_told) <= TOLERANCE_MS {
            return;
        }
        person.ahead_told = ahead;
        let who = self.people.shown(&message.name, &key);
        let mut detail = format!("the clock of {who} is {} ahead of this one", duration(ahead));
        if ahead > FRESH_MS {
            detail.push_str(", so their presence and their questions for missing messages are not heeded");
        }
        let advice = "One of the two is wrong: compare both with a clock that is right.";
        cx.tell(Draft::new(Some(self.id), NoticeKind::Clock, detail, advice).about(message.sender, &message.name));
    }

    /// Remembers whose signal it is; false if it came before.
    fn first_time(&mut self, message: &SignalMessage, cx: &mut Cx<'_>) -> bool {
        let newest = self.presence.newest.get(&message.sender).copied().unwrap_or_default();
        if newest >= message.sent_at {
            return false;
        }
        self.heard(message.sender, &message.name, cx.now, cx);
        if self.presence.newest.len() >= MAX_PEOPLE {
            self.presence.newest.retain(|_, at| at.saturating_add(FRESH_MS) >= cx.now);
            if self.presence.newest.len() >= MAX_PEOPLE {
                self.presence.newest.pop_first();
            }
        }
        self.presence.newest.insert(message.sender, message.sent_at);
        true
    }

    /// Says what is due.
    pub(super) fn presence_due(&mut self, session: &mut Session, cx: &mut Cx<'_>) {
        if !matches!(self.attach, Attach::Live) {
            return;
        }
        self.deny_due(session, cx);
        if self.presence.next_timeout().is_some_and(|at| at <= cx.now) {
            self.presence.answer_at = None;
            self.signal(SignalKind::Here, session, cx);
            self.plan_here(cx);
        }
    }

    /// The user is typing.
    pub(crate) fn typing(&mut self, session: &Session, cx: &mut Cx<'_>) {
        let quiet = self.presence.last_typing.saturating_add(TYPING_EVERY_MS) > cx.now;
        if self.stored.sociable && matches!(self.attach, Attach::Live) && !quiet {
            self.presence.last_typing = cx.now;
            self.signal(SignalKind::Typing, session, cx);
        }
    }

    /// We leave.
    pub(crate) fn goodbye(&mut self, session: &Session, cx: &mut Cx<'_>) {
        if self.stored.sociable && matches!(self.attach, Attach::Live) {
            self.signal(SignalKind::Gone, session, cx);
        }
    }
}
