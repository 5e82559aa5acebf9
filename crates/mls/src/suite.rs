//! The suites of private rooms, and their numbers on the wire.

use openmls::prelude::Ciphersuite;

/// A cipher suite that we make groups with. It never changes in a group's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Suite {
    /// 0x004E: X-Wing (ML-KEM-768 with X25519), AES-256-GCM, SHA-384, Ed25519. The default.
    XWing,
    /// 0x0001: X25519, AES-128-GCM, SHA-256, Ed25519. Not safe against a quantum computer that comes later.
    Classic,
}

impl Suite {
    /// The number in the registry of MLS cipher suites (0x004E: draft-ietf-mls-pq-ciphersuites).
    #[must_use]
    pub const fn number(self) -> u16 {
        match self {
            Self::XWing => 0x004E,
            Self::Classic => 0x0001,
        }
    }

    /// The suite with this number, if it is one of ours.
    #[must_use]
    pub const fn from_number(number: u16) -> Option<Self> {
        match number {
            0x004E => Some(Self::XWing),
            0x0001 => Some(Self::Classic),
            _ => None,
        }
    }

    pub(crate) const fn mls(self) -> Ciphersuite {
        match self {
            Self::XWing => Ciphersuite::MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519,
            Self::Classic => Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519,
        }
    }

    pub(crate) fn of(suite: Ciphersuite) -> Option<Self> {
        Self::from_number(suite.into())
    }
}
