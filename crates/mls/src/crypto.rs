//! What OpenMLS asks of cryptography, for our two suites alone: Ed25519, SHA-256 and SHA-384, AES-GCM, HPKE with X25519 or
//! X-Wing. OpenMLS's own provider carries three further curves and a second generation of the libraries below; in a
//! browser each of them is downloaded.
//!
//! Everything here hands on to a library; whether they compute rightly is asked by [`crate::known_answers`] at each start.

mod hpke;

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes128Gcm, Aes256Gcm, KeyInit as _};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use getrandom::SysRng;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use openmls::prelude::Ciphersuite;
use openmls::prelude::tls_codec::SecretVLBytes;
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::random::OpenMlsRand;
use openmls_traits::types::{
    AeadType, CryptoError, ExporterSecret, HashType, HpkeCiphertext, HpkeConfig, HpkeKeyPair, SignatureScheme,
};
use rand_core::TryRng as _;
use sha2::{Digest, Sha256, Sha384};

use zeroize::Zeroizing;

use crate::Suite;

/// Length of AES-GCM's nonce in every suite.
const NONCE_LEN: usize = 12;

/// The libraries; it has no state of its own.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Crypto;

impl OpenMlsCrypto for Crypto {
    fn supports(&self, suite: Ciphersuite) -> Result<(), CryptoError> {
        Suite::of(suite).map(drop).ok_or(CryptoError::UnsupportedCiphersuite)
    }

    fn supported_ciphersuites(&self) -> Vec<Ciphersuite> {
        vec![Suite::XWing.mls(), Suite::Classic.mls()]
    }

    fn hkdf_extract(&self, hash: HashType, salt: &[u8], ikm: &[u8]) -> Result<SecretVLBytes, CryptoError> {
        extract(hash, salt, ikm).map(SecretVLBytes::from)
    }

    fn hmac(&self, hash: HashType, key: &[u8], message: &[u8]) -> Result<SecretVLBytes, CryptoError> {
        fn mac<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> Result<SecretVLBytes, CryptoError> {
            let mut mac = <M as KeyInit>::new_from_slice(key).map_err(|_| CryptoError::InvalidLength)?;
            mac.update(message);
            Ok(mac.finalize().into_bytes().to_vec().into())
        }
        match hash {
            HashType::Sha2_256 => mac::<Hmac<Sha256>>(key, message),
            HashType::Sha2_384 => mac::<Hmac<Sha384>>(key, message),
            HashType::Sha2_512 => Err(CryptoError::UnsupportedHashAlgorithm),
        }
    }

    fn hkdf_expand(&self, hash: HashType, prk: &[u8], info: &[u8], len: usize) -> Result<SecretVLBytes, CryptoError> {
        expand(hash, prk, info, len).map(SecretVLBytes::from)
    }

    fn hash(&self, hash: HashType, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        match hash {
            HashType::Sha2_256 => Ok(Sha256::digest(data).to_vec()),
            HashType::Sha2_384 => Ok(Sha384::digest(data).to_vec()),
            HashType::Sha2_512 => Err(CryptoError::UnsupportedHashAlgorithm),
        }
    }

    fn aead_encrypt(
        &self,
        kind: AeadType,
        key: &[u8],
        data: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        encrypt(kind, key, nonce, Payload { msg: data, aad })
    }

    fn aead_decrypt(
        &self,
        kind: AeadType,
        key: &[u8],
        sealed: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        decrypt(kind, key, nonce, Payload { msg: sealed, aad })
    }

    fn signature_key_gen(&self, scheme: SignatureScheme) -> Result<(Vec<u8>, Vec<u8>), CryptoError> {
        only_ed25519(scheme)?;
        let mut seed = Zeroizing::new([0; 32]);
        fill(&mut *seed)?;
        let key = SigningKey::from_bytes(&seed);
        Ok((seed.to_vec(), key.verifying_key().to_bytes().to_vec()))
    }

    fn verify_signature(
        &self,
        scheme: SignatureScheme,
        data: &[u8],
        public: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        only_ed25519(scheme)?;
        let key = VerifyingKey::try_from(public).map_err(|_| CryptoError::CryptoLibraryError)?;
        let signature = Signature::from_slice(signature).map_err(|_| CryptoError::CryptoLibraryError)?;
        key.verify_strict(data, &signature).map_err(|_| CryptoError::InvalidSignature)
    }

    fn sign(&self, scheme: SignatureScheme, data: &[u8], key: &[u8]) -> Result<Vec<u8>, CryptoError> {
        only_ed25519(scheme)?;
        let key = SigningKey::try_from(key).map_err(|_| CryptoError::CryptoLibraryError)?;
        Ok(key.sign(data).to_bytes().to_vec())
    }

    fn hpke_seal(
        &self,
        config: HpkeConfig,
        public: &[u8],
        info: &[u8],
        aad: &[u8],
        plain: &[u8],
    ) -> Result<HpkeCiphertext, CryptoError> {
        hpke::seal(config, public, info, aad, plain)
    }

