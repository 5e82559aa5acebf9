//! Blobs over HTTP: put and got beside a relay's session, over connections of their own to the same place.
//!
//! What answers must show the certificate that the session's relay showed, which its welcome was signed for. A transfer
//! goes on where it stopped, some times by itself; after that the engine hears that it may be tried again later. The
//! answers' words are ours: of what the other side writes here, numbers count and nothing else.
//!
//! The HTTP is as little as it can be: one request a connection, a status, a length, and the bytes.

use core::time::Duration;
use std::sync::Arc;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use estoile_engine::{BlobError, RelayAddress};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::net::{SeenCertificate, Stream, reach_stream};

/// No blob is longer, whatever anybody says: it is held in memory as a whole.
const LARGEST: u64 = 32 << 20;
/// An answer's head is at most so long.
const HEAD: usize = 8 << 10;
/// What is written and read at once; each step has [`PATIENCE`].
const STEP: usize = 64 << 10;
/// A transfer in which nothing moves for so long is broken.
const PATIENCE: Duration = Duration::from_secs(30);
/// A transfer that broke off is taken up again so often before the engine is told.
const TRIES: usize = 3;
/// And after so long: what broke it off (a relay that restarts, a network that changes) announces its end to nobody, and
/// takes about so long.
const PAUSE: Duration = Duration::from_secs(1);

/// Where a blob is, and what vouches for the place.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) address: RelayAddress,
    pub(crate) hash: [u8; 32],
    /// What the relay's session showed; none without TLS.
    pub(crate) certificate: Option<SeenCertificate>,
}

/// Why an attempt ended.
#[derive(Debug)]
enum Fault {
    /// It broke off, or the relay has no time: the same may go on in a moment.
    Broken(String),
    /// The relay has another number of bytes.
    Elsewhere(u64),
    /// It makes no sense to go on by ourselves.
    Ended(BlobError),
}

impl Fault {
    fn broken(what: impl Into<String>) -> Self {
        Self::Broken(what.into())
    }

    fn never(what: impl Into<String>) -> Self {
        Self::Ended(BlobError::Never(what.into()))
    }
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        Self::Broken(format!("the transfer broke off ({})", error.kind()))
    }
}

