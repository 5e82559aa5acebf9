//! The relay's memory for each session that is attached to a room and says nothing.

use std::time::{Duration, Instant};

use crate::peer::{Peer, key};
use crate::process::{Process, Role};
use crate::{Outcome, figure};

const SESSIONS: u32 = 5_000;
/// People of one room: sessions spread over many rooms, as they do.
const A_ROOM: u32 = 50;

pub(crate) async fn run() -> Outcome<()> {
    for (secure, with) in [(false, ""), (true, ", with TLS")] {
        let folder = tempfile::tempdir_in(".")?;
        let relay = Process::start(if secure { Role::SecureRelay } else { Role::Relay }, folder.path())?;
        let tls = if secure { Some(crate::peer::tls()?) } else { None };
        let empty = relay.memory()?;
        let begun = Instant::now();
        let mut peers = Vec::new();
        for n in 0..SESSIONS {
            let room = key(u16::try_from(n / A_ROOM)?);
            let mut peer = Peer::open(relay.address, tls.as_ref()).await?;
            if n % A_ROOM == 0 {
                peer.create(&room).await?;
            }
            peer.attach(&room).await?;
            peers.push(peer);
        }
        let opened = begun.elapsed();
        tokio::time::sleep(Duration::from_secs(3)).await;
        let full = relay.memory()?;
        let each = full.saturating_sub(empty) as f64 / 1024.0 / f64::from(SESSIONS);
        figure(&format!("memory of an idle session at {SESSIONS}{with}"), each, "KiB");
        figure(&format!("memory of a relay without sessions{with}"), empty as f64 / 1024.0 / 1024.0, "MiB");
        figure(
            &format!("sessions opened and attached one after another{with}"),
            f64::from(SESSIONS) / opened.as_secs_f64(),
            "sessions/s",
        );
        drop(peers);
        tokio::time::sleep(Duration::from_secs(3)).await;
        figure(
            &format!("memory after {SESSIONS} sessions have left{with}"),
            relay.memory()? as f64 / 1024.0 / 1024.0,
            "MiB",
        );
    }
    Ok(())
}
