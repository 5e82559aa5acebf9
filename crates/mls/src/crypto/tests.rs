//! The same answers as OpenMLS's own provider, both ways.

use openmls_rust_crypto::RustCrypto;
use openmls_traits::types::{HpkeAeadType, HpkeKdfType, HpkeKemType};

use super::*;

const CONFIGS: [fn() -> HpkeConfig; 2] =
    [|| crate::hpke::CONFIG, || HpkeConfig(HpkeKemType::DhKem25519, HpkeKdfType::HkdfSha256, HpkeAeadType::AesGcm128)];

#[test]
fn what_depends_on_no_chance_is_the_same() {
    let (own, theirs) = (Crypto, RustCrypto::default());
    for hash in [HashType::Sha2_256, HashType::Sha2_384] {
        assert_eq!(own.hash(hash, b"text"), theirs.hash(hash, b"text"));
        assert_eq!(own.hmac(hash, b"key", b"text"), theirs.hmac(hash, b"key", b"text"));
        let prk = own.hkdf_extract(hash, b"salt", b"ikm").unwrap();
        assert_eq!(Ok(&prk), theirs.hkdf_extract(hash, b"salt", b"ikm").as_ref());
        let out = own.hkdf_expand(hash, prk.as_slice(), b"info", 100).unwrap();
        assert_eq!(Ok(&out), theirs.hkdf_expand(hash, prk.as_slice(), b"info", 100).as_ref());
        let long = own.hkdf_expand(hash, prk.as_slice(), b"info", 255 * 48 + 1);
        assert_eq!(long, Err(CryptoError::HkdfOutputLengthInvalid));
    }
    for (kind, len) in [(AeadType::Aes128Gcm, 16), (AeadType::Aes256Gcm, 32)] {
        let key = vec![7; len];
        let sealed = own.aead_encrypt(kind, &key, b"text", &[1; 12], b"aad").unwrap();
        assert_eq!(Ok(&sealed), theirs.aead_encrypt(kind, &key, b"text", &[1; 12], b"aad").as_ref());
        assert_eq!(own.aead_decrypt(kind, &key, &sealed, &[1; 12], b"aad").unwrap(), b"text");
        assert_eq!(own.aead_decrypt(kind, &key, &sealed, &[1; 12], b"aad."), Err(CryptoError::AeadDecryptionError));
        assert_eq!(own.aead_encrypt(kind, &key, b"text", &[1; 11], b""), Err(CryptoError::InvalidLength));
        assert_eq!(own.aead_encrypt(kind, b"short", b"text", &[1; 12], b""), Err(CryptoError::CryptoLibraryError));
    }
    for config in CONFIGS {
        let (a, b) = (own.derive_hpke_keypair(config(), &[5; 32]), theirs.derive_hpke_keypair(config(), &[5; 32]));
        let (a, b) = (a.unwrap(), b.unwrap());
        assert_eq!((&*a.private, a.public), (&*b.private, b.public));
    }
}

#[test]
fn what_one_seals_and_signs_the_other_opens_and_verifies() {
    fn seals_for(one: &impl OpenMlsCrypto, other: &impl OpenMlsCrypto, config: fn() -> HpkeConfig) {
        let pair = other.derive_hpke_keypair(config(), &[9; 32]).unwrap();
        let sealed = one.hpke_seal(config(), &pair.public, b"info", b"aad", b"text").unwrap();
        assert_eq!(other.hpke_open(config(), &sealed, &pair.private, b"info", b"aad").unwrap(), b"text");
        let wrong = other.hpke_open(config(), &sealed, &pair.private, b"info.", b"aad");
        assert_eq!(wrong, Err(CryptoError::HpkeDecryptionError));
        let (sent, a) = one.hpke_setup_sender_and_export(config(), &pair.public, b"info", b"context", 32).unwrap();
        let b = other.hpke_setup_receiver_and_export(config(), &sent, &pair.private, b"info", b"context", 32).unwrap();
        assert_eq!(a.as_ref(), b.as_ref());
        assert!(one.hpke_seal(config(), &pair.public[1..], b"info", b"aad", b"text").is_err());
        let (secret, public) = one.signature_key_gen(SignatureScheme::ED25519).unwrap();
        let signature = one.sign(SignatureScheme::ED25519, b"text", &secret).unwrap();
        assert_eq!(other.verify_signature(SignatureScheme::ED25519, b"text", &public, &signature), Ok(()));
        let forged = other.verify_signature(SignatureScheme::ED25519, b"text.", &public, &signature);
        assert_eq!(forged, Err(CryptoError::InvalidSignature));
    }
    let theirs = RustCrypto::default();
    for config in CONFIGS {
        seals_for(&Crypto, &theirs, config);
        seals_for(&theirs, &Crypto, config);
    }
}

#[test]
fn a_public_key_that_gives_a_secret_of_zeros_is_refused() {
    assert!(Crypto.hpke_seal(CONFIGS[1](), &[0; 32], b"", b"", b"text").is_err());
}

#[test]
fn nothing_beyond_the_two_suites_is_done() {
    let other = Ciphersuite::MLS_128_DHKEMP256_AES128GCM_SHA256_P256;
    assert_eq!(Crypto.supports(other), Err(CryptoError::UnsupportedCiphersuite));
    assert!(Crypto.supported_ciphersuites().iter().all(|suite| Crypto.supports(*suite).is_ok()));
    assert!(Crypto.hash(HashType::Sha2_512, b"").is_err() && Crypto.hmac(HashType::Sha2_512, b"", b"").is_err());
    assert!(Crypto.aead_encrypt(AeadType::ChaCha20Poly1305, &[0; 32], b"", &[0; 12], b"").is_err());
    assert!(Crypto.sign(SignatureScheme::ECDSA_SECP256R1_SHA256, b"", &[1; 32]).is_err());
    let mixed = HpkeConfig(HpkeKemType::XWingKemDraft6, HpkeKdfType::HkdfSha256, HpkeAeadType::AesGcm256);
    assert!(Crypto.derive_hpke_keypair(mixed, &[5; 32]).is_err());
}

#[test]
fn chance_differs_from_call_to_call() {
    assert_ne!(Crypto.random_array::<32>(), Crypto.random_array::<32>());
    assert_eq!(Crypto.random_vec(33).map(|v| v.len()), Ok(33));
}
