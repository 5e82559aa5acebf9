//! Who is in a room: names and whose they are, who is here, who is typing.
//!
//! A name belongs to the key that used it first in this room, as this vault saw it. This layer opens no signals.

use std::collections::BTreeMap;

use estoile_seal::names::{fold, looks_marked};
use estoile_wire::{Millis, PublicKey};

use crate::names::{self, Tag};
use crate::out::Cx;
use crate::stored::StoredPerson;
use crate::view::{PersonView, RoomId};

/// People remembered in one room: as many as the transcript remembers senders.
pub(crate) const MAX_PEOPLE: usize = 4_096;
/// Names that one key can own: a person renames now and then, a squatter all day.
const MAX_OWNED: usize = 8;
/// Typing is over this long after the last signal that said so.
const TYPING_MS: u64 = 6_000;
/// When somebody was last heard is written down if it moved by this much.
const HEARD_STEP_MS: u64 = 600_000;

#[derive(Debug)]
pub(crate) struct Person {
    number: u64,
    stored: StoredPerson,
    /// Here until then, unless heard again.
    pub(crate) here_until: Millis,
    typing_until: Millis,
    /// How far their clock was said to be ahead of ours.
    pub(crate) ahead_told: u64,
    /// Their name folded, and whether it looks marked: folding four thousand names at every signal would take too long.
    folded: (String, bool),
}

impl Person {
    fn new(number: u64, stored: StoredPerson) -> Self {
        let folded = (fold(&stored.name), looks_marked(&stored.name));
        Self { number, here_until: 0, typing_until: 0, ahead_told: 0, folded, stored }
    }
}

/// The people of a room.
#[derive(Debug, Default)]
pub(crate) struct People {
    by_key: BTreeMap<PublicKey, Person>,
    owners: BTreeMap<String, PublicKey>,
    /// Faces must be told.
    pub(crate) changed: bool,
}

impl People {
    pub(crate) fn restore(&mut self, number: u64, stored: StoredPerson) {
        for name in &stored.owns {
            // An earlier version folded less.
            self.owners.entry(fold(name)).or_insert(stored.key);
        }
        self.by_key.insert(stored.key, Person::new(number, stored));
    }

    pub(crate) fn get_mut(&mut self, key: &PublicKey) -> Option<&mut Person> {
        self.by_key.get_mut(key)
    }

    /// What to show for a name that a key has used: marked, if the name is another key's or is made to look marked.
    pub(crate) fn shown(&self, name: &str, key: &PublicKey) -> String {
        let free = self.owners.get(&fold(name)).is_none_or(|owner| owner == key) || estoile_wire::weak::is("unmarked");
        if free && !looks_marked(name) { name.to_owned() } else { marked(name, key) }
    }

    fn shown_person(&self, key: &PublicKey, person: &Person) -> String {
        let (folded, looks_marked) = &person.folded;
        let free = self.owners.get(folded).is_none_or(|owner| owner == key) && !looks_marked;
        let name = &person.stored.name;
        if free { name.clone() } else { marked(name, key) }
    }

    /// The name that a key used last, as sent; nothing if it was never heard of.
    pub(crate) fn name_of(&self, key: &PublicKey) -> String {
        self.by_key.get(key).map(|person| person.stored.name.clone()).unwrap_or_default()
    }

    /// What to show for a key.
    pub(crate) fn shown_key(&self, key: &PublicKey) -> String {
        match self.by_key.get(key) {
            Some(person) => self.shown_person(key, person),
            None => marked("somebody", key),
        }
    }

    /// A letter or signal of somebody came. True if they use a name that is another's, and that is new.
    pub(crate) fn heard(
        &mut self,
        room: RoomId,
        next: &mut u64,
        key: PublicKey,
        name: &str,
        at: Millis,
        cx: &mut Cx<'_>,
    ) -> bool {
        if !self.by_key.contains_key(&key) {
            self.make_room(room, cx);
            let stored = StoredPerson { key, name: String::new(), owns: Vec::new(), last_heard: None };
            self.by_key.insert(key, Person::new(*next, stored));
            *next = next.saturating_add(1);
        }
        let Some(person) = self.by_key.get_mut(&key) else { return false };
        let renamed = person.stored.name != name;
        let mut taken = false;
        if renamed {
            self.changed = true;
            name.clone_into(&mut person.stored.name);
            let folded = fold(name);
            person.folded = (folded.clone(), looks_marked(name));
            match self.owners.get(&folded) {
                Some(owner) => taken = *owner != key,
                None if person.stored.owns.len() < MAX_OWNED => {
                    person.stored.owns.push(folded.clone());
                    self.owners.insert(folded, key);
                }
                None => {}
            }
        }
        let before = person.stored.last_heard;
        person.stored.last_heard = before.max(Some(at));
        let moved = before.is_none_or(|b| at > b.saturating_add(HEARD_STEP_MS));
        if renamed || moved {
            cx.put(names::numbered(room, Tag::Person, person.number), &person.stored);
            self.changed = true;
        }
        taken
    }

