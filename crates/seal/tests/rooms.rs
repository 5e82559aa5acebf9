//! Frozen answers for private rooms: what `docs/seal.md` says from its section 20 on, computed anew and compared.
#![expect(clippy::unwrap_used, reason = "a test: what is missing must stop it")]

use estoile_seal::SenderKey;
use estoile_seal::account::recovery::Recovery;
use estoile_seal::account::{self, AccountId, Chain};
use estoile_seal::door::{Answer, AtDoor, DoorKeys, Knock, Why, id16};
use estoile_seal::letter::{Letter, Private, Reference, Written};
use estoile_seal::moving::{self, Announcement};
use estoile_seal::roster::{Door, Leaf, Member, MovedFrom, Policy, Role, RoomLink, Roster, ViewKey};
use estoile_seal::signal::{SignalKind, SignalMessage};
use estoile_seal::ticket::TicketSecret;
use estoile_seal::views::View;
use estoile_seal::{mimi, views};
use estoile_wire::id::Nonce;
use estoile_wire::{LogId, PublicKey};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

const LOG: LogId = LogId([0x10; 32]);
const NOW: u64 = 1_760_000_000_123;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().map(|c| u8::try_from(c.to_digit(16).unwrap()).unwrap()).collect();
    digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect()
}

/// What the document says under this name.
fn answer(name: &str) -> String {
    let document = include_str!("../../../docs/seal.md");
    let section = document.split_once("## 28. Answers to check private rooms by").unwrap().1;
    let block = section.split_once("```answers\n").unwrap().1.split_once("```").unwrap().0;
    let line = block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    assert!(line.is_some(), "the document has no answer named {name}");
    line.unwrap().to_owned()
}

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(0)
}

fn alice() -> SenderKey {
    SenderKey::from_seed(&[0xa1; 32])
}

fn view() -> View {
    View::make(&[0x47; 32], 5, &[0xaa; 48])
}

fn letter() -> Letter {
    Letter {
        content: Some(mimi::text("Grüße, *Bob*", [0x5a; 16])),
        counter: 3,
        parents: vec![Reference {
            hash: [0x11; 32],
            sender: PublicKey([0x22; 32]),
            counter: 2,
            epoch: 4,
            sent_at: 1_759_999_999_000,
            ends_at: None,
        }],
        sent_at: NOW,
        ttl: Some(86_400),
        name: String::new(),
        sender: alice().public(),
        private: Some(Private { chain_length: 3, chain_head: [0x77; 32], views: vec![view()] }),
    }
}

fn roster() -> Roster {
    Roster {
        name: "Study".to_owned(),
        policy: Policy { add: Role::Member, remove: Role::Admin, rename: Role::Owner },
        members: [
            (AccountId([0x31; 32]), Member { role: Role::Owner, since: 0 }),
            (AccountId([0x32; 32]), Member { role: Role::Member, since: 4 }),
        ]
        .into(),
        links: vec![RoomLink { id: [0x40; 8], uses: 3, expires: NOW, by: AccountId([0x31; 32]) }],
        door: Door { access_seed: [0x44; 32], ticket: [0x45; 32], seal_key: [0x46; 32] },
        view_key: ViewKey([0x47; 32]),
        max_ttl: 86_400,
        moved_from: Some(MovedFrom { log: LogId([0x48; 32]), epoch: 9 }),
    }
}

fn door() -> DoorKeys {
    DoorKeys::from(&roster().door)
}

fn relay() -> estoile_seal::link::RelayUrl {
    format!("https://relay.example.org:7070/#e//{}", "d3".repeat(21) + "c").parse().unwrap()
}

fn knock() -> Knock {
    Knock {
        why: Why::Link([0x40; 8]),
        chain: Chain::create(&Recovery::from_entropy([0xc1; 32]).root(), &alice(), NOW),
        name: "Alice".to_owned(),
        device: alice().public(),
        key_packages: vec![b"key package".to_vec()],
        answer: Answer {
            relay: relay(),
            mailbox: LogId([0x51; 32]),
            ticket: TicketSecret::from_bytes([0x52; 32]),
            hpke: vec![0x53; 32],
        },
        sent_at: NOW,
    }
}

