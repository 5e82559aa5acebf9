//! From a link's text to the room it opens, with the passphrase where it takes one.

use estoile_client::{Handle, OpenOptions, open_link};
use estoile_engine::OpenRoom;
use estoile_seal::link::{Link, LinkKind, RelayUrl};
use estoile_seal::quick::RoomSecret;
use zeroize::Zeroizing;

use crate::fail::Failure;
use crate::unlock::{question, terminal, variable};

/// Opens passphrase rooms.
pub(crate) const ROOM_VARIABLE: &str = "ESTOILE_ROOM_PASSPHRASE";

/// Reads a link. The complaint does not repeat it: it may hold a secret.
pub(crate) fn parse(text: &str) -> Result<Link, Failure> {
    text.parse().map_err(Failure::usage)
}

/// Reads a relay's address.
pub(crate) fn parse_relay(text: &str) -> Result<RelayUrl, Failure> {
    text.parse().map_err(Failure::usage)
}

/// The command that opens a link's room, after asking for its passphrase if it takes one.
pub(crate) async fn open(handle: &Handle, link: &Link, name: &str, options: OpenOptions) -> Result<OpenRoom, Failure> {
    let stretched = match link.kind {
        LinkKind::Quick(_) => None,
        LinkKind::Passphrase => Some(stretched(handle, link).await?),
    };
    open_link(link, name, stretched, options).ok_or_else(|| Failure::new("this room opens with a passphrase"))
}

async fn stretched(handle: &Handle, link: &Link) -> Result<RoomSecret, Failure> {
    let passphrase = passphrase()?;
    handle.stretch(&passphrase, &link.host_port(), &link.name).await.map_err(Failure::new)
}

fn passphrase() -> Result<Zeroizing<String>, Failure> {
    if let Some(passphrase) = variable(ROOM_VARIABLE) {
        return Ok(passphrase);
    }
    let missing = "this room opens with a passphrase, and none was given; set ESTOILE_ROOM_PASSPHRASE, or run estoile in a terminal so that it can ask";
    if !terminal() {
        return Err(Failure::new(missing));
    }
    question("Passphrase of the room: ").ok_or_else(|| Failure::new(missing))
}
