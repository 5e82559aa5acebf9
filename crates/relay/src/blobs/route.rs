//! `/v1/blob/{hash}`: PUT with a grant's token, HEAD and GET for who knows the address.
//!
//! One request a connection: what a peer holds while it is slow, it holds for a bounded time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use http::header::{
    ACCEPT_RANGES, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, RANGE, RETRY_AFTER,
};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::sync::OwnedSemaphorePermit;

use super::body::{Body, Reading};
use super::disk::Source;
use super::upload::{Fault, Upload};
use super::{Blobs, Hash};
use crate::core::now;
use crate::http::{page, text};

const PATH: &str = "/v1/blob/";
/// Bytes of an upload that are taken together: one visit to the disk each.
const TAKE: usize = 128 << 10;
/// What a peer is told to wait when there are too many transfers.
const WAIT_SECONDS: &str = "2";

/// Whether a path is a blob's.
pub(crate) fn is_blob(path: &str) -> bool {
    path.starts_with(PATH)
}

/// One connection that asks for a blob.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    pub(crate) blobs: Arc<Blobs>,
    /// It holds a transfer's place: no longer a handshake.
    pub(crate) begun: Arc<AtomicBool>,
    /// Bytes that it has given or taken.
    pub(crate) progress: Arc<AtomicU64>,
}

impl Visit {
    pub(crate) fn new(blobs: Arc<Blobs>) -> Self {
        Self { blobs, begun: Arc::default(), progress: Arc::default() }
    }
}

type Answer = Response<Body>;

/// Answers a request for a blob.
pub(crate) async fn answer(request: Request<Incoming>, visit: Visit) -> Answer {
    let blobs = Arc::clone(&visit.blobs);
    let mut answer = match address(request.uri().path()) {
        None => text(StatusCode::NOT_FOUND, "There is no such blob.\n"),
        Some(hash) => match *request.method() {
            Method::GET => get(request.headers(), hash, &visit, false).await,
            Method::HEAD => get(request.headers(), hash, &visit, true).await,
            Method::PUT => put(request, hash, &visit).await,
            _ => text(StatusCode::METHOD_NOT_ALLOWED, "Blobs are put and got.\n"),
        },
    };
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    blobs.metrics.blob_answered(answer.status().as_u16());
    answer
}

/// 64 lower-case hexadecimal digits: a blob has one address.
fn address(path: &str) -> Option<Hash> {
    let digits = path.strip_prefix(PATH)?;
    HEXLOWER.decode(digits.as_bytes()).ok()?.try_into().ok()
}

fn busy() -> Answer {
    let mut answer = text(StatusCode::SERVICE_UNAVAILABLE, "There are too many transfers; come back in a moment.\n");
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(WAIT_SECONDS));
    answer
}

/// A place among the transfers.
fn begin(visit: &Visit) -> Option<OwnedSemaphorePermit> {
    let permit = Arc::clone(&visit.blobs.transfers).try_acquire_owned().ok()?;
    visit.begun.store(true, Ordering::Relaxed);
    Some(permit)
}

// ── Getting ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

