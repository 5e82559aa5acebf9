//! A vault's head: how its key is found. It stands beside the sealed entries, in the clear (docs/seal.md, S10.3).
//!
//! The vault's key is always random, and what is kept of it is sealed: under a passphrase's key, or by a key that the browser
//! keeps and never shows. So another passphrase needs one small write, and the sealed entries stay as they are.

use estoile_seal::vault_key::{VaultKey, VaultSalt};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// The layout of head and store that this program writes.
pub(crate) const FORMAT: u64 = 1;
/// The name under which a passphrase's key seals the vault's.
const KEY_NAME: &[u8] = b"\0vault key";
const BY_PASSPHRASE: u8 = 0;
const BY_BROWSER: u8 = 1;

/// How a vault's key is found.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Head {
    /// Sealed under a key that is stretched from a passphrase.
    Passphrase {
        /// The passphrase's salt.
        salt: VaultSalt,
        /// The sealed key.
        sealed: Vec<u8>,
    },
    /// Wrapped by a key that the browser keeps.
    Browser {
        /// The wrapped key.
        wrapped: Vec<u8>,
    },
}

impl core::fmt::Debug for Head {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(if matches!(self, Self::Passphrase { .. }) { "Passphrase" } else { "Browser" })
    }
}

/// What stands in the store.
#[derive(Encode, Decode)]
#[cbor(map)]
struct Stored {
    #[n(0)]
    format: u64,
    #[n(1)]
    by: u8,
    #[n(2)]
    salt: Option<ByteVec>,
    #[n(3)]
    key: Option<ByteVec>,
}

/// Why a head says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeadError {
    /// A later version wrote it.
    Newer(u64),
    /// It was altered.
    Damaged,
}

impl Head {
    /// A vault's key under a passphrase's.
    pub(crate) fn by_passphrase(
        stretched: &VaultKey,
        salt: VaultSalt,
        key: &VaultKey,
        rng: &mut dyn CryptoRng,
    ) -> Self {
        Self::Passphrase { salt, sealed: stretched.seal(KEY_NAME, key.as_bytes(), rng) }
    }

    /// The vault's key; none if the passphrase is another.
    pub(crate) fn unseal(sealed: &[u8], stretched: &VaultKey) -> Option<VaultKey> {
        let key: Zeroizing<Vec<u8>> = stretched.open(KEY_NAME, sealed).ok()?;
        key.as_slice().try_into().ok().map(VaultKey::from_bytes)
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let stored = match self.clone() {
            Self::Passphrase { salt, sealed } => {
                Stored { format: FORMAT, by: BY_PASSPHRASE, salt: Some(salt.to_vec().into()), key: Some(sealed.into()) }
            }
            Self::Browser { wrapped } => {
                Stored { format: FORMAT, by: BY_BROWSER, salt: None, key: Some(wrapped.into()) }
            }
        };
        // Writing to memory does not fail.
        minicbor::to_vec(stored).unwrap_or_default()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, HeadError> {
        let stored: Stored = minicbor::decode(bytes).map_err(|_| HeadError::Damaged)?;
        if stored.format != FORMAT {
            return Err(HeadError::Newer(stored.format));
        }
        let key = stored.key.map(Vec::from).ok_or(HeadError::Damaged)?;
        let salt = stored.salt.and_then(|salt| VaultSalt::try_from(salt.as_slice()).ok());
        match (stored.by, salt) {
            (BY_PASSPHRASE, Some(salt)) => Ok(Self::Passphrase { salt, sealed: key }),
            (BY_BROWSER, None) => Ok(Self::Browser { wrapped: key }),
            _ => Err(HeadError::Damaged),
        }
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    use super::*;

    #[test]
    fn heads_are_read_as_they_were_written() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let (key, stretched) = (VaultKey::generate(&mut rng), VaultKey::generate(&mut rng));
        let head = Head::by_passphrase(&stretched, [7; 32], &key, &mut rng);
        assert_eq!(Head::from_bytes(&head.to_bytes()), Ok(head.clone()));
        let Head::Passphrase { sealed, .. } = head else { panic!("a passphrase's head") };
        assert_eq!(Head::unseal(&sealed, &stretched).unwrap().as_bytes(), key.as_bytes());
        assert!(Head::unseal(&sealed, &key).is_none(), "another passphrase opens nothing");
        assert!(!sealed.windows(32).any(|part| part == key.as_bytes()), "the key is not in the clear");
        let wrapped = Head::Browser { wrapped: vec![1, 2, 3] };
        assert_eq!(Head::from_bytes(&wrapped.to_bytes()), Ok(wrapped));
    }

    #[test]
    fn altered_and_later_heads_are_told_apart() {
        let head = Head::Passphrase { salt: [7; 32], sealed: vec![9; 73] }.to_bytes();
        for cut in 0..head.len() {
            assert_eq!(Head::from_bytes(&head[..cut]), Err(HeadError::Damaged), "{cut} bytes");
        }
        let mut later = head.clone();
        // The map's head, the key 0, the format.
        assert_eq!(later[2], 1);
        later[2] = 2;
        assert_eq!(Head::from_bytes(&later), Err(HeadError::Newer(2)));
    }
}
