//! Questions: what the transcript misses is asked of the relay, then of the author; what others miss is answered.

use std::collections::BTreeMap;

use estoile_seal::signal::SignalKind;
use estoile_seal::transcript::{Act, Hash};
use estoile_wire::{Millis, PublicKey};

use super::Room;
use super::attach::Attach;
use crate::board::Draft;
use crate::link::Session;
use crate::notice::NoticeKind;
use crate::out::Cx;
use crate::stored::StoredState;

/// The same letter is sent again at most this often, whoever asks.
const AGAIN_MS: u64 = 30_000;
/// Letters sent again, or denied, that are remembered: a flood of questions beyond is not answered.
const MAX_ANSWERS: usize = 256;
/// A member who is not the author waits at least so long before saying that a letter was never known.
const DENY_MS: u64 = 300;
/// A letter that is kept and that nobody has seen for this long is worth a word, if somebody is there.
pub(super) const UNSEEN_MS: u64 = 600_000;

/// Answers to other members' questions.
#[derive(Debug, Default)]
pub(super) struct Answers {
    again: BTreeMap<Hash, Millis>,
    deny: BTreeMap<Hash, (Millis, bool)>,
    /// When to look for letters that are kept and not seen.
    pub(super) unseen: Option<Millis>,
}

impl Answers {
    pub(super) fn next_timeout(&self, live: bool) -> Option<Millis> {
        self.deny.values().filter(|_| live).map(|(at, _)| *at).chain(self.unseen).min()
    }

    /// This clock was set back.
    pub(super) fn clock_went_back(&mut self, by: u64) {
        for at in self.again.values_mut().chain(self.deny.values_mut().map(|(at, _)| at)).chain(&mut self.unseen) {
            *at = at.saturating_sub(by);
        }
    }

    /// Somebody else has said what we were about to say.
    pub(super) fn denied(&mut self, hash: &Hash) {
        if self.deny.get(hash).is_some_and(|(_, author)| !author) {
            self.deny.remove(hash);
        }
    }
}

impl Room {
    /// Does what the transcript wants done.
    pub(super) fn ask(&mut self, mut session: Option<&mut Session>, cx: &mut Cx<'_>) {
        // While the log is read again, the transcript's question is being answered.
        if self.attach.asking() {
            return;
        }
        let online = matches!(self.attach, Attach::Live) && session.is_some();
        for act in self.transcript.due(cx.now, online, cx.rng) {
            match act {
                Act::AskRelay => {
                    self.rescan.get_or_insert(cx.now);
                }
                Act::AskAuthor { author, hashes } => {
                    if let Some(session) = session.as_deref_mut() {
                        self.signal(SignalKind::Missing { author, hashes }, session, cx);
                    }
                }
                Act::Tell(finding) => self.finding(&finding, cx),
                Act::Beat => {
                    if online && self.stored.sociable && !self.progress.copied {
                        let ttl = self.beat_ttl();
                        // A beat that can't be written is no loss: the next letter confirms as well.
                        let _ = self.write(None, ttl, cx.now, cx);
                    }
                }
                // Ends of life have their own list, which also knows what the transcript has forgotten.
                Act::Ended(_) => {}
            }
        }
    }

    /// Somebody misses letters: ours are sent again, and what nobody here knows of is said to be unknown.
    pub(super) fn missed(&mut self, author: PublicKey, hashes: &[Hash], session: &mut Session, cx: &mut Cx<'_>) {
        self.transcript.overheard(hashes, cx.now);
        self.answers.again.retain(|_, at| at.saturating_add(AGAIN_MS) > cx.now);
        let everything = self.stored.newest.is_none() && matches!(self.attach, Attach::Live);
        let spread = self.people.here_count(cx.now).saturating_mul(20).saturating_add(200);
        for hash in hashes {
            let known = self.transcript.knows(hash);
            let ours = author == self.own;
            if ours && known {
                if self.answers.again.len() < MAX_ANSWERS && !self.answers.again.contains_key(hash) {
                    self.answers.again.insert(*hash, cx.now);
                    self.append_again(hash, session, cx);
                }
            } else if !known && (ours || everything) && self.answers.deny.len() < MAX_ANSWERS {
                let wait = if ours { 0 } else { DENY_MS.saturating_add(cx.below(spread)) };
                self.answers.deny.entry(*hash).or_insert((cx.now.saturating_add(wait), ours));
            }
        }
        self.deny_due(session, cx);
    }

    /// Says what is due to be said of letters that were never known here.
    pub(super) fn deny_due(&mut self, session: &mut Session, cx: &mut Cx<'_>) {
        let due = self.answers.deny.iter().filter(|(_, (at, _))| *at <= cx.now).map(|(hash, _)| *hash);
        let mut hashes: Vec<Hash> = due.take(estoile_seal::signal::MAX_HASHES).collect();
        for hash in &hashes {
            self.answers.deny.remove(hash);
        }
        // It may have come in the meantime.
        hashes.retain(|hash| !self.transcript.knows(hash));
        if !hashes.is_empty() {
            self.signal(SignalKind::NeverKnown { hashes }, session, cx);
        }
    }

    /// Looks for letters that are kept, and that nobody has seen though somebody was there.
    pub(super) fn look_for_unseen(&mut self, cx: &mut Cx<'_>) {
        if self.answers.unseen.is_none_or(|at| at > cx.now) {
            return;
        }
        self.answers.unseen = None;
        let kept = |l: &&super::Letter| l.own(&self.own) && l.stored.state == StoredState::Kept;
        let old = |at: Millis| at.saturating_add(UNSEEN_MS) <= cx.now;
        let waiting: Vec<Millis> = self.timeline.shown().filter(kept).filter_map(|l| l.stored.kept_at).collect();
        let unseen = waiting.iter().filter(|at| old(**at) && self.people.heard_since(&self.own, **at)).count();
        if unseen > 0 && !self.unseen_told {
            self.unseen_told = true;
            let detail = format!(
                "{unseen} of your messages are kept by the relay, but nobody has confirmed to have seen them, though others were here since"
            );
            let advice =
                "Ask the others in another way; if they don't have them, the relay holds them back: take another.";
            cx.tell(Draft::new(Some(self.id), NoticeKind::Unseen, detail, advice).count(unseen as u64));
        }
        if !waiting.is_empty() {
            self.answers.unseen = Some(cx.now.saturating_add(UNSEEN_MS));
        }
    }
}
