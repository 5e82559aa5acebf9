//! Another implementation of the primitives (libcrux, formally verified) as a member: both read each other.

use estoile_mls::{Group, Plan, Suite, hpke};
use openmls::prelude::*;
use openmls_libcrux_crypto::Provider as Libcrux;

use crate::people::{Person, all_take, letter, take, three};
use crate::raw::Raw;

#[test]
fn a_member_on_libcrux_joins_commits_and_writes() {
    for suite in [Suite::XWing, Suite::Classic] {
        let (_, mut groups) = three(suite);
        let lena = Person::new("Lena", 40);
        let provider = Libcrux::default();
        let mut raw = Raw::joins(provider, &lena, suite, &mut groups, PURE_CIPHERTEXT_WIRE_FORMAT_POLICY);
        let same = |groups: &[Group], raw: &Raw<Libcrux>| {
            assert_eq!(groups[0].authenticator(), raw.group.epoch_authenticator().as_slice());
            let theirs = raw.group.export_secret(raw.provider.crypto(), "estoile access", &[], 32).unwrap();
            assert_eq!(groups[0].export("estoile access", 32).unwrap()[..], theirs[..]);
        };
        same(&groups, &raw);
        let sealed = raw.write(b"from libcrux");
        assert_eq!(letter(&mut groups[1], &sealed), (3, b"from libcrux".to_vec()));
        let sealed = groups[1].encrypt(b"to libcrux").unwrap();
        assert_eq!(raw.read(&sealed).unwrap(), b"to libcrux");
        let commit = raw.commit(vec![], true);
        groups.iter_mut().for_each(|g| take(g, &commit));
        same(&groups, &raw);
        let pending = groups[2].commit(Plan { removes: vec![0], ..Plan::default() }).unwrap();
        let mut rest = groups.split_off(1);
        all_take(&mut rest, 1, &pending);
        assert!(raw.read(&pending.commit).is_none());
        same(&rest, &raw);
    }
}

#[test]
fn what_we_seal_to_a_key_libcrux_opens() {
    let libcrux = Libcrux::default();
    let config = || HpkeConfig(HpkeKemType::XWingKemDraft6, HpkeKdfType::HkdfSha384, HpkeAeadType::AesGcm256);
    let pair = libcrux.crypto().derive_hpke_keypair(config(), &[9; 32]).unwrap();
    let sealed = hpke::seal(&pair.public, b"info", b"aad", b"for your eyes").unwrap();
    let (kem, rest) = sealed.split_at(hpke::KEM_LEN);
    let input = HpkeCiphertext { kem_output: kem.to_vec().into(), ciphertext: rest.to_vec().into() };
    let plain = libcrux.crypto().hpke_open(config(), &input, &pair.private, b"info", b"aad").unwrap();
    assert_eq!(plain, b"for your eyes");
    let (secret, public) = hpke::generate().unwrap();
    assert_eq!(public.len(), hpke::PUBLIC_LEN);
    let sealed = libcrux.crypto().hpke_seal(config(), &public, b"info", b"aad", b"and yours").unwrap();
    let sealed = [sealed.kem_output.as_slice(), sealed.ciphertext.as_slice()].concat();
    assert_eq!(hpke::open(&secret, b"info", b"aad", &sealed).unwrap()[..], b"and yours"[..]);
    assert!(hpke::open(&secret, b"other", b"aad", &sealed).is_err());
    assert!(hpke::open(&secret, b"info", b"other", &sealed).is_err());
    assert!(hpke::open(&hpke::generate().unwrap().0, b"info", b"aad", &sealed).is_err());
    assert!(hpke::open(&secret, b"info", b"aad", &sealed[..hpke::KEM_LEN]).is_err());
    assert!(hpke::seal(&public[1..], b"", b"", b"").is_err());
}

#[test]
fn the_known_answers_are_right_here() {
    estoile_mls::known_answers().unwrap();
}
