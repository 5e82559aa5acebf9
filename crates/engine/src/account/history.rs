//! The messages that come along to a new device: sealed in parts and put by the old one, got and opened by the new one.
//!
//! Their key and their places stand in the device link's grant alone, so that nothing that comes by another way can be taken
//! for them, and nobody can ask for them. Both sides keep in the vault what is still to be done.

use std::collections::BTreeMap;
use std::sync::Arc;

use estoile_seal::history::{HistoryKey, Offer, PartRef, RoomPast};
use estoile_wire::frame::BlobAsk;
use estoile_wire::id::BlobHash;
use estoile_wire::{ClientFrame, LogId, Millis, PublicKey};

use super::stored::{StoredHistory, StoredPart, StoredPartRef};
use super::{Accounts, Entry};
use crate::blob::{Download, Step, Upload};
use crate::board::Draft;
use crate::channel::{ChannelId, Purpose};
use crate::link::Session;
use crate::names::own_numbered;
use crate::notice::NoticeKind;
use crate::out::Cx;
use crate::turn::{BlobError, Effect};
use crate::view::HistoryView;

/// Seconds that the parts lie at the relay: the two devices lie side by side, and one of them may be shut for a night.
const KEPT_S: u64 = 2 * 24 * 60 * 60;
/// What is not at the relay is looked for again after this long.
const AGAIN_MS: u64 = 5 * 60 * 1000;

/// What is to go along: parts, the newest messages first, and how many messages they have.
pub(crate) type Packed = (Vec<Vec<RoomPast>>, u64);

/// The messages under way, on either side.
#[derive(Default)]
pub(crate) struct History {
    /// Parts of ours that the relay does not have yet.
    out: BTreeMap<u64, StoredPart>,
    up: Option<Upload>,
    /// The relay keeps nothing for as short a time as we asked for, or as long: its own time counts.
    any_life: bool,
    /// What came, and whose room is not here yet.
    past: BTreeMap<u64, RoomPast>,
    down: Option<Download>,
    /// What is to be got was looked for in this process, and is not there yet.
    missed: bool,
    again_at: Option<Millis>,
    told: bool,
}

impl core::fmt::Debug for History {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("History(..)")
    }
}

impl History {
    pub(super) fn restore_part(&mut self, number: u64, part: StoredPart) {
        self.out.insert(number, part);
    }

    pub(super) fn restore_past(&mut self, number: u64, past: RoomPast) {
        self.past.insert(number, past);
    }

    /// The connection is gone.
    pub(super) fn offline(&mut self) {
        if let Some(up) = &mut self.up {
            up.offline();
        }
    }

    /// Takes away what came and belongs nowhere any more.
    pub(super) fn clear_past(&mut self, cx: &mut Cx<'_>) {
        for (number, _) in core::mem::take(&mut self.past) {
            cx.delete(own_numbered(Entry::Past, number));
        }
    }

    fn next<T>(entries: &BTreeMap<u64, T>) -> u64 {
        entries.last_key_value().map_or(0, |(number, _)| number.saturating_add(1))
    }
}

fn count(messages: u64) -> String {
    if messages == 1 { "1 message".to_owned() } else { format!("{messages} messages") }
}

impl Accounts {
    /// Seals what goes along to a new device, and keeps it until the relay has it. What the grant says of it.
    pub(super) fn pack_history(&mut self, device: &PublicKey, packed: Packed, cx: &mut Cx<'_>) -> Option<Offer> {
        let (parts, messages) = packed;
        let account = self.own.as_ref()?.id();
        if parts.is_empty() {
            return None;
        }
        let key = HistoryKey::generate(cx.rng);
        let until = cx.now.saturating_add(KEPT_S.saturating_mul(1_000));
        let mut refs = Vec::new();
        for (number, rooms) in (0_u8..).zip(&parts) {
            let sealed = key.seal((&account, device), number, rooms, cx.rng);
            let size = u64::try_from(sealed.len()).unwrap_or(u64::MAX);
            refs.push(PartRef { hash: BlobHash::of(&sealed).0, size });
            let inside = rooms.iter().map(|room| room.messages.len()).sum::<usize>();
            let messages = u64::try_from(inside).unwrap_or(u64::MAX);
            let stored = StoredPart { device: *device, messages, sealed, until };
            let number = History::next(&self.history.out);
            cx.put(own_numbered(Entry::Part, number), &stored);
            self.history.out.insert(number, stored);
        }
        let detail = format!("{} kept here come along to the new device", count(messages));
        cx.tell(Draft::new(None, NoticeKind::Device, detail, "Leave this program open until they are at the relay."));
        Some(Offer { key, messages, parts: refs })
    }

