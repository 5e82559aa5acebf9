//! The loop: one place where keys, events, answers and time come together and the screen is drawn.
//!
//! It never waits for the network or the vault: what takes time runs beside it and comes back as a message. The first
//! screen is drawn before anything has been asked.

use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crossterm::event::{Event as Input, EventStream};
use estoile_client::{Events, Handle};
use estoile_engine::Command;
use futures_util::StreamExt;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use tokio::sync::mpsc;

use crate::app::{Act, App, Msg};
use crate::backend::{Backend, EventSource};
use crate::options::Options;
use crate::terminal::{self, Modes};
use crate::timeline::PAGE;
use crate::view::view;

/// Between two screens at least this long passes while events flood in; a key is answered at once all the same.
const FRAME: Duration = Duration::from_millis(16);

/// Events taken in at a time before keys are looked at again.
const BATCH: usize = 1024;

/// Answers that may wait for the loop.
const ANSWERS: usize = 1024;

/// How the user left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// By `/quit` or Ctrl-D, or because the client has ended.
    Quit,
    /// By Ctrl-C.
    Interrupted,
    /// The system asked for it (SIGTERM, SIGHUP), or the terminal went away.
    Terminated,
}

/// Why there is no face.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The terminal could not be used.
    #[error(
        "the terminal can't be used for the chat: {0}; run it in another terminal, or use `estoile tail` and `estoile send`"
    )]
    Terminal(#[from] io::Error),
    /// Something in the program panicked; the screen was given back before it said what.
    #[error(
        "the program has a bug and had to stop; please report what it printed above, and start it again: nothing that was kept is lost"
    )]
    Panicked,
}

/// Shows the chat until the user leaves. The terminal is given back however this ends.
///
/// # Errors
/// The terminal could not be used.
pub async fn run(handle: Handle, events: Events, options: Options) -> Result<Exit, RunError> {
    run_with(Arc::new(handle), events, options).await
}

/// The same over anything that answers like a client.
///
/// # Errors
/// The terminal could not be used.
pub async fn run_with(
    backend: Arc<dyn Backend>,
    mut events: impl EventSource,
    options: Options,
) -> Result<Exit, RunError> {
    let clock = Clock { offset: options.clock_offset_ms };
    let modes = Modes::take(options.mouse)?;
    let mut screen = Terminal::new(CrosstermBackend::new(io::stdout()))?;
    let size = screen.size()?;
    let (answers, mut answered) = mpsc::channel(ANSWERS);
    let mut world =
        World { line: line(Arc::clone(&backend), answers.clone()), backend, answers, modes, left: None, redraw: false };
    let mut app = App::new(options, (size.width, size.height), clock.now());
    let mut signals = Signals::new()?;
    let mut keys = Keys::new();
    let mut title = None;
    let mut drawn = tokio::time::Instant::now();
    let mut stale = true;
    world.draw(&mut app, &mut screen)?;
    let first = app.start();
    world.act(first)?;
    while world.left.is_none() {
        let wake = app.next_wake().map(|at| Duration::from_millis(at.saturating_sub(clock.now())));
        let frame = stale.then(|| FRAME.saturating_sub(drawn.elapsed()));
        let mut urgent = false;
        let msg = tokio::select! {
            biased;
            signal = signals.next() => { urgent = true; match signal {
                Signal::Stop => { world.left = Some(Exit::Terminated); None }
                Signal::Resized => { world.redraw = true; stale = true; None }
            } }
            () = terminal::panicked() => return Err(RunError::Panicked),
            input = keys.queue.recv() => {
                urgent = true;
                if input.is_none() {
                    world.left = Some(Exit::Terminated);
                }
                input.and_then(message)
            }
            answer = answered.recv() => answer,
            event = events.next() => Some(event.map_or(Msg::ClientGone, Msg::Engine)),
            () = sleep(frame) => { urgent = true; None }
            () = sleep(wake) => Some(Msg::Tick),
        };
        // What waits already is taken in before a screen is drawn for it: keys of one paste, events of one page.
        let more_keys = core::iter::from_fn(|| keys.queue.try_recv().ok());
        let more_keys = more_keys.take(if urgent { BATCH } else { 0 }).filter_map(message);
        let more_events = core::iter::from_fn(|| events.try_next()).take(BATCH).map(Msg::Engine);
        for msg in msg.into_iter().chain(more_keys).chain(more_events) {
            let acts = app.update(clock.now(), msg);
            world.act(acts)?;
            stale = true;
        }
        if stale && (urgent || drawn.elapsed() >= FRAME) {
            world.draw(&mut app, &mut screen)?;
            drawn = tokio::time::Instant::now();
            stale = false;
        }
        if title != Some(app.unread()) {
            title = Some(app.unread());
            terminal::set_title(app.unread())?;
        }
    }
    Ok(world.left.unwrap_or(Exit::Quit))
}

/// Sleeps, or waits for ever when there is nothing to wait for.
async fn sleep(time: Option<Duration>) {
    match time {
        Some(time) => tokio::time::sleep(time).await,
        None => core::future::pending().await,
    }
}

/// Keys, read by a task of their own: the stream of them is polled from one place only, because it wakes whoever asked
/// first.
struct Keys {
    queue: mpsc::Receiver<Input>,
    reader: tokio::task::JoinHandle<()>,
}

