//! What a thief of the disk, or a failing one, can do to a vault: nothing that is not noticed.

use estoile_seal::vault_key::VaultKey;
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::{Backend, BackendError, Batch, Changes, Entry, MemoryBackend, Near, PAGE, Vault, VaultError, ready};
use crate::turn::{Effect, Turn, TurnNumber};
use crate::view::{Event, RoomId};

fn key(n: u8) -> VaultKey {
    VaultKey::from_bytes([n; 32])
}

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(1)
}

fn turn(number: u64, changes: Changes) -> Turn {
    let effects = vec![Effect::Event(Event::CaughtUp(RoomId(0)))];
    Turn::new(TurnNumber { engine: 1, turn: number }, changes, effects)
}

fn filled(entries: &[(Vec<u8>, Vec<u8>)]) -> MemoryBackend {
    let mut vault = ready(Vault::open(MemoryBackend::default(), key(1), &mut rng())).unwrap().unwrap();
    let mut changes = Changes::default();
    for (name, value) in entries {
        changes.put(name.clone(), value.clone());
    }
    ready(vault.commit(&turn(1, changes), &mut rng())).unwrap().unwrap();
    vault.into_backend()
}

fn open(backend: MemoryBackend, n: u8) -> Result<Vault<MemoryBackend>, VaultError> {
    ready(Vault::open(backend, key(n), &mut rng())).unwrap()
}

#[test]
fn effects_come_free_against_their_own_proof_only() {
    let mut vault = open(MemoryBackend::default(), 1).unwrap();
    let (first, second) = (turn(1, Changes::default()), turn(2, Changes::default()));
    let proof = ready(vault.commit(&first, &mut rng())).unwrap().unwrap();
    assert!(second.release(proof).is_err());
    let proof = ready(vault.commit(&first, &mut rng())).unwrap().unwrap();
    assert_eq!(first.release(proof).unwrap().len(), 1);
}

#[test]
fn another_key_does_not_open_it() {
    let disk = filled(&[(b"a".to_vec(), b"x".to_vec())]);
    assert_eq!(open(disk.clone(), 2).unwrap_err(), VaultError::WrongKey);
    assert!(open(disk, 1).is_ok());
}

#[test]
fn a_vault_without_its_marker_is_damaged() {
    let mut disk = filled(&[(b"a".to_vec(), b"x".to_vec())]);
    disk.entries_mut().remove(b"\0estoile".as_slice());
    assert_eq!(open(disk, 1).unwrap_err(), VaultError::Damaged);
}

#[test]
fn a_prefix_goes_whole_and_before_the_writes() {
    let mut vault = open(MemoryBackend::default(), 1).unwrap();
    let mut changes = Changes::default();
    for name in ["r1a", "r1b", "r2a"] {
        changes.put(name.into(), name.into());
    }
    ready(vault.commit(&turn(1, changes), &mut rng())).unwrap().unwrap();
    let mut changes = Changes::default();
    changes.put(b"r1x".to_vec(), b"gone with the rest".to_vec());
    changes.clear(b"r1".to_vec());
    changes.put(b"r1c".to_vec(), b"new".to_vec());
    ready(vault.commit(&turn(2, changes), &mut rng())).unwrap().unwrap();
    let left: Vec<Vec<u8>> = ready(vault.scan(b"r", None, 9)).unwrap().unwrap().into_iter().map(|(n, _)| n).collect();
    assert_eq!(left, [b"r1c".to_vec(), b"r2a".to_vec()]);
}

#[test]
fn a_value_of_a_later_version_is_told_from_damage() {
    let mut disk = filled(&[]);
    let sealed = key(1).seal(b"e", &[9, 1, 2], &mut rng());
    disk.entries_mut().insert(b"e".to_vec(), sealed);
    let vault = open(disk, 1).unwrap();
    assert_eq!(ready(vault.get(b"e")).unwrap().unwrap_err(), VaultError::Newer(9));
}

#[test]
fn nothing_in_the_clear_but_names() {
    let secret = b"the words said in this room".to_vec();
    let disk = filled(&[(b"m1".to_vec(), secret.clone())]);
    for (name, value) in disk.entries() {
        for part in [name, value] {
            assert!(!part.windows(8).any(|w| secret.windows(8).any(|s| s == w)));
        }
    }
}

/// A store that says no.
struct Failing;

impl Backend for Failing {
    async fn get(&self, name: &[u8]) -> Result<Option<Vec<u8>>, BackendError> {
        let sealed = key(1).seal(b"\0estoile", b"\x01estoile.v1 vault", &mut rng());
        Ok((name == b"\0estoile").then_some(sealed))
    }

    async fn scan(&self, _: &[u8], _: Option<&[u8]>, _: usize) -> Result<Vec<Entry>, BackendError> {
        Ok(Vec::new())
    }

    async fn commit(&mut self, _: Batch) -> Result<(), BackendError> {
        Err(BackendError("no space left on device".into()))
    }
}