    /// The old device brings messages along.
    pub(super) fn take_history(offer: &Offer, cx: &mut Cx<'_>) -> StoredHistory {
        let detail = format!("the old device brings {} along", count(offer.messages));
        let advice = "They stand in their rooms as soon as they are here, before what is said from now on.";
        cx.tell(Draft::new(None, NoticeKind::Device, detail, advice));
        StoredHistory {
            key: *offer.key.as_bytes(),
            messages: offer.messages,
            parts: offer.parts.iter().map(|p| StoredPartRef { hash: p.hash, size: p.size }).collect(),
            next: 0,
            brought: 0,
            lost: 0,
            until: cx.now.saturating_add(KEPT_S.saturating_mul(1_000)),
        }
    }

    /// How far the messages are.
    pub(super) fn history_view(&self) -> Option<HistoryView> {
        if let Some(history) = self.own.as_ref().and_then(|own| own.stored.history.as_ref()) {
            return Some(HistoryView { messages: history.messages, brought: history.brought, old: false });
        }
        let messages = self.history.out.values().map(|part| part.messages).sum();
        (messages > 0).then_some(HistoryView { messages, brought: 0, old: true })
    }

    /// Nothing of it can be done now.
    pub(super) fn history_quiet(&self) -> bool {
        let waits = self.own.as_ref().and_then(|own| own.stored.history.as_ref()).is_some_and(to_get);
        self.history.out.is_empty() && (!waits || self.history.missed)
    }

    fn history_runs(&self) -> bool {
        self.own.as_ref().is_some_and(|own| own.stored.stopped.is_none()) && self.log_channel().is_some()
    }

    /// When something of it is due.
    pub(super) fn history_timeout(&self) -> Option<Millis> {
        if !self.history_runs() {
            return None;
        }
        let h = &self.history;
        let ends = self.own.as_ref().and_then(|own| own.stored.history.as_ref()).map(|history| history.until);
        let up = h.up.as_ref().and_then(Upload::next_timeout);
        let down = h.down.as_ref().and_then(Download::next_timeout);
        let parts = h.out.values().map(|part| part.until).min();
        [up, down, h.again_at, ends, parts].into_iter().flatten().filter(|at| *at > 0).min()
    }

    /// Puts what is to be put, and gets what is to be got.
    pub(crate) fn history_due(&mut self, session: &mut Session, cx: &mut Cx<'_>) {
        if self.history_runs() {
            self.put_history(session, cx);
            self.get_history(cx);
        }
    }

    fn put_history(&mut self, session: &mut Session, cx: &mut Cx<'_>) {
        let Some(own) = &self.own else { return };
        let now = cx.now;
        let dead = |part: &StoredPart| part.until <= now || !own.chain.is_live(&part.device);
        for (number, _) in self.history.out.extract_if(.., |_, part| dead(part)) {
            cx.delete(own_numbered(Entry::Part, number));
            self.history.up = None;
            self.changed = true;
        }
        let Some(channel) =
            self.channels.values().find(|c| c.stored.purpose == Purpose::Account(own.stored.generation) && c.is_live())
        else {
            return;
        };
        let (id, log) = (channel.id, channel.log());
        while let Some(first) = self.history.out.first_entry() {
            let sealed = &first.get().sealed;
            let fresh = || Upload::new(BlobHash::of(sealed).0, Arc::from(sealed.as_slice()));
            let up = self.history.up.get_or_insert_with(fresh);
            if up.is_done() {
                cx.delete(own_numbered(Entry::Part, *first.key()));
                first.remove();
                self.history.up = None;
                self.changed = true;
                if self.history.out.is_empty() {
                    let detail = "the messages for the new device are at the relay, sealed for it";
                    cx.tell(Draft::new(None, NoticeKind::Device, detail, "It fetches them within two days."));
                }
                continue;
            }
            if let Some(why) = up.failed().map(str::to_owned) {
                self.history.up = None;
                if core::mem::replace(&mut self.history.any_life, true) {
                    self.history_refused_for_good(&why, cx);
                }
                continue;
            }
            if let Some(Step::Ask { hash, size }) = up.step(cx.now) {
                let request = session.request(id);
                up.asked(request);
                let ttl = (!self.history.any_life).then_some(KEPT_S);
                let ask = BlobAsk { request, log, hash: BlobHash(hash), size, ttl, ticket: None };
                session.say(&ClientFrame::BlobAsk(ask), cx);
            }
            break;
        }
    }

