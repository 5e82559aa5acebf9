//! What a session's task has taken out of its queue, and how that gets through a socket that takes what it likes.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::AsyncWrite;

use super::{FEW, Outgoing, slices};
use crate::ws::Header;
use crate::ws::frame::Opcode;

/// Frames in one system call: two slices each, well under the system's 1,024.
const MANY: usize = 128;

/// What was written so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) frames: u64,
    pub(crate) bytes: u64,
    /// The socket was full, and now it took more: somebody reads at its other end.
    pub(crate) resumed: bool,
}

/// What the session's task has taken out of the queue and not yet written.
#[derive(Default)]
pub(crate) struct Batch {
    /// Control frames, with their headers.
    pub(super) head: Option<Bytes>,
    /// Messages, without.
    pub(super) frames: VecDeque<Bytes>,
    /// The close frame, with its header.
    pub(super) tail: Option<Bytes>,
    /// How much of the first of them is written.
    offset: usize,
    /// The close frame is written: nothing may follow it.
    pub(super) closed: bool,
    /// The socket may hold back what it took.
    unflushed: bool,
    /// The socket took no more when it was asked last.
    blocked: bool,
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.head.is_none() && self.frames.is_empty() && self.tail.is_none()
    }

    /// Whether the close frame is out.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed && self.is_empty() && !self.unflushed
    }

    /// Writes until nothing waits (then the task is registered with the queue, and this is ready) or the socket is full.
    pub(crate) fn poll<W: AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        io: &mut W,
        outgoing: &Outgoing,
        written: &mut Written,
    ) -> Poll<io::Result<()>> {
        loop {
            if self.is_empty() && (self.closed || !outgoing.take_into(self, cx)) {
                if self.unflushed {
                    let flushed = Pin::new(&mut *io).poll_flush(cx);
                    ready!(self.watch(cx, flushed, outgoing, written))?;
                    self.unflushed = false;
                }
                return Poll::Ready(Ok(()));
            }
            let wrote = self.poll_write(cx, io);
            let n = ready!(self.watch(cx, wrote, outgoing, written))?;
            if n == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.unflushed = true;
            written.bytes += n as u64;
            self.advance(n, written);
        }
    }

    /// Notes whether the socket is full, and whether it was and is no longer.
    fn watch<T>(
        &mut self,
        cx: &Context<'_>,
        result: Poll<io::Result<T>>,
        outgoing: &Outgoing,
        written: &mut Written,
    ) -> Poll<io::Result<T>> {
        match &result {
            Poll::Pending => {
                outgoing.block(cx);
                self.blocked = true;
            }
            Poll::Ready(Ok(_)) => written.resumed |= std::mem::take(&mut self.blocked),
            Poll::Ready(Err(_)) => {}
        }
        result
    }

    fn poll_write<W: AsyncWrite + Unpin>(&self, cx: &mut Context<'_>, io: &mut W) -> Poll<io::Result<usize>> {
        // One message alone is the usual case in a quiet room, and should not pay for a list of slices for many.
        if self.frames.len() <= FEW {
            self.poll_write_some::<W, FEW, { slices(FEW) }>(cx, io)
        } else {
            self.poll_write_some::<W, MANY, { slices(MANY) }>(cx, io)
        }
    }

    fn poll_write_some<W: AsyncWrite + Unpin, const FRAMES: usize, const SLICES: usize>(
        &self,
        cx: &mut Context<'_>,
        io: &mut W,
    ) -> Poll<io::Result<usize>> {
        let mut headers = [Header::default(); FRAMES];
        for (header, frame) in headers.iter_mut().zip(&self.frames) {
            *header = Header::new(Opcode::Binary, frame.len());
        }
        let frames = self.frames.iter().zip(&headers).flat_map(|(frame, header)| [header.as_bytes(), frame.as_ref()]);
        // The close frame must not overtake messages that don't fit.
        let tail = self.tail.iter().filter(|_| self.frames.len() <= FRAMES).map(AsRef::as_ref);
        let pieces = self.head.iter().map(AsRef::as_ref).chain(frames).chain(tail);
        let mut slices = [IoSlice::new(&[]); SLICES];
        let (mut skip, mut used) = (self.offset, 0);
        for (slot, piece) in slices.iter_mut().zip(pieces) {
            let cut = skip.min(piece.len());
            skip -= cut;
            *slot = IoSlice::new(piece.get(cut..).unwrap_or_default());
            used += 1;
        }
        Pin::new(io).poll_write_vectored(cx, slices.get(..used).unwrap_or_default())
    }

    /// Lets go of what is written.
    fn advance(&mut self, n: usize, written: &mut Written) {
        let mut left = self.offset + n;
        self.offset = 0;
        if let Some(head) = &self.head {
            if left < head.len() {
                self.offset = left;
                return;
            }
            left -= head.len();
            self.head = None;
        }
        while let Some(frame) = self.frames.front() {
            let size = Header::new(Opcode::Binary, frame.len()).len() + frame.len();
            if left < size {
                self.offset = left;
                return;
            }
            left -= size;
            written.frames += 1;
            self.frames.pop_front();
        }
        self.frames = VecDeque::new();
        if let Some(tail) = &self.tail {
            if left < tail.len() {
                self.offset = left;
                return;
            }
            self.tail = None;
            self.closed = true;
        }
    }
}
