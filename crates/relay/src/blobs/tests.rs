//! What a folder of blobs keeps and forgets, without sockets.

use std::fs;

use estoile_hub::blobs::{BLOB_OVERHEAD as OVERHEAD, BlobAsked, BlobGranted};
use estoile_hub::store::ExpiredFrom;
use estoile_wire::Refusal;
use estoile_wire::id::BlobHash;

use super::disk::{PIECE, Source};
use super::upload::Fault;
use super::*;
use crate::core::now;

const HOUR: u64 = 3_600_000;

fn open(folder: &Path) -> Blobs {
    let metrics = Arc::new(Metrics::new(&[]));
    Blobs::open(folder, BlobBounds::default(), 1 << 30, metrics).unwrap()
}

fn log(n: u8) -> LogId {
    LogId([n; 32])
}

/// Bytes that repeat nowhere near a piece.
fn content(size: usize) -> Vec<u8> {
    (0..size).map(|at| u8::try_from(at * 7 % 251).unwrap()).collect()
}

fn asked(n: u8, bytes: &[u8], expires: Millis) -> BlobAsked {
    BlobAsked { log: log(n), hash: BlobHash(digest(bytes)), size: bytes.len() as u64, expires }
}

fn begin(blobs: &Blobs, asked: &BlobAsked) -> (BlobGranted, Arc<Upload>) {
    let granted = blobs.reserve(now(), asked).unwrap();
    let (upload, _) = blobs.granted(&granted.token.0, &asked.hash.0, now()).unwrap();
    (granted, upload)
}

fn put(blobs: &Blobs, n: u8, bytes: &[u8], expires: Millis) {
    let (_, upload) = begin(blobs, &asked(n, bytes, expires));
    let (turn, from) = upload.take_over();
    assert_eq!(from, 0);
    assert_eq!(upload.append(blobs, turn, bytes), Ok(bytes.len() as u64));
}

fn read(blobs: &Blobs, hash: &Hash, from: u64) -> Option<Vec<u8>> {
    let whole = blobs.find(hash, now())?;
    Some(Source::open(blobs, &whole).unwrap().read(from, u64::MAX).unwrap())
}

fn files(folder: &Path, kind: &str) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|found| found == kind)).collect()
}

/// Pieces of every awkward size, read from every awkward place, before and after the relay is started again.
#[test]
fn what_is_put_is_got() {
    let folder = tempfile::tempdir().unwrap();
    let mut blobs = open(folder.path());
    let sizes = [1, 100, PIECE - 1, PIECE, PIECE + 1, 5 * PIECE + 77];
    for size in sizes {
        let bytes = content(size);
        let (granted, upload) = begin(&blobs, &asked(1, &bytes, now() + HOUR));
        assert_eq!((granted.received, granted.counted), (0, size as u64 + OVERHEAD));
        let (turn, _) = upload.take_over();
        for some in bytes.chunks(10_007) {
            upload.append(&blobs, turn, some).unwrap();
        }
    }
    for _ in 0..2 {
        for size in sizes {
            let bytes = content(size);
            for from in [0, 1, size / 2, size - 1] {
                assert_eq!(read(&blobs, &digest(&bytes), from as u64).unwrap(), &bytes[from..], "{size} {from}");
            }
        }
        let total: usize = sizes.iter().sum();
        let charges = total as u64 + sizes.len() as u64 * OVERHEAD;
        assert_eq!(blobs.charges(), BTreeMap::from([(log(1), charges)]));
        assert_eq!(blobs.bytes(), charges);
        drop(blobs);
        blobs = open(folder.path());
    }
}

/// Neither names nor bytes on the disk say what is there, for whom, or under which address.
#[test]
fn the_disk_shows_noise() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = open(folder.path());
    let bytes = content(3 * PIECE);
    put(&blobs, 7, &bytes, now() + HOUR);
    let (_, upload) = begin(&blobs, &asked(7, &bytes[1..], now() + HOUR));
    let (turn, _) = upload.take_over();
    upload.append(&blobs, turn, &bytes[1..=2 * PIECE]).unwrap();
    let all: Vec<_> = [files(folder.path(), "blob"), files(folder.path(), "part")].concat();
    assert_eq!(all.len(), 2);
    let hash = digest(&bytes);
    for path in all {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        assert!(name.len() == 16 && !data_encoding::HEXLOWER.encode(&hash).contains(&name));
        let found = fs::read(&path).unwrap();
        for needle in [&hash[..], log(7).as_bytes(), &bytes[100..132], &(bytes.len() as u64).to_le_bytes()[..]] {
            assert!(!found.windows(needle.len()).any(|window| window == needle));
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
}

#[test]
fn a_new_request_goes_on_and_the_old_one_writes_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = open(folder.path());
    let bytes = content(2 * PIECE + 5);
    let ask = asked(1, &bytes, now() + HOUR);
    let (first, upload) = begin(&blobs, &ask);
    let (old, _) = upload.take_over();
    assert_eq!(upload.append(&blobs, old, &bytes[..100]), Ok(100));
    let (second, same) = begin(&blobs, &ask);
    assert_eq!((second.received, second.counted), (100, 0));
    assert!(blobs.granted(&first.token.0, &ask.hash.0, now()).is_none(), "the earlier token is good no more");
    let (new, from) = same.take_over();
    assert_eq!(from, 100);
    assert_eq!(upload.append(&blobs, old, &bytes[100..]), Err(Fault::Superseded));
    assert_eq!(same.append(&blobs, new, &bytes[100..]), Ok(bytes.len() as u64));
    assert_eq!(read(&blobs, &ask.hash.0, 0).unwrap(), bytes);
    assert!(blobs.granted(&second.token.0, &ask.hash.0, now()).is_none(), "what is whole takes no more");
    let again = blobs.reserve(now(), &ask).unwrap();
    assert_eq!((again.received, again.counted), (bytes.len() as u64, 0));
}

