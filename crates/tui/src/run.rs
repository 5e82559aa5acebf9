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
        World { line: line(Arc::clone(&backend), answers.clone()), backend, answers, modes, left: None, redraw: true };
    let mut app = App::new(options, (size.width, size.height), clock.now());
    let mut stops = Stops::new()?;
    let mut keys = EventStream::new();
    let mut title = None;
    let mut drawn = tokio::time::Instant::now();
    let mut stale = true;
    world.draw(&app, &mut screen)?;
    let first = app.start();
    world.act(first)?;
    while world.left.is_none() {
        let wake = app.next_wake().map(|at| Duration::from_millis(at.saturating_sub(clock.now())));
        let frame = stale.then(|| FRAME.saturating_sub(drawn.elapsed()));
        let mut urgent = false;
        let msg = tokio::select! {
            biased;
            () = stops.stopped() => { world.left = Some(Exit::Terminated); None }
            input = keys.next() => { urgent = true; match input {
                Some(Ok(input)) => message(input),
                _ => { world.left = Some(Exit::Terminated); None }
            } }
            answer = answered.recv() => answer,
            event = events.next() => Some(event.map_or(Msg::ClientGone, Msg::Engine)),
            () = sleep(frame) => { urgent = true; None }
            () = sleep(wake) => Some(Msg::Tick),
        };
        if let Some(msg) = msg {
            let acts = app.update(clock.now(), msg);
            world.act(acts)?;
            stale = true;
        }
        for _ in 0..BATCH {
            let Some(event) = events.try_next() else { break };
            let acts = app.update(clock.now(), Msg::Engine(event));
            world.act(acts)?;
            stale = true;
        }
        if stale && (urgent || drawn.elapsed() >= FRAME) {
            world.draw(&app, &mut screen)?;
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

    fn draw(&mut self, app: &App, screen: &mut Terminal<CrosstermBackend<io::Stdout>>) -> io::Result<()> {
        if core::mem::take(&mut self.redraw) {
            screen.clear()?;
        }
        screen.draw(|frame| view(app, frame))?;
        Ok(())
    }
}

/// The system's wishes that the program end.
#[cfg(unix)]
struct Stops {
    term: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Stops {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { term: signal(SignalKind::terminate())?, hangup: signal(SignalKind::hangup())? })
    }

    async fn stopped(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Stops;

#[cfg(not(unix))]
impl Stops {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn stopped(&mut self) {
        core::future::pending().await
    }
}
