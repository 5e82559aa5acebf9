//! HPKE (RFC 9180, base mode) for our two suites, by the library that OpenMLS's own providers use.

use getrandom::SysRng;
use hpke_rs::{Hpke, HpkeError, HpkePrivateKey, HpkePublicKey, Mode};
use hpke_rs_crypto::error::Error;
use hpke_rs_crypto::types::{AeadAlgorithm, KdfAlgorithm, KemAlgorithm};
use hpke_rs_crypto::{HpkeCrypto, HpkeTestRng};
use openmls_traits::types::{
    AeadType, CryptoError, ExporterSecret, HashType, HpkeAeadType, HpkeCiphertext, HpkeConfig, HpkeKdfType,
    HpkeKemType, HpkeKeyPair,
};
use rand_core::{TryCryptoRng, TryRng, UnwrapErr};
use x_wing::{Decapsulate as _, Decapsulator as _, Encapsulate as _, Generate as _, KeyExport as _};
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::{Zeroize, Zeroizing};

use super::{decrypt, encrypt, expand, extract};

/// What the library computes with.
#[derive(Debug)]
struct Primitives;

/// The library's machine for a configuration, if it is one of ours.
fn machine(HpkeConfig(kem, kdf, aead): HpkeConfig) -> Result<Hpke<Primitives>, CryptoError> {
    let (kem, kdf, aead) = match (kem, kdf, aead) {
        (HpkeKemType::DhKem25519, HpkeKdfType::HkdfSha256, HpkeAeadType::AesGcm128) => {
            (KemAlgorithm::DhKem25519, KdfAlgorithm::HkdfSha256, AeadAlgorithm::Aes128Gcm)
        }
        (HpkeKemType::XWingKemDraft6, HpkeKdfType::HkdfSha384, HpkeAeadType::AesGcm256) => {
            (KemAlgorithm::XWingDraft06, KdfAlgorithm::HkdfSha384, AeadAlgorithm::Aes256Gcm)
        }
        _ => return Err(CryptoError::UnsupportedCiphersuite),
    };
    Ok(Hpke::new(Mode::Base, kem, kdf, aead))
}

fn of(error: HpkeError) -> CryptoError {
    match error {
        HpkeError::InvalidInput => CryptoError::InvalidLength,
        HpkeError::InsufficientRandomness => CryptoError::InsufficientRandomness,
        _ => CryptoError::CryptoLibraryError,
    }
}

pub(super) fn seal(
    config: HpkeConfig,
    public: &[u8],
    info: &[u8],
    aad: &[u8],
    plain: &[u8],
) -> Result<HpkeCiphertext, CryptoError> {
    let (kem_output, ciphertext) =
        machine(config)?.seal(&HpkePublicKey::from(public), info, aad, plain, None, None, None).map_err(of)?;
    Ok(HpkeCiphertext { kem_output: kem_output.into(), ciphertext: ciphertext.into() })
}

pub(super) fn open(
    config: HpkeConfig,
    sealed: &HpkeCiphertext,
    secret: &[u8],
    info: &[u8],
    aad: &[u8],
) -> Result<Vec<u8>, CryptoError> {
    let (sent, text) = (sealed.kem_output.as_slice(), sealed.ciphertext.as_slice());
    machine(config)?
        .open(sent, &HpkePrivateKey::from(secret), info, aad, text, None, None, None)
        .map_err(|_| CryptoError::HpkeDecryptionError)
}

pub(super) fn send_and_export(
    config: HpkeConfig,
    public: &[u8],
    info: &[u8],
    context: &[u8],
    len: usize,
) -> Result<(Vec<u8>, ExporterSecret), CryptoError> {
    let (sent, sender) = machine(config)?
        .setup_sender(&HpkePublicKey::from(public), info, None, None, None)
        .map_err(|_| CryptoError::SenderSetupError)?;
    let secret = sender.export(context, len).map_err(|_| CryptoError::ExporterError)?;
    Ok((sent, secret.into()))
}

