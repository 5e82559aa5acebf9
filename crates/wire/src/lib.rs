//! Estoile's wire protocol, as `docs/protocol.md` numbers it: frames, ids, limits, refusals and the exact bytes that
//! signatures cover.
//!
//! This layer does no I/O, holds no secrets, signs nothing and checks no signature: it says what the bytes are.
//! Both the relay's crates and the clients' crates build on it, so nothing that could open a body may enter it.
//!
//! - [`id`]: the names of things (logs, letters, keys), all opaque to the relay;
//! - [`frame`]: what travels inside one WebSocket binary message, in either direction;
//! - [`proof`]: the labelled byte strings under each signature;
//! - [`limits`]: every bound of the protocol, with its reason;
//! - [`refusal`]: why a relay said no, and whether to try again;
//! - [`weak`]: nothing, but in the build that proves the laboratory.
#![forbid(unsafe_code)]

pub mod frame;
pub mod id;
pub mod limits;
pub mod proof;
pub mod refusal;
pub mod weak;

pub use frame::{ClientFrame, DecodeError, RelayFrame};
pub use id::{Cursor, Id16, LogId, PublicKey, RelayKeyHash, Signature};
pub use limits::Limits;
pub use refusal::Refusal;

/// The WebSocket subprotocol both sides must agree on (RFC 6455 §1.9).
pub const SUBPROTOCOL: &str = "estoile.v1";
/// The path at which a relay accepts WebSocket sessions.
pub const SESSION_PATH: &str = "/v1/session";
/// The one protocol version of this program.
pub const VERSION: u64 = 1;

/// Milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
pub type Millis = u64;
