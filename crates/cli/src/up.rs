//! `estoile up`: a relay on this machine, a fresh room, its link, and a chat in it. The shortest way to a first message.

use core::time::Duration;
use std::io::IsTerminal as _;
use std::net::{IpAddr, SocketAddr};

use estoile_client::{Delivery, OpenOptions, open_link};
use estoile_relay::Relay;
use estoile_seal::link::{Link, LinkKind, RelayUrl};
use estoile_seal::quick::RoomSecret;

use crate::args::Up;
use crate::fail::{Failure, Outcome, say};
use crate::reach::{Reach, reach};
use crate::signals::Signals;
use crate::values::{Seconds, Shift};
use crate::{chat, names, out, places, qr, room, serve, unlock, web};

use std::path::PathBuf;

/// The relay runs in this very process: it answers at once, or not at all.
const OWN_RELAY: Seconds = Seconds(20);
/// How long the public address is tried before the chat goes by the local one.
const ROUND_TRIP: Duration = Duration::from_secs(2);

/// Whether there is somebody to chat with a keyboard.
pub(crate) fn interactive() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

pub(crate) async fn run(args: Up) -> Outcome {
    let mut signals = Signals::listen()?;
    let public = args.public.as_deref();
    let (relay_folder, vault_folder) = places::up(args.data.clone())?;
    let mut config = serve::config(args.listen, relay_folder, public, &args.tls, &args.bounds)?;
    config.metrics = args.metrics;
    config.site = web::bundle::site(args.web.as_deref())?;
    let has_client = config.site.is_some();
    let relay = Relay::start(config).map_err(Failure::new)?;
    let reach = reach(public, relay.address(), relay.is_secure())?;
    let link = fresh_room(&relay, &reach, &args).await?;
    let browsers = Browsers::of(has_client, relay.is_secure(), args.tls.cert.is_some());
    if !interactive() {
        let _ = out::line(&link.to_string())?;
        say(format_args!("The link reaches {}.", reach.whom));
        browsers.notes().iter().for_each(say);
        return serve::wait(relay, &mut signals).await;
    }
    show_link(&link, &reach, browsers)?;
    let outcome = converse(&link, &reach, &relay, vault_folder, args.own_name, browsers).await;
    relay.shutdown().await.map_err(Failure::new)?;
    outcome
}

/// Makes the room, by the relay's local address, and its link, by the address that others use.
async fn fresh_room(relay: &Relay, reach: &Reach, args: &Up) -> Result<Link, Failure> {
    let secret = RoomSecret::generate(&mut rand_core::UnwrapErr(getrandom::SysRng));
    let name = args.name.clone().unwrap_or_else(names::room);
    let local = local_url(relay, reach)?;
    let (handle, mut events) = unlock::client(None, Shift::default(), Delivery::Lossless).await?;
    let creation = room::creation(&local, &name, secret.clone(), false, args.ttl);
    room::create(&handle, &mut events, creation, OWN_RELAY).await?;
    handle.close().await;
    Ok(Link {
        tls: reach.tls,
        host: reach.host.clone(),
        port: reach.port,
        name,
        relay: relay.key_hash(),
        kind: LinkKind::Quick(secret),
    })
}

/// The relay as this process reaches it, with the entry code.
fn local_url(relay: &Relay, reach: &Reach) -> Result<RelayUrl, Failure> {
    let address = local(relay.address());
    let here = Reach { host: address.ip().to_string(), port: address.port(), tls: relay.is_secure(), whom: reach.whom };
    serve::for_creators(relay, &here)
}

/// Where a listener on all addresses is reached from here.
fn local(listening: SocketAddr) -> SocketAddr {
    let ip = match listening.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(std::net::Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listening.port())
}

/// What browsers make of the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Browsers {
    /// They show the room.
    Open,
    /// They warn first: the relay made its certificate itself.
    Warn,
    /// They find a page that names the program.
    Nothing,
}

impl Browsers {
    const fn of(has_client: bool, secure: bool, own_certificate: bool) -> Self {
        match (has_client, secure && !own_certificate) {
            (false, _) => Self::Nothing,
            (true, true) => Self::Warn,
            (true, false) => Self::Open,
        }
    }

    const fn notes(self) -> &'static [&'static str] {
        match self {
            Self::Open => &["A browser that opens the link is in the room."],
            Self::Warn => &[
                "A browser that opens the link is in the room, but warns first: this relay made its certificate itself. Nor can it start offline then.",
                "For browsers without a warning give a certificate of your own with --cert and --key, or let friends run: estoile web --relay 'LINK'",
            ],
            Self::Nothing => &[],
        }
    }
}

fn show_link(link: &Link, reach: &Reach, browsers: Browsers) -> Outcome {
    let text = link.to_string();
    if let Some(code) = qr::code(&text) {
        say(code);
    }
    let _ = out::line(&text)?;
    say(format_args!("This link reaches {}. Whoever has it can read and write in the room.", reach.whom));
    browsers.notes().iter().for_each(say);
    say("In a terminal a friend runs: estoile chat 'LINK'");
    Ok(())
}

async fn converse(
    link: &Link,
    reach: &Reach,
    relay: &Relay,
    vault: Option<PathBuf>,
    name: Option<String>,
    browsers: Browsers,
) -> Outcome {
    let (handle, events) = unlock::client(vault, Shift::default(), Delivery::Interactive).await?;
    let own_name = name.unwrap_or_else(names::person);
    let mut open = open_link(link, &own_name, None, OpenOptions::default())
        .ok_or_else(|| Failure::new("the room was not opened; try again"))?;
    if !reachable(&reach.host, reach.port).await {
        let address = local(relay.address());
        (open.relay.host, open.relay.port, open.relay.tls) =
            (address.ip().to_string(), address.port(), relay.is_secure());
    }
    let id = room::opened(&handle, open).await?;
    let mut options = chat::options(&handle, Some(id), Some(own_name), Shift::default());
    options.notes.push(format!("Give this link to your friends: {link}"));
    options.notes.push(format!("It reaches {}. The room's relay runs as long as this chat.", reach.whom));
    options.notes.extend(browsers.notes().iter().map(|note| (*note).to_owned()));
    chat::show(handle, events, options).await
}

/// Whether this machine gets to its own public address; not every router lets it.
async fn reachable(host: &str, port: u16) -> bool {
    let attempt = tokio::net::TcpStream::connect((host, port));
    tokio::time::timeout(ROUND_TRIP, attempt).await.is_ok_and(|stream| stream.is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_addresses_are_reached_by_loopback() {
        assert_eq!(local("0.0.0.0:7070".parse().unwrap()).to_string(), "127.0.0.1:7070");
        assert_eq!(local("[::]:7070".parse().unwrap()).to_string(), "[::1]:7070");
        assert_eq!(local("10.0.0.1:7070".parse().unwrap()).to_string(), "10.0.0.1:7070");
    }

    #[test]
    fn who_must_expect_a_warning_is_told_what_to_do_about_it() {
        assert_eq!(Browsers::of(true, false, false), Browsers::Open);
        assert_eq!(Browsers::of(true, true, true), Browsers::Open);
        assert_eq!(Browsers::of(false, true, false), Browsers::Nothing);
        let warned = Browsers::of(true, true, false).notes().join(" ");
        for word in ["warns first", "offline", "--cert", "--key", "estoile web"] {
            assert!(warned.contains(word), "{word}");
        }
    }
}
