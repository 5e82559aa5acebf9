//! Replay memory: which counters of which sender have been here. It never forgets a counter while it knows the sender,
//! and it needs no clock. Knows nothing of hashes.

use std::collections::{BTreeMap, BTreeSet};

use estoile_wire::{Millis, PublicKey};

use super::graph::SenderNumber;
use crate::account::AccountId;

/// A room remembers this many senders; a stranger with the link can't make us hold more.
pub(super) const MAX_SENDERS: usize = 4096;
/// Separate gaps that are remembered a sender. Beyond it the oldest gap is closed: what would have filled it is refused as
/// a repeat. So a hostile sender hurts only the own letters; a relay that permutes an honest one's has to mix more than
/// twice as many before one is lost, and is told.
pub(super) const MAX_GAPS: usize = 1024;

/// What a counter is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fresh {
    /// Never here.
    New,
    /// Was here.
    Known,
}

/// One sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sender {
    pub(super) key: PublicKey,
    /// One more than the highest counter that was here.
    pub(super) next: u64,
    /// Counters below `next` that never were: from, to (exclusive), ascending.
    pub(super) gaps: Vec<(u64, u64)>,
    /// One more than the highest counter of ours that this sender has seen; 0: none.
    pub(super) seen_to: u64,
    /// When the last of this sender's letters ends; the maximum: one never does.
    pub(super) last_end: Millis,
    /// When we last had something of this sender.
    pub(super) heard: Millis,
    /// Whose device it is; none in a quick room, where each sender is a person.
    pub(super) account: Option<AccountId>,
    /// Removed from the room: it answers nothing more.
    pub(super) gone: bool,
}

impl Sender {
    fn new(key: PublicKey) -> Self {
        Self { key, next: 0, gaps: Vec::new(), seen_to: 0, last_end: 0, heard: 0, account: None, gone: false }
    }

    /// Whether this counter was here.
    pub(super) fn fresh(&self, counter: u64) -> Fresh {
        if counter >= self.next || self.gap(counter).is_some() { Fresh::New } else { Fresh::Known }
    }

    fn gap(&self, counter: u64) -> Option<usize> {
        let index = self.gaps.partition_point(|(_, to)| *to <= counter);
        self.gaps.get(index).filter(|(from, _)| *from <= counter).map(|_| index)
    }

    /// Remembers that it was here.
    pub(super) fn take(&mut self, counter: u64) {
        if counter >= self.next {
            if counter > self.next {
                self.gaps.push((self.next, counter));
            }
            self.next = counter.saturating_add(1);
        } else if let Some(index) = self.gap(counter) {
            let (from, to) = self.gaps.remove(index);
            let halves = [(from, counter), (counter.saturating_add(1), to)];
            let halves = halves.into_iter().filter(|(from, to)| from < to);
            self.gaps.splice(index..index, halves);
        }
        while self.gaps.len() > MAX_GAPS {
            self.gaps.remove(0);
        }
    }

    /// What it sent before our first epoch is nothing that we miss.
    pub(super) fn begin_at(&mut self, counter: u64) {
        if self.next == 0 {
            self.next = counter;
        }
    }

    /// The unbroken run of counters that never were and that ends with this one: its first.
    pub(super) fn run_to(&self, counter: u64) -> u64 {
        match self.gap(counter).and_then(|i| self.gaps.get(i)) {
            Some((from, _)) => *from,
            None => self.next.min(counter),
        }
    }

    /// How many counters in a range never were.
    pub(super) fn missing(&self, from: u64, to: u64) -> u64 {
        let beyond = to.saturating_sub(from.max(self.next));
        let overlap = |(a, b): &(u64, u64)| to.min(*b).saturating_sub(from.max(*a));
        self.gaps.iter().map(overlap).fold(beyond, u64::saturating_add)
    }

    /// Remembers when a letter of this sender ends, and that we had it.
    pub(super) fn heard(&mut self, ends_at: Option<Millis>, now: Millis) {
        self.last_end = self.last_end.max(ends_at.unwrap_or(Millis::MAX));
        self.heard = self.heard.max(now);
    }
}

/// All senders of a room.
#[derive(Clone, Debug, Default)]
pub(super) struct Senders {
    by_number: BTreeMap<SenderNumber, Sender>,
    by_key: BTreeMap<PublicKey, SenderNumber>,
    /// Every account's devices.
    by_account: BTreeSet<(AccountId, SenderNumber)>,
    last: SenderNumber,
    dirty: BTreeSet<SenderNumber>,
    /// When the newest letter was sent whose sender we forgot: what is older can't be told from what we forgot, so it is
    /// not asked for.
    pub(super) forgot_until: Millis,
}

