//! What Fernet does case by case, as the probe of Python's `cryptography` 48 prints it.

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::*;

const T: u64 = 1000;

fn key() -> Key {
    Key::from_bytes(&core::array::from_fn(|i| u8::try_from(i).unwrap()))
}

fn token(plaintext: &[u8]) -> String {
    encrypt_from_parts(&key(), plaintext, T, &[0; 16])
}

fn open(token: &str) -> Result<Vec<u8>, FernetError> {
    decrypt_at(&key(), token.as_bytes(), None, 0).map(|p| p.to_vec())
}

/// A token with a MAC that holds over any parts.
fn sign(parts: &[u8]) -> String {
    let mut data = parts.to_vec();
    data.extend_from_slice(&key().mac(parts));
    URL_SAFE.encode(data)
}

#[test]
fn both_borders_of_ttl_and_skew_are_valid() {
    let t = token(b"hello");
    let at = |ttl, now| decrypt_at(&key(), t.as_bytes(), Some(ttl), now).map(|p| p.to_vec());
    assert_eq!(at(60, T - 61), Err(FernetError::Future { ahead: 61 }));
    for now in [T - 60, T, T + 60] {
        assert_eq!(at(60, now).unwrap(), b"hello");
    }
    assert_eq!(at(60, T + 61), Err(FernetError::Expired { late: 1 }));
    assert_eq!(at(0, T).unwrap(), b"hello");
    assert_eq!(at(0, T + 1), Err(FernetError::Expired { late: 1 }));
    assert_eq!(at(0, T - 1).unwrap(), b"hello");
    assert_eq!(at(-1, T), Err(FernetError::Expired { late: 1 }));
    assert_eq!(at(-1, T - 1).unwrap(), b"hello");
}

#[test]
fn the_classroom_case_is_refused() {
    let t = token(b"hello");
    let refused = decrypt_at(&key(), t.as_bytes(), Some(30), T + 45);
    assert_eq!(refused, Err(FernetError::Expired { late: 15 }));
}

#[test]
fn no_sum_of_times_overflows() {
    let t = encrypt_from_parts(&key(), b"x", u64::MAX, &[0; 16]);
    assert_eq!(open(&t).unwrap(), b"x");
    for ttl in [0, 5, i64::MAX] {
        let refused = decrypt_at(&key(), t.as_bytes(), Some(ttl), 0);
        assert_eq!(refused, Err(FernetError::Future { ahead: u64::MAX }), "ttl {ttl}");
        assert!(decrypt_at(&key(), t.as_bytes(), Some(ttl), u64::MAX).is_ok());
    }
    let late = decrypt_at(&key(), token(b"x").as_bytes(), Some(i64::MIN), u64::MAX);
    assert_eq!(late, Err(FernetError::Expired { late: u64::MAX }));
}

#[test]
fn the_time_is_judged_before_the_mac() {
    let other = Key::from_bytes(&[7; 32]);
    let refused = decrypt_at(&other, token(b"x").as_bytes(), Some(1), T + 2);
    assert_eq!(refused, Err(FernetError::Expired { late: 1 }));
    assert_eq!(decrypt_at(&other, token(b"x").as_bytes(), None, T), Err(FernetError::Forged));
}

#[test]
fn pasted_spellings_open_as_in_python() {
    let t = token(b"hello");
    let (head, tail) = t.split_at(10);
    let spellings = [
        format!("  {t}\n"),
        format!("{head}\n{tail}"),
        format!("{head}%%%{tail}"),
        format!("é{t}"),
        t.replace('-', "+").replace('_', "/"),
    ];
    for spelling in spellings {
        assert_eq!(open(&spelling).unwrap(), b"hello", "{spelling}");
        assert!(decode_strict(&key(), spelling.as_bytes()).is_err() || spelling == t);
    }
}

