//! `estoile account`: make it, show it, take it up again.

use std::io::BufRead as _;

use estoile_engine::{AccountCommand, AccountView, Answer, RelayAddress};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::args::{Account, AccountAction, Common, NewAccount, Restore};
use crate::fail::{Failure, Outcome, say};
use crate::link::parse_relay;
use crate::plain::line;
use crate::session::Session;
use crate::unlock::{question, terminal};

/// The most that is read of stdin for words: 24 of at most 8 letters with numbers before them are far less.
const MAX_WORDS: u64 = 4096;

/// The account with `--json`.
#[derive(Serialize)]
struct Shown<'a> {
    account: &'a str,
    name: &'a str,
    host: &'a str,
    stopped: Option<&'a str>,
    devices: Vec<ShownDevice<'a>>,
}

/// A device with `--json`.
#[derive(Serialize)]
pub(crate) struct ShownDevice<'a> {
    device: &'a str,
    name: &'a str,
    own: bool,
    added_at: u64,
    removed: bool,
}

pub(crate) async fn run(args: Account) -> Outcome {
    match args.action {
        AccountAction::New(args) => new(args).await,
        AccountAction::Show(common) => show(common).await,
        AccountAction::Restore(args) => restore(args).await,
    }
}

async fn new(args: NewAccount) -> Outcome {
    #[derive(Serialize)]
    struct Made<'a> {
        account: &'a str,
        words: &'a str,
    }
    let (relay, entry) = address(&args.relay)?;
    let mut session = Session::open(&args.common).await?;
    let command = AccountCommand::New { name: args.name, device: args.device, relay, entry };
    let Answer::Words(words) = session.account(command).await? else {
        return Err(Failure::new("the account was not made; try again"));
    };
    let own = session.own().await?;
    say(
        "These are the recovery words of your account. Write them down now: they are shown this once and kept nowhere.",
    );
    session.print(&Made { account: &own.id, words: &words }, &words)?;
    session.end(Ok(())).await
}

async fn show(common: Common) -> Outcome {
    let session = Session::begin(&common).await?;
    let own = session.own().await?;
    let shown = Shown {
        account: &own.id,
        name: &own.name,
        host: &own.host,
        stopped: own.stopped.as_deref(),
        devices: devices(&own),
    };
    let mut text = format!("{}\naccount {}\nmailbox at {}", line(&own.name), own.id, own.host);
    if let Some(why) = &own.stopped {
        text.push_str(&format!("\nstopped: {}", line(why)));
    }
    for device in human_devices(&own) {
        text.push('\n');
        text.push_str(&device);
    }
    session.print(&shown, &text)?;
    session.end(Ok(())).await
}

async fn restore(args: Restore) -> Outcome {
    let (relay, entry) = address(&args.relay)?;
    let words = words("The 24 recovery words of your account: ")?;
    let mut session = Session::open(&args.common).await?;
    let (device, keep_devices, anew) = (args.device, args.keep_devices, args.anew);
    let command = AccountCommand::Restore { words, device, relay, entry, keep_devices, anew };
    session.account(command).await?;
    say("The account is yours again. Rooms let you in as soon as somebody there who may is online.");
    session.end(Ok(())).await?;
    Ok(())
}

/// A relay's address and entry code, as commands want them.
pub(crate) fn address(url: &str) -> Result<(RelayAddress, Option<Vec<u8>>), Failure> {
    let relay = parse_relay(url)?;
    let address = RelayAddress { host: relay.host.clone(), port: relay.port, tls: relay.tls, pin: relay.pin };
    Ok((address, relay.entry))
}

/// Words from the terminal, unseen, or from stdin.
pub(crate) fn words(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    let missing = "no words were given; type them in the terminal, or pass them on stdin";
    if std::io::IsTerminal::is_terminal(&std::io::stdin()) && terminal() {
        return question(prompt).ok_or_else(|| Failure::new(missing));
    }
    let words = stdin_line()?;
    if words.trim().is_empty() { Err(Failure::new(missing)) } else { Ok(words) }
}

/// The text of stdin, as one line: words may stand one a line.
fn stdin_line() -> Result<Zeroizing<String>, Failure> {
    let mut text = Zeroizing::new(String::new());
    let mut input = std::io::Read::take(std::io::stdin().lock(), MAX_WORDS);
    loop {
        let mut line = Zeroizing::new(String::new());
        let read = input.read_line(&mut line).map_err(|e| Failure::new(format_args!("stdin can't be read: {e}")))?;
        if read == 0 {
            return Ok(text);
        }
        text.push_str(line.trim());
        text.push(' ');
    }
}

/// The devices with `--json`.
pub(crate) fn devices(own: &AccountView) -> Vec<ShownDevice<'_>> {
    let shown = |d: &'_ estoile_engine::DeviceView| (d.own, d.added_at, d.removed);
    own.devices
        .iter()
        .map(|d| {
            let (own, added_at, removed) = shown(d);
            ShownDevice { device: &d.id, name: &d.name, own, added_at, removed }
        })
        .collect()
}

/// The devices for people, a line each.
pub(crate) fn human_devices(own: &AccountView) -> Vec<String> {
    own.devices
        .iter()
        .map(|d| {
            let name = if d.name.is_empty() { "device".to_owned() } else { line(&d.name) };
            let mark = match (d.own, d.removed) {
                (true, _) => ", this one",
                (false, true) => ", removed",
                (false, false) => "",
            };
            format!("{name} {:.16}{mark}", d.id)
        })
        .collect()
}