#[test]
fn what_was_not_kept_gives_no_proof() {
    let mut vault = ready(Vault::open(Failing, key(1), &mut rng())).unwrap().unwrap();
    let mut changes = Changes::default();
    changes.put(b"a".to_vec(), b"x".to_vec());
    let error = ready(vault.commit(&turn(1, changes), &mut rng())).unwrap().unwrap_err();
    assert_eq!(error, VaultError::Backend(BackendError("no space left on device".into())));
}

fn entries() -> impl Strategy<Value = Vec<(Vec<u8>, Vec<u8>)>> {
    proptest::collection::btree_map(
        proptest::collection::vec(1_u8.., 1..6),
        proptest::collection::vec(any::<u8>(), 0..40),
        2..12,
    )
    .prop_map(|map| map.into_iter().collect())
}

proptest! {
    #[test]
    fn what_is_kept_is_what_is_read(entries in entries()) {
        let vault = open(filled(&entries), 1).unwrap();
        for (name, value) in &entries {
            let read = ready(vault.get(name)).unwrap().unwrap().unwrap();
            prop_assert_eq!(&*read, value);
        }
        let all = ready(vault.scan(&[], None, PAGE)).unwrap().unwrap();
        let all: Vec<(Vec<u8>, Vec<u8>)> = all.into_iter().skip(1).map(|(n, v)| (n, v.to_vec())).collect();
        prop_assert_eq!(all, entries);
    }

    #[test]
    fn a_scan_goes_on_where_it_ended(entries in entries(), step in 1_usize..5) {
        let vault = open(filled(&entries), 1).unwrap();
        let mut names: Vec<Vec<u8>> = Vec::new();
        loop {
            let page = ready(vault.scan(&[], names.last().map(Vec::as_slice), step)).unwrap().unwrap();
            if page.is_empty() {
                break;
            }
            names.extend(page.into_iter().map(|(n, _)| n));
        }
        let expected: Vec<Vec<u8>> =
            core::iter::once(b"\0estoile".to_vec()).chain(entries.into_iter().map(|(n, _)| n)).collect();
        prop_assert_eq!(names, expected);
    }

    #[test]
    fn swapped_values_are_refused(entries in entries(), a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>()) {
        let (a, b) = (&entries[a.index(entries.len())].0, &entries[b.index(entries.len())].0);
        prop_assume!(a != b);
        let mut disk = filled(&entries);
        let (x, y) = (disk.entries()[a].clone(), disk.entries()[b].clone());
        disk.entries_mut().insert(a.clone(), y);
        disk.entries_mut().insert(b.clone(), x);
        let vault = open(disk, 1).unwrap();
        for name in [a, b] {
            prop_assert_eq!(ready(vault.get(name)).unwrap().unwrap_err(), VaultError::Damaged);
        }
        prop_assert!(ready(vault.scan(&[], None, PAGE)).unwrap().is_err());
    }

    #[test]
    fn a_part_at_hand_answers_as_its_vault(entries in entries(), prefix in proptest::collection::vec(1_u8..4, 0..2), limit in 0_usize..6) {
        let vault = open(filled(&entries), 1).unwrap();
        let near = ready(Near::read(&vault, &[])).unwrap().unwrap();
        let part = ready(near.part(&prefix)).unwrap().unwrap();
        let after = entries[0].0.as_slice();
        for after in [None, Some(after)] {
            let far = ready(vault.scan(&prefix, after, limit)).unwrap().unwrap();
            prop_assert_eq!(&ready(near.scan(&prefix, after, limit)).unwrap().unwrap(), &far);
            prop_assert_eq!(&ready(part.scan(&prefix, after, limit)).unwrap().unwrap(), &far);
        }
        for (name, _) in &entries {
            prop_assert_eq!(ready(near.get(name)).unwrap().unwrap(), ready(vault.get(name)).unwrap().unwrap());
        }
        prop_assert_eq!(ready(near.get(&[0])).unwrap().unwrap(), None);
    }

    #[test]
    fn a_flipped_bit_is_refused(entries in entries(), which in any::<prop::sample::Index>(), bit in any::<prop::sample::Index>()) {
        let name = &entries[which.index(entries.len())].0;
        let mut disk = filled(&entries);
        let value = disk.entries_mut().get_mut(name).unwrap();
        let bit = bit.index(value.len() * 8);
        value[bit / 8] ^= 1 << (bit % 8);
        let vault = open(disk, 1).unwrap();
        prop_assert_eq!(ready(vault.get(name)).unwrap().unwrap_err(), VaultError::Damaged);
    }

    #[test]
    fn a_cut_value_is_refused(entries in entries(), which in any::<prop::sample::Index>(), cut in 1_usize..8) {
        let name = &entries[which.index(entries.len())].0;
        let mut disk = filled(&entries);
        let value = disk.entries_mut().get_mut(name).unwrap();
        value.truncate(value.len().saturating_sub(cut));
        let vault = open(disk, 1).unwrap();
        prop_assert_eq!(ready(vault.get(name)).unwrap().unwrap_err(), VaultError::Damaged);
    }
}
