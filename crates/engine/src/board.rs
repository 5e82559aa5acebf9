//! The board of notices: numbers them, keeps the newest, and sums up what would flood a screen.
//!
//! It knows nothing of why a notice is told. A peer can cause many of them, so every container here has its bound.

use std::collections::{BTreeMap, VecDeque};

use estoile_wire::{Millis, PublicKey};

use crate::names;
use crate::notice::{Notice, NoticeKind};
use crate::out::{Cx, Out};
use crate::stored::{StoredNotice, decode, encode};
use crate::turn::Effect;
use crate::view::{Event, LetterId, RoomId};

/// Notices that the vault keeps: more than a screen of them, less than a nuisance.
pub(crate) const MAX_NOTICES: usize = 200;
/// So many notices about one thing are told one by one within [`WINDOW_MS`]; what follows is summed up at its end.
pub(crate) const BURST: u32 = 5;
/// The time within which notices about one thing are counted together.
pub(crate) const WINDOW_MS: u64 = 60_000;
/// Senders that are counted apart in one room and for one kind: keys are free, so somebody with a thousand of them must
/// not have a thousand bursts. Those beyond share a count.
const MAX_ALIKE: usize = 8;
/// Things that are counted apart; beyond, those of one room and kind share a count.
const MAX_SUBJECTS: usize = 1_024;

/// A notice before it has a number.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) room: Option<RoomId>,
    pub(crate) kind: NoticeKind,
    /// Whose doing: notices about different senders are counted apart.
    pub(crate) about: Option<PublicKey>,
    pub(crate) from: Option<String>,
    pub(crate) count: u64,
    pub(crate) letter: Option<LetterId>,
    pub(crate) detail: String,
    pub(crate) advice: &'static str,
}

impl Draft {
    /// About a room, or (none) about this client, and nobody in particular.
    pub(crate) fn new(room: Option<RoomId>, kind: NoticeKind, detail: impl Into<String>, advice: &'static str) -> Self {
        Self { room, kind, about: None, from: None, count: 1, letter: None, detail: detail.into(), advice }
    }

    /// Says whose doing it is: their key, and their name as they sent it.
    pub(crate) fn about(mut self, key: PublicKey, name: &str) -> Self {
        self.about = Some(key);
        self.from = Some(name.to_owned());
        self
    }

    /// Names the letter.
    pub(crate) const fn letter(mut self, hash: [u8; 32]) -> Self {
        self.letter = Some(LetterId(hash));
        self
    }

    /// Says how many letters it concerns.
    pub(crate) const fn count(mut self, count: u64) -> Self {
        self.count = count;
        self
    }
}

type Subject = (Option<RoomId>, NoticeKind, Option<PublicKey>);

#[derive(Debug)]
struct Recent {
    until: Millis,
    told: u32,
    more: u64,
    last: Draft,
}

/// The board.
#[derive(Debug, Default)]
pub(crate) struct Board {
    next: u64,
    kept: VecDeque<Notice>,
    recent: BTreeMap<Subject, Recent>,
}

impl Board {
    /// A board with the next number; what it kept comes by [`Self::restore`].
    pub(crate) fn new(next: u64) -> Self {
        Self { next, ..Self::default() }
    }

    /// The number of the next notice.
    pub(crate) const fn next_number(&self) -> u64 {
        self.next
    }

    /// Brings one back, in the order of their numbers.
    pub(crate) fn restore(&mut self, id: u64, bytes: &[u8]) -> Option<()> {
        let n: StoredNotice = decode(bytes)?;
        self.next = self.next.max(id.saturating_add(1));
        self.kept.push_back(Notice {
            id,
            room: n.room.map(RoomId),
            kind: NoticeKind::ALL.get(usize::from(n.kind)).copied()?,
            from: n.from,
            count: n.count,
            letter: n.letter.map(LetterId),
            detail: n.detail,
            advice: n.advice,
            at: n.at,
        });
        Some(())
    }

    /// Those worth showing in a room, oldest first.
    pub(crate) fn of(&self, room: RoomId) -> Vec<Notice> {
        self.kept.iter().filter(|n| n.room.is_none_or(|r| r == room)).cloned().collect()
    }

