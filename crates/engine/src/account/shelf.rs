//! The shelf: enough one-time key packages of this device lie there, and a last-resort one that is changed weekly.

use estoile_mls::{Suite, Validity, key_package};
use estoile_seal::Later;
use estoile_seal::shelf_item::ShelfItem;
use estoile_wire::frame::{Count, Counted, Put};
use estoile_wire::id::SlotId;
use estoile_wire::{ClientFrame, Millis, PublicKey, proof};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::own::Own;
use super::stored::StoredPackage;
use super::{Accounts, Entry};
use crate::board::Draft;
use crate::channel::Purpose;
use crate::link::Session;
use crate::names;
use crate::notice::NoticeKind;
use crate::out::Cx;

/// So many one-time items of each device lie on the shelf: a busy week of being invited.
pub(crate) const TARGET: u64 = 20;
/// Below this it is filled again.
const LOW: u64 = 10;
/// The shelf is looked at this often.
const CHECK_EVERY_MS: u64 = 10 * 60 * 1000;
/// After a refusal it is looked at again this soon, and after each further one in a row twice as late: a relay that says
/// that the shelf is empty and refuses what is put there must not have us make keys for ever.
const AGAIN_MS: u64 = 2_000;
/// A last-resort item may be taken again and again: it is changed this often.
const LAST_RESORT_MS: u64 = 7 * 24 * 60 * 60 * 1000;
/// Items of one put: with X-Wing keys and a long chain they fit in a frame of 64 KiB.
const BATCH: usize = 4;
/// Bytes of the items of one put.
const BATCH_BYTES: usize = 52 * 1024;
/// Packages are kept until they can't be used any more.
const KEEP_MS: u64 = 90 * 24 * 60 * 60 * 1000;
/// Under a slot's name.
const LABEL_SLOT: &[u8] = b"estoile.v1 shelf slot\0";

/// What is under way at the shelf.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    request: Option<u64>,
    /// The packages of the put under way.
    putting: Vec<u64>,
    next_check: Millis,
    left: Option<u64>,
    checked: Option<u64>,
    last_resort: bool,
    /// Slots of devices that are gone, to be dropped.
    drop: Vec<[u8; 16]>,
    was_full: bool,
    /// Refusals in a row.
    refusals: u32,
}

impl Shelf {
    pub(super) fn filled(&self) -> bool {
        self.checked.is_some_and(|left| left >= LOW) && self.last_resort
    }

    pub(super) fn next_timeout(&self, live: bool) -> Option<Millis> {
        (live && self.request.is_none() && self.next_check > 0).then_some(self.next_check)
    }

    pub(super) fn clock_went_back(&mut self, by: u64) {
        self.next_check = self.next_check.saturating_sub(by);
    }

    /// What was asked was not done: looked at again in a moment.
    pub(super) fn refused(&mut self, request: u64, now: Millis) {
        if self.request == Some(request) {
            self.offline();
            let wait = AGAIN_MS.saturating_mul(1_u64.checked_shl(self.refusals).unwrap_or(u64::MAX));
            self.next_check = now.saturating_add(wait.min(CHECK_EVERY_MS));
            self.refusals = self.refusals.saturating_add(1);
        }
    }

    pub(super) fn offline(&mut self) {
        self.request = None;
        self.putting.clear();
        self.left = None;
        self.next_check = 0;
    }
}

impl Accounts {
    pub(super) fn shelf_live(&self) -> bool {
        self.channel(Purpose::Shelf).is_some_and(|c| c.is_live())
    }

    /// Looks at the shelf, and fills it.
    pub(crate) fn fill_shelf(&mut self, session: &mut Session, cx: &mut Cx<'_>) {
        let stopped = self.own.as_ref().is_none_or(|own| own.stored.stopped.is_some());
        if stopped || !self.shelf_live() || self.shelf.request.is_some() || self.shelf.next_check > cx.now {
            return;
        }
        match self.shelf.left {
            None => self.count(session, cx),
            Some(left) => self.put_more(left, session, cx),
        }
    }

    fn count(&mut self, session: &mut Session, cx: &mut Cx<'_>) {
        let Some(channel) = self.channel(Purpose::Shelf) else { return };
        let (shelf, key) = (channel.log(), channel.access());
        let request = session.request(channel.id);
        let signature = key.sign(&proof::count(&session.relay_key, &session.nonce, &shelf));
        session.say(&ClientFrame::Count(Count { request, shelf, signature }), cx);
        self.shelf.request = Some(request);
    }

