//! Opaque names: fixed-size byte strings that print as hex only where somebody asks for it.
//!
//! None of these types implements `Display`, and `Debug` shows the type's name alone: an id that slips into a log line
//! says nothing (DESIGN §2, logs and metrics).

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use sha2::{Digest, Sha256};

use crate::proof::LABEL_LOG_ID;

macro_rules! opaque {
    ($(#[$doc:meta])* $name:ident, $size:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $size]);

        impl $name {
            /// The size in bytes.
            pub const SIZE: usize = $size;

            /// The bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $size] {
                &self.0
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(stringify!($name))
            }
        }

        impl From<[u8; $size]> for $name {
            fn from(bytes: [u8; $size]) -> Self {
                Self(bytes)
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = core::array::TryFromSliceError;
            fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
                bytes.try_into().map(Self)
            }
        }

        impl<C> Encode<C> for $name {
            fn encode<W: encode::Write>(
                &self,
                e: &mut Encoder<W>,
                _: &mut C,
            ) -> Result<(), encode::Error<W::Error>> {
                e.bytes(&self.0)?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
                let at = d.position();
                Self::try_from(d.bytes()?)
                    .map_err(|_| decode::Error::message(concat!("wrong size of ", stringify!($name))).at(at))
            }
        }
    };
}

opaque! {
    /// A log's id: SHA-256 of (label, kind, first access key), see [`LogId::derive`].
    LogId, 32
}
opaque! {
    /// Belongs to a letter, not to a sealing of it; a log keeps one record per live `Id16`.
    Id16, 16
}
opaque! {
    /// An Ed25519 public key (RFC 8032), not yet checked to be a point.
    PublicKey, 32
}
opaque! {
    /// An Ed25519 signature (RFC 8032), not yet checked.
    Signature, 64
}
opaque! {
    /// SHA-256 of (label, relay key): what links pin, see [`RelayKeyHash::of`].
    RelayKeyHash, 32
}
opaque! {
    /// Fresh random bytes of one side of one session.
    Nonce, 32
}
opaque! {
    /// SHA-256 of the DER certificate that a relay presents in TLS.
    CertificateHash, 32
}
opaque! {
    /// What a stranger shows to post into a log or to take from a shelf. Its holder's secret; the relay keeps its hash.
    TicketSecret, 32
}
opaque! {
    /// SHA-256 of (label, a ticket's secret), see [`TicketSecret::hash`]: what a relay keeps of a ticket.
    TicketHash, 32
}
opaque! {
    /// One of a shelf's boxes, chosen at random by the device that fills it.
    SlotId, 16
}
opaque! {
    /// SHA-256 of a blob's bytes: its address, and the leave to read it.
    BlobHash, 32
}
opaque! {
    /// Random bytes with which a relay grants the putting of one blob.
    BlobToken, 32
}

/// A position in a log: strictly increasing, not gapless. 0 lies before every record.
pub type Cursor = u64;

/// What kind of log (a shelf counts as one); the numbers stand on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogKind {
    /// One access key for ever (quick rooms).
    Fixed = 0,
    /// The access key changes with each epoch (private rooms, an account's own log).
    Advancing = 1,
    /// No log but a box of things that are taken once; it has one key for ever, its owner's.
    Shelf = 2,
}

impl LogKind {
    /// The kind with this number on the wire, if this version knows it.
    #[must_use]
    pub const fn from_wire(n: u64) -> Option<Self> {
        match n {
            0 => Some(Self::Fixed),
            1 => Some(Self::Advancing),
            2 => Some(Self::Shelf),
            _ => None,
        }
    }
}

impl LogId {
    /// SHA-256 of (label, kind as one byte, first access key): nobody can squat on an id without its key.
    #[must_use]
    pub fn derive(kind: LogKind, first_access_key: &PublicKey) -> Self {
        let mut hash = Sha256::new();
        hash.update(LABEL_LOG_ID);
        hash.update([kind as u8]);
        hash.update(first_access_key.0);
        Self(hash.finalize().into())
    }
}

impl RelayKeyHash {
    /// SHA-256 of (label, relay key).
    #[must_use]
    pub fn of(relay_key: &PublicKey) -> Self {
        let mut hash = Sha256::new();
        hash.update(crate::proof::LABEL_RELAY_KEY);
        hash.update(relay_key.0);
        Self(hash.finalize().into())
    }
}

impl TicketSecret {
    /// What a relay keeps of it: SHA-256 of (label, secret).
    #[must_use]
    pub fn hash(&self) -> TicketHash {
        let mut hash = Sha256::new();
        hash.update(crate::proof::LABEL_TICKET);
        hash.update(self.0);
        TicketHash(hash.finalize().into())
    }
}

impl BlobHash {
    /// The address of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}
