//! Deliveries in large rooms: as many as the relay can while nobody lags, and one message at a time.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::peer::{Appends, LAGGED, Peer, RECORD, key, log};
use crate::process::{Process, Role};
use crate::{Outcome, SPAN, figure};

/// What all readers of a room have got together.
#[derive(Default)]
struct Tally {
    delivered: Cell<u64>,
    lagged: Cell<u64>,
    /// The sender waits until so much is delivered.
    wanted: Cell<u64>,
    reached: Notify,
}

pub(crate) async fn run() -> Outcome<()> {
    for (readers, secure) in [(100, false), (1_000, false), (100, true)] {
        let role = if secure { Role::SecureRelay } else { Role::Relay };
        let with = if secure { ", with TLS" } else { "" };
        let folder = tempfile::tempdir_in(".")?;
        let relay = Process::start(role, folder.path())?;
        let room = Room::open(&relay, readers, secure).await?;
        let (rate, cpu) = room.load(&relay, 512).await?;
        figure(&format!("deliveries in a room of {readers} under load{with}"), rate, "deliveries/s");
        figure(&format!("relay's CPU under load in a room of {readers}{with}"), cpu, "s/million deliveries");
        let (rate, cpu) = room.load(&relay, 1).await?;
        figure(&format!("relay's CPU, one message at a time in a room of {readers}{with}"), cpu, "µs/delivery");
        figure(&format!("messages one at a time to {readers} readers{with}"), rate / f64::from(readers), "messages/s");
        if room.tally.lagged.get() > 0 {
            figure("sessions that lagged", room.tally.lagged.get() as f64, "times");
        }
    }
    Ok(())
}

struct Room {
    tally: Rc<Tally>,
    readers: u64,
    sender: std::cell::RefCell<(Peer, Appends)>,
}

impl Room {
    async fn open(relay: &Process, readers: u16, secure: bool) -> Outcome<Self> {
        let tls = if secure { Some(crate::peer::tls()?) } else { None };
        let key = key(0);
        let mut sender = Peer::open(relay.address, tls.as_ref()).await?;
        sender.create(&key).await?;
        sender.attach(&key).await?;
        let tally = Rc::new(Tally::default());
        for _ in 1..readers {
            let mut peer = Peer::open(relay.address, tls.as_ref()).await?;
            peer.attach(&key).await?;
            tokio::task::spawn_local(read(peer, Rc::clone(&tally)));
        }
        let appends = Appends::new(log(&key), 1)?;
        Ok(Self { tally, readers: u64::from(readers), sender: (sender, appends).into() })
    }

    /// Sends while at most `window` messages are under way to somebody; gives deliveries a second and microseconds of the
    /// relay's CPU for each.
    #[expect(clippy::await_holding_refcell_ref, reason = "one load at a time")]
    async fn load(&self, relay: &Process, window: u64) -> Outcome<(f64, f64)> {
        let (sender, appends) = &mut *self.sender.borrow_mut();
        let (mut begun, mut cpu, mut before) = (Instant::now(), Duration::ZERO, 0);
        let mut warm = false;
        // The sender is a reader as well: what it gets counts like everything else.
        let step = window.div_ceil(8);
        let base = self.tally.delivered.get();
        let mut sent = 0;
        let mut out = Vec::new();
        while !warm || begun.elapsed() < SPAN {
            if !warm && begun.elapsed() > SPAN / 10 {
                (warm, begun, cpu, before) = (true, Instant::now(), relay.cpu()?, self.tally.delivered.get());
            }
            out.clear();
            appends.add(&mut out, step);
            sender.write(&out).await?;
            sent += step;
            let late = (sent + step).saturating_sub(window) * self.readers;
            self.tally.wanted.set(base + late);
            while self.tally.delivered.get() < base + late {
                tokio::select! {
                    biased;
                    () = self.tally.reached.notified() => {}
                    counted = count(sender, &self.tally) => counted?,
                }
            }
        }
        let delivered = (self.tally.delivered.get() - before).max(1) as f64;
        let rate = delivered / begun.elapsed().as_secs_f64();
        let cost = (relay.cpu()? - cpu).as_secs_f64() * 1e6 / delivered;
        // Let all arrive, so that the next load begins with an empty room.
        self.tally.wanted.set(base + sent * self.readers);
        while self.tally.delivered.get() < base + sent * self.readers {
            tokio::select! {
                () = self.tally.reached.notified() => {}
                counted = count(sender, &self.tally) => counted?,
            }
        }
        Ok((rate, cost))
    }
}

async fn count(peer: &mut Peer, tally: &Tally) -> Outcome<()> {
    let mut counts = [0; 16];
    peer.count(&mut counts).await?;
    let [records, lagged] = [RECORD, LAGGED].map(|n| counts.get(usize::from(n)).copied().unwrap_or(0));
    tally.delivered.set(tally.delivered.get() + records);
    tally.lagged.set(tally.lagged.get() + lagged);
    if tally.delivered.get() >= tally.wanted.get() {
        tally.reached.notify_one();
    }
    if lagged > 0 { Err("a reader lagged: its figures would be wrong".into()) } else { Ok(()) }
}

async fn read(mut peer: Peer, tally: Rc<Tally>) {
    while count(&mut peer, &tally).await.is_ok() {}
}
