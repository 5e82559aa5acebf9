//! What accounts tell each other and their own devices: decoders, and valid inputs to start from.

use std::str::FromStr;

use estoile_seal::account::chain::sign_join;
use estoile_seal::account::record::HandOver;
use estoile_seal::account::summary::Keys;
use estoile_seal::account::{
    AccountId, Chain, ContactEntry, ContactState, DeviceEntry, Door, Proposal, Record, Recovery, RoomEntry, Signer,
    Summary,
};
use estoile_seal::card::Card;
use estoile_seal::device_link::{DeviceSecret, Granted, Inviter, InviterStep, Joiner, JoinerStep, Message, Why};
use estoile_seal::history::{HistoryKey, Offer, PartRef};
use estoile_seal::link::{AnyLink, RelayUrl};
use estoile_seal::mailbox::{self, BlobRef, ChainPart, Kind, Letter, WelcomeBytes};
use estoile_seal::shelf_item::{ShelfItem, ShelfKey};
use estoile_seal::ticket::TicketSecret;
use estoile_seal::verify::Code;
use estoile_seal::views::View;
use estoile_seal::{Later, SenderKey};
use estoile_wire::LogId;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use crate::corpus::NOW;

/// The account whose letters the fuzzer reads.
const ME: AccountId = AccountId([0xb0; 32]);
/// The mailbox in which it finds them.
const MAILBOX: LogId = LogId([2; 32]);

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(13)
}

fn words() -> Recovery {
    Recovery::from_entropy([1; 32])
}

fn device(seed: u8) -> SenderKey {
    SenderKey::from_seed(&[seed; 32])
}

fn ticket() -> TicketSecret {
    TicketSecret::from_bytes([4; 32])
}

fn shelf_key() -> ShelfKey {
    ShelfKey::from_bytes([5; 32])
}

fn account() -> Chain {
    Chain::create(&words().root(), &device(1), NOW)
}

/// Three devices; a removal by two; new words.
fn grown() -> Vec<Chain> {
    let mut all = vec![account()];
    for seed in [2, 3] {
        let chain = all.last().and_then(|chain| {
            let proof = sign_join(&chain.id(), &chain.head(), &device(seed));
            chain.add_device(&Signer::Device(&device(1)), &device(seed).public(), &proof, NOW).ok()
        });
        all.extend(chain);
    }
    let removed = all.last().and_then(|chain| {
        Proposal::sign(chain, &device(1), &device(3).public(), NOW).ok()?.complete(chain, &device(2)).ok()
    });
    all.extend(removed);
    let rotated =
        all.last().and_then(|chain| chain.rotate(&words().root(), &Recovery::from_entropy([2; 32]).root(), NOW).ok());
    all.extend(rotated);
    all
}

fn relay() -> Option<RelayUrl> {
    "https://relay:7070/#e//AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE".parse().ok()
}

pub(crate) fn recovery(bytes: &[u8]) {
    if let Ok(read) = Recovery::parse(&String::from_utf8_lossy(bytes)) {
        assert!(Recovery::parse(&read.words()).is_ok_and(|again| again == read), "words are read as they are written");
    }
}

pub(crate) fn recoveries() -> Vec<Vec<u8>> {
    let words = words().words();
    vec![words.as_bytes().to_vec(), words.replace(' ', "\n1. ").into_bytes()]
}

pub(crate) fn chain(bytes: &[u8]) {
    if let Ok(chain) = Chain::verify(bytes) {
        assert_eq!(chain.encode(), bytes, "a chain has one encoding");
    }
    let known = account();
    if let Ok(longer) = known.with_tail(1, bytes) {
        assert!(longer.len() >= known.len());
    }
}

pub(crate) fn chains() -> Vec<Vec<u8>> {
    let tails = grown().last().map(|chain| vec![chain.tail(1), chain.tail(2)]).unwrap_or_default();
    grown().iter().map(Chain::encode).chain(tails).collect()
}

