//! The system's keyring, asked with patience that ends: a machine without one must not make a client wait.

use core::time::Duration;
use std::sync::mpsc::sync_channel;

use estoile_seal::vault_key::VaultKey;
use zeroize::Zeroizing;

/// What keyrings list our keys under.
const SERVICE: &str = "estoile";
/// A keyring may ask its user to unlock it; longer than this nobody is there.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whether it makes sense to ask at all: where keyrings live on the session's bus, there must be a bus.
pub(crate) fn reachable() -> bool {
    if cfg!(all(unix, not(target_os = "macos"))) {
        let bus = std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some_and(|a| !a.is_empty());
        let socket = std::env::var_os("XDG_RUNTIME_DIR").is_some_and(|d| std::path::Path::new(&d).join("bus").exists());
        return bus || socket;
    }
    cfg!(any(windows, target_os = "macos"))
}

/// The key kept under a number; an error says why there is none, as a clause.
pub(crate) fn load(id: [u8; 16]) -> Result<VaultKey, String> {
    let bytes = asked(move || entry(id)?.get_secret())?;
    let bytes = Zeroizing::new(bytes);
    let key: [u8; 32] = bytes.as_slice().try_into().map_err(|_| "what it keeps there is no key".to_owned())?;
    Ok(VaultKey::from_bytes(key))
}

/// Keeps a key under a number.
pub(crate) fn keep(id: [u8; 16], key: &VaultKey) -> Result<(), String> {
    let bytes = Zeroizing::new(*key.as_bytes());
    asked(move || entry(id)?.set_secret(bytes.as_slice()))
}

fn entry(id: [u8; 16]) -> keyring::Result<keyring::Entry> {
    let user = id.iter().fold(String::from("vault "), |text, b| format!("{text}{b:02x}"));
    keyring::Entry::new(SERVICE, &user)
}

/// Runs on a thread of its own, because a keyring answers when it likes.
fn asked<T: Send + 'static>(work: impl FnOnce() -> keyring::Result<T> + Send + 'static) -> Result<T, String> {
    if !reachable() {
        return Err("this session has none".into());
    }
    let (answer, answers) = sync_channel(1);
    std::thread::Builder::new()
        .name("keyring".into())
        .spawn(move || {
            // Nobody may listen any more; then the answer is for nobody.
            let _ = answer.send(work().map_err(|e| clause(&e)));
        })
        .map_err(|e| format!("it can't be asked ({e})"))?;
    answers.recv_timeout(PATIENCE).unwrap_or_else(|_| Err(format!("it did not answer within {} s", PATIENCE.as_secs())))
}

fn clause(error: &keyring::Error) -> String {
    match error {
        keyring::Error::NoEntry => "it has no such key any more".into(),
        keyring::Error::NoDefaultStore => "this session has none".into(),
        keyring::Error::NoStorageAccess(_) => "it is locked".into(),
        other => format!("it failed ({other})"),
    }
}
