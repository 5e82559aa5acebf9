//! What can be asked of a verified chain, and of two.

use estoile_wire::PublicKey;

use super::{Chain, ChainError, ChainPoint, Entry, Standing, codec};
use crate::account::AccountId;

impl Chain {
    /// The account: the hash of the first entry.
    #[must_use]
    pub const fn id(&self) -> AccountId {
        self.id
    }

    /// The key of the recovery words.
    #[must_use]
    pub const fn root(&self) -> PublicKey {
        self.state.root
    }

    /// The devices, in the order of their coming.
    #[must_use]
    pub fn devices(&self) -> &[PublicKey] {
        &self.state.devices
    }

    /// Whether this is a device of the account now.
    #[must_use]
    pub fn is_live(&self, device: &PublicKey) -> bool {
        self.state.devices.contains(device)
    }

    /// Whether this is, or ever was, a device of the account.
    #[must_use]
    pub fn knew(&self, device: &PublicKey) -> bool {
        self.entries()
            .any(|entry| matches!(entry, Entry::Create { device: d, .. } | Entry::Add { device: d, .. } if d == device))
    }

    /// The entries, first to last.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = &Entry> {
        self.entries.iter().map(|proven| &proven.entry)
    }

    /// How many entries there are: at least one.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a chain is never empty")]
    pub fn len(&self) -> u64 {
        self.entries.len() as u64
    }

    /// The last entry's hash.
    #[must_use]
    pub fn head(&self) -> [u8; 32] {
        self.entries.last().map_or(super::NO_HEAD, |last| last.head)
    }

    /// Length and head.
    #[must_use]
    pub fn point(&self) -> ChainPoint {
        ChainPoint { len: self.len(), head: self.head() }
    }

    /// How this chain stands to `other`: `Longer` if it goes on where `other` ends.
    #[must_use]
    pub fn extends(&self, other: &Self) -> Standing {
        let same = self.entries.iter().zip(&other.entries).all(|(one, other)| one.head == other.head);
        match (same, self.entries.len().cmp(&other.entries.len())) {
            (false, _) => Standing::Forked,
            (true, core::cmp::Ordering::Equal) => Standing::Same,
            (true, core::cmp::Ordering::Greater) => Standing::Longer,
            (true, core::cmp::Ordering::Less) => Standing::Shorter,
        }
    }

    /// How this chain stands to what somebody says of the same account's. `Shorter` is their word only: ask for the entries.
    #[must_use]
    pub fn stands_to(&self, point: &ChainPoint) -> Standing {
        let there = usize::try_from(point.len).ok().and_then(|len| len.checked_sub(1));
        match there.map(|place| self.entries.get(place)) {
            None => Standing::Forked,
            Some(None) => Standing::Shorter,
            Some(Some(proven)) if proven.head != point.head => Standing::Forked,
            Some(Some(_)) if point.len == self.len() => Standing::Same,
            Some(Some(_)) => Standing::Longer,
        }
    }

    /// The entries after the first `len`, for who has those.
    #[must_use]
    pub fn tail(&self, len: u64) -> Vec<u8> {
        let from = usize::try_from(len).unwrap_or(usize::MAX);
        codec::encode(self.entries.get(from..).unwrap_or_default())
    }

    /// This chain's first `len` entries followed by a [`Chain::tail`], verified.
    pub fn with_tail(&self, len: u64, tail: &[u8]) -> Result<Self, ChainError> {
        if tail.len() > super::MAX_CHAIN {
            return Err(ChainError::Malformed);
        }
        let start = self.first(len).ok_or(ChainError::Stale)?;
        codec::entries(tail)?.into_iter().try_fold(start, |chain, (entry, signatures)| chain.with(entry, signatures))
    }

    /// The first `len` entries, which were verified as part of the whole.
    fn first(&self, len: u64) -> Option<Self> {
        let len = usize::try_from(len).ok().filter(|&len| len >= 1)?;
        let entries = self.entries.get(..len)?.to_vec();
        let Some(Entry::Create { root, device, .. }) = entries.first().map(|proven| &proven.entry) else { return None };
        let mut state = super::State::begin(*root, *device);
        for proven in entries.iter().skip(1) {
            state.apply(&proven.entry).ok()?;
        }
        Some(Self { id: self.id, entries, state })
    }
}
