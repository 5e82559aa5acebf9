//! Stretching a room's passphrase beside the runtime's threads: Argon2id takes a good part of a second and 64 MiB.

/// Why a passphrase could not be stretched.
#[derive(Debug, thiserror::Error)]
#[error("the room's passphrase could not be stretched: {0}; check that 64 MiB of memory are free, and try again")]
pub struct StretchError(pub(crate) String);

use estoile_seal::passphrase;
use estoile_seal::quick::RoomSecret;
use zeroize::Zeroizing;

/// The room secret of a passphrase, see [`passphrase::stretch`].
pub(crate) async fn stretch(passphrase: &str, host_port: &str, room: &str) -> Result<RoomSecret, StretchError> {
    let passphrase = Zeroizing::new(passphrase.to_owned());
    let (host_port, room) = (host_port.to_owned(), room.to_owned());
    tokio::task::spawn_blocking(move || passphrase::stretch(&passphrase, &host_port, &room))
        .await
        .map_err(|e| StretchError(e.to_string()))?
        .map_err(|e| StretchError(e.to_string()))
}