pub(crate) fn proposal(bytes: &[u8]) {
    if let Ok(read) = Proposal::decode(bytes) {
        assert_eq!(read.encode(), bytes, "a proposal has one encoding");
        let _ = grown().get(2).map(|chain| read.check(chain));
    }
}

pub(crate) fn proposals() -> Vec<Vec<u8>> {
    let made = grown().get(2).and_then(|chain| Proposal::sign(chain, &device(1), &device(2).public(), NOW).ok());
    made.iter().map(Proposal::encode).collect()
}

pub(crate) fn record(bytes: &[u8]) {
    if let Ok(record) = Record::decode(bytes) {
        assert!(
            Record::decode(&record.encode()).is_ok_and(|again| again == record),
            "a record is read as it is written"
        );
    }
    let _ = words().generation(0).open(0, bytes);
}

pub(crate) fn records() -> Vec<Vec<u8>> {
    let door = Door { log: LogId([7; 32]), ticket: ticket() };
    let contact = ContactEntry {
        account: ME,
        name: "Bob".to_owned(),
        state: ContactState::Accepted,
        verified: Some(NOW),
        chain: account().encode(),
        card: cards().pop(),
        ticket: Some(ticket()),
        later: Later::default(),
    };
    let summary = Summary {
        name: "Alice".to_owned(),
        relay: "https://relay:7070".to_owned(),
        keys: Keys {
            mailbox: [1; 32],
            shelf: [2; 32],
            shelf_key: [3; 32],
            link_ticket: [4; 32],
            hpke: vec![vec![5; 32]],
        },
        devices: vec![DeviceEntry {
            device: device(1).public(),
            name: "Laptop".to_owned(),
            hpke: vec![6; 32],
            later: Later::default(),
        }],
        contacts: vec![contact],
        rooms: vec![RoomEntry {
            log: LogId([6; 32]),
            relay: "https://relay:7070".to_owned(),
            name: "lobby".to_owned(),
            door: Some(door),
            later: Later::default(),
        }],
        at: NOW,
        later: Later::default(),
    };
    let over = HandOver::sign(&account().id(), &words().root(), 1, vec![(device(1).public(), vec![1; 90])]).ok();
    let proposal = grown().get(2).and_then(|chain| Proposal::sign(chain, &device(1), &device(2).public(), NOW).ok());
    [Record::Chain(account()), Record::Summary(Box::new(summary)), Record::Blob { hash: [1; 32], size: 50_000 }]
        .into_iter()
        .chain(over.map(Record::HandOver))
        .chain(proposal.map(Record::Proposal))
        .map(|record| record.encode().to_vec())
        .collect()
}

pub(crate) fn card(bytes: &[u8]) {
    let _ = Card::open(bytes, &account());
    if let Ok(card) = Card::reopen(bytes) {
        let signed = card.sign(&device(1));
        assert!(signed.is_ok_and(|signed| Card::reopen(&signed) == Ok(card)), "a card that was read can be signed");
    }
}

pub(crate) fn cards() -> Vec<Vec<u8>> {
    let card = relay().map(|relay| Card {
        account: account().id(),
        name: "Alice".to_owned(),
        relay,
        mailbox: MAILBOX,
        shelf: LogId([3; 32]),
        ticket: ticket(),
        shelf_key: shelf_key(),
        hpke: vec![6; 1216],
        at: NOW,
        later: Later::default(),
    });
    card.and_then(|card| card.sign(&device(1)).ok()).into_iter().collect()
}

pub(crate) fn shelf_item(bytes: &[u8]) {
    let _ = ShelfItem::open(&shelf_key(), &LogId([3; 32]), &account().id(), bytes);
    // What whoever has the link can put behind the seal: a signature that does not hold, and a body.
    let size = (64 + bytes.len() + 1).next_multiple_of(estoile_seal::shelf_item::STEP);
    let mut packet = [[0; 64].as_slice(), bytes, &[0x80]].concat();
    packet.resize(size, 0);
    let _ = ShelfItem::open_packet(&packet, &account().id());
}

