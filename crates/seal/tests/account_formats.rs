//! Frozen answers of accounts: a later version that computes other ones would lock people out of what is theirs.
//!
//! The same values follow from `docs/seal.md`, sections 12 to 19.
#![expect(clippy::unwrap_used, reason = "a test: what is missing must stop it")]

use estoile_seal::SenderKey;
use estoile_seal::account::chain::sign_join;
use estoile_seal::account::{AccountId, Chain, Generation, Proposal, Record, Recovery, Signer};
use estoile_seal::card::Card;
use estoile_seal::device_link::{DeviceSecret, Inviter, InviterStep, Joiner, JoinerStep};
use estoile_seal::link::{ContactLink, DeviceLink, RelayUrl, RoomLink};
use estoile_seal::mailbox::{self, ChainPart, Kind, Letter};
use estoile_seal::shelf_item::{ShelfItem, ShelfKey};
use estoile_seal::ticket::TicketSecret;
use estoile_seal::verify::{Code, safety_number, safety_words};
use estoile_wire::LogId;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(0)
}

/// 00 01 02 … 1f.
fn recovery() -> Recovery {
    Recovery::from_entropy(core::array::from_fn(|i| u8::try_from(i).unwrap()))
}

fn device(seed: u8) -> SenderKey {
    SenderKey::from_seed(&[seed; 32])
}

const AT: u64 = 1_760_000_000_000;

/// Four devices come, the third is removed by the first and the second, the words are replaced.
fn chain() -> Chain {
    let root = recovery().root();
    let mut chain = Chain::create(&root, &device(0xa1), AT);
    for seed in [0xa2, 0xa3, 0xa4] {
        let proof = sign_join(&chain.id(), &chain.head(), &device(seed));
        chain = chain.add_device(&Signer::Device(&device(0xa1)), &device(seed).public(), &proof, AT + 1).unwrap();
    }
    let proposal = Proposal::sign(&chain, &device(0xa1), &device(0xa3).public(), AT + 2).unwrap();
    let chain = proposal.complete(&chain, &device(0xa2)).unwrap();
    let chain = chain.remove_device(&Signer::Device(&device(0xa4)), &device(0xa4).public(), AT + 3).unwrap();
    chain.rotate(&root, &Recovery::from_entropy([0x77; 32]).root(), AT + 4).unwrap()
}

/// An account of one device, which fits on a line.
fn young() -> Chain {
    Chain::create(&recovery().root(), &device(0xa1), AT)
}

fn relay() -> RelayUrl {
    "https://relay.example.org:7070/#e//d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3c".parse().unwrap()
}

fn ticket() -> TicketSecret {
    TicketSecret::from_bytes([0x55; 32])
}

fn card() -> Card {
    Card {
        account: young().id(),
        name: "Alice".to_owned(),
        relay: relay(),
        mailbox: LogId([0x22; 32]),
        shelf: LogId([0x33; 32]),
        ticket: ticket(),
        shelf_key: ShelfKey::from_bytes([0x44; 32]),
        hpke: vec![0x66; 32],
        at: AT,
        later: estoile_seal::Later::default(),
    }
}

fn letter() -> Letter {
    Letter {
        from: ChainPart::Whole(young()),
        device: device(0xa1).public(),
        kind: Kind::Request { card: vec![1, 2, 3], text: "Hello, Bob".to_owned() },
        views: vec![],
        sent_at: AT,
        id: [0x88; 16],
    }
}

fn item() -> ShelfItem {
    ShelfItem {
        chain: young(),
        name: "Alice".to_owned(),
        hpke: vec![0x66; 32],
        key_packages: vec![vec![1, 2, 3]],
        device: device(0xa1).public(),
        later: estoile_seal::Later::default(),
    }
}

/// The words of a handshake whose nonces are the first bytes of the random generator.
fn device_words() -> String {
    let secret = DeviceSecret::from_bytes([0x99; 32]);
    let mut old = Inviter::new(&secret, &young(), &device(0xa1).public(), AT, &mut rng());
    let mut new = Joiner::new(&secret, &device(0xa2), vec![0x66; 32], "Phone".to_owned(), AT, &mut rng());
    let Ok(InviterStep::Send(offer)) = old.receive(&new.hello(), AT) else { return String::new() };
    let Ok(JoinerStep::Show { message, words }) = new.receive(&offer, AT) else { return String::new() };
    let Ok(InviterStep::Ask { words: asked, .. }) = old.receive(&message, AT) else { return String::new() };
    if asked == words { words } else { String::new() }
}