#[test]
fn the_wrong_bytes_are_gone_and_cost_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = open(folder.path());
    let bytes = content(2 * PIECE);
    let ask = asked(1, &bytes, now() + HOUR);
    let (_, upload) = begin(&blobs, &ask);
    let (turn, _) = upload.take_over();
    assert_eq!(upload.append(&blobs, turn, &[0; PIECE]), Ok(PIECE as u64));
    assert_eq!(upload.append(&blobs, turn, &vec![0; PIECE + 1]), Err(Fault::TooLong));
    assert_eq!(upload.append(&blobs, turn, &[0; PIECE]), Err(Fault::WrongHash));
    assert_eq!(upload.append(&blobs, turn, &[0]), Err(Fault::Superseded));
    assert!(blobs.find(&ask.hash.0, now()).is_none());
    assert_eq!(blobs.bytes(), 0);
    assert_eq!(blobs.expire(now()).unwrap(), [ExpiredFrom { log: log(1), records: 0, bytes: ask.size + OVERHEAD }]);
    assert!(files(folder.path(), "part").is_empty() && files(folder.path(), "blob").is_empty());
    put(&blobs, 1, &bytes, now() + HOUR);
}

/// A crash at any moment leaves a whole blob or nothing.
#[test]
fn what_is_not_whole_is_gone_after_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = open(folder.path());
    let bytes = content(4 * PIECE);
    put(&blobs, 1, &bytes, now() + HOUR);
    let (_, upload) = begin(&blobs, &asked(1, &bytes[1..], now() + HOUR));
    let (turn, _) = upload.take_over();
    upload.append(&blobs, turn, &bytes[1..=PIECE]).unwrap();
    // The image of the disk at this moment, and one whose blob was cut short.
    let image = tempfile::tempdir().unwrap();
    let torn = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        for to in [&image, &torn] {
            fs::copy(entry.path(), to.path().join(entry.file_name())).unwrap();
        }
    }
    let blobs = open(image.path());
    assert_eq!(read(&blobs, &digest(&bytes), 0).unwrap(), bytes);
    assert!(files(image.path(), "part").is_empty());
    assert_eq!(blobs.reserve(now(), &asked(1, &bytes[1..], now() + HOUR)).unwrap().received, 0);
    let cut = files(torn.path(), "blob").pop().unwrap();
    fs::File::options().write(true).open(cut).unwrap().set_len(PIECE as u64).unwrap();
    let blobs = open(torn.path());
    assert!(blobs.find(&digest(&bytes), now()).is_none());
    assert_eq!((blobs.bytes(), files(torn.path(), "blob").len()), (0, 0));
}

#[test]
fn what_is_over_is_gone_from_answers_and_disk_and_its_key_too() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = open(folder.path());
    let bytes = content(PIECE + 9);
    let ends = now() + 2 * HOUR;
    put(&blobs, 1, &bytes, ends);
    let kept = fs::read(files(folder.path(), "blob").pop().unwrap()).unwrap();
    // One hour longer than was asked for: the record that names it comes later.
    let over = ends + LONGER_MS;
    assert!(blobs.find(&digest(&bytes), over - 1).is_some());
    assert!(blobs.find(&digest(&bytes), over).is_none());
    assert!(blobs.expire(over - 1).unwrap().is_empty());
    let freed = ExpiredFrom { log: log(1), records: 0, bytes: bytes.len() as u64 + OVERHEAD };
    assert_eq!(blobs.expire(over).unwrap(), [freed]);
    assert!(files(folder.path(), "blob").is_empty());
    assert_eq!(blobs.bytes(), 0);
    // Whoever kept a copy of the file reads nothing when the hour is over.
    blobs.expire(over + HOUR).unwrap();
    drop(blobs);
    fs::write(folder.path().join("0123456789abcdef.blob"), kept).unwrap();
    let blobs = open(folder.path());
    assert!(blobs.find(&digest(&bytes), now()).is_none());
    assert!(files(folder.path(), "blob").is_empty());
}

