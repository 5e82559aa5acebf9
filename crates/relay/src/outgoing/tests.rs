//! Queues written through sockets that take what they like.

use std::io;
use std::pin::Pin;
use std::task::{Poll, Waker};

use estoile_hub::config::Config;
use proptest::prelude::*;
use tokio::io::AsyncWrite;

use super::*;

/// A socket that takes so many bytes a call, and says no in between.
struct Narrow {
    taken: Vec<u8>,
    widths: Vec<usize>,
    calls: usize,
}

impl AsyncWrite for Narrow {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let width = self.widths[self.calls % self.widths.len()];
        self.calls += 1;
        if width == 0 {
            return Poll::Pending;
        }
        let all: Vec<u8> = bufs.iter().flat_map(|b| b.iter().copied()).take(width).collect();
        self.taken.extend(&all);
        Poll::Ready(Ok(all.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn drain(outgoing: &Outgoing, widths: Vec<usize>) -> (Vec<u8>, usize, Written, Batch) {
    let mut io = Narrow { taken: Vec::new(), widths, calls: 0 };
    let mut batch = Batch::default();
    let mut written = Written::default();
    let mut cx = Context::from_waker(Waker::noop());
    while batch.poll(&mut cx, &mut io, outgoing, &mut written).is_pending() {}
    (io.taken, io.calls, written, batch)
}

fn queue() -> Outgoing {
    Outgoing::new(&Config::default(), Arc::new(Metrics::new(&[])), None)
}

fn framed(messages: &[Vec<u8>]) -> Vec<u8> {
    let frame = |m: &Vec<u8>| [Header::new(Opcode::Binary, m.len()).as_bytes(), m].concat();
    messages.iter().flat_map(frame).collect()
}

#[test]
fn all_that_is_queued_is_written_in_one_call() {
    let outgoing = queue();
    let messages: Vec<Vec<u8>> = (0..100_u8).map(|n| vec![n; 200]).collect();
    for message in &messages {
        assert!(outgoing.push(message.clone().into(), Class::Delivery));
    }
    let (taken, calls, written, _) = drain(&outgoing, vec![usize::MAX]);
    assert_eq!(taken, framed(&messages));
    assert_eq!((calls, written.frames, written.bytes), (1, 100, taken.len() as u64));
}

#[test]
fn the_close_frame_comes_last_and_once() {
    let outgoing = queue();
    let messages: Vec<Vec<u8>> = (0..300_u16).map(|n| n.to_be_bytes().to_vec()).collect();
    for message in &messages {
        outgoing.push(message.clone().into(), Class::Answer);
    }
    outgoing.close(CloseCode::Away);
    outgoing.close(CloseCode::Protocol);
    outgoing.push(Bytes::from_static(b"too late"), Class::Answer);
    let (taken, _, _, batch) = drain(&outgoing, vec![usize::MAX]);
    assert_eq!(taken, [framed(&messages), vec![0x88, 2, 0x03, 0xe9]].concat());
    assert!(batch.is_closed());
}

#[test]
fn a_flood_of_pings_is_answered_once() {
    let outgoing = queue();
    for n in 0..200_u8 {
        outgoing.pong(&[n]);
    }
    outgoing.ping();
    outgoing.ping();
    assert_eq!(drain(&outgoing, vec![usize::MAX]).0, [0x8a, 1, 199, 0x89, 0]);
}

#[test]
fn an_ended_session_takes_and_keeps_nothing() {
    let outgoing = queue();
    outgoing.push(Bytes::from_static(b"waiting"), Class::Answer);
    outgoing.end();
    assert!(outgoing.push(Bytes::from_static(b"late"), Class::Delivery), "nobody lags who has left");
    assert!(drain(&outgoing, vec![usize::MAX]).0.is_empty());
}

proptest! {
    #[test]
    fn bytes_survive_every_socket(
        messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..400), 0..300),
        mut widths in prop::collection::vec(0_usize..700, 1..8),
        close: bool,
    ) {
        widths.push(1);
        let outgoing = queue();
        for message in &messages {
            prop_assert!(outgoing.push(message.clone().into(), Class::Delivery));
        }
        let mut expected = framed(&messages);
        if close {
            outgoing.close(CloseCode::Normal);
            expected.extend([0x88, 2, 0x03, 0xe8]);
        }
        let (taken, _, written, batch) = drain(&outgoing, widths);
        prop_assert_eq!(taken, expected);
        prop_assert_eq!(written.frames, messages.len() as u64);
        prop_assert_eq!(batch.is_closed(), close);
    }
}

/// A queue whose session's task waits, on a real socket: with its task's end and its peer's.
async fn idle_on_a_socket() -> (Outgoing, crate::io::Io, tokio::net::TcpStream) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let peer = tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (io, direct) = crate::io::Io::Plain(listener.accept().await.unwrap().0).share();
    let outgoing = Outgoing::new(&Config::default(), Arc::new(Metrics::new(&[])), direct);
    (outgoing, io, peer)
}

