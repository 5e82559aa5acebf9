//! WebSocket (RFC 6455), the server's half, as small as it can be: an idle session holds no buffer, and what is sent is
//! the same bytes for everybody. Why it is our own: `docs/decisions/0002-websocket.md`.
//!
//! This layer does no I/O and knows nothing of Estoile's frames: bytes in, messages out, and headers for what goes out.

pub(crate) mod frame;
pub(crate) mod handshake;
pub(crate) mod reader;

pub(crate) use frame::{CloseCode, Header};
pub(crate) use reader::{Fault, Incoming, Reader};