pub(crate) fn shelf_items() -> Vec<Vec<u8>> {
    let item = ShelfItem {
        chain: account(),
        name: "Alice".to_owned(),
        hpke: vec![6; 32],
        key_packages: vec![vec![7; 90], vec![8; 40]],
        device: device(1).public(),
        later: Later::default(),
    };
    let sealed = item.seal(&shelf_key(), &LogId([3; 32]), &device(1), &mut rng()).ok();
    // The body alone: {version, chain, name, HPKE key, key packages, device}.
    let chain = account().encode();
    let mut body = vec![0xa6, 0, 1, 1, 0x58, u8::try_from(chain.len()).unwrap_or_default()];
    if chain.len() > 255 {
        body = vec![0xa6, 0, 1, 1, 0x59, u8::try_from(chain.len() >> 8).unwrap_or_default()];
        body.push(u8::try_from(chain.len() & 0xff).unwrap_or_default());
    }
    body.extend(chain);
    body.extend([2, 0x61, b'A', 3, 0x58, 32]);
    body.extend([6; 32]);
    body.extend([4, 0x81, 0x43, 1, 2, 3, 5, 0x58, 32]);
    body.extend(device(1).public().0);
    sealed.into_iter().chain([body]).collect()
}

pub(crate) fn mailbox_letter(bytes: &[u8]) {
    let _ = mailbox::claimed_sender(bytes);
    for known in [None, Some(account())] {
        let _ = Letter::open(bytes, &ME, known.as_ref());
    }
}

pub(crate) fn mailbox_letters() -> Vec<Vec<u8>> {
    let blob = BlobRef { hash: [1; 32], key: [2; 32], size: 50_000 };
    let welcome = |welcome: WelcomeBytes| {
        let (name, log) = ("lobby".to_owned(), LogId([4; 32]));
        relay().map(|relay| {
            Kind::Welcome(Box::new(mailbox::Welcome { name, log, relay, welcome, cursor: 9, later: Later::default() }))
        })
    };
    let kinds = [
        Kind::Request { card: vec![1; 40], text: "hello".to_owned() },
        Kind::Chain,
        Kind::Ticket(ticket()),
        Kind::Views,
    ];
    let welcomes = [welcome(WelcomeBytes::Inline(vec![1; 40])), welcome(WelcomeBytes::Blob(blob))];
    let whole = ChainPart::Whole(account());
    let tail = grown().get(1).map(|chain| ChainPart::Tail { account: chain.id(), len: 1, entries: chain.tail(1) });
    let mut made = vec![];
    for kind in kinds.into_iter().chain(welcomes.into_iter().flatten()) {
        for from in [Some(whole.clone()), tail.clone()].into_iter().flatten() {
            let views = vec![View { tag: [1; 8], epoch: 2, check: [3; 16] }];
            let letter =
                Letter { from, device: device(1).public(), kind: kind.clone(), views, sent_at: NOW, id: [7; 16] };
            made.extend(letter.sign(&ME, &device(1)).ok().map(|packet| packet.to_vec()));
        }
    }
    made
}

pub(crate) fn mailbox_body(bytes: &[u8]) {
    let _ = (mailbox::tag_of(bytes), mailbox::unwrap(&ticket(), &MAILBOX, bytes));
}

pub(crate) fn mailbox_bodies() -> Vec<Vec<u8>> {
    vec![mailbox::wrap(&ticket(), &MAILBOX, b"sealed with HPKE", &mut rng())]
}

fn link_secret() -> DeviceSecret {
    DeviceSecret::from_bytes([9; 32])
}

fn inviter() -> Inviter {
    Inviter::new(&link_secret(), &account(), &device(1).public(), NOW, &mut rng())
}

fn joiner() -> Joiner {
    Joiner::new(&link_secret(), &device(2), vec![6; 32], "Phone".to_owned(), NOW, &mut rng())
}

