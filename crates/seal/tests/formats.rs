//! Frozen answers: a later version that computes other ones would lock people out of their rooms and vaults.
//!
//! The same values follow from `docs/seal.md` alone; its rules are numbered there.
#![expect(clippy::unwrap_used, reason = "a test: what is missing must stop it")]

use estoile_seal::SenderKey;
use estoile_seal::letter::{self, Letter, Reference, id16};
use estoile_seal::link::{Link, LinkKind};
use estoile_seal::mimi;
use estoile_seal::passphrase;
use estoile_seal::quick::{LABEL_ACCESS, LABEL_FERNET, LABEL_SIGNAL, RoomKeys, RoomSecret};
use estoile_seal::signal::{SignalKind, SignalMessage};
use estoile_seal::vault_key::VaultKey;
use estoile_wire::PublicKey;
use estoile_wire::id::Nonce;
use hkdf::Hkdf;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use sha2::Sha256;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().map(|c| u8::try_from(c.to_digit(16).unwrap()).unwrap()).collect();
    digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect()
}

/// The secret of all these examples: 00 01 02 … 1f.
fn secret() -> RoomSecret {
    RoomSecret::from_bytes(core::array::from_fn(|i| u8::try_from(i).unwrap()))
}

fn alice() -> SenderKey {
    SenderKey::from_seed(&[0xa1; 32])
}

fn letter() -> Letter {
    Letter {
        content: Some(mimi::text("Grüße, *Bob*", [0x5a; 16])),
        counter: 3,
        parents: vec![Reference {
            hash: [0x11; 32],
            sender: PublicKey([0x22; 32]),
            counter: 2,
            epoch: 0,
            sent_at: 1_759_999_999_000,
            ends_at: None,
        }],
        sent_at: 1_760_000_000_123,
        ttl: Some(86_400),
        name: "Alice".to_owned(),
        sender: alice().public(),
        private: None,
    }
}

#[test]
fn a_secret_derives_these_keys() {
    let hkdf = Hkdf::<Sha256>::new(None, secret().as_bytes());
    let expand = |label: &[u8]| {
        let mut key = [0; 32];
        hkdf.expand(label, &mut key).unwrap();
        hex(&key)
    };
    assert_eq!(expand(LABEL_FERNET), FERNET_KEY);
    assert_eq!(expand(LABEL_ACCESS), ACCESS_SEED);
    assert_eq!(expand(LABEL_SIGNAL), SIGNAL_KEY);
    let keys = RoomKeys::derive(&secret());
    assert_eq!(hex(&keys.access_public().0), ACCESS_PUBLIC);
    assert_eq!(hex(&keys.log_id().0), LOG_ID);
}

#[test]
fn access_keys_sign_these_proofs() {
    let keys = RoomKeys::derive(&secret());
    let (relay, nonce) = (PublicKey([0x33; 32]), Nonce([0x44; 32]));
    assert_eq!(hex(&keys.sign_create(&relay, &nonce, 86_400, 1 << 20).0), CREATE_SIGNATURE);
    assert_eq!(hex(&keys.sign_attach(&relay, &nonce, 0).0), ATTACH_SIGNATURE);
}

#[test]
fn a_passphrase_stretches_to_this_secret() {
    for (words, host, name) in [
        ("abacus abdomen zoology zoom clarinet", "relay.example.org:7070", "lobby"),
        (" abacus  abdomen zoology zoom\u{a0}clarinet", "Relay.Example.org:7070", " lobby "),
    ] {
        let stretched = passphrase::stretch(words, host, name).unwrap();
        assert_eq!(hex(stretched.as_bytes()), STRETCHED);
    }
}

#[test]
fn a_link_is_written_like_this() {
    let link: Link = LINK.parse().unwrap();
    assert_eq!(link.to_string(), LINK);
    assert_eq!((link.host_port().as_str(), link.name.as_str()), ("relay.example.org:7070", "Grüße 1/2"));
    assert_eq!(link.relay.0, [0x77; 32]);
    assert!(link.kind == LinkKind::Quick(secret()));
}

#[test]
fn a_letter_has_these_bytes_and_this_hash() {
    let written = letter().write(&alice(), &RoomKeys::derive(&secret()).log_id()).unwrap();
    assert_eq!(hex(written.bytes()), LETTER);
    assert_eq!(hex(&written.signature().unwrap().0), LETTER_SIGNATURE);
    assert_eq!(hex(&written.hash()), LETTER_HASH);
    assert_eq!(hex(&written.id16().0), LETTER_ID16);
    assert_eq!(written.id16(), id16(&written.hash()));
}

