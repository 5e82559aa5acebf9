//! Views: what a member saw of a private room's group, said in other places, so that a relay that splits a room is found out.
//!
//! All members of a room who are in the same epoch hold the same authenticator. A view says so in few bytes, to those only
//! who have the room's view key: a letter of another room, a mailbox letter or a verification screen carries it to somebody
//! who shares that room, and nobody else learns anything. This layer compares; where views are put is the engine's.

use core::convert::Infallible;

use hmac::{Hmac, KeyInit, Mac};
use minicbor::encode::Error;
use minicbor::{Decoder, Encoder};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A letter carries at most this many views: 140 bytes, and a member of many rooms takes them in turn.
pub const MAX_VIEWS: usize = 4;
/// So many of a room's own views are remembered: a peer's may be this many epochs old and is compared still.
pub const MAX_REMEMBERED: usize = 256;
/// Under a room's tag.
pub const LABEL_TAG: &[u8] = b"estoile.v1 view tag\0";
/// Under an epoch's check.
pub const LABEL_CHECK: &[u8] = b"estoile.v1 view check\0";

/// What one member saw of one room.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct View {
    /// Which room: known to those who have its view key.
    pub tag: [u8; 8],
    /// The epoch in which it is.
    pub epoch: u64,
    /// The same for all members who are in the same group.
    pub check: [u8; 16],
}

crate::closed_debug!(View, Remembered);

impl View {
    /// What to say of a room: its view key, the epoch, and MLS's epoch authenticator of it.
    #[must_use]
    pub fn make(view_key: &[u8; 32], epoch: u64, authenticator: &[u8]) -> Self {
        let check = mac(view_key, &[LABEL_CHECK, &epoch.to_be_bytes(), authenticator]);
        Self { tag: Self::tag(view_key), epoch, check: first(&check) }
    }

    /// What names the room of this view key.
    #[must_use]
    pub fn tag(view_key: &[u8; 32]) -> [u8; 8] {
        first(&mac(view_key, &[LABEL_TAG]))
    }

    /// What another's view says to one who has this one.
    #[must_use]
    pub fn compare(&self, theirs: &Self) -> Sight {
        if self.tag != theirs.tag {
            return Sight::Elsewhere;
        }
        if self.epoch != theirs.epoch {
            return Sight::AnotherEpoch;
        }
        if bool::from(self.check.ct_eq(&theirs.check)) { Sight::Same } else { Sight::Split }
    }
}

/// What comparing two views says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// Not a room that we know by this key.
    Elsewhere,
    /// The room in an epoch that can't be compared: not reached yet, or too long ago.
    AnotherEpoch,
    /// The same group.
    Same,
    /// The same epoch of the same room, and another group: somebody keeps two halves apart. Both stop.
    Split,
}

/// What we saw of one room ourselves, by epoch: the newest [`MAX_REMEMBERED`].
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Remembered(Vec<View>);

impl Remembered {
    /// Remembers what we see now.
    pub fn note(&mut self, view: View) {
        self.0.retain(|old| old.epoch != view.epoch);
        self.0.push(view);
        let surplus = self.0.len().saturating_sub(MAX_REMEMBERED);
        self.0.drain(..surplus);
    }

    /// The last one noted: what is said to others.
    #[must_use]
    pub fn newest(&self) -> Option<&View> {
        self.0.last()
    }

    /// What another's view says to us.
    #[must_use]
    pub fn compare(&self, theirs: &View) -> Sight {
        let mut known = Sight::Elsewhere;
        for ours in &self.0 {
            match ours.compare(theirs) {
                Sight::Elsewhere => {}
                Sight::AnotherEpoch => known = Sight::AnotherEpoch,
                told => return told,
            }
        }
        known
    }

    /// For the vault.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        crate::cbor::write(|e| put(e, &self.0))
    }

    /// Out of the vault; none if these bytes are something else.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut d = Decoder::new(bytes);
        let views = list(&mut d, MAX_REMEMBERED)?;
        (d.position() == bytes.len()).then_some(Self(views))
    }
}

fn mac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC fills a key up with zeros to the hash's block.
    let mut block = Zeroizing::new([0; 64]);
    block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    let mut mac = Hmac::<Sha256>::new((&*block).into());
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

fn first<const N: usize>(bytes: &[u8; 32]) -> [u8; N] {
    let mut out = [0; N];
    for (to, from) in out.iter_mut().zip(bytes) {
        *to = *from;
    }
    out
}

/// Writes `[[tag, epoch, check], …]`: what letters and mailbox letters carry.
pub fn put(e: &mut Encoder<Vec<u8>>, views: &[View]) -> Result<(), Error<Infallible>> {
    e.array(views.len() as u64)?;
    views.iter().try_for_each(|view| e.array(3)?.bytes(&view.tag)?.u64(view.epoch)?.bytes(&view.check)?.ok())
}

/// Reads what [`put`] writes; none if it is something else, has more than [`MAX_VIEWS`], or two of one room.
#[must_use]
pub fn get(d: &mut Decoder<'_>) -> Option<Vec<View>> {
    list(d, MAX_VIEWS).filter(|views| are_distinct(views))
}

fn list(d: &mut Decoder<'_>, most: usize) -> Option<Vec<View>> {
    let count = d.array().ok()?.filter(|n| *n <= most as u64)?;
    let one = |d: &mut Decoder<'_>| {
        d.array().ok()?.filter(|n| *n == 3)?;
        let tag = d.bytes().ok()?.try_into().ok()?;
        let epoch = d.u64().ok()?;
        Some(View { tag, epoch, check: d.bytes().ok()?.try_into().ok()? })
    };
    (0..count).map(|_| one(d)).collect()
}

/// Whether each is of another room.
#[must_use]
pub fn are_distinct(views: &[View]) -> bool {
    views.iter().enumerate().all(|(i, view)| views.iter().take(i).all(|other| other.tag != view.tag))
}

#[cfg(test)]
mod tests;
