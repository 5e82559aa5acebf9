//! Which relays this client may speak to, what links lead there, and what the page is told of all others.
//!
//! A page may speak to the relay that it came from (its content security policy says so), and to those that whoever serves
//! it names. What leads elsewhere is refused before anything is sent: nobody should wait for what can't come.

use estoile_engine::{AccountCommand, Command, PrivateCommand, RelayAddress, RoomView};
use estoile_port::{LinkKind as Kind, LinkView};
use estoile_seal::link::{AnyLink, Link, LinkKind, RelayUrl};
use estoile_wire::{RelayKeyHash, SESSION_PATH};

use crate::blob;

/// Why something on another relay does not go on here, and where it does.
pub(crate) const ELSEWHERE: &str =
    "this page may speak to its own relay alone, and this is on another; open it in `estoile web` or in the terminal";

/// The relays that may be spoken to.
#[derive(Clone, Debug)]
pub(crate) struct Relays {
    /// Where the page came from: the only place that it can connect to.
    origin: RelayUrl,
    /// Those that are reached through the program that serves the page (`estoile web`); it checks who they are.
    others: Vec<RelayUrl>,
}

impl Relays {
    /// The page's origin, and what other relays it names.
    pub(crate) fn new(origin: &str, others: &[String]) -> Result<Self, String> {
        let read = |text: &str| text.parse::<RelayUrl>().map_err(|e| format!("the page was loaded from {text:?}: {e}"));
        let origin = read(origin)?;
        let others = others.iter().map(|other| read(other)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { origin, others })
    }

    /// Where rooms are made, and where a fragment alone belongs.
    pub(crate) fn own(&self) -> &RelayUrl {
        self.others.first().unwrap_or(&self.origin)
    }

    /// Whether a relay may be spoken to.
    pub(crate) fn allow(&self, address: &RelayAddress) -> bool {
        self.reach(address).is_some()
    }

    /// What stands before a relay's paths, as this page reaches it.
    fn reach(&self, address: &RelayAddress) -> Option<String> {
        if self::address(&self.origin).same_place(address) {
            return Some(self.origin.origin());
        }
        let other = self.others.iter().find(|url| self::address(url).same_place(address))?;
        Some(format!("{}/relay/{}", self.origin.origin(), other.host_port()))
    }

    /// Where sessions of a relay are opened; none if it may not be spoken to.
    pub(crate) fn session(&self, address: &RelayAddress) -> Option<String> {
        // http becomes ws, and https wss.
        self.reach(address)?.strip_prefix("http").map(|rest| format!("ws{rest}{SESSION_PATH}"))
    }

    /// Where a blob of a relay is; none if it may not be spoken to.
    pub(crate) fn blob(&self, address: &RelayAddress, hash: &[u8; 32]) -> Option<String> {
        Some(format!("{}{}", self.reach(address)?, blob::path(hash)))
    }

    fn allow_url(&self, url: &RelayUrl) -> bool {
        self.allow(&address(url))
    }

    /// Reads a link; a fragment alone counts for the own relay.
    pub(crate) fn read(&self, text: &str) -> Result<AnyLink, String> {
        let text = text.trim();
        let whole = match text.strip_prefix('#') {
            Some(fragment) => format!("{}/#{fragment}", self.own().origin()),
            None => text.to_owned(),
        };
        whole.parse().map_err(|e: estoile_seal::link::LinkError| e.to_string())
    }

    /// What a link is, for the page.
    pub(crate) fn view(&self, text: &str, rooms: &[RoomView]) -> Result<LinkView, String> {
        let link = self.read(text)?;
        let relay = url_of(&link);
        let (kind, name) = match &link {
            AnyLink::Room(room) if room.kind == LinkKind::Passphrase => (Kind::Passphrase, room.name.clone()),
            AnyLink::Room(room) => (Kind::Quick, room.name.clone()),
            AnyLink::Relay(_) => (Kind::Relay, String::new()),
            AnyLink::Contact(_) => (Kind::Contact, String::new()),
            AnyLink::PrivateRoom(room) => (Kind::PrivateRoom, room.name.clone()),
            AnyLink::Device(_) => (Kind::Device, String::new()),
        };
        let room = match &link {
            AnyLink::Room(link) => open_already(link, rooms),
            _ => None,
        };
        Ok(LinkView { kind, name, host: shown_host(&relay), here: self.allow_url(&relay), room })
    }

