//! The relay's long-term key and its entry code: made once from the system's CSPRNG, kept in the data folder.

use data_encoding::BASE64URL_NOPAD;
use ed25519_dalek::SigningKey;
use getrandom::SysRng;
use rand_core::TryRng;
use zeroize::Zeroizing;

use crate::error::StartError;
use crate::folder::Folder;

/// The relay's key: this line, then the seed of an Ed25519 key in base64url.
const KEY_FILE: &str = "relay.key";
const KEY_HEADER: &str = "estoile relay key v1 ";
/// The entry code: this line, then the code in base64url.
const ENTRY_FILE: &str = "entry.code";
const ENTRY_HEADER: &str = "estoile entry code v1 ";
/// 128 bits: nobody guesses it, and a link that carries it stays short.
const ENTRY_SIZE: usize = 16;

/// Bytes from the system.
pub(crate) fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, StartError> {
    let mut bytes = Zeroizing::new([0; N]);
    SysRng.try_fill_bytes(bytes.as_mut_slice()).map_err(|_| StartError::Randomness)?;
    Ok(bytes)
}

/// The relay's key; made when there is none. A damaged one is an error: a new one would break every link.
pub(crate) fn relay_key(folder: &Folder) -> Result<SigningKey, StartError> {
    let seed = match read_secret::<32>(folder, KEY_FILE, KEY_HEADER)? {
        Some(seed) => seed,
        None => make_secret::<32>(folder, KEY_FILE, KEY_HEADER)?,
    };
    Ok(SigningKey::from_bytes(&seed))
}

/// The entry code; made when there is none.
pub(crate) fn entry_code(folder: &Folder) -> Result<EntryCode, StartError> {
    match read_secret(folder, ENTRY_FILE, ENTRY_HEADER)? {
        Some(code) => Ok(EntryCode(code)),
        None => new_entry_code(folder),
    }
}

/// Another entry code, in place of the one there is.
pub(crate) fn new_entry_code(folder: &Folder) -> Result<EntryCode, StartError> {
    make_secret(folder, ENTRY_FILE, ENTRY_HEADER).map(EntryCode)
}

/// Who knows it may create logs here.
pub(crate) struct EntryCode(Zeroizing<[u8; ENTRY_SIZE]>);

impl EntryCode {
    /// As frames carry it.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// As links and people carry it.
    pub(crate) fn to_text(&self) -> String {
        BASE64URL_NOPAD.encode(self.0.as_slice())
    }
}

fn read_secret<const N: usize>(
    folder: &Folder,
    name: &str,
    header: &str,
) -> Result<Option<Zeroizing<[u8; N]>>, StartError> {
    let Some(text) = folder.read(name)?.map(Zeroizing::new) else { return Ok(None) };
    let damaged = || StartError::Damaged { path: folder.file(name), what: "it does not hold what was written to it" };
    let line = text.strip_suffix(b"\n").ok_or_else(damaged)?;
    let encoded = line.strip_prefix(header.as_bytes()).ok_or_else(damaged)?;
    let bytes = Zeroizing::new(BASE64URL_NOPAD.decode(encoded).map_err(|_| damaged())?);
    let bytes = <[u8; N]>::try_from(bytes.as_slice()).map_err(|_| damaged())?;
    Ok(Some(Zeroizing::new(bytes)))
}

fn make_secret<const N: usize>(folder: &Folder, name: &str, header: &str) -> Result<Zeroizing<[u8; N]>, StartError> {
    let secret = random::<N>()?;
    let line = Zeroizing::new(format!("{header}{}\n", BASE64URL_NOPAD.encode(secret.as_slice())));
    folder.write(name, line.as_bytes())?;
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_and_code_are_made_once_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::take(dir.path()).unwrap();
        let (key, code) = (relay_key(&folder).unwrap(), entry_code(&folder).unwrap());
        assert_eq!(relay_key(&folder).unwrap().to_bytes(), key.to_bytes());
        assert_eq!(entry_code(&folder).unwrap().to_text(), code.to_text());
        let rotated = new_entry_code(&folder).unwrap();
        assert_ne!(rotated.to_text(), code.to_text());
        assert_eq!(entry_code(&folder).unwrap().as_bytes(), rotated.as_bytes());
    }

    #[test]
    fn a_damaged_key_is_never_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::take(dir.path()).unwrap();
        relay_key(&folder).unwrap();
        let good = folder.read(KEY_FILE).unwrap().unwrap();
        for bad in [&b""[..], &good[..good.len() - 1], &good[..30], b"estoile relay key v2 AAAA\n"] {
            folder.write(KEY_FILE, bad).unwrap();
            let error = relay_key(&folder).unwrap_err();
            assert!(matches!(error, StartError::Damaged { .. }), "{error}");
        }
    }
}
