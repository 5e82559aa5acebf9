//! Segments: files that are written once from front to back in groups, one sync a group, and removed whole.
//!
//! A segment is preallocated with zeroes, so that a group's sync changes no metadata. A group counts when it is whole:
//! its checksum covers the segment's salt, its place and its bytes, so neither a torn write nor what an earlier file left
//! on the disk is ever taken for one. After a restart a segment is never written again.
//!
//! This layer does not know what groups hold.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rand_core::{Rng, UnwrapErr};

use super::error::OpenError;

/// Begins every segment; then comes the format of groups and frames.
const MAGIC: [u8; 7] = *b"estolog";
/// The format that is written, and the highest that is read.
const FORMAT: u8 = 2;
/// Magic, number, next log number, salt, checksum.
pub(super) const HEADER: u64 = 8 + 4 + 8 + 32 + 4;
/// Mark, length and checksum of a group.
pub(super) const GROUP_HEAD: u64 = 12;
const GROUP_MARK: [u8; 4] = *b"grp:";
/// The first segment of a process is this long: a small relay takes little disk.
pub(super) const SMALLEST: u64 = 1 << 20;
/// No segment is preallocated beyond this: making one stalls commits for some 20 ms, and cleaning one moves at most half
/// of it at a time.
pub(crate) const LARGEST: u64 = 16 << 20;
/// A file longer than this is not ours: the largest batch of the largest bodies lies far below.
const MAX_FILE: u64 = 1 << 30;
/// The name under which a segment is made before it counts.
const UNFINISHED: &str = "unfinished";

/// One segment's file.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) number: u32,
    pub(super) salt: [u8; 32],
    pub(super) file: File,
}

/// What a segment says when it is opened.
pub(super) struct Found {
    pub(super) segment: Segment,
    /// The lowest number that no log had when it was made.
    pub(super) next_log: u64,
    /// The whole file.
    pub(super) bytes: Vec<u8>,
}

fn path(folder: &Path, number: u32) -> PathBuf {
    folder.join(format!("{number:08x}.segment"))
}

/// Makes what happened to a folder's names durable.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// The numbers of a folder's segments in order, after what a crash left unfinished is gone.
pub(super) fn list(folder: &Path) -> io::Result<Vec<u32>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let Some(name) = name.to_str() else { continue };
        if name == UNFINISHED {
            fs::remove_file(folder.join(name))?;
        }
        let Some(number) = name.strip_suffix(".segment") else { continue };
        if let Ok(number) = u32::from_str_radix(number, 16) {
            numbers.push(number);
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}

fn header_checksum(head: &[u8]) -> [u8; 4] {
    crc32fast::hash(head).to_le_bytes()
}

impl Segment {
    /// Makes a segment of this length, durable with its name.
    pub(super) fn create(folder: &Path, number: u32, next_log: u64, length: u64) -> io::Result<Self> {
        let unfinished = folder.join(UNFINISHED);
        let made = Self::fill(&unfinished, number, next_log, length)
            .and_then(|segment| fs::rename(&unfinished, path(folder, number)).map(|()| segment))
            .and_then(|segment| sync_folder(folder).map(|()| segment));
        if made.is_err() {
            // Whatever space it took is needed now; a second failure changes nothing.
            fs::remove_file(&unfinished).ok();
            fs::remove_file(path(folder, number)).ok();
        }
        made
    }

    fn fill(unfinished: &Path, number: u32, next_log: u64, length: u64) -> io::Result<Self> {
        let mut salt = [0; 32];
        UnwrapErr(getrandom::SysRng).fill_bytes(&mut salt);
        let mut head = Vec::from(MAGIC);
        head.push(FORMAT);
        head.extend_from_slice(&number.to_le_bytes());
        head.extend_from_slice(&next_log.to_le_bytes());
        head.extend_from_slice(&salt);
        head.extend_from_slice(&header_checksum(&head));
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(true).mode(0o600).open(unfinished)?;
        file.write_all(&head)?;
        let zeroes = vec![0; 1 << 18];
        let mut left = usize::try_from(length.saturating_sub(HEADER)).unwrap_or(usize::MAX);
        while left > 0 {
            let some = zeroes.get(..left.min(zeroes.len())).unwrap_or(&zeroes);
            file.write_all(some)?;
            left -= some.len();
        }
        file.sync_all()?;
        Ok(Self { number, salt, file })
    }