    /// Takes a room's notices away with it.
    pub(crate) fn forget(&mut self, room: RoomId, out: &mut Out) {
        for notice in self.kept.iter().filter(|n| n.room == Some(room)) {
            out.changes.delete(names::notice(notice.id));
        }
        self.kept.retain(|n| n.room != Some(room));
        self.recent.retain(|subject, _| subject.0 != Some(room));
    }

    /// When [`Self::due`] has something to sum up.
    pub(crate) fn next_timeout(&self) -> Option<Millis> {
        self.recent.values().filter(|r| r.more > 0).map(|r| r.until).min()
    }

    /// Sums up what was not told one by one, and forgets windows that are over.
    pub(crate) fn due(&mut self, now: Millis, out: &mut Out) {
        let over: Vec<Subject> = self.recent.iter().filter(|(_, r)| r.until <= now).map(|(s, _)| *s).collect();
        for subject in over {
            if let Some(recent) = self.recent.remove(&subject)
                && recent.more > 0
            {
                let mut sum = recent.last;
                sum.detail = format!("{} more like this: {}", recent.more, sum.detail);
                sum.count = recent.more;
                self.post(sum, now, out);
            }
        }
    }

    /// This clock was set back: what is summed up is not summed up later.
    pub(crate) fn clock_went_back(&mut self, by: u64) {
        for recent in self.recent.values_mut() {
            recent.until = recent.until.saturating_sub(by);
        }
    }

    fn tell(&mut self, draft: Draft, now: Millis, out: &mut Out) {
        let mut subject = (draft.room, draft.kind, draft.about);
        let none = (draft.room, draft.kind, None);
        let alike = self.recent.range(none..).take_while(|(s, _)| (s.0, s.1) == (none.0, none.1));
        let crowded = self.recent.len() >= MAX_SUBJECTS || alike.take(MAX_ALIKE).count() >= MAX_ALIKE;
        if crowded && !self.recent.contains_key(&subject) {
            subject.2 = None;
            if self.recent.len() >= MAX_SUBJECTS.saturating_mul(2) && !self.recent.contains_key(&subject) {
                self.recent.clear();
            }
        }
        let fresh = || Recent { until: now.saturating_add(WINDOW_MS), told: 0, more: 0, last: draft.clone() };
        let recent = self.recent.entry(subject).or_insert_with(fresh);
        if recent.until <= now && recent.more == 0 {
            *recent = fresh();
        }
        if recent.told < BURST {
            recent.told = recent.told.saturating_add(1);
            self.post(draft, now, out);
        } else {
            recent.more = recent.more.saturating_add(draft.count);
            recent.last = draft;
        }
    }

    fn post(&mut self, draft: Draft, now: Millis, out: &mut Out) {
        let notice = Notice {
            id: self.next,
            room: draft.room,
            kind: draft.kind,
            from: draft.from,
            count: draft.count,
            letter: draft.letter,
            detail: sentence(&draft.detail),
            advice: draft.advice.to_owned(),
            at: now,
        };
        self.next = self.next.saturating_add(1);
        out.changes.put(names::notice(notice.id), encode(&stored(&notice)));
        out.effects.push(Effect::Event(Event::Notice(notice.clone())));
        self.kept.push_back(notice);
        while self.kept.len() > MAX_NOTICES {
            if let Some(old) = self.kept.pop_front() {
                out.changes.delete(names::notice(old.id));
            }
        }
    }
}

/// A clause as a sentence: a capital in front, a full stop behind.
fn sentence(clause: &str) -> String {
    let mut chars = clause.chars();
    let mut sentence: String = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    sentence.push_str(chars.as_str());
    if !sentence.ends_with(['.', '?', '!']) {
        sentence.push('.');
    }
    sentence
}

fn stored(n: &Notice) -> StoredNotice {
    let kind = NoticeKind::ALL.iter().position(|k| *k == n.kind).and_then(|i| u8::try_from(i).ok());
    StoredNotice {
        room: n.room.map(|r| r.0),
        kind: kind.unwrap_or_default(),
        from: n.from.clone(),
        count: n.count,
        letter: n.letter.map(|l| l.0),
        detail: n.detail.clone(),
        advice: n.advice.clone(),
        at: n.at,
    }
}

impl Cx<'_> {
    /// Tells the user something.
    pub(crate) fn tell(&mut self, draft: Draft) {
        if estoile_wire::weak::silences(draft.kind.slug()) {
            return;
        }
        self.board.tell(draft, self.now, self.out);
    }
}