    fn put_more(&mut self, left: u64, session: &mut Session, cx: &mut Cx<'_>) {
        if let Some(slot) = self.shelf.drop.pop() {
            self.put(slot, true, Vec::new(), None, session, cx);
            return;
        }
        let waiting = || self.packages.iter().filter(|(_, p)| p.item.is_some() && !p.last_resort);
        let low = left < LOW || (!self.shelf.was_full && left < TARGET);
        if low && waiting().next().is_none() {
            for _ in 0..BATCH.min(usize::try_from(TARGET.saturating_sub(left)).unwrap_or(BATCH)) {
                self.make_package(false, cx);
            }
        }
        let Some(own) = self.own.as_ref() else { return };
        let old = own.stored.last_resort_at.is_none_or(|at| cx.now.saturating_sub(at) >= LAST_RESORT_MS);
        let has_one = self.packages.values().any(|p| p.item.is_some() && p.last_resort);
        if (old || !self.shelf.last_resort) && !has_one {
            self.make_package(true, cx);
        }
        let own_slot = self.own.as_ref().map(|own| slot(own, &own.device.public())).unwrap_or_default();
        let (mut items, mut bytes) = (Vec::new(), 0_usize);
        self.shelf.putting.clear();
        for (number, package) in self.packages.iter().filter(|(_, p)| p.item.is_some() && !p.last_resort) {
            let Some(item) = &package.item else { continue };
            bytes = bytes.saturating_add(item.len());
            if items.len() >= BATCH || bytes > BATCH_BYTES {
                break;
            }
            self.shelf.putting.push(*number);
            items.push(item.clone());
        }
        let last =
            if items.is_empty() { self.packages.iter().find(|(_, p)| p.item.is_some() && p.last_resort) } else { None };
        let last = last.map(|(number, p)| (*number, p.item.clone()));
        if let Some((number, _)) = last {
            self.shelf.putting.push(number);
        }
        let last = last.and_then(|(_, item)| item);
        if items.is_empty() && last.is_none() {
            // Everything is there: looked at again later.
            self.shelf.was_full = true;
            self.shelf.refusals = 0;
            self.shelf.left = None;
            self.shelf.checked = Some(left);
            self.shelf.next_check = cx.now.saturating_add(CHECK_EVERY_MS);
            self.clean_packages(cx);
            return;
        }
        self.put(own_slot, false, items, last, session, cx);
    }

    fn put(
        &mut self,
        slot: [u8; 16],
        clear: bool,
        items: Vec<Vec<u8>>,
        last_resort: Option<Vec<u8>>,
        session: &mut Session,
        cx: &mut Cx<'_>,
    ) {
        let Some(channel) = self.channel(Purpose::Shelf) else { return };
        let (shelf, key) = (channel.log(), channel.access());
        let request = session.request(channel.id);
        let slot = SlotId(slot);
        let items: Vec<&[u8]> = items.iter().map(Vec::as_slice).collect();
        let last_resort = last_resort.as_deref();
        let proof = proof::put(&session.relay_key, &session.nonce, &shelf, &slot, clear, &items, last_resort);
        let signature = key.sign(&proof);
        session.say(&ClientFrame::Put(Put { request, shelf, slot, clear, items, last_resort, signature }), cx);
        self.shelf.request = Some(request);
    }

    /// The shelf says what lies there.
    pub(super) fn counted(&mut self, request: u64, frame: &Counted, cx: &mut Cx<'_>) {
        if self.shelf.request != Some(request) {
            return;
        }
        self.shelf.request = None;
        for number in core::mem::take(&mut self.shelf.putting) {
            if let Some(package) = self.packages.get_mut(&number) {
                package.item = None;
                let (last, twin) = (package.last_resort, package.twin);
                self.keep_package(number, cx);
                if let Some(twin) = twin.filter(|t| self.packages.contains_key(t)) {
                    self.keep_package(twin, cx);
                }
                if let Some(own) = self.own.as_mut().filter(|_| last) {
                    own.stored.last_resort_at = Some(cx.now);
                    self.own_dirty = true;
                }
            }
        }
        let Some(own) = self.own.as_ref() else { return };
        let own_slot = slot(own, &own.device.public());
        let live: Vec<[u8; 16]> = own.chain.devices().iter().map(|d| slot(own, d)).collect();
        self.shelf.drop = frame.slots.iter().map(|s| s.slot.0).filter(|s| !live.contains(s)).collect();
        let found = frame.slots.iter().find(|s| s.slot.0 == own_slot);
        let left = found.map_or(0, |s| s.left);
        self.shelf.last_resort = found.is_some_and(|s| s.last_resort);
        self.told_taken(left, found.map_or(0, |s| s.last_resort_taken), cx);
        if found.is_none() {
            // A shelf that is new, or was lost: it knows no tickets either.
            if let Some(channel) = self.channel_mut(Purpose::Shelf)
                && !channel.stored.tickets.is_empty()
                && core::mem::take(&mut channel.stored.tickets_set)
            {
                channel.changed();
            }
            self.shelf.was_full = false;
        }
        self.shelf.left = Some(left);
        self.shelf.checked = Some(left);
        self.shelf.next_check = 0;
        self.changed = true;
    }

