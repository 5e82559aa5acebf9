//! What waits to be written to one session, and how it is written: everything that is queued, in one system call.
//!
//! The queue's bounds are the hub's. A frame's bytes are shared by all sessions that get it; only the few bytes of its
//! WebSocket header are made here, at the moment of writing.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use estoile_hub::config::Config;
use estoile_hub::queue::{Class, Outbox, Queue};
use estoile_wire::RelayFrame;
use estoile_wire::frame::Refused;
use tokio::io::AsyncWrite;
use tokio::net::tcp::OwnedWriteHalf;

use crate::log::{self, Code};
use crate::metrics::Metrics;
use crate::ws::frame::{Opcode, close_payload};
use crate::ws::{CloseCode, Header};

/// Frames in one system call: two slices each, well under the system's 1,024.
const MANY: usize = 128;
/// When so few wait, a short list of slices does.
const FEW: usize = 2;

/// A header and a payload for each frame; control frames before, the close frame behind.
const fn slices(frames: usize) -> usize {
    2 * frames + 2
}

const REFUSED: &[u8] = &[0x82, 7];
const LAGGED: &[u8] = &[0x82, 9];

/// A handle to a session's queue: the hub pushes through it, the session's task writes what is in it.
#[derive(Clone)]
pub(crate) struct Outgoing(Arc<Mutex<State>>);

struct State {
    queue: Queue,
    ping: bool,
    pong: Option<Bytes>,
    close: Option<CloseCode>,
    /// The session has ended: what is pushed now is dropped.
    ended: bool,
    /// The words before the close frame, for which the queue may have no room.
    last: Option<Bytes>,
    /// Writes to the socket without the session's task, while that has nothing to write itself.
    direct: Option<Arc<OwnedWriteHalf>>,
    /// What the socket did not take of a frame written so: goes before everything else.
    rest: Option<Vec<u8>>,
    /// Waits for anything to write: nothing is under way while it stands here.
    waker: Option<Waker>,
    /// Waits for the socket, and must hear all the same of what ends the session.
    blocked: Option<Waker>,
    metrics: Arc<Metrics>,
}

