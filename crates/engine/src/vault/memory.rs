//! A store in memory: for clients without a data folder, and for tests. It goes through the same commits as any other.

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use std::collections::BTreeMap;

use super::backend::{Backend, BackendError, Batch, Entry};

/// A map in memory.
#[derive(Clone, Default)]
pub struct MemoryBackend {
    entries: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl core::fmt::Debug for MemoryBackend {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "MemoryBackend({})", self.entries.len())
    }
}

impl MemoryBackend {
    /// The sealed entries, for tests that tamper with them.
    pub fn entries_mut(&mut self) -> &mut BTreeMap<Vec<u8>, Vec<u8>> {
        &mut self.entries
    }

    /// The sealed entries.
    #[must_use]
    pub fn entries(&self) -> &BTreeMap<Vec<u8>, Vec<u8>> {
        &self.entries
    }
}

impl Backend for MemoryBackend {
    async fn get(&self, name: &[u8]) -> Result<Option<Vec<u8>>, BackendError> {
        Ok(self.entries.get(name).cloned())
    }

    async fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Entry>, BackendError> {
        let start = after.map_or_else(|| prefix.to_vec(), <[u8]>::to_vec);
        Ok(self
            .entries
            .range(start..)
            .skip_while(|(name, _)| after.is_some_and(|after| name.as_slice() <= after))
            .skip_while(|(name, _)| name.as_slice() < prefix)
            .take_while(|(name, _)| name.starts_with(prefix))
            .take(limit)
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect())
    }

    async fn commit(&mut self, batch: Batch) -> Result<(), BackendError> {
        if !batch.clear.is_empty() {
            self.entries.retain(|name, _| !batch.clear.iter().any(|prefix| name.starts_with(prefix)));
        }
        for (name, value) in batch.writes {
            match value {
                Some(value) => {
                    self.entries.insert(name, value);
                }
                None => {
                    self.entries.remove(&name);
                }
            }
        }
        Ok(())
    }
}

/// The output of a future that never waits, as those over a [`MemoryBackend`] never do; none if it did wait.
pub fn ready<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}
