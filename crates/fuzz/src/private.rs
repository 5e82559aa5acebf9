//! What private rooms read of peers: letters behind MLS, rosters, what is put at doors, announcements of moves, views.

use estoile_seal::account::{self, AccountId, Chain, Recovery};
use estoile_seal::door::{Answer, DoorKeys, Knock, Why};
use estoile_seal::letter::{Letter, Private, SenderKey, Written};
use estoile_seal::mimi;
use estoile_seal::moving::Announcement;
use estoile_seal::roster::{Door, MovedFrom, Role, Roster};
use estoile_seal::ticket::TicketSecret;
use estoile_seal::views::{Remembered, View};
use estoile_wire::{LogId, PublicKey};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use crate::corpus::NOW;

const LOG: LogId = LogId([7; 32]);
const SENDER: PublicKey = PublicKey([1; 32]);

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(12)
}

fn device() -> SenderKey {
    SenderKey::from_seed(&[3; 32])
}

/// The door whose keys the fuzzer has.
fn door() -> DoorKeys {
    DoorKeys::from(&Door { access_seed: [1; 32], ticket: [2; 32], seal_key: [3; 32] })
}

fn chain() -> Chain {
    Chain::create(&Recovery::from_entropy([4; 32]).root(), &device(), NOW)
}

pub(crate) fn letter(bytes: &[u8]) {
    if let Ok((written, _)) = Written::from_private_bytes(&LOG, SENDER, bytes) {
        assert_eq!(written.to_bytes(), bytes, "a private letter has one encoding");
    }
}

pub(crate) fn roster(bytes: &[u8]) {
    if let Ok(roster) = Roster::decode(bytes) {
        assert_eq!(roster.encode(), bytes, "a roster has one encoding");
    }
}

pub(crate) fn at_door(bytes: &[u8]) {
    let _ = door().open(&[], bytes);
}

pub(crate) fn announcement(bytes: &[u8]) {
    let _ = (Announcement::open_with_chain(bytes), Announcement::open_among(bytes, &[]));
}

pub(crate) fn remembered(bytes: &[u8]) {
    if let Some(views) = Remembered::from_bytes(bytes) {
        assert!(Remembered::from_bytes(&views.to_bytes()) == Some(views), "views are read as they were written");
    }
}

fn view(epoch: u64) -> View {
    View::make(&[5; 32], epoch, b"authenticator")
}

pub(crate) fn letters() -> Vec<Vec<u8>> {
    let letter = |views: Vec<View>, text: Option<&str>| Letter {
        content: text.map(|text| mimi::text(text, [1; 16])),
        counter: 2,
        parents: Vec::new(),
        sent_at: NOW,
        ttl: None,
        name: String::new(),
        sender: SENDER,
        private: Some(Private { chain_length: 2, chain_head: [6; 32], views }),
    };
    let mut first = letter(vec![view(1)], Some("hello"));
    first.parents = vec![first.reference([9; 32], 3)];
    first.counter = 3;
    let all = [first, letter(vec![], None), letter(vec![view(2)], None)];
    all.iter().filter_map(|l| l.write_private(&LOG).ok()).map(|w| w.to_bytes()).collect()
}

pub(crate) fn rosters() -> Vec<Vec<u8>> {
    let from = MovedFrom { log: LOG, epoch: 3 };
    let Ok(small) = Roster::found("Study", AccountId([1; 32]), 86_400, None, &mut rng()) else { return Vec::new() };
    let moved = Roster { moved_from: Some(from), ..small.clone() };
    let with = moved.with_member(AccountId([2; 32]), Role::Admin, 1);
    let linked = with.and_then(|r| r.with_link(AccountId([2; 32]), 5, NOW, &mut rng()));
    [Some(small), Some(moved), linked.ok().map(|(r, _)| r)].into_iter().flatten().map(|r| r.encode()).collect()
}

fn announced() -> Option<Announcement> {
    Some(Announcement {
        from: MovedFrom { log: LOG, epoch: 0 },
        check: [0; 16],
        relay: format!("https://example.org:7070/#e//{}", "A".repeat(43)).parse().ok()?,
        log: LogId([8; 32]),
        door: account::Door { log: LogId([9; 32]), ticket: TicketSecret::from_bytes([1; 32]) },
        name: "Study".to_owned(),
        suite: 1,
        people: vec![AccountId([1; 32])],
        link: Some([2; 8]),
        by: chain().id(),
        chain: Some(chain()),
        sent_at: NOW,
    })
}

pub(crate) fn announcements() -> Vec<Vec<u8>> {
    announced().and_then(|a| a.sign(&device()).ok()).into_iter().collect()
}

pub(crate) fn door_bodies() -> Vec<Vec<u8>> {
    let Some(announcement) = announced() else { return Vec::new() };
    let answer = Answer {
        relay: announcement.relay.clone(),
        mailbox: LOG,
        ticket: TicketSecret::from_bytes([3; 32]),
        hpke: vec![4; 32],
    };
    let knock = Knock {
        why: Why::Back,
        chain: chain(),
        name: "Dora".to_owned(),
        device: device().public(),
        key_packages: vec![vec![5; 99]],
        answer,
        sent_at: NOW,
    };
    let told = announcements().first().and_then(|signed| door().tell(signed, &mut rng()).ok());
    knock.seal(&door().address(), &device(), &mut rng()).into_iter().chain(told).collect()
}

pub(crate) fn views() -> Vec<Vec<u8>> {
    let mut remembered = Remembered::default();
    (0..3).for_each(|epoch| remembered.note(view(epoch)));
    vec![Remembered::default().to_bytes(), remembered.to_bytes()]
}
