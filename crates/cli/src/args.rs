//! The command line, as `--help`, the man page and the completions show it. It holds values, and does nothing.

mod account;
mod fernet;
mod lab;
mod relay;
mod room;
mod talk;
mod web;

use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

pub(crate) use account::{
    Account, AccountAction, AddContact, Common, Contact, ContactAction, ContactLink, Device, DeviceAction, JoinDevice,
    LinkDevice, NewAccount, OneContact, RemoveDevice, Restore, Verify,
};
pub(crate) use fernet::{Fernet, FernetAction};
pub(crate) use lab::{Lab, LabAction, LabCommon};
pub(crate) use relay::{Bounds, Serve, TlsArgs, Up};
pub(crate) use room::{NewRoom, RoleWord, Room, RoomAction};
pub(crate) use talk::{Chat, Send, Tail};
pub(crate) use web::{VerifySite, Web};

/// What `--help` ends with.
const AFTER_HELP: &str = "\
Exit codes:
  0    done (send: the relay keeps every message; serve, up: ended by SIGTERM)
  1    not done; the reason and what to do stand on stderr
  2    the command line can't be understood
  130  ended by Ctrl-C

Environment:
  ESTOILE_PASSPHRASE       unlocks the vault in the data folder
  ESTOILE_ROOM_PASSPHRASE  opens a passphrase room (links with #p/)
  ESTOILE_LOG              what the log on stderr tells: error, warn, info, debug, trace, or target=level,…
  NO_COLOR                 no colours

Data goes to stdout, talk to stderr. A link is the key of its room: give it only to those who may read it.";

/// Chat through a relay that can read nothing.
#[derive(Debug, Parser)]
#[command(name = "estoile", version, about, after_help = AFTER_HELP, max_term_width = 110)]
pub(crate) struct Args {
    /// How the log on stderr is written; ESTOILE_LOG sets how much
    #[arg(long, global = true, value_name = "FORMAT", default_value = "human", hide_default_value = true)]
    pub(crate) log: LogFormat,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    Human,
    /// One JSON object a line
    Json,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start here: a relay on this machine, a fresh room, its link and QR code, and a chat in it
    Up(Box<Up>),
    /// Run the relay alone
    Serve(Box<Serve>),
    /// Serve the browser client from this machine
    Web(Web),
    /// Check that a relay serves browsers the client that this program carries
    Verify(VerifySite),
    /// Your account: make it, show it, take it up again
    Account(Account),
    /// Your contacts: your link, theirs, requests, verification
    Contact(Contact),
    /// Your devices: link, list, remove
    Device(Device),
    /// Make and keep rooms, quick and private
    Room(Box<Room>),
    /// Chat in a terminal
    Chat(Chat),
    /// Send messages, from the command line or from stdin
    Send(Send),
    /// Follow a room, for people, scripts and bots
    Tail(Tail),
    /// Encrypt and decrypt Fernet tokens, as Python's cryptography does
    Fernet(Fernet),
    /// Let a hostile relay try everything that has ever worked against a messenger
    Lab(Lab),
    /// Print the completions of a shell
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Print the man page (troff), or write one page a command into a folder
    Man {
        /// Write estoile.1, estoile-send.1, … here instead
        #[arg(value_name = "FOLDER")]
        folder: Option<std::path::PathBuf>,
    },
}