#[test]
fn uploads_that_nobody_goes_on_with_free_everything() {
    let folder = tempfile::tempdir().unwrap();
    let mut blobs = open(folder.path());
    blobs.bounds.max_uploads = 2_000;
    blobs.bounds.max_uploads_a_log = 2_000;
    let bytes = content(4_096);
    for n in 0..2_000_u16 {
        let mut own = bytes.clone();
        own[..2].copy_from_slice(&n.to_le_bytes());
        let (_, upload) = begin(&blobs, &asked(u8::try_from(n % 10).unwrap(), &own, now() + HOUR));
        let (turn, _) = upload.take_over();
        upload.append(&blobs, turn, &own[..1_000]).unwrap();
    }
    let refused = blobs.reserve(now(), &asked(1, b"one more", now() + HOUR));
    assert!(matches!(refused, Err(Refusal::Busy)));
    assert_eq!(blobs.bytes(), 2_000 * (4_096 + OVERHEAD));
    let freed = blobs.expire(now() + 2 * HOUR).unwrap();
    assert_eq!(freed.iter().map(|freed| freed.bytes).sum::<u64>(), 2_000 * (4_096 + OVERHEAD));
    assert_eq!(freed.len(), 10);
    let state = blobs.state();
    assert!(state.uploads.is_empty() && state.grants.is_empty() && state.freed.is_empty());
    drop(state);
    assert_eq!(blobs.bytes(), 0);
    assert!(files(folder.path(), "part").is_empty());
}

#[test]
fn a_log_that_is_no_more_takes_its_blobs_along() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = open(folder.path());
    let (one, two, three) = (content(100), content(200), content(300));
    put(&blobs, 1, &one, now() + HOUR);
    put(&blobs, 2, &one, now() + HOUR);
    put(&blobs, 2, &two, now() + HOUR);
    begin(&blobs, &asked(2, &three, now() + HOUR));
    blobs.dropped(std::iter::once(log(2)));
    blobs.expire(now()).unwrap();
    assert_eq!(read(&blobs, &digest(&one), 0).unwrap(), one, "the other log has it still");
    assert!(blobs.find(&digest(&two), now()).is_none());
    assert_eq!(blobs.bytes(), 100 + OVERHEAD);
    drop(blobs);
    let blobs = open(folder.path());
    blobs.keep_only(&BTreeSet::from([log(3)])).unwrap();
    assert_eq!(blobs.bytes(), 0);
    assert!(files(folder.path(), "blob").is_empty());
}

/// The disk is shared with the store; what is asked for longer takes the place of what ends sooner.
#[test]
fn the_disk_is_bounded_and_time_can_be_added() {
    let folder = tempfile::tempdir().unwrap();
    let mut blobs = open(folder.path());
    blobs.max_disk = 100_000 + 2 * OVERHEAD;
    blobs.set_beside(40_000);
    let bytes = content(50_000);
    put(&blobs, 1, &bytes, now() + HOUR);
    let refused = blobs.reserve(now(), &asked(1, &content(20_000), now() + HOUR));
    assert!(matches!(refused, Err(Refusal::DiskFull)));
    blobs.set_beside(0);
    put(&blobs, 1, &bytes, now() + 5 * HOUR);
    assert_eq!(blobs.bytes(), 50_000 + OVERHEAD);
    assert_eq!(files(folder.path(), "blob").len(), 1);
    let freed: u64 = blobs.expire(now() + 4 * HOUR).unwrap().iter().map(|freed| freed.bytes).sum();
    assert_eq!(freed, 50_000 + OVERHEAD, "the first one, when the second took its place");
    assert_eq!(read(&blobs, &digest(&bytes), 0).unwrap(), bytes);
}

/// Who asks for many blobs in one log and puts none keeps nobody from another log out, and nobody from going on.
#[test]
fn one_log_does_not_take_all_places_of_unfinished_uploads() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = open(folder.path());
    let many: Vec<Vec<u8>> = (1..=65).map(|size| vec![7; size]).collect();
    let (last, most) = many.split_last().unwrap();
    for bytes in most {
        blobs.reserve(now(), &asked(1, bytes, now() + HOUR)).unwrap();
    }
    let refused = blobs.reserve(now(), &asked(1, last, now() + HOUR));
    assert!(matches!(refused, Err(Refusal::Busy)), "{refused:?}");
    assert_eq!(begin(&blobs, &asked(1, &most[0], now() + HOUR)).0.counted, 0, "it goes on");
    assert_eq!(begin(&blobs, &asked(1, &most[0], now() + 9 * HOUR)).0.counted, 1 + OVERHEAD, "or begins anew");
    put(&blobs, 2, last, now() + HOUR);
    put(&blobs, 1, &most[5], now() + HOUR);
    put(&blobs, 1, last, now() + HOUR);
}
