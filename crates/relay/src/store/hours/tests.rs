//! Keys that were made while the disk failed.

use chacha20poly1305::aead::AeadInOut;

use super::*;

fn sealed(hours: &Hours, hour: u32) -> Vec<u8> {
    let cipher = hours.cipher(hour, &[0; 32]).unwrap();
    let mut bytes = b"a body".to_vec();
    let tag = cipher.encrypt_inout_detached(&[0; 12].into(), &[], bytes.as_mut_slice().into()).unwrap();
    bytes.extend_from_slice(&tag);
    bytes
}

/// What a failed attempt left in the file is never taken for the key that counts, after whatever order of failures.
#[test]
fn a_key_half_made_is_never_taken_for_another() {
    let folder = tempfile::tempdir().unwrap();
    Hours::create(folder.path()).unwrap();
    let hours = Hours::open(folder.path()).unwrap();
    hours.ensure(0..64).unwrap();
    // One slot is free; for a second key the file must grow, and can't.
    hours.wipe_before(HOUR).unwrap();
    hours.keys.write().unwrap().slots = u64::MAX / SLOT;
    hours.ensure([100, 101].into_iter()).unwrap_err();
    hours.keys.write().unwrap().slots = 64;
    hours.wipe_before(2 * HOUR).unwrap();
    hours.ensure([100].into_iter()).unwrap();
    let before = sealed(&hours, 100);
    for _ in 0..2 {
        assert_eq!(sealed(&Hours::open(folder.path()).unwrap(), 100), before);
    }
}