impl Outgoing {
    pub(crate) fn new(config: &Config, metrics: Arc<Metrics>, direct: Option<Arc<OwnedWriteHalf>>) -> Self {
        let queue = Queue::new(config);
        Self(Arc::new(Mutex::new(State {
            direct,
            rest: None,
            queue,
            ping: false,
            pong: None,
            close: None,
            ended: false,
            last: None,
            waker: None,
            blocked: None,
            metrics,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves a queue as it was between two pushes: still a queue.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, and wakes the session's task if that waits; if it waits for its socket, only when the session
    /// is to end: a socket that is full can do nothing about the rest.
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let (result, waker) = {
            let mut state = self.lock();
            let result = change(&mut state);
            let ends = state.close.is_some() || state.queue.overflowed();
            let waker = state.waker.take().or_else(|| if ends { state.blocked.take() } else { None });
            (result, waker)
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        result
    }

    /// The session's task waits for its socket.
    fn block(&self, cx: &Context<'_>) {
        let mut state = self.lock();
        if !state.blocked.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            state.blocked = Some(cx.waker().clone());
        }
    }

    pub(crate) fn ping(&self) {
        self.change(|state| state.ping = true);
    }

    /// Answers a ping; the newest is enough (RFC 6455 §5.5.3), so a flood of them queues nothing.
    pub(crate) fn pong(&self, payload: &[u8]) {
        self.change(|state| state.pong = Some(Bytes::copy_from_slice(payload)));
    }

    /// Closes the socket after all that is queued. The first reason counts.
    pub(crate) fn close(&self, code: CloseCode) {
        self.change(|state| state.close = state.close.or(Some(code)));
    }

    /// As [`Outgoing::close`], with last words of their own.
    pub(crate) fn close_saying(&self, words: Bytes, code: CloseCode) {
        self.change(|state| {
            if state.close.is_none() {
                (state.last, state.close) = (Some(words), Some(code));
            }
        });
    }

    /// Drops what waits, and whatever is pushed from now on.
    pub(crate) fn end(&self) {
        let mut state = self.lock();
        state.ended = true;
        drop(state.queue.take());
        (state.waker, state.blocked) = (None, None);
        (state.direct, state.rest) = (None, None);
    }

    /// An answer was lost: the session can't go on.
    pub(crate) fn overflowed(&self) -> bool {
        self.lock().queue.overflowed()
    }

    /// Whether the close frame is queued or written.
    pub(crate) fn is_closing(&self) -> bool {
        self.lock().close.is_some()
    }

    /// Whether there is room for more answers or a page of records.
    pub(crate) fn has_room(&self) -> bool {
        self.lock().queue.has_room()
    }

    /// Takes all that waits into an empty batch; registers the task if nothing does.
    fn take_into(&self, batch: &mut Batch, cx: &Context<'_>) -> bool {
        let mut state = self.lock();
        let mut control = state.rest.take().unwrap_or_default();
        if let Some(pong) = state.pong.take() {
            put(&mut control, Opcode::Pong, &pong);
        }
        if std::mem::take(&mut state.ping) {
            put(&mut control, Opcode::Ping, &[]);
        }
        batch.head = (!control.is_empty()).then(|| control.into());
        batch.frames = state.queue.take();
        if !batch.closed
            && let Some(code) = state.close
        {
            let mut tail = Vec::new();
            if let Some(words) = state.last.take() {
                put(&mut tail, Opcode::Binary, &words);
            }
            put(&mut tail, Opcode::Close, &close_payload(code));
            batch.tail = Some(tail.into());
        }
        let any = !batch.is_empty();
        if any {
            state.waker = None;
        } else if !state.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            state.waker = Some(cx.waker().clone());
        }
        any
    }
}

/// What became of frames that were to be written without the session's task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direct {
    /// Nothing: they go into the queue.
    Not,
    /// The socket took all of them.
    All,
    /// The socket took a part; the task writes the rest.
    Part,
}

impl State {
    fn push(&mut self, frame: Bytes, class: Class) -> bool {
        self.ended || self.close.is_some() || self.queue.push(frame, class)
    }

    /// Writes a few frames to the socket at once, if the session's task waits for something to write.
    fn write_now(&mut self, frames: &[Bytes]) -> Direct {
        let idle = self.waker.is_some() && self.queue.is_empty() && !self.ping && self.pong.is_none();
        let open = !self.ended && self.close.is_none() && !self.queue.overflowed();
        let Some(direct) = self.direct.as_ref().filter(|_| idle && open && frames.len() <= FEW) else {
            return Direct::Not;
        };
        let mut headers = [Header::default(); FEW];
        for (header, frame) in headers.iter_mut().zip(frames) {
            *header = Header::new(Opcode::Binary, frame.len());
        }
        let pieces = || frames.iter().zip(&headers).flat_map(|(frame, header)| [header.as_bytes(), frame.as_ref()]);
        let mut slices = [IoSlice::new(&[]); slices(FEW)];
        slices.iter_mut().zip(pieces()).for_each(|(slot, piece)| *slot = IoSlice::new(piece));
        let Ok(n) = direct.try_write_vectored(&slices) else { return Direct::Not };
        let all: usize = pieces().map(<[u8]>::len).sum();
        if n < all {
            self.rest = Some(pieces().flatten().skip(n).copied().collect());
        }
        self.metrics.deliveries.add(frames.len() as u64);
        self.metrics.delivered_bytes.add(n as u64);
        if n < all { Direct::Part } else { Direct::All }
    }
}

impl Outbox for Outgoing {
    fn push(&self, frame: Bytes, class: Class) -> bool {
        self.change(|state| {
            if class == Class::Answer {
                count(&frame, &state.metrics);
            }
            state.push(frame, class)
        })
    }

    fn push_all(&self, frames: &[Bytes]) -> usize {
        // In a quiet room this saves waking a task for each session (measured: docs/benchmarks.md). Under load more frames
        // come at once, or the task is busy: then it writes all that is queued in one call.
        let mut state = self.lock();
        let direct = state.write_now(frames);
        let waker = if direct == Direct::Part { state.waker.take() } else { None };
        drop(state);
        waker.into_iter().for_each(Waker::wake);
        if direct != Direct::Not {
            return frames.len();
        }
        self.change(|state| frames.iter().take_while(|frame| state.push((*frame).clone(), Class::Delivery)).count())
    }
}

/// Counts the answers that an owner wants to know of; the hub that makes them knows no metrics. A frame begins with "an
/// array of two" and its type (see `docs/protocol.md`).
fn count(frame: &Bytes, metrics: &Metrics) {
    if frame.starts_with(REFUSED)
        && let Ok(RelayFrame::Refused(Refused { code, .. })) = RelayFrame::decode(frame)
    {
        metrics.refused(code);
        log::refused(Code(code));
    } else if frame.starts_with(LAGGED) {
        metrics.lagged.add(1);
    }
}

fn put(buffer: &mut Vec<u8>, opcode: Opcode, payload: &[u8]) {
    buffer.extend_from_slice(Header::new(opcode, payload.len()).as_bytes());
    buffer.extend_from_slice(payload);
}

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
    head: Option<Bytes>,
    /// Messages, without.
    frames: VecDeque<Bytes>,
    /// The close frame, with its header.
    tail: Option<Bytes>,
    /// How much of the first of them is written.
    offset: usize,
    /// The close frame is written: nothing may follow it.
    closed: bool,
    /// The socket may hold back what it took.
    unflushed: bool,
    /// The socket took no more when it was asked last.
    blocked: bool,
}

impl Batch {
    fn is_empty(&self) -> bool {
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

#[cfg(test)]
mod tests;
