//! The recovery words, and what they derive: the account's root key and the secret of each generation of its log.
//!
//! 24 words of BIP-39's English list are 32 bytes and one byte of checksum. People copy them by hand, so reading is lenient in
//! form and says which word is wrong. Devices never keep the words. This layer does not know logs' contents.

mod words;

use estoile_wire::id::LogKind;
use estoile_wire::{LogId, PublicKey, Signature};
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::access::AccessKey;
use crate::sealed_box;
use crate::sender::SenderKey;

pub use words::{RecoveryError, Suggestions, WORD_COUNT};

/// HKDF's label of the root key's seed.
pub const LABEL_ROOT: &[u8] = b"estoile.v1 account root";
/// HKDF's label of a generation's secret; the generation's number follows in 4 bytes.
pub const LABEL_GENERATION: &[u8] = b"estoile.v1 account log";
/// HKDF's label of an access key's seed in the account's log; the epoch follows in 8 bytes.
pub const LABEL_ACCESS: &[u8] = b"estoile.v1 account access";
/// HKDF's label of the key that seals the account log's records.
pub const LABEL_SEAL: &[u8] = b"estoile.v1 account seal";

/// What the recovery words say: whoever has them is the account. Wiped on drop.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Recovery([u8; 32]);

/// The account's root key. Wiped on drop.
#[derive(Clone)]
pub struct RootKey(SenderKey);

/// One generation of the account's log: what its devices hold. Wiped on drop.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Generation {
    number: u32,
    secret: [u8; 32],
}

crate::closed_debug!(Recovery, RootKey, Generation);

impl Recovery {
    /// Fresh words.
    #[must_use]
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        let mut entropy = Self([0; 32]);
        rng.fill_bytes(&mut entropy.0);
        entropy
    }

    /// The words of these 32 bytes.
    #[must_use]
    pub const fn from_entropy(entropy: [u8; 32]) -> Self {
        Self(entropy)
    }

    /// Reads words as people write them: either case, any white space or commas, numbered or not.
    pub fn parse(text: &str) -> Result<Self, RecoveryError> {
        words::parse(text).map(|entropy| Self(*entropy))
    }

    /// The 24 words, in lower case, one space between each two.
    #[must_use]
    pub fn words(&self) -> Zeroizing<String> {
        words::write(&self.0)
    }

    /// The account's root key.
    #[must_use]
    pub fn root(&self) -> RootKey {
        RootKey(SenderKey::from_seed(&sealed_box::expand(&self.0, &[LABEL_ROOT])))
    }

    /// The account log's generation of this number, from 0.
    #[must_use]
    pub fn generation(&self, number: u32) -> Generation {
        let secret = sealed_box::expand(&self.0, &[LABEL_GENERATION, &number.to_be_bytes()]);
        Generation { number, secret: *secret }
    }
}

impl RootKey {
    /// The public key, which the chain names.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        self.0.public()
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Signature {
        self.0.sign(message)
    }
}

impl Generation {
    /// The generation with this number and secret.
    #[must_use]
    pub const fn from_parts(number: u32, secret: [u8; 32]) -> Self {
        Self { number, secret }
    }

    /// Which one it is, from 0.
    #[must_use]
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// The secret, for the vault and for handing over.
    #[must_use]
    pub const fn secret(&self) -> &[u8; 32] {
        &self.secret
    }

    /// The access key of one epoch of the account's log.
    #[must_use]
    pub fn access(&self, epoch: u64) -> AccessKey {
        AccessKey::from_seed(&sealed_box::expand(&self.secret, &[LABEL_ACCESS, &epoch.to_be_bytes()]))
    }

    /// The account's log in this generation: an advancing one.
    #[must_use]
    pub fn log_id(&self) -> LogId {
        self.access(0).log_id(LogKind::Advancing)
    }

    pub(crate) fn seal_key(&self) -> Zeroizing<[u8; 32]> {
        sealed_box::expand(&self.secret, &[LABEL_SEAL])
    }
}

impl PartialEq for Generation {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number && bool::from(self.secret.ct_eq(&other.secret))
    }
}

impl Eq for Generation {}

impl PartialEq for Recovery {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Recovery {}
