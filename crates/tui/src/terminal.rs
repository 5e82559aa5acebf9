//! The terminal's modes: taken once, given back on every way out. The only module that writes to it beside ratatui.

use std::io::{self, Write};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, DisableMouseCapture, EnableBracketedPaste, EnableFocusChange,
    EnableMouseCapture,
};
use crossterm::style::Print;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, SetTitle, disable_raw_mode, enable_raw_mode};
use crossterm::{cursor, execute, queue};
use tokio::sync::Notify;

/// Whether the modes are ours to give back.
static TAKEN: AtomicBool = AtomicBool::new(false);
static HOOK: Once = Once::new();

/// Wakes the loop after a panic on another thread: the terminal is no longer its own.
static PANICKED: Notify = Notify::const_new();

/// Holds the terminal's modes; dropping it gives them back.
#[derive(Debug)]
pub(crate) struct Modes {
    mouse: bool,
}

impl Modes {
    /// Takes the terminal. A panic, wherever it happens, gives it back before its message is printed.
    pub(crate) fn take(mouse: bool) -> io::Result<Self> {
        HOOK.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                give_back();
                before(panic);
                PANICKED.notify_one();
            }));
        });
        let modes = Self { mouse };
        modes.enter()?;
        Ok(modes)
    }

    fn enter(&self) -> io::Result<()> {
        enable_raw_mode()?;
        TAKEN.store(true, Ordering::SeqCst);
        let mut out = io::stdout();
        // The terminal keeps the title it had on a stack of its own.
        queue!(out, Print("\x1b[22;0t"), EnterAlternateScreen, EnableBracketedPaste, EnableFocusChange)?;
        if self.mouse {
            queue!(out, EnableMouseCapture)?;
        }
        out.flush()
    }

    pub(crate) fn mouse(&mut self, on: bool) -> io::Result<()> {
        self.mouse = on;
        let mut out = io::stdout();
        if on { execute!(out, EnableMouseCapture) } else { execute!(out, DisableMouseCapture) }
    }

    /// Stops the process as Ctrl-Z does elsewhere, and takes the terminal again when it goes on.
    pub(crate) fn suspend(&self) -> io::Result<()> {
        give_back();
        #[cfg(unix)]
        rustix::process::kill_current_process_group(rustix::process::Signal::TSTP)?;
        self.enter()
    }
}

impl Drop for Modes {
    fn drop(&mut self) {
        give_back();
    }
}

/// Gives the terminal back as it was; does nothing the second time.
fn give_back() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = io::stdout();
    // What can't be written any more (the terminal has gone) needs no restoring.
    let _ = execute!(
        out,
        DisableMouseCapture,
        DisableFocusChange,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        cursor::Show,
        Print("\x1b[23;0t")
    );
    let _ = disable_raw_mode();
}

/// Waits until something has panicked, wherever it was.
pub(crate) async fn panicked() {
    PANICKED.notified().await;
}

/// The title says how much is unread, and nothing that came from outside: not even a room's name.
pub(crate) fn set_title(unread: u32) -> io::Result<()> {
    let title = if unread == 0 { String::from("Estoile") } else { format!("({unread}) Estoile") };
    execute!(io::stdout(), SetTitle(title))
}

/// Puts a text of our own into the terminal's clipboard (OSC 52). Base64 leaves nothing in it that could act.
pub(crate) fn copy(text: &str) -> io::Result<()> {
    execute!(io::stdout(), Print(format!("\x1b]52;c;{}\x07", base64(text.as_bytes()))))
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letter = |n: u32| ALPHABET.get(usize::try_from(n & 63).unwrap_or(0)).map_or('A', |&b| char::from(b));
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |i: usize| chunk.get(i).map_or(0, |&b| u32::from(b));
        let n = byte(0) << 16 | byte(1) << 8 | byte(2);
        out.push(letter(n >> 18));
        out.push(letter(n >> 12));
        out.push(if chunk.len() > 1 { letter(n >> 6) } else { '=' });
        out.push(if chunk.len() > 2 { letter(n) } else { '=' });
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn base64_is_base64() {
        for (text, encoded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar?>", "Zm9vYmFyPz4=")]
        {
            assert_eq!(super::base64(text.as_bytes()), encoded);
        }
    }
}
