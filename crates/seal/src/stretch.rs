//! Argon2id with the one set of parameters that Estoile knows, for rooms' and vaults' passphrases.
//!
//! The parameters are constants here and stand in the labels under the salts: nobody can lower them, and other ones would
//! be another version. This layer does not know what the passphrase opens.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use zeroize::{Zeroize, Zeroizing};

/// 64 MiB.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 1;

/// A passphrase has at most this many bytes: more is a file that somebody pasted by mistake.
pub(crate) const MAX_PASSPHRASE: usize = 1024;

/// There was no memory for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoMemory;

/// Argon2id, version 0x13, 32 bytes. About 0.2 s on one core.
pub(crate) fn stretch(passphrase: &str, salt: &[u8; 32]) -> Result<Zeroizing<[u8; 32]>, NoMemory> {
    let mut out = Zeroizing::new([0; 32]);
    let memory = if estoile_wire::weak::is("stretch") { 8 } else { MEMORY_KIB };
    let params = Params::new(memory, PASSES, LANES, Some(out.len())).map_err(|_| NoMemory)?;
    let mut blocks: Vec<Block> = Vec::new();
    blocks.try_reserve_exact(params.block_count()).map_err(|_| NoMemory)?;
    blocks.resize(params.block_count(), Block::new());
    let result = Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into_with_memory(
        passphrase.as_bytes(),
        salt,
        out.as_mut_slice(),
        &mut blocks,
    );
    // The last blocks tell the key.
    blocks.iter_mut().for_each(Zeroize::zeroize);
    result.map(|()| out).map_err(|_| NoMemory)
}
