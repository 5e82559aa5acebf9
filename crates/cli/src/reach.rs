//! Under which address others reach this machine, and who they are: what `up` and `serve` put into links and URLs.

use std::net::{IpAddr, SocketAddr};

use estoile_seal::link::RelayUrl;

use crate::fail::Failure;
use crate::link;

/// A relay's address as others use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    /// A name or an address.
    pub(crate) host: String,
    /// The port.
    pub(crate) port: u16,
    /// Whether it is reached by TLS.
    pub(crate) tls: bool,
    /// Whom the address reaches, in words.
    pub(crate) whom: &'static str,
}

/// The address for a relay that listens at `listening`; the owner's `--public` comes first.
pub(crate) fn reach(public: Option<&str>, listening: SocketAddr, secure: bool) -> Result<Reach, Failure> {
    if let Some(url) = public {
        let RelayUrl { tls, host, port, .. } = link::parse_relay(url)?;
        return Ok(Reach { host, port, tls, whom: "whoever reaches the address given by --public" });
    }
    let (ip, whom) = match listening.ip() {
        ip if ip.is_loopback() => (ip, "this machine alone"),
        ip if ip.is_unspecified() => match lan_address() {
            Some(ip) => (ip, lan_words(ip)),
            None => (loopback(ip), "this machine alone, because it has no network address"),
        },
        ip => (ip, lan_words(ip)),
    };
    Ok(Reach { host: ip.to_string(), port: listening.port(), tls: secure, whom })
}

/// The names and addresses that belong into the relay's certificate.
pub(crate) fn names(public: Option<&str>, listen: SocketAddr) -> Result<Vec<String>, Failure> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    if let Some(url) = public {
        names.push(link::parse_relay(url)?.host);
    }
    if listen.ip().is_unspecified() {
        names.extend(lan_address().map(|ip| ip.to_string()));
    } else {
        names.push(listen.ip().to_string());
    }
    names.sort();
    names.dedup();
    Ok(names)
}

const fn loopback(unspecified: IpAddr) -> IpAddr {
    match unspecified {
        IpAddr::V4(_) => IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
        IpAddr::V6(_) => IpAddr::V6(std::net::Ipv6Addr::LOCALHOST),
    }
}

fn lan_words(ip: IpAddr) -> &'static str {
    match ip {
        IpAddr::V4(ip) if ip.is_private() || ip.is_link_local() => {
            "people in this machine's network; for others give --public URL, and let their connections through to this port"
        }
        _ => "whoever reaches this machine's address",
    }
}

/// The address of this machine that others are likely to reach: IPv4 before IPv6, real networks before containers' own.
fn lan_address() -> Option<IpAddr> {
    let mut found: Vec<_> = if_addrs::get_if_addrs()
        .unwrap_or_default()
        .into_iter()
        .filter(|i| !i.is_loopback() && !i.is_link_local())
        .map(|i| (container(&i.name), i.ip().is_ipv6(), i.ip()))
        .collect();
    found.sort();
    found.first().map(|(_, _, ip)| *ip)
}

/// Networks that only exist inside this machine.
fn container(interface: &str) -> bool {
    ["docker", "br-", "veth", "virbr", "lxc", "podman"].iter().any(|prefix| interface.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_reaches_this_machine_alone() {
        let reach = reach(None, "127.0.0.1:7070".parse().unwrap(), false).unwrap();
        assert_eq!((reach.host.as_str(), reach.port, reach.tls), ("127.0.0.1", 7070, false));
        assert!(reach.whom.contains("alone"));
    }

    #[test]
    fn a_certificate_names_the_address_listened_on() {
        let names = names(None, "10.1.2.3:7070".parse().unwrap()).unwrap();
        assert!(names.contains(&"10.1.2.3".to_owned()) && names.contains(&"localhost".to_owned()));
    }
}
