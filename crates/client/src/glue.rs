//! From a link to the command that opens its room.

use std::net::IpAddr;

use estoile_engine::{CreateRoom, OpenRoom, Past, RelayAddress};
use estoile_seal::link::{Link, LinkKind};
use estoile_seal::quick::RoomSecret;

/// What a link doesn't say about how to open its room.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// The time to live of letters sent from here, seconds; none: as long as the relay keeps them.
    pub ttl: Option<u64>,
    /// Make the log if it is missing.
    pub create: Option<CreateRoom>,
    /// How much of its past to read.
    pub past: Past,
    /// Whether to send beats and presence.
    pub sociable: bool,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self { ttl: None, create: None, past: Past::All, sociable: true }
    }
}

/// Whether a host is this machine by its name or address alone, so that plain http is allowed.
#[must_use]
pub fn loopback_host(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The command that opens a link's room. For a passphrase room `stretched` is what [`crate::Handle::stretch`] made of the
/// passphrase; for a link with a secret it is not looked at. None: a passphrase room, and no stretched secret.
#[must_use]
pub fn open_link(link: &Link, own_name: &str, stretched: Option<RoomSecret>, options: OpenOptions) -> Option<OpenRoom> {
    let secret = match &link.kind {
        LinkKind::Quick(secret) => secret.clone(),
        LinkKind::Passphrase => stretched?,
    };
    Some(OpenRoom {
        relay: RelayAddress { host: link.host.clone(), port: link.port, tls: link.tls, pin: Some(link.relay) },
        name: link.name.clone(),
        own_name: own_name.to_owned(),
        secret,
        passphrase: link.kind == LinkKind::Passphrase,
        ttl: options.ttl,
        create: options.create,
        past: options.past,
        sociable: options.sociable,
    })
}
