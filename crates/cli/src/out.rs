//! Data, on stdout: whole lines, flushed, and a quiet end when the reader has gone (`estoile tail … | head -1`).

use std::io::{ErrorKind, Write as _};

use crate::fail::Failure;

/// Whether what was written has a reader still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a command whose reader has gone ends quietly"]
pub(crate) enum Reader {
    /// It was taken.
    There,
    /// Nobody reads any more.
    Gone,
}

/// Prints a line.
pub(crate) fn line(text: &str) -> Result<Reader, Failure> {
    let mut whole = String::with_capacity(text.len() + 1);
    whole.push_str(text);
    whole.push('\n');
    bytes(whole.as_bytes())
}

/// Prints bytes as they are.
pub(crate) fn bytes(bytes: &[u8]) -> Result<Reader, Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(Reader::There),
        Err(e) if e.kind() == ErrorKind::BrokenPipe => Ok(Reader::Gone),
        Err(e) => {
            Err(Failure::new(format_args!("stdout can't be written ({e}); check where it leads and the free space")))
        }
    }
}

/// Waits until nobody reads stdout any more; for ever where that can't be known. A follower that has nothing to print
/// would never notice otherwise.
#[cfg(unix)]
pub(crate) async fn reader_gone() {
    let (tell, told) = tokio::sync::oneshot::channel::<()>();
    let watching = std::thread::Builder::new().name("stdout".into()).spawn(move || {
        if hung_up() {
            let _ = tell.send(());
        }
    });
    if watching.is_err() || told.await.is_err() {
        // It can't be known.
        core::future::pending::<()>().await;
    }
}

/// See above.
#[cfg(not(unix))]
pub(crate) async fn reader_gone() {
    core::future::pending::<()>().await;
}

/// Blocks until the other end of stdout is closed; false if that can't be waited for.
#[cfg(unix)]
fn hung_up() -> bool {
    use rustix::event::{PollFd, PollFlags, poll};
    let stdout = std::io::stdout();
    loop {
        // No events are asked for: errors and hang-ups are always told.
        let mut fds = [PollFd::new(&stdout, PollFlags::empty())];
        match poll(&mut fds, None) {
            Ok(0) | Err(rustix::io::Errno::INTR) => {}
            Ok(_) => return fds.iter().any(|fd| fd.revents().intersects(PollFlags::ERR | PollFlags::HUP)),
            Err(_) => return false,
        }
    }
}
