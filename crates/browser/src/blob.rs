//! Blobs over HTTP, to the relay that the page may speak to (docs/protocol.md §13). What carries the requests is a [`Wire`];
//! here is decided what to ask, what an answer means, and when to try again.
//!
//! A transfer goes on where it stopped, some times by itself; after that the engine hears that it may be tried again later.
//! Of what the other side writes, numbers count and nothing else.

use core::future::Future;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use estoile_engine::BlobError;

/// No blob is longer, whatever anybody says: it is held in memory as a whole.
const LARGEST: u64 = 32 << 20;
/// A transfer that broke off is taken up again so often before the engine is told.
const TRIES: usize = 3;
/// And after so long, milliseconds.
const PAUSE_MS: u64 = 1_000;

/// Where a blob is, on its relay.
pub fn path(hash: &[u8; 32]) -> String {
    format!("/v1/blob/{}", HEXLOWER.encode(hash))
}

/// It broke off, and why, as a clause.
pub type Broken = String;

/// What carries one request and its answer.
pub trait Wire {
    /// Puts a part; the answer's status, and its body if that is short.
    fn put(&self, headers: &[(&str, String)], part: &[u8]) -> impl Future<Output = Result<(u16, Vec<u8>), Broken>>;
    /// Gets, from a position on, at most so many bytes: the answer's status, whether it tells another length than that, and
    /// into `bytes` what came, also if it broke off. A whole answer (200) takes the place of what is there.
    fn get(&self, from: u64, size: u64, bytes: &mut Vec<u8>) -> impl Future<Output = Result<Got, Broken>>;
    /// Waits.
    fn pause(&self, milliseconds: u64) -> impl Future<Output = ()>;
}

/// An answer to getting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Got {
    /// The HTTP status.
    pub status: u16,
    /// Its length is not what is missing.
    pub wrong_length: bool,
}

/// Why an attempt ended.
enum Fault {
    /// The same may go on in a moment.
    Broken(String),
    /// The relay has another number of bytes.
    Elsewhere(u64),
    /// It makes no sense to go on by ourselves.
    Ended(BlobError),
}

/// Puts a blob, from a position on.
pub async fn put(wire: &impl Wire, token: [u8; 32], mut from: u64, bytes: &[u8]) -> Result<(), BlobError> {
    let size = bytes.len() as u64;
    let mut why = String::new();
    for attempt in 0..TRIES {
        if attempt > 0 {
            wire.pause(PAUSE_MS).await;
        }
        if from == size {
            return Ok(());
        }
        match put_once(wire, &token, from, bytes).await {
            Ok(()) => return Ok(()),
            Err(Fault::Ended(error)) => return Err(error),
            Err(Fault::Broken(text)) => why = text,
            Err(Fault::Elsewhere(received)) if received <= size => {
                from = received;
                "the relay has another part of it".clone_into(&mut why);
            }
            Err(Fault::Elsewhere(_)) => {
                return Err(BlobError::Never("the relay says that it has more than there is".into()));
            }
        }
    }
    Err(BlobError::Later(why))
}

async fn put_once(wire: &impl Wire, token: &[u8; 32], from: u64, bytes: &[u8]) -> Result<(), Fault> {
    let size = bytes.len() as u64;
    let part = usize::try_from(from).ok().and_then(|from| bytes.get(from..)).unwrap_or_default();
    let headers = [
        ("authorization", format!("Bearer {}", BASE64URL_NOPAD.encode(token))),
        ("content-type", "application/octet-stream".to_owned()),
        ("content-range", format!("bytes {from}-{}/{size}", size.saturating_sub(1))),
    ];
    match wire.put(&headers, part).await.map_err(Fault::Broken)? {
        (200, _) => Ok(()),
        (409, body) => {
            let number = core::str::from_utf8(&body).ok().and_then(|text| text.trim().parse().ok());
            Err(number.map_or_else(|| never("the relay's answer makes no sense"), Fault::Elsewhere))
        }
        (status, _) => Err(refused(status)),
    }
}

/// Gets a blob of this length.
pub async fn get(wire: &impl Wire, size: u64) -> Result<Vec<u8>, BlobError> {
    if size > LARGEST {
        return Err(BlobError::Never("it is longer than any file may be".into()));
    }
    let mut bytes = Vec::new();
    let mut why = String::new();
    for attempt in 0..TRIES {
        if attempt > 0 {
            wire.pause(PAUSE_MS).await;
        }
        match get_once(wire, size, &mut bytes).await {
            Ok(()) => return Ok(bytes),
            Err(Fault::Ended(error)) => return Err(error),
            Err(Fault::Broken(text)) => why = text,
            Err(Fault::Elsewhere(_)) => {}
        }
    }
    Err(BlobError::Later(why))
}

async fn get_once(wire: &impl Wire, size: u64, bytes: &mut Vec<u8>) -> Result<(), Fault> {
    let from = bytes.len() as u64;
    if from == size && size > 0 {
        return Ok(());
    }
    let got = wire.get(from, size, bytes).await.map_err(Fault::Broken)?;
    match got.status {
        200 | 206 if got.wrong_length => Err(never("what the relay has is not as long as it should be")),
        200 | 206 if bytes.len() as u64 == size => Ok(()),
        200 | 206 => Err(Fault::Broken("the relay broke off".into())),
        status => Err(refused(status)),
    }
}

fn never(what: &str) -> Fault {
    Fault::Ended(BlobError::Never(what.into()))
}

/// What a status says, in our words.
fn refused(status: u16) -> Fault {
    match status {
        401 => Fault::Ended(BlobError::Later("the relay's grant is over".into())),
        404 => never("the relay does not have it (any more)"),
        422 => never("what arrived at the relay was not what was sent"),
        400..=499 => Fault::Ended(BlobError::Never(format!("the relay refuses it (HTTP status {status})"))),
        _ => Fault::Broken(format!("the relay can't now (HTTP status {status})")),
    }
}

#[cfg(test)]
mod tests;
