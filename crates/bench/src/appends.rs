//! Durable appends a second: each sender on a connection and in a room of its own, so many unanswered at a time.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Instant;

use crate::peer::{Appends, KEPT, LAGGED, Peer, REFUSED, key, log};
use crate::process::{Process, Role};
use crate::{Outcome, SPAN, figure};

#[derive(Default)]
struct Sums {
    kept: u64,
    refused: u64,
    lagged: u64,
}

pub(crate) async fn run() -> Outcome<()> {
    for (senders, depth) in [(1, 1), (1, 64), (64, 1), (64, 64), (64, 256)] {
        let folder = tempfile::tempdir_in(".")?;
        let relay = Process::start(Role::Relay, folder.path())?;
        let sums = Rc::new(RefCell::new(Sums::default()));
        let mut senders_at_work = Vec::new();
        for n in 0..senders {
            let sending = send(relay.address, n, depth, Rc::clone(&sums));
            senders_at_work.push(tokio::task::spawn_local(async move {
                // A sender that fails is missed in the figures, and said.
                if let Err(error) = sending.await {
                    eprintln(&*error);
                }
            }));
        }
        tokio::time::sleep(SPAN / 5).await;
        let before = sums.borrow().kept;
        let (started, cpu) = (Instant::now(), relay.cpu()?);
        tokio::time::sleep(SPAN).await;
        senders_at_work.iter().for_each(tokio::task::JoinHandle::abort);
        let sums = sums.borrow();
        let (kept, wall, cpu) = (sums.kept - before, started.elapsed(), relay.cpu()? - cpu);
        let name = format!("durable appends, {senders} senders with {depth} unanswered each");
        figure(&name, kept as f64 / wall.as_secs_f64(), "appends/s");
        figure(&format!("{name}: relay's CPU"), cpu.as_secs_f64() * 1e6 / kept.max(1) as f64, "µs/append");
        if sums.refused + sums.lagged > 0 {
            figure(&format!("{name}: refused"), sums.refused as f64, "appends");
            figure(&format!("{name}: lagged"), sums.lagged as f64, "times");
        }
    }
    Ok(())
}

#[expect(clippy::print_stderr, reason = "a failure of the load is for who runs it")]
fn eprintln(error: &dyn std::error::Error) {
    eprintln!("{error}");
}

async fn send(address: SocketAddr, n: u16, depth: u64, sums: Rc<RefCell<Sums>>) -> Outcome<()> {
    let mut peer = Peer::open(address, None).await?;
    let room = key(n);
    peer.create(&room).await?;
    peer.attach(&room).await?;
    let mut appends = Appends::new(log(&room), n)?;
    let mut out = Vec::new();
    appends.add(&mut out, depth);
    loop {
        peer.write(&out).await?;
        out.clear();
        let mut counts = [0; 16];
        let answered = loop {
            peer.count(&mut counts).await?;
            let [kept, refused, lagged] =
                [KEPT, REFUSED, LAGGED].map(|n| counts.get(usize::from(n)).copied().unwrap_or(0));
            if kept + refused > 0 {
                let mut sums = sums.borrow_mut();
                sums.kept += kept;
                sums.refused += refused;
                sums.lagged += lagged;
                break kept + refused;
            }
        };
        appends.add(&mut out, answered);
    }
}
