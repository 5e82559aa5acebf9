//! Every way in which a relay, or somebody in between, can fail to be the relay of the link.

use ed25519_dalek::{Signer, SigningKey};
use estoile_wire::id::{CertificateHash, Nonce};
use estoile_wire::{Limits, PublicKey, RelayKeyHash, Signature, VERSION, proof};

use super::{GreetError, Welcome, check, clock_error, worth_telling};
use crate::command::RelayAddress;

const CHALLENGE: Nonce = Nonce([1; 32]);
const SEEN: CertificateHash = CertificateHash([3; 32]);

fn welcome(certificate: Option<CertificateHash>) -> Welcome {
    let key = SigningKey::from_bytes(&[4; 32]);
    let nonce = Nonce([2; 32]);
    let message = proof::welcome(&CHALLENGE, &nonce, 77, certificate.as_ref());
    Welcome {
        version: VERSION,
        relay_key: PublicKey(key.verifying_key().to_bytes()),
        nonce,
        time: 77,
        signature: Signature(key.sign(&message).to_bytes()),
        certificate,
        limits: Limits::default(),
    }
}

fn address(tls: bool, pinned: bool) -> RelayAddress {
    let pin = pinned.then(|| RelayKeyHash::of(&welcome(None).relay_key));
    RelayAddress { host: "relay.example".into(), port: 443, tls, pin }
}

#[test]
fn the_relay_of_the_link_is_believed() {
    assert!(check(&welcome(None), &CHALLENGE, None, false, &address(false, true)).is_ok());
    assert!(check(&welcome(None), &CHALLENGE, None, false, &address(false, false)).is_ok());
    assert!(check(&welcome(Some(SEEN)), &CHALLENGE, Some(&SEEN), false, &address(true, true)).is_ok());
    assert!(check(&welcome(Some(SEEN)), &CHALLENGE, Some(&SEEN), true, &address(true, false)).is_ok());
    let mut here = address(true, false);
    here.host = "127.0.0.1".into();
    assert!(check(&welcome(Some(SEEN)), &CHALLENGE, Some(&SEEN), false, &here).is_ok(), "nobody stands in between");
    // A proxy that a public authority vouches for ends TLS before the relay.
    assert!(check(&welcome(None), &CHALLENGE, Some(&SEEN), true, &address(true, true)).is_ok());
}

#[test]
fn where_the_platform_checks_certificates_and_shows_none_the_key_must_still_be_the_links() {
    for shown in [None, Some(SEEN)] {
        assert!(check(&welcome(shown), &CHALLENGE, None, true, &address(true, true)).is_ok());
        assert!(check(&welcome(shown), &CHALLENGE, None, true, &address(true, false)).is_ok());
        let mut other = address(true, true);
        other.pin = Some(RelayKeyHash([8; 32]));
        assert_eq!(check(&welcome(shown), &CHALLENGE, None, true, &other), Err(GreetError::WrongKey));
        let replayed = check(&welcome(shown), &Nonce([7; 32]), None, true, &address(true, true));
        assert_eq!(replayed, Err(GreetError::BadSignature));
    }
}

#[test]
fn everybody_else_is_not() {
    let other = CertificateHash([9; 32]);
    let cases = [
        (welcome(Some(SEEN)), Some(other), false, address(true, true), GreetError::WrongCertificate),
        (welcome(Some(SEEN)), Some(other), true, address(true, true), GreetError::WrongCertificate),
        (welcome(None), Some(SEEN), false, address(true, true), GreetError::WrongCertificate),
        (welcome(Some(SEEN)), None, false, address(true, true), GreetError::WrongCertificate),
        (welcome(Some(SEEN)), None, false, address(false, true), GreetError::WrongCertificate),
        (welcome(Some(SEEN)), Some(SEEN), false, address(true, false), GreetError::Unpinned),
    ];
    for (n, (welcome, seen, trusted, address, expected)) in cases.into_iter().enumerate() {
        let got = check(&welcome, &CHALLENGE, seen.as_ref(), trusted, &address);
        assert_eq!(got, Err(expected), "{n}");
    }
    let mut wrong = address(false, true);
    wrong.pin = Some(RelayKeyHash([8; 32]));
    assert_eq!(check(&welcome(None), &CHALLENGE, None, false, &wrong), Err(GreetError::WrongKey));
    let replayed = check(&welcome(None), &Nonce([7; 32]), None, false, &address(false, true));
    assert_eq!(replayed, Err(GreetError::BadSignature));
    let mut later = welcome(None);
    later.time += 1;
    assert_eq!(check(&later, &CHALLENGE, None, false, &address(false, true)), Err(GreetError::BadSignature));
    let mut newer = welcome(None);
    newer.version = 2;
    assert_eq!(check(&newer, &CHALLENGE, None, false, &address(false, true)), Err(GreetError::Version));
}

#[test]
fn a_clock_error_is_measured_without_the_way_of_the_frames() {
    assert_eq!(clock_error(1_050, 1_000, 1_100), 0, "within the round trip nothing is known");
    assert_eq!(clock_error(46_100, 1_000, 1_100), 45_000);
    assert_eq!(clock_error(1_000, 46_000, 46_100), -45_000);
    assert_eq!(clock_error(u64::MAX, 0, 0), i64::MAX);
    assert_eq!(clock_error(0, u64::MAX, u64::MAX), -i64::MAX);
}

#[test]
fn it_is_told_once_for_each_change() {
    assert!(!worth_telling(5_000, None));
    assert!(worth_telling(5_001, None));
    assert!(worth_telling(-45_000, None));
    assert!(!worth_telling(47_000, Some(45_000)));
    assert!(worth_telling(0, Some(45_000)));
}
