//! One session's task: its socket between the hub's rules on one side and its queue on the other.
//!
//! The task is small and holds no buffer while nothing happens: what a socket has to say is read into one buffer per
//! thread, and only an incomplete frame is kept. Whatever ends it, dropping it frees all that the session held.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use estoile_hub::SessionId;
use estoile_hub::session::{Due, Flow, ReadAnswer, Session as Hub};
use estoile_wire::frame::{Closing, RelayFrame};
use estoile_wire::limits::MAX_FRAME;
use estoile_wire::{Millis, Refusal};
use getrandom::SysRng;
use rand_core::UnwrapErr;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use crate::core::{Core, Presence, Way, dismiss, now};
use crate::io::Io;
use crate::log::{self, Connection, Count, Elapsed, Size, Word};
use crate::outgoing::{Batch, Outgoing, Written};
use crate::ws::{CloseCode, Fault, Incoming, Reader};

/// What is read from a socket at once, by all sessions of a thread: a frame of the largest size fits.
const READ: usize = MAX_FRAME + 64;
/// Before its hello a session may send no longer frame: strangers cost little.
const STRANGER_FRAME: usize = 4 * 1024;
/// Reads of one session before others of its thread get their turn.
const READS_A_TURN: usize = 4;

/// The first byte of a frame is "an array of two", the second its type (see `docs/protocol.md`).
const APPEND: &[u8] = &[0x82, 5];
const SIGNAL: &[u8] = &[0x82, 6];

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; READ]);
}

/// Milliseconds by a clock that nobody sets: a session is silent by this one, whatever happens to the clock on the wall.
fn steady() -> Millis {
    static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(BEGUN.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Why a session ended. The words are for logs and metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The client said goodbye.
    Goodbye,
    /// The socket ended without one.
    Lost,
    /// Nothing was heard for too long.
    Silent,
    /// Not WebSocket, or not the binary kind.
    BrokenSocket,
    /// The hub's rules ended it.
    Refused,
    /// It did not read its answers.
    Overflow,
    /// The relay is closing.
    Closing,
    /// There are as many sessions as there may be.
    Full,
}

impl End {
    /// Every word, for the metrics.
    pub(crate) const WORDS: &'static [&'static str] =
        &["goodbye", "lost", "silent", "broken-socket", "refused", "overflow", "closing", "full"];

    const fn word(self) -> &'static str {
        match self {
            Self::Goodbye => "goodbye",
            Self::Lost => "lost",
            Self::Silent => "silent",
            Self::BrokenSocket => "broken-socket",
            Self::Refused => "refused",
            Self::Overflow => "overflow",
            Self::Closing => "closing",
            Self::Full => "full",
        }
    }
}

/// One session.
pub(crate) struct Session {
    core: Arc<Core>,
    io: Io,
    reader: Reader,
    /// Gone when the session has ended and the goodbye goes on.
    hub: Option<Hub<Outgoing>>,
    outgoing: Outgoing,
    batch: Batch,
    timer: Pin<Box<Sleep>>,
    page: Option<tokio::task::JoinHandle<Option<ReadAnswer>>>,
    connection: Connection,
    opened: Instant,
    /// Why it is about to end, when that was decided before the last words were written.
    ending: Option<End>,
    _presence: Presence,
}

impl Session {
    /// A session on a socket whose handshake is over; `early` is what came with it.
    pub(crate) fn new(core: Arc<Core>, io: Io, connection: Connection, early: &[u8]) -> Self {
        let rules = core.rules();
        let (io, direct) = io.share();
        let outgoing = Outgoing::new(&rules.config, core.metrics.clone(), direct);
        let presence = core.enrol(&outgoing);
        let hub = Hub::new(SessionId(presence.number), outgoing.clone(), steady(), &mut UnwrapErr(SysRng));
        core.metrics.opened.add(1);
        log::session_opened(connection, Count(core.metrics.sessions.get()));
        let mut session = Self {
            io,
            reader: Reader::default(),
            hub: Some(hub),
            outgoing,
            batch: Batch::default(),
            timer: Box::pin(tokio::time::sleep(Duration::ZERO)),
            page: None,
            connection,
            opened: Instant::now(),
            ending: None,
            _presence: presence,
            core,
        };
        if session.core.metrics.sessions.get() > session.core.max_sessions {
            dismiss(&session.outgoing, Refusal::TooManySessions, CloseCode::TryLater);
            session.core.metrics.refused(Refusal::TooManySessions);
            session.ending = Some(End::Full);
        }
        if !early.is_empty() {
            session.ending = session.ending.or_else(|| session.take(&mut early.to_vec()));
        }
        session
    }

