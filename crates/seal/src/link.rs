//! Links: the text that opens a room, and the text that names a relay.
//!
//! What opens stands in the fragment, which no browser sends to a server. A link pins the relay's key by its hash. This
//! layer connects to nothing and looks no host up.

mod host;
mod more;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use core::fmt::{Display, Formatter};
use core::str::FromStr;
use estoile_wire::RelayKeyHash;
use estoile_wire::limits::MAX_ENTRY_CODE;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use zeroize::Zeroizing;

pub use host::is_loopback;
pub use more::{AnyLink, ContactLink, DeviceLink, LinkType, RoomLink, WrongLink};

use crate::names::{is_name, normalise};
use crate::quick::RoomSecret;

/// A link has at most this many bytes: the longest possible one fits three times.
pub const MAX_LINK: usize = 4096;
/// All but RFC 3986's unreserved characters: a name can't end a link or look like a part of it.
const IN_NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Where a relay is: `http(s)://HOST[:PORT][/][#e/CODE[/RELAY]]`. `Display` writes all of it, with the port.
#[derive(Clone, PartialEq, Eq)]
pub struct RelayUrl {
    /// Whether TLS is spoken; without it only loopback is allowed.
    pub tls: bool,
    /// Lower case, without brackets for IPv6.
    pub host: String,
    /// Always given.
    pub port: u16,
    /// The relay's entry code: whoever has it may create logs there.
    pub entry: Option<Vec<u8>>,
    /// What the relay's key must hash to.
    pub pin: Option<RelayKeyHash>,
}

/// How a room is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkKind {
    /// By the secret that the link carries.
    Quick(RoomSecret),
    /// By a passphrase that people tell each other.
    Passphrase,
}

/// A room's link: `http(s)://HOST:PORT/#q/NAME/RELAY/SECRET` or `#p/NAME/RELAY`. `Display` writes all of it, secret included.
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    /// Whether TLS is spoken; without it only loopback is allowed.
    pub tls: bool,
    /// Lower case, without brackets for IPv6.
    pub host: String,
    /// Always given.
    pub port: u16,
    /// The room's name, normalised.
    pub name: String,
    /// What the relay's key must hash to.
    pub relay: RelayKeyHash,
    /// How it is opened.
    pub kind: LinkKind,
}

// Both may hold what opens a door.
crate::closed_debug!(Link, RelayUrl);

/// Why a text is not a link or a relay's address; each says what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// Absurdly long.
    #[error("this is longer than any link; copy the link alone")]
    TooLong,
    /// Not a web address.
    #[error("this is not a link: links begin with https:// (or http:// for this machine); copy all of it")]
    NotUrl,
    /// The host can't be one.
    #[error("the link's host is not a name or an address; write it like relay.example.org, 192.0.2.7 or [2001:db8::7]")]
    Host,
    /// The port can't be one.
    #[error("the link's port is not a number from 1 to 65535; copy the link again")]
    Port,
    /// Without TLS to another machine.
    #[error("plain http is for this machine only, because anybody on the way could read along; use https://")]
    PlainHttp,
    /// A path or a query, which no link of ours has.
    #[error("between the host and # stands something that does not belong there; copy the link again")]
    Path,
    /// A relay's address where a room's link is needed.
    #[error(
        "this is a relay's address, not a room's link: a link goes on with #q/ or #p/; make a room there with `estoile room new --relay URL`"
    )]
    NoRoom,
    /// A room's link where a relay's address is needed.
    #[error("this is a room's link, not a relay's address; leave out the # and what follows")]
    NoRelay,
    /// A kind of link that this version does not know.
    #[error("this version knows no such link; look for a newer one, or copy the link again")]
    Kind,
    /// A link of one type where another is needed.
    #[error("{0}")]
    Wrong(WrongLink),
    /// Parts are missing or too many.
    #[error("the link is incomplete, or something stands after its end; copy all of it and nothing else")]
    Parts,
    /// The room's name.
    #[error("the link's room name is none: 1 to 64 characters, no control characters; copy the link again")]
    Name,
    /// The relay key's hash.
    #[error("the link's part that names the relay's key is damaged; copy the link again")]
    Relay,
    /// The secret.
    #[error("the link's secret, its last part, is damaged; copy the link again")]
    Secret,
    /// The entry code.
    #[error("the address's entry code is damaged; copy the address again")]
    Entry,
}

