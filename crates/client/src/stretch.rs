//! Stretching a room's passphrase beside the runtime's threads: Argon2id takes a good part of a second and 64 MiB.

use estoile_seal::passphrase::{self, PassphraseError};
use estoile_seal::quick::RoomSecret;
use zeroize::Zeroizing;

/// The room secret of a passphrase, see [`passphrase::stretch`].
pub(crate) async fn stretch(passphrase: &str, host_port: &str, room: &str) -> Result<RoomSecret, PassphraseError> {
    let passphrase = Zeroizing::new(passphrase.to_owned());
    let (host_port, room) = (host_port.to_owned(), room.to_owned());
    // The work can only be lost with the runtime, or for want of memory.
    tokio::task::spawn_blocking(move || passphrase::stretch(&passphrase, &host_port, &room))
        .await
        .unwrap_or(Err(PassphraseError::Memory))
}
