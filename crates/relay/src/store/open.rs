//! Opening a store: its lock, its format, and the index from what lies in its segments.
//!
//! Only the newest segment may end in the middle of a group: that group was never acknowledged. Anything else that is
//! not whole is damage, and said so; the store never guesses.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Arc, RwLock};

use super::clean::Frames;
use super::error::OpenError;
use super::frame::{self, Frame};
use super::hours::{self, Hours};
use super::index::{Arrival, Held, Index, Place};
use super::segment::{self, Found, Segment};
use super::{RecordStore, Shared, StoreOptions};

/// The format of the folder that this version writes, and the highest that it reads.
pub const FORMAT: u32 = 2;
const FORMAT_FILE: &str = "format";
const FORMAT_TEXT: &str = "estoile store ";
const LOCK: &str = "lock";
/// Zeroes held back for a full disk: enough to write the state of some thousand logs before segments go.
pub(super) const SPARE: &str = "spare";
pub(super) const SPARE_BYTES: u64 = 1 << 20;

impl RecordStore {
    /// Opens the store in a folder of its own, and makes it if there is none.
    ///
    /// # Errors
    /// [`OpenError`] says what to do.
    pub fn open(folder: &Path, options: StoreOptions) -> Result<Self, OpenError> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let lock = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(folder.join(LOCK))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OpenError::InUse),
            Err(TryLockError::Error(e)) => return Err(e.into()),
        }
        check_format(folder)?;
        let hours = Hours::open(folder)?;
        let recovered = recover(folder, &hours)?;
        // Held back while there is room; a full disk must still open.
        make_spare(folder).ok();
        Ok(Self {
            folder: folder.to_path_buf(),
            options,
            shared: Arc::new(Shared { index: RwLock::new(recovered.index), hours }),
            active: None,
            next_segment: recovered.next_segment,
            next_log: recovered.next_log,
            next_length: segment::SMALLEST,
            disk: recovered.disk,
            beside: 0,
            taken_through: None,
            group: Vec::new(),
            uncut: None,
            _lock: lock,
        })
    }
}

fn check_format(folder: &Path) -> Result<(), OpenError> {
    const STRANGE: OpenError = OpenError::Damaged { what: "its format file is not one of ours" };
    let text = match fs::read(folder.join(FORMAT_FILE)) {
        Ok(bytes) => String::from_utf8(bytes).map_err(|_| STRANGE)?,
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            if !segment::list(folder)?.is_empty() {
                return Err(OpenError::Damaged { what: "its format file is missing" });
            }
            // The format comes last: a folder that has one has everything else.
            Hours::create(folder)?;
            write_whole(folder, FORMAT_FILE, format!("{FORMAT_TEXT}{FORMAT}\n").as_bytes())?;
            return Ok(());
        }
        Err(e) => return Err(e.into()),
    };
    let found: u32 = text.trim_end().strip_prefix(FORMAT_TEXT).and_then(|n| n.parse().ok()).ok_or(STRANGE)?;
    if found > FORMAT {
        return Err(OpenError::Newer { found, known: FORMAT });
    }
    if found < FORMAT {
        // What is written from now on an earlier version must not take for damage.
        write_whole(folder, FORMAT_FILE, format!("{FORMAT_TEXT}{FORMAT}\n").as_bytes())?;
    }
    Ok(())
}

fn write_whole(folder: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    let new = folder.join("unfinished");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&new, folder.join(name))?;
    segment::sync_folder(folder)
}

/// Takes the space that is held back, if it is not taken.
pub(super) fn make_spare(folder: &Path) -> io::Result<()> {
    let path = folder.join(SPARE);
    if fs::metadata(&path).is_ok_and(|meta| meta.len() == SPARE_BYTES) {
        return Ok(());
    }
    let zeroes = vec![0; usize::try_from(SPARE_BYTES).unwrap_or(0)];
    let made = File::create(&path).and_then(|mut file| file.write_all(&zeroes).and_then(|()| file.sync_all()));
    if made.is_err() {
        fs::remove_file(&path).ok();
    }
    made
}

struct Recovered {
    index: Index,
    next_segment: u32,
    next_log: u64,
    disk: u64,
}

