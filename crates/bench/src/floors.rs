//! What no relay could beat on this machine: a preallocated file with one sync a group, and bare sockets.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::process::{Process, Role, ready};
use crate::{BODY, Outcome, SPAN, figure};

/// A record with its envelope, as the relay sends it.
const FRAME: usize = BODY + 80;
const FILE: usize = 64 << 20;
const READERS: u32 = 100;
/// Added to a number of messages: they are to be durable first.
const SYNCED: u32 = 1 << 16;

pub(crate) async fn run() -> Outcome<()> {
    for group in [1, 64, 1_024] {
        figure(&format!("floor: preallocated file, {group} records a sync"), file(group)?, "records/s");
    }
    let folder = tempfile::tempdir_in(".")?;
    let bare = Process::start(Role::Fanout, folder.path())?;
    let mut control = TcpStream::connect(bare.address).await?;
    control.set_nodelay(true)?;
    let mut readers = Vec::new();
    for _ in 0..READERS {
        readers.push(TcpStream::connect(bare.address).await?);
    }
    // The server has accepted the last one when it answers.
    control.write_all(&READERS.to_le_bytes()).await?;
    control.read_u8().await?;
    let kinds = [
        (1, "one message at a time"),
        (1 | SYNCED, "one message at a time, synced to a file first"),
        (64, "64 messages a write"),
    ];
    for (batch, name) in kinds {
        let (rate, cpu) = fan(&bare, &mut control, &mut readers, batch).await?;
        figure(&format!("floor: bare sockets, room of {READERS}, {name}"), rate, "deliveries/s");
        figure(&format!("floor: bare sockets, room of {READERS}, {name}: CPU"), cpu, "µs/delivery");
    }
    Ok(())
}

fn file(group: usize) -> Outcome<f64> {
    let mut file = tempfile::tempfile_in(".")?;
    fill(&mut file)?;
    let bytes = vec![0x42; group * FRAME];
    let (begun, mut at, mut records) = (Instant::now(), 0, 0_u32);
    while begun.elapsed() < SPAN / 2 {
        if at + bytes.len() > FILE {
            at = 0;
        }
        file.write_all_at(&bytes, at as u64)?;
        file.sync_data()?;
        at += bytes.len();
        records += u32::try_from(group)?;
    }
    Ok(f64::from(records) / begun.elapsed().as_secs_f64())
}

fn fill(file: &mut File) -> Outcome<()> {
    let zeroes = vec![0; 1 << 20];
    for _ in 0..FILE >> 20 {
        file.write_all(&zeroes)?;
    }
    file.sync_all()?;
    Ok(())
}

async fn fan(bare: &Process, control: &mut TcpStream, readers: &mut [TcpStream], batch: u32) -> Outcome<(f64, f64)> {
    let mut buffer = vec![0; FRAME * 64];
    let messages = batch & !SYNCED;
    let want = FRAME * usize::try_from(messages)?;
    let (mut begun, mut cpu, mut rounds, mut warm) = (Instant::now(), Duration::ZERO, 0_u32, false);
    while !warm || begun.elapsed() < SPAN / 2 {
        if !warm && begun.elapsed() > SPAN / 10 {
            (begun, cpu, rounds, warm) = (Instant::now(), bare.cpu()?, 0, true);
        }
        control.write_all(&batch.to_le_bytes()).await?;
        for reader in readers.iter_mut() {
            reader.read_exact(buffer.get_mut(..want).ok_or("a large batch")?).await?;
        }
        rounds += 1;
    }
    let deliveries = f64::from(rounds) * f64::from(messages) * f64::from(READERS);
    let cpu = (bare.cpu()? - cpu).as_secs_f64() * 1e6 / deliveries;
    Ok((deliveries / begun.elapsed().as_secs_f64(), cpu))
}

/// The other process: the first connection says how many messages go to everybody.
pub(crate) async fn fan_out() -> Outcome<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    ready(listener.local_addr()?);
    let (mut control, _) = listener.accept().await?;
    control.set_nodelay(true)?;
    let mut sockets = Vec::new();
    for _ in 0..READERS {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        sockets.push(socket);
    }
    control.read_u32_le().await?;
    control.write_u8(1).await?;
    let bytes = vec![0x42; FRAME * 64];
    let mut file = tempfile::tempfile_in(".")?;
    fill(&mut file)?;
    while let Ok(batch) = control.read_u32_le().await {
        let bytes = bytes.get(..FRAME * usize::try_from(batch & !SYNCED)?).ok_or("a large batch")?;
        if batch & SYNCED != 0 {
            file.write_all_at(bytes, 0)?;
            tokio::task::block_in_place(|| file.sync_data())?;
        }
        for socket in &mut sockets {
            socket.write_all(bytes).await?;
        }
    }
    Ok(())
}
