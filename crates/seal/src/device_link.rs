//! The device link: how an account takes in a new device, over a log that a link's secret opens.
//!
//! The old device shows a link. The new one commits to its keys (`Hello`), the old one says who it is (`Offer`), the new one shows
//! what it committed to (`Reveal`), both sides show the same words, and only after a yes on the old device the account goes
//! over (`Grant`). Who sits in the middle with the link must commit before hearing the old device's nonce, and choose his own
//! nonce before hearing the new device's: so each try matches four words with a chance of 2⁻⁵¹, once a link. HPKE is the caller's.
//! This layer does not know logs; time is an argument.

mod codec;
mod inviter;
mod joiner;

use estoile_wire::id::LogKind;
use estoile_wire::{LogId, PublicKey, Signature};
use rand_core::CryptoRng;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::access::AccessKey;
use crate::account::{AccountId, Chain, ChainError, ChainPoint, Generation};
use crate::fields::{Later, Malformed};
use crate::link::RelayUrl;
use crate::sealed_box;
use crate::words;

pub use inviter::{Inviter, InviterStep, Taken};
pub use joiner::{Joiner, JoinerStep};

/// A link is good for ten minutes: two devices lie side by side.
pub const LIFE_MS: u64 = 600_000;
/// So many words are compared: 51 bits, and one guess a link.
pub const WORD_COUNT: usize = 4;
/// A sealed message has at most this many bytes: a chain and what HPKE adds.
pub const MAX_MESSAGE: usize = 24 * 1024;
/// The HPKE-sealed part of a grant has at most this many bytes.
pub const MAX_SEALED: usize = 20 * 1024;

/// HKDF's label of the access key's seed.
pub const LABEL_ACCESS: &[u8] = b"estoile.v1 device access";
/// HKDF's label of the key that seals the messages.
pub const LABEL_SEAL: &[u8] = b"estoile.v1 device seal";
/// In the associated data of a message's seal; the log's id follows.
pub const LABEL_MESSAGE: &[u8] = b"estoile.v1 device message\0";
/// Under the commitment to the new device's keys.
pub const LABEL_COMMIT: &[u8] = b"estoile.v1 device commit\0";
/// Under the transcript that words and grant depend on.
pub const LABEL_TRANSCRIPT: &[u8] = b"estoile.v1 device transcript\0";
/// Under the words.
pub const LABEL_WORDS: &[u8] = b"estoile.v1 device words\0";
/// Under the old device's signature on its grant.
pub const LABEL_GRANT: &[u8] = b"estoile.v1 device grant\0";
/// HPKE's `info` of a grant; its associated data is the transcript's hash.
pub const HPKE_INFO: &[u8] = b"estoile.v1 device hpke";

crate::secret::secret_bytes!(
    /// What a device link carries. Wiped on drop.
    DeviceSecret
);

/// Why somebody refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The user said no.
    No,
    /// The link was used.
    Used,
    /// The ten minutes are over.
    Late,
    /// What the other sent does not fit.
    Wrong,
}

/// What the new device shows of itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its key.
    pub device: PublicKey,
    /// Its HPKE public key.
    pub hpke: Vec<u8>,
    /// What it calls itself.
    pub name: String,
    nonce: [u8; 32],
}

/// What the old device says.
#[derive(Clone, PartialEq, Eq)]
pub struct Offer {
    /// The account.
    pub account: AccountId,
    /// Its chain's length and head.
    pub point: ChainPoint,
    /// The old device.
    pub device: PublicKey,
    nonce: [u8; 32],
}

/// One message of the handshake.
#[derive(Clone, PartialEq, Eq)]
pub enum Message {
    /// New: I commit to my keys.
    Hello {
        /// The hash of the candidate.
        commitment: [u8; 32],
    },
    /// Old: this is the account.
    Offer(Offer),
    /// New: these are my keys, and a proof that I have them and mean this account.
    Reveal {
        /// The keys.
        candidate: Candidate,
        /// `account::chain::sign_join`.
        proof: Signature,
    },
    /// Old: here it is.
    Grant {
        /// [`Granted::encode`] under HPKE to the candidate's key.
        sealed: Vec<u8>,
        /// The old device's, over the transcript and `sealed`.
        signature: Signature,
    },
    /// Either: no.
    Refused(Why),
}

/// What the new device gets.
#[derive(Clone, PartialEq, Eq)]
pub struct Granted {
    /// The chain, with the new device in it.
    pub chain: Chain,
    /// The account's log, which has everything else.
    pub generation: Generation,
    /// The account's home relay, pinned, without an entry code.
    pub relay: RelayUrl,
    /// The messages that the old device brings along, if its user wants that.
    pub history: Option<crate::history::Offer>,
    /// Of a later version.
    pub later: Later,
}

