//! Links as people paste them, whole and damaged.

use super::*;

/// 43 characters for 32 bytes of 1, and of 2.
const RELAY: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
const SECRET: &str = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI";

fn link(text: &str) -> Result<Link, LinkError> {
    text.parse()
}

fn relay(text: &str) -> Result<RelayUrl, LinkError> {
    text.parse()
}

#[test]
fn a_link_is_read_and_written_alike() {
    let text = format!("https://relay.example.org:7443/#q/caf%C3%A9%20%2F%20two/{RELAY}/{SECRET}");
    let read = link(&text).unwrap();
    assert!(read.tls);
    assert_eq!((read.host.as_str(), read.port, read.name.as_str()), ("relay.example.org", 7443, "café / two"));
    assert_eq!(read.relay.0, [1; 32]);
    assert!(read.kind == LinkKind::Quick(RoomSecret::from_bytes([2; 32])));
    assert_eq!(read.to_string(), text);
    assert_eq!(read.host_port(), "relay.example.org:7443");

    let text = format!("http://127.0.0.1:7070/#p/lobby/{RELAY}");
    let read = link(&text).unwrap();
    assert!(!read.tls && read.kind == LinkKind::Passphrase);
    assert_eq!(read.to_string(), text);
    assert_eq!(read.relay_url().to_string(), format!("http://127.0.0.1:7070/#e//{RELAY}"));
}

#[test]
fn spellings_of_one_address_become_one() {
    for (text, written) in [
        ("https://Relay.Example.ORG", "https://relay.example.org:443"),
        (" https://relay.example.org/\n", "https://relay.example.org:443"),
        ("HTTPS://relay.example.org:443/#", "https://relay.example.org:443"),
        ("http://localhost", "http://localhost:80"),
        ("http://[::1]:7070/", "http://[::1]:7070"),
        ("https://[2001:DB8:0:0::7]", "https://[2001:db8::7]:443"),
        ("https://relay:7070", "https://relay:7070"),
        ("https://my_relay.local:65535", "https://my_relay.local:65535"),
    ] {
        assert_eq!(relay(text).unwrap().to_string(), written, "{text}");
        assert!(relay(written).unwrap() == relay(text).unwrap());
    }
}

#[test]
fn an_entry_code_travels_with_its_relay() {
    let read = relay(&format!("https://relay:7070/#e/Y29kZQ/{RELAY}")).unwrap();
    assert_eq!((read.entry.as_deref(), read.pin), (Some(b"code".as_slice()), Some(RelayKeyHash([1; 32]))));
    assert_eq!(read.to_string(), format!("https://relay:7070/#e/Y29kZQ/{RELAY}"));
    assert_eq!(read.origin(), "https://relay:7070");
    assert!(relay("https://relay/#e/Y29kZQ").unwrap().pin.is_none());
    assert!(relay(&format!("https://relay/#e//{RELAY}")).unwrap().entry.is_none());
    for damaged in ["https://r/#e/Y29kZ", "https://r/#e/Y29k+Q", &format!("https://r/#e/{}", "YWFh".repeat(22))] {
        assert_eq!(relay(damaged).err(), Some(LinkError::Entry), "{damaged}");
    }
}

#[test]
fn a_relay_makes_links() {
    let relay = relay("https://relay:7070/#e/Y29kZQ").unwrap();
    let made = relay.room(" caf\u{65}\u{301} ", RelayKeyHash([1; 32]), LinkKind::Passphrase).unwrap();
    assert_eq!(made.to_string(), format!("https://relay:7070/#p/caf%C3%A9/{RELAY}"));
    assert!(link(&made.to_string()).unwrap() == made);
    let refused = relay.room("a\nb", RelayKeyHash([1; 32]), LinkKind::Passphrase);
    assert_eq!(refused.err(), Some(LinkError::Name));
    assert_eq!(relay.room("", RelayKeyHash([1; 32]), LinkKind::Passphrase).err(), Some(LinkError::Name));
}

#[test]
fn plain_http_reaches_this_machine_only() {
    for own in
        ["http://127.0.0.1:1", "http://127.9.9.9:1", "http://localhost:1", "http://LOCALHOST:1", "http://[::1]:1"]
    {
        assert!(relay(own).is_ok(), "{own}");
    }
    for other in [
        "http://192.0.2.7:1",
        "http://relay:1",
        "http://localhost.example.org:1",
        "http://127.0.0.1.example.org:1",
        "http://0.0.0.0:1",
        "http://[::]:1",
        "http://[::ffff:127.0.0.1]:1",
    ] {
        assert_eq!(relay(other).err(), Some(LinkError::PlainHttp), "{other}");
    }
}