pub(super) fn receive_and_export(
    config: HpkeConfig,
    sent: &[u8],
    secret: &[u8],
    info: &[u8],
    context: &[u8],
    len: usize,
) -> Result<ExporterSecret, CryptoError> {
    let receiver = machine(config)?
        .setup_receiver(sent, &HpkePrivateKey::from(secret), info, None, None, None)
        .map_err(|_| CryptoError::ReceiverSetupError)?;
    receiver.export(context, len).map(Into::into).map_err(|_| CryptoError::ExporterError)
}

pub(super) fn derive(config: HpkeConfig, ikm: &[u8]) -> Result<HpkeKeyPair, CryptoError> {
    let (secret, public) = machine(config)?.derive_key_pair(ikm).map_err(of)?.into_keys();
    Ok(HpkeKeyPair { private: secret.as_slice().into(), public: public.as_slice().to_vec() })
}

/// The system's entropy. The library's trait can't be told that there is none; it stops the program then, as
/// OpenMLS's own providers do: nothing may be sealed without.
struct Entropy(UnwrapErr<SysRng>);

impl TryRng for Entropy {
    type Error = core::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        self.0.try_next_u32()
    }
    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        self.0.try_next_u64()
    }
    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        self.0.try_fill_bytes(out)
    }
}

impl TryCryptoRng for Entropy {}

impl Zeroize for Entropy {
    fn zeroize(&mut self) {}
}

impl HpkeTestRng for Entropy {
    type Error = core::convert::Infallible;

    fn try_fill_test_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        self.try_fill_bytes(out)
    }
    fn seed(&mut self, _: &[u8]) {}
}

const fn hash(kdf: KdfAlgorithm) -> HashType {
    match kdf {
        KdfAlgorithm::HkdfSha256 => HashType::Sha2_256,
        KdfAlgorithm::HkdfSha384 => HashType::Sha2_384,
        KdfAlgorithm::HkdfSha512 => HashType::Sha2_512,
    }
}

const fn kind(aead: AeadAlgorithm) -> Result<AeadType, Error> {
    match aead {
        AeadAlgorithm::Aes128Gcm => Ok(AeadType::Aes128Gcm),
        AeadAlgorithm::Aes256Gcm => Ok(AeadType::Aes256Gcm),
        _ => Err(Error::UnknownAeadAlgorithm),
    }
}

fn x25519_only(kem: KemAlgorithm) -> Result<(), Error> {
    if kem == KemAlgorithm::DhKem25519 { Ok(()) } else { Err(Error::UnknownKemAlgorithm) }
}

fn x_wing_only(kem: KemAlgorithm) -> Result<(), Error> {
    if kem == KemAlgorithm::XWingDraft06 { Ok(()) } else { Err(Error::UnsupportedKemOperation) }
}

fn x25519_secret(bytes: &[u8]) -> Result<StaticSecret, Error> {
    let bytes = Zeroizing::new(<[u8; 32]>::try_from(bytes).map_err(|_| Error::KemInvalidSecretKey)?);
    Ok(StaticSecret::from(*bytes))
}

fn x_wing_secret(bytes: &[u8]) -> Result<x_wing::DecapsulationKey, Error> {
    let bytes = Zeroizing::new(<[u8; 32]>::try_from(bytes).map_err(|_| Error::KemInvalidSecretKey)?);
    Ok(x_wing::DecapsulationKey::from(*bytes))
}

/// The public key and the secret.
fn x_wing_pair(key: &x_wing::DecapsulationKey) -> (Vec<u8>, Vec<u8>) {
    (key.encapsulation_key().to_bytes().to_vec(), key.as_bytes().to_vec())
}

impl HpkeCrypto for Primitives {
    type HpkePrng = Entropy;

    fn name() -> String {
        String::from("estoile")
    }

    fn supports_kdf(kdf: KdfAlgorithm) -> Result<(), Error> {
        if matches!(kdf, KdfAlgorithm::HkdfSha512) { Err(Error::UnknownKdfAlgorithm) } else { Ok(()) }
    }

    fn supports_kem(kem: KemAlgorithm) -> Result<(), Error> {
        x25519_only(kem).or_else(|_| x_wing_only(kem))
    }