crate::closed_debug!(Candidate, Offer, Message, Granted);

/// Why a handshake ends. Each says what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceLinkError {
    /// Not a message of this link.
    #[error("this is no message of this device link; it is left out")]
    Seal,
    /// Authentic, but not as this version knows it.
    #[error("the other device speaks in a way that this version can't read; update both")]
    Malformed,
    /// Over ten minutes.
    #[error("this device link is older than ten minutes; make a new one with `estoile device link`")]
    Late,
    /// A second device came with the same link.
    #[error(
        "this device link was used twice, so that nobody gets in by it; if it was not you, somebody has seen it: make a new one with `estoile device link` and keep it to yourself"
    )]
    Used,
    /// The other side said no.
    #[error("the other device said no; make a new link with `estoile device link` and try again")]
    Refused,
    /// What was shown is not what was promised.
    #[error(
        "the other device's keys are not those that it promised: somebody may be in the middle; nothing was handed over, make a new link"
    )]
    Wrong,
    /// The account's devices don't allow it.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

impl DeviceLinkError {
    /// What the other side is told, if it should be.
    #[must_use]
    pub const fn reply(&self) -> Option<Message> {
        match self {
            Self::Late => Some(Message::Refused(Why::Late)),
            Self::Used => Some(Message::Refused(Why::Used)),
            Self::Wrong | Self::Chain(_) => Some(Message::Refused(Why::Wrong)),
            Self::Seal | Self::Malformed | Self::Refused => None,
        }
    }
}

impl From<Malformed> for DeviceLinkError {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

impl DeviceSecret {
    /// The key of the log (a fixed one) in which the two devices talk.
    #[must_use]
    pub fn access(&self) -> AccessKey {
        AccessKey::from_seed(&sealed_box::expand(&self.0, &[LABEL_ACCESS]))
    }

    /// The log in which the two devices talk.
    #[must_use]
    pub fn log_id(&self) -> LogId {
        self.access().log_id(LogKind::Fixed)
    }

    /// Seals a message: a record's body.
    #[must_use]
    pub fn seal(&self, message: &Message, rng: &mut dyn CryptoRng) -> Vec<u8> {
        let key = sealed_box::expand(&self.0, &[LABEL_SEAL]);
        sealed_box::seal(&key, LABEL_MESSAGE, &[&self.log_id().0], &message.encode(), rng)
    }

    /// Opens a record's body.
    pub fn open(&self, body: &[u8]) -> Result<Message, DeviceLinkError> {
        if body.len() > MAX_MESSAGE {
            return Err(DeviceLinkError::Seal);
        }
        let key = sealed_box::expand(&self.0, &[LABEL_SEAL]);
        let text = sealed_box::open(&key, LABEL_MESSAGE, &[&self.log_id().0], body).ok_or(DeviceLinkError::Seal)?;
        Ok(Message::decode(&text)?)
    }
}

impl Message {
    /// The text inside the seal.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads the text.
    pub fn decode(text: &[u8]) -> Result<Self, Malformed> {
        codec::decode(text)
    }
}

/// What the new device commits to.
fn commitment(log: &LogId, candidate: &Candidate) -> [u8; 32] {
    let hash = Sha256::new().chain_update(LABEL_COMMIT).chain_update(log.0);
    hash.chain_update(codec::candidate(candidate)).finalize().into()
}

/// All that both sides said, in one hash.
fn transcript(log: &LogId, commitment: &[u8; 32], offer: &Offer, candidate: &Candidate) -> [u8; 32] {
    let offer = codec::offer(offer);
    let hash = Sha256::new().chain_update(LABEL_TRANSCRIPT).chain_update(log.0).chain_update(commitment);
    // The candidate is in the commitment; it stands here too so that nothing rests on that alone.
    let hash = hash.chain_update((offer.len() as u64).to_be_bytes()).chain_update(offer);
    hash.chain_update(codec::candidate(candidate)).finalize().into()
}

/// What both sides show.
fn shown(transcript: &[u8; 32]) -> String {
    let hash = Sha256::new().chain_update(LABEL_WORDS).chain_update(transcript).finalize().into();
    words::words(&hash, WORD_COUNT)
}

fn grant_message(transcript: &[u8; 32], sealed: &[u8]) -> Vec<u8> {
    [LABEL_GRANT, transcript, sealed].concat()
}

impl Granted {
    /// The bytes, for HPKE.
    #[must_use]
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(codec::granted(self))
    }

    /// Reads the bytes; [`Joiner::accept`] judges them.
    pub fn decode(text: &[u8]) -> Result<Self, DeviceLinkError> {
        codec::read_granted(text)
    }
}

#[cfg(test)]
mod tests;