#[test]
fn padding_is_read_as_in_python() {
    let mut seen = [false; 3];
    for n in 0..50 {
        let text = vec![b'a'; n];
        let t = token(&text);
        let bare = t.trim_end_matches('=');
        let pads = t.len() - bare.len();
        seen[pads] = true;
        assert_eq!(open(&t).unwrap(), text);
        assert_eq!(open(&format!("{t}====")).unwrap(), text);
        let junk = open(&format!("{t}AAAA"));
        if pads == 0 {
            assert_eq!(open(bare).unwrap(), text);
            assert_eq!(junk, Err(FernetError::Forged));
        } else {
            assert_eq!(open(bare), Err(FernetError::Malformed));
            assert_eq!(junk.unwrap(), text);
            assert_eq!(decode_strict(&key(), format!("{t}AAAA").as_bytes()), Err(FernetError::Malformed));
        }
    }
    assert_eq!(seen, [true; 3], "the lengths cover every padding");
}

#[test]
fn bits_left_over_are_dropped_for_people_and_refused_from_peers() {
    let t = (0..50).map(|n| token(&vec![b'a'; n])).find(|t| t.ends_with("==")).unwrap();
    let bare = t.trim_end_matches('=');
    let last = bare.as_bytes()[bare.len() - 1];
    let respelled = format!("{}{}==", bare.strip_suffix(char::from(last)).unwrap(), char::from(last + 1));
    assert!(open(&respelled).is_ok());
    assert_eq!(decode_strict(&key(), respelled.as_bytes()), Err(FernetError::Malformed));
    assert!(decode_strict(&key(), t.as_bytes()).is_ok());
}

#[test]
fn what_the_mac_covers_must_still_be_fernet() {
    let mut head = vec![0x80];
    head.extend_from_slice(&T.to_be_bytes());
    for rest in [0, 8, 15, 16, 31, 33] {
        let mut parts = head.clone();
        parts.resize(9 + rest, 0);
        assert_eq!(open(&sign(&parts)), Err(FernetError::Garbled), "{rest} bytes after the time");
    }
    // One block that opens to no padding at all.
    let mut parts = head.clone();
    parts.resize(9 + 32, 0);
    assert_eq!(open(&sign(&parts)), Err(FernetError::Garbled));
    assert_eq!(open(&sign(&[0x80, 0, 0, 0, 0])), Err(FernetError::Garbled));
    for text in ["", "gA==", "====", "%%%"] {
        assert_eq!(open(text), Err(FernetError::Malformed), "{text:?}");
    }
    assert_eq!(open(&URL_SAFE.encode([0x81; 80])), Err(FernetError::Malformed));
    let mut short = vec![0x80];
    short.resize(21, 0);
    assert_eq!(open(&URL_SAFE.encode(short)), Err(FernetError::Forged));
}

#[test]
fn keys_are_read_as_in_python() {
    let text = key().to_base64();
    assert_eq!(text.len(), 44);
    let same = |t: &str| Key::from_base64(t).map(|k| k == key());
    assert_eq!(same(&text), Ok(true));
    assert_eq!(same(&format!("{}\n", *text)), Ok(true));
    assert_eq!(same(text.trim_end_matches('=')), Err(KeyError));
    assert_eq!(same(&"é".repeat(44)), Err(KeyError));
    assert_eq!(same(&format!("é{}", *text)), Err(KeyError));
    assert_eq!(same(&URL_SAFE.encode([0; 31])), Err(KeyError));
    assert_eq!(same(&URL_SAFE.encode([0; 33])), Err(KeyError));
}

#[test]
fn each_sealing_has_a_fresh_iv() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let one = encrypt_at(&key(), b"same", T, &mut rng);
    let two = encrypt_at(&key(), b"same", T, &mut rng);
    assert_ne!(one, two);
    let opened = decode_strict(&key(), one.as_bytes()).unwrap();
    assert_eq!((opened.plaintext.as_slice(), opened.timestamp), (b"same".as_slice(), T));
    assert_ne!(opened.mac, decode_strict(&key(), two.as_bytes()).unwrap().mac);
}