    fn hpke_open(
        &self,
        config: HpkeConfig,
        sealed: &HpkeCiphertext,
        secret: &[u8],
        info: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        hpke::open(config, sealed, secret, info, aad)
    }

    fn hpke_setup_sender_and_export(
        &self,
        config: HpkeConfig,
        public: &[u8],
        info: &[u8],
        context: &[u8],
        len: usize,
    ) -> Result<(Vec<u8>, ExporterSecret), CryptoError> {
        hpke::send_and_export(config, public, info, context, len)
    }

    fn hpke_setup_receiver_and_export(
        &self,
        config: HpkeConfig,
        sent: &[u8],
        secret: &[u8],
        info: &[u8],
        context: &[u8],
        len: usize,
    ) -> Result<ExporterSecret, CryptoError> {
        hpke::receive_and_export(config, sent, secret, info, context, len)
    }

    fn derive_hpke_keypair(&self, config: HpkeConfig, ikm: &[u8]) -> Result<HpkeKeyPair, CryptoError> {
        hpke::derive(config, ikm)
    }
}

impl OpenMlsRand for Crypto {
    type Error = CryptoError;

    fn random_array<const N: usize>(&self) -> Result<[u8; N], CryptoError> {
        let mut out = [0; N];
        fill(&mut out)?;
        Ok(out)
    }

    fn random_vec(&self, len: usize) -> Result<Vec<u8>, CryptoError> {
        let mut out = vec![0; len];
        fill(&mut out)?;
        Ok(out)
    }
}

/// The system's entropy, or a refusal.
fn fill(out: &mut [u8]) -> Result<(), CryptoError> {
    SysRng.try_fill_bytes(out).map_err(|_| CryptoError::InsufficientRandomness)
}

fn only_ed25519(scheme: SignatureScheme) -> Result<(), CryptoError> {
    if scheme == SignatureScheme::ED25519 { Ok(()) } else { Err(CryptoError::UnsupportedSignatureScheme) }
}

fn extract(hash: HashType, salt: &[u8], ikm: &[u8]) -> Result<Vec<u8>, CryptoError> {
    match hash {
        HashType::Sha2_256 => Ok(Hkdf::<Sha256>::extract(Some(salt), ikm).0.to_vec()),
        HashType::Sha2_384 => Ok(Hkdf::<Sha384>::extract(Some(salt), ikm).0.to_vec()),
        HashType::Sha2_512 => Err(CryptoError::UnsupportedHashAlgorithm),
    }
}

fn expand(hash: HashType, prk: &[u8], info: &[u8], len: usize) -> Result<Vec<u8>, CryptoError> {
    let wrong = |()| CryptoError::HkdfOutputLengthInvalid;
    let mut out = vec![0; len];
    match hash {
        HashType::Sha2_256 => {
            Hkdf::<Sha256>::from_prk(prk).map_err(drop).and_then(|h| h.expand(info, &mut out).map_err(drop))
        }
        HashType::Sha2_384 => {
            Hkdf::<Sha384>::from_prk(prk).map_err(drop).and_then(|h| h.expand(info, &mut out).map_err(drop))
        }
        HashType::Sha2_512 => return Err(CryptoError::UnsupportedHashAlgorithm),
    }
    .map_err(wrong)?;
    Ok(out)
}

/// The cipher of a kind with this key, for one message.
fn cipher<T>(
    kind: AeadType,
    key: &[u8],
    small: impl FnOnce(Aes128Gcm) -> T,
    large: impl FnOnce(Aes256Gcm) -> T,
) -> Result<T, CryptoError> {
    let wrong = |_| CryptoError::CryptoLibraryError;
    match kind {
        AeadType::Aes128Gcm => Aes128Gcm::new_from_slice(key).map(small).map_err(wrong),
        AeadType::Aes256Gcm => Aes256Gcm::new_from_slice(key).map(large).map_err(wrong),
        AeadType::ChaCha20Poly1305 => Err(CryptoError::UnsupportedAeadAlgorithm),
    }
}

/// A nonce of the one length that there is: the library panics at others.
fn nonce(bytes: &[u8]) -> Result<[u8; NONCE_LEN], CryptoError> {
    bytes.try_into().map_err(|_| CryptoError::InvalidLength)
}

fn encrypt(kind: AeadType, key: &[u8], at: &[u8], payload: Payload<'_, '_>) -> Result<Vec<u8>, CryptoError> {
    let at = nonce(at)?.into();
    let again = Payload { msg: payload.msg, aad: payload.aad };
    cipher(kind, key, |c| c.encrypt(&at, payload), |c| c.encrypt(&at, again))?
        .map_err(|_| CryptoError::CryptoLibraryError)
}

fn decrypt(kind: AeadType, key: &[u8], at: &[u8], payload: Payload<'_, '_>) -> Result<Vec<u8>, CryptoError> {
    let at = nonce(at)?.into();
    let again = Payload { msg: payload.msg, aad: payload.aad };
    cipher(kind, key, |c| c.decrypt(&at, payload), |c| c.decrypt(&at, again))?
        .map_err(|_| CryptoError::AeadDecryptionError)
}

#[cfg(test)]
mod tests;
