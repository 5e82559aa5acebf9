//! The body of an answer: a page, or a blob's bytes read from the disk as the peer takes them.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinHandle;

use super::disk::Source;
use super::{Blobs, Whole};
use crate::core::now;
use crate::site::Sending;

/// Pieces that are read at once: 256 KiB, what one slow reader costs in memory.
const PIECES: u64 = 16;
/// Bytes that are given at once, so that a slow reader's progress is seen.
const STEP: usize = 16 << 10;

/// The body of an answer.
#[derive(Debug)]
pub(crate) enum Body {
    /// A page of our own.
    Page(Full<Bytes>),
    /// A part of a blob.
    Blob(Box<Reading>),
    /// A file of the site.
    Site(Sending),
}

/// A part of a blob that is being read.
#[derive(Debug)]
pub(crate) struct Reading {
    blobs: Arc<Blobs>,
    whole: Arc<Whole>,
    source: Arc<Source>,
    at: u64,
    left: u64,
    /// What was read and not given yet.
    ahead: Bytes,
    next: Option<JoinHandle<io::Result<Vec<u8>>>>,
    progress: Arc<AtomicU64>,
    _permit: OwnedSemaphorePermit,
}

impl Reading {
    pub(super) const fn new(
        blobs: Arc<Blobs>,
        whole: Arc<Whole>,
        source: Arc<Source>,
        part: (u64, u64),
        progress: Arc<AtomicU64>,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        let (at, left) = part;
        Self { blobs, whole, source, at, left, ahead: Bytes::new(), next: None, progress, _permit: permit }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        if self.whole.expires <= now() || self.blobs.is_closed() {
            return Poll::Ready(Some(Err(io::ErrorKind::NotFound.into())));
        }
        if self.ahead.is_empty() {
            self.ahead = ready!(self.read(cx))?;
        }
        let step = self.ahead.len().min(STEP).min(usize::try_from(self.left).unwrap_or(STEP));
        let bytes = self.ahead.split_to(step);
        let length = bytes.len() as u64;
        self.at = self.at.saturating_add(length);
        self.left = self.left.saturating_sub(length);
        self.progress.fetch_add(length, Ordering::Relaxed);
        self.blobs.metrics.blob_bytes_got.add(length);
        Poll::Ready(Some(Ok(bytes)))
    }

    /// The next bytes from the disk, some at least.
    fn read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
        let next = self.next.get_or_insert_with(|| {
            let (source, at) = (Arc::clone(&self.source), self.at);
            tokio::task::spawn_blocking(move || source.read(at, PIECES))
        });
        let read = ready!(Pin::new(next).poll(cx));
        self.next = None;
        Poll::Ready(match read {
            Ok(Ok(bytes)) if !bytes.is_empty() => Ok(bytes.into()),
            Ok(Err(error)) => Err(error),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        })
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::Page(Full::default())
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match self.get_mut() {
            Self::Page(page) => Pin::new(page).poll_frame(cx).map_err(|never| match never {}),
            Self::Blob(reading) => reading.poll(cx).map_ok(Frame::data),
            Self::Site(sending) => Poll::Ready(sending.step().map(Frame::data).map(Ok)),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Page(page) => page.is_end_stream(),
            Self::Blob(reading) => reading.left == 0,
            Self::Site(sending) => sending.left() == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Page(page) => page.size_hint(),
            Self::Blob(reading) => SizeHint::with_exact(reading.left),
            Self::Site(sending) => SizeHint::with_exact(sending.left()),
        }
    }
}