/// What both kinds of text begin with.
struct Base<'a> {
    tls: bool,
    host: String,
    port: u16,
    fragment: Option<&'a str>,
}

impl<'a> Base<'a> {
    fn parse(text: &'a str) -> Result<Self, LinkError> {
        let text = text.trim();
        if text.len() > MAX_LINK {
            return Err(LinkError::TooLong);
        }
        let (scheme, rest) = text.split_once("://").ok_or(LinkError::NotUrl)?;
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(LinkError::NotUrl),
        };
        let (address, fragment) = match rest.split_once('#') {
            Some((address, fragment)) => (address, Some(fragment)),
            None => (rest, None),
        };
        let (authority, path) = address.split_once('/').unwrap_or((address, ""));
        if !path.is_empty() {
            return Err(LinkError::Path);
        }
        let (host, port) = host::parse(authority)?;
        if !tls && !is_loopback(&host) {
            return Err(LinkError::PlainHttp);
        }
        Ok(Self { tls, host, port: port.unwrap_or(if tls { 443 } else { 80 }), fragment })
    }
}

impl FromStr for Link {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        let Base { tls, host, port, fragment } = Base::parse(text)?;
        let fragment = fragment.filter(|f| !f.is_empty()).ok_or(LinkError::NoRoom)?;
        let mut parts = fragment.split('/');
        let carries_secret = match parts.next() {
            Some("q") => true,
            Some("p") => false,
            Some("e") => return Err(LinkError::NoRoom),
            other => return Err(wrong(other, LinkType::Room)),
        };
        let name = name(parts.next().ok_or(LinkError::Parts)?)?;
        let relay = hash(parts.next().ok_or(LinkError::Parts)?)?;
        let kind = if carries_secret {
            LinkKind::Quick(secret(parts.next().ok_or(LinkError::Parts)?)?)
        } else {
            LinkKind::Passphrase
        };
        match parts.next() {
            None => Ok(Self { tls, host, port, name, relay, kind }),
            Some(_) => Err(LinkError::Parts),
        }
    }
}

impl FromStr for RelayUrl {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        let Base { tls, host, port, fragment } = Base::parse(text)?;
        let Some(fragment) = fragment.filter(|f| !f.is_empty()) else {
            return Ok(Self { tls, host, port, entry: None, pin: None });
        };
        let mut parts = fragment.split('/');
        match parts.next() {
            Some("e") => {}
            Some("q" | "p") => return Err(LinkError::NoRelay),
            other => return Err(wrong(other, LinkType::Relay)),
        }
        let entry = entry(parts.next().ok_or(LinkError::Parts)?)?;
        let pin = parts.next().map(hash).transpose()?;
        match parts.next() {
            None => Ok(Self { tls, host, port, entry, pin }),
            Some(_) => Err(LinkError::Parts),
        }
    }
}

/// What a fragment of another type is told.
fn wrong(part: Option<&str>, wanted: LinkType) -> LinkError {
    LinkType::of(part).map_or(LinkError::Kind, |is| LinkError::Wrong(WrongLink { is, wanted }))
}

fn name(part: &str) -> Result<String, LinkError> {
    let decoded = percent_decode_str(part).decode_utf8().map_err(|_| LinkError::Name)?;
    // A name with control characters is refused, not mended: `normalise` would turn a line's end into a space.
    if decoded.chars().any(char::is_control) {
        return Err(LinkError::Name);
    }
    let name = normalise(&decoded);
    if is_name(&name) { Ok(name) } else { Err(LinkError::Name) }
}

