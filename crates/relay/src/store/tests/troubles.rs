//! Clocks that are set back and disks that fail: what was acknowledged stays, and the store goes on.

use super::*;

/// The clock was ahead, an hour was over and its key wiped; then it was set right, and the same hour came again.
#[test]
fn an_hour_that_comes_twice_is_no_damage() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    store.commit(&[put(1), append(1, 1, NOW + 5, "over"), append(1, 2, NOW + 99 * HOUR, "stays")]).unwrap();
    store.expire(NOW + 2 * HOUR, 10).unwrap();
    store.commit(&[append(1, 3, NOW + 5, "under the hour's second key")]).unwrap();
    assert_eq!(cursors(&store, 1, NOW), [2, 3]);
    drop(store);
    let mut store = open(folder.path());
    assert_eq!(cursors(&store, 1, NOW), [2, 3]);
    while store.expire(NOW + 2 * HOUR, 10).unwrap().more {}
    drop(store);
    assert_eq!(cursors(&open(folder.path()), 1, NOW), [2]);
}

/// A write fails, and so does cutting off what it may have left: nothing is written on top of it, and when the disk works
/// again so does the store, without a restart.
#[test]
fn a_disk_that_fails_for_a_while_heals() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    store.commit(&[put(1), append(1, 1, NOW + HOUR, "kept")]).unwrap();
    let segment = segments(folder.path()).remove(0);
    store.active.as_mut().unwrap().fail(fs::File::open(&segment).unwrap());
    let failed = store.commit(&[append(1, 2, NOW + HOUR, "lost")]).unwrap_err();
    assert!(matches!(failed, StoreError::Failed(_)), "{failed}");
    assert_eq!(cursors(&store, 1, NOW), [1], "reading goes on");
    store.commit(&[append(1, 3, NOW + HOUR, "kept again")]).unwrap();
    assert_eq!(cursors(&store, 1, NOW), [1, 3]);
    drop(store);
    assert_eq!(cursors(&open(folder.path()), 1, NOW), [1, 3]);
}