    /// Opens a segment and reads it whole.
    pub(super) fn open(folder: &Path, number: u32) -> Result<Found, OpenError> {
        const DAMAGED: OpenError = OpenError::Damaged { what: "the beginning of a segment is not whole" };
        let file = OpenOptions::new().read(true).write(true).open(path(folder, number))?;
        let length = file.metadata()?.len();
        if !(HEADER..=MAX_FILE).contains(&length) {
            return Err(OpenError::Damaged { what: "a segment has an impossible length" });
        }
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        file.read_exact_at(&mut bytes, 0)?;
        let (head, rest) = bytes.split_at_checked(52).ok_or(DAMAGED)?;
        let sum = rest.first_chunk::<4>().ok_or(DAMAGED)?;
        let (magic, rest) = head.split_first_chunk::<7>().ok_or(DAMAGED)?;
        let (format, rest) = rest.split_first().ok_or(DAMAGED)?;
        let (own, rest) = rest.split_first_chunk::<4>().ok_or(DAMAGED)?;
        let (next_log, salt) = rest.split_first_chunk::<8>().ok_or(DAMAGED)?;
        if *magic != MAGIC
            || !(1..=FORMAT).contains(format)
            || *own != number.to_le_bytes()
            || *sum != header_checksum(head)
        {
            return Err(DAMAGED);
        }
        let salt = salt.try_into().map_err(|_| DAMAGED)?;
        Ok(Found { segment: Self { number, salt, file }, next_log: u64::from_le_bytes(*next_log), bytes })
    }

    pub(super) fn remove(folder: &Path, number: u32) -> io::Result<()> {
        fs::remove_file(path(folder, number))
    }

    fn checksum(&self, at: u64, length: u32, payload: &[u8]) -> [u8; 4] {
        let mut sum = crc32fast::Hasher::new();
        sum.update(&self.salt);
        sum.update(&at.to_le_bytes());
        sum.update(&length.to_le_bytes());
        sum.update(payload);
        sum.finalize().to_le_bytes()
    }

    /// Fills in the head of a group whose first [`GROUP_HEAD`] bytes were left free, for this place.
    pub(super) fn finish_group(&self, at: u64, group: &mut [u8]) {
        let Some((head, payload)) = group.split_first_chunk_mut::<12>() else { return };
        let length = u32::try_from(payload.len()).unwrap_or(0);
        let sum = self.checksum(at, length, payload);
        for (to, from) in head.iter_mut().zip(GROUP_MARK.iter().chain(&length.to_le_bytes()).chain(&sum)) {
            *to = *from;
        }
    }

    /// The group that begins at this place of the whole file, if there is one.
    pub(super) fn group<'a>(&self, bytes: &'a [u8], at: u64) -> Option<&'a [u8]> {
        let rest = bytes.get(usize::try_from(at).ok()?..)?;
        let (mark, rest) = rest.split_first_chunk::<4>()?;
        if *mark != GROUP_MARK {
            return None;
        }
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (sum, rest) = rest.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length);
        let payload = rest.get(..usize::try_from(length).ok()?)?;
        (self.checksum(at, length, payload) == *sum).then_some(payload)
    }

    /// Whether a whole group begins anywhere from this place on.
    pub(super) fn any_group_after(&self, bytes: &[u8], at: u64) -> bool {
        let Some(rest) = usize::try_from(at).ok().and_then(|at| bytes.get(at..)) else { return false };
        let marks = (at..).zip(rest.windows(4)).filter(|(_, window)| *window == GROUP_MARK.as_slice());
        marks.into_iter().any(|(at, _)| self.group(bytes, at).is_some())
    }

    /// Cuts the segment to this length, for good.
    pub(super) fn cut(&self, length: u64) -> io::Result<()> {
        self.file.set_len(length)?;
        self.file.sync_all()
    }
}
