//! What one turn wants kept: names with values to put, or to delete. The last word about a name counts.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

/// Puts and deletes of one turn, not yet sealed.
#[derive(Default)]
pub struct Changes {
    cleared: Vec<Vec<u8>>,
    entries: BTreeMap<Vec<u8>, Option<Zeroizing<Vec<u8>>>>,
}

impl core::fmt::Debug for Changes {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Changes({})", self.entries.len())
    }
}

impl Changes {
    /// Puts a value.
    pub fn put(&mut self, name: Vec<u8>, value: Vec<u8>) {
        self.entries.insert(name, Some(Zeroizing::new(value)));
    }

    /// Deletes an entry.
    pub fn delete(&mut self, name: Vec<u8>) {
        self.entries.insert(name, None);
    }

    /// Deletes every entry whose name begins with `prefix`, those of this turn included.
    pub fn clear(&mut self, prefix: Vec<u8>) {
        self.entries.retain(|name, _| !name.starts_with(&prefix));
        self.cleared.push(prefix);
    }

    /// The prefixes that are cleared before anything is put.
    #[must_use]
    pub fn cleared(&self) -> &[Vec<u8>] {
        &self.cleared
    }

    /// Nothing to keep.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.cleared.is_empty()
    }

    /// How many entries change.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Each name once, in order, with its value or none for a deletion.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        self.entries.iter().map(|(name, value)| (name.as_slice(), value.as_ref().map(|v| v.as_slice())))
    }
}
