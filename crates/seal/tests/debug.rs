//! What holders of secrets say of themselves when something prints them: their name, and nothing else.

use estoile_seal::SenderKey;
use estoile_seal::fernet::{self, Key};
use estoile_seal::letter::{self, Letter};
use estoile_seal::link::{Link, LinkKind};
use estoile_seal::mimi;
use estoile_seal::quick::{RoomKeys, RoomSecret};
use estoile_seal::signal::{SignalKind, SignalMessage};
use estoile_seal::vault_key::VaultKey;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

#[test]
fn debug_says_the_type_and_nothing_of_the_value() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let secret = RoomSecret::from_bytes([7; 32]);
    let keys = RoomKeys::derive(&secret);
    let sender = SenderKey::from_seed(&[8; 32]);
    let key = Key::from_bytes(&[9; 32]);
    let content = mimi::text("a private word", [0; 16]);
    let letter = Letter {
        content: Some(content.clone()),
        counter: 0,
        parents: vec![],
        sent_at: 0,
        ttl: None,
        name: "Alice".into(),
        sender: sender.public(),
        private: None,
    };
    let written = letter.write(&sender, &keys.log_id()).unwrap();
    let opened = letter::open(&keys, &letter::seal(&keys, &written, &mut rng)).unwrap();
    let token = fernet::encrypt_at(&key, b"a private word", 0, &mut rng);
    let token = fernet::decode_strict(&key, token.as_bytes()).unwrap();
    let link: Link = format!("https://relay/#p/lobby/{}", "A".repeat(43)).parse().unwrap();
    let signal = SignalMessage { kind: SignalKind::Here, name: "Alice".into(), sender: sender.public(), sent_at: 0 };

    let said = [
        format!("{secret:?}"),
        format!("{:?}", LinkKind::Quick(secret)),
        format!("{keys:?}"),
        format!("{sender:?}"),
        format!("{key:?}"),
        format!("{token:?}"),
        format!("{:?}", VaultKey::from_bytes([1; 32])),
        format!("{content:?} {:?}", content.part),
        format!("{letter:?} {written:?} {opened:?}"),
        format!("{link:?} {:?}", link.relay_url()),
        format!("{signal:?}"),
    ];
    let expected = [
        "RoomSecret(..)",
        "Quick(RoomSecret(..))",
        "RoomKeys(..)",
        "SenderKey(..)",
        "fernet::Key(..)",
        "fernet::Token(..)",
        "VaultKey(..)",
        "Content(..) Part(..)",
        "Letter(..) Written(..) Opened(..)",
        "Link(..) RelayUrl(..)",
        "SignalMessage(..)",
    ];
    assert_eq!(said, expected);
}