impl Senders {
    pub(super) fn number(&self, key: &PublicKey) -> Option<SenderNumber> {
        self.by_key.get(key).copied()
    }

    pub(super) fn get(&self, key: &PublicKey) -> Option<&Sender> {
        self.by_number.get(&self.number(key)?)
    }

    pub(super) fn by_number(&self, number: SenderNumber) -> Option<&Sender> {
        self.by_number.get(&number)
    }

    pub(super) fn get_mut(&mut self, key: &PublicKey) -> Option<&mut Sender> {
        let number = self.number(key)?;
        self.dirty.insert(number);
        self.by_number.get_mut(&number)
    }

    pub(super) fn len(&self) -> usize {
        self.by_number.len()
    }

    /// The number of a sender, new or known. Where there are too many, one is forgotten first: of those whose letters have
    /// all ended, else of all but `own`, the one not heard for longest.
    pub(super) fn admit(&mut self, key: PublicKey, own: &PublicKey, now: Millis) -> SenderNumber {
        if let Some(number) = self.number(&key) {
            return number;
        }
        if self.len() >= MAX_SENDERS {
            self.forget_one(own, now);
        }
        self.last = self.last.saturating_add(1);
        self.put(self.last, Sender::new(key));
        self.dirty.insert(self.last);
        self.last
    }

    fn forget_one(&mut self, own: &PublicKey, now: Millis) {
        let others = self.by_number.iter().filter(|(_, s)| s.key != *own);
        let Some((number, heard)) =
            others.min_by_key(|(_, s)| (s.last_end >= now, s.heard)).map(|(n, s)| (*n, s.heard))
        else {
            return;
        };
        self.forgot_until = self.forgot_until.max(heard);
        if let Some(sender) = self.by_number.remove(&number) {
            self.by_key.remove(&sender.key);
            self.by_account.retain(|(_, n)| *n != number);
        }
        self.dirty.insert(number);
    }

    /// Puts a sender at its number, as new or out of the vault.
    pub(super) fn put(&mut self, number: SenderNumber, sender: Sender) {
        self.last = self.last.max(number);
        self.by_key.insert(sender.key, number);
        self.by_account.extend(sender.account.map(|account| (account, number)));
        self.by_number.insert(number, sender);
    }

    /// All came back from the vault: nothing is to be written.
    pub(super) fn restored(&mut self) {
        self.dirty.clear();
    }

    pub(super) fn take_dirty(&mut self) -> BTreeSet<SenderNumber> {
        core::mem::take(&mut self.dirty)
    }

    /// Says whose device a known sender is. It is in the room (again).
    pub(super) fn set_account(&mut self, key: &PublicKey, account: AccountId) {
        let Some(number) = self.number(key) else { return };
        let Some(sender) = self.by_number.get_mut(&number) else { return };
        if sender.account == Some(account) && !sender.gone {
            return;
        }
        let old = sender.account.replace(account);
        sender.gone = false;
        if let Some(old) = old {
            self.by_account.remove(&(old, number));
        }
        self.by_account.insert((account, number));
        self.dirty.insert(number);
    }

    /// The one number that stands for all devices of a sender's account.
    pub(super) fn person(&self, number: SenderNumber) -> SenderNumber {
        let account = self.by_number.get(&number).and_then(|s| s.account);
        let first = account.and_then(|a| self.by_account.range((a, 0)..=(a, SenderNumber::MAX)).next());
        first.map_or(number, |(_, first)| *first)
    }

    /// How far along our own chain a sender's person has seen, on any of its devices.
    pub(super) fn person_seen_to(&self, number: SenderNumber) -> u64 {
        let sender = self.by_number.get(&number);
        let Some(account) = sender.and_then(|s| s.account) else { return sender.map_or(0, |s| s.seen_to) };
        let devices = self.by_account.range((account, 0)..=(account, SenderNumber::MAX));
        devices.filter_map(|(_, n)| self.by_number.get(n)).map(|s| s.seen_to).max().unwrap_or(0)
    }

    /// How far along our own chain each other person has seen, ascending: an account counts once, and ours not at all.
    pub(super) fn seen_to(&self, own: &PublicKey) -> Vec<u64> {
        let me = self.number(own).map(|n| self.person(n));
        let persons = self.by_number.keys().filter(|n| self.person(**n) == **n && Some(**n) != me);
        let mut all: Vec<_> = persons.map(|n| self.person_seen_to(*n)).collect();
        all.sort_unstable();
        all
    }
}
