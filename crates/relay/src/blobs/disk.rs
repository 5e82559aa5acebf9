//! A blob's file: a head in the open (hour and salt), what it is (sealed), and its bytes in sealed pieces.
//!
//! | bytes | what |
//! | --- | --- |
//! | 8 | `estblob` and the format |
//! | 4 | hour of expiry |
//! | 32 | salt, random |
//! | 96 | sealed: log, hash, size, expiry |
//! | … | sealed pieces of 16 KiB, the last one shorter |
//!
//! The key is made from the hour's and the salt, so that it is this file's alone; the nonce counts pieces, and a piece is
//! sealed once: a file is never written again after it broke off. Names are random, `part` while unfinished.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use chacha20poly1305::ChaCha20Poly1305;
use chacha20poly1305::aead::AeadInOut;
use data_encoding::HEXLOWER;
use estoile_wire::{LogId, Millis};
use rand_core::{Rng, UnwrapErr};

use super::{Blobs, Hash, Whole};
use crate::store::hours::{Hours, Use, hour_of};

const MAGIC: [u8; 8] = *b"estblob\x01";
/// Bytes that are sealed together: little enough that the end of a request may wait in memory for the next one.
pub(super) const PIECE: usize = 16 << 10;
const TAG: usize = 16;
const SEALED_PIECE: u64 = (PIECE + TAG) as u64;
const WHAT: usize = 32 + 32 + 8 + 8;
const OPEN_HEAD: usize = 8 + 4 + 32;
const HEAD: usize = OPEN_HEAD + WHAT + TAG;
/// Ends the names of files that are whole, and of those that are not.
const WHOLE: &str = "blob";
const PART: &str = "part";

fn nonce(counter: u64) -> [u8; 12] {
    let mut nonce = [0; 12];
    for (to, from) in nonce.iter_mut().zip(counter.to_le_bytes()) {
        *to = from;
    }
    nonce
}

fn broken() -> io::Error {
    io::Error::other("a blob's file is not what was written")
}

fn seal(cipher: &ChaCha20Poly1305, counter: u64, bytes: &mut Vec<u8>, from: usize) -> io::Result<()> {
    let content = bytes.get_mut(from..).ok_or_else(broken)?;
    let tag = cipher.encrypt_inout_detached(&nonce(counter).into(), &[], content.into()).map_err(|_| broken())?;
    bytes.extend_from_slice(&tag);
    Ok(())
}

fn open(cipher: &ChaCha20Poly1305, counter: u64, bytes: &mut Vec<u8>) -> io::Result<()> {
    let length = bytes.len().checked_sub(TAG).ok_or_else(broken)?;
    let tag: [u8; TAG] = bytes.split_off(length).try_into().map_err(|_| broken())?;
    cipher
        .decrypt_inout_detached(&nonce(counter).into(), &[], bytes.as_mut_slice().into(), &tag.into())
        .map_err(|_| broken())
}

/// The length of the file of a blob.
fn file_length(size: u64) -> u64 {
    let pieces = size.div_ceil(PIECE as u64);
    (HEAD as u64).saturating_add(size).saturating_add(pieces.saturating_mul(TAG as u64))
}

/// A file that is being written. Dropped before it is finished, it is gone.
pub(super) struct Part {
    path: PathBuf,
    file: File,
    cipher: ChaCha20Poly1305,
    pieces: u64,
    at: u64,
    finished: bool,
}

impl std::fmt::Debug for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Part")
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.finished {
            // What can't be removed now is removed at the next start.
            fs::remove_file(&self.path).ok();
        }
    }
}

impl Part {
    /// Makes the file of a blob.
    pub(super) fn create(blobs: &Blobs, log: &LogId, hash: &Hash, size: u64, expires: Millis) -> io::Result<Self> {
        let mut random = [0; 40];
        UnwrapErr(getrandom::SysRng).fill_bytes(&mut random);
        let (salt, name) = random.split_first_chunk::<32>().ok_or_else(broken)?;
        let hour = hour_of(expires);
        let cipher = {
            let hours = blobs.hours();
            hours.ensure(std::iter::once(hour))?;
            hours.cipher_for(Use::Blob, hour, salt).ok_or_else(broken)?
        };
        let path = blobs.folder.join(HEXLOWER.encode(name)).with_extension(PART);
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
        let mut part = Self { path, file, cipher, pieces: 0, at: 0, finished: false };
        let mut head = Vec::with_capacity(HEAD);
        head.extend_from_slice(&MAGIC);
        head.extend_from_slice(&hour.to_le_bytes());
        head.extend_from_slice(salt);
        head.extend_from_slice(log.as_bytes());
        head.extend_from_slice(hash);
        head.extend_from_slice(&size.to_le_bytes());
        head.extend_from_slice(&expires.to_le_bytes());
        seal(&part.cipher, 0, &mut head, OPEN_HEAD)?;
        part.put(&head)?;
        Ok(part)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, self.at)?;
        self.at = self.at.saturating_add(bytes.len() as u64);
        Ok(())
    }

    /// Seals whole pieces and writes them; the last piece of a blob may be shorter.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut sealed = Vec::with_capacity(bytes.len().saturating_add(bytes.len().div_ceil(PIECE) * TAG));
        for piece in bytes.chunks(PIECE) {
            let from = sealed.len();
            sealed.extend_from_slice(piece);
            self.pieces = self.pieces.saturating_add(1);
            seal(&self.cipher, self.pieces, &mut sealed, from)?;
        }
        self.put(&sealed)
    }

    /// Makes it durable, under its last name.
    pub(super) fn finish(mut self) -> io::Result<PathBuf> {
        self.file.sync_all()?;
        let path = self.path.with_extension(WHOLE);
        fs::rename(&self.path, &path)?;
        self.finished = true;
        let folder = path.parent().ok_or_else(broken)?;
        if let Err(error) = File::open(folder).and_then(|folder| folder.sync_all()) {
            fs::remove_file(&path).ok();
            return Err(error);
        }
        Ok(path)
    }
}

