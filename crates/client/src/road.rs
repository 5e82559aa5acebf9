//! A connection to a relay for something else than the engine's sessions.

use core::fmt;
use core::time::Duration;

use estoile_engine::{RelayAddress, check_welcome};
use estoile_wire::frame::Hello;
use estoile_wire::id::{CertificateHash, Nonce};
use estoile_wire::{ClientFrame, RelayFrame, VERSION};
use futures_util::{SinkExt as _, StreamExt as _};
use rand_core::Rng as _;
use tokio_tungstenite::tungstenite::Message;

use crate::net::{SeenCertificate, Stream, connect, reach_stream};

/// A relay greets within this.
const GREETING: Duration = Duration::from_secs(15);

/// An open connection: TCP, and TLS where the address says so.
pub struct Road {
    /// What is written and read.
    pub stream: Box<dyn Stream>,
    /// SHA-256 of the certificate that was shown; none without TLS.
    pub certificate: Option<CertificateHash>,
    /// Whether a public authority vouches for it.
    pub trusted: bool,
}

impl fmt::Debug for Road {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Road").field("trusted", &self.trusted).finish_non_exhaustive()
    }
}

/// Why a relay was not reached, or not believed; the text says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RoadError(String);

impl RoadError {
    fn new(text: impl fmt::Display) -> Self {
        Self(text.to_string())
    }
}

/// Reaches a relay's address. Whose certificate was shown is the caller's to judge.
///
/// # Errors
/// [`RoadError`] when nobody is there, or TLS fails.
pub async fn reach(address: &RelayAddress) -> Result<Road, RoadError> {
    let (stream, seen) = reach_stream(address).await.map_err(RoadError::new)?;
    Ok(Road { stream, certificate: seen.map(|s| s.hash), trusted: seen.is_some_and(|s| s.publicly_trusted) })
}

/// Asks a relay to prove its key and its certificate; what further connections there must show, if no authority vouches
/// for it. None without TLS, which is for this machine alone.
///
/// # Errors
/// [`RoadError`] when it can't be reached or is another one.
pub async fn vouched(address: &RelayAddress) -> Result<Option<CertificateHash>, RoadError> {
    let (mut socket, seen) = connect(address).await.map_err(RoadError::new)?;
    let mut challenge = [0; 32];
    rand_core::UnwrapErr(getrandom::SysRng).fill_bytes(&mut challenge);
    let challenge = Nonce(challenge);
    let hello = ClientFrame::Hello(Hello { versions: vec![VERSION], challenge }).encode();
    let greeted = tokio::time::timeout(GREETING, async {
        socket.send(Message::Binary(hello.into())).await.map_err(RoadError::new)?;
        while let Some(message) = socket.next().await {
            if let Message::Binary(bytes) = message.map_err(RoadError::new)? {
                return Ok(bytes);
            }
        }
        Err(RoadError::new("it hung up"))
    });
    let bytes = greeted.await.map_err(|_| RoadError::new("it did not answer in time; try again"))??;
    let Ok(RelayFrame::Welcome(welcome)) = RelayFrame::decode(&bytes) else {
        return Err(RoadError::new("the server there is no estoile relay; check the address"));
    };
    let SeenCertificate { hash, publicly_trusted } = match seen {
        Some(seen) => seen,
        None => {
            check_welcome(&welcome, &challenge, None, false, address).map_err(RoadError::new)?;
            return Ok(None);
        }
    };
    check_welcome(&welcome, &challenge, Some(&hash), publicly_trusted, address).map_err(RoadError::new)?;
    Ok(Some(hash))
}