impl Keys {
    fn new() -> Self {
        let (sender, queue) = mpsc::channel(BATCH);
        let reader = tokio::spawn(async move {
            let mut stream = EventStream::new();
            while let Some(Ok(input)) = stream.next().await {
                if sender.send(input).await.is_err() {
                    break;
                }
            }
        });
        Self { queue, reader }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// What the terminal says, as a message. A resize is a message even when the size is told twice.
fn message(input: Input) -> Option<Msg> {
    match input {
        Input::Key(key) => Some(Msg::Key(key)),
        Input::Paste(text) => Some(Msg::Paste(text)),
        Input::Mouse(event) => Some(Msg::Mouse(event)),
        Input::Resize(width, height) => Some(Msg::Resize(width, height)),
        Input::FocusGained => Some(Msg::Focus(true)),
        Input::FocusLost => Some(Msg::Focus(false)),
    }
}

struct Clock {
    offset: i64,
}

impl Clock {
    fn now(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX).saturating_add_signed(self.offset)
    }
}

/// What acts act on.
struct World {
    backend: Arc<dyn Backend>,
    answers: mpsc::Sender<Msg>,
    line: mpsc::Sender<(u64, Command)>,
    modes: Modes,
    left: Option<Exit>,
    redraw: bool,
}

/// Puts commands in line one after the other, so that they are done in the order in which they were given.
fn line(backend: Arc<dyn Backend>, answers: mpsc::Sender<Msg>) -> mpsc::Sender<(u64, Command)> {
    let (sender, mut commands) = mpsc::channel::<(u64, Command)>(ANSWERS);
    tokio::spawn(async move {
        while let Some((id, command)) = commands.recv().await {
            let pending = backend.submit(command).await;
            let answers = answers.clone();
            tokio::spawn(async move {
                let _ = answers.send(Msg::Answered(id, pending.await)).await;
            });
        }
    });
    sender
}

impl World {
    fn act(&mut self, acts: Vec<Act>) -> io::Result<()> {
        for act in acts {
            match act {
                Act::Call(id, command) => {
                    if self.line.try_send((id, command)).is_err() {
                        let busy = estoile_engine::CommandError::OutboxFull { waiting: ANSWERS };
                        let answers = self.answers.clone();
                        tokio::spawn(async move { answers.send(Msg::Answered(id, Err(busy))).await });
                    }
                }
                Act::Rooms => {
                    let rooms = self.backend.rooms();
                    self.later(async move { Msg::Rooms(rooms.await) });
                }
                Act::Overview => {
                    let overview = self.backend.overview();
                    self.later(async move { Msg::Overview(Box::new(overview.await)) });
                }
                Act::Members(room) => {
                    let members = self.backend.members(room);
                    self.later(async move { Msg::Members(room, members.await) });
                }
                Act::Snapshot(room) => {
                    let snapshot = self.backend.snapshot(room, PAGE);
                    self.later(async move { Msg::Snapshot(room, snapshot.await.map(Box::new)) });
                }
                Act::Older { room, before } => {
                    let page = self.backend.older(room, before, PAGE);
                    self.later(async move { Msg::Older { room, before, page: page.await } });
                }
                Act::Open { link, passphrase, own_name } => {
                    let opened = self.backend.open(link, passphrase, own_name);
                    self.later(async move { Msg::Opened(opened.await) });
                }
                Act::Copy(text) => terminal::copy(&text)?,
                Act::Mouse(on) => self.modes.mouse(on)?,
                Act::Redraw => self.redraw = true,
                Act::Suspend => {
                    self.modes.suspend()?;
                    self.redraw = true;
                }
                Act::Quit { interrupted } => {
                    self.left = Some(if interrupted { Exit::Interrupted } else { Exit::Quit });
                }
            }
        }
        Ok(())
    }

    fn later(&self, msg: impl Future<Output = Msg> + Send + 'static) {
        let answers = self.answers.clone();
        tokio::spawn(async move {
            let msg = msg.await;
            let _ = answers.send(msg).await;
        });
    }

    fn draw(&mut self, app: &mut App, screen: &mut Terminal<CrosstermBackend<io::Stdout>>) -> io::Result<()> {
        let size = screen.size()?;
        if app.size != (size.width, size.height) || core::mem::take(&mut self.redraw) {
            self.redraw = false;
            app.size = (size.width, size.height);
            // Not `clear`, which asks the terminal where its cursor is and waits for the answer among the keys.
            screen.resize(Rect::new(0, 0, size.width, size.height))?;
        }
        screen.draw(|frame| {
            // The size may have changed again in between; what is planned and what is drawn are always the same.
            app.size = (frame.area().width, frame.area().height);
            view(app, frame);
        })?;
        Ok(())
    }
}

/// What the system tells.
#[cfg_attr(not(unix), expect(dead_code, reason = "other systems tell it among the keys"))]
enum Signal {
    Stop,
    Resized,
}

/// The system's signals. Changes of size are heard here and not among the keys: there the last of several may get lost.
#[cfg(unix)]
struct Signals {
    term: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
    window: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            window: signal(SignalKind::window_change())?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.term.recv() => Signal::Stop,
            _ = self.hangup.recv() => Signal::Stop,
            _ = self.window.recv() => Signal::Resized,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> Signal {
        core::future::pending().await
    }
}
