//! The second client as a program that is told what to do and asked what it saw, line by line.
#![allow(unreachable_pub, missing_docs, reason = "one test file's helpers")]

use std::cell::RefCell;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::common::{Running, json, start_command};

/// A script of the second client in a Python that can run it.
pub fn python(script: &str) -> Command {
    let python = std::env::var("ESTOILE_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let probe = "import cryptography.hazmat.primitives.kdf.argon2";
    let importable = Command::new(&python).args(["-c", probe]).output();
    assert!(
        importable.is_ok_and(|out| out.status.success()),
        "this test needs a Python that can import `cryptography` 48, and {python} can't; run `cargo xtask test`, which installs one"
    );
    let mut command = Command::new(python);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peer").join(script));
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONIOENCODING", "utf-8");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub fn page(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name)
}

/// A participant that is the second client.
pub struct Peer {
    pub running: Running,
    /// What happened while an answer was awaited.
    before: RefCell<VecDeque<Value>>,
    pub key: String,
}

impl Peer {
    pub fn start() -> Self {
        Self { running: start_command(python("client.py")), before: RefCell::default(), key: String::new() }
    }

    pub fn join(link: &str, name: &str) -> Self {
        let mut peer = Self::start();
        let opened = peer.ask(&json!({"do": "open", "link": link, "name": name}));
        peer.key = opened["key"].as_str().unwrap_or_else(|| panic!("{opened}")).to_owned();
        peer
    }

    #[track_caller]
    pub fn ask(&mut self, order: &Value) -> Value {
        self.running.type_line(&order.to_string());
        loop {
            let line = json(&self.running.line());
            if line["type"] == "answer" {
                return line;
            }
            self.before.borrow_mut().push_back(line);
        }
    }

    /// What happens next, which must be of this type.
    #[track_caller]
    pub fn next(&self, kind: &str) -> Value {
        let stored = self.before.borrow_mut().pop_front();
        let event = stored.unwrap_or_else(|| json(&self.running.line()));
        assert_eq!(event["type"], kind, "{event}");
        event
    }

    /// What happens next but signals, which come when they will.
    #[track_caller]
    pub fn next_but_signals(&self, kind: &str) -> Value {
        loop {
            let stored = self.before.borrow_mut().pop_front();
            let event = stored.unwrap_or_else(|| json(&self.running.line()));
            if event["type"] != "signal" {
                assert_eq!(event["type"], kind, "{event}");
                return event;
            }
        }
    }

    #[track_caller]
    pub fn send(&mut self, text: &str) -> Value {
        let kept = self.ask(&json!({"do": "send", "text": text}));
        assert!(kept["cursor"].is_u64(), "{kept}");
        kept
    }

    /// Nothing is left that nobody asked about.
    #[track_caller]
    pub fn is_quiet(&mut self) {
        self.ask(&json!({"do": "state"}));
        assert_eq!(*self.before.borrow(), VecDeque::<Value>::new());
    }
}