/// Puts a blob, from a position on.
pub(crate) async fn put(place: &Place, token: [u8; 32], mut from: u64, bytes: Arc<[u8]>) -> Result<(), BlobError> {
    let size = bytes.len() as u64;
    let mut why = String::new();
    for attempt in 0..TRIES {
        if attempt > 0 {
            tokio::time::sleep(PAUSE).await;
        }
        if from == size {
            return Ok(());
        }
        match put_once(place, &token, from, &bytes).await {
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

async fn put_once(place: &Place, token: &[u8; 32], from: u64, bytes: &[u8]) -> Result<(), Fault> {
    let size = bytes.len() as u64;
    let part = usize::try_from(from).ok().and_then(|from| bytes.get(from..)).unwrap_or_default();
    let stream = open(place).await?;
    let (mut read, mut write) = tokio::io::split(stream);
    let head = format!(
        "{}authorization: Bearer {}\r\ncontent-type: application/octet-stream\r\ncontent-range: bytes {from}-{}/{size}\r\ncontent-length: {}\r\n\r\n",
        request("PUT", place),
        BASE64URL_NOPAD.encode(token),
        size.saturating_sub(1),
        part.len(),
    );
    let answer = {
        let writing = write_all(&mut write, head.as_bytes(), part);
        let mut answering = core::pin::pin!(Head::read(&mut read));
        tokio::select! {
            // An answer that comes before everything is written is a refusal, and worth more than the rest.
            answer = &mut answering => answer?,
            // What could not be written may have been refused meanwhile: hear that first.
            written = writing => match within(answering).await {
                Err(Fault::Broken(_)) if written.is_err() => return written.and(Ok(())),
                answer => answer?,
            },
        }
    };
    match answer.status {
        200 => Ok(()),
        409 => Err(Fault::Elsewhere(answer.number(&mut read).await?)),
        status => Err(refused(status)),
    }
}

/// Gets a blob of this length.
pub(crate) async fn get(place: &Place, size: u64) -> Result<Vec<u8>, BlobError> {
    if size > LARGEST {
        return Err(BlobError::Never("it is longer than any file may be".into()));
    }
    let mut bytes = Vec::new();
    let mut why = String::new();
    for attempt in 0..TRIES {
        if attempt > 0 {
            tokio::time::sleep(PAUSE).await;
        }
        match get_once(place, size, &mut bytes).await {
            Ok(()) => return Ok(bytes),
            Err(Fault::Ended(error)) => return Err(error),
            Err(Fault::Broken(text)) => why = text,
            Err(Fault::Elsewhere(_)) => {}
        }
    }
    Err(BlobError::Later(why))
}

async fn get_once(place: &Place, size: u64, bytes: &mut Vec<u8>) -> Result<(), Fault> {
    let from = bytes.len() as u64;
    if from == size && size > 0 {
        return Ok(());
    }
    let mut stream = open(place).await?;
    let range = if from > 0 { format!("range: bytes={from}-\r\n") } else { String::new() };
    let head = format!("{}{range}\r\n", request("GET", place));
    write_all(&mut stream, head.as_bytes(), &[]).await?;
    let answer = within(Head::read(&mut stream)).await?;
    match answer.status {
        200 if from > 0 => bytes.clear(),
        200 | 206 => {}
        status => return Err(refused(status)),
    }
    let left = size.saturating_sub(bytes.len() as u64);
    if answer.length != Some(left) {
        return Err(Fault::never("what the relay has is not as long as it should be"));
    }
    bytes.extend_from_slice(answer.rest.get(..answer.rest.len().min(to_usize(left))).unwrap_or_default());
    let mut step = vec![0; STEP];
    while (bytes.len() as u64) < size {
        let most = to_usize(size.saturating_sub(bytes.len() as u64)).min(STEP);
        let Some(room) = step.get_mut(..most) else { break };
        let read = within(async { Ok(stream.read(room).await?) }).await?;
        if read == 0 {
            return Err(Fault::broken("the relay broke off"));
        }
        bytes.extend_from_slice(room.get(..read).unwrap_or_default());
    }
    Ok(())
}

fn to_usize(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

/// What a status says, in our words.
fn refused(status: u16) -> Fault {
    match status {
        401 => Fault::Ended(BlobError::Later("the relay's grant is over".into())),
        404 => Fault::never("the relay does not have it (any more)"),
        422 => Fault::never("what arrived at the relay was not what was sent"),
        400..=499 => Fault::never(format!("the relay refuses it (HTTP status {status})")),
        _ => Fault::broken(format!("the relay can't now (HTTP status {status})")),
    }
}

/// A connection to where the blob is, if that is who the session speaks with.
async fn open(place: &Place) -> Result<Box<dyn Stream>, Fault> {
    let (stream, seen) = reach_stream(&place.address).await.map_err(|e| Fault::broken(e.to_string()))?;
    if seen.map(|seen| seen.hash) != place.certificate.map(|seen| seen.hash) {
        // The session's own certificate may change with its next connection.
        let why = "who answers for files there shows another certificate than the relay";
        return Err(Fault::Ended(BlobError::Later(why.into())));
    }
    Ok(stream)
}

/// The head of a request as far as all of them have it.
fn request(method: &str, place: &Place) -> String {
    let RelayAddress { host, port, .. } = &place.address;
    let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
    let hash = HEXLOWER.encode(&place.hash);
    format!("{method} /v1/blob/{hash} HTTP/1.1\r\nhost: {host}:{port}\r\nconnection: close\r\n")
}

/// Something that must happen soon.
async fn within<T>(what: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    let silent = || Fault::broken(format!("nothing moved for {} s", PATIENCE.as_secs()));
    tokio::time::timeout(PATIENCE, what).await.map_err(|_| silent())?
}

async fn write_all(write: &mut (impl AsyncWrite + Unpin), head: &[u8], body: &[u8]) -> Result<(), Fault> {
    for step in core::iter::once(head).chain(body.chunks(STEP)) {
        within(async { Ok(write.write_all(step).await?) }).await?;
    }
    within(async { Ok(write.flush().await?) }).await
}

/// An answer's head, and what came with it.
#[derive(Debug)]
struct Head {
    status: u16,
    length: Option<u64>,
    rest: Vec<u8>,
}

impl Head {
    async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Result<Self, Fault> {
        let mut bytes = Vec::new();
        loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                let rest = bytes.split_off(end.saturating_add(4));
                match Self::parse(&bytes) {
                    // "Go on": the answer itself comes later.
                    Some((100..=199, _)) => bytes = rest,
                    Some((status, length)) => return Ok(Self { status, length, rest }),
                    None => return Err(Fault::never("what answers there does not speak HTTP")),
                }
                continue;
            }
            if bytes.len() > HEAD {
                return Err(Fault::never("what answers there does not speak HTTP"));
            }
            let mut some = [0; 1 << 10];
            let read = stream.read(&mut some).await?;
            if read == 0 {
                return Err(Fault::broken("the relay broke off"));
            }
            bytes.extend_from_slice(some.get(..read).unwrap_or_default());
        }
    }

    fn parse(head: &[u8]) -> Option<(u16, Option<u64>)> {
        let text = core::str::from_utf8(head).ok()?;
        let mut lines = text.split("\r\n");
        let (version, rest) = lines.next()?.split_once(' ')?;
        let status = rest.get(..3)?.parse().ok().filter(|_| version.starts_with("HTTP/1."))?;
        let mut headers = lines.filter_map(|line| line.split_once(':'));
        let length = headers.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        Some((status, length.and_then(|(_, value)| value.trim().parse().ok())))
    }

    /// A body that is a number.
    async fn number(self, stream: &mut (impl AsyncRead + Unpin)) -> Result<u64, Fault> {
        let strange = || Fault::never("the relay's answer makes no sense");
        let length = self.length.filter(|length| *length <= 20).ok_or_else(strange)?;
        let mut body = self.rest;
        while (body.len() as u64) < length {
            let mut some = [0; 20];
            let read = within(async { Ok(stream.read(&mut some).await?) }).await?;
            if read == 0 {
                return Err(Fault::broken("the relay broke off"));
            }
            body.extend_from_slice(some.get(..read).unwrap_or_default());
        }
        core::str::from_utf8(&body).ok().and_then(|text| text.trim().parse().ok()).ok_or_else(strange)
    }
}

#[cfg(test)]
mod tests;