    /// Runs until the session has ended.
    pub(crate) async fn run(mut self) {
        let end = std::future::poll_fn(|cx| self.poll_open(cx)).await;
        self.free();
        self.core.metrics.session_ended(end.word());
        log::session_ended(self.connection, Word(end.word()), Elapsed(self.opened.elapsed()));
        if end != End::Lost {
            let goodbye = self.core.sockets.goodbye;
            let _ = tokio::time::timeout(goodbye, std::future::poll_fn(|cx| self.poll_goodbye(cx))).await;
        }
    }

    /// Frees what the session holds in the hub.
    fn free(&mut self) {
        if let Some(hub) = self.hub.take() {
            hub.end(now(), &Way { core: &self.core, append: None });
        }
        self.page = None;
    }

    /// Everything that can happen to an open session, until nothing can be done without waiting.
    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        for _ in 0..READS_A_TURN {
            let mut written = Written::default();
            let wrote = self.batch.poll(cx, &mut self.io, &self.outgoing, &mut written);
            self.core.metrics.deliveries.add(written.frames);
            self.core.metrics.delivered_bytes.add(written.bytes);
            // What it says is not read while much waits for it, and its pongs come behind all that was sent before: who
            // reads slowly shows its life by reading.
            if let Some(hub) = self.hub.as_mut().filter(|_| written.resumed) {
                hub.heard(steady());
            }
            if let Poll::Ready(Err(_)) = wrote {
                return Poll::Ready(self.ending.unwrap_or(End::Lost));
            }
            if let Some(end) = self.ending {
                return Poll::Ready(end);
            }
            if self.outgoing.is_closing() {
                return Poll::Ready(End::Closing);
            }
            if self.outgoing.overflowed() {
                let words = RelayFrame::Closing(Closing { code: Refusal::Busy }).encode();
                self.outgoing.close_saying(words.into(), CloseCode::Policy);
                return Poll::Ready(End::Overflow);
            }
            if let Poll::Ready(end) = self.poll_timer(cx) {
                return Poll::Ready(end);
            }
            let paged = self.poll_page(cx);
            // Who does not take answers may ask no more.
            let room = self.outgoing.has_room();
            let read = if room { self.poll_read(cx) } else { Poll::Pending };
            match read {
                Poll::Ready(Some(end)) => {
                    self.ending = Some(end);
                }
                Poll::Ready(None) => {}
                // Whoever pushes into the queue wakes this task; a page's records can be written at once.
                Poll::Pending if paged => {}
                Poll::Pending => return Poll::Pending,
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        while self.timer.as_mut().poll(cx).is_ready() {
            let now = steady();
            let rules = self.core.rules();
            let wait = match self.hub.as_mut().map(|hub| hub.due(now, &rules)) {
                None => return Poll::Ready(End::Lost),
                Some(Due::Close(_)) => {
                    self.outgoing.close(CloseCode::Policy);
                    return Poll::Ready(End::Silent);
                }
                Some(Due::Ping) => {
                    self.outgoing.ping();
                    0
                }
                Some(Due::Wait(until)) => until.saturating_sub(now),
            };
            self.timer.as_mut().reset(tokio::time::Instant::now() + Duration::from_millis(wait));
        }
        Poll::Pending
    }

    /// Reads what the session has missed, page by page, away from the runtime's workers. Says whether a page came.
    fn poll_page(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(hub) = &mut self.hub else { return false };
        let way = Way { core: &self.core, append: None };
        let mut came = false;
        if let Some(page) = &mut self.page {
            let Poll::Ready(answer) = Pin::new(page).poll(cx) else { return false };
            self.page = None;
            came = true;
            if let Ok(Some(answer)) = answer {
                if let Some(error) = answer.error() {
                    log::read_failed(crate::committer::word(error));
                }
                hub.page(now(), answer, &way);
            }
        }
        if hub.catching_up()
            && self.outgoing.has_room()
            && let Some(request) = hub.next_read(&self.core.rules(), &way)
        {
            let (reader, reads) = (self.core.reader.clone(), self.core.reads.clone());
            self.page = Some(tokio::spawn(async move {
                let _permit = reads.acquire_owned().await.ok()?;
                tokio::task::spawn_blocking(move || request.run(&reader, now())).await.ok()
            }));
            // To be polled once, so that it wakes this task.
            came = true;
        }
        came
    }

    /// Reads once and takes what came.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Option<End>> {
        SCRATCH.with_borrow_mut(|scratch| {
            let mut buffer = ReadBuf::new(scratch);
            let result = ready!(Pin::new(&mut self.io).poll_read(cx, &mut buffer));
            let filled = buffer.filled_mut();
            Poll::Ready(if result.is_err() || filled.is_empty() { Some(End::Lost) } else { self.take(filled) })
        })
    }

