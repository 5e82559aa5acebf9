//! `estoile account`, `contact` and `device`. Recovery words are never an argument: a process list would show them.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::values::{Seconds, Shift};

/// Where the vault is, how long to wait for the relay, and how to print.
#[derive(Clone, Debug, Args)]
pub(crate) struct Common {
    /// The folder of the vault; without it the platform's own for estoile
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Print one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
    /// How long to go on while the relay can't be reached; nobody waits for a person
    #[arg(long, value_name = "DUR", default_value = "60s")]
    pub(crate) wait: Seconds,
    /// Shift this process's clock, for example -45s or +2m
    #[arg(long, value_name = "SHIFT", allow_hyphen_values = true, default_value = "0s", hide_default_value = true)]
    pub(crate) clock: Shift,
}

/// Your account: who you are in private rooms. No server knows that it exists.
#[derive(Debug, Args)]
pub(crate) struct Account {
    #[command(subcommand)]
    pub(crate) action: AccountAction,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum AccountAction {
    /// Make an account and print its 24 recovery words, once
    New(NewAccount),
    /// Show the account and its devices
    Show(Common),
    /// Take an account up again with its recovery words, which are asked for, or read from stdin; lost devices are removed
    Restore(Restore),
}

/// Make an account.
#[derive(Debug, Args)]
pub(crate) struct NewAccount {
    /// The name that your contacts see
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) name: String,
    /// The relay that keeps your mailbox: http://127.0.0.1:7070, or https://HOST:PORT/#e/CODE/RELAY
    #[arg(long, value_name = "URL")]
    pub(crate) relay: String,
    /// What this device is called
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    pub(crate) device: String,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Take an account up again.
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The relay that keeps your mailbox
    #[arg(long, value_name = "URL")]
    pub(crate) relay: String,
    /// What this device is called
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    pub(crate) device: String,
    /// Leave your other devices in; without it they are removed as lost
    #[arg(long)]
    pub(crate) keep_devices: bool,
    /// Where the relay has lost the account: go on under this name with the same words; contacts must be asked again
    #[arg(long, value_name = "NAME")]
    pub(crate) anew: Option<String>,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// People you know, by their contact links.
#[derive(Debug, Args)]
pub(crate) struct Contact {
    #[command(subcommand)]
    pub(crate) action: ContactAction,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum ContactAction {
    /// Print your contact link, alone
    Link(ContactLink),
    /// Use somebody's contact link: they are asked
    Add(AddContact),
    /// List your contacts
    List(Common),
    /// List those who wait for your yes
    Requests(Common),
    /// Say yes to a request, or go on with a contact that was stopped
    Accept(OneContact),
    /// Take a contact or a request away
    Forget(OneContact),
    /// Compare, so that nobody stands between you
    Verify(Verify),
}

/// Print your contact link.
#[derive(Debug, Args)]
pub(crate) struct ContactLink {
    /// Make a new one; the old one is dead from then on, and your contacts don't notice
    #[arg(long)]
    pub(crate) new: bool,
    /// Show it as a QR code on stderr too
    #[arg(long)]
    pub(crate) qr: bool,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Use somebody's contact link.
#[derive(Debug, Args)]
pub(crate) struct AddContact {
    /// Their contact link
    #[arg(value_name = "LINK")]
    pub(crate) link: String,
    /// A word to them, which they see with the request
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(crate) text: String,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// One contact.
#[derive(Debug, Args)]
pub(crate) struct OneContact {
    /// The contact: name, number in the list, or a beginning of the account's id
    #[arg(value_name = "CONTACT")]
    pub(crate) contact: String,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Compare with a contact. Without a flag: print what to compare.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The contact: name, number in the list, or a beginning of the account's id
    #[arg(value_name = "CONTACT")]
    pub(crate) contact: String,
    /// Ask for the words or the number that the other reads out (in scripts: a line of stdin), and compare
    #[arg(long, conflicts_with = "image")]
    pub(crate) words: bool,
    /// Read the other's QR code from a picture or screenshot (PNG)
    #[arg(long, value_name = "FILE.png")]
    pub(crate) image: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Your devices.
#[derive(Debug, Args)]
pub(crate) struct Device {
    #[command(subcommand)]
    pub(crate) action: DeviceAction,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum DeviceAction {
    /// List your devices
    List(Common),
    /// Print a link for a new device, good once and for ten minutes, and wait for it; both show the same words, and you say yes
    Link(LinkDevice),
    /// Make this a device of your account, with the link that the old one shows
    Join(JoinDevice),
    /// Remove a device: it is out of every room. Asks for the recovery words (in scripts: a line of stdin) for another one
    Remove(RemoveDevice),
}

/// Link a new device.
#[derive(Debug, Args)]
pub(crate) struct LinkDevice {
    /// Say yes without asking, in scripts that compare the words by themselves
    #[arg(long)]
    pub(crate) yes: bool,
    /// Bring along the messages of the private rooms that are kept here: the newest, at most 1,000 a room and 4 MiB in all
    #[arg(long)]
    pub(crate) history: bool,
    /// Show the link as a QR code on stderr too
    #[arg(long)]
    pub(crate) qr: bool,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Become a device.
#[derive(Debug, Args)]
pub(crate) struct JoinDevice {
    /// The link that the old device shows
    #[arg(value_name = "LINK")]
    pub(crate) link: String,
    /// What this device is called
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    pub(crate) device: String,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Remove a device.
#[derive(Debug, Args)]
pub(crate) struct RemoveDevice {
    /// The device: its name, or a beginning of its id
    #[arg(value_name = "DEVICE")]
    pub(crate) device: String,
    #[command(flatten)]
    pub(crate) common: Common,
}