    fn supports_aead(aead: AeadAlgorithm) -> Result<(), Error> {
        kind(aead).map(drop)
    }

    fn prng() -> Entropy {
        Entropy(UnwrapErr(SysRng))
    }

    fn kdf_extract(kdf: KdfAlgorithm, salt: &[u8], ikm: &[u8]) -> Result<Vec<u8>, Error> {
        extract(hash(kdf), salt, ikm).map_err(|_| Error::UnknownKdfAlgorithm)
    }

    fn kdf_expand(kdf: KdfAlgorithm, prk: &[u8], info: &[u8], len: usize) -> Result<Vec<u8>, Error> {
        expand(hash(kdf), prk, info, len).map_err(|_| Error::HpkeInvalidOutputLength)
    }

    fn dh(kem: KemAlgorithm, public: &[u8], secret: &[u8]) -> Result<Vec<u8>, Error> {
        x25519_only(kem)?;
        let public = <[u8; 32]>::try_from(public).map_err(|_| Error::KemInvalidPublicKey)?;
        let shared = x25519_secret(secret)?.diffie_hellman(&PublicKey::from(public));
        // RFC 9180, 7.1.4: a secret of zeros comes of a public key that is none.
        if shared.was_contributory() { Ok(shared.as_bytes().to_vec()) } else { Err(Error::KemInvalidPublicKey) }
    }

    fn secret_to_public(kem: KemAlgorithm, secret: &[u8]) -> Result<Vec<u8>, Error> {
        x25519_only(kem)?;
        Ok(PublicKey::from(&x25519_secret(secret)?).as_bytes().to_vec())
    }

    fn kem_key_gen(kem: KemAlgorithm, prng: &mut Entropy) -> Result<(Vec<u8>, Vec<u8>), Error> {
        if x_wing_only(kem).is_ok() {
            return Ok(x_wing_pair(&x_wing::DecapsulationKey::generate_from_rng(prng)));
        }
        let mut secret = Zeroizing::new(vec![0; 32]);
        let Ok(()) = prng.try_fill_bytes(&mut secret);
        Ok((Self::secret_to_public(kem, &secret)?, secret.to_vec()))
    }

    fn kem_key_gen_derand(kem: KemAlgorithm, seed: &[u8]) -> Result<(Vec<u8>, Vec<u8>), Error> {
        x_wing_only(kem)?;
        Ok(x_wing_pair(&x_wing_secret(seed)?))
    }

    fn kem_encaps(kem: KemAlgorithm, public: &[u8], prng: &mut Entropy) -> Result<(Vec<u8>, Vec<u8>), Error> {
        x_wing_only(kem)?;
        let key = x_wing::EncapsulationKey::try_from(public).map_err(|_| Error::KemInvalidPublicKey)?;
        let (sent, shared) = key.encapsulate_with_rng(prng);
        Ok((shared.to_vec(), sent.to_vec()))
    }

    fn kem_decaps(kem: KemAlgorithm, sent: &[u8], secret: &[u8]) -> Result<Vec<u8>, Error> {
        x_wing_only(kem)?;
        let sent = x_wing::Ciphertext::try_from(sent).map_err(|_| Error::KemInvalidCiphertext)?;
        Ok(x_wing_secret(secret)?.decapsulate(&sent).to_vec())
    }

    fn dh_validate_sk(_: KemAlgorithm, _: &[u8]) -> Result<Vec<u8>, Error> {
        Err(Error::UnknownKemAlgorithm)
    }

    fn aead_seal(aead: AeadAlgorithm, key: &[u8], nonce: &[u8], aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, Error> {
        let payload = aes_gcm::aead::Payload { msg: plain, aad };
        encrypt(kind(aead)?, key, nonce, payload).map_err(|_| Error::AeadInvalidNonce)
    }

    fn aead_open(aead: AeadAlgorithm, key: &[u8], nonce: &[u8], aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Error> {
        let payload = aes_gcm::aead::Payload { msg: sealed, aad };
        decrypt(kind(aead)?, key, nonce, payload).map_err(|_| Error::AeadOpenError)
    }
}