fn announcement() -> Announcement {
    Announcement {
        from: MovedFrom { log: LOG, epoch: 5 },
        check: view().check,
        relay: relay(),
        log: LogId([0x61; 32]),
        door: account::Door { log: LogId([0x62; 32]), ticket: TicketSecret::from_bytes([0x63; 32]) },
        name: "Study".to_owned(),
        suite: 0x004e,
        people: vec![AccountId([0x31; 32]), AccountId([0x32; 32])],
        link: None,
        by: AccountId([0x31; 32]),
        chain: None,
        sent_at: NOW,
    }
}

#[test]
fn a_private_letter_has_these_bytes_and_this_hash() {
    let written = letter().write_private(&LOG).unwrap();
    assert_eq!(hex(&written.to_bytes()), answer("private packet"));
    assert_eq!(hex(&written.hash()), answer("private letter hash"));
    assert_eq!(hex(&written.id16().0), answer("private letter id16"));
    assert_eq!(hex(&letter().message_id(&LOG).unwrap().0), answer("private message id"));
    let bytes = unhex(&answer("private packet"));
    let (_, read) = Written::from_private_bytes(&LOG, alice().public(), &bytes).unwrap();
    assert!(read == letter());
}

#[test]
fn a_signal_of_an_epoch_is_sealed_like_this() {
    let kind = SignalKind::Missing { author: PublicKey([0x22; 32]), hashes: vec![[0x11; 32]] };
    let signal = SignalMessage { kind, name: "Alice".to_owned(), sender: alice().public(), sent_at: NOW };
    let sealed = unhex(&answer("private signal"));
    assert!(SignalMessage::open_under(&[0x49; 32], &LOG, &sealed).unwrap() == signal);
    assert_eq!(signal.seal_under(&[0x49; 32], &LOG, &alice(), &mut rng()).unwrap(), sealed);
}

#[test]
fn a_roster_has_these_bytes() {
    assert_eq!(hex(&roster().encode()), answer("roster"));
    assert!(Roster::decode(&unhex(&answer("roster"))).unwrap() == roster());
}

#[test]
fn a_view_says_this() {
    assert_eq!(hex(&view().tag), answer("view tag"));
    assert_eq!(hex(&view().check), answer("view check"));
    let mut e = minicbor::Encoder::new(Vec::new());
    views::put(&mut e, &[view()]).unwrap();
    assert_eq!(hex(&e.into_writer()), answer("views"));
}

#[test]
fn a_door_has_this_log_and_opens_this_knock() {
    assert_eq!(hex(&door().log().0), answer("door log"));
    assert_eq!(hex(&door().access().public().0), answer("door access key"));
    let attach = door().sign_attach(&PublicKey([0x33; 32]), &Nonce([0x44; 32]));
    assert_eq!(hex(&attach.0), answer("door attach signature"));
    let sealed = unhex(&answer("knock"));
    assert!(door().open(&[], &sealed).unwrap() == AtDoor::Knock(Box::new(knock())));
    assert_eq!(knock().seal(&door().address(), &alice(), &mut rng()).unwrap(), sealed);
    assert_eq!(hex(&id16(&sealed).0), answer("knock id16"));
}

#[test]
fn a_move_is_announced_like_this() {
    let signed = announcement().sign(&alice()).unwrap();
    assert_eq!(hex(&signed), answer("announcement"));
    let leaf = Leaf { account: AccountId([0x31; 32]), device: alice().public() };
    let told = unhex(&answer("told at the door"));
    assert!(door().open(&[leaf], &told).unwrap() == AtDoor::Moved(Box::new(announcement())));
    assert_eq!(door().tell(&signed, &mut rng()).unwrap(), told);
    let content = moving::content(vec![1, 2, 3], [0x5a; 16]);
    assert_eq!(hex(&content.encode()), answer("content of a move"));
}