#[test]
fn a_message_has_this_id() {
    let keys = RoomKeys::derive(&secret());
    assert_eq!(hex(&letter().message_id(&keys.log_id()).unwrap().0), MESSAGE_ID);
    let beat = Letter { content: None, ..letter() };
    assert_eq!(beat.message_id(&keys.log_id()), None);
}

#[test]
fn a_sealed_letter_of_this_version_opens() {
    let opened = letter::open(&RoomKeys::derive(&secret()), SEALED_LETTER.as_bytes()).unwrap();
    assert!(opened.letter == letter());
    assert_eq!(opened.letter.content.unwrap().text(), "Grüße, *Bob*");
    assert_eq!(hex(&opened.hash), LETTER_HASH);
}

#[test]
fn a_sealed_signal_of_this_version_opens() {
    let opened = SignalMessage::open(&RoomKeys::derive(&secret()), &unhex(SEALED_SIGNAL)).unwrap();
    assert!(opened == signal());
}

fn signal() -> SignalMessage {
    let kind = SignalKind::Missing { author: PublicKey([0x22; 32]), hashes: vec![[0x11; 32]] };
    SignalMessage { kind, name: "Alice".to_owned(), sender: alice().public(), sent_at: 1_760_000_000_123 }
}

#[test]
fn a_sealed_value_of_a_vault_opens() {
    let key = VaultKey::stretch("correct horse", &[0x66; 32]).unwrap();
    assert_eq!(hex(key.as_bytes()), VAULT_KEY);
    assert_eq!(key.open(b"room/1", &unhex(SEALED_VALUE)).unwrap().as_slice(), b"a value");
}

/// The document names the same answers: a difference means that a format changed, not that the document must follow.
#[test]
fn the_document_has_the_same_answers() {
    let document = include_str!("../../../docs/seal.md");
    let block = document.split_once("```answers\n").unwrap().1.split_once("```").unwrap().0;
    let documented: Vec<_> = block.lines().map(|line| line.split_once(": ").unwrap()).collect();
    let ours = [
        ("fernet key", FERNET_KEY),
        ("access seed", ACCESS_SEED),
        ("signal key", SIGNAL_KEY),
        ("access public key", ACCESS_PUBLIC),
        ("log id", LOG_ID),
        ("create signature", CREATE_SIGNATURE),
        ("attach signature", ATTACH_SIGNATURE),
        ("stretched passphrase", STRETCHED),
        ("link", LINK),
        ("letter", LETTER),
        ("letter signature", LETTER_SIGNATURE),
        ("letter hash", LETTER_HASH),
        ("letter id16", LETTER_ID16),
        ("message id", MESSAGE_ID),
        ("sealed letter", SEALED_LETTER),
        ("sealed signal", SEALED_SIGNAL),
        ("vault key", VAULT_KEY),
        ("sealed value", SEALED_VALUE),
    ];
    assert_eq!(documented, ours);
}

/// With equal randomness the present version writes the very same bytes.
#[test]
fn sealing_is_as_it_was() {
    let mut rng = ChaCha20Rng::seed_from_u64(0);
    let keys = RoomKeys::derive(&secret());
    let written = letter().write(&alice(), &keys.log_id()).unwrap();
    assert_eq!(String::from_utf8(letter::seal(&keys, &written, &mut rng)).unwrap(), SEALED_LETTER);
    assert_eq!(hex(&signal().seal(&keys, &alice(), &mut rng).unwrap()), SEALED_SIGNAL);
    let key = VaultKey::stretch("correct horse", &[0x66; 32]).unwrap();
    assert_eq!(hex(&key.seal(b"room/1", b"a value", &mut rng)), SEALED_VALUE);
}

