//! What was sealed in a private room's epoch: one sealing a letter, kept before it is sent.
//!
//! A ratchet key seals once. So the sealed bytes are in the vault before they travel, a retry sends the same ones, and a
//! record of ours in the log that is none of them was made by a copy of this vault. This layer reads no log.

use std::collections::{BTreeMap, BTreeSet};

use estoile_seal::letter::Written;
use estoile_seal::transcript::Hash;
use estoile_wire::Id16;
use sha2::{Digest, Sha256};

use super::outbox::Outbox;
use crate::names::{self, Tag};
use crate::out::Cx;
use crate::private::{Intent, Private, sender_trace};
use crate::stored::{Progress, StoredSealed};
use crate::view::RoomId;

/// Sealings remembered in one epoch; when there are more, a commit for fresh keys begins another.
const MANY: usize = 20_000;

/// Under the id of a letter that is sent once more because somebody misses it.
const LABEL_AGAIN: &[u8] = b"estoile.v1 letter id16 again\0";

/// A letter's id at the relay when its author sends it again in a private room: another one each epoch, because the relay
/// answers for the record under the first, which nobody can open any more.
pub(super) fn id16_again(hash: &Hash, epoch: u64) -> Id16 {
    let digest =
        Sha256::new().chain_update(LABEL_AGAIN).chain_update(hash).chain_update(epoch.to_be_bytes()).finalize();
    let mut id = [0; 16];
    id.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    Id16(id)
}

/// One sealing of a letter.
#[derive(Clone)]
pub(super) struct Sealing {
    number: u64,
    epoch: u64,
    digest: [u8; 32],
    trace: Option<[u8; 32]>,
    pub(super) body: Vec<u8>,
}

impl core::fmt::Debug for Sealing {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Sealing({} bytes)", self.body.len())
    }
}

impl Sealing {
    /// Its letter is in the log, or given up: the bytes are not needed any more, the digest is.
    pub(super) fn settled(&self, room: RoomId, hash: &Hash, cx: &mut Cx<'_>) {
        let (digest, epoch, trace) = (self.digest, self.epoch, self.trace);
        let stored = StoredSealed { digest, hash: *hash, epoch, body: None, trace };
        cx.put(names::numbered(room, Tag::Sealed, self.number), &stored);
    }
}

/// All sealings of the epoch.
#[derive(Debug, Default)]
pub(super) struct Sealed {
    letters: BTreeMap<[u8; 32], Hash>,
    /// The traces of their sender, by which one that was altered on the way is known.
    traces: BTreeSet<[u8; 32]>,
    asked_for_more: bool,
}

impl Sealed {
    /// Brings the sealings of this epoch back, and gives those that wait to the outbox.
    pub(super) fn restore(kept: Vec<(u64, StoredSealed)>, epoch: u64, outbox: &mut Outbox) -> Self {
        let mut sealed = Self::default();
        for (number, stored) in kept.into_iter().filter(|(_, stored)| stored.epoch == epoch) {
            sealed.letters.insert(stored.digest, stored.hash);
            sealed.traces.extend(stored.trace);
            let Some(body) = stored.body else { continue };
            let sealing = Sealing { number, epoch, digest: stored.digest, trace: stored.trace, body };
            if let Some(outgoing) = outbox.iter_mut().find(|o| o.written.hash() == stored.hash) {
                outgoing.sealing = Some(sealing);
            }
        }
        sealed
    }

    /// Seals a letter and keeps that; `retried`: the same bytes may be sent again. None: nothing can be sealed now.
    pub(super) fn seal(
        &mut self,
        room: RoomId,
        progress: &mut Progress,
        private: &mut Private,
        written: &Written,
        retried: bool,
        cx: &mut Cx<'_>,
    ) -> Option<Sealing> {
        if !private.can_seal() {
            return None;
        }
        let body = private.seal(written, cx)?;
        let (number, epoch, hash) = (progress.next_sealed.unwrap_or_default(), private.epoch(), written.hash());
        progress.next_sealed = Some(number.saturating_add(1));
        let (digest, trace) = (Sha256::digest(&body).into(), sender_trace(&body));
        let stored = StoredSealed { digest, hash, epoch, body: retried.then(|| body.clone()), trace };
        cx.put(names::numbered(room, Tag::Sealed, number), &stored);
        self.letters.insert(digest, hash);
        self.traces.extend(trace);
        if self.letters.len() > MANY && !self.asked_for_more {
            self.asked_for_more = true;
            private.want(Intent::Refresh, None, cx);
        }
        Some(Sealing { number, epoch, digest, trace, body })
    }

    /// The letter of a sealing; none: this vault never made it.
    pub(super) fn letter(&self, digest: &[u8; 32]) -> Option<Hash> {
        self.letters.get(digest).copied()
    }

    /// Whether one of them leaves this trace of its sender.
    pub(super) fn left(&self, trace: &[u8; 32]) -> bool {
        self.traces.contains(trace)
    }

    /// The epoch is over: what it sealed can't come any more, and what waits is sealed anew.
    pub(super) fn begin_epoch(&mut self, room: RoomId, outbox: &mut Outbox, cx: &mut Cx<'_>) {
        *self = Self::default();
        cx.out.changes.clear(names::kind(room, Tag::Sealed));
        for outgoing in outbox.iter_mut() {
            outgoing.sealing = None;
        }
    }
}
