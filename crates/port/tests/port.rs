//! What is said on one side arrives on the other as it was.
#![expect(clippy::unwrap_used, reason = "a test: what is missing must stop it")]

use estoile_engine::face;
use estoile_port::{Ask, Down, LinkKind, LinkView, Place, Reply, Settings, Stage, Up};

fn there_and_back<T: serde::Serialize + serde::de::DeserializeOwned>(said: &T) {
    let text = serde_json::to_string(said).unwrap();
    let heard: T = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string(&heard).unwrap(), text);
}

#[test]
fn every_kind_of_word_travels() {
    let origin = "https://relay.example".to_owned();
    there_and_back(&Up { number: 7, ask: Ask::Begin { origin, relays: Vec::new(), take_over: true } });
    there_and_back(&Up { number: 8, ask: Ask::Face(face::Ask::Rooms) });
    there_and_back(&Up {
        number: 9,
        ask: Ask::Unlock { passphrase: Some("five good words".to_owned().into()), memory: false },
    });
    there_and_back(&Down::Stage(Stage::Open(Place::Kept { passphrase: true, persistent: false })));
    there_and_back(&Down::Reply(8, Ok(Box::new(Reply::Face(face::Reply::Rooms(Vec::new()))))));
    there_and_back(&Down::Reply(9, Err("the passphrase is another; try again".into())));
    let link =
        LinkView { kind: LinkKind::Quick, name: "Tea".into(), host: "relay.example".into(), here: true, room: None };
    there_and_back(&Down::Reply(10, Ok(Box::new(Reply::Link(link)))));
}

#[test]
fn a_page_that_names_no_other_relays_is_understood() {
    let said = r#"{"number":1,"ask":{"Begin":{"origin":"https://relay.example","take_over":false}}}"#;
    let up: Up = serde_json::from_str(said).unwrap();
    assert!(matches!(up.ask, Ask::Begin { relays, .. } if relays.is_empty()));
}

#[test]
fn settings_of_an_older_page_are_read() {
    assert_eq!(serde_json::from_str::<Settings>("{}").unwrap(), Settings::default());
}