    /// Lets go of who came last, when there are too many, and first of one who owns no name: a flood of new
    /// keys must not free the names of those who are away.
    fn make_room(&mut self, room: RoomId, cx: &mut Cx<'_>) {
        if self.by_key.len() < MAX_PEOPLE {
            return;
        }
        let last = |p: &Person| (p.stored.owns.is_empty(), p.number);
        let last = self.by_key.iter().max_by_key(|(_, p)| last(p)).map(|(k, _)| *k);
        if let Some(person) = last.and_then(|key| self.by_key.remove(&key)) {
            for name in &person.stored.owns {
                self.owners.remove(&fold(name));
            }
            cx.delete(names::numbered(room, Tag::Person, person.number));
        }
    }

    /// Somebody said to be here.
    pub(crate) fn here(&mut self, key: &PublicKey, until: Millis, now: Millis) {
        if let Some(person) = self.by_key.get_mut(key) {
            self.changed |= person.here_until <= now;
            person.here_until = until;
        }
    }

    /// Somebody said to leave.
    pub(crate) fn gone(&mut self, key: &PublicKey) {
        if let Some(person) = self.by_key.get_mut(key) {
            self.changed |= person.here_until > 0;
            person.here_until = 0;
            person.typing_until = 0;
        }
    }

    /// Somebody is typing.
    pub(crate) fn typing(&mut self, key: &PublicKey, now: Millis) {
        if let Some(person) = self.by_key.get_mut(key) {
            self.changed |= person.typing_until <= now;
            person.typing_until = now.saturating_add(TYPING_MS);
        }
    }

    /// Somebody has sent what they were typing.
    pub(crate) fn typed(&mut self, key: &PublicKey) {
        if let Some(person) = self.by_key.get_mut(key) {
            self.changed |= person.typing_until > 0;
            person.typing_until = 0;
        }
    }

    /// We lost the relay: who is here is not known any more.
    pub(crate) fn nobody_here(&mut self) {
        for person in self.by_key.values_mut() {
            self.changed |= person.here_until > 0;
            person.here_until = 0;
            person.typing_until = 0;
        }
    }

    /// How many others are here.
    pub(crate) fn here_count(&self, now: Millis) -> u64 {
        self.by_key.values().filter(|p| p.here_until > now).count() as u64
    }

    /// Whether somebody else was heard of after a moment.
    pub(crate) fn heard_since(&self, own: &PublicKey, at: Millis) -> bool {
        self.by_key.iter().any(|(key, p)| key != own && p.stored.last_heard.is_some_and(|heard| heard > at))
    }

    /// When somebody stops being here or typing.
    pub(crate) fn next_timeout(&self) -> Option<Millis> {
        self.by_key.values().flat_map(|p| [p.here_until, p.typing_until]).filter(|at| *at > 0).min()
    }

    /// This clock was set back: who is here is not here for longer.
    pub(crate) fn clock_went_back(&mut self, by: u64) {
        for person in self.by_key.values_mut() {
            person.here_until = person.here_until.saturating_sub(by);
            person.typing_until = person.typing_until.saturating_sub(by);
        }
    }

    /// Ends what is over.
    pub(crate) fn due(&mut self, now: Millis) {
        for person in self.by_key.values_mut() {
            for until in [&mut person.here_until, &mut person.typing_until] {
                if *until > 0 && *until <= now {
                    *until = 0;
                    self.changed = true;
                }
            }
        }
    }

    /// All of them for faces: ourselves and those here first, then by name.
    pub(crate) fn views(&self, own: &PublicKey, online: bool, now: Millis) -> Vec<PersonView> {
        let mut views: Vec<PersonView> = self
            .by_key
            .iter()
            .map(|(key, p)| PersonView {
                name: p.stored.name.clone(),
                shown: self.shown_person(key, p),
                key: hex(&key.0),
                own: key == own,
                here: if key == own { online } else { p.here_until > now },
                typing: p.typing_until > now,
                last_heard: p.stored.last_heard,
                account: None,
                role: None,
                verified: false,
            })
            .collect();
        views.sort_by(|a, b| (!a.here, !a.own, &a.shown, &a.key).cmp(&(!b.here, !b.own, &b.shown, &b.key)));
        views
    }
}

fn marked(name: &str, key: &PublicKey) -> String {
    let [a, b, ..] = key.0;
    format!("{name}·{a:02x}{b:02x}")
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
