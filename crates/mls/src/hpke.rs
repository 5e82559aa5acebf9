//! Sealing to one public key (RFC 9180, base mode) with X-Wing and AES-256-GCM: the same code as suite 0x004E uses.
//!
//! The sealed form is the KEM output (1,120 bytes) and then the ciphertext with its tag. Who sealed is not proven.

use openmls_traits::crypto::OpenMlsCrypto as _;
use openmls_traits::random::OpenMlsRand as _;
use openmls_traits::types::{HpkeAeadType, HpkeCiphertext, HpkeConfig, HpkeKdfType, HpkeKemType};
use zeroize::Zeroizing;

use crate::crypto::Crypto;
use crate::{MAX_MESSAGE, MlsError};

/// Length of a public key: ML-KEM-768's 1,184 bytes and X25519's 32.
pub const PUBLIC_LEN: usize = 1216;
/// Length of what the KEM adds in front: ML-KEM-768's 1,088 bytes and X25519's 32.
pub const KEM_LEN: usize = 1120;
/// Length of AES-GCM's tag.
pub const TAG_LEN: usize = 16;

pub(crate) const CONFIG: HpkeConfig =
    HpkeConfig(HpkeKemType::XWingKemDraft6, HpkeKdfType::HkdfSha384, HpkeAeadType::AesGcm256);

/// A new key pair: the secret for the vault, and the public key.
pub fn generate() -> Result<(Zeroizing<Vec<u8>>, Vec<u8>), MlsError> {
    let crypto = Crypto;
    let seed = Zeroizing::new(crypto.random_array::<32>().map_err(|e| MlsError::Library(e.to_string()))?);
    derive(&seed)
}

/// The key pair of a seed of 32 random bytes, always the same: the secret, and the public key.
pub fn derive(seed: &[u8; 32]) -> Result<(Zeroizing<Vec<u8>>, Vec<u8>), MlsError> {
    let pair = Crypto.derive_hpke_keypair(CONFIG, seed).map_err(|e| MlsError::Library(e.to_string()))?;
    Ok((Zeroizing::new(pair.private.to_vec()), pair.public))
}

/// Seals `plain` to a public key. `info` names the purpose; `aad` must be the same when it is opened.
pub fn seal(public: &[u8], info: &[u8], aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, MlsError> {
    if public.len() != PUBLIC_LEN {
        return Err(MlsError::Invalid("HPKE public key"));
    }
    if plain.len() > MAX_MESSAGE {
        return Err(MlsError::TooLong);
    }
    let sealed =
        Crypto.hpke_seal(CONFIG, public, info, aad, plain).map_err(|_| MlsError::Invalid("HPKE public key"))?;
    Ok([sealed.kem_output.as_slice(), sealed.ciphertext.as_slice()].concat())
}

/// Opens what was sealed to our key with the same `info` and `aad`.
pub fn open(secret: &[u8], info: &[u8], aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, MlsError> {
    let (kem_output, ciphertext) = sealed.split_at_checked(KEM_LEN).ok_or(MlsError::Malformed)?;
    if ciphertext.len() < TAG_LEN || sealed.len() > MAX_MESSAGE {
        return Err(MlsError::Malformed);
    }
    let input = HpkeCiphertext { kem_output: kem_output.to_vec().into(), ciphertext: ciphertext.to_vec().into() };
    let plain = Crypto.hpke_open(CONFIG, &input, secret, info, aad);
    plain.map(Zeroizing::new).map_err(|_| MlsError::NotForUs)
}
