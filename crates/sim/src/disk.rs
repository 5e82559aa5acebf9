//! A vault's disk: it outlives the client that writes on it, and fails when told.

use std::cell::RefCell;
use std::rc::Rc;

use estoile_engine::vault::{Backend, BackendError, Batch, Entry, MemoryBackend, ready};

#[derive(Debug, Default)]
struct Inner {
    memory: MemoryBackend,
    fail_next: bool,
}

/// A handle to the disk.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk(Rc<RefCell<Inner>>);

impl Disk {
    /// The next commit fails, and nothing of it is kept.
    pub(crate) fn fail_next(&self) {
        self.0.borrow_mut().fail_next = true;
    }

    /// Whether any name or value on the disk contains one of these.
    pub(crate) fn contains(&self, needles: &[Vec<u8>]) -> bool {
        let inner = self.0.borrow();
        inner.memory.entries().iter().any(|(name, value)| holds(name, needles) || holds(value, needles))
    }
}

/// Whether one of the needles is in the hay.
pub(crate) fn holds(hay: &[u8], needles: &[Vec<u8>]) -> bool {
    needles.iter().any(|needle| hay.windows(needle.len()).any(|window| window == needle.as_slice()))
}

fn waited<T>() -> Result<T, BackendError> {
    Err(BackendError("a store in memory never waits".to_owned()))
}

impl Backend for Disk {
    async fn get(&self, name: &[u8]) -> Result<Option<Vec<u8>>, BackendError> {
        ready(self.0.borrow().memory.get(name)).unwrap_or_else(waited)
    }

    async fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Entry>, BackendError> {
        ready(self.0.borrow().memory.scan(prefix, after, limit)).unwrap_or_else(waited)
    }

    async fn commit(&mut self, batch: Batch) -> Result<(), BackendError> {
        let mut inner = self.0.borrow_mut();
        if core::mem::take(&mut inner.fail_next) {
            return Err(BackendError("the disk is full".to_owned()));
        }
        ready(inner.memory.commit(batch)).unwrap_or_else(waited)
    }
}
