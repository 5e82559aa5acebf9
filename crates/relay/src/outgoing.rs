//! What waits to be written to one session, and how it is written: everything that is queued, in one system call.
//!
//! The queue's bounds are the hub's. A frame's bytes are shared by all sessions that get it; only the few bytes of its
//! WebSocket header are made here, at the moment of writing.

mod batch;

use std::io::IoSlice;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

use bytes::Bytes;
use estoile_hub::config::Config;
use estoile_hub::queue::{Class, Outbox, Queue};
use estoile_wire::RelayFrame;
use estoile_wire::frame::Refused;
use tokio::net::tcp::OwnedWriteHalf;

pub(crate) use batch::{Batch, Written};

use crate::log::{self, Code};
use crate::metrics::Metrics;
use crate::ws::frame::{Opcode, close_payload};
use crate::ws::{CloseCode, Header};

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

#[cfg(test)]
mod tests;
