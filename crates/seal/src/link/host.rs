//! The host and port of an address, in one spelling: lower case, IPv6 as RFC 5952 writes it.
//!
//! A passphrase's salt contains them, so one host must not have two spellings that people type.

use core::net::{Ipv4Addr, Ipv6Addr};

use super::LinkError;

/// A DNS name has at most this many characters.
const MAX_HOST: usize = 253;

/// `HOST`, `HOST:PORT`, `[IPV6]` or `[IPV6]:PORT`.
pub(super) fn parse(authority: &str) -> Result<(String, Option<u16>), LinkError> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (address, port) = rest.split_once(']').ok_or(LinkError::Host)?;
        let address: Ipv6Addr = address.parse().map_err(|_| LinkError::Host)?;
        let port = match port.strip_prefix(':') {
            Some(port) => Some(parse_port(port)?),
            None if port.is_empty() => None,
            None => return Err(LinkError::Port),
        };
        return Ok((address.to_string(), port));
    }
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(parse_port(port)?)),
        None => (authority, None),
    };
    let host = host.to_ascii_lowercase();
    if is_host(&host) { Ok((host, port)) } else { Err(LinkError::Host) }
}

fn parse_port(text: &str) -> Result<u16, LinkError> {
    if text.bytes().all(|b| b.is_ascii_digit()) {
        text.parse().ok().filter(|&port| port > 0).ok_or(LinkError::Port)
    } else {
        Err(LinkError::Port)
    }
}

/// A DNS name or an IPv4 address. What ends in a number is an address (as browsers have it), so there is no `127.1` and no `0x7f.0x1`.
fn is_host(host: &str) -> bool {
    let labels = host.split('.').all(|label| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
    });
    let hex = |last: &str| last.strip_prefix("0x").is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_hexdigit()));
    let number = |last: &str| last.bytes().all(|b| b.is_ascii_digit()) || hex(last);
    let numeric = host.rsplit('.').next().is_some_and(number);
    labels && host.len() <= MAX_HOST && (!numeric || host.parse::<Ipv4Addr>().is_ok())
}

pub(super) fn host_port(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// Whether a link's host (lower case, no brackets) is this machine itself: `localhost`, 127.0.0.0/8 or `::1`.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || host.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback())
}
