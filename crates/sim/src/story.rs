//! Frames in the words of a failure's story. Ids are cut short: enough to follow one letter.

use estoile_seal::letter::{self, id16};
use estoile_seal::quick::{RoomKeys, RoomSecret};
use estoile_wire::{ClientFrame, Id16, RelayFrame};

fn short(id: &Id16) -> String {
    id.0.iter().take(3).map(|b| format!("{b:02x}")).collect()
}

/// What a sealed letter says of itself, to whoever has the room's secret.
fn letter(secret: &[u8; 32], body: &[u8]) -> String {
    let keys = RoomKeys::derive(&RoomSecret::from_bytes(*secret));
    let Ok(opened) = letter::open(&keys, body) else { return "no letter".to_owned() };
    let letter = opened.letter;
    let names: Vec<String> = letter.parents.iter().map(|p| short(&id16(&p.hash))).collect();
    let ttl = letter.ttl.map_or_else(|| "none".to_owned(), |ttl| ttl.to_string());
    format!("counter {} ttl {ttl} after {}", letter.counter, names.join(" "))
}

/// What a client says.
pub(crate) fn from_client(bytes: &[u8], secret: &[u8; 32]) -> String {
    match ClientFrame::decode(bytes) {
        Ok(ClientFrame::Hello(_)) => "hello".to_owned(),
        Ok(ClientFrame::Create(_)) => "create".to_owned(),
        Ok(ClientFrame::Attach(f)) => format!("attach after {}", f.after),
        Ok(ClientFrame::Append(f)) => {
            format!("append {} request {}: {}", short(&f.id16), f.request, letter(secret, f.body))
        }
        Ok(ClientFrame::Signal(_)) => "signal".to_owned(),
        Ok(ClientFrame::Ping(_)) => "ping".to_owned(),
        Ok(ClientFrame::Detach(_)) => "detach".to_owned(),
        Err(error) => error.to_string(),
    }
}

/// What a relay says.
pub(crate) fn from_relay(bytes: &[u8]) -> String {
    match RelayFrame::decode(bytes) {
        Ok(RelayFrame::Welcome(_)) => "welcome".to_owned(),
        Ok(RelayFrame::Created(_)) => "created".to_owned(),
        Ok(RelayFrame::Attached(f)) => format!("attached, last {}", f.last),
        Ok(RelayFrame::Record(f)) => format!("record {} {}", f.cursor, short(&f.id16)),
        Ok(RelayFrame::Live(f)) => format!("live at {}", f.cursor),
        Ok(RelayFrame::Kept(f)) => format!("kept request {} at {}", f.request, f.cursor),
        Ok(RelayFrame::Refused(f)) => format!("refused {:?} request {:?}", f.code, f.request),
        Ok(RelayFrame::Signalled(_)) => "signal".to_owned(),
        Ok(RelayFrame::Lagged(f)) => format!("lagged at {}", f.cursor),
        Ok(RelayFrame::Pong(_)) => "pong".to_owned(),
        Ok(RelayFrame::Closing(f)) => format!("closing {:?}", f.code),
        Err(error) => error.to_string(),
    }
}
