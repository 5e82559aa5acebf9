//! The face in a pseudo-terminal: real keys in, real escape sequences out, read by a terminal emulator.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test: what is missing must stop it")]

use std::io::{Read, Write};
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// How long anything may take on a busy machine before it counts as not happening.
const PATIENCE: Duration = Duration::from_secs(20);

struct Seen {
    parser: vt100::Parser,
    bytes: Vec<u8>,
}

/// The demo in a terminal.
struct Face {
    master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    seen: Arc<Mutex<Seen>>,
}

fn size(cols: u16, rows: u16) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}

fn nonzero(n: u16) -> NonZero<u16> {
    NonZero::new(n).unwrap()
}

/// The example is built beside the tests.
fn demo() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let demo = test.parent().unwrap().parent().unwrap().join("examples").join("demo");
    assert!(demo.exists(), "build it with `cargo build -p estoile-tui --example demo`");
    demo
}

impl Face {
    fn start(environment: &[(&str, &str)]) -> Self {
        let pty = native_pty_system().openpty(size(80, 24)).unwrap();
        let mut command = CommandBuilder::new(demo());
        command.env_clear();
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        command.env("TZ", "UTC");
        for (name, value) in environment {
            command.env(name, value);
        }
        let child = pty.slave.spawn_command(command).unwrap();
        let seen =
            Arc::new(Mutex::new(Seen { parser: vt100::Parser::new(nonzero(24), nonzero(80), 0), bytes: Vec::new() }));
        let mut reader = pty.master.try_clone_reader().unwrap();
        let writer = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(n @ 1..) = reader.read(&mut buffer) {
                let mut seen = writer.lock().unwrap();
                seen.parser.process(&buffer[..n]);
                seen.bytes.extend_from_slice(&buffer[..n]);
            }
        });
        let keys = pty.master.take_writer().unwrap();
        Self { master: pty.master, child, keys, seen }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    fn screen(&self) -> String {
        self.seen.lock().unwrap().parser.screen().contents()
    }

    fn wait(&self, what: &str, is: impl Fn(&str) -> bool) {
        let start = Instant::now();
        while !is(&self.screen()) {
            assert!(start.elapsed() < PATIENCE, "{what} never came; the screen is:\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn sees(&self, what: &str) {
        self.wait(what, |screen| screen.contains(what));
    }

    fn resize(&self, cols: u16, rows: u16) {
        self.seen.lock().unwrap().parser.screen_mut().set_size(nonzero(rows), nonzero(cols));
        self.master.resize(size(cols, rows)).unwrap();
    }

    /// The program ends, and the terminal is as it was.
    fn ends(mut self, code: u32) {
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(start.elapsed() < PATIENCE, "it never ended; the screen is:\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(5));
        };
        assert_eq!(status.exit_code(), code);
        let given_back = || {
            let seen = self.seen.lock().unwrap();
            let screen = seen.parser.screen();
            !screen.alternate_screen()
                && !screen.bracketed_paste()
                && !screen.hide_cursor()
                && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
                && contains(&seen.bytes, b"\x1b[?1004l")
                && contains(&seen.bytes, b"\x1b[23;0t")
        };
        while !given_back() {
            assert!(start.elapsed() < PATIENCE, "the terminal was not given back");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn contains(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|w| w == what)
}

#[test]
fn a_message_goes_out_and_an_answer_comes() {
    let mut face = Face::start(&[]);
    face.sees("› Type a message");
    face.press("hello relay\r");
    face.sees("hello relay");
    face.sees("✓ seen 1");
    face.sees("you said: hello relay");
    face.press("offline\r");
    face.sees("relay gone, trying again in");
    face.press("online\r");
    face.sees("you are Alice");
    face.press("/quit\r");
    face.ends(0);
}

#[test]
fn a_paste_waits_for_enter() {
    let mut face = Face::start(&[]);
    face.sees("› Type a message");
    face.press("\x1b[200~one\r\ntwo\r\n\x1b[201~");
    face.sees("› one");
    face.press("three");
    face.sees("  three");
    assert!(!face.screen().contains("you said"));
    face.press("\r");
    face.sees("you said: one");
    face.press("\x04");
    face.ends(0);
}

#[test]
fn every_size_is_drawn() {
    let mut face = Face::start(&[]);
    face.sees("› Type a message");
    face.press("measure me\r");
    face.sees("you said: measure me");
    for (cols, rows) in [(20, 6), (200, 60), (5, 3), (1, 1), (40, 12), (80, 24)] {
        face.resize(cols, rows);
    }
    face.sees("you said: measure me");
    face.sees("workshop");
    face.press("\x03");
    face.sees("Press Ctrl-C again");
    face.press("\x03");
    face.ends(130);
}

#[test]
fn the_mouse_chooses_a_room() {
    let mut face = Face::start(&[]);
    face.sees("› Type a message");
    face.sees("kitchen");
    // A click on the third row, sixth column, as an xterm reports it.
    face.press("\x1b[<0;6;3M\x1b[<0;6;3m");
    face.wait("the kitchen's head", |s| s.lines().next().is_some_and(|l| l.contains("│ kitchen")));
    face.press("\x1b[1;3A");
    face.wait("the garden's head", |s| s.lines().next().is_some_and(|l| l.contains("│ garden")));
    face.press("/quit\r");
    face.ends(0);
}

#[test]
fn a_flood_of_messages_leaves_the_keys_alive() {
    let mut face = Face::start(&[]);
    face.sees("› Type a message");
    face.press("flood 50000\r");
    face.press("still here?");
    face.sees("› still here?");
    face.sees("drop 50000");
    face.press("\x15/quit\r");
    face.ends(0);
}

#[test]
fn a_peer_reaches_nothing_but_the_text() {
    let mut face = Face::start(&[]);
    face.sees("› Type a message");
    face.press("hostile\r");
    face.sees("␛[2J␛]0;owned␇");
    face.sees("you said: hostile");
    face.press("/quit\r");
    let seen = Arc::clone(&face.seen);
    face.ends(0);
    let seen = seen.lock().unwrap();
    for bad in [&b"\x1b]0;owned"[..], b"\x1b]52", "\u{202e}".as_bytes()] {
        assert!(!contains(&seen.bytes, bad), "{bad:?} reached the terminal");
    }
    assert!(contains(&seen.bytes, b"\x1b]0;(3) Estoile\x07"), "the title is ours alone");
}

#[test]
fn no_color_means_none() {
    let mut face = Face::start(&[("NO_COLOR", "1")]);
    face.sees("› Type a message");
    face.press("plain\r");
    face.sees("you said: plain");
    {
        let seen = face.seen.lock().unwrap();
        let screen = seen.parser.screen();
        for row in 0..24 {
            for column in 0..80 {
                let cell = screen.cell(row, column).unwrap();
                assert_eq!((cell.fgcolor(), cell.bgcolor()), (vt100::Color::Default, vt100::Color::Default));
            }
        }
    }
    face.press("/quit\r");
    face.ends(0);
}

#[test]
fn a_panic_gives_the_terminal_back() {
    let mut face = Face::start(&[]);
    face.sees("› Type a message");
    face.press("panic\r");
    let seen = Arc::clone(&face.seen);
    face.ends(1);
    assert!(seen.lock().unwrap().parser.screen().contents().contains("as was asked for"));
}

#[cfg(unix)]
#[test]
fn a_signal_gives_the_terminal_back() {
    let face = Face::start(&[]);
    face.sees("› Type a message");
    let id = i32::try_from(face.child.process_id().unwrap()).unwrap();
    let process = rustix::process::Pid::from_raw(id).unwrap();
    rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
    face.ends(0);
}
