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

fn long(count: usize) -> String {
    // 32 bytes of 1, of 2 and so on, as an array of so many byte strings.
    let mut bytes = vec![0x80 | u8::try_from(count).unwrap()];
    (1..=count).for_each(|n| bytes.extend([[0x58, 32].as_slice(), &[u8::try_from(n).unwrap(); 32]].concat()));
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A link of each type.
fn one_of_each() -> [(LinkType, String); 6] {
    let room = URL_SAFE_NO_PAD
        .encode([[0x83, 0x58, 32].as_slice(), &[1; 32], &[0x58, 32], &[2; 32], &[0x48], &[3; 8]].concat());
    [
        (LinkType::Room, format!("https://relay:7070/#q/lobby/{RELAY}/{SECRET}")),
        (LinkType::Room, format!("https://relay:7070/#p/lobby/{RELAY}")),
        (LinkType::Relay, format!("https://relay:7070/#e/Y29kZQ/{RELAY}")),
        (LinkType::Contact, format!("https://relay:7070/#c/{RELAY}/{}", long(5))),
        (LinkType::PrivateRoom, format!("https://relay:7070/#r/caf%C3%A9/{RELAY}/{room}")),
        (LinkType::Device, format!("https://relay:7070/#d/{RELAY}/{SECRET}")),
    ]
}

#[test]
fn links_of_accounts_are_read_and_written_alike() {
    for (is, text) in one_of_each() {
        assert_eq!(LinkType::of_text(&format!(" {text}\n")), Ok(is));
        let read: AnyLink = text.parse().unwrap();
        let written = match (&read, is) {
            (AnyLink::Room(link), LinkType::Room) => link.to_string(),
            (AnyLink::Relay(link), LinkType::Relay) => link.to_string(),
            (AnyLink::Contact(link), LinkType::Contact) => link.to_string(),
            (AnyLink::PrivateRoom(link), LinkType::PrivateRoom) => link.to_string(),
            (AnyLink::Device(link), LinkType::Device) => link.to_string(),
            _ => panic!("{text} is read as another type"),
        };
        assert_eq!(written, text);
        assert_eq!(format!("{read:?}").matches("(..)").count(), 1, "Debug says nothing");
    }
    let contact: ContactLink = one_of_each()[3].1.parse().unwrap();
    assert_eq!((contact.account.0, contact.mailbox.0, contact.shelf.0), ([1; 32], [2; 32], [3; 32]));
    assert_eq!((contact.ticket.as_bytes(), contact.shelf_key.as_bytes()), (&[4; 32], &[5; 32]));
    assert_eq!(contact.relay.pin, Some(RelayKeyHash([1; 32])));
    let room: RoomLink = one_of_each()[4].1.parse().unwrap();
    assert_eq!((room.name.as_str(), room.door.0, room.id), ("café", [1; 32], [3; 8]));
    // What a QR code must hold: version 14 at medium correction has 362 bytes, version 11 has 251.
    let lengths = one_of_each().map(|(_, text)| text.len());
    assert_eq!(lengths, [115, 71, 72, 294, 180, 109]);
}

#[test]
fn a_link_given_to_the_wrong_parser_is_told_what_it_is() {
    for (is, text) in one_of_each() {
        for (wanted, refused) in [
            (LinkType::Room, link(&text).err()),
            (LinkType::Relay, relay(&text).err()),
            (LinkType::Contact, text.parse::<ContactLink>().err()),
            (LinkType::PrivateRoom, text.parse::<RoomLink>().err()),
            (LinkType::Device, text.parse::<DeviceLink>().err()),
        ] {
            let expected = match (is, wanted) {
                _ if is == wanted => None,
                (LinkType::Relay, LinkType::Room) => Some(LinkError::NoRoom),
                (LinkType::Room, LinkType::Relay) => Some(LinkError::NoRelay),
                _ => Some(LinkError::Wrong(WrongLink { is, wanted })),
            };
            assert_eq!(refused, expected, "{text}");
        }
    }
    let told = one_of_each()[0].1.parse::<ContactLink>().err().unwrap().to_string();
    assert_eq!(told, "this is a room's link, not a contact's link: open it with `estoile chat LINK`");
    assert_eq!(
        "https://relay:7070"
            .parse::<DeviceLink>()
            .err()
            .map(|e| e.to_string().starts_with("this is a relay's address")),
        Some(true)
    );
    assert_eq!("https://relay/#x/y".parse::<AnyLink>(), Err(LinkError::Kind));
}

#[test]
fn damaged_links_of_accounts_are_refused() {
    for (_, text) in one_of_each().into_iter().skip(3) {
        for cut in [1, 2, 44] {
            let cut = text.get(..text.len() - cut).unwrap();
            assert!(cut.parse::<AnyLink>().is_err(), "{cut}");
        }
        for more in ["/", "A", "=", "/more"] {
            assert!(format!("{text}{more}").parse::<AnyLink>().is_err(), "{text}{more}");
        }
        assert_eq!(text.replace("https", "http").parse::<AnyLink>().err(), Some(LinkError::PlainHttp));
    }
    for carried in [long(4), long(6)] {
        let text = format!("https://relay:7070/#c/{RELAY}/{carried}");
        assert_eq!(text.parse::<ContactLink>().err(), Some(LinkError::Secret));
    }
}