/// What this version computes, in the document's order.
fn answers() -> Vec<(&'static str, String)> {
    let generation: Generation = recovery().generation(1);
    let contact = ContactLink {
        relay: relay(),
        account: young().id(),
        mailbox: LogId([0x22; 32]),
        shelf: LogId([0x33; 32]),
        ticket: ticket(),
        shelf_key: ShelfKey::from_bytes([0x44; 32]),
    };
    let room =
        RoomLink { relay: relay(), name: "Grüße".to_owned(), door: LogId([0x22; 32]), ticket: ticket(), id: [9; 8] };
    let link = DeviceLink { relay: relay(), secret: DeviceSecret::from_bytes([0x99; 32]) };
    let peer = AccountId([0x0b; 32]);
    let sealed = generation.seal(7, &Record::Blob { hash: [0x12; 32], size: 50_000 }, &mut rng()).unwrap();
    let packet = letter().sign(&peer, &device(0xa1)).unwrap();
    let shelf = item().seal(&ShelfKey::from_bytes([0x44; 32]), &LogId([0x33; 32]), &device(0xa1), &mut rng()).unwrap();
    let hashed = |bytes: &[u8]| hex(&<sha2::Sha256 as sha2::Digest>::digest(bytes));
    vec![
        ("recovery words", recovery().words().to_string()),
        ("root public key", hex(&recovery().root().public().0)),
        ("generation 1 secret", hex(generation.secret())),
        ("generation 1 log id", hex(&generation.log_id().0)),
        ("generation 1 access public key of epoch 7", hex(&generation.access(7).public().0)),
        ("account id", hex(&young().id().0)),
        ("chain of one entry", hex(&young().encode())),
        ("head of one entry", hex(&young().head())),
        ("SHA-256 of the chain of seven", hashed(&chain().encode())),
        ("head of seven", hex(&chain().head())),
        ("record text", hex(&Record::Blob { hash: [0x12; 32], size: 50_000 }.encode())),
        ("SHA-256 of the sealed record", hashed(&sealed)),
        ("relay ticket", hex(&ticket().relay_ticket())),
        ("ticket hash", hex(&ticket().relay_hash())),
        ("ticket tag", hex(&ticket().tag())),
        ("ticket seal key", hex(&*ticket().seal_key())),
        ("signed card", hex(&card().sign(&device(0xa1)).unwrap())),
        ("contact link", contact.to_string()),
        ("room link", room.to_string()),
        ("device link", link.to_string()),
        ("SHA-256 of the letter's packet", hashed(&packet)),
        ("wrapped", hex(&mailbox::wrap(&ticket(), &LogId([0x22; 32]), b"HPKE", &mut rng()))),
        ("SHA-256 of the sealed item", hashed(&shelf)),
        ("safety number", safety_number(&young().id(), &peer)),
        ("safety words", safety_words(&young().id(), &peer).unwrap()),
        ("verify code", Code::new(&young(), None, vec![]).to_string()),
        ("device words", device_words()),
    ]
}

#[test]
fn the_document_has_the_same_answers() {
    let document = include_str!("../../../docs/seal.md");
    let block = document.split_once("```account-answers\n").unwrap().1.split_once("```").unwrap().0;
    let documented: Vec<(&str, String)> = block
        .lines()
        .map(|line| line.split_once(": ").unwrap())
        .map(|(what, value)| (what, value.to_owned()))
        .collect();
    let ours = answers();
    let written: String = ours.iter().map(|(what, value)| format!("{what}: {value}\n")).collect();
    assert_eq!(documented, ours, "what this version computes:\n{written}");
}

#[test]
fn what_the_answers_name_can_be_read() {
    assert!(Chain::verify(&chain().encode()).unwrap() == chain());
    assert_eq!((chain().len(), chain().devices().len()), (7, 2));
    let signed = card().sign(&device(0xa1)).unwrap();
    assert!(Card::open(&signed, &young()).unwrap() == card());
    let packet = letter().sign(&AccountId([0x0b; 32]), &device(0xa1)).unwrap();
    assert!(Letter::open(&packet, &AccountId([0x0b; 32]), None).unwrap().letter == letter());
}
