//! Messages from before this device was in the room, which another device of the account brings along.
//!
//! They are shown and end as others do, and are no part of the transcript: what this device never read, it can't confirm.

use estoile_seal::history::{Message, RoomPast};
use estoile_seal::transcript::{Hash, Place};
use estoile_wire::Millis;

use super::{Letter, Room};
use crate::names::{self, Tag};
use crate::out::Cx;
use crate::stored::{StoredBrought, StoredEnd, StoredLetter, StoredState};
use crate::view::Event;

/// Local numbers below a private room's first one that are free for what another device brings along.
pub(super) const FREE: u64 = 1 << 20;

impl Room {
    /// The messages at hand that go along to a new device, the newest first; none of a room that we are not in.
    pub(crate) fn past(&self, now: Millis) -> impl Iterator<Item = (Place, &Letter)> {
        let inside = self.lock.private().is_some() && !self.progress.is_out();
        let lives = move |letter: &&Letter| {
            let kept = matches!(letter.stored.state, StoredState::Kept | StoredState::Seen(_));
            inside && kept && letter.ends_at().is_none_or(|end| end > now) && !self.hold.holds(&letter.stored.hash)
        };
        self.timeline.shown().filter(lives).map(|letter| (letter.place(), letter))
    }

    /// One of them, as it travels.
    pub(crate) fn past_message(&self, letter: &Letter) -> Option<Message> {
        let s = &letter.stored;
        let own = self.lock.private().filter(|_| letter.own(&self.own)).map(|private| private.me().account);
        Some(Message {
            hash: s.hash,
            sender: s.sender,
            account: s.account.or(own)?,
            name: s.name.clone(),
            text: s.text.clone()?,
            sent_at: s.sent_at,
            ttl: s.ttl,
            place: (s.place_time, s.place_step),
            seen: if let StoredState::Seen(by) = s.state { by } else { 0 },
        })
    }

    /// Takes in what another device of ours brought along, the newest first.
    pub(crate) fn bring(&mut self, past: RoomPast, cx: &mut Cx<'_>) {
        let Some(mut seq) = self.progress.first_seq else { return };
        let mut any = false;
        for message in past.messages {
            let (hash, ends_at) = (message.hash, estoile_seal::letter::ends_at(message.sent_at, message.ttl));
            let here = self.timeline.get(&hash).is_some() || self.brought.contains_key(&hash);
            if here || self.transcript.knows(&hash) || ends_at.is_some_and(|end| end <= cx.now) {
                continue;
            }
            let Some(below) = seq.checked_sub(1) else { break };
            seq = below;
            any = true;
            self.devices.entry(message.sender).or_insert(message.account);
            let letter = Letter { seq, stored: stored(message) };
            cx.put(names::numbered(self.id, Tag::Letter, seq), &letter.stored);
            cx.put(names::numbered(self.id, Tag::Brought, seq), &StoredBrought { hash });
            if let Some(at) = ends_at {
                cx.put(names::numbered(self.id, Tag::End, seq), &StoredEnd { at, hash });
                self.ends.insert((at, seq), hash);
            }
            self.brought.insert(hash, seq);
            self.timeline.insert(letter, false);
        }
        self.progress.first_seq = Some(seq);
        // Faces show them without taking them for news.
        if any {
            cx.event(Event::Reload);
        }
    }

    /// Whether another device has brought this letter along: when it comes by the log after all, it is here already.
    pub(super) fn was_brought(&self, hash: &Hash) -> bool {
        self.brought.contains_key(hash)
    }

    /// It is gone.
    pub(super) fn forget_brought(&mut self, hash: &Hash, cx: &mut Cx<'_>) {
        if let Some(seq) = self.brought.remove(hash) {
            cx.delete(names::numbered(self.id, Tag::Brought, seq));
        }
    }

    /// The lowest local number in use.
    pub(crate) fn first_seq(&self) -> u64 {
        self.progress.first_seq.unwrap_or(0)
    }
}

fn stored(message: Message) -> StoredLetter {
    StoredLetter {
        hash: message.hash,
        sender: message.sender,
        name: message.name,
        text: Some(message.text),
        sent_at: message.sent_at,
        ttl: message.ttl,
        cursor: None,
        place_time: message.place.0,
        place_step: message.place.1,
        state: if message.seen > 0 { StoredState::Seen(message.seen) } else { StoredState::Kept },
        written: None,
        kept_at: None,
        account: Some(message.account),
        epoch: None,
    }
}
