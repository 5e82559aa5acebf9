//! The messages that come along to a new device.

use estoile_seal::history::{Message, RoomPast};
use estoile_wire::{LogId, PublicKey};

use crate::corpus::NOW;

pub(crate) fn history(bytes: &[u8]) {
    if let Ok(past) = RoomPast::decode(bytes) {
        assert_eq!(past.encode().as_slice(), bytes, "a history has one encoding");
    }
}

pub(crate) fn histories() -> Vec<Vec<u8>> {
    let told = |ttl| Message {
        hash: [1; 32],
        sender: PublicKey([4; 32]),
        account: [2; 32],
        name: "Anna".to_owned(),
        text: "tea at four".to_owned(),
        sent_at: NOW,
        ttl,
        place: (NOW, 3),
        seen: 1,
    };
    let past = |messages| RoomPast { log: LogId([3; 32]), messages };
    [past(Vec::new()), past(vec![told(None), told(Some(60))])].iter().map(|past| past.encode().to_vec()).collect()
}
