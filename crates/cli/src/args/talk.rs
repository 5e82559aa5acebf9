//! `estoile chat`, `send` and `tail`. Links stay text here, so that no complaint about one ever repeats it.

use std::path::PathBuf;

use clap::Args;

use crate::values::{Seconds, Shift, Ttl};

/// Chat in a terminal.
#[derive(Debug, Args)]
pub(crate) struct Chat {
    /// The room's link; without it the rooms of the vault
    #[arg(value_name = "LINK")]
    pub(crate) link: Option<String>,
    /// The name to use; without it a made-up one
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// The folder of the vault; without it the platform's own for estoile
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Shift this process's clock, for example -45s or +2m
    #[arg(long, value_name = "SHIFT", allow_hyphen_values = true, default_value = "0s", hide_default_value = true)]
    pub(crate) clock: Shift,
}

/// Send messages.
#[derive(Debug, Args)]
pub(crate) struct Send {
    /// The room: a link, or the name or number of a room of the vault
    #[arg(value_name = "ROOM")]
    pub(crate) room: String,
    /// The message (after -- if it begins with a hyphen); without it one message a line from stdin, each sent when it is
    /// read; empty lines are passed over
    #[arg(value_name = "TEXT")]
    pub(crate) text: Option<String>,
    /// The name to use; without it a made-up one
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// How long the messages live: 30s, 10m, 2h, 7d or none; without it as long as the room's owner chose
    #[arg(long, value_name = "DUR")]
    pub(crate) ttl: Option<Ttl>,
    /// Print {"id","cursor","state"} a message, once, when it is kept or has failed
    #[arg(long)]
    pub(crate) json: bool,
    /// How long to go on while the relay can't be reached
    #[arg(long, value_name = "DUR", default_value = "60s")]
    pub(crate) wait: Seconds,
    /// Keep a vault in this folder; without it a link's room is kept nowhere, and a named one is the platform's vault's
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Shift this process's clock, for example -45s or +2m
    #[arg(long, value_name = "SHIFT", allow_hyphen_values = true, default_value = "0s", hide_default_value = true)]
    pub(crate) clock: Shift,
}

/// Follow a room.
#[derive(Debug, Args)]
pub(crate) struct Tail {
    /// The room: a link, or the name or number of a room of the vault
    #[arg(value_name = "ROOM")]
    pub(crate) room: String,
    /// The name to use; without it a made-up one
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Print one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
    /// From the start of what lives, else from now
    #[arg(long)]
    pub(crate) all: bool,
    /// End after so many messages (notices do not count)
    #[arg(long, value_name = "N")]
    pub(crate) count: Option<u64>,
    /// End after so long
    #[arg(long = "for", value_name = "DUR")]
    pub(crate) time: Option<Seconds>,
    /// How long to go on while the relay can't be reached
    #[arg(long, value_name = "DUR", default_value = "60s")]
    pub(crate) wait: Seconds,
    /// Keep a vault in this folder; without it a link's room is kept nowhere (and sends no beats), and a named one is the
    /// platform's vault's
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Shift this process's clock, for example -45s or +2m
    #[arg(long, value_name = "SHIFT", allow_hyphen_values = true, default_value = "0s", hide_default_value = true)]
    pub(crate) clock: Shift,
}
