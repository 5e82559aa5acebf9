//! `estoile chat` in real terminals: two people over one relay, and the relay gone and back.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test: what is missing must stop it")]

mod common;

use std::io::{Read, Write};
use std::num::NonZero;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::{DEADLINE, Relay};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use tempfile::TempDir;

/// A person at a terminal of their own.
struct Person {
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    screen: Arc<Mutex<vt100::Parser>>,
    _master: Box<dyn MasterPty + Send>,
    _data: TempDir,
}

impl Person {
    fn sits_down(name: &str, link: &str) -> Self {
        let data = tempfile::tempdir().unwrap();
        let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
        let pty = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_estoile"));
        command.args(["chat", link, "--as", name, "--data"]);
        command.arg(data.path());
        command.cwd(data.path());
        command.env_clear();
        for (variable, value) in [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("HOME", "/nonexistent")] {
            command.env(variable, value);
        }
        command.env("ESTOILE_PASSPHRASE", "a passphrase for this vault alone");
        let child = pty.slave.spawn_command(command).unwrap();
        let (rows, cols) = (NonZero::new(24).unwrap(), NonZero::new(80).unwrap());
        let screen = Arc::new(Mutex::new(vt100::Parser::new(rows, cols, 0)));
        let mut reader = pty.master.try_clone_reader().unwrap();
        let shown = Arc::clone(&screen);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(n @ 1..) = reader.read(&mut buffer) {
                shown.lock().unwrap().process(&buffer[..n]);
            }
        });
        let keys = pty.master.take_writer().unwrap();
        Self { child, keys, screen, _master: pty.master, _data: data }
    }

    fn types(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    fn screen(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    #[track_caller]
    fn sees(&self, what: &str) {
        let start = Instant::now();
        while !self.screen().contains(what) {
            assert!(start.elapsed() < DEADLINE, "{what:?} never came; the screen is:\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[track_caller]
    fn leaves(mut self) {
        self.types("/quit\r");
        let start = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(start.elapsed() < DEADLINE, "chat did not end");
            std::thread::sleep(Duration::from_millis(5));
        }
        let screen = self.screen.lock().unwrap();
        assert!(!screen.screen().alternate_screen() && !screen.screen().hide_cursor(), "the terminal is given back");
    }
}

#[test]
fn two_people_talk_and_a_lost_relay_shows_when_it_is_tried_again() {
    let mut relay = Relay::start();
    let link = relay.room(&[]);
    let mut alice = Person::sits_down("Alice", &link);
    alice.sees("you are Alice");
    let mut bob = Person::sits_down("Bob", &link);
    bob.sees("you are Bob");

    alice.types("hello Bob\r");
    alice.sees("✓ ");
    bob.sees("hello Bob");
    bob.types("hello Alice\r");
    alice.sees("hello Alice");
    bob.sees("✓ ");

    relay.crash();
    alice.sees("relay gone, trying again");
    alice.types("are you still there?\r");
    alice.sees("sending");
    relay.come_back();
    alice.types("\x12");
    bob.sees("are you still there?");
    alice.leaves();
    bob.leaves();
}
