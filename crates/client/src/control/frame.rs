//! Messages on the control socket: a length in four bytes and so much JSON. Both ends are this program, of one user.

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use zeroize::Zeroizing;

/// The longest message: a snapshot of a room's newest thousand messages, each of the greatest size, fits.
const MAX: usize = 256 << 20;

/// The socket broke, or the other end is another version of the program.
#[derive(Debug)]
pub(super) struct Broken;

impl From<std::io::Error> for Broken {
    fn from(_: std::io::Error) -> Self {
        Self
    }
}

/// Writes one message.
pub(super) async fn write<T: Serialize>(to: &mut (impl AsyncWrite + Unpin), message: &T) -> Result<(), Broken> {
    let body = Zeroizing::new(serde_json::to_vec(message).map_err(|_| Broken)?);
    let length = u32::try_from(body.len()).map_err(|_| Broken)?;
    to.write_all(&length.to_be_bytes()).await?;
    to.write_all(&body).await?;
    to.flush().await?;
    Ok(())
}

/// Reads one message. Not cancel-safe.
pub(super) async fn read<T: DeserializeOwned>(from: &mut (impl AsyncRead + Unpin)) -> Result<T, Broken> {
    let length = usize::try_from(from.read_u32().await?).map_err(|_| Broken)?;
    if length > MAX {
        return Err(Broken);
    }
    let mut body = Zeroizing::new(Vec::new());
    // Grows as bytes come: a length alone takes no memory.
    from.take(length as u64).read_to_end(&mut body).await?;
    if body.len() != length {
        return Err(Broken);
    }
    serde_json::from_slice(&body).map_err(|_| Broken)
}