    /// What lay there was used up, or the last-resort item was taken.
    fn told_taken(&mut self, left: u64, taken: u64, cx: &mut Cx<'_>) {
        let Some(own) = self.own.as_mut() else { return };
        let again = taken > own.stored.last_resort_taken;
        own.stored.last_resort_taken = taken;
        if again {
            own.stored.last_resort_at = None;
            self.own_dirty = true;
        }
        if (left == 0 && self.shelf.was_full) || again {
            self.shelf.was_full = false;
            cx.tell(Draft::new(
                None,
                NoticeKind::Drained,
                "all one-time keys of this device at the relay were taken; new ones are put there now",
                "If you did not meet many people, somebody may be draining them: make a new contact link (estoile contact link --rotate).",
            ));
        }
    }

    /// Makes a package for each suite, and the item that carries them.
    fn make_package(&mut self, last_resort: bool, cx: &mut Cx<'_>) {
        let Some(own) = self.own.as_ref() else { return };
        let me = estoile_mls::Me {
            account: own.id().0,
            name: &own.stored.name,
            device_seed: &own.stored.device,
            chain: &own.stored.chain,
        };
        let validity = Validity::at(cx.now);
        let made = |suite| key_package(suite, &me, validity, last_resort).ok();
        let (Some(first), second) = (made(Suite::XWing), made(Suite::Classic)) else { return };
        let sealed = |packages: &[&[u8]], cx: &mut Cx<'_>| {
            let item = ShelfItem {
                chain: own.chain.clone(),
                name: own.stored.name.clone(),
                hpke: own.hpke_public.clone(),
                key_packages: packages.iter().map(|p| p.to_vec()).collect(),
                device: own.device.public(),
                later: Later::default(),
            };
            item.seal(&own.shelf_key(), &own.shelf(), &own.device, cx.rng).ok()
        };
        let both = second.as_ref().and_then(|s| sealed(&[&first.public, &s.public], cx));
        // With a long chain only one fits: rooms with post-quantum keys are the rule.
        let (item, second) = match both {
            Some(item) => (item, second),
            None => match sealed(&[&first.public], cx) {
                Some(item) => (item, None),
                None => return,
            },
        };
        let number = self.counters.package;
        self.counters.package = number.saturating_add(2);
        let twin = number.saturating_add(1);
        let stored = |package: &estoile_mls::NewKeyPackage, item, twin| StoredPackage {
            reference: package.reference.clone(),
            secret: package.secret.to_vec(),
            made_at: cx.now,
            last_resort,
            item,
            chain_len: own.chain.len(),
            twin,
        };
        let (first, second) = (
            stored(&first, Some(item), second.is_some().then_some(twin)),
            second.map(|s| stored(&s, None, Some(number))),
        );
        self.packages.insert(number, first);
        self.keep_package(number, cx);
        if let Some(second) = second {
            self.packages.insert(twin, second);
            self.keep_package(twin, cx);
        }
    }

    fn keep_package(&self, number: u64, cx: &mut Cx<'_>) {
        if let Some(package) = self.packages.get(&number) {
            cx.put(names::own_numbered(Entry::Package, number), package);
        }
    }

    /// A package was used: it and its twin are gone, unless it is a last-resort one.
    pub(crate) fn used_package(&mut self, reference: &[u8], cx: &mut Cx<'_>) {
        let Some((number, twin)) =
            self.packages.iter().find(|(_, p)| p.reference == reference && !p.last_resort).map(|(n, p)| (*n, p.twin))
        else {
            return;
        };
        for gone in [Some(number), twin].into_iter().flatten() {
            self.packages.remove(&gone);
            cx.delete(names::own_numbered(Entry::Package, gone));
        }
    }

    /// Packages that nobody can use any more.
    fn clean_packages(&mut self, cx: &mut Cx<'_>) {
        self.packages.retain(|number, package| {
            let over = cx.now.saturating_sub(package.made_at) > KEEP_MS;
            if over {
                cx.delete(names::own_numbered(Entry::Package, *number));
            }
            !over
        });
    }

    /// The secret part of a package, for whoever opens a Welcome.
    pub(crate) fn package_secret(&self, reference: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let package = self.packages.values().find(|p| p.reference == reference)?;
        Some(Zeroizing::new(package.secret.clone()))
    }
}

/// The name of a device's slot: known to the account's devices and contacts, and nothing to a relay.
fn slot(own: &Own, device: &PublicKey) -> [u8; 16] {
    let hash = Sha256::new().chain_update(LABEL_SLOT).chain_update(own.stored.keys.shelf).chain_update(device.0);
    let hash: [u8; 32] = hash.finalize().into();
    hash.first_chunk().copied().unwrap_or_default()
}