#[test]
fn damaged_links_say_what_is_wrong() {
    let q = |rest: &str| link(&format!("https://relay:7070/{rest}")).err();
    let cut = SECRET.strip_suffix("I").unwrap();
    for (why, damage) in [
        (LinkError::NoRoom, String::new()),
        (LinkError::NoRoom, "#".to_owned()),
        (LinkError::NoRoom, "#e/Y29kZQ".to_owned()),
        (LinkError::Kind, "#x/lobby".to_owned()),
        (LinkError::Parts, "#q".to_owned()),
        (LinkError::Parts, "#q/lobby".to_owned()),
        (LinkError::Parts, format!("#q/lobby/{RELAY}")),
        (LinkError::Parts, format!("#q/lobby/{RELAY}/{SECRET}/more")),
        (LinkError::Parts, format!("#p/lobby/{RELAY}/{SECRET}")),
        (LinkError::Name, format!("#q//{RELAY}/{SECRET}")),
        (LinkError::Name, format!("#q/%FF/{RELAY}/{SECRET}")),
        (LinkError::Name, format!("#q/a%0Ab/{RELAY}/{SECRET}")),
        (LinkError::Name, format!("#q/{}/{RELAY}/{SECRET}", "x".repeat(65))),
        (LinkError::Relay, format!("#q/lobby/{cut}/{SECRET}")),
        (LinkError::Secret, format!("#q/lobby/{RELAY}/{cut}")),
        (LinkError::Secret, format!("#q/lobby/{RELAY}/{SECRET}.")),
        (LinkError::Secret, format!("#q/lobby/{RELAY}/{cut}J")),
        (LinkError::Secret, format!("#q/lobby/{RELAY}/{SECRET}=")),
        (LinkError::Path, format!("rooms/#q/lobby/{RELAY}/{SECRET}")),
        (LinkError::Path, format!("?x#q/lobby/{RELAY}/{SECRET}")),
    ] {
        assert_eq!(q(&damage), Some(why), "{damage}");
    }
    assert_eq!(relay(&format!("https://relay/#q/lobby/{RELAY}/{SECRET}")).err(), Some(LinkError::NoRelay));
    for (why, text) in [
        (LinkError::NotUrl, ""),
        (LinkError::NotUrl, "relay.example.org"),
        (LinkError::NotUrl, "ftp://relay"),
        (LinkError::Host, "https://"),
        (LinkError::Host, "https://a b/"),
        (LinkError::Host, "https://user@relay/"),
        (LinkError::Host, "https://bücher.example/"),
        (LinkError::Host, "https://-relay/"),
        (LinkError::Host, "https://relay./"),
        (LinkError::Host, "https://127.1/"),
        (LinkError::Host, "https://0x7f.0x1/"),
        (LinkError::Host, "https://0x7f000001/"),
        (LinkError::Host, "https://256.1.1.1/"),
        (LinkError::Host, "https://[::1/"),
        (LinkError::Host, "https://[fe80::1%25eth0]/"),
        (LinkError::Port, "https://relay:/"),
        (LinkError::Port, "https://relay:0/"),
        (LinkError::Port, "https://relay:+1/"),
        (LinkError::Port, "https://relay:65536/"),
        (LinkError::Port, "https://[::1]7070/"),
        (LinkError::Port, "https://::1:7070/"),
    ] {
        assert_eq!(relay(text).err(), Some(why), "{text}");
    }
    assert_eq!(link(&format!("https://{}", "x".repeat(5000))).err(), Some(LinkError::TooLong));
}

#[test]
fn nothing_of_a_secret_is_printed_by_debug() {
    let read = link(&format!("https://relay:7070/#q/lobby/{RELAY}/{SECRET}")).unwrap();
    assert_eq!(format!("{read:?} {:?}", read.kind), "Link(..) Quick(RoomSecret(..))");
    assert_eq!(format!("{:?}", relay("https://relay/#e/Y29kZQ").unwrap()), "RelayUrl(..)");
}