    fn history_refused_for_good(&mut self, why: &str, cx: &mut Cx<'_>) {
        for (number, _) in core::mem::take(&mut self.history.out) {
            cx.delete(own_numbered(Entry::Part, number));
        }
        self.changed = true;
        let detail =
            format!("the messages for the new device can't be brought along: the relay does not take them: {why}");
        let advice = "The new device shows what is said from now on; ask the relay's owner for more room.";
        cx.tell(Draft::new(None, NoticeKind::Device, detail, advice));
    }

    fn get_history(&mut self, cx: &mut Cx<'_>) {
        let Some(history) = self.own.as_mut().and_then(|own| own.stored.history.as_mut()) else { return };
        if history.until <= cx.now {
            let left = history.parts.len().saturating_sub(usize::try_from(history.next).unwrap_or(usize::MAX));
            history.lost = history.lost.saturating_add(u32::try_from(left).unwrap_or(u32::MAX));
            history.next = u32::try_from(history.parts.len()).unwrap_or(u32::MAX);
            self.history.down = None;
            self.history.clear_past(cx);
            self.keep_own();
            return;
        }
        let Some(part) = next_part(history) else { return };
        if self.history.again_at.is_some_and(|at| at > cx.now) {
            return;
        }
        self.history.again_at = None;
        if self.history.down.as_ref().is_none_or(|down| *down.hash() != part.hash) {
            self.history.down = Some(Download::new(part.hash, part.size));
        }
        let Some((relay, address)) = self.log_channel().map(|c| (c.relay, c.address())) else { return };
        if let Some(Step::Get { hash, size }) = self.history.down.as_mut().and_then(|down| down.step(cx.now)) {
            cx.out.effects.push(Effect::GetBlob { relay, address, hash, size });
        }
    }

    /// The relay takes a part.
    pub(super) fn history_granted(
        &mut self,
        id: ChannelId,
        request: u64,
        (token, received): ([u8; 32], u64),
        cx: &mut Cx<'_>,
    ) {
        let Some(channel) = self.channels.get(&id) else { return };
        let (relay, address) = (channel.relay, channel.address());
        let Some(up) = self.history.up.as_mut().filter(|up| up.awaits(request)) else { return };
        if let Some(Step::Put { token, from, hash, bytes }) = up.granted(token, received) {
            cx.out.effects.push(Effect::PutBlob { relay, address, hash, token, from, bytes });
        }
    }

    /// The relay does not take it. False: it was not about a part.
    pub(super) fn history_refused(&mut self, request: u64, never: Option<&str>, cx: &Cx<'_>) -> bool {
        let Some(up) = self.history.up.as_mut().filter(|up| up.awaits(request)) else { return false };
        up.refused(never.is_none(), None, never.unwrap_or("the relay is busy"), cx.now);
        true
    }

    /// The driver has put a part, or not. False: it is none.
    pub(super) fn history_was_put(&mut self, hash: &[u8; 32], result: &Result<(), BlobError>, cx: &Cx<'_>) -> bool {
        let Some(up) = self.history.up.as_mut().filter(|up| up.hash() == hash) else { return false };
        up.ended(result, cx.now);
        true
    }