pub(crate) fn device_message(bytes: &[u8]) {
    let _ = link_secret().open(bytes);
    let Ok(message) = Message::decode(bytes) else { return };
    assert!(
        Message::decode(&message.encode()).is_ok_and(|again| again == message),
        "a message is read as it is written"
    );
    // Whatever comes first, and then again in the middle of a handshake.
    let (mut old, mut new) = (inviter(), joiner());
    let _ = (old.receive(&message, NOW), new.receive(&message, NOW));
    let (mut old, mut new) = (inviter(), joiner());
    if let Ok(InviterStep::Send(offer)) = old.receive(&new.hello(), NOW) {
        let _ = new.receive(&offer, NOW);
        let _ = (old.receive(&message, NOW), new.receive(&message, NOW));
    }
}

pub(crate) fn device_messages() -> Vec<Vec<u8>> {
    let (mut old, mut new) = (inviter(), joiner());
    let mut made = vec![new.hello(), Message::Refused(Why::No)];
    if let Ok(InviterStep::Send(offer)) = old.receive(&new.hello(), NOW) {
        if let Ok(JoinerStep::Show { message, .. }) = new.receive(&offer, NOW) {
            let _ = old.receive(&message, NOW);
            made.push(message);
        }
        made.push(offer);
    }
    made.extend(old.accept(&account(), &device(1), NOW).ok().map(|taken| taken.grant(vec![1; 60], &device(1))));
    made.iter().map(Message::encode).collect()
}

pub(crate) fn device_granted(bytes: &[u8]) {
    if let Ok(granted) = Granted::decode(bytes) {
        assert_eq!(granted.encode().as_slice(), bytes, "a grant has one encoding");
    }
}

pub(crate) fn device_grants() -> Vec<Vec<u8>> {
    let chain = grown().into_iter().nth(1);
    let generation = words().generation(0);
    let part = PartRef { hash: [3; 32], size: 70_000 };
    let history = Some(Offer { key: HistoryKey::from_bytes([4; 32]), messages: 1_204, parts: vec![part] });
    let plain = chain.zip(relay()).map(|(chain, relay)| Granted {
        chain,
        generation,
        relay,
        history: None,
        later: Later::default(),
    });
    let full = plain.clone().map(|granted| Granted { history, ..granted });
    plain.iter().chain(&full).map(|granted| granted.encode().to_vec()).collect()
}

pub(crate) fn link(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(link) = AnyLink::from_str(&text) {
        let written = match &link {
            AnyLink::Room(link) => link.to_string(),
            AnyLink::Relay(link) => link.to_string(),
            AnyLink::Contact(link) => link.to_string(),
            AnyLink::PrivateRoom(link) => link.to_string(),
            AnyLink::Device(link) => link.to_string(),
        };
        assert!(AnyLink::from_str(&written).is_ok_and(|again| again == link), "a link reads what it writes");
    }
}

pub(crate) fn links() -> Vec<Vec<u8>> {
    use estoile_seal::link::{ContactLink, DeviceLink, RoomLink};
    let Some(relay) = relay() else { return vec![] };
    let contact = ContactLink {
        relay: relay.clone(),
        account: ME,
        mailbox: MAILBOX,
        shelf: LogId([3; 32]),
        ticket: ticket(),
        shelf_key: shelf_key(),
    };
    let room =
        RoomLink { relay: relay.clone(), name: "café".to_owned(), door: LogId([7; 32]), ticket: ticket(), id: [1; 8] };
    let device = DeviceLink { relay, secret: link_secret() };
    [contact.to_string(), room.to_string(), device.to_string()].map(String::into_bytes).to_vec()
}

pub(crate) fn verify_code(bytes: &[u8]) {
    if let Ok(code) = Code::from_str(&String::from_utf8_lossy(bytes)) {
        assert!(Code::from_str(&code.to_string()).is_ok_and(|again| again == code), "a code reads what it writes");
        let _ = code.compare(&account(), &account(), &[]);
    }
}

pub(crate) fn verify_codes() -> Vec<Vec<u8>> {
    let views = vec![View { tag: [1; 8], epoch: 2, check: [3; 16] }];
    [Code::new(&account(), Some(&account()), views), Code::new(&account(), None, vec![])]
        .map(|code| code.to_string().into_bytes())
        .to_vec()
}