/// A whole file, opened to be read.
pub(super) struct Source {
    file: File,
    cipher: ChaCha20Poly1305,
    size: u64,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Source")
    }
}

impl Source {
    pub(super) fn open(blobs: &Blobs, whole: &Whole) -> io::Result<Self> {
        let file = File::open(&whole.path)?;
        let mut head = [0; OPEN_HEAD];
        file.read_exact_at(&mut head, 0)?;
        let (hour, salt) = read_open(&head).ok_or_else(broken)?;
        let cipher = blobs.hours().cipher_for(Use::Blob, hour, &salt).ok_or_else(broken)?;
        Ok(Self { file, cipher, size: whole.size })
    }

    /// The bytes from a place on, to the end of some piece behind it, so many pieces at most.
    pub(super) fn read(&self, from: u64, pieces: u64) -> io::Result<Vec<u8>> {
        let first = from / PIECE as u64;
        let mut bytes = Vec::new();
        for piece in first..first.saturating_add(pieces) {
            let begin = piece.saturating_mul(PIECE as u64);
            let Some(left) = self.size.checked_sub(begin).filter(|left| *left > 0) else { break };
            let length = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
            let mut sealed = vec![0; length + TAG];
            self.file.read_exact_at(&mut sealed, (HEAD as u64).saturating_add(piece.saturating_mul(SEALED_PIECE)))?;
            open(&self.cipher, piece.saturating_add(1), &mut sealed)?;
            bytes.append(&mut sealed);
        }
        let skip = usize::try_from(from % PIECE as u64).unwrap_or(0).min(bytes.len());
        Ok(bytes.split_off(skip))
    }
}

fn read_open(head: &[u8]) -> Option<(u32, [u8; 32])> {
    let (magic, rest) = head.split_first_chunk::<8>()?;
    let (hour, rest) = rest.split_first_chunk::<4>()?;
    let (salt, _) = rest.split_first_chunk::<32>()?;
    (*magic == MAGIC).then(|| (u32::from_le_bytes(*hour), *salt))
}

fn read_what(path: &Path, hours: &Hours) -> io::Result<Option<(Hash, Whole)>> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    if length < HEAD as u64 {
        return Ok(None);
    }
    let mut head = vec![0; HEAD];
    file.read_exact_at(&mut head, 0)?;
    let Some((hour, salt)) = read_open(&head) else { return Ok(None) };
    let Some(cipher) = hours.cipher_for(Use::Blob, hour, &salt) else { return Ok(None) };
    let mut what = head.split_off(OPEN_HEAD);
    if open(&cipher, 0, &mut what).is_err() {
        return Ok(None);
    }
    let fields = || {
        let (log, rest) = what.split_first_chunk::<32>()?;
        let (hash, rest) = rest.split_first_chunk::<32>()?;
        let (size, rest) = rest.split_first_chunk::<8>()?;
        let (expires, _) = rest.split_first_chunk::<8>()?;
        let (size, expires) = (u64::from_le_bytes(*size), u64::from_le_bytes(*expires));
        (length == file_length(size)).then(|| {
            let whole = Whole { log: LogId(*log), size, expires, path: path.to_path_buf() };
            (*hash, whole)
        })
    };
    Ok(fields())
}

/// The blobs of a folder. What is not finished, or lies under a key that is gone, is removed.
pub(super) fn found(folder: &Path, hours: &Hours) -> io::Result<Vec<(Hash, Whole)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let kind = path.extension().and_then(|kind| kind.to_str());
        let blob = match kind {
            Some(WHOLE) => read_what(&path, hours)?,
            Some(PART) => None,
            _ => continue,
        };
        match blob {
            Some(blob) => found.push(blob),
            None => fs::remove_file(&path)?,
        }
    }
    Ok(found)
}
