//! `estoile fernet`: the seals' Fernet module at the shell. It reads, calls and prints; what a token is, it does not know.

use std::ffi::OsString;
use std::io::{IsTerminal as _, Read as _};
use std::time::{SystemTime, UNIX_EPOCH};

use estoile_seal::fernet::{Key, decrypt_at, encrypt_at};
use zeroize::Zeroizing;

use crate::args::{Fernet, FernetAction};
use crate::fail::{Failure, Outcome, say};
use crate::out;

/// What stdin may hold: more than any chat needs, less than a machine's memory.
const MAX_INPUT: u64 = 256 * 1024 * 1024;

pub(crate) fn run(args: Fernet) -> Outcome {
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    match args.action {
        FernetAction::Key => print_line(&Key::generate(&mut rng).to_base64()),
        FernetAction::Encrypt { key, now, text } => {
            let key = read_key(key.key)?;
            let text = given_or_stdin(text)?;
            print_line(&encrypt_at(&key, &text, now.unwrap_or_else(clock), &mut rng))
        }
        FernetAction::Decrypt { key, ttl, now, token } => {
            let key = read_key(key.key)?;
            let token = given_or_stdin(token)?;
            let text = decrypt_at(&key, &token, ttl, now.unwrap_or_else(clock)).map_err(Failure::new)?;
            print_text(&text)
        }
    }
}

fn clock() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn read_key(key: Option<OsString>) -> Result<Key, Failure> {
    let key = key.ok_or_else(|| {
        Failure::usage("no key was given; pass --key KEY or set ESTOILE_FERNET_KEY (estoile fernet key makes one)")
    })?;
    let key = Zeroizing::new(key.into_encoded_bytes());
    let text = core::str::from_utf8(&key).unwrap_or_default();
    Key::from_base64(text).map_err(Failure::usage)
}

/// The last argument's bytes, or all of stdin.
fn given_or_stdin(given: Option<OsString>) -> Result<Zeroizing<Vec<u8>>, Failure> {
    if let Some(given) = given {
        return Ok(Zeroizing::new(given.into_encoded_bytes()));
    }
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        say("reading from the terminal; end with Ctrl-D on a line of its own");
    }
    let mut bytes = Zeroizing::new(Vec::new());
    stdin
        .lock()
        .take(MAX_INPUT + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| Failure::new(format_args!("stdin can't be read ({e}); check what it is connected to")))?;
    if bytes.len() as u64 > MAX_INPUT {
        return Err(Failure::new("stdin holds more than 256 MiB, which is the limit; encrypt it in parts"));
    }
    Ok(bytes)
}

fn print_line(text: &str) -> Outcome {
    out::line(text).map(|_| ())
}

/// The text alone, byte for byte; a terminal's prompt gets a line of its own.
fn print_text(text: &[u8]) -> Outcome {
    let _ = out::bytes(text)?;
    if std::io::stdout().is_terminal() && text.last() != Some(&b'\n') {
        let _ = out::bytes(b"\n")?;
    }
    Ok(())
}