    /// The driver has got a part, or not. False: it is none.
    pub(super) fn history_was_got(
        &mut self,
        hash: &[u8; 32],
        result: &Result<Vec<u8>, BlobError>,
        cx: &mut Cx<'_>,
    ) -> bool {
        let Some(down) = self.history.down.as_mut().filter(|down| down.hash() == hash) else { return false };
        self.history.missed |= result.is_err();
        let Some(ended) = down.ended(result.clone(), cx.now) else { return true };
        self.history.down = None;
        match ended {
            Ok(bytes) => self.open_part(&bytes, cx),
            Err(error) => self.part_is_missing(&error, cx),
        }
        true
    }

    fn part_is_missing(&mut self, error: &BlobError, cx: &mut Cx<'_>) {
        self.history.again_at = Some(cx.now.saturating_add(AGAIN_MS));
        if !core::mem::replace(&mut self.history.told, true) {
            let (BlobError::Later(why) | BlobError::Never(why)) = error;
            let detail = format!("the messages of the old device are not all here yet: {why}");
            let advice = "Open the program on the old device, so that it puts them to the relay; they are looked for again for two days.";
            cx.tell(Draft::new(None, NoticeKind::Device, detail, advice));
        }
    }

    fn open_part(&mut self, sealed: &[u8], cx: &mut Cx<'_>) {
        let Some(own) = self.own.as_mut() else { return };
        let (account, device) = (own.id(), own.device.public());
        let Some(history) = own.stored.history.as_mut() else { return };
        let number = u8::try_from(history.next).unwrap_or(u8::MAX);
        let opened = HistoryKey::from_bytes(history.key).open((&account, &device), number, sealed);
        history.next = history.next.saturating_add(1);
        match opened {
            Ok(rooms) => {
                for past in rooms {
                    let number = History::next(&self.history.past);
                    cx.out.changes.put(own_numbered(Entry::Past, number), past.encode().to_vec());
                    self.history.past.insert(number, past);
                }
            }
            Err(error) => {
                history.lost = history.lost.saturating_add(1);
                let advice = "Look at them on the old device.";
                cx.tell(Draft::new(None, NoticeKind::Device, error.to_string(), advice));
            }
        }
        self.keep_own();
    }

    /// What came and is in no room yet, with its room's log.
    pub(crate) fn past_waiting(&self) -> Vec<(u64, LogId)> {
        self.history.past.iter().map(|(number, past)| (*number, past.log)).collect()
    }

    /// Hands it over: the room keeps it from this turn on.
    pub(crate) fn take_past(&mut self, number: u64, cx: &mut Cx<'_>) -> Option<RoomPast> {
        let past = self.history.past.remove(&number)?;
        cx.delete(own_numbered(Entry::Past, number));
        if let Some(history) = self.own.as_mut().and_then(|own| own.stored.history.as_mut()) {
            let messages = u64::try_from(past.messages.len()).unwrap_or(u64::MAX);
            history.brought = history.brought.saturating_add(messages);
        }
        self.keep_own();
        Some(past)
    }

    /// Says so when all is here.
    pub(crate) fn look_whether_brought(&mut self, cx: &mut Cx<'_>) {
        let none_left = self.history.past.is_empty();
        let Some(own) = self.own.as_mut() else { return };
        let Some(history) = own.stored.history.take_if(|history| none_left && !to_get(history)) else { return };
        let brought = count(history.brought);
        let (detail, advice) = if history.lost == 0 && history.brought >= history.messages {
            (format!("{brought} of the old device are here"), "Nothing is to be done.")
        } else {
            let detail = format!("{brought} of the old device's {} are here; the rest did not come", history.messages);
            (detail, "Look at the others on the old device.")
        };
        cx.tell(Draft::new(None, NoticeKind::Device, detail, advice));
        self.keep_own();
    }
}

fn next_part(history: &StoredHistory) -> Option<StoredPartRef> {
    history.parts.get(usize::try_from(history.next).ok()?).copied()
}

fn to_get(history: &StoredHistory) -> bool {
    next_part(history).is_some()
}
