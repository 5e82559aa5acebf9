//! A session's socket: plain TCP or TLS over it. It knows nothing of what flows through it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio_rustls::server::TlsStream;

/// The system probes a silent peer after so long, in case the relay's own pings can't end the session.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(60);
const KEEPALIVE_EVERY: Duration = Duration::from_secs(15);
/// Bytes that nobody acknowledges for so long end the connection: a pulled cable, seen by the system.
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: Duration = Duration::from_secs(60);

/// The system takes no more ahead of what the peer has room for: what waits for a slow reader waits in its session's
/// queue, which is bounded and counted, and that a slow reader reads shows soon.
#[cfg(target_os = "linux")]
const AHEAD: u32 = 256 << 10;

/// A session's socket.
pub(crate) enum Io {
    Plain(TcpStream),
    /// Plain, and written by the session's queue too: see [`Io::share`].
    Shared(OwnedReadHalf, Arc<OwnedWriteHalf>),
    /// Boxed: a TLS state is large, and most relays behind a proxy have none.
    Tls(Box<TlsStream<TcpStream>>),
}

impl Io {
    /// The same socket, and a handle with which whoever pushes into an idle session's queue may write at once. TLS has
    /// none: its state belongs to the session's task.
    pub(crate) fn share(self) -> (Self, Option<Arc<OwnedWriteHalf>>) {
        match self {
            Self::Plain(socket) => {
                let (read, write) = socket.into_split();
                let write = Arc::new(write);
                (Self::Shared(read, write.clone()), Some(write))
            }
            other => (other, None),
        }
    }
}

/// Writes as soon as the socket takes anything.
fn poll_shared(cx: &mut Context<'_>, io: &OwnedWriteHalf, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
    loop {
        ready!(io.as_ref().poll_write_ready(cx))?;
        match io.try_write_vectored(bufs) {
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
            result => return Poll::Ready(result),
        }
    }
}

/// What a fresh socket needs; none of it is worth refusing a session for.
pub(crate) fn tune(socket: &TcpStream) {
    let _ = socket.set_nodelay(true);
    let socket = SockRef::from(socket);
    let _ = socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE_AFTER).with_interval(KEEPALIVE_EVERY));
    #[cfg(target_os = "linux")]
    let _ = socket.set_tcp_notsent_lowat(AHEAD);
    #[cfg(target_os = "linux")]
    let _ = socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED));
}

impl AsyncRead for Io {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_read(cx, buf),
            Self::Shared(io, _) => Pin::new(io).poll_read(cx, buf),
            Self::Tls(io) => Pin::new(io.as_mut()).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Io {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_write(cx, buf),
            Self::Shared(_, io) => poll_shared(cx, io, &[IoSlice::new(buf)]),
            Self::Tls(io) => Pin::new(io.as_mut()).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_write_vectored(cx, bufs),
            Self::Shared(_, io) => poll_shared(cx, io, bufs),
            Self::Tls(io) => Pin::new(io.as_mut()).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_flush(cx),
            // TCP holds nothing back.
            Self::Shared(..) => Poll::Ready(Ok(())),
            Self::Tls(io) => Pin::new(io.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_shutdown(cx),
            Self::Shared(_, io) => {
                let socket: &TcpStream = io.as_ref().as_ref();
                Poll::Ready(SockRef::from(socket).shutdown(std::net::Shutdown::Write))
            }
            Self::Tls(io) => Pin::new(io.as_mut()).poll_shutdown(cx),
        }
    }
}
