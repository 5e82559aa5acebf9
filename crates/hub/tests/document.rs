//! docs/protocol.md's worked example is what this code makes and takes: hashes, signed bytes and signatures.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test: what is missing must stop it")]

mod common;

use std::collections::BTreeMap;
use std::convert::Infallible;

use common::*;
use estoile_hub::config::Config;
use estoile_hub::hub::Hub;
use estoile_hub::memory::MemoryStore;
use estoile_hub::rules::{Entry, Identity, Rules};
use estoile_wire::frame::*;
use estoile_wire::id::{CertificateHash, LogKind, Nonce};
use estoile_wire::{ClientFrame, RelayFrame, RelayKeyHash, proof};
use rand_core::{TryCryptoRng, TryRng};

const DOCUMENT: &str = include_str!("../../../docs/protocol.md");

/// "Random" bytes of the example.
struct Fours;

impl TryRng for Fours {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(0x0404_0404)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(0x0404_0404_0404_0404)
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        dst.fill(4);
        Ok(())
    }
}

impl TryCryptoRng for Fours {}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[test]
fn the_worked_example_is_what_the_code_makes() {
    let certificate = CertificateHash([5; 32]);
    let identity = Identity::new(&[1; 32], Some(certificate));
    let (relay_key, room) = (identity.public(), Room::new(2));
    let rules = Rules { config: Config::default(), identity, entry: Entry::Open };
    let mut hub = Hub::start(START, rules, MemoryStore::new()).unwrap();
    let session = hub.connect(START, &mut Fours).unwrap();

    let (challenge, nonce) = (Nonce([3; 32]), Nonce([4; 32]));
    let hello = ClientFrame::Hello(Hello { versions: vec![1], challenge });
    let _ = hub.receive(START, session, &hello.encode());
    let answers = hub.take(START, session, 9);
    let [RelayFrame::Welcome(welcome)] = &decoded(&answers)[..] else { unreachable!() };
    assert_eq!((welcome.nonce, welcome.certificate), (nonce, Some(certificate)));

    let create_bytes = proof::create(&relay_key, &nonce, LogKind::Fixed, &room.key(), 86_400, 0);
    let attach_bytes = proof::attach(&relay_key, &nonce, &room.log(), 0);
    let (create_signature, attach_signature) = (room.sign(&create_bytes), room.sign(&attach_bytes));
    let frames = [
        ClientFrame::Create(Create {
            request: 1,
            kind: 0,
            access_key: room.key(),
            max_ttl: 86_400,
            quota: 0,
            signature: create_signature,
            entry: None,
        }),
        ClientFrame::Attach(Attach {
            request: 2,
            log: room.log(),
            epoch: 0,
            after: 0,
            signature: attach_signature,
            newest: None,
        }),
    ];
    for frame in &frames {
        let _ = hub.receive(START, session, &frame.encode());
        hub.commit(START).unwrap();
    }
    let answers = hub.take(START, session, 9);
    assert!(matches!(decoded(&answers)[..], [RelayFrame::Created(_), RelayFrame::Attached(_), RelayFrame::Live(_)]));

    let ours: BTreeMap<&str, String> = BTreeMap::from([
        ("relay key", hex(&relay_key.0)),
        ("relay key hash", hex(&RelayKeyHash::of(&relay_key).0)),
        ("access key", hex(&room.key().0)),
        ("log id", hex(&room.log().0)),
        ("welcome bytes", hex(&proof::welcome(&challenge, &nonce, START, Some(&certificate)))),
        ("welcome signature", hex(&welcome.signature.0)),
        ("create bytes", hex(&create_bytes)),
        ("create signature", hex(&create_signature.0)),
        ("attach bytes", hex(&attach_bytes)),
        ("attach signature", hex(&attach_signature.0)),
    ]);
    let lines: Vec<String> = ours.iter().map(|(name, hex)| format!("{name}: {hex}")).collect();
    let block = DOCUMENT.split_once("```worked-example\n").unwrap().1.split_once("\n```").map_or("", |b| b.0);
    assert!(block == lines.join("\n"), "the document and the code differ; the code makes:\n{}\n", lines.join("\n"));
}
