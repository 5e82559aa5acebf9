//! Frames in the words of a failure's story. Ids are cut short: enough to follow one letter.

use estoile_seal::letter::{self, id16};
use estoile_seal::quick::{RoomKeys, RoomSecret};
use estoile_wire::{ClientFrame, Id16, LogId, RelayFrame};

fn short(id: &Id16) -> String {
    id.0.iter().take(3).map(|b| format!("{b:02x}")).collect()
}

fn log(id: &LogId) -> String {
    id.0.iter().take(2).map(|b| format!("{b:02x}")).collect()
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
pub(crate) fn from_client(bytes: &[u8], secret: Option<&[u8; 32]>) -> String {
    match ClientFrame::decode(bytes) {
        Ok(ClientFrame::Hello(_)) => "hello".to_owned(),
        Ok(ClientFrame::Create(f)) => format!("create a log, request {}", f.request),
        Ok(ClientFrame::Attach(f)) => format!("attach to {} epoch {} after {}", log(&f.log), f.epoch, f.after),
        Ok(ClientFrame::Append(f)) => {
            let (id, request) = (short(&f.id16), f.request);
            let what = match f.advance {
                Some(_) => "commit".to_owned(),
                None => secret.map_or_else(|| "sealed".to_owned(), |secret| letter(secret, f.body)),
            };
            format!("append {id} to {} epoch {} request {request}: {what}", log(&f.log), f.epoch)
        }
        Ok(ClientFrame::Signal(_)) => "signal".to_owned(),
        Ok(ClientFrame::Ping(_)) => "ping".to_owned(),
        Ok(ClientFrame::Detach(_)) => "detach".to_owned(),
        Ok(ClientFrame::Tickets(_)) => "tickets".to_owned(),
        Ok(ClientFrame::Post(f)) => format!("post {} request {}", short(&f.id16), f.request),
        Ok(ClientFrame::Put(f)) => format!("put request {}", f.request),
        Ok(ClientFrame::Take(f)) => format!("take request {}", f.request),
        Ok(ClientFrame::Count(f)) => format!("count request {}", f.request),
        Ok(ClientFrame::BlobAsk(f)) => format!("ask for a blob of {} bytes, request {}", f.size, f.request),
        Err(error) => error.to_string(),
    }
}

/// What a relay says.
pub(crate) fn from_relay(bytes: &[u8]) -> String {
    match RelayFrame::decode(bytes) {
        Ok(RelayFrame::Welcome(_)) => "welcome".to_owned(),
        Ok(RelayFrame::Created(_)) => "created".to_owned(),
        Ok(RelayFrame::Attached(f)) => format!("attached, last {}", f.last),
        Ok(RelayFrame::Record(f)) => {
            let what = if f.advance.is_some() { "commit" } else { "record" };
            format!("{what} {} {} of {} epoch {}", f.cursor, short(&f.id16), log(&f.log), f.epoch)
        }
        Ok(RelayFrame::Live(f)) => format!("live at {}", f.cursor),
        Ok(RelayFrame::Kept(f)) => format!("kept request {} at {}", f.request, f.cursor),
        Ok(RelayFrame::Refused(f)) => format!("refused {:?} {:?} request {:?}", f.code, f.limit, f.request),
        Ok(RelayFrame::Signalled(_)) => "signal".to_owned(),
        Ok(RelayFrame::Lagged(f)) => format!("lagged at {}", f.cursor),
        Ok(RelayFrame::Pong(_)) => "pong".to_owned(),
        Ok(RelayFrame::Done(f)) => format!("done request {}", f.request),
        Ok(RelayFrame::Counted(f)) => format!("counted request {}", f.request),
        Ok(RelayFrame::Taken(f)) => format!("taken request {}", f.request),
        Ok(RelayFrame::BlobGrant(f)) => format!("grants a blob, {} received, request {}", f.received, f.request),
        Ok(RelayFrame::Closing(f)) => format!("closing {:?}", f.code),
        Err(error) => error.to_string(),
    }
}
