//! What an account's log carries: the chain, the summary, removals that wait for a second device, and the way to the next
//! generation.
//!
//! A record is sealed under its generation's key and bound to its epoch, so that no relay can serve an old one as a newer.
//! It does not know logs: what was appended when is its caller's.

use estoile_wire::PublicKey;
use estoile_wire::limits::MAX_BODY;
use minicbor::Decoder;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::chain::{Chain, ChainError, MAX_DEVICES, Proposal};
use super::recovery::{Generation, RootKey};
use super::summary::Summary;
use super::{AccountId, chain};
use crate::cbor;
use crate::fields::{self, Fields, Malformed, put_list};
use crate::sealed_box;
use crate::sender;
use estoile_wire::Signature;

/// In the associated data of a record's seal; log id and epoch follow.
pub const LABEL_RECORD: &[u8] = b"estoile.v1 account record\0";
/// Under the root's signature that hands an account over to its next generation.
pub const LABEL_HANDOVER: &[u8] = b"estoile.v1 account handover\0";

/// A record's text is padded to a multiple of this, so that its size tells little of how many contacts and rooms there are.
pub const STEP: usize = 1024;
/// A record has at most this many bytes, whether it stands in the log or in a blob: thousands of contacts and rooms.
pub const MAX_RECORD: usize = 4 * 1024 * 1024;
/// A sealed share of a hand-over has at most this many bytes: an X-Wing ciphertext (1,120), a number and a secret.
pub const MAX_SHARE: usize = 2048;
/// Records nest at most this deep: a summary's lists of maps, with what later versions put there.
const MAX_NESTING: usize = 8;
const VERSION: u64 = 1;

/// What one record says.
#[derive(Clone, PartialEq, Eq)]
pub enum Record {
    /// The whole chain.
    Chain(Chain),
    /// Everything a device needs to go on as this account.
    Summary(Box<Summary>),
    /// A removal that waits for a second device.
    Proposal(Proposal),
    /// This log ends; those who stay go on in the next generation's.
    HandOver(HandOver),
    /// The record is too long for the log: its sealed bytes are a blob on the same relay.
    Blob {
        /// SHA-256 of the sealed bytes.
        hash: [u8; 32],
        /// How many bytes they are.
        size: u64,
    },
}

/// The way from one generation to the next, for the devices that stay. Signed by the root.
#[derive(Clone, PartialEq, Eq)]
pub struct HandOver {
    /// The next generation's number.
    pub number: u32,
    /// For each device that stays, [`HandOver::share`]'s bytes under HPKE to that device's key.
    pub shares: Vec<(PublicKey, Vec<u8>)>,
    /// The root's.
    pub signature: Signature,
}

crate::closed_debug!(Record, HandOver);

/// Why a record can't be sealed or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// Another key's, another epoch's, or altered.
    #[error(
        "a record of the account's own log does not open: the relay altered it or shows it out of its place; it is left out"
    )]
    Seal,
    /// Authentic, but not as this version knows it.
    #[error("a record of the account's own log is none that this version can read; look for a newer one")]
    Malformed,
    /// The chain in it is none.
    #[error("the account's own log holds a chain that does not hold: {0}")]
    Chain(ChainError),
    /// Longer than [`MAX_RECORD`].
    #[error("the account's summary is longer than it may be; remove contacts or rooms that are no longer needed")]
    TooLong,
    /// The root's signature on a hand-over does not hold.
    #[error("the hand-over to a new log of this account is not signed by its recovery words; it is not followed")]
    Signature,
}

impl From<Malformed> for RecordError {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

impl HandOver {
    /// What is sealed, with HPKE, to each device that stays.
    #[must_use]
    pub fn share(next: &Generation) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(cbor::write(|e| e.map(2)?.u8(0)?.u32(next.number())?.u8(1)?.bytes(next.secret())?.ok()))
    }

    /// The generation in an opened [`HandOver::share`].
    pub fn open_share(&self, share: &[u8]) -> Result<Generation, RecordError> {
        let next = fields::whole(share, 2, |d| {
            let mut map = Fields::begin(d)?;
            let number = map.need(0)?.u32()?;
            let secret = fields::array(map.need(1)?)?;
            map.end()?;
            Ok(Generation::from_parts(number, secret))
        })?;
        if next.number() == self.number { Ok(next) } else { Err(RecordError::Malformed) }
    }

    /// Signs for one account: `shares` as their receivers will find them.
    pub fn sign(
        account: &AccountId,
        root: &RootKey,
        number: u32,
        shares: Vec<(PublicKey, Vec<u8>)>,
    ) -> Result<Self, RecordError> {
        if shares.len() > MAX_DEVICES || shares.iter().any(|(_, share)| share.len() > MAX_SHARE) {
            return Err(RecordError::TooLong);
        }
        let signature = root.sign(&Self::message(account, number, &shares));
        Ok(Self { number, shares, signature })
    }

    /// Whether the account's root signed this. A removed device can write into the old log, too: never follow without it.
    pub fn check(&self, chain: &Chain) -> Result<(), RecordError> {
        let message = Self::message(&chain.id(), self.number, &self.shares);
        if sender::verify(&chain.root(), &message, &self.signature) { Ok(()) } else { Err(RecordError::Signature) }
    }

