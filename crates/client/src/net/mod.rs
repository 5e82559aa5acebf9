//! Sockets: how a relay is reached, and how frames go to it and come from it.
//!
//! This layer knows no frame's meaning, no rooms and no keys. It *reports* what it saw of the relay's certificate; whether
//! that is the right relay is for the engine to say, after the welcome.

mod connect;
mod session;
mod tls;

pub use connect::Stream;
pub(crate) use connect::{connect, reach_stream};
pub(crate) use session::{SocketEvent, Sockets};
pub(crate) use tls::SeenCertificate;
