//! Strict CBOR: RFC 8949 §4.2.1 deterministic encoding, checked before anything is decoded.
//!
//! This layer does not know what the items mean.