const FERNET_KEY: &str = "3e602e5ec7cd103a4132612bc62280f778529c1c205f9d78f672e873f4496318";
const ACCESS_SEED: &str = "ead1808908b4f9d0d12a9f61748d7f12625efff0864eeac0282e51c5c0c7f9e6";
const SIGNAL_KEY: &str = "ba3803d472e343aa5133c10a3679c2c71ca1a914cf29d298dd7fb2a14fc09a9a";
const ACCESS_PUBLIC: &str = "a9191f823fbad4e8a211085797471a71a6a3d9f3a29e39a2bc6fcf538f9a2dbd";
const LOG_ID: &str = "44769fd992065aba21cb028037b8c5f1fffdf231152e24650c903397a6801ade";
const CREATE_SIGNATURE: &str = "50d465d22c46ea070f7d744ee77d4443a10f17c4ad2587ebdbc0c2110ebb56132db1543d3acd7c066b4b04b3ee504297bc526cb4fc810f2914a5bf9942d2af04";
const ATTACH_SIGNATURE: &str = "18e58eb8b78961937019b23debbec08b30fe0668036eb0a3194028462976918599ae7b050f9f651982dbfda2516b1e75a8af561fe594d10496464740126def05";
const STRETCHED: &str = "c468e884617ca7e22dc0341c9a66ad38167668c47c9710bb0b8b8f5662ac9e98";
const LINK: &str = "https://relay.example.org:7070/#q/Gr%C3%BC%C3%9Fe%201%2F2/d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3c/AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
const LETTER: &str = "a600584a87505a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5af640f6f6a085016001781e746578742f6d61726b646f776e3b76617269616e743d47464d2d4d494d494e4772c3bcc39f652c202a426f622a0103028186582011111111111111111111111111111111111111111111111111111111111111115820222222222222222222222222222222222222222222222222222222222222222202001b00000199c82cbc18f6031b00000199c82cc07b041a000151800565416c696365";
const LETTER_SIGNATURE: &str = "0050d2f17cd4bb3d2b7646db23598c83e241e16f33e72aef2d75ae0339916d270fc39e444f57ee3d4bdd4c4281e93a4fb483fc0178ca4357366f288dc622ff00";
const LETTER_HASH: &str = "147d77a5c70fbd93696fa4d05a9f1fa8b42f4826f4c0acf5f48b7778a60f2b26";
const LETTER_ID16: &str = "6a18b8bbec5f72bc7b9183d14720c008";
const SEALED_LETTER: &str = "gAAAAABo53gAsvf1gdbePAaoIv1ufoJl-xZWc8vhJck912AsYu1Ir-opoBHg3bg38INoMA55-u8KO5diCwD4RmxU5--mzxrs640pDq398h2RHRHJhLhFpicDl_MDA6KlExNsT6s94AeeiQl3rzTDnYDoOe6t3lKfCdImYX5DXp_0GxWpwmHbnZHOq5KZBjNAzcpcf6kN7TtbKzvE9PV_YenSzNSo6tNDAXo8BB8c0X7zCzFfeqjGM_AJ1J_nYR0xChudxIhsKx2KLc9WfTX63l6Sh1_Ju4Zjx8EZx2Sjb34QcXDfWSqTRLcCm5GihH2lnZkxaY4eHLnyGhuoifDrI9shU9DHpiiQ0XuNFyf4WOKgauZWVdQOohPvoC_IaQ_CcIbFFSKTBByMSZyCljh5__1tZv9QCm1nvaC5Z4uopo2CRt8yH83lFGMfrpPUwB0MAFxkmJK4if7V";
const SEALED_SIGNAL: &str = "c00f8401696a5bdc34f5a6d2ff3f922f58a28c18576b71e55385b5a3ad847dd3365d3d052d70ccf60fec73a2ad1263d7a03606498f0b0f5d23cfb68b49775ec5cd604555140268d08dd8f8d2eca926e710fbcaa706fdb78bfc776685fe1fdbc94121a15ec357106883c0802ac47eb3ef345f808de94a2328d7bc219525de55a9afdd493471c2b143c64dfeaffcf7373a256869c4c12648956b6a031dd59f080c6a0a91665c7a87a744dc89efd80a67b3a6182b07fea6c7c83cce4824512bc443ce3c4ecb28625483e1dd7196004b30ffd1a6ec47e2bd4b805e12a010da890b5cf46b17b3";
const VAULT_KEY: &str = "fab3493c2748c3a89da27a421c56f4fca574c9f502be9a24801d108bf49e4910";
const SEALED_VALUE: &str =
    "01e61c32867855a03cd0a8c91e731f9a1c00a6c0870d9d2e40df807c36c7d08ca8cd225e1f7a632c8d6cdb3ca35b9b33";
const MESSAGE_ID: &str = "013a643b2daa29269134ca31b0f94c9768549380da7861eaf87bc3d1fdfa6d05";
