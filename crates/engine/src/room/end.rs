//! Keeping letters, and ending their lives on time: in the vault, on the screens, in the outbox.

use estoile_seal::transcript::Hash;
use estoile_wire::Millis;

use super::{Letter, Room};
use crate::names::{self, Tag};
use crate::out::Cx;
use crate::stored::{StoredEnd, StoredLetter};
use crate::view::{Event, LetterId};

/// Letters that end in one turn: more are left for the next, so that no turn is long.
const ENDS_A_TURN: usize = 256;
/// A beat without a time to live is of no use after this: no relay keeps anything longer unless its owner says so.
const BEAT_LIFE_MS: u64 = 30 * 24 * 3_600 * 1_000;

impl Room {
    /// Gives a letter its local number and keeps it.
    pub(super) fn keep_letter(&mut self, stored: StoredLetter, cx: &mut Cx<'_>) -> Letter {
        let seq = self.progress.next_seq;
        self.progress.next_seq = seq.saturating_add(1);
        let letter = Letter { seq, stored };
        cx.put(names::numbered(self.id, Tag::Letter, seq), &letter.stored);
        if let Some(at) = self.last_moment(&letter) {
            let hash = letter.stored.hash;
            cx.put(names::numbered(self.id, Tag::End, seq), &StoredEnd { at, hash });
            self.ends.insert((at, seq), hash);
        }
        letter
    }

    /// The last moment at which a letter may be here.
    fn last_moment(&self, letter: &Letter) -> Option<Millis> {
        let beat = || {
            let life = self.progress.max_ttl.map_or(BEAT_LIFE_MS, |s| s.saturating_mul(1_000));
            letter.stored.text.is_none().then(|| letter.stored.sent_at.saturating_add(life))
        };
        letter.ends_at().or_else(beat)
    }

    pub(super) fn next_end(&self) -> Option<Millis> {
        self.ends.first_key_value().map(|((at, _), _)| at.saturating_add(1))
    }

    /// Ends the letters whose time is over, as many as a turn takes.
    pub(super) fn end_letters(&mut self, cx: &mut Cx<'_>) {
        for _ in 0..ENDS_A_TURN {
            if self.next_end().is_none_or(|at| at > cx.now) {
                break;
            }
            let Some(((_, seq), hash)) = self.ends.pop_first() else { break };
            if self.outbox.has(&hash) {
                let why = "its time was over before the relay had it; send it again when the relay is reached";
                self.fail(&hash, why.to_owned(), cx);
            }
            self.erase(seq, &hash, cx);
        }
    }

    /// Takes a letter at hand away.
    pub(super) fn remove_letter(&mut self, hash: &Hash, cx: &mut Cx<'_>) {
        if let Some(letter) = self.timeline.get(hash) {
            let seq = letter.seq;
            if let Some(at) = self.last_moment(letter) {
                self.ends.remove(&(at, seq));
            }
            self.erase(seq, hash, cx);
        }
    }

    fn erase(&mut self, seq: u64, hash: &Hash, cx: &mut Cx<'_>) {
        for tag in [Tag::Letter, Tag::End, Tag::Outbox] {
            cx.delete(names::numbered(self.id, tag, seq));
        }
        self.forget_brought(hash, cx);
        let shown = self.timeline.remove(hash).is_none_or(|letter| letter.stored.text.is_some());
        let told = !self.hold.holds(hash);
        self.hold.forget(hash);
        if shown && told {
            cx.event(Event::Ended { room: self.id, id: LetterId(*hash) });
        }
    }
}
