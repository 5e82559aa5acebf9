//! Where things lie when nobody says: the platform's folder for program data.

use std::path::PathBuf;

use etcetera::{AppStrategy as _, AppStrategyArgs, choose_app_strategy};

use crate::fail::Failure;

/// The folder of the vault inside the data folder.
const VAULT: &str = "vault";
/// The folder of the relay inside the data folder.
const RELAY: &str = "relay";

/// The platform's data folder for this program.
fn platform() -> Result<PathBuf, Failure> {
    let args = AppStrategyArgs {
        top_level_domain: "org".to_owned(),
        author: "estoile".to_owned(),
        app_name: "estoile".to_owned(),
    };
    choose_app_strategy(args)
        .map(|strategy| strategy.data_dir())
        .map_err(|_| Failure::new("this account has no home folder to keep data in; choose a folder with --data"))
}

/// The folder of `chat`'s vault.
pub(crate) fn vault(given: Option<PathBuf>) -> Result<PathBuf, Failure> {
    given.map_or_else(|| platform().map(|p| p.join(VAULT)), Ok)
}

/// The folder of `serve`'s relay.
pub(crate) fn relay(given: Option<PathBuf>) -> Result<PathBuf, Failure> {
    given.map_or_else(|| platform().map(|p| p.join(RELAY)), Ok)
}

/// The folders of `up`: the relay's, and the vault's if one was asked for.
pub(crate) fn up(given: Option<PathBuf>) -> Result<(PathBuf, Option<PathBuf>), Failure> {
    match given {
        Some(folder) => Ok((folder.join(RELAY), Some(folder.join(VAULT)))),
        None => Ok((relay(None)?, None)),
    }
}
