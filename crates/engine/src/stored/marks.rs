//! What is kept beside a letter.

use estoile_wire::Millis;
use minicbor::{Decode, Encode};

/// When a letter's life ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StoredEnd {
    #[n(0)]
    pub(crate) at: Millis,
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) hash: [u8; 32],
}

/// A letter that another device of ours brought along.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StoredBrought {
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) hash: [u8; 32],
}