/// 32 bytes in 43 characters of url-safe base64 without padding, the last one without stray bits.
fn bytes32(part: &str) -> Option<Zeroizing<[u8; 32]>> {
    let decoded = Zeroizing::new(URL_SAFE_NO_PAD.decode(part).ok()?);
    decoded.as_slice().try_into().map(Zeroizing::new).ok()
}

fn hash(part: &str) -> Result<RelayKeyHash, LinkError> {
    bytes32(part).map(|bytes| RelayKeyHash(*bytes)).ok_or(LinkError::Relay)
}

fn secret(part: &str) -> Result<RoomSecret, LinkError> {
    bytes32(part).map(|bytes| RoomSecret::from_bytes(*bytes)).ok_or(LinkError::Secret)
}

fn entry(part: &str) -> Result<Option<Vec<u8>>, LinkError> {
    let code = URL_SAFE_NO_PAD.decode(part).map_err(|_| LinkError::Entry)?;
    match code.len() {
        0 => Ok(None),
        1..=MAX_ENTRY_CODE => Ok(Some(code)),
        _ => Err(LinkError::Entry),
    }
}

impl Link {
    /// `HOST:PORT` as links write it: brackets around IPv6.
    #[must_use]
    pub fn host_port(&self) -> String {
        host::host_port(&self.host, self.port)
    }

    /// The relay's address, pinned, without an entry code.
    #[must_use]
    pub fn relay_url(&self) -> RelayUrl {
        let Self { tls, host, port, relay, .. } = self;
        RelayUrl { tls: *tls, host: host.clone(), port: *port, entry: None, pin: Some(*relay) }
    }
}

impl RelayUrl {
    /// `HOST:PORT` as links write it: brackets around IPv6.
    #[must_use]
    pub fn host_port(&self) -> String {
        host::host_port(&self.host, self.port)
    }

    /// `http(s)://HOST:PORT` and no more: fit to be shown.
    #[must_use]
    pub fn origin(&self) -> String {
        origin(self.tls, &self.host, self.port)
    }

    /// The link of a room on this relay, whose key hashes to `relay`. Refused if the name is none.
    pub fn room(&self, name: &str, relay: RelayKeyHash, kind: LinkKind) -> Result<Link, LinkError> {
        let name = self::name(&utf8_percent_encode(name, IN_NAME).to_string())?;
        Ok(Link { tls: self.tls, host: self.host.clone(), port: self.port, name, relay, kind })
    }
}

fn origin(tls: bool, host: &str, port: u16) -> String {
    let scheme = if tls { "https" } else { "http" };
    format!("{scheme}://{}", host::host_port(host, port))
}

impl Display for Link {
    fn fmt(&self, f: &mut Formatter<'_>) -> core::fmt::Result {
        let origin = origin(self.tls, &self.host, self.port);
        let name = utf8_percent_encode(&self.name, IN_NAME);
        let relay = URL_SAFE_NO_PAD.encode(self.relay.0);
        match &self.kind {
            LinkKind::Quick(secret) => {
                let secret = Zeroizing::new(URL_SAFE_NO_PAD.encode(secret.as_bytes()));
                write!(f, "{origin}/#q/{name}/{relay}/{}", *secret)
            }
            LinkKind::Passphrase => write!(f, "{origin}/#p/{name}/{relay}"),
        }
    }
}

impl Display for RelayUrl {
    fn fmt(&self, f: &mut Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.origin())?;
        if self.entry.is_some() || self.pin.is_some() {
            let code = URL_SAFE_NO_PAD.encode(self.entry.as_deref().unwrap_or_default());
            write!(f, "/#e/{code}")?;
        }
        if let Some(pin) = &self.pin {
            write!(f, "/{}", URL_SAFE_NO_PAD.encode(pin.0))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
