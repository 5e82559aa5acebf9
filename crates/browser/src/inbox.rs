//! What waits for the worker's one loop, in the order in which it came. Everything that can wake it stands in [`Incoming`].

use core::cell::RefCell;
use core::task::{Context, Poll, Waker};
use std::collections::VecDeque;
use std::rc::Rc;

use estoile_engine::{BlobError, Lost, RelayId};
use zeroize::Zeroizing;

/// Frames' bytes that may wait: a browser's socket can't be told to hold the relay back, so one that brings more is ended,
/// and what it brought is read again later.
pub const MOST_BYTES: usize = 32 << 20;

/// Something that happened outside.
#[derive(Debug)]
pub enum Incoming {
    /// A message from the page: an [`estoile_port::Up`] in JSON.
    Up(Zeroizing<String>),
    /// On a connection, by its number.
    Socket(RelayId, u64, SocketEvent),
    /// How putting a blob ended, by the number of the transfers' round.
    BlobPut(u64, RelayId, [u8; 32], Result<(), BlobError>),
    /// How getting a blob ended.
    BlobGot(u64, RelayId, [u8; 32], Result<Vec<u8>, BlobError>),
    /// A passphrase was stretched, for the request with that number.
    Stretched(u64, Result<Zeroizing<[u8; 32]>, String>),
    /// The time that was asked for has come.
    Alarm,
    /// Another tab took the vault.
    Robbed,
    /// The browser took the open store away.
    Gone,
    /// The other tab that had the vault is gone, and this one has it now.
    Freed,
}

/// What happened on a connection.
#[derive(Debug)]
pub enum SocketEvent {
    /// It is made.
    Up,
    /// A binary message.
    Frame(Vec<u8>),
    /// It ended, or was never made.
    Down(Lost),
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Incoming>,
    /// Of the frames in the queue.
    bytes: usize,
    waker: Option<Waker>,
    closed: bool,
}

/// The queue. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Inbox(Rc<RefCell<State>>);

impl Inbox {
    /// Puts something in line.
    pub fn push(&self, incoming: Incoming) {
        let waker = {
            let mut state = self.0.borrow_mut();
            state.queue.push_back(incoming);
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Puts a frame in line; false if too much waits already.
    #[must_use]
    pub fn push_frame(&self, relay: RelayId, connection: u64, frame: Vec<u8>) -> bool {
        let bytes = self.0.borrow().bytes.saturating_add(frame.len());
        if bytes > MOST_BYTES {
            return false;
        }
        self.0.borrow_mut().bytes = bytes;
        self.push(Incoming::Socket(relay, connection, SocketEvent::Frame(frame)));
        true
    }

    /// What waits, if anything.
    #[must_use]
    pub fn try_next(&self) -> Option<Incoming> {
        let mut state = self.0.borrow_mut();
        let incoming = state.queue.pop_front();
        if let Some(Incoming::Socket(_, _, SocketEvent::Frame(frame))) = &incoming {
            state.bytes = state.bytes.saturating_sub(frame.len());
        }
        incoming
    }

    /// The next thing that happens; none when nothing will any more.
    pub fn poll_next(&self, cx: &Context<'_>) -> Poll<Option<Incoming>> {
        if let Some(incoming) = self.try_next() {
            return Poll::Ready(Some(incoming));
        }
        let mut state = self.0.borrow_mut();
        if state.closed {
            return Poll::Ready(None);
        }
        state.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Nothing more will come.
    pub fn close(&self) {
        let waker = {
            let mut state = self.0.borrow_mut();
            state.closed = true;
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
