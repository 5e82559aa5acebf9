//! Links: the text that opens a room, and the text that names a relay.

use estoile_wire::RelayKeyHash;

use crate::quick::RoomSecret;

/// Where a relay is: `http(s)://HOST[:PORT][/][#e/CODE[/RELAY]]`. `Display` writes all of it, with the port.
#[derive(Clone, PartialEq, Eq)]
pub struct RelayUrl {
    /// Whether TLS is spoken; without it only loopback is allowed.
    pub tls: bool,
    /// Lower case, without brackets for IPv6.
    pub host: String,
    /// Always given.
    pub port: u16,
    /// The relay's entry code.
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

/// Why a text is not a link or a relay's address; each says what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// Not a web address.
    #[error("this is not a link: it begins with https:// (or http:// on this machine)")]
    NotUrl,
}

impl Link {
    /// `HOST:PORT` as links write it: brackets around IPv6.
    #[must_use]
    pub fn host_port(&self) -> String {
        String::new()
    }
}

impl core::str::FromStr for Link {
    type Err = LinkError;
    fn from_str(_text: &str) -> Result<Self, LinkError> {
        Err(LinkError::NotUrl)
    }
}

impl core::str::FromStr for RelayUrl {
    type Err = LinkError;
    fn from_str(_text: &str) -> Result<Self, LinkError> {
        Err(LinkError::NotUrl)
    }
}

impl RelayUrl {
    /// `HOST:PORT` as links write it: brackets around IPv6.
    #[must_use]
    pub fn host_port(&self) -> String {
        String::new()
    }
}

impl core::fmt::Display for Link {
    fn fmt(&self, _f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        Ok(())
    }
}

impl core::fmt::Display for RelayUrl {
    fn fmt(&self, _f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        Ok(())
    }
}

impl core::fmt::Debug for Link {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Link(..)")
    }
}

impl core::fmt::Debug for RelayUrl {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("RelayUrl(..)")
    }
}