fn recover(folder: &Path, hours: &Hours) -> Result<Recovered, OpenError> {
    let mut recovered = Recovered { index: Index::default(), next_segment: 1, next_log: 1, disk: 0 };
    let numbers = segment::list(folder)?;
    for number in &numbers {
        let newest = Some(number) == numbers.last();
        let Found { segment, next_log, bytes } = Segment::open(folder, *number)?;
        recovered.next_log = recovered.next_log.max(next_log);
        recovered.next_segment = number.saturating_add(1);
        let held = Held {
            file: Arc::new(segment),
            length: bytes.len() as u64,
            live: 0,
            drops: Vec::new(),
            removals: Vec::new(),
        };
        let segment = Arc::clone(&held.file);
        recovered.index.segments.insert(*number, held);
        let end = replay(&mut recovered, &segment, &bytes, hours)?;
        check_end(&segment, &bytes, end, newest)?;
        if newest && end < bytes.len() as u64 {
            segment.cut(end)?;
        }
        let length = if newest { end } else { bytes.len() as u64 };
        recovered.disk += length;
        if let Some(held) = recovered.index.segments.get_mut(number) {
            held.length = length;
        }
    }
    if recovered.index.logs.values().any(|log| log.put_in.is_none()) {
        return Err(OpenError::Damaged { what: "there are records of a log that is not there" });
    }
    Ok(recovered)
}

/// Takes all frames of a segment into the index; gives the place where whole groups end.
fn replay(recovered: &mut Recovered, segment: &Segment, bytes: &[u8], hours: &Hours) -> Result<u64, OpenError> {
    const STRANGE: OpenError = OpenError::Damaged { what: "a segment holds what no store wrote" };
    let number = segment.number;
    let mut frames = Frames::new(segment, bytes);
    let mut ciphers = std::collections::BTreeMap::new();
    for (offset, found) in frames.by_ref() {
        let index = &mut recovered.index;
        match found {
            Frame::Put(log, meta) => {
                recovered.next_log = recovered.next_log.max(log.saturating_add(1));
                index.put(log, &meta, number);
            }
            Frame::Drop(log) => {
                recovered.next_log = recovered.next_log.max(log.saturating_add(1));
                index.drop_log(log, number);
            }
            Frame::Tickets(log, tickets) => index.tickets(log, &tickets, number),
            Frame::Remove(log, cursor) => index.remove(log, cursor, number),
            Frame::Expired(through) => drop(index.take(through, usize::MAX)),
            Frame::Record(sealed) => {
                // Without its key it is over; what the log knew from it was written again before the key went.
                let cipher = ciphers.entry(sealed.hour).or_insert_with(|| hours.cipher(sealed.hour, &segment.salt));
                let Some(cipher) = cipher else { continue };
                // The group is whole, so what does not open lies under an earlier key of its hour: that was wiped when the
                // hour was over, and another made when the clock was set back.
                let Some(inner) = frame::open(sealed, cipher) else { continue };
                if hours::hour_of(inner.expires) != sealed.hour {
                    return Err(STRANGE);
                }
                let length = u32::try_from(frame::record_size(inner.body.len(), inner.advance.is_some()))
                    .map_err(|_| STRANGE)?;
                let (cursor, time, expires, moved) = (inner.cursor, inner.time, inner.expires, sealed.moved);
                let (epoch, advance) = (inner.epoch, inner.advance);
                index.append(
                    inner.number,
                    Arrival { cursor, time, expires, moved, epoch, advance },
                    Place { segment: number, offset, length },
                );
            }
        }
    }
    if frames.strange { Err(STRANGE) } else { Ok(frames.group_at) }
}

fn check_end(segment: &Segment, bytes: &[u8], end: u64, newest: bool) -> Result<(), OpenError> {
    let rest = usize::try_from(end).ok().and_then(|end| bytes.get(end..)).unwrap_or_default();
    let whole = rest.iter().all(|byte| *byte == 0) || (newest && !segment.any_group_after(bytes, end));
    if whole { Ok(()) } else { Err(OpenError::Damaged { what: "a group in the middle of a segment is not whole" }) }
}
