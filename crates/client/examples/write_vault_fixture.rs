//! Writes the vault that later versions' tests open: `cargo run -p estoile-client --example write_vault_fixture -- FOLDER`.
//!
//! Run it once for each format of the vault, into `tests/fixtures/vault-vN`, and never again for one that is committed.

use std::error::Error;
use std::path::PathBuf;

use estoile_client::{Client, ClientConfig, Delivery, Link, LinkKind, OpenOptions, Unlock, open_link};
use estoile_engine::{Answer, Command, CreateRoom, DeliveryState, Event};
use estoile_relay::{Relay, RelayConfig};
use estoile_seal::quick::RoomSecret;
use zeroize::Zeroizing;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args_os().nth(1).ok_or("give the folder to write")?);
    let data = tempfile::tempdir()?;
    let relay = Relay::start(RelayConfig::new("127.0.0.1:0".parse()?, data.path()))?;
    let link = Link {
        tls: false,
        host: "127.0.0.1".into(),
        port: relay.address().port(),
        name: "kitchen".into(),
        relay: relay.key_hash(),
        kind: LinkKind::Quick(RoomSecret::from_bytes([42; 32])),
    };
    let passphrase = Some(Zeroizing::new("correct horse battery".to_owned()));
    let unlock = Unlock { passphrase, keyring: false, ask: None };
    let config = ClientConfig { data: Some(folder), unlock, clock_offset_ms: 0, delivery: Delivery::Lossless };
    let (handle, mut events) = Client::open(config).await?;
    let create = Some(CreateRoom { max_ttl: 0, entry: None });
    let open = open_link(&link, "Alice", None, OpenOptions { create, ..OpenOptions::default() }).ok_or("no room")?;
    let Answer::Room(room) = handle.command(Command::Open(Box::new(open))).await? else { return Err("no room".into()) };
    for text in ["first", "second", "third"] {
        handle.command(Command::Send { room, text: text.into(), ttl: None }).await?;
    }
    let mut kept = 0;
    while kept < 3 {
        if let Event::State { state: DeliveryState::Kept, .. } = events.next().await.ok_or("the client ended")? {
            kept += 1;
        }
    }
    relay.shutdown().await?;
    // The last one waits for a relay that is gone.
    handle.command(Command::Send { room, text: "still waiting".into(), ttl: None }).await?;
    handle.close().await;
    Ok(())
}