    /// Takes bytes from the socket.
    fn take(&mut self, bytes: &mut [u8]) -> Option<End> {
        let hub = self.hub.as_mut()?;
        let limit = if hub.is_open() { MAX_FRAME } else { STRANGER_FRAME };
        let (core, outgoing, connection) = (&self.core, &self.outgoing, self.connection);
        let rules = core.rules();
        let (now, steady) = (now(), steady());
        let mut end = None;
        let fed = self.reader.feed(bytes, limit, &mut |incoming| {
            match incoming {
                Incoming::Message(message) => {
                    log::frame_received(connection, Size(message.len() as u64));
                    if message.starts_with(SIGNAL) {
                        core.metrics.signals.add(1);
                    }
                    let append = message.starts_with(APPEND).then(Instant::now);
                    let way = Way { core, append };
                    if let Flow::Close(code) = hub.receive(now, message, &rules, &way, &core.reader, &*core.blobs) {
                        core.metrics.refused(code);
                        outgoing.close(close_code(code));
                        end = Some(End::Refused);
                    }
                    hub.heard(steady);
                }
                Incoming::Ping(payload) => {
                    hub.heard(steady);
                    outgoing.pong(payload);
                }
                Incoming::Pong => hub.heard(steady),
                Incoming::Close => {
                    outgoing.close(CloseCode::Normal);
                    end = Some(End::Goodbye);
                }
            }
            if end.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        if let Err(fault) = fed {
            if fault == Fault::TooLarge {
                dismiss(outgoing, Refusal::FrameTooLarge, fault.close_code());
                core.metrics.refused(Refusal::FrameTooLarge);
            }
            outgoing.close(fault.close_code());
            end = Some(End::BrokenSocket);
        }
        end
    }

    /// Writes the last words, then waits for the peer's end of the connection, so that it gets to read them.
    fn poll_goodbye(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.batch.is_closed() {
            let mut written = Written::default();
            let wrote = self.batch.poll(cx, &mut self.io, &self.outgoing, &mut written);
            self.core.metrics.deliveries.add(written.frames);
            self.core.metrics.delivered_bytes.add(written.bytes);
            if ready!(wrote).is_err() || !self.batch.is_closed() {
                return Poll::Ready(());
            }
        }
        if ready!(Pin::new(&mut self.io).poll_shutdown(cx)).is_err() {
            return Poll::Ready(());
        }
        SCRATCH.with_borrow_mut(|scratch| {
            loop {
                let mut buffer = ReadBuf::new(scratch);
                let read = ready!(Pin::new(&mut self.io).poll_read(cx, &mut buffer));
                if read.is_err() || buffer.filled().is_empty() {
                    return Poll::Ready(());
                }
            }
        })
    }
}

impl Drop for Session {
    /// Also when the task is dropped or panics: nobody stays in a room who has no socket.
    fn drop(&mut self) {
        self.free();
        self.outgoing.end();
    }
}

/// What the close frame says of a refusal that ends a session.
const fn close_code(code: Refusal) -> CloseCode {
    match code {
        Refusal::Closing => CloseCode::Away,
        Refusal::TooManySessions => CloseCode::TryLater,
        Refusal::FrameTooLarge => CloseCode::TooLarge,
        _ => CloseCode::Policy,
    }
}
