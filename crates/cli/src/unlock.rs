//! Opening a client from the command line: passphrases from the environment or the terminal, and what must be said.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use estoile_client::{Ask, Client, ClientConfig, Delivery, Events, Handle, Unlock, VaultPlace};
use zeroize::Zeroizing;

use crate::fail::{Failure, say};
use crate::values::Shift;

/// Opens the vault.
const VAULT_VARIABLE: &str = "ESTOILE_PASSPHRASE";

/// Opens a client, and says where its vault is if the user must know.
pub(crate) async fn client(
    data: Option<PathBuf>,
    clock: Shift,
    delivery: Delivery,
) -> Result<(Handle, Events), Failure> {
    let passphrase = variable(VAULT_VARIABLE);
    let unlock = Unlock { passphrase, keyring: true, ask: terminal().then(|| Box::new(ask) as _) };
    let config = ClientConfig { data, unlock, clock_offset_ms: clock.0, delivery };
    let (handle, events) = Client::open(config).await.map_err(Failure::new)?;
    if let VaultPlace::MemoryForWantOfKey { why, .. } = handle.vault() {
        say(format_args!("nothing is kept on this machine: {why}"));
    }
    Ok((handle, events))
}

/// A secret from the environment; an empty one counts as none.
pub(crate) fn variable(name: &str) -> Option<Zeroizing<String>> {
    std::env::var(name).ok().map(Zeroizing::new).filter(|text| !text.is_empty())
}

/// Whether there is somebody to ask: a terminal of this process, seen by at least one of its streams. A script with all
/// of them redirected is never made to wait for an answer.
pub(crate) fn terminal() -> bool {
    let seen = std::io::stdin().is_terminal() || std::io::stderr().is_terminal();
    seen && (!cfg!(unix) || std::fs::File::options().read(true).write(true).open("/dev/tty").is_ok())
}

/// Asks on the terminal without showing what is typed.
pub(crate) fn question(prompt: &str) -> Option<Zeroizing<String>> {
    rpassword::prompt_password(prompt).ok().map(Zeroizing::new).filter(|text| !text.is_empty())
}

fn ask(what: Ask) -> Option<Zeroizing<String>> {
    match what {
        Ask::Existing => question("Passphrase of your vault: "),
        Ask::Again => question("That was not it. Passphrase of your vault: "),
        Ask::New => loop {
            let first = question("A passphrase for your new vault (nothing: keep nothing on this machine): ")?;
            if question("Once more: ").is_some_and(|second| second == first) {
                return Some(first);
            }
            say("These were not the same.");
        },
    }
}
