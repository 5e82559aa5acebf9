//! Stretching passphrases (Argon2id, 64 MiB, a second or more in a browser): as a job that can run elsewhere.
//!
//! In a browser it runs in a short-lived worker of its own: nothing waits for it, it can be stopped, and its memory is given
//! back, which one's own memory in WebAssembly never is.

use estoile_seal::passphrase;
use estoile_seal::vault_key::{VaultKey, VaultSalt};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// What to stretch.
#[derive(Serialize, Deserialize)]
pub enum Job {
    /// The vault's passphrase.
    Vault(Zeroizing<String>, VaultSalt),
    /// A room's.
    Room {
        /// The passphrase.
        passphrase: Zeroizing<String>,
        /// The relay, as links write it.
        host_port: String,
        /// The room's name.
        room: String,
    },
}

impl core::fmt::Debug for Job {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(if matches!(self, Self::Vault(..)) { "Vault(..)" } else { "Room(..)" })
    }
}

impl Job {
    /// Does it.
    ///
    /// # Errors
    /// Why not, and what to do.
    pub fn run(&self) -> Result<Zeroizing<[u8; 32]>, String> {
        match self {
            Self::Vault(passphrase, salt) => VaultKey::stretch(passphrase, salt)
                .map(|key| Zeroizing::new(*key.as_bytes()))
                .map_err(|error| error.to_string()),
            Self::Room { passphrase, host_port, room } => passphrase::stretch(passphrase, host_port, room)
                .map(|secret| Zeroizing::new(*secret.as_bytes()))
                .map_err(|error| error.to_string()),
        }
    }
}