async fn get(headers: &HeaderMap, hash: Hash, visit: &Visit, head: bool) -> Answer {
    let blobs = &visit.blobs;
    let Some(whole) = blobs.find(&hash, now()) else {
        return text(StatusCode::NOT_FOUND, "There is no such blob.\n");
    };
    let size = whole.size;
    let Some((from, to)) = asked_part(headers, size) else {
        let mut answer = text(StatusCode::RANGE_NOT_SATISFIABLE, "The blob is shorter than that.\n");
        set(&mut answer, CONTENT_RANGE, &format!("bytes */{size}"));
        return answer;
    };
    let part = headers.contains_key(RANGE) && (from, to) != (0, size);
    let status = if part { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let length = to.saturating_sub(from);
    let mut answer = page(status, "application/octet-stream", "");
    if !head {
        let Some(permit) = begin(visit) else { return busy() };
        let opening = (Arc::clone(blobs), Arc::clone(&whole));
        let opened = tokio::task::spawn_blocking(move || Source::open(&opening.0, &opening.1)).await;
        let Ok(Ok(source)) = opened else {
            // Its time ended this very moment.
            return text(StatusCode::NOT_FOUND, "There is no such blob.\n");
        };
        let progress = Arc::clone(&visit.progress);
        let reading = Reading::new(Arc::clone(blobs), whole, Arc::new(source), (from, length), progress, permit);
        *answer.body_mut() = Body::Blob(Box::new(reading));
    }
    set(&mut answer, CONTENT_LENGTH, &length.to_string());
    answer.headers_mut().insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if part {
        set(&mut answer, CONTENT_RANGE, &format!("bytes {from}-{}/{size}", to.saturating_sub(1)));
    }
    answer
}

fn set(answer: &mut Answer, name: http::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
}

/// The part that is asked for, its end excluded: all of it without a range, and with one of several parts, which a server
/// may answer so (RFC 9110 §14.2). `None`: beyond the blob.
fn asked_part(headers: &HeaderMap, size: u64) -> Option<(u64, u64)> {
    let all = Some((0, size));
    let Some(range) = headers.get(RANGE).and_then(|range| range.to_str().ok()) else { return all };
    let Some((from, to)) = range.strip_prefix("bytes=").and_then(|range| range.split_once('-')) else { return all };
    let (from, to) = (from.trim(), to.trim());
    match (from.parse::<u64>(), to.parse::<u64>()) {
        (Ok(from), Ok(to)) if from <= to => (from < size).then(|| (from, size.min(to.saturating_add(1)))),
        (Ok(from), Err(_)) if to.is_empty() => (from < size).then_some((from, size)),
        (Err(_), Ok(last)) if from.is_empty() => (last > 0).then(|| (size.saturating_sub(last), size)),
        _ => all,
    }
}

// ── Putting ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

async fn put(request: Request<Incoming>, hash: Hash, visit: &Visit) -> Answer {
    let headers = request.headers();
    let granted = token(headers).and_then(|token| visit.blobs.granted(&token, &hash, now()));
    let Some((upload, until)) = granted else {
        return text(StatusCode::UNAUTHORIZED, "This needs a grant, and a grant is good for ten minutes: ask again.\n");
    };
    let part = match headers.get(CONTENT_RANGE) {
        None => Some((0, upload.size)),
        Some(range) => range.to_str().ok().and_then(|range| told_part(range, upload.size)),
    };
    let Some((from, to)) = part else {
        return text(StatusCode::BAD_REQUEST, "The part must be told as bytes FIRST-LAST/SIZE, of the size granted.\n");
    };
    if headers.get(CONTENT_LENGTH).is_some_and(|length| *length != *to.saturating_sub(from).to_string()) {
        return text(StatusCode::BAD_REQUEST, "The part is not as long as it says.\n");
    }
    let Some(permit) = begin(visit) else { return busy() };
    let turn = take_over(&upload).await;
    let (turn, received) = match turn {
        Some((turn, received)) if received == from => (turn, received),
        Some((_, received)) => return count(StatusCode::CONFLICT, received),
        None => return failed(),
    };
    let wait = Duration::from_millis(until.saturating_sub(now()));
    let taking = take(request.into_body(), &upload, visit, turn, received..to);
    let answer = tokio::time::timeout(wait, taking).await;
    drop(permit);
    answer.unwrap_or_else(|_| text(StatusCode::REQUEST_TIMEOUT, "The grant is over: ask again, and go on.\n"))
}

/// `FIRST-LAST/SIZE`, with the size that was granted; its end excluded.
fn told_part(range: &str, size: u64) -> Option<(u64, u64)> {
    let (part, all) = range.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = part.split_once('-')?;
    let (first, last) = (first.parse::<u64>().ok()?, last.parse::<u64>().ok()?);
    (all.parse() == Ok(size) && first <= last && last < size).then(|| (first, last.saturating_add(1)))
}

fn token(headers: &HeaderMap) -> Option<[u8; 32]> {
    let token = headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?;
    BASE64URL_NOPAD.decode(token.as_bytes()).ok()?.try_into().ok()
}

async fn take_over(upload: &Arc<Upload>) -> Option<(u64, u64)> {
    let upload = Arc::clone(upload);
    tokio::task::spawn_blocking(move || upload.take_over()).await.ok()
}

/// Takes a part as it comes. What came before a connection broke off is kept.
async fn take(
    mut body: Incoming,
    upload: &Arc<Upload>,
    visit: &Visit,
    turn: u64,
    part: std::ops::Range<u64>,
) -> Answer {
    let mut received = part.start;
    let mut some = Vec::new();
    loop {
        let frame = body.frame().await;
        let ended = !matches!(frame, Some(Ok(_)));
        let broken = matches!(frame, Some(Err(_)));
        if let Some(Ok(frame)) = frame
            && let Ok(data) = frame.into_data()
        {
            visit.progress.fetch_add(data.len() as u64, Ordering::Relaxed);
            some.extend_from_slice(&data);
        }
        if received.saturating_add(some.len() as u64) > part.end {
            return text(StatusCode::BAD_REQUEST, "The part is longer than it says.\n");
        }
        if (ended || some.len() >= TAKE) && !some.is_empty() {
            match append(upload, visit, turn, std::mem::take(&mut some)).await {
                Ok(now) => received = now,
                Err(fault) => return refuse(fault, upload),
            }
        }
        if ended && !broken && received == part.end {
            return count(StatusCode::OK, received);
        }
        if ended {
            return text(StatusCode::BAD_REQUEST, "The part is shorter than it says.\n");
        }
    }
}

async fn append(upload: &Arc<Upload>, visit: &Visit, turn: u64, bytes: Vec<u8>) -> Result<u64, Fault> {
    let (upload, blobs) = (Arc::clone(upload), Arc::clone(&visit.blobs));
    blobs.metrics.blob_bytes_put.add(bytes.len() as u64);
    let taken = tokio::task::spawn_blocking(move || upload.append(&blobs, turn, &bytes)).await;
    taken.unwrap_or(Err(Fault::Failed))
}

fn refuse(fault: Fault, upload: &Upload) -> Answer {
    match fault {
        Fault::Superseded => count(StatusCode::CONFLICT, upload.received()),
        Fault::TooLong => text(StatusCode::BAD_REQUEST, "That is more than was granted.\n"),
        Fault::WrongHash => text(
            StatusCode::UNPROCESSABLE_ENTITY,
            "These bytes do not have the hash that was granted; they are gone.\n",
        ),
        Fault::Failed => failed(),
    }
}

fn failed() -> Answer {
    text(StatusCode::INSUFFICIENT_STORAGE, "The relay could not keep it: ask again later.\n")
}

/// How much is there, alone in the body.
fn count(status: StatusCode, received: u64) -> Answer {
    let mut answer = page(status, "text/plain; charset=utf-8", received.to_string());
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_http_says() {
        let ask = |range: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RANGE, range.parse().unwrap());
            asked_part(&headers, 100)
        };
        assert_eq!(asked_part(&HeaderMap::new(), 100), Some((0, 100)));
        for (range, part) in [
            ("bytes=0-9", Some((0, 10))),
            ("bytes=90-200", Some((90, 100))),
            ("bytes=99-", Some((99, 100))),
            ("bytes=-10", Some((90, 100))),
            ("bytes=-200", Some((0, 100))),
            ("bytes=100-", None),
            ("bytes=100-101", None),
            ("bytes=-0", None),
            ("bytes=9-1", Some((0, 100))),
            ("bytes=0-1,3-4", Some((0, 100))),
            ("lines=1-2", Some((0, 100))),
        ] {
            assert_eq!(ask(range), part, "{range}");
        }
    }

    #[test]
    fn a_part_is_told_exactly() {
        assert_eq!(told_part("bytes 0-9/10", 10), Some((0, 10)));
        assert_eq!(told_part("bytes 3-3/10", 10), Some((3, 4)));
        for bad in ["bytes 0-9/11", "bytes 0-10/10", "bytes 4-3/10", "bytes */10", "0-9/10", "bytes 0-9", ""] {
            assert_eq!(told_part(bad, 10), None, "{bad}");
        }
    }

    #[test]
    fn an_address_is_written_one_way() {
        assert_eq!(address(&format!("{PATH}{}", "ab".repeat(32))), Some([0xab; 32]));
        for bad in ["AB".repeat(32), "ab".repeat(31), "ab".repeat(33), format!("{}?", "ab".repeat(32)), String::new()] {
            assert_eq!(address(&format!("{PATH}{bad}")), None, "{bad}");
        }
    }
}
