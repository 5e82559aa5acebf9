//! Links to here and to elsewhere.

use estoile_seal::quick::RoomSecret;

use super::*;

const PIN: RelayKeyHash = RelayKeyHash([5; 32]);

fn relays() -> Relays {
    Relays::new("https://relay.example", &[]).unwrap()
}

fn link(relay: &str, kind: LinkKind) -> String {
    relay.parse::<RelayUrl>().unwrap().room("Tea & biscuits", PIN, kind).unwrap().to_string()
}

fn quick(relay: &str) -> String {
    link(relay, LinkKind::Quick(RoomSecret::from_bytes([7; 32])))
}

#[test]
fn links_are_told_by_kind_place_and_name() {
    let view = relays().view(&quick("https://relay.example"), &[]).unwrap();
    assert_eq!((view.kind, view.name.as_str(), view.here), (Kind::Quick, "Tea & biscuits", true));
    assert_eq!(view.host, "relay.example", "the usual port goes without saying");
    let view = relays().view(&link("https://relay.example:7443", LinkKind::Passphrase), &[]).unwrap();
    assert_eq!((view.kind, view.here, view.host.as_str()), (Kind::Passphrase, false, "relay.example:7443"));
    let view = relays().view("https://[2001:db8::7]:7443/#e/YWJj", &[]).unwrap();
    assert_eq!((view.kind, view.here, view.host.as_str()), (Kind::Relay, false, "[2001:db8::7]:7443"));
}

#[test]
fn a_fragment_alone_counts_for_the_pages_relay() {
    let whole = quick("https://relay.example");
    let fragment = format!("#{}", whole.split_once('#').unwrap().1);
    assert!(relays().view(&fragment, &[]).unwrap().here);
    assert_eq!(relays().room(&fragment).unwrap().to_string(), whole);
}

#[test]
fn another_scheme_port_or_host_is_elsewhere() {
    for relay in ["https://relay.example:7443", "https://other.example", "http://localhost:443"] {
        assert_eq!(relays().room(&quick(relay)), Err(ELSEWHERE.into()), "{relay}");
        let mut knock = Command::Private(PrivateCommand::Knock { link: quick(relay) });
        assert_eq!(relays().judge(&mut knock, &[]), Err(ELSEWHERE.into()), "{relay}");
    }
    let more = Relays::new("http://127.0.0.1:7000", &["https://other.example".into()]).unwrap();
    assert!(more.room(&quick("https://other.example")).is_ok(), "whoever serves the page allows it");
    assert_eq!(more.own().host, "other.example", "rooms are made on a relay, not where the page came from");
    let address = address(more.own());
    assert_eq!(more.session(&address).unwrap(), "ws://127.0.0.1:7000/relay/other.example:443/v1/session");
    let blob = more.blob(&address, &[0xab; 32]).unwrap();
    assert_eq!(blob, format!("http://127.0.0.1:7000/relay/other.example:443/v1/blob/{}", "ab".repeat(32)));
    let own = super::address(relays().own());
    assert_eq!(relays().session(&own).unwrap(), "wss://relay.example:443/v1/session");
    assert_eq!(relays().session(&address), None);
}

#[test]
fn damaged_links_say_so_without_repeating_them() {
    let whole = quick("https://relay.example");
    let secret = whole.rsplit_once('/').unwrap().1;
    let damaged = format!("{}!", whole.strip_suffix(|_: char| true).unwrap());
    let error = relays().view(&damaged, &[]).unwrap_err();
    assert!(error.contains("secret") && !error.contains(secret.get(..20).unwrap()), "{error}");
    assert!(relays().view("hello", &[]).is_err());
    assert!(relays().view("#", &[]).is_ok_and(|view| view.kind == Kind::Relay));
}

#[test]
fn entry_codes_come_alone_or_in_their_link() {
    assert_eq!(relays().entry("  "), Ok((None, None)));
    assert_eq!(relays().entry("YWJj"), Ok((Some(b"abc".to_vec()), None)));
    let with_pin = RelayUrl { pin: Some(PIN), entry: Some(b"abc".to_vec()), ..relays().own().clone() };
    assert_eq!(relays().entry(&with_pin.to_string()), Ok((Some(b"abc".to_vec()), Some(PIN))));
    assert_eq!(relays().entry("https://other.example/#e/YWJj"), Err(ELSEWHERE.into()));
    assert!(relays().entry(&quick("https://relay.example")).is_err());
}

#[test]
fn what_the_page_can_not_know_is_completed() {
    let account = |host: &str| {
        let relay = RelayAddress { host: host.into(), port: 443, tls: true, pin: None };
        Command::Account(AccountCommand::New { name: "Ann".into(), device: String::new(), relay, entry: None })
    };
    let room = room_view(&quick("https://relay.example"));
    let mut here = account("relay.example");
    assert_eq!(relays().judge(&mut here, core::slice::from_ref(&room)), Ok(()));
    let Command::Account(AccountCommand::New { relay, .. }) = here else { panic!("still an account") };
    assert_eq!(relay.pin, Some(PIN), "a room here knows the relay's key");
    assert_eq!(relays().judge(&mut account("other.example"), &[]), Err(ELSEWHERE.into()));
    let view = relays().view(&room.link, core::slice::from_ref(&room)).unwrap();
    assert_eq!(view.room, Some(room.id), "it is open here already");
}

fn room_view(link: &str) -> RoomView {
    RoomView {
        id: estoile_engine::RoomId(3),
        name: "Tea".into(),
        link: link.into(),
        host: "relay.example:443".into(),
        own_name: "Ann".into(),
        unread: 0,
        connection: estoile_engine::ConnectionView::Online,
        ttl: None,
        max_ttl: None,
        stopped: None,
        private: None,
    }
}