    /// The share of one device, to be opened with its HPKE key.
    #[must_use]
    pub fn share_of(&self, device: &PublicKey) -> Option<&[u8]> {
        self.shares.iter().find(|(to, _)| to == device).map(|(_, share)| share.as_slice())
    }

    fn message(account: &AccountId, number: u32, shares: &[(PublicKey, Vec<u8>)]) -> Vec<u8> {
        let body = cbor::write(|e| put_shares(e, number, shares));
        [LABEL_HANDOVER, &account.0, &body].concat()
    }
}

fn put_shares(e: &mut fields::Out, number: u32, shares: &[(PublicKey, Vec<u8>)]) -> fields::Written {
    e.array(2)?.u32(number)?;
    put_list(e, shares, |e, (device, share)| e.array(2)?.bytes(&device.0)?.bytes(share)?.ok())
}

fn read_hand_over(d: &mut Decoder<'_>) -> Result<HandOver, Malformed> {
    if d.array()? != Some(2) || d.array()? != Some(2) {
        return Err(Malformed);
    }
    let number = d.u32()?;
    let shares = fields::list(d, MAX_DEVICES, |d| {
        if d.array()? != Some(2) {
            return Err(Malformed);
        }
        Ok((fields::public_key(d)?, fields::bytes(d, MAX_SHARE)?))
    })?;
    Ok(HandOver { number, shares, signature: fields::signature(d)? })
}

impl Record {
    /// The record's text: a map of version, kind and what the kind says.
    #[must_use]
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let kind = match self {
            Self::Chain(_) => 0,
            Self::Summary(_) => 1,
            Self::Proposal(_) => 2,
            Self::HandOver(_) => 3,
            Self::Blob { .. } => 4,
        };
        Zeroizing::new(cbor::write(|e| {
            e.map(3)?.u8(0)?.u64(VERSION)?.u8(1)?.u8(kind)?.u8(2)?;
            match self {
                Self::Chain(chain) => e.bytes(&chain.encode())?.ok(),
                Self::Summary(summary) => summary.put(e),
                Self::Proposal(proposal) => e.bytes(&proposal.encode())?.ok(),
                Self::HandOver(over) => {
                    e.array(2)?;
                    put_shares(e, over.number, &over.shares)?;
                    e.bytes(&over.signature.0)?.ok()
                }
                Self::Blob { hash, size } => e.array(2)?.bytes(hash)?.u64(*size)?.ok(),
            }
        }))
    }

    /// Reads the text.
    pub fn decode(text: &[u8]) -> Result<Self, RecordError> {
        if text.len() > MAX_RECORD {
            return Err(RecordError::TooLong);
        }
        let mut failed = None;
        let record = fields::whole(text, MAX_NESTING, |d| {
            let mut map = Fields::begin(d)?;
            if map.need(0)?.u64()? != VERSION {
                return Err(Malformed);
            }
            let kind = map.need(1)?.u64()?;
            let d = map.need(2)?;
            let record = match kind {
                0 => match Chain::verify(d.bytes()?) {
                    Ok(chain) => Self::Chain(chain),
                    Err(why) => {
                        failed = Some(why);
                        return Err(Malformed);
                    }
                },
                1 => Self::Summary(Box::new(Summary::read(d)?)),
                2 => Self::Proposal(Proposal::decode(d.bytes()?)?),
                3 => Self::HandOver(read_hand_over(d)?),
                4 if d.array()? == Some(2) => Self::Blob { hash: fields::array(d)?, size: d.u64()? },
                _ => return Err(Malformed),
            };
            map.end()?;
            Ok(record)
        });
        match failed {
            Some(why) if why != chain::ChainError::Malformed => Err(RecordError::Chain(why)),
            _ => Ok(record?),
        }
    }

    /// Whether sealed bytes are too long for a record of the log, so that they must be put as a blob and named by
    /// [`Record::Blob`].
    #[must_use]
    pub const fn needs_blob(sealed: &[u8]) -> bool {
        sealed.len() > MAX_BODY
    }
}

impl Generation {
    /// Seals a record for one epoch of this generation's log.
    pub fn seal(&self, epoch: u64, record: &Record, rng: &mut dyn CryptoRng) -> Result<Vec<u8>, RecordError> {
        let text = record.encode();
        if text.len() > MAX_RECORD {
            return Err(RecordError::TooLong);
        }
        let padded = sealed_box::pad(&text, STEP);
        let (log, epoch) = (self.log_id(), epoch.to_be_bytes());
        Ok(sealed_box::seal(&self.seal_key(), LABEL_RECORD, &[&log.0, &epoch], &padded, rng))
    }

    /// Opens what a device of this account sealed for this epoch.
    pub fn open(&self, epoch: u64, sealed: &[u8]) -> Result<Record, RecordError> {
        if sealed.len() > MAX_RECORD + STEP + sealed_box::OVERHEAD {
            return Err(RecordError::TooLong);
        }
        let (log, epoch) = (self.log_id(), epoch.to_be_bytes());
        let padded = sealed_box::open(&self.seal_key(), LABEL_RECORD, &[&log.0, &epoch], sealed);
        let padded = padded.ok_or(RecordError::Seal)?;
        Record::decode(sealed_box::unpad(&padded, STEP).ok_or(RecordError::Malformed)?)
    }
}
