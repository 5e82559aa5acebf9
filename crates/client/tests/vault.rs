//! The vault's folder: locked, sealed, reopened, and clear words for whatever is wrong with it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that is surprised fails")]

mod common;

use std::path::Path;

use common::{Person, TestRelay, config};
use estoile_client::{Client, ClientConfig, OpenError, Unlock, VaultPlace};
use estoile_engine::{Answer, Command, CommandError, DeliveryState, Event, OpenRoom, Past, RelayAddress, RoomId};
use estoile_seal::quick::RoomSecret;
use zeroize::Zeroizing;

async fn refusal(config: ClientConfig) -> OpenError {
    match Client::open(config).await {
        Err(error) => error,
        Ok(_) => panic!("it opened"),
    }
}

fn with_passphrase(folder: &Path, passphrase: &str) -> ClientConfig {
    let passphrase = Some(Zeroizing::new(passphrase.to_owned()));
    ClientConfig { unlock: Unlock { passphrase, keyring: false, ask: None }, ..config(Some(folder)) }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_is_there_again() {
    let relay = TestRelay::start();
    let folder = tempfile::tempdir().unwrap();
    let link = relay.link("kitchen", 1);
    let mut alice = Person::open(Some(folder.path())).await;
    assert_eq!(*alice.handle.vault(), VaultPlace::Folder(folder.path().to_owned()));
    let room = alice.enter(&link, "Alice", true).await;
    let letter = alice.say(room, "remember this").await;
    alice.kept(letter).await;
    alice.handle.close().await;

    let again = Person::open(Some(folder.path())).await;
    let rooms = again.handle.rooms().await;
    assert_eq!(
        rooms.iter().map(|r| (r.name.as_str(), r.own_name.as_str())).collect::<Vec<_>>(),
        [("kitchen", "Alice")]
    );
    let snapshot = again.handle.snapshot(rooms[0].id, 10).await.unwrap();
    assert_eq!(snapshot.messages.len(), 1);
    assert_eq!(
        (snapshot.messages[0].text.as_str(), &snapshot.messages[0].state),
        ("remember this", &DeliveryState::Kept)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_waited_is_sent_by_the_next_run() {
    let mut relay = TestRelay::start();
    let folder = tempfile::tempdir().unwrap();
    let link = relay.link("kitchen", 2);
    let mut bob = Person::open(None).await;
    bob.enter(&link, "Bob", true).await;
    let mut alice = Person::open(Some(folder.path())).await;
    let room = alice.enter(&link, "Alice", false).await;
    relay.crash();
    alice.say(room, "for later").await;
    alice.handle.close().await;
    relay.begin();
    let _alice = Person::open(Some(folder.path())).await;
    assert_eq!(bob.hear().await, "for later");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_readable_in_the_folder() {
    let relay = TestRelay::start();
    let folder = tempfile::tempdir().unwrap();
    let link = relay.link("winter-garden", 3);
    let mut alice = Person::open(Some(folder.path())).await;
    let room = alice.enter(&link, "Annabelle", true).await;
    let letter = alice.say(room, "the password is swordfish").await;
    alice.kept(letter).await;
    alice.handle.close().await;
    let bytes: Vec<u8> =
        std::fs::read_dir(folder.path()).unwrap().flat_map(|f| std::fs::read(f.unwrap().path()).unwrap()).collect();
    assert!(bytes.len() > 4096);
    for word in ["winter-garden", "Annabelle", "swordfish", "127.0.0.1", "correct horse"] {
        assert!(!bytes.windows(word.len()).any(|w| w == word.as_bytes()), "{word} stands in the folder");
    }
    assert!(!bytes.windows(32).any(|w| w == [3; 32]), "the room's secret stands in the folder");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn the_folder_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("deep").join("vault");
    let alice = Person::open(Some(&folder)).await;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for file in std::fs::read_dir(&folder).unwrap() {
        assert_eq!(mode(&file.unwrap().path()), 0o600);
    }
    alice.handle.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_second_acts_through_the_one_that_has_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let mut alice = Person::open(Some(folder.path())).await;
    // No passphrase is asked for: the socket is its owner's alone.
    let keyless = ClientConfig { unlock: Unlock::default(), ..config(Some(folder.path())) };
    let (second, mut events) = Client::open(keyless).await.unwrap();
    assert_eq!(*second.vault(), VaultPlace::Folder(folder.path().to_owned()));
    let room = OpenRoom {
        relay: RelayAddress { host: "127.0.0.1".into(), port: 1, tls: false, pin: None },
        name: "den".into(),
        own_name: "Alice".into(),
        secret: RoomSecret::from_bytes([7; 32]),
        passphrase: false,
        ttl: None,
        create: None,
        past: Past::All,
        sociable: true,
    };
    let Answer::Room(id) = second.command(Command::Open(Box::new(room))).await.unwrap() else { panic!("no room") };
    assert_eq!(alice.handle.rooms().await.iter().map(|r| r.id).collect::<Vec<_>>(), [id]);
    assert_eq!(second.snapshot(id, 10).await.unwrap().room.name, "den");
    // Both hear of it.
    assert!(matches!(events.next().await, Some(Event::Room(view)) if view.id == id));
    assert!(matches!(alice.events.next().await, Some(Event::Room(view)) if view.id == id));
    let refused = second.command(Command::Forget { room: RoomId(99) }).await;
    assert_eq!(refused, Err(CommandError::NoSuchRoom));
    // The second one's end is no end for the first; the first one's is told to the second.
    second.close().await;
    let (third, mut events) = Client::open(config(Some(folder.path()))).await.unwrap();
    assert_eq!(third.rooms().await.len(), 1);
    alice.handle.close().await;
    while events.next().await.is_some() {}
    assert!(matches!(third.command(Command::Forget { room: id }).await, Err(CommandError::Vault(_))));
    // And the folder is free.
    Person::open(Some(folder.path())).await.handle.close().await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn the_socket_is_its_owners_alone_and_noise_on_it_harms_nothing() {
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let alice = Person::open(Some(folder.path())).await;
    let socket = folder.path().join("control");
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    for noise in [&[0xff; 4096][..], &[0, 0, 0, 3, b'{', b'}', b'!'], &[0, 0, 0, 200, 1], b""] {
        let mut stream = std::os::unix::net::UnixStream::connect(&socket).unwrap();
        let _ = stream.write_all(noise);
    }
    let (second, _events) = Client::open(config(Some(folder.path()))).await.unwrap();
    assert_eq!(second.rooms().await, []);
    alice.handle.close().await;
    assert!(!socket.exists(), "nothing is left to connect to");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_passphrase_is_told_and_harms_nothing() {
    let folder = tempfile::tempdir().unwrap();
    Person::open(Some(folder.path())).await.handle.close().await;
    let error = refusal(with_passphrase(folder.path(), "wrong")).await;
    assert!(matches!(error, OpenError::WrongPassphrase(_)), "{error}");
    assert!(error.to_string().contains("ESTOILE_PASSPHRASE"));
    let none = ClientConfig { unlock: Unlock::default(), ..config(Some(folder.path())) };
    assert!(matches!(refusal(none).await, OpenError::Locked(_)));
    Person::open(Some(folder.path())).await.handle.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_may_be_answered_again() {
    use estoile_client::Ask;
    let folder = tempfile::tempdir().unwrap();
    Person::open(Some(folder.path())).await.handle.close().await;
    let mut answers = vec![(Ask::Again, "correct horse battery"), (Ask::Existing, "forgotten")];
    let ask = move |what| {
        let (expected, answer) = answers.pop().unwrap();
        assert_eq!(what, expected);
        Some(Zeroizing::new(answer.to_owned()))
    };
    let unlock = Unlock { passphrase: None, keyring: false, ask: Some(Box::new(ask)) };
    let (handle, _events) = Client::open(ClientConfig { unlock, ..config(Some(folder.path())) }).await.unwrap();
    handle.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_key_the_vault_is_in_memory_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let none = ClientConfig { unlock: Unlock::default(), ..config(Some(folder.path())) };
    let (handle, _events) = Client::open(none).await.unwrap();
    let VaultPlace::MemoryForWantOfKey { why, .. } = handle.vault() else { panic!("{:?}", handle.vault()) };
    assert!(why.contains("ESTOILE_PASSPHRASE"), "{why}");
    handle.close().await;
    assert!(!folder.path().join("vault.redb").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_vault_is_told_wherever_it_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    Person::open(Some(folder.path())).await.handle.close().await;
    let file = folder.path().join("vault.redb");
    let whole = std::fs::read(&file).unwrap();
    let mut damages: Vec<Vec<u8>> =
        vec![Vec::new(), b"not a vault".to_vec(), whole[..whole.len() / 2].to_vec(), vec![0; whole.len()]];
    for at in (0..whole.len()).step_by(whole.len() / 40) {
        let mut flipped = whole.clone();
        flipped[at..].iter_mut().take(64).for_each(|byte| *byte ^= 0x55);
        damages.push(flipped);
    }
    let mut refused = 0;
    for (number, damage) in damages.into_iter().enumerate() {
        std::fs::write(&file, &damage).unwrap();
        match Client::open(config(Some(folder.path()))).await {
            // A page that nothing uses may hold anything.
            Ok((handle, _)) => handle.close().await,
            Err(error) => {
                refused += 1;
                let text = error.to_string();
                assert!(
                    matches!(
                        error,
                        OpenError::Corrupt { .. } | OpenError::Format { .. } | OpenError::WrongPassphrase(_)
                    ),
                    "damage {number}: {text}"
                );
            }
        }
    }
    assert!(refused >= 5, "{refused} damages were found");
    std::fs::write(&file, &whole).unwrap();
    Person::open(Some(folder.path())).await.handle.close().await;
}

/// Written by `examples/write_vault_fixture.rs` of the version that first had this format.
#[tokio::test(flavor = "multi_thread")]
async fn the_vault_of_format_1_opens() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/vault-v1/vault.redb");
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(fixture, folder.path().join("vault.redb")).unwrap();
    let alice = Person::open(Some(folder.path())).await;
    let rooms = alice.handle.rooms().await;
    assert_eq!(
        rooms.iter().map(|r| (r.name.as_str(), r.own_name.as_str())).collect::<Vec<_>>(),
        [("kitchen", "Alice")]
    );
    let snapshot = alice.handle.snapshot(rooms[0].id, 10).await.unwrap();
    let messages: Vec<_> = snapshot.messages.iter().map(|m| (m.text.as_str(), &m.state)).collect();
    let kept = &DeliveryState::Kept;
    assert_eq!(
        messages,
        [("first", kept), ("second", kept), ("third", kept), ("still waiting", &DeliveryState::Sending)]
    );
}
