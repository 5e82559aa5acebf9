//! The real program, started as a user would: real sockets, real folders, and no waiting but for lines that must come.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test file uses its part of this")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that is surprised fails")]

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Longer than anything takes on a loaded machine; reaching it is a failure.
pub const DEADLINE: Duration = Duration::from_secs(90);

/// The program with nothing of this machine's environment: no home, no keyring, no passphrase, no log.
pub fn estoile(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_estoile"));
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for name in ["ESTOILE_PASSPHRASE", "ESTOILE_ROOM_PASSPHRASE", "ESTOILE_LOG", "ESTOILE_FERNET_KEY"] {
        command.env_remove(name);
    }
    for name in ["DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "HOME", "XDG_DATA_HOME"] {
        command.env_remove(name);
    }
    command.env("HOME", "/nonexistent");
    command
}

/// What a finished run left.
#[derive(Debug)]
pub struct Done {
    pub code: Option<i32>,
    pub out: Vec<u8>,
    pub err: String,
}

impl Done {
    pub fn text(&self) -> &str {
        core::str::from_utf8(&self.out).unwrap()
    }

    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    /// Checks the exit code, that stdout is empty, and that the reason on stderr says all of these.
    #[track_caller]
    pub fn fails(self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        for word in words {
            assert!(self.err.contains(word), "{word:?} is not in {:?}", self.err);
        }
        assert_eq!(self.text(), "");
    }
}

/// Runs to the end.
pub fn run(args: &[&str]) -> Done {
    finish(estoile(args), b"")
}

/// Runs to the end with this stdin.
pub fn run_with(args: &[&str], input: &[u8]) -> Done {
    finish(estoile(args), input)
}

pub fn finish(mut command: Command, input: &[u8]) -> Done {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // A program that does not read its stdin may have closed it.
        let _ = stdin.write_all(&input);
    });
    let mut out = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        out.read_to_end(&mut bytes).unwrap();
        bytes
    });
    let mut errors = child.stderr.take().unwrap();
    let talk = std::thread::spawn(move || {
        let mut text = String::new();
        errors.read_to_string(&mut text).unwrap();
        text
    });
    let status = wait(&mut child);
    writer.join().unwrap();
    Done { code: status.code(), out: reader.join().unwrap(), err: talk.join().unwrap() }
}

fn wait(child: &mut Child) -> ExitStatus {
    let end = Instant::now() + DEADLINE;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if Instant::now() > end {
            child.kill().unwrap();
            panic!("it did not end within {DEADLINE:?}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A run that is talked with.
pub struct Running {
    child: Child,
    pub stdin: Option<ChildStdin>,
    out: Receiver<String>,
    err: Receiver<String>,
}

/// Starts, and reads both streams line by line.
pub fn start(args: &[&str]) -> Running {
    start_command(estoile(args))
}

pub fn start_command(mut command: Command) -> Running {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let out = lines(child.stdout.take().unwrap());
    // A test may have sent its stderr elsewhere.
    let err = child.stderr.take().map_or_else(|| sync_channel(0).1, lines);
    Running { stdin: child.stdin.take(), child, out, err }
}

fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = sync_channel(1_000_000);
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

impl Running {
    /// The next line of stdout.
    #[track_caller]
    pub fn line(&self) -> String {
        self.out.recv_timeout(DEADLINE).unwrap_or_else(|e| panic!("no line on stdout ({e}); stderr: {:?}", self.talk()))
    }

    /// The next line of stdout, if the stream has not ended.
    #[track_caller]
    pub fn line_or_end(&self) -> Option<String> {
        match self.out.recv_timeout(DEADLINE) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("neither a line nor the end of stdout; stderr: {:?}", self.talk()),
        }
    }

    /// Waits for a line of stderr with this in it.
    #[track_caller]
    pub fn says(&self, words: &str) -> String {
        let end = Instant::now() + DEADLINE;
        let mut seen = Vec::new();
        while let Ok(line) = self.err.recv_timeout(end.saturating_duration_since(Instant::now())) {
            if line.contains(words) {
                return line;
            }
            seen.push(line);
        }
        panic!("stderr never said {words:?}, but {seen:?}");
    }

    /// What stderr has said and nobody has read.
    pub fn talk(&self) -> Vec<String> {
        self.err.try_iter().collect()
    }

    pub fn type_line(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(line.as_bytes()).unwrap();
        stdin.write_all(b"\n").unwrap();
    }

    /// Asks it to end, as `kill` does.
    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn wait(&mut self) -> Option<i32> {
        drop(self.stdin.take());
        wait(&mut self.child).code()
    }

    pub fn wait_open(&mut self) -> Option<i32> {
        wait(&mut self.child).code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A relay in a folder of its own.
pub struct Relay {
    pub folder: TempDir,
    pub url: String,
    pub running: Running,
    args: Vec<String>,
}

impl Relay {
    pub fn start() -> Self {
        Self::with(&[])
    }

    pub fn with(args: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let args: Vec<_> = args.iter().map(|a| (*a).to_owned()).collect();
        let running = serve(folder.path(), "127.0.0.1:0", &args);
        let url = ready(&running);
        Self { folder, url, running, args }
    }

    /// Kills it and starts it again at its address.
    pub fn crash_and_return(&mut self) {
        self.crash();
        self.come_back();
    }

    pub fn crash(&mut self) {
        self.running.kill();
    }

    pub fn come_back(&mut self) {
        let address = self.url.split("://").nth(1).unwrap().to_owned();
        self.running = serve(self.folder.path(), &address, &self.args);
        assert_eq!(ready(&self.running), self.url);
    }

    /// A fresh room's link.
    pub fn room(&self, extra: &[&str]) -> String {
        let mut args = vec!["room", "new", "--relay", &self.url, "--name", "kitchen"];
        args.extend(extra);
        let done = run(&args).ok();
        let link = done.text().strip_suffix('\n').unwrap().to_owned();
        assert!(!link.contains('\n'), "{link:?}");
        link
    }
}

fn serve(folder: &Path, address: &str, extra: &[String]) -> Running {
    let mut args = vec!["serve", "--listen", address, "--data", folder.to_str().unwrap()];
    args.extend(extra.iter().map(String::as_str));
    start(&args)
}

fn ready(relay: &Running) -> String {
    let line = relay.line();
    line.strip_prefix("listening on ").unwrap_or_else(|| panic!("{line:?}")).to_owned()
}

/// A line of JSON.
#[track_caller]
pub fn json(line: &str) -> serde_json::Value {
    serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line:?}"))
}

/// A `tail` that follows from now: started, and ready when this returns.
pub fn follow(link: &str, extra: &[&str]) -> Running {
    let mut args = vec!["tail", link, "--json"];
    args.extend(extra);
    let tail = start(&args);
    tail.says("following");
    tail
}
