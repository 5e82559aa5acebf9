//! Where an open vault's entries lie: in what the browser keeps, or in memory. A clone is the same place.

use core::cell::RefCell;
use std::rc::Rc;

use estoile_engine::vault::{BackendError, Batch, Entry};
use estoile_engine::{Backend, MemoryBackend};

/// A vault's store.
#[derive(Clone, Debug)]
pub(crate) enum Shelf<S> {
    /// Kept.
    Kept(S),
    /// Gone at the end.
    Memory(Rc<RefCell<MemoryBackend>>),
}

impl<S> Shelf<S> {
    pub(crate) fn memory() -> Self {
        Self::Memory(Rc::default())
    }
}

/// The first name behind all those that begin with a prefix; none if no name is.
#[cfg_attr(not(any(test, target_arch = "wasm32")), expect(dead_code, reason = "the browser's store asks for ranges"))]
pub(crate) fn end_of(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte < u8::MAX)?;
    let mut end = prefix.get(..=last)?.to_vec();
    if let Some(byte) = end.last_mut() {
        *byte = byte.saturating_add(1);
    }
    Some(end)
}

/// The memory never waits, so nobody else sees it borrowed.
macro_rules! memory {
    ($shared:expr, $call:expr) => {{
        let mut memory = $shared.take();
        let result = $call(&mut memory).await;
        $shared.replace(memory);
        result
    }};
}

impl<S: Backend> Backend for Shelf<S> {
    async fn get(&self, name: &[u8]) -> Result<Option<Vec<u8>>, BackendError> {
        match self {
            Self::Kept(store) => store.get(name).await,
            Self::Memory(shared) => memory!(shared, async |memory: &mut MemoryBackend| memory.get(name).await),
        }
    }

    async fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Entry>, BackendError> {
        match self {
            Self::Kept(store) => store.scan(prefix, after, limit).await,
            Self::Memory(shared) => {
                memory!(shared, async |memory: &mut MemoryBackend| memory.scan(prefix, after, limit).await)
            }
        }
    }

    async fn commit(&mut self, batch: Batch) -> Result<(), BackendError> {
        match self {
            Self::Kept(store) => store.commit(batch).await,
            Self::Memory(shared) => memory!(shared, async |memory: &mut MemoryBackend| memory.commit(batch).await),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::end_of;

    #[test]
    fn a_prefix_ends_before_its_successor() {
        assert_eq!(end_of(b"m"), Some(b"n".to_vec()));
        assert_eq!(end_of(&[1, 255, 255]), Some(vec![2]));
        assert_eq!(end_of(&[255, 255]), None, "nothing is behind those");
        assert_eq!(end_of(&[]), None);
    }
}