    /// A quick room's link that may be opened here.
    pub(crate) fn room(&self, text: &str) -> Result<Link, String> {
        match self.read(text)? {
            AnyLink::Room(link) if self.allow_url(&link.relay_url()) => Ok(link),
            AnyLink::Room(_) => Err(ELSEWHERE.into()),
            _ => Err("this link opens no quick room; look at what it is first".into()),
        }
    }

    /// The code that lets rooms be made on the own relay, from the code itself or from the whole link that has it; and the
    /// pin that such a link carries.
    pub(crate) fn entry(&self, text: &str) -> Result<(Option<Vec<u8>>, Option<RelayKeyHash>), String> {
        let text = text.trim();
        if text.is_empty() {
            return Ok((None, None));
        }
        let whole = if text.contains('#') { text.to_owned() } else { format!("#e/{text}") };
        match self.read(&whole)? {
            AnyLink::Relay(url) if address(&url).same_place(&address(self.own())) => Ok((url.entry, url.pin)),
            AnyLink::Relay(_) => Err(ELSEWHERE.into()),
            _ => Err("this link has no entry code; ask whoever runs the relay for one".into()),
        }
    }

    /// The pin of a relay that rooms here know already, so that all of them share one connection.
    pub(crate) fn pin(&self, relay: &RelayUrl, rooms: &[RoomView]) -> Option<RelayKeyHash> {
        relay.pin.or_else(|| {
            rooms
                .iter()
                .filter_map(|room| room.link.parse::<AnyLink>().ok())
                .map(|link| url_of(&link))
                .find_map(|known| known.pin.filter(|_| address(&known).same_place(&address(relay))))
        })
    }

    /// Completes what the page could not know of a command, and refuses what leads to a relay that can't be reached from here.
    pub(crate) fn judge(&self, command: &mut Command, rooms: &[RoomView]) -> Result<(), String> {
        match command {
            Command::Open(open) => self.judge_address(&mut open.relay, rooms),
            Command::Account(AccountCommand::New { relay, .. } | AccountCommand::Restore { relay, .. }) => {
                self.judge_address(relay, rooms)
            }
            Command::Account(AccountCommand::AddContact { link, .. } | AccountCommand::JoinDevice { link, .. })
            | Command::Private(PrivateCommand::Knock { link }) => {
                let read = self.read(link)?;
                if !self.allow_url(&url_of(&read)) {
                    return Err(ELSEWHERE.into());
                }
                if link.trim().starts_with('#') {
                    *link = format!("{}/{}", self.own().origin(), link.trim());
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn judge_address(&self, relay: &mut RelayAddress, rooms: &[RoomView]) -> Result<(), String> {
        if !self.allow(relay) {
            return Err(ELSEWHERE.into());
        }
        if relay.pin.is_none() {
            relay.pin = core::iter::once(&self.origin)
                .chain(&self.others)
                .filter(|url| address(url).same_place(relay))
                .find_map(|url| self.pin(url, rooms));
        }
        Ok(())
    }
}

/// Whether two addresses are of one place, whatever they pin.
trait Place {
    fn same_place(&self, other: &Self) -> bool;
}

impl Place for RelayAddress {
    fn same_place(&self, other: &Self) -> bool {
        self.tls == other.tls && self.host == other.host && self.port == other.port
    }
}

/// A relay's address as the engine wants it.
pub(crate) fn address(url: &RelayUrl) -> RelayAddress {
    RelayAddress { host: url.host.clone(), port: url.port, tls: url.tls, pin: url.pin }
}

fn url_of(link: &AnyLink) -> RelayUrl {
    match link {
        AnyLink::Room(link) => link.relay_url(),
        AnyLink::Relay(url) => url.clone(),
        AnyLink::Contact(link) => link.relay.clone(),
        AnyLink::PrivateRoom(link) => link.relay.clone(),
        AnyLink::Device(link) => link.relay.clone(),
    }
}

fn open_already(link: &Link, rooms: &[RoomView]) -> Option<estoile_engine::RoomId> {
    let text = zeroize::Zeroizing::new(link.to_string());
    rooms.iter().find(|room| room.link == *text).map(|room| room.id)
}

/// The host, with its port where it isn't the usual one.
fn shown_host(relay: &RelayUrl) -> String {
    let usual = if relay.tls { 443 } else { 80 };
    let whole = relay.host_port();
    let suffix = format!(":{}", relay.port);
    if relay.port == usual { whole.strip_suffix(&suffix).unwrap_or(&whole).to_owned() } else { whole }
}

#[cfg(test)]
mod tests;
