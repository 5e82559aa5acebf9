//! What is said on one side arrives on the other as it was.

use estoile_engine::face;
use estoile_port::{Ask, Down, LinkKind, LinkView, Place, Reply, Settings, Stage, Up};

fn there_and_back<T: serde::Serialize + serde::de::DeserializeOwned>(said: &T) {
    let text = serde_json::to_string(said).unwrap();
    let heard: T = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string(&heard).unwrap(), text);
}

#[test]
fn every_kind_of_word_travels() {
    there_and_back(&Up { number: 7, ask: Ask::Begin { origin: "https://relay.example".into(), take_over: true } });
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
fn settings_of_an_older_page_are_read() {
    assert_eq!(serde_json::from_str::<Settings>("{}").unwrap(), Settings::default());
}
