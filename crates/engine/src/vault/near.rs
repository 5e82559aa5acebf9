//! A part of a vault, read by one question where it is small: a browser's store takes longer to be asked than to answer.

use zeroize::Zeroizing;

use super::{Backend, Entry, PAGE, Vault, VaultError, unseal};

/// Names and opened values, in the names' order.
pub(crate) type Entries = Vec<(Vec<u8>, Zeroizing<Vec<u8>>)>;

/// A vault to read in, with a part of it at hand or none.
pub(crate) struct Near<'v, B> {
    vault: &'v Vault<B>,
    /// Sealed as they were found, in the names' order: others than the engine may keep entries among them, under their own seal.
    at_hand: Option<Vec<Entry>>,
}

impl<'v, B: Backend> Near<'v, B> {
    /// Nothing is at hand.
    pub(crate) const fn far(vault: &'v Vault<B>) -> Self {
        Self { vault, at_hand: None }
    }

    /// At hand is what begins with `prefix`, if it is less than a page; nothing else may be asked of it then.
    pub(crate) async fn read(vault: &'v Vault<B>, prefix: &[u8]) -> Result<Self, VaultError> {
        let entries = vault.backend.scan(prefix, None, PAGE).await?;
        Ok(Self { vault, at_hand: (entries.len() < PAGE).then_some(entries) })
    }

    /// A smaller part of it: at hand where this one is, or by itself.
    pub(crate) async fn part(&self, prefix: &[u8]) -> Result<Self, VaultError> {
        let Some(entries) = &self.at_hand else { return Self::read(self.vault, prefix).await };
        let part = within(entries, prefix, None).cloned().collect();
        Ok(Self { vault: self.vault, at_hand: Some(part) })
    }

    /// [`Vault::get`].
    pub(crate) async fn get(&self, name: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        let Some(entries) = &self.at_hand else { return self.vault.get(name).await };
        let at = entries.binary_search_by(|(other, _)| other.as_slice().cmp(name)).ok();
        at.and_then(|at| entries.get(at)).map(|(name, sealed)| unseal(&self.vault.key, name, sealed)).transpose()
    }

    /// [`Vault::scan`].
    pub(crate) async fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Entries, VaultError> {
        let Some(entries) = &self.at_hand else { return self.vault.scan(prefix, after, limit).await };
        let opened = |(name, sealed): &Entry| Ok((name.clone(), unseal(&self.vault.key, name, sealed)?));
        within(entries, prefix, after).take(limit).map(opened).collect()
    }
}

/// Those whose names begin with `prefix` and come after `after`.
fn within<'e>(
    entries: &'e [Entry],
    prefix: &'e [u8],
    after: Option<&[u8]>,
) -> impl Iterator<Item = &'e Entry> + use<'e> {
    let before = |name: &[u8]| name < prefix || after.is_some_and(|after| name <= after);
    let from = entries.partition_point(|(name, _)| before(name));
    entries.iter().skip(from).take_while(move |(name, _)| name.starts_with(prefix))
}
