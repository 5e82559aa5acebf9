//! The memory store keeps the storage trait's promises, and fails when it is told to.

use estoile_hub::conformance::{self, Make};
use estoile_hub::memory::MemoryStore;
use estoile_hub::store::{Store, StoreError, Write};
use estoile_wire::LogId;

struct InMemory;

impl Make for InMemory {
    type Store = MemoryStore;

    fn fresh(&mut self) -> MemoryStore {
        MemoryStore::new()
    }

    fn reopen(&mut self, store: MemoryStore) -> MemoryStore {
        store.reopen()
    }
}

#[test]
fn it_conforms() {
    conformance::all(&mut InMemory).unwrap();
}

#[test]
fn it_behaves_like_itself_for_many_seeds() {
    for seed in 100..200 {
        conformance::behaves_like_the_memory_store(&mut InMemory, seed).unwrap();
    }
}

#[test]
fn it_fails_once_for_each_failure_asked_for() {
    let mut store = MemoryStore::new();
    store.fail_next(StoreError::Full);
    store.fail_next(StoreError::Failed("pulled".into()));
    let write = [Write::DropLog(LogId([0; 32]))];
    assert_eq!(store.commit(&write), Err(StoreError::Full));
    assert_eq!(store.commit(&write), Err(StoreError::Failed("pulled".into())));
    assert_eq!(store.commit(&write), Ok(()));
}