/// Has the task write what it finds, once.
fn step(batch: &mut Batch, io: &mut crate::io::Io, outgoing: &Outgoing, waker: &Waker) -> Poll<io::Result<()>> {
    batch.poll(&mut Context::from_waker(waker), io, outgoing, &mut Written::default())
}

#[tokio::test]
async fn a_frame_for_an_idle_session_is_written_without_its_task() {
    use tokio::io::AsyncReadExt;
    let (outgoing, mut io, mut peer) = idle_on_a_socket().await;
    let mut batch = Batch::default();
    assert!(step(&mut batch, &mut io, &outgoing, Waker::noop()).is_ready(), "the task has nothing to write");
    let messages = vec![vec![1; 200], vec![2; 300]];
    let frames: Vec<Bytes> = messages.iter().cloned().map(Bytes::from).collect();
    assert_eq!(outgoing.push_all(&frames), 2);
    let mut got = vec![0; framed(&messages).len()];
    peer.read_exact(&mut got).await.unwrap();
    assert_eq!(got, framed(&messages));
    assert!(outgoing.lock().queue.is_empty() && outgoing.lock().waker.is_some(), "the task was not woken");
}

#[tokio::test]
async fn what_a_full_socket_does_not_take_follows_in_order() {
    use tokio::io::AsyncReadExt;
    let (outgoing, mut io, mut peer) = idle_on_a_socket().await;
    let mut batch = Batch::default();
    assert!(step(&mut batch, &mut io, &outgoing, Waker::noop()).is_ready());
    // Larger than any socket's buffers on the way, so that one of them is cut; then the queue fills behind it.
    let messages: Vec<Vec<u8>> = (0..200_u8).map(|n| vec![n; 60_000]).collect();
    let pushed = messages.iter().take_while(|m| outgoing.push_all(&[Bytes::from((*m).clone())]) == 1).count();
    assert!(outgoing.lock().rest.is_some() || !outgoing.lock().queue.is_empty(), "the socket was full at some time");
    let want = framed(&messages[..pushed]);
    let reading = tokio::spawn(async move {
        let mut got = vec![0; want.len()];
        peer.read_exact(&mut got).await.unwrap();
        (got, want)
    });
    std::future::poll_fn(|cx| step(&mut batch, &mut io, &outgoing, cx.waker())).await.unwrap();
    let (got, want) = reading.await.unwrap();
    assert!(got == want, "every byte of the frames that were taken, in order");
}

#[tokio::test]
async fn nothing_overtakes_what_waits() {
    use tokio::io::AsyncReadExt;
    let (outgoing, mut io, mut peer) = idle_on_a_socket().await;
    let mut batch = Batch::default();
    assert!(step(&mut batch, &mut io, &outgoing, Waker::noop()).is_ready());
    assert!(outgoing.push(Bytes::from_static(b"an answer"), Class::Answer));
    assert_eq!(outgoing.push_all(&[Bytes::from_static(b"a record")]), 1);
    assert!(step(&mut batch, &mut io, &outgoing, Waker::noop()).is_ready());
    outgoing.close(CloseCode::Away);
    assert_eq!(outgoing.push_all(&[Bytes::from_static(b"too late")]), 1);
    assert!(step(&mut batch, &mut io, &outgoing, Waker::noop()).is_ready());
    drop((batch, io, outgoing));
    let mut got = Vec::new();
    peer.read_to_end(&mut got).await.unwrap();
    let close = vec![0x88, 2, 0x03, 0xe9];
    assert_eq!(got, [framed(&[b"an answer".to_vec(), b"a record".to_vec()]), close].concat());
}
